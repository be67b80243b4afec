//! Every session description asks for DTLS-SRTP and carries no key.

use std::collections::BTreeMap;

use model::results::Blame;

use crate::case::Case;
use crate::dissect::sdp::Description;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every media section of every session description that crossed a device's link has the profile
    /// `UDP/TLS/RTP/SAVPF` and a SHA-256 fingerprint of a certificate, and no description has a key in it (`a=crypto`,
    /// RFC 4568).
    ///
    /// ## Why it matters
    /// A description with another profile sends media in the clear, and one with a key hands the key to everybody who
    /// carries the signalling.
    ///
    /// ## How it decides
    /// It passes when every description is so. It fails with the device or the service that sent one that is not. It
    /// is inconclusive when no description has a media section.
    summary: "descriptions ask for DTLS-SRTP and carry no key",
    requirements: [
        "rfc8829/5.2.1/proto-is-dtls-srtp", "rfc8827/6.5/dtls-srtp-for-every-channel",
        "rfc8122/5/descriptions-have-a-fingerprint",
    ],
    applies: |case| case.evidence.signalling.messages.iter().any(|message| !message.text_of("sdp").is_empty()),
    judge: judge,
}

const PROFILE: &str = "UDP/TLS/RTP/SAVPF";

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let mut wrong: BTreeMap<(String, &str), (Blame, Located)> = BTreeMap::new();
    for message in &evidence.signalling.messages {
        let sdp = message.text_of("sdp");
        if sdp.is_empty() {
            continue;
        }
        let description = Description::parse(sdp);
        findings.examine(description.protocols.len() as u64);
        let at = evidence.located(message.packet);
        let call = case.calls.iter().filter_map(|call| call.record);
        let by_caller = call.clone().any(|record| record.caller.to_string() == at.1);
        let blame = match (message.from_client, by_caller) {
            (false, _) => Blame::CallService,
            (true, true) => Blame::Caller,
            (true, false) => Blame::Callee,
        };
        let sender = if message.from_client { at.1 } else { "the service" };
        let mut note = |what: &'static str| {
            let entry = wrong.entry((sender.to_owned(), what));
            entry.or_insert_with(|| (blame, Located::default())).1.add(at);
        };
        if description.protocols.iter().any(|protocol| protocol != PROFILE) {
            note("asks for media that DTLS-SRTP does not protect");
        }
        if !description.protocols.is_empty() && description.fingerprints.is_empty() {
            note("names no certificate");
        }
        if description.has_crypto_line {
            note("carries a key");
        }
    }
    for ((sender, what), (blame, located)) in wrong {
        findings.fail(blame, format!("a session description of {sender} {what}"), located);
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use rstest::rstest;

    use crate::bench::plans::both_on;
    use crate::bench::signals::Signals;
    use crate::bench::story::{ALICE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "sdp/media-are-dtls-srtp";

    #[test]
    fn descriptions_of_dtls_srtp_pass() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    fn change(signals: &mut Signals, from: &str, to: &str) {
        let own = |s: &&mut crate::bench::signals::Signal| s.side == ALICE && s.json["type"] == "sdp-offer";
        let offer = signals.signals.iter_mut().find(own).expect("an offer");
        let sdp = offer.json["sdp"].as_str().expect("text").replace(from, to);
        offer.json["sdp"] = sdp.into();
    }

    #[rstest]
    #[case::plain_rtp(|s: &mut Signals| change(s, "UDP/TLS/RTP/SAVPF", "RTP/AVP"), "asks for media that DTLS-SRTP does not protect")]
    #[case::key(|s: &mut Signals| change(s, "a=rtpmap", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:A\r\na=rtpmap"), "carries a key")]
    fn another_description_fails_and_nothing_else_does(
        #[case] signals: fn(&mut Signals),
        #[case] what: &str,
    ) {
        let trial = Trial::of(&Story { signals, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        let text = format!("a session description of alice@contoso.example {what}");
        assert_eq!(trial.text(NAME), text);
    }

    #[test]
    fn a_description_without_a_fingerprint_fails() {
        let signals: fn(&mut Signals) = |signals| change(signals, "a=fingerprint", "a=x");
        let trial = Trial::of(&Story { signals, ..Story::sealed(both_on()) });
        assert_eq!(trial.text(NAME), "a session description of alice@contoso.example names no certificate");
    }

    #[test]
    fn a_description_without_media_shows_nothing() {
        let cut: fn(&mut Signals) = |s| {
            for signal in s.signals.iter_mut().filter(|s| s.json.get("sdp").is_some()) {
                signal.json["sdp"] = "v=0\r\n".into();
            }
        };
        let trial = Trial::of(&Story { signals: cut, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
