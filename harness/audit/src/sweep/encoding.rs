//! Undoing encodings: hex, base64, base64url, JSON escapes and percent escapes, one inside the other.
//!
//! Invariant: whatever a decoder of the encoding reads in a run of its characters is read here; nothing is undone
//! deeper than [`DEPTH`].

use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Encodings inside each other that are undone.
pub const DEPTH: usize = 3;

/// Bytes that a decoded run must hold to be looked at: as many as the search looks for.
const SHORTEST: usize = 8;

/// Last bits that do not count are ignored, because bad encoders leave any.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::RequireNone);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// An encoding of bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// Hexadecimal digits, with or without colons between the pairs.
    Hex,
    /// RFC 4648 §4, with or without padding.
    Base64,
    /// RFC 4648 §5, likewise.
    Base64Url,
    /// A JSON string (RFC 8259 §7); a character up to U+00FF stands for one byte.
    Json,
    /// RFC 3986 §2.1.
    Percent,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 5] = [Self::Hex, Self::Base64, Self::Base64Url, Self::Json, Self::Percent];
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Json => "JSON escapes",
            Self::Percent => "percent escapes",
        })
    }
}

/// What came out of a run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What was undone, the outermost first; empty for the bytes as they stood.
    pub undone: Vec<Encoding>,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the outermost run starts in the string that was looked at.
    pub at: usize,
}

/// Every layer of `bytes`, as they stood first.
pub fn layers(bytes: &[u8]) -> Vec<Layer> {
    let mut found = vec![Layer { undone: Vec::new(), bytes: bytes.to_vec(), at: 0 }];
    let mut next = 0;
    while let Some(layer) = found.get(next) {
        next += 1;
        if layer.undone.len() == DEPTH {
            continue;
        }
        for (encoding, at, bytes) in undo(&layer.bytes) {
            let Some(layer) = found.get(next - 1) else { break };
            let undone = layer.undone.iter().copied().chain([encoding]).collect();
            let at = if layer.undone.is_empty() { at } else { layer.at };
            found.push(Layer { undone, bytes, at });
        }
    }
    found
}

/// One encoding undone, wherever there is one: which, where its run starts, and what came out.
fn undo(bytes: &[u8]) -> Vec<(Encoding, usize, Vec<u8>)> {
    let mut found = Vec::new();
    for (at, run) in runs(bytes, |byte| byte.is_ascii_hexdigit()) {
        found.push((Encoding::Hex, at, pairs(run)));
        if run.len() % 2 == 1 {
            found.push((Encoding::Hex, at + 1, pairs(run.get(1..).unwrap_or_default())));
        }
    }
    for (at, run) in runs(bytes, |byte| byte.is_ascii_hexdigit() || byte == b':') {
        let digits: Vec<u8> = run.iter().copied().filter(|byte| *byte != b':').collect();
        if digits.len() < run.len() {
            found.push((Encoding::Hex, at, pairs(&digits)));
        }
    }
    base64(bytes, &mut found);
    if bytes.contains(&b'\\') || bytes.iter().any(|byte| *byte >= 0x80) {
        found.extend(unescaped(bytes).map(|bytes| (Encoding::Json, 0, bytes)));
    }
    if bytes.contains(&b'%') {
        let undone = percent(bytes);
        if undone.len() < bytes.len() {
            found.push((Encoding::Percent, 0, undone));
        }
    }
    found.retain(|(_, _, bytes)| bytes.len() >= SHORTEST);
    found
}

fn base64(bytes: &[u8], found: &mut Vec<(Encoding, usize, Vec<u8>)>) {
    let standard = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    for (encoding, engine, wanted) in [
        (Encoding::Base64, &STANDARD, &standard as &dyn Fn(u8) -> bool),
        (Encoding::Base64Url, &URL_SAFE, &url),
    ] {
        for (at, run) in runs(bytes, wanted) {
            if encoding == Encoding::Base64Url && !run.iter().any(|byte| b"-_".contains(byte)) {
                // The other alphabet has read it.
                continue;
            }
            // Characters before the first one of the encoding may be in its alphabet. A run of hex digits is hex.
            let hex = run.iter().all(u8::is_ascii_hexdigit);
            for skipped in 0..if hex { 1 } else { 4 } {
                let run = run.get(skipped..).unwrap_or_default();
                let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
                let decoded = engine.decode(run.get(..whole).unwrap_or_default());
                found.extend(decoded.ok().map(|decoded| (encoding, at + skipped, decoded)));
            }
        }
    }
}

/// Maximal runs of wanted bytes that are long enough to be the text of something.
fn runs(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<(usize, &[u8])> {
    let mut found = Vec::new();
    let mut at = 0;
    for run in bytes.split(|byte| !wanted(*byte)) {
        if run.len() > SHORTEST {
            found.push((at, run));
        }
        at += run.len() + 1;
    }
    found
}

/// Pairs of hex digits; a last single one is left out.
fn pairs(digits: &[u8]) -> Vec<u8> {
    hex::decode(digits.get(..digits.len() & !1).unwrap_or_default()).unwrap_or_default()
}

/// Bytes with the escapes of a JSON string undone. Every character up to U+00FF is one byte, because that is how bytes
/// come into a text; what is no text stays as it is. Nothing where that changes nothing.
fn unescaped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::with_capacity(bytes.len());
    let put = |found: &mut Vec<u8>, code: u32| match u8::try_from(code) {
        Ok(byte) => found.push(byte),
        Err(_) => {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            found.extend(character.encode_utf8(&mut [0; 4]).bytes());
        }
    };
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let length = match (byte, bytes.get(at + 1)) {
            // Two bytes of UTF-8 for U+0080 to U+00FF (RFC 3629 §3).
            (0xC2 | 0xC3, Some(next @ 0x80..=0xBF)) => {
                put(&mut found, u32::from(byte & 3) << 6 | u32::from(next & 0x3F));
                2
            }
            (b'\\', Some(b'u')) => {
                let digits = bytes.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                    Some(code) => {
                        put(&mut found, code);
                        6
                    }
                    None => {
                        found.push(*byte);
                        1
                    }
                }
            }
            (b'\\', Some(escaped)) => {
                found.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'f' => 12,
                    other => *other,
                });
                2
            }
            _ => {
                found.push(*byte);
                1
            }
        };
        at += length;
    }
    (found.len() < bytes.len()).then_some(found)
}

fn percent(bytes: &[u8]) -> Vec<u8> {
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped =
            (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten().and_then(|d| hex::decode(d).ok());
        match escaped.as_deref() {
            Some([byte]) => {
                found.push(*byte);
                at += 3;
            }
            _ => {
                found.push(*byte);
                at += 1;
            }
        }
    }
    found
}

/// The text of `bytes` in an encoding, as encoders usually write it. Controls are made with it.
pub fn encode(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Hex => hex::encode(bytes).into_bytes(),
        Encoding::Base64 => base64::engine::general_purpose::STANDARD.encode(bytes).into_bytes(),
        Encoding::Base64Url => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        Encoding::Json => bytes.iter().flat_map(|byte| format!("\\u{byte:04x}").into_bytes()).collect(),
        Encoding::Percent => bytes.iter().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const KEY: [u8; 16] = [0, 255, 62, 63, 128, 34, 92, 37, 250, 251, 5, 6, 7, 8, 9, 200];

    /// Text in which the two alphabets are alike is read by the first of them.
    fn found(text: &[u8], undone: &[Encoding]) -> bool {
        let alike = |undone: &[Encoding]| -> Vec<Encoding> {
            let one = |e: &Encoding| if *e == Encoding::Base64Url { Encoding::Base64 } else { *e };
            undone.iter().map(one).collect()
        };
        let of = |layer: &Layer| {
            alike(&layer.undone) == alike(undone) && layer.bytes.windows(16).any(|window| window == KEY)
        };
        layers(text).iter().any(of)
    }

    #[rstest]
    #[case::hex(Encoding::Hex)]
    #[case::base64(Encoding::Base64)]
    #[case::base64url(Encoding::Base64Url)]
    #[case::json(Encoding::Json)]
    #[case::percent(Encoding::Percent)]
    fn every_encoding_is_undone_alone_and_inside_every_other(#[case] outer: Encoding) {
        let quoted = |text: Vec<u8>| [b"{\"k\":\"", &text[..], b"\"}"].concat();
        assert!(found(&quoted(encode(outer, &KEY)), &[outer]));
        for inner in Encoding::ALL {
            let nested = encode(outer, &encode(inner, &KEY));
            assert!(found(&quoted(nested.clone()), &[outer, inner]), "{inner} inside {outer}");
            let deepest = encode(Encoding::Hex, &nested);
            assert!(
                found(&quoted(deepest), &[Encoding::Hex, outer, inner]),
                "{inner} inside {outer} inside hex"
            );
        }
    }

    #[rstest]
    #[case::upper_case(hex::encode_upper(KEY), Encoding::Hex)]
    #[case::behind_a_digit(format!("7{}", hex::encode(KEY)), Encoding::Hex)]
    #[case::colons(KEY.map(|byte| format!("{byte:02X}")).join(":"), Encoding::Hex)]
    #[case::behind_letters_of_the_alphabet(
        format!("key/{}", base64::engine::general_purpose::STANDARD.encode(KEY)), Encoding::Base64)]
    #[case::with_padding(base64::engine::general_purpose::URL_SAFE.encode(KEY), Encoding::Base64Url)]
    #[case::characters_of_two_bytes(
        serde_json::Value::String(KEY.iter().map(|byte| char::from(*byte)).collect()).to_string(), Encoding::Json)]
    fn other_spellings_are_read(#[case] text: String, #[case] encoding: Encoding) {
        assert!(found(format!("<{text}>").as_bytes(), &[encoding]));
    }

    #[test]
    fn nothing_is_undone_four_deep() {
        let text = (0..4).fold(KEY.to_vec(), |text, _| encode(Encoding::Hex, &text));
        assert!(layers(&text).iter().all(|layer| layer.undone.len() <= DEPTH && layer.bytes != KEY));
    }

    #[test]
    fn a_layer_says_where_its_run_starts() {
        let text = [b"tag=", &encode(Encoding::Hex, &KEY)[..]].concat();
        let layer = layers(&text).into_iter().find(|layer| layer.bytes == KEY).expect("the key");
        assert_eq!(layer.at, 4);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(&layers(&bytes)[0].bytes, &bytes);
        }

        #[test]
        fn any_text_of_escapes_is_taken(text in "[%\\\\u0-9a-fA-F:+/_=\"-]{0,200}") {
            prop_assert!(layers(text.as_bytes()).iter().all(|layer| layer.at <= text.len()));
        }
    }
}
