//! The engine's cryptography with a tap: it shows the DTLS master secret and takes random bytes from the owner.
//!
//! The tap relies on the shape of an internal call (the first round of the PRF signs label and randoms in one
//! piece), so the engine's version is pinned and a test fails when the tap stays empty.

use std::sync::Arc;

use rtc_crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac, PublicKey,
    RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm,
};

use super::KeySink;
use crate::entropy::Entropy;

/// The label of the DTLS-SRTP exporter (RFC 5764 §4.2), as the PRF signs it before the two randoms.
const EXPORTER_LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

/// A provider that passes everything on.
pub(super) struct TappedProvider {
    crypto: TappedCrypto,
    random: OwnersRandom,
}

struct TappedCrypto {
    inner: Arc<dyn RTCCryptoProvider>,
    keys: KeySink,
}

struct OwnersRandom(Arc<Entropy>);

impl TappedProvider {
    pub(super) fn new(keys: KeySink, entropy: Arc<Entropy>) -> Result<Self, CryptoError> {
        let inner = rtc_crypto::default_provider()?;
        Ok(Self { crypto: TappedCrypto { inner, keys }, random: OwnersRandom(entropy) })
    }
}

impl RTCCryptoProvider for TappedProvider {
    fn name(&self) -> &'static str {
        "overheard"
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        &self.crypto
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

impl RTCRandom for OwnersRandom {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(output);
        Ok(())
    }
}

impl RTCCrypto for TappedCrypto {
    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.inner.crypto().supports(algorithm)
    }

    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.crypto().hash(algorithm, data)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.inner.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        let inner = self.inner.crypto().new_hmac(algorithm, key)?;
        if algorithm != HmacAlgorithm::Sha256 {
            return Ok(inner);
        }
        Ok(Box::new(TappedMac { inner, key: key.to_vec(), keys: self.keys.clone() }))
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.inner.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(&self, algorithm: AeadAlgorithm, key: &[u8]) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.inner.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(&self, algorithm: CbcAlgorithm, key: &[u8]) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.inner.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.inner.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(&self, scheme: SignatureScheme) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.inner.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.crypto().verify_signature(scheme, public_key, message, signature)
    }
}

struct TappedMac {
    inner: Box<dyn Mac>,
    key: Vec<u8>,
    keys: KeySink,
}

impl Mac for TappedMac {
    fn output_len(&self) -> usize {
        self.inner.output_len()
    }

    fn sign(&mut self, input: &[&[u8]], output: &mut [u8]) -> Result<(), CryptoError> {
        self.inner.sign(input, output)?;
        if let [one] = input
            && let Some(client_random) =
                one.strip_prefix(EXPORTER_LABEL).and_then(|randoms| randoms.get(..32))
        {
            (self.keys)(&format!("CLIENT_RANDOM {} {}", hex::encode(client_random), hex::encode(&self.key)));
        }
        Ok(())
    }

    fn verify(&mut self, input: &[&[u8]], expected: &[u8]) -> Result<(), CryptoError> {
        self.inner.verify(input, expected)
    }
}
