//! Worlds run from plans, on the network in memory.

mod thread;
