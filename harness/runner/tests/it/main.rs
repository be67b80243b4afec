//! Worlds run from plans, on the network in memory.

mod loopback;
mod paths;
mod recording;
mod relay;
mod stage;
mod thread;
