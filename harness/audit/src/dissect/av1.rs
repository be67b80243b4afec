//! The aggregation header of AV1 and the elements behind it (RTP Payload Format for AV1 1.0, §4.4, §4.5).
//!
//! Invariant: an element that is told lies within the payload.

/// An aggregation header with what its first element shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregation {
    /// Z: the first element goes on with one of the packet before.
    pub continues: bool,
    /// Y: the last element goes on in the next packet.
    pub goes_on: bool,
    /// N: a coded video sequence starts here.
    pub new_sequence: bool,
}

impl Aggregation {
    /// Reads the start `head` of a payload of `length` bytes; none where a reserved bit is set, an element does not lie
    /// in the payload, or one that starts here has no header that may stand there.
    pub fn parse(head: &[u8], length: usize) -> Option<Self> {
        let (first, rest) = head.split_first()?;
        let read = Self {
            continues: first & 0x80 != 0,
            goes_on: first & 0x40 != 0,
            new_sequence: first & 0x08 != 0,
        };
        if first & 7 != 0 || read.continues && read.new_sequence || length < 2 {
            return None;
        }
        let count = first >> 4 & 3;
        let (size, used) = if count == 1 { (length - 1, 0) } else { leb128(rest)? };
        // The last element has no length where the header counts them.
        let room = length - 1 - used;
        let fits = size > 0 && if count > 1 { size < room } else { size <= room };
        let starts = read.continues || rest.get(used).copied().is_some_and(is_unit);
        (fits && starts).then_some(read)
    }
}

/// A length of at most four bytes, the lowest seven bits first, and how many bytes it took.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Whether a byte is the header of a unit that RTP carries: no forbidden or reserved bit, no size of its own, and of a
/// kind that is neither reserved nor a delimiter (AV1 §5.3.2, §6.2.2).
fn is_unit(header: u8) -> bool {
    header & 0x83 == 0 && matches!(header >> 3, 1 | 3..=8 | 15)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::one_frame(&[0x10, 0x30, 1, 2, 3], true)]
    #[case::sequence_and_frame(&[0x28, 2, 0x08, 9, 0x30, 1], true)]
    #[case::lengths_of_all(&[0x00, 2, 0x30, 9], true)]
    #[case::a_later_piece(&[0x90, 0xFF, 0xFF], true)]
    #[case::reserved_bit(&[0x11, 0x30, 1], false)]
    #[case::new_sequence_that_goes_on(&[0x98, 0x30, 1], false)]
    #[case::delimiter(&[0x10, 0x10, 1], false)]
    #[case::forbidden_bit(&[0x10, 0xB0, 1], false)]
    #[case::size_of_its_own(&[0x10, 0x32, 1], false)]
    #[case::length_past_the_end(&[0x00, 9, 0x30, 9], false)]
    #[case::nothing_is_left_for_the_last(&[0x20, 2, 0x30, 9], false)]
    #[case::length_without_end(&[0x00, 0x80, 0x80, 0x80, 0x80, 1], false)]
    #[case::empty_element(&[0x00, 0], false)]
    #[case::header_alone(&[0x10], false)]
    #[case::nothing(&[], false)]
    fn an_aggregation_header_is_told_from_other_bytes(#[case] payload: &[u8], #[case] fits: bool) {
        assert_eq!(Aggregation::parse(payload, payload.len()).is_some(), fits);
    }
}
