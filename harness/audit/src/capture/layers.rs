//! From a recorded frame down to its UDP or TCP payload: link layers, tags, tunnels and fragments.
//!
//! Invariant: no frame is followed deeper than [`DEEPEST`] layers, and what is kept of fragments is bounded.

mod fragments;
mod link;
mod plain;
mod tunnel;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket, TransportSlice, UdpSlice};

pub use fragments::Fragments;

use super::packet::Transport;

/// Tags and tunnels that are taken off one after the other.
const DEEPEST: usize = 16;

/// What is left of a frame when everything below its payload is taken off.
#[derive(Debug)]
pub struct Layers<'f> {
    /// What stands above IP.
    pub transport: Transport,
    /// Sender's address and port; unspecified where there is none.
    pub source: SocketAddr,
    /// Receiver's address and port; unspecified where there is none.
    pub destination: SocketAddr,
    /// The UDP or TCP payload, as far as it was recorded; owned where it was put together from fragments.
    pub payload: Cow<'f, [u8]>,
    /// How far the frame could be read.
    pub depth: Depth,
}

/// How far a frame could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Down to the payload.
    Payload,
    /// Down to a payload of which bytes were not recorded.
    Cut,
    /// Down to a protocol that is not looked into.
    Other,
    /// A fragment of a datagram that is not whole yet, or no more.
    Fragment,
    /// Up to a header that is missing, or lies.
    Malformed,
}

/// What comes next.
enum Layer<'f> {
    /// An Ethernet header.
    Ethernet(&'f [u8]),
    /// What this ether type names.
    Type(u16, &'f [u8]),
    /// PPP's protocol field.
    Ppp(&'f [u8]),
    /// An IP header of either version.
    Ip(&'f [u8]),
    /// Nothing that is looked into.
    Other,
    /// A header that is missing or lies.
    Malformed,
}

/// Takes a frame apart. `cut`: fewer bytes were recorded than stood on the wire.
pub fn dissect<'f>(linktype: u16, frame: &'f [u8], cut: bool, fragments: &mut Fragments) -> Layers<'f> {
    if let Some(layers) = plain::dissect(linktype, frame, cut) {
        return layers;
    }
    let mut layer = link::outermost(linktype, frame);
    for _ in 0..DEEPEST {
        layer = match layer {
            Layer::Ethernet(rest) => link::ethernet(rest),
            Layer::Type(ether_type, rest) => link::of_type(ether_type, rest),
            Layer::Ppp(rest) => link::ppp(rest),
            Layer::Ip(rest) => match ip(rest, cut, fragments) {
                Inside::Layer(layer) => layer,
                Inside::Found(found) => return found,
            },
            Layer::Other => return Layers::nothing(Depth::Other),
            Layer::Malformed => return Layers::nothing(Depth::Malformed),
        };
    }
    Layers::nothing(Depth::Malformed)
}

impl Layers<'_> {
    fn nothing(depth: Depth) -> Self {
        let nowhere = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0);
        Self {
            transport: Transport::Other,
            source: nowhere,
            destination: nowhere,
            payload: Cow::Borrowed(&[]),
            depth,
        }
    }
}

enum Inside<'f> {
    Layer(Layer<'f>),
    Found(Layers<'f>),
}

fn ip<'f>(bytes: &'f [u8], cut: bool, fragments: &mut Fragments) -> Inside<'f> {
    let Ok(sliced) = LaxSlicedPacket::from_ip(bytes) else { return Inside::Layer(Layer::Malformed) };
    let (source, destination, payload): (IpAddr, IpAddr, _) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into(), ip.payload())
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            (ip.header().source_addr().into(), ip.header().destination_addr().into(), ip.payload())
        }
        _ => return Inside::Layer(Layer::Malformed),
    };
    if payload.fragmented {
        let whole = fragments.take(&sliced);
        return Inside::Found(match whole {
            Some((number, payload)) => joined(number, &payload, source, destination),
            None => Layers {
                source: SocketAddr::new(source, 0),
                destination: SocketAddr::new(destination, 0),
                ..Layers::nothing(Depth::Fragment)
            },
        });
    }
    if let Some(layer) = tunnel::above_ip(payload.ip_number, payload.payload) {
        return Inside::Layer(layer);
    }
    match sliced.transport {
        Some(TransportSlice::Udp(udp)) => {
            if let Some(layer) = tunnel::above_udp(&udp) {
                return Inside::Layer(layer);
            }
            let lies = usize::from(udp.length()) > udp.slice().len() || (1..8).contains(&udp.length());
            Inside::Found(Layers {
                transport: Transport::Udp,
                source: SocketAddr::new(source, udp.source_port()),
                destination: SocketAddr::new(destination, udp.destination_port()),
                payload: Cow::Borrowed(udp.payload()),
                depth: if cut {
                    Depth::Cut
                } else if lies {
                    Depth::Malformed
                } else {
                    Depth::Payload
                },
            })
        }
        Some(TransportSlice::Tcp(tcp)) => Inside::Found(Layers {
            transport: Transport::Tcp {
                sequence: tcp.sequence_number(),
                syn: tcp.syn(),
                fin: tcp.fin(),
                rst: tcp.rst(),
            },
            source: SocketAddr::new(source, tcp.source_port()),
            destination: SocketAddr::new(destination, tcp.destination_port()),
            payload: Cow::Borrowed(tcp.payload()),
            depth: if cut { Depth::Cut } else { Depth::Payload },
        }),
        None if sliced.stop_err.is_some() => Inside::Layer(Layer::Malformed),
        Some(_) | None => Inside::Layer(Layer::Other),
    }
}

/// A datagram that was put together: UDP or nothing, because tunnels in fragments are not followed.
fn joined(number: IpNumber, datagram: &[u8], source: IpAddr, destination: IpAddr) -> Layers<'static> {
    let udp = UdpSlice::from_slice_lax(datagram).ok().filter(|_| number == IpNumber::UDP);
    udp.map_or_else(
        || Layers::nothing(Depth::Other),
        |udp| Layers {
            transport: Transport::Udp,
            source: SocketAddr::new(source, udp.source_port()),
            destination: SocketAddr::new(destination, udp.destination_port()),
            payload: Cow::Owned(udp.payload().to_vec()),
            depth: Depth::Payload,
        },
    )
}

#[cfg(test)]
mod tests;
