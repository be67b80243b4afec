//! Datagrams inside a TCP connection: framed by their length (RFC 4571 §2), or messages of TURN that tell their own
//! (RFC 8656 §2.1, §12.5).
//!
//! Invariant: what is no datagram of a call by its own bytes is none, however it is framed.

use super::stun::{u16_at, u32_at};
use super::{dtls, rtcp, rtp, stun, turn};

/// How datagrams are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Two bytes of length before each.
    Length,
    /// Each tells its length itself.
    Turn,
}

/// What stands at the start of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A datagram: where it starts, where it ends, and where the next one starts.
    Datagram(usize, usize, usize),
    /// The start of one, as far as can be seen.
    More,
    /// Nothing that is known.
    Nothing,
}

/// Bytes that tell a datagram, its length included.
const TELLS: usize = 14;
/// The longest datagram whose end is waited for where nothing was seen of the connection yet.
pub const LONGEST: usize = 2_048;

impl Framing {
    /// What `bytes` begin with.
    pub fn next(self, bytes: &[u8]) -> Next {
        match self {
            Self::Length => with_length(bytes),
            Self::Turn => of_turn(bytes),
        }
    }

    /// What tells a datagram at the start of `bytes` from chance: by its own bytes, or by a number that is among those
    /// that were `known` of the connection before ([`Framing::name`]).
    pub fn is_sure(self, bytes: &[u8], known: &[u32]) -> bool {
        let Some(length) = u16_at(bytes, 0) else { return false };
        let datagram = bytes.get(if self == Self::Length { 2 } else { 0 }..).unwrap_or_default();
        let cookie = || u32_at(datagram, 4) == Some(stun::MAGIC_COOKIE);
        match datagram.first() {
            Some(0..=3) => cookie(),
            Some(20..=26) => self == Self::Length && matches!(datagram.get(1..3), Some([0xFE, 0xFD | 0xFF])),
            _ if self == Self::Length && length == 0 => false,
            _ => self.name(datagram).is_some_and(|name| known.contains(&name)),
        }
    }

    /// The number by which datagrams of one connection belong together: an SSRC, or a channel.
    pub fn name(self, datagram: &[u8]) -> Option<u32> {
        match datagram.first()? {
            64..=79 => u16_at(datagram, 0).map(u32::from),
            128..=191 if self == Self::Length => {
                u32_at(datagram, if rtcp::looks_like(datagram) { 4 } else { 8 })
            }
            _ => None,
        }
    }
}

/// RFC 4571 §2: a length in two bytes, and so many bytes; none of them is allowed as well.
fn with_length(bytes: &[u8]) -> Next {
    let Some(length) = u16_at(bytes, 0).map(usize::from) else { return Next::More };
    let Some(datagram) = bytes.get(2..2 + length) else {
        return if begins(bytes.get(2..).unwrap_or_default()) { Next::More } else { Next::Nothing };
    };
    let known = match datagram.first() {
        None => true,
        Some(0..=3) => stun::Message::parse(datagram).is_some(),
        Some(20..=63) => dtls::looks_like(datagram),
        Some(64..=79) => turn::channel_data(datagram).is_some(),
        Some(128..=191) if rtcp::looks_like(datagram) => {
            rtcp::tiles(datagram) || rtcp::is_protected(datagram)
        }
        Some(128..=191) => rtp::Header::parse(datagram).is_some(),
        Some(_) => false,
    };
    if known { Next::Datagram(2, 2 + length, 2 + length) } else { Next::Nothing }
}

/// Whether a datagram of a call may begin like this.
fn begins(datagram: &[u8]) -> bool {
    let cookie = || u32_at(datagram, 4).is_none_or(|cookie| cookie == stun::MAGIC_COOKIE);
    match datagram.first() {
        None | Some(64..=79 | 128..=191) => true,
        Some(0..=3) => cookie(),
        Some(20..=63) => datagram.len() < TELLS || dtls::looks_like(datagram),
        Some(_) => false,
    }
}

/// A message of STUN, or channel data, which is padded to four bytes (RFC 8656 §12.5).
fn of_turn(bytes: &[u8]) -> Next {
    let head = match bytes.first() {
        None => return Next::More,
        Some(0..=3) => 20,
        Some(64..=79) => 4,
        Some(_) => return Next::Nothing,
    };
    let Some(length) = u16_at(bytes, 2) else { return Next::More };
    let whole = head + usize::from(length);
    let Some(message) = bytes.get(..whole) else {
        let cookie = u32_at(bytes, 4).is_none_or(|cookie| cookie == stun::MAGIC_COOKIE);
        return if head == 4 || cookie { Next::More } else { Next::Nothing };
    };
    let known = stun::Message::parse(message).is_some() || turn::channel_data(message).is_some();
    if known { Next::Datagram(0, whole, whole.next_multiple_of(4)) } else { Next::Nothing }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const RTP: [u8; 14] = [0x80, 111, 0, 1, 0, 0, 3, 192, 0xDE, 0xAD, 0xBE, 0xEF, 1, 2];

    #[rstest]
    #[case::whole(&[&[0, 14][..], &RTP].concat(), Next::Datagram(2, 16, 16))]
    #[case::with_another_behind(&[&[0, 14][..], &RTP, &[0]].concat(), Next::Datagram(2, 16, 16))]
    #[case::its_end_is_missing(&[&[0, 15][..], &RTP].concat(), Next::More)]
    #[case::half_a_length(&[0], Next::More)]
    #[case::an_empty_one(&[0, 0, 9], Next::Datagram(2, 2, 2))]
    #[case::nothing_known(b"GET / HTTP/1.1\r\n\r\n", Next::Nothing)]
    #[case::no_cookie(&[1, 0, 1, 1, 0, 0, 1, 2, 3, 4], Next::Nothing)]
    #[case::of_no_version(&[0, 3, 0x80, 0, 0], Next::Nothing)]
    fn a_length_stands_before_each(#[case] bytes: &[u8], #[case] next: Next) {
        assert_eq!(Framing::Length.next(bytes), next);
    }

    #[rstest]
    #[case::padded(&[&[0x40, 1, 0, 14][..], &RTP, &[0, 0]].concat(), Next::Datagram(0, 18, 20))]
    #[case::its_end_is_missing(&[0x40, 1, 0, 14, 1], Next::More)]
    #[case::begins_nowhere(&[0x50, 1, 0, 14], Next::Nothing)]
    #[case::no_cookie(&[0, 1, 0, 8, 1, 2, 3, 4], Next::Nothing)]
    #[case::a_number_that_no_channel_has(&[0x50, 0, 0, 0], Next::Nothing)]
    fn messages_of_turn_tell_their_length(#[case] bytes: &[u8], #[case] next: Next) {
        assert_eq!(Framing::Turn.next(bytes), next);
    }

    #[rstest]
    #[case::its_ssrc(&[0xDEAD_BEEF], true)]
    #[case::another(&[0xDEAD_BEEE], false)]
    #[case::none(&[], false)]
    fn only_what_is_known_tells_media(#[case] known: &[u32], #[case] sure: bool) {
        assert_eq!(Framing::Length.is_sure(&[&[0, 14][..], &RTP].concat(), known), sure);
    }
}
