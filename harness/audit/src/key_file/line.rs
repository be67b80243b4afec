//! One line of a key file.

use super::{LineError, Owner, Secret, TrafficLabel};
use crate::sframe::Suite;
use crate::srtp::{MasterKey, Profile};

/// The names of [`Profile::ALL`], as an error lists them; a test compares the two.
pub(super) const PROFILE_NAMES: &str =
    "SRTP_AES128_CM_HMAC_SHA1_80, SRTP_AES128_CM_HMAC_SHA1_32, SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM";

const NSS: &str = "LABEL <client random> <secret>";
const SRTP: &str = "SRTP <profile> <master key and salt>";
const SFRAME: &str = "SFRAME <cipher suite> <key id> <base key>";
const AGREE: &str = "AGREE <call id> <z>";

/// Labels that key logs hold and that open nothing here.
const OTHER_NSS_LABELS: [&str; 6] = [
    "EARLY_EXPORTER_SECRET",
    "EARLY_EXPORTER_MASTER_SECRET",
    "ECH_CONFIG",
    "ECH_SECRET",
    "PMS_CLIENT_RANDOM",
    "RSA",
];

/// Reads a line; none when it holds nothing to use: blank, a comment, or a label that opens nothing
/// here.
pub(super) fn parse(line: &str, file_owner: Option<&Owner>) -> Result<Option<(Owner, Secret)>, LineError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = Words::split(line);
    let kind = words.next().unwrap_or_default();
    let secret = match kind {
        "SRTP" => srtp(&mut words)?,
        "SFRAME" => sframe(&mut words)?,
        "AGREE" => agree(&mut words)?,
        "CLIENT_RANDOM" => master(&mut words)?,
        label => match traffic_label(label) {
            Some(label) => traffic(label, &mut words)?,
            None if OTHER_NSS_LABELS.contains(&label) => return Ok(None),
            // A line that begins with bytes in hex has lost its kind, and the bytes may be a
            // secret.
            None if label.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                return Err(LineError::UnknownKind(short(label)));
            }
            None => return Err(LineError::UnknownKind(label.to_owned())),
        },
    };
    let owner = match words.options.owner {
        Some(name) => Owner::named(name)?,
        None => file_owner.cloned().ok_or(LineError::Ownerless)?,
    };
    Ok(Some((owner, secret)))
}

fn srtp(words: &mut Words<'_>) -> Result<Secret, LineError> {
    let name = words.need("profile", SRTP)?;
    let profile = Profile::named(name).ok_or_else(|| LineError::UnknownProfile(name.to_owned()))?;
    let key = bytes(words.need("key", SRTP)?, "master key and salt", "whole bytes")?;
    words.finish(SRTP, &["owner", "ssrc"])?;
    let ssrc = match words.options.ssrc {
        None => None,
        Some(text) => Some(u32::from_be_bytes(array(text, "SSRC", "4 bytes")?)),
    };
    Ok(Secret::Srtp { master: MasterKey::new(profile, &key)?, ssrc })
}

fn sframe(words: &mut Words<'_>) -> Result<Secret, LineError> {
    let number = decimal(words.need("cipher suite", SFRAME)?, "cipher suite")?;
    let number =
        u16::try_from(number).map_err(|_| LineError::NotDecimal("cipher suite", number.to_string()))?;
    let suite = Suite::numbered(number).ok_or(LineError::UnknownSuite(number))?;
    let key_id = decimal(words.need("key id", SFRAME)?, "key id")?;
    let base_key = bytes(words.need("base key", SFRAME)?, "base key", "whole bytes")?;
    words.finish(SFRAME, &["owner"])?;
    Ok(Secret::Sframe { suite, key_id, base_key })
}

fn agree(words: &mut Words<'_>) -> Result<Secret, LineError> {
    let call_id = array(words.need("call id", AGREE)?, "call id", "16 bytes")?;
    let z = array(words.need("z", AGREE)?, "z", "32 bytes")?;
    words.finish(AGREE, &["owner"])?;
    Ok(Secret::Agree { call_id, z })
}

fn master(words: &mut Words<'_>) -> Result<Secret, LineError> {
    let client_random = array(words.need("client random", NSS)?, "client random", "32 bytes")?;
    let secret = array(words.need("master secret", NSS)?, "master secret", "48 bytes")?;
    words.finish(NSS, &["owner"])?;
    Ok(Secret::Master { client_random, secret })
}

fn traffic(label: TrafficLabel, words: &mut Words<'_>) -> Result<Secret, LineError> {
    let client_random = array(words.need("client random", NSS)?, "client random", "32 bytes")?;
    let secret = bytes(words.need("secret", NSS)?, "secret", "32 or 48 bytes")?;
    words.finish(NSS, &["owner"])?;
    if !matches!(secret.len(), 32 | 48) {
        return Err(LineError::NotHex("secret", "32 or 48 bytes"));
    }
    Ok(Secret::Traffic { label, client_random, secret })
}

fn traffic_label(label: &str) -> Option<TrafficLabel> {
    Some(match label {
        "CLIENT_EARLY_TRAFFIC_SECRET" => TrafficLabel::ClientEarly,
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET" => TrafficLabel::ClientHandshake,
        "SERVER_HANDSHAKE_TRAFFIC_SECRET" => TrafficLabel::ServerHandshake,
        "CLIENT_TRAFFIC_SECRET_0" => TrafficLabel::ClientApplication,
        "SERVER_TRAFFIC_SECRET_0" => TrafficLabel::ServerApplication,
        "EXPORTER_SECRET" => TrafficLabel::Exporter,
        _ => return None,
    })
}

/// The words of a line, and what its `name=value` words say.
struct Words<'a> {
    rest: std::str::SplitAsciiWhitespace<'a>,
    options: Options<'a>,
}

#[derive(Default)]
struct Options<'a> {
    owner: Option<&'a str>,
    ssrc: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn split(line: &'a str) -> Self {
        Self { rest: line.split_ascii_whitespace(), options: Options::default() }
    }

    fn next(&mut self) -> Option<&'a str> {
        self.rest.next()
    }

    fn need(&mut self, what: &'static str, form: &'static str) -> Result<&'a str, LineError> {
        self.next().filter(|word| !word.contains('=')).ok_or(LineError::Missing(what, form))
    }

    /// Reads the options, which are all that may be left.
    fn finish(&mut self, form: &'static str, allowed: &[&str]) -> Result<(), LineError> {
        while let Some(word) = self.next() {
            let Some((name, value)) = word.split_once('=') else {
                return Err(LineError::Extra(short(word), form));
            };
            let (name, place) = match name {
                "owner" => ("owner", &mut self.options.owner),
                "ssrc" if allowed.contains(&"ssrc") => ("ssrc", &mut self.options.ssrc),
                other => return Err(LineError::UnknownOption(other.to_owned())),
            };
            if place.replace(value).is_some() {
                return Err(LineError::OptionTwice(name));
            }
        }
        Ok(())
    }
}

/// The start of a word that may be a secret.
fn short(word: &str) -> String {
    match word.char_indices().nth(8) {
        None => word.to_owned(),
        Some((end, _)) => format!("{}…", &word[..end]),
    }
}

fn bytes(text: &str, what: &'static str, length: &'static str) -> Result<Vec<u8>, LineError> {
    hex::decode(text).map_err(|_| LineError::NotHex(what, length))
}

fn array<const N: usize>(text: &str, what: &'static str, length: &'static str) -> Result<[u8; N], LineError> {
    bytes(text, what, length)?.try_into().map_err(|_| LineError::NotHex(what, length))
}

fn decimal(text: &str, what: &'static str) -> Result<u64, LineError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or_else(|| LineError::NotDecimal(what, short(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_lists_every_profile() {
        assert_eq!(Profile::ALL.map(Profile::name).join(", "), PROFILE_NAMES);
    }
}
