//! Connections of the network in memory: a TCP of two ordered, lossless directions.
//!
//! Invariant: sequence and acknowledgement numbers of every recorded segment are what a real TCP would have sent, so
//! that any reader of captures reassembles the bytes.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};

use super::{Arrival, State};
use crate::frame::{CALLED_SEQUENCE, CALLING_SEQUENCE, Flags, LONGEST_SEGMENT, Segment};

/// A writer waits when its peer has this many bytes still to read.
const WINDOW: usize = 256 * 1024;

/// One end of a connection: its own address, then the peer's.
pub(super) type Key = (SocketAddrV4, SocketAddrV4);

/// The connections' part of the state.
#[derive(Default)]
pub(super) struct Connections {
    ends: HashMap<Key, End>,
    listeners: HashMap<SocketAddrV4, Accepting>,
}

#[derive(Default)]
struct Accepting {
    ready: VecDeque<Key>,
    waiter: Option<Waker>,
}

struct End {
    stage: Stage,
    /// The sequence number of the next byte that this end sends.
    sequence: u32,
    /// The sequence number of the next byte that this end expects.
    expected: u32,
    inbound: VecDeque<Bytes>,
    /// Bytes that the peer has not read yet, those on their way included.
    unread_by_peer: usize,
    ended_by_us: bool,
    ended_by_peer: bool,
    failure: Option<io::ErrorKind>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// SYN sent.
    Calling,
    /// SYN-ACK sent.
    Called,
    Open,
}

impl End {
    fn new(stage: Stage, sequence: u32, expected: u32) -> Self {
        Self {
            stage,
            sequence,
            expected,
            inbound: VecDeque::new(),
            unread_by_peer: 0,
            ended_by_us: false,
            ended_by_peer: false,
            failure: None,
            reader: None,
            writer: None,
        }
    }

    fn wakers(&mut self) -> impl Iterator<Item = Waker> {
        self.reader.take().into_iter().chain(self.writer.take())
    }
}

impl State {
    pub(super) fn listen(&mut self, ip: Ipv4Addr, port: u16) -> io::Result<SocketAddrV4> {
        let taken =
            |state: &Self, port| state.connections.listeners.contains_key(&SocketAddrV4::new(ip, port));
        let port = match port {
            0 => self.pick_port(ip, taken)?,
            port if taken(self, port) => return Err(io::ErrorKind::AddrInUse.into()),
            port => port,
        };
        let local = SocketAddrV4::new(ip, port);
        self.connections.listeners.insert(local, Accepting::default());
        Ok(local)
    }

    /// Closes a listener and breaks what nobody accepted.
    pub(super) fn stop_listening(&mut self, now: Duration, local: SocketAddrV4) {
        let Some(accepting) = self.connections.listeners.remove(&local) else { return };
        for key in accepting.ready {
            if let Some(end) = self.connections.ends.remove(&key) {
                self.send_segment(now, key, Flags::Reset, end.sequence, end.expected, Bytes::new());
            }
        }
    }

    pub(super) fn poll_accept(&mut self, local: SocketAddrV4, cx: &mut Context<'_>) -> Poll<io::Result<Key>> {
        let Some(accepting) = self.connections.listeners.get_mut(&local) else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match accepting.ready.pop_front() {
            Some(key) => Poll::Ready(Ok(key)),
            None => {
                accepting.waiter = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Sends SYN.
    pub(super) fn call(&mut self, now: Duration, ip: Ipv4Addr, to: SocketAddrV4) -> io::Result<Key> {
        let port = self.pick_port(ip, |state, port| {
            let local = SocketAddrV4::new(ip, port);
            state.connections.listeners.contains_key(&local)
                || state.connections.ends.contains_key(&(local, to))
        })?;
        let key = (SocketAddrV4::new(ip, port), to);
        self.connections.ends.insert(key, End::new(Stage::Calling, CALLING_SEQUENCE, 0));
        self.send_from(now, key, Flags::Syn, Bytes::new());
        Ok(key)
    }

    pub(super) fn poll_open(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(end) = self.connections.ends.get_mut(&key) else { return Poll::Ready(Err(gone())) };
        match (end.failure, end.stage) {
            (Some(kind), _) => Poll::Ready(Err(kind.into())),
            (None, Stage::Open) => Poll::Ready(Ok(())),
            (None, _) => {
                end.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(super) fn poll_read(
        &mut self,
        key: Key,
        cx: &mut Context<'_>,
        into: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(end) = self.connections.ends.get_mut(&key) else { return Poll::Ready(Err(gone())) };
        let mut read = 0;
        while into.remaining() > 0
            && let Some(first) = end.inbound.front_mut()
        {
            let length = first.len().min(into.remaining());
            into.put_slice(&first.split_to(length));
            read += length;
            if !first.has_remaining() {
                end.inbound.pop_front();
            }
        }
        if read == 0 && into.remaining() > 0 {
            return match (end.failure, end.ended_by_peer) {
                (Some(kind), _) => Poll::Ready(Err(kind.into())),
                (None, true) => Poll::Ready(Ok(())),
                (None, false) => {
                    end.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            };
        }
        if let Some(peer) = self.connections.ends.get_mut(&(key.1, key.0)) {
            peer.unread_by_peer = peer.unread_by_peer.saturating_sub(read);
            self.wakes.extend(peer.writer.take());
        }
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write(
        &mut self,
        now: Duration,
        key: Key,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(end) = self.connections.ends.get_mut(&key) else { return Poll::Ready(Err(gone())) };
        if let Some(kind) = end.failure {
            return Poll::Ready(Err(kind.into()));
        }
        if end.ended_by_us {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if end.unread_by_peer >= WINDOW {
            end.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let segment = Bytes::copy_from_slice(bytes.get(..LONGEST_SEGMENT).unwrap_or(bytes));
        let length = segment.len();
        end.unread_by_peer += length;
        self.send_from(now, key, Flags::Push, segment);
        Poll::Ready(Ok(length))
    }

    /// Sends FIN, once.
    pub(super) fn end_writing(&mut self, now: Duration, key: Key) {
        let Some(end) = self.connections.ends.get_mut(&key) else { return };
        if !end.ended_by_us && end.failure.is_none() && end.stage == Stage::Open {
            end.ended_by_us = true;
            self.send_from(now, key, Flags::Fin, Bytes::new());
        }
    }

    /// Forgets an end whose owner has dropped it. What was not read breaks the connection (RFC 2525 §2.17), or a
    /// peer that waits for it to be read would wait for ever.
    pub(super) fn hang_up(&mut self, now: Duration, key: Key) {
        let unread =
            self.connections.ends.get(&key).filter(|end| !end.inbound.is_empty() && end.failure.is_none());
        match unread.map(|end| (end.sequence, end.expected)) {
            Some((sequence, expected)) => {
                self.send_segment(now, key, Flags::Reset, sequence, expected, Bytes::new());
            }
            None => self.end_writing(now, key),
        }
        self.connections.ends.remove(&key);
    }

    /// Delivers a segment that is due.
    pub(super) fn arrive_segment(&mut self, now: Duration, segment: Segment) {
        let key = (segment.destination, segment.source);
        let Some(link) = self.taps.link(segment.destination.ip()) else {
            return self.fail((segment.source, segment.destination), io::ErrorKind::HostUnreachable);
        };
        self.taps.segment(link, now, &segment);
        match segment.flags {
            Flags::Syn => self.arrive_call(now, key, &segment),
            Flags::Reset => {
                let calling = self.connections.ends.get(&key).is_some_and(|end| end.stage == Stage::Calling);
                let refused = io::ErrorKind::ConnectionRefused;
                self.fail(key, if calling { refused } else { io::ErrorKind::ConnectionReset });
            }
            Flags::SynAck | Flags::Ack | Flags::Push | Flags::Fin => self.arrive_at_end(now, key, segment),
        }
    }

    fn arrive_call(&mut self, now: Duration, key: Key, segment: &Segment) {
        let expected = segment.next_sequence();
        if self.connections.listeners.contains_key(&key.0) {
            self.connections.ends.insert(key, End::new(Stage::Called, CALLED_SEQUENCE, expected));
            self.send_from(now, key, Flags::SynAck, Bytes::new());
        } else {
            self.send_segment(now, key, Flags::Reset, 0, expected, Bytes::new());
        }
    }

    fn arrive_at_end(&mut self, now: Duration, key: Key, segment: Segment) {
        let Some(end) = self.connections.ends.get_mut(&key) else {
            // RFC 9293 §3.5.2: a reset takes its sequence number from the acknowledgement. FIN to a closed end is
            // the ordinary way in which the second side hangs up.
            if segment.flags != Flags::Fin && segment.flags != Flags::Ack {
                let (sequence, expected) = (segment.acknowledgement, segment.next_sequence());
                self.send_segment(now, key, Flags::Reset, sequence, expected, Bytes::new());
            }
            return;
        };
        end.expected = segment.next_sequence();
        match segment.flags {
            Flags::SynAck => {
                end.stage = Stage::Open;
                self.wakes.extend(end.wakers());
                self.send_from(now, key, Flags::Ack, Bytes::new());
            }
            Flags::Ack if end.stage == Stage::Called => self.queue_for_accept(now, key),
            Flags::Push => {
                end.inbound.push_back(segment.payload);
                self.wakes.extend(end.reader.take());
            }
            Flags::Fin => {
                end.ended_by_peer = true;
                self.wakes.extend(end.reader.take());
            }
            Flags::Ack | Flags::Syn | Flags::Reset => {}
        }
    }

    fn queue_for_accept(&mut self, now: Duration, key: Key) {
        let Some(end) = self.connections.ends.get_mut(&key) else { return };
        end.stage = Stage::Open;
        match self.connections.listeners.get_mut(&key.0) {
            Some(accepting) => {
                accepting.ready.push_back(key);
                self.wakes.extend(accepting.waiter.take());
            }
            None => {
                let (sequence, expected) = (end.sequence, end.expected);
                self.connections.ends.remove(&key);
                self.send_segment(now, key, Flags::Reset, sequence, expected, Bytes::new());
            }
        }
    }

    fn fail(&mut self, key: Key, kind: io::ErrorKind) {
        if let Some(end) = self.connections.ends.get_mut(&key) {
            end.failure = Some(kind);
            self.wakes.extend(end.wakers());
        }
    }

    /// Sends a segment of an end and moves its sequence number on.
    fn send_from(&mut self, now: Duration, key: Key, flags: Flags, payload: Bytes) {
        let Some(end) = self.connections.ends.get(&key) else { return };
        let (sequence, expected) = (end.sequence, end.expected);
        let next = self.send_segment(now, key, flags, sequence, expected, payload);
        if let Some(end) = self.connections.ends.get_mut(&key) {
            end.sequence = next;
        }
    }

    /// Sends a segment and returns the sequence number after it.
    fn send_segment(
        &mut self,
        now: Duration,
        key: Key,
        flags: Flags,
        sequence: u32,
        acknowledgement: u32,
        payload: Bytes,
    ) -> u32 {
        let (source, destination) = key;
        let id = self.taps.identification();
        let segment = Segment { source, destination, id, flags, sequence, acknowledgement, payload };
        if let Some(link) = self.taps.link(source.ip()) {
            self.taps.segment(link, now, &segment);
        }
        let next = segment.next_sequence();
        self.dispatch(now, Duration::ZERO, Arrival::Segment(segment));
        next
    }
}

fn gone() -> io::Error {
    io::ErrorKind::NotConnected.into()
}
