//! What a device sends: frames of committed clips, every tenth one with a canary (design, section 1.7).

use std::sync::LazyLock;

use model::{Kind, Role};

use crate::agreement::canary;

/// Frames 0, 10, 20, … carry a marker.
const CANARY_EVERY: u32 = 10;

static AUDIO: LazyLock<Vec<&[u8]>> = LazyLock::new(|| frames(include_bytes!("../clips/audio.frames")));
static VIDEO: LazyLock<Vec<&[u8]>> = LazyLock::new(|| frames(include_bytes!("../clips/video.frames")));

fn frames(mut clip: &'static [u8]) -> Vec<&'static [u8]> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = clip.split_first_chunk::<2>() {
        let (frame, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        frames.push(frame);
        clip = rest;
    }
    frames
}

/// Frame `n` of a sender and a kind in a call.
pub fn frame(call_id: &[u8; 16], sender: Role, kind: Kind, n: u32) -> Vec<u8> {
    let clip: &[&[u8]] = if kind == Kind::Audio { &AUDIO } else { &VIDEO };
    let frame = clip[n as usize % clip.len()];
    if !n.is_multiple_of(CANARY_EVERY) {
        return frame.to_vec();
    }
    let marker = canary(call_id, sender, kind, n);
    if kind == Kind::Audio { padded(frame, &marker) } else { [frame, &marker].concat() }
}

/// A packet of one Opus frame as a code 3 packet with one frame and padding (RFC 6716 §3.2.5).
fn padded(packet: &[u8], padding: &[u8; 32]) -> Vec<u8> {
    let (toc, frame) = packet.split_first().expect("the clips have no empty frame");
    let mut padded = vec![toc | 3, 0x40 | 1, 32];
    padded.extend(frame);
    padded.extend(padding);
    padded
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_clips_hold_frames_that_differ() {
        for clip in [&AUDIO, &VIDEO] {
            assert!(clip.len() >= 100);
            assert_eq!(clip.iter().collect::<HashSet<_>>().len(), clip.len());
        }
        assert!(AUDIO.iter().all(|packet| packet[0] & 3 == 0), "each Opus packet holds one frame");
    }

    #[test]
    fn every_tenth_frame_ends_in_its_marker() {
        let id = [4; 16];
        for kind in Kind::ALL {
            for n in 0..25 {
                let marker = canary(&id, Role::Callee, *kind, n);
                let marked = frame(&id, Role::Callee, *kind, n).ends_with(&marker);
                assert_eq!(marked, n % 10 == 0, "{kind} {n}");
            }
        }
        assert_ne!(frame(&id, Role::Caller, Kind::Audio, 0), frame(&id, Role::Callee, Kind::Audio, 0));
        assert_eq!(frame(&id, Role::Caller, Kind::Audio, 0)[..3], [AUDIO[0][0] | 3, 0x41, 32]);
    }
}
