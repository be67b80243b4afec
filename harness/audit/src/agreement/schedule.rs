//! From the shared secret to SFrame base keys and confirmations.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use model::{Kind, Role};
use sha2::Sha256;

use super::{Bytes32, items};

/// The keys that follow from one shared secret and one transcript.
#[derive(Clone)]
pub struct KeySchedule {
    transcript: Bytes32,
    prk: Bytes32,
}

impl KeySchedule {
    /// Extracts `prk` from the shared secret `z`.
    pub fn new(transcript: Bytes32, z: &Bytes32) -> Self {
        let (prk, _) = Hkdf::<Sha256>::extract(Some(&transcript), z);
        Self { transcript, prk: prk.into() }
    }

    /// From a `prk` that was found or guessed.
    pub const fn from_prk(transcript: Bytes32, prk: Bytes32) -> Self {
        Self { transcript, prk }
    }

    /// The secret that every key of the call is expanded from.
    pub const fn prk(&self) -> &Bytes32 {
        &self.prk
    }

    /// The SFrame base key of one sender and kind, for SFrame cipher suite 4.
    pub fn base_key(&self, sender: Role, kind: Kind) -> [u8; 16] {
        let mut key = [0; 16];
        self.expand(&[b"overheard/1 sframe", label(sender), kind_label(kind)], &mut key);
        key
    }

    /// The key of `sender`'s confirmation.
    pub fn confirmation_key(&self, sender: Role) -> Bytes32 {
        let mut key = [0; 32];
        self.expand(&[b"overheard/1 confirm", label(sender)], &mut key);
        key
    }

    /// What `sender` must send to confirm that it has the same transcript and secret.
    pub fn confirmation(&self, sender: Role) -> Bytes32 {
        let key = self.confirmation_key(sender);
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(&self.transcript);
        mac.finalize().into_bytes().into()
    }

    fn expand(&self, info: &[&[u8]], key: &mut [u8]) {
        let info = items(info).expect("labels are short");
        let hkdf = Hkdf::<Sha256>::from_prk(&self.prk).expect("32 bytes are enough of a key");
        hkdf.expand(&info, key).expect("32 bytes are no more than 255 hashes");
    }
}

impl fmt::Debug for KeySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySchedule(…)")
    }
}

/// The SFrame key id of a sender and kind.
pub const fn key_id(sender: Role, kind: Kind) -> u64 {
    let kind = match kind {
        Kind::Audio => 0,
        Kind::Video => 2,
        Kind::Screen => 4,
    };
    match sender {
        Role::Caller => kind,
        Role::Callee => kind + 1,
    }
}

/// Sender and kind of an SFrame key id; none for the ids that the agreement never gives out.
pub fn key_id_owner(id: u64) -> Option<(Role, Kind)> {
    let kind = match id / 2 {
        0 => Kind::Audio,
        1 => Kind::Video,
        2 => Kind::Screen,
        _ => return None,
    };
    Some((if id.is_multiple_of(2) { Role::Caller } else { Role::Callee }, kind))
}

const fn label(sender: Role) -> &'static [u8] {
    match sender {
        Role::Caller => b"caller",
        Role::Callee => b"callee",
    }
}

const fn kind_label(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Audio => b"audio",
        Kind::Video => b"video",
        Kind::Screen => b"screen",
    }
}
