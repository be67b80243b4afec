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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_report_and_a_source_description_tile() {
        let mut compound = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        compound.extend([0x81, 202, 0, 2, 1, 2, 3, 4, 0, 0, 0, 0]);
        assert!(looks_like(&compound) && tiles(&compound));
    }

    #[test]
    fn a_protected_report_does_not_tile() {
        let mut protected = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        protected.extend([7; 20]);
        assert!(looks_like(&protected) && !tiles(&protected));
        assert!(!tiles(&protected[..7]));
    }
}
