//! Connections over real sockets.
//!
//! Invariant: each end records, at its own tap, the segments that a TCP with known first sequence numbers would have
//! exchanged for its writes and reads; so both taps tell the same story.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Shared;
use crate::frame::{CALLED_SEQUENCE, CALLING_SEQUENCE, Flags, LONGEST_SEGMENT, Segment};
use crate::lock::lock;
use crate::network::{Boxed, Listener, Stream};

/// One end's view of a connection.
struct Conversation {
    shared: Arc<Shared>,
    local: SocketAddrV4,
    peer: SocketAddrV4,
    /// The sequence number of the next byte that this end sends.
    sequence: u32,
    /// The sequence number of the next byte that the peer sends.
    expected: u32,
    ended_by_us: bool,
    ended_by_peer: bool,
}

impl Conversation {
    fn new(shared: Arc<Shared>, local: SocketAddrV4, peer: SocketAddrV4, calling: bool) -> Self {
        let (sequence, expected) =
            if calling { (CALLING_SEQUENCE, CALLED_SEQUENCE) } else { (CALLED_SEQUENCE, CALLING_SEQUENCE) };
        Self { shared, local, peer, sequence, expected, ended_by_us: false, ended_by_peer: false }
    }

    fn sent(&mut self, flags: Flags, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.sequence = self.record(self.local, self.peer, flags, self.sequence, self.expected, payload);
    }

    fn received(&mut self, flags: Flags, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.expected = self.record(self.peer, self.local, flags, self.expected, self.sequence, payload);
    }

    /// Records a segment at this end's tap and returns the sequence number after it.
    fn record(
        &self,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        flags: Flags,
        sequence: u32,
        acknowledgement: u32,
        payload: Bytes,
    ) -> u32 {
        let mut state = lock(&self.shared.state);
        let id = state.taps.identification();
        let segment = Segment { source, destination, id, flags, sequence, acknowledgement, payload };
        if let Some(link) = state.taps.link(self.local.ip()) {
            state.taps.segment(link, self.shared.now(), &segment);
        }
        segment.next_sequence()
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended_by_us, true) {
            self.sent(Flags::Fin, &[]);
        }
    }

    fn end_of_peer(&mut self) {
        if !std::mem::replace(&mut self.ended_by_peer, true) {
            self.received(Flags::Fin, &[]);
        }
    }
}

pub(super) struct LoopbackListener {
    shared: Arc<Shared>,
    listener: TcpListener,
    local: SocketAddrV4,
}

impl LoopbackListener {
    pub(super) fn bind(shared: Arc<Shared>, address: SocketAddrV4) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let local = ipv4(listener.local_addr()?)?;
        Ok(Self { shared, listener: TcpListener::from_std(listener)?, local })
    }
}

impl Listener for LoopbackListener {
    fn local(&self) -> SocketAddr {
        self.local.into()
    }

    fn accept(&mut self) -> Boxed<'_, io::Result<(Box<dyn Stream>, SocketAddr)>> {
        Box::pin(async move {
            let (stream, peer) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            let mut conversation = Conversation::new(self.shared.clone(), self.local, ipv4(peer)?, false);
            conversation.received(Flags::Syn, &[]);
            conversation.sent(Flags::SynAck, &[]);
            conversation.received(Flags::Ack, &[]);
            Ok((Box::new(LoopbackStream { stream, conversation }) as Box<dyn Stream>, peer))
        })
    }
}

pub(super) struct LoopbackStream {
    stream: TcpStream,
    conversation: Conversation,
}

impl LoopbackStream {
    pub(super) async fn connect(shared: Arc<Shared>, ip: Ipv4Addr, to: SocketAddrV4) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddrV4::new(ip, 0).into())?;
        let mut conversation = Conversation::new(shared, ipv4(socket.local_addr()?)?, to, true);
        conversation.sent(Flags::Syn, &[]);
        let stream = match socket.connect(to.into()).await {
            Ok(stream) => stream,
            Err(error) => {
                conversation.expected = 0;
                conversation.received(Flags::Reset, &[]);
                return Err(error);
            }
        };
        stream.set_nodelay(true)?;
        conversation.received(Flags::SynAck, &[]);
        conversation.sent(Flags::Ack, &[]);
        Ok(Self { stream, conversation })
    }
}

impl AsyncRead for LoopbackStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        let read = into.filled().get(before..).unwrap_or_default();
        if read.is_empty() && into.remaining() > 0 {
            self.conversation.end_of_peer();
        }
        for segment in read.chunks(LONGEST_SEGMENT) {
            self.conversation.received(Flags::Push, segment);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LoopbackStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = bytes.get(..LONGEST_SEGMENT).unwrap_or(bytes);
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if let Some(segment) = bytes.get(..written).filter(|segment| !segment.is_empty()) {
            self.conversation.sent(Flags::Push, segment);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        self.conversation.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for LoopbackStream {
    /// What has arrived and was not read crossed the link all the same.
    fn drop(&mut self) {
        let mut segment = [0; LONGEST_SEGMENT];
        while let Ok(length) = self.stream.try_read(&mut segment) {
            if length == 0 {
                self.conversation.end_of_peer();
                break;
            }
            self.conversation.received(Flags::Push, segment.get(..length).unwrap_or_default());
        }
        self.conversation.end();
    }
}

fn ipv4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}
