//! What a stream is known by while packets come: a way and an SSRC in 48 bytes, because every packet asks for its stream.
//!
//! Invariant: streams of different ways or sources have different names.

use std::net::{IpAddr, SocketAddr};

use crate::capture::Packet;

use super::stream::Way;

/// The name of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Bits 64 to 127 and 0 to 63 of an address of IPv6, to which one of IPv4 is mapped.
    source: [u64; 2],
    destination: [u64; 2],
    ports: u32,
    interface: u32,
    through: u32,
    ssrc: u32,
}

impl Name {
    /// The name of a stream on a way whose end behind a relay has the number `through`, 0 where there is none.
    pub fn of(way: &Way, through: u32, ssrc: u32) -> Self {
        let name = Self::direct(way.interface, way.source, way.destination, ssrc);
        Self { interface: name.interface ^ u32::from(way.behind) << 24, through, ..name }
    }

    /// The name of a stream of which `packet` is one that no relay carries.
    pub fn of_packet(packet: &Packet, ssrc: u32) -> Self {
        Self::direct(packet.interface, packet.source, packet.destination, ssrc)
    }

    fn direct(interface: usize, source: SocketAddr, destination: SocketAddr, ssrc: u32) -> Self {
        Self {
            source: bits(source.ip()),
            destination: bits(destination.ip()),
            ports: u32::from(source.port()) << 16 | u32::from(destination.port()),
            interface: u32::try_from(interface).unwrap_or(u32::MAX),
            through: 0,
            ssrc,
        }
    }
}

fn bits(address: IpAddr) -> [u64; 2] {
    let bits = match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    };
    [(bits >> 64) as u64, bits as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_way_is_part_of_the_name() {
        let way = |source: &str, behind| Way {
            interface: 1,
            source: source.parse().expect("an address"),
            destination: "10.0.0.2:6000".parse().expect("an address"),
            through: None,
            behind,
        };
        let near = way("10.0.0.1:5000", 0);
        let names = [
            Name::of(&near, 0, 7),
            Name::of(&near, 0, 8),
            Name::of(&near, 1, 7),
            Name::of(&near.back(), 0, 7),
            Name::of(&way("10.0.0.1:5001", 0), 0, 7),
            Name::of(&way("10.0.0.3:5000", 0), 0, 7),
            Name::of(&way("[2001:db8::1]:5000", 0), 0, 7),
            Name::of(&way("10.0.0.1:5000", 4), 0, 7),
            Name::of(&Way { interface: 2, ..near }, 0, 7),
        ];
        let different: std::collections::HashSet<Name> = names.into_iter().collect();
        assert_eq!(different.len(), 9);
    }
}
