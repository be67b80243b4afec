//! The frame that nearly every packet of a call is: UDP in one whole IP packet without options, directly in Ethernet.
//!
//! Invariant: what is told here is what the way through all layers tells; everything else is left to it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::{Depth, Layers, Transport, tunnel};

/// Lengths of the headers, in bytes.
const ETHERNET: usize = 14;
const UDP: usize = 8;
/// The number of UDP above IP.
const NUMBER: u8 = 17;

fn u16_in(bytes: &[u8], at: usize) -> u16 {
    let half = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    half.map_or(0, |half| u16::from_be_bytes(*half))
}

fn address<const N: usize>(header: &[u8], at: usize) -> Option<IpAddr>
where
    IpAddr: From<[u8; N]>,
{
    header.get(at..)?.first_chunk::<N>().map(|address| IpAddr::from(*address))
}

/// Takes such a frame apart; none where it is another. `cut`: fewer bytes were recorded than stood on the wire.
pub(super) fn dissect(linktype: u16, frame: &[u8], cut: bool) -> Option<Layers<'_>> {
    let (ethernet, packet) = frame.split_at_checked(ETHERNET).filter(|_| linktype == 1)?;
    let (source, destination, datagram) = match ethernet.last_chunk::<2>()? {
        [8, 0] => {
            // Version 4 and five words, then neither more fragments nor an offset (RFC 791 §3.1).
            let header = packet.first_chunk::<20>()?;
            let whole = header[0] == 0x45 && u16_in(header, 6) & 0x3FFF == 0 && header[9] == NUMBER;
            let datagram = packet.get(20..usize::from(u16_in(header, 2))).filter(|_| whole)?;
            (address::<4>(header, 12)?, address::<4>(header, 16)?, datagram)
        }
        [0x86, 0xDD] => {
            // UDP is the next header (RFC 8200 §3).
            let header = packet.first_chunk::<40>()?;
            let whole = header[0] >> 4 == 6 && header[6] == NUMBER;
            let datagram = packet.get(40..40 + usize::from(u16_in(header, 4))).filter(|_| whole)?;
            (address::<16>(header, 8)?, address::<16>(header, 24)?, datagram)
        }
        _ => return None,
    };
    let (header, payload) = datagram.split_at_checked(UDP)?;
    let (from, to) = (u16_in(header, 0), u16_in(header, 2));
    if usize::from(u16_in(header, 4)) != datagram.len() || tunnel::may_be(from, to) {
        return None;
    }
    Some(Layers {
        transport: Transport::Udp,
        source: SocketAddr::new(source, from),
        destination: SocketAddr::new(destination, to),
        payload: Cow::Borrowed(payload),
        depth: if cut { Depth::Cut } else { Depth::Payload },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Fragments, Inside, ip};
    use super::*;

    /// A frame of either version with a payload of six bytes.
    fn frame(six: bool) -> Vec<u8> {
        let mut frame = vec![0; 12];
        if six {
            frame.extend([0x86, 0xDD, 0x60, 0, 0, 0, 0, 14, NUMBER, 64]);
            frame.extend((0..32).map(|n| if n < 16 { 1 } else { 2 }));
        } else {
            frame.extend([8, 0, 0x45, 0, 0, 34, 0, 7, 0, 0, 64, NUMBER, 0, 0]);
            frame.extend([10, 0, 0, 1, 10, 0, 0, 2]);
        }
        frame.extend([0x13, 0x88, 0x17, 0x70, 0, 14, 0, 0]);
        frame.extend([9, 8, 7, 6, 5, 4]);
        frame
    }

    #[rstest::rstest]
    fn what_is_told_is_what_stands_there(#[values(false, true)] six: bool, #[values(false, true)] cut: bool) {
        let (frame, trailed) = (frame(six), [frame(six), vec![0; 5]].concat());
        for frame in [frame, trailed] {
            let told = dissect(1, &frame, cut).expect("a plain frame");
            assert_eq!((told.source.port(), told.destination.port()), (5_000, 6_000));
            assert_eq!(&*told.payload, [9, 8, 7, 6, 5, 4]);
            assert_eq!(told.depth, if cut { Depth::Cut } else { Depth::Payload });
            assert!(dissect(113, &frame, cut).is_none(), "another link type");
        }
    }

    proptest! {
        #[test]
        fn a_changed_frame_is_told_as_by_all_layers_or_left_to_them(
            six in any::<bool>(),
            cut in any::<bool>(),
            changes in proptest::collection::vec((0..70_usize, any::<u8>()), 0..3),
            end in 0..80_usize,
        ) {
            let mut frame = frame(six);
            for (at, value) in changes {
                if let Some(byte) = frame.get_mut(at) {
                    *byte = value;
                }
            }
            frame.truncate(end.max(30));
            let Some(told) = dissect(1, &frame, cut) else { return Ok(()) };
            match ip(&frame[ETHERNET..], cut, &mut Fragments::default()) {
                Inside::Found(found) => prop_assert_eq!(
                    (told.transport, told.source, told.destination, told.payload, told.depth),
                    (found.transport, found.source, found.destination, found.payload, found.depth)
                ),
                Inside::Layer(_) => prop_assert!(false, "another layer"),
            }
        }
    }
}
