//! The VP8 payload descriptor (RFC 7741 §4.2): how long it is, and whether a frame starts.
//!
//! Invariant: the descriptor is never longer than the payload.

/// A payload descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Length in bytes.
    pub length: usize,
    /// S bit: a partition starts here.
    pub start: bool,
    /// Partition index; a frame starts with S set and index 0.
    pub partition: u8,
}

impl Descriptor {
    /// Reads the descriptor at the start of an RTP payload.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let mut length = 1;
        if first & 0x80 != 0 {
            let extensions = *payload.get(1)?;
            length = 2;
            if extensions & 0x80 != 0 {
                length += if payload.get(length)? & 0x80 != 0 { 2 } else { 1 };
            }
            length += usize::from(extensions & 0x40 != 0);
            length += usize::from(extensions & 0x30 != 0);
        }
        (length <= payload.len()).then_some(Self {
            length,
            start: first & 0x10 != 0,
            partition: first & 0x07,
        })
    }

    /// Whether a frame starts in this packet.
    pub fn starts_frame(&self) -> bool {
        self.start && self.partition == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_descriptor_has_one_byte() {
        let start = Descriptor::parse(&[0x10, 1, 2]).expect("a descriptor");
        assert_eq!((start.length, start.starts_frame()), (1, true));
        let later = Descriptor::parse(&[0x00, 1, 2]).expect("a descriptor");
        assert!(!later.starts_frame());
    }

    #[test]
    fn the_long_descriptor_is_counted_whole() {
        let long = Descriptor::parse(&[0x90, 0xF0, 0x81, 0x00, 5, 6, 0xAA]).expect("a descriptor");
        assert_eq!(long.length, 6);
        assert_eq!(Descriptor::parse(&[0x90, 0xF0, 0x81]), None);
        assert_eq!(Descriptor::parse(&[]), None);
    }
}
