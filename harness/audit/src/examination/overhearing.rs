//! What whoever reads the signalling, or only the packets, comes by beside the keys that were given: guesses, sweep and
//! search, by the code that judges runs.
//!
//! Invariant: it is done to a bounded excerpt, and whatever was left or not found as a control is said.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use model::audit::AuditStream;
use model::outcome::Listener;
use model::results::Sweep;

use super::excerpt::Bounds;
use super::keys::Holder;
use super::listed::Listed;
use crate::capture::Capture;
use crate::evidence::{Ears, Evidence, Inside, Keys, no_record};
use crate::key_file::{Key, Owner, Secret};
use crate::plant::Controls;
use crate::sweep::{self, Locks, Origin, Reach};

/// Listeners that stand for the middle parties whose keys were given; the last one for all further ones.
const MIDDLE: [Listener; 3] = [Listener::Trudy, Listener::Harvest, Listener::Mallory];

/// Bounds of the excerpt.
pub const fn bounds(sweep: Sweep) -> Bounds {
    match sweep {
        Sweep::Full => Bounds { tcp: 4 << 20, media: 4 << 20, others: 4 << 20, packets: 4_096 },
        Sweep::Light | Sweep::Off => Bounds { tcp: 1 << 20, media: 1 << 20, others: 1 << 19, packets: 256 },
    }
}

/// Trials of a window on a lock: a second of one processor, or a minute.
const fn work(sweep: Sweep) -> u64 {
    match sweep {
        Sweep::Full => 60_000_000,
        Sweep::Light | Sweep::Off => 1_000_000,
    }
}

/// Different windows that are remembered.
const fn windows(sweep: Sweep) -> u64 {
    match sweep {
        Sweep::Full => 400_000,
        Sweep::Light | Sweep::Off => 100_000,
    }
}

/// What was come by, and how well it was looked for.
#[derive(Debug, Default)]
pub struct Overheard {
    /// Keys, with those who hold them now.
    pub keys: Vec<(Holder, Secret)>,
    /// Each secret that can be guessed or read, in words, with its packets.
    pub told: BTreeMap<String, Listed>,
    /// Planted controls.
    pub controls: Controls,
    /// Bytes of the excerpt that were not swept.
    pub left_bytes: u64,
    /// Packets beyond the excerpt.
    pub left_packets: u64,
    /// How much was done.
    pub sweep: Sweep,
    /// Whether every connection was read to its end.
    pub reads_all: bool,
    tried: HashSet<(String, String, String)>,
}

impl Overheard {
    /// Whether secrets were tried on the packets of a stream.
    pub fn tried(&self, stream: &AuditStream) -> bool {
        let name = (stream.source.clone(), stream.destination.clone(), stream.ssrc.clone());
        self.tried.contains(&name)
    }
}

/// Does to an excerpt, of which so many packets were left out, what a middle party does who holds the given keys.
pub fn overhear((capture, left_packets): (Capture, u64), given: &[Key], sweep: Sweep) -> Overheard {
    let world = no_record();
    let owners = Owners::of(given);
    let mut keys = Keys::of_owners(owners.named.clone());
    keys.take(given.to_vec());
    let evidence = Evidence::unrecorded(&world, capture, keys);
    let locks = Locks::of(&evidence);
    let locked = locks.frames.len() + locks.calls.len() + locks.hops.len();
    let reads_all = evidence.signalling.unreadable.is_empty() && left_packets == 0;
    let mut told = Overheard { left_packets, sweep, reads_all, ..Overheard::default() };
    if locked == 0 {
        return told;
    }
    told.tried = tried(&evidence, &locks);
    let most = windows(sweep).min(work(sweep) / locked as u64);
    let reach = if sweep == Sweep::Off { Reach::Guesses } else { Reach::All };
    let listeners: Vec<Listener> = [Listener::Eve].into_iter().chain(owners.listeners()).collect();
    let evidence = sweep::overhear_within(evidence, reach, &listeners, most);
    let swept = &evidence.swept;
    told.controls = swept.controls;
    told.left_bytes = swept.left;
    let keys = swept.keys.iter().flat_map(|(secret, ears)| {
        owners.holders(*ears).into_iter().map(move |holder| (holder, secret.clone()))
    });
    told.keys = keys.collect();
    for hit in &swept.hits {
        let packet = match hit.origin {
            Origin::Stood { packet, .. } => packet,
            Origin::Guess(_) => None,
        };
        let packets = packet.map(|packet| evidence.located(packet).0);
        told.told
            .entry(hit.text(&owners.words(hit.ears), ""))
            .or_insert_with(|| packets.into_iter().collect());
    }
    for trace in swept.traces.iter().filter(|trace| !swept.hits.iter().any(|hit| hit.stands_at(trace))) {
        let numbers: BTreeSet<u64> = trace.packets.iter().map(|packet| evidence.located(*packet).0).collect();
        let text =
            format!("{} can read a part of {}, {}", owners.words(trace.ears), trace.secret, trace.place);
        told.told.entry(text).or_insert_with(|| numbers.into_iter().collect());
    }
    told
}

/// Streams whose packets or frames are among what secrets are tried on, or share a key with those.
fn tried(evidence: &Evidence<'_>, locks: &Locks) -> HashSet<(String, String, String)> {
    let keyed = |flow| {
        !locks.hops.is_empty()
            && evidence.associations.iter().any(|one| one.flow == flow || one.flow.reversed() == flow)
    };
    let media = evidence.media.iter().filter(|media| {
        let sealed = media.frames.iter().any(|frame| matches!(frame.inside, Inside::Sealed { .. }));
        sealed || keyed(media.stream.flow)
    });
    media
        .map(|media| {
            let flow = media.stream.flow;
            (flow.source.to_string(), flow.destination.to_string(), format!("{:08x}", media.stream.ssrc))
        })
        .collect()
}

/// The middle parties whose keys were given.
struct Owners {
    named: BTreeMap<Owner, Ears>,
}

impl Owners {
    fn of(given: &[Key]) -> Self {
        let middle: BTreeSet<&Owner> =
            given.iter().map(|key| &key.owner).filter(|owner| owner.is_middle_party()).collect();
        let listeners = MIDDLE.into_iter().chain(std::iter::repeat(Listener::Mallory));
        let named = middle.into_iter().cloned().zip(listeners.map(Ears::of)).collect();
        Self { named }
    }

    fn listeners(&self) -> impl Iterator<Item = Listener> + use<'_> {
        MIDDLE.into_iter().take(self.named.len())
    }

    fn middle(&self, ears: Ears) -> impl Iterator<Item = &Owner> + use<'_> {
        self.named
            .iter()
            .filter(move |(_, own)| !ears.without(ears.without(**own)).is_none())
            .map(|(owner, _)| owner)
    }

    /// Who has what `ears` have; what everybody can read the capture gives away, and middle parties read it as well.
    fn holders(&self, ears: Ears) -> Vec<Holder> {
        let capture = ears.has(Listener::Eve).then_some(Holder::Capture);
        capture.into_iter().chain(self.middle(ears).cloned().map(Holder::Owner)).collect()
    }

    fn words(&self, ears: Ears) -> String {
        if ears.has(Listener::Eve) {
            return "whoever records the packets".to_owned();
        }
        let names: Vec<String> = self.middle(ears).map(|owner| format!("`{owner}`")).collect();
        names.join(" and ")
    }
}

#[cfg(test)]
mod tests;
