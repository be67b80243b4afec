//! Headers of a frame layer (SFrame, RFC 9605 §4.3) in front of what may be its ciphertext: on whole payloads, or behind
//! the payload descriptors of video; and the packets among those that have none.
//!
//! Invariant: a header counts only under a key id whose counters went on for so long that random bytes hardly ever do.
//! What neither has such a header nor goes on behind one is named.

use super::descriptors::{Descriptor, Starts};
use super::listed::Listed;
use super::sample::Sample;
use super::structure::{ENOUGH, Found};
use crate::sframe::Header;

/// How far counters of one key id may lie apart: the key may serve other streams, and packets get lost.
const NEAR: u64 = 64;
/// Key ids that are remembered at a time.
const KEY_IDS: usize = 8;
/// Key ids that may be new at the start; later one in so many packets.
const NEW: u32 = 4;
/// How often random bytes may go on as counters do that are believed.
const BELIEVED: f64 = 1e-6;
/// Packets that wait for their key id to be believed.
const WAITING: usize = 64;

/// What was found of a frame layer.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Behind its headers.
    pub behind: Found,
    /// Packets that have none, where most have one.
    pub bare: Option<Bare>,
}

/// Packets without the header of the others.
#[derive(Clone, Debug)]
pub struct Bare {
    /// Their numbers.
    pub packets: Listed,
    /// What they hold.
    pub found: Found,
}

/// The readings that have not been given up; none before there are enough packets.
#[derive(Debug, Default)]
pub struct Layer {
    readings: Option<Vec<Reading>>,
}

impl Layer {
    /// Looks at packets that follow one another; those without payload say nothing.
    pub fn look(&mut self, samples: &[&Sample]) {
        if self.readings.is_none() && samples.len() < ENOUGH {
            return;
        }
        let places = [None, Some(Descriptor::Vp8), Some(Descriptor::Vp9)];
        let readings = self.readings.get_or_insert_with(|| places.map(Reading::of).into());
        readings.retain_mut(|reading| reading.look(samples));
        // Of most streams none is left: the memory serves others.
        readings.shrink_to_fit();
    }

    /// What was found, where the headers are on most frames.
    pub fn finish(self) -> Option<Sealed> {
        self.readings.into_iter().flatten().find_map(Reading::finish)
    }
}

/// A key id that headers have.
#[derive(Debug)]
struct KeyId {
    id: u64,
    /// The counters since they began to go on.
    from: u64,
    last: u64,
    /// Which of the counters up to the last one were there, that one at the lowest bit.
    seen: u64,
    /// A counter far from those, which others may follow.
    far: Option<u64>,
    /// How often random bytes would have gone on so far.
    doubt: f64,
    believed: bool,
}

/// What is a header if it comes to be believed.
#[derive(Clone, Copy, Debug)]
struct Doubtful {
    id: u64,
    counter: u64,
    /// The key id is believed, and the counter is far from the others.
    far: bool,
    starts: bool,
}

/// What became of a header.
enum Taken {
    Believed,
    /// Whether it fits those before.
    Doubted(bool),
    Far,
}

/// Where the content of a packet stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Behind a header, or behind a packet with one.
    Sealed(usize),
    /// Behind what may be a header of so many bytes, descriptors included; without it, behind so many.
    Waits(Doubtful, usize, usize),
    /// Behind no header; whether a frame starts there.
    Bare(usize, bool),
}

/// The payloads, read with the headers in one place.
#[derive(Debug)]
struct Reading {
    descriptor: Option<Descriptor>,
    key_ids: Vec<KeyId>,
    introduced: u32,
    tested: u32,
    fits: u32,
    /// The time stamp of the last frame, and what its start was taken for.
    frame: Option<(u32, Place)>,
    /// The furthest sequence number.
    furthest: Option<u16>,
    waiting: Vec<(Sample, Place)>,
    behind: Found,
    packets: Listed,
    kept: Vec<(Sample, usize)>,
    found: Found,
    starts: Option<Starts>,
}

impl Reading {
    fn of(descriptor: Option<Descriptor>) -> Self {
        Self {
            descriptor,
            key_ids: Vec::new(),
            introduced: 0,
            tested: 0,
            fits: 0,
            frame: None,
            furthest: None,
            waiting: Vec::new(),
            behind: Found::default(),
            packets: Listed::default(),
            kept: Vec::new(),
            found: Found::default(),
            starts: descriptor.map(Starts::of),
        }
    }

    /// Looks at packets; false where the headers are not there.
    fn look(&mut self, samples: &[&Sample]) -> bool {
        let older = std::mem::take(&mut self.waiting);
        let mut placed: Vec<(&Sample, Place)> =
            older.iter().map(|(sample, place)| (sample, *place)).collect();
        for sample in samples.iter().copied().filter(|sample| sample.length > 0) {
            placed.push((sample, self.place(sample)));
            if self.tested >= 32 && self.fits * 8 < self.tested {
                return false;
            }
        }
        if self.tested >= ENOUGH as u32 && self.fits * 2 < self.tested {
            return false;
        }
        let mut behind: Vec<(&Sample, usize)> = Vec::with_capacity(placed.len());
        let mut bare = Vec::new();
        for (sample, place) in placed {
            match place {
                Place::Sealed(skip) => behind.push((sample, skip)),
                Place::Waits(doubtful, skip, _) if self.is_settled(doubtful) => behind.push((sample, skip)),
                Place::Waits(..) => self.waiting.push((*sample, place)),
                Place::Bare(skip, starts) => bare.push((*sample, skip, starts)),
            }
        }
        self.behind.look(&behind, false);
        let over = self.waiting.len().saturating_sub(WAITING);
        let told = self.waiting.drain(..over).filter_map(as_bare);
        bare.extend(told);
        bare.iter().for_each(|(sample, skip, starts)| self.bare(sample, *skip, *starts));
        true
    }

    fn place(&mut self, sample: &Sample) -> Place {
        let payload = sample.head();
        let ahead = self.furthest.map_or(1, |furthest| sample.sequence.wrapping_sub(furthest).cast_signed());
        self.furthest = if ahead > 0 { Some(sample.sequence) } else { self.furthest };
        let read = self.descriptor.map_or(Some((0, true)), |descriptor| descriptor.read(payload));
        let Some((length, starts)) = read else {
            self.tested += 1;
            return Place::Bare(0, false);
        };
        if !starts {
            return match self.frame.filter(|(timestamp, _)| *timestamp == sample.timestamp) {
                Some((_, Place::Bare(..))) => Place::Bare(length, false),
                Some((_, Place::Waits(of, ..))) => {
                    Place::Waits(Doubtful { starts: false, ..of }, length, length)
                }
                _ => Place::Sealed(length),
            };
        }
        self.tested += 1;
        let frame = payload.get(length..).unwrap_or_default();
        let place = Header::parse(frame).and_then(|header| {
            let (id, counter, skip) = (header.key_id, header.counter, length + header.length);
            let doubtful = |far| Place::Waits(Doubtful { id, counter, far, starts: true }, skip, length);
            let taken = self.header(&header, counters(frame), ahead > 0)?;
            self.fits += u32::from(matches!(taken, Taken::Believed | Taken::Doubted(true)));
            Some(match taken {
                Taken::Believed => Place::Sealed(skip),
                Taken::Doubted(_) => doubtful(false),
                Taken::Far => doubtful(true),
            })
        });
        let place = place.unwrap_or(Place::Bare(length, true));
        self.frame = Some((sample.timestamp, place));
        place
    }

    /// Whether a header fits those before; none where it can hardly be one. Its counter is one of so many values; `new`:
    /// its packet was not sent before.
    fn header(&mut self, header: &Header, space: f64, new: bool) -> Option<Taken> {
        let (id, counter) = (header.key_id, header.counter);
        let Some(at) = self.key_ids.iter().position(|known| known.id == id) else {
            return self.introduce(header).then_some(Taken::Doubted(false));
        };
        self.key_ids.get_mut(at)?.take(counter, space, new)
    }

    /// Remembers a new key id; false where there have been too many for all of them to be such.
    fn introduce(&mut self, header: &Header) -> bool {
        if header.length > 9 || self.introduced >= NEW + self.fits / 64 {
            return false;
        }
        self.introduced += 1;
        if self.key_ids.len() == KEY_IDS {
            let oldest = self.key_ids.iter().position(|known| !known.believed).unwrap_or(0);
            self.key_ids.remove(oldest);
        }
        self.key_ids.push(KeyId {
            id: header.key_id,
            from: header.counter,
            last: header.counter,
            seen: 1,
            far: None,
            doubt: 1.0,
            believed: false,
        });
        true
    }

    /// Whether a header that waited is one by now.
    fn is_settled(&self, doubtful: Doubtful) -> bool {
        let known = self.key_ids.iter().find(|known| known.id == doubtful.id && known.believed);
        known.is_some_and(|known| {
            let before = known.from.saturating_sub(NEAR)..=known.last;
            if doubtful.far { known.from == doubtful.counter } else { before.contains(&doubtful.counter) }
        })
    }

    fn bare(&mut self, sample: &Sample, skip: usize, starts: bool) {
        self.packets.push(sample.number);
        match &mut self.starts {
            Some(frames) if starts => frames.take(sample, skip),
            Some(_) => {}
            None => {
                self.kept.push((*sample, skip));
                if self.kept.len() == WAITING {
                    self.look_at_bare();
                }
            }
        }
    }

    fn look_at_bare(&mut self) {
        let kept: Vec<(&Sample, usize)> = self.kept.iter().map(|(sample, skip)| (sample, *skip)).collect();
        self.found.look(&kept, true);
        self.kept.clear();
    }

    fn finish(mut self) -> Option<Sealed> {
        let believed = self.key_ids.iter().any(|known| known.believed);
        if !believed || self.tested < ENOUGH as u32 || self.fits * 2 < self.tested {
            return None;
        }
        let waiting = std::mem::take(&mut self.waiting);
        for (sample, skip, starts) in waiting.into_iter().filter_map(as_bare) {
            self.bare(&sample, skip, starts);
        }
        self.look_at_bare();
        self.packets.numbers.sort_unstable();
        let found = self.starts.map_or(self.found, Starts::finish);
        let bare = (self.packets.total > 0).then_some(Bare { packets: self.packets, found });
        Some(Sealed { behind: self.behind, bare })
    }
}

impl KeyId {
    /// What a header with this counter is taken for; none where the counter was there before and the packet was not.
    fn take(&mut self, counter: u64, space: f64, new: bool) -> Option<Taken> {
        let goes_on = |last: u64| counter.checked_sub(last).filter(|ahead| (1..=NEAR).contains(ahead));
        let ahead = goes_on(self.last);
        if !self.believed {
            match ahead {
                Some(ahead) => self.doubt *= (ahead as f64 / space).min(1.0),
                None => (self.from, self.doubt) = (counter, 1.0),
            }
            self.move_to(counter);
            self.believed = self.doubt < BELIEVED;
            return Some(if self.believed { Taken::Believed } else { Taken::Doubted(ahead.is_some()) });
        }
        let behind = self.last.checked_sub(counter).filter(|behind| *behind < NEAR);
        if ahead.is_some() {
            self.move_to(counter);
        } else if let Some(behind) = behind {
            if new && self.seen >> behind & 1 == 1 {
                return None;
            }
            self.seen |= 1 << behind;
        } else if let Some(far) = self.far.filter(|far| goes_on(*far).is_some()) {
            self.from = far;
            self.move_to(counter);
        } else {
            self.far = Some(counter);
            return Some(Taken::Far);
        }
        self.far = None;
        Some(Taken::Believed)
    }

    fn move_to(&mut self, counter: u64) {
        let ahead = counter.checked_sub(self.last).and_then(|ahead| u32::try_from(ahead).ok());
        self.seen = ahead.and_then(|ahead| self.seen.checked_shl(ahead)).unwrap_or_default() | 1;
        self.last = counter;
    }
}

/// A packet that waited in vain: nothing of it is a header.
fn as_bare((sample, place): (Sample, Place)) -> Option<(Sample, usize, bool)> {
    match place {
        Place::Waits(doubtful, _, bare) => Some((sample, bare, doubtful.starts)),
        Place::Sealed(_) | Place::Bare(..) => None,
    }
}

/// How many values the counter of a header may have, by the bits that it takes.
fn counters(frame: &[u8]) -> f64 {
    let nibble = frame.first().copied().unwrap_or_default() & 0x0F;
    if nibble & 8 == 0 { 8.0 } else { 256.0_f64.powi(i32::from(nibble & 7) + 1) }
}

#[cfg(test)]
mod tests;
