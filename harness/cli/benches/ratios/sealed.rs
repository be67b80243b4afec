//! Packets sealed straight from the RFCs over the crypto libraries.
//!
//! Invariant: no code of the judge is used, so that what it opens was sealed by somebody else.

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyInit, KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use ring::aead::{Aad, Nonce};
use sha1::Sha1;
use sha2::Sha256;

use crate::session::{derived, gcm, sframe_info};

/// SSRC of every packet.
const SSRC: [u8; 4] = [1, 2, 3, 4];

/// The header of packet `sequence`, Opus at 20 ms.
pub fn header(sequence: u16) -> Vec<u8> {
    let timestamp = u32::from(sequence) * 960;
    [&[0x80, 111][..], &sequence.to_be_bytes(), &timestamp.to_be_bytes(), &SSRC].concat()
}

/// Key of HMAC-SHA-1 of RTP: two blocks, of the second 4 bytes.
pub fn authentication(cipher: &Aes128, salt: &[u8]) -> [u8; 20] {
    let mut key = [0; 20];
    key[..16].copy_from_slice(&derived(cipher, salt, 1, 0));
    key[16..].copy_from_slice(&derived(cipher, salt, 1, 1)[..4]);
    key
}

/// The nonce of a packet of AES-GCM with a rollover counter of 0 (RFC 7714 §8.1).
pub fn nonce(salt: &[u8; 16], sequence: u16) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[2..6].copy_from_slice(&SSRC);
    nonce[10..].copy_from_slice(&sequence.to_be_bytes());
    for (byte, salt) in nonce.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    nonce
}

fn seal(key: &[u8], nonce: [u8; 12], head: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut sealed = payload.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    gcm(key).seal_in_place_append_tag(nonce, Aad::from(head), &mut sealed).expect("a short packet");
    [head, &sealed].concat()
}

/// A packet of `SRTP_AES128_CM_HMAC_SHA1_80`: master key and salt of 30 bytes.
pub fn counter_mode(master: &[u8], sequence: u16, payload: &[u8]) -> Vec<u8> {
    let (key, salt) = master.split_at(16);
    let cipher = Aes128::new_from_slice(key).expect("16 bytes");
    let mut block = derived(&cipher, salt, 2, 0);
    block[14..].fill(0);
    for (at, byte) in SSRC.iter().enumerate() {
        block[4 + at] ^= byte;
    }
    for (at, byte) in sequence.to_be_bytes().iter().enumerate() {
        block[12 + at] ^= byte;
    }
    let mut sealed = payload.to_vec();
    Ctr128BE::<Aes128>::new(&derived(&cipher, salt, 0, 0).into(), &block.into()).apply_keystream(&mut sealed);
    let mut packet = [header(sequence), sealed].concat();
    let mut mac = Hmac::<Sha1>::new_from_slice(&authentication(&cipher, salt)).expect("any length");
    mac.update(&packet);
    mac.update(&[0; 4]);
    packet.extend(&mac.finalize().into_bytes()[..10]);
    packet
}

/// A packet of `SRTP_AEAD_AES_128_GCM`: master key and salt of 28 bytes.
pub fn galois(master: &[u8], sequence: u16, payload: &[u8]) -> Vec<u8> {
    let (key, salt) = master.split_at(16);
    let cipher = Aes128::new_from_slice(key).expect("16 bytes");
    let nonce = nonce(&derived(&cipher, salt, 2, 0), sequence);
    seal(&derived(&cipher, salt, 0, 0), nonce, &header(sequence), payload)
}

/// A frame of SFrame suite 4 under key id 0 with a counter of 8 to 255.
pub fn sframe(base_key: &[u8], counter: u8, payload: &[u8]) -> Vec<u8> {
    let (mut key, mut salt) = ([0; 16], [0; 12]);
    let secret = Hkdf::<Sha256>::new(None, base_key);
    secret.expand(&sframe_info("key", 0), &mut key).expect("one block");
    secret.expand(&sframe_info("salt", 0), &mut salt).expect("one block");
    salt[11] ^= counter;
    seal(&key, salt, &[0x08, counter], payload)
}
