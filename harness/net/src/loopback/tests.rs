//! The network of real sockets. Nothing here is timed: a test waits for bytes or for an end.

use std::future::poll_fn;
use std::task::Poll;

use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::capture::tests::{Packet, Shelf, packets};
use crate::drops;
use crate::network::Fate;

fn run<T>(world: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime with sockets").block_on(world)
}

fn recorded_network(shelf: &Shelf) -> Arc<dyn Network> {
    loopback(LoopbackOptions { capture: Some(shelf.capture()), ..LoopbackOptions::default() })
}

async fn receive(socket: &Arc<dyn DatagramSocket>) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2_000];
    let (length, from) = poll_fn(|cx| socket.poll_recv(cx, &mut buffer)).await.expect("a bound socket");
    (buffer[..length].to_vec(), from)
}

fn pair(network: &Arc<dyn Network>) -> (Arc<dyn DatagramSocket>, Arc<dyn DatagramSocket>) {
    let bind = |tap| network.add_link(tap).bind(0).expect("a free port");
    (bind("alice"), bind("bob"))
}

fn recorded(shelf: &Shelf) -> Vec<(String, Vec<u8>)> {
    packets(&shelf.bytes()).iter().map(|p| (p.tap.clone(), p.payload())).collect()
}

fn line(tap: &str, payload: &[u8]) -> (String, Vec<u8>) {
    (tap.to_owned(), payload.to_vec())
}

#[test]
fn a_datagram_is_recorded_at_both_taps() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"hello").expect("loopback takes it");
        assert_eq!(receive(&bob).await, (b"hello".to_vec(), alice.local()));
        assert!(network.drops().is_empty());
        assert_eq!(network.schedule(), None);
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line("alice", b"hello"), line("bob", b"hello")]);
    let packets = packets(&shelf.bytes());
    assert!(packets[0].time_ns <= packets[1].time_ns);
}

#[test]
fn links_of_two_worlds_have_addresses_of_their_own() {
    let (one, other) = (loopback(LoopbackOptions::default()), loopback(LoopbackOptions::default()));
    assert_ne!(one.add_link("alice").ip(), other.add_link("alice").ip());
}

#[test]
fn a_sleep_is_not_shorter_than_asked() {
    run(async {
        let network = loopback(LoopbackOptions::default());
        let until = network.now() + Duration::from_millis(2);
        network.sleep_until(until, Sleeper::Application).await;
        assert!(network.now() >= until);
    });
}

#[test]
fn a_datagram_for_a_closed_port_is_a_drop() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = pair(&network);
        let to = bob.local();
        drop(bob);
        alice.send(to, b"anybody?").expect("loopback takes it");
        assert_eq!(network.drops()[0].reason, drops::NOBODY_LISTENED);
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line("alice", b"anybody?"), line("bob", b"anybody?")]);
}

#[test]
fn what_a_socket_did_not_read_is_recorded_when_it_is_dropped() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"unread").expect("loopback takes it");
        let waiting: Vec<&str> = network.drops().iter().map(|drop| drop.reason).collect();
        assert_eq!(waiting, [drops::NOT_RECEIVED]);
        drop(bob);
        assert!(network.drops().is_empty());
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line("alice", b"unread"), line("bob", b"unread")]);
}

#[rstest]
#[case::too_long(None, 70_000)]
#[case::other_family(Some("[::1]:9"), 1)]
fn what_no_datagram_can_be_is_refused(#[case] to: Option<&str>, #[case] length: usize) {
    run(async {
        let network = loopback(LoopbackOptions::default());
        let (alice, bob) = pair(&network);
        let to = to.map_or(bob.local(), |to| to.parse().expect("an address"));
        assert!(alice.send(to, &vec![0; length]).is_err());
    });
}

/// Does to each datagram what its first byte says.
struct Mallory;

impl Interceptor for Mallory {
    fn datagram(&mut self, _: Duration, datagram: &InFlight) -> Fate {
        assert_eq!((datagram.from.as_str(), datagram.to.as_deref()), ("alice", Some("bob")));
        let altered = |text: &[u8]| InFlight { bytes: text.to_vec(), ..datagram.clone() };
        match datagram.bytes.first() {
            Some(b'd') => Fate::Drop("swallowed by mallory"),
            Some(b'a') => Fate::Instead(vec![(Duration::ZERO, altered(b"altered"))]),
            Some(b'2') => Fate::Instead(vec![
                (Duration::ZERO, datagram.clone()),
                (Duration::from_millis(2), altered(b"second")),
            ]),
            Some(b's') => Fate::Instead(vec![(
                Duration::ZERO,
                InFlight { source: "127.0.0.1:9".parse().expect("an address"), ..datagram.clone() },
            )]),
            _ => Fate::Pass,
        }
    }
}

#[rstest]
#[case::pass(b"pass", &["pass"], None)]
#[case::drop(b"drop", &[], Some("swallowed by mallory"))]
#[case::alter(b"alter", &["altered"], None)]
#[case::two(b"2", &["2", "second"], None)]
#[case::spoof(b"spoof", &[], Some(drops::CANNOT_BE_CARRIED))]
fn interceptors_act_between_the_taps(
    #[case] sent: &[u8],
    #[case] arrived: &[&str],
    #[case] dropped: Option<&str>,
) {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = pair(&network);
        network.intercept(Box::new(Mallory));
        alice.send(bob.local(), sent).expect("loopback takes it");
        for expected in arrived {
            assert_eq!(receive(&bob).await.0, expected.as_bytes());
        }
        let reasons: Vec<&str> = network.drops().iter().map(|drop| drop.reason).collect();
        assert_eq!(reasons, Vec::from_iter(dropped));
        network.finish().expect("memory can be written");
    });
    let mut expected = vec![line("alice", sent)];
    expected.extend(arrived.iter().map(|text| line("bob", text.as_bytes())));
    assert_eq!(recorded(&shelf), expected);
}

#[test]
fn an_injected_datagram_is_recorded_at_the_receiver_alone() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = pair(&network);
        network.inject(alice.local(), bob.local(), b"forged", Duration::from_millis(1));
        assert_eq!(receive(&bob).await, (b"forged".to_vec(), alice.local()));
        network.inject("127.0.0.1:9".parse().expect("an address"), bob.local(), b"not ours", Duration::ZERO);
        assert_eq!(network.drops()[0].reason, drops::CANNOT_BE_CARRIED);
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line("bob", b"forged")]);
}

async fn connected(network: &Arc<dyn Network>) -> (Box<dyn Stream>, Box<dyn Stream>) {
    let (alice, bob) = (network.add_link("alice"), network.add_link("bob"));
    let mut listener = bob.listen(0).await.expect("a free port");
    let to = listener.local();
    let (near, far) = tokio::join!(alice.connect(to), listener.accept());
    let (far, from) = far.expect("a caller");
    assert_eq!(from.ip(), alice.ip());
    (near.expect("somebody listens"), far)
}

#[test]
fn nobody_answers_a_call_to_a_closed_port_and_that_is_recorded() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (alice, bob) = (network.add_link("alice"), network.add_link("bob"));
        let to = bob.listen(0).await.expect("a free port").local();
        let Err(error) = alice.connect(to).await else { panic!("somebody answered") };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        network.finish().expect("memory can be written");
    });
    let flags = |p: &Packet| p.tcp().map(|tcp| (tcp.syn, tcp.rst));
    assert_eq!(
        packets(&shelf.bytes()).iter().filter_map(flags).collect::<Vec<_>>(),
        [(true, false), (false, true)]
    );
}

#[test]
fn bytes_that_were_not_read_are_recorded_when_the_stream_is_dropped() {
    let shelf = Shelf::default();
    run(async {
        let network = recorded_network(&shelf);
        let (mut near, mut far) = connected(&network).await;
        near.write_all(b"read, unread").await.expect("open");
        let mut read = [0; 4];
        far.read_exact(&mut read).await.expect("open");
        drop(far);
        network.finish().expect("memory can be written");
    });
    let bob: Vec<u8> =
        recorded(&shelf).into_iter().filter(|(tap, _)| tap == "bob").flat_map(|(_, bytes)| bytes).collect();
    assert_eq!(bob, b"read, unread");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(8))]

    #[test]
    fn any_chunks_arrive_whole_and_both_taps_tell_the_same_story(
        chunks in proptest::collection::vec(
            proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40_000), 0..6)
    ) {
        let shelf = Shelf::default();
        let sent = chunks.concat();
        let got = run(async {
            let network = recorded_network(&shelf);
            let (mut near, mut far) = connected(&network).await;
            let write = async {
                for chunk in &chunks {
                    near.write_all(chunk).await.expect("open");
                }
                near.shutdown().await.expect("open");
            };
            let mut got = Vec::new();
            let (_, read) = tokio::join!(write, far.read_to_end(&mut got));
            read.expect("open");
            drop((near, far));
            network.finish().expect("memory can be written");
            got
        });
        proptest::prop_assert_eq!(&got, &sent);
        let packets = packets(&shelf.bytes());
        for tap in ["alice", "bob"] {
            let mut of_tap = packets.iter().filter(|p| p.tap == tap);
            let caller = of_tap.next().and_then(Packet::tcp).expect("SYN").source_port;
            proptest::prop_assert_eq!(&crate::memory::tests::reassembled(&packets, tap, caller), &sent);
        }
    }
}

#[test]
fn a_full_disk_shows_when_the_network_is_finished() {
    run(async {
        let capture = CaptureFile::create(std::path::Path::new("/dev/full")).expect("the device is there");
        let network = loopback(LoopbackOptions { capture: Some(capture), ..LoopbackOptions::default() });
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"hello").expect("loopback takes it");
        assert_eq!(receive(&bob).await.0, b"hello");
        assert_eq!(network.finish().expect_err("a full disk").kind(), io::ErrorKind::StorageFull);
    });
}

#[test]
fn an_empty_socket_has_nothing() {
    run(async {
        let (alice, _bob) = pair(&loopback(LoopbackOptions::default()));
        let mut buffer = [0; 10];
        let nothing = poll_fn(|cx| Poll::Ready(alice.poll_recv(cx, &mut buffer).is_pending())).await;
        assert!(nothing);
    });
}
