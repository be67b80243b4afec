//! Seals what the judge opens: SRTP with AES-128-GCM, SFrame suite 4, and records of TLS 1.3. Written from the RFCs
//! over primitives, so that a test does not open with the code that sealed.

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

fn gcm(key: &[u8], nonce: [u8; 12], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key).expect("16 bytes"));
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
        .expect("seals");
    sealed
}

/// Key and salt of one direction of SRTP.
#[derive(Clone, Copy)]
pub struct Hop {
    /// Master key.
    pub key: [u8; 16],
    /// Master salt.
    pub salt: [u8; 12],
}

impl Hop {
    /// Seals an RTP packet whose rollover counter is 0 (RFC 7714 §8.1, RFC 3711 §4.3.1).
    pub fn seal(&self, header: &[u8], payload: &[u8]) -> Vec<u8> {
        let derive = |label: u8, length: usize| {
            let mut iv = [0; 16];
            iv[..12].copy_from_slice(&self.salt);
            iv[7] ^= label;
            let mut out = vec![0; length];
            Ctr128BE::<Aes128>::new(&self.key.into(), &iv.into()).apply_keystream(&mut out);
            out
        };
        let mut nonce: [u8; 12] = derive(2, 12).try_into().expect("12 bytes");
        for (at, byte) in header[8..12].iter().enumerate() {
            nonce[2 + at] ^= byte;
        }
        nonce[10] ^= header[2];
        nonce[11] ^= header[3];
        [header, &gcm(&derive(0, 16), nonce, header, payload)].concat()
    }
}

/// An SFrame key of suite 4 (RFC 9605 §4.4).
#[derive(Clone, Copy)]
pub struct Seal {
    /// The key id, at most 7.
    pub key_id: u8,
    /// The base key.
    pub base_key: [u8; 16],
}

impl Seal {
    /// Seals a frame under a counter of at most 255.
    pub fn seal(&self, counter: u8, frame: &[u8]) -> Vec<u8> {
        let header =
            if counter < 8 { vec![self.key_id << 4 | counter] } else { vec![self.key_id << 4 | 8, counter] };
        self.seal_behind(&header, counter, frame)
    }

    /// The same behind a header that says key id and counter in another form.
    pub fn seal_behind(&self, header: &[u8], counter: u8, frame: &[u8]) -> Vec<u8> {
        let hkdf = Hkdf::<Sha256>::new(None, &self.base_key);
        let derive = |label: &[u8], length: usize| {
            let info = [label, &u64::from(self.key_id).to_be_bytes(), &4u16.to_be_bytes()].concat();
            let mut out = vec![0; length];
            hkdf.expand(&info, &mut out).expect("short");
            out
        };
        let mut nonce: [u8; 12] = derive(b"SFrame 1.0 Secret salt ", 12).try_into().expect("12 bytes");
        nonce[11] ^= counter;
        let sealed = gcm(&derive(b"SFrame 1.0 Secret key ", 16), nonce, header, frame);
        [header, &sealed].concat()
    }
}

/// One direction of a TLS 1.3 connection under TLS_AES_128_GCM_SHA256.
pub struct TlsWriter {
    secret: [u8; 32],
    sequence: u64,
}

impl TlsWriter {
    /// From an application traffic secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, sequence: 0 }
    }

    /// One record of application data (RFC 8446 §5.2).
    pub fn record(&mut self, data: &[u8]) -> Vec<u8> {
        let expand = |label: &str, length: usize| {
            let label = format!("tls13 {label}");
            let mut info = u16::try_from(length).expect("short").to_be_bytes().to_vec();
            info.push(u8::try_from(label.len()).expect("short"));
            info.extend(label.bytes());
            info.push(0);
            let mut out = vec![0; length];
            Hkdf::<Sha256>::from_prk(&self.secret).expect("32 bytes").expand(&info, &mut out).expect("short");
            out
        };
        let mut nonce: [u8; 12] = expand("iv", 12).try_into().expect("12 bytes");
        for (byte, sequence) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= sequence;
        }
        self.sequence += 1;
        let mut inner = data.to_vec();
        inner.push(23);
        let length = u16::try_from(inner.len() + 16).expect("short").to_be_bytes();
        let header = [23, 3, 3, length[0], length[1]];
        [&header[..], &gcm(&expand("key", 16), nonce, &header, &inner)].concat()
    }
}
