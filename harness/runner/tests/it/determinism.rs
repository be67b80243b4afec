//! The same seed gives the same schedule, verdicts and findings, however many worlds run at once; another seed changes
//! the schedule of those worlds alone whose network loses, delays or doubles datagrams.
//!
//! The engine chooses at random between two things that are ready together, so one world with a hundred calls at once
//! over a bad network is the hard case (`net` keeps such things apart by its grid of times).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::plan::NetKind;
use model::results::ScenarioResult;
use model::{Kind, Plan};
use net::{MemoryOptions, Network, Sleeper};
use nodes::engine::{Outgoing, Peer, PeerSetup, PeerState, TrackSetup};
use nodes::entropy::Entropy;

use crate::kept::{How, judged, run_all};
use crate::stage::plan;

const BAD: &str = "network: { latency: 30ms, jitter: 20ms, loss: 5%, duplicate: 3% }";

/// One of each way that media take, some of them over a bad network.
fn selection() -> Vec<Plan> {
    let stories = [
        ("sealed", "", "audio"),
        ("sealed-video", "", "audio, video, screen"),
        ("sealed-bad", BAD, "audio, video"),
        ("direct", "profile: dtls", "audio, video"),
        ("direct-bad", "profile: dtls\nNET", "audio"),
        ("direct-frames", "path: direct", "audio"),
        ("relay", "path: relay", "audio, video"),
        ("relay-bad", "profile: dtls\npath: relay\nNET", "audio"),
        ("ordinary", "", "audio, video"),
        ("ordinary-bad", BAD, "audio"),
    ];
    let plans = stories.into_iter().map(|(name, keys, media)| {
        let mut plan = plan(&keys.replace("NET", BAD), media, "  - talk: 1s");
        plan.id = format!("test/{name}");
        if name.starts_with("ordinary") {
            plan.tenants.values_mut().flat_map(|t| t.users.values_mut()).for_each(|user| user.e2ee = false);
        }
        plan
    });
    plans.collect()
}

/// Everything that is promised to be the same: all but random values and the codes of `dtls`.
fn promised(scenario: &ScenarioResult) -> String {
    let mut text = format!("{} {:?}\n", scenario.verdict, scenario.why);
    for check in &scenario.checks {
        text += &format!("{} {} {}\n", check.check, check.verdict, check.examined);
        for finding in &check.findings {
            text += &format!("  {} {:?} {:?}\n", finding.text, finding.tap, finding.packets);
        }
    }
    text
}

/// By id the schedule and what is promised beside it.
fn run(seed: u64, jobs: usize) -> BTreeMap<String, (String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    run_all(selection(), How { seed, jobs, net: NetKind::Memory }, folder.path());
    let results = judged(folder.path()).expect("a record");
    assert_eq!((results.partial, results.lost.len()), (false, 0));
    let entry = |scenario: &ScenarioResult| {
        let schedule = scenario.schedule.clone().expect("in memory there is one");
        (scenario.id.clone(), (schedule, promised(scenario)))
    };
    results.scenarios.iter().map(entry).collect()
}

#[test]
fn one_seed_gives_one_run_and_another_differs_where_the_network_is_bad() {
    let (alone, together, other) = (run(7, 1), run(7, 2), run(8, 2));
    assert_eq!(alone, together);
    for (id, (schedule, _)) in &alone {
        let bad = id.ends_with("-bad");
        assert_eq!(*schedule != other[id].0, bad, "{id}");
    }
    for (id, (_, text)) in &alone {
        assert!(text.starts_with("pass"), "{id}: {text}");
        assert!(other[id].1.starts_with("pass"), "{id}: {}", other[id].1);
    }
}

/// A peer with one audio stream on a link of its own.
async fn peer(net: &Arc<dyn Network>, name: &str) -> Peer {
    let setup = PeerSetup {
        net: net.clone(),
        link: net.add_link(name),
        keys: Arc::new(|_| {}),
        entropy: Arc::new(Entropy::new([7; 32]).child(name)),
        tracks: vec![TrackSetup { kind: Kind::Audio, ssrc: 1 }],
        checks_fingerprint: true,
        relay: None,
    };
    Peer::new(setup).await.expect("a peer").0
}

/// A hundred calls at once, over a network that is bad from the first datagram: the schedule, and how many of the two
/// hundred peers are connected at the end.
async fn calls(seed: u8) -> (String, usize) {
    let net = net::memory(MemoryOptions {
        seed: [seed; 32],
        epoch_ns: 0,
        capture: None,
        latency_ms: 12,
        jitter_ms: 20,
        loss: 0.05,
        duplicate: 0.05,
    });
    net.impair(true);
    let mut speakers = Vec::new();
    for n in 0..100 {
        let (from, to) = (peer(&net, &format!("from {n}")).await, peer(&net, &format!("to {n}")).await);
        let answer = to.answer(&from.offer().await.expect("an offer")).await.expect("an answer");
        from.accept(&answer).await.expect("accepted");
        speakers.extend([from, to]);
    }
    net.sleep_until(Duration::from_secs(3), Sleeper::Application).await;
    for sequence in 0..20 {
        for speaker in &speakers {
            let packet = Outgoing {
                kind: Kind::Audio,
                marker: false,
                sequence,
                timestamp: u32::from(sequence) * 960,
                payload: vec![0x10; 40].into(),
            };
            // A call whose handshake was lost does not take it.
            let _ = speaker.send(packet).await;
        }
        net.sleep_until(net.now() + Duration::from_millis(20), Sleeper::Application).await;
    }
    net.sleep_until(net.now() + Duration::from_secs(1), Sleeper::Application).await;
    let up = speakers.iter().filter(|speaker| *speaker.state().borrow() == PeerState::Connected).count();
    (net.schedule().expect("in memory there is one"), up)
}

/// On a thread of its own, because the engine's own choices are seeded per thread.
fn a_hundred(seed: u8) -> (String, usize) {
    let world = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(calls(seed))
    });
    world.join().expect("a schedule")
}

#[test]
fn a_hundred_calls_at_once_over_a_bad_network_have_one_schedule_per_seed() {
    let first = a_hundred(1);
    assert!(first.1 > 100, "{} of 200 peers are connected", first.1);
    assert_eq!(first, a_hundred(1));
    assert_ne!(first.0, a_hundred(2).0);
}
