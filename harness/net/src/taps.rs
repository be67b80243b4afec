//! Knows every access link and records what crosses it.
//!
//! Invariant: whatever is recorded here enters capture and schedule digest together, and nothing after the end.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use crate::capture::CaptureFile;
use crate::frame::{self, Segment};
use crate::schedule::{self, Schedule};

/// The number of a link, which is also the number of its interface in the capture.
pub(crate) type LinkNumber = u32;

pub(crate) struct Taps {
    epoch_ns: u64,
    capture: Option<CaptureFile>,
    schedule: Schedule,
    names: Vec<String>,
    by_ip: HashMap<Ipv4Addr, LinkNumber>,
    identification: u16,
    packets: u64,
    ended: bool,
}

impl Taps {
    pub(crate) fn new(epoch_ns: u64, capture: Option<CaptureFile>) -> Self {
        Self {
            epoch_ns,
            capture,
            schedule: Schedule::default(),
            names: Vec::new(),
            by_ip: HashMap::new(),
            identification: 0,
            packets: 0,
            ended: false,
        }
    }

    pub(crate) fn add(&mut self, tap: &str, ip: Ipv4Addr) {
        let number = self.names.len() as LinkNumber;
        self.names.push(tap.to_owned());
        self.by_ip.insert(ip, number);
        if let Some(capture) = &mut self.capture {
            capture.add_interface(tap);
        }
    }

    /// The link with that address.
    pub(crate) fn link(&self, ip: &Ipv4Addr) -> Option<LinkNumber> {
        self.by_ip.get(ip).copied()
    }

    /// The name of the tap of the link with that address.
    pub(crate) fn name(&self, address: &SocketAddr) -> Option<&str> {
        let SocketAddr::V4(address) = address else { return None };
        let number = self.link(address.ip())?;
        self.names.get(number as usize).map(String::as_str)
    }

    /// A fresh IPv4 identification.
    pub(crate) fn identification(&mut self) -> u16 {
        self.identification = self.identification.wrapping_add(1);
        self.identification
    }

    /// Records a datagram that crosses `link`.
    pub(crate) fn datagram(
        &mut self,
        link: LinkNumber,
        at: Duration,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        id: u16,
        payload: &[u8],
    ) {
        if self.ended {
            return;
        }
        self.schedule.add(at, link, source, destination, schedule::class(payload));
        let time_ns = self.time_ns(at);
        if let Some(capture) = &mut self.capture
            && let Some(frame) = frame::datagram(source, destination, id, payload)
        {
            capture.packet(link, time_ns, &frame, None);
            self.packets += 1;
        }
    }

    /// Records a segment that crosses `link`.
    pub(crate) fn segment(&mut self, link: LinkNumber, at: Duration, segment: &Segment) {
        if self.ended {
            return;
        }
        self.schedule.add(at, link, segment.source, segment.destination, "tcp");
        let time_ns = self.time_ns(at);
        if let Some(capture) = &mut self.capture
            && let Some(frame) = segment.frame()
        {
            capture.packet(link, time_ns, &frame, Some(Segment::COMMENT));
            self.packets += 1;
        }
    }

    /// How many packets the capture was given.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// The digest of the schedule so far.
    pub(crate) fn schedule(&self) -> String {
        self.schedule.hex()
    }

    /// Ends the records.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.ended = true;
        self.capture.as_mut().map_or(Ok(()), CaptureFile::finish)
    }

    fn time_ns(&self, at: Duration) -> u64 {
        self.epoch_ns.saturating_add(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX))
    }
}
