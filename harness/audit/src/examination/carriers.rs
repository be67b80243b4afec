//! What others carry for the two ends of a call: relays in channels and indications of TURN, and TCP connections in
//! frames. Both readings of a capture take it out here.
//!
//! Invariant: both readings find the same datagrams in the same packets. What is kept is bounded in channels,
//! connections and bytes, and what could not be read is counted.

mod framing;

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::stream::{Through, Way};
use super::survey::way;
use crate::capture::class::{Class, of_datagram};
use crate::capture::{Packet, Transport};
use crate::dissect::{stun, turn};
use framing::Frames;

/// Channels that are remembered.
const CHANNELS: usize = 200_000;
/// Directions of TCP connections that are put together at a time.
const CONNECTIONS: usize = 20_000;
/// Bytes of all connections that wait for their rest.
const HELD: usize = 4 << 20;

/// The channels and connections so far.
#[derive(Debug, Default)]
pub struct Carriers {
    channels: HashMap<(Way, u16), Through, RandomState>,
    connections: HashMap<Way, Frames, RandomState>,
    held: usize,
    /// Bytes of framed connections that could not be read: they stood behind a gap.
    pub unread: u64,
}

/// A datagram of a TCP connection.
#[derive(Clone, Copy, Debug)]
pub struct Framed<'d> {
    /// The packet that brought its end, or by which its connection was known to carry datagrams.
    pub packet: &'d Packet,
    /// Where it goes.
    pub way: Way,
    /// What it is by its own bytes.
    pub class: Class,
    /// Its bytes.
    pub bytes: &'d [u8],
}

impl Carriers {
    /// What a message of TURN of this class carries, and where that goes; none where it carries nothing.
    pub fn relayed<'p>(&mut self, way: Way, class: Class, payload: &'p [u8]) -> Option<(Way, &'p [u8])> {
        if class == Class::TurnChannel {
            let (number, data) = turn::channel_data(payload)?;
            let through = self.channels.get(&(way.both(), number)).copied();
            return Some((Way { through: Some(through.unwrap_or(Through::Channel(number))), ..way }, data));
        }
        let message = stun::Message::parse(payload)?;
        if let Some((number, peer)) = turn::channel_bind(&message) {
            if self.channels.len() < CHANNELS || self.channels.contains_key(&(way.both(), number)) {
                self.channels.insert((way.both(), number), Through::Peer(peer));
            }
            return None;
        }
        let (peer, data) = turn::indication(&message)?;
        Some((Way { through: Some(Through::Peer(peer)), ..way }, data))
    }

    /// Takes a segment in, and gives each datagram that is whole now.
    pub fn segment(&mut self, packet: &Packet, payload: &[u8], mut each: impl FnMut(&mut Self, Framed<'_>)) {
        let way = way(packet);
        let (known, room) = (self.connections.remove(&way), self.connections.len() < CONNECTIONS);
        let mut frames = match known {
            Some(frames) => frames,
            None if payload.is_empty() || !room => return,
            None => Frames::default(),
        };
        let before = frames.held();
        frames.segment(packet, payload, &mut |packet, bytes| self.framed(way, packet, bytes, &mut each));
        self.keep(way, frames, before);
    }

    /// Gives the datagrams that still wait, at the end of the capture.
    pub fn finish(&mut self, mut each: impl FnMut(&mut Self, Framed<'_>)) {
        let mut connections: Vec<(Way, Frames)> = self.connections.drain().collect();
        connections.sort_by_key(|(way, _)| *way);
        for (way, mut frames) in connections {
            frames.finish(&mut |packet, bytes| self.framed(way, packet, bytes, &mut each));
            self.unread += frames.unread();
        }
        self.held = 0;
    }

    fn framed(
        &mut self,
        way: Way,
        packet: &Packet,
        bytes: &[u8],
        each: &mut impl FnMut(&mut Self, Framed<'_>),
    ) {
        let way = Way { through: Some(Through::Tcp), ..way };
        let class = of_datagram(bytes, packet);
        each(self, Framed { packet, way, class, bytes });
    }

    /// Keeps a connection for its next segment. When all of them hold too much, what they hold is given up.
    fn keep(&mut self, way: Way, frames: Frames, before: usize) {
        self.held = (self.held + frames.held()).saturating_sub(before);
        if !frames.is_over() {
            self.connections.insert(way, frames);
        } else {
            self.held = self.held.saturating_sub(frames.held());
            self.unread += frames.unread();
        }
        if self.held > HELD {
            self.connections.values_mut().for_each(Frames::give_up);
            self.held = 0;
        }
    }
}

/// Whether a packet is a segment of TCP.
pub fn is_segment(packet: &Packet) -> bool {
    packet.class != Class::Malformed && matches!(packet.transport, Transport::Tcp { .. })
}

#[cfg(test)]
mod tests;
