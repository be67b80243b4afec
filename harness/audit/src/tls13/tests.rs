//! The trace of RFC 8448 §3, whole, in pieces, and with secrets missing or wrong.

use hkdf::Hkdf;
use proptest::prelude::*;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use rstest::rstest;
use serde::Deserialize;
use sha2::{Sha256, Sha384};

use super::*;
use crate::key_file::{KeyFile, Owner};
use crate::vectors::{self, Bytes};

#[derive(Deserialize)]
struct Trace {
    client: Vec<Bytes>,
    server: Vec<Bytes>,
    client_handshake_traffic_secret: Bytes,
    server_handshake_traffic_secret: Bytes,
    client_application_traffic_secret_0: Bytes,
    server_application_traffic_secret_0: Bytes,
    application_data: Bytes,
}

impl Trace {
    fn read() -> Self {
        vectors::read(include_str!("../../vectors/ietf/tls13.json"))
    }

    fn client(&self) -> Vec<u8> {
        self.client.iter().flat_map(|record| record.0.clone()).collect()
    }

    fn server(&self) -> Vec<u8> {
        self.server.iter().flat_map(|record| record.0.clone()).collect()
    }

    fn secrets(&self) -> Secrets {
        Secrets {
            client_early: None,
            client_handshake: Some(self.client_handshake_traffic_secret.to_vec()),
            server_handshake: Some(self.server_handshake_traffic_secret.to_vec()),
            client_application: Some(self.client_application_traffic_secret_0.to_vec()),
            server_application: Some(self.server_application_traffic_secret_0.to_vec()),
        }
    }

    fn open(&self, secrets: &Secrets) -> Opened {
        open(&self.client(), &self.server(), secrets).expect("a connection")
    }
}

/// Seals a record under a traffic secret of the suite.
fn seal(suite: CipherSuite, secret: &[u8], sequence: u8, inner: &[u8]) -> Vec<u8> {
    let algorithm = match suite {
        CipherSuite::Aes128GcmSha256 => &AES_128_GCM,
        CipherSuite::Aes256GcmSha384 => &AES_256_GCM,
        CipherSuite::Chacha20Poly1305Sha256 => &CHACHA20_POLY1305,
    };
    let expand = |label: &str, length: usize| -> Vec<u8> {
        let info = format!("\0{}{}tls13 {label}\0", length as u8 as char, (6 + label.len()) as u8 as char);
        let mut out = vec![0; length];
        match suite {
            CipherSuite::Aes256GcmSha384 => {
                Hkdf::<Sha384>::from_prk(secret).expect("48 bytes").expand(info.as_bytes(), &mut out)
            }
            _ => Hkdf::<Sha256>::from_prk(secret).expect("32 bytes").expand(info.as_bytes(), &mut out),
        }
        .expect("short");
        out
    };
    let key = expand("key", algorithm.key_len());
    let key = LessSafeKey::new(UnboundKey::new(algorithm, &key).expect("the right length"));
    let mut nonce: [u8; 12] = expand("iv", 12).try_into().expect("12 bytes");
    nonce[11] ^= sequence;
    let header = [23, 3, 3, 0, (inner.len() + 16) as u8];
    let mut body = inner.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(header), &mut body).expect("seals");
    [&header[..], &body].concat()
}

#[rstest]
#[case::aes_128(CipherSuite::Aes128GcmSha256, 0x1301, 32)]
#[case::aes_256(CipherSuite::Aes256GcmSha384, 0x1302, 48)]
#[case::chacha20(CipherSuite::Chacha20Poly1305Sha256, 0x1303, 32)]
fn every_suite_opens(#[case] suite: CipherSuite, #[case] number: u16, #[case] length: usize) {
    let trace = Trace::read();
    let secret: Vec<u8> = (0..).take(length).collect();
    let mut client = trace.client();
    client.truncate(201);
    client.extend(seal(suite, &secret, 0, b"one\x17"));
    client.extend(seal(suite, &secret, 1, b"two\x17"));
    let mut server = trace.server();
    server[44..46].copy_from_slice(&number.to_be_bytes());
    let secrets = Secrets { client_application: Some(secret), ..Secrets::default() };
    let opened = open(&client, &server, &secrets).expect("a connection");
    assert_eq!((opened.suite, &opened.client.data[..]), (suite, &b"onetwo"[..]));
}

#[test]
fn the_trace_of_the_rfc_opens_whole() {
    let trace = Trace::read();
    let opened = trace.open(&trace.secrets());
    assert_eq!(opened.suite, CipherSuite::Aes128GcmSha256);
    assert_eq!(opened.client_random[..4], [0xcb, 0x34, 0xec, 0xb1]);
    for (direction, others, at) in [(&opened.client, 2, 201 + 58), (&opened.server, 3, 95 + 679 + 227)] {
        assert_eq!(direction.data, *trace.application_data);
        let record = OpenedRecord { wire: at..at + 72, data: 0..50, padding: 0 };
        assert_eq!(direction.records, [record]);
        assert_eq!(direction.other_records, others);
        assert!(direction.unopened.is_empty());
        assert!(direction.closed);
        assert_eq!(direction.wire_of(3..50), Some(at..at + 72));
        assert_eq!(direction.wire_of(3..51), None);
        assert_eq!(direction.wire_of(3..3), None);
    }
    assert_eq!(opened.client.end_of_records, trace.client().len());
}

#[test]
fn application_data_opens_without_the_handshake_secrets() {
    let trace = Trace::read();
    let secrets = Secrets { client_handshake: None, server_handshake: None, ..trace.secrets() };
    let opened = trace.open(&secrets);
    assert_eq!(opened.client.data, *trace.application_data);
    assert_eq!(opened.server.data, *trace.application_data);
    for (direction, shut) in [(&opened.client, 201..259), (&opened.server, 95..774)] {
        assert_eq!(direction.unopened.iter().collect::<Vec<_>>(), [&shut]);
    }
}

#[test]
fn without_secrets_every_protected_record_is_listed() {
    let trace = Trace::read();
    let opened = trace.open(&Secrets::default());
    assert_eq!((opened.client.data.len(), opened.client.unopened.len()), (0, 3));
    assert_eq!((opened.server.data.len(), opened.server.unopened.len()), (0, 4));
}

#[rstest]
#[case::client_for_server(|s: &mut Secrets| {
    std::mem::swap(&mut s.client_application, &mut s.server_application);
})]
#[case::one_bit(|s: &mut Secrets| for secret in [&mut s.client_application, &mut s.server_application] {
    secret.as_mut().expect("there is one")[31] ^= 1;
})]
#[case::too_short(|s: &mut Secrets| {
    s.client_application = Some(vec![1; 31]);
    s.server_application = Some(Vec::new());
})]
#[case::of_another_hash(|s: &mut Secrets| {
    s.client_application = Some(vec![1; 48]);
    s.server_application = None;
})]
fn a_wrong_secret_opens_no_application_data(#[case] spoil: fn(&mut Secrets)) {
    let trace = Trace::read();
    let mut secrets = trace.secrets();
    spoil(&mut secrets);
    let opened = trace.open(&secrets);
    assert!(opened.client.data.is_empty());
    assert!(opened.server.data.is_empty());
    assert!(!opened.client.unopened.is_empty() && !opened.server.unopened.is_empty());
}

#[test]
fn a_changed_byte_shuts_its_record() {
    let trace = Trace::read();
    let mut client = trace.client();
    client[270] ^= 1;
    let opened = open(&client, &trace.server(), &trace.secrets()).expect("a connection");
    assert!(opened.client.data.is_empty());
    assert_eq!(opened.client.unopened[0], 259..331);
}

#[test]
fn a_stream_that_is_cut_short_opens_up_to_the_cut() {
    let trace = Trace::read();
    let (client, server) = (trace.client(), trace.server());
    for cut in 201..client.len() {
        let opened = open(&client[..cut], &server, &trace.secrets()).expect("a connection");
        assert!(opened.client.end_of_records <= cut);
        assert_eq!(opened.client.data.is_empty(), cut < 259 + 72, "cut to {cut}");
    }
}

#[test]
fn key_updates_and_padding_are_followed() {
    let trace = Trace::read();
    let mut client = trace.client();
    client.truncate(259 + 72);
    let (suite, secret) = (CipherSuite::Aes128GcmSha256, &trace.client_application_traffic_secret_0);
    client.extend(seal(suite, secret, 1, &[24, 0, 0, 1, 0, 22]));
    let mut updated = vec![0; 32];
    let info = b"\0\x20\x11tls13 traffic upd\0";
    Hkdf::<Sha256>::from_prk(secret).expect("32 bytes").expand(info, &mut updated).expect("short");
    client.extend(seal(suite, &updated, 0, b"after\x17\0\0\0"));
    client.extend(seal(suite, &updated, 1, b"\x17"));
    let opened = open(&client, &trace.server(), &trace.secrets()).expect("a connection");
    assert!(opened.client.unopened.is_empty());
    assert!(opened.client.data.ends_with(b"after"));
    let paddings: Vec<_> =
        opened.client.records.iter().map(|record| (record.data.len(), record.padding)).collect();
    assert_eq!(paddings, [(50, 0), (5, 3), (0, 0)]);
    assert_eq!(opened.client.wire_of(48..52), Some(259..331 + 27 + 30));
}

#[test]
fn a_retry_is_passed_over() {
    let trace = Trace::read();
    // The body of a HelloRetryRequest: version, its random, no session id, a suite, no compression,
    // no extensions.
    let random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    let body = [&[3, 3][..], &hex::decode(random).expect("hex"), &[0, 0x13, 0x02, 0, 0, 0]].concat();
    let message = [&[2, 0, 0, body.len() as u8][..], &body].concat();
    let record = [&[22, 3, 3, 0, message.len() as u8][..], &message, &[20, 3, 3, 0, 1, 1]].concat();
    let server = [record, trace.server()].concat();
    let opened = open(&trace.client(), &server, &trace.secrets()).expect("a connection");
    assert_eq!(opened.suite, CipherSuite::Aes128GcmSha256);
    assert_eq!(opened.server.data, *trace.application_data);
}

#[test]
fn what_is_no_connection_is_refused_by_name() {
    let trace = Trace::read();
    let (client, server, secrets) = (trace.client(), trace.server(), trace.secrets());
    assert_eq!(open(b"GET / HTTP/1.1\r\n\r\n", &server, &secrets), Err(NotOpened::NoClientHello));
    assert_eq!(open(&client[1..], &server, &secrets), Err(NotOpened::NoClientHello));
    assert_eq!(open(&client, b"", &secrets), Err(NotOpened::NoServerHello));
    assert_eq!(open(&client, &client, &secrets), Err(NotOpened::NoServerHello));
    let mut other_suite = server.clone();
    other_suite[44..46].copy_from_slice(&[0x13, 0x04]);
    assert_eq!(open(&client, &other_suite, &secrets), Err(NotOpened::UnknownSuite(0x1304)));
    let mut older = server.clone();
    older[94] = 3;
    assert_eq!(open(&client, &older, &secrets), Err(NotOpened::OlderVersion));
}

#[test]
fn secrets_are_found_by_their_client_random() {
    let trace = Trace::read();
    let random = client_random(&trace.client()).expect("a hello");
    let lines = format!(
        "CLIENT_TRAFFIC_SECRET_0 {r} {}\nSERVER_TRAFFIC_SECRET_0 {r} {}\nEXPORTER_SECRET {r} {}\n\
         CLIENT_HANDSHAKE_TRAFFIC_SECRET {} {}",
        hex::encode(&*trace.client_application_traffic_secret_0),
        hex::encode(&*trace.server_application_traffic_secret_0),
        "00".repeat(32),
        "00".repeat(32),
        "00".repeat(32),
        r = hex::encode(random),
    );
    let file = KeyFile::parse(&lines, Some(&Owner::Parties));
    let secrets = Secrets::of_connection(&file.keys, &random);
    assert_eq!(secrets, Secrets { client_handshake: None, server_handshake: None, ..trace.secrets() });
    assert!(Secrets::of_connection(&file.keys, &[1; 32]).is_empty());
    assert_eq!(format!("{secrets:?}"), "Secrets(…)");
}

proptest! {
    #[test]
    fn any_bytes_are_taken(
        client in proptest::collection::vec(any::<u8>(), 0..400),
        at in 0..400_usize,
    ) {
        let trace = Trace::read();
        prop_assert!(open(&client, &client, &trace.secrets()).is_err());
        let mut server = trace.server();
        server.splice(at.min(server.len()).., client);
        if let Ok(opened) = open(&trace.client(), &server, &trace.secrets()) {
            prop_assert!(opened.server.end_of_records <= server.len());
        }
    }
}
