//! The bare reading loop: what any reader of captures does at least. A buffer of 1 MiB, each frame sliced, classed by
//! its first byte and counted in a map of flows.

use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;

use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

/// Two addresses and two ports.
type Flow = (IpAddr, IpAddr, u16, u16);

#[derive(Default)]
struct Counts {
    classes: [u64; 8],
    flows: HashMap<Flow, (u64, u64)>,
}

/// Reads the capture.
pub fn read(path: &Path) {
    let mut reader = create_reader(1 << 20, File::open(path).expect("the capture")).expect("a capture");
    let mut counts = Counts::default();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                match block {
                    PcapBlockOwned::Legacy(block) => counts.take(block.data),
                    PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                        counts.take(&block.data[..(block.caplen as usize).min(block.data.len())]);
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(block)) => counts.take(block.data),
                    _ => {}
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => reader.refill().expect("the rest of the capture"),
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(counts.classes.iter().sum::<u64>() > 0 && !counts.flows.is_empty());
}

impl Counts {
    fn take(&mut self, frame: &[u8]) {
        let Ok(sliced) = LaxSlicedPacket::from_ethernet(frame) else { return };
        let ends: (IpAddr, IpAddr) = match &sliced.net {
            Some(LaxNetSlice::Ipv4(ip)) => {
                (ip.header().source_addr().into(), ip.header().destination_addr().into())
            }
            Some(LaxNetSlice::Ipv6(ip)) => {
                (ip.header().source_addr().into(), ip.header().destination_addr().into())
            }
            _ => return,
        };
        let Some(TransportSlice::Udp(udp)) = sliced.transport else { return };
        let class = match udp.payload() {
            [0..=3, ..] => 0,
            [16..=19, ..] => 1,
            [20..=63, ..] => 2,
            [64..=79, ..] => 3,
            [128..=191, 192..=223, ..] => 4,
            [128..=191, ..] => 5,
            [192..=255, ..] => 6,
            _ => 7,
        };
        self.classes[class] += 1;
        let flow = self.flows.entry((ends.0, ends.1, udp.source_port(), udp.destination_port())).or_default();
        flow.0 += 1;
        flow.1 += udp.payload().len() as u64;
    }
}
