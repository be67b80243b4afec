//! Opens the handshake of DTLS 1.3 (RFC 9147) from logged traffic secrets: what both sides say behind the two hellos.
//!
//! Invariant: a record counts only when its tag fits; its epoch alone says nothing.

use ring::aead::quic::{self, HeaderProtectionKey};
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sha2::{Sha256, Sha384};

use crate::dissect::dtls::{CONTENT_HANDSHAKE, Protected, protected};
use crate::dtls_exporter::expand_label;

/// Low bits of the epoch of the handshake (RFC 9147 §6.1).
const HANDSHAKE_EPOCH: u8 = 2;
/// Bytes of ciphertext from which the mask of a record number is made (RFC 9147 §4.2.3).
const SAMPLE: usize = 16;

/// Opens what one side sends during the handshake.
pub struct Opener {
    key: LessSafeKey,
    iv: [u8; 12],
    numbers: HeaderProtectionKey,
}

impl Opener {
    /// From a handshake traffic secret; none for a suite of another version, or a secret that does not fit it.
    pub fn new(suite: u16, secret: &[u8]) -> Option<Self> {
        let (cipher, numbers): (&'static Algorithm, &'static quic::Algorithm) = match suite {
            0x1301 => (&AES_128_GCM, &quic::AES_128),
            0x1302 => (&AES_256_GCM, &quic::AES_256),
            0x1303 => (&CHACHA20_POLY1305, &quic::CHACHA20),
            _ => return None,
        };
        let expand = |label: &[u8], length: usize| {
            let mut out = vec![0; length];
            match (suite, secret.len()) {
                (0x1301 | 0x1303, 32) => expand_label::<Sha256>(secret, label, &[], &mut out)?,
                (0x1302, 48) => expand_label::<Sha384>(secret, label, &[], &mut out)?,
                _ => return None,
            }
            Some(out)
        };
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(cipher, &expand(b"key", cipher.key_len())?).ok()?),
            iv: expand(b"iv", 12)?.try_into().ok()?,
            numbers: HeaderProtectionKey::new(numbers, &expand(b"sn", numbers.key_len())?).ok()?,
        })
    }

    /// Handshake messages, cut as they were sent, of every record of a datagram that opens.
    pub fn open(&self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let records = protected(datagram).into_iter().filter(|record| record.epoch == HANDSHAKE_EPOCH);
        records.filter_map(|record| self.record(&record)).collect()
    }

    fn record(&self, record: &Protected<'_>) -> Option<Vec<u8>> {
        let mask = self.numbers.new_mask(record.body.get(..SAMPLE)?).ok()?;
        let mut header = record.header.to_vec();
        let mut nonce = self.iv;
        let number = header.get_mut(1..1 + record.number_length)?;
        for (byte, mask) in number.iter_mut().zip(mask) {
            *byte ^= mask;
        }
        // A handshake has fewer records than its number can count, so the bits that are not sent are zero.
        for (byte, number) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *byte ^= number;
        }
        let mut plain = record.body.to_vec();
        // The header is authenticated as it is before its number is masked (RFC 9147 §4).
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(&header), &mut plain).ok()?;
        // RFC 8446 §5.2: content, type, zeros.
        let (content, inner) = {
            let end = opened.iter().rposition(|byte| *byte != 0)?;
            (opened.get(..end)?.to_vec(), *opened.get(end)?)
        };
        (inner == CONTENT_HANDSHAKE).then_some(content)
    }
}

#[cfg(test)]
mod tests;
