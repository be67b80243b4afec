//! Two peers on the network in memory.

use std::time::Duration;

use net::{MemoryOptions, Sleeper};

use super::*;

type Receiver = mpsc::UnboundedReceiver<Incoming>;

fn network() -> Arc<dyn Network> {
    net::memory(MemoryOptions {
        seed: [5; 32],
        epoch_ns: 0,
        capture: None,
        latency_ms: 12,
        jitter_ms: 0,
        loss: 0.0,
        duplicate: 0.0,
    })
}

async fn peer(net: &Arc<dyn Network>, name: &str, kinds: &[Kind], ssrc: u32) -> (Peer, Receiver) {
    let track = |(at, kind): (usize, &Kind)| TrackSetup { kind: *kind, ssrc: ssrc + at as u32 };
    let setup = PeerSetup {
        net: net.clone(),
        link: net.add_link(name),
        keys: Arc::new(|_| {}),
        entropy: Arc::new(Entropy::new([7; 32]).child(name)),
        tracks: kinds.iter().enumerate().map(track).collect(),
        checks_fingerprint: true,
        relay: None,
    };
    Peer::new(setup).await.expect("a peer")
}

async fn negotiate(from: &Peer, to: &Peer) {
    let answer = to.answer(&from.offer().await.expect("an offer")).await.expect("an answer");
    from.accept(&answer).await.expect("accepted");
}

fn packet(kind: Kind, sequence: u16) -> Outgoing {
    Outgoing { kind, marker: false, sequence, timestamp: 1, payload: Bytes::from_static(&[0x10, 2, 3]) }
}

async fn settle(net: &Arc<dyn Network>) {
    net.sleep_until(net.now() + Duration::from_millis(300), Sleeper::Application).await;
}

fn heard(receiver: &mut Receiver) -> Vec<(Kind, u32, u16)> {
    std::iter::from_fn(|| receiver.try_recv().ok()).map(|p| (p.kind, p.ssrc, p.sequence)).collect()
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_added_to_a_running_connection_arrive_beside_the_old_ones() {
    let net = network();
    let kinds = [Kind::Audio, Kind::Video, Kind::Screen];
    let (device, mut at_device) = peer(&net, "device", &kinds, 10).await;
    let (node, mut at_node) = peer(&net, "node", &kinds, 20).await;
    negotiate(&device, &node).await;
    for peer in [&device, &node] {
        let mut state = peer.state();
        let _ = state.wait_for(|s| *s == PeerState::Connected).await.expect("connected");
    }
    node.send(packet(Kind::Audio, 1)).await.expect("sent");
    settle(&net).await;
    assert_eq!(heard(&mut at_device), [(Kind::Audio, 20, 1)]);

    let added: Vec<TrackSetup> =
        kinds.iter().zip(30..).map(|(kind, ssrc)| TrackSetup { kind: *kind, ssrc }).collect();
    node.add("carol", &added).await.expect("added");
    negotiate(&node, &device).await;
    settle(&net).await;
    for sequence in [2, 3] {
        for kind in kinds {
            node.send(packet(kind, sequence)).await.expect("sent");
            node.send_from("carol", packet(kind, sequence)).await.expect("sent");
            device.send(packet(kind, sequence)).await.expect("sent");
        }
    }
    settle(&net).await;
    let mut arrived = heard(&mut at_device);
    arrived.sort_unstable();
    let both = |sequence| {
        let of = move |(kind, at): (&Kind, u32)| [(*kind, 20 + at, sequence), (*kind, 30 + at, sequence)];
        kinds.iter().zip(0..).flat_map(of).collect::<Vec<_>>()
    };
    let mut expected = [both(2), both(3)].concat();
    expected.sort_unstable();
    assert_eq!(arrived, expected);
    assert_eq!(heard(&mut at_node).len(), 6, "the other way still works");
}

#[tokio::test(start_paused = true)]
async fn what_comes_right_behind_the_handshake_is_heard() {
    let net = network();
    // Who answers begins the handshake, so who offers ends it and may send at once.
    let (first, _nothing) = peer(&net, "first", &[Kind::Audio], 10).await;
    let (second, mut at_second) = peer(&net, "second", &[Kind::Audio], 20).await;
    negotiate(&first, &second).await;
    let mut state = first.state();
    let _ = state.wait_for(|s| *s == PeerState::Connected).await.expect("connected");
    first.send(packet(Kind::Audio, 1)).await.expect("sent");
    settle(&net).await;
    assert_eq!(heard(&mut at_second), [(Kind::Audio, 10, 1)]);
}

#[tokio::test(start_paused = true)]
async fn packets_leave_under_the_payload_type_that_the_other_side_described() {
    let net = network();
    let (device, _) = peer(&net, "device", &[Kind::Audio, Kind::Video], 10).await;
    let (node, _) = peer(&net, "node", &[Kind::Audio, Kind::Video], 20).await;
    assert_eq!((node.payload_type(Kind::Audio), node.payload_type(Kind::Screen)), (OPUS, VP8));
    let renumbered = |sdp: &str| sdp.replace(":111 ", ":109 ").replace("SAVPF 111", "SAVPF 109");
    let offer = renumbered(&device.offer().await.expect("an offer"));
    let answer = node.answer(&offer).await.expect("an answer");
    assert!(answer.contains("a=rtpmap:109 opus"), "{answer}");
    assert_eq!((node.payload_type(Kind::Audio), node.payload_type(Kind::Video)), (109, VP8));
    // Whoever offered goes by the answer.
    device.learn(&answer);
    assert_eq!(device.payload_type(Kind::Audio), 109);
}
