//! The key agreement of the profile `frames`, version 1, and both security codes (design, section 1.6).
//!
//! Invariant: a secret is used once and erased when it has been used; nothing here prints one.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use model::{Kind, Role, UserId};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::entropy::Entropy;

/// The suite of X25519 and SFrame cipher suite 4.
pub const SUITE_1: u16 = 1;

/// Writes items as the agreement hashes them: u16 big-endian length, then the bytes.
fn items(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).expect("items are shorter than 64 KiB");
        bytes.extend(length.to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(items(parts)).into()
}

/// A device's half of one agreement: made for one offer or one answer, never for another.
pub struct Half {
    secret: StaticSecret,
    /// The public key.
    pub public: [u8; 32],
    /// 32 random bytes.
    pub nonce: [u8; 32],
}

impl Half {
    /// A fresh key pair and nonce.
    pub fn fresh(entropy: &Entropy) -> Self {
        Self::of(entropy.array(), entropy.array())
    }

    fn of(secret: [u8; 32], nonce: [u8; 32]) -> Self {
        let secret = StaticSecret::from(secret);
        Self { public: PublicKey::from(&secret).to_bytes(), secret, nonce }
    }

    /// The secret, for whoever asks what is still held.
    pub fn secret(&self) -> [u8; 32] {
        self.secret.to_bytes()
    }

    /// The commitment that the caller sends in its offer.
    pub fn commitment(&self) -> [u8; 32] {
        commitment(&self.public, &self.nonce)
    }
}

/// `SHA-256("overheard/1 commit", epk_caller, nonce_caller)`.
pub fn commitment(public: &[u8; 32], nonce: &[u8; 32]) -> [u8; 32] {
    hash(&[b"overheard/1 commit", public, nonce])
}

/// Everything that both devices hash before either uses the agreed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// 16 bytes made by the caller's device.
    pub call_id: [u8; 16],
    /// Who called.
    pub caller: UserId,
    /// Who was called.
    pub callee: UserId,
    /// 1 sealed, 0 ordinary.
    pub caller_intent: u8,
    /// 1 sealed, 0 ordinary.
    pub callee_intent: u8,
    /// In the order of the offer.
    pub offered_suites: Vec<u16>,
    /// One of them.
    pub chosen_suite: u16,
    /// The commitment of the offer.
    pub commit: [u8; 32],
    /// The callee's public key.
    pub epk_callee: [u8; 32],
    /// The callee's nonce.
    pub nonce_callee: [u8; 32],
    /// Empty in suite 1.
    pub ek_callee: Vec<u8>,
    /// The caller's public key.
    pub epk_caller: [u8; 32],
    /// The caller's nonce.
    pub nonce_caller: [u8; 32],
    /// Empty in suite 1.
    pub ct: Vec<u8>,
}

impl Terms {
    fn agreed(&self) -> [u8; 32] {
        let suites: Vec<u8> = self.offered_suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
        hash(&[
            b"overheard/1 agreed",
            b"frames",
            &self.call_id,
            self.caller.to_string().as_bytes(),
            self.caller.tenant.as_bytes(),
            self.callee.to_string().as_bytes(),
            self.callee.tenant.as_bytes(),
            &[self.caller_intent],
            &[self.callee_intent],
            &suites,
            &self.chosen_suite.to_be_bytes(),
            &self.commit,
            &self.epk_callee,
            &self.nonce_callee,
            &self.ek_callee,
            &self.epk_caller,
            &self.nonce_caller,
        ])
    }
}

/// The peer's public key is of low order: the agreed value is all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other device's key contributes nothing; end the call")]
pub struct LowOrder;

/// What both devices hold once the agreement is made.
pub struct Agreed {
    transcript: [u8; 32],
    prk: [u8; 32],
    code: String,
    /// Only until it is handed over.
    z: Option<[u8; 32]>,
}

impl Agreed {
    /// Agrees, and uses `own` up.
    ///
    /// # Errors
    /// When `peer` contributes nothing (RFC 7748 §6.1).
    pub fn on(terms: &Terms, own: Half, peer: &[u8; 32]) -> Result<Self, LowOrder> {
        let z = own.secret.diffie_hellman(&PublicKey::from(*peer));
        if !z.was_contributory() {
            return Err(LowOrder);
        }
        let agreed = terms.agreed();
        let transcript = hash(&[b"overheard/1 transcript", &agreed, &terms.ct]);
        let (prk, _) = Hkdf::<Sha256>::extract(Some(&transcript), z.as_bytes());
        Ok(Self {
            transcript,
            prk: prk.into(),
            code: code(&hash(&[b"overheard/1 security code", &agreed])),
            z: Some(z.to_bytes()),
        })
    }

    /// The agreed value, for the key file of the two devices and for nothing else. It is erased here (design, section
    /// 1.6 step 5), so that there is one once.
    pub fn key_file_line(&mut self, call: &str) -> Option<String> {
        self.z.take().map(|z| format!("AGREE {call} {}", hex::encode(z)))
    }

    /// The secrets that are still held, each with what it is.
    pub fn secrets(&self) -> Vec<(&'static str, Vec<u8>)> {
        let z = self.z.map(|z| ("the agreed value", z.to_vec()));
        z.into_iter().chain([("what keys are expanded from", self.prk.to_vec())]).collect()
    }

    /// The security code: four groups of five digits.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// SFrame base key of a sender and a kind, 16 bytes.
    pub fn base_key(&self, sender: Role, kind: Kind) -> [u8; 16] {
        let mut key = [0; 16];
        self.expand(&[b"overheard/1 sframe", sender.word().as_bytes(), kind.word().as_bytes()], &mut key);
        key
    }

    /// The confirmation of a sender.
    pub fn confirmation(&self, sender: Role) -> [u8; 32] {
        self.mac(sender).finalize().into_bytes().into()
    }

    /// Whether `confirmation` is that of `sender`; compared in constant time.
    pub fn confirms(&self, sender: Role, confirmation: &[u8]) -> bool {
        self.mac(sender).verify_slice(confirmation).is_ok()
    }

    fn mac(&self, sender: Role) -> Hmac<Sha256> {
        let mut key = [0; 32];
        self.expand(&[b"overheard/1 confirm", sender.word().as_bytes()], &mut key);
        Hmac::<Sha256>::new_from_slice(&key)
            .expect("HMAC takes a key of any length")
            .chain_update(self.transcript)
    }

    fn expand(&self, info: &[&[u8]], key: &mut [u8]) {
        let prk = Hkdf::<Sha256>::from_prk(&self.prk).expect("it has the length of the hash");
        prk.expand(&items(info), key).expect("the keys are shorter than 255 blocks");
    }
}

/// The reference client's own scheme, for calls of the profile `own`: X25519 and nothing around it.
pub struct Plain {
    prk: [u8; 32],
    code: String,
}

impl Plain {
    /// Agrees, and uses `own` up; `role` is whose half it is.
    ///
    /// # Errors
    /// When `peer` contributes nothing (RFC 7748 §6.1).
    pub fn on(call_id: &[u8; 16], role: Role, own: Half, peer: &[u8; 32]) -> Result<Self, LowOrder> {
        let z = own.secret.diffie_hellman(&PublicKey::from(*peer));
        if !z.was_contributory() {
            return Err(LowOrder);
        }
        let (caller, callee) = match role {
            Role::Caller => (&own.public, peer),
            Role::Callee => (peer, &own.public),
        };
        let agreed = hash(&[b"overheard own", call_id, caller, callee]);
        let (prk, _) = Hkdf::<Sha256>::extract(Some(&agreed), z.as_bytes());
        Ok(Self { prk: prk.into(), code: code(&hash(&[b"overheard own code", &agreed])) })
    }

    /// The security code: four groups of five digits.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// SFrame base key of a sender and a kind, 16 bytes.
    pub fn base_key(&self, sender: Role, kind: Kind) -> [u8; 16] {
        let mut key = [0; 16];
        let prk = Hkdf::<Sha256>::from_prk(&self.prk).expect("it has the length of the hash");
        let info = items(&[b"overheard own sframe", sender.word().as_bytes(), kind.word().as_bytes()]);
        prk.expand(&info, &mut key).expect("the key is shorter than 255 blocks");
        key
    }
}

/// The code of the profile `dtls`, from the fingerprints of the certificates seen in the handshake.
pub fn dtls_code(
    call_id: &[u8; 16],
    caller: &UserId,
    callee: &UserId,
    fingerprints: [&[u8; 32]; 2],
) -> String {
    code(&hash(&[
        b"overheard/1 dtls code",
        call_id,
        caller.to_string().as_bytes(),
        caller.tenant.as_bytes(),
        callee.to_string().as_bytes(),
        callee.tenant.as_bytes(),
        fingerprints[0],
        fingerprints[1],
    ]))
}

/// First 16 bytes, big endian, modulo 10^20, padded to 20 digits, four groups of five.
fn code(hash: &[u8; 32]) -> String {
    let number = hash.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let digits = format!("{:020}", number % 100_000_000_000_000_000_000);
    [&digits[..5], &digits[5..10], &digits[10..15], &digits[15..]].join(" ")
}

/// The SFrame key id of a sender and a kind.
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

/// The marker of frame `n` of a sender and a kind (design, section 1.7).
pub fn canary(call_id: &[u8; 16], sender: Role, kind: Kind, n: u32) -> [u8; 32] {
    let sender = sender.word().as_bytes();
    hash(&[b"overheard/1 canary", call_id, sender, kind.word().as_bytes(), &n.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn bytes<const N: usize>(value: &Value) -> [u8; N] {
        hex::decode(value.as_str().expect("hex")).expect("hex").try_into().expect("the length")
    }

    fn party(value: &Value) -> UserId {
        value.as_str().expect("a party").parse().expect("a party")
    }

    fn number(value: &Value) -> u16 {
        u16::try_from(value.as_u64().expect("a number")).expect("16 bits")
    }

    #[test]
    fn the_worked_examples_come_out() {
        let file: Value = serde_json::from_str(include_str!("../vectors/agreement.json")).expect("JSON");
        let examples = file["examples"].as_array().expect("examples");
        assert_eq!(examples.len(), 4);
        for example in examples {
            let inputs = &example["inputs"];
            let caller = Half::of(bytes(&inputs["caller_secret"]), bytes(&inputs["caller_nonce"]));
            let callee = Half::of(bytes(&inputs["callee_secret"]), bytes(&inputs["callee_nonce"]));
            assert_eq!(caller.commitment(), bytes(&example["commit"]));
            let suites = inputs["offered_suites"].as_array().expect("suites").iter().map(number).collect();
            let terms = Terms {
                call_id: bytes(&inputs["call_id"]),
                caller: party(&inputs["caller"]),
                callee: party(&inputs["callee"]),
                caller_intent: number(&inputs["caller_intent"]) as u8,
                callee_intent: number(&inputs["callee_intent"]) as u8,
                offered_suites: suites,
                chosen_suite: number(&inputs["chosen_suite"]),
                commit: caller.commitment(),
                epk_callee: callee.public,
                nonce_callee: callee.nonce,
                ek_callee: Vec::new(),
                epk_caller: caller.public,
                nonce_caller: caller.nonce,
                ct: Vec::new(),
            };
            assert_eq!(terms.agreed(), bytes(&example["agreed"]));
            let public = callee.public;
            let mut agreed = Agreed::on(&terms, caller, &public).expect("contributory");
            assert_eq!(agreed.z, Some(bytes(&example["z"])));
            assert_eq!(agreed.secrets()[1].1, bytes::<32>(&example["prk"]));
            let line = format!("AGREE 00 {}", example["z"].as_str().expect("hex"));
            assert_eq!((agreed.key_file_line("00"), agreed.key_file_line("00")), (Some(line), None));
            assert_eq!(agreed.secrets().len(), 1, "the agreed value is handed over once and gone");
            let keys = example["sframe_base_keys_by_key_id"].as_array().expect("keys");
            for (sender, kind) in Role::ALL.iter().flat_map(|r| Kind::ALL.iter().map(move |k| (*r, *k))) {
                let at = usize::try_from(key_id(sender, kind)).expect("small");
                assert_eq!(agreed.base_key(sender, kind), bytes(&keys[at]));
            }
            for role in Role::ALL {
                let confirmation = bytes::<32>(&example["confirmations"][role.word()]);
                assert_eq!(agreed.confirmation(*role), confirmation);
                assert!(
                    agreed.confirms(*role, &confirmation) && !agreed.confirms(role.other(), &confirmation)
                );
            }
            assert_eq!(agreed.code(), example["security_code"].as_str().expect("a code"));
            let seen = ["caller_fingerprint", "callee_fingerprint"].map(|key| bytes::<32>(&inputs[key]));
            let code = dtls_code(&terms.call_id, &terms.caller, &terms.callee, [&seen[0], &seen[1]]);
            assert_eq!(code, example["dtls_security_code"].as_str().expect("a code"));
        }
    }

    #[test]
    fn both_sides_of_the_own_scheme_hold_the_same_keys_and_code() {
        let half = |byte| Half::of([byte; 32], [0; 32]);
        let agreed = |role, own, other| {
            let agreed = Plain::on(&[1; 16], role, half(own), &half(other).public).expect("contributory");
            (agreed.code().to_owned(), agreed.base_key(Role::Caller, Kind::Audio))
        };
        assert_eq!(agreed(Role::Caller, 7, 8), agreed(Role::Callee, 8, 7));
        assert_ne!(agreed(Role::Caller, 7, 8), agreed(Role::Callee, 9, 7));
        assert_eq!(Plain::on(&[1; 16], Role::Caller, half(7), &[0; 32]).err(), Some(LowOrder));
    }

    #[test]
    fn a_low_order_key_ends_the_agreement() {
        let half = Half::of([7; 32], [8; 32]);
        let terms = Terms {
            call_id: [0; 16],
            caller: UserId::new("a", "t"),
            callee: UserId::new("b", "t"),
            caller_intent: 1,
            callee_intent: 1,
            offered_suites: vec![SUITE_1],
            chosen_suite: SUITE_1,
            commit: [0; 32],
            epk_callee: [0; 32],
            nonce_callee: [0; 32],
            ek_callee: vec![],
            epk_caller: half.public,
            nonce_caller: half.nonce,
            ct: vec![],
        };
        assert_eq!(Agreed::on(&terms, half, &[0; 32]).err(), Some(LowOrder));
    }
}
