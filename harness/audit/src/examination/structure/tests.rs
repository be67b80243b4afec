//! Noise, noise with structure in it, and tags.

use sha2::{Digest, Sha256};

use super::*;
use crate::examination::payloads::Payloads;
use crate::examination::sample::Look;

/// Bytes that nobody can tell from random ones.
fn noise(stream: u32, packet: u32, length: usize) -> Vec<u8> {
    let block = |n: u32| {
        Sha256::digest([stream.to_be_bytes(), packet.to_be_bytes(), n.to_be_bytes()].concat()).to_vec()
    };
    (0..).flat_map(block).take(length).collect()
}

fn looked(packets: u32, payload: impl Fn(u32) -> Vec<u8>) -> Found {
    let mut payloads = Payloads::default();
    for n in 0..packets {
        payloads.take(&Look {
            number: u64::from(n) + 1,
            payload_type: 111,
            timestamp: 960 * n,
            sequence: n as u16,
            marker: false,
            extension: 0,
            payload: &payload(n),
            tagged: true,
        });
    }
    payloads.finish().whole
}

#[test]
fn random_bytes_have_no_structure() {
    let structured = (0..400).filter(|stream| looked(40, |n| noise(*stream, n, 76)).is_structured());
    assert_eq!(structured.count(), 0);
}

#[test]
fn a_constant_first_byte_is_found_in_eight_packets() {
    let opus = |n| {
        let mut payload = noise(1, n, 76);
        payload[0] = 0x78;
        payload
    };
    assert!(!looked(7, opus).is_structured());
    let found = looked(8, opus);
    assert!(found.is_structured());
    assert_eq!(found.where_structured, [(1, 8)]);
}

#[test]
fn a_tag_at_the_end_hides_nothing_and_counts_for_nothing() {
    let zero_tag = |n| {
        let mut payload = noise(2, n, 46);
        payload[30..].fill(0);
        payload
    };
    assert!(!looked(128, zero_tag).is_structured());
}

#[test]
fn an_uneven_histogram_is_found_without_any_column() {
    let low = |n: u32| noise(3, n, 176).into_iter().map(|byte| byte / 2).collect();
    let found = looked(64, low);
    assert!(matches!(found.least, Some(Least { sign: Sign::Pooled { .. }, .. })), "{:?}", found.least);
    assert!(found.is_structured());
}

#[test]
fn structure_amid_noise_is_found_and_has_its_place() {
    let middle = |n: u32| if (256..320).contains(&n) { vec![7; 76] } else { noise(4, n, 76) };
    let found = looked(1_000, middle);
    assert!(found.is_structured());
    assert_eq!((found.structured, found.where_structured), (1, vec![(257, 320)]));
}
