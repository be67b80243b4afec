//! The free bytes: what a listener holds that neither a protocol nor a ledger frame fixes, and in which a key could
//! stand.
//!
//! Invariant: a byte is left out only where it follows from other bytes that are looked at: ciphertext that opened
//! has no bits of its own. Headers below UDP and TCP are the harness's and are left out as well.

mod columns;
mod service;
mod wires;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub use columns::{Column, Row};

use crate::evidence::{Ears, Evidence};

/// Shorter strings than this hold no eight bytes of a secret.
const SHORTEST: usize = 8;
/// Bytes of a string of a capture that anybody made; a longer one is cut, because undoing encodings multiplies it.
const LONGEST: usize = 64 << 10;
/// Bytes that two pieces of one string share: more than the longest secret in its longest spelling.
const SHARED: usize = 1 << 10;

/// A string of free bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Who holds it.
    pub ears: Ears,
    /// The bytes, as they stood.
    pub bytes: Vec<u8>,
    /// What it is, after "in".
    pub name: Cow<'static, str>,
    /// Index in the capture of the packet that carried its last byte; none where no packet did.
    pub packet: Option<usize>,
    /// The tap's name of the device or node that wrote it, where that is known.
    pub writer: Option<String>,
}

/// All free bytes of a world.
#[derive(Debug, Default)]
pub struct Free {
    /// Strings of bytes, each once, whatever the number of taps that it passed; what everybody holds stands first.
    pub pieces: Vec<Piece>,
    /// Streams of which the same byte of consecutive packets is looked at.
    pub columns: Vec<Column>,
    known: HashMap<Vec<u8>, usize>,
    cuts: bool,
}

impl Free {
    /// Accounts for every byte of `evidence`.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let mut free =
            Self { columns: columns::columns(evidence), cuts: !evidence.recorded, ..Self::default() };
        wires::collect(evidence, &mut free);
        service::collect(evidence, &mut free);
        // Where not all can be looked at, signalling and what stands around media go before media that did not open.
        let cuts = free.cuts;
        let last = |piece: &Piece| cuts && piece.name.contains("RTP packet");
        free.pieces.sort_by_key(|piece| (piece.ears != Ears::ALL, last(piece)));
        free.known = HashMap::new();
        free
    }

    fn add(&mut self, piece: Piece) {
        if piece.bytes.len() < SHORTEST || piece.ears.is_none() {
            return;
        }
        if self.cuts && piece.bytes.len() > LONGEST {
            for start in (0..piece.bytes.len()).step_by(LONGEST - SHARED) {
                let end = piece.bytes.len().min(start + LONGEST);
                let bytes = piece.bytes.get(start..end).unwrap_or_default().to_vec();
                let name = format!("{} behind its first {start} bytes", piece.name).into();
                self.add(Piece { bytes, name, ..piece.clone() });
            }
            return;
        }
        match self.known.entry(piece.bytes.clone()) {
            Entry::Occupied(known) => {
                if let Some(known) = self.pieces.get_mut(*known.get()) {
                    known.ears |= piece.ears;
                }
            }
            Entry::Vacant(slot) => {
                slot.insert(self.pieces.len());
                self.pieces.push(piece);
            }
        }
    }

    /// What crossed a wire in a packet.
    fn wire(&mut self, name: &'static str, packet: usize, bytes: &[u8], ears: Ears) {
        let bytes = bytes.to_vec();
        self.add(Piece { ears, bytes, name: Cow::Borrowed(name), packet: Some(packet), writer: None });
    }
}

#[cfg(test)]
mod tests {
    use model::outcome::Listener;
    use rstest::rstest;

    use super::*;
    use crate::bench::plans::both_on;
    use crate::bench::story::{Datagram, NODE, Story};

    fn pieces_of(story: &Story) -> Vec<Piece> {
        let folder = tempfile::tempdir().expect("a folder");
        let world = story.tell(folder.path(), "free");
        Free::of(&Evidence::gather(folder.path(), &world)).pieces
    }

    fn stands_in(pieces: &[Piece], wanted: &[u8]) -> Option<Ears> {
        let holds = |piece: &&Piece| piece.bytes.windows(wanted.len()).any(|window| window == wanted);
        pieces.iter().find(holds).map(|piece| piece.ears)
    }

    #[test]
    fn ciphertext_of_ledger_frames_is_not_free() {
        let pieces = pieces_of(&Story::sealed(both_on()));
        let from_media = pieces.iter().filter(|piece| piece.name.contains("frame"));
        assert_eq!(from_media.count(), 0);
        let longest = pieces.iter().filter(|piece| piece.name.contains("RTP")).map(|piece| piece.bytes.len());
        assert_eq!(longest.max(), Some(12), "only headers of opened packets are free");
    }

    #[test]
    fn signalling_is_held_by_the_service_and_not_by_eve() {
        let pieces = pieces_of(&Story::sealed(both_on()));
        let ears = stands_in(&pieces, b"\"type\":\"offer\"").expect("the offer is free text");
        assert!(ears.has(Listener::Trudy) && ears.has(Listener::Harvest) && !ears.has(Listener::Eve));
    }

    #[test]
    fn a_handshake_in_the_clear_is_held_by_everybody() {
        let pieces = pieces_of(&Story::sealed(both_on()));
        assert_eq!(stands_in(&pieces, b"certificate of alice"), Some(Ears::ALL));
    }

    #[test]
    fn equal_bytes_at_two_taps_are_one_piece() {
        let pieces = pieces_of(&Story::sealed(both_on()));
        let mut bytes: Vec<&Vec<u8>> = pieces.iter().map(|piece| &piece.bytes).collect();
        let all = bytes.len();
        bytes.sort();
        bytes.dedup();
        assert_eq!(bytes.len(), all);
    }

    fn unopened(datagrams: &mut Vec<Datagram>) {
        let bytes = [&[0x80, 111, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9][..], &[0x5A; 60]].concat();
        datagrams.push(Datagram { at_ns: 1, from: 0, to: NODE, bytes, leaves: true, arrives: true });
    }

    fn unknown(datagrams: &mut Vec<Datagram>) {
        let bytes = [&[0x7F][..], &[0x5A; 60]].concat();
        datagrams.push(Datagram { at_ns: 1, from: 0, to: NODE, bytes, leaves: true, arrives: true });
    }

    #[rstest]
    #[case::rtp_that_no_key_opens(unopened)]
    #[case::a_datagram_of_no_known_protocol(unknown)]
    fn what_cannot_be_opened_is_free(#[case] tamper: fn(&mut Vec<Datagram>)) {
        let pieces = pieces_of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(stands_in(&pieces, &[0x5A; 60]), Some(Ears::ALL));
    }
}
