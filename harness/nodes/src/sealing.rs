//! Sealing and opening of media frames: SFrame (RFC 9605) under the keys of the agreement.
//!
//! Invariant: one counter per key from 0, never set back; a counter is opened at most once. The two faults that
//! break it are asked for by name.

use sframe::CipherSuite;
use sframe::frame::{EncryptedFrameView, FrameCounter, MediaFrameView};
use sframe::header::Counter;
use sframe::key::{DecryptionKey, EncryptionKey};

/// Counters behind the highest one opened that can still be opened (design, section 1.6: at least 128).
const WINDOW: u64 = 256;

/// Why a frame was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The base key has a wrong length.
    #[error("the base key does not fit the cipher suite; derive it anew")]
    Key,
    /// The frame is no ciphertext of the key.
    #[error("the frame does not open under the key; drop it")]
    NotSealed,
    /// The counter was opened before, or lies behind the window.
    #[error("the frame was played before; drop it")]
    Replayed,
    /// The frame cannot be sealed.
    #[error("the frame cannot be sealed; end the call")]
    Exhausted,
}

/// A sender's end of one key.
pub struct Sealer {
    base_key: [u8; 16],
    key: EncryptionKey,
    next: u64,
    /// Set the counter back to 0 before this many frames: a fault.
    restarts_after: Option<u64>,
}

struct Fixed(u64);

impl FrameCounter for Fixed {
    type Error = std::convert::Infallible;

    fn try_next(&mut self) -> Result<Counter, Self::Error> {
        Ok(Counter::from(self.0))
    }
}

impl Sealer {
    /// A sealer that starts at counter 0.
    ///
    /// # Errors
    /// When the key does not fit.
    pub fn new(key_id: u64, base_key: &[u8; 16]) -> Result<Self, SealError> {
        let key = EncryptionKey::derive_from(CipherSuite::AesGcm128Sha256, key_id, base_key);
        let key = key.map_err(|_| SealError::Key)?;
        Ok(Self { base_key: *base_key, key, next: 0, restarts_after: None })
    }

    /// The base key, for whoever asks what is still held.
    pub const fn base_key(&self) -> &[u8; 16] {
        &self.base_key
    }

    /// The same, with a counter that goes back to 0 after `frames` frames.
    #[must_use]
    pub fn restarting_after(mut self, frames: u64) -> Self {
        self.restarts_after = Some(frames);
        self
    }

    /// Seals one frame.
    ///
    /// # Errors
    /// When the cipher refuses.
    pub fn seal(&mut self, frame: &[u8]) -> Result<Vec<u8>, SealError> {
        if self.restarts_after == Some(self.next) {
            self.next = 0;
            self.restarts_after = None;
        }
        let mut buffer = Vec::new();
        MediaFrameView::try_new(&mut Fixed(self.next), frame)
            .and_then(|view| view.encrypt_into(&self.key, &mut buffer).map(|_| ()))
            .map_err(|_| SealError::Exhausted)?;
        self.next += 1;
        Ok(buffer)
    }
}

/// A receiver's end of one key.
pub struct Opener {
    base_key: [u8; 16],
    key: DecryptionKey,
    window: Window,
    accepts_replay: bool,
}

impl Opener {
    /// An opener that has opened nothing yet.
    ///
    /// # Errors
    /// When the key does not fit.
    pub fn new(key_id: u64, base_key: &[u8; 16]) -> Result<Self, SealError> {
        let key = DecryptionKey::derive_from(CipherSuite::AesGcm128Sha256, key_id, base_key);
        let key = key.map_err(|_| SealError::Key)?;
        Ok(Self { base_key: *base_key, key, window: Window::default(), accepts_replay: false })
    }

    /// The base key, for whoever asks what is still held.
    pub const fn base_key(&self) -> &[u8; 16] {
        &self.base_key
    }

    /// The same, but it opens a counter as often as it comes: a fault.
    #[must_use]
    pub fn accepting_replay(mut self) -> Self {
        self.accepts_replay = true;
        self
    }

    /// Opens one sealed frame.
    ///
    /// # Errors
    /// When it is not sealed under this key, or was opened before.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let view = EncryptedFrameView::try_new(sealed).map_err(|_| SealError::NotSealed)?;
        if view.header().key_id() != self.key.key_id() {
            return Err(SealError::NotSealed);
        }
        let counter = view.header().counter();
        let mut buffer = Vec::new();
        view.decrypt_into(&self.key, &mut buffer).map_err(|_| SealError::NotSealed)?;
        if !self.window.admit(counter) && !self.accepts_replay {
            return Err(SealError::Replayed);
        }
        Ok(buffer)
    }
}

/// The counters that were opened, as far back as [`WINDOW`].
#[derive(Default)]
struct Window {
    seen: std::collections::BTreeSet<u64>,
}

impl Window {
    fn admit(&mut self, counter: u64) -> bool {
        let newest = self.seen.last().copied().unwrap_or(0);
        if counter + WINDOW < newest || !self.seen.insert(counter) {
            return false;
        }
        while let Some(oldest) = self.seen.first().copied().filter(|oldest| oldest + WINDOW < newest) {
            self.seen.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Sealer, Opener) {
        (Sealer::new(3, &[9; 16]).expect("a key"), Opener::new(3, &[9; 16]).expect("a key"))
    }

    #[test]
    fn a_frame_is_opened_once() {
        let (mut sealer, mut opener) = pair();
        let first = sealer.seal(b"frame").expect("sealed");
        assert_eq!(opener.open(&first).as_deref(), Ok(&b"frame"[..]));
        assert_eq!(opener.open(&first), Err(SealError::Replayed));
        let later: Vec<Vec<u8>> = (0..300).map(|_| sealer.seal(b"x").expect("sealed")).collect();
        assert_eq!(opener.open(&later[299]).as_deref(), Ok(&b"x"[..]));
        assert_eq!(opener.open(&later[298]).as_deref(), Ok(&b"x"[..]));
        assert_eq!(opener.open(&later[1]), Err(SealError::Replayed), "behind the window");
    }

    #[test]
    fn what_is_not_sealed_under_the_key_does_not_open() {
        let (mut sealer, mut opener) = pair();
        let mut sealed = sealer.seal(b"frame").expect("sealed");
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert!(opener.open(&sealed).is_err(), "byte {at}");
            sealed[at] ^= 1;
        }
        assert_eq!(opener.open(b"frame"), Err(SealError::NotSealed));
        assert_eq!(opener.open(b""), Err(SealError::NotSealed));
        let mut other = Opener::new(2, &[9; 16]).expect("a key");
        assert_eq!(other.open(&sealed), Err(SealError::NotSealed));
    }

    #[test]
    fn a_restarting_sealer_uses_a_counter_twice() {
        let (sealer, opener) = pair();
        let (mut sealer, mut opener) = (sealer.restarting_after(2), opener.accepting_replay());
        let sealed: Vec<Vec<u8>> = (0..4).map(|n| sealer.seal(&[n]).expect("sealed")).collect();
        // With a small key id and counter the header is one byte (RFC 9605 §4.3).
        assert_eq!(sealed[0][0], sealed[2][0], "the same header");
        assert_ne!(sealed[0][0], sealed[1][0], "another counter");
        assert!(sealed.iter().all(|frame| opener.open(frame).is_ok()));
    }
}
