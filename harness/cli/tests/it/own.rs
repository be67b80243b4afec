//! Clients with a key agreement of their own: judged by what the capture shows, without knowing the scheme.

use model::Verdict;
use rstest::rstest;

use crate::{Ended, Room, scenario};

const OVERHEARD: &str = env!("CARGO_BIN_EXE_overheard");

/// A sealed call of the profile `own`; the twin is an ordinary one.
fn call(room: &Room, callee: &str, path: &str) -> Ended {
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    let text =
        text.replace("profile: frames", "profile: own").replace("path: forwarder", &format!("path: {path}"));
    assert!(text.contains("profile: own"));
    room.write("opt-in/own.yaml", &text);
    let caller = format!("caller=cmd:exec '{OVERHEARD}' client --profile own");
    let callee = format!("callee=cmd:{callee}");
    room.overheard(&["run", "opt-in/own.yaml", "--out", "run", "--client", &caller, "--client", &callee])
}

fn own(more: &str) -> String {
    format!("exec '{OVERHEARD}' client --profile own {more}")
}

#[rstest]
#[case::through_the_forwarder("forwarder", "")]
#[case::directly("direct", "")]
#[case::one_keeps_its_hop_keys("direct", "--no-hop-keys")]
fn a_sound_scheme_passes_every_leg(#[case] path: &str, #[case] more: &str) {
    let room = Room::new();
    let ended = call(&room, &own(more), path);
    let result = &room.results("run").scenarios[0];
    let isolated = room.read("run/record.jsonl").contains("\"isolated\":true");
    let best = if isolated { Verdict::Pass } else { Verdict::Inconclusive };
    assert_eq!(result.verdict, best.into(), "{}{}", ended.stdout, ended.stderr);
    for (leg, came) in &result.legs {
        let known = leg == "complete" && came.verdict == best;
        assert!(came.applies && (came.verdict == Verdict::Pass || known), "{leg}: {came:?}");
    }
    assert!(result.unsupported_checks.iter().any(|check| check == "keys/security-code-is-recomputed"));
    let judged = |name: &&String| result.checks.iter().any(|check| check.check == **name);
    assert_eq!(result.unsupported_checks.iter().find(judged), None);
}

#[test]
fn a_key_in_the_opaque_field_is_found() {
    let room = Room::new();
    let ended = call(&room, &own("--flaw key-in-signalling"), "forwarder");
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let result = &room.results("run").scenarios[0];
    let failing: Vec<&str> =
        result.checks.iter().filter(|c| c.verdict == Verdict::Fail).map(|c| c.check.as_str()).collect();
    assert!(failing.contains(&"proof/unheard"), "{failing:?} {}", ended.stdout);
}

#[test]
fn frames_without_a_seal_are_heard_by_the_service() {
    let room = Room::new();
    let ended = call(&room, &own("--flaw no-sealing"), "forwarder");
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("proof/unheard"), "{}", ended.stdout);
}

#[test]
fn without_key_lines_nothing_is_concluded() {
    let room = Room::new();
    // Neither tells a key: the answers to `keys` are refusals.
    let silent = |side: &str| {
        let refuse = r#"s/"result":{"file":"[^"]*"}/"error":{"kind":"unsupported","message":"none"}/"#;
        let shy = r#"s/"keys-export":true/"keys-export":false/"#;
        format!("{side}=cmd:'{OVERHEARD}' client --profile own | sed -u -e '{refuse}' -e '{shy}'")
    };
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    room.write("opt-in/own.yaml", &text.replace("profile: frames", "profile: own"));
    let (caller, callee) = (silent("caller"), silent("callee"));
    let ended =
        room.overheard(&["run", "opt-in/own.yaml", "--out", "run", "--client", &caller, "--client", &callee]);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    let result = &room.results("run").scenarios[0];
    assert_eq!(result.legs["heard"].verdict, Verdict::Inconclusive, "{}", ended.stdout);
    assert!(ended.stdout.contains("told the keys of its frames"), "{}", ended.stdout);
}

#[test]
fn the_other_side_has_to_know_the_scheme() {
    let room = Room::new();
    let ended = call(&room, &format!("exec '{OVERHEARD}' client"), "forwarder");
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("the callee's client does not declare `own`"), "{}", ended.stdout);
}
