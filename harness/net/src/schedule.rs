//! Digests when which packet crossed which link.
//!
//! Invariant: the digest depends on times, links, addresses and classes only; never on bytes or lengths, and never
//! on the order of two packets of the same instant.

use std::net::SocketAddrV4;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A running digest.
#[derive(Default)]
pub(crate) struct Schedule {
    digest: Sha256,
    /// The packets of the instant `at`, not digested yet because they are sorted first.
    instant: Vec<(u32, SocketAddrV4, SocketAddrV4, &'static str)>,
    at: Duration,
}

impl Schedule {
    /// Adds a packet. Times do not decrease.
    pub(crate) fn add(
        &mut self,
        at: Duration,
        link: u32,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        class: &'static str,
    ) {
        if at != self.at {
            digest_instant(&mut self.digest, self.at, &mut self.instant);
            self.at = at;
        }
        self.instant.push((link, source, destination, class));
    }

    /// SHA-256 over all packets so far, in hex.
    pub(crate) fn hex(&self) -> String {
        let mut digest = self.digest.clone();
        digest_instant(&mut digest, self.at, &mut self.instant.clone());
        hex::encode(digest.finalize())
    }
}

fn digest_instant(
    digest: &mut Sha256,
    at: Duration,
    packets: &mut Vec<(u32, SocketAddrV4, SocketAddrV4, &'static str)>,
) {
    packets.sort_unstable();
    for (link, source, destination, class) in packets.drain(..) {
        digest.update((at.as_nanos() as u64).to_be_bytes());
        digest.update(link.to_be_bytes());
        for address in [source, destination] {
            digest.update(address.ip().octets());
            digest.update(address.port().to_be_bytes());
        }
        digest.update(class);
        digest.update([0]);
    }
}

/// The class of a datagram by its first two bytes (RFC 7983 §7, RFC 5761 §4).
pub(crate) fn class(payload: &[u8]) -> &'static str {
    match (payload.first(), payload.get(1)) {
        (Some(0..=3), _) => "stun",
        (Some(20..=63), _) => "dtls",
        (Some(64..=79), _) => "turn-channel",
        (Some(128..=191), Some(192..=223)) => "rtcp",
        (Some(128..=191), _) => "rtp",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn address(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new([10, 0, 0, 1].into(), port)
    }

    fn digest(packets: &[(u64, u32, u16, u16, &'static str)]) -> String {
        let mut schedule = Schedule::default();
        for (ms, link, from, to, class) in packets {
            schedule.add(Duration::from_millis(*ms), *link, address(*from), address(*to), class);
        }
        schedule.hex()
    }

    const BASE: [(u64, u32, u16, u16, &str); 3] =
        [(3, 0, 1, 2, "stun"), (3, 1, 2, 1, "dtls"), (6, 0, 1, 2, "rtp")];

    #[rstest]
    #[case::time([(3, 0, 1, 2, "stun"), (3, 1, 2, 1, "dtls"), (9, 0, 1, 2, "rtp")])]
    #[case::link([(3, 0, 1, 2, "stun"), (3, 0, 2, 1, "dtls"), (6, 0, 1, 2, "rtp")])]
    #[case::source([(3, 0, 1, 2, "stun"), (3, 1, 3, 1, "dtls"), (6, 0, 1, 2, "rtp")])]
    #[case::destination([(3, 0, 1, 2, "stun"), (3, 1, 2, 1, "dtls"), (6, 0, 1, 3, "rtp")])]
    #[case::class([(3, 0, 1, 2, "stun"), (3, 1, 2, 1, "dtls"), (6, 0, 1, 2, "rtcp")])]
    #[case::order_of_instants([(3, 0, 1, 2, "stun"), (3, 0, 1, 2, "rtp"), (6, 1, 2, 1, "dtls")])]
    fn a_changed_packet_changes_the_digest(#[case] other: [(u64, u32, u16, u16, &'static str); 3]) {
        assert_ne!(digest(&BASE), digest(&other));
    }

    #[test]
    fn a_lost_packet_changes_the_digest() {
        assert_ne!(digest(&BASE), digest(&BASE[..2]));
    }

    #[test]
    fn the_order_within_an_instant_does_not_matter() {
        assert_eq!(digest(&BASE), digest(&[BASE[1], BASE[0], BASE[2]]));
    }

    #[rstest]
    #[case::stun(&[0, 1], "stun")]
    #[case::dtls(&[22, 254], "dtls")]
    #[case::channel(&[0x40, 0], "turn-channel")]
    #[case::rtp(&[0x80, 111], "rtp")]
    #[case::rtp_with_marker(&[0x80, 0x80 | 111], "rtp")]
    #[case::rtcp(&[0x80, 200], "rtcp")]
    #[case::empty(&[], "other")]
    #[case::half(&[0x80], "rtp")]
    #[case::zrtp(&[0x10, 0], "other")]
    fn datagrams_have_a_class(#[case] payload: &[u8], #[case] expected: &str) {
        assert_eq!(class(payload), expected);
    }
}
