//! The bare call: two peers of the engine on the network in memory, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use model::{Kind, Role};
use net::{MemoryOptions, Network, Sleeper};
use nodes::clip;
use nodes::engine::{Incoming, Outgoing, Peer, PeerSetup, PeerState, TrackSetup};
use nodes::entropy::Entropy;
use tokio::sync::mpsc::UnboundedReceiver;

/// Connects two peers, sends `frames` audio frames each way, hangs up, and says how many arrived.
pub fn call(frames: u32, seed: [u8; 32]) -> usize {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let net = net::memory(MemoryOptions {
            seed,
            epoch_ns: 0,
            capture: None,
            latency_ms: 12,
            jitter_ms: 0,
            loss: 0.0,
            duplicate: 0.0,
        });
        let (caller, at_caller) = peer(&net, "caller", 1, seed).await;
        let (callee, at_callee) = peer(&net, "callee", 2, seed).await;
        let offer = caller.offer().await.expect("an offer");
        let answer = callee.answer(&offer).await.expect("an answer");
        caller.accept(&answer).await.expect("an answer that is taken");
        for peer in [&caller, &callee] {
            let mut state = peer.state();
            let connected = state.wait_for(|state| *state == PeerState::Connected);
            let connected = tokio::time::timeout(Duration::from_secs(10), connected).await;
            connected.expect("connected in time").expect("a peer that lives");
        }
        talk(&net, &caller, &callee, frames).await;
        net.sleep_until(net.now() + Duration::from_millis(108), Sleeper::Application).await;
        for peer in [&caller, &callee] {
            peer.close().await;
        }
        arrived(at_caller) + arrived(at_callee)
    })
}

async fn peer(
    net: &Arc<dyn Network>,
    name: &str,
    ssrc: u32,
    seed: [u8; 32],
) -> (Peer, UnboundedReceiver<Incoming>) {
    let setup = PeerSetup {
        net: net.clone(),
        link: net.add_link(name),
        keys: Arc::new(|_| {}),
        entropy: Arc::new(Entropy::new(seed).child(name)),
        tracks: vec![TrackSetup { kind: Kind::Audio, ssrc }],
        checks_fingerprint: true,
        relay: None,
    };
    Peer::new(setup).await.expect("a peer")
}

/// The frames that a client would send, one each way every 20 ms.
async fn talk(net: &Arc<dyn Network>, caller: &Peer, callee: &Peer, frames: u32) {
    let start = net.now();
    for n in 0..frames {
        net.sleep_until(start + Duration::from_millis(20) * n, Sleeper::Application).await;
        for (peer, role) in [(caller, Role::Caller), (callee, Role::Callee)] {
            let packet = Outgoing {
                kind: Kind::Audio,
                marker: false,
                sequence: u16::try_from(n).expect("a short call"),
                timestamp: n * 960,
                payload: clip::frame(&[7; 16], role, Kind::Audio, n).into(),
            };
            peer.send(packet).await.expect("a peer that is open");
        }
    }
}

fn arrived(mut queue: UnboundedReceiver<Incoming>) -> usize {
    std::iter::from_fn(|| queue.try_recv().ok()).filter(|packet| !packet.payload.is_empty()).count()
}
