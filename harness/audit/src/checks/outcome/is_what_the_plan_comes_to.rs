//! Outcome, reasons, lock, codes and hearing are what policies, settings and release make of the plan.

use std::fmt::Display;

use model::outcome::Listener;
use model::plan::{Heard, Sides};
use model::record::{Claim, Claimed};
use model::results::Blame;
use model::{Outcome, Reason, Role};

use super::super::keys::blame;
use super::super::proof::carries_media;
use crate::case::{Call, Case, crossing};
use crate::evidence::{Inside, Media};
use crate::findings::{Findings, Located};
use crate::oracle::{self, ExpectedCall};

crate::declare_check! {
    /// ## What it checks
    /// Every call comes to the outcome, with the cause, lock, codes, devices, relayed sides and Mallory's hearing, that
    /// the judge works out of the plan by itself, or that the scenario states where an attack is in play.
    ///
    /// ## Why it matters
    /// A call that is sealed against a policy, or ordinary under a lit lock, is wrong however well its frames are
    /// protected.
    ///
    /// ## How it decides
    /// It passes when all of it agrees. It fails with each difference. It is inconclusive when the plan has no call.
    /// Locks and codes are the clients' word; who hears is counted from the capture.
    summary: "each call comes to what its plan comes to",
    requirements: ["overheard/sealed-exactly-without-a-reason"],
    applies: |case| !case.calls.is_empty(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    // What a flaw makes of the call is what this check has to notice, so the scenario's statement does not count.
    let flawed = !case.plan.flaws().is_empty()
        && case.plan.attacks.iter().all(|attack| attack.attack.only_adds_media());
    let mut computed: Vec<ExpectedCall> =
        case.calls.iter().map(|call| call.expected.clone().into_owned()).collect();
    if flawed {
        computed = oracle::computed(case.plan).calls;
        crossing::settle(case.plan, case.evidence, &mut computed);
    }
    for (call, expected) in case.calls.iter().zip(&computed) {
        findings.examine(1);
        let mut compare = Compare { call, expected, findings };
        compare.claims(case);
        if carries_media(call.claimed.outcome) && carries_media(expected.outcome) {
            hearing(case, &mut compare);
        }
    }
}

struct Compare<'c, 'a> {
    call: &'c Call<'a>,
    expected: &'c ExpectedCall,
    findings: &'c mut Findings,
}

impl Compare<'_, '_> {
    fn differ(&mut self, what: &str, claimed: impl Display, expected: impl Display, blame: Blame) {
        let name = &self.call.expected.name;
        let text = format!("{what} of {name} ought to be {expected} and is {claimed}");
        self.findings.fail(blame, text, Located::default());
    }

    fn claims(&mut self, case: &Case<'_>) {
        let (expected, claimed) = (self.expected, self.call.claimed.clone());
        if claimed.outcome != expected.outcome {
            let reasons = list(&claimed.because);
            let claimed = if reasons.is_empty() {
                claimed.outcome.to_string()
            } else {
                format!("{} ({reasons})", claimed.outcome)
            };
            let blame = who_ended(case, self.call).unwrap_or_else(|| self.blame());
            self.differ("the outcome", claimed, expected.outcome, blame);
            return;
        }
        let ends = matches!(expected.outcome, Outcome::Ended | Outcome::NotPlaced);
        if ends && claimed.because != expected.because {
            self.differ("the cause", list(&claimed.because), list(&expected.because), self.blame());
        }
        if !ends {
            if claimed.locked() != expected.lock {
                self.differ("the lock", claimed.locked(), expected.lock, self.blame_of_lock(expected.lock));
            }
            if claimed.codes() != expected.codes {
                self.differ("the codes", claimed.codes(), expected.codes, Blame::Caller);
            }
        }
        if !ends && expected.talks && claimed.devices.is_empty() {
            let name = &self.call.expected.name;
            self.findings
                .doubt(format!("no device sent or played a frame of {name}; run the scenario again"));
        } else if let Some(devices) = expected.devices.filter(|_| expected.talks || ends)
            && claimed.devices.len() != devices
        {
            self.differ("the number of devices", claimed.devices.len(), devices, Blame::Harness);
        }
    }

    fn blame(&self) -> Blame {
        self.blame_of_lock(self.expected.lock)
    }

    /// The side whose lock is not as it ought to be; the service where both are.
    fn blame_of_lock(&self, expected: Sides) -> Blame {
        let wrong = |role: Role, lit: Option<bool>| {
            let side = if role == Role::Caller { Sides::Caller } else { Sides::Callee };
            lit.unwrap_or(false) != (expected == Sides::Both || expected == side)
        };
        let lock = &self.call.claimed.lock;
        match (wrong(Role::Caller, lock.caller), wrong(Role::Callee, lock.callee)) {
            (true, false) => Blame::Caller,
            (false, true) => Blame::Callee,
            _ => Blame::CallService,
        }
    }
}

/// Whose fault it is that a device ended the call over a frame without a seal: who sent one to it, or the device that
/// took something else for one.
fn who_ended(case: &Case<'_>, call: &Call<'_>) -> Option<Blame> {
    let claims = case.evidence.world.claims.iter().filter(|claim| claim.call == call.id());
    let ended = |claim: &&Claim| {
        matches!(claim.claim, Claimed::Ended { reason: Some(Reason::UnsealedFrame), own: true })
    };
    let device = &claims.clone().find(ended)?.device;
    let evidence = case.evidence;
    let incoming = case.media_of(call).filter(|media| {
        Some(media.stream.flow.interface) == evidence.interface(device)
            && !evidence.is_outgoing(media.stream.flow)
    });
    let unsealed = |media: &Media| {
        let mut frames = media.frames.iter().filter(|frame| !case.is_mallorys(media, frame));
        frames.any(|frame| !matches!(frame.inside, Inside::Sealed { .. }))
    };
    let role = case.role(call, device);
    Some(blame(if incoming.into_iter().any(unsealed) { role.other() } else { role }))
}

/// What Mallory hears, and whose media crossed the relay.
fn hearing(case: &Case<'_>, compare: &mut Compare<'_, '_>) {
    let (mut frames, mut relayed) = (0u64, [false, false]);
    let mut heard = 0u64;
    let relay = case.evidence.capture.interface("relay");
    for media in case.media_of(compare.call) {
        for frame in media.frames.iter().filter(|frame| !case.is_mallorys(media, frame)) {
            frames += 1;
            heard += u64::from(frame.ears.has(Listener::Mallory));
            let book = frame.sent.and_then(|sent| case.evidence.ledgers.books.get(sent.book));
            if let Some(book) = book.filter(|_| Some(media.stream.flow.interface) == relay) {
                relayed[usize::from(case.role(compare.call, &book.device) == Role::Callee)] = true;
            }
        }
    }
    // The other listeners are for the proof legs; Mallory alone is entitled by what the scenario states.
    if let Some(expected) = compare.expected.heard.get(&Listener::Mallory) {
        let agrees = match expected {
            Heard::All => heard == frames,
            Heard::None => heard == 0,
        };
        if !agrees {
            let count = format!("{heard} of {frames}");
            compare.differ("what mallory hears", count, expected, Blame::Harness);
        }
    }
    let crossed = match relayed {
        [true, true] => Sides::Both,
        [true, false] => Sides::Caller,
        [false, true] => Sides::Callee,
        [false, false] => Sides::None,
    };
    if frames > 0 && crossed != compare.expected.relayed {
        compare.differ("whose media are relayed", crossed, compare.expected.relayed, Blame::Relay);
    }
}

fn list(reasons: &[model::Reason]) -> String {
    reasons.iter().map(|reason| reason.word()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use model::record::WorldRecord;

    use super::*;
    use crate::bench::plans::both_on;
    use crate::bench::story::Story;
    use crate::bench::trial::Trial;

    fn bob_leaves(world: &mut WorldRecord) {
        let claims = world.claims.iter_mut().filter(|claim| matches!(claim.claim, Claimed::Ended { .. }));
        for claim in claims {
            let own = claim.device.user.user == "bob";
            claim.claim = Claimed::Ended { reason: Some(Reason::UnsealedFrame), own };
        }
    }

    #[rstest::rstest]
    #[case::over_a_frame_without_a_seal([false, true], Blame::Caller)]
    #[case::over_nothing([true, true], Blame::Callee)]
    fn who_made_a_client_leave_is_told(#[case] seals: [bool; 2], #[case] fault: Blame) {
        let trial = Trial::of(&Story { seals, retell: bob_leaves, ..Story::sealed(both_on()) });
        let found = trial.findings("outcome/is-what-the-plan-comes-to");
        assert_eq!(found, [("the outcome of call ought to be sealed and is ended (unsealed-frame)", fault)]);
    }
}
