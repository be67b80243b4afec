//! Reads a capture: which packets crossed which interface when, under Wireshark's packet numbers.
//!
//! Invariant: damage never takes away what stood before it; it becomes a [`Problem`] with its byte offset.

pub mod class;
pub mod connection;
pub mod feed;
pub mod layers;
mod packet;
pub mod records;
pub mod source;

use std::ops::Range;

pub use class::Class;
pub use packet::{Packet, Transport};
pub use records::Problem;
use records::{Records, Step};

/// A capture in memory.
#[derive(Debug, Default)]
pub struct Capture {
    /// Interface names, in the order of their descriptions.
    pub interfaces: Vec<String>,
    /// Every packet, in the order of the file.
    pub packets: Vec<Packet>,
    /// Where reading failed.
    pub problems: Vec<Problem>,
    /// The file, and behind it the datagrams that were put together from fragments.
    bytes: Vec<u8>,
}

impl Capture {
    /// Reads a capture that is in memory.
    pub fn read(bytes: Vec<u8>) -> Self {
        let (mut records, mut fragments) = (Records::default(), layers::Fragments::default());
        let (mut packets, mut joined) = (Vec::new(), Vec::new());
        let mut at = 0;
        loop {
            let window = bytes.get(at..).unwrap_or_default();
            match records.step(window, true) {
                Step::Frame { record, used } => {
                    let place = at + record.data.start..at + record.data.end;
                    let frame = bytes.get(place.clone()).unwrap_or_default();
                    let layers = layers::dissect(record.linktype, frame, record.cut, &mut fragments);
                    let payload = feed::place_of(&layers, &bytes, &mut joined);
                    packets.push(Packet::of(&record, &layers, place, payload));
                    at += used;
                }
                Step::Secrets { used, .. } | Step::Nothing { used } => at += used,
                Step::Need(_) | Step::End => break,
            }
        }
        let interfaces = records.interfaces.into_iter().map(|interface| interface.name).collect();
        let mut capture = Self { interfaces, packets, problems: records.problems.finish(), bytes };
        capture.bytes.append(&mut joined);
        class::classify(&mut capture);
        capture
    }

    /// Reads what stands in TCP segments of a capture of any size, up to about `most` bytes. Frames are left out.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn of_tcp<R: std::io::Read + Send + 'static>(
        feed: &mut feed::Feed<R>,
        most: usize,
    ) -> std::io::Result<Self> {
        let (mut capture, mut batch) = (Self::default(), feed::Batch::default());
        while capture.bytes.len() < most && feed.next(&mut batch)? {
            for packet in
                batch.packets.iter().filter(|packet| matches!(packet.transport, Transport::Tcp { .. }))
            {
                capture.keep(packet, batch.payload(packet));
            }
        }
        capture.interfaces = feed.interfaces().map(str::to_owned).collect();
        Ok(capture)
    }

    /// Adds a packet of another capture with its UDP or TCP payload; its frame is left out.
    pub fn keep(&mut self, packet: &Packet, payload: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(payload);
        let place = start..self.bytes.len();
        self.packets.push(Packet { payload: place.clone(), frame: place, ..packet.clone() });
    }

    /// Ends the adding of packets: names the interfaces, and gives every packet its class.
    #[must_use]
    pub fn kept(mut self, interfaces: Vec<String>) -> Self {
        self.interfaces = interfaces;
        class::classify(&mut self);
        self
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
}

/// Where `slice` stands in `whole`, of which it is a part; an empty one stands at the start.
fn offset_in(whole: &[u8], slice: &[u8]) -> Range<usize> {
    if slice.is_empty() {
        return 0..0;
    }
    let start = (slice.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start + slice.len()
}

#[cfg(test)]
mod tests;
