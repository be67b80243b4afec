//! A capture as a sequence of batches, so that memory does not grow with the file.
//!
//! Invariant: the batches hold exactly the packets that [`Capture::read`](super::Capture::read) finds in the same
//! bytes, except for what needs the whole file: the class of a packet is that of its own payload.

use std::borrow::Cow;
use std::io::{self, Read};

use super::layers::{self, Fragments, Layers};
use super::records::{Records, Step};
use super::source::{Hashes, Source};
use super::{Packet, Problem, offset_in};

/// Bytes that are read at a time: few enough that those under way between two threads stay in the processor's cache.
const WINDOW: usize = 1 << 18;

/// Packets that were read together.
#[derive(Debug, Default)]
pub struct Batch {
    /// The packets, in the order of the file.
    pub packets: Vec<Packet>,
    /// Lines of NSS key logs that stand in the file between them.
    pub secrets: Vec<String>,
    /// The part of the file, and behind it datagrams that were put together from fragments. What lies beyond `end` is of
    /// an earlier batch: it is kept so that no memory is cleared only to be overwritten.
    bytes: Vec<u8>,
    end: usize,
}

impl Batch {
    /// Makes room for so many bytes.
    fn hold(&mut self, bytes: usize) {
        if self.bytes.len() < bytes {
            self.bytes.resize(bytes, 0);
        }
    }

    /// Holds nothing any more, but keeps the memory.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.secrets.clear();
        self.end = 0;
    }

    /// Holds a packet of another batch as well, of its frame no more than the payload.
    pub fn keep(&mut self, packet: Packet, payload: &[u8]) {
        let place = self.end..self.end + payload.len();
        self.hold(place.end);
        if let Some(bytes) = self.bytes.get_mut(place.clone()) {
            bytes.copy_from_slice(payload);
        }
        self.end = place.end;
        self.packets.push(Packet { payload: place.clone(), frame: place, ..packet });
    }

    /// Bytes of the file that it holds.
    pub fn bytes(&self) -> usize {
        self.end
    }

    /// The UDP or TCP payload of `packet`, one of the batch's.
    pub fn payload(&self, packet: &Packet) -> &[u8] {
        self.bytes.get(packet.payload.clone()).unwrap_or_default()
    }
}

/// A capture that is being read.
pub struct Feed<R: Read + Send + 'static> {
    source: Source<R>,
    records: Records,
    fragments: Fragments,
    /// What no step has used yet.
    rest: Vec<u8>,
    window: usize,
    ended: bool,
}

/// What is known of a capture when it is read.
#[derive(Debug)]
pub struct Ended {
    /// Names of the interfaces, in the order of their descriptions.
    pub interfaces: Vec<String>,
    /// Where it could not be read.
    pub problems: Vec<Problem>,
    /// Bytes that were read, unpacked.
    pub bytes: u64,
    /// Whether it began as a capture at all.
    pub is_capture: bool,
    /// SHA-256 as received and as unpacked.
    pub hashes: Hashes,
    /// Fragments that fit no datagram, and datagrams that were given up.
    pub refused_fragments: u64,
}

impl<R: Read + Send + 'static> Feed<R> {
    /// Reads from `inner`, which may be compressed; `hash`: hash what is read.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn open(inner: R, hash: bool) -> io::Result<Self> {
        Self::in_windows(inner, hash, WINDOW)
    }

    fn in_windows(inner: R, hash: bool, window: usize) -> io::Result<Self> {
        Ok(Self {
            source: Source::open(inner, hash)?,
            records: Records::default(),
            fragments: Fragments::default(),
            rest: Vec::new(),
            window,
            ended: false,
        })
    }

    /// Names of the interfaces that were described so far.
    pub fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.records.interfaces.iter().map(|interface| interface.name.as_str())
    }

    /// Fills `batch` with the next packets; false when there are none any more.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn next(&mut self, batch: &mut Batch) -> io::Result<bool> {
        let mut packets = std::mem::take(&mut batch.packets);
        packets.clear();
        let more = self.visit(batch, |packet, _| packets.push(packet));
        batch.packets = packets;
        more
    }

    /// Gives the next packets, with their payloads, to `each` while their bytes are at hand, and keeps none of them in
    /// `batch`; false when there are none any more.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn visit(&mut self, batch: &mut Batch, mut each: impl FnMut(Packet, &[u8])) -> io::Result<bool> {
        batch.packets.clear();
        batch.secrets.clear();
        if self.ended {
            return Ok(false);
        }
        let mut wanted = self.window.max(self.rest.len() + 1);
        batch.hold(wanted);
        batch.end = self.rest.len();
        if let Some(start) = batch.bytes.get_mut(..batch.end) {
            start.copy_from_slice(&self.rest);
        }
        self.rest.clear();
        loop {
            let last = self.fill(batch, wanted)?;
            let (at, found) = self.steps(batch, last, &mut each);
            // Of a file that is no capture nothing is kept; only its hash needs the rest.
            let last = last || self.records.is_foreign();
            if last || found {
                self.ended = last;
                return Ok(true);
            }
            // Nothing whole stood in the window: its rest begins the next one, which must be longer.
            batch.bytes.copy_within(at..batch.end, 0);
            batch.end -= at;
            wanted = self.window.max(batch.end * 2);
            batch.hold(wanted);
        }
    }

    /// Reads until the batch has `wanted` bytes; true at the end of the file.
    fn fill(&mut self, batch: &mut Batch, wanted: usize) -> io::Result<bool> {
        while batch.end < wanted {
            let length = self.source.read(batch.bytes.get_mut(batch.end..wanted).unwrap_or_default())?;
            batch.end += length;
            if length == 0 {
                if let Some(trouble) = &self.source.trouble {
                    self.records.problems.push(self.records.bytes() + batch.end as u64, trouble.clone());
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes every whole record out of the batch's bytes and keeps the rest; how many bytes were used, and whether
    /// anything was found in them.
    fn steps(
        &mut self,
        batch: &mut Batch,
        last: bool,
        each: &mut impl FnMut(Packet, &[u8]),
    ) -> (usize, bool) {
        let (mut at, mut joined, mut found) = (0, Vec::new(), false);
        let bytes = batch.bytes.get(..batch.end).unwrap_or_default();
        loop {
            let window = bytes.get(at..).unwrap_or_default();
            match self.records.step(window, last) {
                Step::Frame { record, used } => {
                    let place = at + record.data.start..at + record.data.end;
                    let frame = bytes.get(place.clone()).unwrap_or_default();
                    let layers = layers::dissect(record.linktype, frame, record.cut, &mut self.fragments);
                    let payload = place_of(&layers, bytes, &mut joined);
                    each(Packet::of(&record, &layers, place, payload), &layers.payload);
                    found = true;
                    at += used;
                }
                Step::Secrets { data, used } => {
                    found = true;
                    let lines = window.get(data).unwrap_or_default();
                    batch.secrets.push(String::from_utf8_lossy(lines).into_owned());
                    at += used;
                }
                Step::Nothing { used } => at += used,
                Step::Need(_) | Step::End => break,
            }
        }
        if found {
            self.rest.extend_from_slice(bytes.get(at..).unwrap_or_default());
        }
        if !joined.is_empty() {
            batch.bytes.truncate(batch.end);
            batch.bytes.append(&mut joined);
        }
        (at, found)
    }

    /// Ends the reading: what is known of the file, hashes included.
    ///
    /// # Errors
    /// When the rest of the file cannot be read for its hash.
    pub fn finish(self) -> io::Result<Ended> {
        Ok(Ended {
            bytes: self.records.bytes(),
            is_capture: self.records.is_capture(),
            interfaces: self.records.interfaces.into_iter().map(|interface| interface.name).collect(),
            problems: self.records.problems.finish(),
            hashes: self.source.finish()?,
            refused_fragments: self.fragments.refused,
        })
    }
}

/// Where the payload stands in `bytes`, or behind them in `joined`.
pub(super) fn place_of(layers: &Layers<'_>, bytes: &[u8], joined: &mut Vec<u8>) -> std::ops::Range<usize> {
    match &layers.payload {
        Cow::Borrowed(payload) => offset_in(bytes, payload),
        Cow::Owned(payload) => {
            let start = bytes.len() + joined.len();
            joined.extend_from_slice(payload);
            start..start + payload.len()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;
    use crate::capture::Capture;

    fn file(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/hostile").join(name);
        std::fs::read(path).expect("a vector")
    }

    /// Number, time and payload of every packet.
    fn fed(bytes: Vec<u8>, window: usize) -> (Vec<(u64, u64, Vec<u8>)>, Ended) {
        let mut feed = Feed::in_windows(io::Cursor::new(bytes), true, window).expect("memory");
        let (mut batch, mut seen) = (Batch::default(), Vec::new());
        while feed.next(&mut batch).expect("memory") {
            seen.extend(batch.packets.iter().map(|p| (p.number, p.at_ns, batch.payload(p).to_vec())));
        }
        (seen, feed.finish().expect("memory"))
    }

    #[rstest]
    #[case("01-base-us-le.pcap")]
    #[case("16-caplen-300k-ok.pcap")]
    #[case("18-trailing-garbage.pcap")]
    #[case("33-multi-if-linktypes.pcapng")]
    #[case("46-epb-caplen-gt-block.pcapng")]
    #[case("52-truncated-epb.pcapng")]
    #[case("63-ip4-frags.pcap")]
    #[case("88-ipip-64deep.pcap")]
    fn batches_hold_what_the_whole_file_holds(
        #[case] name: &str,
        #[values(1, 64, 1 << 10, 1 << 20)] window: usize,
    ) {
        let whole = Capture::read(file(name));
        let expected: Vec<_> =
            whole.packets.iter().map(|p| (p.number, p.at_ns, whole.payload(p).to_vec())).collect();
        let (seen, ended) = fed(file(name), window);
        assert_eq!((seen, ended.problems), (expected, whole.problems));
    }

    #[rstest]
    #[case("a0-gzip.pcap.gz", 3, None)]
    #[case("a1-gzip-trunc.pcap.gz", 1, Some("the compressed file is damaged or cut"))]
    #[case("a2-gzip-bomb.pcap.gz", 101, Some("the file unpacks to more than 200 times its size"))]
    #[case("a3-gzip-in-gzip.pcap.gz", 0, Some("the file is compressed twice"))]
    fn compressed_files_end_in_packets_or_a_problem(
        #[case] name: &str,
        #[case] packets: usize,
        #[case] problem: Option<&str>,
    ) {
        let (seen, ended) = fed(file(name), WINDOW);
        assert_eq!(seen.len(), packets, "{:?}", ended.problems);
        let told =
            ended.problems.iter().any(|found| problem.is_some_and(|text| found.text.starts_with(text)));
        assert_eq!(told, problem.is_some(), "{:?}", ended.problems);
    }

    #[test]
    fn secrets_come_with_the_packets() {
        let mut feed = Feed::open(io::Cursor::new(file("53-dsb.pcapng")), false).expect("memory");
        let mut batch = Batch::default();
        assert!(feed.next(&mut batch).expect("memory"));
        assert_eq!(
            (batch.secrets.as_slice(), batch.packets.len()),
            (&["CLIENT_RANDOM 00 11\n".to_owned()][..], 1)
        );
        assert!(!feed.next(&mut batch).expect("memory"));
    }
}
