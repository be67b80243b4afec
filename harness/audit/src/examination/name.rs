//! What a stream is known by while packets come: a way and an SSRC in 48 bytes, because every packet asks for its stream.
//!
//! Invariant: streams of different ways or sources have different names.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::capture::Packet;

use super::stream::Way;

/// The name of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Bits 64 to 127 and 0 to 63 of an address of IPv6, to which one of IPv4 is mapped.
    source: [u64; 2],
    destination: [u64; 2],
    ports: u32,
    interface: u32,
    through: u32,
    ssrc: u32,
}

impl Hash for Name {
    /// Six words, which a hasher takes sooner than arrays of unknown length.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let both = |upper: u32, lower: u32| u64::from(upper) << 32 | u64::from(lower);
        let rest = [both(self.ports, self.interface), both(self.through, self.ssrc)];
        self.source.iter().chain(&self.destination).chain(&rest).for_each(|word| state.write_u64(*word));
    }
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

    /// Where the packets of such a stream go. `four`: they are of IPv4, whose addresses have names of IPv6.
    pub fn way(&self, four: bool) -> Way {
        let address = |[upper, lower]: [u64; 2]| {
            let six = Ipv6Addr::from_bits(u128::from(upper) << 64 | u128::from(lower));
            six.to_ipv4_mapped().filter(|_| four).map_or(IpAddr::V6(six), IpAddr::V4)
        };
        Way {
            interface: self.interface as usize,
            source: SocketAddr::new(address(self.source), (self.ports >> 16) as u16),
            destination: SocketAddr::new(address(self.destination), self.ports as u16),
            through: None,
            behind: 0,
        }
    }

    /// Its synchronisation source.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Something of its first and of its last bytes; reading it brings all of them near.
    pub fn fetch(&self) -> u64 {
        self.source[0] ^ u64::from(self.ssrc)
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

    #[rstest::rstest]
    #[case::of_ipv4("10.0.0.1:5000", "10.0.0.2:6000", true)]
    #[case::of_ipv6("[2001:db8::1]:5000", "[2001:db8::2]:6000", false)]
    #[case::of_ipv6_with_addresses_of_ipv4("[::ffff:10.0.0.1]:5000", "[::ffff:10.0.0.2]:6000", false)]
    fn a_way_is_the_one_that_was_named(#[case] source: &str, #[case] destination: &str, #[case] four: bool) {
        let address = |text: &str| text.parse().expect("an address");
        let (source, destination) = (address(source), address(destination));
        let way = Way { interface: 3, source, destination, through: None, behind: 0 };
        let name = Name::of(&way, 0, 7);
        assert_eq!((name.way(four), name.ssrc()), (way, 7));
    }

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
