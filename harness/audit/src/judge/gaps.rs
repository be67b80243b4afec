//! What a world says that it left behind and that is not there.
//!
//! Invariant: evidence that is gone without a trace in itself, a packet at the end of a capture or a line of a key
//! file, is missed all the same, because the record counts it.

use std::path::Path;

use model::outcome::Listener;
use model::plan::Profile;
use model::record::{Claimed, WorldRecord};
use model::results::{Blame, CheckResult};
use model::{DeviceId, Verdict};

use crate::evidence::{Evidence, Fault, is_number, whole_file};

/// Everything that is missing of what `evidence` was gathered from.
pub(super) fn gaps(run: &Path, evidence: &Evidence<'_>) -> Vec<Fault> {
    let world = evidence.world;
    let mut found = Vec::new();
    let packets = evidence.capture.packets.len() as u64;
    if packets != world.written.packets {
        found.push(format!(
            "the capture holds {packets} packets and {} were recorded; run the scenario again",
            world.written.packets
        ));
    }
    for (file, keys, name) in [
        (&world.files.parties, world.written.parties, "parties"),
        (&world.files.service, world.written.service, "service"),
    ] {
        let there = whole_file(&run.join(file)).map_or(0, |bytes| lines(&bytes));
        if there != keys {
            found.push(format!(
                "the key file of the {name} holds {there} keys and {keys} were written; run the scenario again"
            ));
        }
    }
    let mut taps = evidence.capture.interfaces.iter();
    if let Some(tap) = taps.find(|tap| !world.links.iter().any(|link| link.tap == **tap)) {
        found.push(format!("the record does not say whose the link {tap} is; run the scenario again"));
    }
    if world.ledger.is_empty() && world.deeds.is_empty() && !evidence.media.is_empty() {
        found.push("every ledger is missing, and media flowed; run the scenario again".to_owned());
    }
    found.extend(locked(evidence));
    found.extend(silent(world).map(|device| {
        format!("the record does not say what {device} told its user of a call; run the scenario again")
    }));
    found.extend(
        bookless(world).map(|device| format!("the ledger of {device} is missing; run the scenario again")),
    );
    found.into_iter().map(|text| Fault { verdict: Verdict::Inconclusive, text }).collect()
}

/// Checks whose failure is something that was seen, and not something that was looked for in vain: what is missing
/// elsewhere does not take it back.
const SEEN: &[&str] = &["proof/canary", "proof/unheard"];

/// Where evidence is missing, or the world did not come to its end, what was looked for in vain was not shown to be
/// absent.
pub(super) fn soften(checks: &mut [CheckResult]) {
    for check in checks.iter_mut().filter(|check| check.verdict == Verdict::Fail) {
        let seen = SEEN.contains(&check.check.as_str());
        // A leak is put down to a client; a marker that the parties do not find is nobody's.
        if !seen || check.findings.iter().all(|finding| finding.blame == Blame::Harness) {
            check.verdict = Verdict::Inconclusive;
        }
    }
}

/// Of the profile `own`, in which the judge can make no key itself: a sealed call of which no key of frames was told.
fn locked(evidence: &Evidence<'_>) -> Option<String> {
    let world = evidence.world;
    let sealed = world.claims.iter().any(|claim| claim.claim == Claimed::Lock(true));
    let told = evidence.keys.frame_keys().iter().any(|key| key.ears.has(Listener::Parties));
    let shut = world.plan.profile == Profile::Own && sealed && !told;
    shut.then(|| {
        "no client told the keys of its frames, so that what is inside the hop cannot be judged; answer `keys` with SFRAME \
         lines"
            .to_owned()
    })
}

/// Lines that are neither empty nor a comment.
fn lines(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count() as u64
}

/// Devices with frames of a call that never said that it is connected, or that it is over.
fn silent(world: &WorldRecord) -> impl Iterator<Item = &DeviceId> {
    let mut devices: Vec<(&DeviceId, &str)> =
        world.ledger.iter().map(|entry| (&entry.device, entry.call.as_str())).collect();
    devices.retain(|(device, _)| !is_number(device));
    devices.sort_unstable();
    devices.dedup();
    let says = |device: &DeviceId, call: &str, what: fn(&Claimed) -> bool| {
        let mut own = world.claims.iter().filter(|claim| claim.device == *device && claim.call == call);
        own.any(|claim| what(&claim.claim))
    };
    devices.into_iter().filter_map(move |(device, call)| {
        let whole = says(device, call, |claim| matches!(claim, Claimed::Connected))
            && says(device, call, |claim| matches!(claim, Claimed::Ended { .. }));
        (!whole).then_some(device)
    })
}

/// Devices that were connected in a call of which other devices have frames, and have none themselves.
fn bookless(world: &WorldRecord) -> impl Iterator<Item = &DeviceId> {
    let connected = world.claims.iter().filter(|claim| claim.claim == Claimed::Connected);
    connected.filter_map(|claim| {
        let mut entries = world.ledger.iter().filter(|entry| entry.call == claim.call).peekable();
        entries.peek()?;
        (!entries.any(|entry| entry.device == claim.device)).then_some(&claim.device)
    })
}
