//! WebSocket over TLS over the network in memory.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;

use super::*;
use crate::memory::tests::{EPOCH_NS, connected, options, run};
use crate::tls::tests::KeyLines;
use crate::{Authority, Network, accept_tls, connect_tls, memory};

/// A client and a server that talk TLS.
async fn tls(network: &Arc<dyn Network>) -> (Box<dyn Stream>, Box<dyn Stream>) {
    let authority = Authority::new(EPOCH_NS).expect("a root");
    let server = authority.server("call-service", KeyLines::default().sink()).expect("a host name");
    let client = authority.client().expect("a root to trust");
    let (near, far) = connected(network).await;
    let (near, far) = tokio::join!(connect_tls(&client, "call-service", near), accept_tls(&server, far));
    (near.expect("trusted"), far.expect("a client"))
}

async fn open(network: &Arc<dyn Network>) -> (WebSocket, WebSocket) {
    let (near, far) = tls(network).await;
    let (near, far) =
        tokio::join!(connect_websocket("call-service", "/v1", near), accept_websocket("/v1", far));
    (near.expect("accepted"), far.expect("a client"))
}

#[test]
fn messages_cross_both_ways_and_an_end_is_told() {
    run(async {
        let (mut near, mut far) = open(&memory(options())).await;
        near.send("{\"type\":\"ringing\"}").await.expect("open");
        assert_eq!(far.recv().await.expect("open").as_deref(), Some("{\"type\":\"ringing\"}"));
        let long = "x".repeat(100_000);
        far.send(&long).await.expect("open");
        assert_eq!(near.recv().await.expect("open"), Some(long));
        near.close().await.expect("open");
        assert_eq!(far.recv().await.expect("a goodbye"), None);
        assert_eq!(near.recv().await.expect("a goodbye"), None);
    });
}

#[test]
fn halves_work_in_tasks_of_their_own() {
    run(async {
        let (near, far) = open(&memory(options())).await;
        let (mut sender, mut receiver) = near.split();
        let echo = tokio::spawn(async move {
            let (mut sender, mut receiver) = far.split();
            while let Some(text) = receiver.recv().await.expect("open") {
                sender.send(&format!("{text}!")).await.expect("open");
            }
        });
        for n in 0..20 {
            sender.send(&n.to_string()).await.expect("open");
        }
        for n in 0..20 {
            assert_eq!(receiver.recv().await.expect("open"), Some(format!("{n}!")));
        }
        sender.close().await.expect("open");
        assert_eq!(receiver.recv().await.expect("a goodbye"), None);
        echo.await.expect("no panic");
    });
}

#[test]
fn a_peer_that_hangs_up_without_a_goodbye_has_ended() {
    run(async {
        let (mut near, far) = open(&memory(options())).await;
        drop(far);
        assert_eq!(near.recv().await.expect("an end"), None);
    });
}

#[test]
fn another_path_is_refused() {
    run(async {
        let (near, far) = tls(&memory(options())).await;
        let (near, far) =
            tokio::join!(connect_websocket("call-service", "/v2", near), accept_websocket("/v1", far));
        assert!(near.err().expect("refused").to_string().contains("404"));
        assert!(far.is_err());
    });
}

#[test]
fn what_is_no_request_is_refused() {
    run(async {
        let (mut near, far) = connected(&memory(options())).await;
        near.write_all(b"REGISTER sip:contoso.example SIP/2.0\r\n\r\n").await.expect("open");
        assert_eq!(
            accept_websocket("/v1", far).await.err().expect("no request").kind(),
            io::ErrorKind::InvalidData
        );
    });
}

#[test]
fn a_binary_message_is_an_error_of_the_peer() {
    run(async {
        let (mut near, mut far) = open(&memory(options())).await;
        near.0.send(Message::binary(vec![1, 2, 3])).await.expect("open");
        assert_eq!(far.recv().await.expect_err("no text").kind(), io::ErrorKind::InvalidData);
    });
}

#[test]
fn a_message_without_end_is_an_error_of_the_peer() {
    run(async {
        let (mut near, mut far) = open(&memory(options())).await;
        let sender = tokio::spawn(async move {
            // Whether this ends well depends on when the peer hangs up; the peer's word is what counts here.
            let _ = near.send(&"x".repeat(LONGEST_MESSAGE + 1)).await;
        });
        assert_eq!(far.recv().await.expect_err("too long").kind(), io::ErrorKind::InvalidData);
        drop(far);
        sender.await.expect("no panic");
    });
}

#[test]
fn pings_are_answered_and_not_delivered() {
    run(async {
        let (mut near, mut far) = open(&memory(options())).await;
        near.0.send(Message::Ping(vec![7].into())).await.expect("open");
        near.send("text").await.expect("open");
        assert_eq!(far.recv().await.expect("open").as_deref(), Some("text"));
        far.send("reply").await.expect("open");
        assert_eq!(near.0.next().await.expect("open").expect("open"), Message::Pong(vec![7].into()));
    });
}
