//! The class of a packet (design, section 6): each packet counts once, under its outermost payload.
//!
//! Invariant: a first byte decides among the protocols that share a port (RFC 7983 §7, RFC 9443 §3).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use model::words;

use super::{Capture, Packet, Transport};
use crate::dissect::{dtls, rtcp, rtp, stun};

words! {
    /// What a packet is.
    pub enum Class {
        /// STUN and TURN messages.
        Stun = "stun",
        /// TURN channel data.
        TurnChannel = "turn-channel",
        /// DTLS.
        Dtls = "dtls",
        /// RTP on a path on which keys were agreed.
        Srtp = "srtp",
        /// RTCP on such a path, or RTCP that can only be encrypted.
        Srtcp = "srtcp",
        /// RTP on a path without any key agreement.
        Rtp = "rtp",
        /// RTCP in the clear.
        Rtcp = "rtcp",
        /// ZRTP.
        Zrtp = "zrtp",
        /// SIP.
        Sip = "sip",
        /// A TCP connection that carries TLS.
        Tls = "tls",
        /// QUIC.
        Quic = "quic",
        /// DNS.
        Dns = "dns",
        /// UDP that is none of these.
        OtherUdp = "other-udp",
        /// TCP that is none of these.
        OtherTcp = "other-tcp",
        /// Neither UDP nor TCP.
        Other = "other",
        /// What cannot be sliced.
        Malformed = "malformed",
    }
}

/// Two endpoints, the smaller first.
type Pair = (SocketAddr, SocketAddr);

fn pair(packet: &Packet) -> Pair {
    (packet.source.min(packet.destination), packet.source.max(packet.destination))
}

/// Gives every packet its class; what a flow is known to carry decides where a packet alone cannot.
pub(super) fn classify(capture: &mut Capture) {
    let first: Vec<Class> = capture.packets.iter().map(|p| of_packet(capture, p)).collect();
    let with = |wanted: Class| -> BTreeSet<Pair> {
        let both = capture.packets.iter().zip(&first);
        both.filter(|(_, class)| **class == wanted).map(|(packet, _)| pair(packet)).collect()
    };
    let (keyed, tls) = (with(Class::Dtls), with(Class::Tls));
    let unified: Vec<bool> = capture.packets.iter().map(|p| dtls::is_unified(capture.payload(p))).collect();
    for ((packet, class), unified) in capture.packets.iter_mut().zip(first).zip(unified) {
        let ends = pair(packet);
        packet.class = match class {
            Class::Rtp if keyed.contains(&ends) => Class::Srtp,
            Class::Rtcp if keyed.contains(&ends) => Class::Srtcp,
            // The first bits of a record of DTLS 1.3 (RFC 9147 §4) say something between these two alone.
            Class::OtherUdp if keyed.contains(&ends) && unified => Class::Dtls,
            Class::OtherTcp if tls.contains(&ends) => Class::Tls,
            other => other,
        };
    }
}

fn of_packet(capture: &Capture, packet: &Packet) -> Class {
    let payload = capture.payload(packet);
    match (packet.transport, packet.class) {
        (_, Class::Malformed) => Class::Malformed,
        (Transport::Udp, _) => of_datagram(payload, packet),
        (Transport::Tcp { .. }, _) if starts_tls(payload) => Class::Tls,
        (_, class) => class,
    }
}

/// The class of a UDP payload by itself; RTP and RTCP stand for their protected forms as well.
pub fn of_datagram(payload: &[u8], packet: &Packet) -> Class {
    let Some(first) = payload.first() else { return Class::OtherUdp };
    let port = |wanted| packet.source.port() == wanted || packet.destination.port() == wanted;
    match first {
        0..=3 if stun::Message::parse(payload).is_some() || stun::Message::is_classic(payload) => Class::Stun,
        _ if port(53) => Class::Dns,
        16..=19 if payload.get(4..8) == Some(b"ZRTP") => Class::Zrtp,
        20..=63 if dtls::looks_like(payload) => Class::Dtls,
        64..=79 if crate::dissect::turn::channel_data(payload).is_some() => Class::TurnChannel,
        b'A'..=b'Z' if looks_like_sip(payload) => Class::Sip,
        128..=191 => of_media(payload, packet.cut),
        192..=255
            if payload.get(1..5).is_some_and(|v| v == [0, 0, 0, 1] || v == [0x6b, 0x33, 0x43, 0xcf]) =>
        {
            Class::Quic
        }
        _ => Class::OtherUdp,
    }
}

fn of_media(payload: &[u8], cut: bool) -> Class {
    if rtcp::looks_like(payload) {
        if rtcp::tiles(payload) {
            Class::Rtcp
        } else if cut || rtcp::is_protected(payload) {
            Class::Srtcp
        } else {
            Class::OtherUdp
        }
    } else if rtp::Header::parse(payload).is_some() {
        Class::Rtp
    } else {
        Class::OtherUdp
    }
}

fn looks_like_sip(payload: &[u8]) -> bool {
    payload.windows(8).take(512).any(|w| w == b"SIP/2.0\r") || payload.starts_with(b"SIP/2.0 ")
}

/// Whether a segment starts with a TLS record (RFC 8446 §5.1): type, legacy version, length.
pub fn starts_tls(payload: &[u8]) -> bool {
    matches!(payload, [20..=23, 3, 0..=4, high, ..] if *high <= 0x41)
}
