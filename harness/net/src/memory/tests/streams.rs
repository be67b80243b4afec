//! Connections of the network in memory.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::frame::Segment;

pub(crate) async fn connected(network: &Arc<dyn Network>) -> (Box<dyn Stream>, Box<dyn Stream>) {
    let (alice, bob) = (network.add_link("alice"), network.add_link("bob"));
    let mut listener = bob.listen(443).await.expect("a free port");
    let to = listener.local();
    let (near, far) = tokio::join!(alice.connect(to), listener.accept());
    let (far, from) = far.expect("a caller");
    assert_eq!(from.ip(), alice.ip());
    (near.expect("somebody listens"), far)
}

#[test]
fn bytes_cross_both_ways_and_each_way_takes_the_latency() {
    run(async {
        let network = memory(options());
        let (mut near, mut far) = connected(&network).await;
        let opened = network.now();
        near.write_all(b"question").await.expect("open");
        let mut buffer = [0; 8];
        far.read_exact(&mut buffer).await.expect("open");
        assert_eq!((&buffer, network.now() - opened), (b"question", milliseconds(12)));
        far.write_all(b"answer").await.expect("open");
        far.shutdown().await.expect("open");
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.expect("open");
        assert_eq!((&answer[..], network.now() - opened), (&b"answer"[..], milliseconds(24)));
        assert_eq!(far.write(b"more").await.expect_err("ended").kind(), io::ErrorKind::BrokenPipe);
        // The other direction is still open.
        near.write_all(b"thanks").await.expect("open");
        drop(near);
        let mut thanks = Vec::new();
        far.read_to_end(&mut thanks).await.expect("open");
        assert_eq!(thanks, b"thanks");
    });
}

#[rstest]
#[case::closed_port("10.0.0.2:80", io::ErrorKind::ConnectionRefused)]
#[case::no_such_link("10.9.9.9:80", io::ErrorKind::HostUnreachable)]
#[case::other_family("[::1]:80", io::ErrorKind::Unsupported)]
fn nobody_answers_a_call_to_nowhere(#[case] to: SocketAddr, #[case] kind: io::ErrorKind) {
    run(async {
        let network = memory(options());
        let (alice, _bob) = (network.add_link("alice"), network.add_link("bob"));
        let Err(error) = alice.connect(to).await else { panic!("somebody answered") };
        assert_eq!(error.kind(), kind);
    });
}

#[test]
fn a_refusal_is_recorded() {
    let shelf = Shelf::default();
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
        let (alice, bob) = (network.add_link("alice"), network.add_link("bob"));
        assert!(alice.connect(SocketAddr::new(bob.ip(), 80)).await.is_err());
        network.finish().expect("memory can be written");
    });
    let flags = |p: &Packet| p.tcp().map(|tcp| (p.tap.clone(), tcp.syn, tcp.rst));
    let expected =
        [("alice", true, false), ("bob", true, false), ("bob", false, true), ("alice", false, true)];
    assert_eq!(
        packets(&shelf.bytes()).iter().filter_map(flags).collect::<Vec<_>>(),
        expected.map(|(tap, syn, rst)| (tap.to_owned(), syn, rst))
    );
}

#[test]
fn a_stream_to_somebody_who_is_gone_breaks() {
    run(async {
        let network = memory(options());
        let (mut near, far) = connected(&network).await;
        drop(far);
        assert_eq!(near.read(&mut [0; 1]).await.expect("the end"), 0);
        near.write_all(b"anybody?").await.expect("not known yet");
        network.sleep_until(network.now() + milliseconds(30), Sleeper::Application).await;
        assert_eq!(near.write(b"?").await.expect_err("known").kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_writer_does_not_wait_for_a_reader_who_is_gone() {
    run(async {
        let network = memory(options());
        let (mut near, far) = connected(&network).await;
        let writer = tokio::spawn(async move { near.write_all(&vec![5; 1_000_000]).await });
        network.sleep_until(network.now() + milliseconds(1_000), Sleeper::Application).await;
        drop(far);
        let error = writer.await.expect("no panic").expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_dropped_listener_refuses_those_whom_nobody_accepted() {
    run(async {
        let network = memory(options());
        let (alice, bob) = (network.add_link("alice"), network.add_link("bob"));
        let listener = bob.listen(443).await.expect("a free port");
        assert!(bob.listen(443).await.is_err());
        let mut near = alice.connect(listener.local()).await.expect("somebody listens");
        network.sleep_until(network.now() + milliseconds(20), Sleeper::Application).await;
        drop(listener);
        assert_eq!(near.read(&mut [0; 1]).await.expect_err("reset").kind(), io::ErrorKind::ConnectionReset);
        assert!(bob.listen(443).await.is_ok());
    });
}

#[test]
fn a_writer_waits_for_a_slow_reader() {
    run(async {
        let network = memory(options());
        let (mut near, mut far) = connected(&network).await;
        let writer = tokio::spawn(async move {
            near.write_all(&vec![5; 1_000_000]).await.expect("open");
            near
        });
        network.sleep_until(network.now() + milliseconds(1_000), Sleeper::Application).await;
        assert!(!writer.is_finished());
        let mut all = vec![0; 1_000_000];
        far.read_exact(&mut all).await.expect("open");
        assert!(all.iter().all(|b| *b == 5));
        writer.await.expect("no panic");
    });
}

/// Sends `chunks` from each side and returns what each side got.
async fn exchange(network: &Arc<dyn Network>, chunks: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let (near, far) = connected(network).await;
    let side = |stream: Box<dyn Stream>, chunks: Vec<Vec<u8>>| async move {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let write = async {
            for chunk in &chunks {
                writer.write_all(chunk).await.expect("open");
            }
            writer.shutdown().await.expect("open");
        };
        let mut got = Vec::new();
        let (_, read) = tokio::join!(write, reader.read_to_end(&mut got));
        read.expect("open");
        got
    };
    tokio::join!(side(near, chunks.to_vec()), side(far, chunks.to_vec()))
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    #[test]
    fn any_chunks_arrive_whole_and_every_tap_can_reassemble_them(
        chunks in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40_000), 0..6)
    ) {
        let shelf = Shelf::default();
        let sent = chunks.concat();
        let got = run(async {
            let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
            let got = exchange(&network, &chunks).await;
            network.finish().expect("memory can be written");
            got
        });
        proptest::prop_assert_eq!(&got.0, &sent);
        proptest::prop_assert_eq!(&got.1, &sent);
        let packets = packets(&shelf.bytes());
        for tap in ["alice", "bob"] {
            for sender in [443, FIRST_PICKED_PORT] {
                proptest::prop_assert_eq!(&reassembled(&packets, tap, sender), &sent);
            }
        }
    }
}

/// Puts one direction at one tap together by its sequence numbers.
pub(crate) fn reassembled(packets: &[Packet], tap: &str, sender: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = None;
    for packet in packets.iter().filter(|p| p.tap == tap) {
        assert_eq!(packet.comment.as_deref(), Some(Segment::COMMENT));
        let tcp = packet.tcp().expect("TCP only");
        if tcp.source_port != sender {
            continue;
        }
        let payload = packet.payload();
        assert!(payload.len() <= 16 * 1024);
        assert_eq!(next.unwrap_or(tcp.sequence_number), tcp.sequence_number);
        let flag = u32::from(tcp.syn || tcp.fin);
        next = Some(tcp.sequence_number.wrapping_add(payload.len() as u32 + flag));
        bytes.extend(payload);
    }
    bytes
}
