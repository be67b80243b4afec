//! Clients made by others, each in a sealed and in an ordinary call with the reference client, on either side.
//!
//! Skipped where a client is missing, unless OVERHEARD_REQUIRE_PEERS is 1; `.ci/peers` installs them all.

use std::path::{Path, PathBuf};
use std::process::Command;

use model::outcome::{Listener, Outcome};
use model::verdict::{Ending, Verdict};
use rstest::rstest;

use crate::{Room, best, scenario, there_or_skipped};

/// A client and the driver beside it; both lines are for the shell, in the folder of adapters.
#[derive(Clone, Copy)]
pub struct Client {
    /// How the driver names it.
    name: &'static str,
    /// Succeeds where it is installed.
    probe: &'static str,
    /// Starts the driver.
    driver: &'static str,
}

pub const AIORTC: Client = Client {
    name: "aiortc 1.16.0",
    probe: "aiortc/.venv/bin/python -c 'import aiortc'",
    driver: "aiortc/.venv/bin/python aiortc/driver.py",
};

const WERIFT: Client = Client {
    name: "werift 0.24.4",
    probe: "node -e 'require(`./werift/node_modules/werift`)'",
    driver: "node werift/driver.mjs",
};

const NODE_DATACHANNEL: Client = Client {
    name: "node-datachannel 0.33.4",
    probe: "node -e 'require(`./node-datachannel/node_modules/node-datachannel`)'",
    driver: "node node-datachannel/driver.mjs",
};

const GSTREAMER: Client = Client {
    name: "GStreamer 1.",
    probe: "/usr/bin/python3 gstreamer/driver.py < /dev/null",
    driver: "/usr/bin/python3 gstreamer/driver.py",
};

const CHROMIUM: Client = Client {
    name: "Chromium ",
    probe: "node --version && chromium --version",
    driver: "node chromium/driver.mjs",
};

const FIREFOX: Client = Client {
    name: "Mozilla Firefox ",
    probe: "node --version && firefox-esr --version",
    driver: "node firefox/driver.mjs",
};

impl Client {
    /// The command that starts its driver; none where it is not installed.
    pub fn command(self) -> Option<String> {
        let adapters: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters");
        let probed = Command::new("timeout")
            .args(["60", "sh", "-c", self.probe])
            .current_dir(&adapters)
            .output()
            .unwrap();
        let missing = format!(
            "{} is missing, it calls nobody; run .ci/peers ({})",
            self.name,
            String::from_utf8_lossy(&probed.stderr).trim()
        );
        let there = there_or_skipped(probed.status.success(), &missing);
        there.then(|| format!("cd '{}' && exec {}", adapters.canonicalize().unwrap().display(), self.driver))
    }
}

#[rstest]
fn a_client_made_by_others_is_heard_by_its_peer_alone(
    #[values(AIORTC, WERIFT, NODE_DATACHANNEL, GSTREAMER, CHROMIUM, FIREFOX)] client: Client,
    #[values("caller", "callee")] side: &str,
) {
    let Some(command) = client.command() else { return };
    let room = Room::new();
    let (sealed, ordinary) = (scenario("opt-in/both-on"), scenario("opt-in/off-by-default"));
    let client_option = format!("{side}=cmd:{command}");
    let ended = room.overheard(&[
        "run",
        &sealed,
        &ordinary,
        "--out",
        "run",
        "--jobs",
        "1",
        "--client",
        &client_option,
    ]);
    let told = format!("{}{}", ended.stdout, ended.stderr);
    let record = room.read("run/record.jsonl");
    assert!(record.contains(&format!("\"implementation\":\"{}", client.name)), "{told}");
    let results = room.results("run");
    // Frames of both directions, counted at the taps of both devices.
    for (id, outcome, frames) in
        [("opt-in/both-on", Outcome::Sealed, 400), ("opt-in/off-by-default", Outcome::Ordinary, 200)]
    {
        let variant = results.scenarios.iter().find(|variant| variant.id == id).unwrap();
        assert_eq!(variant.verdict, Ending::from(best(&room, "run")), "{told}");
        assert_eq!(variant.calls[0].outcome, outcome, "{told}");
        let heard = variant.calls[0].heard[&Listener::Parties];
        assert!(heard.frames >= frames && heard.frames == heard.of, "{heard:?}\n{told}");
        let honest = variant.checks.iter().find(|check| check.check == "drivers/answer-honestly");
        assert!(honest.is_some_and(|check| check.verdict == Verdict::Pass && check.examined > 0), "{told}");
    }
}

#[test]
fn a_ledger_that_is_not_what_was_sent_is_found() {
    let Some(command) = AIORTC.command() else { return };
    let room = Room::new();
    // The first digit of each digest is lost; the frames on the wire are those of the client.
    let lossy = format!("caller=cmd:{{ {command}; }} | sed -u 's/\\(\"sha256\": \"\\)./\\10/'");
    let ended = room.overheard(&["run", &scenario("opt-in/both-on"), "--out", "run", "--client", &lossy]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let results = room.results("run");
    let failing: Vec<&str> = results.scenarios[0]
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.check.as_str())
        .collect();
    assert!(failing.contains(&"proof/heard"), "{failing:?}");
}
