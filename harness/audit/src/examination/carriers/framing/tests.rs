//! Connections that are cut anywhere, out of order, with gaps, and none that carries datagrams at all.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::bench::{CaptureBuilder, noise};
use crate::capture::Capture;

/// A segment: sequence number and bytes; an empty one is a SYN.
type Segment = (u32, Vec<u8>);

fn taken(segments: &[Segment]) -> (Vec<Vec<u8>>, u64) {
    let (packets, frames, _) = taken_in(segments);
    (packets.into_iter().map(|(_, bytes)| bytes).collect(), frames)
}

/// The datagrams with the packets that brought them, bytes that could not be read, and the most that was ever kept.
fn taken_in(segments: &[Segment]) -> (Vec<(u64, Vec<u8>)>, u64, usize) {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for (at, (sequence, bytes)) in (1..).zip(segments) {
        builder.tcp(0, at, ("10.0.0.1:5000", "10.0.0.2:3478"), *sequence, bytes);
    }
    let capture = Capture::read(builder.bytes());
    let (mut frames, mut found, mut most) = (Frames::default(), Vec::new(), 0);
    let mut each = |packet: &Packet, bytes: &[u8]| found.push((packet.number, bytes.to_vec()));
    for packet in &capture.packets {
        frames.segment(packet, capture.payload(packet), &mut each);
        most = most.max(frames.held());
    }
    frames.finish(&mut each);
    assert_eq!(frames.held(), 0);
    (found, frames.unread(), most)
}

fn rtp(n: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 111];
    packet.extend(n.to_be_bytes());
    packet.extend((u32::from(n) * 960).to_be_bytes());
    packet.extend([0xAB, 0, 0, 1]);
    packet.extend(noise(u32::from(n), 40 + usize::from(n % 50)));
    packet
}

fn framed(n: u16) -> Vec<u8> {
    let packet = rtp(n);
    [&(packet.len() as u16).to_be_bytes()[..], &packet].concat()
}

fn channel(n: u16) -> Vec<u8> {
    let packet = rtp(n);
    let mut message = [&[0x40, 1][..], &(packet.len() as u16).to_be_bytes(), &packet].concat();
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// A segment each.
fn segments(messages: impl Iterator<Item = Vec<u8>>) -> Vec<Segment> {
    messages
        .scan(1_000_u32, |sequence, message| {
            let at = *sequence;
            *sequence = at.wrapping_add(message.len() as u32);
            Some((at, message))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Wherever a stream is cut, wherever its numbers begin, and whatever comes twice.
    #[test]
    fn datagrams_do_not_depend_on_the_segments(
        cuts in proptest::collection::vec(1_usize..400, 1..40),
        first: u32,
        of_turn: bool,
        twice in 0_usize..20,
    ) {
        let stream: Vec<u8> = (0..40).flat_map(if of_turn { channel } else { framed }).collect();
        let (mut all, mut at, mut cuts) = (vec![(first.wrapping_sub(1), Vec::new())], 0, cuts.into_iter().cycle());
        while at < stream.len() {
            let end = (at + cuts.next().expect("for ever")).min(stream.len());
            all.push((first.wrapping_add(at as u32), stream[at..end].to_vec()));
            at = end;
        }
        all.insert(2.min(all.len()), all[1].clone());
        // The first segment says how datagrams are framed; behind it two neighbours change places.
        let later = all.len().saturating_sub(1 + twice % 10);
        if later > 3 {
            all.swap(later, later - 1);
        }
        let (found, unread) = taken(&all);
        let wanted: Vec<Vec<u8>> =
            (0..40).map(|n| if of_turn { channel(n)[..4 + rtp(n).len()].to_vec() } else { rtp(n) }).collect();
        prop_assert_eq!((found, unread), (wanted, 0));
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_comes(
        parts in proptest::collection::vec((0_u32..3_000, proptest::collection::vec(any::<u8>(), 1..60)), 1..80),
    ) {
        let start = segments((0..20).map(framed));
        let end = start.last().map_or(0, |(at, bytes)| at + bytes.len() as u32);
        let rest = parts.into_iter().map(|(ahead, bytes)| (end + ahead, bytes));
        let (found, _, most) = taken_in(&start.into_iter().chain(rest).collect::<Vec<_>>());
        prop_assert!(found.len() >= 20 && most < 1 << 17, "{}", most);
    }
}

#[test]
fn a_datagram_is_that_of_the_packet_that_brings_its_end() {
    let stream: Vec<u8> = (0..3).flat_map(framed).collect();
    let (first, cut) = (framed(0).len(), framed(0).len() + 20);
    let parts = [(0, 0..first), (first, first..cut), (cut, cut..stream.len())];
    let all: Vec<Segment> =
        parts.into_iter().map(|(at, part)| (1_000 + at as u32, stream[part].to_vec())).collect();
    let (found, unread, _) = taken_in(&all);
    let numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
    assert_eq!((numbers, unread), (vec![1, 3, 3], 0));
}

/// Of 80 segments some are missing; the rest is found again behind the gap, and nothing is made up.
#[rstest]
#[case::one(|n| n == 40, 1)]
#[case::a_run(|n| (30..50).contains(&n), 20)]
#[case::two_gaps(|n| n == 20 || n == 60, 2)]
#[case::the_last_but_two(|n| n == 77, 1)]
fn behind_a_gap_the_next_frame_is_found(
    #[values(framed, channel)] frame: fn(u16) -> Vec<u8>,
    #[case] lost: fn(u16) -> bool,
    #[case] missing: usize,
) {
    let all = segments((0..80).map(frame));
    let there: Vec<Segment> = (0..).zip(all.clone()).filter(|(n, _)| !lost(*n)).map(|(_, one)| one).collect();
    let bytes: usize = (0..).zip(&all).filter(|(n, _)| lost(*n)).map(|(_, (_, bytes))| bytes.len()).sum();
    let (found, unread) = taken(&there);
    assert_eq!((found.len(), unread), (80 - missing, bytes as u64));
}

/// A frame is cut over two segments, and one half is lost: the other is no datagram.
#[rstest]
#[case::its_start(41)]
#[case::its_end(42)]
fn half_a_frame_is_none(#[case] lost: usize) {
    let whole = framed(40);
    let (first, second) = whole.split_at(20);
    let frames = (0..40).map(framed).chain([first.to_vec(), second.to_vec()]).chain((41..80).map(framed));
    let mut all = segments(frames);
    all.remove(lost - 1);
    let (found, unread) = taken(&all);
    assert_eq!(found, (0..80).filter(|n| *n != 40).map(rtp).collect::<Vec<_>>());
    assert_eq!(unread, whole.len() as u64);
}

#[test]
fn a_connection_that_was_begun_before_is_read_from_the_next_frame() {
    let mut all = segments((0..20).map(framed));
    all[0].1.drain(..7);
    all[0].0 += 7;
    assert_eq!(taken(&all).0.len(), 19);
}

#[test]
fn another_connection_of_the_same_ends_begins_anew() {
    let one = segments((0..20).map(framed));
    let two = one.iter().map(|(at, bytes)| (at.wrapping_add(0x8000_0000), bytes.clone()));
    let syn = [(0x8000_0000 + 999, Vec::new())];
    assert_eq!(
        taken(&one.iter().cloned().chain(syn).chain(two.clone()).collect::<Vec<_>>()),
        ((0..20).chain(0..20).map(rtp).collect(), 0)
    );
    let without_its_start: Vec<Segment> = one.iter().cloned().chain(two).collect();
    assert_eq!(taken(&without_its_start).0.len(), 40, "the SYN was not recorded");
}

#[rstest]
#[case::text(|_| b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n".to_vec())]
#[case::noise(|n| noise(u32::from(n), 1_400))]
#[case::tls(|n| [vec![23, 3, 3, 0, 200], noise(u32::from(n), 200)].concat())]
#[case::zeros(|_| vec![0; 600])]
#[case::lengths_of_nothing(|_| vec![0, 0])]
#[case::one_that_never_ends(|n| if n == 0 { vec![0x07, 0xFF, 0x80, 111] } else { vec![0xFF; 3] })]
fn what_carries_no_datagrams_gives_none_and_misses_none(#[case] segment: fn(u16) -> Vec<u8>) {
    let (found, unread, most) = taken_in(&segments((0..200).map(segment)));
    assert_eq!((found.len(), unread), (0, 0));
    assert!(most <= 2 * LONGEST, "{most}");
}

/// Two bytes of padding come one by one.
#[test]
fn padding_may_be_cut_as_well() {
    let frames: Vec<Vec<u8>> = (0..20).map(channel).collect();
    let padded =
        frames.iter().position(|frame| frame.ends_with(&[0, 0])).expect("one with two bytes of padding");
    let all = segments(frames.into_iter().enumerate().flat_map(|(n, frame)| {
        let end = frame.len() - if n == padded { 2 } else { 0 };
        let (frame, padding) = frame.split_at(end);
        std::iter::once(frame.to_vec()).chain(padding.iter().map(|byte| vec![*byte])).collect::<Vec<_>>()
    }));
    let (found, unread) = taken(&all);
    assert_eq!((found.len(), unread), (20, 0));
}
