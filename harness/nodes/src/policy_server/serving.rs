//! Serving the API over TLS: HTTP/1.1, as many requests on a connection as the caller likes.
//!
//! Invariant: one connection that stalls or breaks holds up no other, and no answer carries a date, because a
//! node reads no clock.

use std::io;
use std::sync::Arc;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use model::identity::Node;
use net::{Listener, Stream, TlsServer, accept_tls};
use tokio::task::JoinSet;

use super::PolicyServer;
use crate::journal::Journal;

impl PolicyServer {
    /// Answers whoever connects, until the future is dropped, which ends every connection. Broken connections
    /// are remarks in the journal.
    ///
    /// # Errors
    /// When no more connections can be taken.
    pub async fn serve(
        self: Arc<Self>,
        mut listener: Box<dyn Listener>,
        tls: TlsServer,
        journal: Arc<Journal>,
    ) -> io::Result<()> {
        let mut connections = JoinSet::new();
        let api = self.router();
        loop {
            let (stream, _) = listener.accept().await?;
            while connections.try_join_next().is_some() {}
            let (api, tls, journal) = (api.clone(), tls.clone(), Arc::clone(&journal));
            connections.spawn(async move {
                if let Err(broken) = converse(api, stream, &tls).await {
                    journal.remark(Node::PolicyServer.word(), format!("a connection broke: {broken}"));
                }
            });
        }
    }
}

/// One connection, from its handshake to its end.
async fn converse(api: Router, stream: Box<dyn Stream>, tls: &TlsServer) -> io::Result<()> {
    let stream = accept_tls(tls, stream).await?;
    let service = TowerToHyperService::new(api);
    let mut http = http1::Builder::new();
    http.auto_date_header(false);
    http.serve_connection(TokioIo::new(stream), service).await.map_err(io::Error::other)
}
