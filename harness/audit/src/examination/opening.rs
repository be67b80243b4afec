//! The second reading of a capture: which packets the keys open, and what stands inside.
//!
//! Invariant: a packet counts as opened only when a tag fits, and with tags of 32 bits only when a second packet of the
//! stream opens under the same key.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::carriers::{Carriers, Framed, is_segment};
use super::frame_uses;
use super::keys::{Holder, HopKey, Keys};
use super::listed::Listed;
use super::payloads::{Payloads, Seen};
use super::prefixed::Prefixed;
use super::resent::Resent;
use super::sample::Look;
use super::stream::Way;
use super::timeline::{Kinds, Tally};
use crate::capture::class::{Class, of_datagram};
use crate::capture::{Packet, Transport};
use crate::dissect::{rtp, vp8};
use crate::sframe;
use crate::srtp::{Profile, Rollover, without_mki, without_padding};

/// Packets of a stream on which keys are tried that did not open any yet.
const TRIED: u64 = 8;
/// Rollover counters that are tried before one is known, however many keys there are.
const LAST_ROLLOVER: u32 = 2;
/// Rollover counters that are tried with a single key of unknown streams: of video, hours.
const MOST_ROLLOVERS: usize = 64;
/// Pieces of a frame that are kept until it is whole.
const PIECES: usize = 512;
/// How far the counter of a damaged frame may lie from the last one that opened.
const NEAR: u64 = 64;

/// What keys opened of one stream.
#[derive(Debug, Default)]
pub struct Opened {
    /// Packets of SRTP, by holder.
    pub hop: BTreeMap<Holder, u64>,
    /// Packets whose frames opened, by holder.
    pub frames: BTreeMap<Holder, u64>,
    /// Packets whose frames open under a key that somebody came by who was not given it.
    pub found: u64,
    /// What stands inside the hop; none where nothing opened.
    pub inside: Option<Seen>,
    /// What stands inside the frames that opened; none where no frame did.
    pub core: Option<Seen>,
    /// What stands in packets inside the hop that no frame key opens, where frame keys open others, and that are not
    /// sealed like those either.
    pub unsealed: Option<Seen>,
    /// Their numbers.
    pub unsealed_packets: Listed,
    /// Packets of frames that have key and counter of another frame.
    pub reused: Listed,
    /// The SSRC of the stream whose packets are all that it sends, again, beside padding (RFC 4588).
    pub sends_again: Option<u32>,
    /// Packets that did not open after others had.
    pub refused: Listed,
    /// Of those, the ones that begin like what opened.
    pub clear: Listed,
    /// The profile of the key that opened.
    pub profile: Option<Profile>,
    /// The keys that opened packets, by their place among all keys; only those that no handshake made for one way.
    pub keys: BTreeSet<usize>,
    /// What the packets were over time.
    pub tally: Tally,
}

/// A key that opened a packet of a stream.
struct Fit {
    /// Index of the key.
    key: usize,
    /// Bytes of the MKI.
    mki: usize,
    rollover: Rollover,
    packets: u64,
}

/// How far the opening of one stream has come.
#[derive(Default)]
struct Stream {
    seen: u64,
    /// Packets on which keys of later handshakes were tried.
    again: u64,
    fitting: Vec<Fit>,
    opened: Opened,
    inside: Payloads,
    any: bool,
    /// Whether anything stands inside that was not sent before.
    new: bool,
    /// First bytes of what opened, by how often.
    first_bytes: BTreeMap<u8, u64>,
    frame: Vec<Piece>,
    frame_at: u32,
    frame_key: Option<usize>,
    /// The last counter of each key id that opened.
    counters: BTreeMap<u64, u64>,
    /// Whether frames of several packets opened.
    in_pieces: bool,
    unsealed: Payloads,
    /// The inside of frames that opened.
    core: Payloads,
}

/// A packet of a frame that takes several.
struct Piece {
    look: Look<'static>,
    payload: Vec<u8>,
    /// Length of its descriptor.
    skipped: usize,
}

fn is_whole(pieces: &[Piece]) -> bool {
    let starts = pieces.first().and_then(|piece| vp8::Descriptor::parse(&piece.payload));
    let follow = |pair: &[Piece]| match pair {
        [one, next] => next.look.sequence.wrapping_sub(one.look.sequence) == 1,
        _ => false,
    };
    starts.is_some_and(|descriptor| descriptor.starts_frame())
        && pieces.windows(2).all(follow)
        && pieces.last().is_some_and(|piece| piece.look.marker)
}

/// What the streams of a capture share.
#[derive(Default)]
struct Shared {
    /// A frame, opened.
    body: Vec<u8>,
    uses: frame_uses::FrameUses,
    resent: Resent,
}

/// Opens a packet with an MKI of so many bytes.
fn open(hop: &HopKey, mki: usize, rollover: &mut Rollover, packet: &[u8], last: u32) -> Option<Vec<u8>> {
    if mki == 0 {
        return rollover.open(&hop.opener, packet, last).map(|(_, body)| body);
    }
    let packet = without_mki(packet, mki, hop.profile)?;
    rollover.open(&hop.opener, &packet, LAST_ROLLOVER).map(|(_, body)| body)
}

/// Tries a key that has not opened any packet of a stream yet.
fn fit(key: usize, hop: &HopKey, packet: &[u8], last: u32) -> Option<(Fit, Vec<u8>)> {
    hop.mki.iter().find_map(|mki| {
        let mut rollover = Rollover::default();
        let body = open(hop, *mki, &mut rollover, packet, last)?;
        Some((Fit { key, mki: *mki, rollover, packets: 1 }, body))
    })
}

/// The second reading.
pub struct Opening<'k> {
    keys: &'k Keys,
    prefixed: &'k Prefixed,
    by_way: HashMap<Way, Vec<usize>>,
    anywhere: Vec<usize>,
    streams: HashMap<(Way, u32), Stream>,
    carriers: Carriers,
    shared: Shared,
}

impl<'k> Opening<'k> {
    /// Opens with these keys; `prefixed` is what the first reading found behind headers.
    pub fn new(keys: &'k Keys, prefixed: &'k Prefixed) -> Self {
        let mut by_way: HashMap<Way, Vec<usize>> = HashMap::new();
        let mut anywhere = Vec::new();
        for (index, hop) in keys.hops.iter().enumerate() {
            match hop.way {
                Some(way) => by_way.entry(way).or_default().push(index),
                None => anywhere.push(index),
            }
        }
        Self {
            keys,
            prefixed,
            by_way,
            anywhere,
            streams: HashMap::new(),
            carriers: Carriers::default(),
            shared: Shared::default(),
        }
    }

    /// Takes one packet in; `payload` is its UDP or TCP payload.
    pub fn take(&mut self, packet: &Packet, payload: &[u8]) {
        if packet.class == Class::Malformed {
            return;
        }
        if is_segment(packet) {
            let mut carriers = std::mem::take(&mut self.carriers);
            carriers.segment(packet, payload, |carriers, framed| self.framed(carriers, framed));
            self.carriers = carriers;
        } else if packet.transport == Transport::Udp {
            self.datagram(super::survey::way(packet), packet, payload);
        }
    }

    fn framed(&mut self, carriers: &mut Carriers, framed: Framed<'_>) {
        let Framed { packet, way, class, bytes } = framed;
        match class {
            Class::Rtp => self.media(way, packet, bytes),
            Class::TurnChannel | Class::Stun => {
                let carried = carriers.relayed(way, class, bytes);
                carried.into_iter().for_each(|(way, data)| self.media(way, packet, data));
            }
            _ => {}
        }
    }

    fn datagram(&mut self, way: Way, packet: &Packet, payload: &[u8]) {
        match of_datagram(payload, packet) {
            Class::Rtp => self.media(way, packet, payload),
            class @ (Class::TurnChannel | Class::Stun) => {
                let carried = self.carriers.relayed(way, class, payload);
                carried.into_iter().for_each(|(way, data)| self.media(way, packet, data));
            }
            Class::OtherUdp => {
                let Some(behind) = self.prefixed.behind(way, payload) else { return };
                self.media(
                    Way { behind, ..way },
                    packet,
                    payload.get(usize::from(behind)..).unwrap_or_default(),
                );
            }
            _ => {}
        }
    }

    fn media(&mut self, way: Way, packet: &Packet, bytes: &[u8]) {
        let Some(header) = rtp::Header::parse(bytes) else { return };
        let stream = self.streams.entry((way, header.ssrc)).or_default();
        stream.seen += 1;
        let likely = self.by_way.get(&way.bare()).map_or(&[][..], Vec::as_slice);
        let mut fitted = None;
        for fit in &mut stream.fitting {
            let Some(hop) = self.keys.hops.get(fit.key) else { continue };
            if let Some(body) = open(hop, fit.mki, &mut fit.rollover, bytes, LAST_ROLLOVER) {
                fit.packets += 1;
                fitted = Some((fit.key, body));
                break;
            }
        }
        let early = (stream.fitting.is_empty() || stream.seen <= TRIED) && stream.seen <= 16 * TRIED;
        // Another handshake between the same ends gives other keys.
        let again = likely.len() > stream.fitting.len() && stream.again < 16 * TRIED;
        if fitted.is_none() && (early || again) {
            stream.again += u64::from(!early);
            let tried = likely.iter().chain(self.anywhere.iter().filter(|_| early));
            // A capture that begins in the middle of a call begins at any counter.
            let share = MOST_ROLLOVERS.checked_div(self.anywhere.len()).unwrap_or_default();
            let last = LAST_ROLLOVER.max(share as u32);
            let known: Vec<usize> = stream.fitting.iter().map(|fit| fit.key).collect();
            let all = tried.filter(|index| !known.contains(index));
            fitted = all.copied().find_map(|key| {
                let hop = self.keys.hops.get(key)?;
                let (fit, body) =
                    hop.ssrc.is_none_or(|ssrc| ssrc == header.ssrc).then(|| fit(key, hop, bytes, last))??;
                stream.fitting.push(fit);
                Some((key, body))
            });
        }
        let look = Look {
            number: packet.number,
            payload_type: header.payload_type,
            timestamp: header.timestamp,
            sequence: header.sequence,
            marker: header.marker,
            extension: 0,
            payload: &[],
            tagged: false,
        };
        let (through, before) = (fitted.is_some(), stream.counted());
        match fitted {
            Some((index, body)) => {
                let Some(hop) = self.keys.hops.get(index) else { return };
                let inside = without_padding(bytes, &body).unwrap_or(&body);
                stream.hop(hop.holders.as_slice(), hop.profile);
                if hop.way.is_none() {
                    stream.opened.keys.insert(index);
                }
                let resent = self.shared.resent.take(way, header.ssrc, header.sequence, inside);
                stream.new |= resent.is_none() && !inside.is_empty();
                stream.opened.sends_again = resent.map(|(origin, ..)| origin).or(stream.opened.sends_again);
                let (sequence, payload) =
                    resent.map_or((header.sequence, inside), |(_, sequence, payload)| (sequence, payload));
                stream.content(Look { payload, sequence, ..look }, self.keys, &mut self.shared);
            }
            None => stream.refused(
                look,
                bytes.get(header.length..).unwrap_or_default(),
                self.keys,
                &mut self.shared,
            ),
        }
        stream.tally(through, before);
    }

    /// What was opened of each stream.
    pub fn finish(mut self) -> HashMap<(Way, u32), Opened> {
        let mut carriers = std::mem::take(&mut self.carriers);
        carriers.finish(|carriers, framed| self.framed(carriers, framed));
        self.streams.into_iter().map(|(key, stream)| (key, stream.finish(self.keys))).collect()
    }
}

impl Stream {
    /// Packets in the clear, refused ones, and those whose frames opened.
    fn counted(&self) -> [u64; 3] {
        let Opened { clear, refused, frames, .. } = &self.opened;
        [clear.total, refused.total, frames.values().sum()]
    }

    /// Counts a packet as what became of it.
    fn tally(&mut self, through: bool, before: [u64; 3]) {
        let [clear, refused, frames] = self.counted();
        let clear = !through && clear > before[0];
        let refused = !through && !clear && refused > before[1];
        let opened = through || (!clear && !refused && frames > before[2]);
        let (opened, clear, refused) = (u32::from(opened), u32::from(clear), u32::from(refused));
        self.opened.tally.take(Kinds { opened, clear, refused });
    }

    fn hop(&mut self, holders: &[Holder], profile: Profile) {
        for holder in holders {
            *self.opened.hop.entry(holder.clone()).or_default() += 1;
        }
        self.opened.profile = Some(profile);
        self.any = true;
    }

    /// Looks at a payload whose hop was opened or is none, and opens the frame that it ends.
    fn content(&mut self, look: Look<'_>, keys: &Keys, shared: &mut Shared) {
        if look.payload.is_empty() {
            return;
        }
        if let Some(first) = look.payload.first() {
            *self.first_bytes.entry(*first).or_default() += 1;
        }
        self.inside.take(&look);
        if keys.frames.is_empty() {
            return;
        }
        if self.frame(look.number, look.payload, 1, keys, shared) {
            self.core.take(&Look { payload: &shared.body, tagged: false, ..look });
            return;
        }
        if self.frame_at != look.timestamp || self.frame.len() > PIECES {
            self.give_up();
            self.frame_at = look.timestamp;
        }
        let Some(descriptor) = vp8::Descriptor::parse(look.payload) else {
            return self.unopened(look);
        };
        if self.frame.iter().any(|piece| piece.look.sequence == look.sequence) {
            return;
        }
        let payload = look.payload.to_vec();
        self.frame.push(Piece { look: Look { payload: &[], ..look }, payload, skipped: descriptor.length });
        let first = self.frame.first().map_or(0, |piece| piece.look.sequence);
        self.frame.sort_by_key(|piece| piece.look.sequence.wrapping_sub(first).cast_signed());
        // A piece that was late or sent again may come behind the last one.
        if self.frame.last().is_some_and(|piece| piece.look.marker) {
            let whole: Vec<u8> = self
                .frame
                .iter()
                .flat_map(|piece| piece.payload.iter().skip(piece.skipped).copied())
                .collect();
            if self.frame(look.number, &whole, self.frame.len() as u64, keys, shared) {
                // As it would stand in one packet: the descriptor, and then the frame.
                let descriptor = look.payload.get(..descriptor.length).unwrap_or_default();
                shared.body.splice(..0, descriptor.iter().copied());
                self.core.take(&Look { payload: &shared.body, tagged: false, ..look });
                self.frame.clear();
                self.in_pieces = true;
            }
        }
    }

    /// Leaves a frame that did not open; of one that began with the header of a sealed one, or is not there from its
    /// start to its end, nothing can be said.
    fn give_up(&mut self) {
        let pieces = std::mem::take(&mut self.frame);
        if self.in_pieces && !is_whole(&pieces) {
            return;
        }
        let begins = pieces.first().and_then(|piece| piece.payload.get(piece.skipped..));
        if begins.is_some_and(|frame| self.goes_on(frame)) {
            return;
        }
        for piece in &pieces {
            self.unopened(Look { payload: &piece.payload, ..piece.look });
        }
    }

    /// Whether a frame begins with a header that goes on where those of opened frames ended.
    fn goes_on(&self, frame: &[u8]) -> bool {
        sframe::Header::parse(frame).is_some_and(|header| {
            self.counters.get(&header.key_id).is_some_and(|last| last.abs_diff(header.counter) <= NEAR)
        })
    }

    /// A packet that no frame key opens; damaged ones still have their headers.
    fn unopened(&mut self, look: Look<'_>) {
        if self.goes_on(look.payload) {
            return;
        }
        self.opened.unsealed_packets.push(look.number);
        self.unsealed.take(&look);
    }

    /// Opens a frame of so many packets under every key that fits it; `number` is that of its last packet.
    fn frame(&mut self, number: u64, frame: &[u8], packets: u64, keys: &Keys, shared: &mut Shared) -> bool {
        let Some(header) = sframe::Header::parse(frame) else { return false };
        let likely = self.frame_key.into_iter().chain(0..keys.frames.len());
        for index in likely {
            let Some(key) = keys.frames.get(index).filter(|key| key.key_id == header.key_id) else {
                continue;
            };
            if key.opener.open_into(frame, &[], &mut shared.body) {
                for holder in &key.holders {
                    *self.opened.frames.entry(holder.clone()).or_default() += packets;
                }
                self.opened.found += if key.found { packets } else { 0 };
                self.frame_key = Some(index);
                if self.counters.len() < 16 || self.counters.contains_key(&header.key_id) {
                    self.counters.insert(header.key_id, header.counter);
                }
                if shared.uses.is_reuse(index, header.counter, frame) {
                    self.opened.reused.push(number);
                }
                return true;
            }
        }
        false
    }

    /// A packet that no key of SRTP opens: one in the clear where others opened, or a hop without SRTP.
    fn refused(&mut self, look: Look<'_>, payload: &[u8], keys: &Keys, shared: &mut Shared) {
        if !self.any {
            if self.frame(look.number, payload, 1, keys, shared) {
                self.inside.take(&Look { payload, ..look });
                self.core.take(&Look { payload: &shared.body, tagged: false, ..look });
            }
            return;
        }
        if payload.is_empty() {
            return;
        }
        self.opened.refused.push(look.number);
        let total: u64 = self.first_bytes.values().sum();
        let same = payload.first().and_then(|first| self.first_bytes.get(first)).copied().unwrap_or_default();
        // What opened begins like this in at least half of the packets: a random byte does in one of 256.
        if same * 2 >= total && total > 0 {
            self.opened.clear.push(look.number);
        }
    }

    fn finish(mut self, keys: &Keys) -> Opened {
        self.give_up();
        if self.counters.is_empty() {
            self.opened.unsealed_packets = Listed::default();
        }
        self.opened.sends_again = self.opened.sends_again.filter(|_| !self.new);
        let weak = |fit: &Fit| {
            fit.packets < 2 && keys.hops.get(fit.key).is_some_and(|hop| hop.profile.rtp_tag_length() == 4)
        };
        if !self.fitting.is_empty() && self.fitting.iter().all(weak) {
            self.opened = Opened::default();
            self.any = false;
        }
        if self.any || !self.opened.frames.is_empty() {
            self.opened.inside = Some(self.inside.finish());
            self.opened.core = (!self.opened.frames.is_empty()).then(|| self.core.finish());
            self.opened.unsealed = (self.opened.unsealed_packets.total > 0).then(|| self.unsealed.finish());
        }
        self.opened
    }
}
