//! Doors through which any bytes may come: what the fuzzer drives, and what the tests replay of its corpus.
//!
//! Invariant: whatever the bytes, a door returns; what it asserts holds for garbage as well.

use std::io::{self, Cursor, Read};

use model::results::Sweep;

use crate::capture::feed::{Batch, Feed};
use crate::capture::{Capture, layers};
use crate::dissect::{av1, dtls, red, rtcp, rtp, sdp, stun, turn, vp8, vp9, zrtp};
use crate::examination::{Input, Options, examine};
use crate::key_file::{Key, KeyFile, Owner};
use crate::{http, sframe, tls13, websocket};

/// A door.
pub struct Door {
    /// The name of its corpus and of its fuzz target.
    pub name: &'static str,
    /// Takes any bytes.
    pub open: fn(&[u8]),
}

/// Every door.
pub const DOORS: &[Door] = &[
    Door { name: "audit", open: audit },
    Door { name: "av1", open: av1 },
    Door { name: "capture", open: capture },
    Door { name: "datagrams", open: datagrams },
    Door { name: "dtls", open: dtls },
    Door { name: "http", open: http },
    Door { name: "key-file", open: key_file },
    Door { name: "layers", open: layers },
    Door { name: "red", open: red },
    Door { name: "rtcp", open: rtcp },
    Door { name: "rtp", open: rtp },
    Door { name: "sdp", open: sdp },
    Door { name: "segments", open: segments },
    Door { name: "sframe", open: sframe },
    Door { name: "stun", open: stun },
    Door { name: "tls13", open: tls13 },
    Door { name: "turn", open: turn },
    Door { name: "vp8", open: vp8 },
    Door { name: "vp9", open: vp9 },
    Door { name: "websocket", open: websocket },
    Door { name: "zrtp", open: zrtp },
];

/// Keys of every kind, so that what tries keys is reached as well.
const KEYS: &str = "SRTP SRTP_AES128_CM_HMAC_SHA1_80 e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6\n\
    SRTP SRTP_AEAD_AES_128_GCM 000102030405060708090a0b0c0d0e0f000102030405060708090a0b\n\
    SFRAME 4 0 000102030405060708090a0b0c0d0e0f\nSFRAME 4 7 000102030405060708090a0b0c0d0e0f\n";

fn keys() -> Vec<Key> {
    let of = |owner: &str| KeyFile::parse(KEYS, Owner::named(owner).ok().as_ref()).keys;
    [of("parties"), of("service")].concat()
}

/// A file, audited from end to end.
fn audit(file: &[u8]) {
    let kept = file.to_vec();
    let open = move || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(Cursor::new(kept.clone()))) };
    let input = Input { name: "any".to_owned(), open: Box::new(open) };
    let options = Options { sweep: Sweep::Light, ..Options::default() };
    let audit = examine(&[input], &keys(), &options, &mut |_| {});
    let packets: u64 = audit.captures.iter().map(|file| file.packets).sum();
    assert_eq!(audit.packets.values().sum::<u64>(), packets, "each packet counts once");
    assert!(serde_json::to_vec(&audit).is_ok(), "it can be written");
}

/// A file, read whole and in batches.
fn capture(file: &[u8]) {
    let whole = Capture::read(file.to_vec());
    if let Ok(mut feed) = Feed::open(Cursor::new(file.to_vec()), false) {
        let (mut batch, mut packets) = (Batch::default(), 0);
        while feed.next(&mut batch).unwrap_or(false) {
            packets += batch.packets.len();
        }
        // What is compressed is unpacked on its way into batches only.
        assert!(packets == whole.packets.len() || whole.packets.is_empty(), "both find the same packets");
    }
}

/// Chunks of the bytes as datagrams of one capture: a byte for the ports, one for the length.
fn datagrams(bytes: &[u8]) {
    audit(&packets(bytes, 17));
}

/// The same as segments of TCP.
fn segments(bytes: &[u8]) {
    audit(&packets(bytes, 6));
}

/// A capture of raw IP whose packets hold the chunks of `bytes`.
fn packets(mut bytes: &[u8], protocol: u8) -> Vec<u8> {
    let mut file = vec![0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    let (mut second, mut sent) = (1_u32, [0_u32; 2]);
    while let [ends, length, rest @ ..] = bytes {
        let payload = rest.get(..usize::from(*length)).unwrap_or(rest);
        bytes = rest.get(payload.len()..).unwrap_or_default();
        let near = usize::from(ends & 1);
        let port = [5_000_u16, 5_060, 3_478, 53][usize::from(ends >> 1 & 3)].to_be_bytes();
        let mut above = [port, port].concat();
        if protocol == 17 {
            above.extend(((payload.len() + 8) as u16).to_be_bytes());
            above.extend([0, 0]);
        } else {
            above.extend(sent[near].to_be_bytes());
            above.extend([0, 0, 0, 0, 0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
            sent[near] = sent[near].wrapping_add(payload.len() as u32);
        }
        above.extend(payload);
        let total = (above.len() + 20) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
        let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
        packet.extend([ends[near], ends[1 - near]].concat());
        packet.extend(above);
        for field in [second, 0, packet.len() as u32, packet.len() as u32] {
            file.extend(field.to_le_bytes());
        }
        file.extend(packet);
        second += 1;
    }
    file
}

/// Two bytes of link type, then a frame.
fn layers(bytes: &[u8]) {
    let Some((kind, frame)) = bytes.split_first_chunk::<2>() else { return };
    let mut fragments = layers::Fragments::default();
    let found = layers::dissect(u16::from_le_bytes(*kind), frame, false, &mut fragments);
    assert!(found.payload.len() <= frame.len());
}

fn dtls(datagram: &[u8]) {
    let mut side = dtls::Side::default();
    side.take(datagram);
    side.take(datagram);
    dtls::has_finished(datagram);
    assert!(dtls::records(datagram).len() <= datagram.len());
}

fn stun(datagram: &[u8]) {
    let Some(message) = stun::Message::parse(datagram) else { return };
    for (kind, _) in &message.attributes {
        message.xor_address(*kind);
    }
    turn::channel_bind(&message);
    turn::indication(&message);
}

fn turn(datagram: &[u8]) {
    if let Some((number, data)) = turn::channel_data(datagram) {
        assert!((0x4000..=0x4FFF).contains(&number) && data.len() + 4 <= datagram.len());
    }
}

fn rtp(packet: &[u8]) {
    if let Some(header) = rtp::Header::parse(packet) {
        assert!(header.length <= packet.len());
        header.without_padding(packet.get(header.length..).unwrap_or_default());
    }
}

fn rtcp(datagram: &[u8]) {
    assert!(!rtcp::tiles(datagram) || datagram.len().is_multiple_of(4));
    let packets = rtcp::packets(datagram);
    assert!(packets.iter().map(|packet| packet.body.len() + 4).sum::<usize>() <= datagram.len());
    assert!(packets.iter().flat_map(rtcp::Packet::cnames).all(|name| name.len() < 256));
}

fn sdp(text: &[u8]) {
    sdp::Description::parse(&String::from_utf8_lossy(text));
}

fn sframe(frame: &[u8]) {
    if let Some(header) = sframe::Header::parse(frame) {
        assert!(header.length <= frame.len().min(17));
    }
}

fn vp8(payload: &[u8]) {
    if let Some(descriptor) = vp8::Descriptor::parse(payload) {
        assert!(descriptor.length <= payload.len());
    }
}

fn vp9(payload: &[u8]) {
    if let Some(descriptor) = vp9::Descriptor::parse(payload) {
        assert!(descriptor.length <= payload.len() && (descriptor.picture.is_some() || !descriptor.flexible));
    }
}

/// The first half of the bytes was kept.
fn av1(payload: &[u8]) {
    let head = payload.get(..payload.len() / 2).unwrap_or_default();
    for kept in [head, payload] {
        if let Some(read) = av1::Aggregation::parse(kept, payload.len()) {
            assert!(payload.len() > 1 && !(read.continues && read.new_sequence));
        }
    }
}

fn red(payload: &[u8]) {
    if let Some(headers) = red::Headers::parse(payload, payload.len()) {
        assert!(headers.length <= payload.len() && headers.primary < 128);
    }
}

fn key_file(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let read = KeyFile::parse(&text, Some(&Owner::Parties));
    assert!(read.keys.len() + read.errors.len() <= text.lines().count());
}

/// Half of the bytes is what the client sent.
fn tls13(bytes: &[u8]) {
    let (client, server) = bytes.split_at(bytes.len() / 2);
    let random = tls13::client_random(client).unwrap_or([0; 32]);
    let secrets = tls13::Secrets { client_application: Some(vec![7; 32]), ..tls13::Secrets::default() };
    assert!(!secrets.is_empty());
    let _ = (random, tls13::open(client, server, &secrets));
}

fn websocket(stream: &[u8]) {
    for sender in [websocket::Sender::Client, websocket::Sender::Server] {
        let read = websocket::read(sender, stream);
        assert!(read.messages.iter().all(|message| message.range.end <= stream.len()));
    }
}

fn http(stream: &[u8]) {
    for (side, ended) in [(http::Side::Requests, false), (http::Side::Responses, true)] {
        let read = http::read(side, stream, ended);
        assert!(read.messages.iter().all(|message| message.range.end <= stream.len()));
    }
}

fn zrtp(datagram: &[u8]) {
    let Some(message) = zrtp::Message::parse(datagram) else { return };
    zrtp::image(message.kind, message.bytes);
    zrtp::commitment(message.bytes);
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::prelude::*;

    use super::*;

    fn corpus() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
    }

    #[test]
    fn every_door_stands_what_the_fuzzer_kept() {
        for door in DOORS {
            let files = std::fs::read_dir(corpus().join(door.name)).expect("a folder for each door");
            let mut seen = 0;
            for file in files {
                (door.open)(&std::fs::read(file.expect("readable").path()).expect("readable"));
                seen += 1;
            }
            assert!(seen > 0, "{} has no corpus", door.name);
        }
    }

    #[test]
    fn every_corpus_and_every_fuzz_target_has_its_door() {
        let names = |folder: PathBuf| {
            let entries = std::fs::read_dir(folder).expect("a folder");
            let name = |entry: std::fs::DirEntry| entry.path().file_stem().map(|stem| stem.to_os_string());
            let mut names: Vec<_> = entries.filter_map(|entry| name(entry.ok()?)).collect();
            names.sort();
            names
        };
        let doors: Vec<_> = DOORS.iter().map(|door| door.name).collect();
        assert_eq!(names(corpus()), doors);
        assert_eq!(names(corpus().join("../fuzz_targets")), doors);
    }

    #[test]
    fn every_hostile_capture_goes_through_both_doors_for_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/hostile");
        for file in std::fs::read_dir(folder).expect("a folder") {
            let bytes = std::fs::read(file.expect("readable").path()).expect("readable");
            audit(&bytes);
            capture(&bytes);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_bytes_go_through_every_door(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for door in DOORS {
                (door.open)(&bytes);
            }
        }
    }
}
