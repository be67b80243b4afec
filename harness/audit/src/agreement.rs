//! Recomputes the key agreement of `frames`, version 1, and both security codes, from what was
//! signalled.
//!
//! Every item that enters a hash or an HKDF info is written as its length, two bytes big endian,
//! and then its bytes; so no two lists of items are hashed alike. The labels are spelled out here
//! and taken from nowhere else, because the judge recomputes what the devices claim and must not
//! share their mistakes.

mod code;
mod schedule;
mod two_offerers;

use sha2::{Digest, Sha256};

pub use code::{DtlsCall, SecurityCode};
pub use schedule::{KeySchedule, key_id, key_id_owner};
pub use two_offerers::demonstration;

/// A value of 32 bytes: a public key, nonce, commitment or hash.
pub type Bytes32 = [u8; 32];

/// An item too long for its length field, so that no device can have hashed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an item of {0} bytes does not fit into the two bytes of its length; look for the message that carried it"
)]
pub struct TooLong(pub usize);

/// What both devices have seen of one agreement when it is complete. Everything here is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signalled {
    /// Made by the caller's device.
    pub call_id: [u8; 16],
    /// `user@tenant`, in any case: it is hashed in lower case.
    pub caller: String,
    /// The caller's tenant, likewise.
    pub caller_tenant: String,
    /// `user@tenant`, likewise.
    pub callee: String,
    /// The callee's tenant, likewise.
    pub callee_tenant: String,
    /// 1 sealed, 0 ordinary.
    pub caller_intent: u8,
    /// 1 sealed, 0 ordinary.
    pub callee_intent: u8,
    /// In the order of the offer.
    pub offered_suites: Vec<u16>,
    /// The answer's.
    pub chosen_suite: u16,
    /// The offer's commitment, as sent.
    pub commit: Bytes32,
    /// The callee's X25519 public key.
    pub epk_callee: Bytes32,
    /// The callee's nonce.
    pub nonce_callee: Bytes32,
    /// Empty in suite 1.
    pub ek_callee: Vec<u8>,
    /// The caller's X25519 public key, as revealed.
    pub epk_caller: Bytes32,
    /// The caller's nonce, as revealed.
    pub nonce_caller: Bytes32,
    /// Empty in suite 1.
    pub ct: Vec<u8>,
}

impl Signalled {
    /// Whether what the caller revealed is what the offer committed to.
    pub fn keeps_commitment(&self) -> bool {
        commit(&self.epk_caller, &self.nonce_caller) == self.commit
    }

    /// The hash of everything but `ct`: what the security code is made from.
    ///
    /// # Errors
    /// When a name, the list of suites or `ek` has more than 65,535 bytes.
    pub fn agreed(&self) -> Result<Bytes32, TooLong> {
        let offered: Vec<u8> = self.offered_suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        hash(&[
            b"overheard/1 agreed",
            b"frames",
            &self.call_id,
            self.caller.to_lowercase().as_bytes(),
            self.caller_tenant.to_lowercase().as_bytes(),
            self.callee.to_lowercase().as_bytes(),
            self.callee_tenant.to_lowercase().as_bytes(),
            &[self.caller_intent],
            &[self.callee_intent],
            &offered,
            &self.chosen_suite.to_be_bytes(),
            &self.commit,
            &self.epk_callee,
            &self.nonce_callee,
            &self.ek_callee,
            &self.epk_caller,
            &self.nonce_caller,
        ])
    }

    /// The hash of everything: salt of the key schedule and message of both confirmations.
    ///
    /// # Errors
    /// As [`Signalled::agreed`], and for `ct`.
    pub fn transcript(&self) -> Result<Bytes32, TooLong> {
        hash(&[b"overheard/1 transcript", &self.agreed()?, &self.ct])
    }

    /// The code that both screens must show.
    ///
    /// # Errors
    /// As [`Signalled::agreed`].
    pub fn security_code(&self) -> Result<SecurityCode, TooLong> {
        Ok(SecurityCode::from_hash(&hash(&[b"overheard/1 security code", &self.agreed()?])?))
    }

    /// The keys that follow from the shared secret.
    ///
    /// # Errors
    /// As [`Signalled::transcript`].
    pub fn key_schedule(&self, z: &Bytes32) -> Result<KeySchedule, TooLong> {
        Ok(KeySchedule::new(self.transcript()?, z))
    }
}

/// The commitment of an offer.
pub fn commit(epk_caller: &Bytes32, nonce_caller: &Bytes32) -> Bytes32 {
    hash(&[b"overheard/1 commit", epk_caller, nonce_caller]).expect("three short items")
}

/// X25519 (RFC 7748 §5): a secret and the other side's public key, or the base point, give 32
/// bytes.
pub fn x25519(secret: &Bytes32, public: &Bytes32) -> Bytes32 {
    x25519_dalek::x25519(*secret, *public)
}

/// The public key of a secret.
pub fn x25519_public(secret: &Bytes32) -> Bytes32 {
    x25519_dalek::x25519(*secret, x25519_dalek::X25519_BASEPOINT_BYTES)
}

/// Whether both keys had a part in the shared secret `z`: it is not all zero (RFC 7748 §6.1).
pub fn is_contributory(z: &Bytes32) -> bool {
    *z != [0; 32]
}

/// Whether no secret can contribute with this public key, of which there are several encodings.
pub fn is_low_order(public: &Bytes32) -> bool {
    // A clamped secret is a multiple of the cofactor, so any one of them takes every point of low
    // order to zero.
    !is_contributory(&x25519(&[0; 32], public))
}

/// The items, each as its length and its bytes.
fn items(items: &[&[u8]]) -> Result<Vec<u8>, TooLong> {
    let mut written = Vec::with_capacity(items.iter().map(|item| item.len() + 2).sum());
    for item in items {
        let length = u16::try_from(item.len()).map_err(|_| TooLong(item.len()))?;
        written.extend_from_slice(&length.to_be_bytes());
        written.extend_from_slice(item);
    }
    Ok(written)
}

fn hash(list: &[&[u8]]) -> Result<Bytes32, TooLong> {
    Ok(Sha256::digest(items(list)?).into())
}

#[cfg(test)]
mod tests;
