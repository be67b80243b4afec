//! Ctrl-C, a killed process and a full disk leave readable files, and nothing that did not run has passed.

use std::process::{Child, Command, Stdio};

use rstest::rstest;

use crate::{Ended, Room, scenario};

/// A run of so many variants that it is still going when its first worlds stand in the record.
fn long_run(room: &Room) -> Child {
    let text = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    let values: Vec<String> = (1..=600).map(|n| format!("{n}ms")).collect();
    let matrix = format!("matrix: {{ propagation: [{}] }}\ntenants:", values.join(", "));
    room.write("scenarios/opt-in/many.yaml", &text.replacen("tenants:", &matrix, 1));
    let mut command = Command::new(env!("CARGO_BIN_EXE_overheard"));
    command.args(["run", "--out", "run", "--jobs", "1", "--sweep", "off"]).current_dir(room.path(""));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until `worlds` worlds stand in the record; the process ending first is a failure.
fn until_recorded(room: &Room, child: &mut Child, worlds: usize) {
    let record = room.path("run/record.jsonl");
    while std::fs::read(&record).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count()) <= worlds {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be disturbed");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_run_is_judged_as_far_as_it_got() {
    let room = Room::new();
    let mut child = long_run(&room);
    until_recorded(&room, &mut child, 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let ended = room.overheard(&["judge", "run", "--sweep", "off"]);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    let results = room.results("run");
    assert!(results.partial && results.totals.pass > 0, "{:?}", results.totals);
    assert_eq!(results.totals.pass + results.lost.len(), 600);
}

#[test]
fn an_interrupted_run_reports_what_it_has_and_ends_in_130() {
    let room = Room::new();
    let mut child = long_run(&room);
    until_recorded(&room, &mut child, 3);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stdout}");
    assert!(stdout.contains("Partial:"), "{stdout}");
    let results = room.results("run");
    assert!(results.partial && results.totals.pass > 0 && !results.lost.is_empty());
    assert_eq!(room.overheard(&["judge", "run", "--sweep", "off"]).code, 3);
}

/// Runs with files limited to `blocks` of 512 bytes, which looks to the process like a disk without room.
fn without_room(room: &Room, blocks: u32) -> Ended {
    let script = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$0\" run \"$1\" --out run");
    let binary = env!("CARGO_BIN_EXE_overheard");
    let output = Command::new("sh")
        .args(["-c", &script, binary, &scenario("opt-in/both-on")])
        .current_dir(room.path(""))
        .output()
        .unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[rstest]
#[case::no_room_for_the_record(64)]
#[case::no_room_for_the_capture(300)]
fn a_full_disk_is_an_error_and_no_pass(#[case] blocks: u32) {
    let room = Room::new();
    let ended = without_room(&room, blocks);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("✓ pass"), "{}", ended.stdout);
    let results = room.results("run");
    assert_eq!(results.totals.pass, 0);
    assert_ne!(room.overheard(&["judge", "run"]).code, 0);
}

#[test]
fn a_report_that_cannot_be_written_is_said_and_the_others_are_written() {
    let room = Room::new();
    room.write("blocked/file", "a file where a folder is wanted");
    let file = scenario("opt-in/both-on");
    let ended = room.overheard(&["run", &file, "--out", "run", "--format", "json:blocked/file/x.json"]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("blocked/file/x.json"), "{}", ended.stderr);
    assert!(ended.stdout.contains("✓ pass") && room.path("run/results.json").exists(), "{}", ended.stdout);
}
