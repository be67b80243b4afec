//! Has the captures of both networks read by Wireshark's own dissectors.
//!
//! Skipped where `tshark` is missing, unless OVERHEARD_REQUIRE_PEERS is 1.

use std::process::Command;

use rstest::rstest;

use crate::capture::CaptureFile;
use crate::memory::tests::{EPOCH_NS, options, run};
use crate::tls::tests::KeyLines;
use crate::{
    Authority, LoopbackOptions, MemoryOptions, Network, accept_tls, accept_websocket, connect_tls,
    connect_websocket, loopback, memory,
};

use std::path::Path;
use std::sync::Arc;

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "whether a skip is allowed is up to the caller"
)]
fn tshark_is_there() -> bool {
    if Command::new("tshark").arg("--version").output().is_ok() {
        return true;
    }
    assert_ne!(std::env::var("OVERHEARD_REQUIRE_PEERS").as_deref(), Ok("1"), "tshark is missing; install it");
    eprintln!("SKIPPED: tshark is missing, nobody else has read this capture; install it");
    false
}

fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let output = Command::new("tshark").arg("-r").arg(capture).args(arguments).output().expect("it is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A signalling exchange and a few datagrams; then the capture is finished.
async fn converse(network: Arc<dyn Network>, keys: &KeyLines) {
    let (alice, service) = (network.add_link("alice@contoso.example"), network.add_link("call-service"));
    let authority = Authority::new(EPOCH_NS).expect("a root");
    let server = authority.server("call-service", keys.sink()).expect("a host name");
    let client = authority.client().expect("a root to trust");
    let mut listener = service.listen(0).await.expect("a free port");
    let to = listener.local();
    let near = async {
        let stream = alice.connect(to).await.expect("somebody listens");
        let stream = connect_tls(&client, "call-service", stream).await.expect("trusted");
        let mut socket = connect_websocket("call-service", "/v1", stream).await.expect("accepted");
        socket.send("{\"type\":\"hang-up\"}").await.expect("open");
        assert_eq!(socket.recv().await.expect("open").as_deref(), Some("{\"type\":\"chat\"}"));
        socket.close().await.expect("open");
        assert_eq!(socket.recv().await.expect("a goodbye"), None);
    };
    let far = async {
        let (stream, _) = listener.accept().await.expect("a caller");
        let stream = accept_tls(&server, stream).await.expect("a client");
        let mut socket = accept_websocket("/v1", stream).await.expect("a client");
        let text = socket.recv().await.expect("open").expect("a message");
        assert_eq!(text, "{\"type\":\"hang-up\"}");
        socket.send("{\"type\":\"chat\"}").await.expect("open");
        assert_eq!(socket.recv().await.expect("a goodbye"), None);
    };
    tokio::join!(near, far);
    let (one, other) = (alice.bind(0).expect("a free port"), service.bind(0).expect("a free port"));
    one.send(other.local(), b"datagram").expect("it is carried");
    let mut buffer = [0; 100];
    std::future::poll_fn(|cx| other.poll_recv(cx, &mut buffer)).await.expect("a bound socket");
    network.finish().expect("the disk is not full");
}

#[derive(Clone, Copy)]
enum Kind {
    Memory,
    Loopback,
}

#[rstest]
#[case::memory(Kind::Memory)]
#[case::loopback(Kind::Loopback)]
fn tshark_follows_both_taps_and_reads_the_signalling_with_the_service_secrets(#[case] kind: Kind) {
    if !tshark_is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (path, key_path) = (folder.path().join("world.pcapng"), folder.path().join("service.keys"));
    let (capture, keys) = (Some(CaptureFile::create(&path).expect("a file")), KeyLines::default());
    match kind {
        Kind::Memory => run(async { converse(memory(MemoryOptions { capture, ..options() }), &keys).await }),
        Kind::Loopback => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime with sockets");
            runtime.block_on(async {
                converse(loopback(LoopbackOptions { capture, ..LoopbackOptions::default() }), &keys).await
            });
        }
    }
    std::fs::write(&key_path, keys.lines().join("\n") + "\n").expect("a file");

    let checks =
        ["-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"];
    let key_log = format!("tls.keylog_file:{}", key_path.display());
    let fields = |path: &Path, filter: &str, fields: &[&str]| {
        let mut arguments = vec!["-o", &key_log, "-Y", filter, "-T", "fields"];
        arguments.extend(checks);
        arguments.extend(fields.iter().flat_map(|field| ["-e", *field]));
        tshark(path, &arguments)
    };
    let texts = |path: &Path| fields(path, "websocket.payload.text", &["websocket.payload.text"]);
    const BOTH: &str = "{\"type\":\"hang-up\"}\n{\"type\":\"chat\"}\n";
    // The whole file holds each segment once per tap, which tshark takes for retransmissions.
    assert_eq!(texts(&path), BOTH);
    for tap in ["alice@contoso.example", "call-service"] {
        let of_tap = folder.path().join("tap.pcapng");
        let filter = format!("frame.interface_name == \"{tap}\"");
        tshark(&path, &["-Y", &filter, "-w", &of_tap.display().to_string()]);
        assert_eq!(texts(&of_tap), BOTH, "at {tap}");
        let wrong = "_ws.malformed || tcp.analysis.flags || _ws.expert.group == \"Checksum\"";
        assert_eq!(fields(&of_tap, wrong, &["frame.number"]), "", "what tshark finds wrong at {tap}");
        let ends = fields(&of_tap, "tcp.flags.fin == 1", &["frame.number"]).lines().count();
        // Over real sockets the end of the peer is only seen by whoever still reads.
        assert!(if matches!(kind, Kind::Memory) { ends == 2 } else { ends >= 1 }, "{ends} FIN at {tap}");
    }
    let comments = fields(&path, "tcp && !frame.comment contains \"made by overheard\"", &["frame.number"]);
    assert_eq!(comments, "", "a TCP packet does not say that it was made");
    let datagrams = fields(&path, "udp", &["frame.interface_name", "udp.payload", "frame.comment"]);
    assert_eq!(datagrams, "alice@contoso.example\t646174616772616d\t\ncall-service\t646174616772616d\t\n");
}
