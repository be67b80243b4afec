//! The driver protocol, version 1: JSON lines over standard input and output.
//!
//! One object per line, UTF-8, at most [`LONGEST_LINE`] bytes. The harness asks with [`Request`], the driver gives one
//! [`Reply`] to each, in any order, and tells of what happens with [`Event`]s in between. Unknown fields are ignored by
//! both; an unknown method is answered with the kind `unknown-method`. Media never pass this channel.

use std::collections::BTreeMap;

use model::record::Claimed;
use model::{Direction, Kind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that this harness speaks.
pub const VERSION: u32 = 1;

/// A longer line is a fault; its end is not waited for.
pub const LONGEST_LINE: usize = 1024 * 1024;

/// The methods of this version.
pub const METHODS: &[&str] = &[
    "hello", "open", "place", "answer", "decline", "hang-up", "talk", "invoke", "toggle", "chat", "signal",
    "keys", "cancel", "close", "shutdown",
];

/// One request of the harness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Chosen by the harness, each once.
    pub id: u64,
    /// The answer is due within so many milliseconds.
    pub deadline_ms: u64,
    /// What is asked.
    #[serde(flatten)]
    pub ask: Ask,
}

/// What the harness asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params", rename_all = "kebab-case")]
pub enum Ask {
    /// The first request: who are you? The result is [`Introduction`].
    Hello {
        /// The lowest and highest version that the harness speaks.
        protocol: Versions,
        /// Name and version of the harness.
        harness: String,
    },
    /// Be this device. Once per process, after `hello`. The driver then sends `register`.
    Open(Box<Session>),
    /// A person places a call. The result is [`Placed`].
    Place {
        /// `user@tenant`, or `tel:…`; several for a group call.
        to: Vec<String>,
        /// What the call carries: `audio`, `video`, `screen`.
        #[schemars(with = "Vec<String>")]
        media: Vec<Kind>,
        /// `unscheduled` or `scheduled`.
        kind: String,
        /// The policy in effect for the user, as the device has just read it: `Disabled` or `DisabledUserOverride`.
        policy: String,
    },
    /// The person takes the call.
    Answer {
        /// Which.
        call: String,
        /// As in `place`.
        policy: String,
    },
    /// The person says no.
    Decline {
        /// To which call.
        call: String,
    },
    /// The person leaves the call.
    HangUp {
        /// Which.
        call: String,
    },
    /// Send media for so long; the answer comes after the last frame has gone out.
    Talk {
        /// In which call.
        call: String,
        /// Milliseconds.
        ms: u64,
    },
    /// The person asks for a feature. The result is [`Invocation`].
    Invoke {
        /// In which call.
        call: String,
        /// Which.
        feature: String,
        /// The target; empty where there is none.
        with: String,
    },
    /// The person turns the option on or off.
    Toggle {
        /// The new value.
        e2ee: bool,
    },
    /// The person sends a chat message.
    Chat {
        /// To whom.
        to: String,
        /// What.
        text: String,
    },
    /// A signalling message (design, section 1.8) has arrived for the device.
    Signal {
        /// As it stood on the wire, but for addresses of candidates.
        message: Value,
        /// With an offer: the policy in effect, as in `place`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<String>,
    },
    /// Write the keys of this session to a file in the session's folder. The result is [`Keys`].
    Keys {},
    /// Forget the request with this id, if it is not answered yet.
    Cancel {
        /// Its id.
        request: u64,
    },
    /// End the session; every call in it is over.
    Close {},
    /// Answer, then exit with 0 within two seconds. The end of standard input means the same.
    Shutdown {},
}

impl Ask {
    /// The word that stands under `method`.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Open(_) => "open",
            Self::Place { .. } => "place",
            Self::Answer { .. } => "answer",
            Self::Decline { .. } => "decline",
            Self::HangUp { .. } => "hang-up",
            Self::Talk { .. } => "talk",
            Self::Invoke { .. } => "invoke",
            Self::Toggle { .. } => "toggle",
            Self::Chat { .. } => "chat",
            Self::Signal { .. } => "signal",
            Self::Keys {} => "keys",
            Self::Cancel { .. } => "cancel",
            Self::Close {} => "close",
            Self::Shutdown {} => "shutdown",
        }
    }
}

/// A range of versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// The lowest.
    pub min: u32,
    /// The highest.
    pub max: u32,
}

/// The device that a driver is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// A folder of this session alone, readable by no other node.
    pub folder: String,
    /// `user@tenant`.
    pub party: String,
    /// The name of the device; empty for a user with one.
    pub device: String,
    /// What it runs on.
    pub platform: String,
    /// `current` or `outdated`.
    pub version: String,
    /// The stored preference.
    pub e2ee: bool,
    /// Whether platform, version, preview ring, kind of tenant and compliance recording leave the option open.
    pub eligible: bool,
    /// `frames`, `dtls` or `own`.
    pub profile: String,
    /// Features without a control in a sealed call.
    pub withheld: Vec<String>,
    /// Settings of the user that a sealed call does not apply.
    pub settings: Vec<String>,
    /// A call that is not connected so many milliseconds after its answer has ended, reason `set-up-timeout`.
    pub set_up_ms: u64,
    /// The IPv4 address on which the client opens its sockets. What it offers elsewhere is not carried.
    pub address: String,
    /// The relay of calls whose `route` says `relay`; there the client may use nothing else, and elsewhere not this.
    pub relay: Option<RelayServer>,
}

/// A TURN server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RelayServer {
    /// `turn:127.0.0.1:3478`, over UDP.
    pub url: String,
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// The result of `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introduction {
    /// The version that the driver chose of the harness's range.
    pub protocol: u32,
    /// Name and version of the client.
    pub implementation: String,
    /// What it can do: `frames dtls own audio video screen relay keys-export`; what is missing or false it cannot.
    pub capabilities: BTreeMap<String, bool>,
}

/// The result of `place`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placed {
    /// The call id: 32 hex digits.
    pub call: String,
}

/// The result of `invoke`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invocation {
    /// Whether the control was shown.
    pub shown: bool,
    /// `works`, `accepted` or `refused`, as the service said.
    pub result: String,
    /// Why refused; else empty.
    pub reason: String,
}

/// The result of `keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// The name of a file in the session's folder: lines of a key file (design, section 6).
    pub file: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The request's.
    pub id: u64,
    /// What came of it; `{}` where there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Refusal>,
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// One of a closed set.
    pub kind: ErrorKind,
    /// For a person.
    #[serde(default)]
    pub message: String,
}

/// The closed set of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The product says no.
    Refused,
    /// The client does not declare what was asked for.
    Unsupported,
    /// The protocol has no such method.
    UnknownMethod,
    /// The parameters cannot be read.
    InvalidParams,
    /// Not now: no session, no such call, the wrong side of it.
    WrongState,
    /// It took too long.
    Timeout,
    /// A key, seal or certificate is wrong.
    Crypto,
    /// A socket failed.
    Transport,
    /// A fault of the client.
    Internal,
}

impl ErrorKind {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
            Self::UnknownMethod => "unknown-method",
            Self::InvalidParams => "invalid-params",
            Self::WrongState => "wrong-state",
            Self::Timeout => "timeout",
            Self::Crypto => "crypto",
            Self::Transport => "transport",
            Self::Internal => "internal",
        }
    }
}

/// Something that happened at the client, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", content = "params", rename_all = "kebab-case")]
pub enum Event {
    /// A signalling message for the call service.
    Signal {
        /// As it is to stand on the wire.
        message: Value,
    },
    /// The client told its user something, or a user would see it.
    Claim {
        /// In which call; empty for what belongs to none.
        #[serde(default)]
        call: String,
        /// What.
        #[schemars(with = "Value")]
        claim: Claimed,
    },
    /// The ledger: a frame was sent, or opened and played.
    Frame(LedgerLine),
    /// A remark that is no evidence. It must hold no secret.
    Log {
        /// What.
        text: String,
    },
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerLine {
    /// In which call.
    pub call: String,
    /// `sent` or `received`.
    #[schemars(with = "String")]
    pub direction: Direction,
    /// `audio`, `video` or `screen`.
    #[schemars(with = "String")]
    pub kind: Kind,
    /// Per direction and kind, from 0.
    pub index: u32,
    /// Length outside any seal.
    pub bytes: u32,
    /// SHA-256 outside any seal, in lower-case hex.
    pub sha256: String,
}

/// The schema of every line of the protocol, for editors and programs.
pub fn json_schema() -> Value {
    let mut generator = schemars::SchemaGenerator::default();
    let lines = [
        ("request", generator.subschema_for::<Request>()),
        ("reply", generator.subschema_for::<Reply>()),
        ("event", generator.subschema_for::<Event>()),
        ("result of hello", generator.subschema_for::<Introduction>()),
        ("result of place", generator.subschema_for::<Placed>()),
        ("result of invoke", generator.subschema_for::<Invocation>()),
        ("result of keys", generator.subschema_for::<Keys>()),
    ];
    let any: Vec<Value> =
        lines.map(|(title, schema)| serde_json::json!({ "title": title, "allOf": [schema] })).into();
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "overheard driver protocol, version 1: one line",
        "anyOf": any,
        "$defs": generator.take_definitions(true),
    })
}

/// A line of a driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An answer.
    Reply(Reply),
    /// Something that happened.
    Event(Event),
}

impl Line {
    /// Reads one line.
    ///
    /// # Errors
    /// What is wrong with it, in one phrase that quotes nothing of the line.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(line).map_err(|_| "it is no JSON".to_owned())?;
        let Some(object) = value.as_object() else { return Err("it is no JSON object".to_owned()) };
        if object.contains_key("event") {
            let known = ["signal", "claim", "frame", "log"];
            if !object.get("event").and_then(Value::as_str).is_some_and(|event| known.contains(&event)) {
                return Err("its `event` is none of signal, claim, frame, log".to_owned());
            }
            let event = serde_json::from_value(value);
            return event.map(Self::Event).map_err(|why| format!("its event cannot be read ({why})"));
        }
        let reply: Reply =
            serde_json::from_value(value).map_err(|why| format!("its reply cannot be read ({why})"))?;
        if reply.result.is_some() == reply.error.is_some() {
            return Err("its reply has not exactly one of `result` and `error`".to_owned());
        }
        Ok(Self::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_request_stands_on_one_line_with_method_and_params() {
        let ask = Ask::Answer { call: "ab".to_owned(), policy: "Disabled".to_owned() };
        let text = serde_json::to_string(&Request { id: 7, deadline_ms: 5_000, ask }).expect("JSON");
        assert_eq!(
            text,
            r#"{"id":7,"deadline_ms":5000,"method":"answer","params":{"call":"ab","policy":"Disabled"}}"#
        );
        let back: Request = serde_json::from_str(&text).expect("a request");
        assert_eq!(back.ask.method(), "answer");
    }

    #[rstest]
    #[case::words("hello")]
    #[case::list("[1]")]
    #[case::nothing(r#"{"id":1}"#)]
    #[case::both(r#"{"id":1,"result":{},"error":{"kind":"internal"}}"#)]
    #[case::open_set(r#"{"id":1,"error":{"kind":"sad"}}"#)]
    #[case::event(r#"{"event":"party","params":{}}"#)]
    #[case::negative(r#"{"event":"frame","params":{"call":"","direction":"sent","kind":"audio","index":-1,"bytes":1,"sha256":""}}"#)]
    fn what_is_no_line_of_the_protocol_is_told(#[case] line: &str) {
        assert!(Line::read(line.as_bytes()).is_err());
    }

    #[rstest]
    #[case(r#"{"id":1,"result":{},"more":true}"#)]
    #[case(r#"{"event":"claim","params":{"call":"ab","claim":{"lock":true}}}"#)]
    #[case(r#"{"event":"claim","params":{"call":"ab","claim":{"ended":{"reason":null,"own":true}}}}"#)]
    #[case(r#"{"event":"claim","params":{"call":"ab","claim":"connected"}}"#)]
    #[case(r#"{"event":"log","params":{"text":"x"}}"#)]
    fn what_is_a_line_of_the_protocol_is_read(#[case] line: &str) {
        assert!(Line::read(line.as_bytes()).is_ok(), "{:?}", Line::read(line.as_bytes()));
    }

    #[test]
    fn the_page_shows_every_method_and_event_as_it_is() {
        let page = include_str!("../PROTOCOL.md");
        let lines: Vec<Value> = page.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(lines.len(), page.lines().filter(|line| line.starts_with('{')).count());
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        for value in lines {
            let text = value.to_string();
            if value["method"].is_string() {
                let request: Request = serde_json::from_value(value).expect("a request");
                asked.push(request.ask.method());
            } else {
                let line = Line::read(text.as_bytes());
                assert!(line.is_ok(), "{text}: {line:?}");
                told.extend(value["event"].as_str().map(str::to_owned));
            }
        }
        assert!(METHODS.iter().all(|method| asked.contains(method)), "{asked:?}");
        assert!(["signal", "claim", "frame", "log"].iter().all(|event| told.contains(&(*event).to_owned())));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Line::read(&bytes).is_err() || !bytes.is_empty());
        }
    }
}
