//! The leg `fresh`: what must serve once serves once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::results::Blame;
use model::{Direction, Role};
use sha2::{Digest, Sha256};

use super::Used;
use crate::case::Case;
use crate::dissect::rtp::sequence_distance;
use crate::evidence::{Evidence, Inside};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// No SFrame key and counter, and no SRTP stream and index, cover two different ciphertexts. No ephemeral key,
    /// agreement nonce, device certificate or base key serves two calls, and no base key two directions, over the
    /// variant's calls and its twin.
    ///
    /// ## Why it matters
    /// Two frames under one key and nonce give each other away, and a key that serves again opens more than its call.
    ///
    /// ## How it decides
    /// It passes when every value that must serve once was seen for one thing only. It fails with each that was not.
    /// It is inconclusive when there was none to see. It sees keys that were handed over; a base key that opened no
    /// frame is not counted.
    summary: "keys, nonces and certificates serve once",
    requirements: [
        "overheard/keys-serve-one-call", "rfc3711/9.1/keystream-encrypts-once",
        "rfc8827/6.5/new-key-pair-for-every-call", "rfc9605/4.1/one-sender-per-key",
        "rfc9605/4.3/header-values-serve-once", "rfc9605/4.4.1/base-key-has-one-sender",
        "rfc9605/7.4/no-nonce-encrypts-twice", "rfc9605/9.1/one-operation-per-key-and-counter",
    ],
    applies: |case| super::carrying(case).next().is_some() || was_there_anything(case.evidence),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    sframe_nonces(case, findings);
    srtp_indices(case.evidence, findings);
    let serves = Serves::of(case.evidence);
    findings.examine(serves.by_value.len() as u64);
    for ((what, _), users) in &serves.by_value {
        let calls: BTreeSet<&str> = users.iter().map(|(call, _)| call.as_str()).collect();
        if calls.len() > 1 {
            let text = format!("one {what} serves {} calls", calls.len());
            findings.fail(Blame::Caller, text, Located::default());
        } else if users.len() > 1 && what != "certificate" {
            let text = format!("one {what} serves both directions of a call");
            findings.fail(Blame::Caller, text, Located::default());
        }
    }
    if let Some(twin) = case.twin {
        let shared = used(case.evidence).values.intersection(&twin.used.values).cloned().collect::<Vec<_>>();
        for (what, _) in shared {
            findings.fail(
                Blame::Caller,
                format!("one {what} serves the call and its twin"),
                Located::default(),
            );
        }
    }
}

/// Whether a call that ended left anything that must serve once.
fn was_there_anything(evidence: &Evidence<'_>) -> bool {
    !Serves::of(evidence).by_value.is_empty() || evidence.media.iter().any(|media| !media.frames.is_empty())
}

/// Each counter of an SFrame key covers one ciphertext.
fn sframe_nonces(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let mut covered: HashMap<(usize, u64), [u8; 32]> = HashMap::new();
    let mut again: BTreeMap<usize, Located> = BTreeMap::new();
    for media in &evidence.media {
        for frame in &media.frames {
            let Inside::Sealed { key, counter, .. } = frame.inside else { continue };
            let first = *covered.entry((key, counter)).or_insert(frame.digest);
            if first != frame.digest {
                let located = again.entry(key).or_default();
                let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
                packets.for_each(|packet| located.add(evidence.located(packet.index)));
            }
        }
    }
    findings.examine(covered.len() as u64);
    for (key, located) in again {
        let key_id = evidence.keys.frame_keys().get(key).map_or(0, |key| key.key_id);
        let blame = if key_id.is_multiple_of(2) { Blame::Caller } else { Blame::Callee };
        findings.fail(
            blame,
            format!("counters of SFrame key id {key_id} cover two ciphertexts each"),
            located,
        );
    }
}

/// Each index of an SRTP stream covers one packet; what Mallory changed on the way is not the sender's.
fn srtp_indices(evidence: &Evidence<'_>, findings: &mut Findings) {
    let mut covered: HashMap<(std::net::SocketAddr, std::net::SocketAddr, u32, i64), [u8; 32]> =
        HashMap::new();
    let mut again = Located::default();
    for media in &evidence.media {
        let flow = media.stream.flow;
        // The peer tells legs apart that share the relay's address.
        let far = flow.peer.unwrap_or(flow.destination);
        let (mut last, mut index) = (None, 0i64);
        for packet in &media.stream.packets {
            let step = last.map_or(0, |last| sequence_distance(last, packet.header.sequence));
            index = if last.is_none() { i64::from(packet.header.sequence) } else { index + i64::from(step) };
            last = Some(packet.header.sequence);
            if evidence.is_mallorys_packet(packet) {
                continue;
            }
            let body: [u8; 32] = Sha256::digest(&packet.body).into();
            if *covered.entry((flow.source, far, media.stream.ssrc, index)).or_insert(body) != body {
                again.add(evidence.located(packet.index));
            }
        }
    }
    findings.examine(covered.len() as u64);
    if !again.packets.is_empty() {
        findings.fail(Blame::Harness, "indices of an SRTP stream cover two packets each", again);
    }
}

/// A call by its id, and the side that used the value.
type Use = (String, Role);

/// What each value that must serve once was used for.
struct Serves {
    by_value: BTreeMap<(String, [u8; 32]), BTreeSet<Use>>,
}

impl Serves {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut serves = Self { by_value: BTreeMap::new() };
        serves.signalled(evidence);
        serves.base_keys(evidence);
        serves.certificates(evidence);
        serves
    }

    fn add(&mut self, what: &str, value: &[u8], call: &str, side: Role) {
        if !value.is_empty() {
            let key = (what.to_owned(), Sha256::digest(value).into());
            self.by_value.entry(key).or_default().insert((call.to_owned(), side));
        }
    }

    /// As the device that made them sent them.
    fn signalled(&mut self, evidence: &Evidence<'_>) {
        for message in evidence.signalling.messages.iter().filter(|message| message.from_client) {
            let side = match message.kind() {
                "answer" => Role::Callee,
                "reveal" => Role::Caller,
                _ => continue,
            };
            let call = message.text_of("call").to_owned();
            self.add("ephemeral key", message.text_of("epk").as_bytes(), &call, side);
            self.add("agreement nonce", message.text_of("nonce").as_bytes(), &call, side);
        }
    }

    fn base_keys(&mut self, evidence: &Evidence<'_>) {
        let frames =
            evidence.media.iter().flat_map(|media| media.frames.iter().map(move |frame| (media, frame)));
        // What Mallory sends back goes the other way under its sender's key.
        for (_, frame) in frames.filter(|(media, frame)| !evidence.is_mallorys_frame(media, frame)) {
            let (Inside::Sealed { key, .. }, Some(sent)) = (frame.inside, frame.sent) else { continue };
            let (Some(key), Some(book)) =
                (evidence.keys.frame_keys().get(key), evidence.ledgers.books.get(sent.book))
            else {
                continue;
            };
            let caller =
                evidence.world.calls.iter().find(|call| call.call == book.call).map(|call| &call.caller);
            let side = if caller == Some(&book.device) { Role::Caller } else { Role::Callee };
            self.add("base key", &key.base_key, &book.call, side);
        }
    }

    /// Certificates of devices, by the call whose media their association carried.
    fn certificates(&mut self, evidence: &Evidence<'_>) {
        for association in &evidence.associations {
            let carried = evidence.media.iter().filter(|m| m.stream.flow.undirected() == association.flow);
            let sent = carried.flat_map(|media| &media.frames).find_map(|frame| frame.sent);
            let Some(book) = sent.and_then(|sent| evidence.ledgers.books.get(sent.book)) else { continue };
            for flow in [association.flow, association.flow.reversed()] {
                let Some(device) = evidence.device_at(flow.source) else { continue };
                let calls = evidence.world.calls.iter().find(|call| call.call == book.call);
                let side = if calls.is_some_and(|c| c.caller.to_string() == device) {
                    Role::Caller
                } else {
                    Role::Callee
                };
                if let Some(fingerprint) = association.sender(flow).fingerprint {
                    self.add("certificate", &fingerprint, &book.call, side);
                }
            }
        }
    }
}

/// The values of a world that must serve no other.
pub fn used(evidence: &Evidence<'_>) -> Used {
    let has_media = evidence.ledgers.books.iter().any(|book| book.direction == Direction::Sent);
    let values = Serves::of(evidence).by_value.into_keys().filter(|_| has_media).collect();
    Used { values }
}
