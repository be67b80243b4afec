//! The two families of ciphers of SRTP, keyed once and used for every packet: AES in counter mode
//! with HMAC-SHA-1 (RFC 3711 §4), and AES-GCM (RFC 7714).

use aes::{Aes128, Aes256};
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;

use super::Profile;
use super::derivation::SessionKeys;

/// The keyed cipher of RTP or of RTCP.
pub(super) enum Cipher {
    CounterMode(CounterMode),
    Gcm(Gcm),
}

impl Cipher {
    /// None when the keys have no length of the profile's.
    pub fn new(profile: Profile, keys: &SessionKeys, tag_length: usize) -> Option<Self> {
        if profile.is_counter_mode() {
            return Some(Self::CounterMode(CounterMode::new(keys, tag_length)?));
        }
        Some(Self::Gcm(Gcm::new(keys)?))
    }
}

/// AES in counter mode under a truncated HMAC-SHA-1.
pub(super) struct CounterMode {
    cipher: Aes,
    authentication: Hmac<Sha1>,
    salt: [u8; 14],
    /// Bytes that are left of the HMAC.
    pub tag_length: usize,
}

impl CounterMode {
    fn new(keys: &SessionKeys, tag_length: usize) -> Option<Self> {
        Some(Self {
            cipher: Aes::new(&keys.cipher)?,
            authentication: authenticator(&keys.authentication)?,
            salt: keys.salt,
            tag_length,
        })
    }

    /// Whether `tag` is the HMAC over `parts`, cut to the length of the tag.
    pub fn tag_fits(&self, parts: [&[u8]; 2], tag: &[u8]) -> bool {
        tag_fits(self.authentication.clone(), parts, tag)
    }

    /// Opens `body`: the counter starts at the salt, over which SSRC and `index`, of 48 bits, are
    /// laid (RFC 3711 §4.1.1).
    pub fn apply(&self, ssrc: u32, index: u64, body: &mut [u8]) {
        let mut block = [0; 16];
        block[..14].copy_from_slice(&self.salt);
        xor(&mut block[4..8], &ssrc.to_be_bytes());
        xor(&mut block[8..14], &index.to_be_bytes()[2..]);
        match &self.cipher {
            Aes::Short(cipher) => CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(cipher, &block.into())
                .apply_keystream_partial(body.into()),
            Aes::Long(cipher) => CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(cipher, &block.into())
                .apply_keystream_partial(body.into()),
        }
    }
}

/// AES with a key of 16 bytes, or of 32 (RFC 6188).
enum Aes {
    Short(Aes128),
    Long(Aes256),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        let short = Aes128::new_from_slice(key).ok().map(Self::Short);
        short.or_else(|| Some(Self::Long(Aes256::new_from_slice(key).ok()?)))
    }
}

/// HMAC-SHA-1 under the authentication key; its two padded key blocks are hashed here, once.
pub(super) fn authenticator(key: &[u8]) -> Option<Hmac<Sha1>> {
    Hmac::new_from_slice(key).ok()
}

/// Whether `tag` is what `mac` makes of `parts`, cut to the length of the tag.
pub(super) fn tag_fits(mut mac: Hmac<Sha1>, parts: [&[u8]; 2], tag: &[u8]) -> bool {
    for part in parts {
        mac.update(part);
    }
    mac.verify_truncated_left(tag).is_ok()
}

/// AES-GCM with 16 bytes of tag.
pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; 12],
}

impl Gcm {
    fn new(keys: &SessionKeys) -> Option<Self> {
        let mut salt = [0; 12];
        salt.copy_from_slice(keys.salt.get(..12)?);
        Self::keyed(&keys.cipher, salt)
    }

    /// From a session key of 16 or 32 bytes and a session salt.
    pub fn keyed(key: &[u8], salt: [u8; 12]) -> Option<Self> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        Some(Self { key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?), salt })
    }

    /// Opens ciphertext and tag in place and returns the length of the plaintext, or nothing when
    /// the tag does not fit. The nonce is the salt, over which SSRC and `index`, of 48 bits, are
    /// laid (RFC 7714 §8.1, §9.1).
    pub fn open(&self, ssrc: u32, index: u64, header: &[u8], sealed: &mut [u8]) -> Option<usize> {
        let mut nonce = self.salt;
        xor(&mut nonce[2..6], &ssrc.to_be_bytes());
        xor(&mut nonce[6..12], &index.to_be_bytes()[2..]);
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.open_in_place(nonce, Aad::from(header), sealed).ok().map(|plain| plain.len())
    }
}

fn xor(bytes: &mut [u8], mask: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}
