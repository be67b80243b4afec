//! Datagrams over real sockets.
//!
//! Invariant: a datagram for a socket of this network either is recorded at that socket's tap or is among the drops.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;

use super::{Shared, State};
use crate::drops;
use crate::lock::lock;
use crate::network::{DatagramSocket, DroppedDatagram, FOREVER, InFlight};

/// What the network knows of one of its sockets.
pub(super) struct Port {
    /// The socket itself, to send in its name.
    socket: Arc<UdpSocket>,
    /// What was sent to it and not received yet, as drops in case it never is.
    expected: VecDeque<DroppedDatagram>,
}

impl State {
    /// The drops so far; what was sent and is not received counts among them.
    pub(super) fn all_drops(&self) -> Vec<DroppedDatagram> {
        let mut all = self.drops.clone();
        all.extend(self.ports.values().flat_map(|port| port.expected.iter().cloned()));
        all.sort_by_key(|drop| drop.at);
        all
    }

    /// Records a datagram that `local` received.
    fn received(&mut self, now: Duration, source: SocketAddr, local: SocketAddrV4, bytes: &[u8]) {
        let SocketAddr::V4(from) = source else { return };
        if let Some(link) = self.taps.link(local.ip()) {
            let id = self.taps.identification();
            self.taps.datagram(link, now, from, local, id, bytes);
        }
        if let Some(port) = self.ports.get_mut(&local) {
            let this = drops::dropped(now, source, local.into(), bytes, drops::NOT_RECEIVED);
            let matches = |one: &DroppedDatagram| one.source == this.source && one.sha256 == this.sha256;
            if let Some(index) = port.expected.iter().position(matches) {
                port.expected.remove(index);
            }
        }
    }
}

impl Shared {
    fn send_datagram(self: &Arc<Self>, source: SocketAddrV4, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        let SocketAddr::V4(destination) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        let mut interceptors = lock(&self.interceptors);
        let (now, original) = {
            let mut state = lock(&self.state);
            let now = self.now();
            let id = state.taps.identification();
            if let Some(link) = state.taps.link(source.ip()) {
                state.taps.datagram(link, now, source, destination, id, bytes);
            }
            if interceptors.is_empty() {
                return state.transmit(now, now, source, destination, bytes);
            }
            let tap = |address| state.taps.name(address).map(str::to_owned);
            let original = InFlight {
                from: tap(&source.into()).unwrap_or_default(),
                to: tap(&to),
                source: source.into(),
                destination: to,
                bytes: bytes.to_vec(),
            };
            (now, original)
        };
        let outcome = drops::intercepted(&mut interceptors, now, original);
        drop(interceptors);
        lock(&self.state).drops.extend(outcome.drops);
        for onward in outcome.onward {
            self.clone().launch(now, onward.delay, onward.datagram);
        }
        Ok(())
    }

    /// Sends from the socket that has the address of the source, after `delay`.
    pub(super) fn launch(self: Arc<Self>, sent: Duration, delay: Duration, datagram: InFlight) {
        let transmit = move |shared: &Shared| {
            let InFlight { source, destination, bytes, .. } = datagram;
            let mut state = lock(&shared.state);
            if let (SocketAddr::V4(from), SocketAddr::V4(to)) = (source, destination) {
                // Whoever made this has no socket that an error could be told; it is among the drops.
                let _ = state.transmit(sent, shared.now(), from, to, &bytes);
            } else {
                let drop = drops::dropped(sent, source, destination, &bytes, drops::CANNOT_BE_CARRIED);
                state.drops.push(drop);
            }
        };
        if delay.is_zero() {
            return transmit(&self);
        }
        let until = self.start + (self.now().saturating_add(delay)).min(FOREVER);
        tokio::spawn(async move {
            tokio::time::sleep_until(until).await;
            transmit(&self);
        });
    }
}

impl State {
    /// Hands a datagram to the system; what it does not take is a drop.
    fn transmit(
        &mut self,
        sent: Duration,
        now: Duration,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        bytes: &[u8],
    ) -> io::Result<()> {
        let drop = |reason| drops::dropped(sent, source.into(), destination.into(), bytes, reason);
        let Some(port) = self.ports.get(&source) else {
            self.drops.push(drop(drops::CANNOT_BE_CARRIED));
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        if let Err(error) = port.socket.send_to(bytes, destination) {
            self.drops.push(drop(drops::NOT_TAKEN));
            return Err(error);
        }
        if let Some(port) = self.ports.get_mut(&destination) {
            port.expected.push_back(drop(drops::NOT_RECEIVED));
        } else if let Some(link) = self.taps.link(destination.ip()) {
            let id = self.taps.identification();
            self.taps.datagram(link, now, source, destination, id, bytes);
            self.drops.push(drop(drops::NOBODY_LISTENED));
        }
        Ok(())
    }
}

/// A bound socket.
pub(super) struct LoopbackSocket {
    shared: Arc<Shared>,
    socket: tokio::net::UdpSocket,
    local: SocketAddrV4,
}

impl LoopbackSocket {
    pub(super) fn bind(shared: Arc<Shared>, address: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        let SocketAddr::V4(local) = socket.local_addr()? else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let port = Port { socket: Arc::new(socket.try_clone()?), expected: VecDeque::new() };
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        lock(&shared.state).ports.insert(local, port);
        Ok(Self { shared, socket, local })
    }
}

impl DatagramSocket for LoopbackSocket {
    fn local(&self) -> SocketAddr {
        self.local.into()
    }

    fn send(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        self.shared.send_datagram(self.local, to, bytes)
    }

    fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<(usize, SocketAddr)>> {
        // The tap sees the whole datagram, however small the buffer is.
        let mut whole = [const { MaybeUninit::uninit() }; 65_536];
        let mut into = ReadBuf::uninit(&mut whole);
        let source = ready!(self.socket.poll_recv_from(cx, &mut into))?;
        let bytes = into.filled();
        let mut state = lock(&self.shared.state);
        state.received(self.shared.now(), source, self.local, bytes);
        let length = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Poll::Ready(Ok((length, source)))
    }
}

impl Drop for LoopbackSocket {
    /// What has arrived and was not read crossed the link all the same.
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        let mut whole = [0; 65_536];
        if let Some(socket) = state.ports.get(&self.local).map(|port| port.socket.clone()) {
            while let Ok((length, source)) = socket.recv_from(&mut whole) {
                state.received(
                    self.shared.now(),
                    source,
                    self.local,
                    whole.get(..length).unwrap_or_default(),
                );
            }
        }
        if let Some(port) = state.ports.remove(&self.local) {
            state.drops.extend(port.expected);
        }
    }
}

impl std::fmt::Debug for LoopbackSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoopbackSocket").field("local", &self.local).finish_non_exhaustive()
    }
}
