//! The certificate of every media handshake is the one that its session description names.

use std::collections::{BTreeMap, BTreeSet};

use model::results::Blame;

use crate::case::Case;
use crate::dissect::sdp::Description;
use crate::evidence::{Association, Evidence};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Of every DTLS association whose media came through, the certificate that was presented to a device is named by a
    /// fingerprint in a session description that reached this device, and its own by one that it sent. At the service's
    /// nodes any description of the run counts.
    ///
    /// ## Why it matters
    /// The certificates are self-signed. Only the fingerprint ties them to the call; an end that does not compare
    /// them talks to whoever answers.
    ///
    /// ## How it decides
    /// It passes when each certificate is in a description that went the same way. It fails when one is not and media
    /// flowed all the same. It is inconclusive when no handshake, or no description, could be read.
    summary: "certificates are those of the session descriptions",
    requirements: [
        "rfc5763/5/certificate-matches-fingerprint", "rfc5763/5/mismatch-ends-the-session",
        "rfc8122/5.1/certificate-matches-a-fingerprint", "rfc8122/5.1/no-connection-without-a-match",
    ],
    applies: |case| case.evidence.associations.iter().any(|a| carried_media(case.evidence, a)),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let described = Described::of(evidence);
    if described.anywhere.is_empty() {
        findings.doubt("no session description could be read; run the scenario again with its keys kept");
        return;
    }
    let mut wrong: BTreeMap<(String, &str), Located> = BTreeMap::new();
    for association in evidence.associations.iter().filter(|a| carried_media(evidence, a)) {
        let (number, tap) = evidence.located(association.packets.first().copied().unwrap_or_default());
        for flow in [association.flow, association.flow.reversed()] {
            let Some(fingerprint) = association.sender(flow).fingerprint else { continue };
            findings.examine(1);
            let own = evidence.is_outgoing(flow);
            if !described.names(flow.interface, own, tap, &fingerprint) {
                let what = if own { "it presents" } else { "is presented to it" };
                wrong.entry((tap.to_owned(), what)).or_default().add((number, tap));
            }
        }
    }
    for ((tap, what), located) in wrong {
        let text = format!(
            "the certificate that {what} at {tap} is in no session description that went that way, and media flowed"
        );
        findings.fail(accepting(case, &tap), text, located);
    }
}

/// The end that went on with the wrong certificate.
fn accepting(case: &Case<'_>, tap: &str) -> Blame {
    let records = || case.calls.iter().filter_map(|call| call.record);
    let is_callee =
        |record: &model::record::CallRecord| record.callee.as_ref().is_some_and(|c| c.to_string() == tap);
    if records().any(|record| record.caller.to_string() == tap) {
        Blame::Caller
    } else if records().any(is_callee) {
        Blame::Callee
    } else {
        tap.parse().unwrap_or(Blame::Harness)
    }
}

/// Fingerprints of the descriptions that crossed each device's link, by interface and whether the device sent them.
struct Described {
    by_way: BTreeMap<(usize, bool), BTreeSet<[u8; 32]>>,
    anywhere: BTreeSet<[u8; 32]>,
}

impl Described {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut described = Self { by_way: BTreeMap::new(), anywhere: BTreeSet::new() };
        for message in &evidence.signalling.messages {
            let found = Description::parse(message.text_of("sdp")).fingerprints;
            if let Some(interface) = evidence.signalling.interface(message) {
                described
                    .by_way
                    .entry((interface, message.from_client))
                    .or_default()
                    .extend(found.iter().copied());
            }
            described.anywhere.extend(found);
        }
        described
    }

    /// At a device, the description must have gone the same way as the certificate. The nodes of the service get theirs
    /// over links inside, so that any description counts.
    fn names(&self, interface: usize, own: bool, tap: &str, fingerprint: &[u8; 32]) -> bool {
        if !tap.contains('@') {
            return self.anywhere.contains(fingerprint);
        }
        self.by_way.get(&(interface, own)).is_some_and(|found| found.contains(fingerprint))
    }
}

fn carried_media(evidence: &Evidence<'_>, association: &Association) -> bool {
    evidence.media.iter().any(|media| {
        media.stream.flow.undirected() == association.flow
            && media.frames.iter().any(|frame| frame.sent.is_some())
    })
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use serde_json::json;

    use crate::bench::plans::both_on;
    use crate::bench::signals::Signals;
    use crate::bench::story::{ALICE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "sdp/fingerprints-match-certificates";

    #[test]
    fn certificates_that_were_described_pass() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    /// Alice is told another fingerprint than that of the node that answers her; bob is told the right one.
    fn mislead(signals: &mut Signals) {
        let pairs = vec!["AB"; 32].join(":");
        let sdp = format!(
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=fingerprint:sha-256 {pairs}\r\n"
        );
        signals.alter(ALICE, false, "sdp-answer", "sdp", json!(sdp));
    }

    #[test]
    fn a_device_that_goes_on_with_another_certificate_fails_and_nothing_else_does() {
        let trial = Trial::of(&Story { signals: mislead, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the certificate that is presented to it at alice@contoso.example is in no session description that \
             went that way, and media flowed"
        );
    }

    #[test]
    fn no_description_at_all_shows_nothing() {
        let silent: fn(&mut Signals) = |signals| signals.signals.retain(|s| s.json.get("sdp").is_none());
        let trial = Trial::of(&Story { signals: silent, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Inconclusive));
    }
}
