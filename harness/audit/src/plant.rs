//! Controls of guesses, sweep and search: a real key is planted among the keys that each listener holds, and in a copy
//! of what else it holds, once per encoding.
//!
//! Invariant: a plant goes through the same code as the listeners' own material, and a plant that is not found is told.

use std::ops::AddAssign;

use model::outcome::Listener;

use crate::evidence::{Ears, Evidence};
use crate::free::{Column, Free, Piece};
use crate::search::{self, PART, Secrets};
use crate::sweep::encoding::{Encoding, encode};
use crate::sweep::{Locks, Sweeper, Trials};

/// Listeners of a run with material of their own.
pub const LISTENERS: [Listener; 3] = [Listener::Eve, Listener::Trudy, Listener::Harvest];

/// Bytes that a piece should have to take a plant; a longer one only costs time.
const ROOMY: usize = 48;

/// Planted controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Controls {
    /// How many were planted.
    pub planted: u64,
    /// How many of them were found.
    pub found: u64,
}

impl Controls {
    fn count(&mut self, found: bool) {
        self.planted += 1;
        self.found += u64::from(found);
    }
}

impl AddAssign for Controls {
    fn add_assign(&mut self, other: Self) {
        self.planted += other.planted;
        self.found += other.found;
    }
}

/// How a plant is written: encodings from the outermost in.
const WAYS: [&[Encoding]; 7] = [
    &[],
    &[Encoding::Hex],
    &[Encoding::Base64],
    &[Encoding::Base64Url],
    &[Encoding::Json],
    &[Encoding::Percent],
    &[Encoding::Base64, Encoding::Json],
];

/// Plants and looks. `spoil` changes what was planted before it is looked for; a run of the judge changes nothing.
pub fn controls(
    evidence: &Evidence<'_>,
    free: &Free,
    locks: &Locks,
    secrets: &Secrets,
    listeners: &[Listener],
    spoil: impl Fn(&mut Vec<u8>),
) -> Controls {
    let mut controls = Controls::default();
    for listener in listeners.iter().copied() {
        let Some(key) = real_keys(evidence, locks, listener).next() else { continue };
        let Some(piece) = roomy(free, listener) else { continue };
        for way in WAYS {
            let mut bytes = planted(&piece.bytes, &key, way);
            spoil(&mut bytes);
            let copy = Piece { bytes, ears: Ears::of(listener), ..piece.clone() };
            controls.count(Sweeper::new(locks).finds(&copy));
        }
        if let Some(secret) = plantable(secrets) {
            let mut bytes = planted(&piece.bytes, secret.get(..PART).unwrap_or_default(), &[Encoding::Hex]);
            spoil(&mut bytes);
            let copy = Piece { bytes, ..piece.clone() };
            controls.count(!search::in_piece(secrets, &copy).is_empty());
        }
    }
    columns(free, secrets, &spoil, &mut controls);
    controls
}

/// The control that every variant has, swept or not: each real key is put among the keys that a listener holds, and has
/// to open what it belongs to. `spoil` as in [`controls`].
pub fn among_held(
    evidence: &Evidence<'_>,
    locks: &Locks,
    listeners: &[Listener],
    spoil: impl Fn(&mut Vec<u8>),
) -> Controls {
    let mut controls = Controls::default();
    let mut trials = Trials::new(locks);
    for listener in listeners.iter().copied() {
        let mut keys: Vec<Vec<u8>> = real_keys(evidence, locks, listener).collect();
        keys.sort_unstable();
        keys.dedup();
        for mut key in keys {
            spoil(&mut key);
            controls.count(trials.window(&key, Ears::of(listener)).is_some());
        }
    }
    controls
}

/// Keys that `listener` does not hold and that are in use: first those of frames, then those of hops.
fn real_keys(evidence: &Evidence<'_>, locks: &Locks, listener: Listener) -> impl Iterator<Item = Vec<u8>> {
    let frames = locks.frames.iter().filter(move |lock| !lock.ears.has(listener)).filter_map(|lock| {
        let mut keys = evidence.keys.frame_keys().iter();
        let key =
            keys.find(|key| key.key_id == lock.key_id && key.ears == lock.ears && key.base_key.len() == 16)?;
        key.opener.open(&lock.frames.first, &[]).map(|_| key.base_key.clone())
    });
    let hops = evidence.associations.iter().flat_map(|association| &association.keys);
    let used = |flow| evidence.media.iter().any(|media| media.stream.flow == flow);
    let hops = hops.filter(move |key| !key.ears.has(listener) && used(key.flow));
    frames.chain(hops.map(|key| [key.master.key(), key.master.salt()].concat()))
}

/// The shortest piece of the listener's with room, preferably one that Eve does not hold.
fn roomy(free: &Free, listener: Listener) -> Option<&Piece> {
    let own = free.pieces.iter().filter(|piece| piece.ears.has(listener) && piece.bytes.len() >= ROOMY);
    own.min_by_key(|piece| (listener != Listener::Eve && piece.ears == Ears::ALL, piece.bytes.len()))
}

/// A copy of `bytes` with the key in its middle; a text stands in quotation marks.
fn planted(bytes: &[u8], key: &[u8], way: &[Encoding]) -> Vec<u8> {
    let text = way.iter().rev().fold(key.to_vec(), |text, encoding| encode(*encoding, &text));
    let quote: &[u8] = if way.is_empty() { b"" } else { b"\"" };
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    [head, quote, &text, quote, tail].concat()
}

fn plantable(secrets: &Secrets) -> Option<&[u8]> {
    let whole = secrets.all().iter().map(|secret| secret.bytes.as_slice());
    whole.filter(|bytes| bytes.len() >= PART).find(|bytes| secrets.knows(bytes))
}

/// Eight bytes of a secret down a stream: a byte in each of eight packets, and a bit in each of 64.
fn columns(free: &Free, secrets: &Secrets, spoil: &impl Fn(&mut Vec<u8>), controls: &mut Controls) {
    let Some(secret) = plantable(secrets).and_then(|bytes| bytes.get(..PART)) else { return };
    let longest = free.columns.iter().max_by_key(|column| column.rows.len());
    let Some(column) = longest.filter(|column| column.rows.len() >= PART) else { return };
    let mut secret = secret.to_vec();
    spoil(&mut secret);
    let mut bytes = column.clone();
    for (row, byte) in bytes.rows.iter_mut().zip(&secret) {
        if let Some(cell) = row.bytes.first_mut() {
            *cell = *byte;
        }
    }
    controls.count(finds(secrets, &bytes));
    if column.rows.len() < 8 * PART {
        return;
    }
    let bits = secret.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let (mut cells, mut lengths) = (column.clone(), column.clone());
    for ((cell, length), bit) in cells.rows.iter_mut().zip(&mut lengths.rows).zip(bits) {
        if let Some(cell) = cell.bytes.first_mut() {
            *cell = *cell & !1 | bit;
        }
        length.length = length.length & !1 | usize::from(bit);
    }
    controls.count(finds(secrets, &cells));
    controls.count(finds(secrets, &lengths));
}

fn finds(secrets: &Secrets, column: &Column) -> bool {
    !search::along(secrets, column).is_empty()
}

#[cfg(test)]
mod tests;
