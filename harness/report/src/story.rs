//! What happened, as sentences and phrases that several formats share.

use model::outcome::{Listener, Outcome};
use model::plan::NetKind;
use model::results::{Blame, CallResult, CheckResult, Finding, Results, ScenarioResult};
use model::verdict::{Ending, Verdict};

use crate::legible::plain;
use crate::options::Options;

/// How many packet numbers a line names before it only counts.
const PACKETS_NAMED: usize = 12;

/// Who a listener is, for somebody who does not know the names.
pub fn listener(listener: Listener) -> &'static str {
    match listener {
        Listener::Eve => "anybody on the wires (eve)",
        Listener::Trudy => "the service (trudy)",
        Listener::Mallory => "the man in the middle (mallory)",
        Listener::Harvest => "whoever keeps the recording for later (harvest)",
        Listener::Parties => "the two devices",
    }
}

/// Whose fault, as a noun phrase.
pub fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Caller => "the caller's client",
        Blame::Callee => "the callee's client",
        Blame::CallService => "the call service",
        Blame::PolicyServer => "the policy server",
        Blame::Forwarder => "the forwarder",
        Blame::MediaProcessor => "the media processor",
        Blame::Relay => "the relay",
        Blame::Network => "the network",
        Blame::Driver => "the driver",
        Blame::Harness => "the harness itself, and nothing was shown about the clients",
    }
}

/// Outcome and reasons of one call: `sealed`, or `ordinary (callee-policy)`.
fn outcome(call: &CallResult) -> String {
    let because: Vec<&str> = call.because.iter().map(|r| r.word()).collect();
    match because.is_empty() {
        true => call.outcome.word().to_owned(),
        false => format!("{} ({})", call.outcome, because.join(", ")),
    }
}

/// Outcome and reasons of every call: `sealed`, or `first: sealed; second: ordinary (callee-policy)`.
pub fn outcomes(scenario: &ScenarioResult) -> String {
    match scenario.calls.as_slice() {
        [] => "no call".to_owned(),
        [call] => outcome(call),
        calls => {
            let named = calls.iter().map(|c| format!("{}: {}", plain(&c.name), outcome(c)));
            named.collect::<Vec<_>>().join("; ")
        }
    }
}

/// What the calls came to and who heard them; calls that the same listeners heard share one phrase.
pub fn told(scenario: &ScenarioResult) -> String {
    let heard: Vec<String> = scenario.calls.iter().map(heard).collect();
    let same = heard.iter().all(|h| Some(h) == heard.first());
    match heard.first() {
        Some(heard) if same && !heard.is_empty() => format!("{}, {heard}", outcomes(scenario)),
        Some(_) if !same => {
            let calls = scenario.calls.iter().zip(&heard).map(|(call, heard)| match heard.is_empty() {
                true => format!("{}: {}", plain(&call.name), outcome(call)),
                false => format!("{}: {}, {heard}", plain(&call.name), outcome(call)),
            });
            calls.collect::<Vec<_>>().join("; ")
        }
        _ => outcomes(scenario),
    }
}

/// Who heard a call, in one phrase; empty where nobody could have.
pub fn heard(call: &CallResult) -> String {
    if call.heard.is_empty() {
        return String::new();
    }
    // Harvest works from what the service recorded, so beside the service it says nothing new.
    let service_heard = call.heard.get(&Listener::Trudy).is_some_and(|c| c.frames > 0);
    let others: Vec<String> = call
        .heard
        .iter()
        .filter(|(who, count)| count.frames > 0 && **who != Listener::Parties)
        .filter(|(who, _)| !(service_heard && **who == Listener::Harvest))
        .map(|(who, count)| match count.frames == count.of {
            true => listener(*who).to_owned(),
            false => format!("{} ({} of {} frames)", listener(*who), count.frames, count.of),
        })
        .collect();
    let parties = call.heard.get(&Listener::Parties).is_some_and(|c| c.frames > 0);
    match (parties, others.is_empty()) {
        (true, true) => "heard by the two devices alone".to_owned(),
        (true, false) => format!("heard by the two devices and {}", others.join(", ")),
        (false, false) => format!("heard by {}, not by the two devices", others.join(", ")),
        (false, true) => "heard by nobody".to_owned(),
    }
}

/// What the screens of one call showed: locks and codes.
pub fn screens(call: &CallResult) -> String {
    let lock = match (call.lock.caller.unwrap_or(false), call.lock.callee.unwrap_or(false)) {
        (true, true) => "lock on both screens",
        (true, false) => "lock on the caller's screen only",
        (false, true) => "lock on the callee's screen only",
        (false, false) => "no lock",
    };
    let codes = match (&call.security_code.caller, &call.security_code.callee) {
        (Some(a), Some(b)) if a == b => "the same code",
        (Some(_), Some(_)) => "two different codes",
        (None, None) => "no code",
        _ => "a code on one screen only",
    };
    format!("{lock}, {codes}")
}

/// Checks that did not pass and were not meant to fail.
pub fn failed(scenario: &ScenarioResult) -> impl Iterator<Item = &CheckResult> {
    scenario.checks.iter().filter(|c| c.verdict != Verdict::Pass && !c.caught)
}

/// Checks that failed as the scenario's flaw makes them.
pub fn caught(scenario: &ScenarioResult) -> impl Iterator<Item = &CheckResult> {
    scenario.checks.iter().filter(|c| c.caught)
}

/// Packets of a finding: `alice@contoso.example: 12, 13, 14`, with the total where not all are named.
pub fn packets(finding: &Finding) -> Option<String> {
    let named: Vec<String> = finding.packets.iter().take(PACKETS_NAMED).map(u64::to_string).collect();
    let tap = finding.tap.as_deref().map(plain);
    let numbers = match (named.is_empty(), finding.packets_total > named.len() as u64) {
        (true, _) => None,
        (false, true) => Some(format!("{}, … ({} in all)", named.join(", "), finding.packets_total)),
        (false, false) => Some(named.join(", ")),
    };
    match (tap, numbers) {
        (Some(tap), Some(numbers)) => Some(format!("{numbers} at the tap {tap}")),
        (Some(tap), None) => Some(format!("none in particular, at the tap {tap}")),
        (None, numbers) => numbers,
    }
}

/// One command that runs the variant again as it was run.
pub fn command(results: &Results, scenario: &str, options: &Options) -> String {
    let mut command = format!("{} run", options.program);
    for client in &options.clients {
        command.push_str(&format!(" --client {}", quoted(&plain(client))));
    }
    if let Some(file) = options.file(scenario) {
        command.push(' ');
        command.push_str(&quoted(&plain(&file)));
    }
    command.push_str(&format!(
        " --filter '{}' --seed {}",
        plain(scenario).replace('\'', ""),
        plain(&results.seed)
    ));
    if results.net == NetKind::Loopback {
        command.push_str(" --net loopback");
    }
    command
}

/// `text` as one word of a shell.
pub fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    match !text.is_empty() && text.chars().all(bare) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Why a variant ended as it did: the listed failure's reason, or the judge's sentence.
pub fn why(scenario: &ScenarioResult) -> String {
    match (&scenario.known_failure, scenario.verdict) {
        (Some(known), Ending::KnownFailing) => format!(
            "{} fails as listed: {} (owner {}, until {})",
            plain(&known.check),
            plain(&known.reason),
            plain(&known.owner),
            plain(&known.expires)
        ),
        _ => plain(&scenario.why),
    }
}

/// Whether the call counts among those of which a pass says that nobody else heard.
pub fn counts_as_unheard(scenario: &ScenarioResult, call: &CallResult) -> bool {
    scenario.verdict == Ending::Pass && caught(scenario).next().is_none() && call.outcome == Outcome::Sealed
}

#[cfg(test)]
mod tests {
    use model::results::HeardCount;

    use super::*;
    use crate::sample;

    #[test]
    fn a_listener_who_heard_a_part_is_named_with_its_count() {
        let mut scenario = sample::passed();
        let call = scenario.calls.first_mut().expect("a call");
        call.heard.insert(Listener::Eve, HeardCount { frames: 3, of: 200 });
        assert_eq!(heard(call), "heard by the two devices and anybody on the wires (eve) (3 of 200 frames)");
        call.heard.clear();
        assert_eq!(heard(call), "");
        assert_eq!(told(&scenario), "sealed");
        scenario.calls.clear();
        assert_eq!(told(&scenario), "no call");
    }

    #[test]
    fn a_call_that_nobody_heard_is_not_said_to_be_heard_by_the_devices() {
        let mut scenario = sample::passed();
        let call = scenario.calls.first_mut().expect("a call");
        call.heard.values_mut().for_each(|count| count.frames = 0);
        assert_eq!(heard(call), "heard by nobody");
    }

    #[test]
    fn calls_with_other_listeners_are_told_apart() {
        let mut both = sample::two_calls();
        both.calls[1].heard = sample::passed().calls[0].heard.clone();
        let expected = "early: ordinary (caller-policy, callee-policy), heard by the two devices and the service \
                        (trudy); call: sealed, heard by the two devices alone";
        assert_eq!(told(&both), expected);
        let mut quiet = sample::passed();
        quiet.calls.push(quiet.calls[0].clone());
        assert_eq!(told(&quiet), "call: sealed; call: sealed, heard by the two devices alone");
    }

    #[test]
    fn the_command_is_safe_to_paste() {
        let results = sample::run(vec![sample::passed()]);
        let mut options = sample::options();
        options.origins.insert("a/b".into(), crate::Origin::File("my dir/$(x)'.yaml".into()));
        options.clients = vec!["caller=cmd:python3 x.py".to_owned()];
        let command = command(&results, "a/b", &options);
        assert_eq!(
            command,
            r"overheard run --client 'caller=cmd:python3 x.py' 'my dir/$(x)'\''.yaml' --filter 'a/b' --seed 7"
        );
    }

    #[test]
    fn packets_beyond_a_dozen_are_counted() {
        let finding = Finding {
            text: String::new(),
            blame: Blame::Caller,
            tap: Some("forwarder".into()),
            packets: (1..=100).collect(),
            packets_total: 412,
        };
        let text = packets(&finding).expect("packets");
        assert_eq!(text, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, … (412 in all) at the tap forwarder");
    }
}
