//! Captures of calls between clients that others made: what must be concluded of each (`vectors/outside/README.md`).

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use audit::examination::{Input, Options, examine};
use audit::key_file::{Key, KeyFile, Owner};
use model::audit::{Audit, AuditStream, Severity};
use rstest::rstest;

/// The keys that are handed over with a capture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// None.
    None,
    /// The key of the hop as that of a forwarder, and the key of the frames as that of the parties.
    All,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/outside").join(name)
}

fn keys(name: &str, owner: &str) -> Vec<Key> {
    let Ok(text) = fs::read_to_string(file(name)) else { return Vec::new() };
    let read = KeyFile::parse(&text, Some(&Owner::named(owner).expect("a name")));
    assert!(read.errors.is_empty() && !read.keys.is_empty(), "{name}: {:?}", read.errors);
    read.keys
}

fn audited(name: &str, with: Keys) -> Audit {
    let path = file(&format!("{name}.pcap"));
    let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn Read + Send>);
    let input = Input { name: name.to_owned(), open: Box::new(open) };
    let mut given = Vec::new();
    if with == Keys::All {
        given.extend(keys(&format!("{name}.hop.keys"), "sfu"));
        given.extend(keys(&format!("{name}.parties.keys"), "parties"));
        assert!(!given.is_empty(), "{name} has no keys");
    }
    examine(&[input], &given, &Options::default(), &mut |_| {})
}

/// Protection, codec and packets, and what opened by owner and layer.
fn told(stream: &AuditStream) -> String {
    let codec = stream.codec.as_deref().unwrap_or("-");
    let opened = stream.opened.iter().map(|o| format!(", {} {} {}", o.owner, o.layer, o.packets));
    format!("{} {codec} {}{}", stream.protection.word(), stream.packets, opened.collect::<String>())
}

#[rstest]
#[case::dtls_srtp_baresip("dtls-srtp-baresip", Keys::None, &["encrypted-undetermined opus 45", "encrypted-undetermined opus 45"], &[])]
#[case::dtls_srtp_linphone("dtls-srtp-linphone", Keys::None, &["encrypted-undetermined opus 63", "encrypted-undetermined opus 64"], &[])]
#[case::rtp_h264_gstreamer("rtp-h264-gstreamer", Keys::None, &["plaintext h264 80"], &["streams/nothing-in-the-clear"])]
#[case::rtp_opus_baresip("rtp-opus-baresip", Keys::None, &["plaintext opus 26", "plaintext opus 28"], &["sdp/media-are-protected", "streams/nothing-in-the-clear"])]
#[case::rtp_opus_dtx_gstreamer("rtp-opus-dtx-gstreamer", Keys::None, &["plaintext opus 150"], &["streams/nothing-in-the-clear"])]
#[case::rtp_opus_linphone_cooked("rtp-opus-linphone-cooked", Keys::None, &["plaintext opus 32", "plaintext opus 33"], &["sdp/media-are-protected", "streams/nothing-in-the-clear"])]
#[case::rtp_pcma_gstreamer("rtp-pcma-gstreamer", Keys::None, &["plaintext g711 60"], &["streams/nothing-in-the-clear"])]
#[case::rtp_pcmu_baresip("rtp-pcmu-baresip", Keys::None, &["plaintext g711 91", "plaintext g711 92"], &["sdp/media-are-protected", "streams/nothing-in-the-clear"])]
#[case::rtp_red_gstreamer("rtp-red-gstreamer", Keys::None, &["plaintext red 60"], &["streams/nothing-in-the-clear"])]
#[case::rtp_ulpfec_gstreamer("rtp-ulpfec-gstreamer", Keys::None, &["plaintext vp8 60"], &["streams/nothing-in-the-clear"])]
#[case::rtp_vp8_gstreamer("rtp-vp8-gstreamer", Keys::None, &["plaintext vp8 60"], &["streams/nothing-in-the-clear"])]
#[case::rtp_vp9_gstreamer("rtp-vp9-gstreamer", Keys::None, &["plaintext vp9 60"], &["streams/nothing-in-the-clear"])]
#[case::sdes_aes_256_linphone("sdes-aes-256-linphone", Keys::None, &["broken opus 42, capture srtp 42", "broken opus 43, capture srtp 43"], &["signalling/no-key-in-the-clear"])]
#[case::sdes_baresip_tcp("sdes-baresip-tcp", Keys::None, &["broken opus 32, capture srtp 32", "broken opus 33, capture srtp 33"], &["metadata/rtcp-in-the-clear", "signalling/no-key-in-the-clear"])]
#[case::sdes_linphone("sdes-linphone", Keys::None, &["broken opus 51, capture srtp 51", "broken opus 52, capture srtp 52"], &["signalling/no-key-in-the-clear"])]
#[case::srtp_after_rollover_gstreamer("srtp-after-rollover-gstreamer", Keys::None, &["encrypted-undetermined - 71"], &[])]
#[case::srtp_after_rollover_gstreamer_with_keys("srtp-after-rollover-gstreamer", Keys::All, &["transport-only opus 71, sfu srtp 71"], &[])]
#[case::srtp_mki_gstreamer("srtp-mki-gstreamer", Keys::None, &["encrypted-undetermined - 60"], &[])]
#[case::srtp_mki_gstreamer_with_keys("srtp-mki-gstreamer", Keys::All, &["transport-only opus 60, sfu srtp 60"], &[])]
#[case::srtp_null_cipher_gstreamer("srtp-null-cipher-gstreamer", Keys::None, &["plaintext opus 60"], &["streams/nothing-in-the-clear"])]
#[case::srtp_rollover_gstreamer("srtp-rollover-gstreamer", Keys::None, &["encrypted-undetermined - 81"], &[])]
#[case::srtp_rollover_gstreamer_with_keys("srtp-rollover-gstreamer", Keys::All, &["transport-only opus 81, sfu srtp 81"], &[])]
#[case::srtp_tag32_gstreamer("srtp-tag32-gstreamer", Keys::None, &["encrypted-undetermined - 60"], &[])]
#[case::srtp_tag32_gstreamer_with_keys("srtp-tag32-gstreamer", Keys::All, &["transport-only opus 60, sfu srtp 60"], &[])]
#[case::webrtc_aiortc("webrtc-aiortc", Keys::None, &["encrypted-undetermined - 55", "encrypted-undetermined - 55"], &[])]
#[case::webrtc_aiortc_with_keys("webrtc-aiortc", Keys::All, &["transport-only opus 55, sfu srtp 55", "transport-only opus 55, sfu srtp 55"], &[])]
#[case::webrtc_dtls13_firefox("webrtc-dtls13-firefox", Keys::None, &["encrypted-undetermined - 61", "encrypted-undetermined - 61"], &[])]
#[case::webrtc_dtls13_firefox_with_keys("webrtc-dtls13-firefox", Keys::All, &["transport-only opus 61, sfu srtp 61", "transport-only opus 61, sfu srtp 61"], &[])]
#[case::webrtc_dtls13_sframe_chromium_firefox("webrtc-dtls13-sframe-chromium-firefox", Keys::None, &["encrypted-undetermined - 61", "encrypted-undetermined - 81"], &[])]
#[case::webrtc_dtls13_sframe_chromium_firefox_with_keys("webrtc-dtls13-sframe-chromium-firefox", Keys::All, &["end-to-end-consistent opus 61, sfu srtp 61, parties sframe 61", "end-to-end-consistent opus 81, sfu srtp 81, parties sframe 61"], &[])]
#[case::webrtc_sframe_late_firefox_aiortc("webrtc-sframe-late-firefox-aiortc", Keys::None, &["encrypted-undetermined - 118", "encrypted-undetermined - 119"], &[])]
#[case::webrtc_sframe_late_firefox_aiortc_with_keys("webrtc-sframe-late-firefox-aiortc", Keys::All, &["end-to-end-consistent opus 119, sfu srtp 119, parties sframe 119", "transport-only opus 118, sfu srtp 118, parties sframe 23"], &["streams/every-frame-is-sealed"])]
#[case::webrtc_sframe_one_side_aiortc("webrtc-sframe-one-side-aiortc", Keys::None, &["encrypted-undetermined - 55", "encrypted-undetermined - 55"], &[])]
#[case::webrtc_sframe_one_side_aiortc_with_keys("webrtc-sframe-one-side-aiortc", Keys::All, &["end-to-end-consistent opus 55, sfu srtp 55, parties sframe 55", "transport-only opus 55, sfu srtp 55"], &[])]
#[case::webrtc_sframe_werift_aiortc("webrtc-sframe-werift-aiortc", Keys::None, &["encrypted-undetermined - 51", "encrypted-undetermined - 51"], &[])]
#[case::webrtc_sframe_werift_aiortc_with_keys("webrtc-sframe-werift-aiortc", Keys::All, &["end-to-end-consistent opus 51, sfu srtp 51, parties sframe 51", "end-to-end-consistent opus 51, sfu srtp 51, parties sframe 51"], &[])]
#[case::webrtc_turn_sframe_aiortc("webrtc-turn-sframe-aiortc", Keys::None, &["encrypted-undetermined - 24", "encrypted-undetermined - 24", "encrypted-undetermined - 24", "encrypted-undetermined - 24", "encrypted-undetermined - 24", "encrypted-undetermined - 24"], &[])]
#[case::webrtc_turn_sframe_aiortc_with_keys("webrtc-turn-sframe-aiortc", Keys::All, &["end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24", "end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24", "end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24", "end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24", "end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24", "end-to-end-consistent opus 24, sfu srtp 24, parties sframe 24"], &[])]
#[case::webrtc_vp8_chromium_aiortc("webrtc-vp8-chromium-aiortc", Keys::None, &["encrypted-undetermined - 33", "encrypted-undetermined - 60", "encrypted-undetermined - 61", "encrypted-undetermined - 8"], &[])]
#[case::webrtc_vp8_chromium_aiortc_with_keys("webrtc-vp8-chromium-aiortc", Keys::All, &["transport-only opus 60, sfu srtp 60", "transport-only opus 61, sfu srtp 61", "transport-only vp8 33, sfu srtp 33", "transport-only vp8 8, sfu srtp 8"], &[])]
#[case::zrtp_linphone("zrtp-linphone", Keys::None, &["broken opus 54", "broken opus 56"], &["sdp/media-are-protected", "streams/nothing-in-the-clear"])]
fn a_call_between_other_clients_is_judged(
    #[case] name: &str,
    #[case] with: Keys,
    #[case] streams: &[&str],
    #[case] checks: &[&str],
) {
    let audit = audited(name, with);
    let mut told: Vec<String> = audit.streams.iter().map(told).collect();
    told.sort();
    assert_eq!(told, streams);
    let weighty = audit.findings.iter().filter(|finding| finding.severity != Severity::Advisory);
    let mut found: Vec<&str> = weighty.map(|finding| finding.check.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, checks);
    assert!(audit.captures.iter().all(|capture| capture.problems.is_empty()));
}

/// A capture of classic pcap, cut behind so many packets.
fn cut(name: &str, packets: usize) -> Vec<u8> {
    let mut bytes = fs::read(file(&format!("{name}.pcap"))).expect("a capture");
    let mut end = 24;
    for _ in 0..packets {
        let length: [u8; 4] = bytes[end + 8..end + 12].try_into().expect("a record");
        end += 16 + u32::from_le_bytes(length) as usize;
    }
    bytes.truncate(end);
    bytes
}

#[rstest]
#[case::too_few(7, "insufficient - 7")]
#[case::eight(8, "plaintext - 8")]
#[case::nine(9, "plaintext g711 9")]
#[case::twenty(20, "plaintext g711 20")]
#[case::forty_five(45, "plaintext g711 45")]
fn a_short_stream_of_g711_is_judged(#[case] packets: usize, #[case] expected: &str) {
    let bytes = cut("rtp-pcma-gstreamer", packets);
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let input = Input { name: "cut".to_owned(), open: Box::new(open) };
    let audit = examine(&[input], &[], &Options::default(), &mut |_| {});
    assert_eq!(audit.streams.iter().map(told).collect::<Vec<_>>(), [expected]);
}

#[rstest]
#[case::from_both_ends("zrtp-linphone", &[vec![10, 20, 25, 30], vec![22, 26, 32]])]
#[case::none_in_a_call_under_dtls("webrtc-sframe-late-firefox-aiortc", &[])]
fn packets_in_the_clear_before_zrtp_has_keys_are_named(#[case] name: &str, #[case] packets: &[Vec<u64>]) {
    let audit = audited(name, Keys::None);
    let clear = audit.findings.iter().filter(|finding| finding.check == "streams/nothing-in-the-clear");
    assert_eq!(clear.map(|finding| finding.packets.clone()).collect::<Vec<_>>(), packets);
}

#[test]
fn handshakes_of_both_versions_are_told() {
    let versions = |name: &str| -> Vec<Option<String>> {
        audited(name, Keys::None).handshakes.into_iter().map(|handshake| handshake.version).collect()
    };
    assert_eq!(versions("webrtc-dtls13-firefox"), [Some("DTLS 1.3".to_owned())]);
    assert_eq!(versions("dtls-srtp-baresip"), [Some("DTLS 1.2".to_owned())]);
}

#[test]
fn a_capture_without_its_handshake_opens_under_no_key_of_it() {
    let name = "webrtc-aiortc";
    let given = keys("webrtc-sframe-werift-aiortc.hop.keys", "sfu");
    let path = file(&format!("{name}.pcap"));
    let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn Read + Send>);
    let input = Input { name: name.to_owned(), open: Box::new(open) };
    let audit = examine(&[input], &given, &Options::default(), &mut |_| {});
    assert!(audit.streams.iter().all(|stream| stream.opened.is_empty()));
}

/// A message of ZRTP may be sent again, so each of its copies is changed.
#[rstest]
#[case::hello(b"Hello   1.10", 40)]
#[case::part_of_the_initiator(b"DHPart2 ", 100)]
#[case::part_of_the_responder(b"DHPart1 ", 8)]
#[case::commit(b"Commit  ", 70)]
#[case::hash_in_the_description(b"a=zrtp-hash:1.10 ", 20)]
fn a_changed_byte_of_zrtp_is_found(#[case] after: &[u8], #[case] offset: usize) {
    let mut bytes = fs::read(file("zrtp-linphone.pcap")).expect("a capture");
    let found: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(after)).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes[at + offset] ^= 1;
    }
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let input = Input { name: "changed".to_owned(), open: Box::new(open) };
    let audit = examine(&[input], &[], &Options::default(), &mut |_| {});
    assert!(audit.findings.iter().any(|finding| finding.check == "zrtp/hashes-fit"), "{:?}", audit.findings);
}

#[test]
fn secrets_of_a_handshake_that_is_missing_are_told() {
    let open = || Ok(Box::new(File::open(file("rtp-opus-baresip.pcap"))?) as Box<dyn Read + Send>);
    let input = Input { name: "rtp".to_owned(), open: Box::new(open) };
    let given = keys("webrtc-aiortc.hop.keys", "sfu");
    let audit = examine(&[input], &given, &Options::default(), &mut |_| {});
    assert!(audit.not_concluded.iter().any(|open| open.text.contains("handshakes that it does not hold")));
}
