//! How often each attack was made, and how often its bytes reached the victim's tap.
//!
//! Invariant: an alteration that the capture does not show at the victim's tap did not arrive.

use std::collections::{BTreeMap, BTreeSet};

use model::attack::Attack;
use model::record::Deed;
use model::results::AttackResult;
use sha2::{Digest, Sha256};

use crate::capture::Transport;
use crate::case::Case;
use crate::evidence::Evidence;

/// One result per planned attack, with the number that is needed.
pub(super) fn results(case: &Case<'_>) -> Vec<(AttackResult, u64)> {
    if case.plan.attacks.is_empty() {
        return Vec::new();
    }
    let mut arrived = arrived(case.evidence);
    let planned = case.plan.attacks.iter().enumerate();
    let result = |(index, attack): (usize, &model::plan::AttackPlan)| {
        let deeds: Vec<&Deed> = case.evidence.world.deeds.iter().filter(|deed| deed.index == index).collect();
        let reached = deeds.iter().filter(|deed| arrived.take(deed)).count();
        let result =
            AttackResult { attack: attack.attack, fired: deeds.len() as u64, reached: reached as u64 };
        (result, attack.must_fire)
    };
    planned.map(result).collect()
}

/// How often the bytes with a SHA-256 arrived at a victim's tap.
#[derive(Default)]
struct Arrived {
    count: BTreeMap<(String, String), u64>,
    replayed: BTreeSet<(String, String)>,
}

impl Arrived {
    fn add(&mut self, tap: &str, bytes: &[u8]) {
        *self.count.entry((tap.to_owned(), hex::encode(Sha256::digest(bytes)))).or_default() += 1;
    }

    /// Takes one arrival for `deed`, if there is one left. Of bytes that Mallory sent again the first one came without
    /// her.
    fn take(&mut self, deed: &Deed) -> bool {
        let key = (deed.victim.clone(), deed.sha256.clone());
        let Some(left) = self.count.get_mut(&key) else { return false };
        if deed.attack == Attack::Replay && self.replayed.insert(key) {
            *left = left.saturating_sub(1);
        }
        let there = *left > 0;
        *left = left.saturating_sub(1);
        there
    }
}

/// Every UDP payload and every payload behind SRTP that came in at a victim's tap, and every signalling message and
/// HTTP body of its connections.
fn arrived(evidence: &Evidence<'_>) -> Arrived {
    let mut arrived = Arrived::default();
    let victims: BTreeSet<&str> = evidence.world.deeds.iter().map(|deed| deed.victim.as_str()).collect();
    for packet in &evidence.capture.packets {
        let tap = evidence.capture.tap(packet);
        let own = evidence.world.links.iter().find(|link| link.tap == tap);
        let incoming = own.is_none_or(|link| !link.addresses.contains(&packet.source.ip().to_string()));
        if incoming && packet.transport == Transport::Udp && victims.contains(tap) {
            arrived.add(tap, evidence.capture.payload(packet));
        }
    }
    for media in evidence.media.iter().filter(|media| !evidence.is_outgoing(media.stream.flow)) {
        let tap = evidence.capture.interfaces.get(media.stream.flow.interface).map_or("", String::as_str);
        if victims.contains(tap) {
            media.stream.packets.iter().for_each(|packet| arrived.add(tap, &packet.body));
        }
    }
    for message in &evidence.signalling.messages {
        for tap in ends(evidence, message.connection) {
            arrived.add(&tap, message.text.as_bytes());
        }
    }
    for exchange in &evidence.signalling.exchanges {
        for tap in ends(evidence, exchange.connection) {
            arrived.add(&tap, &exchange.message.body);
        }
    }
    arrived
}

/// The taps of both ends of a connection.
fn ends(evidence: &Evidence<'_>, connection: usize) -> Vec<String> {
    let Some(connection) = evidence.signalling.connections.get(connection) else { return Vec::new() };
    let ips = [connection.client.ip().to_string(), connection.server.ip().to_string()];
    let links = evidence.world.links.iter();
    links.filter(|link| link.addresses.iter().any(|a| ips.contains(a))).map(|link| link.tap.clone()).collect()
}
