//! Two people who call each other at once, as a plan says it.

use crate::plan::{Plan, Step, Target, Verb};

impl Plan {
    /// The calls that the step at `at` and the one before it place at the same moment: two users call each other, one
    /// step after the other, and nobody answers in between. Indices into the calls of the plan, the earlier step's
    /// first; none where `at` is no such step.
    pub fn crossing(&self, at: usize) -> Option<[usize; 2]> {
        let earlier = self.steps.get(at.checked_sub(1)?)?;
        let later = self.steps.get(at)?;
        let (from, to) = between(earlier)?;
        (between(later)? == (to, from)).then_some([earlier.call?, later.call?])
    }

    /// Every crossing of the plan.
    pub fn crossings(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        (0..self.steps.len()).filter_map(|at| self.crossing(at))
    }
}

/// Who calls whom, where one user is called.
fn between(step: &Step) -> Option<(&crate::UserId, &crate::UserId)> {
    match &step.verb {
        Verb::Call { from, to: Target::Users(users), .. } => match users.as_slice() {
            [only] => Some((from, only)),
            _ => None,
        },
        _ => None,
    }
}
