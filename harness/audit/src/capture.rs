//! Reads a capture: which packets crossed which interface when, under Wireshark's packet numbers.
//!
//! Invariant: damage never takes away what stood before it; it becomes a [`Problem`] with its byte offset.

pub mod class;
pub mod connection;
mod packet;

use std::ops::Range;

use pcap_parser::{
    Block, EnhancedPacketBlock, InterfaceDescriptionBlock, Linktype, PcapError, parse_block_be,
    parse_block_le,
};

pub use class::Class;
pub use packet::{Packet, Transport};

/// The type of a section header, the same in both byte orders.
const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];

/// A place at which a capture cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes from the start of the file.
    pub offset: usize,
    /// What is wrong, in one phrase.
    pub text: String,
}

/// A capture in memory.
#[derive(Debug, Default)]
pub struct Capture {
    /// Interface names, in the order of their descriptions.
    pub interfaces: Vec<String>,
    /// Every packet, in the order of the file.
    pub packets: Vec<Packet>,
    /// Where reading failed.
    pub problems: Vec<Problem>,
    bytes: Vec<u8>,
}

/// How to read the time stamps and frames of one interface.
struct Interface {
    ticks_per_second: u64,
    offset_s: i64,
    linktype: Linktype,
}

impl Capture {
    /// Reads a pcapng file that is in memory, up to the first damage.
    pub fn read(bytes: Vec<u8>) -> Self {
        let mut capture = Self { bytes, ..Self::default() };
        let mut reading =
            Reading { at: 0, big_endian: false, number: 0, section: Vec::new(), started: false };
        if capture.bytes.is_empty() {
            capture.problem(0, "the file is empty");
        }
        while reading.at < capture.bytes.len() {
            if let Err(text) = capture.read_block(&mut reading) {
                capture.problem(reading.at, text);
                break;
            }
        }
        class::classify(&mut capture);
        capture
    }

    /// The UDP or TCP payload of `packet`.
    pub fn payload(&self, packet: &Packet) -> &[u8] {
        self.bytes.get(packet.payload.clone()).unwrap_or_default()
    }

    /// The whole recorded frame of `packet`, link layer included.
    pub fn frame(&self, packet: &Packet) -> &[u8] {
        self.bytes.get(packet.frame.clone()).unwrap_or_default()
    }

    /// The name of the interface that saw `packet`.
    pub fn tap(&self, packet: &Packet) -> &str {
        self.interfaces.get(packet.interface).map_or("", String::as_str)
    }

    /// The interface called `tap`.
    pub fn interface(&self, tap: &str) -> Option<usize> {
        self.interfaces.iter().position(|name| name == tap)
    }

    fn problem(&mut self, offset: usize, text: impl Into<String>) {
        self.problems.push(Problem { offset, text: text.into() });
    }

    fn read_block(&mut self, reading: &mut Reading) -> Result<(), String> {
        let rest = self.bytes.get(reading.at..).unwrap_or_default();
        if !reading.started && !rest.starts_with(&SECTION) {
            return Err("no pcapng section header".to_owned());
        }
        let parsed = if reading.big_endian { parse_block_be(rest) } else { parse_block_le(rest) };
        let (after, block) = parsed.map_err(why)?;
        let used = rest.len() - after.len();
        if used == 0 {
            return Err("a block of no length".to_owned());
        }
        match block {
            Block::SectionHeader(header) => {
                reading.started = true;
                reading.big_endian = header.big_endian();
                reading.section.clear();
            }
            Block::InterfaceDescription(description) => {
                let name = interface_name(&description, self.interfaces.len());
                reading.section.push((self.interfaces.len(), Interface::of(&description)));
                self.interfaces.push(name);
            }
            Block::EnhancedPacket(found) => {
                reading.number += 1;
                let data = offset_in(&self.bytes, found.data, found.caplen as usize);
                let packet = reading.packet(&self.bytes, &found, data)?;
                self.packets.push(packet);
            }
            Block::SimplePacket(found) => {
                reading.number += 1;
                let whole = found.data.len().min(found.origlen as usize);
                let data = offset_in(&self.bytes, found.data, whole);
                let Some((interface, how)) = reading.section.first() else {
                    return Err("a packet before any interface".to_owned());
                };
                let at = packet::Seen { number: reading.number, interface: *interface, at_ns: 0 };
                self.packets.push(Packet::dissect(&self.bytes, data, how.linktype, at));
            }
            _ => {}
        }
        reading.at += used;
        Ok(())
    }
}

/// Where the reading of the file stands.
struct Reading {
    at: usize,
    big_endian: bool,
    number: u64,
    section: Vec<(usize, Interface)>,
    started: bool,
}

impl Reading {
    fn packet(
        &self,
        bytes: &[u8],
        found: &EnhancedPacketBlock<'_>,
        data: Range<usize>,
    ) -> Result<Packet, String> {
        let Some((interface, how)) = self.section.get(found.if_id as usize) else {
            return Err(format!("a packet on interface {}, which is not described", found.if_id));
        };
        let ticks = u64::from(found.ts_high) << 32 | u64::from(found.ts_low);
        let at = packet::Seen { number: self.number, interface: *interface, at_ns: how.at_ns(ticks) };
        Ok(Packet::dissect(bytes, data, how.linktype, at))
    }
}

impl Interface {
    fn of(description: &InterfaceDescriptionBlock<'_>) -> Self {
        Self {
            ticks_per_second: description.ts_resolution().filter(|t| *t > 0).unwrap_or(1_000_000),
            offset_s: description.if_tsoffset,
            linktype: description.linktype,
        }
    }

    fn at_ns(&self, ticks: u64) -> u64 {
        let ns = u128::from(ticks) * 1_000_000_000 / u128::from(self.ticks_per_second);
        let shifted = i128::try_from(ns).unwrap_or(i128::MAX) + i128::from(self.offset_s) * 1_000_000_000;
        u64::try_from(shifted.max(0)).unwrap_or(u64::MAX)
    }
}

fn interface_name(description: &InterfaceDescriptionBlock<'_>, ordinal: usize) -> String {
    match description.if_name() {
        Some(Ok(name)) => name.trim_end_matches('\0').to_owned(),
        _ => format!("interface {ordinal}"),
    }
}

/// Where `slice`, cut to `length`, stands in `whole`, of which it is a part.
fn offset_in(whole: &[u8], slice: &[u8], length: usize) -> Range<usize> {
    let start = (slice.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + length.min(slice.len())
}

fn why(error: pcap_parser::nom::Err<PcapError<&[u8]>>) -> String {
    match error {
        pcap_parser::nom::Err::Incomplete(_) => "the file ends within a block".to_owned(),
        _ => "a block that cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests;
