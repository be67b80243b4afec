//! Checks of when media frames are sent and in what form.

pub mod frames_of_sealed_calls_are_sealed;
pub mod headers_are_shortest;
pub mod no_frame_before_answer;
pub mod no_frame_before_confirmation;
pub mod reflections_are_not_played;
pub mod replays_are_not_played;
pub mod srtp_profile_is_strong;
pub mod unopened_frames_are_not_played;

use model::{Outcome, Role};

use super::Check;
use crate::case::{Call, Case};
use crate::evidence::{Book, Frame, Media};

/// The checks of this family, in the order of the reports.
pub(super) const CHECKS: &[&Check] = &[
    &no_frame_before_answer::CHECK,
    &no_frame_before_confirmation::CHECK,
    &frames_of_sealed_calls_are_sealed::CHECK,
    &unopened_frames_are_not_played::CHECK,
    &headers_are_shortest::CHECK,
    &srtp_profile_is_strong::CHECK,
    &replays_are_not_played::CHECK,
    &reflections_are_not_played::CHECK,
];

/// The calls whose devices claim them to be sealed, on one screen at least.
fn sealed<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = &'c Call<'a>> {
    case.calls.iter().filter(|call| matches!(call.claimed.outcome, Outcome::Sealed | Outcome::Exposed))
}

/// Whether the lock of a side is lit.
fn lit(call: &Call<'_>, role: Role) -> bool {
    let lock = &call.claimed.lock;
    let lock = if role == Role::Caller { lock.caller } else { lock.callee };
    lock.unwrap_or(false)
}

/// Frames of `call` at their sender's own tap, with the ledger that has them.
pub(super) fn at_senders<'c>(
    case: &'c Case<'_>,
    call: &'c Call<'_>,
) -> impl Iterator<Item = (&'c Media, &'c Frame, &'c Book)> {
    case.media_of(call).flat_map(|media| media.frames.iter().map(move |frame| (media, frame))).filter_map(
        |(media, frame)| {
            let book = case.evidence.ledgers.books.get(frame.sent?.book)?;
            let own = case.evidence.interface(&book.device) == Some(media.stream.flow.interface);
            (own && case.evidence.is_outgoing(media.stream.flow)).then_some((media, frame, book))
        },
    )
}
