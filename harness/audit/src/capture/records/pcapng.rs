//! The blocks of pcapng files (draft-ietf-opsawg-pcapng): several sections, interfaces and byte orders.

use pcap_parser::{Block, InterfaceDescriptionBlock, OptionCode, parse_block_be, parse_block_le};

use super::search::{Found, first};
use super::{
    Clock, INTERFACES, Interface, LONGEST_BLOCK, LONGEST_NAME, LONGEST_RECORD, Record, Records, Step,
};

/// The type of a section header, the same in both byte orders.
pub(super) const SECTION: [u8; 4] = [0x0A, 0x0D, 0x0D, 0x0A];
/// The magic number of a section's byte order, as a big-endian section holds it.
const BIG_ENDIAN: [u8; 4] = [0x1A, 0x2B, 0x3C, 0x4D];
/// Obsolete packet block.
const PACKET: u32 = 2;
/// The blocks at which reading may go on after damage: interface, packets, names, statistics, secrets, custom.
const KNOWN: [u32; 9] = [1, PACKET, 3, 4, 5, 6, 0xA, 0xBAD, 0x4000_0BAD];
/// The type of secrets that are lines of an NSS key log.
const NSS_KEY_LOG: u32 = 0x544C_534B;

/// The section that is being read.
#[derive(Debug, Default)]
pub(super) struct Section {
    big_endian: bool,
    /// A section of a version that nobody has defined: its blocks are passed over.
    foreign: bool,
    /// Indices of its interfaces among all.
    interfaces: Vec<usize>,
}

impl Section {
    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        word(bytes, at, self.big_endian)
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let half = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(if self.big_endian { u16::from_be_bytes(half) } else { u16::from_le_bytes(half) })
    }

    /// The next section header or known block whose two lengths agree.
    pub(super) fn next_sound(&self, window: &[u8], last: bool) -> Found {
        first(window, last, |rest| {
            let Some(head) = rest.get(..12) else { return Err(12) };
            let starts = head.starts_with(&SECTION);
            let big_endian = if starts { head.get(8..12) == Some(&BIG_ENDIAN[..]) } else { self.big_endian };
            let kind = word(head, 0, big_endian);
            if !starts && !kind.is_some_and(|kind| KNOWN.contains(&kind)) {
                return Ok(false);
            }
            let Some(length) = word(head, 4, big_endian).and_then(sound_length) else { return Ok(false) };
            match word(rest, length - 4, big_endian) {
                Some(trailer) => Ok(trailer as usize == length),
                None => Err(length),
            }
        })
    }
}

fn word(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let word = *bytes.get(at..)?.first_chunk::<4>()?;
    Some(if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
}

fn sound_length(length: u32) -> Option<usize> {
    let length = length as usize;
    ((12..=LONGEST_BLOCK).contains(&length) && length.is_multiple_of(4)).then_some(length)
}

impl Records {
    fn section(&mut self) -> Option<&mut Section> {
        match &mut self.format {
            super::Format::Pcapng(section) => Some(section),
            _ => None,
        }
    }

    pub(super) fn pcapng(&mut self, window: &[u8], last: bool) -> Step {
        let Some(section) = self.section() else { return Step::End };
        if window.len() < 12 {
            return match window {
                [] if last => Step::End,
                _ if last => self.damage("the file ends within the head of a block"),
                _ => Step::Need(12),
            };
        }
        if window.starts_with(&SECTION) {
            section.big_endian = window.get(8..12) == Some(&BIG_ENDIAN[..]);
        }
        let Some(claimed) = section.u32(window, 4) else { return Step::End };
        let Some(used) = sound_length(claimed) else {
            return self.damage(format!("a block claims {claimed} bytes"));
        };
        let Some(block) = window.get(..used) else {
            return if last { self.damage("the file ends within a block") } else { Step::Need(used) };
        };
        if section.u32(block, used - 4) != Some(claimed) {
            return self.damage("the two lengths of a block differ");
        }
        match self.block(block) {
            Ok(Some(Inside::Record(record))) => Step::Frame { record, used },
            Ok(Some(Inside::Secrets(data))) => Step::Secrets { data, used },
            Ok(None) => Step::Nothing { used },
            Err(text) => {
                self.problems.push(self.at, text);
                Step::Nothing { used }
            }
        }
    }

    /// What a block of the right length holds.
    fn block(&mut self, block: &[u8]) -> Result<Option<Inside>, String> {
        let Some(section) = self.section() else { return Ok(None) };
        if block.starts_with(&SECTION) {
            section.interfaces.clear();
            let version = section.u16(block, 12).unwrap_or(0);
            section.foreign = version != 1;
            return match version {
                1 => Ok(None),
                other => Err(format!("a section of version {other}, which is not defined, was passed over")),
            };
        }
        if section.foreign {
            return Ok(None);
        }
        if section.u32(block, 0) == Some(PACKET) {
            return self.obsolete_packet(block).map(|record| Some(Inside::Record(record)));
        }
        let parsed = if section.big_endian { parse_block_be(block) } else { parse_block_le(block) };
        let Ok((_, parsed)) = parsed else {
            return Err("a block that cannot be read was dropped".to_owned());
        };
        match parsed {
            Block::InterfaceDescription(description) => self.describe(&description).map(|()| None),
            Block::EnhancedPacket(found) => {
                let at = Place { interface: found.if_id as usize, ticks: ticks(found.ts_high, found.ts_low) };
                let length = (found.caplen as usize).min(found.data.len());
                self.packet(&at, 28, length, found.origlen).map(|record| Some(Inside::Record(record)))
            }
            Block::SimplePacket(found) => {
                let snaplen = self.interface(0).map_or(0, |(_, interface)| interface.snaplen);
                let limit = if snaplen == 0 { usize::MAX } else { snaplen };
                let length = found.data.len().min(found.origlen as usize).min(limit);
                let at = Place { interface: 0, ticks: 0 };
                self.packet(&at, 12, length, found.origlen).map(|record| Some(Inside::Record(record)))
            }
            Block::DecryptionSecrets(secrets) if secrets.secrets_type.0 == NSS_KEY_LOG => {
                let length = (secrets.secrets_len as usize).min(block.len().saturating_sub(20));
                Ok(Some(Inside::Secrets(16..16 + length)))
            }
            Block::Custom(_) | Block::SystemdJournalExport(_) => {
                // Wireshark numbers them like packets.
                self.number += 1;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The interface with this number in its section, and its index among all.
    fn interface(&mut self, number: usize) -> Option<(usize, &Interface)> {
        let index = *self.section()?.interfaces.get(number)?;
        Some((index, self.interfaces.get(index)?))
    }

    fn packet(&mut self, at: &Place, start: usize, length: usize, original: u32) -> Result<Record, String> {
        let number = self.number + 1;
        let Some((index, interface)) = self.interface(at.interface) else {
            return Err(format!(
                "a packet on interface {}, which is not described, was dropped",
                at.interface
            ));
        };
        if length > LONGEST_RECORD {
            return Err(format!("a packet of {length} bytes was dropped"));
        }
        let record = interface.record(number, index, at.ticks, start..start + length, original as usize);
        self.number = number;
        Ok(record)
    }

    /// Interface, drops, time, captured and original length, then the frame (pcapng, appendix A).
    fn obsolete_packet(&mut self, block: &[u8]) -> Result<Record, String> {
        let fields = self.section().and_then(|section| {
            let at = Place {
                interface: usize::from(section.u16(block, 8)?),
                ticks: ticks(section.u32(block, 12)?, section.u32(block, 16)?),
            };
            Some((at, section.u32(block, 20)? as usize, section.u32(block, 24)?))
        });
        let (at, captured, original) = fields.ok_or("a packet block that is too short was dropped")?;
        if block.len() < 32 || captured > block.len() - 32 {
            return Err("a packet that is longer than its block was dropped".to_owned());
        }
        self.packet(&at, 28, captured, original)
    }

    fn describe(&mut self, description: &InterfaceDescriptionBlock<'_>) -> Result<(), String> {
        let ordinal = self.interfaces.len();
        if ordinal >= INTERFACES {
            return Err(format!(
                "an interface beyond the first {INTERFACES} was passed over, with its packets"
            ));
        }
        let Some(section) = self.section() else { return Ok(()) };
        let option = |code: u16| {
            let found = description.options.iter().find(|option| option.code == OptionCode(code));
            found.and_then(|option| option.as_bytes().ok())
        };
        let offset = option(14).and_then(|value| value.first_chunk::<8>()).map_or(0, |value| {
            if section.big_endian { i64::from_be_bytes(*value) } else { i64::from_le_bytes(*value) }
        });
        let resolution = option(9).and_then(|value| value.first().copied()).unwrap_or(6);
        let clock = ticks_per_second(resolution).map_or(Clock::Unknown, |ticks| Clock::Ticks(ticks, offset));
        section.interfaces.push(ordinal);
        let name = match description.if_name() {
            Some(Ok(name)) if !name.trim_end_matches('\0').is_empty() => {
                name.trim_end_matches('\0').chars().take(LONGEST_NAME).collect()
            }
            _ => format!("interface {ordinal}"),
        };
        self.interfaces.push(Interface {
            name,
            linktype: (description.linktype.0 & 0xFFFF) as u16,
            fcs: option(13).and_then(|value| value.first().copied()).map_or(0, usize::from),
            snaplen: description.snaplen as usize,
            clock,
        });
        match clock {
            Clock::Ticks(..) => Ok(()),
            Clock::Unknown => Err(format!(
                "interface {ordinal} counts time in steps of {resolution:#04x}: its times are unknown"
            )),
        }
    }
}

enum Inside {
    Record(Record),
    Secrets(std::ops::Range<usize>),
}

struct Place {
    interface: usize,
    ticks: u64,
}

fn ticks(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Ticks in a second by the option `if_tsresol`: a negative power of 10, or of 2 where the top bit is set.
fn ticks_per_second(resolution: u8) -> Option<u64> {
    let exponent = u32::from(resolution & 0x7F);
    if resolution & 0x80 == 0 { 10_u64.checked_pow(exponent) } else { 2_u64.checked_pow(exponent) }
}
