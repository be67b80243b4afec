//! Handshakes built by hand, whole, in pieces and broken.

use proptest::prelude::*;

use super::*;

fn record(content: u8, epoch: u16, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![content, 0xFE, 0xFD];
    bytes.extend(epoch.to_be_bytes());
    bytes.extend([0; 6]);
    bytes.extend(u16::try_from(fragment.len()).expect("short").to_be_bytes());
    bytes.extend(fragment);
    bytes
}

fn u24(value: usize) -> [u8; 3] {
    let bytes = u32::try_from(value).expect("small").to_be_bytes();
    [bytes[1], bytes[2], bytes[3]]
}

fn piece(kind: u8, sequence: u16, body: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(u24(body.len()));
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(u24(from));
    bytes.extend(u24(to - from));
    bytes.extend(&body[from..to]);
    bytes
}

fn server_hello() -> Vec<u8> {
    let mut body = vec![0xFE, 0xFD];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0xC0, 0x2B, 0]);
    let use_srtp = [0, 14, 0, 5, 0, 2, 0, 7, 0];
    body.extend(u16::try_from(use_srtp.len()).expect("short").to_be_bytes());
    body.extend(use_srtp);
    body
}

#[test]
fn a_server_hello_names_random_version_suite_and_profile() {
    let body = server_hello();
    let mut side = Side::default();
    side.take(&record(22, 0, &piece(2, 0, &body, 0, body.len())));
    assert!(side.is_server && !side.is_client);
    assert_eq!((side.random, side.version), (Some([7; 32]), Some(DTLS_1_2)));
    assert_eq!((side.srtp_profiles, side.cipher_suites), (vec![7], vec![0xC02B]));
}

#[test]
fn a_certificate_in_pieces_out_of_order_has_its_fingerprint() {
    let certificate = [9u8; 100];
    let mut body = Vec::new();
    body.extend(u24(103));
    body.extend(u24(100));
    body.extend(certificate);
    let mut side = Side::default();
    side.take(&record(22, 0, &piece(11, 2, &body, 60, body.len())));
    assert_eq!(side.fingerprint, None);
    side.take(&record(22, 0, &piece(11, 2, &body, 0, 60)));
    assert_eq!(side.fingerprint, Some(Sha256::digest(certificate).into()));
}

#[test]
fn alerts_are_read_in_the_clear_and_only_counted_when_encrypted() {
    let mut side = Side::default();
    let mut both = record(21, 0, &[2, 42]);
    both.extend(record(21, 1, &[0; 26]));
    side.take(&both);
    assert_eq!((side.alerts.clone(), side.encrypted_alerts), (vec![(2, 42)], 1));
}

#[test]
fn a_cut_hello_and_a_lying_length_leave_what_was_read() {
    let body = server_hello();
    let mut side = Side::default();
    side.take(&record(22, 0, &piece(2, 0, &body[..36], 0, 36)));
    assert_eq!((side.random, side.srtp_profiles.len()), (Some([7; 32]), 0));
    assert!(records(&record(22, 0, &[0; 30])[..20]).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..14, from in 0usize..20
    ) {
        let mut side = Side::default();
        side.take(&bytes);
        side.take(&record(22, 0, &bytes));
        let from = from.min(bytes.len());
        side.take(&record(22, 0, &piece(kind, 0, &bytes, from, bytes.len())));
        side.take(&record(22, 0, &piece(kind, 0, &bytes, 0, from)));
    }
}

#[test]
fn protected_records_are_found_behind_those_in_the_clear() {
    let plain = record(22, 0, &[1, 2, 3]);
    // Two bytes of number and a length; then one byte, and the rest of the datagram.
    let long = [&[0x2E, 5, 6, 0, 17][..], &[9; 17]].concat();
    let short = [&[0x23, 7][..], &[8; 20]].concat();
    let whole = [&plain[..], &long, &short].concat();
    let found = protected(&whole);
    let seen: Vec<_> =
        found.iter().map(|r| (r.header.len(), r.number_length, r.epoch, r.body.len())).collect();
    assert_eq!(seen, [(5, 2, 2, 17), (2, 1, 3, 20)]);
    assert!(is_unified(&[&long[..], &short].concat()) && !is_unified(&whole) && !is_unified(&[]));
    assert!(!is_unified(&long[..21]) && !is_unified(&[0x2E, 5, 6, 0, 16]));
    assert!(protected(&[0x2E, 5, 6, 0, 18]).is_empty() && protected(&long[..10]).is_empty());
}

#[test]
fn a_certificate_behind_a_context_is_read_from_an_opened_message_alone() {
    let body = [&[1, 0xAB][..], &[0, 0, 8, 0, 0, 3], &[4, 5, 6], &[0, 0]].concat();
    let message = piece(11, 3, &body, 0, body.len());
    let extensions = [0, 9, 0, 14, 0, 5, 0, 2, 0, 8, 0];
    let encrypted = piece(8, 2, &extensions, 0, extensions.len());
    let mut side = Side::default();
    side.take_opened(&[&encrypted[..], &message].concat());
    assert_eq!(side.srtp_profiles, [8]);
    assert_eq!(side.fingerprint, Some(Sha256::digest([4, 5, 6]).into()));
    let mut clear = Side::default();
    clear.take(&record(22, 0, &[&encrypted[..], &message].concat()));
    assert!(clear.srtp_profiles.is_empty() && clear.fingerprint != side.fingerprint);
}
