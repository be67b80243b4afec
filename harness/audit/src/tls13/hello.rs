//! What must be known of the two hellos (RFC 8446 §4.1): the client's random, and the server's
//! choices.

use super::record::{HANDSHAKE, Records, handshake_message};

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SUPPORTED_VERSIONS: u16 = 43;
const TLS13: [u8; 2] = [3, 4];

/// The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word (RFC 8446 §4.1.3).
const HELLO_RETRY_REQUEST: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The random that names a connection in key logs. None when the stream does not begin with a
/// ClientHello.
pub fn client_random(client_to_server: &[u8]) -> Option<[u8; 32]> {
    let messages = plain_handshake(client_to_server);
    let (kind, body, _) = handshake_message(&messages)?;
    (kind == CLIENT_HELLO).then_some(())?;
    body.get(2..34)?.try_into().ok()
}

/// The server's choices.
pub(super) struct ServerHello {
    pub suite: u16,
    pub is_tls13: bool,
}

impl ServerHello {
    /// Finds the ServerHello, behind a HelloRetryRequest where there is one.
    pub fn find(server_to_client: &[u8]) -> Option<Self> {
        let messages = plain_handshake(server_to_client);
        let mut rest = &messages[..];
        loop {
            let (kind, body, length) = handshake_message(rest)?;
            if kind != SERVER_HELLO {
                return None;
            }
            if body.get(2..34)? != HELLO_RETRY_REQUEST {
                return Self::parse(body);
            }
            rest = rest.get(length..)?;
        }
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let session_id = usize::from(*body.get(34)?);
        let after = body.get(35 + session_id..)?;
        let (&[high, low, _compression], extensions) = after.split_first_chunk::<3>()?;
        Some(Self {
            suite: u16::from_be_bytes([high, low]),
            is_tls13: extension(extensions.get(2..).unwrap_or_default(), SUPPORTED_VERSIONS)
                == Some(&TLS13[..]),
        })
    }
}

/// The data of the first extension of that type in a list without its length.
fn extension(mut list: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (&[a, b, c, d], rest) = list.split_first_chunk::<4>()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        if u16::from_be_bytes([a, b]) == wanted {
            return Some(data);
        }
        list = rest;
    }
}

/// The handshake messages that travel in the clear, before the first record of another kind than
/// change_cipher_spec.
fn plain_handshake(stream: &[u8]) -> Vec<u8> {
    const CHANGE_CIPHER_SPEC: u8 = 20;
    Records::of(stream)
        .take_while(|record| matches!(record.content_type, HANDSHAKE | CHANGE_CIPHER_SPEC))
        .filter(|record| record.content_type == HANDSHAKE)
        .flat_map(|record| record.body.iter().copied())
        .collect()
}
