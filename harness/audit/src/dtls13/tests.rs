//! A handshake of two browsers, whole and spoilt.

use rstest::rstest;

use super::*;
use crate::dissect::dtls::{DTLS_1_3, Side, is_unified};
use crate::vectors::{self, Bytes, DTLS13, Handshake13};

const SUITE: u16 = 0x1301;

fn handshake() -> Handshake13 {
    vectors::read(DTLS13)
}

/// What one side says, with what its secret opens.
fn side(datagrams: &[Bytes], secret: &[u8]) -> Side {
    let opener = Opener::new(SUITE, secret).expect("a secret of the suite");
    let mut side = Side::default();
    datagrams.iter().for_each(|datagram| side.take(datagram));
    for datagram in datagrams {
        opener.open(datagram).iter().for_each(|messages| side.take_opened(messages));
    }
    side
}

#[test]
fn both_certificates_and_the_profile_are_read() {
    let vector = handshake();
    let client = side(&vector.client, &vector.client_secret);
    let server = side(&vector.server, &vector.server_secret);
    assert_eq!(server.version, Some(DTLS_1_3));
    assert_eq!(server.cipher_suites, [SUITE]);
    assert_eq!(client.fingerprint.as_ref().map(<[u8; 32]>::as_slice), Some(&vector.client_fingerprint[..]));
    assert_eq!(server.fingerprint.as_ref().map(<[u8; 32]>::as_slice), Some(&vector.server_fingerprint[..]));
    assert_eq!(server.srtp_profiles.len(), 1);
    assert!(client.srtp_profiles.contains(&server.srtp_profiles[0]), "{:?}", client.srtp_profiles);
    assert!(client.opened && server.opened);
}

#[test]
fn nothing_is_read_under_the_other_sides_secret() {
    let vector = handshake();
    for (datagrams, secret) in
        [(&vector.client, &vector.server_secret), (&vector.server, &vector.client_secret)]
    {
        let side = side(datagrams, secret);
        assert_eq!((side.opened, side.fingerprint), (false, None));
    }
}

#[test]
fn a_spoilt_record_does_not_open() {
    let vector = handshake();
    let opener = Opener::new(SUITE, &vector.server_secret).expect("an opener");
    let whole = vector.server.iter().find(|datagram| !opener.open(datagram).is_empty()).expect("a record");
    assert!(is_unified(whole) || !protected(whole).is_empty());
    for at in [0, 1, 2, 5, 40] {
        let mut spoilt = whole.to_vec();
        let start =
            whole.len() - protected(whole).iter().map(|r| r.header.len() + r.body.len()).sum::<usize>();
        spoilt[start + at] ^= 1;
        assert!(opener.open(&spoilt).len() < opener.open(whole).len(), "byte {at}");
    }
    for length in 0..whole.len() {
        assert!(opener.open(&whole[..length]).len() <= opener.open(whole).len());
    }
}

#[rstest]
#[case::another_version(0xC02B, 32)]
#[case::short(0x1301, 16)]
#[case::of_the_other_hash(0x1301, 48)]
#[case::too_short_for_its_hash(0x1302, 32)]
#[case::nothing(0x1303, 0)]
fn a_secret_that_does_not_fit_opens_nothing(#[case] suite: u16, #[case] length: usize) {
    assert!(Opener::new(suite, &vec![7; length]).is_none());
}

#[rstest]
#[case(0x1302, 48)]
#[case(0x1303, 32)]
fn other_suites_have_keys_as_well(#[case] suite: u16, #[case] length: usize) {
    let opener = Opener::new(suite, &vec![7; length]).expect("an opener");
    assert!(handshake().server.iter().all(|datagram| opener.open(datagram).is_empty()));
}
