//! The server without sockets: requests of clients, and what it carries between them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::credentials::{REALM, key};
use super::server::{Arrival, Deed, Server};
use super::stun::{Class, Message, Writer, attribute, method};
use crate::entropy::Entropy;

const UDP: [u8; 4] = [17, 0, 0, 0];

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], port))
}

/// The relay's own addresses are those of host 9.
fn relay() -> SocketAddr {
    address(9, 3478)
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server with two users, the next relayed port and the time.
struct Bench {
    server: Server,
    port: u16,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        let accounts = ["alice", "bob"].map(|name| (name.to_owned(), format!("{name}'s")));
        let server = Server::new(relay(), &accounts, Arc::new(Entropy::new([1; 32])));
        Self { server, port: 50_000, now: Duration::ZERO }
    }

    fn arrived(&mut self, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> Vec<Deed> {
        let port = &mut self.port;
        let bind = &mut || {
            *port += 1;
            Some(address(9, *port - 1))
        };
        self.server.arrived(self.now, Arrival { source, destination, bytes: bytes.to_vec() }, bind)
    }

    /// The answer to a request.
    fn answer(&mut self, client: SocketAddr, request: Writer) -> Message {
        let deeds = self.arrived(client, relay(), &request.finish());
        let answers: Vec<&Vec<u8>> = deeds
            .iter()
            .filter_map(|deed| match deed {
                Deed::Send { from, to, bytes } if *from == relay() && *to == client => Some(bytes),
                _ => None,
            })
            .collect();
        let [answer] = answers[..] else { panic!("one answer, not {deeds:?}") };
        Message::parse(answer).expect("an answer is a message")
    }

    fn nonce(&mut self, client: SocketAddr) -> String {
        let refused = self.answer(client, Writer::new(method::REFRESH, Class::Request, &[0; 12]));
        refused.text(attribute::NONCE).expect("a nonce").to_owned()
    }

    /// The answer to an authenticated request with these attributes.
    fn ask(
        &mut self,
        client: SocketAddr,
        user: &str,
        method: u16,
        fill: impl Fn(Writer) -> Writer,
    ) -> Message {
        let nonce = self.nonce(client);
        let request = fill(Writer::new(method, Class::Request, &[method as u8; 12]));
        let answer = self.answer(client, signed(request, user, &nonce));
        assert!(answer.has_integrity(&key(user, REALM, &format!("{user}'s"))), "the answer is protected");
        answer
    }

    fn allocate(&mut self, client: SocketAddr, user: &str) -> SocketAddr {
        let answer =
            self.ask(client, user, method::ALLOCATE, |r| r.attribute(attribute::REQUESTED_TRANSPORT, &UDP));
        assert_eq!(answer.class, Class::Success);
        answer.address(attribute::XOR_RELAYED_ADDRESS).expect("a relayed address")
    }

    fn permit(&mut self, client: SocketAddr, user: &str, peer: SocketAddr) {
        let answer = self
            .ask(client, user, method::CREATE_PERMISSION, |r| r.address(attribute::XOR_PEER_ADDRESS, peer));
        assert_eq!(answer.class, Class::Success);
    }

    fn bind(&mut self, client: SocketAddr, user: &str, number: u16, peer: SocketAddr) -> Message {
        self.ask(client, user, method::CHANNEL_BIND, |r| {
            let number = [number.to_be_bytes(), [0, 0]].concat();
            r.attribute(attribute::CHANNEL_NUMBER, &number).address(attribute::XOR_PEER_ADDRESS, peer)
        })
    }
}

fn signed(request: Writer, user: &str, nonce: &str) -> Writer {
    request
        .attribute(attribute::USERNAME, user.as_bytes())
        .attribute(attribute::REALM, REALM.as_bytes())
        .attribute(attribute::NONCE, nonce.as_bytes())
        .integrity(&key(user, REALM, &format!("{user}'s")))
}

/// The code of an error response (RFC 8489 §14.8); none of another one.
fn code(answer: &Message) -> Option<u16> {
    let value = answer.attribute(attribute::ERROR_CODE).filter(|_| answer.class == Class::Error)?;
    Some(u16::from(value[2]) * 100 + u16::from(value[3]))
}

fn send_indication(peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    Writer::new(method::SEND, Class::Indication, &[4; 12])
        .address(attribute::XOR_PEER_ADDRESS, peer)
        .attribute(attribute::DATA, data)
        .finish()
}

#[test]
fn a_first_request_is_told_realm_and_nonce_and_the_second_gets_an_allocation() {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    let first = bench.answer(
        alice,
        Writer::new(method::ALLOCATE, Class::Request, &[1; 12])
            .attribute(attribute::REQUESTED_TRANSPORT, &UDP),
    );
    assert_eq!((code(&first), first.text(attribute::REALM)), (Some(401), Some(REALM)));
    assert_eq!(first.transaction, [1; 12]);
    let second =
        bench.ask(alice, "alice", method::ALLOCATE, |r| r.attribute(attribute::REQUESTED_TRANSPORT, &UDP));
    assert_eq!(second.address(attribute::XOR_RELAYED_ADDRESS), Some(address(9, 50_000)));
    assert_eq!(second.address(attribute::XOR_MAPPED_ADDRESS), Some(alice));
    assert_eq!(second.attribute(attribute::LIFETIME), Some(&600_u32.to_be_bytes()[..]));
}

#[rstest]
#[case::unknown_user("mallory", "mallory's", true, 401)]
#[case::wrong_password("alice", "bob's", true, 401)]
#[case::wrong_password_and_nonce("alice", "bob's", false, 401)]
#[case::stale_nonce("alice", "alice's", false, 438)]
fn a_request_that_does_not_authenticate_is_refused(
    #[case] user: &str,
    #[case] password: &str,
    #[case] fresh: bool,
    #[case] wanted: u16,
) {
    let (mut bench, client) = (Bench::new(), address(1, 4000));
    let nonce = if fresh { bench.nonce(client) } else { "old".to_owned() };
    let request = Writer::new(method::ALLOCATE, Class::Request, &[1; 12])
        .attribute(attribute::REQUESTED_TRANSPORT, &UDP)
        .attribute(attribute::USERNAME, user.as_bytes())
        .attribute(attribute::REALM, REALM.as_bytes())
        .attribute(attribute::NONCE, nonce.as_bytes())
        .integrity(&key(user, REALM, password));
    let answer = bench.answer(client, request);
    assert_eq!(code(&answer), Some(wanted));
    assert!(answer.text(attribute::NONCE).is_some(), "it can try again");
    assert!(!answer.claims_integrity(), "nobody is known whose key would protect it");
}

#[test]
fn a_nonce_is_good_at_the_address_that_it_was_given_to_and_nowhere_else() {
    let mut bench = Bench::new();
    let nonce = bench.nonce(address(1, 4000));
    let request = Writer::new(method::REFRESH, Class::Request, &[1; 12]);
    assert_eq!(code(&bench.answer(address(2, 4000), signed(request, "alice", &nonce))), Some(438));
}

#[test]
fn integrity_without_a_name_is_a_bad_request() {
    let mut bench = Bench::new();
    let request = Writer::new(method::ALLOCATE, Class::Request, &[1; 12]).integrity(b"key");
    assert_eq!(code(&bench.answer(address(1, 1), request)), Some(400));
}

#[rstest]
#[case::tcp(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0], 442)]
#[case::cut(attribute::REQUESTED_TRANSPORT, &[17], 400)]
#[case::missing(attribute::DATA, &[], 400)]
#[case::even_port(0x0018, &[0x80], 420)]
fn an_allocation_of_another_kind_is_refused(#[case] kind: u16, #[case] value: &[u8], #[case] wanted: u16) {
    let answer = Bench::new().ask(address(1, 1), "alice", method::ALLOCATE, |r| r.attribute(kind, value));
    assert_eq!(code(&answer), Some(wanted));
}

#[test]
fn one_client_has_one_allocation_and_a_repeated_request_the_same_answer() {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    let first = bench.allocate(alice, "alice");
    assert_eq!(bench.allocate(alice, "alice"), first, "the same transaction");
    let nonce = bench.nonce(alice);
    let again = Writer::new(method::ALLOCATE, Class::Request, &[99; 12])
        .attribute(attribute::REQUESTED_TRANSPORT, &UDP);
    assert_eq!(code(&bench.answer(alice, signed(again, "alice", &nonce))), Some(437));
}

#[rstest]
#[case::refresh(method::REFRESH)]
#[case::create_permission(method::CREATE_PERMISSION)]
#[case::channel_bind(method::CHANNEL_BIND)]
fn a_client_without_an_allocation_of_its_own_can_change_none(#[case] method: u16) {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    assert_eq!(code(&bench.ask(alice, "alice", method, |r| r)), Some(437));
    bench.allocate(alice, "alice");
    assert_eq!(code(&bench.ask(alice, "bob", method, |r| r)), Some(441));
}

#[test]
fn a_lifetime_of_nought_gives_the_address_back() {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    let relayed = bench.allocate(alice, "alice");
    let nonce = bench.nonce(alice);
    let request =
        Writer::new(method::REFRESH, Class::Request, &[5; 12]).attribute(attribute::LIFETIME, &[0; 4]);
    let deeds = bench.arrived(alice, relay(), &signed(request, "alice", &nonce).finish());
    assert!(deeds.contains(&Deed::Released(relayed)), "{deeds:?}");
    assert_eq!(code(&bench.ask(alice, "alice", method::REFRESH, |r| r)), Some(437));
}

#[test]
fn an_allocation_that_nobody_refreshes_runs_out() {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    let relayed = bench.allocate(alice, "alice");
    bench.now = at(599);
    let refreshed = bench.ask(alice, "alice", method::REFRESH, |r| r);
    assert_eq!(refreshed.attribute(attribute::LIFETIME), Some(&600_u32.to_be_bytes()[..]));
    bench.now = at(599 + 600);
    assert!(bench.arrived(address(2, 1), relay(), b"?").contains(&Deed::Released(relayed)));
}

#[rstest]
#[case::multicast("224.0.0.1:5", 403)]
#[case::broadcast("255.255.255.255:5", 403)]
#[case::ipv6("[2001:db8::1]:5", 443)]
fn a_peer_that_is_no_host_of_the_network_gets_no_permission(#[case] peer: &str, #[case] wanted: u16) {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    bench.allocate(alice, "alice");
    let peer = peer.parse().expect("an address");
    let answer = bench.ask(alice, "alice", method::CREATE_PERMISSION, |r| {
        r.address(attribute::XOR_PEER_ADDRESS, address(2, 2)).address(attribute::XOR_PEER_ADDRESS, peer)
    });
    assert_eq!(code(&answer), Some(wanted));
    let deeds = bench.arrived(alice, relay(), &send_indication(address(2, 2), b"x"));
    assert!(matches!(deeds[..], [Deed::Dropped { .. }]), "all or none: {deeds:?}");
}

#[rstest]
#[case::below(0x3FFF, address(2, 2), Some(400))]
#[case::reserved(0x5000, address(2, 2), Some(400))]
#[case::to_the_relay_itself(0x4000, relay(), Some(403))]
#[case::number_taken(0x4001, address(2, 2), Some(400))]
#[case::peer_bound(0x4002, address(2, 1), Some(400))]
#[case::free(0x4002, address(2, 2), None)]
fn a_channel_is_bound_when_number_and_peer_are_free(
    #[case] number: u16,
    #[case] peer: SocketAddr,
    #[case] wanted: Option<u16>,
) {
    let (mut bench, alice) = (Bench::new(), address(1, 4000));
    bench.allocate(alice, "alice");
    assert_eq!(code(&bench.bind(alice, "alice", 0x4001, address(2, 1))), None);
    assert_eq!(code(&bench.bind(alice, "alice", number, peer)), wanted);
}

#[test]
fn what_a_peer_sends_without_permission_goes_no_further() {
    let (mut bench, alice, peer) = (Bench::new(), address(1, 4000), address(7, 7));
    let relayed = bench.allocate(alice, "alice");
    let deeds = bench.arrived(peer, relayed, b"hello");
    let arrival = Arrival { source: peer, destination: relayed, bytes: b"hello".to_vec() };
    assert_eq!(deeds, [Deed::Dropped { arrival, reason: "the peer has no permission" }]);
    bench.permit(alice, "alice", address(7, 1));
    let deeds = bench.arrived(peer, relayed, b"hello");
    let [Deed::Send { from, to, bytes }] = &deeds[..] else { panic!("{deeds:?}") };
    assert_eq!((*from, *to), (relay(), alice));
    let carried = Message::parse(bytes).expect("a Data indication");
    assert_eq!((carried.method, carried.class), (method::DATA, Class::Indication));
    assert_eq!(carried.address(attribute::XOR_PEER_ADDRESS), Some(peer));
    assert_eq!(carried.attribute(attribute::DATA), Some(&b"hello"[..]));
}

#[test]
fn a_channel_carries_both_ways_and_ends_with_its_allocation() {
    let (mut bench, alice, peer) = (Bench::new(), address(1, 4000), address(7, 7));
    let relayed = bench.allocate(alice, "alice");
    bench.bind(alice, "alice", 0x4000, peer);
    let framed = [&[0x40, 0, 0, 5][..], b"hello"].concat();
    let out = Deed::Send { from: relayed, to: peer, bytes: b"hello".to_vec() };
    assert_eq!(bench.arrived(alice, relay(), &framed), [out]);
    let back = Deed::Send { from: relay(), to: alice, bytes: framed.clone() };
    assert_eq!(bench.arrived(peer, relayed, b"hello"), [back]);
    for (source, bytes, reason) in [
        (address(2, 2), framed.clone(), "the client has no allocation"),
        (alice, [&[0x40, 1, 0, 5][..], b"hello"].concat(), "the channel is not bound"),
        (alice, framed[..8].to_vec(), "channel data that is cut short"),
    ] {
        let deeds = bench.arrived(source, relay(), &bytes);
        let arrival = Arrival { source, destination: relay(), bytes };
        assert_eq!(deeds, [Deed::Dropped { arrival, reason }]);
    }
    bench.now = at(600);
    let deeds = bench.arrived(peer, relayed, b"hello");
    assert!(matches!(deeds[..], [Deed::Released(_), Deed::Dropped { .. }]), "{deeds:?}");
}

#[test]
fn two_clients_of_the_same_relay_reach_each_other_only_when_both_permit_it() {
    let (mut bench, alice, bob) = (Bench::new(), address(1, 4000), address(2, 4000));
    let of_alice = bench.allocate(alice, "alice");
    let of_bob = bench.allocate(bob, "bob");
    bench.permit(alice, "alice", of_bob);
    let sent = send_indication(of_bob, b"hello");
    let arrival = Arrival { source: alice, destination: relay(), bytes: sent.clone() };
    let deeds = bench.arrived(alice, relay(), &sent);
    assert_eq!(deeds, [Deed::Dropped { arrival, reason: "the peer has no permission" }]);
    bench.bind(bob, "bob", 0x4003, of_alice);
    let carried = Deed::Send { from: relay(), to: bob, bytes: [&[0x40, 3, 0, 5][..], b"hello"].concat() };
    assert_eq!(bench.arrived(alice, relay(), &sent), [carried]);
}

#[test]
fn binding_needs_no_credentials_and_indications_that_mean_nothing_are_written_down() {
    let (mut bench, client) = (Bench::new(), address(1, 4000));
    let answer = bench.answer(client, Writer::new(method::BINDING, Class::Request, &[1; 12]));
    assert_eq!(answer.address(attribute::XOR_MAPPED_ADDRESS), Some(client));
    let keepalive = Writer::new(method::BINDING, Class::Indication, &[1; 12]).finish();
    let deeds = bench.arrived(client, relay(), &keepalive);
    assert!(matches!(deeds[..], [Deed::Dropped { .. }]), "{deeds:?}");
}

proptest! {
    #[test]
    fn any_datagram_is_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), port in 49_999_u16..50_002) {
        let (mut bench, alice) = (Bench::new(), address(1, 4000));
        bench.allocate(alice, "alice");
        bench.bind(alice, "alice", 0x4000, address(7, 7));
        bench.arrived(alice, relay(), &bytes);
        bench.arrived(address(7, 7), address(9, port), &bytes);
        bench.arrived(alice, relay(), &[&[0x40, 0][..], &bytes].concat());
    }
}
