//! The leg `canary`: what is marked is found where it may be read, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use model::outcome::{Listener, Outcome};
use model::results::Blame;
use model::{Kind, Role};

use crate::case::{Call, Case};
use crate::evidence::{Ears, Marker};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every tenth frame carries a marker that the judge can recompute. No marker stands in anything that somebody
    /// who ought not to hear can read: packets as they crossed a link, what the service took out of SRTP and TLS, its
    /// log, and what nodes still held afterwards. Every marker stands in what the parties' keys open.
    ///
    /// ## Why it matters
    /// It does not rest on frames being recognised: a frame that leaks by another way still carries its marker.
    ///
    /// ## How it decides
    /// It passes when the parties find every marker that was sent and nobody else finds any. It fails with the
    /// places. It is inconclusive when no frame was sent. A marker that was changed before it leaked is not found.
    summary: "markers are found by the parties and by nobody else",
    requirements: ["overheard/sealed-calls-are-unheard"],
    applies: |case| case.calls.iter().any(|call| !call.claimed.devices.is_empty()),
    judge: judge,
}

/// Where a marker was found by whom.
type Leaks = BTreeMap<(Role, Kind, &'static str), BTreeMap<String, (BTreeSet<usize>, Located)>>;

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let readable = Readable::of(case);
    for call in case.calls.iter().filter(|call| !call.claimed.devices.is_empty()) {
        parties(case, call, findings);
        let mut leaks = Leaks::new();
        for (marker, reader, found) in readable.markers_of(case, call) {
            let places = leaks.entry((marker.sender, marker.kind, reader)).or_default();
            let leak = places.entry(found.place.clone()).or_default();
            leak.0.insert(marker.number);
            if let Some(index) = found.packet {
                leak.1.add(case.evidence.located(index));
            }
        }
        for ((sender, kind, reader), places) in leaks {
            // A place of the service before a device's own, for there the listener sits.
            let best = places.into_iter().min_by_key(|(place, _)| (place.contains('@'), place.clone()));
            let Some((place, (numbers, located))) = best else { continue };
            let blame = if sender == Role::Caller { Blame::Caller } else { Blame::Callee };
            let text = format!(
                "{reader} can read {} markers of {kind} frames that the {sender} sent in {}, in {place}",
                numbers.len(),
                call.expected.name
            );
            findings.fail(blame, text, located);
        }
    }
}

/// The parties find every marker at the sender's tap, where nothing can be lost yet.
fn parties(case: &Case<'_>, call: &Call<'_>, findings: &mut Findings) {
    let markers = &case.evidence.markers;
    let mut found: BTreeSet<usize> = BTreeSet::new();
    for media in case.media_of(call) {
        let readable = media.frames.iter().filter(|frame| frame.ears.has(Listener::Parties));
        let due = readable.filter(|frame| frame.sent.is_some_and(|sent| sent.frame.is_multiple_of(10)));
        for content in due.filter_map(|frame| frame.content.as_ref()) {
            found.extend(markers.found_in(content));
        }
    }
    let sent = markers.all.iter().enumerate().filter(|(_, marker)| marker.call == call.id());
    let (mut due, mut missing) = (0, 0);
    for (index, _) in sent {
        due += 1;
        missing += u64::from(!found.contains(&index));
    }
    findings.examine(due);
    if missing > 0 {
        let text = format!(
            "{missing} of {due} markers of {} are not in what the parties' keys open",
            call.expected.name
        );
        findings.fail(Blame::Harness, text, Located::default());
    }
}

/// A place at which a marker stands.
struct Found {
    marker: usize,
    /// Who can read the place.
    ears: Ears,
    place: String,
    packet: Option<usize>,
    /// Index of the stream that it stands in, if it stands in one.
    media: Option<usize>,
}

/// Everything in which a marker was found that somebody beside the parties can read.
struct Readable<'c> {
    markers: &'c [Marker],
    found: Vec<Found>,
}

impl<'c> Readable<'c> {
    fn of(case: &'c Case<'_>) -> Self {
        let evidence = case.evidence;
        let service = evidence.keys.service();
        let harvest = Ears::of(Listener::Harvest);
        let mut readable = Self { markers: &evidence.markers.all, found: Vec::new() };
        let mut look =
            |bytes: &[u8], ears: Ears, packet: Option<usize>, media, place: &dyn Fn() -> String| {
                for marker in evidence.markers.found_in(bytes) {
                    readable.found.push(Found { marker, ears, place: place(), packet, media });
                }
            };
        for (index, packet) in evidence.capture.packets.iter().enumerate() {
            let place = || format!("packets at {}", evidence.capture.tap(packet));
            look(evidence.capture.frame(packet), Ears::ALL, Some(index), None, &place);
        }
        for (index, media) in evidence.media.iter().enumerate() {
            let stream = Some(index);
            for frame in &media.frames {
                let packet =
                    frame.packets.first().and_then(|p| media.stream.packets.get(*p)).map(|p| p.index);
                let tap = packet.map_or("", |index| evidence.located(index).1);
                look(&frame.payload, frame.hop, packet, stream, &|| format!("frames at {tap}"));
                if let Some(content) = &frame.content {
                    look(content, frame.ears, packet, stream, &|| format!("frames at {tap}"));
                }
            }
        }
        for plaintext in &evidence.signalling.plaintexts {
            look(&plaintext.data, plaintext.ears, None, None, &|| "signalling".to_owned());
        }
        for line in &evidence.world.log {
            look(line.text.as_bytes(), service, None, None, &|| format!("the log of {}", line.node));
        }
        for held in &evidence.world.held {
            let bytes = hex::decode(&held.bytes).unwrap_or_default();
            look(&bytes, harvest, None, None, &|| format!("what {} still held: {}", held.owner, held.what));
        }
        readable
    }

    /// Markers of `call` that somebody can read who is not entitled to.
    fn markers_of(
        &self,
        case: &Case<'_>,
        call: &Call<'_>,
    ) -> impl Iterator<Item = (&'c Marker, &'static str, &Found)> {
        let id = call.id().to_owned();
        // Of a call that ended before it was sealed nothing was promised.
        let promised = call.claimed.outcome != Outcome::Ended
            || call.claimed.lock.caller.unwrap_or(false)
            || call.claimed.lock.callee.unwrap_or(false);
        self.found.iter().filter(move |_| promised).filter_map(move |found| {
            let marker = self.markers.get(found.marker).filter(|marker| marker.call == id)?;
            let media = found.media.and_then(|index| case.evidence.media.get(index));
            let entitled = media.map_or_else(|| call.entitled(), |media| case.entitled(call, media));
            let ears = found.ears.without(entitled);
            let reader = Listener::ALL.iter().find(|listener| ears.has(**listener))?;
            Some((marker, reader.word(), found))
        })
    }
}
