//! Agreements of ZRTP (RFC 6189): whether what each end hashed fits what it showed.
//!
//! Invariant: only what was recorded is compared; a message that is missing is no mismatch.

use std::collections::{BTreeMap, HashMap};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384};

use super::described::Described;
use super::listed::Listed;
use super::stream::Way;
use crate::dissect::zrtp::{Kind, MAC, Message, commitment, image};

/// Agreements that are looked at.
const AGREEMENTS: usize = 2_000;
/// Bytes of a message that are kept.
const MESSAGE: usize = 2_048;
/// Different messages of one kind that are kept of one end.
const KEPT: usize = 4;

/// What one end sent: the different messages of each kind, with the packets that first carried them.
#[derive(Clone, Debug, Default)]
struct End {
    sent: BTreeMap<Kind, Vec<(Vec<u8>, u64)>>,
}

impl End {
    fn take(&mut self, number: u64, message: Message<'_>) {
        let known = self.sent.entry(message.kind).or_default();
        let new = known.iter().all(|(bytes, _)| bytes != message.bytes);
        if new && known.len() < KEPT && message.bytes.len() <= MESSAGE {
            known.push((message.bytes.to_vec(), number));
        }
    }

    fn of(&self, kind: Kind) -> &[(Vec<u8>, u64)] {
        self.sent.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Its part of the exchange; the end that sent `DHPart2` is the initiator.
    fn part(&self) -> Option<(Kind, &(Vec<u8>, u64))> {
        let of = |kind| self.of(kind).last().map(|part| (kind, part));
        of(Kind::Dh2).or_else(|| of(Kind::Dh1))
    }
}

/// One agreement: both ends of a way.
#[derive(Clone, Debug, Default)]
struct Agreement {
    near: End,
    far: End,
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The way on which, sender first.
    pub way: Way,
    /// What.
    pub text: &'static str,
    /// The packets that show it.
    pub packets: Listed,
}

/// Every agreement of one capture.
#[derive(Debug, Default)]
pub struct Agreements {
    all: HashMap<Way, Agreement>,
}

impl Agreements {
    /// Takes a datagram of ZRTP in.
    pub fn take(&mut self, way: Way, number: u64, datagram: &[u8]) {
        let both = way.both();
        if self.all.len() >= AGREEMENTS && !self.all.contains_key(&both) {
            return;
        }
        let agreement = self.all.entry(both).or_default();
        let end = if way == both { &mut agreement.near } else { &mut agreement.far };
        if let Some(message) = Message::parse(datagram) {
            end.take(number, message);
        }
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Agreements of which a commitment and what it was made for were recorded.
    pub fn compared(&self) -> usize {
        self.all
            .values()
            .filter(|agreement| agreement.near.part().is_some() && agreement.far.part().is_some())
            .count()
    }

    /// The packet with which the first end of a way showed that it had keys.
    pub fn confirmed(&self, way: Way) -> Option<u64> {
        let agreement = self.all.get(&way.both())?;
        let confirms = [&agreement.near, &agreement.far].into_iter().flat_map(|end| end.of(Kind::Confirm));
        confirms.map(|(_, number)| *number).min()
    }

    /// What does not fit, by way.
    pub fn mismatches(&self, described: &Described) -> Vec<Mismatch> {
        let mut found = Vec::new();
        for (way, agreement) in &self.all {
            for (way, own, other) in
                [(*way, &agreement.near, &agreement.far), (way.back(), &agreement.far, &agreement.near)]
            {
                let mut add = |text, packets: Listed| found.push(Mismatch { way, text, packets });
                chain(own, &mut add);
                committed(own, other, &mut add);
                announced(way, own, described, &mut add);
            }
        }
        found.sort_by_key(|mismatch| (mismatch.packets.numbers.clone(), mismatch.way));
        found
    }
}

/// H2 is the hash of H1 and H3 that of H2, and each keys the MAC of the message before (RFC 6189 §9).
fn chain(end: &End, add: &mut impl FnMut(&'static str, Listed)) {
    let (hellos, commits) = (end.of(Kind::Hello), end.of(Kind::Commit));
    let part = end.part().and_then(|(kind, (bytes, number))| Some((image(kind, bytes)?, *number)));
    let commit = commits.last();
    if let (Some((h1, number)), Some((commit, at))) = (part, commit) {
        if image(Kind::Commit, commit) != Some(hash(&h1)) {
            add("H2 of its Commit is not the hash of H1 in its DHPart", [*at, number].into_iter().collect());
        } else if !mac_fits(&h1, commit) {
            add("the MAC of its Commit does not fit H1", [*at, number].into_iter().collect());
        }
    }
    let from_part = part.map(|(h1, number)| (hash(&h1), number));
    let from_commit = commit.and_then(|(commit, at)| Some((image(Kind::Commit, commit)?, *at)));
    let Some((h2, number)) = from_commit.or(from_part).filter(|_| !hellos.is_empty()) else { return };
    let packets = || hellos.iter().map(|(_, at)| *at).chain([number]).collect();
    let fitting = hellos.iter().find(|(hello, _)| image(Kind::Hello, hello) == Some(hash(&h2)));
    match fitting {
        None => add("H3 of its Hello is not the hash of H2", packets()),
        Some((hello, _)) if !mac_fits(&h2, hello) => add("the MAC of its Hello does not fit H2", packets()),
        Some(_) => {}
    }
}

/// The initiator's commitment is the hash of its `DHPart2` and the responder's `Hello` (RFC 6189 §4.4.1.1).
fn committed(own: &End, other: &End, add: &mut impl FnMut(&'static str, Listed)) {
    let Some((dh2, number)) = own.of(Kind::Dh2).last() else { return };
    let Some((commit, at)) = own.of(Kind::Commit).last() else { return };
    let Some((name, value)) = commitment(commit) else { return };
    let hellos = other.of(Kind::Hello);
    let made = |hello: &[u8]| -> Option<Vec<u8>> {
        let whole = [dh2.as_slice(), hello].concat();
        match name {
            b"S256" => Some(Sha256::digest(whole).to_vec()),
            b"S384" => Some(Sha384::digest(whole).get(..32)?.to_vec()),
            _ => None,
        }
    };
    let mut known = hellos.iter().filter_map(|(hello, _)| made(hello)).peekable();
    if known.peek().is_some() && !known.any(|made| made == value) {
        add(
            "the commitment of the initiator is not the hash of its DHPart2 and the other end's Hello",
            [*at, number.to_owned()].into_iter().collect(),
        );
    }
}

/// `a=zrtp-hash` is the hash of the `Hello` that the same end sends (RFC 6189 §8.1).
fn announced(way: Way, end: &End, described: &Described, add: &mut impl FnMut(&'static str, Listed)) {
    let Some(hashes) = described.zrtp_hashes_of(way.source) else { return };
    let hellos = end.of(Kind::Hello);
    if !hellos.is_empty() && !hellos.iter().any(|(hello, _)| hashes.iter().any(|(h, _)| *h == hash(hello))) {
        let described = hashes.iter().map(|(_, packet)| *packet);
        let mut packets: Vec<u64> = described.chain(hellos.iter().map(|(_, at)| *at)).collect();
        packets.sort_unstable();
        packets.dedup();
        add("its Hello is not the one whose hash its description names", packets.into_iter().collect());
    }
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn mac_fits(key: &[u8; 32], message: &[u8]) -> bool {
    let Some((covered, tag)) = message.len().checked_sub(MAC).and_then(|at| message.split_at_checked(at))
    else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    mac.update(covered);
    mac.verify_truncated_left(tag).is_ok()
}

#[cfg(test)]
mod tests;
