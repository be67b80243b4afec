//! Who can read a stream: the first of the words of the design's section 6 that holds.
//!
//! Invariant: a word that says more than `encrypted-undetermined` rests on bytes that were read or keys that opened;
//! labels of signalling never count.

mod undetermined;

use std::collections::BTreeMap;

use model::audit::Protection;

use super::codec::Codec;
use super::keys::Holder;
use super::layer::Bare;
use super::opening::Opened;
use super::payloads::Seen;
use super::statistics::told;
use super::structure::{Found, Least, Sign};

/// Packets and bytes that the inside must have before it may be called unstructured.
const ENOUGH: (u64, u64) = (8, 1_280);

/// What is known of a stream.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Its packets.
    pub packets: u64,
    /// What its payloads look like.
    pub seen: &'a Seen,
    /// Whether the statistics of all streams together bear the structure out (Holm).
    pub significant: bool,
    /// What keys opened of it.
    pub opened: &'a Opened,
    /// Packets with another payload under an index that was used before.
    pub reused: u64,
    /// Another stream under the same keystream, and how likely that is chance.
    pub shared: Option<(&'a str, f64)>,
    /// Packets that are too short to be protected.
    pub short: u64,
    /// Packets at its start that were sent in the clear.
    pub early: u64,
    /// The number of a protection profile without encryption that the handshake of its way chose.
    pub null_profile: Option<u16>,
    /// Middle parties whose keys were declared to be all that they hold.
    pub complete: &'a [Holder],
}

/// Judges a stream: the word, and what it rests on.
pub fn protection(facts: &Facts<'_>) -> (Protection, String) {
    plaintext(facts)
        .map(|why| (Protection::Plaintext, why))
        .or_else(|| broken(facts).map(|why| (Protection::Broken, why)))
        .or_else(|| transport_only(facts).map(|why| (Protection::TransportOnly, why)))
        .or_else(|| end_to_end(facts).map(|why| (Protection::EndToEndConsistent, why)))
        .unwrap_or_else(|| undetermined::rest(facts))
}

/// Whether no key of SRTP was needed to see the structure.
fn in_the_open<'a>(facts: &Facts<'a>) -> Option<&'a Found> {
    let readable = facts.opened.hop.is_empty() && facts.significant && facts.seen.is_readable();
    readable.then(|| facts.seen.content())
}

/// Whether nearly all windows have structure, so that it is the stream's and not that of some packets.
fn throughout(found: &Found) -> bool {
    found.structured * 10 >= found.windows.saturating_sub(found.small) * 9
}

fn plaintext(facts: &Facts<'_>) -> Option<String> {
    let found = in_the_open(facts).filter(|found| throughout(found))?;
    Some(format!("{} without any key", sign(found)?))
}

fn sign(found: &Found) -> Option<String> {
    let Least { sign, .. } = found.least?;
    let chance = format!("random bytes show it with a probability of {}", told(found.probability()));
    let codec = found.codec.map(|codec| format!("{} is readable: ", name(codec))).unwrap_or_default();
    Some(match sign {
        Sign::Column { offset, same, of } => {
            format!("{codec}byte {offset} of the payload is the same in {same} of {of} packets ({chance})")
        }
        Sign::Pooled { bytes } => format!("{codec}{bytes} payload bytes are spread unevenly ({chance})"),
        Sign::Neighbours { same, of } => {
            format!(
                "{codec}{same} of {of} neighbouring payload bytes have the same upper four bits ({chance})"
            )
        }
        Sign::Codec(codec) => format!("the packets are those of {} ({chance})", name(codec)),
    })
}

/// The name of a codec for people.
pub fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "Opus",
        Codec::G711 => "G.711",
        Codec::Vp8 => "VP8",
        Codec::Vp9 => "VP9",
        Codec::Av1 => "AV1",
        Codec::H264 => "H.264",
        Codec::Red => "redundant audio (RED)",
        Codec::TelephoneEvent => "telephone events",
    }
}

fn broken(facts: &Facts<'_>) -> Option<String> {
    if let Some(packets) = facts.opened.hop.get(&Holder::Capture) {
        return Some(format!(
            "a key that stands in readable signalling of this capture opens {packets} of {} packets",
            facts.packets
        ));
    }
    if let Some(packets) = facts.opened.frames.get(&Holder::Capture).filter(|_| facts.opened.hop.is_empty()) {
        return Some(format!(
            "a frame key that can be guessed or read without any key opens {packets} of {} packets",
            facts.packets
        ));
    }
    if let Some(profile) = facts.null_profile {
        return Some(format!(
            "its handshake chose protection profile {profile:#06x}, which does not encrypt"
        ));
    }
    if facts.reused > 0 {
        return Some(format!(
            "{} packets have another payload under an index that was used before: one keystream covers both",
            facts.reused
        ));
    }
    if facts.opened.reused.total > 0 {
        return Some(format!(
            "{} frames have key and counter of another frame: one keystream covers both",
            facts.opened.reused.total
        ));
    }
    if let Some((other, probability)) = facts.shared {
        return Some(format!(
            "it has the keystream of {other}: packets with one index differ only as two plaintexts do (independent \
             keystreams look like this with a probability of {})",
            told(probability)
        ));
    }
    if facts.opened.clear.total > 0 {
        return Some(format!(
            "{} packets open under no key and begin like those that do: they were sent in the clear",
            facts.opened.clear.total
        ));
    }
    if facts.early > 0 {
        return Some(format!(
            "its first {} packets begin alike and what follows does not: they were sent in the clear, before there were keys",
            facts.early
        ));
    }
    if let Some(bare) = bare(facts.seen, facts.opened).filter(|_| facts.opened.hop.is_empty())
        && bare.found.is_structured()
    {
        return Some(format!(
            "{} packets have no header of the frame layer that the others have, and can be read: {}",
            bare.packets.total,
            sign(&bare.found)?
        ));
    }
    let partly = in_the_open(facts)?;
    let (first, last) = partly.where_structured.first()?;
    Some(format!("packets between {first} and {last} are readable without a key: {}", sign(partly)?))
}

/// The packets that middle parties opened, by name, those of the most first.
fn middle(opened: &BTreeMap<Holder, u64>) -> Option<(&Holder, u64)> {
    let middle = opened.iter().filter(|(holder, _)| holder.is_middle_party());
    middle.max_by_key(|(_, packets)| **packets).map(|(holder, packets)| (holder, *packets))
}

fn transport_only(facts: &Facts<'_>) -> Option<String> {
    let inside = facts.opened.inside.as_ref()?;
    if let Some((holder, packets)) = middle(&facts.opened.frames) {
        let hop = middle(&facts.opened.hop).is_some() || facts.opened.hop.is_empty();
        if hop && facts.opened.found > 0 {
            return Some(format!(
                "frame keys that `{holder}` can guess or read, and was not given, open {} of {} packets",
                facts.opened.found, facts.packets
            ));
        }
        if hop {
            return Some(format!("the frame keys of `{holder}` open {packets} of {} packets", facts.packets));
        }
    }
    let (holder, packets) = middle(&facts.opened.hop)?;
    if let Some(sealed) = sealed_by_parties(facts.opened) {
        let found = facts.opened.unsealed.as_ref().filter(|seen| seen.is_readable())?.content();
        return Some(format!(
            "the hop keys of `{holder}` open {packets} of {} packets, of which the parties' frame keys open only {sealed}: \
             {} are not sealed, and {}",
            facts.packets,
            facts.opened.unsealed_packets.total,
            sign(found)?
        ));
    }
    if let Some(bare) = bare(facts.seen, facts.opened).filter(|bare| bare.found.is_structured()) {
        return Some(format!(
            "the hop keys of `{holder}` open {packets} of {} packets; inside, {} packets have no header of the frame layer \
             that the others have, and {}",
            facts.packets,
            bare.packets.total,
            sign(&bare.found)?
        ));
    }
    let sign = inside.is_readable().then(|| sign(inside.content()))??;
    Some(format!("the hop keys of `{holder}` open {packets} of {} packets, and inside {sign}", facts.packets))
}

/// Packets without the header of a frame layer that the others of a stream have, where no frame key says more of them.
pub fn bare<'a>(seen: &'a Seen, opened: &'a Opened) -> Option<&'a Bare> {
    match &opened.inside {
        _ if opened.hop.is_empty() => seen.bare.as_ref(),
        Some(inside) if opened.frames.is_empty() => inside.bare.as_ref(),
        _ => None,
    }
}

/// Packets whose frames open under keys that the parties hold and no middle party does.
fn sealed_by_parties(opened: &Opened) -> Option<u64> {
    opened.frames.iter().find(|(holder, _)| holder.is_parties()).map(|(_, packets)| *packets)
}

fn end_to_end(facts: &Facts<'_>) -> Option<String> {
    let opened = facts.opened;
    if middle(&opened.frames).is_some() || opened.unsealed_packets.total > 0 {
        return None;
    }
    let unreadable = |seen: &Seen| {
        let (found, shown) = (seen.content(), seen.bare.is_none() && seen.descriptor.is_none());
        shown && !seen.is_readable() && found.packets >= ENOUGH.0 && found.bytes >= ENOUGH.1
    };
    let parties = sealed_by_parties(opened);
    let core = opened.core.as_ref().filter(|core| core.content().packets >= ENOUGH.0);
    let codec = core
        .and_then(|core| core.content().codec)
        .map(|codec| format!(" to {}", name(codec)))
        .unwrap_or_default();
    let by_parties = parties
        .map(|packets| format!("; the parties' frame keys open {packets} packets{codec}"))
        .unwrap_or_default();
    if let (Some((holder, packets)), Some(inside)) = (middle(&opened.hop), opened.inside.as_ref()) {
        // What opens under an authenticated frame key is no codec, whatever its headers look like.
        let sealed = parties.is_some_and(|packets| packets >= ENOUGH.0);
        return (sealed || unreadable(inside)).then(|| {
            format!(
                "the hop keys of `{holder}` open {packets} of {} packets, the inside has no structure of a codec, and no \
                 key of a middle party opens it{by_parties}",
                facts.packets
            )
        });
    }
    if opened.hop.is_empty() && facts.seen.behind.is_some() && unreadable(facts.seen) {
        return Some(format!(
            "no hop protects it, but behind the headers of a frame layer the bytes have no structure of a codec, and no \
             key of a middle party opens them{by_parties}"
        ));
    }
    let complete = facts.complete.iter().find(|holder| holder.is_middle_party())?;
    let hop = opened.hop.iter().find(|(holder, _)| holder.is_parties()).map(|(_, packets)| *packets);
    let packets = hop.or(parties)?;
    let codec = match core {
        Some(core) => core.is_readable(),
        None => opened.inside.as_ref().is_some_and(Seen::is_readable),
    };
    codec.then(|| {
        format!(
            "the parties' keys open {packets} of {} packets to a codec, and none of the keys of `{complete}`, declared \
             complete by the submitter, opens any",
            facts.packets
        )
    })
}
