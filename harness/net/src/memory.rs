//! The network in memory: virtual time, a seed, and no socket of the system.
//!
//! Invariant: on a current-thread runtime with a paused clock, the same seed and the same sends give the same
//! schedule. Datagrams and bytes arrive at 0 ms modulo 3, timers of the engine wake at 1 and sleeps of nodes at 2, so
//! that nothing of two kinds is ever ready at the same instant.

#![expect(clippy::disallowed_methods, reason = "this is where nodes get their time and their sleeps from")]

mod datagram;
mod fate;
mod stream;
mod tcp;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::capture::CaptureFile;
use crate::lock::lock;
use crate::network::{
    AccessLink, Boxed, DatagramSocket, DroppedDatagram, FOREVER, Interceptor, Listener, Network, Sleeper,
    Stream,
};
use crate::taps::Taps;
use datagram::{Datagrams, MemorySocket};
use fate::Impairments;
use stream::{MemoryListener, MemoryStream};
use tcp::Connections;

/// The first port that is picked for port 0 (RFC 6335 §6).
const FIRST_PICKED_PORT: u16 = 49_152;

/// How a network in memory behaves.
#[derive(Debug)]
pub struct MemoryOptions {
    /// Decides the fate of every datagram.
    pub seed: [u8; 32],
    /// The time stamp of the world's start, in nanoseconds from 1970.
    pub epoch_ns: u64,
    /// Where to record; none records nothing but the schedule.
    pub capture: Option<CaptureFile>,
    /// One way, in milliseconds; arrivals are rounded up to the grid of 3 ms.
    pub latency_ms: u64,
    /// While impaired, added to the latency of a datagram: from 0 to this many milliseconds.
    pub jitter_ms: u64,
    /// While impaired, the share of datagrams lost, from 0 to 1.
    pub loss: f64,
    /// While impaired, the share of datagrams delivered twice, from 0 to 1.
    pub duplicate: f64,
}

/// Makes a network in memory, not yet impaired.
///
/// # Panics
/// Outside a tokio runtime, which has to be a current-thread one with `start_paused(true)`.
pub fn memory(options: MemoryOptions) -> Arc<dyn Network> {
    let start = Instant::now();
    let alarm = Arc::new(Notify::new());
    let shared = Arc::new(Shared {
        start,
        epoch_ns: options.epoch_ns,
        alarm: alarm.clone(),
        interceptors: Mutex::new(Vec::new()),
        state: Mutex::new(State {
            taps: Taps::new(options.epoch_ns, options.capture),
            latency: Duration::from_millis(options.latency_ms),
            datagrams: Datagrams::new(Impairments {
                seed: options.seed,
                jitter_ms: options.jitter_ms,
                loss: options.loss,
                duplicate: options.duplicate,
            }),
            connections: Connections::default(),
            queue: std::collections::BinaryHeap::new(),
            order: 0,
            earliest_changed: false,
            last_port: HashMap::new(),
            links: 0,
            wakes: Vec::new(),
        }),
    });
    tokio::spawn(deliver(Arc::downgrade(&shared), alarm, start));
    Arc::new(MemoryNetwork { shared })
}

/// Delivers what is due until the network is dropped.
async fn deliver(shared: Weak<Shared>, alarm: Arc<Notify>, start: Instant) {
    loop {
        let Some(next) = shared.upgrade().map(|shared| shared.deliver_due()) else { return };
        match next {
            None => alarm.notified().await,
            Some(at) => tokio::select! {
                biased;
                () = alarm.notified() => {}
                () = tokio::time::sleep_until(start + at) => {}
            },
        }
    }
}

/// The next whole millisecond, at or after `time`, that is `phase` modulo 3; at most [`FOREVER`].
fn grid(time: Duration, phase: u64) -> Duration {
    let ms = time.min(FOREVER).as_nanos().div_ceil(1_000_000) as u64;
    Duration::from_millis(ms + (3 + phase - ms % 3) % 3)
}

/// What every link, socket and stream of one network has in common.
struct Shared {
    start: Instant,
    epoch_ns: u64,
    /// Tells the deliverer that something is due earlier than it thinks.
    alarm: Arc<Notify>,
    /// Apart from the state, because an interceptor may ask the network for the time or inject.
    interceptors: Mutex<Vec<Box<dyn Interceptor>>>,
    state: Mutex<State>,
}

struct State {
    taps: Taps,
    latency: Duration,
    datagrams: Datagrams,
    connections: Connections,
    queue: std::collections::BinaryHeap<Event>,
    /// Counts events, so that ties are broken by the order of sending.
    order: u64,
    earliest_changed: bool,
    last_port: HashMap<Ipv4Addr, u16>,
    links: u32,
    /// To be woken once the lock is released.
    wakes: Vec<Waker>,
}

/// Something on its way.
struct Event {
    at: Duration,
    order: u64,
    what: Arrival,
}

enum Arrival {
    Datagram(datagram::Flight),
    Segment(crate::frame::Segment),
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    /// The earliest is the greatest, because the heap gives its greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl State {
    /// Puts something on its way that was sent `now` and takes `extra` longer than the latency.
    fn dispatch(&mut self, now: Duration, extra: Duration, what: Arrival) {
        // Always later than now, so that nothing arrives at the instant at which it was sent.
        let at = grid((now + self.latency).saturating_add(extra).max(now + Duration::from_nanos(1)), 0);
        self.order += 1;
        self.earliest_changed |= self.queue.peek().is_none_or(|first| at < first.at);
        self.queue.push(Event { at, order: self.order, what });
    }

    /// A port of `ip` that `taken` does not refuse, above those picked before.
    fn pick_port(&mut self, ip: Ipv4Addr, taken: impl Fn(&Self, u16) -> bool) -> io::Result<u16> {
        let mut port = self.last_port.get(&ip).copied().unwrap_or(u16::MAX);
        for _ in FIRST_PICKED_PORT..=u16::MAX {
            port = if port == u16::MAX { FIRST_PICKED_PORT } else { port + 1 };
            if !taken(self, port) {
                self.last_port.insert(ip, port);
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

impl Shared {
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.start)
    }

    /// Works on the state and wakes whoever that concerns, after the lock is released.
    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let (result, wakes, earliest_changed) = {
            let mut state = lock(&self.state);
            let result = work(&mut state);
            (result, std::mem::take(&mut state.wakes), std::mem::take(&mut state.earliest_changed))
        };
        if earliest_changed {
            self.alarm.notify_one();
        }
        wakes.into_iter().for_each(Waker::wake);
        result
    }

    /// Delivers everything that is due and returns when the next is.
    fn deliver_due(&self) -> Option<Duration> {
        let now = self.now();
        self.with(|state| {
            while state.queue.peek().is_some_and(|event| event.at <= now)
                && let Some(event) = state.queue.pop()
            {
                match event.what {
                    Arrival::Datagram(flight) => state.arrive_datagram(now, flight),
                    Arrival::Segment(segment) => state.arrive_segment(now, segment),
                }
            }
            state.queue.peek().map(|event| event.at)
        })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.alarm.notify_one();
    }
}

struct MemoryNetwork {
    shared: Arc<Shared>,
}

impl Network for MemoryNetwork {
    fn now(&self) -> Duration {
        self.shared.now()
    }

    fn instant(&self) -> std::time::Instant {
        Instant::now().into_std()
    }

    fn epoch_ns(&self) -> u64 {
        self.shared.epoch_ns
    }

    fn sleep_until(&self, until: Duration, who: Sleeper) -> Boxed<'static, ()> {
        let phase = match who {
            Sleeper::Engine => 1,
            Sleeper::Application => 2,
        };
        let at = self.shared.start + grid(until.max(self.shared.now()), phase);
        Box::pin(tokio::time::sleep_until(at))
    }

    fn add_link(&self, tap: &str) -> Arc<dyn AccessLink> {
        let ip = self.shared.with(|state| {
            state.links += 1;
            let ip = Ipv4Addr::from_bits(0x0A00_0000 | (state.links & 0x00FF_FFFF));
            state.taps.add(tap, ip);
            ip
        });
        Arc::new(MemoryLink { shared: self.shared.clone(), tap: tap.to_owned(), ip })
    }

    fn intercept(&self, interceptor: Box<dyn Interceptor>) {
        lock(&self.shared.interceptors).push(interceptor);
    }

    fn inject(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], delay: Duration) {
        let now = self.shared.now();
        self.shared.with(|state| state.inject_datagram(now, source, destination, bytes, delay));
    }

    fn impair(&self, on: bool) {
        self.shared.with(|state| state.datagrams.impaired = on);
    }

    fn drops(&self) -> Vec<DroppedDatagram> {
        self.shared.with(|state| state.datagrams.drops.clone())
    }

    fn packets(&self) -> u64 {
        self.shared.with(|state| state.taps.packets())
    }

    fn schedule(&self) -> Option<String> {
        Some(self.shared.with(|state| state.taps.schedule()))
    }

    fn finish(&self) -> io::Result<()> {
        self.shared.with(|state| state.taps.finish())
    }
}

struct MemoryLink {
    shared: Arc<Shared>,
    tap: String,
    ip: Ipv4Addr,
}

impl AccessLink for MemoryLink {
    fn tap(&self) -> &str {
        &self.tap
    }

    fn ip(&self) -> std::net::IpAddr {
        self.ip.into()
    }

    fn bind(&self, port: u16) -> io::Result<Arc<dyn DatagramSocket>> {
        let local = self.shared.with(|state| state.bind_datagrams(self.ip, port))?;
        Ok(Arc::new(MemorySocket::new(self.shared.clone(), local)))
    }

    fn listen(&self, port: u16) -> Boxed<'_, io::Result<Box<dyn Listener>>> {
        let local = self.shared.with(|state| state.listen(self.ip, port));
        let shared = self.shared.clone();
        Box::pin(async move { Ok(Box::new(MemoryListener::new(shared, local?)) as Box<dyn Listener>) })
    }

    fn connect(&self, to: SocketAddr) -> Boxed<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let SocketAddr::V4(to) = to else { return Err(io::ErrorKind::Unsupported.into()) };
            let stream = MemoryStream::connect(self.shared.clone(), self.ip, to).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

/// Addresses of both families, where only the older one exists.
fn ipv4(address: SocketAddr) -> Option<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests;
