//! The first reading of a capture on two threads: one reads, takes packets apart and glances at them while their bytes
//! are at hand; the other surveys what was seen.
//!
//! Invariant: of a media packet no bytes but those of its sample go from one thread to the other, and what is under way
//! does not grow with the capture.

use std::io;
use std::sync::mpsc::sync_channel;

use foldhash::quality::RandomState;

use super::Input;
use super::glance::{Glance, Media, class};
use super::name::Name;
use super::numbered::Numbered;
use super::stream::Way;
use super::survey::STREAMS;
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

/// Glances at packets, and numbers the streams that no relay carries.
struct Glancing {
    hashes: RandomState,
    numbered: Numbered,
    /// Of the media packets whose streams were asked for: where they stand among the glances, and whether they are of
    /// IPv4.
    asking: Vec<(usize, bool)>,
}

impl Glancing {
    fn new(hashes: RandomState) -> Self {
        Self { numbered: Numbered::new(hashes.clone(), STREAMS), hashes, asking: Vec::new() }
    }

    fn take(&mut self, glances: &mut Glances, packet: Packet, payload: &[u8]) {
        let class = class(&packet, payload);
        let media = (class == Class::Rtp).then(|| Media::of(packet.number, payload, &self.hashes)).flatten();
        let Some(media) = media else {
            glances.kept.keep(packet, payload);
            return glances.seen.push(Glance::Kept(class));
        };
        self.asking.push((glances.seen.len(), packet.source.is_ipv4()));
        let full = self.numbered.ask(Name::of_packet(&packet, media.ssrc));
        let (at_ns, whole) = (packet.at_ns, !packet.cut);
        glances.seen.push(Glance::Media { stream: None, at_ns, whole, media });
        if full {
            self.tell(glances);
        }
    }

    /// Gives the packets that wait for them the numbers of their streams.
    fn tell(&mut self, glances: &mut Glances) {
        let mut asking = self.asking.drain(..);
        self.numbered.tell(|name, number, new| {
            let Some((at, four)) = asking.next() else { return };
            if let Some(Glance::Media { stream, .. }) = glances.seen.get_mut(at) {
                *stream = number;
            }
            if new {
                glances.ways.push((name.way(four), name.ssrc()));
            }
        });
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
            let mut glancing = Glancing::new(hashes);
            while more {
                let mut glances: Glances = empty.try_recv().unwrap_or_default();
                glances.clear();
                while more && !glances.is_full() {
                    more = feed.visit(&mut batch, |packet, payload| {
                        glancing.take(&mut glances, packet, payload);
                    })?;
                    if more {
                        glances.kept.secrets.append(&mut batch.secrets);
                        glances.bytes += batch.bytes() as u64;
                    }
                }
                glancing.tell(&mut glances);
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
