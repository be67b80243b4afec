//! Worlds run from plans, on the network in memory.

mod bad_days;
mod conference;
mod determinism;
mod evidence_removed;
mod features;
mod holdings;
mod kept;
mod loopback;
mod paths;
mod recording;
mod relay;
mod stage;
mod thread;
