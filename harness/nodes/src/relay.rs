//! The relay: a TURN server over UDP (RFC 8656) with long-term credentials.
//!
//! Invariant: it carries what it cannot read; a datagram that it does not carry is written down with the reason.

mod allocation;
mod credentials;
mod requests;
mod server;
mod stun;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use model::record::DroppedBy;
use net::{AccessLink, DatagramSocket, Network};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::entropy::Entropy;
use crate::journal::{Holdings, Journal, held};
use server::{Arrival, Deed, Server};

/// The port of TURN over UDP (RFC 8489 §18.6).
const PORT: u16 = 3478;
/// More than any datagram.
const DATAGRAM_BYTES: usize = 65_536;

/// Why a request is not granted: a code and its phrase (RFC 8489 §14.8, RFC 8656 §19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    code: u16,
    phrase: &'static str,
}

impl Refusal {
    const BAD_REQUEST: Self = Self { code: 400, phrase: "Bad Request" };
    const UNAUTHENTICATED: Self = Self { code: 401, phrase: "Unauthenticated" };
    const FORBIDDEN: Self = Self { code: 403, phrase: "Forbidden" };
    const UNKNOWN_ATTRIBUTE: Self = Self { code: 420, phrase: "Unknown Attribute" };
    const MISMATCH: Self = Self { code: 437, phrase: "Allocation Mismatch" };
    const STALE_NONCE: Self = Self { code: 438, phrase: "Stale Nonce" };
    const WRONG_CREDENTIALS: Self = Self { code: 441, phrase: "Wrong Credentials" };
    const UNSUPPORTED_TRANSPORT: Self = Self { code: 442, phrase: "Unsupported Transport Protocol" };
    const PEER_FAMILY: Self = Self { code: 443, phrase: "Peer Address Family Mismatch" };
    const INSUFFICIENT_CAPACITY: Self = Self { code: 508, phrase: "Insufficient Capacity" };
}

/// What the relay is made of.
pub struct RelaySetup {
    /// Time.
    pub net: Arc<dyn Network>,
    /// Its way into the network.
    pub link: Arc<dyn AccessLink>,
    /// Where it writes what it did not carry.
    pub journal: Arc<Journal>,
    /// Its randomness.
    pub entropy: Arc<Entropy>,
    /// Who may use it: user name and password each.
    pub accounts: Vec<(String, String)>,
}

/// Starts a relay on its link; gives the address that clients use.
///
/// # Errors
/// When the port is taken or the system refuses.
pub fn start(setup: RelaySetup) -> io::Result<SocketAddr> {
    let listening = setup.link.bind(PORT)?;
    let address = listening.local();
    let (inputs, queue) = mpsc::unbounded_channel();
    let asked = inputs.clone();
    setup.journal.holder(move |answer| drop(asked.send(Input::HandOver(answer))));
    let server = Server::new(address, &setup.accounts, setup.entropy.clone());
    let mut body = Body { setup, server, inputs, sockets: BTreeMap::new() };
    body.serve(listening);
    tokio::spawn(body.run(queue));
    Ok(address)
}

/// A socket, and the task that reads it.
struct Served {
    socket: Arc<dyn DatagramSocket>,
    reader: AbortHandle,
}

/// Everything that reaches the relay.
enum Input {
    Datagram(Arrival),
    HandOver(Holdings),
}

struct Body {
    setup: RelaySetup,
    server: Server,
    inputs: mpsc::UnboundedSender<Input>,
    /// By their own address: the listening one and one per allocation.
    sockets: BTreeMap<SocketAddr, Served>,
}

impl Body {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = queue.recv().await {
            match input {
                Input::Datagram(arrival) => self.arrived(arrival),
                Input::HandOver(answer) => {
                    let tap = self.setup.link.tap();
                    let memory = self.server.memory().into_iter();
                    let _ = answer.send(memory.map(|(what, bytes)| held(tap, what, &bytes)).collect());
                }
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival) {
        let mut bound = None;
        let link = self.setup.link.clone();
        let bind = &mut || {
            bound = link.bind(0).ok();
            bound.as_ref().map(|socket| socket.local())
        };
        let deeds = self.server.arrived(self.setup.net.now(), arrival, bind);
        if let Some(socket) = bound {
            self.serve(socket);
        }
        deeds.into_iter().for_each(|deed| self.perform(deed));
    }

    /// Reads a socket until its allocation is gone.
    fn serve(&mut self, socket: Arc<dyn DatagramSocket>) {
        let (inputs, reading) = (self.inputs.clone(), socket.clone());
        let reader = tokio::spawn(async move {
            let destination = reading.local();
            let mut buffer = vec![0; DATAGRAM_BYTES];
            while let Ok((length, source)) = poll_fn(|cx| reading.poll_recv(cx, &mut buffer)).await {
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                if inputs.send(Input::Datagram(Arrival { source, destination, bytes })).is_err() {
                    return;
                }
            }
        });
        self.sockets.insert(socket.local(), Served { socket, reader: reader.abort_handle() });
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Send { from, to, bytes } => {
                let sent = self.sockets.get(&from).map(|served| served.socket.send(to, &bytes));
                if !matches!(sent, Some(Ok(()))) {
                    self.drop_datagram(from, to, &bytes, "the datagram could not be sent");
                }
            }
            Deed::Released(relayed) => {
                if let Some(served) = self.sockets.remove(&relayed) {
                    served.reader.abort();
                }
            }
            Deed::Dropped { arrival, reason } => {
                self.drop_datagram(arrival.source, arrival.destination, &arrival.bytes, reason);
            }
        }
    }

    fn drop_datagram(&self, source: SocketAddr, destination: SocketAddr, bytes: &[u8], reason: &str) {
        let (source, destination) = (source.to_string(), destination.to_string());
        self.setup.journal.dropped(DroppedBy::Relay, &source, &destination, bytes, reason);
    }
}
