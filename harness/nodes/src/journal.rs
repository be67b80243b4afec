//! What the nodes of one world write down: ledgers, claims, drops, deeds, remarks and keys.
//!
//! Invariant: keys go to the two key files and to nothing else; remarks hold no secret.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use model::identity::{DeviceId, Node};
use model::record::{Blamed, Claim, Claimed, Deed, Drop, DroppedBy, Held, LedgerEntry, LogLine, Stumble};
use model::{Direction, Kind};
use net::Network;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::engine::KeySink;

/// Whose key file a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The two devices.
    Parties,
    /// Everything inside the service.
    Service,
}

/// Something that the node `owner` still holds.
pub fn held(owner: &str, what: impl Into<String>, bytes: &[u8]) -> Held {
    Held { owner: owner.to_owned(), what: what.into(), bytes: hex::encode(bytes) }
}

/// Takes what a node still holds.
pub type Holdings = oneshot::Sender<Vec<Held>>;

/// Asks a node what it still holds.
type Ask = Box<dyn Fn(Holdings) + Send + Sync>;

/// One frame of a ledger, without its device and call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameLine {
    /// Sent or played.
    pub direction: Direction,
    /// The kind of media.
    pub kind: Kind,
    /// Per direction and kind, from 0.
    pub index: u32,
    /// Length outside any seal.
    pub bytes: u32,
    /// SHA-256 outside any seal, in hex.
    pub sha256: String,
}

/// The notes of one world; every node holds a handle.
pub struct Journal {
    net: Arc<dyn Network>,
    notes: Mutex<Notes>,
    holders: Mutex<Vec<Ask>>,
    reader: OnceLock<Reader>,
}

/// One thing that a device has just written down.
#[derive(Clone, Copy, Debug)]
pub enum Noted<'a> {
    /// It told its user something.
    Claim(&'a Claim),
    /// A frame went into its ledger.
    Frame(&'a LedgerEntry),
    /// It remarked something.
    Remark(&'a LogLine),
}

/// Whoever reads along.
type Reader = Box<dyn Fn(Noted<'_>) + Send + Sync>;

/// What was written down.
#[derive(Default)]
pub struct Notes {
    /// Frames sent and played.
    pub ledger: Vec<LedgerEntry>,
    /// What devices told their users.
    pub claims: Vec<Claim>,
    /// Datagrams and packets that a node did not pass on.
    pub drops: Vec<Drop>,
    /// What Mallory did.
    pub deeds: Vec<Deed>,
    /// Remarks.
    pub log: Vec<LogLine>,
    /// What nodes still held at the end.
    pub held: Vec<Held>,
    /// What clients made by others did that no client may do.
    pub stumbles: Vec<Stumble>,
    /// Lines of `parties.keys`.
    pub parties: Vec<String>,
    /// Lines of `service.keys`.
    pub service: Vec<String>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal(…)")
    }
}

impl Journal {
    /// An empty journal on the clock of `net`.
    pub fn new(net: Arc<dyn Network>) -> Arc<Self> {
        Arc::new(Self { net, notes: Mutex::default(), holders: Mutex::default(), reader: OnceLock::new() })
    }

    /// From now on `reader` reads along; the first one stays.
    pub fn read_along(&self, reader: impl Fn(Noted<'_>) + Send + Sync + 'static) {
        let _ = self.reader.set(Box::new(reader));
    }

    fn noted(&self, noted: Noted<'_>) {
        if let Some(reader) = self.reader.get() {
            reader(noted);
        }
    }

    /// What stands in it.
    pub fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nanoseconds of the world's clock.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.net.now().as_nanos()).expect("a world does not run for centuries")
    }

    /// From now on a node can be asked what it still holds: `ask` hands the question on to it.
    pub fn holder(&self, ask: impl Fn(Holdings) + Send + Sync + 'static) {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(ask));
    }

    /// Asks every node what it still holds, and writes it down; gives how many did not answer.
    pub async fn take_holdings(&self) -> usize {
        let asked: Vec<oneshot::Receiver<Vec<Held>>> = {
            let holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
            let ask = |ask: &Ask| {
                let (answer, told) = oneshot::channel();
                ask(answer);
                told
            };
            holders.iter().map(ask).collect()
        };
        let mut silent = 0;
        for told in asked {
            match told.await {
                Ok(held) => self.notes().held.extend(held),
                Err(_) => silent += 1,
            }
        }
        silent
    }

    /// Where a node of `owner` puts the secrets of its connections.
    pub fn keys(self: &Arc<Self>, owner: Owner) -> KeySink {
        let journal = self.clone();
        Arc::new(move |line| journal.key(owner, line.to_owned()))
    }

    /// Where a node of the service puts the secrets of hops to devices that may not tell them: both ends hold them.
    pub fn hop_keys(self: &Arc<Self>) -> KeySink {
        let journal = self.clone();
        Arc::new(move |line| {
            journal.key(Owner::Service, line.to_owned());
            journal.key(Owner::Parties, line.to_owned());
        })
    }

    /// Where Mallory puts the secrets of connections that she ends: beside the service's, under her own name.
    pub fn mallorys_keys(self: &Arc<Self>) -> KeySink {
        let journal = self.clone();
        Arc::new(move |line| journal.key(Owner::Service, format!("{line} owner={}", Node::Mallory)))
    }

    /// One line for a key file; a line that is there already is not repeated.
    pub fn key(&self, owner: Owner, line: String) {
        let mut notes = self.notes();
        let file = match owner {
            Owner::Parties => &mut notes.parties,
            Owner::Service => &mut notes.service,
        };
        if !file.contains(&line) {
            file.push(line);
        }
    }

    /// A device tells its user something.
    pub fn claim(&self, device: &DeviceId, call: &str, claim: Claimed) {
        let at_ns = self.now_ns();
        let claim = Claim { device: device.clone(), call: call.to_owned(), at_ns, claim };
        self.noted(Noted::Claim(&claim));
        self.notes().claims.push(claim);
    }

    /// A frame goes into a ledger.
    pub fn frame(
        &self,
        device: &DeviceId,
        call: &str,
        direction: Direction,
        kind: Kind,
        index: u32,
        frame: &[u8],
    ) {
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let sha256 = hex::encode(Sha256::digest(frame));
        self.hashed_frame(device, call, FrameLine { direction, kind, index, bytes, sha256 });
    }

    /// The same for a frame that only its device has seen.
    pub fn hashed_frame(&self, device: &DeviceId, call: &str, line: FrameLine) {
        let FrameLine { direction, kind, index, bytes, sha256 } = line;
        let (device, call, at_ns) = (device.clone(), call.to_owned(), self.now_ns());
        let entry = LedgerEntry { device, call, direction, kind, index, bytes, sha256, at_ns };
        self.noted(Noted::Frame(&entry));
        self.notes().ledger.push(entry);
    }

    /// A client made by others did what no client may do; the world is an error of its.
    pub fn stumble(&self, blame: Blamed, text: String) {
        let at_ns = self.now_ns();
        self.notes().stumbles.push(Stumble { at_ns, blame, text });
    }

    /// A node did not pass a packet on.
    pub fn dropped(&self, by: DroppedBy, source: &str, destination: &str, bytes: &[u8], reason: &str) {
        let drop = Drop {
            at_ns: self.now_ns(),
            by,
            source: source.to_owned(),
            destination: destination.to_owned(),
            sha256: hex::encode(Sha256::digest(bytes)),
            reason: reason.to_owned(),
        };
        self.notes().drops.push(drop);
    }

    /// A remark that is no evidence.
    pub fn remark(&self, node: &str, text: impl Into<String>) {
        let at_ns = self.now_ns();
        let line = LogLine { at_ns, node: node.to_owned(), text: text.into() };
        self.noted(Noted::Remark(&line));
        self.notes().log.push(line);
    }
}
