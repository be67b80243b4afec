//! Carries bytes between addresses and writes what each tap saw.
//!
//! Two networks stand behind one trait, [`Network`]: in memory under virtual time and a seed, and loopback
//! sockets. Above it are TLS and WebSocket connections. It knows nothing of calls.

mod capture;
mod drops;
mod frame;
mod lock;
mod loopback;
mod memory;
pub mod network;
mod schedule;
mod taps;
mod tls;
mod websocket;

pub use capture::CaptureFile;
pub use loopback::{LoopbackOptions, loopback};
pub use memory::{MemoryOptions, memory};
pub use network::{
    AccessLink, DatagramSocket, DroppedDatagram, Fate, InFlight, Interceptor, Listener, Network, Sleeper,
    Stream,
};
pub use tls::{Authority, KeySink, TlsClient, TlsError, TlsServer, accept_tls, connect_tls};
pub use websocket::{WebSocket, WebSocketReceiver, WebSocketSender, accept_websocket, connect_websocket};
