//! What TURN carries for its clients (RFC 8656): channel data, and Send and Data indications.
//!
//! Invariant: the carried bytes are handed on untouched, with the peer that they name.

use std::net::SocketAddr;

use super::stun::{Message, attribute, u16_at};

/// Method of Send indications (RFC 8656 §17).
pub const SEND: u16 = 0x006;
/// Method of Data indications (RFC 8656 §17).
pub const DATA: u16 = 0x007;
/// Method of ChannelBind requests (RFC 8656 §17).
pub const CHANNEL_BIND: u16 = 0x009;

/// Channel number and data of a ChannelData message (RFC 8656 §12.4); padding is not required over UDP.
pub fn channel_data(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let (number, length) = (u16_at(datagram, 0)?, usize::from(u16_at(datagram, 2)?));
    let data = datagram.get(4..4 + length)?;
    let padding = datagram.len() - 4 - length;
    ((0x4000..=0x4FFF).contains(&number) && padding < 4).then_some((number, data))
}

/// Peer and data of a Send or Data indication (RFC 8656 §11.6, §11.4).
pub fn indication<'a>(message: &Message<'a>) -> Option<(SocketAddr, &'a [u8])> {
    if message.class != 1 || !matches!(message.method, SEND | DATA) {
        return None;
    }
    Some((message.xor_address(attribute::XOR_PEER_ADDRESS)?, message.attribute(attribute::DATA)?))
}

/// Channel number and peer of a ChannelBind request (RFC 8656 §12.1).
pub fn channel_bind(message: &Message<'_>) -> Option<(u16, SocketAddr)> {
    if message.class != 0 || message.method != CHANNEL_BIND {
        return None;
    }
    let number = u16_at(message.attribute(attribute::CHANNEL_NUMBER)?, 0)?;
    Some((number, message.xor_address(attribute::XOR_PEER_ADDRESS)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_data_gives_channel_and_bytes() {
        assert_eq!(channel_data(&[0x40, 1, 0, 2, 9, 8]), Some((0x4001, &[9, 8][..])));
        assert_eq!(channel_data(&[0x40, 1, 0, 2, 9, 8, 0, 0]), Some((0x4001, &[9, 8][..])));
    }

    #[test]
    fn what_is_no_channel_data_is_none() {
        assert_eq!(channel_data(&[0x40, 1, 0, 3, 9, 8]), None, "cut");
        assert_eq!(channel_data(&[0x50, 1, 0, 2, 9, 8]), None, "reserved number");
        assert_eq!(channel_data(&[0x40, 1, 0, 0, 9, 8, 7, 6]), None, "more than padding");
        assert_eq!(channel_data(&[0x40]), None);
    }
}
