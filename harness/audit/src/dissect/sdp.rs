//! What a session description says that the judge needs: fingerprints, codecs and set-up roles.
//!
//! Invariant: unknown lines are passed over; nothing that is asked for is guessed.

use std::collections::BTreeMap;

/// A session description (RFC 8866), as far as it is read here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// SHA-256 fingerprints (RFC 8122 §5) at session and media level, without duplicates.
    pub fingerprints: Vec<[u8; 32]>,
    /// Fingerprint lines that could not be read or name another hash.
    pub other_fingerprints: usize,
    /// Codec name in lower case by payload type, from `rtpmap` lines.
    pub codecs: BTreeMap<u8, String>,
    /// Protocols of the media lines, e.g. `UDP/TLS/RTP/SAVPF`.
    pub protocols: Vec<String>,
    /// Whether a key stands in the description (RFC 4568).
    pub has_crypto_line: bool,
}

impl Description {
    /// Reads the text of a description.
    pub fn parse(text: &str) -> Self {
        let mut description = Self::default();
        for line in text.lines().map(str::trim_end) {
            if let Some(value) = line.strip_prefix("a=fingerprint:") {
                match fingerprint(value) {
                    Some(found) if description.fingerprints.contains(&found) => {}
                    Some(found) => description.fingerprints.push(found),
                    None => description.other_fingerprints += 1,
                }
            } else if let Some((payload_type, codec)) = line.strip_prefix("a=rtpmap:").and_then(rtpmap) {
                description.codecs.insert(payload_type, codec);
            } else if let Some(value) = line.strip_prefix("m=") {
                description.protocols.extend(value.split(' ').nth(2).map(str::to_owned));
            } else if line.starts_with("a=crypto:") {
                description.has_crypto_line = true;
            }
        }
        description
    }
}

/// The SHA-256 of a certificate, 32 bytes, of an attribute `fingerprint` (RFC 8122 §5).
pub fn fingerprint(value: &str) -> Option<[u8; 32]> {
    let (hash, hex_pairs) = value.trim().split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    hex::decode(hex_pairs.trim().replace(':', "")).ok()?.try_into().ok()
}

/// Payload type, and codec name in lower case, of an attribute `rtpmap` (RFC 8866 §6.6).
pub fn rtpmap(value: &str) -> Option<(u8, String)> {
    let (payload_type, codec) = value.split_once(' ')?;
    Some((payload_type.parse().ok()?, codec.split('/').next()?.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fingerprints_and_codecs_are_read_once_each() {
        let line = format!("a=fingerprint:SHA-256 {}\r\n", ["AB"; 32].join(":"));
        let text =
            format!("v=0\r\n{line}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n{line}");
        let description = Description::parse(&text);
        assert_eq!(description.fingerprints, [[0xAB; 32]]);
        assert_eq!(description.codecs, BTreeMap::from([(111, "opus".to_owned())]));
        assert_eq!(description.protocols, ["UDP/TLS/RTP/SAVPF"]);
        assert_eq!(description.other_fingerprints, 0);
    }

    #[test]
    fn another_hash_and_a_short_fingerprint_are_counted_and_not_used() {
        let description =
            Description::parse("a=fingerprint:sha-1 AA\na=fingerprint:sha-256 AA:BB\na=crypto:1 x");
        assert_eq!((description.fingerprints.len(), description.other_fingerprints), (0, 2));
        assert!(description.has_crypto_line);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,200}") {
            Description::parse(&text);
            Description::parse(&format!("a=fingerprint:{text}\na=rtpmap:{text}\nm={text}"));
        }
    }
}
