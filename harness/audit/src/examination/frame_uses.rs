//! Which counters each frame key was used with, in all streams of a capture.
//!
//! Invariant: a frame that crosses several links, or is sent again, is the same frame: only another one is a reuse.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Frames that are remembered; any further ones are not looked at.
const REMEMBERED: usize = 100_000;

/// What every key and counter sealed.
#[derive(Debug, Default)]
pub struct FrameUses {
    seen: HashMap<(usize, u64), u64>,
}

impl FrameUses {
    /// Whether this key and counter sealed another frame before.
    pub fn is_reuse(&mut self, key: usize, counter: u64, frame: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        frame.hash(&mut hasher);
        let hash = hasher.finish();
        match self.seen.get(&(key, counter)) {
            Some(before) => *before != hash,
            None => {
                if self.seen.len() < REMEMBERED {
                    self.seen.insert((key, counter), hash);
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_frame_under_key_and_counter_is_a_reuse() {
        let mut uses = FrameUses::default();
        assert!(!uses.is_reuse(0, 7, b"frame"));
        assert!(!uses.is_reuse(0, 7, b"frame"), "on another link, or sent again");
        assert!(!uses.is_reuse(1, 7, b"other"), "another key");
        assert!(!uses.is_reuse(0, 8, b"other"));
        assert!(uses.is_reuse(0, 7, b"other"));
    }
}
