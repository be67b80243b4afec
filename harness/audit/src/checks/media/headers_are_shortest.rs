//! SFrame headers have no room for anything else.

use std::collections::BTreeMap;

use model::Role;

use super::super::keys::blame;
use super::at_senders;
use crate::case::Case;
use crate::evidence::{Frame, Inside};
use crate::findings::{Findings, Located};
use crate::sframe::Header;

crate::declare_check! {
    /// ## What it checks
    /// Every SFrame header at the tap of its sender writes key id and counter in the fewest bytes.
    ///
    /// ## Why it matters
    /// The same two numbers can be written in several lengths. A sender that chooses among them says something to
    /// whoever sees the header, one bit or two in every frame.
    ///
    /// ## How it decides
    /// It passes when no header could be shorter. It fails with the side and the packets whose header could. It does
    /// not apply where no frame is SFrame.
    summary: "SFrame headers are as short as can be",
    requirements: ["rfc9605/4.3/shortest-encoding"],
    applies: |case| case.calls.iter().any(|call| at_senders(case, call).any(|(_, frame, _)| is_sealed(frame))),
    judge: judge,
}

fn is_sealed(frame: &Frame) -> bool {
    matches!(frame.inside, Inside::Sealed { .. })
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in &case.calls {
        let mut long: BTreeMap<Role, (u64, Located)> = BTreeMap::new();
        for (media, frame, book) in at_senders(case, call).filter(|(_, frame, _)| is_sealed(frame)) {
            findings.examine(1);
            if Header::parse(&frame.payload).is_some_and(|header| header.is_shortest()) {
                continue;
            }
            let (frames, located) = long.entry(case.role(call, &book.device)).or_default();
            *frames += 1;
            let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
            packets.for_each(|packet| located.add(case.evidence.located(packet.index)));
        }
        for (role, (frames, located)) in long {
            let name = &call.expected.name;
            let text =
                format!("the {role} of {name} sends {frames} frames behind a longer header than it needs");
            findings.fail(blame(role), text, located);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;

    use crate::bench::plans::both_on;
    use crate::bench::seal::Seal;
    use crate::bench::signals::base_keys;
    use crate::bench::story::{ALICE, BOB, Datagram, NODE, Story, frame, header, keys};
    use crate::bench::trial::Trial;

    const NAME: &str = "media/headers-are-shortest";

    /// Alice writes the counter of frame 3 into a byte of its own.
    fn lengthen(datagrams: &mut [Datagram]) {
        let seal = Seal { key_id: 0, base_key: base_keys()[ALICE] };
        let payload = seal.seal_behind(&[8, 3], 3, &frame(ALICE, 3));
        for (from, leg, key) in [(ALICE, 1, keys(ALICE)[0]), (NODE, 2, keys(BOB)[1])] {
            let header = header(ALICE, leg, 3);
            let sent = datagrams.iter_mut().find(|d| d.from == from && d.bytes.starts_with(&header));
            sent.expect("frame 3").bytes = key.seal(&header, &payload);
        }
    }

    #[test]
    fn headers_of_one_and_two_bytes_pass_where_each_is_needed() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_call_without_sframe_is_not_judged() {
        assert_eq!(Trial::of(&Story::ordinary(both_on())).verdict(NAME), None);
    }

    #[test]
    fn a_header_that_could_be_shorter_fails_and_nothing_else_does() {
        let trial = Trial::of(&Story { tamper: |datagrams| lengthen(datagrams), ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the caller of call sends 1 frames behind a longer header than it needs"
        );
    }
}
