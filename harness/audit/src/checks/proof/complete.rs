//! The leg `complete`: capture and ledgers tell the same story, and nothing is missing between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::outcome::Outcome;
use model::record::Claimed;
use model::results::Blame;
use model::{Direction, Role};

use super::carries_media;
use crate::capture::{Class, Transport};
use crate::case::{Call, Case};
use crate::evidence::{Book, Frame, Media, Sent};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every packet is of a known class. The frames at a sender's tap are exactly those of its ledger, in order; what
    /// a receiver played is among the whole frames at its tap; and each frame that was lost between is explained by a
    /// drop that the network, an attack or a node recorded.
    ///
    /// ## Why it matters
    /// A listener could hide in what nobody looked at: a packet of an unknown kind, a frame that a client sends beside
    /// its ledger, a frame that a node swallows.
    ///
    /// ## How it decides
    /// It passes when all of this holds. It fails with the packets or frames that do not fit. It is inconclusive when
    /// there is nothing to compare, or when a client made by others could have sent over a network that nobody
    /// recorded. It rests on the ledgers, which are the clients' own word.
    summary: "every packet and every frame is accounted for",
    requirements: [],
    applies: |case| case.calls.iter().any(|call| call.record.is_some()),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    classes(case, findings);
    stray(case, findings);
    ways_out(case, findings);
    for call in &case.calls {
        let outcome = call.claimed.outcome;
        if carries_media(outcome) {
            Accounts::of(case, call).settle(findings);
        } else if outcome == Outcome::Ended {
            nothing_after_the_cause(case, call, findings);
        }
    }
}

/// A client made by others that has more than the loopback of the run may send what no tap sees.
fn ways_out(case: &Case<'_>, findings: &mut Findings) {
    for driver in case.evidence.world.drivers.iter().filter(|driver| !driver.isolated) {
        findings.doubt(format!(
            "{} has a network beside the one of the run; run it where a network namespace can be made",
            driver.device
        ));
    }
}

fn classes(case: &Case<'_>, findings: &mut Findings) {
    let capture = &case.evidence.capture;
    findings.examine(capture.packets.len() as u64);
    let mut unknown: BTreeMap<(Class, &str), Located> = BTreeMap::new();
    for (index, packet) in capture.packets.iter().enumerate() {
        let bare = matches!(packet.transport, Transport::Tcp { .. }) && capture.payload(packet).is_empty();
        let known = match packet.class {
            Class::OtherUdp | Class::Other | Class::Malformed => false,
            Class::OtherTcp => bare,
            _ => true,
        };
        if !known && !case.evidence.is_mallorys(index) {
            unknown
                .entry((packet.class, capture.tap(packet)))
                .or_default()
                .add((packet.number, capture.tap(packet)));
        }
    }
    for ((class, tap), located) in unknown {
        let text = format!("{} packets at {tap} are {class}, and no attack owns them", located.packets.len());
        findings.fail(Blame::Harness, text, located);
    }
}

/// A frame of a ledger where one stream carried it.
type Sighting<'c> = (Sent, &'c Media, &'c Frame);

/// One call's frames at every tap, beside its ledgers.
struct Accounts<'c, 'a> {
    case: &'c Case<'a>,
    call: &'c Call<'a>,
    /// Whole frames by tap, interface and direction: which frame, in the order seen.
    seen: HashMap<(usize, bool), Vec<Sighting<'c>>>,
    /// Frames that no ledger knows, by interface and direction.
    unknown: HashMap<(usize, bool), Vec<(&'c Media, &'c Frame)>>,
}

impl<'c, 'a> Accounts<'c, 'a> {
    fn of(case: &'c Case<'a>, call: &'c Call<'a>) -> Self {
        let mut accounts = Self { case, call, seen: HashMap::new(), unknown: HashMap::new() };
        for media in case.media_of(call) {
            let key = (media.stream.flow.interface, case.evidence.is_outgoing(media.stream.flow));
            for frame in &media.frames {
                match frame.sent {
                    Some(sent) => accounts.seen.entry(key).or_default().push((sent, media, frame)),
                    None => accounts.unknown.entry(key).or_default().push((media, frame)),
                }
            }
        }
        accounts
    }

    fn settle(&self, findings: &mut Findings) {
        let ledgers = &self.case.evidence.ledgers;
        let mut compared = 0;
        for (index, book) in ledgers.of_call(self.call.id(), Direction::Sent) {
            compared += book.frames.len() as u64;
            self.sender(index, book, findings);
            self.between(index, book, findings);
        }
        for (_, book) in ledgers.of_call(self.call.id(), Direction::Received) {
            compared += book.frames.len() as u64;
            self.receiver(book, findings);
        }
        findings.examine(compared);
        if compared == 0 {
            findings.doubt(format!(
                "the ledgers hold no frame of {}; run the scenario again",
                self.call.expected.name
            ));
        }
        self.strangers(findings);
    }

    fn blame(&self, book: &Book) -> Blame {
        match self.case.role(self.call, &book.device) {
            Role::Caller => Blame::Caller,
            Role::Callee => Blame::Callee,
        }
    }

    /// The frames at the sender's tap are exactly those of its ledger, in order.
    fn sender(&self, index: usize, book: &Book, findings: &mut Findings) {
        let Some(interface) = self.case.evidence.interface(&book.device) else {
            findings
                .doubt(format!("the capture has no interface of {}; run the scenario again", book.device));
            return;
        };
        let seen = self.seen.get(&(interface, true)).map_or(&[][..], Vec::as_slice);
        let on_wire: Vec<&Sighting<'_>> = seen.iter().filter(|(sent, _, _)| sent.book == index).collect();
        let numbers: BTreeSet<usize> = on_wire.iter().map(|(sent, _, _)| sent.frame).collect();
        let missing = book.frames.len() - numbers.len();
        if missing > 0 {
            let text =
                format!("{missing} {} frames of {}'s ledger are not at its tap", book.kind, book.device);
            findings.fail(self.blame(book), text, Located::default());
        }
        let mut again = Located::default();
        let mut last = None;
        for (sent, media, frame) in on_wire {
            if last.is_some_and(|last| sent.frame <= last) {
                self.locate(&mut again, media, frame);
            }
            last = last.max(Some(sent.frame));
        }
        if !again.packets.is_empty() {
            let text = format!("{} sends {} frames again or out of order", book.device, book.kind);
            findings.fail(self.blame(book), text, again);
        }
    }

    /// What a receiver played is among the whole frames at its tap, each as often as it stands there at most.
    fn receiver(&self, book: &Book, findings: &mut Findings) {
        let Some(interface) = self.case.evidence.interface(&book.device) else { return };
        let mut there: HashMap<[u8; 32], usize> = HashMap::new();
        for (sent, _, _) in self.seen.get(&(interface, false)).into_iter().flatten() {
            if let Some(hash) = self.hash(*sent) {
                *there.entry(hash).or_default() += 1;
            }
        }
        let mut beyond = 0;
        for hash in &book.frames {
            match there.get_mut(hash) {
                Some(left) if *left > 0 => *left -= 1,
                _ => beyond += 1,
            }
        }
        if beyond > 0 {
            let text =
                format!("{} played {beyond} {} frames that are not at its tap", book.device, book.kind);
            findings.fail(self.blame(book), text, Located::default());
        }
    }

    /// Each frame that is not at a receiver's tap was dropped by somebody who says so.
    fn between(&self, index: usize, book: &Book, findings: &mut Findings) {
        let evidence = self.case.evidence;
        for party in self.receivers(book) {
            let Some(interface) = evidence.interface(&party) else { continue };
            let arrived: BTreeSet<usize> = self.numbers(index, |key| *key == (interface, false));
            let mut lost = Located::default();
            let mut unexplained = 0;
            let (joined, left) = self.presence(&party);
            let due = |number: &usize| {
                book.at_ns.get(*number).is_some_and(|at| (joined..=left).contains(at))
                    && !arrived.contains(number)
            };
            for number in (0..book.frames.len()).filter(due) {
                let sightings = self.sightings(Sent { book: index, frame: number });
                if sightings.is_empty()
                    || sightings.iter().any(|(media, frame)| self.is_dropped(media, frame))
                {
                    continue;
                }
                unexplained += 1;
                sightings.iter().for_each(|(media, frame)| self.locate(&mut lost, media, frame));
            }
            if unexplained > 0 {
                let text = format!(
                    "{unexplained} {} frames of {} are lost on the way to {party}, and nobody recorded a drop",
                    book.kind, book.device
                );
                findings.fail(Blame::Network, text, lost);
            }
        }
    }

    /// From when to when a device is in the call, on the world's clock and by its own word. Somebody who joins later or
    /// leaves earlier misses what is sent meanwhile.
    fn presence(&self, device: &model::DeviceId) -> (u64, u64) {
        let claims = self.case.evidence.world.claims.iter();
        let own = claims.filter(|claim| claim.call == self.call.id() && claim.device == *device);
        let (mut joined, mut left) = (None, None);
        for claim in own {
            match claim.claim {
                Claimed::Connected => joined = joined.or(Some(claim.at_ns)),
                Claimed::Ended { .. } => left = left.or(Some(claim.at_ns)),
                _ => {}
            }
        }
        (joined.unwrap_or(0), left.unwrap_or(u64::MAX))
    }

    /// The other devices that are in the call by what their ledgers hold.
    fn receivers(&self, book: &Book) -> Vec<model::DeviceId> {
        self.call.claimed.devices.iter().filter(|device| **device != book.device).cloned().collect()
    }

    fn numbers(&self, book: usize, at: impl Fn(&(usize, bool)) -> bool) -> BTreeSet<usize> {
        let taps = self.seen.iter().filter(|(key, _)| at(key));
        taps.flat_map(|(_, seen)| seen)
            .filter(|(sent, _, _)| sent.book == book)
            .map(|(sent, _, _)| sent.frame)
            .collect()
    }

    fn sightings(&self, wanted: Sent) -> Vec<(&'c Media, &'c Frame)> {
        let mut taps: Vec<_> = self.seen.iter().collect();
        taps.sort_by_key(|(key, _)| **key);
        let all = taps.into_iter().flat_map(|(_, seen)| seen);
        all.filter(|(sent, _, _)| *sent == wanted).map(|(_, media, frame)| (*media, *frame)).collect()
    }

    fn is_dropped(&self, media: &Media, frame: &Frame) -> bool {
        let evidence = self.case.evidence;
        if evidence.is_replaced(media, frame) {
            return true;
        }
        frame.packets.iter().filter_map(|p| media.stream.packets.get(*p)).any(|packet| {
            let whole = evidence.capture.packets.get(packet.index).map(|p| evidence.capture.payload(p));
            whole.is_some_and(|bytes| evidence.drop_of(bytes).is_some())
                || evidence.drop_of(&packet.body).is_some()
        })
    }

    fn hash(&self, sent: Sent) -> Option<[u8; 32]> {
        self.case.evidence.ledgers.books.get(sent.book)?.frames.get(sent.frame).copied()
    }

    fn locate(&self, located: &mut Located, media: &Media, frame: &Frame) {
        for packet in frame.packets.iter().filter_map(|p| media.stream.packets.get(*p)) {
            located.add(self.case.evidence.located(packet.index));
        }
    }

    /// Frames that no ledger knows.
    fn strangers(&self, findings: &mut Findings) {
        let mut taps: Vec<_> = self.unknown.iter().collect();
        taps.sort_by_key(|(key, _)| **key);
        for (_, frames) in taps {
            let mut located = Located::default();
            for (media, frame) in frames.iter().filter(|(media, frame)| !self.case.is_mallorys(media, frame))
            {
                self.locate(&mut located, media, frame);
            }
            if !located.packets.is_empty() {
                let text = format!("frames at {} are in no ledger", located.tap);
                findings.fail(Blame::Harness, text, located);
            }
        }
    }
}

/// No media frame on the wire or in a ledger after the cause.
fn nothing_after_the_cause(case: &Case<'_>, call: &Call<'_>, findings: &mut Findings) {
    findings.examine(1);
    let Some(end) = case.after_the_cause(call) else { return };
    let mut late = Located::default();
    for media in case.media_of(call) {
        // What its sender had sent before it learnt of the end still crosses the links of the others.
        let flow = media.stream.flow;
        let at_sender = case.evidence.is_outgoing(flow) && case.evidence.device_at(flow.source).is_some();
        let end = if at_sender { end } else { end + 2 * case.way_ns() };
        for frame in media.frames.iter().filter(|frame| frame.at_ns > end && !case.is_mallorys(media, frame))
        {
            for packet in frame.packets.iter().filter_map(|p| media.stream.packets.get(*p)) {
                late.add(case.evidence.located(packet.index));
            }
        }
    }
    if !late.packets.is_empty() {
        let text = format!("media frames of {} are on the wire after it has ended", call.expected.name);
        findings.fail(Blame::Harness, text, late);
    }
    let books = case.evidence.ledgers.books.iter().filter(|book| book.call == call.id());
    for book in books {
        let entries = book.at_ns.iter().filter(|at| case.evidence.stamp(**at) > end).count();
        if entries > 0 {
            let what = if book.direction == Direction::Sent { "sent" } else { "played" };
            let text =
                format!("{} {what} {entries} {} frames after the call has ended", book.device, book.kind);
            let role = case.role(call, &book.device);
            let blame = if role == Role::Caller { Blame::Caller } else { Blame::Callee };
            findings.fail(blame, text, Located::default());
        }
    }
}

/// Media that belong to no call: sent before any was placed, or after the last had ended.
fn stray(case: &Case<'_>, findings: &mut Findings) {
    let mut taps: BTreeMap<&str, Located> = BTreeMap::new();
    for media in &case.evidence.media {
        if media.frames.is_empty() || case.calls.iter().any(|call| case.belongs(call, media)) {
            continue;
        }
        for packet in &media.stream.packets {
            let at = case.evidence.located(packet.index);
            if !case.evidence.is_mallorys_packet(packet) {
                taps.entry(at.1).or_default().add(at);
            }
        }
    }
    for (tap, located) in taps {
        findings.fail(Blame::Harness, format!("media at {tap} belong to no call"), located);
    }
}
