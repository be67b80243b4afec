//! What is refused before anything runs, and how.

use rstest::rstest;

use crate::{Room, scenario};

#[rstest]
#[case::no_command(&[])]
#[case::unknown_option(&["run", "--fast"])]
#[case::negative_seed(&["run", "--seed", "-1"])]
#[case::seed_of_65_bits(&["run", "--seed", "18446744073709551616"])]
#[case::no_jobs(&["run", "--jobs", "0"])]
#[case::no_shard(&["run", "--shard", "3/2"])]
#[case::unknown_format(&["run", "--format", "sarif"])]
#[case::unknown_network(&["run", "--net", "wifi"])]
#[case::absent_path(&["run", "absent.yaml"])]
#[case::no_baseline(&["run", "--baseline", "absent.json"])]
#[case::absent_run(&["judge", "absent"])]
#[case::no_latest(&["judge", "latest"])]
#[case::nothing_to_merge(&["merge"])]
#[case::unknown_name(&["explain", "nothing-of-that-name"])]
#[case::unknown_kind(&["list", "clients"])]
#[case::unknown_schema(&["schema", "protocol"])]
fn wrong_arguments_end_in_2_and_leave_nothing(#[case] arguments: &[&str]) {
    let room = Room::new();
    let ended = room.overheard(arguments);
    assert_eq!(ended.code, 2, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout, "");
    assert!(!ended.stderr.is_empty());
    assert_eq!(std::fs::read_dir(room.path("")).unwrap().count(), 0);
}

#[test]
fn a_filter_that_nothing_fits_ends_in_4() {
    let room = Room::new();
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--filter", "!both"]);
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(!room.path("reports").exists());
}

#[test]
fn a_mistake_in_a_scenario_is_pointed_at() {
    let room = Room::new();
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    room.write("opt-in/both-on.yaml", &text.replace("outcome: sealed", "outcome: seeled"));
    let ended = room.overheard(&["run", "opt-in/both-on.yaml"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("opt-in/both-on.yaml:") && ended.stderr.contains("seeled"),
        "{}",
        ended.stderr
    );
    assert!(!room.path("reports").exists());
}

#[test]
fn a_statement_that_the_oracle_denies_is_pointed_at() {
    let room = Room::new();
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    room.write("opt-in/both-on.yaml", &text.replace("outcome: sealed", "outcome: ordinary"));
    let ended = room.overheard(&["run", "opt-in/both-on.yaml"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("scenario::disagreement"), "{}", ended.stderr);
}

#[test]
fn a_folder_that_holds_something_is_no_folder_for_a_run() {
    let room = Room::new();
    room.write("full/of", "something");
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "full"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(room.path("full")).unwrap().count(), 1);
}

#[rstest]
#[case::unknown_key("jobs: 2", "jobs")]
#[case::wrong_filter("filter: '!'", "`!` stands alone")]
#[case::wrong_keep("keep: some", "keep: some")]
#[case::wrong_format("formats: [tap]", "`tap` is no format")]
#[case::stale_known_failure(
    "known-failures: [{ variant: opt-in/both-on, check: proof/none, reason: r, owner: o, expires: 2030-01-31 }]",
    "proof/none"
)]
#[case::known_failure_of_nothing(
    "known-failures: [{ variant: 'opt-in/both-on[a=b]', check: proof/heard, reason: r, owner: o, expires: 2030-01-31 }]",
    "matches no variant"
)]
fn a_mistake_in_the_configuration_is_named(#[case] text: &str, #[case] named: &str) {
    let room = Room::new();
    room.write("overheard.yaml", text);
    let ended = room.overheard(&["run", &scenario("opt-in/both-on")]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
}

#[test]
fn a_known_failure_that_passes_is_red() {
    let room = Room::new();
    let entry = "{ variant: opt-in/both-on, check: proof/heard, reason: r, owner: o, expires: 9999-12-31 }";
    room.write("overheard.yaml", &format!("known-failures: [{entry}]"));
    let ended = room.overheard(&["run", &scenario("opt-in/both-on")]);
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(ended.stdout.contains("take it off the list"), "{}", ended.stdout);
}

#[test]
fn options_go_before_the_configuration() {
    let room = Room::new();
    room.write("overheard.yaml", "filter: '!both'");
    let file = scenario("opt-in/both-on");
    assert_eq!(room.overheard(&["run", &file]).code, 4);
    assert_eq!(room.overheard(&["run", &file, "--filter", "both", "--out", "r"]).code, 0);
}

#[test]
fn lists_pages_schemas_and_manuals_are_printed() {
    let room = Room::new();
    room.write(
        "scenarios/opt-in/both-on.yaml",
        &std::fs::read_to_string(scenario("opt-in/both-on")).unwrap(),
    );
    for (arguments, part) in [
        (&["list", "checks"][..], "proof/unheard\t"),
        (&["list", "flaws"], "no-sealing\t"),
        (&["list", "--filter", "both-on"], "opt-in/both-on\t"),
        (&["explain", "proof/unheard"], "## How it decides"),
        (&["explain", "ga-2022-03"], "rooms-windows"),
        (&["schema", "scenario"], "\"properties\""),
        (&["completions", "bash"], "_overheard"),
        (&["man"], ".TH"),
    ] {
        let ended = room.overheard(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(part), "{arguments:?}: {}", ended.stdout);
    }
}

#[test]
fn a_misspelt_name_is_guessed() {
    let ended = Room::new().overheard(&["explain", "unherd"]);
    assert!(ended.stderr.contains("did you mean `proof/unheard`?"), "{}", ended.stderr);
}
