//! Session keys from master keys (RFC 3711 §4.3, RFC 7714 §11), at a key derivation rate of 0.

use aes::{Aes128, Aes256};
use ctr::cipher::consts::U16;
use ctr::cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipherCore};
use ctr::{CtrCore, flavors};

/// The label of the cipher key of RTP; the authentication key and the salt have the two labels
/// after it.
pub(super) const RTP: u8 = 0;
/// The label of the cipher key of RTCP, likewise.
pub(super) const RTCP: u8 = 3;

/// What one of RTP and RTCP is sealed with. Each array is filled from its start as far as the
/// profile needs it.
pub(super) struct SessionKeys {
    /// Cipher key: as long as the master key.
    pub cipher: Vec<u8>,
    /// Key of HMAC-SHA-1; all 20 bytes, whatever the length of the tag (RFC 3711 §5.2).
    pub authentication: [u8; 20],
    /// Salt, with zero bytes after those of the profile.
    pub salt: [u8; 14],
}

impl SessionKeys {
    /// Derives the three keys at `first_label`, [`RTP`] or [`RTCP`].
    pub fn derive(master: &[u8], master_salt: &[u8], first_label: u8) -> Self {
        let mut keys = Self { cipher: vec![0; master.len()], authentication: [0; 20], salt: [0; 14] };
        derive(master, master_salt, first_label, &mut keys.cipher);
        derive(master, master_salt, first_label + 1, &mut keys.authentication);
        let salt_length = master_salt.len().min(keys.salt.len());
        derive(master, master_salt, first_label + 2, &mut keys.salt[..salt_length]);
        keys
    }
}

/// Fills `out` with the key of `label`; see [`derive_all`].
pub(super) fn derive(master: &[u8], master_salt: &[u8], label: u8, out: &mut [u8]) {
    derive_all(master, master_salt, [label], [out]);
}

/// Fills each of `out` with the key of its label; the master key is scheduled once. The salt of GCM is
/// 12 bytes and counts as 14 with two zero bytes after them (RFC 7714 §11). A master key that is
/// neither 16 nor 32 bytes long derives nothing but zero bytes.
pub(super) fn derive_all<const N: usize>(
    master: &[u8],
    master_salt: &[u8],
    labels: [u8; N],
    out: [&mut [u8]; N],
) {
    if let Ok(cipher) = Aes128::new_from_slice(master) {
        fill(&cipher, master_salt, labels, out);
    } else if let Ok(cipher) = Aes256::new_from_slice(master) {
        fill(&cipher, master_salt, labels, out);
    } else {
        out.into_iter().for_each(|out| out.fill(0));
    }
}

fn fill<C, const N: usize>(cipher: &C, master_salt: &[u8], labels: [u8; N], out: [&mut [u8]; N])
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    for (label, out) in labels.into_iter().zip(out) {
        let mut block = [0; 16];
        let salt_length = master_salt.len().min(14);
        block[..salt_length].copy_from_slice(&master_salt[..salt_length]);
        block[7] ^= label;
        out.fill(0);
        CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(cipher, &block.into())
            .apply_keystream_partial(out.into());
    }
}
