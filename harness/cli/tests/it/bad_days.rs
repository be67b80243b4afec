//! Runs that are interrupted, killed, out of time or out of room: what was written stays readable, what did not run is
//! said not to have run, and nothing of it passes.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use audit::capture::Capture;
use model::Verdict;
use model::verdict::Ending;
use rstest::rstest;

use crate::{Ended, Room, scenario, there_or_skipped};

/// The slow call lasts far longer than any of these tests waits.
const SLOW: &str = "wait: 60min";

/// A variant that is quick and one that is not, in this order, the second over real sockets.
fn quick_and_slow(room: &Room, slow: &str) {
    let quick = std::fs::read_to_string(scenario("opt-in/both-on")).unwrap();
    room.write("scenarios/call-kinds/a-quick.yaml", &quick);
    let call = "scenario: A slow call\nabout: Made for one test.\nnet: loopback\ntenants:\n  contoso.example:\n    \
                policies: { Global: DisabledUserOverride }\n    users: { alice: {}, bob: {} }\nsteps:\n  - call: { \
                from: alice, to: bob, media: [audio] }\n  - talk: 2s\n  - ";
    room.write("scenarios/call-kinds/b-slow.yaml", &format!("{call}{slow}\n  - hang-up: alice\n"));
}

/// Waits, at most a minute, until `holds`; a process that has ended is not waited for.
fn until(child: &mut Child, holds: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        assert_eq!(child.try_wait().unwrap(), None, "it ended too early");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let _ = child.kill();
    panic!("it never came so far");
}

/// Runs both variants until the slow one is in the middle of its call.
fn in_the_middle(room: &Room) -> Child {
    quick_and_slow(room, SLOW);
    let arguments = ["run", "--out", "run", "--jobs", "1", "--timeout", "1440min"];
    let mut child = room.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let capture = room.path("run/captures/call-kinds_b-slow.pcapng");
    // Two seconds of talk are more than this, and the capture is handed over once a second.
    until(&mut child, || std::fs::metadata(&capture).is_ok_and(|file| file.len() > 30_000));
    child
}

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Waits for the end, at most a minute.
fn ended(mut child: Child) -> Ended {
    for _ in 0..3_000 {
        if child.try_wait().unwrap().is_some() {
            return child.wait_with_output().unwrap().into();
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let _ = child.kill();
    panic!("it does not end");
}

/// What stands in the folder of a run that was cut in the slow call.
fn assert_partial(room: &Room) {
    let judged = room.overheard(&["judge", "run"]);
    assert_eq!(judged.code, 3, "{}", judged.stderr);
    assert!(judged.stdout.contains("Partial:"), "{}", judged.stdout);
    assert!(judged.stdout.contains("? lost          call-kinds/b-slow"), "{}", judged.stdout);
    let results = room.results("run");
    assert!(results.partial);
    assert_eq!((results.verdict, results.lost.len()), (Verdict::Inconclusive, 1));
    let endings: Vec<_> = results.scenarios.iter().map(|s| (s.id.as_str(), s.verdict)).collect();
    assert_eq!(endings, [("call-kinds/a-quick", Ending::Pass)]);
    let capture = room.path("run/captures/call-kinds_b-slow.pcapng");
    let read = Capture::read(std::fs::read(&capture).unwrap());
    assert_eq!(read.problems, []);
    assert!(read.packets.len() > 50, "{} packets", read.packets.len());
    if let Some(tshark) = tshark() {
        let output = Command::new(tshark).arg("-r").arg(&capture).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(lines, read.packets.len());
    }
}

/// Skipped where it is missing, unless OVERHEARD_REQUIRE_PEERS is 1.
fn tshark() -> Option<&'static str> {
    let there = Command::new("tshark").arg("--version").output().is_ok();
    there_or_skipped(there, "tshark is missing; install it").then_some("tshark")
}

#[rstest]
#[case::ctrl_c("INT")]
#[case::terminated("TERM")]
fn an_interrupted_run_ends_soon_and_is_partial(#[case] name: &str) {
    let room = Room::new();
    let child = in_the_middle(&room);
    signal(&child, name);
    let ended = ended(child);
    assert_eq!(ended.code, 130, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Partial:"), "{}", ended.stdout);
    assert_partial(&room);
}

#[test]
fn a_killed_run_is_partial_and_what_it_wrote_is_readable() {
    let room = Room::new();
    let mut child = in_the_middle(&room);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!room.path("run/results.json").exists(), "nothing was judged yet");
    assert_partial(&room);
}

#[test]
fn a_variant_that_takes_too_long_is_an_error_and_the_others_go_on() {
    let room = Room::new();
    quick_and_slow(&room, SLOW);
    let ended = room.overheard(&["run", "--out", "run", "--timeout", "4s"]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    let results = room.results("run");
    assert!(!results.partial && results.lost.is_empty());
    assert_eq!(results.scenarios[0].verdict, Ending::Pass);
    assert_eq!(results.scenarios[1].verdict, Ending::Error);
    let told = &results.scenarios[1].why;
    assert!(told.starts_with("the world was ended after 4s while it played step 3, `wait`"), "{told}");
}

#[rstest]
#[case::option(&["--timeout", "fast"], "", "`fast` is no time limit")]
#[case::configuration(&[], "timeout: 7", "`7` is no time limit")]
fn a_time_limit_that_is_none_is_refused(#[case] options: &[&str], #[case] file: &str, #[case] named: &str) {
    let room = Room::new();
    room.write("overheard.yaml", file);
    let path = scenario("opt-in/both-on");
    let ended = room.overheard(&[&["run", &path, "--out", "run"][..], options].concat());
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    assert!(!room.path("run").exists());
}

/// Runs the binary where no file can grow beyond so many blocks of 512 bytes: like a full disk, but for one file each.
fn with_short_files(room: &Room, blocks: u32, arguments: &[&str]) -> Ended {
    let command = room.command(arguments);
    let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut limited = Command::new("sh");
    limited.args(["-c", &limit]).arg(command.get_program()).args(command.get_args());
    limited.current_dir(room.path("")).env_remove("CARGO").output().unwrap().into()
}

#[test]
fn where_the_record_does_not_fit_the_run_says_so_and_the_rest_is_readable() {
    let room = Room::new();
    let path = scenario("opt-in/both-on");
    let ended = with_short_files(&room, 80, &["run", &path, "--out", "run", "--jobs", "1"]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("the run cannot be recorded in run"), "{}", ended.stderr);
    assert!(ended.stderr.contains("make room or choose another folder"), "{}", ended.stderr);
    let judged = room.overheard(&["judge", "run"]);
    assert_eq!(judged.code, 3, "{}{}", judged.stdout, judged.stderr);
    let results = room.results("run");
    assert!(results.partial);
    assert_eq!(results.lost, ["opt-in/both-on"]);
    // One world at a time: the first one's record did not fit, and the second one never began.
    let first = std::fs::read_dir(room.path("run/captures")).unwrap().next().unwrap().unwrap();
    let read = Capture::read(std::fs::read(first.path()).unwrap());
    assert!(read.packets.len() > 100, "{:?}", read.problems);
}

#[test]
fn a_report_that_cannot_be_written_is_named_and_the_others_are_there() {
    let room = Room::new();
    let path = scenario("opt-in/both-on");
    let ended = room.overheard(&["run", &path, "--out", "run", "--format", "junit:/dev/full"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stderr.contains("`/dev/full` cannot be written"), "{}", ended.stderr);
    assert_eq!(room.results("run").verdict, Verdict::Pass);
}

/// A tmpfs of 500 KiB in a namespace of its own; none where the system does not let us have one, unless
/// OVERHEARD_REQUIRE_PEERS is 1.
fn on_a_small_disk(room: &Room, arguments: &[&str]) -> Option<Ended> {
    let disk = room.path("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let unshare = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).args(arguments);
        command.current_dir(room.path("")).env_remove("CARGO").output()
    };
    let mount = "mount -t tmpfs -o size=500k none disk";
    let granted = unshare(mount, &[]).is_ok_and(|output| output.status.success());
    if !there_or_skipped(granted, "no disk could be made that is full; allow `unshare --user --mount`") {
        return None;
    }
    // The disk goes with the namespace, so what is on it is copied out.
    let script = format!("{mount} && \"$@\"; code=$?; cp -r disk kept; exit $code");
    let command = room.command(arguments);
    let mut whole = vec![command.get_program().to_str().unwrap()];
    whole.extend(command.get_args().map(|argument| argument.to_str().unwrap()));
    Some(unshare(&script, &whole).unwrap().into())
}

#[test]
fn on_a_full_disk_nothing_passes_and_what_was_written_is_readable() {
    let room = Room::new();
    let path = scenario("opt-in/both-on");
    let Some(ended) = on_a_small_disk(&room, &["run", &path, "--out", "disk/run"]) else { return };
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("make room or choose another folder"), "{}", ended.stderr);
    let judged = room.overheard(&["judge", "kept/run"]);
    assert!([3, 5].contains(&judged.code), "{}{}", judged.stdout, judged.stderr);
    assert!(room.results("kept/run").scenarios.iter().all(|s| s.verdict != Ending::Pass));
    let capture = std::fs::read(room.path("kept/run/captures/opt-in_both-on.twin.pcapng")).unwrap();
    assert!(Capture::read(capture).packets.len() > 100);
}

#[rstest]
#[case::a_file("taken/run", "taken")]
#[case::no_place_for_folders("/proc/overheard/run", "/proc/overheard/run")]
fn where_no_folder_can_be_made_nothing_runs(#[case] out: &str, #[case] named: &str) {
    let room = Room::new();
    room.write("taken", "a file");
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", out]);
    assert_eq!(ended.code, 2, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(named) && ended.stderr.contains("--out"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_world_in_memory_has_one_thread() {
    let room = Room::new();
    let path = scenario("opt-in/toggles-frames");
    let mut child =
        room.command(&["run", &path, "--out", "run", "--jobs", "1"]).stdout(Stdio::null()).spawn().unwrap();
    let mut worlds_seen = 0;
    while child.try_wait().unwrap().is_none() {
        let threads = std::fs::read_dir(format!("/proc/{}/task", child.id())).into_iter().flatten().flatten();
        let names: Vec<String> = threads
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok())
            .map(|name| name.trim().to_owned())
            .collect();
        if names.first().is_none_or(|main| main != "overheard") {
            // It is not running yet, or not any more.
            continue;
        }
        let worlds = names.iter().filter(|name| *name == "world").count();
        assert!(worlds <= 1, "{names:?}");
        assert!(
            names.iter().all(|name| ["overheard", "ctrl-c", "world"].contains(&name.as_str())),
            "{names:?}"
        );
        worlds_seen += worlds;
        std::thread::park_timeout(Duration::from_millis(1));
    }
    assert!(worlds_seen > 0, "no world was ever seen");
}
