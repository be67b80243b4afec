//! Small judged runs for the tests of every format.

use std::collections::BTreeMap;

use model::outcome::{Listener, Outcome, Reason};
use model::plan::{NetKind, Profile};
use model::record::Tool;
use model::results::{
    Blame, CallResult, CheckResult, Finding, HeardCount, KnownFailure, LadderStep, Results, SCHEMA,
    ScenarioResult, Screens, Sweep, Totals, Tried, Weakness,
};
use model::verdict::{Ending, Verdict};

use crate::{Catalogue, CheckEntry, Options, RequirementEntry};

/// Options without colour, with a catalogue of one check.
pub fn options() -> Options {
    let entry = CheckEntry {
        summary: "nobody but the two devices opens a frame".to_owned(),
        requirements: vec![RequirementEntry {
            id: "overheard/sealed/nobody-else".to_owned(),
            source: "overheard, in our own words".to_owned(),
            level: "MUST".to_owned(),
            sentence: "Only the two devices can open the media of a sealed call.".to_owned(),
        }],
    };
    Options {
        folder: "reports/20260102T030405Z-7".to_owned(),
        catalogue: Catalogue { checks: BTreeMap::from([("proof/unheard".to_owned(), entry)]) },
        ..Options::default()
    }
}

/// A run of these variants, with totals and verdict as they follow.
pub fn run(scenarios: Vec<ScenarioResult>) -> Results {
    let count = |ending| scenarios.iter().filter(|s| s.verdict == ending).count();
    let totals = Totals {
        pass: count(Ending::Pass),
        fail: count(Ending::Fail),
        error: count(Ending::Error),
        inconclusive: count(Ending::Inconclusive),
        unsupported: count(Ending::Unsupported),
        known_failing: count(Ending::KnownFailing),
    };
    let verdict = match totals {
        Totals { fail: 1.., .. } => Verdict::Fail,
        Totals { error: 1.., .. } => Verdict::Error,
        Totals { inconclusive: 1.., .. } => Verdict::Inconclusive,
        _ => Verdict::Pass,
    };
    Results {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: "0.0.0".to_owned() },
        run: "20260102T030405Z-7".to_owned(),
        seed: "7".to_owned(),
        net: NetKind::Memory,
        partial: false,
        verdict,
        scenarios,
        lost: Vec::new(),
        totals,
    }
}

/// One of each ending.
pub fn mixed() -> Results {
    let mut results = run(vec![
        passed(),
        ordinary(),
        failed(),
        flaw_caught(),
        inconclusive(),
        stumbled(),
        unsupported(),
        known_failing(),
    ]);
    results.lost = vec!["relay/both-on[path=relay]".to_owned()];
    results
}

/// A run that was cut short.
pub fn partial() -> Results {
    let mut results = run(vec![passed()]);
    results.partial = true;
    results.lost = vec!["opt-in/table[alice=off,bob=on]".to_owned()];
    results
}

/// A scenario whose texts try to steer the reader's terminal and log.
pub fn hostile() -> Results {
    let text = "a\u{1b}[2J\n::warning::b\u{9b}c\u{7f}\r";
    let mut scenario = failed();
    scenario.title = text.to_owned();
    scenario.why = text.to_owned();
    scenario.id = format!("opt-in/{text}");
    scenario.calls[0].name = text.to_owned();
    for finding in scenario.checks.iter_mut().flat_map(|c| &mut c.findings) {
        finding.text = text.to_owned();
        finding.tap = Some(text.to_owned());
    }
    run(vec![scenario])
}

/// Every run, by name.
pub fn all() -> Vec<(&'static str, Results)> {
    vec![
        ("mixed", mixed()),
        ("partial", partial()),
        ("empty", run(Vec::new())),
        ("flaw", run(vec![flaw_caught()])),
        ("two calls", run(vec![two_calls()])),
    ]
}

fn base(id: &str, title: &str, verdict: Ending, why: &str) -> ScenarioResult {
    ScenarioResult {
        id: id.to_owned(),
        title: title.to_owned(),
        variant: BTreeMap::new(),
        profile: Some(Profile::Frames),
        verdict,
        why: why.to_owned(),
        schedule: Some("00ff".to_owned()),
        capture: Some(format!("captures/{}.pcapng", model::plan::file_name(id))),
        keys: None,
        twin: None,
        calls: vec![call("call", Outcome::Sealed, &[], &[])],
        ladder: ladder(),
        weakness: None,
        legs: BTreeMap::new(),
        attacks: Vec::new(),
        checks: vec![check("proof/unheard", Verdict::Pass, Vec::new())],
        unsupported_checks: Vec::new(),
        tried: Tried {
            frames: 200,
            keys: 12,
            windows: 4500,
            controls_found: 6,
            controls: 6,
            sweep: Sweep::Light,
        },
        known_failure: None,
        world_ms: 4_250,
    }
}

fn ladder() -> Vec<LadderStep> {
    let step = |at_ms, from: &str, to: &str, message: &str, altered| LadderStep {
        at_ms,
        from: from.to_owned(),
        to: to.to_owned(),
        message: message.to_owned(),
        packet: Some(at_ms * 2 + 1),
        altered,
    };
    let (alice, service, bob) = ("alice@contoso.example", "call-service", "bob@contoso.example");
    vec![
        step(10, alice, service, "offer", false),
        step(12, service, bob, "offer", false),
        step(30, bob, service, "answer", false),
        step(32, "mallory", alice, "answer", true),
    ]
}

fn call(name: &str, outcome: Outcome, because: &[Reason], overheard_by: &[Listener]) -> CallResult {
    let heard = [Listener::Eve, Listener::Trudy, Listener::Harvest, Listener::Parties].into_iter();
    let frames = |who| if who == Listener::Parties || overheard_by.contains(&who) { 200 } else { 0 };
    let lock = outcome == Outcome::Sealed;
    let code = lock.then(|| "12345 67890 12345 67890".to_owned());
    CallResult {
        name: name.to_owned(),
        outcome,
        because: because.to_vec(),
        lock: Screens { caller: Some(lock), callee: Some(lock) },
        security_code: Screens { caller: code.clone(), callee: code },
        heard: heard.map(|who| (who, HeardCount { frames: frames(who), of: 200 })).collect(),
        features: Vec::new(),
    }
}

fn check(name: &str, verdict: Verdict, findings: Vec<Finding>) -> CheckResult {
    CheckResult { check: name.to_owned(), verdict, caught: false, examined: 200, findings }
}

fn leak() -> Finding {
    Finding {
        text: "the service opened 200 of 200 audio frames of a sealed call: they are not sealed at all"
            .to_owned(),
        blame: Blame::Caller,
        tap: Some("forwarder".to_owned()),
        packets: (40..140).collect(),
        packets_total: 200,
    }
}

/// A sealed call of the other profile.
pub fn dtls() -> ScenarioResult {
    let mut scenario =
        base("opt-in/both-on[profile=dtls]", "Both have opted in", Ending::Pass, "as expected");
    scenario.profile = Some(Profile::Dtls);
    scenario.weakness =
        Some(Weakness { digits: 7, searches: 8, certificates_per_leg: 2900, power_of_two: 33 });
    scenario
}

/// A sealed call that nobody else heard.
pub fn passed() -> ScenarioResult {
    base("opt-in/both-on", "Both have opted in", Ending::Pass, "as expected")
}

/// An ordinary call, which the service hears.
pub fn ordinary() -> ScenarioResult {
    let mut scenario =
        base("opt-in/table[alice=on,bob=off]", "The table of toggles", Ending::Pass, "as expected");
    let everybody = [Listener::Trudy, Listener::Harvest];
    scenario.calls = vec![call("call", Outcome::Ordinary, &[Reason::CalleeSwitchedOff], &everybody)];
    scenario
}

/// A sealed call that the service heard.
pub fn failed() -> ScenarioResult {
    let why = "proof/unheard failed: the service heard a call that shows the lock";
    let mut scenario = base("opt-in/both-on[media=video]", "Both have opted in", Ending::Fail, why);
    scenario.calls = vec![call("call", Outcome::Sealed, &[], &[Listener::Trudy, Listener::Harvest])];
    scenario.checks = vec![
        check("proof/unheard", Verdict::Fail, vec![leak(); 7]),
        check(
            "proof/canary",
            Verdict::Fail,
            vec![Finding { tap: None, packets: Vec::new(), packets_total: 0, ..leak() }],
        ),
    ];
    scenario
}

/// A planted flaw that its check caught.
pub fn flaw_caught() -> ScenarioResult {
    let why = "the planted flaw was caught";
    let mut scenario = base("flaws/no-sealing", "A lit lock and no seal", Ending::Pass, why);
    scenario.calls = vec![call("call", Outcome::Sealed, &[], &[Listener::Trudy, Listener::Harvest])];
    scenario.checks =
        vec![CheckResult { caught: true, ..check("proof/unheard", Verdict::Fail, vec![leak()]) }];
    scenario
}

/// A call whose capture shows nothing.
pub fn inconclusive() -> ScenarioResult {
    let why = "proof/heard examined nothing: the capture is empty";
    let mut scenario = base("cross-tenant/both-on", "Two tenants", Ending::Inconclusive, why);
    scenario.checks =
        vec![CheckResult { examined: 0, ..check("proof/heard", Verdict::Inconclusive, Vec::new()) }];
    scenario.calls.clear();
    scenario
}

/// A world that did not run to its end.
pub fn stumbled() -> ScenarioResult {
    let why = "the world was stopped after 120 s of its own time";
    let mut scenario = base("relay/lossy", "A lossy relay", Ending::Error, why);
    let finding =
        Finding { text: why.to_owned(), blame: Blame::Harness, tap: None, packets: vec![], packets_total: 0 };
    scenario.checks = vec![check("run/reaches-its-end", Verdict::Error, vec![finding])];
    scenario.calls.clear();
    scenario
}

/// A variant that the network cannot run.
pub fn unsupported() -> ScenarioResult {
    let mut scenario = base("relay/late", "A late relay", Ending::Unsupported, "memory only");
    (scenario.calls, scenario.checks, scenario.capture) = (Vec::new(), Vec::new(), None);
    scenario
}

/// A listed failure.
pub fn known_failing() -> ScenarioResult {
    let mut scenario = failed();
    scenario.id = "features/park".to_owned();
    scenario.verdict = Ending::KnownFailing;
    scenario.known_failure = Some(KnownFailure {
        check: "proof/unheard".to_owned(),
        reason: "parked calls keep the old keys".to_owned(),
        owner: "calling team".to_owned(),
        expires: "2030-01-31".to_owned(),
    });
    scenario
}

/// Two named calls, of which one failed.
pub fn two_calls() -> ScenarioResult {
    let mut scenario = failed();
    let early =
        call("early", Outcome::Ordinary, &[Reason::CallerPolicy, Reason::CalleePolicy], &[Listener::Trudy]);
    scenario.calls.insert(0, early);
    scenario
}
