//! Calls whose keys change, or serve twice: several handshakes of one pair of ends, one key for both directions, and
//! streams that happen to have one SSRC.

use std::io::{Cursor, Read};

use rstest::rstest;

use model::audit::Severity;

use super::super::*;
use crate::bench::handshake::{dtls_certificate, dtls_client_hello, dtls_finished, dtls_server_hello};
use crate::bench::seal::Hop;
use crate::bench::{CaptureBuilder, noise};
use crate::dtls_exporter::{Prf, SrtpKeys, srtp_keys};
use crate::key_file::{KeyFile, Owner};
use crate::srtp::{MasterKey, Profile};

const CALLER: &str = "10.0.0.1:5000";
const CALLEE: &str = "10.0.0.2:6000";

/// A call in the making: a packet each 20 ms.
struct Call {
    builder: CaptureBuilder,
    at_ns: u64,
}

impl Call {
    fn new() -> Self {
        Self { builder: CaptureBuilder::new(&["eth0"]), at_ns: 1_000_000_000 }
    }

    fn sends(&mut self, source: &str, destination: &str, datagram: &[u8]) {
        self.builder.udp(0, self.at_ns, source, destination, datagram);
        self.at_ns += 20_000_000;
    }

    /// A handshake whose randoms, master secret and certificates are made from `n`; the keys that it gives.
    fn handshake(&mut self, n: u8) -> SrtpKeys {
        self.sends(CALLER, CALLEE, &dtls_client_hello([n; 32]));
        self.sends(CALLEE, CALLER, &dtls_server_hello([n | 0x80; 32]));
        self.sends(CALLEE, CALLER, &dtls_certificate(1, &[n, 1]));
        self.sends(CALLER, CALLEE, &dtls_certificate(1, &[n, 2]));
        self.sends(CALLER, CALLEE, &dtls_finished());
        self.sends(CALLEE, CALLER, &dtls_finished());
        srtp_keys(Prf::Sha256, &[n; 48], &[n; 32], &[n | 0x80; 32], Profile::AeadAes128Gcm)
    }

    fn media(&mut self, ends: (&str, &str), ssrc: u32, numbers: std::ops::Range<u16>, hop: &Hop) {
        for n in numbers {
            let mut header = vec![0x80, 111];
            header.extend(n.to_be_bytes());
            header.extend((u32::from(n) * 960).to_be_bytes());
            header.extend(ssrc.to_be_bytes());
            let voice =
                [vec![0x78], noise(u32::from(n) + 1_000 * (self.at_ns / 20_000_000) as u32, 70)].concat();
            self.sends(ends.0, ends.1, &hop.seal(&header, &voice));
        }
    }

    fn audit(self, keys: &str) -> Audit {
        let bytes = self.builder.bytes();
        let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
        let input = Input { name: "made.pcapng".to_owned(), open: Box::new(open) };
        let keys = KeyFile::parse(keys, Owner::named("sfu").ok().as_ref());
        assert!(keys.errors.is_empty(), "{:?}", keys.errors);
        examine(&[input], &keys.keys, &Options::default(), &mut |_| {})
    }
}

fn hop(key: &MasterKey) -> Hop {
    Hop { key: key.key().try_into().expect("16 bytes"), salt: key.salt().try_into().expect("12 bytes") }
}

/// Key log lines of these handshakes.
fn key_log(of: &[u8]) -> String {
    of.iter()
        .map(|n| format!("CLIENT_RANDOM {} {}\n", hex::encode([*n; 32]), hex::encode([*n; 48])))
        .collect()
}

fn checks(audit: &Audit) -> Vec<&str> {
    let weighty = audit.findings.iter().filter(|finding| finding.severity != Severity::Advisory);
    weighty.map(|finding| finding.check.as_str()).collect()
}

/// The sequence numbers of the second part go on, or begin anew.
#[rstest]
fn keys_of_both_handshakes_of_a_call_open_their_packets(#[values(0, 40)] second: u16) {
    let mut call = Call::new();
    let first = hop(&call.handshake(1).client);
    call.media((CALLER, CALLEE), 7, 0..40, &first);
    let then = hop(&call.handshake(2).client);
    call.media((CALLER, CALLEE), 7, second..second + 40, &then);
    let audit = call.audit(&key_log(&[1, 2]));
    assert_eq!(audit.handshakes.len(), 2);
    assert_eq!(audit.streams.len(), 1);
    assert_eq!(audit.streams[0].protection, Protection::TransportOnly, "{}", audit.streams[0].why);
    assert_eq!(audit.streams[0].opened[0].packets, 80);
    assert_eq!(checks(&audit), [""; 0]);
}

#[test]
fn certificates_of_both_handshakes_are_told() {
    let mut call = Call::new();
    call.handshake(1);
    call.handshake(2);
    let told = call.audit("").handshakes;
    let prints: Vec<_> = told.iter().filter_map(|one| one.client_fingerprint.clone()).collect();
    assert_eq!((told.len(), prints.len()), (2, 2));
    assert_ne!(prints[0], prints[1], "another certificate is another identity");
}

#[test]
fn a_hello_that_is_sent_again_is_no_handshake_of_its_own() {
    let mut call = Call::new();
    call.sends(CALLER, CALLEE, &dtls_client_hello([1; 32]));
    call.handshake(1);
    call.sends(CALLER, CALLEE, &dtls_client_hello([1; 32]));
    let audit = call.audit("");
    assert_eq!((audit.handshakes.len(), audit.handshakes[0].packets.len()), (1, 8));
}

#[test]
fn what_came_before_a_second_handshake_had_keys() {
    let mut call = Call::new();
    let first = hop(&call.handshake(1).client);
    call.media((CALLER, CALLEE), 7, 0..40, &first);
    call.handshake(2);
    assert_eq!(checks(&call.audit("")), [""; 0]);
}

#[test]
fn the_keys_of_one_handshake_open_its_packets_alone() {
    let mut call = Call::new();
    let first = hop(&call.handshake(1).client);
    call.media((CALLER, CALLEE), 7, 0..40, &first);
    let then = hop(&call.handshake(2).client);
    call.media((CALLER, CALLEE), 7, 40..80, &then);
    let audit = call.audit(&key_log(&[1]));
    assert_eq!(audit.streams[0].opened[0].packets, 40);
    assert_eq!(checks(&audit), ["streams/packets-authenticate"]);
}

const GIVEN: Hop = Hop { key: [7; 16], salt: [9; 12] };
const OTHER: Hop = Hop { key: [8; 16], salt: [9; 12] };

fn line(hop: &Hop) -> String {
    format!("SRTP SRTP_AEAD_AES_128_GCM {}{}\n", hex::encode(hop.key), hex::encode(hop.salt))
}

/// SSRC and key of the callee's stream; the caller's has 7 and the first key.
#[rstest]
#[case::one_key(8, GIVEN, &["streams/keystream-is-used-once"], Protection::TransportOnly)]
#[case::one_key_and_one_ssrc(7, GIVEN, &["streams/keystream-is-used-once"], Protection::Broken)]
#[case::a_key_each(8, OTHER, &[], Protection::TransportOnly)]
#[case::a_key_each_and_one_ssrc(7, OTHER, &[], Protection::TransportOnly)]
fn one_key_for_both_directions_is_told(
    #[case] ssrc: u32,
    #[case] back: Hop,
    #[case] told: &[&str],
    #[case] worst: Protection,
) {
    let mut call = Call::new();
    call.media((CALLER, CALLEE), 7, 0..40, &GIVEN);
    call.media((CALLEE, CALLER), ssrc, 0..40, &back);
    let audit = call.audit(&(line(&GIVEN) + &line(&OTHER)));
    assert_eq!(checks(&audit), told, "{:?}", audit.findings);
    assert_eq!(audit.streams[0].protection, worst);
}

/// A key that a forwarder uses for everybody whom it sends to goes in one direction.
#[test]
fn one_key_for_two_receivers_is_no_key_for_both_directions() {
    let mut call = Call::new();
    call.media((CALLER, CALLEE), 7, 0..40, &GIVEN);
    call.media((CALLER, "10.0.0.3:6000"), 8, 0..40, &GIVEN);
    assert_eq!(checks(&call.audit(&line(&GIVEN))), [""; 0]);
}
