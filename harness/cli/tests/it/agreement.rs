//! A capture out of a run's folder, audited with the keys beside it, gives the answer that the run gave.

use std::collections::BTreeSet;

use model::audit::{Audit, AuditStream, Protection};
use model::outcome::Listener;
use model::results::{CallResult, ScenarioResult as Scenario};
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

/// Runs a scenario of one variant, and audits what it left.
fn ran_and_audited(id: &str) -> (Scenario, Audit) {
    let room = Room::new();
    assert_eq!(room.overheard(&["run", &scenario(id), "--out", "run"]).code, 0);
    let ran = room.results("run").scenarios.remove(0);
    let keys = ran.keys.clone().unwrap();
    let audit = audited(&room, ran.capture.as_ref().unwrap(), [&keys.parties, &keys.service]);
    (ran, audit)
}

const NOBODY: &[Protection] = &[Protection::EndToEndConsistent];
const THE_SERVICE: &[Protection] = &[Protection::TransportOnly];
/// One of the two directions.
const ONE_SIDE: &[Protection] = &[Protection::TransportOnly, Protection::EndToEndConsistent];
const REUSED: &[Protection] = &[Protection::Broken, Protection::EndToEndConsistent];

/// Audio only, where a frame is a packet. Beside who hears, a run judges what no packet and no key file holds: policy,
/// screens, what a device played, and what nodes still held after the call.
#[rstest]
#[case::sealed("opt-in/both-on", NOBODY)]
#[case::ordinary("opt-in/off-by-default", THE_SERVICE)]
#[case::not_sealed_at_all("flaws/no-sealing", THE_SERVICE)]
#[case::not_sealed_sometimes("flaws/unsealed-one-in-twenty", THE_SERVICE)]
#[case::somebody_in_the_middle("flaws/no-fingerprint-check", THE_SERVICE)]
#[case::key_that_is_signalled("flaws/key-in-signalling", ONE_SIDE)]
#[case::key_that_is_guessed("flaws/key-from-call-id", THE_SERVICE)]
#[case::keys_handed_to_a_recorder("flaws/recording-when-sealed", THE_SERVICE)]
#[case::key_of_two_calls("flaws/fixed-key", REUSED)]
#[case::counter_that_goes_back("flaws/nonce-restarts", REUSED)]
#[case::lock_of_one("flaws/lock-after-one-opt-in", THE_SERVICE)]
#[case::policy_ignored("flaws/policy-ignored", NOBODY)]
#[case::replays("flaws/replay-accepted", NOBODY)]
#[case::keys_kept_on_a_device("flaws/keys-kept-after-the-call", NOBODY)]
fn run_and_audit_say_the_same_of_who_opened_how_many_frames(
    #[case] id: &str,
    #[case] protections: &[Protection],
) {
    let (ran, audit) = ran_and_audited(id);
    let judged = |listener| ran.calls.iter().map(|call| heard(call, listener)).sum::<u64>();
    let read = |owner| audit.streams.iter().map(|stream| read_by(stream, owner)).sum::<u64>();
    let clear = audit.streams.iter().filter(|stream| stream.protection == Protection::Plaintext).count();
    assert_eq!(judged(Listener::Eve), clear as u64);
    assert_eq!(judged(Listener::Trudy), read("service"));
    assert_eq!(judged(Listener::Mallory), read("mallory"));
    assert_eq!(judged(Listener::Parties), read("parties"));
    let found: BTreeSet<Protection> = audit.streams.iter().map(|stream| stream.protection).collect();
    assert_eq!(found, protections.iter().copied().collect(), "{:?}", audit.streams);
}

#[test]
fn run_and_audit_say_the_same_of_video_without_a_seal() {
    let (ran, audit) = ran_and_audited("flaws/unsealed-video");
    let codec = |stream: &AuditStream| stream.codec.clone().unwrap_or_default();
    let (open, sealed): (Vec<_>, Vec<_>) =
        audit.streams.iter().partition(|stream| stream.protection == Protection::TransportOnly);
    assert!(!open.is_empty() && open.iter().all(|stream| codec(stream) == "vp8"), "{:?}", audit.streams);
    assert!(!sealed.is_empty() && sealed.iter().all(|stream| codec(stream) == "opus"), "{:?}", audit.streams);
    assert!(ran.calls.iter().any(|call| heard(call, Listener::Trudy) > 0));
}

/// No report holds what it tells of.
#[rstest]
#[case::signalled(
    "flaws/key-in-signalling",
    "can read an SFrame base key (key id 0): it stands in a signalling message"
)]
#[case::guessed(
    "flaws/key-from-call-id",
    "can guess an SFrame base key (key id 0): it is SHA-256 of the call id"
)]
fn an_audit_tells_how_a_key_is_come_by_and_never_what_it_is(#[case] id: &str, #[case] words: &str) {
    let (_, audit) = ran_and_audited(id);
    let finding = audit.findings.iter().find(|finding| finding.check == "keys/are-not-given-away").unwrap();
    assert_eq!(
        finding.text.strip_prefix("`service` ").map(|text| text.starts_with(words)),
        Some(true),
        "{finding:?}"
    );
    assert_eq!(finding.packets.is_empty(), id.ends_with("call-id"), "{finding:?}");
}
