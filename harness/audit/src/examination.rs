//! Examines captures that anybody made: who can read which stream, from the packets and the keys that were given.
//!
//! Invariant: nothing is concluded from a label; every statement rests on packets that are named or counted, and what
//! could not be concluded is said.

mod agreements;
mod carriers;
pub mod codec;
mod counted;
mod counts;
pub mod described;
pub mod descriptors;
mod directions;
pub mod early;
mod excerpt;
mod few;
pub mod findings;
mod first_reading;
mod frame_uses;
pub mod glance;
mod handshakes;
mod identifiers;
pub mod keys;
pub mod keystreams;
pub mod layer;
pub mod listed;
mod name;
mod numbered;
mod open_questions;
pub mod opening;
mod overhearing;
pub mod payloads;
pub mod prefixed;
pub mod properties;
pub mod protection;
pub mod repeats;
mod reports;
pub mod resent;
pub mod sample;
mod signalled;
pub mod statistics;
pub mod stream;
pub mod structure;
pub mod survey;
pub mod timeline;

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read};
use std::sync::mpsc::sync_channel;

use model::audit::{
    Audit, AuditStream, AuditVerdict, CaptureFile, CaptureProblem, Opened as OpenedLayer, Protection, SCHEMA,
};
use model::record::Tool;
use model::results::Sweep;

use crate::capture::class::Class;
use crate::capture::feed::{Batch, Ended, Feed};
use crate::key_file::{Key, Owner};
use excerpt::Excerpt;
use findings::Findings;
use foldhash::quality::RandomState;
use keys::{Holder, Keys};
use opening::{Opened, Opening};
use overhearing::Overheard;
use payloads::Seen;
use protection::Facts;
use stream::Stream;
use survey::Survey;

/// Keys inside one capture that are tried; any further ones are left.
const EMBEDDED_KEYS: usize = 10_000;

/// A capture to examine.
pub struct Input {
    /// Its name, for the report.
    pub name: String,
    /// Opens it from its start; it may be opened twice.
    pub open: Box<dyn Fn() -> io::Result<Box<dyn Read + Send>>>,
}

/// How to examine.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Leave the hashes out.
    pub no_hash: bool,
    /// Owners whose submitter declared their keys to be all that they hold.
    pub complete: Vec<Owner>,
    /// How much is done to what middle parties can read, where keys were given.
    pub sweep: Sweep,
}

/// What is told while captures are read: the bytes of the capture so far.
pub type Progress<'p> = &'p mut dyn FnMut(u64);

/// Examines captures with the keys that were given. A capture that cannot be read at all is a problem of its own, and
/// the others are examined.
pub fn examine(inputs: &[Input], given: &[Key], options: &Options, progress: Progress<'_>) -> Audit {
    let mut audit = Audit {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "overheard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        verdict: AuditVerdict::Inconclusive,
        captures: Vec::new(),
        packets: BTreeMap::new(),
        streams: Vec::new(),
        handshakes: Vec::new(),
        findings: Vec::new(),
        not_concluded: Vec::new(),
        redacted: false,
        keys: keys::given(given, &options.complete),
    };
    let mut questions = open_questions::Questions::default();
    for (index, input) in inputs.iter().enumerate() {
        match read(input, given, options, progress) {
            Ok(examined) => examined.tell(index, input, options, &mut audit, &mut questions),
            Err(error) => {
                let text = match error.kind() {
                    io::ErrorKind::FileTooLarge => error.to_string(),
                    _ => format!("it could not be read ({error}); check the path and the permissions"),
                };
                audit.captures.push(CaptureFile {
                    file: input.name.clone(),
                    sha256: None,
                    unpacked_sha256: None,
                    packets: 0,
                    bytes: 0,
                    first_ns: None,
                    last_ns: None,
                    problems: vec![CaptureProblem { offset: 0, text }],
                });
            }
        }
    }
    audit.streams.sort_by_key(|stream| (stream.protection, stream.capture, stream.first_packet));
    audit.verdict = verdict(&audit.streams);
    audit.not_concluded = questions.finish(&audit);
    audit
}

/// What all streams together come to.
fn verdict(streams: &[AuditStream]) -> AuditVerdict {
    let known = |stream: &AuditStream| match stream.protection {
        Protection::Plaintext | Protection::Broken | Protection::TransportOnly => AuditVerdict::NotEndToEnd,
        Protection::EndToEndConsistent => AuditVerdict::EndToEndConsistent,
        Protection::Insufficient | Protection::EncryptedUndetermined => AuditVerdict::Inconclusive,
    };
    if streams.iter().any(|stream| known(stream) == AuditVerdict::NotEndToEnd) {
        AuditVerdict::NotEndToEnd
    } else if !streams.is_empty() && streams.iter().all(|s| known(s) == AuditVerdict::EndToEndConsistent) {
        AuditVerdict::EndToEndConsistent
    } else {
        AuditVerdict::Inconclusive
    }
}

/// One capture, read.
struct Examined {
    survey: Survey,
    ended: Ended,
    opened: std::collections::HashMap<(stream::Way, u32), Opened>,
    embedded: usize,
    strangers: usize,
    /// None without keys.
    overheard: Option<Overheard>,
    /// Keys of the capture itself that were not tried, because it could be read once only.
    untried: Option<usize>,
}

fn read(input: &Input, given: &[Key], options: &Options, progress: Progress<'_>) -> io::Result<Examined> {
    let hashes = RandomState::default();
    let mut survey = Survey::new(hashes.clone());
    let (mut embedded, mut bytes) = (Vec::new(), 0);
    let ended = first_reading::read(input, !options.no_hash, hashes, |glances| {
        survey.take(glances);
        let room = EMBEDDED_KEYS.saturating_sub(embedded.len());
        let secrets = glances.kept.secrets.iter();
        embedded.extend(secrets.flat_map(|lines| keys::embedded(lines)).take(room));
        bytes += glances.bytes;
        progress(bytes);
    })?;
    survey.finish();
    let count = embedded.len();
    embedded.extend_from_slice(given);
    embedded.extend(signalled::frame_keys(input, given)?);
    let mut overheard = None;
    if !given.is_empty() {
        let mut excerpt = Excerpt::new(overhearing::bounds(options.sweep));
        feed(input, |batch| {
            batch.packets.iter().for_each(|packet| excerpt.take(packet, batch.payload(packet)));
        })?;
        let excerpt = excerpt.finish(ended.interfaces.clone());
        overheard = Some(overhearing::overhear(excerpt, &embedded, options.sweep));
    }
    let found = overheard.as_ref().map(|overheard| overheard.keys.as_slice()).unwrap_or_default();
    let keys = Keys::of(&embedded, found, &survey);
    let (mut opened, mut untried) = (std::collections::HashMap::new(), None);
    if !keys.is_empty() && !survey.streams.is_empty() {
        let mut opening = Opening::new(&keys, &survey.prefixed);
        let read = feed(input, |batch| {
            for packet in &batch.packets {
                opening.take(packet, batch.payload(packet));
            }
            bytes += batch.bytes() as u64;
            progress(bytes);
        });
        match read {
            Ok(_) => opened = opening.finish(),
            // Nobody gave these keys: what the first reading found stands without them.
            Err(error) if given.is_empty() && error.kind() == io::ErrorKind::FileTooLarge => {
                untried = Some(keys.hops.len() + keys.frames.len());
            }
            Err(error) => return Err(error),
        }
    }
    let strangers = keys.strangers;
    Ok(Examined { survey, ended, opened, embedded: count, strangers, overheard, untried })
}

/// Batches that are under way between the two threads of the second reading.
const UNDER_WAY: usize = 2;

/// Reads a capture again on a thread of its own, and gives each batch to `each`, in order.
fn feed(input: &Input, mut each: impl FnMut(&Batch)) -> io::Result<Ended> {
    let mut feed = Feed::open((input.open)()?, false)?;
    let (full, filled) = sync_channel::<Batch>(UNDER_WAY);
    let (done, empty) = sync_channel::<Batch>(UNDER_WAY + 1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            loop {
                let mut batch = empty.try_recv().unwrap_or_default();
                if !feed.next(&mut batch)? || full.send(batch).is_err() {
                    return feed.finish();
                }
            }
        });
        for batch in filled {
            each(&batch);
            // Where the reader has ended nobody wants the memory back.
            let _ = done.try_send(batch);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl Examined {
    fn tell(
        mut self,
        index: usize,
        input: &Input,
        options: &Options,
        audit: &mut Audit,
        questions: &mut open_questions::Questions,
    ) {
        let mut findings = Findings::of(index);
        let streams: Vec<(Stream, Seen)> = std::mem::take(&mut self.survey.streams)
            .into_iter()
            .map(|mut stream| {
                let seen = std::mem::take(&mut stream.payloads).finish();
                (stream, seen)
            })
            .collect();
        let chances: Vec<f64> = streams.iter().map(|(_, seen)| seen.content().probability()).collect();
        let significant = statistics::rejected(&chances);
        let shared = keystreams::shared(streams.iter().map(|(stream, _)| (stream.ssrc, &stream.start)));
        let names: Vec<String> =
            streams.iter().map(|(stream, _)| findings::id(stream.way, stream.ssrc)).collect();
        let nulls = handshakes::null_profiles(&self.survey);
        let complete: Vec<Holder> = options.complete.iter().cloned().map(Holder::Owner).collect();
        let (mut protected, mut again) = (HashSet::new(), resent::Again::default());
        let (mut pictures, mut both) = (timeline::Pictures::default(), directions::Directions::default());
        for (at, ((stream, seen), significant)) in streams.into_iter().zip(significant).enumerate() {
            let opened = self.opened.remove(&(stream.way, stream.ssrc)).unwrap_or_default();
            // Bytes that stand in the clear are alike without any keystream.
            let twin = shared.get(&at).filter(|_| !seen.whole.is_structured());
            let other = twin.and_then(|twin| names.get(twin.with)).map(String::as_str);
            let early = self.early(&stream, &seen, significant, &opened);
            let facts = Facts {
                packets: stream.packets,
                seen: &seen,
                significant,
                opened: &opened,
                reused: stream.repeats.reused.total,
                shared: other.zip(twin.map(|twin| twin.probability)),
                short: stream.short.total,
                early: early.clear.total,
                null_profile: nulls.get(&stream.way.bare().both()).copied(),
                complete: &complete,
            };
            let (protection, why) = protection::protection(&facts);
            let plaintext = protection == Protection::Plaintext;
            let names = findings.stream(&stream, &seen, &opened, &early, plaintext, twin.zip(other));
            if !plaintext {
                protected.insert(stream.way.bare().both());
            }
            self.count(&stream, plaintext);
            let told = Told { capture: index, protection, why, names, codec: self.codec(&seen, &opened) };
            let mut told = told.stream(&stream, &seen, &opened, &self.ended);
            pictures.draw(&mut told, &stream, &seen, &opened);
            again.place(&stream, &opened, audit.streams.len());
            both.take(&stream, &opened);
            audit.streams.push(told);
        }
        again.adopt(&mut audit.streams);
        findings.both_directions(&both);
        self.overheard.iter().for_each(|overheard| findings.overheard(overheard));
        findings.of_survey(&self.survey, &protected);
        for (class, count) in &self.survey.classes {
            *audit.packets.entry(class.word().to_owned()).or_default() += count;
        }
        audit.handshakes.extend(handshakes::told(index, &self.survey, &self.ended));
        audit.findings.append(&mut findings.all);
        self.ask(index, &input.name, audit, questions);
        audit.captures.push(self.file(input));
    }

    /// Counts the packets of a stream; what a relay carries was counted as the relay's.
    fn count(&mut self, stream: &Stream, plaintext: bool) {
        let class = if plaintext { Class::Rtp } else { Class::Srtp };
        if stream.way.through.is_none() {
            *self.survey.classes.entry(class).or_default() += stream.packets;
        }
    }

    /// What the capture leaves open, also of what was come by beside the keys.
    fn ask(&self, index: usize, name: &str, audit: &Audit, questions: &mut open_questions::Questions) {
        questions.of(name, &self.survey, &self.ended, self.embedded, self.overheard.as_ref());
        if let Some(overheard) = &self.overheard {
            let consistent = audit.streams.iter().filter(|stream| {
                stream.capture == index && stream.protection == Protection::EndToEndConsistent
            });
            let untried = consistent.clone().filter(|stream| !overheard.tried(stream));
            questions.overheard(name, overheard, consistent.count(), untried.count());
        }
        self.untried.iter().for_each(|keys| questions.untried(name, *keys));
        questions.strangers(name, self.strangers, !self.survey.associations.is_empty());
    }

    /// What came before the keys, where the stream is not readable as a whole and no key opens it.
    fn early(&self, stream: &Stream, seen: &Seen, significant: bool, opened: &Opened) -> early::Early {
        let judged = significant && seen.is_readable() || seen.behind.is_some() || !opened.hop.is_empty();
        if judged {
            early::Early::default()
        } else {
            early::early(&stream.start, self.survey.keyed(stream.way))
        }
    }

    /// The codec of what can be read; else what a description says of the payload type.
    fn codec(&self, seen: &Seen, opened: &Opened) -> Option<String> {
        let inside = opened.core.iter().chain(&opened.inside).find_map(|seen| seen.content().codec);
        let found = inside.or(seen.content().codec).map(|codec| codec.word().to_owned());
        found.or_else(|| self.survey.described.codecs.get(&seen.tallies.payload_type()).cloned())
    }

    fn file(self, input: &Input) -> CaptureFile {
        let time = |at: Option<u64>| at.map(|at| at.to_string());
        let ended = self.ended;
        CaptureFile {
            file: input.name.clone(),
            sha256: ended.hashes.received.map(hex::encode),
            unpacked_sha256: ended.hashes.unpacked.map(hex::encode),
            packets: self.survey.packets,
            bytes: ended.bytes,
            first_ns: time(self.survey.times.map(|times| times.0)),
            last_ns: time(self.survey.times.map(|times| times.1)),
            problems: ended
                .problems
                .into_iter()
                .map(|problem| CaptureProblem { offset: problem.offset, text: problem.text })
                .collect(),
        }
    }
}

/// What is told of a stream beside its numbers.
struct Told {
    capture: usize,
    protection: Protection,
    why: String,
    names: Vec<String>,
    codec: Option<String>,
}

impl Told {
    fn stream(self, stream: &Stream, seen: &Seen, opened: &Opened, ended: &Ended) -> AuditStream {
        let layer = |layer: &'static str| {
            move |(holder, packets): (&Holder, &u64)| OpenedLayer {
                layer: layer.to_owned(),
                owner: holder.to_string(),
                packets: *packets,
            }
        };
        let hop = opened.hop.iter().map(layer("srtp"));
        AuditStream {
            id: format!("{}/{}", self.capture, findings::id(stream.way, stream.ssrc)),
            protocol: if self.protection == Protection::Plaintext { "rtp" } else { "srtp" }.to_owned(),
            capture: self.capture,
            interface: ended.interfaces.get(stream.way.interface).cloned().unwrap_or_default(),
            source: stream.way.source.to_string(),
            destination: stream.way.destination.to_string(),
            ssrc: format!("{:08x}", stream.ssrc),
            payload_type: seen.tallies.payload_type(),
            codec: self.codec,
            rtp_offset: stream.way.behind,
            packets: stream.packets,
            first_packet: stream.first.0,
            last_packet: stream.last.0,
            protection: self.protection,
            why: self.why,
            opened: hop.chain(opened.frames.iter().map(layer("sframe"))).collect(),
            findings: self.names,
            timeline: Vec::new(),
            columns: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
