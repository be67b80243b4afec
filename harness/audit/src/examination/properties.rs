//! The properties that an audit asks of captures made by anybody, each with its page.
//!
//! Invariant: a finding bears the name of one of these, or of a check of runs that asks the same.

/// A property that captures are asked for.
pub struct Property {
    /// What reports and `explain` call it.
    pub name: &'static str,
    /// The property in one phrase, without a full stop.
    pub summary: &'static str,
    /// The page, in Markdown with three headings.
    pub page: &'static str,
}

/// Media that anybody can read.
pub const NOTHING_IN_THE_CLEAR: Property = Property {
    name: "streams/nothing-in-the-clear",
    summary: "no media packet can be read without a key",
    page: "## What it checks
Every media packet of every stream: whether its payload has structure that random bytes do not have, whether it is too
short to hold media and a tag, and, where keys open the stream, whether it is one that they do not open and that begins
like those which they do.

## Why it matters
Encryption that begins late, or is left out for single packets, is the commonest fault of calling products, and it leaves
no error behind.

## How it decides
A stream is readable when some window of 64 packets shows structure that random bytes show with a probability below
10^-9, corrected for all places and windows that were looked at and, over all streams, by Holm's procedure. No packet is
called readable by its own bytes alone, except one that is too short to be protected.
",
};

/// One keystream over two texts.
pub const KEYSTREAM_IS_USED_ONCE: Property = Property {
    name: "streams/keystream-is-used-once",
    summary: "no two payloads are encrypted with the same keystream",
    page: "## What it checks
Packets of one stream with the same index and different payloads, frames with the same key and counter and different
contents, and streams with one SSRC whose first packets differ only as two plaintexts do.

## Why it matters
The exclusive or of two such ciphertexts is that of the two plaintexts: no key is needed to read them (RFC 3711 §9.1).

## How it decides
It fails where an index is seen twice with other bytes that are not part of a tag, where two frames under one key share a
counter, and where the equal bytes of two streams are too many for independent keystreams (probability below 10^-9). A
packet that was merely recorded twice does not count. A key that opens what both of two ends send is a warning: only
the SSRC keeps the keystreams apart.
",
};

/// The same packet again.
pub const PACKETS_ARE_NOT_REPLAYED: Property = Property {
    name: "streams/packets-are-not-replayed",
    summary: "no packet is sent a second time",
    page: "## What it checks
Packets of one stream whose index, length and first and last bytes were seen before.

## Why it matters
A receiver that accepts a packet twice plays what somebody recorded earlier.

## How it decides
Equal packets more than 5 ms apart are named as replayed; closer ones are the capture's doing. What the receiver did with
them a capture does not show. Only the last 64 indices of a stream are remembered.
",
};

/// Packets that a key should open.
pub const PACKETS_AUTHENTICATE: Property = Property {
    name: "streams/packets-authenticate",
    summary: "under the key of a stream every one of its packets opens",
    page: "## What it checks
Where a given key opens packets of a stream: the packets that it does not open.

## Why it matters
They were changed on the way, injected, sent under another key, or sent in the clear.

## How it decides
Each packet after the first that opened is tried with the likely roll-over counter and its two neighbours. Those that
begin like what opened are reported as sent in the clear instead.
",
};

/// Frames without a seal.
pub const EVERY_FRAME_IS_SEALED: Property = Property {
    name: "streams/every-frame-is-sealed",
    summary: "inside the hop every frame is sealed once one is",
    page: "## What it checks
Where keys open the hop and a frame layer stands inside: the frames that have none.

## Why it matters
Whoever ends the hop reads such frames. A sending transform that is set late, or fails for single frames, makes them.

## How it decides
It fails with the frames that do not open under the key that opened the others, while most frames do. Without keys of
frames it takes those that have no header of the layer while most frames have one that goes on: it fails where they have
the structure of media, and warns where they do not tell.
",
};

/// Header extensions that anybody can read.
pub const HEADER_EXTENSIONS: Property = Property {
    name: "metadata/header-extensions",
    summary: "what header extensions say is not readable",
    page: "## What it checks
Streams whose packets carry RTP header extensions in the clear; those of RFC 9335 (Cryptex) are not.

## Why it matters
The audio level (RFC 6464) tells who speaks when; other extensions identify a sender across sessions.

## How it decides
It counts the packets with an extension. It is advisory: SRTP leaves headers readable by design.
",
};

/// Lengths that tell of what is said.
pub const PACKET_LENGTHS: Property = Property {
    name: "metadata/packet-lengths",
    summary: "payload lengths do not follow what is said",
    page: "## What it checks
The spread of the payload lengths of streams of at least 100 packets, in bits a packet, and pauses in sending.

## Why it matters
Lengths of variable-rate speech give away phrases and language without any key (RFC 6562 §2).

## How it decides
More than half a bit a packet is reported. It is advisory.
",
};

/// RTCP that anybody can read.
pub const RTCP_IN_THE_CLEAR: Property = Property {
    name: "metadata/rtcp-in-the-clear",
    summary: "RTCP beside protected media is protected",
    page: "## What it checks
RTCP packets whose lengths tile their datagram, on ways whose media are protected.

## Why it matters
Reports tell loss, delay and names (CNAME); feedback that is not authenticated can be forged.

## How it decides
It names the packets and the kinds of reports in them. SRTCP never tiles its datagram, because of the index and tag at its end.
",
};

/// Names in the clear.
pub const STABLE_IDENTIFIERS: Property = Property {
    name: "metadata/stable-identifiers",
    summary: "no name in the clear lets an observer know a user or a device again",
    page: "## What it checks
User names, realms and software in messages of STUN and TURN, canonical names (CNAME) in RTCP in the clear, and certificates of DTLS 1.2 that serve in several
handshakes.

## Why it matters
Encryption of the media does not hide who calls whom, how often, or with which program, where such names stand beside it.

## How it decides
It is told and fails nothing: how many packets carry a name of each kind, and how many different ones; the names themselves
are not repeated.
",
};

/// Keys that anybody can read.
pub const NO_KEY_IN_THE_CLEAR: Property = Property {
    name: "signalling/no-key-in-the-clear",
    summary: "no key of media stands in readable signalling",
    page: "## What it checks
Session descriptions in SIP over UDP and TCP: lines with keys of SRTP (RFC 4568).

## Why it matters
Whoever recorded the packets holds such a key, and everybody whom the signalling passed.

## How it decides
Each key is tried on every stream; a stream that one opens is broken. Keys of suites that are not opened here are
reported all the same.
",
};

/// Keys that can be guessed, or read by a middle party.
pub const KEYS_ARE_NOT_GIVEN_AWAY: Property = Property {
    name: "keys/are-not-given-away",
    summary: "no key of the two parties can be guessed, or read by whoever carries the call",
    page: "## What it checks
In an audit with keys: whether a key that only the two parties were given opens to somebody else who guesses it, or finds it
in what that party can read: signalling that opens with its secrets, SIP and WebSocket in the clear, header extensions,
padding, RTCP, attributes of STUN and whatever else no protocol fixes.

## Why it matters
Encrypted media are open to the service when its signalling, a log or a header carries the key, or when the key follows
from the call id.

## How it decides
By the code that judges runs: each guess, and each window of the readable bytes, as it stands and after encodings are
undone, is tried as every secret of the key schedule, and what opens a frame is such a secret. A part of eight bytes of a
given key is looked for as well. The finding says where the secret stands and in which packet, and never what it is. It is
done to signalling, handshakes and the start of each stream, up to a bound (`--sweep`); what was left, and a planted key
that was not found, is told under what was not concluded. A key that is masked or hidden on purpose is not found.
",
};

/// Descriptions without protection.
pub const MEDIA_ARE_PROTECTED: Property = Property {
    name: "sdp/media-are-protected",
    summary: "session descriptions ask for protected media",
    page: "## What it checks
Media lines of readable session descriptions: whether their profile is one with protection.

## Why it matters
`RTP/AVP` asks for media in the clear, whatever the product calls the call.

## How it decides
It names the packets with such lines. It is a warning: what the media are is judged from the media.
",
};

/// Hashes of ZRTP that fit.
pub const ZRTP_HASHES_FIT: Property = Property {
    name: "zrtp/hashes-fit",
    summary: "the hashes of a ZRTP handshake fit together",
    page: "## What it checks
The chain of hash images in Hello, Commit, DHPart and Confirm, and the hash of the Hello against `a=zrtp-hash` where a
description has one (RFC 6189 §9, §8.1).

## Why it matters
A message that somebody in the middle replaced breaks the chain.

## How it decides
It fails where a revealed image does not hash to the one before it. A man in the middle of the whole exchange keeps the
chain: only the short authentication string shows him.
",
};

/// Every property.
pub static PROPERTIES: &[Property] = &[
    NOTHING_IN_THE_CLEAR,
    KEYSTREAM_IS_USED_ONCE,
    EVERY_FRAME_IS_SEALED,
    PACKETS_AUTHENTICATE,
    PACKETS_ARE_NOT_REPLAYED,
    NO_KEY_IN_THE_CLEAR,
    KEYS_ARE_NOT_GIVEN_AWAY,
    MEDIA_ARE_PROTECTED,
    ZRTP_HASHES_FIT,
    RTCP_IN_THE_CLEAR,
    STABLE_IDENTIFIERS,
    HEADER_EXTENSIONS,
    PACKET_LENGTHS,
];

/// The property with this name.
pub fn named(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_pages_have_three_parts() {
        for (at, property) in PROPERTIES.iter().enumerate() {
            assert!(PROPERTIES.iter().skip(at + 1).all(|other| other.name != property.name));
            assert!(crate::checks::named(property.name).is_none(), "{} is a check of runs", property.name);
            for part in ["## What it checks\n", "\n## Why it matters\n", "\n## How it decides\n"] {
                assert!(property.page.contains(part), "{} lacks {part:?}", property.name);
            }
        }
    }
}
