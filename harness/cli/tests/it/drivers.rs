//! Clients made by others: the reference client as one, and drivers that do what no driver may.

use model::Verdict;
use rstest::rstest;

use crate::{Ended, Room, best, scenario};

const OVERHEARD: &str = env!("CARGO_BIN_EXE_overheard");

fn run(room: &Room, name: &str, clients: &[String]) -> Ended {
    let file = scenario(name);
    let mut arguments = vec!["run", &file, "--out", "run", "--sweep", "off"];
    for client in clients {
        arguments.extend(["--client", client]);
    }
    room.overheard(&arguments)
}

fn on(side: &str, command: &str) -> String {
    format!("{side}=cmd:{command}")
}

#[rstest]
#[case::caller("opt-in/both-on", &["caller"])]
#[case::callee("opt-in/both-on", &["callee"])]
#[case::both("opt-in/audio-and-video", &["caller", "callee"])]
#[case::calls_after_each_other("security-code/new-in-every-call", &["caller", "callee"])]
#[case::third_party("features/third-party-when-ordinary", &["caller"])]
fn the_reference_client_passes_from_outside(#[case] name: &str, #[case] sides: &[&str]) {
    let room = Room::new();
    let clients: Vec<String> =
        sides.iter().map(|side| on(side, &format!("exec '{OVERHEARD}' client"))).collect();
    let ended = run(&room, name, &clients);
    let results = room.results("run");
    for scenario in &results.scenarios {
        assert_eq!(scenario.verdict, best(&room, "run").into(), "{}{}", ended.stdout, ended.stderr);
        let honest = scenario.checks.iter().find(|check| check.check == "drivers/answer-honestly");
        assert!(honest.is_some_and(|check| check.verdict == Verdict::Pass && check.examined > 0));
    }
    assert!(!results.scenarios.is_empty());
}

#[rstest]
#[case::is_not_there("/nowhere/at-all", "keep it running")]
#[case::ends_at_once("exit 3", "keep it running")]
#[case::prints_logs("echo ready; cat > /dev/null", "only protocol lines")]
#[case::answers_nothing_asked(r#"echo '{"id":77,"result":{}}'; cat > /dev/null"#, "answer each request once")]
#[case::floods(r#"yes '{"event":"log","params":{"text":"x"}}'"#, "print each frame and claim once")]
fn a_broken_driver_is_an_error_of_its_own(#[case] command: &str, #[case] told: &str) {
    let room = Room::new();
    let ended = run(&room, "opt-in/both-on", &[on("caller", command)]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    let record = room.read("run/record.jsonl");
    assert!(record.contains("\"blame\":\"driver\"") && record.contains(told), "{record}");
    assert!(record.contains("alice@contoso.example: "), "{record}");
}

#[test]
fn a_driver_that_dies_half_way_leaves_what_was_captured() {
    let room = Room::new();
    // Nine answers and events, and it is gone.
    let ended = run(
        &room,
        "opt-in/both-on",
        &[on("callee", &format!("'{OVERHEARD}' client | (sed -u 9q; kill -9 0)"))],
    );
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(room.read("run/record.jsonl").contains("bob@contoso.example: the driver ended"));
    assert!(std::fs::metadata(room.path("run/captures/opt-in_both-on.pcapng")).unwrap().len() > 1_000);
}

#[test]
fn a_driver_that_lies_fails_by_name() {
    let room = Room::new();
    let lie = format!("'{OVERHEARD}' client | sed -u 's/\"unknown-method\"/\"refused\"/'");
    let ended = run(&room, "opt-in/both-on", &[on("caller", &lie)]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let results = room.results("run");
    let checks = results.scenarios.iter().flat_map(|scenario| &scenario.checks);
    let failing: Vec<&str> =
        checks.filter(|check| check.verdict == Verdict::Fail).map(|check| check.check.as_str()).collect();
    assert_eq!(failing, ["drivers/answer-honestly"]);
}

#[test]
fn what_a_client_does_not_declare_is_unsupported() {
    let room = Room::new();
    let modest = format!("'{OVERHEARD}' client | sed -u 's/\"video\":true/\"video\":false/'");
    let ended = run(&room, "opt-in/audio-and-video", &[on("callee", &modest)]);
    let totals = room.results("run").totals;
    assert_eq!((totals.unsupported, totals.pass, totals.fail), (2, 0, 0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("the callee's client does not declare `video`"), "{}", ended.stdout);
}

#[test]
fn a_client_that_nobody_knows_is_refused_before_anything_runs() {
    let room = Room::new();
    let ended = run(&room, "opt-in/both-on", &["caller=nobody".to_owned()]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("there is no client `nobody`; use one of reference"), "{}", ended.stderr);
    assert!(!room.path("run").exists());
}
