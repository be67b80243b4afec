//! Judges one variant: its evidence, its legs and checks, and what its flaw or attack allows.
//!
//! Invariant: the verdict of a variant is the worst of everything that was looked at; only what a planted flaw must
//! or may bring down is taken out, and that is reported as caught.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::Verdict;
use model::plan::Profile;
use model::record::WorldRecord;
use model::results::{AttackResult, CheckResult, KeyFiles, LegResult, ScenarioResult, Tried, TwinResult};
use model::verdict::Ending;

use super::twins::Twins;
use super::{Options, attacks, budget, calls, gaps, ladder};
use crate::agreement;
use crate::case::{Case, Twin};
use crate::checks::proof::LEGS;
use crate::checks::{self, CHECKS};
use crate::evidence::Evidence;
use crate::findings::Findings;
use crate::oracle;
use crate::sweep::{self, Reach};

/// A variant that was not run.
pub(super) fn unsupported(
    id: &str,
    reason: &str,
    title: &str,
    variant: &[(String, String)],
) -> ScenarioResult {
    ScenarioResult {
        id: id.to_owned(),
        title: title.to_owned(),
        variant: variant.iter().cloned().collect(),
        profile: None,
        verdict: Ending::Unsupported,
        why: reason.to_owned(),
        schedule: None,
        capture: None,
        keys: None,
        twin: None,
        calls: Vec::new(),
        ladder: Vec::new(),
        weakness: None,
        legs: BTreeMap::new(),
        attacks: Vec::new(),
        checks: Vec::new(),
        unsupported_checks: Vec::new(),
        tried: Tried::default(),
        known_failure: None,
        world_ms: 0,
    }
}

/// Judges the variant that `world` recorded.
pub(super) fn judge(
    run: &Path,
    world: &WorldRecord,
    twins: &Twins<'_>,
    options: &Options,
    reach: Reach,
) -> ScenarioResult {
    let expected = oracle::expect(&world.plan);
    let evidence = sweep::overhear(gathered(run, world), reach);
    let twin = world.twin.as_deref().and_then(|id| twins.twin(id));
    let case = Case::new(&expected, &evidence, twin.map(|(twin, _)| twin));
    let attacks = attacks::results(&case);
    let mut checks = run_checks(&case);
    if !evidence.faults.is_empty() || !world.stumbles.is_empty() {
        gaps::soften(&mut checks);
    }
    let mut reasons = Reasons::default();
    disturbed(world, &evidence, &attacks, &mut reasons);
    as_stated(&case, &mut reasons);
    if case.calls.is_empty() && expected.steps.is_empty() {
        reasons
            .add(Verdict::Inconclusive, "there is neither a call nor a request; let the scenario make one");
    }
    weigh(world, reach, &mut checks, &mut reasons);
    let (verdict, why) = reasons.conclude(&case);
    ScenarioResult {
        id: world.id.clone(),
        title: world.plan.title.clone(),
        variant: world.plan.variant.iter().cloned().collect(),
        profile: Some(world.plan.profile),
        verdict: verdict.into(),
        why,
        schedule: world.schedule.clone(),
        capture: Some(world.files.capture.clone()),
        keys: Some(KeyFiles { parties: world.files.parties.clone(), service: world.files.service.clone() }),
        twin: twin.map(|(_, files)| twin_result(files, &checks)),
        calls: calls::results(&case),
        ladder: ladder::ladder(&case),
        weakness: if world.plan.profile == Profile::Dtls { agreement::demonstration() } else { None },
        legs: legs(&checks),
        attacks: attacks.into_iter().map(|(result, _)| result).collect(),
        unsupported_checks: checks::unsupported(world.plan.profile),
        checks,
        tried: calls::tried(&case, options),
        known_failure: None,
        world_ms: world.ended_ns / 1_000_000,
    }
}

fn twin_result(world: &WorldRecord, checks: &[CheckResult]) -> TwinResult {
    let leg = checks.iter().find(|check| check.check == "proof/twin");
    TwinResult {
        capture: world.files.capture.clone(),
        keys: KeyFiles { parties: world.files.parties.clone(), service: world.files.service.clone() },
        verdict: leg.map_or(Verdict::Pass, |leg| leg.verdict),
    }
}

/// Runs every check that has something to judge.
pub(super) fn run_checks(case: &Case<'_>) -> Vec<CheckResult> {
    let applying = CHECKS.iter().filter(|check| (check.applies)(case));
    let judged = applying.map(|check| {
        let mut findings = Findings::default();
        (check.judge)(case, &mut findings);
        let (verdict, examined, findings) = findings.conclude();
        CheckResult { check: check.name(), verdict, caught: false, examined, findings }
    });
    judged.collect()
}

/// The legs by name, those that do not apply included.
fn legs(checks: &[CheckResult]) -> BTreeMap<String, LegResult> {
    let leg = |name: &&str| {
        let check = checks.iter().find(|check| check.check.strip_prefix("proof/") == Some(name));
        let result = match check {
            Some(check) => LegResult { applies: true, verdict: check.verdict, examined: check.examined },
            None => LegResult { applies: false, verdict: Verdict::Pass, examined: 0 },
        };
        ((*name).to_owned(), result)
    };
    LEGS.iter().map(leg).collect()
}

/// Everything that speaks against a pass.
#[derive(Default)]
struct Reasons {
    against: Vec<(Verdict, String)>,
    caught: Vec<String>,
}

impl Reasons {
    fn add(&mut self, verdict: Verdict, why: impl Into<String>) {
        if verdict != Verdict::Pass {
            self.against.push((verdict, why.into()));
        }
    }

    fn conclude(mut self, case: &Case<'_>) -> (Verdict, String) {
        self.against.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
        match self.against.into_iter().next() {
            Some(worst) => worst,
            None if self.caught.is_empty() => (Verdict::Pass, calls::summary(case)),
            None => (Verdict::Pass, format!("the flaw is caught by {}", self.caught.join(", "))),
        }
    }
}

/// What kept the world from being what it was planned to be.
fn disturbed(
    world: &WorldRecord,
    evidence: &Evidence<'_>,
    attacks: &[(AttackResult, u64)],
    reasons: &mut Reasons,
) {
    for stumble in &world.stumbles {
        reasons.add(Verdict::Error, stumble.text.clone());
    }
    for fault in &evidence.faults {
        reasons.add(fault.verdict, fault.text.clone());
    }
    for (result, must_fire) in attacks {
        let AttackResult { attack, fired, reached } = result;
        if fired.min(reached) < must_fire {
            reasons.add(
                Verdict::Inconclusive,
                format!("{attack} was made {fired} times and reached its victim {reached} times; {must_fire} are needed"),
            );
        }
    }
}

/// Of a flaw the scenario states what the devices claim because of it; if they do not, it shows nothing.
fn as_stated(case: &Case<'_>, reasons: &mut Reasons) {
    for (call, stated) in case.calls.iter().zip(&case.plan.expect).filter(|_| !case.plan.flaws().is_empty()) {
        if let Some(outcome) = stated.outcome
            && outcome != call.claimed.outcome
        {
            let name = &call.expected.name;
            let claimed = call.claimed.outcome;
            reasons.add(Verdict::Fail, format!("with the flaw {name} is {claimed}, and {outcome} is stated"));
        }
    }
}

/// Checks that look at what the sweep found: without one, that they pass does not say that there was nothing.
const RESTS_ON_SWEEP: &[&str] = &["proof/unheard"];

/// Takes out what a planted flaw must or may bring down, and marks it as caught.
fn weigh(world: &WorldRecord, reach: Reach, checks: &mut [CheckResult], reasons: &mut Reasons) {
    let flawed = !world.plan.flaws().is_empty();
    let stated = |list: fn(&model::plan::CallExpect) -> &Vec<String>| -> BTreeSet<&str> {
        let calls = world.plan.expect.iter().filter(|_| flawed);
        calls.flat_map(list).map(String::as_str).collect()
    };
    let must_fail = stated(|expect| &expect.fails);
    let may_fail = stated(|expect| &expect.may_fail);
    for name in &must_fail {
        match checks.iter().find(|check| check.check == **name) {
            None => {
                reasons.add(Verdict::Fail, format!("the flaw is not caught: {name} has nothing to judge"))
            }
            Some(check)
                if check.verdict == Verdict::Pass
                    && reach == Reach::Guesses
                    && RESTS_ON_SWEEP.contains(name) =>
            {
                reasons.add(
                    Verdict::Inconclusive,
                    format!(
                        "the flaw could not be caught: {name} rests on the sweep, and nothing was swept; judge it \
                         again with `--sweep light` or `full`"
                    ),
                );
            }
            Some(check) if check.verdict == Verdict::Pass => {
                reasons.add(Verdict::Fail, format!("the flaw is not caught: {name} passes"));
            }
            Some(_) => {}
        }
    }
    for check in checks {
        let name = check.check.as_str();
        if check.verdict == Verdict::Fail && (must_fail.contains(name) || may_fail.contains(name)) {
            check.caught = true;
            reasons.caught.push(name.to_owned());
            continue;
        }
        let text = check.findings.first().map_or("", |finding| finding.text.as_str());
        reasons.add(check.verdict, format!("{name}: {text}"));
    }
}

/// What `world` left behind, and what is missing of it.
fn gathered<'a>(run: &Path, world: &'a WorldRecord) -> Evidence<'a> {
    let mut evidence = Evidence::gather(run, world);
    let gaps = gaps::gaps(run, &evidence);
    evidence.faults.extend(gaps);
    let crossed = budget::crossed(&evidence);
    evidence.faults.extend(crossed);
    evidence
}

/// What the twin that `world` recorded came to, for [`Twins`].
pub(super) fn summarise(run: &Path, world: &WorldRecord) -> Twin {
    let evidence = &gathered(run, world);
    let expected = oracle::expect(&evidence.world.plan);
    calls::twin(&Case::new(&expected, evidence, None))
}
