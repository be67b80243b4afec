//! Media travel under an SRTP protection profile with encryption and a full tag.

use std::collections::BTreeMap;

use model::results::Blame;

use crate::case::Case;
use crate::evidence::{Association, Evidence};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every handshake whose keys protect media chose `SRTP_AES128_CM_HMAC_SHA1_80`, `SRTP_AEAD_AES_128_GCM` or
    /// `SRTP_AEAD_AES_256_GCM`, and the client had offered it.
    ///
    /// ## Why it matters
    /// The NULL profiles encrypt nothing, and with a tag of 32 bits one forged packet in four thousand million gets
    /// through.
    ///
    /// ## How it decides
    /// It passes when each association beside a media stream chose one of the three. It fails with those that chose
    /// another one or none. It is inconclusive when no such handshake was seen whole.
    summary: "media have encryption and a full authentication tag",
    requirements: [
        "rfc8827/6.5/media-are-srtp", "rfc8827/6.5/no-plain-rtp", "rfc5764/4.1.1/profile-was-offered",
        "rfc3711/9.5/full-tag", "rfc7714/13.2/tag-is-not-truncated",
    ],
    applies: |case| case.evidence.associations.iter().any(|a| carries_media(case.evidence, a)),
    judge: judge,
}

/// Numbers of RFC 5764 §4.1.2 and RFC 7714 §14.2.
const STRONG: [u16; 3] = [0x0001, 0x0007, 0x0008];

fn carries_media(evidence: &Evidence<'_>, association: &Association) -> bool {
    evidence.media.iter().any(|media| media.stream.flow.undirected() == association.flow)
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let mut weak: BTreeMap<(String, &str), Located> = BTreeMap::new();
    for association in evidence.associations.iter().filter(|a| carries_media(evidence, a)) {
        let Some((client, _)) = association.client_and_server() else { continue };
        if !association.tells_profile() {
            findings.doubt(crate::checks::dtls::PROFILE_UNREAD);
            continue;
        }
        findings.examine(1);
        let chosen = association.profile();
        let wrong = if !chosen.is_some_and(|profile| STRONG.contains(&profile)) {
            "without encryption or without a full tag"
        } else if !chosen.is_some_and(|profile| client.srtp_profiles.contains(&profile)) {
            "that the client did not offer"
        } else {
            continue;
        };
        let at = evidence.located(association.packets.first().copied().unwrap_or_default());
        weak.entry((at.1.to_owned(), wrong)).or_default().add(at);
    }
    for ((tap, wrong), located) in weak {
        findings.fail(Blame::Harness, format!("media at {tap} have an SRTP profile {wrong}"), located);
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use rstest::rstest;

    use crate::bench::plans::both_on;
    use crate::bench::story::{Datagram, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "media/srtp-profile-is-strong";

    /// Writes another profile into every `use_srtp` extension.
    fn choose(datagrams: &mut [Datagram], profile: u8) {
        let extension = [0, 14, 0, 5, 0, 2, 0, 7, 0];
        for bytes in datagrams.iter_mut().map(|datagram| &mut datagram.bytes) {
            if let Some(at) = bytes.windows(9).position(|window| window == extension) {
                bytes[at + 7] = profile;
            }
        }
    }

    #[test]
    fn an_authenticated_cipher_passes() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_profile_that_was_not_offered_fails() {
        let tamper: fn(&mut Vec<Datagram>) = |datagrams| {
            let hello = datagrams.iter_mut().filter(|d| d.bytes.get(13) == Some(&1));
            let mut hellos: Vec<Datagram> = hello.map(|d| d.clone()).collect();
            choose(&mut hellos, 0x08);
            for (old, new) in datagrams.iter_mut().filter(|d| d.bytes.get(13) == Some(&1)).zip(hellos) {
                *old = new;
            }
        };
        let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        let text = "media at alice@contoso.example have an SRTP profile that the client did not offer";
        assert_eq!(trial.text(NAME), text);
    }

    #[rstest]
    #[case::short_tag(|d: &mut Vec<Datagram>| choose(d, 0x02))]
    #[case::null_cipher(|d: &mut Vec<Datagram>| choose(d, 0x05))]
    #[case::null_cipher_and_short_tag(|d: &mut Vec<Datagram>| choose(d, 0x06))]
    #[case::unknown(|d: &mut Vec<Datagram>| choose(d, 0x7F))]
    fn a_weak_profile_fails(#[case] tamper: fn(&mut Vec<Datagram>)) {
        let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Fail));
    }
}
