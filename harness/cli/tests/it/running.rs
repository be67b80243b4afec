//! One sealed call, from its file to its verdict, and the same again from what was saved.

use crate::{Room, scenario};

#[test]
fn a_sealed_call_passes_and_leaves_what_an_auditor_needs() {
    let room = Room::new();
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "run"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("✓ pass"), "{}", ended.stdout);
    assert!(ended.stdout.contains("heard by the two devices alone"), "{}", ended.stdout);
    let files = [
        "record.jsonl",
        "results.json",
        "junit.xml",
        "captures/opt-in_both-on.pcapng",
        "captures/opt-in_both-on.twin.pcapng",
        "keys/opt-in_both-on.parties.keys",
        "keys/opt-in_both-on.service.keys",
        "keys/opt-in_both-on.twin.parties.keys",
        "keys/opt-in_both-on.twin.service.keys",
    ];
    for file in files {
        assert!(std::fs::metadata(room.path("run").join(file)).unwrap().len() > 0, "{file} is empty");
    }
    assert!(!room.path("reports").exists(), "--out leaves reports alone");
}

#[test]
fn a_saved_run_is_judged_again_to_the_same_results() {
    let room = Room::new();
    assert_eq!(room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "run"]).code, 0);
    let (results, junit) = (room.read("run/results.json"), room.read("run/junit.xml"));
    std::fs::remove_file(room.path("run/results.json")).unwrap();
    std::fs::remove_file(room.path("run/junit.xml")).unwrap();
    let ended = room.overheard(&["judge", "run", "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(room.read("run/results.json"), results);
    assert_eq!(room.read("run/junit.xml"), junit);
    assert_eq!(ended.stdout, results);
}

#[test]
fn one_seed_gives_one_schedule_and_another_gives_the_same_verdict() {
    let room = Room::new();
    for (out, seed) in [("a", "7"), ("b", "7"), ("c", "18446744073709551615")] {
        let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", out, "--seed", seed]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    let schedule = |run: &str| room.results(run).scenarios[0].schedule.clone().unwrap();
    assert_eq!(schedule("a"), schedule("b"));
    assert_eq!(room.results("c").seed, u64::MAX.to_string());
    assert_eq!(room.results("c").scenarios[0].verdict, model::verdict::Ending::Pass);
}

#[test]
fn a_run_without_a_folder_is_the_latest() {
    let room = Room::new();
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--quiet"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let name = room.read("reports/latest");
    assert!(name.trim().ends_with("Z-0"), "{name}");
    assert!(ended.stdout.contains(&format!("reports/{}", name.trim())), "{}", ended.stdout);
    for run in ["latest", name.trim()] {
        assert_eq!(room.overheard(&["judge", run]).code, 0);
    }
}

#[test]
fn reports_go_where_they_are_asked_to() {
    let room = Room::new();
    let file = scenario("opt-in/both-on");
    let ended =
        room.overheard(&["run", "--format", "junit", "--format", "github:deep/er/log", &file, "--out", "r"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("<?xml"), "{}", ended.stdout);
    assert_eq!(ended.stdout, room.read("r/junit.xml"));
    assert!(room.read("deep/er/log").starts_with("::notice"));
}

#[test]
fn what_is_not_kept_is_gone_and_not_named() {
    let room = Room::new();
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "r", "--keep", "failed"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(room.path("r/captures")).unwrap().count(), 0);
    assert_eq!(room.results("r").scenarios[0].capture, None);
    assert_ne!(room.overheard(&["judge", "r"]).code, 0, "without its evidence nothing passes again");
}

#[test]
fn coverage_that_a_baseline_had_is_not_lost_in_silence() {
    let room = Room::new();
    let file = scenario("opt-in/both-on");
    assert_eq!(room.overheard(&["run", &file, "--out", "then"]).code, 0);
    let same = room.overheard(&["run", &file, "--out", "now", "--baseline", "then/results.json"]);
    assert_eq!(same.code, 0, "{}", same.stderr);
    let baseline = room.read("then/results.json").replace("opt-in/both-on", "opt-in/gone");
    room.write("gone.json", &baseline);
    let less = room.overheard(&["run", &file, "--out", "less", "--baseline", "gone.json"]);
    assert_eq!(less.code, 3, "{}", less.stdout);
    assert!(less.stdout.contains("? lost          opt-in/gone"), "{}", less.stdout);
}
