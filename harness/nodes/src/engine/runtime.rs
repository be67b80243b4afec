//! The engine's runtime over a [`net::Network`].

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use net::{AccessLink, DatagramSocket, Network, Sleeper};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

/// One engine's runtime: its sockets stand on one access link.
pub(super) struct NetRuntime {
    pub(super) net: Arc<dyn Network>,
    pub(super) link: Arc<dyn AccessLink>,
    /// What the engine bound for real, and where its datagrams really come from.
    pub(super) bound: Mutex<Vec<(SocketAddr, SocketAddr)>>,
    /// The sockets of `bound`, in its order.
    pub(super) sockets: Mutex<Vec<Arc<dyn DatagramSocket>>>,
    /// The engine never reports a failed handshake, but the future of its driver ends then.
    pub(super) driver_ended: Arc<AtomicBool>,
}

impl fmt::Debug for NetRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetRuntime({})", self.link.tap())
    }
}

struct Task(tokio::task::JoinHandle<()>);

impl JoinHandle for Task {
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Runtime for NetRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        let ended = self.driver_ended.clone();
        Box::new(Task(tokio::spawn(async move {
            future.await;
            ended.store(true, Ordering::Relaxed);
        })))
    }

    fn spawn_reactor(
        &self,
        _: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        self.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let real = socket.local_addr()?;
        drop(socket);
        let socket = self.link.bind(0)?;
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).push((real, socket.local()));
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket.clone());
        Ok(Arc::new(EngineSocket { real, socket, handshaking: AtomicBool::new(false) }))
    }

    fn wrap_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connect_tcp<'a>(
        &'a self,
        _: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        let parsed = host.parse().map(|address| vec![address]);
        Box::pin(async move { parsed.map_err(|_| io::ErrorKind::NotFound.into()) })
    }

    fn now(&self) -> Instant {
        self.net.instant()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.net.sleep_until(self.net.now() + duration, Sleeper::Engine)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        Box::new(Interval { net: self.net.clone(), next: self.net.now(), period })
    }

    fn block_on(&self, _: Pin<Box<dyn Future<Output = ()> + '_>>) {
        unreachable!("a world already runs inside its executor, and the engine calls this from `main` alone")
    }

    fn name(&self) -> &'static str {
        "overheard"
    }
}

struct Interval {
    net: Arc<dyn Network>,
    next: Duration,
    period: Duration,
}

impl AsyncInterval for Interval {
    fn tick(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let until = self.next;
        self.next += self.period;
        self.net.sleep_until(until, Sleeper::Engine)
    }
}

/// A socket of the engine.
///
/// The engine takes all that waits at a socket before it acts on any of it. SRTP that comes right behind the last
/// message of a handshake would find no keys yet and be lost, so nothing is handed over together with DTLS before it.
#[derive(Debug)]
struct EngineSocket {
    real: SocketAddr,
    socket: Arc<dyn DatagramSocket>,
    /// Whether the last datagram was DTLS, and the engine has not been let go on since.
    handshaking: AtomicBool,
}

/// First bytes of DTLS (RFC 7983 §7).
const DTLS: std::ops::RangeInclusive<u8> = 20..=63;

impl AsyncUdpSocket for EngineSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.real)
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let segment = transmit.segment_size.unwrap_or(usize::MAX).max(1);
        for datagram in transmit.contents.chunks(segment) {
            self.socket.send(transmit.destination, datagram)?;
        }
        Poll::Ready(Ok(transmit.contents.len()))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        if self.handshaking.swap(false, Ordering::Relaxed) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.socket.poll_recv(cx, buffer) {
            Poll::Ready(Ok((len, from))) => {
                let dtls = buffer.first().is_some_and(|first| len > 0 && DTLS.contains(first));
                self.handshaking.store(dtls, Ordering::Relaxed);
                *meta = RecvMeta::default();
                // The engine divides by the stride.
                (meta.addr, meta.len, meta.stride) = (from, len, len.max(1));
                Poll::Ready(Ok(1))
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Pending => Poll::Pending,
        }
    }
}
