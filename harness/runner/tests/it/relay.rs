//! Sealed calls through the relay: media flow, and nothing of them goes any other way.
//!
//! The engine may lose the first packet of a track at the receiver behind a relay, so a receiver's ledger is compared
//! as a part of the sender's that lacks at most the first frame.

use std::path::Path;

use audit::capture::{Capture, Class, Transport};
use model::plan::NetKind;
use model::record::{DroppedBy, WorldRecord};
use model::{Direction, Kind};
use rstest::rstest;

use crate::stage::{ALICE, BOB, assert_sealed, hashes, plan, run};

fn assert_heard_each_other(world: &WorldRecord, kinds: &[(Kind, usize)]) {
    for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
        for (kind, frames) in kinds {
            let sent = hashes(world, from, Direction::Sent, *kind);
            let played = hashes(world, to, Direction::Received, *kind);
            assert_eq!(sent.len(), *frames, "{from} {kind}");
            let missing: Vec<usize> = (0..sent.len()).filter(|n| !played.contains(&sent[*n])).collect();
            assert!(missing.iter().all(|n| *n == 0), "{to} lacks {kind} {missing:?}");
            assert_eq!(played.len(), sent.len() - missing.len(), "each frame is played once");
        }
    }
}

/// Every datagram at a device's tap that is neither TCP nor a query of nobody's goes to or comes from the relay.
fn assert_only_the_relay(world: &WorldRecord, folder: &Path) {
    let relay = world.links.iter().find(|link| link.tap == "relay").expect("a relay").addresses[0].clone();
    let capture = Capture::read(std::fs::read(folder.join(&world.files.capture)).expect("a capture"));
    assert_eq!(capture.problems, []);
    for device in [ALICE, BOB] {
        let datagrams =
            || capture.packets.iter().filter(|p| capture.tap(p) == device && p.transport == Transport::Udp);
        let channelled = datagrams().filter(|p| p.class == Class::TurnChannel).count();
        assert!(channelled > 70, "{channelled} datagrams in channels at {device}");
        for packet in datagrams() {
            let ends = [packet.source, packet.destination].map(|end| (end.ip().to_string(), end.port()));
            assert!(ends.contains(&(relay.clone(), 3478)), "packet {} went past the relay", packet.number);
        }
    }
}

#[rstest]
#[case::dtls_audio("dtls", "audio", &[(Kind::Audio, 50)])]
#[case::dtls_video("dtls", "audio, video", &[(Kind::Audio, 50), (Kind::Video, 30)])]
#[case::frames_audio("frames", "audio", &[(Kind::Audio, 50)])]
#[case::frames_video("frames", "audio, video", &[(Kind::Audio, 50), (Kind::Video, 30)])]
fn a_sealed_call_goes_through_the_relay_and_nowhere_else(
    #[case] profile: &str,
    #[case] media: &str,
    #[case] kinds: &[(Kind, usize)],
) {
    let keys = format!("profile: {profile}\npath: relay");
    run(NetKind::Memory, plan(&keys, media, "  - talk: 1s"), |world, folder| {
        assert_sealed(world);
        assert_heard_each_other(world, kinds);
        assert_only_the_relay(world, folder);
        let refused: Vec<_> = world.drops.iter().filter(|d| d.by == DroppedBy::Relay).collect();
        assert!(refused.iter().all(|d| d.reason.contains("permission")), "{refused:?}");
    });
}

#[test]
fn a_call_through_the_relay_has_one_schedule() {
    let schedule = || {
        let mut schedule = None;
        run(NetKind::Memory, plan("path: relay", "audio", "  - talk: 1s"), |world, _| {
            schedule = world.schedule.clone();
        });
        schedule.expect("a digest")
    };
    assert_eq!(schedule(), schedule());
}

#[test]
fn an_ordinary_call_ignores_the_relay() {
    let mut plan = plan("path: relay", "audio", "  - talk: 1s");
    let users = &mut plan.tenants.get_mut("contoso.example").expect("the tenant").users;
    users.get_mut("bob").expect("bob").e2ee = false;
    run(NetKind::Memory, plan, |world, folder| {
        assert_eq!(hashes(world, BOB, Direction::Received, Kind::Audio).len(), 50);
        let capture = Capture::read(std::fs::read(folder.join(&world.files.capture)).expect("a capture"));
        assert!(!capture.packets.iter().any(|packet| capture.tap(packet) == "relay"));
    });
}

#[test]
fn a_call_through_the_relay_works_over_loopback_sockets() {
    run(NetKind::Loopback, plan("profile: dtls\npath: relay", "audio", "  - talk: 1s"), |world, folder| {
        assert_sealed(world);
        assert!(hashes(world, BOB, Direction::Received, Kind::Audio).len() > 40);
        assert_only_the_relay(world, folder);
    });
}
