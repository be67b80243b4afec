//! The one trait behind which both networks stand, and the types that cross it.
//!
//! Invariant: a node gets time, sleeps and sockets here and nowhere else.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

/// A boxed future, because the trait is used as an object.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is due later than this is due then: 100 years, so that no sum of times overflows.
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Who sleeps. In memory each kind wakes on its own instants (0, 1 or 2 ms modulo 3), so that two arms of the
/// engine's `select!` are never ready together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeper {
    /// A timer of the WebRTC engine.
    Engine,
    /// A node's own sleep.
    Application,
}

/// A network: time, access links and sockets.
pub trait Network: Send + Sync {
    /// Time since the start of the world.
    fn now(&self) -> Duration;

    /// The same instant on tokio's clock, for the engine.
    fn instant(&self) -> std::time::Instant;

    /// The time stamp of the world's start, in nanoseconds from 1970: fixed in memory.
    fn epoch_ns(&self) -> u64;

    /// Sleeps until `until` has passed since the start of the world.
    fn sleep_until(&self, until: Duration, who: Sleeper) -> Boxed<'static, ()>;

    /// Adds an access link, with an interface of that name in the capture and an IPv4 address of its own.
    fn add_link(&self, tap: &str) -> Arc<dyn AccessLink>;

    /// Puts `interceptor` between sending and delivery of every datagram, after those that are there.
    fn intercept(&self, interceptor: Box<dyn Interceptor>);

    /// Sends a datagram in the name of `source`, `delay` later: past interceptors and impairments, and recorded at
    /// the receiver's tap alone. Over real sockets `source` has to be a socket of this network; one that is not is
    /// a drop.
    fn inject(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], delay: Duration);

    /// Switches loss, duplication and jitter on or off; they are off at first. Does nothing over real sockets.
    fn impair(&self, on: bool);

    /// Every drop that the network or an interceptor decided on, and every datagram for which nobody listened.
    /// Over real sockets also what was sent to a socket of this network and has not been read yet.
    fn drops(&self) -> Vec<DroppedDatagram>;

    /// How many packets the capture has been given, each as often as it crossed a link: the number that Wireshark
    /// gives to the last one.
    fn packets(&self) -> u64;

    /// SHA-256, in hex, over (time, link, source, destination, class) of each packet; none over real sockets.
    fn schedule(&self) -> Option<String>;

    /// Writes what is still held back and ends the capture.
    ///
    /// # Errors
    /// When the capture could not be written, now or earlier: a full disk shows here.
    fn finish(&self) -> io::Result<()>;
}

/// An access link: one node's way into the network.
pub trait AccessLink: Send + Sync {
    /// The name of the tap.
    fn tap(&self) -> &str;

    /// The address behind the link.
    fn ip(&self) -> std::net::IpAddr;

    /// Binds a datagram socket; port 0 picks one.
    ///
    /// # Errors
    /// When the port is taken or the system refuses.
    fn bind(&self, port: u16) -> io::Result<Arc<dyn DatagramSocket>>;

    /// Listens for connections; port 0 picks one.
    ///
    /// # Errors
    /// When the port is taken or the system refuses.
    fn listen(&self, port: u16) -> Boxed<'_, io::Result<Box<dyn Listener>>>;

    /// Connects to `to`.
    fn connect(&self, to: SocketAddr) -> Boxed<'_, io::Result<Box<dyn Stream>>>;
}

/// A datagram socket. Dropping it frees its port.
pub trait DatagramSocket: Send + Sync + std::fmt::Debug {
    /// Its address.
    fn local(&self) -> SocketAddr;

    /// Sends one datagram.
    ///
    /// # Errors
    /// When `to` is no IPv4 address, the datagram is too long, or the system refuses.
    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()>;

    /// Takes the next datagram: its length, cut to the buffer, and its sender.
    fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>>;
}

/// A listening socket.
pub trait Listener: Send {
    /// Its address.
    fn local(&self) -> SocketAddr;

    /// Takes the next connection and its peer's address.
    fn accept(&mut self) -> Boxed<'_, io::Result<(Box<dyn Stream>, SocketAddr)>>;
}

/// A byte stream with two ends.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A datagram between sending and delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// The tap of the sender's link.
    pub from: String,
    /// The tap of the receiver's link; none when no link has that address.
    pub to: Option<String>,
    /// Sender's address.
    pub source: SocketAddr,
    /// Receiver's address.
    pub destination: SocketAddr,
    /// UDP payload.
    pub bytes: Vec<u8>,
}

/// What becomes of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes on as it is.
    Pass,
    /// These go on in its place, each after an extra delay: none, altered ones, or several.
    Instead(Vec<(Duration, InFlight)>),
    /// It is lost, and recorded as a drop with this reason.
    Drop(&'static str),
}

/// Something that sits between sending and delivery.
pub trait Interceptor: Send {
    /// Decides on one datagram that was sent `at`. It may ask the network for the time and inject; it must not send
    /// through a socket or add an interceptor, which would wait for itself.
    fn datagram(&mut self, at: Duration, datagram: &InFlight) -> Fate;
}

/// A datagram that the network did not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedDatagram {
    /// When it was sent.
    pub at: Duration,
    /// Sender's address.
    pub source: SocketAddr,
    /// Receiver's address.
    pub destination: SocketAddr,
    /// SHA-256 of the UDP payload.
    pub sha256: [u8; 32],
    /// Why.
    pub reason: &'static str,
}
