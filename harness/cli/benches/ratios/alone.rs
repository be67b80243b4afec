//! What the key schedules make of a window, straight over the crypto libraries, with everything prepared that does not
//! depend on the window.

use aes::Aes128;
use audit::agreement::key_id_owner;
use audit::sframe::Header;
use audit::srtp::Profile;
use audit::sweep::Locks;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, LessSafeKey, Nonce};
use sha2::Sha256;

use crate::session;

/// Lengths of the windows: base key, master key and salt of AES-128-GCM, shared secret or `prk`, DTLS master secret.
pub const LENGTHS: [usize; 4] = [16, 28, 32, 48];

/// A ciphertext that is tried. A wrong key overwrites it, which makes no difference to how long the next one takes.
#[derive(Clone)]
struct Ciphertext {
    clear: Vec<u8>,
    sealed: Vec<u8>,
}

impl Ciphertext {
    fn of(bytes: &[u8], header: usize) -> Self {
        let (clear, sealed) = bytes.split_at(header);
        Self { clear: clear.to_vec(), sealed: sealed.to_vec() }
    }

    fn opens(&mut self, key: &LessSafeKey, nonce: [u8; 12]) -> bool {
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.open_in_place(nonce, Aad::from(&self.clear), &mut self.sealed).is_ok()
    }
}

struct Frame {
    counter: u64,
    /// What key and salt are expanded with.
    infos: [Vec<u8>; 2],
    ciphertext: Ciphertext,
}

impl Frame {
    /// Tries HMAC under the secret that was extracted from a base key.
    fn opens(&mut self, secret: &Hmac<Sha256>) -> bool {
        let [key, salt] = self.infos.each_ref().map(|info| signed(secret, &[info, &[1]]));
        let mut nonce = [0; 12];
        nonce[4..].copy_from_slice(&self.counter.to_be_bytes());
        nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
        self.ciphertext.opens(&session::gcm(&key[..16]), nonce)
    }
}

struct Call {
    /// HMAC under the transcript.
    extract: Hmac<Sha256>,
    /// What the base key is expanded with.
    info: Vec<u8>,
    frame: usize,
}

/// Every lock, prepared.
pub struct Alone {
    /// HMAC under the empty salt.
    extract: Hmac<Sha256>,
    frames: Vec<Frame>,
    hops: Vec<Ciphertext>,
    calls: Vec<Call>,
    /// Label and randoms of the exporter.
    seed: Vec<u8>,
    from_client: bool,
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("any length")
}

fn signed(mac: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = mac.clone();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

impl Alone {
    /// Prepares `locks`, those of a call of `frames` from device to device.
    pub fn new(locks: &Locks) -> Self {
        let frames = locks.frames.iter().map(|lock| {
            let header = Header::parse(&lock.frames.first).expect("a frame");
            let ciphertext = Ciphertext::of(&lock.frames.first, header.length);
            let infos = ["key", "salt"].map(|label| session::sframe_info(label, header.key_id));
            Frame { counter: header.counter, infos, ciphertext }
        });
        let hops = locks.hops.iter().map(|lock| {
            assert_eq!(lock.profile, Profile::AeadAes128Gcm, "the profile of the engine");
            Ciphertext::of(&lock.packets.first, 12)
        });
        let calls = locks.calls.iter().map(|lock| {
            let (role, kind) = key_id_owner(locks.frames[lock.lock].key_id).expect("an id of the agreement");
            let items = ["overheard/1 sframe", role.word(), kind.word()];
            let length = |item: &str| u8::try_from(item.len()).expect("a short word");
            let info = items.iter().flat_map(|item| [&[0, length(item)], item.as_bytes()].concat());
            Call { extract: keyed(&lock.transcript), info: info.collect(), frame: lock.lock }
        });
        let exporter = locks.hops[0].exporter.expect("a handshake that was seen");
        Self {
            extract: keyed(&[]),
            frames: frames.collect(),
            hops: hops.collect(),
            calls: calls.collect(),
            seed: [b"EXTRACTOR-dtls_srtp", &exporter.client_random[..], &exporter.server_random].concat(),
            from_client: exporter.from_client,
        }
    }

    /// Whether `window`, tried as every secret of its length, opens a ciphertext.
    pub fn opens(&mut self, window: &[u8]) -> bool {
        match window.len() {
            16 => {
                let secret = keyed(&signed(&self.extract, &[window]));
                self.frames.iter_mut().any(|frame| frame.opens(&secret))
            }
            28 => self.hop_opens(window, self.hops.len()),
            32 => (0..self.calls.len()).any(|call| {
                let prk = signed(&self.calls[call].extract, &[window]);
                self.call_opens(call, &prk) || self.call_opens(call, window)
            }),
            _ => {
                let [client, server] = self.exported(window);
                self.hop_opens(if self.from_client { &client } else { &server }, 1)
            }
        }
    }

    fn call_opens(&mut self, call: usize, prk: &[u8]) -> bool {
        let Call { info, frame, .. } = &self.calls[call];
        let base_key = signed(&keyed(prk), &[info, &[1]]);
        let secret = keyed(&signed(&self.extract, &[&base_key[..16]]));
        self.frames[*frame].opens(&secret)
    }

    /// Tries master key and salt on the first `hops`.
    fn hop_opens(&mut self, master: &[u8], hops: usize) -> bool {
        let (key, salt) = master.split_at(16);
        let cipher = Aes128::new_from_slice(key).expect("16 bytes");
        let key = session::gcm(&session::derived(&cipher, salt, 0, 0));
        let salt = session::derived(&cipher, salt, 2, 0);
        self.hops.iter_mut().take(hops).any(|hop| {
            let mut nonce = [0; 12];
            nonce[2..6].copy_from_slice(&hop.clear[8..12]);
            nonce[10..].copy_from_slice(&hop.clear[2..4]);
            nonce.iter_mut().zip(&salt).for_each(|(byte, salt)| *byte ^= salt);
            hop.opens(&key, nonce)
        })
    }

    /// Master keys with their salts, the DTLS client's and the server's, of a master secret (RFC 5764 §4.2).
    pub fn exported(&self, secret: &[u8]) -> [[u8; 28]; 2] {
        let secret = keyed(secret);
        let first = signed(&secret, &[&self.seed]);
        let second = signed(&secret, &[&first]);
        let mut material = [0; 64];
        material[..32].copy_from_slice(&signed(&secret, &[&first, &self.seed]));
        material[32..].copy_from_slice(&signed(&secret, &[&second, &self.seed]));
        [0, 1].map(|side| {
            let mut master = [0; 28];
            master[..16].copy_from_slice(&material[16 * side..16 * side + 16]);
            master[16..].copy_from_slice(&material[32 + 12 * side..44 + 12 * side]);
            master
        })
    }
}
