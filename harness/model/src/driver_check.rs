//! What a check of a driver came to: one result per probe.
//!
//! Invariant: a probe that was not tried never counts as passed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::Tool;

/// The schema that this version writes.
pub const SCHEMA: &str = "overheard/driver-check/1";

words! {
    /// How a probe ended.
    pub enum ProbeState {
        /// The driver did what is due.
        Passed = "passed",
        /// It did something else.
        Failed = "failed",
        /// The probe was not tried.
        Skipped = "skipped",
        /// The harness stumbled.
        Error = "error",
    }
}

/// One probe of a driver.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ProbeResult {
    /// `group/what-must-hold`.
    pub id: String,
    /// How it ended.
    pub state: ProbeState,
    /// What was asked of the driver.
    pub asked: String,
    /// What came; of a probe that was not tried, why not.
    pub came: String,
    /// How to mend it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// A check of one driver.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct DriverCheck {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the tool.
    pub tool: Tool,
    /// The driver, as the user named it.
    pub driver: String,
    /// Name and version of the client in its own words; none where it never introduced itself.
    pub implementation: Option<String>,
    /// Every probe that was asked for, in the order in which it was tried.
    pub probes: Vec<ProbeResult>,
}

impl DriverCheck {
    /// The probes that ended so.
    pub fn ended(&self, state: ProbeState) -> impl Iterator<Item = &ProbeResult> {
        self.probes.iter().filter(move |probe| probe.state == state)
    }
}
