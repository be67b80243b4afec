//! Time, datagrams, determinism and drops of the network in memory.

use std::future::poll_fn;
use std::task::Poll;

use rstest::rstest;

use super::*;
use crate::capture::tests::{Packet, Shelf, packets};
use crate::drops;
use crate::network::{Fate, InFlight};

mod streams;

pub(crate) use streams::{connected, reassembled};

pub(crate) const EPOCH_NS: u64 = 1_700_000_000_000_000_000;

pub(crate) fn options() -> MemoryOptions {
    MemoryOptions {
        seed: [0; 32],
        epoch_ns: EPOCH_NS,
        capture: None,
        latency_ms: 12,
        jitter_ms: 0,
        loss: 0.0,
        duplicate: 0.0,
    }
}

/// Runs a world as the runner does: current thread, paused clock.
pub(crate) fn run<T>(world: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets").block_on(world)
}

async fn receive(socket: &Arc<dyn DatagramSocket>) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2_000];
    let (length, from) = poll_fn(|cx| socket.poll_recv(cx, &mut buffer)).await.expect("a bound socket");
    (buffer[..length].to_vec(), from)
}

/// What is there now, without waiting.
async fn received(socket: &Arc<dyn DatagramSocket>) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2_000];
    let mut all = Vec::new();
    poll_fn(|cx| {
        while let Poll::Ready(Ok((length, _))) = socket.poll_recv(cx, &mut buffer) {
            all.push(buffer[..length].to_vec());
        }
        Poll::Ready(())
    })
    .await;
    all
}

type Pair = (Arc<dyn DatagramSocket>, Arc<dyn DatagramSocket>);

/// Alice with port 1000 and Bob with port 2000.
fn pair(network: &Arc<dyn Network>) -> Pair {
    let bind = |tap, port| network.add_link(tap).bind(port).expect("a free port");
    (bind("alice", 1000), bind("bob", 2000))
}

fn milliseconds(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// (milliseconds, tap, UDP payload) of each packet.
fn recorded(shelf: &Shelf) -> Vec<(u64, String, Vec<u8>)> {
    let line = |p: &Packet| ((p.time_ns - EPOCH_NS) / 1_000_000, p.tap.clone(), p.payload());
    packets(&shelf.bytes()).iter().map(line).collect()
}

fn line(ms: u64, tap: &str, payload: &[u8]) -> (u64, String, Vec<u8>) {
    (ms, tap.to_owned(), payload.to_vec())
}

#[rstest]
#[case::on_the_grid(3_000_000, 0, 3)]
#[case::a_nanosecond_later(3_000_001, 0, 6)]
#[case::engine(3_000_000, 1, 4)]
#[case::application(3_000_000, 2, 5)]
#[case::engine_from_application(5_000_000, 1, 7)]
#[case::start(0, 0, 0)]
fn times_are_rounded_up_to_their_phase(#[case] ns: u64, #[case] phase: u64, #[case] ms: u64) {
    assert_eq!(grid(Duration::from_nanos(ns), phase), milliseconds(ms));
}

#[test]
fn a_time_without_end_does_not_overflow_the_grid() {
    assert!(grid(Duration::MAX, 2) >= FOREVER);
    run(async {
        let network = memory(MemoryOptions { latency_ms: u64::MAX, jitter_ms: u64::MAX, ..options() });
        network.impair(true);
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"late").expect("memory carries it");
        network.inject(alice.local(), bob.local(), b"later", Duration::MAX);
        let sleep = network.sleep_until(Duration::MAX, Sleeper::Engine);
        network.sleep_until(milliseconds(50), Sleeper::Application).await;
        drop(sleep);
        assert!(received(&bob).await.is_empty());
    });
}

#[test]
fn a_datagram_is_recorded_at_both_taps_and_arrives_on_the_grid() {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), latency_ms: 10, ..options() });
        let (alice, bob) = pair(&network);
        network.sleep_until(milliseconds(1), Sleeper::Application).await;
        assert_eq!(network.now(), milliseconds(2));
        alice.send(bob.local(), b"hello").expect("memory carries it");
        assert_eq!(receive(&bob).await, (b"hello".to_vec(), alice.local()));
        assert_eq!(network.now(), milliseconds(12));
        assert!(network.drops().is_empty());
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line(2, "alice", b"hello"), line(12, "bob", b"hello")]);
}

#[test]
fn each_kind_of_sleeper_wakes_on_its_own_instants() {
    run(async {
        let network = memory(options());
        for until in 0..20 {
            network.sleep_until(milliseconds(until), Sleeper::Engine).await;
            assert_eq!(network.now().as_millis() % 3, 1);
            network.sleep_until(milliseconds(until), Sleeper::Application).await;
            assert_eq!(network.now().as_millis() % 3, 2);
        }
    });
}

#[test]
fn without_latency_a_datagram_arrives_later_than_it_was_sent() {
    run(async {
        let network = memory(MemoryOptions { latency_ms: 0, ..options() });
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"1").expect("memory carries it");
        receive(&bob).await;
        assert_eq!(network.now(), milliseconds(3));
    });
}

#[test]
fn ties_are_broken_by_the_order_of_sending() {
    run(async {
        let network = memory(options());
        let (alice, bob) = pair(&network);
        let sent: Vec<Vec<u8>> = (0..50).map(|n| vec![n]).collect();
        for bytes in &sent {
            alice.send(bob.local(), bytes).expect("memory carries it");
        }
        network.sleep_until(milliseconds(13), Sleeper::Engine).await;
        assert_eq!(received(&bob).await, sent);
    });
}

#[rstest]
#[case::closed_port("10.0.0.2:9")]
#[case::no_such_link("10.9.9.9:9")]
fn a_datagram_for_nobody_is_a_drop(#[case] to: SocketAddr) {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
        let (alice, _bob) = pair(&network);
        alice.send(to, b"anybody?").expect("memory carries it");
        assert!(network.drops().is_empty());
        network.sleep_until(milliseconds(12), Sleeper::Engine).await;
        let expected = drops::dropped(Duration::ZERO, alice.local(), to, b"anybody?", drops::NOBODY_LISTENED);
        assert_eq!(network.drops(), [expected]);
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf)[0], line(0, "alice", b"anybody?"));
}

#[test]
fn a_socket_frees_its_port_when_it_is_dropped() {
    run(async {
        let link = memory(options()).add_link("alice");
        let socket = link.bind(7).expect("a free port");
        assert_eq!(link.bind(7).expect_err("taken").kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert_eq!(link.bind(7).expect("freed").local().port(), 7);
        let (one, other) = (link.bind(0).expect("some port"), link.bind(0).expect("another port"));
        assert_ne!(one.local().port(), other.local().port());
    });
}

#[test]
fn a_datagram_is_cut_to_the_buffer() {
    run(async {
        let network = memory(options());
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"12345").expect("memory carries it");
        let mut buffer = [0; 3];
        let (length, _) = poll_fn(|cx| bob.poll_recv(cx, &mut buffer)).await.expect("a bound socket");
        assert_eq!((length, &buffer), (3, b"123"));
    });
}

#[rstest]
#[case::too_long("10.0.0.2:2000", 65_508, io::ErrorKind::InvalidInput)]
#[case::other_family("[::1]:2000", 1, io::ErrorKind::Unsupported)]
fn what_no_datagram_can_be_is_refused(
    #[case] to: SocketAddr,
    #[case] length: usize,
    #[case] kind: io::ErrorKind,
) {
    run(async {
        let (alice, _) = pair(&memory(options()));
        assert_eq!(alice.send(to, &vec![0; length]).expect_err("refused").kind(), kind);
    });
}

/// 20 flows of 60 datagrams through a bad network: the digest, and what arrived when and where.
fn bad_network(seed: u8, impaired: bool) -> (String, Vec<(Duration, u16, u8)>) {
    run(async {
        let bad = MemoryOptions { seed: [seed; 32], jitter_ms: 40, loss: 0.1, duplicate: 0.1, ..options() };
        let network = memory(bad);
        network.impair(impaired);
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let mut flows = Vec::new();
        for flow in 0..20u16 {
            let (network, arrivals) = (network.clone(), arrivals.clone());
            let (alice, bob) = pair(&network);
            let to = bob.local();
            tokio::spawn({
                let network = network.clone();
                async move {
                    loop {
                        let (bytes, _) = receive(&bob).await;
                        lock(&arrivals).push((network.now(), flow, bytes[0]));
                    }
                }
            });
            flows.push(tokio::spawn(async move {
                for n in 0..60u8 {
                    let at = network.now() + milliseconds(20 + u64::from(flow));
                    network.sleep_until(at, Sleeper::Application).await;
                    // The length must not matter.
                    alice.send(to, &vec![n; 1 + usize::from(rand_length(n))]).expect("memory carries it");
                }
            }));
        }
        for flow in flows {
            flow.await.expect("no panic");
        }
        network.sleep_until(network.now() + milliseconds(200), Sleeper::Application).await;
        let arrivals = lock(&arrivals).clone();
        (network.schedule().expect("memory has one"), arrivals)
    })
}

/// A length that differs from run to run, as those of real DTLS flights do.
fn rand_length(n: u8) -> u8 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(n) as u8
}

#[test]
fn the_same_seed_gives_the_same_schedule_whatever_the_lengths() {
    let first = bad_network(1, true);
    for _ in 0..5 {
        assert_eq!(bad_network(1, true), first);
    }
    assert_ne!(bad_network(2, true).0, first.0);
}

#[test]
fn everything_arrives_once_and_in_order_while_the_network_is_not_impaired() {
    let (_, arrivals) = bad_network(1, false);
    for flow in 0..20 {
        let of_flow: Vec<u8> = arrivals.iter().filter(|a| a.1 == flow).map(|a| a.2).collect();
        assert_eq!(of_flow, (0..60).collect::<Vec<u8>>());
    }
}

#[test]
fn a_bad_network_loses_doubles_and_reorders_and_every_loss_is_a_drop() {
    run(async {
        let bad = MemoryOptions { jitter_ms: 40, loss: 0.2, duplicate: 0.2, ..options() };
        let network = memory(bad);
        let (alice, bob) = pair(&network);
        network.impair(true);
        for n in 0..200 {
            alice.send(bob.local(), &[n]).expect("memory carries it");
        }
        network.sleep_until(milliseconds(100), Sleeper::Application).await;
        let arrived: Vec<u8> = received(&bob).await.concat();
        let distinct: std::collections::BTreeSet<u8> = arrived.iter().copied().collect();
        assert!(distinct.len() < 200 && arrived.len() > distinct.len() && !arrived.is_sorted());
        let drops = network.drops();
        assert_eq!(drops.len(), 200 - distinct.len());
        for drop in drops {
            assert_eq!(drop.reason, drops::LOST);
            let lost = (0..200u8)
                .find(|n| drops::dropped(drop.at, drop.source, drop.destination, &[*n], drops::LOST) == drop);
            assert!(!distinct.contains(&lost.expect("one of those sent")));
        }
        network.impair(false);
        alice.send(bob.local(), b"again").expect("memory carries it");
        network.sleep_until(milliseconds(120), Sleeper::Application).await;
        assert_eq!(received(&bob).await, [b"again".to_vec()]);
    });
}

/// Does to each datagram what its first byte says.
struct Mallory;

impl Interceptor for Mallory {
    fn datagram(&mut self, _: Duration, datagram: &InFlight) -> Fate {
        let altered = |text: &[u8]| InFlight { bytes: text.to_vec(), ..datagram.clone() };
        match datagram.bytes.first() {
            Some(b'd') => Fate::Drop("swallowed by mallory"),
            Some(b'a') => Fate::Instead(vec![(Duration::ZERO, altered(b"altered"))]),
            Some(b'2') => {
                Fate::Instead(vec![(Duration::ZERO, datagram.clone()), (milliseconds(6), altered(b"second"))])
            }
            Some(b'6') => Fate::Instead(vec![(
                Duration::ZERO,
                InFlight { destination: "[::1]:1".parse().expect("an address"), ..datagram.clone() },
            )]),
            _ => Fate::Pass,
        }
    }
}

/// Marks what the earlier interceptors let through.
struct Mark;

impl Interceptor for Mark {
    fn datagram(&mut self, _: Duration, datagram: &InFlight) -> Fate {
        assert_eq!((datagram.from.as_str(), datagram.to.as_deref()), ("alice", Some("bob")));
        let bytes = [b"!", &datagram.bytes[..]].concat();
        Fate::Instead(vec![(Duration::ZERO, InFlight { bytes, ..datagram.clone() })])
    }
}

#[rstest]
#[case::pass(b"pass", &[(12, "!pass")], None)]
#[case::drop(b"drop", &[], Some("swallowed by mallory"))]
#[case::alter(b"alter", &[(12, "!altered")], None)]
#[case::two(b"2", &[(12, "!2"), (18, "!second")], None)]
fn interceptors_are_asked_in_their_order(
    #[case] sent: &[u8],
    #[case] arrived: &[(u64, &str)],
    #[case] dropped: Option<&'static str>,
) {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
        let (alice, bob) = pair(&network);
        network.intercept(Box::new(Mallory));
        network.intercept(Box::new(Mark));
        alice.send(bob.local(), sent).expect("memory carries it");
        network.sleep_until(milliseconds(30), Sleeper::Application).await;
        let expected =
            dropped.map(|why| drops::dropped(Duration::ZERO, alice.local(), bob.local(), sent, why));
        assert_eq!(network.drops(), Vec::from_iter(expected));
        network.finish().expect("memory can be written");
    });
    let mut expected = vec![line(0, "alice", sent)];
    expected.extend(arrived.iter().map(|(ms, text)| line(*ms, "bob", text.as_bytes())));
    assert_eq!(recorded(&shelf), expected);
}

#[test]
fn what_an_interceptor_makes_that_cannot_be_carried_is_a_drop() {
    run(async {
        let network = memory(options());
        let (alice, bob) = pair(&network);
        network.intercept(Box::new(Mallory));
        alice.send(bob.local(), b"6").expect("memory carries it");
        assert_eq!(network.drops()[0].reason, drops::CANNOT_BE_CARRIED);
    });
}

#[test]
fn an_injected_datagram_is_recorded_at_the_receiver_alone() {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), loss: 1.0, ..options() });
        let (alice, bob) = pair(&network);
        network.impair(true);
        network.inject(alice.local(), bob.local(), b"forged", milliseconds(5));
        assert_eq!(receive(&bob).await, (b"forged".to_vec(), alice.local()));
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), [line(18, "bob", b"forged")]);
}

#[test]
fn a_full_disk_shows_when_the_network_is_finished() {
    run(async {
        let capture = CaptureFile::create(std::path::Path::new("/dev/full")).expect("the device is there");
        let network = memory(MemoryOptions { capture: Some(capture), ..options() });
        let (alice, bob) = pair(&network);
        alice.send(bob.local(), b"hello").expect("memory carries it");
        assert_eq!(receive(&bob).await.0, b"hello");
        assert_eq!(network.finish().expect_err("a full disk").kind(), io::ErrorKind::StorageFull);
    });
}

#[test]
fn nothing_is_recorded_after_the_end() {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
        let (alice, bob) = pair(&network);
        network.finish().expect("memory can be written");
        let schedule = network.schedule();
        alice.send(bob.local(), b"late").expect("memory carries it");
        assert_eq!(receive(&bob).await.0, b"late");
        assert_eq!(network.schedule(), schedule);
        network.finish().expect("memory can be written");
    });
    assert_eq!(recorded(&shelf), []);
}
