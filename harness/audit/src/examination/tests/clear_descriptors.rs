//! Sealed media inside hops whose keys a middle party holds: frames without a seal among sealed ones, and descriptors of
//! video that stay readable for forwarders.

use std::io::{Cursor, Read};

use rstest::rstest;

use model::audit::Severity;

use super::super::*;
use crate::bench::seal::{Hop, Seal};
use crate::bench::{CaptureBuilder, noise};
use crate::key_file::KeyFile;

const HOP: Hop = Hop { key: [7; 16], salt: [9; 12] };
const PACKETS: u16 = 3;

/// The whole of one stream, audited with the hop's keys alone, or without any where there is no hop.
fn audited(packets: &[(u16, u32, bool, Vec<u8>)], hop: Option<&Hop>) -> Audit {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for (at, (sequence, timestamp, marker, payload)) in (1..).zip(packets) {
        let mut packet = vec![0x80, 98 | u8::from(*marker) << 7];
        packet.extend(sequence.to_be_bytes());
        packet.extend(timestamp.to_be_bytes());
        packet.extend([0xAB, 0, 0, 1]);
        let packet = hop.map_or_else(|| [&packet[..], payload].concat(), |hop| hop.seal(&packet, payload));
        builder.udp(0, 10_000_000 * at, "10.0.0.1:5000", "10.0.0.2:6000", &packet);
    }
    let bytes = builder.bytes();
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let input = Input { name: "made.pcapng".to_owned(), open: Box::new(open) };
    let line = format!("SRTP SRTP_AEAD_AES_128_GCM {}{}\n", hex::encode(HOP.key), hex::encode(HOP.salt));
    let keys = KeyFile::parse(&line, Owner::named("sfu").ok().as_ref());
    examine(&[input], if hop.is_some() { &keys.keys } else { &[] }, &Options::default(), &mut |_| {})
}

/// Under a base key that nobody guesses.
fn seal(key_id: u8) -> Seal {
    Seal { key_id, base_key: noise(90_000 + u32::from(key_id), 16).try_into().expect("16 bytes") }
}

/// Sealed by SFrame, left as it is, or sealed by something that nobody knows here.
#[derive(Clone, Copy, PartialEq)]
enum As {
    Sframe,
    Plain,
    Unknown,
}

#[derive(Clone, Copy)]
enum Video {
    Vp8,
    Vp9,
}

impl Video {
    /// What one encoder makes: the first byte, and what nobody can tell from noise.
    fn frame(self, n: u16) -> Vec<u8> {
        match self {
            Self::Vp8 if n == 0 => [&[0x10, 2, 0, 0x9D, 1, 0x2A][..], &noise(n.into(), 600)].concat(),
            Self::Vp8 => [vec![0x31 + (n % 7) as u8 * 32], noise(n.into(), 600)].concat(),
            Self::Vp9 => [vec![0x86], noise(n.into(), 600)].concat(),
        }
    }

    fn descriptor(self, n: u16, first: bool, last: bool) -> Vec<u8> {
        match self {
            Self::Vp8 => {
                let picture = (0x8000 | n).to_be_bytes();
                vec![0x80 | u8::from(first) << 4, 0x80, picture[0], picture[1]]
            }
            Self::Vp9 => {
                let picture = (0x8000 | n).to_be_bytes();
                let flags = 0x80 | u8::from(n > 0) << 6 | u8::from(first) << 3 | u8::from(last) << 2;
                vec![flags, picture[0], picture[1]]
            }
        }
    }

    /// So many frames of three packets each.
    fn packets(self, frames: u16, how: impl Fn(u16) -> As) -> Vec<(u16, u32, bool, Vec<u8>)> {
        let seal = seal(1);
        let one = |n: u16| {
            let frame = match how(n) {
                As::Sframe => seal.seal(n as u8, &self.frame(n)),
                As::Plain => self.frame(n),
                As::Unknown => noise(40_000 + u32::from(n), 600),
            };
            let size = frame.len().div_ceil(PACKETS.into());
            let pieces: Vec<Vec<u8>> = frame.chunks(size).map(<[u8]>::to_vec).collect();
            pieces.into_iter().zip(0..PACKETS).map(move |(piece, at)| {
                let (first, last) = (at == 0, at + 1 == PACKETS);
                let payload = [self.descriptor(n, first, last), piece].concat();
                (n * PACKETS + at, u32::from(n) * 3_000, last, payload)
            })
        };
        (0..frames).flat_map(one).collect()
    }
}

#[rstest]
#[case::sealed(|_| As::Sframe, Protection::EndToEndConsistent, "no structure of a codec")]
#[case::not_sealed(|_| As::Plain, Protection::TransportOnly, "and inside ")]
#[case::sealed_by_something(|_| As::Unknown, Protection::EncryptedUndetermined, "no frame layer is known by its headers")]
#[case::some_not_sealed(|n| if n % 4 == 3 { As::Plain } else { As::Sframe }, Protection::TransportOnly, "36 packets have no header of the frame layer")]
#[case::two_not_sealed(|n| if n % 25 == 24 { As::Plain } else { As::Sframe }, Protection::EncryptedUndetermined, "6 packets have no header of the frame layer")]
#[case::some_sealed_by_something(|n| if n % 4 == 3 { As::Unknown } else { As::Sframe }, Protection::EncryptedUndetermined, "36 packets have no header of the frame layer")]
fn video_inside_a_hop_is_judged_by_what_stands_behind_its_descriptors(
    #[values(Video::Vp8, Video::Vp9)] video: Video,
    #[case] how: fn(u16) -> As,
    #[case] protection: Protection,
    #[case] why: &str,
) {
    let audit = audited(&video.packets(50, how), Some(&HOP));
    let stream = &audit.streams[0];
    assert_eq!((audit.streams.len(), stream.protection), (1, protection), "{}", stream.why);
    assert!(stream.why.contains(why), "{}", stream.why);
}

#[rstest]
#[case::sealed(|_| As::Sframe, Protection::EndToEndConsistent)]
#[case::not_sealed(|_| As::Plain, Protection::Plaintext)]
#[case::sealed_by_something(|_| As::Unknown, Protection::EncryptedUndetermined)]
#[case::some_not_sealed(|n| if n % 4 == 3 { As::Plain } else { As::Sframe }, Protection::Broken)]
fn video_without_a_hop_is_judged_in_the_same_way(
    #[values(Video::Vp8, Video::Vp9)] video: Video,
    #[case] how: fn(u16) -> As,
    #[case] protection: Protection,
) {
    let audit = audited(&video.packets(50, how), None);
    assert_eq!(audit.streams[0].protection, protection, "{}", audit.streams[0].why);
}

/// Voice, one packet a frame; of each, its counter, its key id, and whether it is sealed.
fn voice(frames: impl Iterator<Item = (u16, u8, u8, bool)>) -> Vec<(u16, u32, bool, Vec<u8>)> {
    let one = |(n, key_id, counter, sealed)| {
        let frame = [vec![0x78], noise(u32::from(n), 90)].concat();
        let payload = if sealed { seal(key_id).seal(counter, &frame) } else { frame };
        (n, u32::from(n) * 960, false, payload)
    };
    frames.map(one).collect()
}

fn protection(packets: &[(u16, u32, bool, Vec<u8>)]) -> Protection {
    audited(packets, Some(&HOP)).streams[0].protection
}

#[rstest]
#[case::none(0, Protection::EndToEndConsistent, None)]
#[case::too_few_to_be_judged(5, Protection::EncryptedUndetermined, Some(Severity::Warning))]
#[case::enough(10, Protection::TransportOnly, Some(Severity::Failure))]
fn voice_without_a_seal_among_sealed_voice_is_found(
    #[case] unsealed: u16,
    #[case] protection: Protection,
    #[case] severity: Option<Severity>,
) {
    let sealed = |n: u16| n % 20 != 19 || n / 20 >= unsealed;
    let audit = audited(&voice((0..200).map(|n| (n, 1, n as u8, sealed(n)))), Some(&HOP));
    assert_eq!(audit.streams[0].protection, protection, "{}", audit.streams[0].why);
    let found: Vec<_> =
        audit.findings.iter().filter(|finding| finding.check == "streams/every-frame-is-sealed").collect();
    assert_eq!(found.first().map(|finding| finding.severity), severity);
    let packets: Vec<u64> = (0..unsealed).map(|n| u64::from(n) * 20 + 20).collect();
    assert_eq!(found.first().map(|finding| finding.packets.clone()).unwrap_or_default(), packets);
}

/// Of each packet its key id and counter.
#[rstest]
#[case::keys_change(|n| (n / 30 % 8, n % 30), Protection::EndToEndConsistent)]
#[case::many_are_lost_at_once(|n| (2, if n < 100 { n } else { n + 80 }), Protection::EndToEndConsistent)]
#[case::neighbours_change_places(|n| (2, if n % 6 == 3 { n + 1 } else if n % 6 == 4 { n - 1 } else { n }), Protection::EndToEndConsistent)]
#[case::counters_are_shared_with_another_stream(|n| (2, (u16::from(n) * 3 / 2) as u8), Protection::EndToEndConsistent)]
#[case::a_key_of_its_own_for_the_last_three(|n| (if n < 157 { 1 } else { 3 }, n), Protection::EncryptedUndetermined)]
fn sealed_voice_stays_sealed(#[case] header: fn(u8) -> (u8, u8), #[case] expected: Protection) {
    let packets = voice((0..160_u8).map(|n| (u16::from(n), header(n).0, header(n).1, true)));
    assert_eq!(protection(&packets), expected);
}
