//! RTCP beside RTP on one port (RFC 5761 §4), in the clear or protected.
//!
//! Invariant: what tiles the datagram exactly is called clear; everything else in the family is protected.

use super::stun::u16_at;

/// Whether the second byte belongs to the RTCP family (RFC 5761 §4): packet types 192 to 223.
pub fn looks_like(datagram: &[u8]) -> bool {
    datagram.len() >= 8
        && datagram.first().is_some_and(|b| b >> 6 == 2)
        && datagram.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Whether compound packets fill the datagram exactly (RFC 3550 §6.1), as clear RTCP must.
pub fn tiles(datagram: &[u8]) -> bool {
    let mut at = 0;
    while at < datagram.len() {
        let Some(rest) = datagram.get(at..) else { return false };
        let Some(words) = u16_at(rest, 2) else { return false };
        if !looks_like(rest) && rest.len() != 4 {
            return false;
        }
        at += 4 * (usize::from(words) + 1);
    }
    at == datagram.len()
}

/// Whether the word of SRTCP stands near the end (RFC 3711 §3.4, RFC 7714 §9.2): the E flag above an index that has
/// not gone far, before a tag of 10 or 4 bytes, or at the very end, with or without a key identifier of four bytes.
pub fn is_protected(datagram: &[u8]) -> bool {
    [4, 8, 12, 14, 18].into_iter().any(|back| {
        let at = datagram.len().checked_sub(back).filter(|at| *at >= 8);
        at.and_then(|at| datagram.get(at)) == Some(&0x80)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_report_and_a_source_description_tile() {
        let mut compound = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        compound.extend([0x81, 202, 0, 2, 1, 2, 3, 4, 0, 0, 0, 0]);
        assert!(looks_like(&compound) && tiles(&compound));
    }

    #[rstest::rstest]
    #[case::aead(&[0x80, 0, 0, 9], true)]
    #[case::sha1_80(&[0x80, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], true)]
    #[case::sha1_32_with_a_key_id(&[0x80, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8], true)]
    #[case::not_encrypted(&[0x00, 0, 0, 9], false)]
    #[case::nothing_of_the_kind(&[7; 14], false)]
    fn the_word_of_srtcp_tells_it(#[case] end: &[u8], #[case] protected: bool) {
        let packet = [&[0x80, 201, 0, 1, 1, 2, 3, 4][..], &[7; 20], end].concat();
        assert_eq!(is_protected(&packet), protected);
        assert!(!is_protected(&packet[..8]), "the header is no word");
    }

    #[test]
    fn a_protected_report_does_not_tile() {
        let mut protected = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        protected.extend([7; 20]);
        assert!(looks_like(&protected) && !tiles(&protected));
        assert!(!tiles(&protected[..7]));
    }
}
