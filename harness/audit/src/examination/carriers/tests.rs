//! Both readings of media in TCP connections, and what is told of parts that are missing.

use std::io::{Cursor, Read};

use rstest::rstest;

use model::audit::{Audit, Protection};

use crate::bench::seal::Hop;
use crate::bench::{CaptureBuilder, noise};
use crate::examination::{Input, Options, examine};
use crate::key_file::{KeyFile, Owner};

const HOP: Hop = Hop { key: [7; 16], salt: [9; 12] };

/// A call of a hundred packets over TCP, in segments of so many bytes, of which some are lost.
fn audited(size: usize, lost: impl Fn(usize) -> bool) -> Audit {
    let stream: Vec<u8> = (0..100_u16)
        .flat_map(|n| {
            let mut header = vec![0x80, 111];
            header.extend(n.to_be_bytes());
            header.extend((u32::from(n) * 960).to_be_bytes());
            header.extend([0xAB, 0, 0, 1]);
            let packet = HOP.seal(&header, &[vec![0x78], noise(n.into(), 70)].concat());
            [&(packet.len() as u16).to_be_bytes()[..], &packet].concat()
        })
        .collect();
    let mut builder = CaptureBuilder::new(&["eth0"]);
    let mut sequence = 1;
    for (n, segment) in stream.chunks(size).enumerate() {
        if !lost(n) {
            let at_ns = 1_000_000_000 + 20_000_000 * n as u64;
            builder.tcp(0, at_ns, ("10.0.0.1:5000", "10.0.0.2:3478"), sequence, segment);
        }
        sequence += segment.len() as u32;
    }
    let bytes = builder.bytes();
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let line = format!("SRTP SRTP_AEAD_AES_128_GCM {}{}\n", hex::encode(HOP.key), hex::encode(HOP.salt));
    let keys = KeyFile::parse(&line, Owner::named("sfu").ok().as_ref());
    examine(
        &[Input { name: "made".to_owned(), open: Box::new(open) }],
        &keys.keys,
        &Options::default(),
        &mut |_| {},
    )
}

#[rstest]
fn media_across_segments_are_found_and_opened(#[values(30, 101, 1_000, 7_000)] size: usize) {
    let audit = audited(size, |_| false);
    let stream = &audit.streams[0];
    assert_eq!((audit.streams.len(), stream.packets, stream.opened[0].packets), (1, 100, 100));
    assert_eq!(stream.protection, Protection::TransportOnly, "{}", stream.why);
    assert!(!audit.not_concluded.iter().any(|open| open.text.contains("could not be read")));
    assert!(!stream.timeline.is_empty(), "both readings agree on its packets");
}

#[test]
fn what_a_gap_took_away_is_told() {
    let audit = audited(150, |n| n == 30);
    let stream = &audit.streams[0];
    assert_eq!((stream.packets, stream.opened[0].packets), (97, 97), "three are cut by the gap");
    let told = audit
        .not_concluded
        .iter()
        .filter(|open| open.text.contains("bytes of TCP connections that carry media"));
    assert_eq!(told.count(), 1, "{:?}", audit.not_concluded);
}
