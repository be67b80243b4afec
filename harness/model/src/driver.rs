//! What the record says of clients made by others.

use serde::{Deserialize, Serialize};

use crate::identity::DeviceId;

/// A client made by others, as its driver introduced it and as it answered the honesty probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverRecord {
    /// The device that it was.
    pub device: DeviceId,
    /// Its name and version, in its own words.
    pub implementation: String,
    /// What it declares that it can do.
    pub capabilities: Vec<String>,
    /// What it was asked that it must refuse, and what came of it.
    pub probes: Vec<ProbeRecord>,
    /// Whether it could reach nothing but the loopback of the run.
    pub isolated: bool,
    /// How many keys it exported.
    #[serde(default)]
    pub exported: u64,
    /// How many frames it told as sent while nobody asked it to talk.
    #[serde(default)]
    pub unasked_frames: u64,
}

/// One request that a driver has to refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRecord {
    /// What was asked, in one phrase without random values.
    pub asked: String,
    /// The kind of error that was due.
    pub due: String,
    /// The kind of error that came; `none` where the driver said yes.
    pub came: String,
}
