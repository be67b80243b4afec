//! Every key that the key files hold, by what it opens, with who holds it.
//!
//! Invariant: the same secret of two owners is one key with both as holders.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use model::attack::Place;
use model::outcome::Listener;

use super::ears::Ears;
use crate::key_file::{Key, Owner, Secret, TrafficLabel};
use crate::sframe::{FrameOpener, Suite};
use crate::srtp::MasterKey;

/// The keys of one world.
#[derive(Default)]
pub struct Keys {
    masters: BTreeMap<[u8; 32], Vec<([u8; 48], Ears)>>,
    srtp: Vec<(MasterKey, Ears)>,
    srtp_at: HashMap<MasterKey, usize>,
    frames: Vec<FrameKey>,
    frames_at: HashMap<(Suite, u64, Vec<u8>), usize>,
    agreed: Vec<([u8; 16], [u8; 32], Ears)>,
    traffic: BTreeMap<([u8; 32], TrafficLabel), (Vec<u8>, Ears)>,
    placed: Option<Place>,
    named: BTreeMap<Owner, Ears>,
}

/// A key of media frames, derived once.
pub struct FrameKey {
    /// Its suite.
    pub suite: Suite,
    /// Its key id.
    pub key_id: u64,
    /// The base key.
    pub base_key: Vec<u8>,
    /// Who holds it.
    pub ears: Ears,
    /// How it was come by where no key file says it: a guess, or a place where it was found.
    pub found: Option<&'static str>,
    /// Opens frames.
    pub opener: FrameOpener,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameKey({:?}, key id {}, …)", self.suite, self.key_id)
    }
}

impl Keys {
    /// No key at all; `placed` is where Mallory sits, if there is an attack.
    pub fn new(placed: Option<Place>) -> Self {
        Self { placed, ..Self::default() }
    }

    /// No key at all; of a capture that anybody made, the middle parties with the listener who stands for each.
    pub fn of_owners(named: BTreeMap<Owner, Ears>) -> Self {
        Self { named, ..Self::default() }
    }

    /// Takes in what a key file holds.
    pub fn take(&mut self, keys: Vec<Key>) {
        for key in keys {
            let ears = self.ears(&key.owner);
            match key.secret {
                Secret::Master { client_random, secret } => {
                    join(self.masters.entry(client_random).or_default(), secret, ears);
                }
                Secret::Srtp { master, .. } => self.found_srtp(master, ears),
                Secret::Sframe { suite, key_id, base_key } => {
                    self.frame_key(suite, key_id, base_key, ears, None)
                }
                Secret::Agree { call_id, z } => self.agreed.push((call_id, z, ears)),
                Secret::Traffic { label, client_random, secret } => {
                    self.traffic.entry((client_random, label)).or_insert((secret, Ears::NONE)).1 |= ears;
                }
            }
        }
    }

    /// Adds a key of media frames, or its holders when it is there.
    pub fn frame_key(
        &mut self,
        suite: Suite,
        key_id: u64,
        base_key: Vec<u8>,
        ears: Ears,
        found: Option<&'static str>,
    ) {
        match self.frames_at.entry((suite, key_id, base_key)) {
            Entry::Occupied(at) => {
                let held = self.frames.get_mut(*at.get());
                if let Some(key) = held.filter(|key| key.ears | ears != key.ears) {
                    key.ears |= ears;
                    key.found = key.found.or(found);
                }
            }
            Entry::Vacant(at) => {
                let base_key = at.key().2.clone();
                at.insert(self.frames.len());
                let opener = FrameOpener::new(suite, key_id, &base_key);
                self.frames.push(FrameKey { suite, key_id, base_key, ears, found, opener });
            }
        }
    }

    /// Adds a master key of SRTP that somebody came by.
    pub fn found_srtp(&mut self, master: MasterKey, ears: Ears) {
        match self.srtp_at.entry(master) {
            Entry::Occupied(at) => {
                if let Some((_, have)) = self.srtp.get_mut(*at.get()) {
                    *have |= ears;
                }
            }
            Entry::Vacant(at) => {
                let master = at.key().clone();
                at.insert(self.srtp.len());
                self.srtp.push((master, ears));
            }
        }
    }

    /// Adds a DTLS master secret that somebody came by.
    pub fn found_master(&mut self, client_random: [u8; 32], secret: [u8; 48], ears: Ears) {
        join(self.masters.entry(client_random).or_default(), secret, ears);
    }

    /// Keys of media frames, in the order in which they came.
    pub fn frame_keys(&self) -> &[FrameKey] {
        &self.frames
    }

    /// Master secrets of the DTLS association with this client random.
    pub fn master_secrets(&self, client_random: &[u8; 32]) -> impl Iterator<Item = (&[u8; 48], Ears)> {
        self.masters.get(client_random).into_iter().flatten().map(|(secret, ears)| (secret, *ears))
    }

    /// Every DTLS master secret and who holds it.
    pub fn masters(&self) -> impl Iterator<Item = (&[u8; 48], Ears)> {
        self.masters.values().flatten().map(|(secret, ears)| (secret, *ears))
    }

    /// SRTP master keys that stand in a key file as such.
    pub fn srtp(&self) -> impl Iterator<Item = (&MasterKey, Ears)> {
        self.srtp.iter().map(|(master, ears)| (master, *ears))
    }

    /// Secret of the TLS 1.3 connection with this client random.
    pub fn traffic(&self, client_random: &[u8; 32], label: TrafficLabel) -> Option<(&[u8], Ears)> {
        self.traffic.get(&(*client_random, label)).map(|(secret, ears)| (secret.as_slice(), *ears))
    }

    /// Shared secrets of agreements: call id, `z` and who holds it.
    pub fn agreed(&self) -> &[([u8; 16], [u8; 32], Ears)] {
        &self.agreed
    }

    /// How many secrets `listener` holds.
    pub fn held_by(&self, listener: Listener) -> usize {
        let has = |ears: &Ears| ears.has(listener);
        self.masters.values().flatten().filter(|(_, ears)| has(ears)).count()
            + self.srtp.iter().filter(|(_, ears)| has(ears)).count()
            + self.frames.iter().filter(|key| has(&key.ears)).count()
            + self.agreed.iter().filter(|(_, _, ears)| has(ears)).count()
            + self.traffic.values().filter(|(_, ears)| has(ears)).count()
    }

    /// Who holds the keys of `owner`: everything of the service is Trudy's and in Harvest's recording, and Mallory's
    /// where she sits in the service.
    pub fn ears(&self, owner: &Owner) -> Ears {
        if let Some(ears) = self.named.get(owner) {
            return *ears;
        }
        match owner {
            Owner::Parties => Ears::of(Listener::Parties),
            Owner::Other(name) if name == "mallory" => Ears::of(Listener::Mallory),
            Owner::Other(_) => self.service(),
            Owner::Embedded => Ears::NONE,
        }
    }

    /// Who holds what the service holds.
    pub fn service(&self) -> Ears {
        let service = Ears::of(Listener::Trudy) | Ears::of(Listener::Harvest);
        if self.placed == Some(Place::Service) { service | Ears::of(Listener::Mallory) } else { service }
    }
}

fn join<T: PartialEq>(held: &mut Vec<(T, Ears)>, secret: T, ears: Ears) {
    match held.iter_mut().find(|(have, _)| *have == secret) {
        Some((_, have)) => *have |= ears,
        None => held.push((secret, ears)),
    }
}
