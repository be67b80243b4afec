//! Opens TLS 1.3 byte streams (RFC 8446) from logged traffic secrets, and tells which record each
//! plaintext byte came from.
//!
//! It follows a connection that others made: it checks tags and nothing else of the handshake. A
//! record that no secret opens is listed, never skipped in silence.

mod direction;
mod hello;
mod keys;
mod record;

use std::fmt;

pub use direction::{Direction, OpenedRecord};
pub use hello::client_random;
pub use keys::CipherSuite;

use crate::key_file::{Key, Secret, TrafficLabel};
use hello::ServerHello;

/// The traffic secrets of one connection, as far as they are known.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// `CLIENT_EARLY_TRAFFIC_SECRET`
    pub client_early: Option<Vec<u8>>,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`
    pub client_handshake: Option<Vec<u8>>,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`
    pub server_handshake: Option<Vec<u8>>,
    /// `CLIENT_TRAFFIC_SECRET_0`
    pub client_application: Option<Vec<u8>>,
    /// `SERVER_TRAFFIC_SECRET_0`
    pub server_application: Option<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// The secrets among `keys` that belong to the connection with this client random. Of two with
    /// one label the last counts.
    pub fn of_connection<'a>(keys: impl IntoIterator<Item = &'a Key>, random: &[u8; 32]) -> Self {
        let mut secrets = Self::default();
        for key in keys {
            let Secret::Traffic { label, client_random, secret } = &key.secret else { continue };
            if client_random != random {
                continue;
            }
            let place = match label {
                TrafficLabel::ClientEarly => &mut secrets.client_early,
                TrafficLabel::ClientHandshake => &mut secrets.client_handshake,
                TrafficLabel::ServerHandshake => &mut secrets.server_handshake,
                TrafficLabel::ClientApplication => &mut secrets.client_application,
                TrafficLabel::ServerApplication => &mut secrets.server_application,
                TrafficLabel::Exporter => continue,
            };
            *place = Some(secret.clone());
        }
        secrets
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A connection, opened as far as its secrets go.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// The cipher suite that the server chose.
    pub suite: CipherSuite,
    /// Names the connection in key logs.
    pub client_random: [u8; 32],
    /// What the client sent.
    pub client: Direction,
    /// What the server sent.
    pub server: Direction,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Why a connection cannot be opened at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The client's bytes do not begin with a ClientHello.
    #[error("no ClientHello stands at the start of the stream; capture the connection from its beginning")]
    NoClientHello,
    /// The server's bytes do not begin with a ServerHello.
    #[error("no ServerHello stands at the start of the stream; capture the connection from its beginning")]
    NoServerHello,
    /// The server chose an older version.
    #[error("the server chose an older version than TLS 1.3; let both sides use TLS 1.3")]
    OlderVersion,
    /// The server chose a suite that cannot be opened here.
    #[error("the cipher suite {0:#06x} cannot be opened; use TLS_AES_128_GCM_SHA256")]
    UnknownSuite(u16),
}

/// Opens both directions of one connection, each as the bytes in the order of the stream from its
/// first byte on.
///
/// # Errors
/// When the hellos are missing or choose what cannot be opened. Missing or wrong secrets are no
/// error: the records that they leave shut are in [`Direction::unopened`].
pub fn open(
    client_to_server: &[u8],
    server_to_client: &[u8],
    secrets: &Secrets,
) -> Result<Opened, NotOpened> {
    let client_random = client_random(client_to_server).ok_or(NotOpened::NoClientHello)?;
    let hello = ServerHello::find(server_to_client).ok_or(NotOpened::NoServerHello)?;
    if !hello.is_tls13 {
        return Err(NotOpened::OlderVersion);
    }
    let suite = CipherSuite::numbered(hello.suite).ok_or(NotOpened::UnknownSuite(hello.suite))?;
    let client = [&secrets.client_early, &secrets.client_handshake, &secrets.client_application];
    let server = [&secrets.server_handshake, &secrets.server_application];
    Ok(Opened {
        suite,
        client_random,
        client: Direction::open(suite, client_to_server, client.into_iter().flatten()),
        server: Direction::open(suite, server_to_client, server.into_iter().flatten()),
    })
}

#[cfg(test)]
mod tests;
