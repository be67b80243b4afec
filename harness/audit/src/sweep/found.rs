//! From a window that fitted to the frames that it opens.
//!
//! Invariant: whether somebody hears is never concluded from a fit; the evidence is read again with the key that was
//! found, by the code that reads it with every other.

use super::encoding::Layer;
use super::locks::Locks;
use super::trial::Kind;
use super::{Found, Hit, Swept, undone};
use crate::evidence::Evidence;
use crate::free::Piece;
use crate::key_file::Secret;
use crate::sframe::Suite;
use crate::srtp::MasterKey;

/// Where a secret stood, or what it was guessed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was guessed: what follows "is".
    Guess(String),
    /// It stood in free bytes.
    Stood {
        /// What the bytes are, after "in".
        name: String,
        /// Where in them: a field, or an offset.
        place: String,
        /// How it was written: "in hex".
        written: String,
        /// Index in the capture of the packet.
        packet: Option<usize>,
        /// The tap's name of who wrote it, where that is known.
        writer: Option<String>,
    },
}

impl Origin {
    /// Where the byte at `at` of `layer` stood in `piece`.
    pub(super) fn of(piece: &Piece, layer: &Layer, at: usize) -> Self {
        let offset = layer.origin(at);
        Self::Stood {
            name: piece.name.to_string(),
            place: field(&piece.bytes, offset).unwrap_or_else(|| format!("from byte {offset} on")),
            written: undone(&layer.undone),
            packet: piece.packet,
            writer: piece.writer.clone(),
        }
    }
}

/// The field of a JSON object in whose text value the byte at `offset` stands.
fn field(bytes: &[u8], offset: usize) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let object = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok()?;
    let holds = |value: &serde_json::Value| {
        let written = value.to_string();
        text.match_indices(&written).any(|(at, _)| (at..at + written.len()).contains(&offset))
    };
    let (key, _) = object.iter().find(|(_, value)| holds(value))?;
    Some(format!("in the field {key}"))
}

/// Gives the keys that were found to those who came by them, and reads the evidence again.
pub(super) fn read_again<'a>(
    evidence: Evidence<'a>,
    locks: &Locks,
    found: Vec<Found>,
    mut swept: Swept,
) -> Evidence<'a> {
    let mut evidence = evidence;
    let any = !found.is_empty();
    for found in found {
        swept.hits.extend(hit(locks, &found));
        let keys = &mut evidence.keys;
        for (key_id, base_key) in &found.fit.base_keys {
            let how = match &found.origin {
                Origin::Guess(_) => "guessed",
                Origin::Stood { .. } => "found in free bytes",
            };
            let (suite, key_id, base_key) = (Suite::Aes128Gcm, *key_id, base_key.to_vec());
            keys.frame_key(suite, key_id, base_key.clone(), found.ears, Some(how));
            swept.keys.push((Secret::Sframe { suite, key_id, base_key }, found.ears));
        }
        let Some(hop) = locks.hops.get(found.fit.lock) else { continue };
        match found.fit.kind {
            Kind::SrtpMaster => {
                let master = MasterKey::new(hop.profile, &found.bytes);
                if let Ok(master) = master {
                    keys.found_srtp(master.clone(), found.ears);
                    swept.keys.push((Secret::Srtp { master, ssrc: None }, found.ears));
                }
            }
            Kind::DtlsMaster => {
                let secret = <[u8; 48]>::try_from(found.bytes.as_slice()).ok();
                if let (Some(secret), Some(exporter)) = (secret, hop.exporter) {
                    let client_random = exporter.client_random;
                    keys.found_master(client_random, secret, found.ears);
                    swept.keys.push((Secret::Master { client_random, secret }, found.ears));
                }
            }
            Kind::BaseKey | Kind::Prk | Kind::SharedSecret | Kind::PrivateKey => {}
        }
    }
    if any {
        let Evidence { world, recorded, capture, keys, faults, .. } = evidence;
        evidence = Evidence::join(world, capture, keys, Vec::new());
        evidence.faults = faults;
        evidence.recorded = recorded;
    }
    evidence.swept = swept;
    evidence
}

fn hit(locks: &Locks, found: &Found) -> Option<Hit> {
    let (ears, kind, origin) = (found.ears, found.fit.kind, found.origin.clone());
    let (call, key_id) = match kind {
        Kind::SrtpMaster | Kind::DtlsMaster => (String::new(), None),
        _ => locks.frames.get(found.fit.lock).map(|lock| (lock.call.clone(), Some(lock.key_id)))?,
    };
    Some(Hit { ears, kind, call, key_id, origin })
}
