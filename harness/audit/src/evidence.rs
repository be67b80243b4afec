//! Everything that one world left behind, joined: record, capture and keys.
//!
//! Invariant: only these three are read, and what is missing or broken is a [`Fault`] and never passed over.

mod associations;
mod datagrams;
mod ears;
mod frames;
mod keys;
mod ledgers;
mod markers;
mod naming;
mod signalling;
mod streams;
mod unrecorded;
mod view;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;

use model::attack::Place;
use model::identity::Node;
use model::record::{CallRecord, Drop, WorldRecord};
use model::{DeviceId, Role, Verdict};
use sha2::{Digest, Sha256};

pub use associations::{Association, HopKey};
pub use datagrams::{Datagram, Flow};
pub use ears::Ears;
pub use frames::{Frame, Inside, Packing};
pub use keys::{FrameKey, Keys};
pub use ledgers::{Book, Ledgers, Sent};
pub use markers::{Marker, Markers};
pub use signalling::{Exchange, Message, Plaintext, Signalling};
pub use streams::{MediaPacket, Stream};
pub use unrecorded::no_record;
pub use view::{View, bytes, intent};

use self::naming::Naming;
use crate::capture::Capture;
use crate::key_file::{KeyFile, Owner};
use crate::sweep::Swept;

/// Evidence that is missing or broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it does to the verdict; never a pass.
    pub verdict: Verdict,
    /// What is missing, in one sentence.
    pub text: String,
}

/// A stream with its frames.
#[derive(Debug)]
pub struct Media {
    /// The stream.
    pub stream: Stream,
    /// How its frames are cut.
    pub packing: Packing,
    /// Its frames.
    pub frames: Vec<Frame>,
}

/// One world's evidence.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The record.
    pub world: &'a WorldRecord,
    /// The capture.
    pub capture: Capture,
    /// Whether the record tells of calls, frames and links; of a capture that anybody made none does.
    pub recorded: bool,
    /// What is missing or broken.
    pub faults: Vec<Fault>,
    /// Keys of every owner.
    pub keys: Keys,
    /// What devices sent and played.
    pub ledgers: Ledgers,
    /// Datagrams with TURN taken off.
    pub datagrams: Vec<Datagram>,
    /// DTLS handshakes.
    pub associations: Vec<Association>,
    /// Media streams.
    pub media: Vec<Media>,
    /// Signalling messages.
    pub signalling: Signalling,
    /// Markers of canary frames.
    pub markers: Markers,
    /// What guesses, sweep and search came to; nothing where none was made.
    pub swept: Swept,
    drops: HashMap<String, Vec<usize>>,
    deeds: HashMap<String, Vec<usize>>,
    replaced: HashMap<String, Vec<usize>>,
    devices: BTreeMap<String, usize>,
}

impl<'a> Evidence<'a> {
    /// Reads what `world` left in the folder of its run.
    pub fn gather(run: &Path, world: &'a WorldRecord) -> Self {
        let mut faults = Vec::new();
        let capture = match whole_file(&run.join(&world.files.capture)) {
            Ok(bytes) => Capture::read(bytes),
            Err(_) => {
                faults.push(inconclusive("the capture is missing; run the scenario again"));
                Capture::default()
            }
        };
        let mut keys = Keys::new(placed(world));
        for (file, owner, name) in [
            (&world.files.parties, Owner::Parties, "the key file of the parties"),
            (&world.files.service, Owner::Other("service".to_owned()), "the key file of the service"),
        ] {
            match whole_file(&run.join(file)).map(String::from_utf8) {
                Ok(Ok(text)) => {
                    let read = KeyFile::parse(&text, Some(&owner));
                    if let Some(error) = read.errors.first() {
                        faults.push(inconclusive(&format!("{name} cannot be read whole: {error}")));
                    }
                    keys.take(read.keys);
                }
                Ok(Err(_)) => {
                    faults.push(inconclusive(&format!("{name} is no text; run the scenario again")))
                }
                Err(_) => faults.push(inconclusive(&format!("{name} is missing; run the scenario again"))),
            }
        }
        Self::join(world, capture, keys, faults)
    }

    /// Joins record, capture and keys.
    pub fn join(world: &'a WorldRecord, capture: Capture, keys: Keys, mut faults: Vec<Fault>) -> Self {
        if let Some(problem) = capture.problems.first() {
            faults.push(inconclusive(&format!(
                "the capture cannot be read beyond byte {}: {}; run the scenario again",
                problem.offset, problem.text
            )));
        }
        let ledgers = Ledgers::of(&world.ledger);
        if ledgers.unreadable > 0 {
            faults.push(inconclusive("a ledger has entries that cannot be read; run the scenario again"));
        }
        let devices = devices(world, &capture);
        let datagrams = datagrams::datagrams(&capture);
        let associations = associations::associations(&capture, &datagrams, &keys);
        let streams = streams::streams(&capture, &datagrams, &associations, &keys);
        let signalling = Signalling::read(&capture, &keys);
        if let Some((_, why)) = signalling.unreadable.first() {
            let count = signalling.unreadable.len();
            faults.push(inconclusive(&format!(
                "{count} TLS connections cannot be read with the service's secrets: {why}"
            )));
        }
        let mut evidence = Self {
            world,
            recorded: true,
            faults,
            keys,
            markers: Markers::of(&world.calls, &ledgers),
            ledgers,
            swept: Swept::default(),
            datagrams,
            associations,
            media: Vec::new(),
            signalling,
            drops: by_hash(world.drops.iter().map(|drop| drop.sha256.as_str())),
            deeds: by_hash(world.deeds.iter().map(|deed| deed.sha256.as_str())),
            replaced: by_hash(world.deeds.iter().filter_map(|deed| deed.replaced.as_deref())),
            devices,
            capture,
        };
        let mut media: Vec<Media> = streams.into_iter().map(|stream| evidence.take_apart(stream)).collect();
        let mut naming = Naming::new(&evidence.ledgers, world.epoch_ns);
        let sender = |media: &Media| evidence.device_at(media.stream.flow.source).map(str::to_owned);
        let (mut own, mut others): (Vec<&mut Media>, Vec<&mut Media>) =
            media.iter_mut().partition(|media| sender(media).is_some());
        for media in &mut own {
            naming.sent_by(&sender(media).unwrap_or_default(), &mut media.frames, media.packing);
        }
        for media in &mut others {
            naming.sent_on(&mut media.frames, media.packing);
        }
        evidence.media = media;
        evidence
    }

    /// The signalling of every call as each end saw it, with the call id in hex: of the calls and devices that are
    /// recorded, or of every call that a connection carries.
    pub fn views(&self) -> Vec<(&str, View<'_>)> {
        if !self.recorded {
            return View::all(&self.signalling);
        }
        let of = |call: &'a CallRecord| {
            let ends = [(Some(&call.caller), Role::Caller), (call.callee.as_ref(), Role::Callee)];
            ends.into_iter().filter_map(move |(device, role)| {
                Some((call.call.as_str(), View::of(self, &device?.to_string(), role, &call.call)))
            })
        };
        self.world.calls.iter().flat_map(of).collect()
    }

    /// Whether nothing in the payload of `frame` is anybody's choice: a frame of a ledger, or, where there are none,
    /// one that opened.
    pub fn is_accounted_for(&self, frame: &Frame) -> bool {
        frame.inside != Inside::Unknown && (frame.sent.is_some() || !self.recorded)
    }

    /// The device behind an address; none where a node of the service is.
    pub fn device_at(&self, address: SocketAddr) -> Option<&'a str> {
        let ip = address.ip().to_string();
        let mut links = self.world.links.iter().filter(|link| link.tap.contains('@'));
        links.find(|link| link.addresses.contains(&ip)).map(|link| link.tap.as_str())
    }

    fn take_apart(&self, stream: Stream) -> Media {
        let packing = self.packing(&stream);
        let at_ns = |index: usize| self.capture.packets.get(index).map_or(0, |packet| packet.at_ns);
        let frames = frames::frames(&stream, packing, at_ns, &self.keys, &self.ledgers);
        Media { stream, packing, frames }
    }

    /// By the codec that the descriptions give to the payload type; without one, by whether two packets share a
    /// time stamp.
    fn packing(&self, stream: &Stream) -> Packing {
        let payload_type = stream.packets.first().map_or(0, |packet| packet.header.payload_type);
        match self.signalling.codec(payload_type) {
            Some("opus") => Packing::One,
            Some("vp8") => Packing::Vp8,
            _ => {
                let pairs = stream.packets.windows(2);
                let shared = pairs.filter(|pair| match pair {
                    [a, b] => {
                        a.header.timestamp == b.header.timestamp && a.header.sequence != b.header.sequence
                    }
                    _ => false,
                });
                if shared.count() > 0 { Packing::Vp8 } else { Packing::One }
            }
        }
    }

    /// The interface of a device's link; of a telephone number, which is a leg inside the media processor, the
    /// processor's.
    pub fn interface(&self, device: &DeviceId) -> Option<usize> {
        if is_number(device) {
            return self.capture.interface(Node::MediaProcessor.word());
        }
        self.devices.get(&device.to_string()).copied()
    }

    /// Whether the node behind interface `interface` sent what flows on `flow`.
    pub fn is_outgoing(&self, flow: Flow) -> bool {
        let tap = self.capture.interfaces.get(flow.interface).map_or("", String::as_str);
        let link = self.world.links.iter().find(|link| link.tap == tap);
        link.is_some_and(|link| link.addresses.iter().any(|a| *a == flow.source.ip().to_string()))
    }

    /// Whether the link called `tap` is at one end of `flow`.
    pub fn is_end_of(&self, flow: Flow, tap: &str) -> bool {
        let ends = [flow.source.ip().to_string(), flow.destination.ip().to_string()];
        let link = self.world.links.iter().find(|link| link.tap == tap);
        link.is_some_and(|link| link.addresses.iter().any(|address| ends.contains(address)))
    }

    /// The drop that names this UDP payload, or this payload inside SRTP.
    pub fn drop_of(&self, bytes: &[u8]) -> Option<&'a Drop> {
        let at = self.drops.get(&hex::encode(Sha256::digest(bytes)))?;
        self.world.drops.get(*at.first()?)
    }

    /// Whether any drop was recorded.
    pub fn has_drops(&self) -> bool {
        !self.drops.is_empty()
    }

    /// Whether Mallory made the packet at `index` of the capture what it is.
    pub fn is_mallorys(&self, index: usize) -> bool {
        let packet = self.capture.packets.get(index);
        packet.is_some_and(|packet| named(&self.deeds, self.capture.payload(packet)))
    }

    /// Whether Mallory made a media packet what it is, on the wire or behind SRTP.
    pub fn is_mallorys_packet(&self, packet: &MediaPacket) -> bool {
        self.is_mallorys(packet.index) || named(&self.deeds, &packet.body)
    }

    /// Whether Mallory made any packet of `frame` what it is, on the wire or behind SRTP. Of a packet that she only
    /// sent again the first one counts as hers as well, because the bytes are the same.
    pub fn is_mallorys_frame(&self, media: &Media, frame: &Frame) -> bool {
        let mut packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
        !self.deeds.is_empty() && packets.any(|packet| self.is_mallorys_packet(packet))
    }

    /// Whether Mallory put something else in the place of any packet of `frame`.
    pub fn is_replaced(&self, media: &Media, frame: &Frame) -> bool {
        let mut packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
        !self.replaced.is_empty()
            && packets.any(|p| {
                let whole = self.capture.packets.get(p.index).map(|packet| self.capture.payload(packet));
                named(&self.replaced, &p.body) || whole.is_some_and(|bytes| named(&self.replaced, bytes))
            })
    }

    /// Packet number and tap of a packet by its index.
    pub fn located(&self, index: usize) -> (u64, &str) {
        let packet = self.capture.packets.get(index);
        packet.map_or((0, ""), |packet| (packet.number, self.capture.tap(packet)))
    }

    /// A time of the world's clock as a time stamp of the capture.
    pub fn stamp(&self, world_ns: u64) -> u64 {
        self.world.epoch_ns.saturating_add(world_ns)
    }
}

/// Whether a ledger is that of a telephone number, which has no link and tells no user anything.
pub fn is_number(device: &DeviceId) -> bool {
    device.user.tenant == "pstn"
}

/// What stands in a file; a device or a pipe in its place would have no end.
pub(crate) fn whole_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    std::fs::read(path)
}

/// Where Mallory sits: in the service where the scenario's attacks name both places.
fn placed(world: &WorldRecord) -> Option<Place> {
    world.plan.attacks.iter().map(|attack| attack.place).max()
}

/// Whether the hash of `bytes` is one of `hashes`.
fn named(hashes: &HashMap<String, Vec<usize>>, bytes: &[u8]) -> bool {
    !hashes.is_empty() && hashes.contains_key(&hex::encode(Sha256::digest(bytes)))
}

fn inconclusive(text: &str) -> Fault {
    Fault { verdict: Verdict::Inconclusive, text: text.to_owned() }
}

fn by_hash<'s>(hashes: impl Iterator<Item = &'s str>) -> HashMap<String, Vec<usize>> {
    let mut found: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, hash) in hashes.enumerate() {
        found.entry(hash.to_owned()).or_default().push(index);
    }
    found
}

fn devices(world: &WorldRecord, capture: &Capture) -> BTreeMap<String, usize> {
    let interface = |tap: &str| capture.interface(tap);
    world.links.iter().filter_map(|link| Some((link.tap.clone(), interface(&link.tap)?))).collect()
}
