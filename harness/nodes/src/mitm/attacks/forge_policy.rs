//! Forges the answer of the policy server.
//!
//! The device of the side is told another policy than the one in effect: `Disabled` unless the option `value` says
//! otherwise. A call between two who have opted in becomes an ordinary one, without a lock.

use model::Role;
use model::plan::PolicyValue;

use super::{Attacker, Hand};
use crate::policy_server::EffectivePolicy;

pub(super) struct ForgePolicy;

/// The value that the device is told.
pub(super) const VALUE: &str = "value";

impl Attacker for ForgePolicy {
    fn policy(&mut self, hand: &mut Hand<'_>, of: Role, mut answer: EffectivePolicy) -> EffectivePolicy {
        let told = hand.option(VALUE).and_then(|word| word.parse().ok()).unwrap_or(PolicyValue::Disabled);
        if told == answer.value || !hand.acts(of, true) {
            return answer;
        }
        answer.value = told;
        // The body of the HTTP answer, to the byte.
        hand.deed(
            of,
            &serde_json::to_vec(&answer).expect("an answer is JSON"),
            None,
            "another policy in the answer",
        );
        answer
    }
}
