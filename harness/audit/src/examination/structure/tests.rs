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

/// Packets of 160 bytes, which may be voice: random ones are told apart as rarely as the figure says.
#[test]
fn random_bytes_of_the_length_of_voice_are_no_voice() {
    let least: Vec<f64> =
        (0..2_000).map(|stream| looked(8, |n| noise(1_000_000 + stream, n, 160)).probability()).collect();
    assert!(least.iter().filter(|p| **p < 0.01).count() <= 40, "{least:?}");
    assert!(least.iter().all(|p| *p > 1e-6));
}

#[test]
fn eight_packets_of_a_tone_are_structured_and_seven_are_too_few() {
    // Sign and segment change slowly, the rest is as good as random.
    let tone = |n: u32| -> Vec<u8> {
        let upper = (0..160).map(|at| (((at / 8 + n) % 16) << 4) as u8);
        upper.zip(noise(7, n, 160)).map(|(upper, any)| upper | any & 0x0F).collect()
    };
    let found = looked(8, tone);
    assert!(found.is_structured());
    assert!(matches!(found.least, Some(Least { sign: Sign::Neighbours { .. }, .. })), "{:?}", found.least);
    assert!(!looked(7, tone).is_structured());
}
