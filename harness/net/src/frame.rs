//! Puts Ethernet, IPv4, UDP and TCP headers around what crossed a link.
//!
//! Invariant: checksums and lengths are valid, and each MAC address is the IPv4 address after 02:00, so that a link
//! can be told from either.

use std::net::{Ipv4Addr, SocketAddrV4};

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader, ip_number};

/// The longest payload of a datagram over IPv4 (RFC 768, RFC 791).
pub(crate) const LONGEST_DATAGRAM: usize = 65_507;
/// The longest payload of one of our TCP segments.
pub(crate) const LONGEST_SEGMENT: usize = 16 * 1024;
/// The first sequence number of whoever opens a connection.
pub(crate) const CALLING_SEQUENCE: u32 = 0x1000_0000;
/// The first sequence number of whoever accepts one.
pub(crate) const CALLED_SEQUENCE: u32 = 0x2000_0000;

const TIME_TO_LIVE: u8 = 64;
const WINDOW: u16 = 65_535;

/// A UDP datagram; none when the payload is longer than [`LONGEST_DATAGRAM`].
pub(crate) fn datagram(
    source: SocketAddrV4,
    destination: SocketAddrV4,
    id: u16,
    payload: &[u8],
) -> Option<Vec<u8>> {
    let mut frame = Vec::with_capacity(payload.len() + 42);
    headers(*source.ip(), *destination.ip(), id, ip_number::UDP)
        .udp(source.port(), destination.port())
        .write(&mut frame, payload)
        .ok()?;
    Some(frame)
}

/// What a TCP segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flags {
    /// Opens a connection.
    Syn,
    /// Accepts a connection.
    SynAck,
    /// Acknowledges and carries nothing.
    Ack,
    /// Carries bytes.
    Push,
    /// Ends one direction.
    Fin,
    /// Refuses or breaks the connection.
    Reset,
}

/// A TCP segment, of which only the payload ever existed.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
    pub(crate) id: u16,
    pub(crate) flags: Flags,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) payload: bytes::Bytes,
}

impl Segment {
    /// Stands in the comment of every packet that a segment becomes.
    pub(crate) const COMMENT: &str =
        "made by overheard: the payload is what the two programs exchanged, the TCP header was added";

    /// The sequence number that follows: SYN and FIN count as one byte (RFC 9293 §3.4).
    pub(crate) fn next_sequence(&self) -> u32 {
        let flag = u32::from(matches!(self.flags, Flags::Syn | Flags::SynAck | Flags::Fin));
        self.sequence.wrapping_add(self.payload.len() as u32).wrapping_add(flag)
    }

    /// The segment as an Ethernet frame; none when the payload does not fit into an IPv4 packet.
    pub(crate) fn frame(&self) -> Option<Vec<u8>> {
        let mut tcp = TcpHeader::new(self.source.port(), self.destination.port(), self.sequence, WINDOW);
        tcp.syn = matches!(self.flags, Flags::Syn | Flags::SynAck);
        tcp.ack = self.flags != Flags::Syn;
        tcp.psh = self.flags == Flags::Push;
        tcp.fin = self.flags == Flags::Fin;
        tcp.rst = self.flags == Flags::Reset;
        tcp.acknowledgment_number = if tcp.ack { self.acknowledgement } else { 0 };
        let mut frame = Vec::with_capacity(self.payload.len() + 54);
        headers(*self.source.ip(), *self.destination.ip(), self.id, ip_number::TCP)
            .tcp_header(tcp)
            .write(&mut frame, &self.payload)
            .ok()?;
        Some(frame)
    }
}

fn headers(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    id: u16,
    protocol: etherparse::IpNumber,
) -> PacketBuilderStep<etherparse::IpHeaders> {
    let mut ip = etherparse::Ipv4Header {
        identification: id,
        dont_fragment: true,
        time_to_live: TIME_TO_LIVE,
        protocol,
        source: source.octets(),
        destination: destination.octets(),
        ..Default::default()
    };
    ip.header_checksum = ip.calc_header_checksum();
    PacketBuilder::ethernet2(mac(source), mac(destination))
        .ip(etherparse::IpHeaders::Ipv4(ip, etherparse::Ipv4Extensions::default()))
}

/// A locally administered address that holds the IPv4 address.
fn mac(ip: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ip.octets();
    [2, 0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use rstest::rstest;

    use super::*;

    fn address(last: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new([10, 0, 0, last].into(), port)
    }

    #[test]
    fn the_longest_datagram_has_a_frame_and_a_longer_one_has_none() {
        let frame = |length| datagram(address(1, 1), address(2, 2), 7, &vec![0; length]);
        assert_eq!(frame(LONGEST_DATAGRAM).map(|f| f.len()), Some(14 + 20 + 8 + LONGEST_DATAGRAM));
        assert_eq!(frame(LONGEST_DATAGRAM + 1), None);
    }

    #[test]
    fn links_can_be_told_from_mac_addresses() {
        let frame = datagram(address(1, 1), address(2, 2), 7, b"").expect("short enough");
        assert_eq!(frame.get(..12), Some(&[2, 0, 10, 0, 0, 2, 2, 0, 10, 0, 0, 1][..]));
    }

    #[rstest]
    #[case::syn(Flags::Syn, 0, b"", 1)]
    #[case::syn_ack(Flags::SynAck, 0, b"", 1)]
    #[case::ack(Flags::Ack, 5, b"", 5)]
    #[case::bytes(Flags::Push, 5, b"123", 8)]
    #[case::fin(Flags::Fin, 5, b"", 6)]
    #[case::reset(Flags::Reset, 5, b"", 5)]
    #[case::around_the_end(Flags::Push, u32::MAX, b"123", 2)]
    fn sequence_numbers_count_bytes_and_flags(
        #[case] flags: Flags,
        #[case] sequence: u32,
        #[case] payload: &'static [u8],
        #[case] next: u32,
    ) {
        let payload = Bytes::from_static(payload);
        let (source, destination) = (address(1, 1), address(2, 2));
        let segment = Segment { source, destination, id: 0, flags, sequence, acknowledgement: 0, payload };
        assert_eq!(segment.next_sequence(), next);
    }
}
