//! The leg `unheard`: whoever ought not to hear a call opens no frame of it.

use std::collections::BTreeMap;

use model::outcome::{Listener, Outcome};
use model::results::Blame;
use model::{DeviceId, Role};

use crate::case::{Call, Case};
use crate::evidence::{Ears, Frame, Media};
use crate::findings::{Findings, Located};
use crate::sweep;

crate::declare_check! {
    /// ## What it checks
    /// No listener who ought not to hear a call opens any media frame of it, with any key that it holds, guesses, or
    /// finds in the free bytes that it can read.
    ///
    /// ## Why it matters
    /// It is the claim behind the lock: the service carries the call and cannot listen.
    ///
    /// ## How it decides
    /// It passes when no frame opens to Eve, nor in a sealed call to Trudy, Harvest or Mallory. It fails with each
    /// listener, sender and kind that was heard, and names the packets. It is inconclusive when there is no frame.
    /// Of a call that ended, frames sent under a lit lock or after the cause count. Where one screen alone has the lock,
    /// the leg of the other device is an ordinary one, and the service may hear it.
    /// It fails as well with every secret of the devices that a listener can guess or read, encoded or not, and with
    /// eight bytes of one along a stream; and it is inconclusive when a key that was planted as a control is not found.
    /// Of a large run only some variants are swept for such secrets (`--sweep`). In every variant each listener tries
    /// its keys and its guesses, Harvest what devices and nodes still held after the last hang-up, and a real key among
    /// them must open what it belongs to.
    /// It cannot find a key that a client masks or hides on purpose.
    summary: "whoever ought not to hear opens no frame",
    requirements: ["overheard/sealed-calls-are-unheard"],
    applies: |case| case.calls.iter().any(|call| call.record.is_some()),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in case.calls.iter().filter(|call| call.record.is_some()) {
        judge_call(case, call, findings);
        sweep::tell(case, call, findings);
        sweep::doubt(case, findings);
    }
}

/// What was heard, by the listeners and from which side, and at each tap how many frames in which packets.
type Heard = BTreeMap<(Ears, Role, &'static str), BTreeMap<String, (u64, Located)>>;

fn judge_call(case: &Case<'_>, call: &Call<'_>, findings: &mut Findings) {
    let mut heard = Heard::new();
    let mut seen = 0;
    for media in case.media_of(call) {
        let entitled = case.entitled(call, media);
        for frame in media.frames.iter().filter(|frame| counts(case, call, frame)) {
            seen += 1;
            let ears = frame.ears.without(entitled);
            if !ears.is_none() {
                note(case, call, &mut heard, ears, media, frame);
            }
        }
    }
    findings.examine(seen);
    match call.claimed.outcome {
        // The capture without a frame is what is to be shown there.
        Outcome::Ended | Outcome::NotPlaced => findings.examine(1),
        _ if seen == 0 => {
            findings.doubt(format!(
                "no media frame of {} is on any tap; run the scenario again",
                call.expected.name
            ));
        }
        _ => {}
    }
    for ((ears, role, kind), taps) in heard {
        let Some((tap, (frames, located))) = at_best_tap(taps) else { continue };
        let text = format!(
            "{} {frames} {kind} frames that the {role} sent in {}, at {tap}",
            who(ears),
            described(call)
        );
        let blame = if role == Role::Caller { Blame::Caller } else { Blame::Callee };
        findings.fail(blame, text, located);
    }
}

/// The tap to report: one of the service where there is one, for there the listener sits.
fn at_best_tap(taps: BTreeMap<String, (u64, Located)>) -> Option<(String, (u64, Located))> {
    taps.into_iter().min_by_key(|(tap, _)| (tap.contains('@'), tap.clone()))
}

fn who(ears: Ears) -> String {
    let names: Vec<&str> = Listener::ALL.iter().filter(|l| ears.has(**l)).map(|l| l.word()).collect();
    let verb = if names.len() == 1 { "hears" } else { "hear" };
    match names.split_last() {
        Some((last, [])) => format!("{last} {verb}"),
        Some((last, rest)) => format!("{} and {last} {verb}", rest.join(", ")),
        None => verb.to_owned(),
    }
}

fn described(call: &Call<'_>) -> String {
    let name = &call.expected.name;
    match call.claimed.outcome {
        Outcome::Sealed => format!("{name}, under lit locks"),
        outcome => format!("{name}, which is {outcome}"),
    }
}

/// Of an ended call only what was sent under the sender's lit lock, or after the cause, is to be unheard.
fn counts(case: &Case<'_>, call: &Call<'_>, frame: &Frame) -> bool {
    if call.claimed.outcome != Outcome::Ended {
        return true;
    }
    let Some(record) = call.record else { return true };
    let sender =
        frame.sent.and_then(|sent| case.evidence.ledgers.books.get(sent.book)).map(|book| &book.device);
    let lit = |device: &DeviceId| {
        let lock = if *device == record.caller { call.claimed.lock.caller } else { call.claimed.lock.callee };
        lock.unwrap_or(false)
    };
    let after = case.after_the_cause(call).is_some_and(|end| frame.at_ns > end);
    after || sender.is_none_or(lit)
}

fn note(case: &Case<'_>, call: &Call<'_>, heard: &mut Heard, ears: Ears, media: &Media, frame: &Frame) {
    let book = frame.sent.and_then(|sent| case.evidence.ledgers.books.get(sent.book));
    let (role, kind) = match book {
        Some(book) => (case.role(call, &book.device), book.kind.word()),
        None => (Role::Caller, "unknown"),
    };
    let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
    let located: Vec<(u64, &str)> = packets.map(|packet| case.evidence.located(packet.index)).collect();
    let tap = located.first().map_or("", |(_, tap)| *tap).to_owned();
    let entry = heard.entry((ears, role, kind)).or_default().entry(tap).or_default();
    entry.0 += 1;
    located.into_iter().for_each(|at| entry.1.add(at));
}
