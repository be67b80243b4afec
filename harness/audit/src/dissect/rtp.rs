//! The RTP header (RFC 3550 §5.1): where it ends, and what it says in the clear.
//!
//! Invariant: header and payload together are the whole packet.

use super::stun::{u16_at, u32_at};

/// A fixed header with what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Last packet of a frame (RFC 7741 §4.1).
    pub marker: bool,
    /// Payload type, 7 bits.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Time stamp in ticks of the payload's clock.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Whether the payload ends in padding.
    pub padding: bool,
    /// Length of the header in bytes, contributing sources and extension included.
    pub length: usize,
}

impl Header {
    /// Reads the header of `packet`; `None` where it is no RTP of version 2 or the header is cut.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (first, second) = (*packet.first()?, *packet.get(1)?);
        if first >> 6 != 2 {
            return None;
        }
        let mut length = 12 + 4 * usize::from(first & 0x0F);
        if first & 0x10 != 0 {
            length += 4 + 4 * usize::from(u16_at(packet, length + 2)?);
        }
        if packet.len() < length {
            return None;
        }
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16_at(packet, 2)?,
            timestamp: u32_at(packet, 4)?,
            ssrc: u32_at(packet, 8)?,
            padding: first & 0x20 != 0,
            length,
        })
    }

    /// The payload inside `plaintext`, which stood behind this header, without padding (RFC 3550 §5.1).
    pub fn without_padding<'a>(&self, plaintext: &'a [u8]) -> &'a [u8] {
        if !self.padding {
            return plaintext;
        }
        let padding = plaintext.last().map_or(0, |last| usize::from(*last));
        plaintext.get(..plaintext.len().saturating_sub(padding)).unwrap_or_default()
    }
}

/// The signed distance from `earlier` to `later` in a circle of 2^16.
pub fn sequence_distance(earlier: u16, later: u16) -> i32 {
    i32::from(i16::from_be_bytes(later.wrapping_sub(earlier).to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_header_ends_behind_sources_and_extension() {
        let mut packet = vec![0x92, 0xE0, 0, 7, 0, 0, 0, 9, 1, 2, 3, 4];
        packet.extend([0; 8]);
        packet.extend([0xBE, 0xDE, 0, 1, 0x10, 5, 0, 0]);
        packet.extend([0xAA, 0xBB]);
        let header = Header::parse(&packet).expect("a header");
        assert_eq!((header.length, header.sequence, header.timestamp), (28, 7, 9));
        assert_eq!((header.ssrc, header.payload_type, header.marker), (0x0102_0304, 96, true));
        assert_eq!(Header::parse(&packet[..27]), None, "cut in the extension");
    }

    #[test]
    fn padding_is_taken_off_and_a_lying_length_leaves_nothing() {
        let header = Header::parse(&[0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).expect("a header");
        assert_eq!(header.without_padding(&[1, 2, 0, 2]), &[1, 2]);
        assert_eq!(header.without_padding(&[1, 2, 0, 200]), &[] as &[u8]);
        assert_eq!(header.without_padding(&[]), &[] as &[u8]);
    }

    #[test]
    fn distance_goes_round_the_circle() {
        assert_eq!(sequence_distance(65_535, 0), 1);
        assert_eq!(sequence_distance(0, 65_535), -1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(header) = Header::parse(&bytes) {
                prop_assert!(header.length <= bytes.len());
            }
        }
    }
}
