//! Flows with RTP behind a header, and flows that only look so.

use std::io::{Cursor, Read};

use model::audit::{Audit, Protection};
use rstest::rstest;

use crate::bench::CaptureBuilder;
use crate::bench::noise;
use crate::bench::seal::Hop;
use crate::examination::{Input, Options, examine};
use crate::key_file::{KeyFile, Owner};

/// A header of RTP at 48 kHz, 20 ms a packet.
fn rtp(n: u32, ssrc: u32) -> Vec<u8> {
    let mut header = vec![0x80, 111];
    header.extend((n as u16).wrapping_add(65_500).to_be_bytes());
    header.extend((960 * n).wrapping_add(0xFFFF_FF00).to_be_bytes());
    header.extend(ssrc.to_be_bytes());
    header
}

fn opus(n: u32) -> Vec<u8> {
    [vec![0x78], noise(n, 70)].concat()
}

/// A header of so many bytes, of which one counts and one is another each time.
fn own(n: u32, length: usize) -> Vec<u8> {
    let mut header = vec![5; length];
    if length > 4 {
        header[2] = n as u8;
        header[3] = noise(n, 1)[0];
    }
    header
}

fn audit(packets: impl Iterator<Item = Vec<u8>>, keys: &str) -> Audit {
    let mut builder = CaptureBuilder::new(&["eth0"]);
    for (n, payload) in (1..).zip(packets) {
        builder.udp(0, 20_000_000 * n, "10.0.0.1:5000", "10.0.0.2:8801", &payload);
    }
    let bytes = builder.bytes();
    let open = move || Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read + Send>);
    let input = Input { name: "made.pcapng".to_owned(), open: Box::new(open) };
    let keys = KeyFile::parse(keys, Owner::named("sfu").ok().as_ref()).keys;
    examine(&[input], &keys, &Options::default(), &mut |_| {})
}

#[rstest]
fn media_behind_a_header_are_found_with_their_first_packet(#[values(1, 4, 27, 64)] behind: usize) {
    let audit = audit((0..100).map(|n| [own(n, behind), rtp(n, 7), opus(n)].concat()), "");
    let [stream] = &audit.streams[..] else { panic!("{:?}", audit.streams) };
    assert_eq!((stream.packets, usize::from(stream.rtp_offset), stream.first_packet), (100, behind, 1));
    assert_eq!((stream.protection, stream.codec.as_deref()), (Protection::Plaintext, Some("opus")));
    assert_eq!(audit.packets.into_iter().collect::<Vec<_>>(), [("rtp".to_owned(), 100)]);
}

#[test]
fn what_is_protected_behind_a_header_is_not_called_readable() {
    let audit = audit((0..100).map(|n| [own(n, 24), rtp(n, 7), noise(n, 80)].concat()), "");
    assert_eq!(audit.streams.len(), 1);
    assert_eq!(
        (audit.streams[0].rtp_offset, audit.streams[0].protection),
        (24, Protection::EncryptedUndetermined)
    );
}

#[test]
fn a_key_opens_what_stands_behind_a_header() {
    let hop = Hop { key: [7; 16], salt: [9; 12] };
    let header = |n: u32| {
        let mut header = rtp(n, 7);
        header[2..4].copy_from_slice(&(n as u16).to_be_bytes());
        header
    };
    let sealed = (0..60).map(|n| [own(n, 24), hop.seal(&header(n), &opus(n))].concat());
    let keys = format!("SRTP SRTP_AEAD_AES_128_GCM {}{}\n", "07".repeat(16), "09".repeat(12));
    let audit = audit(sealed, &keys);
    assert_eq!(audit.streams[0].protection, Protection::TransportOnly, "{}", audit.streams[0].why);
    assert_eq!(audit.streams[0].opened[0].packets, 60);
}

#[test]
fn two_streams_of_one_flow_stand_behind_headers_of_their_own() {
    let packet = |n: u32| match n % 2 {
        0 => [own(n, 19), rtp(n / 2, 7), opus(n)].concat(),
        _ => [own(n, 28), rtp(n / 2, 8), noise(n, 900)].concat(),
    };
    let audit = audit((0..200).map(packet), "");
    let mut told: Vec<_> = audit.streams.iter().map(|s| (s.rtp_offset, s.packets, s.ssrc.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [(19, 100, "00000007"), (28, 100, "00000008")]);
}

#[test]
fn media_that_begin_late_are_found() {
    let packet = |n: u32| if n < 150 { noise(n, 60) } else { [own(n, 24), rtp(n, 7), opus(n)].concat() };
    let audit = audit((0..400).map(packet), "");
    assert_eq!(audit.streams.len(), 1);
    assert!(audit.streams[0].packets >= 150, "{}", audit.streams[0].packets);
    assert_eq!(audit.packets.values().sum::<u64>(), 400, "each packet counts once");
}

/// A message of SFrame: a header with key id and counter, and ciphertext.
fn sframe(n: u32) -> Vec<u8> {
    [vec![0x19, (n >> 8) as u8, n as u8], noise(n, 90)].concat()
}

/// Type, receiver's index, counter of 64 bits that begins with its lowest byte, and ciphertext (WireGuard §5.4.6).
fn wireguard(n: u32) -> Vec<u8> {
    [&[4, 0, 0, 0, 0x81, 0x92, 0xA3, 0xB4][..], &u64::from(n).to_le_bytes(), &noise(n, 90)].concat()
}

/// What would be RTP, but for one field.
fn altered(n: u32, at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut packet = [own(n, 20), rtp(n, 7), noise(n, 80)].concat();
    packet[20 + at..][..bytes.len()].copy_from_slice(bytes);
    packet
}

#[rstest]
#[case::random_bytes(|n| [vec![5], noise(n, 100)].concat())]
#[case::sframe(sframe)]
#[case::wireguard(wireguard)]
#[case::constant_bytes(|_| vec![0x0A; 100])]
#[case::bytes_that_look_like_version_two(|n| [vec![5; 8], vec![0x80; 40], noise(n, 9)].concat())]
#[case::version_one(|n| altered(n, 0, &[0x40]))]
#[case::another_ssrc_each_time(|n| altered(n, 8, &noise(n, 4)))]
#[case::no_ssrc(|n| altered(n, 8, &[0; 4]))]
#[case::one_sequence_number(|n| altered(n, 2, &[1, 2]))]
#[case::any_sequence_number(|n| altered(n, 2, &noise(n, 2)))]
#[case::one_time_stamp(|n| altered(n, 4, &[1, 2, 3, 4]))]
#[case::any_time_stamp(|n| altered(n, 4, &noise(n, 4)))]
#[case::time_stamps_that_count_packets(|n| altered(n, 4, &n.to_be_bytes()))]
#[case::time_stamps_in_milliseconds(|n| altered(n, 4, &(20 * n).to_be_bytes()))]
#[case::time_stamps_in_microseconds(|n| altered(n, 4, &(20_000 * n).to_be_bytes()))]
#[case::types_of_rtcp(|n| altered(n, 1, &[200]))]
#[case::behind_more_bytes(|n| [vec![5; 65], rtp(n, 7), noise(n, 80)].concat())]
#[case::too_short(|n| [vec![5; 20], rtp(n, 7)[..11].to_vec()].concat())]
fn what_only_looks_so_is_none(#[case] packet: fn(u32) -> Vec<u8>) {
    let audit = audit((0..300).map(packet), "");
    assert_eq!(audit.streams.len(), 0, "{:?}", audit.streams);
    assert_eq!(audit.packets.into_iter().collect::<Vec<_>>(), [("other-udp".to_owned(), 300)]);
}

#[test]
fn seven_packets_are_too_few() {
    let audit = audit((0..7).map(|n| [own(n, 24), rtp(n, 7), opus(n)].concat()), "");
    assert_eq!(audit.streams.len(), 0);
    assert_eq!(audit.packets.into_iter().collect::<Vec<_>>(), [("other-udp".to_owned(), 7)]);
}
