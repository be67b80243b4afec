//! The TURN server without its sockets (RFC 8656): what arrives goes in, what is to be done comes out.
//!
//! Invariant: nothing reaches a peer or a client without an allocation and a permission, and every datagram that is
//! not carried on is among the deeds, with the reason.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::allocation::Allocation;
use super::credentials::Credentials;
use super::stun::{Class, Message, Writer, attribute, method, u16_at};
use crate::entropy::Entropy;

/// Numbers that a client may bind (RFC 8656 §12).
pub(super) const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x4FFF;

/// What the relay is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Send from one of its own addresses.
    Send { from: SocketAddr, to: SocketAddr, bytes: Vec<u8> },
    /// Give a relayed address back.
    Released(SocketAddr),
    /// Write down that a datagram went no further.
    Dropped { arrival: Arrival, reason: &'static str },
}

/// A datagram as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) source: SocketAddr,
    /// The address of the relay's at which it came in.
    pub(super) destination: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The server's memory.
pub(super) struct Server {
    /// Where clients reach it.
    pub(super) address: SocketAddr,
    pub(super) credentials: Credentials,
    /// By the client's address: the five-tuple, because there is one server address and one transport.
    pub(super) allocations: BTreeMap<SocketAddr, Allocation>,
}

/// Makes a relayed address, unless there is none to be had.
pub(super) type Bind<'a> = &'a mut dyn FnMut() -> Option<SocketAddr>;

impl Server {
    pub(super) fn new(address: SocketAddr, accounts: &[(String, String)], entropy: Arc<Entropy>) -> Self {
        let credentials = Credentials::new(accounts, entropy);
        Self { address, credentials, allocations: BTreeMap::new() }
    }

    /// Takes a datagram that came to the server's address or to a relayed one.
    pub(super) fn arrived(&mut self, now: Duration, arrival: Arrival, bind: Bind<'_>) -> Vec<Deed> {
        let mut deeds = self.expire(now);
        if arrival.destination != self.address {
            deeds.push(self.peer_data(now, arrival));
        } else if let Some(number) = u16_at(&arrival.bytes, 0).filter(|number| CHANNELS.contains(number)) {
            deeds.push(self.channel_data(now, number, arrival));
        } else {
            match Message::parse(&arrival.bytes) {
                Some(message) if message.class == Class::Request => {
                    deeds.extend(self.request(now, arrival.source, &message, bind));
                }
                Some(message) if message.class == Class::Indication && message.method == method::SEND => {
                    deeds.push(self.send_indication(now, &message, arrival));
                }
                // RFC 8489 §6.3.2: an indication that nobody understands is ignored, a Binding one means nothing.
                _ => deeds.push(Deed::Dropped { arrival, reason: "no message that a relay understands" }),
            }
        }
        deeds
    }

    /// Everything that it remembers: who may use it, and for whom it carries.
    pub(super) fn memory(&self) -> Vec<(String, Vec<u8>)> {
        let allocation = |(client, allocation): (&SocketAddr, &Allocation)| {
            format!(" {client} as {} for {}", allocation.relayed, allocation.username)
        };
        let allocations: String = self.allocations.iter().map(allocation).collect();
        let mut memory =
            vec![("its allocations".to_owned(), format!("allocations:{allocations}").into_bytes())];
        memory.extend(self.credentials.memory());
        memory
    }

    /// Forgets the allocations that have run out.
    fn expire(&mut self, now: Duration) -> Vec<Deed> {
        let gone: Vec<SocketAddr> =
            self.allocations.iter().filter(|(_, a)| a.expired(now)).map(|(client, _)| *client).collect();
        let forgotten = gone.iter().filter_map(|client| self.allocations.remove(client));
        forgotten.map(|allocation| Deed::Released(allocation.relayed)).collect()
    }

    /// RFC 8656 §12.6; UDP needs no padding.
    fn channel_data(&self, now: Duration, number: u16, arrival: Arrival) -> Deed {
        let length = u16_at(&arrival.bytes, 2).map(usize::from);
        let Some(data) = length.and_then(|length| arrival.bytes.get(4..4 + length)).map(<[u8]>::to_vec)
        else {
            return Deed::Dropped { arrival, reason: "channel data that is cut short" };
        };
        let Some(allocation) = self.allocations.get(&arrival.source) else {
            return Deed::Dropped { arrival, reason: "the client has no allocation" };
        };
        match allocation.peer_of(now, number) {
            Some(peer) => self.to_peer(now, allocation, peer, data, arrival),
            None => Deed::Dropped { arrival, reason: "the channel is not bound" },
        }
    }

    /// RFC 8656 §11.2.
    fn send_indication(&self, now: Duration, message: &Message, arrival: Arrival) -> Deed {
        let Some(allocation) = self.allocations.get(&arrival.source) else {
            return Deed::Dropped { arrival, reason: "the client has no allocation" };
        };
        let parts = message.address(attribute::XOR_PEER_ADDRESS).zip(message.attribute(attribute::DATA));
        match parts {
            None => Deed::Dropped { arrival, reason: "an indication without peer or data" },
            Some((peer, data)) => self.to_peer(now, allocation, peer, data.to_vec(), arrival),
        }
    }

    /// Carries data from a client to a peer. A peer that is a relayed address of this server is served here: what
    /// goes round inside the server crosses no wire.
    fn to_peer(
        &self,
        now: Duration,
        allocation: &Allocation,
        peer: SocketAddr,
        data: Vec<u8>,
        arrival: Arrival,
    ) -> Deed {
        if !allocation.permits(now, peer.ip()) {
            return Deed::Dropped { arrival, reason: "the client has no permission for the peer" };
        }
        match self.allocations.iter().find(|(_, other)| other.relayed == peer) {
            None if peer == self.address => Deed::Dropped { arrival, reason: "the peer is the relay itself" },
            None => Deed::Send { from: allocation.relayed, to: peer, bytes: data },
            Some((client, other)) => self.to_client(now, *client, other, allocation.relayed, &data, arrival),
        }
    }

    /// A datagram at a relayed address (RFC 8656 §11.3).
    fn peer_data(&self, now: Duration, arrival: Arrival) -> Deed {
        let owner = self.allocations.iter().find(|(_, a)| a.relayed == arrival.destination);
        let Some((client, allocation)) = owner else {
            return Deed::Dropped { arrival, reason: "the relayed address is nobody's" };
        };
        let data = arrival.bytes.clone();
        self.to_client(now, *client, allocation, arrival.source, &data, arrival)
    }

    /// Carries data from a peer to a client: over a channel where one is bound, else in a Data indication.
    fn to_client(
        &self,
        now: Duration,
        client: SocketAddr,
        allocation: &Allocation,
        peer: SocketAddr,
        data: &[u8],
        arrival: Arrival,
    ) -> Deed {
        if !allocation.permits(now, peer.ip()) {
            return Deed::Dropped { arrival, reason: "the peer has no permission" };
        }
        let Ok(length) = u16::try_from(data.len()) else {
            return Deed::Dropped { arrival, reason: "longer than channel data can be" };
        };
        let bytes = match allocation.channel_of(now, peer) {
            Some(number) => {
                let mut bytes = number.to_be_bytes().to_vec();
                bytes.extend(length.to_be_bytes());
                bytes.extend(data);
                bytes
            }
            None => Writer::new(method::DATA, Class::Indication, &self.credentials.transaction())
                .address(attribute::XOR_PEER_ADDRESS, peer)
                .attribute(attribute::DATA, data)
                .finish(),
        };
        Deed::Send { from: self.address, to: client, bytes }
    }
}
