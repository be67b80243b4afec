//! What is looked for: secrets of the two devices alone, and what is derived from them.
//!
//! Invariant: a part of a secret that has fewer than [`VARIETY`] different bytes says nothing and is not looked for;
//! guesses find such keys.

use std::collections::HashMap;
use std::fmt;

use model::Role;
use model::outcome::Listener;

use super::PART;
use crate::evidence::{Ears, Evidence, Inside};
use crate::sframe::{Guesses, Suite};
use crate::srtp::{MasterKey, session_keys};

/// Different bytes that a part must have.
const VARIETY: usize = 4;
/// Bits of the table in front of the parts.
const TABLE: usize = 1 << 16;

/// A secret of the two devices.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is.
    pub name: String,
    /// The call id in hex; empty where no key file says which.
    pub call: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, …)", self.name)
    }
}

/// Secrets by their parts.
#[derive(Default)]
pub struct Secrets {
    all: Vec<Secret>,
    parts: HashMap<u64, usize>,
    /// One bit per value of a hash of a part: most windows are none of any secret.
    table: Vec<bool>,
}

impl Secrets {
    /// Every secret in the parties' key file that nobody else has, and what follows from it.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let mut secrets = Self { table: vec![false; TABLE], ..Self::default() };
        let alone = |ears: Ears| ears == Ears::of(Listener::Parties);
        let keys = &evidence.keys;
        let calls = calls_by_key(evidence);
        for key in keys.frame_keys().iter().filter(|key| alone(key.ears)) {
            let call = calls.get(&key.base_key).cloned().unwrap_or_default();
            let name = |what: &str| format!("{what} of SFrame key id {}", key.key_id);
            secrets.add(name("the base key"), &call, &key.base_key);
            if key.suite == Suite::Aes128Gcm {
                let (derived, salt) = Guesses::default().guess(&key.base_key).derived(key.key_id);
                secrets.add(name("the key"), &call, &derived);
                secrets.add(name("the salt"), &call, &salt);
            }
        }
        for (call, z, _) in keys.agreed().iter().filter(|(_, _, ears)| alone(*ears)) {
            secrets.add("the shared secret of the agreement".to_owned(), &hex::encode(call), z);
        }
        for (call, view) in evidence.views() {
            let Some(signalled) = view.signalled() else { continue };
            let held = keys.agreed().iter().filter(|(id, _, ears)| alone(*ears) && *id == signalled.call_id);
            for schedule in held.filter_map(|(_, z, _)| signalled.key_schedule(z).ok()) {
                secrets.add("the secret that keys are expanded from".to_owned(), call, schedule.prk());
                for sender in [Role::Caller, Role::Callee] {
                    let name = format!("the key of the {sender}'s confirmation");
                    secrets.add(name, call, &schedule.confirmation_key(sender));
                }
            }
        }
        for (secret, _) in keys.masters().filter(|(_, ears)| alone(*ears)) {
            secrets.add("a DTLS master secret".to_owned(), "", secret);
        }
        let hops = evidence.associations.iter().flat_map(|association| &association.keys);
        let hops = hops.map(|key| (&key.master, key.ears)).chain(keys.srtp());
        for (master, _) in hops.filter(|(_, ears)| alone(*ears)) {
            secrets.srtp(master);
        }
        secrets
    }

    fn srtp(&mut self, master: &MasterKey) {
        self.add("a master key of SRTP".to_owned(), "", master.key());
        self.add("a master salt of SRTP".to_owned(), "", master.salt());
        for key in session_keys(master) {
            self.add("a session key of SRTP".to_owned(), "", &key);
        }
    }

    fn add(&mut self, name: String, call: &str, bytes: &[u8]) {
        let index = self.all.len();
        self.all.push(Secret { name, call: call.to_owned(), bytes: bytes.to_vec() });
        for part in bytes.windows(PART).filter(|part| variety(part) >= VARIETY) {
            let part = part.iter().fold(0, |part, byte| part << 8 | u64::from(*byte));
            self.parts.entry(part).or_insert(index);
            if let Some(slot) = self.table.get_mut(slot(part)) {
                *slot = true;
            }
        }
    }

    /// Every secret.
    pub fn all(&self) -> &[Secret] {
        &self.all
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether the first eight bytes of `bytes` are looked for.
    pub fn knows(&self, bytes: &[u8]) -> bool {
        bytes.first_chunk().is_some_and(|part| self.with(u64::from_be_bytes(*part)).is_some())
    }

    /// The first secret that has these eight bytes, big endian, in a row.
    pub fn with(&self, part: u64) -> Option<&Secret> {
        if !self.table.get(slot(part)).copied().unwrap_or(false) {
            return None;
        }
        self.all.get(*self.parts.get(&part)?)
    }
}

/// The call in which a base key opened a frame of a ledger.
fn calls_by_key(evidence: &Evidence<'_>) -> HashMap<Vec<u8>, String> {
    let mut found = HashMap::new();
    for frame in evidence.media.iter().flat_map(|media| &media.frames) {
        let Inside::Sealed { key, .. } = frame.inside else { continue };
        let book = frame.sent.and_then(|sent| evidence.ledgers.books.get(sent.book));
        if let (Some(key), Some(book)) = (evidence.keys.frame_keys().get(key), book) {
            found.entry(key.base_key.clone()).or_insert_with(|| book.call.clone());
        }
    }
    found
}

fn variety(part: &[u8]) -> usize {
    let mut bytes = part.to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len()
}

/// The slot of a part: the high bits of its product with an odd number near 2^64 over the golden ratio.
fn slot(part: u64) -> usize {
    usize::try_from(part.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48).unwrap_or_default()
}
