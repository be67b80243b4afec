//! The first reading of a capture on two threads: one reads, takes packets apart and glances at them while their bytes
//! are at hand; the other surveys what was seen.
//!
//! Invariant: of a media packet no bytes but those of its sample go from one thread to the other, and what is under way
//! does not grow with the capture.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc::sync_channel;

use foldhash::quality::RandomState;

use super::Input;
use super::glance::{Glance, Media, class};
use super::name::Name;
use super::stream::Way;
use super::survey::{STREAMS, way};
use crate::capture::Packet;
use crate::capture::class::Class;
use crate::capture::feed::{Batch, Ended, Feed};

/// Packets that go to the other thread together: enough that waking it is rare.
const TOGETHER: usize = 2_048;
/// Bytes of kept packets that go together at most, give or take a window.
const BYTES: usize = 1 << 20;
/// How many times that may be under way.
const UNDER_WAY: usize = 2;

/// What was seen of packets that follow one another.
#[derive(Debug, Default)]
pub struct Glances {
    /// One for each packet, in the order of the file.
    pub seen: Vec<Glance>,
    /// The packets of which more than a glance is needed, and the lines of key logs.
    pub kept: Batch,
    /// Where the streams go that begin with these packets, in the order of their numbers.
    pub ways: Vec<(Way, u32)>,
    /// Bytes of the capture that were read for it.
    pub bytes: u64,
}

impl Glances {
    fn clear(&mut self) {
        self.seen.clear();
        self.kept.clear();
        self.ways.clear();
        self.bytes = 0;
    }

    fn is_full(&self) -> bool {
        self.seen.len() >= TOGETHER || self.kept.bytes() >= BYTES
    }
}

/// Numbers the streams that no relay carries.
struct Numbered {
    hashes: RandomState,
    streams: HashMap<Name, u32, RandomState>,
}

impl Numbered {
    fn take(&mut self, glances: &mut Glances, packet: Packet, payload: &[u8]) {
        let class = class(&packet, payload);
        let media = (class == Class::Rtp).then(|| Media::of(packet.number, payload, &self.hashes)).flatten();
        glances.seen.push(match media {
            Some(media) => Glance::Media {
                stream: self.number(&packet, media.ssrc, &mut glances.ways),
                at_ns: packet.at_ns,
                whole: !packet.cut,
                media,
            },
            None => {
                glances.kept.keep(packet, payload);
                Glance::Kept(class)
            }
        });
    }

    fn number(&mut self, packet: &Packet, ssrc: u32, ways: &mut Vec<(Way, u32)>) -> Option<u32> {
        let name = Name::of_packet(packet, ssrc);
        if let Some(number) = self.streams.get(&name) {
            return Some(*number);
        }
        let number = u32::try_from(self.streams.len()).ok().filter(|_| self.streams.len() < STREAMS)?;
        self.streams.insert(name, number);
        ways.push((way(packet), ssrc));
        Some(number)
    }
}

/// Reads a capture and gives what was seen to `each`, in order. `hash`: hash what is read; `hashes`: what tells
/// payloads apart.
///
/// # Errors
/// When the capture cannot be read.
pub fn read(
    input: &Input,
    hash: bool,
    hashes: RandomState,
    mut each: impl FnMut(&Glances),
) -> io::Result<Ended> {
    let mut feed = Feed::open((input.open)()?, hash)?;
    let (full, filled) = sync_channel::<Glances>(UNDER_WAY);
    let (done, empty) = sync_channel::<Glances>(UNDER_WAY + 1);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let (mut batch, mut more) = (Batch::default(), true);
            let mut numbered = Numbered { streams: HashMap::with_hasher(hashes.clone()), hashes };
            while more {
                let mut glances: Glances = empty.try_recv().unwrap_or_default();
                glances.clear();
                while more && !glances.is_full() {
                    more = feed.visit(&mut batch, |packet, payload| {
                        numbered.take(&mut glances, packet, payload);
                    })?;
                    if more {
                        glances.kept.secrets.append(&mut batch.secrets);
                        glances.bytes += batch.bytes() as u64;
                    }
                }
                if full.send(glances).is_err() {
                    break;
                }
            }
            feed.finish()
        });
        for glances in filled {
            each(&glances);
            // Where the reader has ended nobody wants the memory back.
            let _ = done.try_send(glances);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
