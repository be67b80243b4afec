//! Datagrams of the network in memory: sockets, interceptors, fates and deliveries.
//!
//! Invariant: a datagram is recorded at the sender's tap when it is sent and at the receiver's when it arrives; one
//! that is not delivered is among the drops, with the reason.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::fate::{Arrivals, Impairments};
use super::{Arrival, Shared, State, ipv4};
use crate::drops;
use crate::frame::LONGEST_DATAGRAM;
use crate::lock::lock;
use crate::network::{DatagramSocket, DroppedDatagram, InFlight};

/// The datagrams' part of the state.
pub(super) struct Datagrams {
    pub(super) impaired: bool,
    pub(super) drops: Vec<DroppedDatagram>,
    impairments: Impairments,
    inboxes: HashMap<SocketAddrV4, Inbox>,
    /// How many datagrams each flow had.
    flows: HashMap<(SocketAddrV4, SocketAddrV4), u64>,
}

#[derive(Default)]
struct Inbox {
    queue: VecDeque<(SocketAddrV4, Vec<u8>)>,
    reader: Option<Waker>,
}

/// A datagram on its way.
pub(super) struct Flight {
    sent: Duration,
    source: SocketAddrV4,
    destination: SocketAddrV4,
    id: u16,
    bytes: Vec<u8>,
}

impl Datagrams {
    pub(super) fn new(impairments: Impairments) -> Self {
        Self {
            impaired: false,
            drops: Vec::new(),
            impairments,
            inboxes: HashMap::new(),
            flows: HashMap::new(),
        }
    }
}

impl State {
    /// Takes a port, or picks one for port 0.
    pub(super) fn bind_datagrams(&mut self, ip: Ipv4Addr, port: u16) -> io::Result<SocketAddrV4> {
        let taken = |state: &Self, port| state.datagrams.inboxes.contains_key(&SocketAddrV4::new(ip, port));
        let port = match port {
            0 => self.pick_port(ip, taken)?,
            port if taken(self, port) => return Err(io::ErrorKind::AddrInUse.into()),
            port => port,
        };
        let local = SocketAddrV4::new(ip, port);
        self.datagrams.inboxes.insert(local, Inbox::default());
        Ok(local)
    }

    /// Sends in the name of somebody else: past the sender's tap, the interceptors and the impairments.
    pub(super) fn inject_datagram(
        &mut self,
        now: Duration,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
        delay: Duration,
    ) {
        match flight(now, source, destination, self.taps.identification(), bytes.to_vec()) {
            Ok(flight) => self.dispatch(now, delay, Arrival::Datagram(flight)),
            Err(drop) => self.datagrams.drops.push(*drop),
        }
    }

    /// Gives a datagram its fate, after the interceptors.
    fn launch(&mut self, now: Duration, extra: Duration, flight: Flight) {
        let ordinal = self.datagrams.flows.entry((flight.source, flight.destination)).or_default();
        let this = *ordinal;
        *ordinal += 1;
        if !self.datagrams.impaired {
            return self.dispatch(now, extra, Arrival::Datagram(flight));
        }
        match self.datagrams.impairments.fate(flight.source, flight.destination, this) {
            Arrivals::Lost => self.drop_datagram(flight, drops::LOST),
            Arrivals::Once(delay) => {
                self.dispatch(now, extra.saturating_add(delay), Arrival::Datagram(flight))
            }
            Arrivals::Twice(first, second) => {
                let copy = Flight { bytes: flight.bytes.clone(), ..flight };
                self.dispatch(now, extra.saturating_add(first), Arrival::Datagram(flight));
                self.dispatch(now, extra.saturating_add(second), Arrival::Datagram(copy));
            }
        }
    }

    /// Delivers a datagram that is due.
    pub(super) fn arrive_datagram(&mut self, now: Duration, flight: Flight) {
        if let Some(link) = self.taps.link(flight.destination.ip()) {
            self.taps.datagram(link, now, flight.source, flight.destination, flight.id, &flight.bytes);
        }
        let Some(inbox) = self.datagrams.inboxes.get_mut(&flight.destination) else {
            return self.drop_datagram(flight, drops::NOBODY_LISTENED);
        };
        inbox.queue.push_back((flight.source, flight.bytes));
        self.wakes.extend(inbox.reader.take());
    }

    fn drop_datagram(&mut self, flight: Flight, reason: &'static str) {
        let (source, destination) = (flight.source.into(), flight.destination.into());
        self.datagrams.drops.push(drops::dropped(flight.sent, source, destination, &flight.bytes, reason));
    }
}

impl Shared {
    fn send_datagram(&self, source: SocketAddrV4, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        let destination = ipv4(to).ok_or(io::ErrorKind::Unsupported)?;
        if bytes.len() > LONGEST_DATAGRAM {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a datagram holds at most {LONGEST_DATAGRAM} bytes; send less"),
            ));
        }
        let now = self.now();
        let mut interceptors = lock(&self.interceptors);
        let (id, original) = self.with(|state| {
            let id = state.taps.identification();
            if let Some(link) = state.taps.link(source.ip()) {
                state.taps.datagram(link, now, source, destination, id, bytes);
            }
            if interceptors.is_empty() {
                let flight = Flight { sent: now, source, destination, id, bytes: bytes.to_vec() };
                state.launch(now, Duration::ZERO, flight);
                return (id, None);
            }
            let tap = |address| state.taps.name(address).map(str::to_owned);
            let original = InFlight {
                from: tap(&source.into()).unwrap_or_default(),
                to: tap(&destination.into()),
                source: source.into(),
                destination: destination.into(),
                bytes: bytes.to_vec(),
            };
            (id, Some(original))
        });
        let Some(original) = original else { return Ok(()) };
        let outcome = drops::intercepted(&mut interceptors, now, original);
        drop(interceptors);

        self.with(|state| {
            state.datagrams.drops.extend(outcome.drops);
            for onward in outcome.onward {
                let id = if onward.untouched { id } else { state.taps.identification() };
                let InFlight { source, destination, bytes, .. } = onward.datagram;
                match flight(now, source, destination, id, bytes) {
                    Ok(flight) => state.launch(now, onward.delay, flight),
                    Err(drop) => state.datagrams.drops.push(*drop),
                }
            }
        });
        Ok(())
    }
}

/// What was made by an attack need not be a datagram that this network can carry.
fn flight(
    sent: Duration,
    source: SocketAddr,
    destination: SocketAddr,
    id: u16,
    bytes: Vec<u8>,
) -> Result<Flight, Box<DroppedDatagram>> {
    match (ipv4(source), ipv4(destination)) {
        (Some(source), Some(destination)) if bytes.len() <= LONGEST_DATAGRAM => {
            Ok(Flight { sent, source, destination, id, bytes })
        }
        _ => Err(Box::new(drops::dropped(sent, source, destination, &bytes, drops::CANNOT_BE_CARRIED))),
    }
}

/// A bound port.
pub(super) struct MemorySocket {
    shared: Arc<Shared>,
    local: SocketAddrV4,
}

impl MemorySocket {
    pub(super) fn new(shared: Arc<Shared>, local: SocketAddrV4) -> Self {
        Self { shared, local }
    }
}

impl DatagramSocket for MemorySocket {
    fn local(&self) -> SocketAddr {
        self.local.into()
    }

    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.shared.send_datagram(self.local, to, bytes)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.shared.with(|state| {
            let Some(inbox) = state.datagrams.inboxes.get_mut(&self.local) else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            let Some((source, bytes)) = inbox.queue.pop_front() else {
                inbox.reader = Some(cx.waker().clone());
                return Poll::Pending;
            };
            let length = bytes.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
                to.copy_from_slice(from);
            }
            Poll::Ready(Ok((length, source.into())))
        })
    }
}

impl Drop for MemorySocket {
    fn drop(&mut self) {
        self.shared.with(|state| state.datagrams.inboxes.remove(&self.local));
    }
}

impl std::fmt::Debug for MemorySocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySocket").field("local", &self.local).finish_non_exhaustive()
    }
}
