//! The search: every secret that the two devices held, and any eight bytes of one, in the free bytes and along the
//! columns of streams.
//!
//! Invariant: a secret that somebody else holds by right is nobody's secret here. Ephemeral secrets are in no key file
//! and are not looked for.

mod secrets;

pub use secrets::{Secret, Secrets};

use crate::evidence::Ears;
use crate::free::{Column, Free, Piece, Row};
use crate::sweep::encoding::layers;

/// Bytes of a secret that are looked for.
pub const PART: usize = 8;

/// A part of a secret in free bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Who holds the bytes.
    pub ears: Ears,
    /// Which secret.
    pub secret: String,
    /// The call id in hex; empty where it belongs to none.
    pub call: String,
    /// Where it stands, after "in" or "along".
    pub place: String,
    /// Indices in the capture of the packets.
    pub packets: Vec<usize>,
    /// The tap's name of who wrote it, where that is known.
    pub writer: Option<String>,
}

/// Looks for every part of every secret in everything that is free.
pub fn search(secrets: &Secrets, free: &Free) -> Vec<Trace> {
    let mut found: Vec<Trace> = Vec::new();
    if secrets.is_empty() {
        return found;
    }
    let mut note = |trace: Trace| {
        let same = |known: &&mut Trace| known.secret == trace.secret && known.place == trace.place;
        match found.iter_mut().find(same) {
            Some(known) => {
                known.ears |= trace.ears;
                known.packets.extend(trace.packets);
            }
            None => found.push(trace),
        }
    };
    for piece in &free.pieces {
        in_piece(secrets, piece).into_iter().for_each(&mut note);
    }
    for column in &free.columns {
        along(secrets, column).into_iter().for_each(&mut note);
    }
    found
}

/// Parts of secrets in every layer of `piece`.
pub fn in_piece(secrets: &Secrets, piece: &Piece) -> Vec<Trace> {
    let mut found = Vec::new();
    for layer in layers(&piece.bytes) {
        let mut part = 0;
        for (at, byte) in layer.bytes.iter().enumerate() {
            part = part << 8 | u64::from(*byte);
            if at + 1 < PART {
                continue;
            }
            if let Some(secret) = secrets.with(part) {
                found.push(Trace {
                    ears: piece.ears,
                    secret: secret.name.clone(),
                    call: secret.call.clone(),
                    place: format!("in {}", piece.name),
                    packets: piece.packet.into_iter().collect(),
                    writer: piece.writer.clone(),
                });
            }
        }
    }
    found.dedup();
    found
}

/// Parts of secrets along a stream: a byte, a bit of a byte, or the lowest bit of length or time, packet by packet.
pub fn along(secrets: &Secrets, column: &Column) -> Vec<Trace> {
    let mut found = Vec::new();
    let widest = column.rows.iter().map(|row| row.bytes.len()).max().unwrap_or_default();
    for offset in 0..widest {
        let rows: Vec<(&Row, u8)> =
            column.rows.iter().filter_map(|row| Some((row, *row.bytes.get(offset)?))).collect();
        bytes_along(secrets, column.name, offset, &rows, &mut found);
        for bit in 0..8 {
            let bits = rows.iter().map(|(row, byte)| (row.packet, byte >> bit & 1 == 1));
            bits_along(secrets, &format!("bit {bit} of byte {offset} of {}", column.name), bits, &mut found);
        }
    }
    let of = |what: &str| format!("the parity of the {what} of {}", column.name);
    let lengths = column.rows.iter().map(|row| (row.packet, row.length % 2 == 1));
    bits_along(secrets, &of("length"), lengths, &mut found);
    for (unit, nanoseconds) in [("millisecond", 1_000_000), ("microsecond", 1_000)] {
        let times = column.rows.iter().map(|row| (row.packet, row.at_ns / nanoseconds % 2 == 1));
        bits_along(secrets, &of(unit), times, &mut found);
    }
    found
}

fn bytes_along(secrets: &Secrets, name: &str, offset: usize, rows: &[(&Row, u8)], found: &mut Vec<Trace>) {
    let mut part = 0;
    for (at, (_, byte)) in rows.iter().enumerate() {
        part = part << 8 | u64::from(*byte);
        let Some(first) = (at + 1).checked_sub(PART) else { continue };
        if let Some(secret) = secrets.with(part) {
            let packets =
                rows.get(first..=at).unwrap_or_default().iter().map(|(row, _)| row.packet).collect();
            found.push(trace(secret, format!("along byte {offset} of {name}"), packets));
        }
    }
}

/// Eight bytes spread over 64 packets, the highest bit of each byte first or last.
fn bits_along(
    secrets: &Secrets,
    place: &str,
    bits: impl Iterator<Item = (usize, bool)>,
    found: &mut Vec<Trace>,
) {
    let mut part: u64 = 0;
    let mut packets = Vec::new();
    for (packet, bit) in bits {
        part = part << 1 | u64::from(bit);
        packets.push(packet);
        let Some(first) = packets.len().checked_sub(8 * PART) else { continue };
        let reversed = part.reverse_bits().swap_bytes();
        if let Some(secret) = secrets.with(part).or_else(|| secrets.with(reversed)) {
            let packets = packets.get(first..).unwrap_or_default().to_vec();
            found.push(trace(secret, format!("along {place}"), packets));
        }
    }
}

fn trace(secret: &Secret, place: String, packets: Vec<usize>) -> Trace {
    Trace {
        ears: Ears::ALL,
        secret: secret.name.clone(),
        call: secret.call.clone(),
        place,
        packets,
        writer: None,
    }
}

#[cfg(test)]
mod tests;
