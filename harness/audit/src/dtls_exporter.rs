//! SRTP master keys from the secrets of a DTLS handshake (RFC 5764 §4.2); nothing else of DTLS is known here.

use hkdf::Hkdf;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};

use crate::srtp::{MasterKey, Profile};

/// The label under which DTLS-SRTP exports (RFC 5764 §4.2).
const LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

/// The hash of the pseudorandom function: the cipher suite's (RFC 5246 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prf {
    /// Every suite whose name does not end in `SHA384`.
    Sha256,
    /// The suites whose names end in `SHA384`.
    Sha384,
}

impl Prf {
    /// The hash of a cipher suite of DTLS 1.2: SHA-384 for those that name it (RFC 5289 §3), else SHA-256.
    pub const fn of(cipher_suite: u16) -> Self {
        match cipher_suite {
            0xC024 | 0xC028 | 0xC02C | 0xC030 | 0x009D | 0x009F => Self::Sha384,
            _ => Self::Sha256,
        }
    }
}

/// The keys of the two directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrtpKeys {
    /// What the DTLS client sends under, who is not always the offerer.
    pub client: MasterKey,
    /// What the DTLS server sends under.
    pub server: MasterKey,
}

/// Derives the keys that a handshake gives to SRTP. The randoms are those of the two hellos, 32
/// bytes each.
pub fn srtp_keys(
    prf: Prf,
    master_secret: &[u8; 48],
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    profile: Profile,
) -> SrtpKeys {
    Material::export(prf, master_secret, client_random, server_random, profile).keys()
}

/// Derives the keys that a handshake of DTLS 1.3 gives to SRTP (RFC 8446 §7.5, RFC 9147 §5.9) from its exporter master
/// secret, 32 or 48 bytes by the hash of the suite. None for another length.
pub fn srtp_keys_13(exporter_secret: &[u8], profile: Profile) -> Option<SrtpKeys> {
    let mut bytes = [0; LONGEST];
    let out = &mut bytes[..2 * (profile.key_length() + profile.salt_length())];
    match exporter_secret.len() {
        32 => export_13::<Sha256>(exporter_secret, out)?,
        48 => export_13::<Sha384>(exporter_secret, out)?,
        _ => return None,
    }
    Some(Material { profile, bytes }.keys())
}

/// The exporter of TLS 1.3 with the label prefix of DTLS 1.3, without a context (RFC 8446 §7.5, RFC 9147 §5.9).
fn export_13<H: EagerHash + Digest>(secret: &[u8], out: &mut [u8]) -> Option<()> {
    let nothing = H::digest([]);
    let mut derived = vec![0; nothing.len()];
    expand_label::<H>(secret, LABEL, &nothing, &mut derived)?;
    expand_label::<H>(&derived, b"exporter", &nothing, out)
}

/// HKDF-Expand-Label (RFC 8446 §7.1) with the prefix `dtls13` (RFC 9147 §5.9).
pub fn expand_label<H: EagerHash>(secret: &[u8], label: &[u8], context: &[u8], out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label = [b"dtls13", label].concat();
    let lengths = [u8::try_from(label.len()).ok()?, u8::try_from(context.len()).ok()?];
    let info = [&length[..], &lengths[..1], &label, &lengths[1..], context].concat();
    Hkdf::<H>::from_prk(secret).ok()?.expand(&info, out).ok()
}

/// The exported bytes: two keys and then two salts, the client's before the server's (RFC 5764 §4.2).
pub struct Material {
    profile: Profile,
    bytes: [u8; LONGEST],
}

/// Bytes that the profile with the longest keys takes.
const LONGEST: usize = 2 * (32 + 14);

impl Material {
    /// Exports as many bytes as `profile` takes; nothing is allocated, because the sweep comes here for each
    /// window.
    pub fn export(
        prf: Prf,
        master_secret: &[u8; 48],
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        profile: Profile,
    ) -> Self {
        let mut bytes = [0; LONGEST];
        let length = 2 * (profile.key_length() + profile.salt_length());
        let seed = [LABEL, client_random, server_random];
        match prf {
            Prf::Sha256 => expand::<Sha256>(master_secret, seed, &mut bytes[..length]),
            Prf::Sha384 => expand::<Sha384>(master_secret, seed, &mut bytes[..length]),
        }
        Self { profile, bytes }
    }

    fn keys(&self) -> SrtpKeys {
        let master = |of_client: bool| {
            let (key, salt) = self.key_and_salt(of_client);
            let bytes = [key, salt].concat();
            MasterKey::new(self.profile, &bytes).expect("the material has the lengths of its profile")
        };
        SrtpKeys { client: master(true), server: master(false) }
    }

    /// Master key and master salt of what the DTLS client sends, or the server.
    pub fn key_and_salt(&self, of_client: bool) -> (&[u8], &[u8]) {
        let (key, salt) = (self.profile.key_length(), self.profile.salt_length());
        let second = usize::from(!of_client);
        let (keys, salts) = self.bytes.split_at(2 * key);
        (&keys[second * key..][..key], &salts[second * salt..][..salt])
    }
}

/// P_hash (RFC 5246 §5), the seed in parts: fills `out`.
fn expand<H: EagerHash>(secret: &[u8], seed: [&[u8]; 3], out: &mut [u8]) {
    let keyed = Hmac::<H>::new_from_slice(secret).expect("HMAC takes keys of any length");
    let sign = |a: Option<&[u8]>, seed: &[&[u8]]| {
        let mut mac = keyed.clone();
        for part in a.iter().chain(seed) {
            mac.update(part);
        }
        mac.finalize().into_bytes()
    };
    let mut a = sign(None, &seed);
    let mut rest = out;
    while !rest.is_empty() {
        let block = sign(Some(&a), &seed);
        let length = block.len().min(rest.len());
        let (filled, left) = rest.split_at_mut(length);
        filled.copy_from_slice(&block[..length]);
        rest = left;
        if !rest.is_empty() {
            a = sign(Some(&a), &[]);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_pseudorandom_function_is_that_of_the_published_vector() {
        // The vector for P_SHA256 that was posted to the TLS working group's list when RFC 5246 was
        // written.
        let secret = hex::decode("9bbe436ba940f017b17652849a71db35").expect("hex");
        let seed = hex::decode("a0ba9f936cda311827a6f796ffd5198c").expect("hex");
        let expected = "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9\
             c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789ba\
             a48082d122ee42c5a72e5a5110fff70187347b66";
        let mut out = [0; 100];
        expand::<Sha256>(&secret, [b"test label", &seed, b""], &mut out);
        assert_eq!(hex::encode(out), expected);
    }

    #[rstest]
    #[case::counter_mode(Profile::AesCmSha1Tag80)]
    #[case::gcm_128(Profile::AeadAes128Gcm)]
    #[case::gcm_256(Profile::AeadAes256Gcm)]
    fn the_material_is_two_keys_and_then_two_salts(#[case] profile: Profile) {
        for prf in [Prf::Sha256, Prf::Sha384] {
            let keys = srtp_keys(prf, &[1; 48], &[2; 32], &[3; 32], profile);
            let mut material = vec![0; 2 * (profile.key_length() + profile.salt_length())];
            let seed = [LABEL, &[2; 32], &[3; 32]];
            match prf {
                Prf::Sha256 => expand::<Sha256>(&[1; 48], seed, &mut material),
                Prf::Sha384 => expand::<Sha384>(&[1; 48], seed, &mut material),
            }
            let found =
                [keys.client.key(), keys.server.key(), keys.client.salt(), keys.server.salt()].concat();
            assert_eq!(found, material);
        }
    }

    #[test]
    fn every_input_matters() {
        let profile = Profile::AeadAes128Gcm;
        let keys = srtp_keys(Prf::Sha256, &[1; 48], &[2; 32], &[3; 32], profile);
        assert_ne!(keys, srtp_keys(Prf::Sha384, &[1; 48], &[2; 32], &[3; 32], profile));
        assert_ne!(keys, srtp_keys(Prf::Sha256, &[9; 48], &[2; 32], &[3; 32], profile));
        assert_ne!(keys, srtp_keys(Prf::Sha256, &[1; 48], &[9; 32], &[3; 32], profile));
        assert_ne!(keys, srtp_keys(Prf::Sha256, &[1; 48], &[2; 32], &[9; 32], profile));
        assert_ne!(keys.client, keys.server);
    }
}
