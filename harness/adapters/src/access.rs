//! A client's way into the network: like a router at home, it puts its own sockets between the client and everybody
//! else and says so in the descriptions (the address part of RFC 8839 §5.1, and nothing else of them).
//!
//! Invariant: whatever the client sends to a candidate that it was given crosses the access link, and is recorded there.

mod description;

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use net::AccessLink;
use net::network::DatagramSocket;
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

pub use description::NoCandidate;

/// On which address clients open their sockets.
pub const CLIENT_ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// More sockets than this on either side are not opened: a client that sends from everywhere.
const MOST_SOCKETS: usize = 256;

/// The way of one client.
pub struct Access {
    shared: Arc<Shared>,
}

struct Shared {
    link: Arc<dyn AccessLink>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By socket of the client: the socket on the link that stands for it.
    outer: HashMap<SocketAddr, Outer>,
    /// By address in the network: the socket that stands for it towards the client.
    inner: HashMap<SocketAddr, Arc<UdpSocket>>,
    tasks: Vec<AbortHandle>,
}

/// A socket on the link.
struct Outer {
    /// The call in whose description it stands; empty where the client sent from an address that it never told.
    call: String,
    socket: Arc<dyn DatagramSocket>,
    task: AbortHandle,
}

/// Why a description cannot be carried.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It has nothing to send to.
    #[error(transparent)]
    NoCandidate(#[from] NoCandidate),
    /// No socket could be opened.
    #[error("no socket could be opened for the client ({0}); close other programs and run again")]
    Socket(#[from] io::Error),
}

impl Access {
    /// Through `link`.
    pub fn new(link: Arc<dyn AccessLink>) -> Self {
        Self { shared: Arc::new(Shared { link, state: Mutex::default() }) }
    }

    /// The client's own description as the network is to see it. With a relay only candidates at the relay go out.
    ///
    /// # Errors
    /// When no usable candidate is left, or no socket can be opened.
    pub fn outward(&self, call: &str, sdp: &str, relayed: bool) -> Result<String, AccessError> {
        if relayed {
            return Ok(description::relayed(sdp)?);
        }
        let stands_for = |client: SocketAddr| {
            // What the client opens elsewhere could be reached around the link.
            (client.ip() == IpAddr::V4(CLIENT_ADDRESS)).then(|| Ok(self.shared.outer(call, client)?.local()))
        };
        let told = description::rewritten(sdp, stands_for)?;
        Ok(description::without_default_address(&told))
    }

    /// The other side's description as the client is to see it.
    ///
    /// # Errors
    /// When it has no candidate, or no socket can be opened.
    pub fn inward(&self, sdp: &str, relayed: bool) -> Result<String, AccessError> {
        if relayed {
            return Ok(sdp.to_owned());
        }
        description::rewritten(sdp, |remote| Some(self.stands_for(remote)))
    }

    /// The address under which the client reaches `remote`.
    ///
    /// # Errors
    /// When no socket can be opened.
    pub fn stands_for(&self, remote: SocketAddr) -> io::Result<SocketAddr> {
        self.shared.inner(remote)?.local_addr()
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        for task in state.tasks.drain(..) {
            task.abort();
        }
        for outer in state.outer.values() {
            outer.task.abort();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket that stands for one of the client's. Where the system gave the client the port of an earlier call
    /// again, it is a new one: no address serves two calls.
    fn outer(self: &Arc<Self>, call: &str, client: SocketAddr) -> io::Result<Arc<dyn DatagramSocket>> {
        let mut state = self.state();
        if let Some(outer) = state.outer.get_mut(&client)
            && (outer.call == call || outer.call.is_empty() || call.is_empty())
        {
            if !call.is_empty() {
                call.clone_into(&mut outer.call);
            }
            return Ok(outer.socket.clone());
        }
        if state.outer.len() >= MOST_SOCKETS {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let socket = self.link.bind(0)?;
        let task = tokio::spawn(self.clone().to_client(socket.clone(), client)).abort_handle();
        let outer = Outer { call: call.to_owned(), socket: socket.clone(), task };
        if let Some(earlier) = state.outer.insert(client, outer) {
            earlier.task.abort();
        }
        Ok(socket)
    }

    fn inner(self: &Arc<Self>, remote: SocketAddr) -> io::Result<Arc<UdpSocket>> {
        let mut state = self.state();
        if let Some(socket) = state.inner.get(&remote) {
            return Ok(socket.clone());
        }
        if state.inner.len() >= MOST_SOCKETS {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let socket = std::net::UdpSocket::bind((CLIENT_ADDRESS, 0))?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        state.inner.insert(remote, socket.clone());
        let task = tokio::spawn(self.clone().to_network(socket.clone(), remote));
        state.tasks.push(task.abort_handle());
        Ok(socket)
    }

    async fn to_client(self: Arc<Self>, outer: Arc<dyn DatagramSocket>, client: SocketAddr) {
        let mut buffer = vec![0; 65_536];
        loop {
            let received = poll_fn(|cx| outer.poll_recv(cx, &mut buffer)).await;
            let Ok((length, remote)) = received else { continue };
            if let (Ok(inner), Some(bytes)) = (self.inner(remote), buffer.get(..length)) {
                // A client that is gone takes nothing, as behind any router.
                let _ = inner.send_to(bytes, client).await;
            }
        }
    }

    async fn to_network(self: Arc<Self>, inner: Arc<UdpSocket>, remote: SocketAddr) {
        let mut buffer = vec![0; 65_536];
        loop {
            let Ok((length, client)) = inner.recv_from(&mut buffer).await else { continue };
            if let (Ok(outer), Some(bytes)) = (self.outer("", client), buffer.get(..length)) {
                let _ = outer.send(remote, bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests;
