//! What is said of a stream of which nobody showed who can read it.
//!
//! Invariant: it is said what was looked at and what was not found, and nothing is made of it.

use model::audit::Protection;

use super::super::counted::counted;
use super::Seen;
use super::{ENOUGH, Facts, bare, middle, name};

/// The word that is left, and what is missing for another.
pub fn rest(facts: &Facts<'_>) -> (Protection, String) {
    if facts.packets < ENOUGH.0 && facts.opened.hop.is_empty() && facts.opened.frames.is_empty() {
        let packets = counted(facts.packets, "packet is", "packets are");
        let why = format!("{packets} too few to tell, and no key fits");
        return (Protection::Insufficient, why);
    }
    let (holders, packets) =
        facts.opened.hop.iter().fold((Vec::new(), 0), |(mut names, most), (holder, packets)| {
            names.push(format!("`{holder}`"));
            (names, packets.max(&most).to_owned())
        });
    let why = if holders.is_empty() {
        without_keys(facts)
    } else if facts.opened.unsealed_packets.total > 0 {
        format!(
            "the keys of {} open {packets} of {} packets; inside, {} packets are not sealed like the others and too few to tell \
             what they hold",
            holders.join(" and "),
            facts.packets,
            facts.opened.unsealed_packets.total
        )
    } else if let Some(open) = left_open(facts) {
        format!(
            "the keys of {} open {packets} of {} packets; inside, {open}",
            holders.join(" and "),
            facts.packets
        )
    } else if middle(&facts.opened.hop).is_some() {
        let inside = facts.opened.inside.as_ref().map(Seen::content);
        let (count, bytes) = inside.map_or((0, 0), |found| (found.packets, found.bytes));
        format!(
            "the keys of {} open {packets} of {} packets; inside are {bytes} bytes in {count} packets, the rest is padding: too \
             little to tell what they hold",
            holders.join(" and "),
            facts.packets
        )
    } else {
        format!(
            "the keys of {} open {packets} of {} packets; what middle parties hold is not known",
            holders.join(" and "),
            facts.packets
        )
    };
    (Protection::EncryptedUndetermined, why)
}

fn without_keys(facts: &Facts<'_>) -> String {
    let unknown = "whether a middle party holds one is not known";
    if let Some(open) = left_open(facts) {
        return format!("no key opens a hop; {open}");
    }
    let found = facts.seen.content();
    format!(
        "no structure was found in {} bytes of {} packets, and no key opens them: {unknown}",
        found.bytes, found.packets
    )
}

/// What was seen where no hop is, or inside it, and does not tell who can read the media.
fn left_open(facts: &Facts<'_>) -> Option<String> {
    if let Some(bare) = bare(facts.seen, facts.opened) {
        return Some(format!(
            "{} no header of the frame layer that the others have, and nothing tells what is inside",
            counted(bare.packets.total, "packet has", "packets have")
        ));
    }
    let seen = facts.opened.inside.as_ref().unwrap_or(facts.seen);
    let descriptor = seen.descriptor?;
    let found = seen.content();
    Some(format!(
        "descriptors of {} are readable, no structure was found in the {} bytes behind them in {} packets, and no frame \
         layer is known by its headers: whether a middle party can read the media is not shown",
        name(descriptor.codec()),
        found.bytes,
        found.packets
    ))
}
