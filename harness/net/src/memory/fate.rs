//! What an impaired network does to a datagram.
//!
//! Invariant: the fate is a function of (seed, flow, ordinal) alone; bytes and length have no part in it.

use std::net::SocketAddrV4;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How bad the network is while it is impaired.
#[derive(Clone, Debug)]
pub(crate) struct Impairments {
    pub(crate) seed: [u8; 32],
    pub(crate) jitter_ms: u64,
    pub(crate) loss: f64,
    pub(crate) duplicate: f64,
}

/// The extra delay of each copy that arrives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrivals {
    Lost,
    Once(Duration),
    Twice(Duration, Duration),
}

impl Impairments {
    /// The fate of datagram `ordinal`, from 0, of the flow from `source` to `destination`.
    pub(crate) fn fate(&self, source: SocketAddrV4, destination: SocketAddrV4, ordinal: u64) -> Arrivals {
        let mut digest = Sha256::new();
        digest.update(b"overheard/1 fate");
        digest.update(self.seed);
        for address in [source, destination] {
            digest.update(address.ip().octets());
            digest.update(address.port().to_be_bytes());
        }
        digest.update(ordinal.to_be_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let mut draws =
            digest.chunks_exact(8).map(|c| c.iter().fold(0u64, |sum, b| sum << 8 | u64::from(*b)));
        let mut draw = || draws.next().unwrap_or_default();

        let (lost, twice) = (share(draw()) < self.loss, share(draw()) < self.duplicate);
        let mut delay = || Duration::from_millis(draw() % self.jitter_ms.saturating_add(1));
        match (lost, twice) {
            (true, _) => Arrivals::Lost,
            (false, false) => Arrivals::Once(delay()),
            (false, true) => Arrivals::Twice(delay(), delay()),
        }
    }
}

/// A draw as a number from 0 to below 1.
fn share(draw: u64) -> f64 {
    (draw >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impairments(loss: f64, duplicate: f64, jitter_ms: u64) -> Impairments {
        Impairments { seed: [7; 32], jitter_ms, loss, duplicate }
    }

    fn fates(impairments: &Impairments, port: u16) -> Vec<Arrivals> {
        let address = |port| SocketAddrV4::new([10, 0, 0, 1].into(), port);
        (0..4_000).map(|n| impairments.fate(address(port), address(9), n)).collect()
    }

    #[test]
    fn shares_are_kept_and_delays_stay_within_the_jitter() {
        let fates = fates(&impairments(0.1, 0.2, 20), 1);
        let lost = fates.iter().filter(|f| **f == Arrivals::Lost).count();
        let twice = fates.iter().filter(|f| matches!(f, Arrivals::Twice(..))).count();
        assert!((300..500).contains(&lost), "{lost} of 4000 lost");
        assert!((620..820).contains(&twice), "{twice} of 4000 twice");
        let mut delays: Vec<u128> = Vec::new();
        for fate in &fates {
            match fate {
                Arrivals::Lost => {}
                Arrivals::Once(a) => delays.push(a.as_millis()),
                Arrivals::Twice(a, b) => delays.extend([a.as_millis(), b.as_millis()]),
            }
        }
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&0), Some(&20)));
    }

    #[test]
    fn flows_and_seeds_have_fates_of_their_own() {
        let one = impairments(0.5, 0.0, 0);
        let mut other = one.clone();
        other.seed = [8; 32];
        assert_eq!(fates(&one, 1), fates(&one, 1));
        assert_ne!(fates(&one, 1), fates(&one, 2));
        assert_ne!(fates(&one, 1), fates(&other, 1));
    }

    #[test]
    fn nothing_happens_at_zero_and_everything_is_lost_at_one() {
        assert!(fates(&impairments(0.0, 0.0, 0), 1).iter().all(|f| *f == Arrivals::Once(Duration::ZERO)));
        assert!(fates(&impairments(1.0, 1.0, 0), 1).iter().all(|f| *f == Arrivals::Lost));
    }
}
