//! What was taken away from a run by hand is never a pass.

use rstest::rstest;

use crate::{Room, scenario};

fn saved() -> Room {
    let room = Room::new();
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "run"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    room
}

#[test]
fn a_record_without_its_end_is_partial() {
    let room = saved();
    let record = room.read("run/record.jsonl");
    let cut = record.trim_end().rsplit_once('\n').unwrap().0;
    room.write("run/record.jsonl", cut);
    let ended = room.overheard(&["judge", "run"]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert!(ended.stdout.contains("Partial:"), "{}", ended.stdout);
    assert!(room.results("run").partial);
}

#[test]
fn a_record_that_lost_a_world_has_lost_coverage() {
    let room = saved();
    let record = room.read("run/record.jsonl");
    let kept: Vec<&str> = record.lines().filter(|line| !line.contains("\"world\":\"variant\"")).collect();
    assert!(kept.len() < record.lines().count());
    room.write("run/record.jsonl", &kept.join("\n"));
    let ended = room.overheard(&["judge", "run"]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert_eq!(room.results("run").lost, ["opt-in/both-on"]);
}

#[rstest]
#[case::capture("captures/opt-in_both-on.pcapng")]
#[case::capture_of_the_twin("captures/opt-in_both-on.twin.pcapng")]
#[case::keys_of_the_parties("keys/opt-in_both-on.parties.keys")]
#[case::keys_of_the_service("keys/opt-in_both-on.service.keys")]
fn a_missing_or_empty_file_takes_the_pass_away(#[case] file: &str) {
    let room = saved();
    std::fs::write(room.path("run").join(file), "").unwrap();
    let emptied = room.overheard(&["judge", "run"]);
    assert_ne!(emptied.code, 0, "emptied {file}: {}", emptied.stdout);
    std::fs::remove_file(room.path("run").join(file)).unwrap();
    let removed = room.overheard(&["judge", "run"]);
    assert_ne!(removed.code, 0, "removed {file}: {}", removed.stdout);
}

#[test]
fn a_newer_record_is_refused_by_name() {
    let room = saved();
    let record = room.read("run/record.jsonl").replacen("overheard/record/1", "overheard/record/2", 1);
    room.write("run/record.jsonl", &record);
    let ended = room.overheard(&["judge", "run"]);
    assert_eq!(ended.code, 5, "{}", ended.stdout);
    assert!(ended.stderr.contains("overheard/record/2"), "{}", ended.stderr);
}
