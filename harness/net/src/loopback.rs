//! The network of real sockets on 127.0.0.0/8, in real time.
//!
//! Invariant: every datagram and every byte of the sockets made here is recorded as in memory. Only the headers are
//! made up, and the time of an arrival is when the receiver took it.

#![expect(clippy::disallowed_methods, reason = "this is where nodes get their time and their sleeps from")]

mod datagram;
mod stream;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::capture::CaptureFile;
use crate::lock::lock;
use crate::network::{
    AccessLink, Boxed, DatagramSocket, DroppedDatagram, FOREVER, InFlight, Interceptor, Listener, Network,
    Sleeper, Stream,
};
use crate::taps::Taps;
use datagram::{LoopbackSocket, Port};
use stream::{LoopbackListener, LoopbackStream};

/// How a network of real sockets behaves.
#[derive(Debug, Default)]
pub struct LoopbackOptions {
    /// Where to record, if anywhere.
    pub capture: Option<CaptureFile>,
    /// The address of every link; one of its own for each unless given.
    pub address: Option<Ipv4Addr>,
}

/// Makes a network of real sockets, whose time stamps begin at the system's time.
pub fn loopback(options: LoopbackOptions) -> Arc<dyn Network> {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let epoch_ns = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
    Arc::new(LoopbackNetwork {
        shared: Arc::new(Shared {
            address: options.address,
            start: Instant::now(),
            epoch_ns,
            interceptors: Mutex::new(Vec::new()),
            state: Mutex::new(State {
                taps: Taps::new(epoch_ns, options.capture),
                drops: Vec::new(),
                ports: HashMap::new(),
            }),
        }),
    })
}

/// What every link, socket and stream of one network has in common.
struct Shared {
    address: Option<Ipv4Addr>,
    start: Instant,
    epoch_ns: u64,
    interceptors: Mutex<Vec<Box<dyn Interceptor>>>,
    state: Mutex<State>,
}

struct State {
    taps: Taps,
    drops: Vec<DroppedDatagram>,
    /// The datagram sockets of this network.
    ports: HashMap<SocketAddrV4, Port>,
}

impl Shared {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The address of the next link of this process: 127.64.0.0/10, so that worlds that run side by side do not meet.
/// Processes that run side by side begin at different places.
fn next_ip() -> Ipv4Addr {
    static LINKS: AtomicU32 = AtomicU32::new(0);
    let number = LINKS.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(4096));
    Ipv4Addr::from_bits(0x7F40_0000 | (number & 0x003F_FFFF))
}

struct LoopbackNetwork {
    shared: Arc<Shared>,
}

impl Network for LoopbackNetwork {
    fn now(&self) -> Duration {
        self.shared.now()
    }

    fn instant(&self) -> std::time::Instant {
        Instant::now().into_std()
    }

    fn epoch_ns(&self) -> u64 {
        self.shared.epoch_ns
    }

    fn sleep_until(&self, until: Duration, _: Sleeper) -> Boxed<'static, ()> {
        Box::pin(tokio::time::sleep_until(self.shared.start + until.min(FOREVER)))
    }

    fn add_link(&self, tap: &str) -> Arc<dyn AccessLink> {
        let ip = self.shared.address.unwrap_or_else(next_ip);
        lock(&self.shared.state).taps.add(tap, ip);
        Arc::new(LoopbackLink { shared: self.shared.clone(), tap: tap.to_owned(), ip })
    }

    fn intercept(&self, interceptor: Box<dyn Interceptor>) {
        lock(&self.shared.interceptors).push(interceptor);
    }

    fn inject(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], delay: Duration) {
        let sent = self.shared.now();
        let datagram = InFlight { from: String::new(), to: None, source, destination, bytes: bytes.to_vec() };
        self.shared.clone().launch(sent, delay, datagram);
    }

    fn impair(&self, _: bool) {}

    fn drops(&self) -> Vec<DroppedDatagram> {
        lock(&self.shared.state).all_drops()
    }

    fn packets(&self) -> u64 {
        lock(&self.shared.state).taps.packets()
    }

    fn schedule(&self) -> Option<String> {
        None
    }

    fn finish(&self) -> io::Result<()> {
        lock(&self.shared.state).taps.finish()
    }
}

struct LoopbackLink {
    shared: Arc<Shared>,
    tap: String,
    ip: Ipv4Addr,
}

impl AccessLink for LoopbackLink {
    fn tap(&self) -> &str {
        &self.tap
    }

    fn ip(&self) -> std::net::IpAddr {
        self.ip.into()
    }

    fn bind(&self, port: u16) -> io::Result<Arc<dyn DatagramSocket>> {
        Ok(Arc::new(LoopbackSocket::bind(self.shared.clone(), SocketAddrV4::new(self.ip, port))?))
    }

    fn listen(&self, port: u16) -> Boxed<'_, io::Result<Box<dyn Listener>>> {
        let listener = LoopbackListener::bind(self.shared.clone(), SocketAddrV4::new(self.ip, port));
        Box::pin(async move { Ok(Box::new(listener?) as Box<dyn Listener>) })
    }

    fn connect(&self, to: SocketAddr) -> Boxed<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let SocketAddr::V4(to) = to else { return Err(io::ErrorKind::Unsupported.into()) };
            let stream = LoopbackStream::connect(self.shared.clone(), self.ip, to).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

#[cfg(test)]
mod tests;
