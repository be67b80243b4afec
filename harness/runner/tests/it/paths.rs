//! Sealed calls from device to device: both profiles, every kind of media, alone and together.

use std::collections::BTreeSet;

use model::plan::NetKind;
use model::{Direction, Kind};
use rstest::rstest;

use crate::stage::{ALICE, BOB, assert_sealed, hashes, plan, run};

#[rstest]
fn a_direct_call_carries_every_kind_both_ways(
    #[values("dtls", "frames")] profile: &str,
    #[values("audio", "video", "screen", "audio, video, screen")] media: &str,
) {
    let keys = format!("profile: {profile}\npath: direct");
    run(NetKind::Memory, plan(&keys, media, "  - talk: 1s"), |world, _| {
        assert_sealed(world);
        let taps: BTreeSet<&str> = world.links.iter().map(|link| link.tap.as_str()).collect();
        assert!(!taps.contains("relay"), "nobody asked for a relay");
        for kind in media.split(", ").map(|kind| kind.parse::<Kind>().expect("a kind")) {
            for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
                let sent = hashes(world, from, Direction::Sent, kind);
                let frames = usize::try_from(kind.frames_per_second()).expect("a small number");
                assert_eq!(sent.len(), frames, "{from} {kind}");
                assert_eq!(hashes(world, to, Direction::Received, kind), sent, "{to} {kind}");
            }
        }
    });
}

#[test]
fn a_call_without_one_option_takes_the_media_processor_whatever_the_path() {
    let mut plan = plan("profile: dtls\npath: direct", "audio", "  - talk: 1s");
    let users = &mut plan.tenants.get_mut("contoso.example").expect("the tenant").users;
    users.get_mut("alice").expect("alice").e2ee = false;
    run(NetKind::Memory, plan, |world, folder| {
        let capture = std::fs::read(folder.join(&world.files.capture)).expect("a capture");
        let capture = audit::capture::Capture::read(capture);
        let datagrams = capture.packets.iter().filter(|p| p.transport == audit::capture::Transport::Udp);
        let at_processor = datagrams.filter(|p| capture.tap(p) == "media-processor").count();
        assert!(at_processor > 100, "{at_processor} datagrams at the media processor");
        assert_eq!(hashes(world, ALICE, Direction::Received, Kind::Audio).len(), 50);
    });
}
