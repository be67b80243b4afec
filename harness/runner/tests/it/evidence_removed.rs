//! Evidence that is taken away by hand from what real runs left behind: whatever is left shows nothing, and is neither
//! a pass nor somebody's fault.
//!
//! Each run is made once and kept in memory; each case damages a copy of its own.

use std::path::PathBuf;
use std::sync::LazyLock;

use model::verdict::Ending;
use model::{Plan, Verdict};
use rstest::rstest;
use serde_json::{Value, json};

use crate::kept::{Kept, Room, key_lines, packets, without};
use crate::stage::plan;

static SEALED: LazyLock<Kept> = LazyLock::new(|| Kept::of(plan("", "audio, video", "  - talk: 1s")));
static DIRECT: LazyLock<Kept> = LazyLock::new(|| Kept::of(plan("profile: dtls", "audio", "  - talk: 1s")));
static ORDINARY: LazyLock<Kept> = LazyLock::new(|| Kept::of(ordinary()));
static DECLINED: LazyLock<Kept> = LazyLock::new(|| Kept::of(story("call-kinds", DECLINE)));
static REFUSED: LazyLock<Kept> = LazyLock::new(|| Kept::of(story("policy", REFUSE)));

const DECLINE: &str = "scenario: A test
about: Made for one test.
tenants:
  contoso.example:
    policies: { Global: DisabledUserOverride }
    users: { alice: { e2ee: on }, bob: { e2ee: on } }
steps:
  - call: { from: alice, to: bob, media: [audio] }
  - decline: bob
";
const REFUSE: &str = "scenario: A test
about: Made for one test.
tenants:
  contoso.example:
    policies: { Global: Disabled }
    users: { alice: {} }
steps:
  - policy: { set: Global, value: Enabled }
    expect: { result: refused, reason: unknown-value }
";

fn story(family: &str, text: &str) -> Plan {
    let read = scenario::read(family, "test", "test.yaml", text, &scenario::Vocabulary::default());
    read.expect("sound").into_iter().next().expect("a variant").plan
}

fn ordinary() -> Plan {
    let mut plan = plan("", "audio", "  - talk: 1s");
    for user in plan.tenants.values_mut().flat_map(|tenant| tenant.users.values_mut()) {
        user.e2ee = false;
    }
    plan
}

#[rstest]
#[case::sealed(&SEALED)]
#[case::direct(&DIRECT)]
#[case::ordinary(&ORDINARY)]
#[case::declined(&DECLINED)]
#[case::refused(&REFUSED)]
fn untouched_it_passes(#[case] kept: &LazyLock<Kept>) {
    let results = kept.copy().judged().expect("a record");
    assert_eq!(results.verdict, Verdict::Pass, "{}", results.scenarios[0].why);
}

/// What is done to a copy.
type Deed = fn(&Room);

/// The run shows nothing any more, neither way; and these legs do not hold.
fn shows_nothing(kept: &Kept, legs: &[&str], deed: impl Fn(&Room)) {
    let room = kept.copy();
    deed(&room);
    let Some(results) = room.judged() else { return };
    let whys: Vec<&str> = results.scenarios.iter().map(|scenario| scenario.why.as_str()).collect();
    assert!(
        matches!(results.verdict, Verdict::Inconclusive | Verdict::Error),
        "{}: {whys:?}",
        results.verdict
    );
    if results.partial || !results.lost.is_empty() {
        return;
    }
    for scenario in &results.scenarios {
        assert!(!matches!(scenario.verdict, Ending::Pass | Ending::Fail), "{}: {whys:?}", scenario.verdict);
        for leg in legs {
            let leg = (leg, &scenario.legs[*leg]);
            assert!(leg.1.applies && leg.1.verdict != Verdict::Pass, "{leg:?}: {whys:?}");
        }
    }
}

#[rstest]
#[case::complete("complete", |room: &Room| room.rewrite(".pcapng", |bytes| without(&bytes, |n| n % 10 == 0)))]
#[case::heard("heard", |room: &Room| drop_line(room, ".parties.keys", "CLIENT_RANDOM"))]
#[case::unheard("unheard", |room: &Room| remove(room, ".pcapng"))]
#[case::unaltered("unaltered", |room: &Room| keep_entries(room, "variant", |entry| entry["direction"] == "sent"))]
#[case::canary("canary", |room: &Room| drop_line(room, ".parties.keys", "SFRAME"))]
#[case::fresh("fresh", |room: &Room| room.rewrite(".pcapng", |_| Vec::new()))]
#[case::twin("twin", |room: &Room| remove(room, ".twin.service.keys"))]
fn each_leg_rests_on_evidence(#[case] leg: &str, #[case] deed: Deed) {
    shows_nothing(&SEALED, &[leg], deed);
}

#[rstest]
fn without_a_file_or_its_contents_nothing_is_shown(
    #[values(".pcapng", ".parties.keys", ".service.keys")] file: &str,
    #[values("", ".twin")] of: &str,
    #[values(gone, emptied, garbled)] deed: fn(&Room, &str),
) {
    let file = format!("{of}{file}");
    for kept in [&*SEALED, &*DIRECT] {
        shows_nothing(kept, &[], |room| deed(room, &file));
    }
    if of.is_empty() {
        shows_nothing(&ORDINARY, &[], |room| deed(room, &file));
    }
    // In a call that nobody took the devices agreed on nothing, and there was no key to hand over.
    if file != ".parties.keys" {
        shows_nothing(&DECLINED, &[], |room| deed(room, &file));
    }
    if !file.ends_with(".parties.keys") {
        shows_nothing(&REFUSED, &[], |room| deed(room, &file));
    }
}

fn gone(room: &Room, file: &str) {
    remove(room, file);
}

fn emptied(room: &Room, file: &str) {
    room.rewrite(file, |_| Vec::new());
}

fn garbled(room: &Room, file: &str) {
    room.rewrite(file, |bytes| bytes.iter().map(|byte| byte.wrapping_mul(7) ^ 0x55).collect());
}

#[rstest]
fn a_capture_that_is_cut_shows_nothing(
    #[values("", ".twin")] of: &str,
    #[values(in_the_middle_of_a_block, between_two_blocks, before_the_last_packet)] cut: fn(&[u8]) -> Vec<u8>,
) {
    let file = format!("{of}.pcapng");
    for kept in [&*SEALED, &*DIRECT, &*DECLINED, &*REFUSED] {
        shows_nothing(kept, &[], |room| room.rewrite(&file, |bytes| cut(&bytes)));
    }
}

fn in_the_middle_of_a_block(bytes: &[u8]) -> Vec<u8> {
    let all = packets(bytes);
    bytes[..all[all.len() / 2].start + 21].to_vec()
}

fn between_two_blocks(bytes: &[u8]) -> Vec<u8> {
    let all = packets(bytes);
    bytes[..all[all.len() / 2].start].to_vec()
}

fn before_the_last_packet(bytes: &[u8]) -> Vec<u8> {
    let last = packets(bytes).len() - 1;
    without(bytes, |n| n == last)
}

#[rstest]
fn a_capture_without_one_packet_in_ten_shows_nothing(
    #[values("", ".twin")] of: &str,
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)] which: usize,
) {
    let file = format!("{of}.pcapng");
    for kept in [&*SEALED, &*DIRECT] {
        shows_nothing(kept, &[], |room| room.rewrite(&file, |bytes| without(&bytes, |n| n % 10 == which)));
    }
}

#[rstest]
fn a_key_file_without_any_one_line_shows_nothing(
    #[values(".parties.keys", ".service.keys", ".twin.parties.keys", ".twin.service.keys")] file: &str,
) {
    for kept in [&*SEALED, &*DIRECT] {
        let all = key_lines(&kept.copy().file(file));
        assert!(!all.is_empty());
        for line in all {
            shows_nothing(kept, &[], |room| drop_line(room, file, &line));
        }
    }
}

#[rstest]
#[case::ledgers("variant", "ledger")]
#[case::ledgers_of_the_twin("twin", "ledger")]
#[case::claims("variant", "claims")]
#[case::claims_of_the_twin("twin", "claims")]
#[case::calls_of_the_twin("twin", "calls")]
#[case::links("variant", "links")]
fn a_record_without_a_part_shows_nothing(#[case] kind: &str, #[case] part: &str) {
    for kept in [&*SEALED, &*DIRECT] {
        shows_nothing(kept, &[], |room| room.rewrite_world(kind, |world| world[part] = json!([])));
    }
}

#[rstest]
#[case::twin("twin")]
#[case::count_of_the_evidence("written")]
fn a_record_that_does_not_name_what_it_rests_on_shows_nothing(#[case] part: &str) {
    for kept in [&*SEALED, &*DIRECT] {
        shows_nothing(kept, &[], |room| {
            room.rewrite_world("variant", |world| {
                drop(world.as_object_mut().expect("an object").remove(part))
            });
        });
    }
}

#[rstest]
fn a_record_without_one_device_shows_nothing(
    #[values("variant", "twin")] kind: &str,
    #[values("alice", "bob")] device: &str,
    #[values("ledger", "claims")] part: &str,
) {
    for kept in [&*SEALED, &*DIRECT] {
        shows_nothing(kept, &[], |room| {
            room.rewrite_world(kind, |world| {
                let entries = world[part].as_array_mut().expect("a list");
                entries.retain(|entry| !entry["device"].to_string().contains(device));
            });
        });
    }
}

#[rstest]
#[case::answers("variant", "steps", json!({}))]
#[case::answers_of_the_twin("twin", "steps", json!({}))]
#[case::database("variant", "database", json!([]))]
fn a_request_without_its_witnesses_shows_nothing(
    #[case] kind: &str,
    #[case] part: &str,
    #[case] nothing: Value,
) {
    shows_nothing(&REFUSED, &[], |room| room.rewrite_world(kind, |world| world[part] = nothing.clone()));
}

#[rstest]
#[case::half_of_the_end(|text: &str| text[..text.trim_end().len() - 5].to_owned())]
#[case::without_the_end(|text: &str| text.replace("{\"end\":true}", ""))]
#[case::half_of_the_last_world(|text: &str| text[..text.len() - "{\"end\":true}\n".len() - 500].to_owned())]
#[case::header_alone(|text: &str| text.lines().next().expect("a header").to_owned())]
#[case::nothing(|_: &str| String::new())]
fn a_record_that_is_cut_shows_nothing(#[case] cut: fn(&str) -> String) {
    for kept in [&*SEALED, &*REFUSED] {
        shows_nothing(kept, &[], |room| room.rewrite_record(|text| cut(&text)));
    }
}

#[rstest]
fn a_record_without_a_world_shows_nothing(#[values("variant", "twin")] kind: &str) {
    let world = format!("\"world\":\"{kind}\"");
    for kept in [&*SEALED, &*DECLINED, &*REFUSED] {
        shows_nothing(kept, &[], |room| {
            room.rewrite_record(|text| {
                let lines = text.lines().filter(|line| !line.contains(&world));
                lines.map(|line| format!("{line}\n")).collect()
            });
        });
    }
}

#[test]
fn a_call_in_which_nobody_talks_shows_nothing() {
    shows_nothing(&Kept::of(plan("", "audio", "")), &["complete", "heard", "unheard"], |_| {});
}

fn remove(room: &Room, file: &str) {
    let file: PathBuf = room.file(file);
    std::fs::remove_file(file).expect("removed");
}

/// Takes the first key away whose line begins so.
fn drop_line(room: &Room, file: &str, begins: &str) {
    room.rewrite(file, |bytes| {
        let text = String::from_utf8(bytes).expect("text");
        let first = text.lines().position(|line| line.starts_with(begins)).expect("a line");
        let left = text.lines().enumerate().filter(|(n, _)| *n != first);
        left.flat_map(|(_, line)| [line, "\n"]).collect::<String>().into_bytes()
    });
}

fn keep_entries(room: &Room, kind: &str, keep: fn(&Value) -> bool) {
    room.rewrite_world(kind, |world| world["ledger"].as_array_mut().expect("a list").retain(keep));
}

#[rstest]
fn a_device_in_place_of_a_file_is_not_read(
    #[values(".pcapng", ".parties.keys", ".service.keys")] file: &str,
) {
    shows_nothing(&SEALED, &[], |room| {
        let path = room.file(file);
        std::fs::remove_file(&path).expect("removed");
        std::os::unix::fs::symlink("/dev/zero", path).expect("a link");
    });
}
