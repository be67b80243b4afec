//! The SFrame header (RFC 9605 §4.3): one byte of configuration, then key id and counter where they
//! do not fit into it.

/// A parsed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which key.
    pub key_id: u64,
    /// Which nonce of that key.
    pub counter: u64,
    /// Bytes of the header, 1 to 17.
    pub length: usize,
}

impl Header {
    /// Reads the header at the start of `frame`. None when it is cut short; every first byte is a
    /// header's.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let configuration = *frame.first()?;
        let (key_id, length) = field(frame, configuration >> 4, 1)?;
        let (counter, length) = field(frame, configuration & 0x0f, length)?;
        Some(Self { key_id, counter, length })
    }

    /// Whether no shorter header says the same. A longer one is allowed on the wire and has bits in
    /// which something can be hidden.
    pub const fn is_shortest(&self) -> bool {
        self.length == 1 + bytes_of(self.key_id) + bytes_of(self.counter)
    }
}

/// One of the two fields: `nibble` is its value, or with the high bit set its length less one.
/// Returns the value and where the next field starts.
fn field(frame: &[u8], nibble: u8, start: usize) -> Option<(u64, usize)> {
    if nibble & 8 == 0 {
        return Some((u64::from(nibble), start));
    }
    let end = start + usize::from(nibble & 7) + 1;
    let value = frame.get(start..end)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    Some((value, end))
}

/// Bytes that a value takes beyond the byte of configuration.
const fn bytes_of(value: u64) -> usize {
    if value < 8 { 0 } else { (64 - value.leading_zeros() as usize).div_ceil(8) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::vectors;

    #[test]
    fn every_header_of_the_rfc_is_read() {
        let vectors = vectors::read::<vectors::Sframe>(vectors::SFRAME).header;
        assert_eq!(vectors.len(), 289);
        for case in vectors {
            let header = Header::parse(&case.encoded).expect("a header");
            assert_eq!(
                (header.key_id, header.counter, header.length),
                (case.kid, case.ctr, case.encoded.len())
            );
            assert!(header.is_shortest());
            for cut in 0..case.encoded.len() {
                assert_eq!(Header::parse(&case.encoded[..cut]), None, "cut to {cut}");
            }
        }
    }

    #[rstest]
    #[case::small_key_id_in_a_byte(&[0x80, 3])]
    #[case::small_counter_in_a_byte(&[0x08, 7])]
    #[case::leading_zero(&[0x09, 0, 9])]
    fn a_header_longer_than_it_must_be_is_read_and_told(#[case] frame: &[u8]) {
        let header = Header::parse(frame).expect("a header");
        assert_eq!(header.length, frame.len());
        assert!(!header.is_shortest());
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(frame in proptest::collection::vec(any::<u8>(), 0..24)) {
            if let Some(header) = Header::parse(&frame) {
                prop_assert!((1..=17.min(frame.len())).contains(&header.length));
            }
        }
    }
}
