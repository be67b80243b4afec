//! Record keys from traffic secrets (RFC 8446 §7.1 to §7.3).

use hkdf::Hkdf;
use ring::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use sha2::{Sha256, Sha384};

/// A cipher suite that can be opened (RFC 8446 appendix B.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CipherSuite {
    /// `TLS_AES_128_GCM_SHA256`, 0x1301: the suite of our signalling.
    Aes128GcmSha256,
    /// `TLS_AES_256_GCM_SHA384`, 0x1302.
    Aes256GcmSha384,
    /// `TLS_CHACHA20_POLY1305_SHA256`, 0x1303.
    Chacha20Poly1305Sha256,
}

impl CipherSuite {
    /// The suite of that number.
    pub const fn numbered(number: u16) -> Option<Self> {
        Some(match number {
            0x1301 => Self::Aes128GcmSha256,
            0x1302 => Self::Aes256GcmSha384,
            0x1303 => Self::Chacha20Poly1305Sha256,
            _ => return None,
        })
    }

    /// Bytes of its traffic secrets.
    const fn secret_length(self) -> usize {
        match self {
            Self::Aes128GcmSha256 | Self::Chacha20Poly1305Sha256 => 32,
            Self::Aes256GcmSha384 => 48,
        }
    }

    fn cipher(self) -> &'static Algorithm {
        match self {
            Self::Aes128GcmSha256 => &AES_128_GCM,
            Self::Aes256GcmSha384 => &AES_256_GCM,
            Self::Chacha20Poly1305Sha256 => &CHACHA20_POLY1305,
        }
    }

    /// HKDF-Expand-Label with an empty context: `length` bytes, at most 48.
    fn expand(self, secret: &[u8], label: &[u8], length: u8) -> Option<Vec<u8>> {
        let label_length = u8::try_from(b"tls13 ".len() + label.len()).ok()?;
        let info = [&[0, length, label_length][..], b"tls13 ", label, &[0]].concat();
        let mut out = vec![0; usize::from(length)];
        match self {
            Self::Aes128GcmSha256 | Self::Chacha20Poly1305Sha256 => {
                Hkdf::<Sha256>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?;
            }
            Self::Aes256GcmSha384 => {
                Hkdf::<Sha384>::from_prk(secret).ok()?.expand(&info, &mut out).ok()?;
            }
        }
        Some(out)
    }
}

/// The keys of one direction in one epoch, and the number of the next record.
pub(super) struct RecordKeys {
    suite: CipherSuite,
    secret: Vec<u8>,
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

impl RecordKeys {
    /// None when the secret has another length than the suite's.
    pub fn new(suite: CipherSuite, secret: &[u8]) -> Option<Self> {
        if secret.len() != suite.secret_length() {
            return None;
        }
        let cipher = suite.cipher();
        let key = suite.expand(secret, b"key", u8::try_from(cipher.key_len()).ok()?)?;
        Some(Self {
            suite,
            secret: secret.to_vec(),
            key: LessSafeKey::new(UnboundKey::new(cipher, &key).ok()?),
            iv: suite.expand(secret, b"iv", 12)?.try_into().ok()?,
            sequence: 0,
        })
    }

    /// The keys after a KeyUpdate (RFC 8446 §7.2).
    pub fn next(&self) -> Option<Self> {
        let length = u8::try_from(self.secret.len()).ok()?;
        Self::new(self.suite, &self.suite.expand(&self.secret, b"traffic upd", length)?)
    }

    /// Opens the body of the next record, whose header is the additional data. The number moves on
    /// only when the tag fits.
    pub fn open(&mut self, header: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = self.iv;
        for (byte, sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        let mut plain = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = self.key.open_in_place(nonce, Aad::from(header), &mut plain).ok()?.len();
        plain.truncate(length);
        self.sequence += 1;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_expanded_as_published() {
        // RFC 8448 §3: the server's handshake write key and iv.
        let secret = hex::decode("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let expand = |label: &[u8], length| {
            let secret = secret.as_ref().expect("hex");
            CipherSuite::Aes128GcmSha256.expand(secret, label, length).map(hex::encode)
        };
        assert_eq!(expand(b"key", 16).as_deref(), Some("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand(b"iv", 12).as_deref(), Some("5d313eb2671276ee13000b30"));
        assert_ne!(expand(b"key", 12), expand(b"iv", 12));
    }

    #[test]
    fn only_secrets_of_the_suites_length_make_keys() {
        for (number, length) in [(0x1301, 32), (0x1302, 48), (0x1303, 32)] {
            let suite = CipherSuite::numbered(number).expect("a suite");
            for found in [0, 16, 32, 48, 64] {
                assert_eq!(RecordKeys::new(suite, &vec![1; found]).is_some(), found == length);
            }
        }
        assert_eq!(CipherSuite::numbered(0x1304), None);
    }
}
