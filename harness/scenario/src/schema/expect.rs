//! The types of what a scenario states about its calls.

use std::collections::BTreeMap;

use model::outcome::{Listener, Outcome, Reason};
use model::plan::{CallExpect, Codes, Heard, Sides};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::words;

/// One set of statements; in a list of rows with `when`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectDocument {
    /// Of a row: values of the matrix for which it holds.
    #[serde(default)]
    #[schemars(schema_with = "when")]
    #[expect(dead_code, reason = "read part by part; here for the schema")]
    pub when: Option<serde_yaml::Value>,
    /// What the devices claim.
    #[serde(default)]
    #[schemars(schema_with = "words::outcome")]
    pub outcome: Option<Outcome>,
    /// Why.
    #[serde(default)]
    #[schemars(schema_with = "words::reasons")]
    pub because: Option<Vec<Reason>>,
    /// Whose screens show the lock.
    #[serde(default)]
    #[schemars(schema_with = "words::sides")]
    pub lock: Option<Sides>,
    /// How the codes compare.
    #[serde(default)]
    #[schemars(schema_with = "words::codes")]
    pub codes: Option<Codes>,
    /// Who hears how much.
    #[serde(default)]
    #[schemars(schema_with = "words::heard")]
    pub heard: BTreeMap<Listener, Heard>,
    /// Devices whose ledgers hold a frame of the call.
    #[serde(default)]
    pub devices: Option<usize>,
    /// Whose media crossed the relay's link.
    #[serde(default)]
    #[schemars(schema_with = "words::sides")]
    pub relayed: Option<Sides>,
    /// Checks that must fail.
    #[serde(default)]
    pub fails: Vec<String>,
    /// Checks that may fail.
    #[serde(default)]
    pub may_fail: Vec<String>,
}

impl ExpectDocument {
    /// The statements, without the `when` that chose them.
    pub fn into_plan(self) -> CallExpect {
        CallExpect {
            outcome: self.outcome,
            because: self.because,
            lock: self.lock,
            codes: self.codes,
            heard: self.heard,
            devices: self.devices,
            relayed: self.relayed,
            fails: self.fails,
            may_fail: self.may_fail,
        }
    }
}

/// Paths or names of the matrix with a value each.
fn when(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": ["string", "number", "boolean", "array"],
            "items": { "type": ["string", "number", "boolean"] },
        },
    })
}

/// The three forms of `expect`.
pub fn statements(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<ExpectDocument>();
    let rows = json_schema!({ "type": "array", "items": one.clone() });
    let by_name = json_schema!({
        "type": "object",
        "additionalProperties": { "anyOf": [one.clone(), rows.clone()] },
    });
    json_schema!({ "anyOf": [one, rows, by_name] })
}
