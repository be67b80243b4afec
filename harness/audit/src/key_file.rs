//! Reads key files: one secret per line, each with an owner. A line that cannot be used is an error
//! with its number, so that no key is left out in silence.
//!
//! ```text
//! CLIENT_RANDOM <client random> <master secret> [owner=<name>]      NSS key log; its TLS 1.3 lines too
//! SRTP <IANA name of the profile> <master key, then salt> [ssrc=<8 hex>] [owner=<name>]
//! SFRAME <cipher suite, decimal> <key id, decimal> <base key> [owner=<name>]
//! AGREE <call id> <z> [owner=<name>]
//! ```
//!
//! Bytes are in hex; `#` begins a comment line.

mod line;

use std::fmt;

use crate::sframe::Suite;
use crate::srtp::{MasterKey, WrongLength};

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// The two devices: what they can open is open to nobody else.
    Parties,
    /// Found inside a capture: shows what is inside, and says nothing of who could have had it.
    Embedded,
    /// Anybody else: a middle party.
    Other(String),
}

impl Owner {
    /// The owner of that name; `parties` and `embedded` have a meaning, every other name is a
    /// middle party.
    ///
    /// # Errors
    /// When the name is shorter than two characters, which a drive letter in a path could be, or
    /// has others than ASCII letters, digits, `-`, `_` and `.`, or does not begin with a letter.
    pub fn named(name: &str) -> Result<Self, NoOwner> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(legal)
        {
            return Err(NoOwner(name.to_owned()));
        }
        Ok(match name {
            "parties" => Self::Parties,
            "embedded" => Self::Embedded,
            other => Self::Other(other.to_owned()),
        })
    }

    /// Whether a key of this owner tells that somebody other than the two devices could listen.
    pub const fn is_middle_party(&self) -> bool {
        matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parties => "parties",
            Self::Embedded => "embedded",
            Self::Other(name) => name,
        })
    }
}

/// A name that no owner can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no owner; write two or more letters, digits, `-`, `_` or `.`, a letter first")]
pub struct NoOwner(pub String);

/// One key of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Who holds it.
    pub owner: Owner,
    /// Number of its line, from 1.
    pub line: usize,
    /// What it is.
    pub secret: Secret,
}

/// What a line holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Master secret of a TLS or DTLS connection up to version 1.2.
    Master {
        /// Names the connection.
        client_random: [u8; 32],
        /// The master secret.
        secret: [u8; 48],
    },
    /// A secret of a TLS 1.3 connection.
    Traffic {
        /// Which one.
        label: TrafficLabel,
        /// Names the connection; after a HelloRetryRequest both hellos have the same.
        client_random: [u8; 32],
        /// As long as the hash of the cipher suite: 32 or 48 bytes.
        secret: Vec<u8>,
    },
    /// Master key of one direction of SRTP.
    Srtp {
        /// Key and salt.
        master: MasterKey,
        /// The only stream that it is for, where the file says so.
        ssrc: Option<u32>,
    },
    /// A base key of SFrame.
    Sframe {
        /// Its cipher suite.
        suite: Suite,
        /// Its key id.
        key_id: u64,
        /// The base key.
        base_key: Vec<u8>,
    },
    /// Shared secret of a key agreement of `frames`, from which signalling makes every key of the
    /// call.
    Agree {
        /// The call.
        call_id: [u8; 16],
        /// What X25519 gave.
        z: [u8; 32],
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master { .. } => f.write_str("Master(…)"),
            Self::Traffic { label, .. } => write!(f, "Traffic({label:?}, …)"),
            Self::Srtp { master, ssrc } => write!(f, "Srtp({master:?}, ssrc {ssrc:x?})"),
            Self::Sframe { suite, key_id, .. } => write!(f, "Sframe({suite:?}, key id {key_id}, …)"),
            Self::Agree { .. } => f.write_str("Agree(…)"),
        }
    }
}

/// A secret of TLS 1.3, by its label in the NSS key log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrafficLabel {
    /// `CLIENT_EARLY_TRAFFIC_SECRET`
    ClientEarly,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`
    ClientApplication,
    /// `SERVER_TRAFFIC_SECRET_0`
    ServerApplication,
    /// `EXPORTER_SECRET`
    Exporter,
}

/// Why a line cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The first word is none that is known.
    #[error("`{0}` is no kind of key; use SRTP, SFRAME, AGREE or a label of the NSS key log")]
    UnknownKind(String),
    /// Too few words.
    #[error("the {0} is missing; write {1}")]
    Missing(&'static str, &'static str),
    /// A word after the last.
    #[error("`{0}` is one word too many; write {1}")]
    Extra(String, &'static str),
    /// No hex, or of another length. The text is not repeated, because it may be a secret.
    #[error("the {0} is not {1} in hex; copy it again")]
    NotHex(&'static str, &'static str),
    /// Not a decimal number, or too large.
    #[error("the {0} `{1}` is no decimal number; write one, without leading zeros")]
    NotDecimal(&'static str, String),
    /// An SRTP profile that cannot be opened.
    #[error("`{0}` is no profile that can be opened; use one of {known}", known = line::PROFILE_NAMES)]
    UnknownProfile(String),
    /// An SFrame cipher suite that cannot be opened.
    #[error("{0} is no SFrame cipher suite that can be opened; use 1 to 5")]
    UnknownSuite(u16),
    /// A key of another length than its profile's.
    #[error(transparent)]
    WrongLength(#[from] WrongLength),
    /// `name=value` with a name that the kind of key does not have.
    #[error("`{0}=` says nothing about this kind of key; leave it out")]
    UnknownOption(String),
    /// The same `name=` twice.
    #[error("`{0}=` stands twice; leave one out")]
    OptionTwice(&'static str),
    /// No `owner=`, and no owner for the file.
    #[error("this key has no owner; add owner=NAME to the line, or give the file as --keys OWNER:FILE")]
    Ownerless,
    /// An owner that cannot be one.
    #[error(transparent)]
    NoOwner(#[from] NoOwner),
}

/// A line that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct KeyFileError {
    /// Number of the line, from 1.
    pub line: usize,
    /// Why.
    pub error: LineError,
}

/// What a file holds. Both lists are in the order of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFile {
    /// The keys that can be used.
    pub keys: Vec<Key>,
    /// The lines that cannot, except comments and labels of the NSS key log that open nothing here.
    pub errors: Vec<KeyFileError>,
}

impl KeyFile {
    /// Reads a whole file. `owner` is the file's; a line's own `owner=` goes before it.
    pub fn parse(text: &str, owner: Option<&Owner>) -> Self {
        let mut file = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            match line::parse(line, owner) {
                Ok(Some((owner, secret))) => file.keys.push(Key { owner, line: number, secret }),
                Ok(None) => {}
                Err(error) => file.errors.push(KeyFileError { line: number, error }),
            }
        }
        file
    }
}

#[cfg(test)]
mod tests;
