//! The first reading of a capture: streams, handshakes, descriptions, and what every packet is.
//!
//! Invariant: what is kept grows with the streams and handshakes, never with the packets; past a bound they are
//! counted and no more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hint::black_box;

use foldhash::quality::RandomState;

use super::agreements::Agreements;
use super::carriers::{Carriers, Framed, is_segment};
use super::described::Described;
use super::first_reading::Glances;
use super::glance::{Glance, Media};
use super::listed::Listed;
use super::name::Name;
use super::prefixed::{Prefixed, Taken};
use super::reports::Reports;
use super::stream::{Stream, Through, Way};
use crate::capture::Packet;
use crate::capture::class::{Class, of_datagram};
use crate::dissect::dtls::{self, Side};
use crate::dissect::stun;

/// Streams that are looked at; any further ones are counted.
pub const STREAMS: usize = 50_000;
/// Streams of which single packets are kept at a time.
const OPEN: usize = 4_000;
/// Packets whose streams are asked for at once.
const AHEAD: usize = 16;
/// Handshakes that are looked at.
const HANDSHAKES: usize = 20_000;
/// Bytes of handshake messages that wait for their rest.
const HELD: usize = 4 << 20;
/// A packet of QUIC with a short header has a byte of it, a number and 16 bytes of ciphertext at least (RFC 9001 §5.4.2).
const SHORTEST_QUIC: usize = 21;
/// Packets of later handshakes after which indices may be used again under other keys.
const REKEYED: u32 = 4_000;
/// Flows whose kind is remembered.
const FLOWS: usize = 200_000;

/// A handshake so far.
#[derive(Debug)]
pub struct Association {
    /// Both directions under one name.
    pub way: Way,
    /// What the end that the way names as its source sent.
    pub near: Side,
    /// What the other end sent.
    pub far: Side,
    /// Numbers of its packets.
    pub packets: Listed,
    /// The packet with the first ServerHello: before it nobody has keys.
    pub answered: Option<u64>,
    /// The packet with the first ServerHello between these ends, be it of an earlier handshake.
    keyed: Option<u64>,
    /// Whether the ends had agreed on keys before.
    again: bool,
}

impl Association {
    /// Whether both ends had answered, and a datagram begins another handshake. A hello that is sent again has the same
    /// random.
    fn is_over_with(&self, datagram: &[u8]) -> bool {
        self.answered.is_some()
            && dtls::client_random(datagram)
                .is_some_and(|random| ![self.near.random, self.far.random].contains(&Some(random)))
    }

    /// The client's side and the server's, where both hellos were seen; the client's way first.
    pub fn client_and_server(&self) -> Option<(Way, &Side, &Side)> {
        match (self.near.is_client, self.far.is_client) {
            (true, false) => Some((self.way, &self.near, &self.far)),
            (false, true) => Some((self.way.back(), &self.far, &self.near)),
            _ => None,
        }
    }
}

/// What the first reading of one capture found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Every stream, in the order of its first packet, confirmed or not.
    pub streams: Vec<Stream>,
    /// Every handshake, in the order of its first packet.
    pub associations: Vec<Association>,
    /// Packets by class; those of streams are not among them.
    pub classes: BTreeMap<Class, u64>,
    /// Descriptions of media that stand in readable signalling.
    pub described: Described,
    /// Agreements of ZRTP.
    pub zrtp: Agreements,
    /// Names in the clear.
    pub identifiers: super::identifiers::Identifiers,
    /// RTCP in the clear, by way.
    pub rtcp: HashMap<Way, Reports>,
    /// Flows with RTP behind headers of a product's own.
    pub prefixed: Prefixed,
    /// Packets.
    pub packets: u64,
    /// Times of the first and of the last packet, where any are known.
    pub times: Option<(u64, u64)>,
    /// Streams beyond the bound.
    pub beyond: u64,
    hashes: RandomState,
    /// Where the streams that no relay carries stand, by their numbers; none past the bound.
    numbered: Vec<Option<usize>>,
    streams_at: HashMap<Name, usize, RandomState>,
    throughs: HashMap<Through, u32, RandomState>,
    open: usize,
    held: usize,
    associations_at: HashMap<Way, usize, RandomState>,
    tls: HashMap<Way, u64, RandomState>,
    undecided_tcp: HashMap<Way, u64, RandomState>,
    /// What relays and connections carry.
    pub carriers: Carriers,
    rekeyed: u32,
    /// Ways on which a long header of QUIC was seen.
    quic: HashSet<Way, RandomState>,
}

impl Survey {
    /// A survey whose glances are all made with these `hashes`.
    pub fn new(hashes: RandomState) -> Self {
        Self { hashes, ..Self::default() }
    }

    /// Takes in what was seen of packets, in the order of the file.
    pub fn take(&mut self, glances: &Glances) {
        let mut kept = glances.kept.packets.iter();
        let mut ways = glances.ways.iter();
        for (at, glance) in glances.seen.iter().enumerate() {
            if at.is_multiple_of(AHEAD) {
                self.fetch(glances.seen.get(at..).unwrap_or_default());
            }
            match glance {
                Glance::Kept(class) => {
                    if let Some(packet) = kept.next() {
                        self.packet(packet, glances.kept.payload(packet), *class);
                    }
                }
                Glance::Media { stream, at_ns, whole, media } => {
                    self.count(*at_ns);
                    let number = stream.map_or(usize::MAX, |number| number as usize);
                    if number == self.numbered.len()
                        && let Some((way, ssrc)) = ways.next()
                    {
                        let at = self.begin(*way, *ssrc);
                        self.numbered.push(at);
                    }
                    let at = self.numbered.get(number).copied().flatten();
                    match at.and_then(|at| self.streams.get_mut(at)) {
                        Some(stream) => stream.take(*at_ns, media, *whole),
                        None => self.beyond(),
                    }
                }
            }
        }
    }

    /// Asks for the streams of the next packets all at once, and then for the packets' places in them, so that two waits
    /// for cold memory do for all of them.
    fn fetch(&self, next: &[Glance]) {
        let asked = || {
            next.iter().take(AHEAD).filter_map(|glance| match glance {
                Glance::Media { stream: Some(number), media, .. } => {
                    let at = (*self.numbered.get(*number as usize)?)?;
                    Some((self.streams.get(at)?, media.sample.sequence))
                }
                _ => None,
            })
        };
        black_box(asked().fold(0, |all, (stream, _)| all ^ stream.fetch()));
        black_box(asked().fold(0, |all, (stream, sequence)| all ^ stream.fetch_places(sequence)));
    }

    fn count(&mut self, at_ns: u64) {
        self.packets += 1;
        if at_ns > 0 {
            let (first, last) = self.times.unwrap_or((at_ns, at_ns));
            self.times = Some((first.min(at_ns), last.max(at_ns)));
        }
    }

    /// A media packet of a stream that is not looked at.
    fn beyond(&mut self) {
        self.beyond += 1;
        *self.classes.entry(Class::OtherUdp).or_default() += 1;
    }

    /// Takes one packet in, of this class by its own bytes; `payload` is its UDP or TCP payload.
    fn packet(&mut self, packet: &Packet, payload: &[u8], mut class: Class) {
        self.count(packet.at_ns);
        if is_segment(packet) {
            return self.segment(packet, payload);
        }
        let way = way(packet);
        match class {
            Class::Rtp => class = Class::OtherUdp,
            Class::Dtls => self.handshake(way, packet.number, payload),
            Class::Zrtp => self.zrtp.take(way, packet.number, payload),
            Class::Rtcp => self.rtcp(way, packet.number, payload),
            _ if self.is_quic(way, class, payload) => class = Class::Quic,
            Class::OtherUdp if self.is_record_13(way, payload) => class = Class::Dtls,
            Class::OtherUdp => return self.unknown(way, packet, payload),
            Class::Sip => self.described.take(packet.number, payload),
            Class::TurnChannel | Class::Stun => self.turn(way, packet, class, payload),
            _ => {}
        }
        *self.classes.entry(class).or_default() += 1;
    }

    fn rtcp(&mut self, way: Way, number: u64, datagram: &[u8]) {
        self.identifiers.rtcp(number, datagram);
        if self.rtcp.len() < FLOWS || self.rtcp.contains_key(&way) {
            self.rtcp.entry(way).or_default().take(number, datagram);
        }
    }

    /// A short header of QUIC (RFC 9000 §17.3) has a fixed bit, and nothing else that only a long one on the same way
    /// does not tell from anything else.
    fn is_quic(&mut self, way: Way, class: Class, payload: &[u8]) -> bool {
        match class {
            Class::Quic => {
                if self.quic.len() < FLOWS {
                    self.quic.insert(way.both());
                }
                true
            }
            Class::OtherUdp | Class::TurnChannel => {
                !self.quic.is_empty()
                    && matches!(payload.first(), Some(64..=127))
                    && payload.len() >= SHORTEST_QUIC
                    && self.quic.contains(&way.both())
            }
            _ => false,
        }
    }

    /// A protected record of DTLS 1.3 (RFC 9147 §4) begins with three bits that only a handshake on the same way tells
    /// from anything else.
    fn is_record_13(&self, way: Way, payload: &[u8]) -> bool {
        (matches!(payload.first(), Some(48..=63)) || dtls::is_unified(payload))
            && self.associations_at.contains_key(&way.both())
    }

    /// The packet before which neither end of a way has keys.
    pub fn keyed(&self, way: Way) -> Option<u64> {
        let answered =
            self.associations_at.get(&way.bare().both()).and_then(|at| self.associations.get(*at)?.keyed);
        answered.or_else(|| self.zrtp.confirmed(way))
    }

    /// A datagram that is nothing known by itself may have RTP behind a header of a product's own.
    fn unknown(&mut self, way: Way, packet: &Packet, payload: &[u8]) {
        match self.prefixed.take(way, packet, payload) {
            Taken::Nothing => *self.classes.entry(Class::OtherUdp).or_default() += 1,
            Taken::Kept => {}
            Taken::Media(behind) => self.behind(way, behind, packet, payload),
            Taken::Told(waiting) => {
                for one in waiting {
                    match self.prefixed.behind(way, &one.bytes) {
                        Some(behind) => self.behind(way, behind, &one.packet, &one.bytes),
                        None => *self.classes.entry(Class::OtherUdp).or_default() += 1,
                    }
                }
            }
        }
    }

    fn behind(&mut self, way: Way, behind: u8, packet: &Packet, payload: &[u8]) {
        let bytes = payload.get(usize::from(behind)..).unwrap_or_default();
        let media = Media::of(packet.number, bytes, &self.hashes);
        self.media(Way { behind, ..way }, packet, media.as_ref());
    }

    fn media(&mut self, way: Way, packet: &Packet, media: Option<&Media>) {
        if !media.is_some_and(|media| self.stream(way, packet, media)) {
            *self.classes.entry(Class::OtherUdp).or_default() += 1;
        }
    }

    /// Gives the packet to its stream; false where there is none for it.
    fn stream(&mut self, way: Way, packet: &Packet, media: &Media) -> bool {
        let name = self.name(way, media.ssrc);
        let known = self.streams_at.get(&name).copied();
        let at = known.or_else(|| {
            let at = self.begin(way, media.ssrc)?;
            self.streams_at.insert(name, at);
            Some(at)
        });
        if at.is_none() {
            self.beyond += 1;
        }
        let stream = at.and_then(|at| self.streams.get_mut(at));
        stream.map(|stream| stream.take(packet.at_ns, media, !packet.cut)).is_some()
    }

    /// Begins a stream; none where there are too many.
    fn begin(&mut self, way: Way, ssrc: u32) -> Option<usize> {
        if self.streams.len() >= STREAMS {
            return None;
        }
        self.make_room();
        self.open += 1;
        self.streams.push(Stream::new(way, ssrc));
        Some(self.streams.len() - 1)
    }

    /// The name of a stream; ends behind relays are numbered.
    fn name(&mut self, way: Way, ssrc: u32) -> Name {
        let through = way.through.map_or(0, |through| {
            let next = u32::try_from(self.throughs.len() + 1).unwrap_or(u32::MAX);
            match self.throughs.get(&through) {
                Some(known) => *known,
                None if self.throughs.len() >= FLOWS => u32::MAX,
                None => *self.throughs.entry(through).or_insert(next),
            }
        });
        Name::of(&way, through, ssrc)
    }

    /// Closes the half of the open streams that were silent longest, when there are too many.
    fn make_room(&mut self) {
        if self.open < OPEN {
            return;
        }
        let mut last: Vec<u64> = self.streams.iter().map(|stream| stream.last.0).collect();
        let middle = last.len() / 2;
        let (_, median, _) = last.select_nth_unstable(middle);
        let median = *median;
        for stream in self.streams.iter_mut().filter(|stream| stream.last.0 <= median) {
            stream.close();
        }
        self.open = 0;
    }

    fn handshake(&mut self, way: Way, number: u64, datagram: &[u8]) {
        let both = way.both();
        let known = self.associations_at.get(&both).copied();
        let before = known.and_then(|at| self.associations.get(at));
        let begins = before.is_some_and(|before| before.is_over_with(datagram));
        let (keyed, again) = (before.and_then(|before| before.keyed), before.is_some());
        let at = match known.filter(|_| !begins) {
            Some(at) => at,
            None if self.associations.len() >= HANDSHAKES => return,
            None => {
                self.associations_at.insert(both, self.associations.len());
                self.associations.push(Association {
                    way: both,
                    near: Side::default(),
                    far: Side::default(),
                    packets: Listed::default(),
                    answered: None,
                    keyed,
                    again,
                });
                self.associations.len() - 1
            }
        };
        let Some(association) = self.associations.get_mut(at) else { return };
        association.packets.push(number);
        let side = if way == both { &mut association.near } else { &mut association.far };
        let before = side.held();
        side.take(datagram);
        if side.is_server {
            association.answered.get_or_insert(number);
            association.keyed.get_or_insert(number);
        }
        let again = association.again;
        self.held = (self.held + side.held()).saturating_sub(before);
        if self.held > HELD {
            self.held = 0;
            for association in &mut self.associations {
                association.near.forget();
                association.far.forget();
            }
        }
        self.rekey(both, again);
    }

    /// Forgets the indices that were used between these ends: under other keys they may be used again.
    fn rekey(&mut self, both: Way, again: bool) {
        if again && self.rekeyed < REKEYED {
            self.rekeyed += 1;
            let between = |stream: &&mut Stream| stream.way.bare().both() == both;
            self.streams.iter_mut().filter(between).for_each(|stream| stream.repeats.close());
        }
    }

    /// What a relay carries is looked at like what goes from end to end; the packet counts as the relay's.
    fn carried(&mut self, way: Way, packet: &Packet, payload: &[u8]) {
        match of_datagram(payload, packet) {
            Class::Rtp => {
                if let Some(media) = Media::of(packet.number, payload, &self.hashes) {
                    self.stream(way, packet, &media);
                }
            }
            Class::Dtls => self.handshake(way, packet.number, payload),
            Class::Zrtp => self.zrtp.take(way, packet.number, payload),
            Class::Rtcp => self.rtcp(way, packet.number, payload),
            _ => {}
        }
    }

    fn turn(&mut self, way: Way, packet: &Packet, class: Class, payload: &[u8]) {
        let mut carriers = std::mem::take(&mut self.carriers);
        self.relayed(&mut carriers, way, packet, class, payload);
        self.carriers = carriers;
    }

    fn relayed(&mut self, carriers: &mut Carriers, way: Way, packet: &Packet, class: Class, payload: &[u8]) {
        if class == Class::Stun
            && let Some(message) = stun::Message::parse(payload)
        {
            self.identifiers.stun(packet.number, &message);
        }
        if let Some((way, data)) = carriers.relayed(way, class, payload) {
            self.carried(way, packet, data);
        }
    }

    /// Datagrams in a connection are looked at like those of UDP; their segments count as TCP.
    fn framed(&mut self, carriers: &mut Carriers, framed: Framed<'_>) {
        let Framed { packet, way, class, bytes } = framed;
        match class {
            Class::TurnChannel | Class::Stun => self.relayed(carriers, way, packet, class, bytes),
            _ => self.carried(way, packet, bytes),
        }
    }

    /// TLS is told by the record that one of its segments begins with; which of them does is known at the end.
    fn segment(&mut self, packet: &Packet, payload: &[u8]) {
        let both = way(packet).both();
        if let Some(count) = self.tls.get_mut(&both) {
            *count += 1;
            return;
        }
        let mut carriers = std::mem::take(&mut self.carriers);
        carriers.segment(packet, payload, |carriers, framed| self.framed(carriers, framed));
        self.carriers = carriers;
        if self.described.segment(packet, payload) {
            *self.classes.entry(Class::Sip).or_default() += 1;
        } else if crate::capture::class::starts_tls(payload) && self.tls.len() < FLOWS {
            let before = self.undecided_tcp.remove(&both).unwrap_or_default();
            self.tls.insert(both, before + 1);
        } else if self.undecided_tcp.len() < FLOWS || self.undecided_tcp.contains_key(&both) {
            *self.undecided_tcp.entry(both).or_default() += 1;
        } else {
            *self.classes.entry(Class::OtherTcp).or_default() += 1;
        }
    }

    /// Ends the reading: streams that are none are counted as what they may be.
    pub fn finish(&mut self) {
        let mut carriers = std::mem::take(&mut self.carriers);
        carriers.finish(|carriers, framed| self.framed(carriers, framed));
        self.carriers = carriers;
        let mut add = |class, count: u64| {
            if count > 0 {
                *self.classes.entry(class).or_default() += count;
            }
        };
        add(Class::OtherUdp, self.prefixed.finish());
        add(Class::Tls, self.tls.values().sum());
        add(Class::OtherTcp, self.undecided_tcp.values().sum());
        let (keyed, described) = (&self.associations_at, &self.described);
        let sure: HashSet<Way> =
            self.streams.iter().filter(|stream| stream.goes_on()).map(|stream| stream.way.both()).collect();
        let is_media = |stream: &Stream| {
            let both = stream.way.bare().both();
            let announced =
                described.announces(stream.way.source) || described.announces(stream.way.destination);
            stream.goes_on() || sure.contains(&stream.way.both()) || keyed.contains_key(&both) || announced
        };
        let (streams, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.streams).into_iter().partition(is_media);
        // What a relay carries was counted as the relay's.
        add(Class::OtherUdp, others.iter().filter(|s| s.way.through.is_none()).map(|s| s.packets).sum());
        self.streams = streams;
        self.streams_at = HashMap::default();
        self.numbered = Vec::new();
    }
}

/// The way of a packet, as far as its addresses tell.
pub fn way(packet: &Packet) -> Way {
    Way {
        interface: packet.interface,
        source: packet.source,
        destination: packet.destination,
        through: None,
        behind: 0,
    }
}
