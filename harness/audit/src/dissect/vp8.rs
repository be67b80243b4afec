//! The VP8 payload descriptor (RFC 7741 §4.2): how long it is, and whether a frame starts; and how a frame begins.
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
    /// Its reserved bits are zero, as a sender must set them.
    pub sound: bool,
}

impl Descriptor {
    /// Reads the descriptor at the start of an RTP payload.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let (mut length, mut sound) = (1, first & 0x48 == 0);
        if first & 0x80 != 0 {
            let extensions = *payload.get(1)?;
            length = 2;
            sound &= extensions & 0x0F == 0;
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
            sound,
        })
    }

    /// Whether a frame starts in this packet.
    pub fn starts_frame(&self) -> bool {
        self.start && self.partition == 0
    }
}

/// How a frame begins (RFC 7741 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameStart {
    /// A key frame, which has a start code behind its first three bytes (RFC 6386 §9.1).
    pub key: bool,
    /// The version, at most 3.
    pub version: u8,
}

impl FrameStart {
    /// Reads what stands behind the descriptor of a packet that starts a frame; none where no frame begins like this.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let first = *frame.first()?;
        let (key, version) = (first & 1 == 0, first >> 1 & 7);
        let coded = !key || frame.get(3..6) == Some(&[0x9D, 0x01, 0x2A]);
        (coded && version <= 3).then_some(Self { key, version })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

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
    #[rstest]
    #[case::none(&[0x10, 1], true)]
    #[case::of_the_first_byte(&[0x48, 1], false)]
    #[case::of_the_extensions(&[0x90, 0x81, 0x05, 1], false)]
    fn reserved_bits_are_zero(#[case] payload: &[u8], #[case] sound: bool) {
        assert_eq!(Descriptor::parse(payload).map(|descriptor| descriptor.sound), Some(sound));
    }

    #[rstest]
    #[case::key_frame(&[0x50, 0x1B, 0, 0x9D, 0x01, 0x2A, 0], Some((true, 0)))]
    #[case::interframe(&[0x53], Some((false, 1)))]
    #[case::key_frame_without_its_start_code(&[0x50, 0x1B, 0, 0x9D, 0x01, 0x2B, 0], None)]
    #[case::version_that_nobody_has(&[0x59], None)]
    #[case::nothing(&[], None)]
    fn a_frame_begins_with_its_kind_and_version(#[case] frame: &[u8], #[case] start: Option<(bool, u8)>) {
        assert_eq!(FrameStart::parse(frame).map(|start| (start.key, start.version)), start);
    }
}
