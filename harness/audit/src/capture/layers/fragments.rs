//! Puts fragments of IP datagrams together.
//!
//! Invariant: at most [`HELD`] datagrams wait at a time; the oldest gives way.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use etherparse::defrag::IpDefragBuf;
use etherparse::{IpNumber, Ipv6ExtensionSlice, LaxNetSlice, LaxSlicedPacket};

/// Datagrams that may wait for their rest; each has at most 64 KiB.
const HELD: usize = 128;

/// Sender, receiver, identification and protocol.
type Id = (IpAddr, IpAddr, u32, u8);

/// The fragments of datagrams that are not whole yet.
#[derive(Debug, Default)]
pub struct Fragments {
    held: HashMap<Id, IpDefragBuf>,
    order: VecDeque<Id>,
    /// Fragments that fit no datagram, and datagrams that were given up.
    pub refused: u64,
}

impl Fragments {
    /// Takes in one fragment and gives the datagram that it completes, with its protocol.
    pub(super) fn take(&mut self, sliced: &LaxSlicedPacket<'_>) -> Option<(IpNumber, Vec<u8>)> {
        let (ends, number, offset, more, payload): ((IpAddr, IpAddr), _, _, _, _) = match &sliced.net {
            Some(LaxNetSlice::Ipv4(ip)) => {
                let header = ip.header();
                let ends = (header.source_addr().into(), header.destination_addr().into());
                let number = u32::from(header.identification());
                (ends, number, header.fragments_offset(), header.more_fragments(), ip.payload())
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                let header = ip.header();
                let ends = (header.source_addr().into(), header.destination_addr().into());
                let mut extensions = ip.extensions().clone().into_iter();
                let fragment = extensions.find_map(|extension| match extension {
                    Ipv6ExtensionSlice::Fragment(fragment) => Some(fragment.to_header()),
                    _ => None,
                })?;
                (
                    ends,
                    fragment.identification,
                    fragment.fragment_offset,
                    fragment.more_fragments,
                    ip.payload(),
                )
            }
            _ => return None,
        };
        let id = (ends.0, ends.1, number, payload.ip_number.0);
        if !self.held.contains_key(&id) {
            self.make_room();
            self.held.insert(id, IpDefragBuf::new(payload.ip_number, Vec::new(), Vec::new()));
            self.order.push_back(id);
        }
        let held = self.held.get_mut(&id)?;
        if held.add(offset, more, payload.payload).is_err() {
            self.refused += 1;
            return None;
        }
        if !held.is_complete() {
            return None;
        }
        let whole = self.held.remove(&id)?;
        self.order.retain(|waiting| *waiting != id);
        Some((whole.ip_number(), whole.take_bufs().0))
    }

    fn make_room(&mut self) {
        while self.held.len() >= HELD {
            let Some(oldest) = self.order.pop_front() else { return };
            if self.held.remove(&oldest).is_some() {
                self.refused += 1;
            }
        }
    }
}
