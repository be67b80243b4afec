//! What is kept of a packet until its window is full.
//!
//! A sample has the size of a cache line, because of a capture of many calls each packet finds its stream cold.

/// First bytes of a payload that are kept.
pub const HEAD: usize = 40;
/// The last bytes of a packet may be a tag, which is random whatever stands before it.
const TAG: usize = 16;

/// Lengths whose neighbouring bytes are compared: whole packets of voice at a byte a sample, 10 ms each 80 bytes.
const VOICE: std::ops::RangeInclusive<usize> = 80..=480;

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
    /// Neighbours whose upper four bits are the same.
    alike: u16,
    bytes: [u8; HEAD],
}

impl Default for Sample {
    /// A place without a packet.
    fn default() -> Self {
        Self {
            number: 0,
            timestamp: 0,
            sequence: 0,
            length: 0,
            extension: 0,
            payload_type: 0,
            flags: 0,
            alike: 0,
            bytes: [0; HEAD],
        }
    }
}

impl Sample {
    /// Keeps what is needed of a packet.
    pub fn of(look: &Look<'_>) -> Self {
        let bytes = look.payload.first_chunk().copied().unwrap_or_else(|| {
            let mut bytes = [0; HEAD];
            bytes.iter_mut().zip(look.payload).for_each(|(to, from)| *to = *from);
            bytes
        });
        Self {
            number: look.number,
            timestamp: look.timestamp,
            sequence: look.sequence,
            length: u16::try_from(look.payload.len()).unwrap_or(u16::MAX),
            extension: look.extension,
            payload_type: look.payload_type,
            flags: u8::from(look.marker) | u8::from(look.tagged) << 1,
            alike: alike(look),
            bytes,
        }
    }

    /// RTP marker.
    pub fn marker(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Pairs of neighbouring bytes with the same upper four bits, and how many pairs were looked at: none unless the
    /// packet may be one of G.711, whose upper bits are sign and segment (ITU-T G.711 §3).
    pub fn neighbours(&self) -> (u64, u64) {
        let pairs = if is_voice(self.payload_type, self.length.into()) { self.counted() - 1 } else { 0 };
        (u64::from(self.alike), pairs as u64)
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

/// Whether a packet may be one of G.711: of its types (RFC 3551 §6), or of its lengths.
fn is_voice(payload_type: u8, length: usize) -> bool {
    VOICE.contains(&length) && (matches!(payload_type, 0 | 8) || length.is_multiple_of(80))
}

fn alike(look: &Look<'_>) -> u16 {
    let payload = look.payload;
    if !is_voice(look.payload_type, payload.len()) {
        return 0;
    }
    let counted = payload.len() - if look.tagged { TAG } else { 0 };
    let (firsts, seconds) = (payload.get(..counted - 1), payload.get(1..counted));
    let pairs = firsts.unwrap_or_default().iter().zip(seconds.unwrap_or_default());
    pairs.map(|(one, next)| u16::from((one ^ next) < 16)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_cache_line() {
        assert_eq!(size_of::<Sample>(), 64);
    }

    #[rstest::rstest]
    #[case::voice(0, &[[7; 80], [0x70; 80]].concat(), (142, 143))]
    #[case::with_a_tag_of_ten(8, &[7; 170], (153, 153))]
    #[case::of_its_length_alone(96, &[7; 240], (223, 223))]
    #[case::neither(96, &[7; 170], (0, 0))]
    #[case::too_short(0, &[7; 79], (0, 0))]
    #[case::too_long(0, &[7; 481], (0, 0))]
    fn neighbours_of_voice_are_compared(
        #[case] payload_type: u8,
        #[case] payload: &[u8],
        #[case] expected: (u64, u64),
    ) {
        let look = Look {
            number: 1,
            payload_type,
            timestamp: 0,
            sequence: 0,
            marker: false,
            extension: 0,
            payload,
            tagged: true,
        };
        assert_eq!(Sample::of(&look).neighbours(), expected);
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
            assert_eq!(sample.neighbours().1, 0, "too short for voice");
            (sample.known().len(), sample.head().len(), sample.counted())
        };
        assert_eq!(look(&[7; 60], true), (40, 40, 44));
        assert_eq!(look(&[7; 50], true), (34, 40, 34));
        assert_eq!(look(&[7; 10], true), (0, 10, 0));
        assert_eq!(look(&[7; 10], false), (10, 10, 10));
    }
}
