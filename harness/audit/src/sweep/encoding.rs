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
    at: usize,
    /// Where each byte came from in that string; empty where only the run is known.
    positions: Vec<usize>,
}

impl Layer {
    /// Where in the string that was looked at the byte at `at` of this layer came from: the start of its run, or the
    /// place itself where escapes were undone.
    pub fn origin(&self, at: usize) -> usize {
        if self.undone.is_empty() { at } else { self.positions.get(at).copied().unwrap_or(self.at) }
    }
}

/// Every layer of `bytes`, as they stood first.
pub fn layers(bytes: &[u8]) -> Vec<Layer> {
    let whole = Layer { undone: Vec::new(), bytes: bytes.to_vec(), at: 0, positions: Vec::new() };
    let mut found = vec![whole];
    let mut next = 0;
    while let Some(layer) = found.get(next).filter(|layer| layer.undone.len() < DEPTH).cloned() {
        next += 1;
        for run in undo(&layer.bytes) {
            found.push(Layer {
                undone: layer.undone.iter().copied().chain([run.encoding]).collect(),
                bytes: run.bytes,
                at: layer.origin(run.at),
                positions: run.positions.iter().map(|at| layer.origin(*at)).collect(),
            });
        }
    }
    found
}

/// One encoding undone.
struct Run {
    encoding: Encoding,
    /// Where it starts.
    at: usize,
    bytes: Vec<u8>,
    /// Where each byte came from; empty where the start is all that is known.
    positions: Vec<usize>,
}

/// One encoding undone, wherever there is one.
fn undo(bytes: &[u8]) -> Vec<Run> {
    let mut found = Vec::new();
    let mut add = |encoding, at, bytes| found.push(Run { encoding, at, bytes, positions: Vec::new() });
    for (at, run) in runs(bytes, |byte| byte.is_ascii_hexdigit()) {
        add(Encoding::Hex, at, pairs(run));
        if run.len() % 2 == 1 {
            add(Encoding::Hex, at + 1, pairs(run.get(1..).unwrap_or_default()));
        }
    }
    for (at, run) in runs(bytes, |byte| byte.is_ascii_hexdigit() || byte == b':') {
        let digits: Vec<u8> = run.iter().copied().filter(|byte| *byte != b':').collect();
        if digits.len() < run.len() {
            add(Encoding::Hex, at, pairs(&digits));
        }
    }
    base64(bytes, add);
    let escaped = bytes.iter().any(|byte| *byte == b'\\' || *byte >= 0x80);
    for (encoding, applies, undo) in [
        (Encoding::Json, escaped, unescaped as fn(&[u8]) -> Vec<(usize, u8)>),
        (Encoding::Percent, bytes.contains(&b'%'), percent),
    ] {
        let undone = if applies { undo(bytes) } else { Vec::new() };
        if applies && undone.len() < bytes.len() {
            let (positions, bytes) = undone.into_iter().unzip();
            found.push(Run { encoding, at: 0, bytes, positions });
        }
    }
    found.retain(|run| run.bytes.len() >= SHORTEST);
    found
}

fn base64(bytes: &[u8], mut add: impl FnMut(Encoding, usize, Vec<u8>)) {
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
                decoded.into_iter().for_each(|decoded| add(encoding, at + skipped, decoded));
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

/// Bytes with the escapes of a JSON string undone, each with its place. Every character up to U+00FF is one byte,
/// because that is how bytes come into a text; what is no text stays as it is.
fn unescaped(bytes: &[u8]) -> Vec<(usize, u8)> {
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (length, code) = match (byte, bytes.get(at + 1)) {
            // Two bytes of UTF-8 for U+0080 to U+00FF (RFC 3629 §3).
            (0xC2 | 0xC3, Some(next @ 0x80..=0xBF)) => (2, u32::from(byte & 3) << 6 | u32::from(next & 0x3F)),
            (b'\\', Some(b'u')) => match escaped(bytes, at + 2) {
                Some(code) => (6, code),
                None => (1, u32::from(*byte)),
            },
            (b'\\', Some(letter)) => (2, u32::from(meant(*letter))),
            _ => (1, u32::from(*byte)),
        };
        match u8::try_from(code) {
            Ok(byte) => found.push((at, byte)),
            Err(_) => {
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                found.extend(character.encode_utf8(&mut [0; 4]).bytes().map(|byte| (at, byte)));
            }
        }
        at += length;
    }
    found
}

/// The four hex digits at `at`.
fn escaped(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(at..at + 4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

/// What a letter behind a backslash stands for (RFC 8259 §7).
const fn meant(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        other => other,
    }
}

/// Bytes with percent escapes undone, each with its place.
fn percent(bytes: &[u8]) -> Vec<(usize, u8)> {
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| hex::decode(digits).ok()).as_deref() {
            Some([byte]) => {
                found.push((at, *byte));
                at += 3;
            }
            _ => {
                found.push((at, *byte));
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
        assert_eq!(layer.origin(7), 4);
    }

    #[test]
    fn escapes_keep_the_place_of_every_byte() {
        let layers = layers(b"12345678%41\\n%42");
        let undone = |encodings: &[Encoding]| layers.iter().find(|l| l.undone == encodings).expect("undone");
        assert_eq!(undone(&[Encoding::Percent]).origin(8), 8);
        let both = undone(&[Encoding::Percent, Encoding::Json]);
        assert_eq!((both.bytes.as_slice(), both.origin(9), both.origin(10)), (&b"12345678A\nB"[..], 11, 13));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(&layers(&bytes)[0].bytes, &bytes);
        }

        #[test]
        fn any_text_of_escapes_is_taken(text in "[%\\\\u0-9a-fA-F:+/_=\"-]{0,200}") {
            prop_assert!(layers(text.as_bytes()).iter().all(|layer| layer.origin(0) <= text.len()));
        }
    }
}
