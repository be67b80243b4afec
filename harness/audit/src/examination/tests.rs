//! Captures made packet by packet, from the question to the answer.

mod clear_descriptors;
mod keys_again;

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

fn long_header(n: u32) -> Vec<u8> {
    [vec![0xC0, 0, 0, 0, 1, 8], noise(n, 1_190)].concat()
}

fn short_header(n: u32, length: usize) -> Vec<u8> {
    [vec![0x40 | noise(n, 1)[0] & 0x3F], noise(n, length - 1)].concat()
}

#[rstest::rstest]
#[case::behind_a_long_one(|n| if n == 0 { long_header(n) } else { short_header(n, 60) }, "quic", 100)]
#[case::without_a_long_one(|n| short_header(n, 60), "other-udp", 100)]
#[case::before_a_long_one(|n| if n == 99 { long_header(n) } else { short_header(n, 60) }, "quic", 1)]
#[case::too_short(|n| if n == 0 { long_header(n) } else { short_header(n, 20) }, "quic", 1)]
#[case::no_fixed_bit(|n| if n == 0 { long_header(n) } else { [vec![5], noise(n, 60)].concat() }, "quic", 1)]
#[case::a_version_that_nobody_speaks(|n| if n == 0 { [vec![0xC0, 9, 9, 9, 9, 8], noise(n, 60)].concat() } else { short_header(n, 60) }, "other-udp", 100)]
fn short_headers_of_quic_are_told_by_a_long_one(
    #[case] payload: fn(u32) -> Vec<u8>,
    #[case] class: &str,
    #[case] packets: u64,
) {
    let audit = audit(datagrams((0..100).map(payload)));
    assert_eq!((audit.packets.get(class), audit.streams.len()), (Some(&packets), 0), "{:?}", audit.packets);
    assert_eq!(audit.packets.values().sum::<u64>(), 100);
}

#[test]
fn a_long_header_tells_nothing_of_other_ends() {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    builder.udp(0, 1, "10.0.0.1:5000", "10.0.0.2:6000", &long_header(0));
    builder.udp(0, 2, "10.0.0.1:5001", "10.0.0.2:6000", &short_header(1, 60));
    builder.udp(0, 3, "10.0.0.2:6000", "10.0.0.1:5000", &short_header(2, 60));
    assert_eq!(
        audit(builder.bytes()).packets,
        BTreeMap::from([("quic".to_owned(), 2), ("other-udp".to_owned(), 1)])
    );
}

/// A report and a source description, as every end sends them from time to time (RFC 3550 §6.1).
fn reports(name: &[u8; 4]) -> Vec<u8> {
    [&[0x80, 200, 0, 6][..], &[9; 24], &[0x81, 202, 0, 3, 0xAB, 0, 0, 1, 1, 4], name, &[0, 0]].concat()
}

#[rstest::rstest]
#[case::clear_beside_protected(|n| noise(n, 80), true)]
#[case::clear_beside_clear(|n| opus(n as u16), false)]
fn reports_in_the_clear_are_named_beside_protected_media(
    #[case] payload: fn(u32) -> Vec<u8>,
    #[case] told: bool,
) {
    let media = (0..100).map(|n| rtp(n as u16, &payload(n)));
    let audit = audit(datagrams(media.chain([reports(b"anna"), reports(b"bert"), reports(b"anna")])));
    let texts = |check: &str| -> Vec<String> {
        audit.findings.iter().filter(|one| one.check == check).map(|one| one.text.clone()).collect()
    };
    let rtcp = texts("metadata/rtcp-in-the-clear");
    assert_eq!(rtcp.iter().any(|text| text.ends_with("in 3 packets (SR 3, SDES 3)")), told, "{rtcp:?}");
    assert_eq!(rtcp.len(), usize::from(told));
    assert_eq!(
        texts("metadata/stable-identifiers"),
        ["3 packets carry RTCP CNAME in the clear, with 2 different values; the commonest stands in 2"]
    );
}

/// A description with a key of SDES, media under another one, and a capture that can be opened once.
fn opened_once(again: io::ErrorKind, given: &[Key]) -> Audit {
    let described =
        b"INVITE sip:bob@b.example SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5004 RTP/SAVP 111\r\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
    let media = (0..100).map(|n| rtp(n as u16, &noise(n, 80)));
    let bytes = datagrams(std::iter::once(described.to_vec()).chain(media));
    let opened = std::cell::Cell::new(false);
    let open = move || {
        if opened.replace(true) {
            return Err(io::Error::new(again, "it flowed by"));
        }
        Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>)
    };
    let input = Input { name: "-".to_owned(), open: Box::new(open) };
    examine(&[input], given, &Options::default(), &mut |_| {})
}

#[test]
fn what_flowed_by_is_judged_without_the_keys_that_stood_in_it() {
    let audit = opened_once(io::ErrorKind::FileTooLarge, &[]);
    assert_eq!((audit.streams.len(), audit.captures[0].packets), (1, 101));
    assert_eq!(audit.streams[0].protection, Protection::EncryptedUndetermined);
    let told = audit
        .not_concluded
        .iter()
        .filter(|open| open.text.starts_with("-: 1 key that stands in it was not tried"));
    assert_eq!(told.count(), 1, "{:?}", audit.not_concluded);
}

#[test]
fn what_cannot_be_read_again_for_any_other_reason_is_not_judged() {
    let audit = opened_once(io::ErrorKind::NotFound, &[]);
    assert_eq!((audit.streams.len(), audit.captures[0].packets), (0, 0));
    assert!(audit.captures[0].problems[0].text.contains("it flowed by"), "{:?}", audit.captures[0].problems);
}

#[test]
fn keys_that_were_given_are_tried_or_nothing_is_judged() {
    let line = format!("SRTP SRTP_AEAD_AES_128_GCM {}\n", "07".repeat(28));
    let given = crate::key_file::KeyFile::parse(&line, Owner::named("sfu").ok().as_ref()).keys;
    assert_eq!(given.len(), 1);
    assert_eq!(opened_once(io::ErrorKind::FileTooLarge, &given).streams.len(), 0);
}
