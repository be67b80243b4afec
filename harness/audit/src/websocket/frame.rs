//! One frame (RFC 6455 §5.2).

use super::{LONGEST_MESSAGE, Sender, WebSocketError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// A frame, unmasked.
pub(super) struct Frame {
    pub opcode: Opcode,
    pub is_final: bool,
    pub payload: Vec<u8>,
    /// Bytes on the wire, header included.
    pub length: usize,
}

impl Frame {
    /// The frame at the start of `bytes`; none when it is cut short.
    pub fn parse(sender: Sender, bytes: &[u8]) -> Result<Option<Self>, WebSocketError> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        if first & 0x70 != 0 {
            return Err(WebSocketError::ReservedBit);
        }
        let is_final = first & 0x80 != 0;
        let opcode = opcode(first & 0x0f)?;
        if (second & 0x80 != 0) != (sender == Sender::Client) {
            return Err(WebSocketError::WrongMask);
        }
        let Some((length, rest)) = payload_length(second & 0x7f, rest)? else { return Ok(None) };
        let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        if is_control && (length > 125 || !is_final) {
            return Err(WebSocketError::BadControl);
        }
        let length = usize::try_from(length).map_err(|_| WebSocketError::TooLong)?;
        if length > LONGEST_MESSAGE {
            return Err(WebSocketError::TooLong);
        }
        let (mask, rest) = match sender {
            Sender::Server => ([0; 4], rest),
            Sender::Client => match rest.split_first_chunk::<4>() {
                Some((mask, rest)) => (*mask, rest),
                None => return Ok(None),
            },
        };
        let Some((payload, after)) = rest.split_at_checked(length) else { return Ok(None) };
        let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        Ok(Some(Self { opcode, is_final, payload, length: bytes.len() - after.len() }))
    }
}

fn opcode(number: u8) -> Result<Opcode, WebSocketError> {
    Ok(match number {
        0 => Opcode::Continuation,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => return Err(WebSocketError::UnknownOpcode(other)),
    })
}

/// The length of the payload, from the seven bits and what follows them, and what is after it; none
/// when that is cut short.
fn payload_length(seven: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, WebSocketError> {
    let (length, rest, shortest) = match seven {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest, 126),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), rest, 1 << 16),
            None => return Ok(None),
        },
        short => (u64::from(short), rest, 0),
    };
    if length < shortest || length >> 63 != 0 {
        return Err(WebSocketError::BadLength);
    }
    Ok(Some((length, rest)))
}
