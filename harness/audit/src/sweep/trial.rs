//! One window, tried as every secret that has its length.
//!
//! Invariant: a secret fits when two ciphertexts of its key open, or the only one that there is.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::locks::{CallLock, FrameLock, HopLock, Locks, Pair};
use crate::agreement::{Bytes32, KeySchedule, x25519};
use crate::dtls_exporter::Material;
use crate::evidence::Ears;
use crate::sframe::Guesses;
use crate::srtp;

/// What a secret turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An SFrame base key.
    BaseKey,
    /// The secret that every key of a call is expanded from.
    Prk,
    /// The shared secret of an agreement.
    SharedSecret,
    /// The X25519 secret of one party.
    PrivateKey,
    /// Master key and salt of SRTP.
    SrtpMaster,
    /// The master secret of a DTLS association.
    DtlsMaster,
}

impl Kind {
    /// The secret in words, behind "is".
    pub const fn words(self) -> &'static str {
        match self {
            Self::BaseKey => "an SFrame base key",
            Self::Prk => "the secret that the keys of the call are expanded from",
            Self::SharedSecret => "the shared secret of the agreement",
            Self::PrivateKey => "the X25519 secret of a party",
            Self::SrtpMaster => "a master key of SRTP with its salt",
            Self::DtlsMaster => "a DTLS master secret",
        }
    }
}

/// A window that opened something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// What it is.
    pub kind: Kind,
    /// Index of the lock: of [`Locks::frames`], or of [`Locks::hops`] for SRTP and DTLS.
    pub lock: usize,
    /// The keys of SFrame that follow, by key id.
    pub base_keys: Vec<(u64, [u8; 16])>,
}

/// Locks with what can be computed before a window is known.
pub struct Trials<'l> {
    locks: &'l Locks,
    guesses: Guesses,
    extracts: Vec<Hmac<Sha256>>,
    scratch: Vec<u8>,
}

impl<'l> Trials<'l> {
    /// Prepares the trials on `locks`.
    pub fn new(locks: &'l Locks) -> Self {
        let keyed = |call: &CallLock| {
            Hmac::<Sha256>::new_from_slice(&call.transcript).expect("HMAC takes keys of any length")
        };
        let extracts = locks.calls.iter().map(keyed).collect();
        Self { locks, guesses: Guesses::default(), extracts, scratch: Vec::new() }
    }

    /// Lengths of the windows that are worth a trial to `ears`: those of secrets that not all of them hold.
    pub fn lengths(&self, ears: Ears) -> Vec<usize> {
        let mut lengths = Vec::new();
        if self.locks.frames.iter().any(|lock| learns(ears, lock.ears)) {
            lengths.push(16);
        }
        if self
            .locks
            .calls
            .iter()
            .any(|call| self.frame_lock(call).is_some_and(|lock| learns(ears, lock.ears)))
        {
            lengths.push(32);
        }
        for hop in self.locks.hops.iter().filter(|hop| learns(ears, hop.ears)) {
            lengths.push(hop.profile.key_length() + hop.profile.salt_length());
            lengths.extend(hop.exporter.map(|_| 48));
        }
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    /// Tries `window` as every secret of its length that would tell `ears` something.
    pub fn window(&mut self, window: &[u8], ears: Ears) -> Option<Fit> {
        match window.len() {
            16 => self.base_key(window, ears),
            32 => window.try_into().ok().and_then(|window| self.secret(window, ears)),
            48 => window.try_into().ok().and_then(|window| self.master_secret(window, ears)),
            _ => self.master_key(window, ears),
        }
    }

    fn base_key(&mut self, window: &[u8], ears: Ears) -> Option<Fit> {
        if self.locks.frames.is_empty() {
            return None;
        }
        let guess = self.guesses.guess(window);
        let key = *window.first_chunk()?;
        let mut found: Option<Fit> = None;
        for (index, lock) in self.locks.frames.iter().enumerate().filter(|(_, lock)| learns(ears, lock.ears))
        {
            if both(&lock.frames, |frame| guess.fits(frame, &mut self.scratch)) {
                // Bad code may seal under one base key in both directions.
                let fit =
                    found.get_or_insert(Fit { kind: Kind::BaseKey, lock: index, base_keys: Vec::new() });
                fit.base_keys.push((lock.key_id, key));
            }
        }
        found
    }

    /// `prk`, or the `z` of a transcript.
    fn secret(&mut self, window: &Bytes32, ears: Ears) -> Option<Fit> {
        if let Some(fit) = self.shared_secret(window, ears, Kind::SharedSecret) {
            return Some(fit);
        }
        let mut tried = None;
        for call in &self.locks.calls {
            if tried != Some((call.lock, call.sender)) {
                tried = Some((call.lock, call.sender));
                if let Some(fit) = self.prk(call, *window, ears, Kind::Prk) {
                    return Some(fit);
                }
            }
        }
        None
    }

    fn shared_secret(&mut self, z: &Bytes32, ears: Ears, kind: Kind) -> Option<Fit> {
        for index in 0..self.locks.calls.len() {
            let (Some(call), Some(extract)) = (self.locks.calls.get(index), self.extracts.get(index)) else {
                continue;
            };
            let mut extract = extract.clone();
            extract.update(z);
            let prk: Bytes32 = extract.finalize().into_bytes().into();
            if let Some(fit) = self.prk(call, prk, ears, kind) {
                return Some(fit);
            }
        }
        None
    }

    fn prk(&mut self, call: &CallLock, prk: Bytes32, ears: Ears, kind: Kind) -> Option<Fit> {
        let lock = self.frame_lock(call).filter(|lock| learns(ears, lock.ears))?;
        let schedule = KeySchedule::from_prk(call.transcript, prk);
        let base_key = schedule.base_key(call.sender.0, call.sender.1);
        let guess = self.guesses.guess(&base_key);
        both(&lock.frames, |frame| guess.fits(frame, &mut self.scratch)).then(|| {
            let all = (0..6).filter_map(crate::agreement::key_id_owner);
            let base_keys = all.map(|(sender, kind)| {
                (crate::agreement::key_id(sender, kind), schedule.base_key(sender, kind))
            });
            Fit { kind, lock: call.lock, base_keys: base_keys.collect() }
        })
    }

    fn frame_lock(&self, call: &CallLock) -> Option<&'l FrameLock> {
        self.locks.frames.get(call.lock)
    }

    /// Tries a whole value of 32 bytes as the X25519 secret of either party.
    pub fn private_key(&mut self, secret: &Bytes32, ears: Ears) -> Option<Fit> {
        let mut publics: Vec<Bytes32> = self.locks.calls.iter().flat_map(|call| call.publics).collect();
        publics.sort_unstable();
        publics.dedup();
        publics.iter().find_map(|public| self.shared_secret(&x25519(secret, public), ears, Kind::PrivateKey))
    }

    fn master_key(&mut self, window: &[u8], ears: Ears) -> Option<Fit> {
        let mut derived: Option<(srtp::Profile, srtp::Guess)> = None;
        for (lock, hop) in self.locks.hops.iter().enumerate().filter(|(_, hop)| learns(ears, hop.ears)) {
            if derived.as_ref().is_none_or(|(profile, _)| *profile != hop.profile) {
                let Some((key, salt)) = window.split_at_checked(hop.profile.key_length()) else { continue };
                let Some(guess) = srtp::Guess::new(hop.profile, key, salt) else { continue };
                derived = Some((hop.profile, guess));
            }
            let Some((_, guess)) = &derived else { continue };
            if both(&hop.packets, |packet| guess.fits(packet, 0, &mut self.scratch)) {
                return Some(Fit { kind: Kind::SrtpMaster, lock, base_keys: Vec::new() });
            }
        }
        None
    }

    fn master_secret(&mut self, window: &[u8; 48], ears: Ears) -> Option<Fit> {
        let mut tried = Vec::new();
        for (lock, hop) in self.locks.hops.iter().enumerate().filter(|(_, hop)| learns(ears, hop.ears)) {
            let Some(exporter) = hop.exporter.filter(|exporter| !tried.contains(&exporter.client_random))
            else {
                continue;
            };
            // One direction is enough: the master secret gives both.
            tried.push(exporter.client_random);
            if self.exported(window, hop, &exporter) {
                return Some(Fit { kind: Kind::DtlsMaster, lock, base_keys: Vec::new() });
            }
        }
        None
    }

    fn exported(&mut self, window: &[u8; 48], hop: &HopLock, exporter: &super::locks::Exporter) -> bool {
        let (client, server) = (&exporter.client_random, &exporter.server_random);
        let material = Material::export(exporter.prf, window, client, server, hop.profile);
        let (key, salt) = material.key_and_salt(exporter.from_client);
        srtp::Guess::new(hop.profile, key, salt)
            .is_some_and(|guess| both(&hop.packets, |packet| guess.fits(packet, 0, &mut self.scratch)))
    }
}

/// Whether somebody among `ears` does not hold what `holders` hold.
fn learns(ears: Ears, holders: Ears) -> bool {
    !ears.without(holders | Ears::of(model::outcome::Listener::Parties)).is_none()
}

/// Whether both ciphertexts open; the second is looked at only when the first did.
fn both(pair: &Pair, mut opens: impl FnMut(&[u8]) -> bool) -> bool {
    opens(&pair.first) && opens(&pair.second)
}
