//! A whole run of one call between alice and bob, made by hand: record, capture and keys.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use model::plan::{NetKind, Plan};
use model::record::{
    CallRecord, Claim, Claimed, DatabaseRow, Files, LedgerEntry, Link, WorldKind, WorldRecord, Written,
};
use model::release::{Feature, Release};
use model::{DeviceId, Direction, Kind};
use sha2::{Digest, Sha256};

use super::handshake::{dtls_certificate, dtls_client_hello, dtls_finished, dtls_server_hello};
use super::plans::user;
use super::seal::{Hop, Seal};
use super::signals::{self, Signals};
use super::{CaptureBuilder, canary};
use crate::capture::Capture;
use crate::dtls_exporter::{Prf, srtp_keys};
use crate::srtp::Profile;

/// The call id.
pub const CALL: [u8; 16] = [0xC4; 16];
/// The interfaces, in this order.
pub const ALICE: usize = 0;
/// See [`ALICE`].
pub const BOB: usize = 1;
/// See [`ALICE`].
pub const NODE: usize = 2;
/// See [`ALICE`].
pub const CALL_SERVICE: usize = 3;

const ADDRESSES: [&str; 4] = ["10.0.0.1:5000", "10.0.0.2:5000", "10.0.0.3:5000", "10.0.0.4:443"];
const MS: u64 = 1_000_000;

/// A datagram on its way: what stands at the sender's tap and at the receiver's.
#[derive(Clone)]
pub struct Datagram {
    /// When it is sent, in nanoseconds of the world's clock.
    pub at_ns: u64,
    /// Interface of the sender.
    pub from: usize,
    /// Interface of the receiver.
    pub to: usize,
    /// UDP payload.
    pub bytes: Vec<u8>,
    /// Whether it stands at the sender's tap; what Mallory sends does not.
    pub leaves: bool,
    /// Whether it stands at the receiver's.
    pub arrives: bool,
}

impl Datagram {
    /// Puts Mallory's bytes in the place of what was sent, on the wire, and gives both.
    pub fn replaced(&self, bytes: Vec<u8>) -> [Self; 2] {
        let original = Self { arrives: false, ..self.clone() };
        [original, Self { bytes, leaves: false, ..self.clone() }]
    }
}

/// What is to be told; every field may be changed before [`Story::tell`].
pub struct Story {
    /// The plan.
    pub plan: Plan,
    /// Whether each side seals its frames: alice, bob.
    pub seals: [bool; 2],
    /// Whether the screens show lock and code.
    pub lock: bool,
    /// Frames that each side sends.
    pub frames: u32,
    /// Whether the service's key file has the hop secrets.
    pub service_holds_hops: bool,
    /// Changes datagrams before they are recorded.
    pub tamper: fn(&mut Vec<Datagram>),
    /// Changes signalling before it is sent.
    pub signals: fn(&mut Signals),
    /// Changes the record before it is returned.
    pub retell: fn(&mut WorldRecord),
    /// The base key of alice's and of bob's audio.
    pub base_keys: [[u8; 16]; 2],
}

impl Story {
    /// A sealed call through the forwarder, in which everything is as it should be.
    pub fn sealed(plan: Plan) -> Self {
        Self {
            plan,
            seals: [true, true],
            lock: true,
            frames: 30,
            service_holds_hops: true,
            tamper: |_| {},
            signals: |_| {},
            retell: |_| {},
            base_keys: signals::base_keys(),
        }
    }

    /// The same call with the option off, through the media processor.
    pub fn ordinary(mut plan: Plan) -> Self {
        for user in plan.tenants.values_mut().flat_map(|tenant| tenant.users.values_mut()) {
            user.e2ee = false;
        }
        Self { seals: [false, false], lock: false, ..Self::sealed(plan) }
    }

    /// Writes capture and keys into `run`, under `name`, and gives the record.
    pub fn tell(&self, run: &Path, name: &str) -> WorldRecord {
        for folder in ["captures", "keys"] {
            std::fs::create_dir_all(run.join(folder)).expect("a folder");
        }
        let files = Files {
            capture: format!("captures/{name}.pcapng"),
            parties: format!("keys/{name}.parties.keys"),
            service: format!("keys/{name}.service.keys"),
        };
        let mut datagrams = self.handshakes();
        datagrams.extend(self.media());
        datagrams.sort_by_key(|datagram| datagram.at_ns);
        (self.tamper)(&mut datagrams);
        let mut signals = Signals::of_call(self.lock);
        (self.signals)(&mut signals);
        let capture = record(&self.taps(), &datagrams, &signals);
        let packets = Capture::read(capture.clone()).packets.len() as u64;
        std::fs::write(run.join(&files.capture), capture).expect("a capture");
        let hops: String = [ALICE, BOB].iter().map(|side| master_line(*side)).collect();
        let mut parties = hops.clone();
        for (side, base_key) in self.base_keys.iter().enumerate().filter(|(side, _)| self.seals[*side]) {
            writeln!(parties, "SFRAME 4 {side} {}", hex::encode(base_key)).expect("a line");
        }
        if self.lock {
            writeln!(parties, "AGREE {} {}", hex::encode(CALL), hex::encode(signals::z())).expect("a line");
        }
        let service = signals.key_lines() + if self.service_holds_hops { &hops } else { "" };
        let count = |keys: &str| keys.lines().count() as u64;
        let written = Written { packets, parties: count(&parties), service: count(&service) };
        std::fs::write(run.join(&files.parties), parties).expect("keys");
        std::fs::write(run.join(&files.service), service).expect("keys");
        let mut world = WorldRecord { written, ..self.world(files) };
        (self.retell)(&mut world);
        world
    }

    fn taps(&self) -> [&'static str; 4] {
        let node = if self.lock { "forwarder" } else { "media-processor" };
        ["alice@contoso.example", "bob@contoso.example", node, "call-service"]
    }

    fn handshakes(&self) -> Vec<Datagram> {
        let mut found = Vec::new();
        for side in [ALICE, BOB] {
            let mut say = |at: u64, from: usize, to: usize, bytes: Vec<u8>| {
                found.push(Datagram { at_ns: at * MS, from, to, bytes, leaves: true, arrives: true });
            };
            say(100, side, NODE, dtls_client_hello(random(side, 1)));
            say(130, NODE, side, dtls_server_hello(random(side, 2)));
            say(131, NODE, side, dtls_certificate(1, b"certificate of the node"));
            say(160, side, NODE, dtls_certificate(1, certificate(side, self.lock)));
            say(161, side, NODE, dtls_finished());
            say(190, NODE, side, dtls_finished());
        }
        found
    }

    fn media(&self) -> Vec<Datagram> {
        let mut found = Vec::new();
        for (side, peer) in [(ALICE, BOB), (BOB, ALICE)] {
            let seal = Seal { key_id: u8::try_from(side).expect("small"), base_key: self.base_keys[side] };
            for n in 0..self.frames {
                let frame = frame(side, n);
                let counter = u8::try_from(n).expect("short stories");
                let payload = if self.seals[side] { seal.seal(counter, &frame) } else { frame };
                let at_ns = (1_000 + 20 * u64::from(n)) * MS;
                let up = keys(side)[0].seal(&header(side, 1, n), &payload);
                let down = keys(peer)[1].seal(&header(side, 2, n), &payload);
                found.push(Datagram { at_ns, from: side, to: NODE, bytes: up, leaves: true, arrives: true });
                found.push(Datagram {
                    at_ns: at_ns + 12 * MS,
                    from: NODE,
                    to: peer,
                    bytes: down,
                    leaves: true,
                    arrives: true,
                });
            }
        }
        found
    }

    fn claims(&self, devices: [&DeviceId; 2], call: &str) -> Vec<Claim> {
        let mut claims = Vec::new();
        for device in devices {
            let mut claim = |at_ms: u64, claim| {
                claims.push(Claim {
                    device: device.clone(),
                    call: call.to_owned(),
                    at_ns: at_ms * MS,
                    claim,
                });
            };
            let release = Release::of(self.plan.release);
            let shown =
                Feature::ALL.iter().filter(|f| !f.is_setting() && (!self.lock || !release.withholds(**f)));
            claim(150, Claimed::Controls(shown.copied().collect()));
            claim(200, Claimed::Connected);
            claim(200, Claimed::Lock(self.lock));
            if self.lock {
                claim(200, Claimed::Code(super::signals::code()));
                claim(200, Claimed::Confirmed);
            }
            claim(4_000, Claimed::Ended { reason: None, own: device == devices[0] });
        }
        claims
    }

    fn world(&self, files: Files) -> WorldRecord {
        let call = hex::encode(CALL);
        let (alice, bob) = (DeviceId::only(user("alice")), DeviceId::only(user("bob")));
        let mut ledger = Vec::new();
        for (side, device, peer) in [(ALICE, &alice, &bob), (BOB, &bob, &alice)] {
            for n in 0..self.frames {
                let at_ns = (1_000 + 20 * u64::from(n)) * MS;
                let entry = |device: &DeviceId, direction, at_ns| LedgerEntry {
                    device: device.clone(),
                    call: call.clone(),
                    direction,
                    kind: Kind::Audio,
                    index: n,
                    bytes: u32::try_from(frame(side, n).len()).expect("short"),
                    sha256: hex::encode(Sha256::digest(frame(side, n))),
                    at_ns,
                };
                ledger.push(entry(device, Direction::Sent, at_ns));
                ledger.push(entry(peer, Direction::Received, at_ns + 24 * MS));
            }
        }
        let claims = self.claims([&alice, &bob], &call);
        let links = self.taps().into_iter().zip(ADDRESSES).map(|(tap, address)| Link {
            tap: tap.to_owned(),
            addresses: vec![address.split(':').next().expect("an address").to_owned()],
        });
        WorldRecord {
            world: WorldKind::Variant,
            id: self.plan.id.clone(),
            plan: self.plan.clone(),
            net: NetKind::Memory,
            files,
            written: Written::default(),
            twin: Some(self.plan.id.clone()),
            epoch_ns: 0,
            ended_ns: 5_000 * MS,
            schedule: None,
            links: links.collect(),
            calls: vec![CallRecord {
                name: "call".to_owned(),
                call,
                caller: alice,
                callee: Some(bob),
                placed_ns: 0,
                connected_ns: Some(200 * MS),
                ended_ns: Some(4_000 * MS),
            }],
            ledger,
            claims,
            drops: Vec::new(),
            deeds: Vec::new(),
            steps: BTreeMap::new(),
            database: rows(&self.plan),
            held: Vec::new(),
            drivers: Vec::new(),
            stumbles: Vec::new(),
            log: Vec::new(),
        }
    }
}

/// The policy server's database: what the plan starts with, in effect from the first instant.
fn rows(plan: &Plan) -> Vec<DatabaseRow> {
    let mut rows = Vec::new();
    let mut row = |table: &str, values: &[(&str, &str)]| {
        let values = values.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned()));
        rows.push(DatabaseRow { table: table.to_owned(), values: values.collect() });
    };
    for (domain, tenant) in &plan.tenants {
        for (name, value) in &tenant.policies {
            row("policies", &[("tenant", domain), ("name", name), ("value", value.word()), ("from_ns", "0")]);
        }
        for (name, user) in &tenant.users {
            row("users", &[("tenant", domain), ("user", name)]);
            if let Some(policy) = &user.policy {
                let grant =
                    [("tenant", domain.as_str()), ("target", "user"), ("id", name), ("policy", policy)];
                row("grants", &[&grant[..], &[("rank", "0"), ("from_ns", "0")]].concat());
            }
        }
    }
    rows
}

/// Frame `n` of a side: a short clip, and a marker in every tenth frame.
pub fn frame(side: usize, n: u32) -> Vec<u8> {
    let mut frame = vec![0x78; 40];
    frame.extend(Sha256::digest(n.to_be_bytes()));
    if n.is_multiple_of(10) {
        frame.extend(canary(&CALL, if side == ALICE { "caller" } else { "callee" }, "audio", n));
    }
    frame
}

/// The certificate of a side; sealed and ordinary calls have their own.
pub fn certificate(side: usize, sealed: bool) -> &'static [u8] {
    match (side == ALICE, sealed) {
        (true, true) => b"certificate of alice",
        (true, false) => b"certificate of alice in the twin",
        (false, true) => b"certificate of bob",
        (false, false) => b"certificate of bob in the twin",
    }
}

fn random(side: usize, which: u8) -> [u8; 32] {
    [u8::try_from(side).expect("small") * 16 + which; 32]
}

/// The master secret of a side's hop.
pub fn master_secret(side: usize) -> [u8; 48] {
    // Nothing that a listener could guess.
    let side = u8::try_from(side).expect("small");
    let halves = [0, 1].map(|half| Sha256::digest([b'm', side, half])).concat();
    *halves.first_chunk().expect("64 bytes")
}

fn master_line(side: usize) -> String {
    format!("CLIENT_RANDOM {} {}\n", hex::encode(random(side, 1)), hex::encode(master_secret(side)))
}

/// Keys of a side's hop: what the side sends under, and what the node does.
pub fn keys(side: usize) -> [Hop; 2] {
    let profile = Profile::AeadAes128Gcm;
    let keys = srtp_keys(Prf::Sha256, &master_secret(side), &random(side, 1), &random(side, 2), profile);
    [keys.client, keys.server].map(|master| Hop {
        key: master.key().try_into().expect("16 bytes"),
        salt: master.salt().try_into().expect("12 bytes"),
    })
}

/// The RTP header of a sender's frame `n` on a leg.
pub fn header(side: usize, leg: u8, n: u32) -> Vec<u8> {
    let mut header = vec![0x80, 111];
    header.extend(u16::try_from(n + 100).expect("short").to_be_bytes());
    header.extend((960 * n).to_be_bytes());
    header.extend([0, 0, u8::try_from(side).expect("small"), leg]);
    header
}

fn record(taps: &[&str; 4], datagrams: &[Datagram], signals: &Signals) -> Vec<u8> {
    let mut sightings: Vec<(u64, usize, &Datagram)> = Vec::new();
    for datagram in datagrams {
        if datagram.leaves {
            sightings.push((datagram.at_ns, datagram.from, datagram));
        }
        if datagram.arrives {
            sightings.push((datagram.at_ns + 12 * MS, datagram.to, datagram));
        }
    }
    sightings.sort_by_key(|(at, _, _)| *at);
    let mut builder = CaptureBuilder::new(taps);
    signals.write(&mut builder, &ADDRESSES);
    for (at_ns, interface, datagram) in sightings {
        let (source, destination) = (ADDRESSES[datagram.from], ADDRESSES[datagram.to]);
        builder.udp(u32::try_from(interface).expect("small"), at_ns, source, destination, &datagram.bytes);
    }
    builder.bytes()
}
