//! The records of classic pcap files (draft-ietf-opsawg-pcap), in both byte orders, with micro- and nanoseconds, and
//! with the longer record headers of Alexey Kuznetzov's variant.

use super::search::{Found, first};
use super::{Clock, Interface, LONGEST_RECORD, Records, Step};

/// Length of the file header, in bytes.
pub(super) const HEADER: usize = 24;
/// How far the time of a record found again may lie from the last one, in seconds.
const NEAR_S: u32 = 86_400;
/// Records of no length in a row that are counted as frames; more of them are a hole in the file.
const EMPTY_IN_A_ROW: u32 = 100;

/// What the file header says of the records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    big_endian: bool,
    per_second: u32,
    record_header: usize,
    last_s: Option<u32>,
    empty: u32,
}

/// The head of one record.
#[derive(Clone, Copy)]
struct Head {
    seconds: u32,
    fraction: u32,
    captured: usize,
    original: usize,
}

impl Layout {
    /// Reads the file header; none where it is of another format.
    pub(super) fn of(window: &[u8]) -> Option<Result<(Self, Interface), &'static str>> {
        let magic = *window.first_chunk::<4>()?;
        let known = |magic: u32| match magic {
            0xA1B2_C3D4 => Some((1_000_000, 16)),
            0xA1B2_3C4D => Some((1_000_000_000, 16)),
            0xA1B2_CD34 => Some((1_000_000, 24)),
            _ => None,
        };
        let (big_endian, (per_second, record_header)) = match known(u32::from_le_bytes(magic)) {
            Some(known) => (false, known),
            None => (true, known(u32::from_be_bytes(magic))?),
        };
        let layout = Self { big_endian, per_second, record_header, last_s: None, empty: 0 };
        let (Some(snaplen), Some(link)) = (layout.u32(window, 16), layout.u32(window, 20)) else {
            return Some(Err("the file ends within its header; hand over the whole capture"));
        };
        // The upper bits tell that frames end with a check sequence, and how many 16-bit words it has.
        let fcs = if link & 0x0400_0000 == 0 { 0 } else { link >> 28 };
        let interface = Interface {
            name: "interface 0".to_owned(),
            linktype: (link & 0xFFFF) as u16,
            fcs: 2 * fcs as usize,
            snaplen: snaplen as usize,
            clock: Clock::Ticks(1_000_000_000, 0),
        };
        Some(Ok((layout, interface)))
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let word = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(if self.big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
    }

    fn head(&self, window: &[u8]) -> Option<Head> {
        window.get(..self.record_header)?;
        Some(Head {
            seconds: self.u32(window, 0)?,
            fraction: self.u32(window, 4)?,
            captured: self.u32(window, 8)? as usize,
            original: self.u32(window, 12)? as usize,
        })
    }

    /// Whether the head is one that a program writes: stricter than what is read where nothing is in doubt.
    fn plausible(&self, head: Head) -> bool {
        (1..=LONGEST_RECORD).contains(&head.captured)
            && head.captured <= head.original
            && head.original <= LONGEST_RECORD
            && head.fraction < self.per_second
            && self.last_s.is_none_or(|last| head.seconds.abs_diff(last) <= NEAR_S)
    }

    /// The next two plausible records in a row, or one that ends with the file.
    pub(super) fn next_sound(&self, window: &[u8], last: bool) -> Found {
        first(window, last, |rest| {
            let Some(head) = self.head(rest) else { return Err(self.record_header) };
            if !self.plausible(head) {
                return Ok(false);
            }
            let end = self.record_header + head.captured;
            match rest.get(end..) {
                Some([]) if last => Ok(true),
                Some(behind) => match self.head(behind) {
                    Some(next) => Ok(self.plausible(next)),
                    None => Err(end + self.record_header),
                },
                None => Err(end + self.record_header),
            }
        })
    }

    pub(super) fn found_again(&mut self) {
        self.empty = 0;
    }
}

impl Records {
    pub(super) fn pcap(&mut self, window: &[u8], last: bool) -> Step {
        let super::Format::Pcap(layout) = &mut self.format else { return Step::End };
        let Some(head) = layout.head(window) else {
            return match window {
                [] if last => Step::End,
                _ if last => self.damage("the file ends within the head of a record"),
                _ => Step::Need(layout.record_header),
            };
        };
        if head.captured > LONGEST_RECORD {
            return self.damage(format!("a record claims {} bytes", head.captured));
        }
        let used = layout.record_header + head.captured;
        if window.len() < used {
            return if last { self.damage("the file ends within a record") } else { Step::Need(used) };
        }
        layout.empty = if head.captured == 0 { layout.empty + 1 } else { 0 };
        if layout.empty > EMPTY_IN_A_ROW {
            return self.damage(format!("more than {EMPTY_IN_A_ROW} records of no length in a row"));
        }
        if head.captured > 0 {
            layout.last_s = Some(head.seconds);
        }
        let ticks = u64::from(head.seconds) * 1_000_000_000
            + u64::from(head.fraction) * u64::from(1_000_000_000 / layout.per_second);
        let data = layout.record_header..used;
        self.number += 1;
        let Some(interface) = self.interfaces.first() else { return Step::End };
        Step::Frame { record: interface.record(self.number, 0, ticks, data, head.original), used }
    }
}
