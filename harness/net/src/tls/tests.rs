//! TLS over the network in memory.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::capture::tests::{Shelf, packets};
use crate::memory::tests::{EPOCH_NS, connected, options, run};
use crate::{MemoryOptions, memory};

/// Where the lines of a key log go.
#[derive(Clone, Default)]
pub(crate) struct KeyLines(Arc<Mutex<Vec<String>>>);

impl KeyLines {
    pub(crate) fn sink(&self) -> KeySink {
        let lines = self.0.clone();
        Arc::new(move |line| lines.lock().expect("no test panics here").push(line.to_owned()))
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no test panics here").clone()
    }
}

fn no_keys() -> KeySink {
    KeyLines::default().sink()
}

#[test]
fn bytes_cross_and_every_secret_is_logged_by_the_server() {
    let (shelf, keys) = (Shelf::default(), KeyLines::default());
    run(async {
        let network = memory(MemoryOptions { capture: Some(shelf.capture()), ..options() });
        let authority = Authority::new(EPOCH_NS).expect("a root");
        let server = authority.server("call-service", keys.sink()).expect("a host name");
        let (near, far) = connected(&network).await;
        let client = authority.client().expect("a root to trust");
        let (near, far) = tokio::join!(connect_tls(&client, "call-service", near), accept_tls(&server, far));
        let (mut near, mut far) = (near.expect("trusted"), far.expect("a client"));
        near.write_all(b"a secret question").await.expect("open");
        near.flush().await.expect("open");
        let mut question = [0; 17];
        far.read_exact(&mut question).await.expect("open");
        assert_eq!(&question, b"a secret question");
        network.finish().expect("memory can be written");
    });
    let labels: Vec<String> =
        keys.lines().iter().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
    let secrets = [
        "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_TRAFFIC_SECRET_0",
        "CLIENT_TRAFFIC_SECRET_0",
    ];
    assert!(secrets.iter().all(|secret| labels.iter().any(|label| label == secret)), "{labels:?}");
    let wire: Vec<u8> = packets(&shelf.bytes()).iter().flat_map(|p| p.payload()).collect();
    assert!(!wire.windows(6).any(|bytes| bytes == b"secret"));
    // ServerHello names the one suite, 0x1301 (RFC 8446 §4.1.3): after 32 bytes of session id.
    let hello = wire.windows(3).position(|bytes| bytes == [2, 0, 0]).expect("a ServerHello");
    assert_eq!(wire[hello + 4 + 2 + 32 + 1 + 32..][..2], [0x13, 0x01]);
}

/// What a client of this world says of a server.
fn refusal(server: impl FnOnce(&Authority) -> TlsServer, name: &str) -> String {
    run(async {
        let network = memory(options());
        let authority = Authority::new(EPOCH_NS).expect("a root");
        let server = server(&authority);
        let client = authority.client().expect("a root to trust");
        let (near, far) = connected(&network).await;
        let (near, far) = tokio::join!(connect_tls(&client, name, near), accept_tls(&server, far));
        assert!(far.is_err());
        near.err().expect("refused").to_string()
    })
}

#[test]
fn a_server_of_another_root_is_refused() {
    let stranger = |_: &Authority| {
        let authority = Authority::new(EPOCH_NS).expect("a root");
        authority.server("call-service", no_keys()).expect("a host name")
    };
    // All roots bear one name, so it is the signature that tells them apart.
    assert_eq!(refusal(stranger, "call-service"), "invalid peer certificate: BadSignature");
}

#[test]
fn a_server_of_another_name_is_refused() {
    let other = |authority: &Authority| authority.server("policy-server", no_keys()).expect("a host name");
    assert!(refusal(other, "call-service").contains("not valid for name"));
}

#[test]
fn a_name_that_is_no_host_name_is_refused() {
    run(async {
        let network = memory(options());
        let authority = Authority::new(EPOCH_NS).expect("a root");
        let client = authority.client().expect("a root to trust");
        let (near, _far) = connected(&network).await;
        let error = connect_tls(&client, "no host", near).await.err().expect("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(authority.server("ünsound", no_keys()).is_err());
    });
}

#[test]
fn garbage_ends_the_handshake() {
    run(async {
        let network = memory(options());
        let authority = Authority::new(EPOCH_NS).expect("a root");
        let server = authority.server("call-service", no_keys()).expect("a host name");
        let (mut near, far) = connected(&network).await;
        near.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("open");
        assert_eq!(accept_tls(&server, far).await.err().expect("no TLS").kind(), io::ErrorKind::InvalidData);
    });
}
