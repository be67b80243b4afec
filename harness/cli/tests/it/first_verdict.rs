//! The page that leads a vendor to a first verdict, followed as it is written.
//!
//! Skipped where aiortc is missing, unless OVERHEARD_REQUIRE_PEERS is 1; the build and the installation that the page
//! begins with are those of this very test.

use std::path::Path;

use model::verdict::Ending;

use crate::third_parties::AIORTC;
use crate::{Ended, Room, best};

const PAGE: &str = include_str!("../../../FIRST-VERDICT.md");

/// The blocks of one language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let starts = PAGE.split("```").skip(1).step_by(2);
    starts.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// Runs a command of the page with the binary under test.
fn typed(room: &Room, command: &str) -> Ended {
    let rest = command.trim().strip_prefix("overheard/target/release/overheard ").unwrap();
    let mut words: Vec<String> = Vec::new();
    for (at, piece) in rest.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(piece.split_whitespace().map(str::to_owned)),
            _ => words.push(piece.to_owned()),
        }
    }
    room.overheard(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn the_page_ends_in_a_failing_and_then_a_passing_report() {
    if AIORTC.command().is_none() {
        return;
    }
    let room = Room::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    std::os::unix::fs::symlink(&root, room.path("overheard")).unwrap();
    std::os::unix::fs::symlink(root.join("harness/adapters/aiortc/.venv"), room.path("venv")).unwrap();
    let [flawed, mended] = blocks("python")[..] else { panic!("the page has two blocks of Python") };
    let commands: Vec<&str> =
        blocks("sh").into_iter().filter(|block| block.starts_with("overheard/target")).collect();
    let [itself, fails, explains, passes, _families] = commands[..] else {
        panic!("the page has five commands of overheard: {commands:?}")
    };

    assert_eq!(typed(&room, itself).code, 0);
    room.write("client.py", flawed);
    let ended = typed(&room, fails);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.code, 1, "{told}");
    for part in
        ["why ", "proof/unheard (fail", "the caller's client", "see ", "again ", "--client", "report "]
    {
        assert!(ended.stdout.contains(part), "{part} is missing in {told}");
    }
    assert!(room.read("verdict.html").contains("proof/unheard"));
    assert!(typed(&room, explains).stdout.contains("## How it decides"));

    let (start, end) = (flawed.find("class OurKey").unwrap(), flawed.find("call.Key = OurKey").unwrap());
    room.write("client.py", &format!("{}{mended}\n\n{}", &flawed[..start], &flawed[end..]));
    let ended = typed(&room, passes);
    let run = format!("reports/{}", room.read("reports/latest").trim());
    let verdict = room.results(&run).scenarios[0].verdict;
    assert_eq!(verdict, Ending::from(best(&room, &run)), "{}{}", ended.stdout, ended.stderr);
}
