//! The published test vectors that this crate carries, as the self-test and the tests read them.
//!
//! They are compiled in, so that the self-test needs no file. `harness/audit/vectors/README.md`
//! names their origins and licences.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};

pub(crate) const AGREEMENT: &str = include_str!("../vectors/agreement.json");
#[cfg(test)]
pub(crate) const DTLS13: &str = include_str!("../vectors/dtls13/handshake.json");
pub(crate) const SFRAME: &str = include_str!("../vectors/sframe/test-vectors.json");
pub(crate) const SRTP: &str = include_str!("../vectors/ietf/srtp.json");
pub(crate) const AES_GCM: &str = include_str!("../vectors/wycheproof/aes_gcm_test.json");
pub(crate) const HKDF_SHA256: &str = include_str!("../vectors/wycheproof/hkdf_sha256_test.json");
pub(crate) const HMAC_SHA1: &str = include_str!("../vectors/wycheproof/hmac_sha1_test.json");
pub(crate) const HMAC_SHA256: &str = include_str!("../vectors/wycheproof/hmac_sha256_test.json");
pub(crate) const X25519: &str = include_str!("../vectors/wycheproof/x25519_test.json");

/// Reads one of the files above.
pub(crate) fn read<T: DeserializeOwned>(text: &'static str) -> T {
    serde_json::from_str(text).expect("the vectors are compiled in and each is read by a test")
}

/// Bytes that a file writes in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl Visitor<'_> for Hex {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes in hex")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
                hex::decode(text).map(Bytes).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Hex)
    }
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// `vectors/ietf/srtp.json`
#[derive(Deserialize)]
pub(crate) struct Srtp {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the whole packets of the self-test need the derivation")
    )]
    pub derivation: Vec<SrtpDerivation>,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the whole packets of the self-test need the keystream")
    )]
    pub keystream: SrtpKeystream,
    pub session: Vec<SrtpSession>,
    pub master: Vec<SrtpMaster>,
}

#[derive(Deserialize)]
#[cfg_attr(not(test), expect(dead_code, reason = "read by tests only"))]
pub(crate) struct SrtpDerivation {
    pub master_key: Bytes,
    pub master_salt: Bytes,
    pub cipher_key: Bytes,
    pub salt: Bytes,
    pub authentication_key: Bytes,
}

#[derive(Deserialize)]
#[cfg_attr(not(test), expect(dead_code, reason = "read by tests only"))]
pub(crate) struct SrtpKeystream {
    pub cipher_key: Bytes,
    pub salt: Bytes,
    pub keystream: Bytes,
}

/// A packet sealed under session keys.
#[derive(Deserialize)]
pub(crate) struct SrtpSession {
    pub source: String,
    pub profile: String,
    pub protocol: String,
    pub key: Bytes,
    pub salt: Bytes,
    pub sealed: Bytes,
    pub plain: Bytes,
}

/// One packet of RTP and one of RTCP, sealed under a master key.
#[derive(Deserialize)]
pub(crate) struct SrtpMaster {
    pub source: String,
    pub profile: String,
    pub master: Bytes,
    pub rtp_sealed: Bytes,
    pub rtp_plain: Bytes,
    pub rtcp_sealed: Bytes,
    pub rtcp_plain: Bytes,
}

/// `vectors/sframe/test-vectors.json`
#[derive(Deserialize)]
pub(crate) struct Sframe {
    pub header: Vec<SframeHeader>,
    pub sframe: Vec<SframeCase>,
}

#[derive(Deserialize)]
pub(crate) struct SframeHeader {
    pub kid: u64,
    pub ctr: u64,
    pub encoded: Bytes,
}

#[derive(Deserialize)]
pub(crate) struct SframeCase {
    pub cipher_suite: u16,
    pub kid: u64,
    pub ctr: u64,
    pub base_key: Bytes,
    #[cfg_attr(not(test), expect(dead_code, reason = "opening starts from the base key"))]
    pub sframe_key: Bytes,
    #[cfg_attr(not(test), expect(dead_code, reason = "opening starts from the base key"))]
    pub nonce: Bytes,
    pub metadata: Bytes,
    pub pt: Bytes,
    pub ct: Bytes,
}

/// `vectors/dtls13/handshake.json`
#[cfg(test)]
#[derive(Deserialize)]
pub(crate) struct Handshake13 {
    pub client_secret: Bytes,
    pub server_secret: Bytes,
    pub client_fingerprint: Bytes,
    pub server_fingerprint: Bytes,
    pub client: Vec<Bytes>,
    pub server: Vec<Bytes>,
}

/// `vectors/agreement.json`
#[derive(Deserialize)]
pub(crate) struct Agreement {
    pub examples: Vec<AgreementExample>,
}

#[derive(Deserialize)]
pub(crate) struct AgreementExample {
    pub inputs: AgreementInputs,
    pub caller_public: Bytes,
    pub callee_public: Bytes,
    pub commit: Bytes,
    pub agreed: Bytes,
    pub transcript: Bytes,
    pub z: Bytes,
    pub prk: Bytes,
    pub sframe_base_keys_by_key_id: Vec<Bytes>,
    pub confirmations: AgreementConfirmations,
    pub security_code: String,
    pub dtls_security_code: String,
}

#[derive(Deserialize)]
pub(crate) struct AgreementInputs {
    pub call_id: Bytes,
    pub caller: String,
    pub caller_tenant: String,
    pub callee: String,
    pub callee_tenant: String,
    pub caller_intent: u8,
    pub callee_intent: u8,
    pub offered_suites: Vec<u16>,
    pub chosen_suite: u16,
    pub caller_secret: Bytes,
    pub callee_secret: Bytes,
    pub caller_nonce: Bytes,
    pub callee_nonce: Bytes,
    pub caller_fingerprint: Bytes,
    pub callee_fingerprint: Bytes,
}

#[derive(Deserialize)]
pub(crate) struct AgreementConfirmations {
    pub caller: Bytes,
    pub callee: Bytes,
}

/// A file of Wycheproof; `T` is its kind of case.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wycheproof<T> {
    pub test_groups: Vec<WycheproofGroup<T>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WycheproofGroup<T> {
    /// Bits of the tag, in the files that have tags.
    #[serde(default)]
    pub tag_size: usize,
    pub tests: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct X25519Case {
    pub tc_id: u32,
    pub flags: Vec<String>,
    pub public: Bytes,
    pub private: Bytes,
    pub shared: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AeadCase {
    pub tc_id: u32,
    pub key: Bytes,
    pub iv: Bytes,
    pub aad: Bytes,
    pub msg: Bytes,
    pub ct: Bytes,
    pub tag: Bytes,
    pub result: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HkdfCase {
    pub tc_id: u32,
    pub ikm: Bytes,
    pub salt: Bytes,
    pub info: Bytes,
    pub size: usize,
    pub okm: Bytes,
    pub result: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MacCase {
    pub tc_id: u32,
    pub key: Bytes,
    pub msg: Bytes,
    pub tag: Bytes,
    pub result: String,
}

impl Bytes {
    /// The bytes as an array; a vector of another length is no vector of this crate.
    pub(crate) fn array<const N: usize>(&self) -> [u8; N] {
        self.0.as_slice().try_into().expect("the vector has the length of its type")
    }
}

impl AgreementExample {
    /// The example as the two devices see it.
    pub(crate) fn signalled(&self) -> crate::agreement::Signalled {
        let inputs = &self.inputs;
        crate::agreement::Signalled {
            call_id: inputs.call_id.array(),
            caller: inputs.caller.clone(),
            caller_tenant: inputs.caller_tenant.clone(),
            callee: inputs.callee.clone(),
            callee_tenant: inputs.callee_tenant.clone(),
            caller_intent: inputs.caller_intent,
            callee_intent: inputs.callee_intent,
            offered_suites: inputs.offered_suites.clone(),
            chosen_suite: inputs.chosen_suite,
            commit: self.commit.array(),
            epk_callee: self.callee_public.array(),
            nonce_callee: inputs.callee_nonce.array(),
            ek_callee: Vec::new(),
            epk_caller: self.caller_public.array(),
            nonce_caller: inputs.caller_nonce.array(),
            ct: Vec::new(),
        }
    }

    /// The same call in the profile `dtls`.
    pub(crate) fn dtls_call(&self) -> crate::agreement::DtlsCall {
        let inputs = &self.inputs;
        crate::agreement::DtlsCall {
            call_id: inputs.call_id.array(),
            caller: inputs.caller.clone(),
            caller_tenant: inputs.caller_tenant.clone(),
            callee: inputs.callee.clone(),
            callee_tenant: inputs.callee_tenant.clone(),
            caller_fingerprint: inputs.caller_fingerprint.array(),
            callee_fingerprint: inputs.callee_fingerprint.array(),
        }
    }
}
