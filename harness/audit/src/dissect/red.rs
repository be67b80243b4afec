//! Redundant audio data (RFC 2198 §3): headers of the blocks of a payload.
//!
//! Invariant: the blocks that are told lie within the payload.

use super::stun::u16_at;

/// Blocks that a payload has at most; senders repeat one or two packets.
const BLOCKS: usize = 8;

/// The headers of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers {
    /// Bytes of all headers.
    pub length: usize,
    /// Payload type of the newest block, which has no length.
    pub primary: u8,
    /// Payload type and time stamp offset of the first block, where there is one beside the primary.
    pub first: Option<(u8, u16)>,
}

impl Headers {
    /// Reads the headers at the start `head` of a payload of `length` bytes.
    pub fn parse(head: &[u8], length: usize) -> Option<Self> {
        let (mut at, mut first, mut blocks) = (0, None, 0);
        for _ in 0..BLOCKS {
            let byte = *head.get(at)?;
            if byte & 0x80 == 0 {
                // The primary may be empty, but not missing.
                let whole = at + 1 + blocks <= length;
                return whole.then_some(Self { length: at + 1, primary: byte, first });
            }
            first = first.or(Some((byte & 0x7F, u16_at(head, at + 1)? >> 2)));
            blocks += usize::from(u16_at(head, at + 2)? & 0x03FF);
            at += 4;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::primary_alone(&[0x6F, 1, 2], Some((1, None)))]
    #[case::one_block(&[0xEF, 0x0F, 0x00, 2, 0x6F, 1, 2, 3], Some((5, Some((111, 960)))))]
    #[case::two_blocks(&[0xEF, 0x1E, 0, 1, 0xEF, 0x0F, 0, 1, 0x6F, 1, 2, 3], Some((9, Some((111, 1_920)))))]
    #[case::block_past_the_end(&[0xEF, 0x0F, 0x00, 4, 0x6F, 1, 2, 3], None)]
    #[case::no_primary(&[0xEF, 0x0F, 0x00, 2], None)]
    #[case::no_end_of_headers(&[0xFF; 60], None)]
    #[case::nothing(&[], None)]
    fn headers_are_read_to_the_primary(
        #[case] payload: &[u8],
        #[case] expected: Option<(usize, Option<(u8, u16)>)>,
    ) {
        let read = Headers::parse(payload, payload.len()).map(|headers| (headers.length, headers.first));
        assert_eq!(read, expected);
    }
}
