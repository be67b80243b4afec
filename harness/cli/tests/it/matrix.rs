//! The matrix of clients: every pair has its cell, and no cell looks better than its evidence.

use model::matrix::{Against, CellVerdict, Matrix};

use crate::{Ended, Room, scenario};

const OVERHEARD: &str = env!("CARGO_BIN_EXE_overheard");

/// A configuration with these clients.
fn clients(room: &Room, clients: &[(&str, &str)]) {
    let lines: String = clients.iter().map(|(name, command)| format!("  {name}: {command:?}\n")).collect();
    room.write("overheard.yaml", &format!("clients:\n{lines}"));
}

fn matrix(room: &Room, out: &str, more: &[&str]) -> (Ended, Matrix) {
    let file = scenario("opt-in/both-on");
    let ended = room.overheard(&[&["matrix", &file, "--out", out, "--sweep", "off"], more].concat());
    let text = std::fs::read_to_string(room.path(out).join("matrix.json"));
    let matrix = serde_json::from_str(&text.unwrap_or_else(|why| panic!("{why}: {}", ended.stderr))).unwrap();
    (ended, matrix)
}

fn verdict(matrix: &Matrix, caller: &str, callee: &str) -> CellVerdict {
    matrix
        .cells
        .iter()
        .find(|cell| (cell.caller.as_str(), cell.callee.as_str()) == (caller, callee))
        .unwrap()
        .verdict
}

/// Whether this machine lets the matrix move into a network without a way out; where it does not, `proof/complete` is
/// inconclusive of clients made by others.
fn best(room: &Room, cell: &str) -> CellVerdict {
    let shut_in = room.read(&format!("{cell}/record.jsonl")).contains("\"isolated\":true");
    if shut_in { CellVerdict::Pass } else { CellVerdict::Inconclusive }
}

#[test]
fn the_reference_client_calls_itself_and_leaves_its_evidence() {
    let room = Room::new();
    let (ended, matrix) = matrix(&room, "m", &["--clients", "reference"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!((matrix.cells.len(), matrix.verdict, matrix.partial), (1, CellVerdict::Pass, false));
    let cell = &matrix.cells[0];
    let folder = cell.folder.clone().unwrap();
    assert_eq!(folder, "reference--reference");
    for file in [
        "record.jsonl",
        "results.json",
        "junit.xml",
        "report.html",
        "keys/opt-in_both-on.parties.keys",
        cell.runs[0].capture.as_deref().unwrap(),
    ] {
        let length = std::fs::metadata(room.path("m").join(&folder).join(file)).map(|file| file.len());
        assert!(length.unwrap_or(0) > 0, "{file} is missing");
    }
    let page = room.read("m/matrix.html");
    assert!(page.contains("href=\"reference--reference/report.html\""), "{page}");
    assert!(ended.stdout.contains("reference  \u{2713} 1/1"), "{}", ended.stdout);
    let again = room.overheard(&["judge", &format!("m/{folder}"), "--sweep", "off", "--quiet"]);
    assert_eq!(again.code, 0, "{}{}", again.stdout, again.stderr);
    assert!(!room.path("reports").exists(), "--out leaves reports alone");
}

#[test]
fn a_client_that_is_not_there_is_never_a_pass() {
    let room = Room::new();
    clients(
        &room,
        &[
            ("gone", "false"),
            ("loud", "echo ready; cat > /dev/null"),
            ("theirs", &format!("exec '{OVERHEARD}' client")),
        ],
    );
    let (ended, table) = matrix(&room, "m", &["--format", "markdown:table.md"]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(table.cells.len(), 16);
    let best = best(&room, "m/theirs--reference");
    for cell in &table.cells {
        let expected = match (cell.caller.as_str(), cell.callee.as_str()) {
            ("loud", _) | (_, "loud") => CellVerdict::Error,
            ("gone", _) | (_, "gone") => CellVerdict::Unsupported,
            ("reference", "reference") => CellVerdict::Pass,
            _ => best,
        };
        assert_eq!(cell.verdict, expected, "{cell:?}");
        assert_eq!(cell.folder.is_some(), expected == CellVerdict::Pass || expected == best, "{cell:?}");
    }
    assert!(ended.stdout.contains("the driver does not start here"), "{}", ended.stdout);
    assert!(ended.stdout.contains("print only protocol lines"), "{}", ended.stdout);
    assert!(room.read("table.md").contains("| **gone** | unsupported 0/1 | unsupported 0/1 | error 0/1 |"));
    // Whoever is asked for by name has to be there.
    let (ended, named) = matrix(&room, "n", &["--clients", "gone"]);
    assert_eq!((ended.code, verdict(&named, "gone", "gone")), (5, CellVerdict::Error), "{}", ended.stdout);
}

#[test]
fn where_no_peer_may_be_missing_a_missing_client_is_an_error() {
    let room = Room::new();
    clients(&room, &[("gone", "exit 127")]);
    let file = scenario("opt-in/both-on");
    let mut command = room.command(&["matrix", &file, "--out", "m", "--sweep", "off"]);
    let ended: Ended = command.env("OVERHEARD_REQUIRE_PEERS", "1").output().unwrap().into();
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    let matrix: Matrix = serde_json::from_str(&room.read("m/matrix.json")).unwrap();
    assert_eq!(verdict(&matrix, "gone", "reference"), CellVerdict::Error);
    assert_eq!(verdict(&matrix, "reference", "reference"), CellVerdict::Pass);
}

#[test]
fn against_a_baseline_what_was_red_before_is_no_news_and_what_is_lost_is() {
    let room = Room::new();
    clients(&room, &[("loud", "echo ready; cat > /dev/null")]);
    let (before, _) = matrix(&room, "m", &[]);
    assert_eq!(before.code, 5, "{}", before.stdout);
    let (same, table) = matrix(&room, "n", &["--baseline", "m/matrix.json"]);
    assert_eq!(same.code, 0, "{}{}", same.stdout, same.stderr);
    assert!(table.cells.iter().all(|cell| cell.against == Some(Against::Same)), "{table:?}");
    // The reference client has passed there; what is no more there is lost.
    let (lost, table) = matrix(&room, "o", &["--clients", "loud", "--baseline", "m/matrix.json"]);
    assert_eq!(lost.code, 3, "{}{}", lost.stdout, lost.stderr);
    assert_eq!(table.lost.len(), 1, "{table:?}");
    assert!(lost.stdout.contains("reference calls reference"), "{}", lost.stdout);
}

#[test]
fn a_pair_that_cannot_export_hop_keys_runs_over_the_forwarder_alone() {
    let room = Room::new();
    clients(&room, &[("shy", &format!("exec '{OVERHEARD}' client --no-hop-keys"))]);
    let arguments = ["matrix", "--clients", "shy,reference", "--out", "m", "--sweep", "off"];
    let ended = room.overheard(&arguments);
    let table: Matrix = serde_json::from_str(&room.read("m/matrix.json")).unwrap();
    assert_eq!(table.variants.len(), 3);
    let best = best(&room, "m/shy--shy");
    for cell in &table.cells {
        let shut = cell.caller == "shy" && cell.callee == "shy";
        for run in &cell.runs {
            let direct = run.variant.starts_with("relay/direct");
            let told = run.why.starts_with("hop keys cannot be exported");
            assert_eq!(told, shut && direct, "{cell:?}");
            let expected = if told { CellVerdict::Unsupported } else { best };
            assert!(run.verdict == expected || run.verdict == CellVerdict::Pass, "{cell:?}");
        }
    }
    let cell = &table.cells[0];
    assert_eq!(
        (cell.verdict, cell.passed()),
        (CellVerdict::Unsupported.max(best), if best == CellVerdict::Pass { 2 } else { 0 })
    );
    // What opens the hop is the forwarder's: the two clients have told nothing of it.
    let keys = room.read("m/shy--shy/keys/opt-in_both-on.parties.keys");
    assert!(keys.contains("CLIENT_RANDOM") && keys.contains("SFRAME"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_runs() {
    let room = Room::new();
    room.write("results.json", "{}");
    for (arguments, code, told) in [
        (&["matrix", "--clients", "nobody"][..], 2, "there is no client `nobody`"),
        (&["matrix", "--clients", "reference,reference"], 2, "twice"),
        (&["matrix", "--format", "junit"], 2, "use one of terminal, json, html, markdown"),
        (&["matrix", "--baseline", "results.json"], 2, "is no matrix.json"),
        (&["matrix", "--filter", "nothing-of-that-name"], 4, "no variant is selected"),
        (&["matrix", "absent.yaml"], 2, "absent.yaml"),
    ] {
        let ended = room.overheard(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
    }
    assert!(!room.path("reports").exists());
}
