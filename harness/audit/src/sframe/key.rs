//! From a base key to an opened frame (RFC 9605 §4.4).

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::cipher::Cipher;
use super::{Header, Suite};

/// Opens the frames of one base key under one key id. It has no memory of what it opened, so a
/// replay opens again.
pub struct FrameOpener {
    key_id: u64,
    cipher: Cipher,
    salt: [u8; 12],
}

impl FrameOpener {
    /// Derives key and salt (RFC 9605 §4.4.2). A base key may have any length.
    pub fn new(suite: Suite, key_id: u64, base_key: &[u8]) -> Self {
        let mut key = [0; 48];
        let mut salt = [0; 12];
        let key = &mut key[..suite.key_length()];
        if suite == Suite::Aes256Gcm {
            let secret = Hkdf::<Sha512>::new(None, base_key);
            secret.expand(&info(KEY, key_id, suite), key).expect("32 bytes are one hash");
            secret.expand(&info(SALT, key_id, suite), &mut salt).expect("12 bytes are one hash");
        } else {
            let secret = Hkdf::<Sha256>::new(None, base_key);
            secret.expand(&info(KEY, key_id, suite), key).expect("48 bytes are two hashes");
            secret.expand(&info(SALT, key_id, suite), &mut salt).expect("12 bytes are one hash");
        }
        Self::keyed(suite, key_id, key, salt)
    }

    fn keyed(suite: Suite, key_id: u64, key: &[u8], salt: [u8; 12]) -> Self {
        let cipher = Cipher::new(suite, key).expect("the key has the length of its suite");
        Self { key_id, cipher, salt }
    }

    /// The key id of the frames that it can open.
    pub const fn key_id(&self) -> u64 {
        self.key_id
    }

    /// Opens one frame: header, ciphertext and tag. `metadata` is what was authenticated and did
    /// not travel with it, empty in `frames`. None when the frame has another key id, the tag does
    /// not fit, or it is no frame.
    pub fn open(&self, frame: &[u8], metadata: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        self.open_into(frame, metadata, &mut plain).then_some(plain)
    }

    /// Does what [`FrameOpener::open`] does without a new allocation; `plain` means nothing unless
    /// it returns true.
    pub fn open_into(&self, frame: &[u8], metadata: &[u8], plain: &mut Vec<u8>) -> bool {
        match Header::parse(frame) {
            Some(header) if header.key_id == self.key_id => {
                self.open_body(frame, header, metadata, plain).is_some()
            }
            _ => false,
        }
    }

    fn open_body(&self, frame: &[u8], header: Header, metadata: &[u8], plain: &mut Vec<u8>) -> Option<()> {
        let (head, sealed) = frame.split_at_checked(header.length)?;
        plain.clear();
        plain.extend_from_slice(sealed);
        let length = self.cipher.open(nonce(self.salt, header.counter), head, metadata, plain)?;
        plain.truncate(length);
        Some(())
    }
}

/// The sweep's way: many guessed base keys against frames of suite 4 without metadata.
///
/// What does not depend on the guess is computed once.
pub struct Guesses {
    /// HMAC under the empty salt, ready for the base key.
    extract: Hmac<Sha256>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { extract: Hmac::new_from_slice(&[]).expect("HMAC takes keys of any length") }
    }
}

impl Guesses {
    /// What follows from one guessed `base_key`, of any length, before the key id is known.
    pub fn guess(&self, base_key: &[u8]) -> Guess {
        let mut secret = self.extract.clone();
        secret.update(base_key);
        let secret: [u8; 32] = secret.finalize().into_bytes().into();
        Guess { secret: Hmac::new_from_slice(&secret).expect("HMAC takes keys of any length") }
    }

    /// Whether `base_key`, of any length, opens `frame` under the frame's own key id. `scratch` is
    /// overwritten.
    pub fn fits(&self, base_key: &[u8], frame: &[u8], scratch: &mut Vec<u8>) -> bool {
        self.guess(base_key).fits(frame, scratch)
    }
}

/// One guessed base key, to be tried on frames of several key ids.
pub struct Guess {
    /// HMAC under the extracted secret.
    secret: Hmac<Sha256>,
}

impl Guess {
    /// Whether it opens `frame` under the frame's own key id. `scratch` is overwritten.
    pub fn fits(&self, frame: &[u8], scratch: &mut Vec<u8>) -> bool {
        let suite = Suite::Aes128Gcm;
        let Some(header) = Header::parse(frame) else { return false };
        let (key, salt) = self.derived(header.key_id);
        FrameOpener::keyed(suite, header.key_id, &key, salt).open_body(frame, header, &[], scratch).is_some()
    }

    /// Key and salt of suite 4 under `key_id`.
    pub fn derived(&self, key_id: u64) -> ([u8; 16], [u8; 12]) {
        let key = first_block(&self.secret, KEY, key_id, Suite::Aes128Gcm);
        let salt = first_block(&self.secret, SALT, key_id, Suite::Aes128Gcm);
        let (mut short_key, mut short_salt) = ([0; 16], [0; 12]);
        short_key.copy_from_slice(&key[..16]);
        short_salt.copy_from_slice(&salt[..12]);
        (short_key, short_salt)
    }
}

/// The first block of an HKDF expansion (RFC 5869 §2.3).
fn first_block(secret: &Hmac<Sha256>, label: &[u8], key_id: u64, suite: Suite) -> [u8; 32] {
    let mut mac = secret.clone();
    for part in [label, &key_id.to_be_bytes(), &suite.number().to_be_bytes(), &[1]] {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

const KEY: &[u8; 22] = b"SFrame 1.0 Secret key ";
const SALT: &[u8; 23] = b"SFrame 1.0 Secret salt ";

/// The label, the key id and the suite: what the key or the salt is expanded with.
fn info(label: &[u8], key_id: u64, suite: Suite) -> Vec<u8> {
    [label, &key_id.to_be_bytes(), &suite.number().to_be_bytes()].concat()
}

/// The salt, over which the counter is laid (RFC 9605 §4.4.3).
fn nonce(salt: [u8; 12], counter: u64) -> [u8; 12] {
    let mut nonce = salt;
    for (byte, counter) in nonce[4..].iter_mut().zip(counter.to_be_bytes()) {
        *byte ^= counter;
    }
    nonce
}
