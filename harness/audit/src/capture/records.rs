//! Finds the records of a capture in bytes that come piece by piece, under Wireshark's packet numbers.
//!
//! Invariant: however the bytes are cut into windows, the steps are the same; and damage never takes away what stood
//! before it: it becomes a [`Problem`] with its byte offset, and reading goes on at the next sound record.

mod pcap;
mod pcapng;
mod search;

use std::ops::Range;

/// The longest record that is read, in bytes; a longer one is a lying length. Jumbo frames and the largest
/// segmentation offload stay below 256 KiB.
const LONGEST_RECORD: usize = 1 << 20;
/// The longest block of pcapng that is read, in bytes.
const LONGEST_BLOCK: usize = 16 << 20;
/// Interfaces that are kept; packets of any further ones are dropped.
const INTERFACES: usize = 10_000;
/// Characters of an interface's name that are kept.
const LONGEST_NAME: usize = 256;
/// Places of damage that are listed; any further ones are counted.
const LISTED_PROBLEMS: usize = 100;

/// A place at which a capture cannot be read, or is not what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Bytes from the start of the file, of the unpacked one where it was compressed.
    pub offset: u64,
    /// What is wrong, in one phrase.
    pub text: String,
}

/// Every problem of a file, up to a bound.
#[derive(Debug, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    beyond: u64,
}

impl Problems {
    /// Adds one.
    pub fn push(&mut self, offset: u64, text: impl Into<String>) {
        if self.listed.len() < LISTED_PROBLEMS {
            self.listed.push(Problem { offset, text: text.into() });
        } else {
            self.beyond += 1;
        }
    }

    /// All that are listed, and one more that counts those which are not.
    pub fn finish(mut self) -> Vec<Problem> {
        if self.beyond > 0 {
            let offset = self.listed.last().map_or(0, |problem| problem.offset);
            let text = format!("{} more places of damage follow", self.beyond);
            self.listed.push(Problem { offset, text });
        }
        self.listed
    }
}

/// One recorded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Wireshark's packet number: from 1, in the order of the file.
    pub number: u64,
    /// Index of the interface, counted through all sections.
    pub interface: usize,
    /// Nanoseconds from 1970; 0 where the time is unknown.
    pub at_ns: u64,
    /// The link type, without the bits that describe the frame check sequence.
    pub linktype: u16,
    /// Where the frame stands in the window, frame check sequence left out.
    pub data: Range<usize>,
    /// Fewer bytes were recorded than stood on the wire.
    pub cut: bool,
}

/// What the next bytes of the window are. `used` bytes are done with.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A frame.
    Frame {
        /// Which.
        record: Record,
        /// Bytes of the window that it took.
        used: usize,
    },
    /// A block of decryption secrets with lines of an NSS key log, at this place of the window.
    Secrets {
        /// The key log.
        data: Range<usize>,
        /// Bytes of the window that it took.
        used: usize,
    },
    /// Nothing that is asked for.
    Nothing {
        /// Bytes of the window that it took.
        used: usize,
    },
    /// The window must hold at least so many bytes, more than it does.
    Need(usize),
    /// The file is at its end.
    End,
}

/// An interface that a capture was taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, or its ordinal where it has none.
    pub name: String,
    linktype: u16,
    /// Bytes of frame check sequence at the end of each frame.
    fcs: usize,
    snaplen: usize,
    clock: Clock,
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Ticks in a second, and seconds to add.
    Ticks(u64, i64),
    /// In steps that no count of nanoseconds can follow.
    Unknown,
}

impl Clock {
    /// Nanoseconds from 1970, 0 where the time is unknown.
    fn at_ns(self, ticks: u64) -> u64 {
        let Self::Ticks(per_second, offset_s) = self else { return 0 };
        // Nearly every clock, without a division of 128 bits for each packet.
        let exact = match per_second {
            1_000_000_000 => Some(ticks),
            1_000_000 => ticks.checked_mul(1_000),
            _ => None,
        };
        if let (Some(ns), 0) = (exact, offset_s) {
            return ns;
        }
        let ns = u128::from(ticks) * 1_000_000_000 / u128::from(per_second.max(1));
        let shifted = i128::try_from(ns).unwrap_or(i128::MAX) + i128::from(offset_s) * 1_000_000_000;
        u64::try_from(shifted.max(0)).unwrap_or(u64::MAX)
    }
}

impl Interface {
    fn record(
        &self,
        number: u64,
        interface: usize,
        ticks: u64,
        data: Range<usize>,
        original: usize,
    ) -> Record {
        let original = original.max(data.len());
        let kept = data.len().min(original.saturating_sub(self.fcs));
        Record {
            number,
            interface,
            at_ns: self.clock.at_ns(ticks),
            linktype: self.linktype,
            cut: kept < original.saturating_sub(self.fcs),
            data: data.start..data.start + kept,
        }
    }
}

/// The format of a file, with what its header says.
#[derive(Debug)]
enum Format {
    /// The bytes that tell the format were not seen yet.
    Unseen,
    Pcap(pcap::Layout),
    Pcapng(pcapng::Section),
    /// None that is read.
    Foreign,
}

/// Where the reading of a file stands.
#[derive(Debug)]
pub struct Records {
    /// Every interface so far.
    pub interfaces: Vec<Interface>,
    /// What is wrong so far.
    pub problems: Problems,
    format: Format,
    /// Bytes of the file before the window.
    at: u64,
    number: u64,
    /// Where damage began and what it was, while the next sound record is looked for.
    lost: Option<(u64, String)>,
}

impl Default for Records {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            problems: Problems::default(),
            format: Format::Unseen,
            at: 0,
            number: 0,
            lost: None,
        }
    }
}

impl Records {
    /// What stands at the start of `window`, the bytes of the file from the first that no step has used. `last`: the
    /// file ends with the window.
    pub fn step(&mut self, window: &[u8], last: bool) -> Step {
        let step = if self.lost.is_some() {
            self.search(window, last)
        } else {
            match self.format {
                Format::Unseen => self.head(window, last),
                Format::Pcap(_) => self.pcap(window, last),
                Format::Pcapng(_) => self.pcapng(window, last),
                Format::Foreign => Step::End,
            }
        };
        if let Step::Frame { used, .. } | Step::Secrets { used, .. } | Step::Nothing { used } = step {
            self.at += used as u64;
        }
        step
    }

    /// Whether the file began as a capture.
    pub fn is_capture(&self) -> bool {
        matches!(self.format, Format::Pcap(_) | Format::Pcapng(_))
    }

    /// Whether the file began as something else, so that nothing more is read of it.
    pub fn is_foreign(&self) -> bool {
        matches!(self.format, Format::Foreign)
    }

    /// Bytes of the file that were read.
    pub fn bytes(&self) -> u64 {
        self.at
    }

    fn head(&mut self, window: &[u8], last: bool) -> Step {
        if window.len() < pcap::HEADER && !last {
            return Step::Need(pcap::HEADER);
        }
        if window.starts_with(&pcapng::SECTION) {
            self.format = Format::Pcapng(pcapng::Section::default());
            return Step::Nothing { used: 0 };
        }
        match pcap::Layout::of(window) {
            Some(Ok((layout, interface))) => {
                self.format = Format::Pcap(layout);
                self.interfaces.push(interface);
                Step::Nothing { used: pcap::HEADER }
            }
            Some(Err(text)) => self.foreign(text),
            None if window.is_empty() => self.foreign("the file is empty; hand over the capture itself"),
            None if search::is_compressed(window) => {
                self.foreign("the file is compressed twice; unpack it once and hand over the result")
            }
            None => self.foreign("neither pcap nor pcapng begins like this; hand over the capture itself"),
        }
    }

    fn foreign(&mut self, text: &str) -> Step {
        self.format = Format::Foreign;
        self.problems.push(0, text);
        Step::End
    }

    /// Leaves what stands at the start of the window and looks for the next sound record behind its first byte.
    fn damage(&mut self, text: impl Into<String>) -> Step {
        self.lost = Some((self.at, text.into()));
        Step::Nothing { used: 1 }
    }

    fn search(&mut self, window: &[u8], last: bool) -> Step {
        let found = match &self.format {
            Format::Pcap(layout) => layout.next_sound(window, last),
            Format::Pcapng(section) => section.next_sound(window, last),
            Format::Unseen | Format::Foreign => search::Found::Nowhere,
        };
        let passed = match found {
            search::Found::At(passed) => passed,
            search::Found::Nowhere => window.len(),
            search::Found::Need { passed: 0, more } => return Step::Need(more),
            search::Found::Need { passed, .. } => return Step::Nothing { used: passed },
        };
        let Some((from, text)) = self.lost.take() else { return Step::End };
        let over = self.at + passed as u64 - from;
        let rest = if found == search::Found::Nowhere { ", to the end of the file" } else { "" };
        self.problems.push(from, format!("{text}; {over} bytes were passed over{rest}"));
        if let (Format::Pcap(layout), search::Found::At(_)) = (&mut self.format, found) {
            layout.found_again();
        }
        Step::Nothing { used: passed }
    }
}

#[cfg(test)]
mod tests;
