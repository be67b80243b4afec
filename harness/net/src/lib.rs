//! Carries bytes between addresses and writes what each tap saw.
//!
//! Two networks stand behind one trait, [`Network`]: in memory under virtual time and a seed, and loopback
//! sockets. Above it are TLS and WebSocket connections. It knows nothing of calls.

pub mod network;

pub use network::{
    AccessLink, DatagramSocket, DroppedDatagram, Fate, InFlight, Interceptor, Listener, Network, Sleeper, Stream,
};
