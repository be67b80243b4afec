//! The two families of SFrame ciphers, keyed once: AES-GCM, and AES in counter mode with
//! HMAC-SHA-256 (RFC 9605 §4.5.1).

use aes::Aes128;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

use super::Suite;

/// A keyed cipher.
pub(super) enum Cipher {
    CounterMode { cipher: Aes128, authentication: Hmac<Sha256>, tag_length: usize },
    Gcm(LessSafeKey),
}

impl Cipher {
    /// None when `key` has another length than the suite's.
    pub fn new(suite: Suite, key: &[u8]) -> Option<Self> {
        let gcm = |algorithm| Some(Self::Gcm(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?)));
        match suite {
            Suite::Aes128Gcm => gcm(&AES_128_GCM),
            Suite::Aes256Gcm => gcm(&AES_256_GCM),
            Suite::Aes128CtrTag80 | Suite::Aes128CtrTag64 | Suite::Aes128CtrTag32 => {
                let (cipher, authentication) = key.split_at_checked(16)?;
                Some(Self::CounterMode {
                    cipher: Aes128::new_from_slice(cipher).ok()?,
                    authentication: Hmac::new_from_slice(authentication).ok()?,
                    tag_length: suite.tag_length(),
                })
            }
        }
    }

    /// Opens ciphertext and tag in place and returns the length of the plaintext, or nothing when
    /// the tag does not fit. The additional data are `header` and then `metadata`.
    pub fn open(&self, nonce: [u8; 12], header: &[u8], metadata: &[u8], sealed: &mut [u8]) -> Option<usize> {
        match self {
            Self::Gcm(key) if metadata.is_empty() => open_gcm(key, nonce, header, sealed),
            Self::Gcm(key) => open_gcm(key, nonce, &[header, metadata].concat(), sealed),
            Self::CounterMode { cipher, authentication, tag_length } => {
                let length = sealed.len().checked_sub(*tag_length)?;
                let (ciphertext, tag) = sealed.split_at_mut_checked(length)?;
                let mut mac = authentication.clone();
                for number in [header.len() + metadata.len(), length, *tag_length] {
                    mac.update(&(number as u64).to_be_bytes());
                }
                for part in [&nonce[..], header, metadata, ciphertext] {
                    mac.update(part);
                }
                mac.verify_truncated_left(tag).ok()?;
                let mut block = [0; 16];
                block[..12].copy_from_slice(&nonce);
                CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(cipher, &block.into())
                    .apply_keystream_partial(ciphertext.into());
                Some(length)
            }
        }
    }
}

fn open_gcm(key: &LessSafeKey, nonce: [u8; 12], additional: &[u8], sealed: &mut [u8]) -> Option<usize> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.open_in_place(nonce, Aad::from(additional), sealed).ok().map(|plain| plain.len())
}
