//! Runs built by hand, whole and with evidence taken away.

mod attacks;
mod budget;
mod damage;

use model::flaw::Flaw;
use model::plan::{NetKind, Plan};
use model::record::{Header, Line, Record, SCHEMA, WorldKind, WorldRecord};
use rstest::rstest;
use tempfile::TempDir;

use super::*;
use crate::bench::plans::both_on;
use crate::bench::signals::{Signals, base_keys};
use crate::bench::story::{ALICE, Datagram, NODE, Story};

/// A run of one variant and its twin.
struct Run {
    folder: TempDir,
    record: Record,
}

impl Run {
    fn of(story: &Story) -> Self {
        Self::with(story, &Story::ordinary(story.plan.clone()))
    }

    fn with(story: &Story, twin: &Story) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = story.tell(folder.path(), "variant");
        let twin = twin.tell(folder.path(), "twin");
        let twin = WorldRecord { world: WorldKind::Twin, ..twin };
        let header = Header {
            schema: SCHEMA.to_owned(),
            tool: tool(),
            seed: "0".to_owned(),
            net: NetKind::Memory,
            planned: vec![world.id.clone()],
            shard: None,
        };
        let lines = vec![Line::World(Box::new(world)), Line::World(Box::new(twin))];
        Self { folder, record: Record { header, lines, partial: false } }
    }

    fn judge(&self) -> Results {
        judge(self.folder.path(), &self.record, &Options::default())
    }

    fn only(&self) -> ScenarioResult {
        Self::single(self.judge())
    }

    /// The same with a sweep.
    fn swept(&self) -> ScenarioResult {
        let options = Options { sweep: model::results::Sweep::Full };
        Self::single(judge(self.folder.path(), &self.record, &options))
    }

    fn single(mut results: Results) -> ScenarioResult {
        assert_eq!((results.scenarios.len(), results.lost.len()), (1, 0));
        results.scenarios.remove(0)
    }
}

fn findings(result: &ScenarioResult) -> Vec<String> {
    let all = result
        .checks
        .iter()
        .flat_map(|check| check.findings.iter().map(move |f| format!("{}: {}", check.check, f.text)));
    all.collect()
}

/// Checks that do not pass, with their verdicts.
fn bad(result: &ScenarioResult) -> Vec<(&str, Verdict)> {
    let bad = result.checks.iter().filter(|check| check.verdict != Verdict::Pass);
    bad.map(|check| (check.check.as_str(), check.verdict)).collect()
}

#[test]
fn a_sealed_call_that_is_sealed_passes_with_every_leg() {
    let run = Run::of(&Story::sealed(both_on()));
    let result = run.only();
    assert_eq!(findings(&result), [] as [&str; 0]);
    assert_eq!(
        (result.verdict, result.why.as_str()),
        (Ending::Pass, "call is sealed as expected, and every check that applies passes")
    );
    assert_eq!(run.judge().verdict, Verdict::Pass);
}

fn flawed(fails: &[&str]) -> Plan {
    let mut plan = both_on();
    let tenant = plan.tenants.get_mut("contoso.example").expect("the tenant");
    tenant.users.get_mut("alice").expect("alice").flaw = Some(Flaw::NoSealing);
    plan.expect[0].outcome = Some(model::Outcome::Sealed);
    plan.expect[0].fails = fails.iter().map(|name| (*name).to_owned()).collect();
    plan
}

#[test]
fn a_client_that_seals_nothing_behind_a_lit_lock_fails() {
    let story = Story { seals: [false, true], ..Story::sealed(both_on()) };
    let result = Run::of(&story).only();
    assert_eq!(result.verdict, Ending::Fail);
    assert_eq!(
        result.why,
        "proof/unheard: trudy and harvest hear 60 audio frames that the caller sent in call, under lit locks, at forwarder"
    );
    let unheard = result.checks.iter().find(|check| check.check == "proof/unheard").expect("the leg");
    let finding = &unheard.findings[0];
    assert_eq!((finding.tap.as_deref(), finding.packets_total), (Some("forwarder"), 60));
}

#[rstest]
#[case::caught(
    &[
        "proof/unheard", "proof/canary", "media/frames-of-sealed-calls-are-sealed",
        "media/unopened-frames-are-not-played",
    ],
    Ending::Pass
)]
#[case::another_check_is_named(&["proof/complete"], Ending::Fail)]
#[case::one_named_check_does_not_fail(&["proof/unheard", "proof/canary", "proof/twin"], Ending::Fail)]
#[case::one_that_fails_is_not_named(&["proof/unheard"], Ending::Fail)]
fn a_flaw_passes_only_when_exactly_the_named_checks_catch_it(#[case] fails: &[&str], #[case] ending: Ending) {
    let story = Story { seals: [false, true], ..Story::sealed(flawed(fails)) };
    let result = Run::of(&story).only();
    assert_eq!(result.verdict, ending, "{}", result.why);
    let caught: Vec<&str> = result.checks.iter().filter(|c| c.caught).map(|c| c.check.as_str()).collect();
    assert_eq!(caught.contains(&"proof/unheard"), fails.contains(&"proof/unheard"));
}

#[test]
fn a_flaw_that_does_nothing_is_a_failure() {
    let result = Run::of(&Story::sealed(flawed(&["proof/unheard"]))).swept();
    assert_eq!(
        (result.verdict, result.why.as_str()),
        (Ending::Fail, "the flaw is not caught: proof/unheard passes")
    );
}

#[test]
fn a_flaw_that_only_the_sweep_finds_is_inconclusive_without_one() {
    let signals = |signals: &mut Signals| {
        let text = serde_json::Value::String(hex::encode(base_keys()[ALICE]));
        signals.alter(ALICE, true, "offer", "trace", text);
    };
    let mut plan = flawed(&["proof/unheard"]);
    plan.expect[0].may_fail.push("secrets/nothing-readable-holds-a-key".to_owned());
    let run = Run::of(&Story { signals, ..Story::sealed(plan) });
    let result = run.only();
    assert_eq!(result.verdict, Ending::Inconclusive);
    assert!(result.why.contains("rests on the sweep, and nothing was swept"), "{}", result.why);
    let caught = run.swept();
    let unheard = caught.checks.iter().find(|check| check.check == "proof/unheard").expect("the leg");
    assert!(unheard.caught, "{}", caught.why);
}

fn lose_the_third(datagrams: &mut Vec<Datagram>) {
    let media = datagrams.iter_mut().filter(|d| d.from == ALICE && d.bytes[0] == 0x80);
    let lost = media.map(|d| {
        d.arrives = d.arrives && d.bytes[3] != 103;
        d.at_ns
    });
    assert!(lost.count() > 3);
    // What did not reach the forwarder does not leave it.
    datagrams.retain(|d| !(d.from == NODE && d.bytes[0] == 0x80 && d.bytes[3] == 103 && d.bytes[10] == 0));
}

fn forget_the_third(world: &mut WorldRecord) {
    world.ledger.retain(|e| {
        !(e.index >= 3 && e.direction == model::Direction::Received && e.device.user.user == "bob")
    });
}

#[test]
fn a_frame_that_is_lost_without_a_word_is_noticed() {
    let story = Story { tamper: lose_the_third, retell: forget_the_third, ..Story::sealed(both_on()) };
    let result = Run::of(&story).only();
    assert_eq!(bad(&result), [("proof/complete", Verdict::Fail)]);
    assert_eq!(
        result.why,
        "proof/complete: 1 audio frames of alice@contoso.example are lost on the way to bob@contoso.example, \
         and nobody recorded a drop"
    );
}

fn forget_a_sent_frame(world: &mut WorldRecord) {
    let last = world.ledger.iter().rposition(|e| e.direction == model::Direction::Sent).expect("an entry");
    world.ledger.remove(last);
}

fn invent_a_played_frame(world: &mut WorldRecord) {
    let last = world.ledger.iter().rfind(|e| e.direction == model::Direction::Received).expect("an entry");
    let invented = model::record::LedgerEntry { index: last.index + 1, ..last.clone() };
    world.ledger.push(invented);
}

fn add_noise(datagrams: &mut Vec<Datagram>) {
    datagrams.push(Datagram { bytes: vec![0xFF; 20], ..datagrams[0].clone() });
}

#[expect(clippy::ptr_arg, reason = "the type of the story's field")]
fn spoil_a_frame(datagrams: &mut Vec<Datagram>) {
    let datagram = datagrams.iter_mut().find(|d| d.from == ALICE && d.bytes[0] == 0x80).expect("media");
    datagram.bytes[20] ^= 1;
}

#[rstest]
#[case::frame_beside_the_ledger(Story { retell: forget_a_sent_frame, ..Story::sealed(both_on()) }, &["proof/complete", "proof/heard", "proof/unaltered"])]
#[case::frame_that_never_arrived(Story { retell: invent_a_played_frame, ..Story::sealed(both_on()) }, &["proof/complete", "proof/unaltered"])]
#[case::unknown_packet(Story { tamper: add_noise, ..Story::sealed(both_on()) }, &["proof/complete"])]
#[case::spoilt_frame(Story { tamper: spoil_a_frame, ..Story::sealed(both_on()) }, &["proof/complete", "proof/heard"])]
#[case::foreign_certificate(
    Story { signals: |s| s.signals.retain(|m| m.json["type"] != "sdp-answer"), ..Story::sealed(both_on()) },
    &["sdp/fingerprints-match-certificates"]
)]
fn what_does_not_hold_fails(#[case] story: Story, #[case] failing: &[&str]) {
    let result = Run::of(&story).only();
    assert_eq!(result.verdict, Ending::Fail);
    let failed: Vec<&str> =
        bad(&result).into_iter().filter(|(_, v)| *v == Verdict::Fail).map(|(name, _)| name).collect();
    assert_eq!(failed, failing, "{:?}", findings(&result));
}

/// What is taken away from a run that passes.
enum Taken {
    File(&'static str),
    BytesAfter(&'static str, usize),
    Ledger,
    Twin,
    NameOfTwin,
    Calls,
    World,
}

impl Taken {
    fn take(&self, run: &mut Run) {
        let folder = run.folder.path().to_owned();
        let record = &mut run.record;
        match self {
            Self::File(file) => std::fs::remove_file(folder.join(file)).expect("removed"),
            Self::BytesAfter(file, keep) => cut(&folder, file, *keep),
            Self::Ledger => world(record, 0).ledger.clear(),
            Self::Twin => drop(record.lines.pop()),
            Self::NameOfTwin => world(record, 0).twin = None,
            Self::Calls => world(record, 0).calls.clear(),
            Self::World => drop(record.lines.remove(0)),
        }
    }
}

fn world(record: &mut Record, at: usize) -> &mut WorldRecord {
    let Some(Line::World(world)) = record.lines.get_mut(at) else { panic!("a world") };
    world
}

fn cut(folder: &Path, file: &str, keep: usize) {
    let path = folder.join(file);
    let bytes = std::fs::read(&path).expect("a file");
    std::fs::write(path, &bytes[..bytes.len().min(keep)]).expect("written");
}

#[rstest]
#[case::capture_missing(Taken::File("captures/variant.pcapng"))]
#[case::capture_empty(Taken::BytesAfter("captures/variant.pcapng", 0))]
#[case::capture_cut(Taken::BytesAfter("captures/variant.pcapng", 9_001))]
#[case::parties_keys_missing(Taken::File("keys/variant.parties.keys"))]
#[case::parties_keys_cut(Taken::BytesAfter("keys/variant.parties.keys", 200))]
#[case::service_keys_missing(Taken::File("keys/variant.service.keys"))]
#[case::service_keys_empty(Taken::BytesAfter("keys/variant.service.keys", 0))]
#[case::ledger_missing(Taken::Ledger)]
#[case::twin_missing(Taken::Twin)]
#[case::twin_not_named(Taken::NameOfTwin)]
#[case::twin_capture_missing(Taken::File("captures/twin.pcapng"))]
#[case::twin_service_keys_empty(Taken::BytesAfter("keys/twin.service.keys", 0))]
#[case::call_missing(Taken::Calls)]
#[case::world_missing(Taken::World)]
fn evidence_that_is_taken_away_never_leaves_a_pass(#[case] taken: Taken) {
    let mut run = Run::of(&Story::sealed(both_on()));
    assert_eq!(run.judge().verdict, Verdict::Pass);
    taken.take(&mut run);
    let results = run.judge();
    assert_ne!(results.verdict, Verdict::Pass);
    assert!(results.scenarios.iter().all(|s| s.verdict != Ending::Pass), "{:?}", results.scenarios);
}

#[test]
fn a_call_without_a_frame_shows_nothing() {
    let result = Run::of(&Story { frames: 0, ..Story::sealed(both_on()) }).only();
    assert_eq!(result.verdict, Ending::Inconclusive, "{}", result.why);
}

#[test]
fn a_scenario_in_which_nothing_happens_shows_nothing() {
    let mut plan = both_on();
    (plan.steps, plan.calls, plan.expect) = (Vec::new(), Vec::new(), Vec::new());
    let mut run = Run::of(&Story { frames: 0, ..Story::sealed(plan) });
    world(&mut run.record, 0).calls.clear();
    assert_eq!(run.only().verdict, Ending::Inconclusive);
}

#[test]
fn media_after_the_last_call_are_noticed() {
    let late: fn(&mut Vec<Datagram>) = |datagrams| {
        let last = datagrams.iter().rfind(|d| d.from == ALICE && d.bytes[0] == 0x80).expect("media").clone();
        let mut bytes = crate::bench::story::keys(ALICE)[0]
            .seal(&[last.bytes[..8].to_vec(), vec![9; 4]].concat(), b"more");
        bytes[1] = last.bytes[1];
        datagrams.push(Datagram { at_ns: 4_500_000_000, bytes, ..last });
    };
    let result = Run::of(&Story { tamper: late, ..Story::sealed(both_on()) }).only();
    let texts = findings(&result);
    assert!(
        texts.contains(&"proof/complete: media at alice@contoso.example belong to no call".to_owned()),
        "{texts:?}"
    );
}

#[test]
fn frames_after_the_cause_of_the_end_are_noticed() {
    let mut plan = both_on();
    plan.expect[0].outcome = Some(model::Outcome::Ended);
    let ends_early: fn(&mut WorldRecord) = |world| {
        let claim = world.claims.last().expect("a claim").clone();
        let reason = Some(model::Reason::UnsealedFrame);
        let ended = model::record::Claimed::Ended { reason, own: true };
        world.claims.push(model::record::Claim { at_ns: 1_300_000_000, claim: ended, ..claim });
    };
    let result = Run::of(&Story { retell: ends_early, ..Story::sealed(plan) }).only();
    let complete: Vec<String> =
        findings(&result).into_iter().filter(|t| t.starts_with("proof/complete")).collect();
    assert_eq!(complete.len(), 5, "{complete:?}");
    assert_eq!(complete[0], "proof/complete: media frames of call are on the wire after it has ended");
    assert!(
        complete[1].contains("alice@contoso.example sent 13 audio frames after the call has ended"),
        "{complete:?}"
    );
}

#[test]
fn a_world_that_stumbled_is_an_error() {
    let mut run = Run::of(&Story::sealed(both_on()));
    world(&mut run.record, 0).stumbles.push(model::record::Stumble {
        at_ns: 0,
        blame: model::record::Blamed::Harness,
        text: "the clock stood still".to_owned(),
    });
    let result = run.only();
    assert_eq!((result.verdict, result.why.as_str()), (Ending::Error, "the clock stood still"));
}

#[test]
fn a_variant_without_a_world_is_lost_coverage() {
    let mut run = Run::of(&Story::sealed(both_on()));
    run.record.header.planned.push("opt-in/never-ran".to_owned());
    let results = run.judge();
    assert_eq!((results.lost, results.verdict), (vec!["opt-in/never-ran".to_owned()], Verdict::Inconclusive));
}

#[test]
fn an_ordinary_call_is_heard_by_the_service_and_by_nobody_on_the_wire() {
    let mut plan = both_on();
    for user in plan.tenants.values_mut().flat_map(|t| t.users.values_mut()) {
        user.e2ee = false;
    }
    let mut run = Run::of(&Story::ordinary(plan));
    world(&mut run.record, 0).twin = None;
    let result = run.only();
    assert_eq!((result.verdict, findings(&result).len()), (Ending::Pass, 0), "{}", result.why);
    let heard = &result.calls[0].heard;
    assert_eq!(heard[&model::Listener::Trudy].frames, heard[&model::Listener::Trudy].of);
    assert_eq!(heard[&model::Listener::Eve].frames, 0);
    assert!(!result.legs["twin"].applies && result.legs["heard"].applies);
}

#[test]
fn a_canary_that_comes_back_to_its_sender_is_told_apart() {
    let reflect: fn(&mut WorldRecord) = |world| {
        let own =
            world.ledger.iter().find(|e| e.direction == model::Direction::Sent).expect("alice's").clone();
        let played =
            |e: &&mut model::record::LedgerEntry| e.device == own.device && e.direction != own.direction;
        world.ledger.iter_mut().find(played).expect("an entry").sha256 = own.sha256;
    };
    let result = Run::of(&Story { retell: reflect, ..Story::sealed(both_on()) }).only();
    let text = "proof/unaltered: the caller played 1 audio frames that it sent itself, in call".to_owned();
    assert!(findings(&result).contains(&text), "{:?}", findings(&result));
}

#[test]
fn one_base_key_for_both_directions_is_noticed() {
    let story = Story { base_keys: [[7; 16]; 2], ..Story::sealed(both_on()) };
    let result = Run::of(&story).only();
    let text = "proof/fresh: one base key serves both directions of a call".to_owned();
    assert!(findings(&result).contains(&text), "{:?}", findings(&result));
}

/// Bob's frame 5 is sealed under the counter of frame 4.
#[expect(clippy::ptr_arg, reason = "the type of the story's field")]
fn repeat_a_counter(datagrams: &mut Vec<Datagram>) {
    use crate::bench::seal::Seal;
    use crate::bench::story::{BOB, frame, header, keys};
    let sealed =
        Seal { key_id: 1, base_key: crate::bench::signals::base_keys()[BOB] }.seal(4, &frame(BOB, 5));
    for datagram in
        datagrams.iter_mut().filter(|d| d.bytes[0] == 0x80 && d.bytes[3] == 105 && d.bytes[10] == 1)
    {
        let (side, leg) = if datagram.from == BOB { (BOB, 1) } else { (ALICE, 2) };
        let hop = keys(side)[usize::from(leg) - 1];
        datagram.bytes = hop.seal(&header(BOB, leg, 5), &sealed);
    }
}

#[test]
fn a_counter_that_is_used_twice_is_noticed() {
    let result = Run::of(&Story { tamper: repeat_a_counter, ..Story::sealed(both_on()) }).only();
    assert_eq!(findings(&result), ["proof/fresh: counters of SFrame key id 1 cover two ciphertexts each"]);
}

#[test]
fn a_value_that_serves_the_twin_as_well_is_noticed() {
    let again: fn(&mut crate::bench::signals::Signals) = |signals| {
        for signal in &mut signals.signals {
            if signal.json["type"] == "answer" {
                signal.json["nonce"] = "04".repeat(32).into();
            }
        }
    };
    let result = Run::of(&Story { signals: again, ..Story::sealed(both_on()) }).only();
    let text = "proof/fresh: one agreement nonce serves the call and its twin".to_owned();
    assert!(findings(&result).contains(&text), "{:?}", findings(&result));
}

#[test]
fn a_marker_in_the_log_of_the_service_is_found() {
    let leak: fn(&mut WorldRecord) = |world| {
        let frame = crate::bench::story::frame(ALICE, 20);
        world.held.push(model::record::Held {
            owner: "forwarder".to_owned(),
            what: "a buffer".to_owned(),
            bytes: hex::encode(&frame[frame.len() - 32..]),
        });
    };
    let result = Run::of(&Story { retell: leak, ..Story::sealed(both_on()) }).only();
    assert_eq!(
        findings(&result),
        ["proof/canary: harvest can read 1 markers of audio frames that the caller sent in call, in what \
          forwarder still held: a buffer"]
    );
}

#[test]
fn two_judgements_of_one_run_are_alike() {
    let run = Run::of(&Story { seals: [false, false], ..Story::sealed(both_on()) });
    assert_eq!(run.judge(), run.judge());
}
