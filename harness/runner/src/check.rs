//! Does a driver keep to the protocol? Probes of one driver, each with what is asked and how to mend what fails: first
//! over the channel alone, then what a real call against the reference client showed.
//!
//! Invariant: a probe passes only on what the driver did; what could not be tried says so, and why.

mod bench;
mod calls;
mod deadlines;
mod errors;
mod framing;
mod handshake;
mod honesty;
mod intent;
mod keys;
mod made_up;
mod session;
mod shutdown;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapters::Fault;
use model::driver_check::{ProbeResult, ProbeState};
use net::network::Boxed;

use crate::Outsider;
use bench::{Bench, Trouble};
pub use calls::{CALL_PROBES, judged, playable};

/// After so many requests without an answer the rest is not tried.
const MOST_SILENCES: usize = 3;

/// One thing that is asked of a driver over its channel.
#[derive(Clone, Copy)]
pub(crate) struct Probe {
    id: &'static str,
    asked: &'static str,
    hint: &'static str,
    needs: &'static [&'static str],
    deed: Deed,
}

/// Does what the probe asks; gives what came, in one phrase.
type Deed = for<'a> fn(&'a mut Bench) -> Boxed<'a, Result<String, Trouble>>;

/// What holds for every line of a driver, whatever it was asked.
struct General {
    id: &'static str,
    asked: &'static str,
    hint: &'static str,
}

const NOTHING_ELSE: General = General {
    id: "lines/nothing-else",
    asked: "standard output carries lines of the protocol and nothing else",
    hint: "print logs on standard error; one JSON object a line, at most 1 MiB, each event once",
};
const ANSWERED_ONCE: General = General {
    id: "lines/answered-once",
    asked: "each request is answered once, under its own id",
    hint: "keep the id of a request until its answer is printed, and forget it then",
};

/// Every probe over the channel, in the order in which they are tried.
fn probes() -> Vec<Probe> {
    let groups: [&[Probe]; 9] = [
        handshake::PROBES,
        honesty::PROBES,
        framing::PROBES,
        session::PROBES,
        made_up::PROBES,
        intent::PROBES,
        deadlines::PROBES,
        errors::PROBES,
        keys::PROBES,
    ];
    groups.concat().into_iter().chain(shutdown::PROBES.iter().copied()).collect()
}

/// The ids of every probe, those of calls last.
pub fn ids() -> Vec<&'static str> {
    let mut ids: Vec<&str> = probes().iter().map(|probe| probe.id).collect();
    ids.extend([NOTHING_ELSE.id, ANSWERED_ONCE.id]);
    ids.extend(CALL_PROBES.iter().map(|probe| probe.id));
    ids
}

/// How a driver is checked.
pub struct CheckSetup<'a> {
    /// Whose driver.
    pub outsider: &'a Outsider,
    /// The probes that are asked for, by id; those that they need are tried as well.
    pub wanted: &'a BTreeSet<&'static str>,
    /// How long an answer may take.
    pub patience: Duration,
    /// Once this is set nothing more is tried.
    pub interrupted: &'a AtomicBool,
    /// Told of each probe before it is tried.
    pub on_probe: &'a dyn Fn(&'static str),
}

/// What came of the probes over the channel.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Name and version of the client, where it introduced itself.
    pub implementation: Option<String>,
    /// What it declares.
    pub capabilities: Vec<String>,
    /// One result per probe that was asked for or needed.
    pub probes: Vec<ProbeResult>,
}

impl Checked {
    /// Why a probe with these needs cannot be tried.
    fn unmet(&self, needs: &[&str]) -> Option<String> {
        let passed = |id: &str| self.probes.iter().any(|p| p.id == id && p.state == ProbeState::Passed);
        needs.iter().find(|need| !passed(need)).map(|need| format!("`{need}` did not pass"))
    }
}

/// Tries the probes over the channel, one after the other.
///
/// # Errors
/// When the system gives no runtime.
pub fn check(setup: &CheckSetup<'_>) -> std::io::Result<Checked> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checked = runtime.block_on(tried(setup));
    runtime.shutdown_background();
    Ok(checked)
}

async fn tried(setup: &CheckSetup<'_>) -> Checked {
    let probes = probes();
    let selected = with_needs(&probes, setup.wanted);
    let mut bench = Bench::new(setup.outsider.clone(), setup.patience);
    let mut checked = Checked::default();
    let (mut general, mut silences) = (BTreeMap::new(), 0);
    for probe in probes.iter().filter(|probe| selected.contains(probe.id)) {
        if setup.interrupted.load(Ordering::Relaxed) {
            break;
        }
        (setup.on_probe)(probe.id);
        let (state, came) = if let Some(why) = checked.unmet(probe.needs) {
            (ProbeState::Skipped, why)
        } else if silences == MOST_SILENCES {
            (ProbeState::Skipped, format!("{MOST_SILENCES} requests were not answered before"))
        } else {
            match (probe.deed)(&mut bench).await {
                Ok(came) => (ProbeState::Passed, came),
                Err(Trouble::Wrong(came)) => (ProbeState::Failed, came),
                Err(Trouble::NotTried(why)) => (ProbeState::Skipped, why),
                Err(Trouble::Harness(what)) => (ProbeState::Error, what),
                Err(Trouble::Fault(fault)) => {
                    silences += usize::from(matches!(fault, Fault::Silent { .. }));
                    let told = bench.told(&fault).await;
                    bench.dismiss().await;
                    match of_every_line(&fault) {
                        Some(rule) => {
                            general.entry(rule).or_insert(told);
                            (ProbeState::Skipped, format!("`{rule}` does not hold"))
                        }
                        None => (ProbeState::Failed, told),
                    }
                }
            }
        };
        checked.probes.push(result(probe.id, probe.asked, probe.hint, state, came));
        if let Some(introduction) = &bench.introduction {
            checked.implementation = Some(introduction.implementation.clone());
        }
    }
    bench.dismiss().await;
    checked.capabilities = bench.capabilities();
    for rule in [NOTHING_ELSE, ANSWERED_ONCE] {
        let (state, came) = match general.remove(rule.id) {
            Some(told) => (ProbeState::Failed, told),
            None if bench.lines == 0 => (ProbeState::Skipped, "the driver printed nothing".to_owned()),
            None => (ProbeState::Passed, format!("{} lines", bench.lines)),
        };
        checked.probes.push(result(rule.id, rule.asked, rule.hint, state, came));
    }
    checked
}

fn result(id: &str, asked: &str, hint: &str, state: ProbeState, came: String) -> ProbeResult {
    let hint = (state == ProbeState::Failed).then(|| hint.to_owned());
    ProbeResult { id: id.to_owned(), state, asked: asked.to_owned(), came, hint }
}

/// The rule for every line that a fault breaks; none where it belongs to what was asked.
fn of_every_line(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::Garbage(_) | Fault::TooLong | Fault::Flood => Some(NOTHING_ELSE.id),
        Fault::Unasked(_) => Some(ANSWERED_ONCE.id),
        Fault::NotStarted(_)
        | Fault::Silent { .. }
        | Fault::Ended(_)
        | Fault::Refused { .. }
        | Fault::Misshapen { .. } => None,
    }
}

/// The probes that are asked for, and those that they need.
fn with_needs<'p>(probes: &'p [Probe], wanted: &BTreeSet<&'static str>) -> BTreeSet<&'p str> {
    let mut selected: BTreeSet<&str> = BTreeSet::new();
    let call = CALL_PROBES.iter().any(|probe| wanted.contains(probe.id));
    if call {
        selected.extend(calls::NEEDS);
    }
    // A need stands before whatever needs it.
    for probe in probes.iter().rev() {
        if wanted.contains(probe.id) || selected.contains(probe.id) {
            selected.insert(probe.id);
            selected.extend(probe.needs);
        }
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_needs_stand_before_what_needs_them() {
        let ids = ids();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.len() >= 40, "{}", ids.len());
        let probes = probes();
        for (at, probe) in probes.iter().enumerate() {
            for need in probe.needs {
                assert!(probes[..at].iter().any(|earlier| earlier.id == *need), "{} needs {need}", probe.id);
            }
        }
        for need in calls::NEEDS {
            assert!(probes.iter().any(|probe| probe.id == *need), "{need}");
        }
    }

    #[test]
    fn every_probe_says_what_is_asked_and_how_to_mend_it() {
        for probe in probes() {
            assert!(!probe.asked.is_empty() && !probe.asked.ends_with('.'), "{}", probe.id);
            assert!(!probe.hint.is_empty() && !probe.hint.ends_with('.'), "{}", probe.id);
        }
    }

    #[test]
    fn what_is_asked_for_brings_what_it_needs() {
        let probes = probes();
        let wanted = BTreeSet::from(["intent/all-say-so"]);
        let selected = with_needs(&probes, &wanted);
        assert!(selected.contains("handshake/introduces-itself") && selected.contains("intent/all-say-so"));
        assert!(!selected.contains("shutdown/exits"), "{selected:?}");
    }

    #[test]
    fn what_cannot_be_tried_is_never_passed() {
        let outsider = Outsider {
            name: "nobody".to_owned(),
            command: adapters::Command { words: vec!["/nowhere/at-all".into()] },
        };
        let wanted = ids().into_iter().collect();
        let setup = CheckSetup {
            outsider: &outsider,
            wanted: &wanted,
            patience: Duration::from_secs(1),
            interrupted: &AtomicBool::new(false),
            on_probe: &|_| {},
        };
        let checked = check(&setup).expect("a runtime");
        let passed = checked.probes.iter().filter(|probe| probe.state == ProbeState::Passed);
        assert_eq!(passed.count(), 0, "{:?}", checked.probes);
        let first = checked.probes.first().expect("one");
        assert!(first.state == ProbeState::Failed && first.came.contains("check its command"), "{first:?}");
    }
}
