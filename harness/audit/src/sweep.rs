//! The sweep: every window of the free bytes is tried as a secret of the key schedule.
//!
//! Invariant: nothing is known of any secret here; what fits is shown by a ciphertext that opens. There is no filter in
//! front of the trials: a key may be all letters, and a window is left out only where the same one was tried before.

pub mod encoding;
mod found;
mod held;
mod locks;
mod told;
mod trial;

use std::collections::HashSet;

use encoding::{Encoding, Layer, layers};
pub use found::Origin;
pub use locks::Locks;
use model::outcome::Listener;
pub use told::{doubt, tell};
use trial::Fit;
pub use trial::{Kind, Trials};

use crate::evidence::{Ears, Evidence};
use crate::free::{Free, Piece};
use crate::guesses::{self, Guess};
use crate::key_file::Secret;
use crate::plant::{self, Controls};
use crate::search::{self, Trace};

/// The longest window: a DTLS master secret.
const LONGEST: usize = 48;

/// A secret that a listener came by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Who came by it.
    pub ears: Ears,
    /// What it is.
    pub kind: Kind,
    /// The call id in hex; empty where no ledger says which call it opens.
    pub call: String,
    /// The SFrame key id of the frames that it was tried on; none for a hop.
    pub key_id: Option<u64>,
    /// Where it stood.
    pub origin: Origin,
}

/// What guesses, sweep and search of a world came to.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// Secrets that opened something.
    pub hits: Vec<Hit>,
    /// Keys that follow from them, and who came by each.
    pub keys: Vec<(Secret, Ears)>,
    /// Pieces of the devices' secrets in free bytes.
    pub traces: Vec<Trace>,
    /// Guesses that were tried.
    pub guesses: u64,
    /// Different windows that were tried.
    pub windows: u64,
    /// Planted controls, and how many of them were found.
    pub controls: Controls,
    /// Bytes that were left because the most windows had been tried.
    pub left: u64,
}

/// How much is done to a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Guesses and what nodes still held, with a control among the keys that each listener holds.
    Guesses,
    /// The same, sweep and search, with controls of these too.
    All,
}

/// Does to `evidence` what listeners do with what they hold, and reads it again with the keys that they came by.
pub fn overhear<'a>(evidence: Evidence<'a>, reach: Reach) -> Evidence<'a> {
    overhear_within(evidence, reach, &plant::LISTENERS, u64::MAX)
}

/// The same for these listeners, with at most so many windows: half of them of what everybody can read.
pub fn overhear_within<'a>(
    evidence: Evidence<'a>,
    reach: Reach,
    listeners: &[Listener],
    most: u64,
) -> Evidence<'a> {
    let locks = Locks::of(&evidence);
    let controls = plant::among_held(&evidence, &locks, listeners, |_| {});
    let mut swept = Swept { controls, ..Swept::default() };
    let mut found = Vec::new();
    let guesses = guesses::guesses(&evidence);
    let mut trials = Trials::new(&locks);
    guess(&mut trials, &guesses, &mut found);
    swept.guesses = guesses.len() as u64;
    if reach == Reach::All {
        let free = Free::of(&evidence);
        let mut sweeper = Sweeper::new(&locks);
        for piece in &free.pieces {
            sweeper.most = if piece.ears == Ears::ALL { most.div_ceil(2) } else { most };
            if sweeper.windows >= sweeper.most {
                swept.left += piece.bytes.len() as u64;
                continue;
            }
            let layers = layers(&piece.bytes);
            sweeper.piece(piece, &layers, &mut found);
        }
        swept.windows = sweeper.windows;
        let secrets = search::Secrets::of(&evidence);
        swept.traces = search::search(&secrets, &free);
        swept.controls += plant::controls(&evidence, &free, &locks, &secrets, listeners, |_| {});
    } else {
        held::try_whole(&mut trials, &evidence, &mut found);
    }
    found::read_again(evidence, &locks, found, swept)
}

fn guess(trials: &mut Trials<'_>, guesses: &[Guess], found: &mut Vec<Found>) {
    for guess in guesses {
        if let Some(fit) = trials.window(&guess.bytes, guess.ears) {
            let origin = Origin::Guess(guess.name.to_string());
            found.push(Found { ears: guess.ears, origin, fit, bytes: guess.bytes.to_vec() });
        }
    }
}

/// A window that fitted, with the bytes.
#[derive(Clone)]
struct Found {
    ears: Ears,
    origin: Origin,
    fit: Fit,
    bytes: Vec<u8>,
}

/// Goes through strings of bytes, window by window.
pub struct Sweeper<'l> {
    trials: Trials<'l>,
    known: HashSet<(usize, [u8; LONGEST])>,
    /// Different windows that were tried.
    pub windows: u64,
    /// How many are tried at most; the piece in which they run out is gone through to its end.
    pub most: u64,
}

impl<'l> Sweeper<'l> {
    /// A sweep against `locks`.
    pub fn new(locks: &'l Locks) -> Self {
        Self { trials: Trials::new(locks), known: HashSet::new(), windows: 0, most: u64::MAX }
    }

    /// Tries every window of every layer of `piece`. What everybody holds must come before what fewer do, because a
    /// window is tried once.
    fn piece(&mut self, piece: &Piece, layers: &[Layer], found: &mut Vec<Found>) {
        let lengths = self.trials.lengths(piece.ears);
        let windows: usize = layers.iter().map(|layer| layer.bytes.len() * lengths.len()).sum();
        let room = usize::try_from(self.most.saturating_sub(self.windows)).unwrap_or(usize::MAX);
        self.known.reserve(windows.min(room));
        for layer in layers {
            let mut take = |at: usize, bytes: &[u8], fit: Fit| {
                let origin = Origin::of(piece, layer, at);
                found.push(Found { ears: piece.ears, origin, fit, bytes: bytes.to_vec() });
            };
            for length in &lengths {
                for (at, window) in layer.bytes.windows(*length).enumerate() {
                    let mut padded = [0; LONGEST];
                    padded[..*length].copy_from_slice(window);
                    if !self.known.insert((*length, padded)) {
                        continue;
                    }
                    self.windows += 1;
                    if let Some(fit) = self.trials.window(window, piece.ears) {
                        take(at, window, fit);
                    }
                }
            }
            if let Ok(value) = <&[u8; 32]>::try_from(layer.bytes.as_slice())
                && let Some(fit) = self.trials.private_key(value, piece.ears)
            {
                take(0, value, fit);
            }
        }
    }

    /// Whether any window of `piece` fits.
    pub fn finds(&mut self, piece: &Piece) -> bool {
        let mut found = Vec::new();
        self.piece(piece, &layers(&piece.bytes), &mut found);
        !found.is_empty()
    }
}

/// What was undone, in words: "as it stands", "in hex", "in base64 inside hex".
fn undone(encodings: &[Encoding]) -> String {
    let words: Vec<String> = encodings.iter().rev().map(Encoding::to_string).collect();
    if words.is_empty() { "as it stands".to_owned() } else { format!("in {}", words.join(" inside ")) }
}

#[cfg(test)]
mod tests;
