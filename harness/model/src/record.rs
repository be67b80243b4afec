//! The run record: the one thing that crosses from running to judging, as JSON lines.
//!
//! `record.jsonl` begins with a [`Header`], has one [`Line::World`] per variant and per twin, and ends with
//! [`Line::End`]; without the end the run is partial.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attack::Attack;
use crate::driver::DriverRecord;
use crate::identity::{DeviceId, Role};
use crate::media::{Direction, Kind};
use crate::outcome::Reason;
use crate::plan::{Control, NetKind, Plan, StepResult};
use crate::release::Feature;
pub use crate::stumble::{Blamed, Stumble};

/// The schema that this version writes; a record with another one is refused by name.
pub const SCHEMA: &str = "overheard/record/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the tool.
    pub tool: Tool,
    /// In decimal, because it has 64 bits.
    pub seed: String,
    /// The network of the run, unless a scenario's own.
    pub net: NetKind,
    /// Every variant that was going to run, unsupported ones included.
    pub planned: Vec<String>,
    /// Which part of a larger selection this run is, if it is only a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A part of a selection of variants that several runs share out among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The number of the part, from 1.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
    /// Every variant of the whole selection, so that a missing part is noticed.
    pub selected: Vec<String>,
}

/// Name and version of a tool.
#[derive(Clone, Debug, PartialEq, Eq, schemars::JsonSchema, Serialize, Deserialize)]
pub struct Tool {
    /// `overheard`.
    pub name: String,
    /// As in its manifest.
    pub version: String,
}

/// One line of the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// The first line.
    Header(Header),
    /// One variant or twin, run to its end or to what stopped it.
    World(Box<WorldRecord>),
    /// A variant that was not run, and why.
    Unsupported {
        /// The variant.
        unsupported: String,
        /// The capability or the network that is missing.
        reason: String,
        /// Its title.
        title: String,
        /// The chosen value of each matrix key.
        variant: Vec<(String, String)>,
    },
    /// The last line.
    End {
        /// Always true.
        end: bool,
    },
}

/// The files of one world, relative to the folder of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// `captures/<name>.pcapng`
    pub capture: String,
    /// `keys/<name>.parties.keys`
    pub parties: String,
    /// `keys/<name>.service.keys`
    pub service: String,
}

/// How much evidence a world wrote, so that what is gone afterwards is missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Packets in the capture.
    pub packets: u64,
    /// Keys in the parties' file.
    pub parties: u64,
    /// Keys in the service's file.
    pub service: u64,
}

words! {
    /// Whether a world is a variant or the control run of one.
    pub enum WorldKind {
        /// What the scenario asks for.
        Variant = "variant",
        /// The control run.
        Twin = "twin",
    }
}

/// What one world did, as its nodes tell it, beside what its capture shows.
///
/// Times are nanoseconds of the world's clock from its start; the capture's time stamps are `epoch_ns` later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorldRecord {
    /// Variant or twin.
    pub world: WorldKind,
    /// The id of the variant; of a twin, the id of the first variant that needed it.
    pub id: String,
    /// What was run: of a twin, the rewritten plan.
    pub plan: Plan,
    /// Which network it ran on.
    pub net: NetKind,
    /// Where its evidence lies.
    pub files: Files,
    /// How much evidence lies there.
    #[serde(default)]
    pub written: Written,
    /// The id under which the variant's twin is recorded, where there is one.
    pub twin: Option<String>,
    /// The time stamp of the world's start, in nanoseconds from 1970.
    pub epoch_ns: u64,
    /// When the world ended.
    pub ended_ns: u64,
    /// The schedule digest in hex; none over loopback.
    pub schedule: Option<String>,
    /// Access links and the addresses behind them.
    pub links: Vec<Link>,
    /// The calls, in the order of the plan; one that was never placed is missing from the end.
    pub calls: Vec<CallRecord>,
    /// Every frame that a device sent or played.
    pub ledger: Vec<LedgerEntry>,
    /// What devices told their users.
    pub claims: Vec<Claim>,
    /// Datagrams that a node or the network did not pass on, each with the reason.
    pub drops: Vec<Drop>,
    /// What Mallory did.
    pub deeds: Vec<Deed>,
    /// What became of the steps that have a result, by index into the plan's steps.
    pub steps: BTreeMap<usize, StepRecord>,
    /// The policy server's database as it was at the end.
    pub database: Vec<DatabaseRow>,
    /// Things that nodes still held after the last hang-up and that Harvest may search: owner and bytes in hex.
    pub held: Vec<Held>,
    /// Clients made by others that took part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drivers: Vec<DriverRecord>,
    /// What kept the world from running to its end; empty when it did. Any entry makes the variant an error.
    pub stumbles: Vec<Stumble>,
    /// Remarks of nodes that are no evidence (engine errors, refused connections), searched for secrets.
    pub log: Vec<LogLine>,
}

/// One access link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The name of the tap.
    pub tap: String,
    /// IP addresses behind the link.
    pub addresses: Vec<String>,
}

/// One call as the devices saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Its name in the plan.
    pub name: String,
    /// The call id in hex, 32 digits; empty when the device never got so far as to make one.
    pub call: String,
    /// The device that placed it.
    pub caller: DeviceId,
    /// The device that answered, or the callee's first one when none did.
    pub callee: Option<DeviceId>,
    /// When it was placed.
    pub placed_ns: u64,
    /// When both devices were connected, if ever.
    pub connected_ns: Option<u64>,
    /// When the last device had left it.
    pub ended_ns: Option<u64>,
}

/// One frame in a device's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Whose ledger.
    pub device: DeviceId,
    /// The call id in hex.
    pub call: String,
    /// Sent or played.
    pub direction: Direction,
    /// The kind of media.
    pub kind: Kind,
    /// The number of the frame at the device: per direction and kind, from 0.
    pub index: u32,
    /// Length of the frame in bytes, outside any seal.
    pub bytes: u32,
    /// SHA-256 of the frame, outside any seal, in hex.
    pub sha256: String,
    /// When.
    pub at_ns: u64,
}

/// Something that a device told its user or that a user would see: the client's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Whose word it is.
    pub device: DeviceId,
    /// The call id in hex.
    pub call: String,
    /// When.
    pub at_ns: u64,
    /// What.
    pub claim: Claimed,
}

/// What a device claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claimed {
    /// It rings, or hears that the other side rings.
    Ringing,
    /// The person took the call.
    Answered,
    /// The media of the call can flow at this device.
    Connected,
    /// The lock, lit or not.
    Lock(bool),
    /// The security code: four groups of five digits.
    Code(String),
    /// It has verified the other device's confirmation.
    Confirmed,
    /// Features whose controls are shown.
    Controls(Vec<Feature>),
    /// The call is over for this device: hung up by a person, or for a reason.
    Ended {
        /// None when a person hung up.
        reason: Option<Reason>,
        /// Whether this device was the one that ended it.
        own: bool,
    },
    /// The call log of the device says that a setting was not applied.
    NotApplied(Feature),
    /// A frame could not be opened and was not played: how many since the last such claim.
    NotOpened(u32),
    /// A chat message arrived, and the screen says that it is not sealed.
    Chat {
        /// SHA-256 of the text, in hex.
        sha256: String,
        /// Whether the screen says that it is not end-to-end encrypted.
        says_not_sealed: bool,
    },
}

words! {
    /// Who dropped a datagram.
    pub enum DroppedBy {
        /// The network, as the scenario asks.
        Network = "network",
        /// The forwarder.
        Forwarder = "forwarder",
        /// The media processor.
        MediaProcessor = "media-processor",
        /// The TURN server.
        Relay = "relay",
        /// Mallory.
        Mallory = "mallory",
        /// The receiving device, which could not open it or would not play it.
        Device = "device",
    }
}

/// One datagram, or one packet taken out of SRTP, that was not passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drop {
    /// When.
    pub at_ns: u64,
    /// Who.
    pub by: DroppedBy,
    /// Sender's address and port.
    pub source: String,
    /// Receiver's address and port.
    pub destination: String,
    /// SHA-256 of the UDP payload in hex; of a packet taken out of SRTP, of its payload.
    pub sha256: String,
    /// Why.
    pub reason: String,
}

/// One alteration by Mallory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Which attack.
    pub attack: Attack,
    /// Its index in the plan.
    pub index: usize,
    /// When.
    pub at_ns: u64,
    /// The side that was to receive the altered bytes.
    pub leg: Role,
    /// The tap at which the altered bytes must stand.
    pub victim: String,
    /// SHA-256 in hex of what the victim was sent: the UDP payload, the text of a signalling message, the body of an
    /// HTTP answer, or, where Mallory sits behind SRTP, the payload of the RTP packet.
    pub sha256: String,
    /// The same of what it replaced; none where something was added.
    #[serde(default)]
    pub replaced: Option<String>,
    /// What was changed, in one phrase without random values.
    pub what: String,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// When it was answered.
    pub at_ns: u64,
    /// Works or refused.
    pub result: Option<StepResult>,
    /// The reason of a refusal, or `accepted` where the work of the feature is not modelled.
    pub reason: Option<String>,
    /// Whether the control was shown when the feature was invoked.
    pub control: Option<Control>,
    /// The answer of the API, where there is one: HTTP status and body.
    pub answer: Option<(u16, String)>,
}

/// One row of the policy server's database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatabaseRow {
    /// The table.
    pub table: String,
    /// Columns and values, as text.
    pub values: BTreeMap<String, String>,
}

/// Something that a node still held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The tap's name of the node.
    pub owner: String,
    /// What it is.
    pub what: String,
    /// The bytes, in hex.
    pub bytes: String,
}

/// A remark of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at_ns: u64,
    /// The tap's name of the node.
    pub node: String,
    /// What it said.
    pub text: String,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The first line is no header.
    #[error("the record does not begin with its header; run the scenarios again")]
    NoHeader,
    /// A newer or foreign record.
    #[error(
        "the record has the schema `{0}` and this version reads `{SCHEMA}`; use the version that wrote it"
    )]
    Schema(String),
    /// A line that is no JSON of ours.
    #[error("line {line} of the record cannot be read ({why}); run the scenarios again")]
    Line {
        /// From 1.
        line: usize,
        /// What the reader says.
        why: String,
    },
}

/// A record read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The first line.
    pub header: Header,
    /// What followed, without the end.
    pub lines: Vec<Line>,
    /// Whether the end is missing or the last line was cut.
    pub partial: bool,
}

impl Record {
    /// Reads a record; a last line that was cut, and only that one, makes it partial instead of unreadable.
    ///
    /// # Errors
    /// When the header is missing or of another schema, or a line before the last cannot be read.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let mut lines = text.lines().enumerate().peekable();
        let (_, first) = lines.next().ok_or(RecordError::NoHeader)?;
        let value: serde_json::Value = serde_json::from_str(first).map_err(|_| RecordError::NoHeader)?;
        match value.get("schema").and_then(|s| s.as_str()) {
            Some(SCHEMA) => {}
            Some(other) => return Err(RecordError::Schema(other.to_owned())),
            None => return Err(RecordError::NoHeader),
        }
        let header =
            serde_json::from_value(value).map_err(|e| RecordError::Line { line: 1, why: e.to_string() })?;
        let mut record = Self { header, lines: Vec::new(), partial: true };
        while let Some((at, line)) = lines.next() {
            match read_line(line) {
                Ok(Line::End { .. }) => record.partial = false,
                Ok(line) => record.lines.push(line),
                Err(_) if lines.peek().is_none() => record.partial = true,
                Err(why) => return Err(RecordError::Line { line: at + 1, why }),
            }
        }
        Ok(record)
    }
}

/// Reads by the key that tells lines apart, so that a mistake is named where it stands.
fn read_line(line: &str) -> Result<Line, String> {
    // A world is told by its first key, as it was written, and read at once; whatever else this may be takes the way
    // over a value.
    if line.starts_with(r#"{"world":"#) {
        return serde_json::from_str(line).map(|w| Line::World(Box::new(w))).map_err(|e| e.to_string());
    }
    let value: serde_json::Value = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let read = |v| serde_json::from_value::<Line>(v).map_err(|e| e.to_string());
    if value.get("world").is_some() {
        return serde_json::from_value(value).map(|w| Line::World(Box::new(w))).map_err(|e| e.to_string());
    }
    read(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"schema":"overheard/record/1","tool":{"name":"overheard","version":"0"},"seed":"0","net":"memory","planned":["a/b"]}"#;

    #[test]
    fn a_record_without_its_end_is_partial() {
        let whole = Record::parse(&format!("{HEADER}\n{{\"end\":true}}\n")).expect("whole");
        assert!(!whole.partial);
        assert!(Record::parse(HEADER).expect("cut").partial);
        assert!(Record::parse(&format!("{HEADER}\n{{\"world\":\"var")).expect("cut in a line").partial);
    }

    #[test]
    fn a_broken_line_in_the_middle_is_named() {
        let error =
            Record::parse(&format!("{HEADER}\n{{\"world\":1}}\n{{\"end\":true}}\n")).expect_err("broken");
        assert!(matches!(error, RecordError::Line { line: 2, .. }), "{error}");
    }

    #[test]
    fn a_newer_record_is_refused_by_name() {
        let newer = HEADER.replace("record/1", "record/2");
        let error = Record::parse(&newer).expect_err("newer");
        assert!(error.to_string().contains("overheard/record/2"), "{error}");
        assert!(matches!(Record::parse(""), Err(RecordError::NoHeader)));
    }
}
