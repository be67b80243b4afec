//! The checks: one property, one file, one judge.
//!
//! Invariant: a check is named after its path, has a page, and stands in the list of its family; whoever adds a file
//! adds it there, or the tests at the foot of this file fail.

pub mod chat;
pub mod drivers;
pub mod dtls;
pub mod features;
pub mod keys;
pub mod media;
pub mod outcome;
pub mod policy;
pub mod proof;
pub mod screens;
pub mod sdp;
pub mod secrets;

use model::plan::Profile;

use crate::case::Case;
use crate::findings::Findings;

/// A judge of one property.
pub struct Check {
    module: &'static str,
    /// The page, in Markdown with three headings.
    pub page: &'static str,
    /// The property in one phrase, without a full stop.
    pub summary: &'static str,
    /// Requirements, each as `<file>/<id>`.
    pub requirements: &'static [&'static str],
    /// Source file, from the root of the workspace.
    pub file: &'static str,
    /// Line of the declaration.
    pub line: u32,
    /// Whether there is something for it to judge in a variant.
    pub applies: fn(&Case<'_>) -> bool,
    /// Looks at the evidence.
    pub judge: fn(&Case<'_>, &mut Findings),
}

impl Check {
    /// The name: its path below `checks`, e.g. `proof/unheard`.
    pub fn name(&self) -> String {
        let path = self.module.rsplit_once("checks::").map_or(self.module, |(_, path)| path);
        path.replace("::", "/").replace('_', "-")
    }
}

/// Declares the check of a file; name, page and place come by themselves.
#[macro_export]
macro_rules! declare_check {
    ($(#[doc = $page:literal])* summary: $summary:literal, requirements: [$($requirement:literal),* $(,)?],
     applies: $applies:expr, judge: $judge:expr $(,)?) => {
        /// The check of this file.
        pub static CHECK: $crate::checks::Check = $crate::checks::Check {
            module: module_path!(),
            page: concat!($($page, "\n"),*),
            summary: $summary,
            requirements: &[$($requirement),*],
            file: file!(),
            line: line!(),
            applies: $applies,
            judge: $judge,
        };
    };
}

/// The families, the proof legs first.
const FAMILIES: [&[&Check]; 12] = [
    proof::CHECKS,
    outcome::CHECKS,
    screens::CHECKS,
    keys::CHECKS,
    media::CHECKS,
    features::CHECKS,
    policy::CHECKS,
    secrets::CHECKS,
    chat::CHECKS,
    dtls::CHECKS,
    sdp::CHECKS,
    drivers::CHECKS,
];

/// Every check, family by family.
pub static CHECKS: &[&Check] = &listed();

const fn count() -> usize {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].len();
        family += 1;
    }
    count
}

const fn listed() -> [&'static Check; count()] {
    let mut all = [FAMILIES[0][0]; count()];
    let (mut at, mut family) = (0, 0);
    while family < FAMILIES.len() {
        let mut number = 0;
        while number < FAMILIES[family].len() {
            all[at] = FAMILIES[family][number];
            at += 1;
            number += 1;
        }
        family += 1;
    }
    all
}

/// Checks that cannot judge calls of a profile: of `own`, those that recompute the key agreement of `frames` (design,
/// section 1.6), because how a vendor's scheme agrees is not known.
pub fn unsupported(profile: Profile) -> Vec<String> {
    let recompute: &[&Check] = match profile {
        Profile::Frames | Profile::Dtls => &[],
        Profile::Own => &[
            &keys::security_code_is_recomputed::CHECK,
            &keys::commitment_is_kept::CHECK,
            &keys::agreement_is_contributory::CHECK,
            &keys::confirmations_are_recomputed::CHECK,
            &media::no_frame_before_confirmation::CHECK,
        ],
    };
    recompute.iter().map(|check| check.name()).collect()
}

/// The check with this name.
pub fn named(name: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.name() == name)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod violations;
