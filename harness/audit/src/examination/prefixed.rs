//! RTP behind a header of a product's own: a place in the datagrams of a flow at which version, sequence number, time
//! stamp and SSRC go on over several packets as those of RTP do.
//!
//! Invariant: one packet never decides, and what is kept of flows is bounded in packets, flows and bytes.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::stream::Way;
use crate::capture::Packet;
use crate::dissect::rtp::Header;

/// The longest header that is looked behind, in bytes.
const FURTHEST: usize = 64;
/// Packets of one SSRC below which nothing is said.
const ENOUGH: usize = 8;
/// Packets of a flow that are looked at together; they are looked at when there are `ENOUGH`, and when there are these.
const TOGETHER: usize = 32;
/// How often a flow is looked at in vain before it is let go.
const ROUNDS: u32 = 10;
/// Places of one flow.
const PLACES: usize = 16;
/// Flows that are remembered.
const FLOWS: usize = 20_000;
/// Bytes of all flows that wait to be looked at.
const HELD: usize = 4 << 20;
/// A datagram this long is none of a call.
const LONGEST: usize = 2_048;

/// Where the RTP of one SSRC stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it, 1 to 64.
    pub behind: u8,
    /// Its synchronisation source.
    pub ssrc: u32,
}

/// A packet that waits to be told.
#[derive(Debug)]
pub struct Waiting {
    /// The packet.
    pub packet: Packet,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// What became of a packet.
#[derive(Debug)]
pub enum Taken {
    /// It is nothing that is known.
    Nothing,
    /// It is kept until more is known of its flow.
    Kept,
    /// RTP stands behind so many bytes.
    Media(u8),
    /// Places were found, or none; these packets wait no more.
    Told(Vec<Waiting>),
}

#[derive(Debug, Default)]
struct Flow {
    places: Vec<Place>,
    waiting: Vec<Waiting>,
    rounds: u32,
    /// Packets that are let pass before it is looked at again.
    pass: u32,
}

/// The flows of a capture that carry nothing known.
#[derive(Debug, Default)]
pub struct Prefixed {
    flows: HashMap<Way, Flow, RandomState>,
    held: usize,
}

impl Prefixed {
    /// Takes in a datagram that is nothing known by itself.
    pub fn take(&mut self, way: Way, packet: &Packet, payload: &[u8]) -> Taken {
        if !self.flows.contains_key(&way) && self.flows.len() >= FLOWS {
            return Taken::Nothing;
        }
        let flow = self.flows.entry(way).or_default();
        if let Some(place) = flow.place(payload) {
            return Taken::Media(place.behind);
        }
        if flow.pass > 0 || flow.rounds >= ROUNDS || payload.len() > LONGEST || flow.places.len() >= PLACES {
            flow.pass = flow.pass.saturating_sub(1);
            return Taken::Nothing;
        }
        let size = size_of::<Waiting>() + payload.len();
        if self.held + size > HELD {
            return Taken::Nothing;
        }
        self.held += size;
        flow.waiting.push(Waiting { packet: packet.clone(), bytes: payload.to_vec() });
        if !matches!(flow.waiting.len(), ENOUGH | TOGETHER) {
            return Taken::Kept;
        }
        let found = places(&flow.waiting);
        if found.is_empty() && flow.waiting.len() < TOGETHER {
            return Taken::Kept;
        }
        let told = std::mem::take(&mut flow.waiting);
        self.held =
            self.held.saturating_sub(told.iter().map(|one| size_of::<Waiting>() + one.bytes.len()).sum());
        if found.is_empty() {
            // A call may begin late: it is looked for again when the flow has twice as many packets.
            flow.pass = (TOGETHER as u32) << flow.rounds;
            flow.rounds += 1;
        } else {
            flow.rounds = 0;
            flow.places.extend(found.into_iter().take(PLACES - flow.places.len()));
        }
        Taken::Told(told)
    }

    /// Where RTP stands in a datagram of a flow whose places are known.
    pub fn behind(&self, way: Way, payload: &[u8]) -> Option<u8> {
        Some(self.flows.get(&way)?.place(payload)?.behind)
    }

    /// The packets that still wait.
    pub fn finish(&mut self) -> u64 {
        self.held = 0;
        self.flows.values_mut().map(|flow| std::mem::take(&mut flow.waiting).len() as u64).sum()
    }
}

impl Flow {
    fn place(&self, payload: &[u8]) -> Option<&Place> {
        let stands = |place: &&Place| {
            header(payload, usize::from(place.behind)).is_some_and(|header| header.ssrc == place.ssrc)
        };
        self.places.iter().find(stands)
    }
}

/// A header of RTP behind so many bytes. The types 64 to 95 would be taken for RTCP (RFC 5761 §4).
fn header(payload: &[u8], behind: usize) -> Option<Header> {
    let packet =
        payload.get(behind..).filter(|packet| packet.first().is_some_and(|first| first >> 6 == 2))?;
    Header::parse(packet).filter(|header| !(64..=95).contains(&header.payload_type))
}

/// Every place at which the RTP of some SSRC goes on.
fn places(waiting: &[Waiting]) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    let mut told = vec![false; waiting.len()];
    for behind in 1..=FURTHEST {
        let mut by_ssrc: Vec<(u32, Vec<(usize, Header)>)> = Vec::new();
        for (at, one) in waiting.iter().enumerate().filter(|(at, _)| told.get(*at) == Some(&false)) {
            let Some(header) = header(&one.bytes, behind) else { continue };
            match by_ssrc.iter_mut().find(|(ssrc, _)| *ssrc == header.ssrc) {
                Some((_, same)) => same.push((at, header)),
                None => by_ssrc.push((header.ssrc, vec![(at, header)])),
            }
        }
        for (ssrc, same) in by_ssrc {
            let packets: Vec<(u64, Header)> = same
                .iter()
                .filter_map(|(at, header)| Some((waiting.get(*at)?.packet.at_ns, *header)))
                .collect();
            if goes_on(&packets) {
                same.iter().filter_map(|(at, _)| told.get_mut(*at).map(|told| *told = true)).for_each(drop);
                found.push(Place { behind: u8::try_from(behind).unwrap_or(u8::MAX), ssrc });
            }
        }
    }
    found
}

/// Whether headers with one SSRC, each with the time of its packet in nanoseconds, go on as those of RTP do: sequence
/// numbers that step, and time stamps that run with some clock of RTP (RFC 3551 §6: 8 to 90 kHz).
fn goes_on(packets: &[(u64, Header)]) -> bool {
    let (Some((start, first)), Some((end, last))) = (packets.first(), packets.last()) else { return false };
    if packets.len() < ENOUGH || matches!(first.ssrc, 0 | u32::MAX) {
        return false;
    }
    let pairs = || {
        packets
            .windows(2)
            .filter_map(|pair| if let [one, next] = pair { Some((one.1, next.1)) } else { None })
    };
    let odd = pairs().filter(|(one, next)| !steps(one, next)).count();
    let moves = pairs().filter(|(one, next)| one.timestamp != next.timestamp).count();
    let ticks = f64::from(last.timestamp.wrapping_sub(first.timestamp).cast_signed());
    let seconds = end.saturating_sub(*start) as f64 / 1e9;
    // What is sent in bursts, and what was recorded without times, is off by some frames.
    let slack = 0.25;
    let runs = ticks >= 6_000.0 * (seconds - slack) && ticks <= 110_000.0 * (seconds + slack);
    // The shortest packets of voice have 5 ms: 40 ticks of the slowest clock.
    let runs = runs && moves > 0 && ticks >= 40.0 * moves as f64;
    let types = |(_, header): &(u64, Header)| header.payload_type;
    let mut types: Vec<u8> = packets.iter().map(types).collect();
    types.sort_unstable();
    types.dedup();
    odd * ENOUGH <= packets.len() && runs && types.len() <= 3
}

/// Whether a packet may follow another of its stream, some lost or out of order.
fn steps(one: &Header, next: &Header) -> bool {
    let ahead = next.sequence.wrapping_sub(one.sequence).cast_signed();
    let ticks = next.timestamp.wrapping_sub(one.timestamp).cast_signed();
    (1..=64).contains(&ahead) && ticks >= 0 || (-16..0).contains(&ahead) && ticks <= 0
}

#[cfg(test)]
mod tests;
