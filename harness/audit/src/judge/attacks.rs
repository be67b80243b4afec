//! How often each attack was made, and how often its bytes reached the victim's tap.
//!
//! Invariant: an alteration that the capture does not show at the victim's tap did not arrive.

use std::collections::BTreeSet;

use model::record::Deed;
use model::results::AttackResult;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::evidence::Evidence;

/// One result per planned attack, with the number that is needed.
pub(super) fn results(case: &Case<'_>) -> Vec<(AttackResult, u64)> {
    if case.plan.attacks.is_empty() {
        return Vec::new();
    }
    let arrived = arrived(case.evidence);
    let planned = case.plan.attacks.iter().enumerate();
    let result = |(index, attack): (usize, &model::plan::AttackPlan)| {
        let deeds: Vec<&Deed> = case.evidence.world.deeds.iter().filter(|deed| deed.index == index).collect();
        let reached =
            deeds.iter().filter(|deed| arrived.contains(&(deed.victim.clone(), deed.sha256.clone())));
        let result = AttackResult {
            attack: attack.attack,
            fired: deeds.len() as u64,
            reached: reached.count() as u64,
        };
        (result, attack.must_fire)
    };
    planned.map(result).collect()
}

/// Tap and SHA-256 of every UDP payload and of every signalling message and HTTP body that arrived there.
fn arrived(evidence: &Evidence<'_>) -> BTreeSet<(String, String)> {
    let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    let mut found = BTreeSet::new();
    let victims: BTreeSet<&str> = evidence.world.deeds.iter().map(|deed| deed.victim.as_str()).collect();
    for packet in &evidence.capture.packets {
        let tap = evidence.capture.tap(packet);
        if victims.contains(tap) {
            found.insert((tap.to_owned(), hash(evidence.capture.payload(packet))));
        }
    }
    for message in &evidence.signalling.messages {
        for tap in ends(evidence, message.connection) {
            found.insert((tap, hash(message.text.as_bytes())));
        }
    }
    for exchange in &evidence.signalling.exchanges {
        for tap in ends(evidence, exchange.connection) {
            found.insert((tap, hash(&exchange.message.body)));
        }
    }
    found
}

/// The taps of both ends of a connection.
fn ends(evidence: &Evidence<'_>, connection: usize) -> Vec<String> {
    let Some(connection) = evidence.signalling.connections.get(connection) else { return Vec::new() };
    let ips = [connection.client.ip().to_string(), connection.server.ip().to_string()];
    let links = evidence.world.links.iter();
    links.filter(|link| link.addresses.iter().any(|a| ips.contains(a))).map(|link| link.tap.clone()).collect()
}
