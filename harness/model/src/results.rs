//! `results.json`: what a run was judged to be (design, section 6).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attack::Attack;
use crate::outcome::{Listener, Outcome, Reason};
use crate::plan::{NetKind, Profile, StepResult};
use crate::record::Tool;
use crate::release::Feature;
use crate::verdict::{Ending, Verdict};

/// The schema that this version writes.
pub const SCHEMA: &str = "overheard/results/1";

/// A judged run.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the tool that judged.
    pub tool: Tool,
    /// The name of the run's folder.
    pub run: String,
    /// In decimal.
    pub seed: String,
    /// The network of the run.
    pub net: NetKind,
    /// Whether the run was cut short.
    pub partial: bool,
    /// The worst of the variants' verdicts.
    pub verdict: Verdict,
    /// One per planned variant that has a verdict.
    pub scenarios: Vec<ScenarioResult>,
    /// Planned variants without a verdict, by id: lost coverage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// How many variants ended in which way.
    pub totals: Totals,
}

/// The JSON Schema of `results.json`; unknown keys are allowed, so that later versions may add some.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Results).to_value()
}

/// How many variants ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Totals {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Errors.
    pub error: usize,
    /// Inconclusive.
    pub inconclusive: usize,
    /// Not supported.
    pub unsupported: usize,
    /// Failing as listed.
    pub known_failing: usize,
}

/// Key files of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct KeyFiles {
    /// The two devices'.
    pub parties: String,
    /// The service's.
    pub service: String,
}

/// The control run of a variant.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct TwinResult {
    /// Its capture.
    pub capture: String,
    /// Its keys.
    pub keys: KeyFiles,
    /// Whether it behaved the other way.
    pub verdict: Verdict,
}

/// A value per screen; none where that side has no screen.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Screens<T> {
    /// The caller's.
    pub caller: Option<T>,
    /// The callee's.
    pub callee: Option<T>,
}

/// How many frames a listener heard, each counted at every tap that it crosses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct HeardCount {
    /// Opened.
    pub frames: u64,
    /// That reached the listener's tap.
    pub of: u64,
}

/// An invoked feature.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FeatureResult {
    /// Which.
    pub feature: Feature,
    /// By whom: `user@tenant`.
    pub by: String,
    /// Works or refused.
    pub result: Option<StepResult>,
    /// Why refused.
    pub reason: Option<String>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct CallResult {
    /// Its name in the scenario.
    pub name: String,
    /// What the devices claim.
    pub outcome: Outcome,
    /// Why.
    pub because: Vec<Reason>,
    /// Whether each screen showed the lock.
    pub lock: Screens<bool>,
    /// The code on each screen.
    pub security_code: Screens<String>,
    /// Who heard how much.
    pub heard: BTreeMap<Listener, HeardCount>,
    /// Invoked features.
    pub features: Vec<FeatureResult>,
}

/// One proof leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LegResult {
    /// Whether the leg applies to the outcome.
    pub applies: bool,
    /// What it came to; a leg that does not apply passes.
    pub verdict: Verdict,
    /// How many things it looked at.
    pub examined: u64,
}

/// An attack: how often it was made and how often it arrived.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AttackResult {
    /// Which.
    pub attack: Attack,
    /// Alterations.
    pub fired: u64,
    /// Those whose bytes stand at the victim's tap.
    pub reached: u64,
}

words! {
    /// Whose fault a finding is.
    pub enum Blame {
        /// The caller's client.
        Caller = "caller",
        /// The callee's client.
        Callee = "callee",
        /// The call service.
        CallService = "call-service",
        /// The policy server.
        PolicyServer = "policy-server",
        /// The forwarder.
        Forwarder = "forwarder",
        /// The media processor.
        MediaProcessor = "media-processor",
        /// The TURN server.
        Relay = "relay",
        /// The network.
        Network = "network",
        /// A driver.
        Driver = "driver",
        /// The harness itself.
        Harness = "harness",
    }
}

/// One located observation.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Finding {
    /// What was seen, without random values.
    pub text: String,
    /// Whose fault.
    pub blame: Blame,
    /// At which tap, where it was seen at one.
    pub tap: Option<String>,
    /// Packet numbers as Wireshark counts them, from 1; at most 100.
    pub packets: Vec<u64>,
    /// How many packets there are.
    pub packets_total: u64,
}

/// One check on one variant.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CheckResult {
    /// The name of the check.
    pub check: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Whether the scenario expects it to fail, because of a flaw.
    pub caught: bool,
    /// How many things it looked at.
    pub examined: u64,
    /// What it saw.
    pub findings: Vec<Finding>,
}

/// A listed failure.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct KnownFailure {
    /// The check.
    pub check: String,
    /// Why it is tolerated.
    pub reason: String,
    /// Who looks after it.
    pub owner: String,
    /// The last day on which it is tolerated: `yyyy-mm-dd`.
    pub expires: String,
}

/// A weakness of the documented profile `dtls` that no device can check (design, section 1.6 (f)), as it was shown on a
/// shortened code: two certificates of a man in the middle, one for each of two calls, that give equal codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Weakness {
    /// Digits of the shortened code.
    pub digits: u32,
    /// How often it was searched for, each time for two other calls.
    pub searches: u32,
    /// Certificates that were tried for each of the two calls until two gave equal codes, on the average.
    pub certificates_per_leg: u64,
    /// What this comes to for the 20 digits of a code: a power of two.
    pub power_of_two: u32,
}

/// A message between two parties, as the capture shows it, or a deed of Mallory.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LadderStep {
    /// When it was complete, in milliseconds of the world's time.
    pub at_ms: u64,
    /// Who sent it: a device or a node of the service, by the name of its tap.
    pub from: String,
    /// Who received it.
    pub to: String,
    /// The type of the signalling message, or what Mallory did.
    pub message: String,
    /// The packet that completed it, as Wireshark counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<u64>,
    /// Whether Mallory made it what it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub altered: bool,
}

/// One judged variant.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// `family/file[key=value,…]`.
    pub id: String,
    /// The title of the scenario.
    pub title: String,
    /// The chosen value of each matrix key.
    pub variant: BTreeMap<String, String>,
    /// How a sealed call of the variant is sealed; none where nothing was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// How it ended.
    pub verdict: Ending,
    /// Why, in one sentence.
    pub why: String,
    /// The schedule digest in hex; none over loopback.
    pub schedule: Option<String>,
    /// The capture; none where nothing was run.
    pub capture: Option<String>,
    /// The key files.
    pub keys: Option<KeyFiles>,
    /// The control run.
    pub twin: Option<TwinResult>,
    /// The calls.
    pub calls: Vec<CallResult>,
    /// Which messages went between whom, in the order of time; the first 40.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<LadderStep>,
    /// Of a variant of the profile `dtls`, its weakness as it was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weakness: Option<Weakness>,
    /// Proof legs by name.
    pub legs: BTreeMap<String, LegResult>,
    /// The attacks.
    pub attacks: Vec<AttackResult>,
    /// The checks.
    pub checks: Vec<CheckResult>,
    /// Checks that cannot judge calls of the variant's profile, by name: of `own` those that recompute the key agreement
    /// of `frames`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported_checks: Vec<String>,
    /// What listeners tried, for the sentence that every report carries.
    #[serde(default)]
    pub tried: Tried,
    /// The listed failure that this variant is, if it is one.
    pub known_failure: Option<KnownFailure>,
    /// The world's time that it took, in milliseconds.
    #[serde(default)]
    pub world_ms: u64,
}

/// What the listeners tried on a variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Tried {
    /// Media frames that were looked at.
    pub frames: u64,
    /// Keys and guesses that the listeners held.
    pub keys: u64,
    /// Different windows of free bytes that were tried as secrets. Equal runs differ here by about one in a hundred:
    /// signatures in certificates have 70 to 72 bytes, and random bytes read now and then as text in some encoding.
    pub windows: u64,
    /// Planted controls found.
    pub controls_found: u64,
    /// Planted controls.
    pub controls: u64,
    /// Whether the sweep ran in full, light or not at all: `full`, `light`, `off`.
    pub sweep: Sweep,
}

words! {
    /// How much of the free bytes is tried.
    #[derive(Default)]
    pub enum Sweep {
        /// Every variant.
        Full = "full",
        /// One variant per (profile, path, media, clients), every flaw and every attack.
        Light = "light",
        /// None.
        #[default]
        Off = "off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_back_as_they_were_written() {
        let results = Results {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
            run: "r".to_owned(),
            seed: u64::MAX.to_string(),
            net: NetKind::Memory,
            partial: false,
            verdict: Verdict::Pass,
            scenarios: Vec::new(),
            lost: Vec::new(),
            totals: Totals::default(),
        };
        let text = serde_json::to_string(&results).expect("serialises");
        assert_eq!(serde_json::from_str::<Results>(&text).expect("reads"), results);
    }

    #[test]
    fn the_schema_knows_every_key_that_is_written() {
        let schema = json_schema();
        let finding = Finding {
            text: String::new(),
            blame: Blame::Caller,
            tap: None,
            packets: Vec::new(),
            packets_total: 0,
        };
        let value = serde_json::to_value(finding).expect("serialises");
        let known = schema["$defs"]["Finding"]["properties"].as_object().expect("properties");
        for key in value.as_object().expect("an object").keys() {
            assert!(known.contains_key(key), "{key}");
        }
        let endings = &schema["$defs"]["Ending"]["enum"];
        assert_eq!(endings.as_array().expect("words").len(), Ending::ALL.len());
    }
}
