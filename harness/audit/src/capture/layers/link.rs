//! Link layers, by the numbers of the registry of link types, and what ether types and PPP name.

use super::Layer;

/// Tags that stand between an Ethernet header and its payload (IEEE 802.1Q, 802.1ad, and two older numbers).
const TAGS: [u16; 4] = [0x8100, 0x88A8, 0x9100, 0x9200];
/// IP version 4 and 6.
const IP: [u16; 2] = [0x0800, 0x86DD];
/// MPLS, unicast and with labels assigned upstream (RFC 5332).
const MPLS: [u16; 2] = [0x8847, 0x8848];
/// A session of PPP over Ethernet (RFC 2516).
const PPPOE_SESSION: u16 = 0x8864;
/// An Ethernet header inside a tunnel.
const BRIDGED: u16 = 0x6558;
/// The address families that stand for IP in the header of BSD loopback: 2, and what systems call IPv6.
const FAMILIES: [u32; 5] = [2, 10, 24, 28, 30];

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|half| u16::from_be_bytes(*half))
}

fn or_malformed(layer: Option<Layer<'_>>) -> Layer<'_> {
    layer.unwrap_or(Layer::Malformed)
}

/// What stands at the start of a frame of this link type.
pub(super) fn outermost(linktype: u16, frame: &[u8]) -> Layer<'_> {
    match linktype {
        1 => ethernet(frame),
        0 | 108 => or_malformed(loopback(frame)),
        9 | 50 => Layer::Ppp(frame),
        51 => or_malformed(frame.get(6..).map(Layer::Ppp)),
        12 | 14 | 101 | 228 | 229 => Layer::Ip(frame),
        105 => or_malformed(wlan(frame)),
        113 => or_malformed(typed(frame, 14, 16)),
        127 => or_malformed(radiotap(frame)),
        239 => or_malformed(nflog(frame)),
        276 => or_malformed(typed(frame, 0, 20)),
        _ => Layer::Other,
    }
}

fn typed(frame: &[u8], ether_type: usize, payload: usize) -> Option<Layer<'_>> {
    Some(Layer::Type(u16_at(frame, ether_type)?, frame.get(payload..)?))
}

/// An Ethernet II header; an 802.3 length instead of a type has nothing for us above it.
pub(super) fn ethernet(frame: &[u8]) -> Layer<'_> {
    or_malformed(typed(frame, 12, 14))
}

/// The address family is in the byte order of the capturing host, which is not always that of the file.
fn loopback(frame: &[u8]) -> Option<Layer<'_>> {
    let family = *frame.first_chunk::<4>()?;
    let known = [u32::from_le_bytes(family), u32::from_be_bytes(family)];
    let known = known.iter().any(|family| FAMILIES.contains(family));
    frame.get(4..).map(|rest| if known { Layer::Ip(rest) } else { Layer::Other })
}

/// What an ether type names.
pub(super) fn of_type(ether_type: u16, rest: &[u8]) -> Layer<'_> {
    match ether_type {
        ip if IP.contains(&ip) => Layer::Ip(rest),
        tag if TAGS.contains(&tag) => or_malformed(typed(rest, 2, 4)),
        mpls if MPLS.contains(&mpls) => or_malformed(labels(rest)),
        PPPOE_SESSION => or_malformed(rest.get(6..).map(Layer::Ppp)),
        BRIDGED => Layer::Ethernet(rest),
        _ => Layer::Other,
    }
}

/// Behind the bottom of the label stack (RFC 3032 §2.1) stands IP, or a pseudowire's control word and an Ethernet
/// header (RFC 4448 §4.6).
fn labels(mut rest: &[u8]) -> Option<Layer<'_>> {
    loop {
        let (label, above) = rest.split_first_chunk::<4>()?;
        rest = above;
        if label[2] & 1 == 1 {
            break;
        }
    }
    Some(match rest.first()? >> 4 {
        4 | 6 => Layer::Ip(rest),
        0 => Layer::Ethernet(rest.get(4..)?),
        _ => Layer::Other,
    })
}

/// PPP with or without address and control field (RFC 1661 §2, RFC 1662 §3.1), the protocol in one or two bytes.
pub(super) fn ppp(frame: &[u8]) -> Layer<'_> {
    match frame.strip_prefix(&[0xFF, 3]).unwrap_or(frame) {
        [0, 0x21 | 0x57, rest @ ..] | [0x21 | 0x57, rest @ ..] => Layer::Ip(rest),
        [_, _, ..] => Layer::Other,
        _ => Layer::Malformed,
    }
}

/// A data frame of 802.11 that no link encryption hides, with an LLC and SNAP header.
fn wlan(frame: &[u8]) -> Option<Layer<'_>> {
    let [control, flags] = *frame.first_chunk::<2>()?;
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    if kind != 2 || subtype & 4 != 0 || flags & 0x40 != 0 {
        return Some(Layer::Other);
    }
    let mut length = if flags & 3 == 3 { 30 } else { 24 };
    let mut aggregated = false;
    if subtype & 8 != 0 {
        aggregated = frame.get(length)? & 0x80 != 0;
        length += if flags & 0x80 == 0 { 2 } else { 6 };
    }
    // Of several frames in one, the first is read; each begins with two addresses and a length.
    let rest = frame.get(length + if aggregated { 14 } else { 0 }..)?;
    match rest {
        [0xAA, 0xAA, 3, 0, 0, 0, ..] => typed(rest, 6, 8),
        _ => Some(Layer::Other),
    }
}

/// The header's length is little endian; a check sequence at the end is harmless above IP.
fn radiotap(frame: &[u8]) -> Option<Layer<'_>> {
    let length = frame.get(2..)?.first_chunk::<2>()?;
    wlan(frame.get(usize::from(u16::from_le_bytes(*length))..)?)
}

/// Fields of a length and a type in the host's byte order, here little endian; type 9 is the packet.
fn nflog(frame: &[u8]) -> Option<Layer<'_>> {
    let mut fields = frame.get(4..)?;
    while let Some(head) = fields.first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([head[0], head[1]]));
        if length < 4 {
            return None;
        }
        if u16::from_le_bytes([head[2], head[3]]) & 0x7FFF == 9 {
            return fields.get(4..length).map(Layer::Ip);
        }
        fields = fields.get(length.next_multiple_of(4)..)?;
    }
    None
}
