//! What a guessed secret is tried on: one ciphertext per key, and a second one to confirm.
//!
//! Invariant: a lock holds only what every listener can tap or take out of a hop; no key of anybody's is in it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Kind, Role};

use crate::agreement::{Bytes32, key_id_owner};
use crate::capture::Class;
use crate::dissect::rtp::Header;
use crate::dtls_exporter::Prf;
use crate::evidence::{Association, Ears, Evidence, Flow, Frame, Inside, Media};
use crate::sframe;
use crate::srtp::Profile;

/// Two ciphertexts of one key, the shortest there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Tried first.
    pub first: Vec<u8>,
    /// Tried when the first opened; the same where there is only one.
    pub second: Vec<u8>,
}

impl Pair {
    fn take(&mut self, ciphertext: &[u8]) {
        if self.first.is_empty() || ciphertext.len() < self.first.len() {
            let longer = std::mem::replace(&mut self.first, ciphertext.to_vec());
            self.second = if longer.is_empty() { ciphertext.to_vec() } else { longer };
        } else if self.second == self.first && ciphertext != self.first {
            self.second = ciphertext.to_vec();
        }
    }
}

/// Frames under one SFrame key.
#[derive(Clone, Debug)]
pub struct FrameLock {
    /// The call id in hex; empty where no ledger says which.
    pub call: String,
    /// The key id.
    pub key_id: u64,
    /// Who holds the key.
    pub ears: Ears,
    /// Frames, header first.
    pub frames: Pair,
}

/// An agreement as a device saw it, with a lock that its keys open.
#[derive(Clone, Debug)]
pub struct CallLock {
    /// The transcript.
    pub transcript: Bytes32,
    /// Both public keys.
    pub publics: [Bytes32; 2],
    /// Whose frames the lock holds, and of which kind.
    pub sender: (Role, Kind),
    /// Index of the lock.
    pub lock: usize,
}

/// SRTP packets of one direction of a hop.
#[derive(Clone, Debug)]
pub struct HopLock {
    /// The protection profile.
    pub profile: Profile,
    /// Who holds the key.
    pub ears: Ears,
    /// Packets.
    pub packets: Pair,
    /// What the exporter needs beside the master secret, where a handshake was seen.
    pub exporter: Option<Exporter>,
}

/// What a handshake gives to the exporter (RFC 5764 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exporter {
    /// The hash of the suite.
    pub prf: Prf,
    /// Random of the client's hello.
    pub client_random: Bytes32,
    /// Random of the server's hello.
    pub server_random: Bytes32,
    /// Whether the packets are the DTLS client's.
    pub from_client: bool,
}

/// Everything that secrets are tried on.
#[derive(Clone, Debug, Default)]
pub struct Locks {
    /// SFrame.
    pub frames: Vec<FrameLock>,
    /// Agreements.
    pub calls: Vec<CallLock>,
    /// SRTP.
    pub hops: Vec<HopLock>,
}

impl Locks {
    /// The locks of a world.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let mut locks = Self { frames: frames(evidence), calls: Vec::new(), hops: hops(evidence) };
        locks.calls = calls(evidence, &locks.frames);
        locks
    }
}

fn frames(evidence: &Evidence<'_>) -> Vec<FrameLock> {
    let mut found: BTreeMap<(String, u64, Ears, Option<usize>), Pair> = BTreeMap::new();
    let named = calls_of_keys(evidence);
    for media in &evidence.media {
        let plain = media.frames.iter().any(|frame| frame.inside == Inside::Plain);
        for frame in &media.frames {
            let Some((key_id, ears, key)) = sealed(evidence, media, frame, plain) else { continue };
            let book = frame.sent.and_then(|sent| evidence.ledgers.books.get(sent.book));
            let by_key = || key.and_then(|key| named.get(&key).cloned()).unwrap_or_default();
            let call = book.map_or_else(by_key, |book| book.call.clone());
            found.entry((call, key_id, ears, key)).or_default().take(&frame.payload);
        }
    }
    let locks = found.into_iter();
    locks.map(|((call, key_id, ears, _), frames)| FrameLock { call, key_id, ears, frames }).collect()
}

/// Key id, holders and index of the key of a sealed frame. A frame that nobody opened counts as sealed where none of
/// its stream lies open.
fn sealed(
    evidence: &Evidence<'_>,
    media: &Media,
    frame: &Frame,
    plain: bool,
) -> Option<(u64, Ears, Option<usize>)> {
    match frame.inside {
        Inside::Plain => None,
        Inside::Sealed { .. } if !evidence.is_accounted_for(frame) => None,
        Inside::Sealed { key, key_id, .. } => {
            Some((key_id, evidence.keys.frame_keys().get(key)?.ears, Some(key)))
        }
        Inside::Unknown => {
            let opened =
                !frame.hop.is_none() && !plain && media.frames.iter().all(|f| f.inside == Inside::Unknown);
            let header = sframe::Header::parse(&frame.payload).filter(|_| opened)?;
            key_id_owner(header.key_id).map(|_| (header.key_id, Ears::NONE, None))
        }
    }
}

/// The call of each base key that follows from a shared secret which was handed over; where a ledger says which call a
/// frame belongs to nothing is derived.
fn calls_of_keys(evidence: &Evidence<'_>) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    if evidence.recorded {
        return found;
    }
    for (call, view) in evidence.views() {
        for schedule in view.schedules(evidence) {
            for (index, key) in evidence.keys.frame_keys().iter().enumerate() {
                let owner = key_id_owner(key.key_id);
                if owner.is_some_and(|(sender, kind)| schedule.base_key(sender, kind) == *key.base_key) {
                    found.insert(index, call.to_owned());
                }
            }
        }
    }
    found
}

/// Agreements of one call: transcripts with both public keys.
type Agreements = BTreeSet<(Bytes32, [Bytes32; 2])>;

fn calls(evidence: &Evidence<'_>, frames: &[FrameLock]) -> Vec<CallLock> {
    let mut by_call: BTreeMap<&str, Agreements> = BTreeMap::new();
    for (call, view) in evidence.views() {
        let agreement = view.signalled().and_then(|signalled| {
            Some((signalled.transcript().ok()?, [signalled.epk_caller, signalled.epk_callee]))
        });
        by_call.entry(call).or_default().extend(agreement);
    }
    let mut found = Vec::new();
    for (call, agreements) in by_call {
        let is_own = |lock: &FrameLock| lock.call == call || (!evidence.recorded && lock.call.is_empty());
        // One lock for one agreement: its keys open all. Of two, nobody says which opens what, nor where no ledger says
        // which call a frame is of.
        let known = frames.iter().filter(|lock| is_own(lock)).all(|lock| lock.call == call);
        let most = if agreements.len() < 2 && known { 1 } else { usize::MAX };
        let own = frames.iter().enumerate().filter(|(_, lock)| is_own(lock));
        let own: Vec<(usize, (Role, Kind))> =
            own.filter_map(|(index, lock)| Some((index, key_id_owner(lock.key_id)?))).take(most).collect();
        for (transcript, publics) in agreements {
            let lock = |(lock, sender): &(usize, (Role, Kind))| CallLock {
                transcript,
                publics,
                sender: *sender,
                lock: *lock,
            };
            found.extend(own.iter().map(lock));
        }
    }
    found
}

fn hops(evidence: &Evidence<'_>) -> Vec<HopLock> {
    let mut packets: BTreeMap<Flow, Pair> = BTreeMap::new();
    let media =
        evidence.datagrams.iter().filter(|datagram| matches!(datagram.class, Class::Rtp | Class::Srtp));
    // What Mallory made or changed opens under no key of the hop.
    let mut starts: BTreeMap<(Flow, u32), u16> = BTreeMap::new();
    for datagram in media.filter(|datagram| !evidence.is_mallorys(datagram.packet)) {
        let bytes = datagram.bytes(&evidence.capture);
        let Some(header) = Header::parse(bytes) else { continue };
        let start = *starts.entry((datagram.flow, header.ssrc)).or_insert(header.sequence);
        // Keys are tried with a rollover counter of 0.
        if !has_rolled_over(start, header.sequence) {
            packets.entry(datagram.flow).or_default().take(bytes);
        }
    }
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for association in &evidence.associations {
        let Some(profile) = association.profile().and_then(Profile::numbered) else { continue };
        for flow in [association.flow, association.flow.reversed()] {
            let Some(pair) = packets.get(&flow) else { continue };
            if !known.insert((flow.source, flow.destination, flow.peer, association.sender(flow).random)) {
                // The same handshake at another tap.
                continue;
            }
            let keys = association.keys.iter().filter(|key| key.flow == flow);
            let ears = keys.fold(Ears::NONE, |ears, key| ears | key.ears);
            let exporter = exporter(association, flow);
            found.push(HopLock { profile, ears, packets: pair.clone(), exporter });
        }
    }
    found
}

/// Whether a stream that began with `start` has begun its sequence numbers anew before `sequence` (RFC 3711 §3.3.1).
const fn has_rolled_over(start: u16, sequence: u16) -> bool {
    start >= 0x8000 && sequence < start - 0x8000
}

/// How SRTP keys follow from a master secret; DTLS 1.3 has none.
fn exporter(association: &Association, flow: Flow) -> Option<Exporter> {
    if association.is_13() {
        return None;
    }
    let (client, server) = association.client_and_server()?;
    Some(Exporter {
        prf: association.prf()?,
        client_random: client.random?,
        server_random: server.random?,
        from_client: association.sender(flow).is_client,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::first(65_530, 65_530, false)]
    #[case::next(65_530, 65_535, false)]
    #[case::anew(65_530, 0, true)]
    #[case::late_at_the_start(65_530, 65_520, false)]
    #[case::low_start(10, 5, false)]
    #[case::low_start_goes_on(10, 40_000, false)]
    fn packets_after_a_rollover_are_no_locks(#[case] start: u16, #[case] sequence: u16, #[case] anew: bool) {
        assert_eq!(has_rolled_over(start, sequence), anew);
    }
}
