//! `overheard driver check`: the reference driver passes, and of each driver that is spoilt in one thing exactly the
//! probes fail that are there for it. The spoilt ones are the reference client behind a filter of its lines.

use model::driver_check::{DriverCheck, ProbeState};
use rstest::rstest;

use crate::{Ended, Room};

const OVERHEARD: &str = env!("CARGO_BIN_EXE_overheard");
/// Everything that is asked over the channel alone.
const CHANNEL: &str = "!placed/ !answered/ !judged/";

/// A driver of one line of the shell, in which `CLIENT` is the reference client.
fn checked(driver: &str, filter: &str) -> (Ended, DriverCheck) {
    let driver = driver.replace("CLIENT", &format!("'{OVERHEARD}' client"));
    let arguments = ["driver", "check", "--format", "json", "--filter", filter, "--", "sh", "-c", &driver];
    let ended = Room::new().overheard(&arguments);
    let check = serde_json::from_str(&ended.stdout);
    let check = check.unwrap_or_else(|why| panic!("{why}: {}{}", ended.stdout, ended.stderr));
    (ended, check)
}

fn ids(check: &DriverCheck, state: ProbeState) -> Vec<&str> {
    check.ended(state).map(|probe| probe.id.as_str()).collect()
}

#[test]
fn the_reference_driver_passes_and_what_it_was_not_asked_is_named() {
    let (ended, check) = checked("exec CLIENT", "");
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let skipped = ids(&check, ProbeState::Skipped);
    // Where no network can be shut in, nobody can say that all of it was seen.
    let excused = ["honesty/undeclared-media", "judged/complete"];
    assert!(skipped.iter().all(|id| excused.contains(id)), "{}", ended.stdout);
    assert!(ids(&check, ProbeState::Passed).len() >= 60, "{}", ended.stdout);
    assert!(check.implementation.is_some_and(|name| name.starts_with("overheard reference client")));
}

#[rstest]
#[case::prints_a_log("echo started; exec CLIENT", CHANNEL, &["lines/nothing-else"])]
#[case::answers_twice(r#"CLIENT | sed -u '/^{"id":/p'"#, CHANNEL, &["lines/answered-once"])]
#[case::is_gone("exit 3", CHANNEL, &["handshake/introduces-itself"])]
#[case::speaks_every_version(
    r#"{ sed -u 's/"min":98,"max":99/"min":1,"max":1/' <&3 & } 3<&0 | CLIENT"#,
    "handshake/",
    &["handshake/refuses-other-versions"]
)]
#[case::knows_every_method(
    r#"CLIENT | sed -u 's/"error":{"kind":"unknown-method"[^}]*}/"result":{}/'"#,
    CHANNEL,
    &["honesty/unknown-method"]
)]
#[case::declares_what_it_cannot(
    r#"CLIENT | sed -u 's/"frames":true/"frames":true,"own":true/'"#,
    CHANNEL,
    &["honesty/declared-profiles"]
)]
#[case::takes_undeclared_media(
    r#"CLIENT | sed -u 's/"screen":true/"screen":false/'"#,
    CHANNEL,
    &["honesty/undeclared-media"]
)]
#[case::refuses_keys_by_another_name(
    r#"CLIENT | sed -u 's/"keys-export":true/"keys-export":false/;s/"result":{"file":[^}]*}/"error":{"kind":"internal"}/'"#,
    CHANNEL,
    &["keys/in-the-folder"]
)]
#[case::cuts_long_lines(
    r#"{ sed -u 's/^\(.\{30000\}\).*$/\1/' <&3 & } 3<&0 | CLIENT"#,
    "framing/",
    &["framing/long-line"]
)]
#[case::never_registers(r#"CLIENT | sed -u '/"type":"register"/d'"#, "session/", &["session/registers"])]
#[case::forgets_the_option(
    r#"{ sed -u 's/"eligible":false/"eligible":true/' <&3 & } 3<&0 | CLIENT"#,
    "intent/",
    &["intent/not-eligible"]
)]
#[case::forgets_the_policy(
    r#"{ sed -u 's/"policy":"Disabled"/"policy":"DisabledUserOverride"/' <&3 & } 3<&0 | CLIENT"#,
    "intent/",
    &["intent/policy-forbids"]
)]
#[case::has_one_call_id(
    r#"CLIENT | sed -u 's/"call":"[0-9a-f]\{32\}"/"call":"000102030405060708090a0b0c0d0e0f"/'"#,
    "another-id",
    &["calls/another-id"]
)]
#[case::never_answers_cancel(
    r#"{ sed -u '/"method":"cancel"/d' <&3 & } 3<&0 | CLIENT"#,
    "deadlines/",
    &["deadlines/cancel-of-nothing", "deadlines/cancel-of-an-open-request"]
)]
#[case::dies_of_what_is_no_json(
    r#"{ sed -u '/"can$/q' <&3 & } 3<&0 | CLIENT"#,
    "errors/no-json",
    &["errors/no-json"]
)]
#[case::writes_keys_elsewhere(
    r#"CLIENT | sed -u 's|"file":"|"file":"../|'"#,
    CHANNEL,
    &["keys/in-the-folder"]
)]
#[case::lets_others_read(
    r#"umask 022; echo x > "$OVERHEARD_SESSION_FOLDER/secrets"; exec CLIENT"#,
    CHANNEL,
    &["keys/private"]
)]
#[case::exits_with_one("CLIENT; exit 1", CHANNEL, &["shutdown/exits", "shutdown/end-of-input"])]
#[case::leaves_a_child(
    "sleep 600 > /dev/null 2>&1 & exec CLIENT",
    CHANNEL,
    &["shutdown/leaves-nothing"]
)]
#[case::has_a_code_of_its_own(
    r#"CLIENT | sed -u 's/"code":"\([0-9]*\) /"code":"\1-/'"#,
    "lock-and-code",
    &["placed/lock-and-code", "answered/lock-and-code"]
)]
#[case::plays_what_nobody_sent(
    r#"CLIENT | sed -u '/"received","kind":"audio","index":7,/s/"sha256":"......../"sha256":"00000000/'"#,
    "frames-received",
    &["placed/frames-received", "answered/frames-received"]
)]
#[case::hides_a_frame(
    r#"CLIENT | sed -u '/"sent","kind":"audio","index":7,/d'"#,
    "frames-sent",
    &["placed/frames-sent", "answered/frames-sent"]
)]
#[case::answers_talk_too_early(
    r#"CLIENT | sed -u '/"sent","kind":"audio","index":49,/{h;d};/^{"id"/{x;/./{x;G;x;s/.*//;x;b};x}'"#,
    "talk-after",
    &["judged/talk-after-its-frames"]
)]
#[case::lies_in_its_ledger(
    r#"CLIENT | sed -u '/"sent","kind":"audio","index":7,/s/"sha256":"......../"sha256":"00000000/'"#,
    "judged/complete",
    &["judged/complete"]
)]
fn a_spoilt_driver_fails_by_the_probe_that_is_there_for_it(
    #[case] driver: &str,
    #[case] filter: &str,
    #[case] due: &[&str],
) {
    let (ended, check) = checked(driver, filter);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ids(&check, ProbeState::Failed), due, "{}", ended.stdout);
    assert!(check.ended(ProbeState::Failed).all(|probe| probe.hint.is_some()), "{}", ended.stdout);
    assert_eq!(ids(&check, ProbeState::Error), [""; 0], "{}", ended.stdout);
}

#[test]
fn a_check_in_which_nothing_passed_is_no_pass() {
    let ended = Room::new().overheard(&["driver", "check", "--filter", CHANNEL, "--", "/nowhere/at-all"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("Nothing passed, so nothing is shown of this driver."), "{}", ended.stdout);
    assert!(ended.stdout.contains("0 passed, 1 failed"), "{}", ended.stdout);
}

#[rstest]
#[case::no_driver(&["driver", "check"], 2, "say which driver")]
#[case::nobody(&["driver", "check", "--client", "nobody"], 2, "there is no client `nobody`")]
#[case::two_drivers(&["driver", "check", "--client", "x", "--", "y"], 2, "cannot be used with")]
#[case::no_probe(&["driver", "check", "--filter", "weather", "--", "true"], 4, "no probe is selected")]
#[case::no_format(&["driver", "check", "--format", "junit", "--", "true"], 2, "use one of terminal, json")]
fn what_cannot_be_meant_is_refused(#[case] arguments: &[&str], #[case] code: i32, #[case] told: &str) {
    let ended = Room::new().overheard(arguments);
    assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn a_driver_is_found_by_its_name_in_the_configuration() {
    let room = Room::new();
    room.write("overheard.yaml", &format!("clients: {{ ours: \"exec '{OVERHEARD}' client\" }}\n"));
    let ended = room.overheard(&["driver", "check", "--client", "ours", "--filter", "handshake/"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("✓ passed  handshake/introduces-itself"), "{}", ended.stdout);
}
