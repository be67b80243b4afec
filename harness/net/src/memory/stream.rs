//! The two handles of a connection in memory: listener and stream.
//!
//! Invariant: dropping a stream ends both its directions, dropping a listener refuses whoever calls.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Shared;
use super::tcp::Key;
use crate::network::{Boxed, Listener, Stream};

pub(super) struct MemoryListener {
    shared: Arc<Shared>,
    local: SocketAddrV4,
}

impl MemoryListener {
    pub(super) fn new(shared: Arc<Shared>, local: SocketAddrV4) -> Self {
        Self { shared, local }
    }
}

impl Listener for MemoryListener {
    fn local(&self) -> SocketAddr {
        self.local.into()
    }

    fn accept(&mut self) -> Boxed<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let key = poll_fn(|cx| self.shared.with(|state| state.poll_accept(self.local, cx))).await?;
            let stream = MemoryStream { shared: self.shared.clone(), key };
            Ok((Box::new(stream) as Box<dyn Stream>, key.1.into()))
        })
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.with(|state| state.stop_listening(now, self.local));
    }
}

pub(super) struct MemoryStream {
    shared: Arc<Shared>,
    key: Key,
}

impl MemoryStream {
    pub(super) async fn connect(shared: Arc<Shared>, ip: Ipv4Addr, to: SocketAddrV4) -> io::Result<Self> {
        let now = shared.now();
        let key = shared.with(|state| state.call(now, ip, to))?;
        let stream = Self { shared, key };
        poll_fn(|cx| stream.shared.with(|state| state.poll_open(key, cx))).await?;
        Ok(stream)
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.shared.with(|state| state.poll_read(self.key, cx, into))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let now = self.shared.now();
        self.shared.with(|state| state.poll_write(now, self.key, cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.shared.now();
        self.shared.with(|state| state.end_writing(now, self.key));
        Poll::Ready(Ok(()))
    }
}

impl Drop for MemoryStream {
    fn drop(&mut self) {
        let now = self.shared.now();
        self.shared.with(|state| state.hang_up(now, self.key));
    }
}
