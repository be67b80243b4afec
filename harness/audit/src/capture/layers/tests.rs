//! Link layers, tags, tunnels and fragments of the odd files, and frames of noise.

use std::path::Path;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::capture::records::{Records, Step};

/// Depth and payload length of each frame of a file.
fn dissected(name: &str) -> Vec<(Depth, usize)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/hostile").join(name);
    let bytes = std::fs::read(path).expect("a vector");
    let (mut records, mut fragments) = (Records::default(), Fragments::default());
    let (mut at, mut found) = (0, Vec::new());
    loop {
        match records.step(&bytes[at..], true) {
            Step::Frame { record, used } => {
                let frame = &bytes[at..][record.data.clone()];
                let layers = dissect(record.linktype, frame, record.cut, &mut fragments);
                found.push((layers.depth, layers.payload.len()));
                at += used;
            }
            Step::Secrets { used, .. } | Step::Nothing { used } => at += used,
            Step::Need(_) | Step::End => return found,
        }
    }
}

const WHOLE: (Depth, usize) = (Depth::Payload, 72);

#[rstest]
#[case::ethernet("01-base-us-le.pcap", &[WHOLE, WHOLE, WHOLE])]
#[case::check_sequence("20-linktype-fcs-bits.pcap", &[WHOLE])]
#[case::several_links("33-multi-if-linktypes.pcapng", &[WHOLE, WHOLE, WHOLE])]
#[case::vlan("60-vlan.pcap", &[WHOLE])]
#[case::two_tags("61-qinq.pcap", &[WHOLE])]
#[case::three_tags("62-3vlan.pcap", &[WHOLE])]
#[case::fragments("63-ip4-frags.pcap", &[(Depth::Fragment, 0), WHOLE])]
#[case::overlap("64-ip4-overlap-frags.pcap", &[(Depth::Fragment, 0), WHOLE])]
#[case::extension_headers("65-ip6-ext-hbh-dst.pcap", &[WHOLE])]
#[case::fragments_of_version_6("66-ip6-frag.pcap", &[(Depth::Fragment, 0), WHOLE])]
#[case::chain("67-ip6-ext-chain-200.pcap", &[WHOLE])]
#[case::options("68-ip4-options.pcap", &[WHOLE])]
#[case::short_header("69-ip4-ihl-lt5.pcap", &[(Depth::Malformed, 0)])]
#[case::offload("70-ip4-totlen0-TSO.pcap", &[WHOLE])]
#[case::long_datagram("71-ip4-totlen-gt.pcap", &[WHOLE])]
#[case::no_udp_length("72-udp-len0.pcap", &[WHOLE])]
#[case::long_udp("73-udp-len-gt.pcap", &[(Depth::Malformed, 72)])]
#[case::short_udp("74-udp-len-lt8.pcap", &[(Depth::Malformed, 72)])]
#[case::padding("75-eth-trailer-pad.pcap", &[WHOLE])]
#[case::sll("76-sll.pcap", &[WHOLE])]
#[case::sll2("77-sll2.pcap", &[WHOLE])]
#[case::raw("78-raw101.pcap", &[WHOLE, WHOLE])]
#[case::raw_4("79-ipv4-228.pcap", &[WHOLE])]
#[case::null("80-null-le.pcap", &[WHOLE, WHOLE])]
#[case::null_of_another_host("81-null-be-in-le.pcap", &[WHOLE])]
#[case::loopback("82-loop108.pcap", &[WHOLE])]
#[case::wlan("83-wlan105.pcap", &[WHOLE])]
#[case::radiotap("84-radiotap127.pcap", &[WHOLE])]
#[case::pppoe("85-pppoe.pcap", &[WHOLE])]
#[case::gre("86-gre.pcap", &[WHOLE])]
#[case::vxlan("87-vxlan.pcap", &[WHOLE])]
#[case::deep("88-ipip-64deep.pcap", &[(Depth::Malformed, 0)])]
#[case::gtp_u("89-gtpu.pcap", &[WHOLE])]
#[case::six_in_four_and_teredo("90-6in4-teredo.pcap", &[WHOLE, WHOLE])]
#[case::mpls("91-mpls.pcap", &[WHOLE])]
#[case::ppp("92-ppp9.pcap", &[WHOLE])]
#[case::channel("93-turn-channeldata.pcap", &[(Depth::Payload, 76)])]
#[case::tcp("94-tcp-turn-4571.pcap", &[(Depth::Payload, 74)])]
#[case::nflog("95-nflog239.pcap", &[WHOLE])]
fn a_frame_is_followed_to_its_payload(#[case] name: &str, #[case] expected: &[(Depth, usize)]) {
    assert_eq!(dissected(name), expected);
}

#[test]
fn a_frame_that_was_cut_says_so() {
    let depths: Vec<Depth> =
        dissected("11-snaplen-truncated-frames.pcap").into_iter().map(|(depth, _)| depth).collect();
    assert_eq!(depths, [Depth::Cut, Depth::Cut, Depth::Malformed, Depth::Malformed, Depth::Malformed]);
}

#[test]
fn fragments_that_wait_for_ever_give_way() {
    let mut fragments = Fragments::default();
    for number in 0_u16..1_000 {
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0x20, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet[4..6].copy_from_slice(&number.to_be_bytes());
        packet.extend([7; 8]);
        assert_eq!(dissect(101, &packet, false, &mut fragments).depth, Depth::Fragment);
    }
    assert_eq!(fragments.refused, 1_000 - 128);
}

proptest! {
    #[test]
    fn noise_of_any_link_type_is_dissected(
        linktype in prop::sample::select(&[0_u16, 1, 9, 51, 101, 105, 108, 113, 127, 228, 239, 276][..]),
        mut frame in prop::collection::vec(any::<u8>(), 0..200),
        head in prop::sample::select(&[0_usize, 4, 14, 16][..]),
    ) {
        // Half of the frames get an IP header where one may stand, so that noise comes further.
        if let Some(byte) = frame.get_mut(head) {
            *byte = if *byte & 1 == 0 { 0x45 } else { 0x60 };
        }
        let layers = dissect(linktype, &frame, false, &mut Fragments::default());
        prop_assert!(layers.payload.len() <= frame.len());
    }
}
