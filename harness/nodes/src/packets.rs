//! Frames into RTP payloads and back (design, section 1.7): Opus and SFrame audio one to one, video cut behind a
//! descriptor of one byte, and put together from behind any (RFC 7741 §4.2).

use bytes::Bytes;
use model::Kind;

/// Longest RTP payload of a video packet, descriptor included.
const PAYLOAD_BYTES: usize = 1_100;
/// Longest frame that a receiver puts together.
const FRAME_BYTES: usize = 1 << 20;
/// S bit of the payload descriptor: the packet starts a partition.
const START: u8 = 0x10;
/// S bit and index of the partition: where both say so, the packet starts a frame.
const START_OF_FRAME: u8 = START | 0x07;

/// RTP clock of a kind, in ticks per second (RFC 7587 §4.1, RFC 7741 §5.1).
pub const fn clock_rate(kind: Kind) -> u32 {
    match kind {
        Kind::Audio => 48_000,
        Kind::Video | Kind::Screen => 90_000,
    }
}

/// The payloads of one frame, and whether each has the marker bit.
pub fn payloads(kind: Kind, frame: &[u8]) -> Vec<(Bytes, bool)> {
    if kind == Kind::Audio {
        return vec![(Bytes::copy_from_slice(frame), false)];
    }
    let pieces: Vec<&[u8]> = frame.chunks(PAYLOAD_BYTES - 1).collect();
    let last = pieces.len().saturating_sub(1);
    let cut = |(at, piece): (usize, &&[u8])| {
        let mut payload = vec![if at == 0 { START } else { 0 }];
        payload.extend(*piece);
        (Bytes::from(payload), at == last)
    };
    pieces.iter().enumerate().map(cut).collect()
}

/// Whether a frame starts, and what stands behind the descriptor (RFC 7741 §4.2); none where the descriptor is cut.
fn behind_descriptor(payload: &[u8]) -> Option<(bool, &[u8])> {
    let (first, mut rest) = payload.split_first()?;
    if first & 0x80 != 0 {
        let (extension, more) = rest.split_first()?;
        let long_picture = extension & 0x80 != 0 && more.first()? & 0x80 != 0;
        let layers = u8::from(extension & 0x40 != 0) + u8::from(extension & 0x30 != 0);
        let length = u8::from(extension & 0x80 != 0) + u8::from(long_picture) + layers;
        rest = more.get(usize::from(length)..)?;
    }
    Some((first & START_OF_FRAME == START, rest))
}

/// Puts the frames of one stream together again; it neither orders nor repairs.
#[derive(Debug, Default)]
pub struct Assembler {
    timestamp: u32,
    next: Option<u16>,
    frame: Vec<u8>,
}

impl Assembler {
    /// Takes one packet and gives the frame that it completes.
    pub fn take(
        &mut self,
        kind: Kind,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        if kind == Kind::Audio {
            return (!payload.is_empty()).then(|| payload.to_vec());
        }
        let (starts, piece) = behind_descriptor(payload)?;
        if starts {
            self.frame.clear();
            self.timestamp = timestamp;
        } else if self.next != Some(sequence) || self.timestamp != timestamp {
            self.next = None;
            return None;
        }
        self.next = Some(sequence.wrapping_add(1));
        self.frame.extend_from_slice(piece);
        if self.frame.len() > FRAME_BYTES {
            self.next = None;
            return None;
        }
        marker.then(|| std::mem::take(&mut self.frame))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_video_frame_comes_back_whole(frame in proptest::collection::vec(any::<u8>(), 1..5_000)) {
            let mut assembler = Assembler::default();
            let payloads = payloads(Kind::Video, &frame);
            prop_assert!(payloads.iter().all(|(payload, _)| payload.len() <= PAYLOAD_BYTES));
            let mut frames = Vec::new();
            for (at, (payload, marker)) in payloads.iter().enumerate() {
                let sequence = 65_534_u16.wrapping_add(at as u16);
                frames.extend(assembler.take(Kind::Video, sequence, 7, *marker, payload));
            }
            prop_assert_eq!(frames, vec![frame]);
        }

        #[test]
        fn a_frame_with_a_hole_does_not_come_back(lost in 0_usize..4) {
            let mut assembler = Assembler::default();
            let payloads = payloads(Kind::Screen, &[5; 4_000]);
            for (at, (payload, marker)) in payloads.iter().enumerate().filter(|(at, _)| *at != lost) {
                prop_assert_eq!(assembler.take(Kind::Screen, at as u16, 7, *marker, payload), None);
            }
        }
    }

    #[rstest::rstest]
    #[case::one_byte(&[0x10, 7], Some((true, 1)))]
    #[case::goes_on(&[0x00, 7], Some((false, 1)))]
    #[case::second_partition(&[0x11, 7], Some((false, 1)))]
    #[case::droppable(&[0x30, 7], Some((true, 1)))]
    #[case::nothing_more(&[0x90, 0x00, 7], Some((true, 1)))]
    #[case::short_picture(&[0x90, 0x80, 0x11, 7], Some((true, 1)))]
    #[case::long_picture(&[0x90, 0x80, 0x91, 0x11, 7, 8], Some((true, 2)))]
    #[case::all_of_it(&[0x90, 0xf0, 0x91, 0x11, 1, 2, 7], Some((true, 1)))]
    #[case::key_index(&[0x80, 0x10, 2, 7], Some((false, 1)))]
    #[case::cut_in_the_extension(&[0x90], None)]
    #[case::cut_in_the_picture(&[0x90, 0x80], None)]
    #[case::cut_in_the_long_picture(&[0x90, 0x80, 0x91], None)]
    #[case::cut_in_the_layers(&[0x90, 0xe0, 0x11, 1], None)]
    fn a_descriptor_of_any_length_is_read(#[case] payload: &[u8], #[case] expected: Option<(bool, usize)>) {
        let read = behind_descriptor(payload).map(|(starts, rest)| (starts, rest.len()));
        assert_eq!(read, expected);
    }

    #[test]
    fn an_empty_payload_is_no_frame() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.take(Kind::Audio, 0, 0, false, &[]), None);
        assert_eq!(assembler.take(Kind::Video, 0, 0, true, &[]), None);
        assert_eq!(assembler.take(Kind::Audio, 0, 0, false, &[1]), Some(vec![1]));
    }
}
