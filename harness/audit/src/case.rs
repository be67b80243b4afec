//! One variant before its judges: what was planned, what is expected, what was left behind, and what the devices
//! claim.
//!
//! Invariant: a claim is the client's word; nothing here takes it for more.

mod claimed;
pub mod crossing;

use std::borrow::Cow;

use model::outcome::{Listener, Outcome};
use model::plan::Plan;
use model::record::{CallRecord, Claimed as Claim};
use model::{DeviceId, Role};

pub use claimed::Claimed;

use crate::evidence::{Ears, Evidence, Frame, Media};
use crate::oracle::{Expected, ExpectedCall};

/// A variant with all that is known of it.
pub struct Case<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// What it must come to.
    pub expected: &'a Expected,
    /// What it left behind.
    pub evidence: &'a Evidence<'a>,
    /// What its twin came to, where one was run.
    pub twin: Option<&'a Twin>,
    /// Its calls, in the order of the plan.
    pub calls: Vec<Call<'a>>,
}

/// One call of a variant.
pub struct Call<'a> {
    /// What it must come to.
    pub expected: Cow<'a, ExpectedCall>,
    /// What the nodes recorded; none where it was never placed.
    pub record: Option<&'a CallRecord>,
    /// What the devices claim.
    pub claimed: Claimed,
}

/// What a control run came to.
#[derive(Clone, Debug, Default)]
pub struct Twin {
    /// Each call's outcome as claimed, and how many of its frames each listener heard.
    pub calls: Vec<TwinCall>,
    /// What is missing or broken of its evidence.
    pub faults: Vec<crate::evidence::Fault>,
    /// Steps that have a result.
    pub steps: std::collections::BTreeMap<usize, model::record::StepRecord>,
    /// What kept it from running to its end.
    pub stumbles: Vec<String>,
    /// Values that must serve one call only, to compare with the variant's.
    pub used: crate::checks::proof::Used,
}

/// One call of a control run.
#[derive(Clone, Debug)]
pub struct TwinCall {
    /// What the devices claim.
    pub claimed: Claimed,
    /// Frames on all taps.
    pub frames: u64,
    /// Of these, open to each listener.
    pub heard: std::collections::BTreeMap<Listener, u64>,
    /// Frames that devices played.
    pub played: u64,
}

impl<'a> Case<'a> {
    /// Puts together what belongs to one variant.
    pub fn new(expected: &'a Expected, evidence: &'a Evidence<'a>, twin: Option<&'a Twin>) -> Self {
        let plan = &evidence.world.plan;
        let mut ought: Vec<Cow<'a, ExpectedCall>> = expected.calls.iter().map(Cow::Borrowed).collect();
        if plan.crossings().next().is_some() {
            let mut settled = expected.calls.clone();
            crossing::settle(plan, evidence, &mut settled);
            ought = settled.into_iter().map(Cow::Owned).collect();
        }
        let calls = ought.into_iter().map(|expected| {
            let record = evidence.world.calls.iter().find(|record| record.name == expected.name);
            Call { expected, record, claimed: Claimed::of(evidence, record) }
        });
        Self { plan, expected, evidence, twin, calls: calls.collect() }
    }

    /// The index of the call that a step means which is about the call at `index`: of two that crossed, the one that
    /// stands.
    pub fn meant(&self, index: usize) -> usize {
        let falls = |at: usize| self.calls.get(at).is_some_and(|c| c.expected.outcome == Outcome::NotPlaced);
        let crossed = self.plan.crossings().find(|pair| pair[1] == index && falls(index));
        crossed.map_or(index, |[earlier, _]| earlier)
    }

    /// Media streams with a frame of `call`, or without any frame that a ledger knows but within its time.
    pub fn media_of<'c>(&'c self, call: &'c Call<'a>) -> impl Iterator<Item = &'c Media> {
        self.evidence.media.iter().filter(move |media| self.belongs(call, media))
    }

    /// Whether `media` is a stream of `call`.
    pub fn belongs(&self, call: &Call<'a>, media: &Media) -> bool {
        let Some(record) = call.record else { return false };
        let mut books = media
            .frames
            .iter()
            .filter_map(|frame| frame.sent)
            .filter_map(|sent| self.evidence.ledgers.books.get(sent.book));
        if let Some(book) = books.next() {
            return book.call == record.call;
        }
        let first = media.stream.packets.first().and_then(|p| self.evidence.capture.packets.get(p.index));
        let at = first.map_or(0, |packet| packet.at_ns);
        let end = record.ended_ns.unwrap_or(self.evidence.world.ended_ns);
        (self.evidence.stamp(record.placed_ns)..=self.evidence.stamp(end)).contains(&at)
    }

    /// Whether `frame` is Mallory's own: what she made or changed, and no copy of a frame that a device sent.
    pub fn is_mallorys(&self, media: &Media, frame: &Frame) -> bool {
        frame.sent.is_none() && self.evidence.is_mallorys_frame(media, frame)
    }

    /// Listeners who ought to hear what `media` carries of `call`. Where one screen alone has the lock, the service
    /// hears the leg of the other device, as it hears every ordinary call.
    pub fn entitled(&self, call: &Call<'a>, media: &Media) -> Ears {
        let entitled = call.entitled();
        if call.claimed.outcome != Outcome::Exposed {
            return entitled;
        }
        let Some(record) = call.record else { return entitled };
        let lock = &call.claimed.lock;
        let sides = [(Some(&record.caller), lock.caller), (record.callee.as_ref(), lock.callee)];
        let mut unlocked = sides.into_iter().filter(|(_, lock)| !lock.unwrap_or(false));
        let here = |device: Option<&DeviceId>| {
            device.is_some_and(|device| self.evidence.is_end_of(media.stream.flow, &device.to_string()))
        };
        match unlocked.any(|(device, _)| here(device)) {
            true => entitled | Ears::of(Listener::Trudy) | Ears::of(Listener::Harvest),
            false => entitled,
        }
    }

    /// When the cause took effect for which `call` ended, as a time stamp of the capture: the device that reports it has
    /// sent its hang-up, and one link latency has passed each way. None where no device reports one.
    pub fn after_the_cause(&self, call: &Call<'a>) -> Option<u64> {
        let claims = self.evidence.world.claims.iter().filter(|claim| claim.call == call.id());
        let cause = claims.filter_map(|claim| match claim.claim {
            Claim::Ended { reason: Some(_), own: true } => Some(claim.at_ns),
            _ => None,
        });
        let cause = cause.min().or(call.record.and_then(|record| record.ended_ns))?;
        Some(self.evidence.stamp(cause + 2 * self.way_ns()))
    }

    /// The longest time that a packet is under way on one link, in nanoseconds.
    pub fn way_ns(&self) -> u64 {
        let network = self.plan.network.clone().unwrap_or_default();
        (network.latency_ms + network.jitter_ms) * 1_000_000
    }

    /// The part of a device in `call`.
    pub fn role(&self, call: &Call<'a>, device: &DeviceId) -> Role {
        if call.record.is_some_and(|record| record.caller == *device) { Role::Caller } else { Role::Callee }
    }
}

impl Call<'_> {
    /// The call id in hex; empty where there is none.
    pub fn id(&self) -> &str {
        self.record.map_or("", |record| record.call.as_str())
    }

    /// Listeners who ought to hear a call of the outcome that the devices claim.
    pub fn entitled(&self) -> Ears {
        let of = |listeners: &[Listener]| listeners.iter().fold(Ears::NONE, |ears, l| ears | Ears::of(*l));
        match self.claimed.outcome {
            Outcome::Sealed | Outcome::Ended | Outcome::NotPlaced => of(&[Listener::Parties]),
            Outcome::Ordinary => {
                of(&[Listener::Parties, Listener::Trudy, Listener::Harvest, Listener::Mallory])
            }
            Outcome::Exposed => of(&[Listener::Parties, Listener::Mallory]),
        }
    }
}
