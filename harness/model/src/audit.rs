//! What an audit of captures came to (design, section 6): `overheard audit --format json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Tool;

/// The schema that this version writes.
pub const SCHEMA: &str = "overheard/audit/1";

/// Packets that a list names at most; how many there are stands beside it.
pub const LISTED_PACKETS: usize = 100;

words! {
    /// What a stream's packets are, from the point of view of who can read them; the first that holds.
    pub enum Protection {
        /// Readable without a key from end to end.
        Plaintext = "plaintext",
        /// Protected, but some media packet can be read or forged with what the capture itself holds.
        Broken = "broken",
        /// A key of a middle party opens it, and the inside is a codec.
        TransportOnly = "transport-only",
        /// What was held of middle parties opens the hop and not the inside, or not even the hop.
        EndToEndConsistent = "end-to-end-consistent",
        /// Fewer than 8 packets, and no key fits.
        Insufficient = "insufficient",
        /// Nothing of the above could be shown.
        EncryptedUndetermined = "encrypted-undetermined",
    }
}

words! {
    /// What all media streams together come to.
    pub enum AuditVerdict {
        /// Every media stream is consistent with end-to-end encryption.
        EndToEndConsistent = "end-to-end-consistent",
        /// Somebody beside the two ends can read or forge some media stream.
        NotEndToEnd = "not-end-to-end",
        /// Neither was shown.
        Inconclusive = "inconclusive",
    }
}

words! {
    /// How much a finding weighs.
    pub enum Severity {
        /// Somebody can read or forge media, or will be able to.
        Failure = "failure",
        /// A weakness that gives nothing away by itself.
        Warning = "warning",
        /// What an observer learns beside the content.
        Advisory = "advisory",
    }
}

/// A judged set of captures.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Audit {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the tool that judged.
    pub tool: Tool,
    /// The worst that is shown of any media stream.
    pub verdict: AuditVerdict,
    /// The captures, in the order in which they were given.
    pub captures: Vec<CaptureFile>,
    /// Packets by class.
    pub packets: BTreeMap<String, u64>,
    /// Every media stream, those first of which the worst is shown.
    pub streams: Vec<AuditStream>,
    /// Every DTLS handshake.
    pub handshakes: Vec<Handshake>,
    /// Every finding.
    pub findings: Vec<AuditFinding>,
    /// What the captures do not answer.
    pub not_concluded: Vec<NotConcluded>,
    /// Whether addresses and names are replaced by pseudonyms.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redacted: bool,
    /// The keys that were given, by owner.
    #[serde(default)]
    pub keys: Vec<KeysGiven>,
}

/// The JSON Schema of an audit; unknown keys are allowed, so that later versions may add some.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Audit).to_value()
}

/// A capture as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CaptureFile {
    /// Its name; `-` for standard input.
    pub file: String,
    /// SHA-256 of the file as received, in hex; null where it was left out.
    pub sha256: Option<String>,
    /// SHA-256 of what it unpacked to, where it was compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpacked_sha256: Option<String>,
    /// Packets that were read.
    pub packets: u64,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// Time of the first packet in nanoseconds from 1970, in decimal; null where no time is known.
    #[serde(default)]
    pub first_ns: Option<String>,
    /// Time of the last one.
    #[serde(default)]
    pub last_ns: Option<String>,
    /// Where it could not be read.
    pub problems: Vec<CaptureProblem>,
}

/// A place at which a capture could not be read.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CaptureProblem {
    /// Bytes from the start of the unpacked file.
    pub offset: u64,
    /// What is wrong there.
    pub text: String,
}

/// One SSRC of one direction of one five-tuple on one interface.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct AuditStream {
    /// Names the stream within this audit.
    pub id: String,
    /// `rtp` where it is plaintext, else `srtp`.
    pub protocol: String,
    /// Index of the capture.
    #[serde(default)]
    pub capture: usize,
    /// The interface that saw it.
    pub interface: String,
    /// Address and port of the sender.
    pub source: String,
    /// Address and port of the receiver.
    pub destination: String,
    /// The synchronisation source, 8 hex digits.
    pub ssrc: String,
    /// The payload type of most packets.
    pub payload_type: u8,
    /// The codec, where description or structure tells it.
    pub codec: Option<String>,
    /// Bytes of a header of the product's own that stand before the RTP header in each datagram; left out where there are
    /// none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rtp_offset: u8,
    /// Packets.
    pub packets: u64,
    /// Number of the first packet.
    #[serde(default)]
    pub first_packet: u64,
    /// Number of the last packet.
    #[serde(default)]
    pub last_packet: u64,
    /// Who can read it.
    pub protection: Protection,
    /// What that rests on.
    pub why: String,
    /// What the given keys open.
    pub opened: Vec<Opened>,
    /// Names of the checks with a finding about this stream.
    pub findings: Vec<String>,
    /// What its packets were over time, in at most 64 spans of equal numbers of packets; only of the first streams of an
    /// audit, and only where times are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Span>,
    /// How concentrated the values of the first payload bytes are, by their offset behind the RTP header, inside the
    /// hop where it was opened; only of the first streams of an audit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(offset: &u8) -> bool {
    *offset == 0
}

/// Packets of a stream during a span of time. What is neither plaintext nor opened nor refused is protected.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Span {
    /// When it begins, in nanoseconds from 1970, in decimal.
    pub from_ns: String,
    /// When it ends.
    pub to_ns: String,
    /// Packets.
    pub packets: u64,
    /// Of those, readable without a key.
    pub plaintext: u64,
    /// Of those, opened with a key that was given or that the capture holds.
    pub opened: u64,
    /// Of those, not opened by the key that opens others of the stream.
    pub refused: u64,
}

/// One offset of a stream's payloads, added up over windows of at most 128 packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Column {
    /// Bytes behind the RTP header.
    pub offset: u64,
    /// Packets that have the most frequent value of their window.
    pub same: u64,
    /// How many these would be on the average if the bytes were random.
    pub by_chance: u64,
    /// Packets that have a byte there.
    pub of: u64,
}

/// Packets of a stream that a key opens.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Opened {
    /// `srtp` or `sframe`.
    pub layer: String,
    /// Who holds the key, by the submitter's statement; `capture` where the capture itself holds it.
    pub owner: String,
    /// How many packets.
    pub packets: u64,
}

/// A DTLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Handshake {
    /// Index of the capture.
    pub capture: usize,
    /// The interface that saw it.
    pub interface: String,
    /// Address and port of the client.
    pub client: String,
    /// Address and port of the server.
    pub server: String,
    /// The version that was agreed on, such as `DTLS 1.2`; null where none is seen.
    pub version: Option<String>,
    /// The cipher suite, four hex digits or its name.
    pub cipher_suite: Option<String>,
    /// The SRTP profile.
    pub srtp_profile: Option<String>,
    /// SHA-256 of the client's certificate in hex.
    pub client_fingerprint: Option<String>,
    /// SHA-256 of the server's certificate in hex.
    pub server_fingerprint: Option<String>,
    /// Numbers of its packets, the first hundred.
    pub packets: Vec<u64>,
}

/// Something that was shown.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AuditFinding {
    /// The check that found it.
    pub check: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What was found.
    pub text: String,
    /// Index of the capture.
    pub capture: usize,
    /// The packets that show it, at most a hundred.
    pub packets: Vec<u64>,
    /// How many there are.
    pub packets_total: u64,
    /// A Wireshark display filter that shows them.
    pub filter: String,
}

/// Something that the captures do not answer.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct NotConcluded {
    /// What is open.
    pub text: String,
    /// Which further evidence would settle it.
    pub would_settle_it: String,
}

/// Keys that a submitter handed over.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct KeysGiven {
    /// Who holds them, by the submitter's statement.
    pub owner: String,
    /// How many.
    pub keys: usize,
    /// Whether the submitter declared them to be all that the owner holds.
    pub complete: bool,
}
