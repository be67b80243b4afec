//! Tunnels inside IP and inside UDP.

use etherparse::{IpNumber, UdpSlice};

use super::Layer;

/// What a tunnel directly above IP holds; none where there is no tunnel.
pub(super) fn above_ip(number: IpNumber, payload: &[u8]) -> Option<Layer<'_>> {
    match number.0 {
        4 | 41 => Some(Layer::Ip(payload)),
        47 => Some(gre(payload).unwrap_or(Layer::Malformed)),
        137 => Some(Layer::Type(0x8847, payload)),
        _ => None,
    }
}

/// GRE (RFC 2784 §2, RFC 2890 §2), and the version of PPTP (RFC 2637 §4.1).
fn gre(bytes: &[u8]) -> Option<Layer<'_>> {
    let [flags, low, high_type, low_type] = *bytes.first_chunk::<4>()?;
    let set = |bit: u8| usize::from(flags & bit != 0);
    let (checksum, routing, key, sequence) = (set(0x80), set(0x40), set(0x20), set(0x10));
    if routing == 1 {
        return Some(Layer::Other);
    }
    let words = 1 + key + sequence + if low & 7 == 1 { usize::from(low & 0x80 != 0) } else { checksum };
    let rest = bytes.get(4 * words..)?;
    Some(match u16::from_be_bytes([high_type, low_type]) {
        0x880B => Layer::Ppp(rest),
        // ERSPAN: eight bytes before the frame where there is a sequence number, none where there is not.
        0x88BE => Layer::Ethernet(rest.get(8 * sequence..)?),
        0x22EB => Layer::Ethernet(rest.get(12..)?),
        other => Layer::Type(other, rest),
    })
}

/// Whether a datagram between these ports may be a tunnel.
pub(super) fn may_be(from: u16, to: u16) -> bool {
    const PORTS: [u16; 5] = [4789, 8472, 6081, 2152, 3544];
    PORTS.contains(&from) || PORTS.contains(&to)
}

/// What a tunnel in a UDP datagram holds; none where port and first bytes do not both speak for one.
pub(super) fn above_udp<'f>(udp: &UdpSlice<'f>) -> Option<Layer<'f>> {
    let (from, to) = (udp.source_port(), udp.destination_port());
    match (from, to) {
        (_, 4789 | 8472) => vxlan(udp.payload()),
        (_, 6081) => geneve(udp.payload()),
        (2152, _) | (_, 2152) => gtp_u(udp.payload()),
        (3544, _) | (_, 3544) => teredo(udp.payload()),
        _ => None,
    }
}

/// VXLAN (RFC 7348 §5): the flag of a valid identifier, everything else reserved.
fn vxlan(payload: &[u8]) -> Option<Layer<'_>> {
    let (head, rest) = payload.split_first_chunk::<8>()?;
    (head[0] == 8 && head[1..4] == [0, 0, 0] && head[7] == 0).then_some(Layer::Ethernet(rest))
}

/// Geneve (RFC 8926 §3.4), version 0.
fn geneve(payload: &[u8]) -> Option<Layer<'_>> {
    let [first, _, high, low, ..] = *payload.first_chunk::<8>()?;
    let rest = payload.get(8 + 4 * usize::from(first & 0x3F)..)?;
    (first >> 6 == 0).then_some(Layer::Type(u16::from_be_bytes([high, low]), rest))
}

/// A user packet of GTP version 1 (3GPP TS 29.281 §5.1) with its extension headers.
fn gtp_u(payload: &[u8]) -> Option<Layer<'_>> {
    let head = payload.first_chunk::<8>()?;
    if head[0] >> 4 != 3 || head[1] != 0xFF {
        return None;
    }
    let mut at = if head[0] & 7 == 0 { 8 } else { 12 };
    let mut next = if head[0] & 4 == 0 { 0 } else { *payload.get(11)? };
    while next != 0 {
        let words = usize::from(*payload.get(at)?);
        if words == 0 {
            return None;
        }
        at += 4 * words;
        next = *payload.get(at - 1)?;
    }
    let rest = payload.get(at..)?;
    matches!(rest.first()? >> 4, 4 | 6).then_some(Layer::Ip(rest))
}

/// Teredo (RFC 4380 §5.1.1): IPv6, behind an authentication and an origin indication where there are any.
fn teredo(payload: &[u8]) -> Option<Layer<'_>> {
    let mut rest = payload;
    if let [0, 1, identifier, secret, ..] = rest {
        rest = rest.get(13 + usize::from(*identifier) + usize::from(*secret)..)?;
    }
    if let [0, 0, ..] = rest {
        rest = rest.get(8..)?;
    }
    (rest.len() >= 40 && rest.first()? >> 4 == 6).then_some(Layer::Ip(rest))
}
