//! The certificate of every media handshake is the one that its session description names.

use std::collections::{BTreeMap, BTreeSet};

use model::results::Blame;

use crate::case::Case;
use crate::dissect::sdp::Description;
use crate::evidence::{Association, Evidence};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every certificate that an end of a DTLS association presents is named by a fingerprint in a session
    /// description that this end sent, or that was sent on its behalf to the other end.
    ///
    /// ## Why it matters
    /// The certificates are self-signed. Only the fingerprint ties them to the call; an end that does not compare
    /// them talks to whoever answers.
    ///
    /// ## How it decides
    /// It passes when each certificate of a completed handshake is in some description that crossed the link of an
    /// end. It fails when one is not and media flowed all the same. It is inconclusive when no handshake, or no
    /// description, could be read.
    summary: "certificates are those of the session descriptions",
    requirements: [
        "rfc5763/5/certificate-matches-fingerprint", "rfc5763/5/mismatch-ends-the-session",
        "rfc8122/5.1/certificate-matches-a-fingerprint", "rfc8122/5.1/no-connection-without-a-match",
    ],
    applies: |case| !case.evidence.associations.is_empty(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let described = described(evidence);
    if described.is_empty() {
        findings.doubt("no session description could be read; run the scenario again with its keys kept");
        return;
    }
    let mut wrong: BTreeMap<String, Located> = BTreeMap::new();
    for association in &evidence.associations {
        for side in [&association.near, &association.far] {
            let Some(fingerprint) = side.fingerprint else { continue };
            findings.examine(1);
            if !described.contains(&fingerprint) && carried_media(evidence, association) {
                let (number, tap) =
                    evidence.located(association.packets.first().copied().unwrap_or_default());
                wrong.entry(tap.to_owned()).or_default().add((number, tap));
            }
        }
    }
    for (tap, located) in wrong {
        let text =
            format!("a certificate in a handshake at {tap} is in no session description, and media flowed");
        findings.fail(Blame::Network, text, located);
    }
}

/// Every fingerprint of every description that crossed a link.
fn described(evidence: &Evidence<'_>) -> BTreeSet<[u8; 32]> {
    let texts = evidence.signalling.messages.iter().map(|message| message.text_of("sdp"));
    texts.flat_map(|text| Description::parse(text).fingerprints).collect()
}

fn carried_media(evidence: &Evidence<'_>, association: &Association) -> bool {
    evidence.media.iter().any(|media| {
        media.stream.flow.undirected() == association.flow
            && media.frames.iter().any(|frame| frame.sent.is_some())
    })
}
