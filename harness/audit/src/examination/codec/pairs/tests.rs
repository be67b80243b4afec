//! Streams of codecs that are known by how packets follow each other, and streams that are none.

use rstest::rstest;

use super::super::{Codec, Codecs};
use super::*;
use crate::bench::noise;
use crate::examination::sample::Look;

/// A packet: its frame, whether it is the last one of it, and its payload.
type Sent = (u32, bool, Vec<u8>);

fn samples(packets: impl IntoIterator<Item = Sent>) -> Vec<Sample> {
    let sample = |(sequence, (frame, marker, payload)): (u16, Sent)| {
        Sample::of(&Look {
            number: u64::from(sequence),
            payload_type: 98,
            timestamp: 3_000 * frame,
            sequence,
            marker,
            extension: 0,
            payload: &payload,
            tagged: false,
        })
    };
    (0..).zip(packets).map(sample).collect()
}

fn codec(samples: &[Sample]) -> Option<Codec> {
    Codecs::of(&samples.iter().map(|sample| (sample, ())).collect::<Vec<_>>())
        .filter(|(_, chance)| *chance < 1e-9)
        .map(|(codec, _)| codec)
}

/// Frames of three packets; `pack` is given frame, piece and the bytes of the piece.
fn frames(pack: impl Fn(u32, u32, Vec<u8>) -> Vec<u8>) -> Vec<Sample> {
    samples((0..60).map(|n| (n / 3, n % 3 == 2, pack(n / 3, n % 3, noise(n, 60)))))
}

/// VP9 in non-flexible mode, with or without a picture id of 15 bits.
fn vp9_of(frame: u32, piece: u32, mut body: Vec<u8>, with_id: bool) -> Vec<u8> {
    let mut first = 0x40 | if with_id { 0x80 } else { 0 };
    if piece == 0 {
        first |= 0x08;
        body[0] = 0x80 | body[0] & 0x3F;
    }
    if piece == 2 {
        first |= 0x04;
    }
    let id = (0x8000 | ((frame + 0x7FF8) & 0x7FFF) as u16).to_be_bytes();
    [vec![first], if with_id { id.to_vec() } else { Vec::new() }, body].concat()
}

/// AV1: a frame that fills three packets.
fn av1_of(piece: u32, mut body: Vec<u8>) -> Vec<u8> {
    if piece == 0 {
        body[0] = 0x30;
    }
    let first = [0x50, 0xD0, 0x90][piece as usize];
    [vec![first], body].concat()
}

fn red_of(n: u32) -> Vec<u8> {
    let block = (3_000_u32 << 10 | 40).to_be_bytes();
    [vec![0xEF], block[1..].to_vec(), vec![0x6F], noise(n, 40), noise(n + 1, 50)].concat()
}

#[test]
fn codecs_are_known_by_how_their_packets_follow_each_other() {
    assert_eq!(codec(&frames(|frame, piece, body| vp9_of(frame, piece, body, true))), Some(Codec::Vp9));
    assert_eq!(codec(&frames(|frame, piece, body| vp9_of(frame, piece, body, false))), Some(Codec::Vp9));
    assert_eq!(codec(&frames(|_, piece, body| av1_of(piece, body))), Some(Codec::Av1));
    assert_eq!(codec(&samples((0..30).map(|n| (n, false, red_of(n))))), Some(Codec::Red));
}

#[rstest]
#[case::random_bytes(|n| noise(n, 60))]
#[case::sframe(|n| [vec![0x19, (n >> 8) as u8, n as u8], noise(n, 60)].concat())]
#[case::one_first_byte_that_no_codec_has(|n| [vec![0x61], noise(n, 60)].concat())]
#[case::one_first_byte_like_a_middle_piece_of_vp9(|n| [vec![0x60], noise(n, 60)].concat())]
#[case::one_first_byte_like_a_middle_piece_of_av1(|n| [vec![0xD0], noise(n, 60)].concat())]
#[case::whole_frames_of_vp9_without_marker(|n| [vec![0x0C, 0x40], noise(n, 60)].concat())]
#[case::a_block_of_no_age(|n| { let mut red = red_of(n); red[1] ^= 1; red })]
#[case::a_block_of_another_type_each_time(|n| { let mut red = red_of(n); red[0] = 0x80 | n as u8; red })]
#[case::a_primary_of_another_type_each_time(|n| { let mut red = red_of(n); red[4] = n as u8; red })]
#[case::a_primary_alone(|n| [vec![0x6F], noise(n, 60)].concat())]
fn what_follows_otherwise_is_none_of_them(#[case] payload: fn(u32) -> Vec<u8>) {
    let found = codec(&samples((0..64).map(|n| (n, n % 3 == 2, payload(n)))));
    assert!(!matches!(found, Some(Codec::Vp9 | Codec::Av1 | Codec::Red)), "{found:?}");
}

#[rstest]
#[case::picture_ids_that_jump(|frame, piece, body| vp9_of(frame * 9, piece, body, true))]
#[case::starts_in_the_middle(|frame, piece, body| vp9_of(frame, 2 - piece, body, true))]
#[case::sealed_behind_the_descriptor(|frame, piece, body| {
    let mut sealed = vp9_of(frame, piece, body, true);
    sealed[3] = frame as u8;
    sealed
})]
#[case::elements_of_av1_that_do_not_go_on(|_, piece, body| av1_of(2 - piece, body))]
fn frames_that_contradict_themselves_are_none(#[case] pack: fn(u32, u32, Vec<u8>) -> Vec<u8>) {
    assert_eq!(codec(&frames(pack)), None);
}

/// Every stream of random bytes is a chance to fit: none of a thousand does.
#[test]
fn random_streams_fit_nothing() {
    for stream in 0..1_000 {
        let packets = samples((0..16).map(|n| (n / 3, n % 3 == 2, noise(1_000_000 + 16 * stream + n, 50))));
        assert_eq!(codec(&packets), None, "stream {stream}");
    }
}
