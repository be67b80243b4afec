//! What the devices claim of a call, made into one outcome (design, section 3).
//!
//! Invariant: a lock that was ever lit counts as lit, and media flow only where both ledgers say so.

mod refusal;

use model::outcome::{Outcome, Reason};
use model::plan::{Codes, Sides};
use model::record::{CallRecord, Claimed as Claim};
use model::results::Screens;
use model::{DeviceId, Direction};

use crate::evidence::Evidence;

/// The devices' word on one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// What it comes to.
    pub outcome: Outcome,
    /// Why it ended or was not placed.
    pub because: Vec<Reason>,
    /// Whether each screen showed the lock.
    pub lock: Screens<bool>,
    /// The code on each screen.
    pub code: Screens<String>,
    /// Devices whose ledgers hold a frame of the call.
    pub devices: Vec<DeviceId>,
    /// Frames that devices played.
    pub played: u64,
}

impl Claimed {
    /// Collects the claims about `record`.
    pub fn of(evidence: &Evidence<'_>, record: Option<&CallRecord>) -> Self {
        let mut claimed = Self {
            outcome: Outcome::NotPlaced,
            because: Vec::new(),
            lock: Screens::default(),
            code: Screens::default(),
            devices: Vec::new(),
            played: 0,
        };
        let Some(record) = record else { return claimed };
        for book in evidence.ledgers.books.iter().filter(|book| book.call == record.call) {
            if !claimed.devices.contains(&book.device) {
                claimed.devices.push(book.device.clone());
            }
            if book.direction == Direction::Received {
                claimed.played += book.frames.len() as u64;
            }
        }
        for claim in evidence.world.claims.iter().filter(|claim| claim.call == record.call) {
            let of_caller = claim.device == record.caller;
            let lock = if of_caller { &mut claimed.lock.caller } else { &mut claimed.lock.callee };
            let code = if of_caller { &mut claimed.code.caller } else { &mut claimed.code.callee };
            match &claim.claim {
                Claim::Lock(lit) => *lock = Some(lock.unwrap_or(false) || *lit),
                Claim::Code(digits) => *code = Some(digits.clone()),
                Claim::Connected => *lock = Some(lock.unwrap_or(false)),
                Claim::Ended { reason: Some(reason), .. } if !claimed.because.contains(reason) => {
                    claimed.because.push(*reason);
                }
                _ => {}
            }
        }
        claimed.because.sort();
        if claimed.because == [Reason::SetUpTimeout] && refusal::is_for_a_fingerprint(evidence, record) {
            claimed.because = vec![Reason::FingerprintMismatch];
        }
        claimed.outcome = claimed.comes_to(record);
        claimed
    }

    fn comes_to(&self, record: &CallRecord) -> Outcome {
        if let Some(reason) = self.because.first() {
            return match reason {
                Reason::UnknownUser | Reason::Busy => Outcome::NotPlaced,
                _ => Outcome::Ended,
            };
        }
        if record.connected_ns.is_none() && self.devices.is_empty() {
            return Outcome::NotPlaced;
        }
        match (self.locked(), self.codes()) {
            (Sides::None, _) => Outcome::Ordinary,
            (Sides::Both, Codes::Equal) => Outcome::Sealed,
            _ => Outcome::Exposed,
        }
    }

    /// Whose screens showed the lock.
    pub fn locked(&self) -> Sides {
        match (self.lock.caller.unwrap_or(false), self.lock.callee.unwrap_or(false)) {
            (true, true) => Sides::Both,
            (true, false) => Sides::Caller,
            (false, true) => Sides::Callee,
            (false, false) => Sides::None,
        }
    }

    /// How the codes compare; one code alone has nothing to be compared with.
    pub fn codes(&self) -> Codes {
        match (&self.code.caller, &self.code.callee) {
            (Some(caller), Some(callee)) if caller == callee => Codes::Equal,
            (Some(_), Some(_)) => Codes::Differ,
            _ => Codes::None,
        }
    }
}
