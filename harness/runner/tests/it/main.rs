//! Worlds run from plans, on the network in memory.

mod conference;
mod features;
mod loopback;
mod paths;
mod recording;
mod relay;
mod stage;
mod thread;
