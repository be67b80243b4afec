//! A capture out of a run's folder, audited with the keys beside it, gives the answer that the run gave.

use model::audit::{Audit, AuditStream, Protection};
use model::outcome::Listener;
use model::results::CallResult;
use rstest::rstest;

use crate::{Ended, Room, scenario};

/// Packets of a stream that `owner` reads down to the codec: those of the hop, less what a frame key of somebody else
/// has to open.
fn read_by(stream: &AuditStream, owner: &str) -> u64 {
    let packets = |layer: &str, owner: &str| {
        let opened = stream.opened.iter().find(|opened| opened.layer == layer && opened.owner == owner);
        opened.map_or(0, |opened| opened.packets)
    };
    let sealed = packets("sframe", "parties") - packets("sframe", owner);
    packets("srtp", owner).saturating_sub(sealed)
}

fn audited(room: &Room, capture: &str, keys: [&str; 2]) -> Audit {
    let [parties, service] = keys;
    let ended: Ended = room.overheard(&[
        "audit",
        &format!("run/{capture}"),
        "--keys",
        &format!("parties:run/{parties}"),
        "--keys",
        &format!("service:run/{service}"),
        "--format",
        "json",
    ]);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn heard(call: &CallResult, listener: Listener) -> u64 {
    call.heard.get(&listener).map_or(0, |heard| heard.frames)
}

/// Audio only, where a frame is a packet.
#[rstest]
#[case::sealed("opt-in/both-on", Protection::EndToEndConsistent)]
#[case::ordinary("opt-in/off-by-default", Protection::TransportOnly)]
#[case::not_sealed_at_all("flaws/no-sealing", Protection::TransportOnly)]
#[case::not_sealed_sometimes("flaws/unsealed-one-in-twenty", Protection::TransportOnly)]
#[case::somebody_in_the_middle("flaws/no-fingerprint-check", Protection::TransportOnly)]
fn run_and_audit_say_the_same_of_who_opened_how_many_frames(
    #[case] id: &str,
    #[case] protection: Protection,
) {
    let room = Room::new();
    assert_eq!(room.overheard(&["run", &scenario(id), "--out", "run"]).code, 0);
    let results = room.results("run");
    let ran = &results.scenarios[0];
    let keys = ran.keys.as_ref().unwrap();
    let audit = audited(&room, ran.capture.as_ref().unwrap(), [&keys.parties, &keys.service]);
    let judged = |listener| ran.calls.iter().map(|call| heard(call, listener)).sum::<u64>();
    let read = |owner| audit.streams.iter().map(|stream| read_by(stream, owner)).sum::<u64>();
    let clear = audit.streams.iter().filter(|stream| stream.protection == Protection::Plaintext).count();
    assert_eq!(judged(Listener::Eve), clear as u64);
    assert_eq!(judged(Listener::Trudy), read("service"));
    assert_eq!(judged(Listener::Mallory), read("mallory"));
    assert_eq!(judged(Listener::Parties), read("parties"));
    assert!(audit.streams.iter().all(|stream| stream.protection == protection), "{:?}", audit.streams);
}
