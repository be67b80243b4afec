//! The rollover counter of one SSRC: how often its sequence number has started anew (RFC 3711
//! §3.3.1).

use super::packet::Header;
use super::rtp::RtpOpener;

/// What is known of the rollover counter of one SSRC under one key. It moves only with packets that
/// opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollover {
    /// Counter and sequence number of the packet furthest on.
    furthest: Option<(u32, u16)>,
}

impl Rollover {
    /// The counter that a packet with this sequence number most likely has (RFC 3711 appendix A); 0
    /// when nothing has opened yet.
    pub fn estimate(&self, sequence: u16) -> u32 {
        match self.furthest {
            None => 0,
            Some((roc, furthest))
                if furthest < 0x8000 && sequence.wrapping_sub(furthest) > 0x8000 && sequence > furthest =>
            {
                roc.wrapping_sub(1)
            }
            Some((roc, furthest)) if furthest >= 0x8000 && furthest - 0x8000 > sequence => {
                roc.wrapping_add(1)
            }
            Some((roc, _)) => roc,
        }
    }

    /// Takes note of a packet that opened.
    pub fn advance(&mut self, sequence: u16, roc: u32) {
        self.furthest = self.furthest.max(Some((roc, sequence)));
    }

    /// Opens a packet without being told the counter, and returns the counter and the body. Once
    /// something has opened only the likely counter and its two neighbours are tried; before that
    /// all from 0 to `last`, because a capture may begin in the middle of a call. So a wrong key
    /// costs `last + 1` trials.
    pub fn open(&mut self, opener: &RtpOpener, packet: &[u8], last: u32) -> Option<(u32, Vec<u8>)> {
        let sequence = Header::parse(packet)?.sequence;
        let mut body = Vec::new();
        let mut try_one = |roc: u32| opener.open_into(packet, roc, &mut body).then_some(roc);
        let roc = match self.furthest {
            None => (0..=last).find_map(&mut try_one),
            Some(_) => {
                let likely = self.estimate(sequence);
                let neighbours = [Some(likely), likely.checked_sub(1), likely.checked_add(1)];
                neighbours.into_iter().flatten().find_map(&mut try_one)
            }
        }?;
        self.advance(sequence, roc);
        Some((roc, body))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::nothing_seen(None, 40_000, 0)]
    #[case::next((3, 10).into(), 11, 3)]
    #[case::late((3, 11).into(), 10, 3)]
    #[case::late_from_before_the_turn((3, 10).into(), 65_530, 2)]
    #[case::half_way((3, 10).into(), 32_778, 3)]
    #[case::just_beyond_half_way((3, 10).into(), 32_779, 2)]
    #[case::turned((3, 65_530).into(), 4, 4)]
    #[case::high_and_late((3, 65_530).into(), 33_000, 3)]
    #[case::first_turn_never_below_zero((0, 65_530).into(), 65_000, 0)]
    fn the_counter_is_estimated_as_the_rfc_does(
        #[case] furthest: Option<(u32, u16)>,
        #[case] sequence: u16,
        #[case] roc: u32,
    ) {
        assert_eq!(Rollover { furthest }.estimate(sequence), roc);
    }

    #[test]
    fn a_late_packet_does_not_move_it_back() {
        let mut rollover = Rollover::default();
        rollover.advance(5, 1);
        rollover.advance(65_535, 0);
        assert_eq!(rollover.estimate(6), 1);
    }
}
