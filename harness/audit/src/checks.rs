//! The checks: one property, one file, one judge.
//!
//! Invariant: a check is named after its path, has a page, and stands in [`CHECKS`]; whoever adds a file adds it
//! there, or the tests at the foot of this file fail.

pub mod chat;
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

/// Every check, the proof legs first.
pub static CHECKS: &[&Check] = &[
    &proof::complete::CHECK,
    &proof::heard::CHECK,
    &proof::unheard::CHECK,
    &proof::unaltered::CHECK,
    &proof::canary::CHECK,
    &proof::fresh::CHECK,
    &proof::twin::CHECK,
    &outcome::is_what_the_plan_comes_to::CHECK,
    &screens::lock_only_when_sealed::CHECK,
    &keys::security_code_is_recomputed::CHECK,
    &keys::commitment_is_kept::CHECK,
    &keys::agreement_is_contributory::CHECK,
    &keys::confirmations_are_recomputed::CHECK,
    &keys::one_of_two_crossing_offers_stands::CHECK,
    &media::no_frame_before_answer::CHECK,
    &media::no_frame_before_confirmation::CHECK,
    &media::frames_of_sealed_calls_are_sealed::CHECK,
    &features::controls_match_the_release::CHECK,
    &features::are_withheld_as_the_release_says::CHECK,
    &policy::requests_are_answered_as_documented::CHECK,
    &media::srtp_profile_is_strong::CHECK,
    &media::replays_are_not_played::CHECK,
    &media::reflections_are_not_played::CHECK,
    &secrets::nothing_readable_holds_a_key::CHECK,
    &chat::says_not_sealed::CHECK,
    &policy::outcome_follows_settings::CHECK,
    &dtls::version_and_profile_are_strong::CHECK,
    &dtls::suite_is_forward_secret::CHECK,
    &sdp::fingerprints_match_certificates::CHECK,
    &sdp::media_are_dtls_srtp::CHECK,
];

/// The check with this name.
pub fn named(name: &str) -> Option<&'static Check> {
    CHECKS.iter().copied().find(|check| check.name() == name)
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod violations;
