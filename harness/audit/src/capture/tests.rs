//! Captures built block by block, whole and damaged.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::bench::CaptureBuilder;

fn udp(payload: &[u8]) -> CaptureBuilder {
    let mut builder = CaptureBuilder::new(&["alice@a.example", "bob@a.example"]);
    builder.udp(0, 1_000, "10.0.0.1:5000", "10.0.0.2:6000", payload);
    builder.udp(1, 2_000, "10.0.0.1:5000", "10.0.0.2:6000", payload);
    builder
}

#[test]
fn packets_have_number_tap_time_and_payload() {
    let capture = Capture::read(udp(b"hello").bytes());
    assert_eq!(capture.problems, []);
    let seen: Vec<_> = capture.packets.iter().map(|p| (p.number, capture.tap(p), p.at_ns)).collect();
    assert_eq!(seen, [(1, "alice@a.example", 1_000), (2, "bob@a.example", 2_000)]);
    assert_eq!(capture.payload(&capture.packets[1]), b"hello");
    assert_eq!(capture.packets[0].source, "10.0.0.1:5000".parse().expect("an address"));
}

#[test]
fn a_cut_file_keeps_what_stood_before_the_cut() {
    let whole = udp(b"hello").bytes();
    let capture = Capture::read(whole[..whole.len() - 3].to_vec());
    assert_eq!(capture.packets.len(), 1);
    assert_eq!(capture.problems.len(), 1);
    assert!(capture.problems[0].text.starts_with("the file ends within a block"));
}

#[rstest]
#[case::empty(&[], "the file is empty; hand over the capture itself")]
#[case::text(
    b"# not a capture, only a line of text",
    "neither pcap nor pcapng begins like this; hand over the capture itself"
)]
fn what_is_no_capture_has_a_problem_at_its_start(#[case] bytes: &[u8], #[case] text: &str) {
    let capture = Capture::read(bytes.to_vec());
    assert_eq!(capture.problems, [Problem { offset: 0, text: text.to_owned() }]);
}

#[rstest]
#[case::rtp(&[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9], Class::Rtp)]
#[case::rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1], Class::Rtcp)]
#[case::srtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 9, 0x80, 0, 0, 7], Class::Srtcp)]
#[case::neither(&[0x80, 201, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5], Class::OtherUdp)]
#[case::cut_rtp(&[0x80, 111, 0, 1], Class::OtherUdp)]
#[case::the_first_stun(&[0, 1, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Class::Stun)]
#[case::stun_without_cookie(&[0, 3, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Class::OtherUdp)]
#[case::channel(&[0x40, 0, 0, 1, 7], Class::TurnChannel)]
#[case::quic(&[0xC0, 0, 0, 0, 1, 0, 0], Class::Quic)]
#[case::nothing(&[], Class::OtherUdp)]
fn the_first_bytes_decide_the_class(#[case] payload: &[u8], #[case] class: Class) {
    let capture = Capture::read(udp(payload).bytes());
    assert_eq!(capture.packets[0].class, class);
}

#[test]
fn rtp_beside_a_handshake_is_srtp() {
    let mut builder = udp(&[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9]);
    builder.udp(0, 3_000, "10.0.0.2:6000", "10.0.0.1:5000", &[22, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let classes: Vec<_> = Capture::read(builder.bytes()).packets.iter().map(|p| p.class).collect();
    assert_eq!(classes, [Class::Srtp, Class::Srtp, Class::Dtls]);
}

proptest! {
    #[test]
    fn damage_anywhere_never_panics(at in 0usize..400, value: u8, cut in 0usize..400) {
        let mut bytes = udp(b"hello").bytes();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        bytes.truncate(bytes.len().saturating_sub(cut / 2));
        let capture = Capture::read(bytes);
        for packet in &capture.packets {
            capture.payload(packet);
            capture.frame(packet);
        }
        connection::connections(&capture);
    }
}
