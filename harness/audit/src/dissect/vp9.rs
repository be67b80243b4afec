//! The VP9 payload descriptor (RFC 9628 §4.2): how long it is, and how its packet follows the one before.
//!
//! Invariant: the descriptor is never longer than the payload.

use super::stun::u16_at;

/// A payload descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Length in bytes.
    pub length: usize,
    /// I: the picture id, where there is one, and whether it has 15 bits instead of 7.
    pub picture: Option<(u16, bool)>,
    /// L: layer indices are there.
    pub layers: bool,
    /// F: flexible mode.
    pub flexible: bool,
    /// B: a frame starts here.
    pub start: bool,
    /// E: a frame ends here.
    pub end: bool,
}

impl Descriptor {
    /// Reads the descriptor at the start of an RTP payload; none where it is cut, or in flexible mode without picture id.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let first = *payload.first()?;
        let has = |bit: u8| first & bit != 0;
        let (inter, layers, flexible) = (has(0x40), has(0x20), has(0x10));
        let mut at = 1;
        let picture = match (has(0x80), *payload.get(1)?) {
            (false, _) if flexible => return None,
            (false, _) => None,
            (true, short) if short & 0x80 == 0 => {
                at += 1;
                Some((u16::from(short), false))
            }
            (true, _) => {
                at += 2;
                Some((u16_at(payload, 1)? & 0x7FFF, true))
            }
        };
        if layers {
            at += if flexible { 1 } else { 2 };
        }
        if flexible && inter {
            // At most three references; the lowest bit of each says whether another follows.
            let mut references = 1;
            while payload.get(at)? & 1 != 0 {
                at += 1;
                references += 1;
                if references > 3 {
                    return None;
                }
            }
            at += 1;
        }
        if has(0x02) {
            at += structure(payload.get(at..)?)?;
        }
        (at <= payload.len()).then_some(Self {
            length: at,
            picture,
            layers,
            flexible,
            start: has(0x08),
            end: has(0x04),
        })
    }
}

/// Bytes of the scalability structure (RFC 9628 §4.2.1), whose three reserved bits are zero.
fn structure(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if first & 7 != 0 {
        return None;
    }
    let mut at = 1;
    if first & 0x10 != 0 {
        at += 4 * (usize::from(first >> 5) + 1);
    }
    if first & 0x08 != 0 {
        let pictures = *bytes.get(at)?;
        at += 1;
        for _ in 0..pictures {
            at += 1 + usize::from(bytes.get(at)? >> 2 & 3);
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_optional(&[0x0C, 0x82], Some(1))]
    #[case::short_picture_id(&[0x88, 0x11, 0x82], Some(2))]
    #[case::long_picture_id(&[0x88, 0x91, 0x11, 0x82], Some(3))]
    #[case::layers_and_their_picture_index(&[0xA8, 0x91, 0x11, 0x20, 7, 0x82], Some(5))]
    #[case::flexible_has_no_picture_index(&[0xB8, 0x91, 0x11, 0x20, 0x82], Some(4))]
    #[case::two_references(&[0xD0, 0x11, 0x03, 0x04, 1], Some(4))]
    #[case::four_references(&[0xD0, 0x11, 3, 3, 3, 3, 1], None)]
    #[case::structure_of_one_layer(&[0x8A, 0x11, 0x18, 0, 160, 0, 120, 1, 4, 1, 0x82], Some(10))]
    #[case::reserved_bits_of_the_structure(&[0x8A, 0x11, 0x19, 0, 160, 0, 120, 1, 4, 1, 0x82], None)]
    #[case::structure_that_is_cut(&[0x8A, 0x11, 0x18, 0, 160], None)]
    #[case::flexible_without_picture_id(&[0x18, 0x11], None)]
    #[case::nothing(&[], None)]
    fn the_descriptor_is_counted_whole(#[case] payload: &[u8], #[case] length: Option<usize>) {
        assert_eq!(Descriptor::parse(payload).map(|descriptor| descriptor.length), length);
    }

    #[test]
    fn picture_id_start_and_end_are_read() {
        let read = Descriptor::parse(&[0x8C, 0x91, 0x11, 0x82]).expect("a descriptor");
        assert_eq!((read.picture, read.start, read.end), (Some((0x1111, true)), true, true));
    }
}
