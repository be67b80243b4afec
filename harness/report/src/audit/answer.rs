//! What an audit answers, in words that every format shares.

use std::collections::BTreeSet;

use model::audit::{AuditStream, AuditVerdict, Protection};

use crate::legible::plain;
use crate::page::Tone;

/// What all streams together come to, in a clause.
pub fn verdict(verdict: AuditVerdict) -> (Tone, &'static str) {
    match verdict {
        AuditVerdict::NotEndToEnd => (Tone::Bad, "somebody beside the two ends can read or forge media"),
        AuditVerdict::EndToEndConsistent => {
            (Tone::Good, "nobody whose keys were handed over can read the media")
        }
        AuditVerdict::Inconclusive => (Tone::Doubt, "who can read the media was not shown"),
    }
}

/// Which way a protection points.
pub fn tone(protection: Protection) -> Tone {
    match protection {
        Protection::Plaintext | Protection::Broken | Protection::TransportOnly => Tone::Bad,
        Protection::EndToEndConsistent => Tone::Good,
        Protection::Insufficient | Protection::EncryptedUndetermined => Tone::Doubt,
    }
}

/// Who can hear a stream of this protection, in a clause.
pub fn who(protection: Protection) -> &'static str {
    match protection {
        Protection::Plaintext => "anybody on the way can hear it, without a key",
        Protection::Broken => "anybody with this capture can hear or forge at least some of it",
        Protection::TransportOnly => "whoever holds the keys of the hop can hear it",
        Protection::EndToEndConsistent => "nobody whose keys were handed over can hear it",
        Protection::Insufficient => "too few packets to tell",
        Protection::EncryptedUndetermined => "nobody without a key; who holds keys was not shown",
    }
}

/// Who can hear `stream`, by name where keys opened it.
pub fn who_hears(stream: &AuditStream) -> String {
    let owners: BTreeSet<String> = stream.opened.iter().map(|opened| plain(&opened.owner)).collect();
    match stream.protection {
        Protection::TransportOnly if !owners.is_empty() => {
            let owners: Vec<String> = owners.into_iter().collect();
            format!("whoever holds the keys of {} can hear it", owners.join(" or of "))
        }
        protection => who(protection).to_owned(),
    }
}

/// Where the RTP of a stream stands, where a header of the product's own stands before it.
pub fn offset(stream: &AuditStream) -> Option<String> {
    let plural = if stream.rtp_offset == 1 { "" } else { "s" };
    (stream.rtp_offset > 0).then(|| {
        format!(
            "its RTP stands behind {} byte{plural} of a header of the product's own in each datagram",
            stream.rtp_offset
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn only_where_a_header_stands_before_the_rtp_is_it_told() {
        let [open, hop] = &sample::audit().streams[..] else { panic!("two streams") };
        assert_eq!(offset(open), None);
        assert!(offset(hop).expect("a header").contains("behind 24 bytes of"));
        let one = AuditStream { rtp_offset: 1, ..hop.clone() };
        assert!(offset(&one).expect("a header").contains("behind 1 byte of"));
    }

    #[test]
    fn a_hop_s_owner_is_named() {
        let audit = sample::audit();
        let hop = audit.streams.iter().find(|s| s.protection == Protection::TransportOnly).expect("a hop");
        assert_eq!(who_hears(hop), "whoever holds the keys of sfu can hear it");
        let nobody = AuditStream { opened: Vec::new(), ..hop.clone() };
        assert_eq!(who_hears(&nobody), "whoever holds the keys of the hop can hear it");
    }

    #[test]
    fn only_what_was_shown_is_good() {
        let good = Protection::ALL.iter().filter(|protection| tone(**protection) == Tone::Good);
        assert!(good.eq([&Protection::EndToEndConsistent]));
    }
}
