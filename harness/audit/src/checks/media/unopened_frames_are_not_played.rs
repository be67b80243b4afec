//! In a sealed call a device plays what it has opened, and nothing as it came.

use std::collections::{BTreeMap, HashMap};

use model::Direction;
use model::plan::Profile;
use sha2::{Digest, Sha256};

use super::super::keys::blame;
use super::{lit, sealed};
use crate::case::{Call, Case};
use crate::evidence::{Book, Inside, Media};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// In a call of the profile `frames`, no frame that reached a device with a lit lock stands in its ledger of played
    /// frames as it came: neither one without a seal, nor the ciphertext of one that has a seal.
    ///
    /// ## Why it matters
    /// A receiver whose frame layer is not in place lets everybody who ends the hop speak to the user, or plays
    /// ciphertext as loud noise. The lock is lit all the same, and a meter of loudness takes either for speech.
    ///
    /// ## How it decides
    /// It passes when every played frame came sealed or did not come at all, which `unaltered` and `complete` judge. It
    /// fails with each device and kind that played frames as they came, and with the packets. It is inconclusive when
    /// nothing reached a device. The ledger of what was played is the client's word; what came is read from the capture.
    summary: "in a sealed call no frame is played as it came",
    requirements: ["overheard/sealed-frames-only", "rfc9605/4.4.4/what-does-not-open-is-discarded"],
    applies: |case| case.plan.profile == Profile::Frames && sealed(case).next().is_some(),
    judge: judge,
}

/// What reached one device.
#[derive(Default)]
struct Arrived {
    /// Frames that came sealed, by the hash of what is inside the seal.
    opened: HashMap<[u8; 32], usize>,
    /// Every frame, by the hash of what lies inside the hop.
    as_they_came: BTreeMap<[u8; 32], Located>,
    frames: u64,
}

impl Arrived {
    fn at(case: &Case<'_>, call: &Call<'_>, book: &Book) -> Self {
        let evidence = case.evidence;
        let interface = evidence.interface(&book.device);
        let here = |media: &&Media| {
            interface == Some(media.stream.flow.interface) && !evidence.is_outgoing(media.stream.flow)
        };
        let mut arrived = Self::default();
        for media in case.media_of(call).filter(here) {
            for frame in &media.frames {
                arrived.frames += 1;
                if let (Inside::Sealed { .. }, Some(content)) = (frame.inside, &frame.content) {
                    *arrived.opened.entry(Sha256::digest(content).into()).or_default() += 1;
                }
                let located = arrived.as_they_came.entry(frame.digest).or_default();
                let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
                packets.for_each(|packet| located.add(evidence.located(packet.index)));
            }
        }
        arrived
    }
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in sealed(case) {
        for (_, book) in case.evidence.ledgers.of_call(call.id(), Direction::Received) {
            let role = case.role(call, &book.device);
            if !lit(call, role) {
                continue;
            }
            let mut arrived = Arrived::at(case, call, book);
            findings.examine(arrived.frames);
            let (mut count, mut located) = (0, Located::default());
            for hash in &book.frames {
                if let Some(left) = arrived.opened.get_mut(hash).filter(|left| **left > 0) {
                    *left -= 1;
                } else if let Some(came) = arrived.as_they_came.get(hash) {
                    count += 1;
                    came.packets.iter().for_each(|number| located.add((*number, &came.tap)));
                }
            }
            if count > 0 {
                let (kind, name) = (book.kind, &call.expected.name);
                let text = format!("the {role} plays {count} {kind} frames of {name} as they came");
                findings.fail(blame(role), text, located);
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
    use crate::bench::seal::Seal;
    use crate::bench::story::{ALICE, BOB, Datagram, NODE, Story, frame, header, keys};
    use crate::bench::trial::Trial;

    const NAME: &str = "media/unopened-frames-are-not-played";
    const OPEN: &[u8] = &[0x78; 61];

    /// A frame without a seal reaches bob behind the hop of the forwarder.
    fn inject(datagrams: &mut Vec<Datagram>) {
        let bytes = keys(BOB)[1].seal(&header(ALICE, 2, 40), OPEN);
        datagrams.push(Datagram {
            at_ns: 1_700_000_000,
            from: NODE,
            to: BOB,
            bytes,
            leaves: true,
            arrives: true,
        });
    }

    fn by_bob(entry: &&mut LedgerEntry) -> bool {
        entry.device.user.user == "bob" && entry.direction == Direction::Received
    }

    fn play_it(world: &mut WorldRecord) {
        let last = world.ledger.iter_mut().rfind(by_bob).expect("a frame").clone();
        let (index, sha256) = (last.index + 1, hex::encode(Sha256::digest(OPEN)));
        world.ledger.push(LedgerEntry { index, sha256, ..last });
    }

    fn play_ciphertext(world: &mut WorldRecord) {
        let seal = Seal { key_id: 0, base_key: Story::sealed(both_on()).base_keys[ALICE] };
        for entry in world.ledger.iter_mut().filter(by_bob) {
            let sealed = seal.seal(u8::try_from(entry.index).expect("short"), &frame(ALICE, entry.index));
            entry.sha256 = hex::encode(Sha256::digest(sealed));
        }
    }

    #[test]
    fn frames_that_were_opened_pass_and_a_dropped_one_as_well() {
        for tamper in [inject, |_: &mut Vec<Datagram>| {}] {
            let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
            assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
        }
    }

    #[test]
    fn a_frame_without_a_seal_that_is_played_fails() {
        let trial = Trial::of(&Story { tamper: inject, retell: play_it, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing_beside_legs(), [NAME]);
        assert_eq!(trial.text(NAME), "the callee plays 1 audio frames of call as they came");
    }

    #[test]
    fn ciphertext_that_is_played_fails() {
        let trial = Trial::of(&Story { retell: play_ciphertext, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing_beside_legs(), [NAME]);
    }

    #[test]
    fn an_ordinary_call_is_not_judged() {
        assert_eq!(Trial::of(&Story::ordinary(both_on())).verdict(NAME), None);
    }
}
