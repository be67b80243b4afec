//! Captures made packet by packet, from the question to the answer.

use std::io::Cursor;

use super::*;
use crate::bench::{CaptureBuilder, noise};

fn rtp(sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 960).to_be_bytes());
    packet.extend([0xAB, 0, 0, 1]);
    packet.extend(payload);
    packet
}

/// A capture of a hundred packets with these payloads.
fn capture(payload: impl Fn(u16) -> Vec<u8>) -> Vec<u8> {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for n in 0..100_u16 {
        let at_ns = 1_000_000_000 + 20_000_000 * u64::from(n);
        builder.udp(0, at_ns, "10.0.0.1:5000", "10.0.0.2:6000", &rtp(n, &payload(n)));
    }
    builder.bytes()
}

fn audit(bytes: Vec<u8>) -> Audit {
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let input = Input { name: "made.pcapng".to_owned(), open: Box::new(open) };
    examine(&[input], &[], &Options::default(), &mut |_| {})
}

fn opus(n: u16) -> Vec<u8> {
    [vec![0x78], noise(u32::from(n), 70)].concat()
}

#[test]
fn readable_media_are_plaintext() {
    let audit = audit(capture(opus));
    assert_eq!(audit.verdict, AuditVerdict::NotEndToEnd);
    let stream = &audit.streams[0];
    assert_eq!((stream.protection, stream.codec.as_deref()), (Protection::Plaintext, Some("opus")));
    assert_eq!(audit.packets, BTreeMap::from([("rtp".to_owned(), 100)]));
    assert_eq!(stream.findings, ["streams/nothing-in-the-clear"]);
}

#[test]
fn media_without_structure_are_undetermined() {
    let audit = audit(capture(|n| noise(u32::from(n), 80)));
    assert_eq!(audit.verdict, AuditVerdict::Inconclusive);
    assert_eq!(audit.streams[0].protection, Protection::EncryptedUndetermined);
    assert!(audit.not_concluded.iter().any(|open| open.would_settle_it.contains("--keys")));
}

#[test]
fn an_empty_file_has_no_verdict_and_says_why() {
    let audit = audit(Vec::new());
    assert_eq!((audit.verdict, audit.streams.len()), (AuditVerdict::Inconclusive, 0));
    assert_eq!(audit.captures[0].problems[0].text, "the file is empty; hand over the capture itself");
}

#[test]
fn a_keystream_that_is_used_twice_is_broken() {
    let audit = audit(capture(|n| noise(u32::from(n), 80)).tap_twice());
    assert_eq!(audit.streams[0].protection, Protection::Broken);
    assert!(audit.streams[0].why.contains("one keystream covers both"), "{}", audit.streams[0].why);
}

/// A capture of these UDP payloads, 20 ms apart.
fn datagrams(payloads: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for (n, payload) in (1..).zip(payloads) {
        builder.udp(0, 20_000_000 * n, "10.0.0.1:5000", "10.0.0.2:6000", &payload);
    }
    builder.bytes()
}

#[test]
fn media_in_a_tcp_connection_are_found() {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    let mut sequence = 1;
    for n in 0..100_u16 {
        let datagram = rtp(n, &opus(n));
        let segment = [&(datagram.len() as u16).to_be_bytes()[..], &datagram].concat();
        let at_ns = 1_000_000_000 + 20_000_000 * u64::from(n);
        builder.tcp(0, at_ns, ("10.0.0.1:5000", "10.0.0.2:3478"), sequence, &segment);
        sequence += segment.len() as u32;
    }
    let audit = audit(builder.bytes());
    assert_eq!((audit.streams.len(), audit.streams[0].protection), (1, Protection::Plaintext));
    assert_eq!(audit.packets, BTreeMap::from([("other-tcp".to_owned(), 100)]), "each packet counts once");
    assert!(audit.findings[0].filter.contains("tcp.srcport == 5000"), "{}", audit.findings[0].filter);
}

#[rstest::rstest]
#[case::noise(|n: u32| [vec![0x80], noise(n, 80)].concat())]
#[case::numbers_of_its_own(|n: u32| [vec![0x80, 111], n.to_le_bytes().to_vec(), noise(n, 80)].concat())]
#[case::reports_that_do_not_end(|n: u32| [vec![0x80, 201, 0, 9], vec![7; 40], n.to_be_bytes().to_vec()].concat())]
fn what_only_begins_like_rtp_is_none(#[case] payload: fn(u32) -> Vec<u8>) {
    let audit = audit(datagrams((0..100).map(payload)));
    assert_eq!(audit.streams.len(), 0, "{:?}", audit.streams);
    assert_eq!(audit.packets, BTreeMap::from([("other-udp".to_owned(), 100)]));
}

trait Twice {
    fn tap_twice(self) -> Self;
}

impl Twice for Vec<u8> {
    /// Adds a packet with the sequence number of the last one and another payload.
    fn tap_twice(self) -> Self {
        let mut builder = CaptureBuilder::new(&["eth0"]);
        for n in 0..100_u16 {
            builder.udp(0, u64::from(n), "10.0.0.1:5000", "10.0.0.2:6000", &rtp(n, &noise(u32::from(n), 80)));
        }
        builder.udp(0, 200, "10.0.0.1:5000", "10.0.0.2:6000", &rtp(99, &noise(7_000, 80)));
        builder.bytes()
    }
}

#[test]
fn a_keystream_under_two_streams_is_broken() {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for n in 0..100_u16 {
        let keystream = noise(u32::from(n), 80);
        for (talk, source) in [(50_000, "10.0.0.1:5000"), (60_000, "10.0.0.3:5000")] {
            let said = [vec![0x78], noise(talk + u32::from(n), 79)].concat();
            let sealed: Vec<u8> = said.iter().zip(&keystream).map(|(a, b)| a ^ b).collect();
            builder.udp(0, 20_000_000 * u64::from(n), source, "10.0.0.2:6000", &rtp(n, &sealed));
        }
    }
    let audit = audit(builder.bytes());
    let words: Vec<_> = audit.streams.iter().map(|stream| stream.protection).collect();
    assert_eq!(words, [Protection::Broken, Protection::EncryptedUndetermined]);
    assert_eq!(audit.streams[0].findings, ["streams/keystream-is-used-once"]);
}
