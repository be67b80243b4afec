//! One allocation: a relayed address, who may send to it, and its channels (RFC 8656 §6, §9, §12).
//!
//! Invariant: what has run out is as if it had never been.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a permission lasts (RFC 8656 §9).
const PERMISSION_LASTS: Duration = Duration::from_secs(300);
/// How long a channel stays bound (RFC 8656 §12).
const CHANNEL_LASTS: Duration = Duration::from_secs(600);

/// What the relay keeps for one client. Times are those of the world's clock.
#[derive(Clone, Debug)]
pub(super) struct Allocation {
    /// The address that peers see.
    pub(super) relayed: SocketAddr,
    /// Whose it is; a request of another user is refused.
    pub(super) username: String,
    /// The transaction of the request that made it: a repeated request gets the same answer.
    pub(super) transaction: [u8; 12],
    expires: Duration,
    permissions: BTreeMap<IpAddr, Duration>,
    channels: BTreeMap<u16, (SocketAddr, Duration)>,
}

impl Allocation {
    pub(super) fn new(
        relayed: SocketAddr,
        username: String,
        transaction: [u8; 12],
        now: Duration,
        lifetime: Duration,
    ) -> Self {
        Self {
            relayed,
            username,
            transaction,
            expires: now + lifetime,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
        }
    }

    pub(super) fn refresh(&mut self, now: Duration, lifetime: Duration) {
        self.expires = now + lifetime;
    }

    pub(super) fn expired(&self, now: Duration) -> bool {
        self.expires <= now
    }

    /// How long it still lasts.
    pub(super) fn lifetime(&self, now: Duration) -> Duration {
        self.expires.saturating_sub(now)
    }

    /// Lets every port of `peer` send (RFC 8656 §9: a permission is for an IP address).
    pub(super) fn permit(&mut self, now: Duration, peer: IpAddr) {
        self.permissions.insert(peer, now + PERMISSION_LASTS);
    }

    pub(super) fn permits(&self, now: Duration, peer: IpAddr) -> bool {
        self.permissions.get(&peer).is_some_and(|until| *until > now)
    }

    /// Binds a channel, or keeps it bound, and permits its peer. False when the number or the peer belongs to
    /// another binding that has not run out (RFC 8656 §12.2).
    pub(super) fn bind(&mut self, now: Duration, number: u16, peer: SocketAddr) -> bool {
        self.channels.retain(|_, (_, until)| *until > now);
        let taken = self.channels.iter().any(|(n, (p, _))| (*n == number) != (*p == peer));
        if !taken {
            self.channels.insert(number, (peer, now + CHANNEL_LASTS));
            self.permit(now, peer.ip());
        }
        !taken
    }

    /// The peer of a channel.
    pub(super) fn peer_of(&self, now: Duration, number: u16) -> Option<SocketAddr> {
        self.channels.get(&number).filter(|(_, until)| *until > now).map(|(peer, _)| *peer)
    }

    /// The channel of a peer.
    pub(super) fn channel_of(&self, now: Duration, peer: SocketAddr) -> Option<u16> {
        let bound = self.channels.iter().find(|(_, (p, until))| *p == peer && *until > now);
        bound.map(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn peer(port: u16) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, 7], port))
    }

    fn allocation() -> Allocation {
        Allocation::new(peer(50_000), "alice".to_owned(), [0; 12], at(0), at(600))
    }

    #[rstest]
    #[case::at_once(0, false)]
    #[case::one_second_before(599, false)]
    #[case::at_the_end(600, true)]
    fn an_allocation_lasts_as_long_as_it_was_given(#[case] now: u64, #[case] gone: bool) {
        assert_eq!(allocation().expired(at(now)), gone);
        assert_eq!(allocation().lifetime(at(now)), at(600 - now));
    }

    #[test]
    fn a_permission_is_for_an_address_whatever_the_port_and_runs_out() {
        let mut allocation = allocation();
        assert!(!allocation.permits(at(0), peer(1).ip()));
        allocation.permit(at(0), peer(1).ip());
        assert!(allocation.permits(at(299), peer(2).ip()));
        assert!(!allocation.permits(at(300), peer(1).ip()));
        assert!(!allocation.permits(at(1), IpAddr::from([10, 0, 0, 8])));
    }

    #[test]
    fn a_channel_is_one_number_for_one_peer_until_it_runs_out() {
        let mut allocation = allocation();
        assert!(allocation.bind(at(0), 0x4000, peer(1)));
        assert!(allocation.permits(at(0), peer(1).ip()), "binding permits");
        assert!(!allocation.bind(at(1), 0x4000, peer(2)), "the number has a peer");
        assert!(!allocation.bind(at(1), 0x4001, peer(1)), "the peer has a number");
        assert!(allocation.bind(at(1), 0x4000, peer(1)), "the same again keeps it bound");
        assert_eq!(allocation.peer_of(at(600), 0x4000), Some(peer(1)));
        assert_eq!(allocation.channel_of(at(600), peer(1)), Some(0x4000));
        assert_eq!(allocation.peer_of(at(601), 0x4000), None);
        assert_eq!(allocation.channel_of(at(601), peer(1)), None);
        assert!(allocation.bind(at(601), 0x4000, peer(2)), "free again");
    }
}
