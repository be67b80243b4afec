//! One direction of a TCP connection that may carry datagrams in frames (RFC 4571, RFC 8656 §12.5), segment by segment.
//!
//! Invariant: a datagram is handed on only when its frame is whole and nothing is missing before it that could have moved
//! it. Behind a gap the next frame is looked for that is sure; bytes before it are counted as unread.

use crate::capture::{Packet, Transport};
use crate::dissect::framed::{Framing, LONGEST, Next};

/// Segments behind a gap that wait for what is missing.
const WAITING: usize = 16;
/// Numbers of streams and channels that are remembered.
const KNOWN: usize = 16;
/// Bytes in which a frame can be recognised.
const RECOGNISED: usize = 16;
/// Frames behind one another that are no chance, where what comes next is not there yet.
const SURE: usize = 3;
/// Datagrams of a connection below which its frames may have been chance.
const FEW: u64 = 8;
/// Bytes in which no frame is found again of a connection with few before it is let go.
const IN_VAIN: u64 = 1 << 16;
/// How far sequence numbers jump only where another connection has the same ends.
const FAR: u32 = 1 << 24;

/// One direction.
#[derive(Debug, Default)]
pub struct Frames {
    /// The sequence number that is due.
    next: Option<u32>,
    framing: Option<Framing>,
    /// Bytes in order, not handed on yet.
    bytes: Vec<u8>,
    /// Segments behind a gap, in order.
    waiting: Vec<(u32, Packet, Vec<u8>)>,
    /// Streams and channels that were there.
    known: Vec<u32>,
    /// Whether the place of the next frame is not known.
    lost: bool,
    over: bool,
    /// Bytes of padding that are still to come.
    padding: usize,
    handed: u64,
    unread: u64,
}

/// Who takes datagrams, each with the packet that brought its end.
pub type Each<'e> = &'e mut dyn FnMut(&Packet, &[u8]);

impl Frames {
    /// Bytes that are kept.
    pub fn held(&self) -> usize {
        self.bytes.len()
            + self.waiting.iter().map(|(_, _, bytes)| size_of::<Packet>() + bytes.len()).sum::<usize>()
    }

    /// Whether nothing of the direction need be remembered.
    pub fn is_over(&self) -> bool {
        self.over || self.framing.is_none() && self.bytes.is_empty() && self.waiting.is_empty()
    }

    /// Bytes that could not be read, where the connection surely carries frames.
    pub fn unread(&self) -> u64 {
        if self.handed < FEW { 0 } else { self.unread }
    }

    /// Takes a segment in.
    pub fn segment(&mut self, packet: &Packet, payload: &[u8], each: Each<'_>) {
        let Transport::Tcp { sequence, syn, fin, rst } = packet.transport else { return };
        if syn {
            self.finish(each);
            let (handed, unread) = (self.handed, self.unread);
            *self = Self { next: Some(sequence.wrapping_add(1)), handed, unread, ..Self::default() };
            return;
        }
        if !payload.is_empty() {
            self.place(sequence, packet, payload, each);
        }
        if fin || rst {
            self.finish(each);
            self.over = true;
        }
    }

    fn place(&mut self, sequence: u32, packet: &Packet, payload: &[u8], each: Each<'_>) {
        let next = *self.next.get_or_insert(sequence);
        let ahead = sequence.wrapping_sub(next).cast_signed();
        if ahead.unsigned_abs() > FAR {
            self.give_up();
            self.next = Some(sequence);
            self.append(packet, payload, each);
        } else if ahead <= 0 {
            let known = ahead.unsigned_abs() as usize;
            if let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) {
                self.append(packet, new, each);
                self.catch_up(each);
            }
        } else if self.framing.is_none() && self.bytes.is_empty() {
            // Nothing is known that could be lost: it may begin here.
            (self.next, self.bytes) = (Some(sequence), Vec::new());
            self.append(packet, payload, each);
        } else {
            let at =
                self.waiting.partition_point(|(at, ..)| at.wrapping_sub(next) < sequence.wrapping_sub(next));
            self.waiting.insert(at, (sequence, packet.clone(), payload.to_vec()));
            if self.waiting.len() > WAITING {
                self.pass_gap(each);
            }
        }
    }

    /// Takes the segments that are due by now.
    fn catch_up(&mut self, each: Each<'_>) {
        while let (Some(next), Some((sequence, ..))) = (self.next, self.waiting.first()) {
            let known = next.wrapping_sub(*sequence).cast_signed();
            if known < 0 {
                return;
            }
            let (_, packet, bytes) = self.waiting.remove(0);
            if let Some(new) = bytes.get(known.unsigned_abs() as usize..).filter(|new| !new.is_empty()) {
                self.append(&packet, new, each);
            }
        }
    }

    /// Gives up what is missing before the first segment that waits.
    fn pass_gap(&mut self, each: Each<'_>) {
        let (Some(next), Some((sequence, ..))) = (self.next, self.waiting.first()) else { return };
        if self.framing.is_some() {
            self.unread += u64::from(sequence.wrapping_sub(next)) + self.bytes.len() as u64;
        }
        (self.next, self.lost) = (Some(*sequence), self.framing.is_some());
        self.bytes.clear();
        self.catch_up(each);
    }

    fn append(&mut self, packet: &Packet, bytes: &[u8], each: Each<'_>) {
        self.next = self.next.map(|next| next.wrapping_add(bytes.len() as u32));
        let zeros = bytes.iter().take(self.padding).take_while(|byte| **byte == 0).count();
        let bytes = bytes.get(zeros..).unwrap_or_default();
        self.padding = if bytes.is_empty() { self.padding - zeros } else { 0 };
        if bytes.is_empty() {
            return;
        }
        if self.framing.is_none() {
            let before = self.bytes.len();
            self.bytes.extend_from_slice(bytes);
            self.recognise();
            if self.framing.is_none() && before > 0 && self.bytes.is_empty() {
                self.bytes.extend_from_slice(bytes);
                self.recognise();
            }
        } else {
            self.bytes.extend_from_slice(bytes);
        }
        self.read(packet, each);
    }

    /// Tells how the connection frames datagrams, or that what is there is none of their frames.
    fn recognise(&mut self) {
        let mut more = false;
        for framing in [Framing::Length, Framing::Turn] {
            let (mut at, mut frames, mut sure) = (0, 0, false);
            let next = loop {
                let rest = self.bytes.get(at..).unwrap_or_default();
                match framing.next(rest) {
                    // An empty frame is none by which anything is known.
                    Next::Datagram(start, end, used) => {
                        sure |= framing.is_sure(rest, &[]);
                        frames += usize::from(end > start);
                        at += used;
                    }
                    next => break next,
                }
            };
            let filled = at >= self.bytes.len();
            if frames > 0 && filled || next == Next::More && (frames >= SURE || sure) {
                self.framing = Some(framing);
                return;
            }
            more |= next == Next::More && self.bytes.len() < LONGEST;
        }
        if !more {
            self.bytes.clear();
        }
    }

    /// Hands on every datagram that is whole.
    fn read(&mut self, packet: &Packet, each: Each<'_>) {
        let Some(framing) = self.framing else { return };
        let bytes = std::mem::take(&mut self.bytes);
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            if self.lost {
                let found = self.find(framing, rest);
                let passed = found.unwrap_or(rest.len().saturating_sub(RECOGNISED));
                (at, self.unread, self.lost) = (at + passed, self.unread + passed as u64, found.is_none());
                if self.lost {
                    break;
                }
                continue;
            }
            match framing.next(rest) {
                Next::Datagram(start, end, used) => {
                    at += used;
                    let datagram = rest.get(start..end).unwrap_or_default();
                    if !datagram.is_empty() {
                        self.remember(framing, datagram);
                        each(packet, datagram);
                    }
                }
                Next::More => break,
                Next::Nothing => {
                    // What stands here is passed over, so that it is not found again.
                    (self.lost, self.unread) = (true, self.unread + 1);
                    at += 1;
                }
            }
        }
        self.padding = at.saturating_sub(bytes.len());
        if self.lost && self.handed < FEW && self.unread > IN_VAIN {
            *self = Self { next: self.next, ..Self::default() };
            return;
        }
        self.bytes = bytes;
        self.bytes.drain(..at.min(self.bytes.len()));
    }

    fn remember(&mut self, framing: Framing, datagram: &[u8]) {
        self.handed += 1;
        if let Some(name) = framing.name(datagram).filter(|name| !self.known.contains(name)) {
            self.known.truncate(KNOWN - 1);
            self.known.insert(0, name);
        }
    }

    /// Where the next frame stands that is no chance.
    fn find(&self, framing: Framing, bytes: &[u8]) -> Option<usize> {
        (0..bytes.len()).find(|at| {
            let rest = bytes.get(*at..).unwrap_or_default();
            framing.is_sure(rest, &self.known) && framing.next(rest) != Next::Nothing
        })
    }

    /// Ends the direction: what waits is read as far as it can be.
    pub fn finish(&mut self, each: Each<'_>) {
        while !self.waiting.is_empty() {
            self.pass_gap(each);
        }
        if self.framing.is_some() {
            self.unread += self.bytes.len() as u64;
        }
        self.bytes.clear();
    }

    /// Gives up what is kept.
    pub fn give_up(&mut self) {
        self.lost |= self.framing.is_some();
        if self.framing.is_some() {
            self.unread += self.held() as u64;
        }
        (self.bytes, self.waiting, self.next) = (Vec::new(), Vec::new(), None);
    }
}

#[cfg(test)]
mod tests;
