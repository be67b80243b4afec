//! A device does not play what it sent itself.

use std::collections::BTreeSet;

use model::{DeviceId, Direction};

use super::super::keys::blame;
use crate::capture::Class;
use crate::case::{Call, Case};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Where packets or frames that a device had sent came back to it, the device entered none of them as played.
    ///
    /// ## Why it matters
    /// With one key for both directions anybody on the path can send a device its own media, and it takes them for the
    /// other person's.
    ///
    /// ## How it decides
    /// It passes when no frame that the device alone sent stands in its ledger as played. It fails with each device
    /// that played one. It does not apply where nothing came back. Frames are told apart by their markers, because both
    /// devices send the same clip.
    summary: "a device does not play what it sent itself",
    requirements: ["overheard/frames-are-played-once", "rfc9605/4.4.1/base-key-encrypts-or-decrypts"],
    applies: |case| case.calls.iter().any(|call| !reflected(case, call).is_empty()),
    judge: judge,
}

/// Devices of `call` that packets came back to, with those packets.
fn reflected(case: &Case<'_>, call: &Call<'_>) -> Vec<(DeviceId, Located)> {
    let evidence = case.evidence;
    let books = evidence.ledgers.of_call(call.id(), Direction::Sent);
    let devices: BTreeSet<&DeviceId> = books.map(|(_, book)| &book.device).collect();
    let mut found = Vec::new();
    for device in devices {
        let mut located = Located::default();
        let Some(interface) = evidence.interface(device) else { continue };
        let here =
            evidence.datagrams.iter().filter(|d| d.class == Class::Rtp && d.flow.interface == interface);
        let (out, back): (Vec<_>, Vec<_>) = here.partition(|d| evidence.is_outgoing(d.flow));
        let out: BTreeSet<&[u8]> = out.into_iter().map(|d| d.bytes(&evidence.capture)).collect();
        for datagram in back.into_iter().filter(|d| out.contains(d.bytes(&evidence.capture))) {
            located.add(evidence.located(datagram.packet));
        }
        // In the service the same frame comes back inside another packet.
        let incoming = case.media_of(call).filter(|media| {
            media.stream.flow.interface == interface && !evidence.is_outgoing(media.stream.flow)
        });
        for media in incoming {
            for frame in &media.frames {
                let book = frame.sent.and_then(|sent| evidence.ledgers.books.get(sent.book));
                if book.is_some_and(|book| book.device == *device) {
                    let packets = frame.packets.iter().filter_map(|p| media.stream.packets.get(*p));
                    packets.for_each(|packet| located.add(evidence.located(packet.index)));
                }
            }
        }
        if !located.packets.is_empty() {
            found.push((device.clone(), located));
        }
    }
    found
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in &case.calls {
        for (device, located) in reflected(case, call) {
            findings.examine(located.packets.len() as u64);
            let books = || case.evidence.ledgers.of_call(call.id(), Direction::Sent).map(|(_, book)| book);
            let sent = |own: bool| -> BTreeSet<[u8; 32]> {
                books().filter(|b| (b.device == device) == own).flat_map(|b| b.frames.clone()).collect()
            };
            let (own, others) = (sent(true), sent(false));
            let played = case.evidence.ledgers.of_call(call.id(), Direction::Received);
            let played = played.filter(|(_, book)| book.device == device).flat_map(|(_, book)| &book.frames);
            let count = played.filter(|hash| own.contains(*hash) && !others.contains(*hash)).count();
            if count > 0 {
                let role = case.role(call, &device);
                let text =
                    format!("the {role} of {} plays {count} frames that it sent itself", call.expected.name);
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
    use crate::bench::story::{ALICE, Datagram, NODE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "media/reflections-are-not-played";

    /// Alice's packet of frame 10 comes back to her.
    fn reflect(datagrams: &mut Vec<Datagram>) {
        let tenth = |d: &&Datagram| d.from == ALICE && d.bytes[0] == 0x80 && d.bytes[3] == 110;
        let copy = datagrams.iter().find(tenth).expect("the frame").clone();
        datagrams.push(Datagram { at_ns: 1_800_000_000, from: NODE, to: ALICE, ..copy });
    }

    fn play_it(world: &mut WorldRecord) {
        let by_alice = |e: &&LedgerEntry| e.device.user.user == "alice" && e.direction == Direction::Sent;
        let sent: Vec<LedgerEntry> = world.ledger.iter().filter(by_alice).cloned().collect();
        let at_ns = 1_830_000_000;
        world.ledger.push(LedgerEntry {
            direction: Direction::Received,
            index: 30,
            at_ns,
            ..sent[10].clone()
        });
    }

    #[test]
    fn a_reflection_that_is_left_out_passes() {
        let trial = Trial::of(&Story { tamper: reflect, ..Story::sealed(both_on()) });
        assert_eq!(trial.verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn a_call_without_a_reflection_is_not_judged() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), None);
    }

    #[test]
    fn a_reflection_that_is_played_fails() {
        let trial = Trial::of(&Story { tamper: reflect, retell: play_it, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing_beside_legs(), [NAME]);
        assert_eq!(trial.text(NAME), "the caller of call plays 1 frames that it sent itself");
    }
}
