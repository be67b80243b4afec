//! Nobody sends media before its handshake has ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::capture::Class;
use crate::case::Case;
use crate::dissect::dtls::{DTLS_1_2, has_finished};
use crate::evidence::{Evidence, Flow};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Where media follow a DTLS 1.2 handshake, both Finished messages have crossed the tap of each sender before its
    /// first packet of SRTP or SRTCP.
    ///
    /// ## Why it matters
    /// Until the Finished has arrived, somebody in between may still have chosen weaker parameters for both sides.
    ///
    /// ## How it decides
    /// It passes when every packet of a sender is later than both. It fails with those that are earlier. A Finished is
    /// known by its content type and its encrypted epoch; what it says is not read. It does not apply to DTLS 1.3,
    /// where most of the handshake looks so.
    summary: "no media are sent before the handshake has ended",
    requirements: ["rfc5764/5.1/srtp-after-the-handshake"],
    applies: |case| !associations(case.evidence).is_empty(),
    judge: judge,
}

/// Handshakes that media follow and that say how they end in a form that can be read.
fn associations(evidence: &Evidence<'_>) -> HashSet<Flow> {
    let carrying: HashSet<Flow> = evidence.media.iter().map(|media| media.stream.flow.undirected()).collect();
    let answered = evidence.associations.iter().filter(|association| {
        let version = association.client_and_server().and_then(|(_, server)| server.version);
        // DTLS counts its versions down: 1.3 is 0xFEFC.
        version.is_some_and(|version| version >= DTLS_1_2)
    });
    answered.map(|association| association.flow).filter(|flow| carrying.contains(flow)).collect()
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let evidence = case.evidence;
    let associations = associations(evidence);
    // Who has said Finished: the source of the undirected flow, and the other end.
    let mut finished: HashMap<Flow, (bool, bool)> = HashMap::new();
    let mut early: BTreeMap<String, Located> = BTreeMap::new();
    for datagram in &evidence.datagrams {
        let flow = datagram.flow.undirected();
        if !associations.contains(&flow) {
            continue;
        }
        let said = finished.entry(flow).or_default();
        match datagram.class {
            Class::Dtls if has_finished(datagram.bytes(&evidence.capture)) => {
                let end = if datagram.flow.source == flow.source { &mut said.0 } else { &mut said.1 };
                *end = true;
            }
            Class::Rtp | Class::Srtp | Class::Rtcp | Class::Srtcp if evidence.is_outgoing(datagram.flow) => {
                findings.examine(1);
                if *said != (true, true) {
                    let at = evidence.located(datagram.packet);
                    early.entry(at.1.to_owned()).or_default().add(at);
                }
            }
            _ => {}
        }
    }
    for (tap, located) in early {
        let text = format!("media leave {tap} before its handshake has ended");
        findings.fail(super::blame(case, &tap), text, located);
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use rstest::rstest;

    use crate::bench::plans::both_on;
    use crate::bench::story::{ALICE, Datagram, NODE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "dtls/handshake-ends-before-media";

    fn is_finished(datagram: &Datagram) -> bool {
        datagram.bytes[0] == 22 && datagram.bytes[4] == 1
    }

    fn first_of_alice(datagrams: &mut [Datagram]) -> &mut Datagram {
        datagrams.iter_mut().find(|d| d.from == ALICE && d.bytes[0] == 0x80).expect("media")
    }

    #[test]
    fn media_behind_both_pass() {
        for story in [Story::sealed(both_on()), Story::ordinary(both_on())] {
            assert_eq!(Trial::of(&story).verdict(NAME), Some(Verdict::Pass));
        }
    }

    #[rstest]
    #[case::her_own_is_never_said(|d: &mut Vec<Datagram>| d.retain(|d| d.from != ALICE || !is_finished(d)))]
    #[case::the_others_is_never_said(
        |d: &mut Vec<Datagram>| d.retain(|d| d.from != NODE || d.to != ALICE || !is_finished(d))
    )]
    #[case::the_others_is_on_its_way(|d: &mut Vec<Datagram>| {
        let node = d.iter_mut().find(|d| d.from == NODE && d.to == ALICE && is_finished(d));
        node.expect("a Finished").at_ns = 995_000_000;
    })]
    fn media_before_either_fail(#[case] tamper: fn(&mut Vec<Datagram>)) {
        let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        let text = "media leave alice@contoso.example before its handshake has ended";
        assert!(trial.texts(NAME).contains(&text), "{:?}", trial.texts(NAME));
    }

    #[test]
    fn a_packet_of_another_path_is_not_asked_for_a_handshake() {
        let tamper: fn(&mut Vec<Datagram>) = |datagrams| {
            let strange = Datagram { at_ns: 1_000_000, to: 3, ..first_of_alice(datagrams).clone() };
            datagrams.insert(0, strange);
        };
        let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }
}
