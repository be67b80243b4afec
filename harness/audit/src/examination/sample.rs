//! What is kept of a packet until its window is full.
//!
//! A sample has the size of a cache line, because of a capture of many calls each packet finds its stream cold.

/// First bytes of a payload that are kept.
pub const HEAD: usize = 40;
/// The last bytes of a packet may be a tag, which is random whatever stands before it.
const TAG: usize = 16;

/// One packet as it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look<'p> {
    /// Its number.
    pub number: u64,
    /// RTP payload type.
    pub payload_type: u8,
    /// RTP time stamp.
    pub timestamp: u32,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP marker.
    pub marker: bool,
    /// The profile of its header extension, 0 without one (RFC 3550 §5.3.1).
    pub extension: u16,
    /// What follows the RTP header.
    pub payload: &'p [u8],
    /// A tag may stand at the end of the payload.
    pub tagged: bool,
}

/// What is kept of it.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Its number.
    pub number: u64,
    /// RTP time stamp.
    pub timestamp: u32,
    /// RTP sequence number.
    pub sequence: u16,
    /// Payload bytes, at most 65,535.
    pub length: u16,
    /// The profile of its header extension, 0 without one.
    pub extension: u16,
    /// RTP payload type.
    pub payload_type: u8,
    /// RTP marker, and whether a tag may stand at the end.
    flags: u8,
    bytes: [u8; HEAD],
}

impl Sample {
    /// Keeps what is needed of a packet.
    pub fn of(look: &Look<'_>) -> Self {
        let mut bytes = [0; HEAD];
        for (to, from) in bytes.iter_mut().zip(look.payload) {
            *to = *from;
        }
        Self {
            number: look.number,
            timestamp: look.timestamp,
            sequence: look.sequence,
            length: u16::try_from(look.payload.len()).unwrap_or(u16::MAX),
            extension: look.extension,
            payload_type: look.payload_type,
            flags: u8::from(look.marker) | u8::from(look.tagged) << 1,
            bytes,
        }
    }

    /// RTP marker.
    pub fn marker(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Payload bytes without what may be a tag.
    pub fn counted(&self) -> usize {
        usize::from(self.length).saturating_sub(if self.flags & 2 == 0 { 0 } else { TAG })
    }

    /// The first bytes of the payload, without what may be a tag.
    pub fn known(&self) -> &[u8] {
        self.bytes.get(..self.counted().min(HEAD)).unwrap_or_default()
    }

    /// The first bytes of the payload, a tag included where it is short.
    pub fn head(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length).min(HEAD)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_cache_line() {
        assert_eq!(size_of::<Sample>(), 64);
    }

    #[test]
    fn what_may_be_a_tag_does_not_count() {
        let look = |payload, tagged| {
            let look = Look {
                number: 1,
                payload_type: 0,
                timestamp: 0,
                sequence: 0,
                marker: false,
                extension: 0,
                payload,
                tagged,
            };
            let sample = Sample::of(&look);
            (sample.known().len(), sample.head().len(), sample.counted())
        };
        assert_eq!(look(&[7; 60], true), (40, 40, 44));
        assert_eq!(look(&[7; 50], true), (34, 40, 34));
        assert_eq!(look(&[7; 10], true), (0, 10, 0));
        assert_eq!(look(&[7; 10], false), (10, 10, 10));
    }
}
