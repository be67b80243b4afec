//! RTCP beside RTP on one port (RFC 5761 §4), in the clear or protected.
//!
//! Invariant: what tiles the datagram exactly is called clear; everything else in the family is protected.

use super::stun::u16_at;

model::words! {
    /// What a packet reports, by its packet type.
    pub enum Kind {
        /// Sender report (RFC 3550 §6.4.1).
        Sr = "SR",
        /// Receiver report (RFC 3550 §6.4.2).
        Rr = "RR",
        /// Source description (RFC 3550 §6.5).
        Sdes = "SDES",
        /// Goodbye (RFC 3550 §6.6).
        Bye = "BYE",
        /// Defined by an application (RFC 3550 §6.7).
        App = "APP",
        /// Feedback of the transport (RFC 4585 §6.2).
        Rtpfb = "RTPFB",
        /// Feedback of a payload (RFC 4585 §6.3).
        Psfb = "PSFB",
        /// Extended report (RFC 3611 §2).
        Xr = "XR",
        /// Any other.
        Other = "other",
    }
}

/// The item of a source description that names its end for good (RFC 3550 §6.5.1).
const CNAME: u8 = 1;

/// One packet of a compound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// What it reports.
    pub kind: Kind,
    /// The five low bits of its first byte: how many blocks, sources or chunks.
    pub count: u8,
    /// What follows its first four bytes.
    pub body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The canonical names in a source description, without their lengths.
    pub fn cnames(&self) -> Vec<&'a [u8]> {
        let (mut names, mut rest) = (Vec::new(), self.body);
        if self.kind != Kind::Sdes {
            return names;
        }
        for _ in 0..self.count {
            // A source, then items, and a zero up to the next word.
            let mut at = 4;
            while let Some([item @ 1..=255, length]) = rest.get(at..at + 2) {
                let value = rest.get(at + 2..at + 2 + usize::from(*length));
                names.extend(value.filter(|_| *item == CNAME));
                at += 2 + usize::from(*length);
            }
            rest = rest.get((at + 1).next_multiple_of(4)..).unwrap_or_default();
        }
        names
    }
}

/// The packets of a compound (RFC 3550 §6.1), up to the first that is cut.
pub fn packets(datagram: &[u8]) -> Vec<Packet<'_>> {
    let (mut found, mut rest) = (Vec::new(), datagram);
    while let Some((&[first, kind, ..], words)) = rest.first_chunk::<4>().zip(u16_at(rest, 2)) {
        let length = 4 * (usize::from(words) + 1);
        let Some(body) = rest.get(4..length).filter(|_| first >> 6 == 2) else { break };
        let kind = match kind {
            200 => Kind::Sr,
            201 => Kind::Rr,
            202 => Kind::Sdes,
            203 => Kind::Bye,
            204 => Kind::App,
            205 => Kind::Rtpfb,
            206 => Kind::Psfb,
            207 => Kind::Xr,
            _ => Kind::Other,
        };
        found.push(Packet { kind, count: first & 0x1F, body });
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// Whether the second byte belongs to the RTCP family (RFC 5761 §4): packet types 192 to 223.
pub fn looks_like(datagram: &[u8]) -> bool {
    datagram.len() >= 8
        && datagram.first().is_some_and(|b| b >> 6 == 2)
        && datagram.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Whether compound packets fill the datagram exactly (RFC 3550 §6.1), as clear RTCP must.
pub fn tiles(datagram: &[u8]) -> bool {
    let mut at = 0;
    while at < datagram.len() {
        let Some(rest) = datagram.get(at..) else { return false };
        let Some(words) = u16_at(rest, 2) else { return false };
        if !looks_like(rest) && rest.len() != 4 {
            return false;
        }
        at += 4 * (usize::from(words) + 1);
    }
    at == datagram.len()
}

/// Whether the word of SRTCP stands near the end (RFC 3711 §3.4, RFC 7714 §9.2): the E flag above an index that has
/// not gone far, before a tag of 10 or 4 bytes, or at the very end, with or without a key identifier of four bytes.
pub fn is_protected(datagram: &[u8]) -> bool {
    [4, 8, 12, 14, 18].into_iter().any(|back| {
        let at = datagram.len().checked_sub(back).filter(|at| *at >= 8);
        at.and_then(|at| datagram.get(at)) == Some(&0x80)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_report_and_a_source_description_tile() {
        let mut compound = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        compound.extend([0x81, 202, 0, 2, 1, 2, 3, 4, 0, 0, 0, 0]);
        assert!(looks_like(&compound) && tiles(&compound));
    }

    /// A source with these items.
    fn description(items: &[u8]) -> Vec<u8> {
        let mut body = vec![0xAB, 0, 0, 1];
        body.extend(items);
        body.push(0);
        body.resize(body.len().next_multiple_of(4), 0);
        [&[0x81, 202, 0, (body.len() / 4) as u8][..], &body].concat()
    }

    fn names(datagram: &[u8]) -> Vec<Vec<u8>> {
        packets(datagram).iter().flat_map(Packet::cnames).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn every_kind_of_a_compound_is_told() {
        let compound: Vec<u8> = (199..=208).flat_map(|kind| [0x80, kind, 0, 1, 1, 2, 3, 4]).collect();
        let kinds: Vec<&str> = packets(&compound).iter().map(|packet| packet.kind.word()).collect();
        assert_eq!(kinds, ["other", "SR", "RR", "SDES", "BYE", "APP", "RTPFB", "PSFB", "XR", "other"]);
    }

    #[test]
    fn canonical_names_are_read_among_other_items() {
        let two = [&[0x80, 201, 0, 1, 1, 2, 3, 4][..], &description(b"\x06\x04tool\x01\x03a@b")].concat();
        assert_eq!(names(&two), [b"a@b"]);
        let mut both = description(b"\x01\x04anna");
        both[0] = 0x82;
        both[3] = 6;
        both.extend(description(b"\x01\x04bert").split_off(4));
        assert_eq!(names(&both), [b"anna", b"bert"]);
    }

    #[rstest::rstest]
    #[case::another_item(&description(b"\x02\x04name"))]
    #[case::length_past_the_end(&description(b"\x01\x44name"))]
    #[case::no_items(&description(b""))]
    #[case::more_chunks_than_there_are(&[0x9F, 202, 0, 0])]
    #[case::of_another_kind(&[&[0x81, 204][..], &description(b"\x01\x04name")[2..]].concat())]
    #[case::cut(&description(b"\x01\x04name")[..8])]
    #[case::of_another_version(&[&[0x41][..], &description(b"\x01\x04name")[1..]].concat())]
    fn where_no_name_stands_none_is_read(#[case] datagram: &[u8]) {
        assert_eq!(names(datagram), Vec::<Vec<u8>>::new());
    }

    #[rstest::rstest]
    #[case::aead(&[0x80, 0, 0, 9], true)]
    #[case::sha1_80(&[0x80, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], true)]
    #[case::sha1_32_with_a_key_id(&[0x80, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8], true)]
    #[case::not_encrypted(&[0x00, 0, 0, 9], false)]
    #[case::nothing_of_the_kind(&[7; 14], false)]
    fn the_word_of_srtcp_tells_it(#[case] end: &[u8], #[case] protected: bool) {
        let packet = [&[0x80, 201, 0, 1, 1, 2, 3, 4][..], &[7; 20], end].concat();
        assert_eq!(is_protected(&packet), protected);
        assert!(!is_protected(&packet[..8]), "the header is no word");
    }

    #[test]
    fn a_protected_report_does_not_tile() {
        let mut protected = vec![0x80, 201, 0, 1, 1, 2, 3, 4];
        protected.extend([7; 20]);
        assert!(looks_like(&protected) && !tiles(&protected));
        assert!(!tiles(&protected[..7]));
    }
}
