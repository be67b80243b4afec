//! What a call may say beside its media: more is no call, but two ends that answer each other without end.
//!
//! Invariant: each datagram counts once, where the node that made it sent it; what a relay only passes on is not its
//! own.

use std::collections::BTreeMap;

use model::Verdict;
use model::identity::Node;
use model::record::CallRecord;

use crate::capture::Class;
use crate::dissect::dtls::{CONTENT_ALERT, records};
use crate::evidence::{Datagram, Evidence, Fault};

/// DTLS alerts of one call. A handshake that is refused sends them until its set-up time is over.
const ALERTS: u64 = 400;
/// Datagrams of one call that carry no media.
const BESIDE_MEDIA: u64 = 2_000;

/// What one call has sent so far.
#[derive(Default)]
struct Sent {
    alerts: u64,
    datagrams: u64,
}

/// Each budget that a call of `evidence` crosses, with the packet that crosses it.
pub(super) fn crossed(evidence: &Evidence<'_>) -> Vec<Fault> {
    let mut found = Vec::new();
    let mut sent: BTreeMap<&str, Sent> = BTreeMap::new();
    for datagram in evidence.datagrams.iter().filter(|datagram| is_own(evidence, datagram)) {
        let Some(call) = call_of(evidence, datagram) else { continue };
        let name = call.name.as_str();
        let (number, tap) = evidence.located(datagram.packet);
        let mut count = |before: &mut u64, more: u64, most: u64, what: &str| {
            let crosses = *before <= most && *before + more > most;
            *before += more;
            if crosses {
                let text = format!(
                    "{name} sends more than {most} {what} with packet {number}, at {tap}; find out which two ends \
                     answer each other without end"
                );
                found.push(Fault { verdict: Verdict::Error, text });
            }
        };
        let sent = sent.entry(name).or_default();
        count(&mut sent.alerts, alerts(evidence, datagram), ALERTS, "alerts");
        count(&mut sent.datagrams, 1, BESIDE_MEDIA, "datagrams beside its media");
    }
    found
}

/// Whether a node other than a relay sent `datagram`, and it carries no media.
fn is_own(evidence: &Evidence<'_>, datagram: &Datagram) -> bool {
    let tap = evidence.capture.interfaces.get(datagram.flow.interface).map_or("", String::as_str);
    datagram.class != Class::Rtp
        && datagram.class != Class::Srtp
        && tap != Node::Relay.word()
        && evidence.is_outgoing(datagram.flow)
}

fn alerts(evidence: &Evidence<'_>, datagram: &Datagram) -> u64 {
    if datagram.class != Class::Dtls {
        return 0;
    }
    let records = records(datagram.bytes(&evidence.capture));
    records.iter().filter(|record| record.content == CONTENT_ALERT).count() as u64
}

/// The call that was placed last, when `datagram` was sent, of those that a device at one of its ends is in.
fn call_of<'e>(evidence: &Evidence<'e>, datagram: &Datagram) -> Option<&'e CallRecord> {
    let at_ns = evidence.capture.packets.get(datagram.packet)?.at_ns;
    let world = evidence.world;
    let ends = [datagram.flow.source, datagram.flow.destination];
    let there: Vec<&str> = ends.into_iter().filter_map(|end| evidence.device_at(end)).collect();
    let is_in = |call: &&CallRecord| {
        let claims = world.claims.iter().filter(|claim| claim.call == call.call).map(|claim| &claim.device);
        let mut devices = claims.chain([&call.caller]).chain(&call.callee);
        devices.any(|device| there.contains(&device.to_string().as_str()))
    };
    let placed = world.calls.iter().filter(|call| evidence.stamp(call.placed_ns) <= at_ns);
    placed.filter(is_in).max_by_key(|call| call.placed_ns)
}
