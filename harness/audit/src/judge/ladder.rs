//! Which messages went between whom: the ladder of a variant, for people.
//!
//! Invariant: a step stands in the capture or in Mallory's own list of deeds; nothing is judged by it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use model::identity::Node;
use model::results::LadderStep;
use sha2::{Digest, Sha256};

use crate::case::Case;
use crate::evidence::Evidence;

/// Steps that are told.
const TOLD: usize = 40;

/// The steps in the order of time.
pub(super) fn ladder(case: &Case<'_>) -> Vec<LadderStep> {
    let evidence = case.evidence;
    let deeds: BTreeSet<&str> = evidence.world.deeds.iter().map(|deed| deed.sha256.as_str()).collect();
    let mut steps = signalled(evidence, &deeds);
    let told: BTreeSet<String> = steps.iter().filter(|(_, step)| step.altered).map(|s| s.0.clone()).collect();
    steps.extend(altered(evidence, &told));
    steps.sort_by_key(|(_, step)| step.at_ms);
    steps.into_iter().map(|(_, step)| step).take(TOLD).collect()
}

/// Signalling messages, each with the SHA-256 of its text.
fn signalled(evidence: &Evidence<'_>, deeds: &BTreeSet<&str>) -> Vec<(String, LadderStep)> {
    let messages = evidence.signalling.messages.iter().filter(|message| !message.kind().is_empty());
    let step = |message: &crate::evidence::Message| {
        let connection = evidence.signalling.connections.get(message.connection)?;
        let (client, server) = (name(evidence, connection.client), name(evidence, connection.server));
        let (from, to) = if message.from_client { (client, server) } else { (server, client) };
        let hash = hex::encode(Sha256::digest(message.text.as_bytes()));
        let step = LadderStep {
            at_ms: message.at_ns.saturating_sub(evidence.world.epoch_ns) / 1_000_000,
            from,
            to,
            message: message.kind().chars().take(40).collect(),
            packet: Some(evidence.located(message.packet).0).filter(|number| *number > 0),
            altered: deeds.contains(hash.as_str()),
        };
        Some((hash, step))
    };
    messages.filter_map(step).collect()
}

/// What Mallory did beside signalling: one step for the first of equal deeds, with their number.
fn altered(evidence: &Evidence<'_>, told: &BTreeSet<String>) -> Vec<(String, LadderStep)> {
    let mut steps: BTreeMap<(usize, &str, &str), (String, LadderStep, u64)> = BTreeMap::new();
    for deed in evidence.world.deeds.iter().filter(|deed| !told.contains(&deed.sha256)) {
        let key = (deed.index, deed.victim.as_str(), deed.what.as_str());
        let (_, step, count) = steps.entry(key).or_insert_with(|| {
            let step = LadderStep {
                at_ms: deed.at_ns / 1_000_000,
                from: Node::Mallory.word().to_owned(),
                to: deed.victim.clone(),
                message: format!("{}: {}", deed.attack, deed.what),
                packet: None,
                altered: true,
            };
            (deed.sha256.clone(), step, 0)
        });
        *count += 1;
        step.at_ms = step.at_ms.min(deed.at_ns / 1_000_000);
    }
    let counted = |(hash, mut step, count): (String, LadderStep, u64)| {
        if count > 1 {
            step.message.push_str(&format!(" ({count} times)"));
        }
        (hash, step)
    };
    steps.into_values().map(counted).collect()
}

/// The device or node behind an address; the address itself where nobody is known there.
fn name(evidence: &Evidence<'_>, address: SocketAddr) -> String {
    let ip = address.ip().to_string();
    let link = evidence.world.links.iter().find(|link| link.addresses.contains(&ip));
    link.map_or_else(|| address.to_string(), |link| link.tap.clone())
}
