//! ZRTP messages (RFC 6189 §5): the fields that everybody can read.
//!
//! Invariant: a message is what its own length says; the checksum behind it is not looked at, because UDP has one.

/// A message of ZRTP, from its preamble to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// All its bytes, which are what is hashed.
    pub bytes: &'a [u8],
}

/// The messages that carry hashes, and those that end the agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Hello`, with H3.
    Hello,
    /// `Commit`, with H2.
    Commit,
    /// `DHPart1` of the responder, with H1.
    Dh1,
    /// `DHPart2` of the initiator, with H1.
    Dh2,
    /// `Confirm1` or `Confirm2`: the sender has the keys.
    Confirm,
}

/// Bytes of a MAC at the end of a message (RFC 6189 §5.2).
pub const MAC: usize = 8;

impl<'a> Message<'a> {
    /// The message of a datagram, if it is one of [`Kind`] (RFC 6189 §5, §5.1.1).
    pub fn parse(datagram: &'a [u8]) -> Option<Self> {
        if datagram.get(4..8)? != b"ZRTP" || datagram.get(12..14)? != [0x50, 0x5A] {
            return None;
        }
        let words = u16::from_be_bytes(*datagram.get(14..16)?.first_chunk()?);
        let bytes = datagram.get(12..12 + 4 * usize::from(words))?;
        let kind = match bytes.get(4..12)? {
            b"Hello   " => Kind::Hello,
            b"Commit  " => Kind::Commit,
            b"DHPart1 " => Kind::Dh1,
            b"DHPart2 " => Kind::Dh2,
            b"Confirm1" | b"Confirm2" => Kind::Confirm,
            _ => return None,
        };
        Some(Self { kind, bytes })
    }
}

/// The hash image of a message's sender: H3 of a `Hello`, H2 of a `Commit`, H1 of a `DHPart` (RFC 6189 §9).
pub fn image(kind: Kind, message: &[u8]) -> Option<[u8; 32]> {
    let at = match kind {
        // Behind the version and the client's name (RFC 6189 §5.2).
        Kind::Hello => 32,
        Kind::Commit | Kind::Dh1 | Kind::Dh2 => 12,
        Kind::Confirm => return None,
    };
    message.get(at..at + 32)?.first_chunk().copied()
}

/// The name of the hash and the hash value of the initiator in a `Commit` of a Diffie-Hellman mode (RFC 6189 §5.4):
/// none in the other modes, whose messages are shorter.
pub fn commitment(commit: &[u8]) -> Option<(&[u8], &[u8])> {
    (commit.len() == 116).then_some(())?;
    Some((commit.get(56..60)?, commit.get(76..108)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(kind: &[u8; 8], words: u16, length: usize) -> Vec<u8> {
        let mut bytes = vec![0x10, 0, 0, 1];
        bytes.extend(b"ZRTP\0\0\0\x01\x50\x5a");
        bytes.extend(words.to_be_bytes());
        bytes.extend(kind);
        bytes.resize(12 + length, 7);
        bytes.extend([0; 4]);
        bytes
    }

    #[test]
    fn a_commit_has_an_image_and_a_commitment() {
        let datagram = datagram(b"Commit  ", 29, 116);
        let message = Message::parse(&datagram).expect("a message");
        assert_eq!((message.kind, message.bytes.len()), (Kind::Commit, 116));
        assert_eq!(image(message.kind, message.bytes), Some([7; 32]));
        assert_eq!(commitment(message.bytes), Some((&[7; 4][..], &[7; 32][..])));
        assert_eq!(commitment(&message.bytes[..100]), None);
    }

    #[test]
    fn what_is_cut_or_unknown_is_no_message() {
        assert_eq!(Message::parse(&datagram(b"Commit  ", 29, 100)), None);
        assert_eq!(Message::parse(&datagram(b"HelloACK", 3, 12)), None);
        assert_eq!(Message::parse(b"\x10\0\0\0ZRTP"), None);
        assert_eq!(image(Kind::Hello, &[0; 40]), None);
    }
}
