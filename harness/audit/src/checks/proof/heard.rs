//! The leg `heard`: whoever ought to hear a call opens every frame of it.

use std::collections::BTreeMap;

use model::outcome::Listener;
use model::results::Blame;

use super::carrying;
use crate::case::{Call, Case};
use crate::evidence::{Frame, Media};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every media frame that reached the tap of somebody who ought to hear the call opens with what that listener
    /// holds, and is a frame of the sender's ledger.
    ///
    /// ## Why it matters
    /// It is the control of every other leg: that nobody heard a call means nothing when the frames do not open
    /// with the right keys either.
    ///
    /// ## How it decides
    /// It passes when the two devices' keys, and those of the service in an ordinary call, open every frame to a
    /// frame that the sender entered in its ledger. It fails when one does not open, or opens to something else.
    /// It is inconclusive when there is no frame. Packets that Mallory made or changed are left to `unaltered`.
    /// It cannot see frames that never reached a tap; `complete` looks for those.
    summary: "whoever ought to hear opens every frame",
    requirements: [],
    applies: |case| carrying(case).next().is_some(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in carrying(case) {
        judge_call(case, call, findings);
    }
}

fn judge_call(case: &Case<'_>, call: &Call<'_>, findings: &mut Findings) {
    let mut shut: BTreeMap<(String, Listener), Located> = BTreeMap::new();
    let mut seen = 0;
    let listeners = entitled(case, call);
    for media in case.media_of(call) {
        let before_frames = media.frames.iter().filter(|frame| !case.is_mallorys(media, frame));
        for frame in before_frames {
            seen += 1;
            for listener in &listeners {
                if frame.ears.has(*listener) && frame.sent.is_some() {
                    continue;
                }
                note(case, &mut shut, *listener, media, frame);
            }
        }
        note_scraps(case, &mut shut, media);
    }
    findings.examine(seen * listeners.len() as u64);
    if seen == 0 {
        findings
            .doubt(format!("no media frame of {} is on any tap; run the scenario again", call.expected.name));
    }
    for ((tap, listener), located) in shut {
        let text = format!(
            "{listener} ought to hear {}, and {} packets at {tap} do not open to a frame of a ledger",
            call.expected.name,
            located.packets.len()
        );
        findings.fail(Blame::Harness, text, located);
    }
}

/// Listeners whose hearing the harness relies on: the parties always, the service in an ordinary call.
fn entitled(case: &Case<'_>, call: &Call<'_>) -> Vec<Listener> {
    let entitled = call.entitled();
    let attacked = call.expected.heard.contains_key(&Listener::Mallory) && !case.plan.attacks.is_empty();
    let judged = |listener: &&Listener| match listener {
        Listener::Mallory => attacked && call.expected.heard.get(listener) == Some(&model::plan::Heard::All),
        Listener::Harvest => false,
        _ => true,
    };
    Listener::ALL.iter().filter(|listener| entitled.has(**listener)).filter(judged).copied().collect()
}

fn note(
    case: &Case<'_>,
    shut: &mut BTreeMap<(String, Listener), Located>,
    listener: Listener,
    media: &Media,
    frame: &Frame,
) {
    for packet in frame.packets.iter().filter_map(|p| media.stream.packets.get(*p)) {
        let at = case.evidence.located(packet.index);
        shut.entry((at.1.to_owned(), listener)).or_default().add(at);
    }
}

/// Packets with a payload that no key opens and that are part of no whole frame: at the parties' expense.
fn note_scraps(case: &Case<'_>, shut: &mut BTreeMap<(String, Listener), Located>, media: &Media) {
    let framed: std::collections::BTreeSet<usize> =
        media.frames.iter().flat_map(|f| &f.packets).copied().collect();
    for (index, packet) in media.stream.packets.iter().enumerate() {
        if packet.hop.is_none()
            && !packet.body.is_empty()
            && !framed.contains(&index)
            && !case.evidence.is_mallorys_packet(packet)
        {
            let at = case.evidence.located(packet.index);
            shut.entry((at.1.to_owned(), Listener::Parties)).or_default().add(at);
        }
    }
}
