//! Datagrams inside a TCP connection: framed by their length (RFC 4571 §2), or messages of TURN that tell their own
//! (RFC 8656 §2.1, §12.5).
//!
//! Invariant: a segment is taken apart only when datagrams of calls fill it exactly; one that ends within a datagram is
//! left alone.

use super::stun::u16_at;
use super::{dtls, rtcp, rtp, stun, turn};

/// The datagrams that fill a segment; none where anything else stands in it.
pub fn datagrams(segment: &[u8]) -> Option<Vec<&[u8]>> {
    let all = |mut rest: &'_ [u8], next: fn(&[u8]) -> Option<(usize, usize)>| {
        let (mut found, mut at) = (Vec::new(), 0);
        while !rest.is_empty() {
            let (start, length) = next(rest)?;
            found.push(at + start..at + start + length);
            let used = (start + length).next_multiple_of(if start == 0 { 4 } else { 1 });
            rest = rest.get(used..).unwrap_or_default();
            at += used;
        }
        (!found.is_empty()).then_some(found)
    };
    let places = all(segment, with_length).or_else(|| all(segment, of_turn))?;
    places.into_iter().map(|place| segment.get(place)).collect()
}

/// Where a framed datagram starts and how long it is.
fn with_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let length = usize::from(u16_at(bytes, 0)?);
    let datagram = bytes.get(2..2 + length)?;
    let known = match datagram.first()? {
        0..=3 => stun::Message::parse(datagram).is_some(),
        20..=63 => dtls::looks_like(datagram),
        64..=79 => turn::channel_data(datagram).is_some(),
        128..=191 if rtcp::looks_like(datagram) => rtcp::tiles(datagram) || rtcp::is_protected(datagram),
        128..=191 => rtp::Header::parse(datagram).is_some(),
        _ => false,
    };
    known.then_some((2, length))
}

/// The length of a message of STUN or of channel data.
fn of_turn(bytes: &[u8]) -> Option<(usize, usize)> {
    let length = usize::from(u16_at(bytes, 2)?);
    let whole = match bytes.first()? {
        0..=3 => 20 + length,
        64..=79 => 4 + length,
        _ => return None,
    };
    let message = bytes.get(..whole)?;
    let known = stun::Message::parse(message).is_some() || turn::channel_data(message).is_some();
    known.then_some((0, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: [u8; 14] = [0x80, 111, 0, 1, 0, 0, 3, 192, 0xDE, 0xAD, 0xBE, 0xEF, 1, 2];

    #[test]
    fn framed_datagrams_are_found() {
        let segment = [&[0, 14][..], &RTP, &[0, 14], &RTP].concat();
        assert_eq!(datagrams(&segment), Some(vec![&RTP[..], &RTP[..]]));
    }

    #[test]
    fn channel_data_is_padded_between_messages() {
        let channel = [&[0x40, 1, 0, 14][..], &RTP].concat();
        let segment = [&channel[..], &[0, 0], &channel].concat();
        assert_eq!(datagrams(&segment), Some(vec![&channel[..], &channel[..]]));
    }

    #[test]
    fn what_does_not_fill_its_segment_is_left_alone() {
        assert_eq!(datagrams(&[&[0, 15][..], &RTP].concat()), None, "the rest is in the next segment");
        assert_eq!(datagrams(&[&[0, 14][..], &RTP, &[1]].concat()), None);
        assert_eq!(datagrams(b"GET / HTTP/1.1\r\n\r\n"), None);
        assert_eq!(datagrams(&[0, 0]), None);
        assert_eq!(datagrams(&[]), None);
    }
}
