//! Which variants are swept.
//!
//! Invariant: of every kind of call one is swept unless nothing is, and every flaw and attack (design, section 6).

use std::collections::BTreeSet;

use model::plan::{Path, Plan, Profile, Verb};
use model::results::Sweep;
use model::{Kind, Outcome};

use crate::oracle;
use crate::sweep::Reach;

/// A kind of call: all clients are the reference client. Sealed and ordinary calls are two kinds.
type Sort = (Profile, Path, BTreeSet<Kind>, Option<Outcome>);

/// What has been swept so far.
pub(super) struct Sweeps {
    sweep: Sweep,
    swept: BTreeSet<Sort>,
}

impl Sweeps {
    pub(super) fn new(sweep: Sweep) -> Self {
        Self { sweep, swept: BTreeSet::new() }
    }

    /// How much is done to the variant with this plan.
    pub(super) fn reach(&mut self, plan: &Plan) -> Reach {
        let sweeps = match self.sweep {
            Sweep::Off => false,
            Sweep::Full => true,
            Sweep::Light => {
                let planted = !plan.flaws().is_empty() || !plan.attacks.is_empty();
                let media = plan.steps.iter().filter_map(|step| match &step.verb {
                    Verb::Call { media, .. } => Some(media),
                    _ => None,
                });
                let outcome = oracle::expect(plan).calls.first().map(|call| call.outcome);
                let sort = (plan.profile, plan.path, media.flatten().copied().collect(), outcome);
                planted || self.swept.insert(sort)
            }
        };
        if sweeps { Reach::All } else { Reach::Guesses }
    }
}

#[cfg(test)]
mod tests {
    use model::flaw::Flaw;

    use super::*;
    use crate::bench::plans::both_on;

    #[test]
    fn light_sweeps_the_first_of_each_kind_and_every_flaw() {
        let mut sweeps = Sweeps::new(Sweep::Light);
        let plan = both_on();
        assert_eq!(sweeps.reach(&plan), Reach::All);
        assert_eq!(sweeps.reach(&plan), Reach::Guesses);
        let other = Plan { profile: Profile::Dtls, ..plan.clone() };
        assert_eq!(sweeps.reach(&other), Reach::All);
        let mut flawed = plan;
        flawed.service.flaw = Some(Flaw::RecordingWhenSealed);
        assert_eq!(sweeps.reach(&flawed), Reach::All);
        assert_eq!(sweeps.reach(&flawed), Reach::All);
    }

    #[test]
    fn full_sweeps_all_and_off_none() {
        for (sweep, reach) in [(Sweep::Full, Reach::All), (Sweep::Off, Reach::Guesses)] {
            let mut sweeps = Sweeps::new(sweep);
            assert_eq!([0, 1].map(|_| sweeps.reach(&both_on())), [reach; 2]);
        }
    }
}
