//! Keys straight from the RFCs over the crypto libraries; no code of the judge is used.

use aes::Aes128;
use ctr::cipher::BlockCipherEncrypt;
use ring::aead::{AES_128_GCM, LessSafeKey, UnboundKey};

/// Block `counter` of the key of `label` (RFC 3711 §4.3, RFC 7714 §11).
pub fn derived(cipher: &Aes128, salt: &[u8], label: u8, counter: u8) -> [u8; 16] {
    let mut block = [0; 16];
    block[..salt.len()].copy_from_slice(salt);
    block[7] ^= label;
    block[15] = counter;
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    block.into()
}

/// A key of AES-128-GCM.
pub fn gcm(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).expect("16 bytes"))
}

/// What a derivation of SFrame suite 4 expands with (RFC 9605 §4.4.2).
pub fn sframe_info(label: &str, key_id: u64) -> Vec<u8> {
    [b"SFrame 1.0 Secret ", label.as_bytes(), b" ", &key_id.to_be_bytes(), &[0, 4]].concat()
}
