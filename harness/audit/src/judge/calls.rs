//! What the results say of each call: what is claimed, who heard how much, and which features were invoked.

use std::collections::BTreeMap;

use model::outcome::Listener;
use model::plan::Verb;
use model::results::{CallResult, FeatureResult, HeardCount, Tried};

use super::Options;
use crate::case::{Call, Case, Twin, TwinCall};

/// One result per call of the plan.
pub(super) fn results(case: &Case<'_>) -> Vec<CallResult> {
    let result = |(index, call): (usize, &Call<'_>)| CallResult {
        name: call.expected.name.clone(),
        outcome: call.claimed.outcome,
        because: because(call),
        lock: call.claimed.lock.clone(),
        security_code: call.claimed.code.clone(),
        heard: heard(case, call),
        features: features(case, index),
    };
    case.calls.iter().enumerate().map(result).collect()
}

/// Of an ordinary call the reasons are recomputed, because no device gives any.
fn because(call: &Call<'_>) -> Vec<model::Reason> {
    if call.claimed.outcome == call.expected.outcome && call.claimed.because.is_empty() {
        call.expected.because.clone()
    } else {
        call.claimed.because.clone()
    }
}

/// Frames per listener, counted at every tap that they cross.
fn heard(case: &Case<'_>, call: &Call<'_>) -> BTreeMap<Listener, HeardCount> {
    let mut heard = BTreeMap::new();
    for listener in Listener::ALL {
        if *listener == Listener::Mallory && case.plan.attacks.is_empty() {
            continue;
        }
        let mut count = HeardCount::default();
        for media in case.media_of(call) {
            for frame in media.frames.iter().filter(|frame| !case.is_mallorys(media, frame)) {
                count.of += 1;
                count.frames += u64::from(frame.ears.has(*listener));
            }
        }
        heard.insert(*listener, count);
    }
    heard
}

fn features(case: &Case<'_>, call: usize) -> Vec<FeatureResult> {
    let of_call = |step: &model::plan::Step| step.call.map(|index| case.meant(index)) == Some(call);
    let steps = case.plan.steps.iter().enumerate().filter(|(_, step)| of_call(step));
    let invoked = steps.filter_map(|(index, step)| {
        let Verb::Invoke { feature, by, .. } = &step.verb else { return None };
        let record = case.evidence.world.steps.get(&index);
        Some(FeatureResult {
            feature: *feature,
            by: by.to_string(),
            result: record.and_then(|record| record.result),
            reason: record.and_then(|record| record.reason.clone()),
        })
    });
    invoked.collect()
}

/// What the listeners tried.
pub(super) fn tried(case: &Case<'_>, options: &Options) -> Tried {
    let swept = &case.evidence.swept;
    let frames: usize = case.evidence.media.iter().map(|media| media.frames.len()).sum();
    Tried {
        frames: frames as u64,
        keys: case.evidence.keys.held_by(Listener::Trudy) as u64 + swept.guesses,
        windows: swept.windows,
        controls_found: swept.controls.found,
        controls: swept.controls.planted,
        sweep: options.sweep,
    }
}

/// One sentence for a variant that passed.
pub(super) fn summary(case: &Case<'_>) -> String {
    let outcomes: Vec<String> =
        case.calls.iter().map(|call| format!("{} is {}", call.expected.name, call.claimed.outcome)).collect();
    if outcomes.is_empty() {
        return "every request was answered as documented".to_owned();
    }
    format!("{} as expected, and every check that applies passes", outcomes.join(", "))
}

/// What a control run came to.
pub(super) fn twin(case: &Case<'_>) -> Twin {
    let of_call = |call: &Call<'_>| {
        let heard = heard(case, call);
        TwinCall {
            claimed: call.claimed.clone(),
            frames: heard.get(&Listener::Eve).map_or(0, |count| count.of),
            heard: heard.into_iter().map(|(listener, count)| (listener, count.frames)).collect(),
            played: call.claimed.played,
        }
    };
    Twin {
        calls: case.calls.iter().map(of_call).collect(),
        faults: case.evidence.faults.clone(),
        steps: case.evidence.world.steps.clone(),
        stumbles: case.evidence.world.stumbles.iter().map(|stumble| stumble.text.clone()).collect(),
        used: crate::checks::proof::fresh::used(case.evidence),
    }
}
