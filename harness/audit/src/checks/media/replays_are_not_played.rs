//! A frame that arrives again is not played again.

use std::collections::{BTreeMap, BTreeSet};

use model::Direction;
use sha2::{Digest, Sha256};

use super::super::keys::blame;
use crate::case::{Call, Case};
use crate::evidence::{Book, Frame, Media, Sent};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Where a frame reached a device more than once, because Mallory or the network sent it again, the device entered
    /// it in its ledger at most once.
    ///
    /// ## Why it matters
    /// Somebody without a key can record packets and send them again. A device that plays them lets her repeat what a
    /// person said.
    ///
    /// ## How it decides
    /// It passes when no content was played more often than different frames with it arrived. It fails with each device
    /// that played one again. It does not apply where nothing arrived twice. The ledger of what was played is the
    /// client's word; the arrivals are counted from the capture.
    summary: "a frame that arrives again is not played again",
    requirements: [
        "rfc3711/3.3/replayed-packets-are-discarded", "overheard/frames-are-played-once",
        "rfc9605/9.3/replays-may-be-refused",
    ],
    applies: |case| case.calls.iter().any(|call| arrivals(case, call).iter().any(|a| a.repeated > 0)),
    judge: judge,
}

/// What reached one device of one kind.
struct Arrivals<'c> {
    played: &'c Book,
    /// Different frames by their content.
    frames: BTreeMap<[u8; 32], BTreeSet<Sent>>,
    repeated: u64,
    located: Located,
}

/// Arrivals at every device that played something of `call`.
fn arrivals<'c>(case: &'c Case<'_>, call: &'c Call<'_>) -> Vec<Arrivals<'c>> {
    let evidence = case.evidence;
    let books = evidence.ledgers.of_call(call.id(), Direction::Received);
    let of_book = |(_, played): (usize, &'c Book)| {
        let mut arrivals =
            Arrivals { played, frames: BTreeMap::new(), repeated: 0, located: Located::default() };
        let here = |media: &&Media| {
            evidence.interface(&played.device) == Some(media.stream.flow.interface)
                && !evidence.is_outgoing(media.stream.flow)
        };
        for media in case.media_of(call).filter(here) {
            media.frames.iter().for_each(|frame| arrivals.take(case, media, frame));
        }
        arrivals
    };
    books.map(of_book).collect()
}

impl Arrivals<'_> {
    fn take(&mut self, case: &Case<'_>, media: &Media, frame: &Frame) {
        let (Some(sent), Some(content)) = (frame.sent, &frame.content) else { return };
        let of_kind = case.evidence.ledgers.books.get(sent.book).is_some_and(|b| b.kind == self.played.kind);
        if of_kind && !self.frames.entry(Sha256::digest(content).into()).or_default().insert(sent) {
            self.repeated += 1;
            let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
            packets.for_each(|packet| self.located.add(case.evidence.located(packet.index)));
        }
    }
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in &case.calls {
        for arrivals in arrivals(case, call) {
            findings.examine(arrivals.repeated);
            let mut played: BTreeMap<[u8; 32], usize> = BTreeMap::new();
            for hash in &arrivals.played.frames {
                *played.entry(*hash).or_default() += 1;
            }
            let arrived = |hash: &[u8; 32]| arrivals.frames.get(hash).map_or(0, BTreeSet::len);
            let again: usize = played
                .iter()
                .filter(|(hash, _)| arrived(hash) > 0)
                .map(|(hash, times)| times.saturating_sub(arrived(hash)))
                .sum();
            if again > 0 && arrivals.repeated > 0 {
                let role = case.role(call, &arrivals.played.device);
                let kind = arrivals.played.kind;
                let text = format!("the {role} of {} plays {again} {kind} frames again", call.expected.name);
                findings.fail(blame(role), text, arrivals.located);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use model::record::{LedgerEntry, WorldRecord};

    use super::*;
    use crate::bench::plans::both_on;
    use crate::bench::story::{ALICE, Datagram, NODE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "media/replays-are-not-played";

    /// The forwarder's copy of alice's frame 10 reaches bob a second time.
    fn replay(datagrams: &mut Vec<Datagram>) {
        let tenth = |d: &&Datagram| {
            d.from == NODE && d.bytes[0] == 0x80 && d.bytes[3] == 110 && usize::from(d.bytes[10]) == ALICE
        };
        let copy = datagrams.iter().find(tenth).expect("the frame").clone();
        datagrams.push(Datagram { at_ns: 1_800_000_000, ..copy });
    }

    fn play_it_again(world: &mut WorldRecord) {
        let by_bob = |e: &&LedgerEntry| e.device.user.user == "bob" && e.direction == Direction::Received;
        let played: Vec<LedgerEntry> = world.ledger.iter().filter(by_bob).cloned().collect();
        let again = LedgerEntry { index: 30, at_ns: 1_830_000_000, ..played[10].clone() };
        world.ledger.push(again);
    }

    #[test]
    fn a_replay_that_is_left_out_passes() {
        let trial = Trial::of(&Story { tamper: replay, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_call_without_a_replay_shows_nothing_and_is_not_judged() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), None);
    }

    #[test]
    fn a_replay_that_is_played_fails() {
        let trial = Trial::of(&Story { tamper: replay, retell: play_it_again, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing_beside_legs(), [NAME]);
        assert_eq!(trial.text(NAME), "the callee of call plays 1 audio frames again");
    }
}
