//! How a packet follows the one before: what descriptors say twice, in payloads whose first bytes alone say little.
//!
//! Invariant: a chance is an upper bound of how often a random payload fits behind the packet before it, whatever that
//! one holds.

use super::Sample;
use crate::dissect::{av1, red, vp8, vp9};

/// Whether a packet fits a codec, and by what chance random bytes would.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pair {
    /// Where it fits: the chance.
    pub chance: Option<f64>,
    /// A frame starts here.
    pub starts: bool,
}

/// VP8 (RFC 7741 §4.1, §4.2): a frame starts behind the marker and nowhere else, and reserved bits are zero.
pub fn vp8_follows(before: &Sample, this: &Sample) -> Option<f64> {
    let now = vp8::Descriptor::parse(this.head()).filter(|now| now.sound)?;
    (now.starts_frame() == before.marker()).then_some(1.0 / 8.0)
}

/// VP9 (RFC 9628): the same fields are there, a frame starts where one ended, and its picture id is the next or the same.
/// Gives the descriptor as well.
pub fn vp9_follows(before: &Sample, this: &Sample) -> Option<(vp9::Descriptor, f64)> {
    let read = |sample: &Sample| vp9::Descriptor::parse(sample.head());
    let (last, now) = (read(before)?, read(this)?);
    let fields = |one: &vp9::Descriptor| (one.picture.map(|(_, long)| long), one.layers, one.flexible);
    // The last packet of a picture ends its last frame (RFC 9628 §4.1).
    let ends = |sample: &Sample, one: &vp9::Descriptor| one.end || !sample.marker();
    if fields(&last) != fields(&now) || now.start != last.end || !ends(before, &last) || !ends(this, &now) {
        return None;
    }
    let mut chance = 1.0 / 16.0;
    if let (Some((was, _)), Some((is, long))) = (last.picture, now.picture) {
        let ids: u16 = if long { 1 << 15 } else { 1 << 7 };
        let ahead = is.wrapping_sub(was) % ids;
        if ahead > u16::from(now.start) {
            return None;
        }
        chance *= 0.5 * if now.start { 2.0 } else { 1.0 } / f64::from(ids);
    }
    Some((now, chance))
}

/// VP9: descriptors that follow, and a frame begins with the marker of two bits (VP9 bitstream §7.2).
pub fn vp9(before: &Sample, this: &Sample) -> Pair {
    let Some((now, chance)) = vp9_follows(before, this) else { return Pair::default() };
    let marked = || this.head().get(now.length).is_some_and(|byte| byte >> 6 == 2);
    if now.start && !marked() {
        return Pair::default();
    }
    Pair { chance: Some(chance * if now.start { 0.25 } else { 1.0 }), starts: now.start }
}

/// AV1: an element goes on where one was to go on, reserved bits are zero, and what starts has a header.
pub fn av1(before: &Sample, this: &Sample) -> Pair {
    let read = |sample: &Sample| av1::Aggregation::parse(sample.head(), usize::from(sample.length));
    let (Some(last), Some(now)) = (read(before), read(this)) else { return Pair::default() };
    // The last packet of a temporal unit ends its last element.
    if now.continues != last.goes_on || before.marker() && last.goes_on || this.marker() && now.goes_on {
        return Pair::default();
    }
    // Of the headers of units, 8 of 16 kinds and 3 bits that are zero.
    let chance = 1.0 / 16.0 * if now.continues { 1.0 } else { 1.0 / 16.0 };
    Pair { chance: Some(chance), starts: !now.continues }
}

/// RED (RFC 2198): the same payload types in the same places, and a block that is some packets old.
pub fn red(before: &Sample, this: &Sample) -> Pair {
    let read = |sample: &Sample| red::Headers::parse(sample.head(), usize::from(sample.length));
    let (Some(last), Some(now)) = (read(before), read(this)) else { return Pair::default() };
    let ticks = this.timestamp.wrapping_sub(before.timestamp);
    let old = |offset: u16| (1..=4).any(|steps| ticks.checked_mul(steps) == Some(u32::from(offset)));
    let fits = now.first.is_some_and(|(kind, offset)| {
        // The first packet of a stream has nothing to repeat.
        last.first.is_none_or(|(before, _)| before == kind) && last.primary == now.primary && old(offset)
    });
    // Two bytes are known but for the type of a first block; of 2^14 offsets four fit.
    Pair { chance: fits.then_some(1.0 / f64::from(1 << 21)), starts: fits }
}

#[cfg(test)]
mod tests;
