//! What two real calls against the reference client showed of a driver, one in each direction.
//!
//! Invariant: what the driver says of a call is compared with what the other side says and with the judged capture.

use std::collections::{BTreeMap, BTreeSet};

use model::driver::DriverRecord;
use model::driver_check::{ProbeResult, ProbeState};
use model::record::{Blamed, CallRecord, Claimed, LedgerEntry, WorldRecord};
use model::results::ScenarioResult;
use model::{DeviceId, Direction, Kind, Verdict};

use super::bench::Trouble;
use super::{Checked, result};

/// What has to pass before a call is tried.
pub(super) const NEEDS: &[&str] =
    &["handshake/introduces-itself", "session/registers", "calls/offer", "calls/answer", "calls/hang-up"];
/// How long each side talks in each call, in milliseconds.
const TALK_MS: u32 = 1_000;

/// Looks at one call, or at everything.
type Look = fn(&Played<'_>, &Part<'_>) -> Result<String, Trouble>;

/// One probe of the calls.
pub struct CallProbe {
    /// `group/what-must-hold`.
    pub id: &'static str,
    asked: &'static str,
    hint: &'static str,
    look: Look,
}

const CONNECTS: &str = "see that ICE and DTLS come up on the sockets of the session, then print the claims `answered` and `connected`";
const LOCK: &str = "print the claims `lock` and `code` once the other's confirmation was verified; the code is four groups of five digits";
const SENT: &str = "send 50 audio and 30 video or screen frames a second while `talk` lasts, and print one `frame` for each, counted from 0";
const RECEIVED: &str =
    "print one `frame` for each frame that was played, with length and SHA-256 outside any seal";
const ENDED: &str = "print the claim `ended`: `own` is true where this device left first, and the reason is null where a person hung up";

/// Every probe of the calls, in the order in which they are told.
pub const CALL_PROBES: &[CallProbe] = &[
    CallProbe {
        id: "placed/connects",
        asked: "a call that it placed comes up, and it says so",
        hint: CONNECTS,
        look: connects,
    },
    CallProbe {
        id: "placed/lock-and-code",
        asked: "it shows the lock and the code that the other device shows",
        hint: LOCK,
        look: lock_and_code,
    },
    CallProbe {
        id: "placed/frames-sent",
        asked: "`talk` of one second sends so many frames, and the other device played no others",
        hint: SENT,
        look: frames_sent,
    },
    CallProbe {
        id: "placed/frames-received",
        asked: "every frame that it played was sent by the other device",
        hint: RECEIVED,
        look: frames_received,
    },
    CallProbe {
        id: "placed/hang-up",
        asked: "after its own `hang-up` the call is over, of its own doing",
        hint: ENDED,
        look: ended,
    },
    CallProbe {
        id: "answered/connects",
        asked: "a call that it answered comes up, and it says so",
        hint: CONNECTS,
        look: connects,
    },
    CallProbe {
        id: "answered/lock-and-code",
        asked: "it shows the lock and the code that the other device shows",
        hint: LOCK,
        look: lock_and_code,
    },
    CallProbe {
        id: "answered/frames-sent",
        asked: "`talk` of one second sends so many frames, and the other device played no others",
        hint: SENT,
        look: frames_sent,
    },
    CallProbe {
        id: "answered/frames-received",
        asked: "every frame that it played was sent by the other device",
        hint: RECEIVED,
        look: frames_received,
    },
    CallProbe {
        id: "answered/hang-up",
        asked: "after the other's `hang-up` the call is over, and not of its own doing",
        hint: ENDED,
        look: ended,
    },
    CallProbe {
        id: "judged/talk-after-its-frames",
        asked: "`talk` is answered after its last frame, and no frame leaves while nobody talks",
        hint: "answer `talk` when the last frame was handed to the network and its `frame` was printed",
        look: talk_after_its_frames,
    },
    CallProbe {
        id: "judged/keys",
        asked: "`keys` exports lines of a key file for these calls",
        hint: "export DTLS or SRTP secrets and, of sealed calls, SFRAME and AGREE lines into the session's folder",
        look: keys,
    },
    CallProbe {
        id: "judged/complete",
        asked: "what it says it sent and played is what crossed its sockets",
        hint: "print a `frame` exactly for what was handed to, or came from, the network",
        look: |played, _| played.leg("proof/complete"),
    },
    CallProbe {
        id: "judged/heard",
        asked: "the keys of the two devices open every frame",
        hint: "export the keys that were used, and hash frames outside any seal",
        look: |played, _| played.leg("proof/heard"),
    },
    CallProbe {
        id: "judged/unheard",
        asked: "nothing that the service or a wiretapper holds opens a frame",
        hint: "seal every frame, from the first one on, and keep keys out of signalling",
        look: |played, _| played.leg("proof/unheard"),
    },
    CallProbe {
        id: "judged/unaltered",
        asked: "it played only frames that the other device sent, each once",
        hint: "refuse what does not open, and what was opened before",
        look: |played, _| played.leg("proof/unaltered"),
    },
    CallProbe {
        id: "judged/canary",
        asked: "the markers in its frames are those of its call, and only the parties find them",
        hint: "make the marker of frames 0, 10, 20 … from call id, sender, kind and number, as the design's section 1.7 has it",
        look: |played, _| played.leg("proof/canary"),
    },
    CallProbe {
        id: "judged/fresh",
        asked: "no key, nonce or certificate serves two calls",
        hint: "make key pairs, nonces and certificate anew for each call",
        look: |played, _| played.leg("proof/fresh"),
    },
    CallProbe {
        id: "judged/ordinary",
        asked: "with the option off the same calls are ordinary ones, and the service hears them",
        hint: "send unsealed frames in a call whose intents are not both 1, and show no lock",
        look: |played, _| played.leg("proof/twin"),
    },
    CallProbe {
        id: "judged/nothing-else-fails",
        asked: "no other check of these calls fails, and the driver does nothing that no driver may",
        hint: "see overheard explain CHECK; keep the calls with --out and read them with overheard judge",
        look: nothing_else_fails,
    },
];

/// The legs that have probes of their own.
const LEGS: &[&str] = &[
    "proof/complete",
    "proof/heard",
    "proof/unheard",
    "proof/unaltered",
    "proof/canary",
    "proof/fresh",
    "proof/twin",
];

/// The calls as a scenario; none where what they need did not pass, or the reference client has no profile of the
/// client's.
pub fn playable(checked: &Checked) -> Option<String> {
    if checked.unmet(NEEDS).is_some() {
        return None;
    }
    let has = |word: &&str| checked.capabilities.iter().any(|declared| declared == *word);
    let profile = ["frames", "dtls"].into_iter().find(|word| has(word))?;
    let media: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).filter(has).collect();
    let media = media.join(", ");
    Some(format!(
        "scenario: Two calls, one in each direction
about: The driver under check is alice; bob is the reference client.
profile: {profile}
tenants:
  contoso.example:
    policies: {{ Global: DisabledUserOverride }}
    users:
      alice: {{ e2ee: on, platform: windows }}
      bob: {{ e2ee: on, platform: windows }}
steps:
  - call: {{ from: alice, to: bob, media: [{media}], as: placed }}
  - talk: {TALK_MS}ms
  - hang-up: alice
  - call: {{ from: bob, to: alice, media: [{media}], as: answered }}
  - talk: {TALK_MS}ms
  - hang-up: bob
expect: {{ outcome: sealed, lock: both, codes: equal }}
"
    ))
}

/// The calls that were played and judged.
struct Played<'a> {
    world: &'a WorldRecord,
    judged: &'a ScenarioResult,
    driver: &'a DriverRecord,
    exports_keys: bool,
}

/// What a probe looks at: one call, or none where it looks at all of them.
struct Part<'a> {
    call: Option<&'a CallRecord>,
    placed: bool,
}

impl<'a> Played<'a> {
    fn device(&self) -> &DeviceId {
        &self.driver.device
    }

    fn claims(&self, own: bool, call: &str) -> impl Iterator<Item = &Claimed> {
        let claims = self.world.claims.iter().filter(move |claim| claim.call == call);
        claims.filter(move |claim| (claim.device == *self.device()) == own).map(|claim| &claim.claim)
    }

    fn ledger(&self, own: bool, direction: Direction, call: &str) -> BTreeMap<Kind, Vec<&'a LedgerEntry>> {
        let mut by_kind: BTreeMap<Kind, Vec<&LedgerEntry>> = BTreeMap::new();
        for entry in &self.world.ledger {
            if entry.call == call && entry.direction == direction && (entry.device == *self.device()) == own {
                by_kind.entry(entry.kind).or_default().push(entry);
            }
        }
        by_kind
    }

    fn leg(&self, name: &str) -> Result<String, Trouble> {
        let Some(check) = self.judged.checks.iter().find(|check| check.check == name) else {
            return Err(Trouble::NotTried(format!("`{name}` does not apply")));
        };
        let told = || {
            let finding = check.findings.first().map_or("it says no more", |finding| finding.text.as_str());
            match check.findings.len() {
                0 | 1 => format!("`{name}`: {finding}"),
                more => format!("`{name}`: {finding} (and {} more)", more - 1),
            }
        };
        match check.verdict {
            Verdict::Pass => Ok(format!("`{name}` looked at {} things", check.examined)),
            Verdict::Fail => Err(Trouble::Wrong(told())),
            Verdict::Inconclusive => Err(Trouble::NotTried(told())),
            Verdict::Error => Err(Trouble::Harness(told())),
        }
    }
}

/// What the probes of the calls came to; `world` and `judged` are of the scenario of [`playable`], where it was played.
pub fn judged(
    played: Option<(&WorldRecord, &ScenarioResult)>,
    checked: &Checked,
    wanted: &BTreeSet<&'static str>,
) -> Vec<ProbeResult> {
    let unmet = checked.unmet(NEEDS);
    let driver = played.and_then(|(world, _)| world.drivers.first());
    let mut results: Vec<ProbeResult> = Vec::new();
    for probe in CALL_PROBES.iter().filter(|probe| wanted.contains(probe.id)) {
        let placed = probe.id.starts_with("placed/");
        let up = if placed { "placed/connects" } else { "answered/connects" };
        let of_a_call = placed || probe.id.starts_with("answered/");
        let down = results.iter().any(|result| result.id == up && result.state != ProbeState::Passed);
        let came = match (&unmet, played, driver) {
            (Some(why), ..) => Err(Trouble::NotTried(why.clone())),
            (None, None, _) => {
                Err(Trouble::NotTried("the reference client has no profile of this client".to_owned()))
            }
            (None, Some((world, _)), None) => Err(never_played(world)),
            (None, Some(_), Some(_)) if of_a_call && down => {
                Err(Trouble::NotTried(format!("`{up}` did not pass")))
            }
            (None, Some((world, judged)), Some(driver)) => {
                let exports_keys = checked.capabilities.iter().any(|word| word == "keys-export");
                let call = of_a_call.then(|| world.calls.get(usize::from(!placed))).flatten();
                (probe.look)(&Played { world, judged, driver, exports_keys }, &Part { call, placed })
            }
        };
        let (state, came) = match came {
            Ok(came) => (ProbeState::Passed, came),
            Err(Trouble::Wrong(came)) => (ProbeState::Failed, came),
            Err(Trouble::NotTried(why)) => (ProbeState::Skipped, why),
            Err(Trouble::Harness(what)) => (ProbeState::Error, what),
            Err(Trouble::Fault(fault)) => (ProbeState::Failed, fault.to_string()),
        };
        results.push(result(probe.id, probe.asked, probe.hint, state, came));
    }
    results
}

/// A world in which the driver did not even get its session open.
fn never_played(world: &WorldRecord) -> Trouble {
    match world.stumbles.first() {
        Some(stumble) if stumble.blame == Blamed::Driver => Trouble::Wrong(stumble.text.clone()),
        Some(stumble) => Trouble::Harness(stumble.text.clone()),
        None => Trouble::Harness("the calls were not played; run again".to_owned()),
    }
}

fn call<'a>(part: &Part<'a>) -> Result<&'a CallRecord, Trouble> {
    part.call.ok_or_else(|| Trouble::Wrong("the call was never placed".to_owned()))
}

fn connects(played: &Played<'_>, part: &Part<'_>) -> Result<String, Trouble> {
    let call = call(part)?;
    for (word, due) in [("answered", Claimed::Answered), ("connected", Claimed::Connected)] {
        if word == "answered" && part.placed {
            // Of a caller only the service's word makes an answer.
            continue;
        }
        if !played.claims(true, &call.call).any(|claim| *claim == due) {
            let ended = played.claims(true, &call.call).find_map(|claim| match claim {
                Claimed::Ended { reason: Some(reason), .. } => Some(format!("; it ended with `{reason}`")),
                _ => None,
            });
            return Err(Trouble::Wrong(format!("no claim `{word}`{}", ended.unwrap_or_default())));
        }
    }
    match call.connected_ns {
        Some(_) => Ok("both devices are connected".to_owned()),
        None => Err(Trouble::Wrong("it says `connected`, and the other device does not".to_owned())),
    }
}

fn is_code(code: &str) -> bool {
    let groups: Vec<&str> = code.split(' ').collect();
    groups.len() == 4
        && groups.iter().all(|group| group.len() == 5 && group.bytes().all(|b| b.is_ascii_digit()))
}

fn lock_and_code(played: &Played<'_>, part: &Part<'_>) -> Result<String, Trouble> {
    let call = call(part)?;
    let code = |own| {
        played.claims(own, &call.call).find_map(|claim| match claim {
            Claimed::Code(code) => Some(code.as_str()),
            _ => None,
        })
    };
    if !played.claims(true, &call.call).any(|claim| *claim == Claimed::Lock(true)) {
        return Err(Trouble::Wrong("no lit lock in a sealed call".to_owned()));
    }
    match (code(true), code(false)) {
        (None, _) => Err(Trouble::Wrong("no code in a sealed call".to_owned())),
        (Some(own), _) if !is_code(own) => {
            Err(Trouble::Wrong("a code that is not four groups of five digits".to_owned()))
        }
        (Some(own), Some(other)) if own == other => Ok("the lock, and the same code".to_owned()),
        (Some(_), Some(_)) => Err(Trouble::Wrong("another code than the other device's".to_owned())),
        (Some(_), None) => Err(Trouble::Wrong("the other device shows no code".to_owned())),
    }
}

fn hashes(entries: &[&LedgerEntry]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.sha256.clone()).collect()
}

fn media(played: &Played<'_>) -> Vec<Kind> {
    let calls = played.world.plan.steps.iter().filter_map(|step| match &step.verb {
        model::plan::Verb::Call { media, .. } => Some(media.clone()),
        _ => None,
    });
    calls.into_iter().next().unwrap_or_default()
}

fn frames_sent(played: &Played<'_>, part: &Part<'_>) -> Result<String, Trouble> {
    let call = call(part)?;
    let (sent, heard) = (
        played.ledger(true, Direction::Sent, &call.call),
        played.ledger(false, Direction::Received, &call.call),
    );
    let mut told = Vec::new();
    for kind in media(played) {
        let own = sent.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let due = TALK_MS / 1_000 * if kind == Kind::Audio { 50 } else { 30 };
        if own.len() != due as usize {
            return Err(Trouble::Wrong(format!(
                "{} {kind} frames told as sent, where {due} are due",
                own.len()
            )));
        }
        if let Some((at, entry)) = own.iter().enumerate().find(|(at, entry)| entry.index as usize != *at) {
            return Err(Trouble::Wrong(format!(
                "the {kind} frame with the index {} in place {at}",
                entry.index
            )));
        }
        let own = hashes(own);
        let others = hashes(heard.get(&kind).map(Vec::as_slice).unwrap_or_default());
        if let Some(strange) = others.difference(&own).next() {
            let start = strange.get(..8).unwrap_or_default();
            return Err(Trouble::Wrong(format!(
                "the other device played a {kind} frame (SHA-256 {start}…) that it does not tell as sent"
            )));
        }
        if others.is_empty() {
            return Err(Trouble::Wrong(format!("the other device played no {kind} frame at all")));
        }
        told.push(format!("{due} {kind}"));
    }
    Ok(format!("frames: {}", told.join(", ")))
}

fn frames_received(played: &Played<'_>, part: &Part<'_>) -> Result<String, Trouble> {
    let call = call(part)?;
    let (heard, sent) = (
        played.ledger(true, Direction::Received, &call.call),
        played.ledger(false, Direction::Sent, &call.call),
    );
    let mut told = Vec::new();
    for kind in media(played) {
        let own = heard.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let others = sent.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let frames = hashes(others);
        if let Some(strange) = own.iter().find(|entry| !frames.contains(&entry.sha256)) {
            let at = strange.index;
            return Err(Trouble::Wrong(format!("the {kind} frame {at} told as received was never sent")));
        }
        if own.is_empty() || own.len() > others.len() {
            let (own, others) = (own.len(), others.len());
            return Err(Trouble::Wrong(format!(
                "{own} {kind} frames told as received of {others} that were sent"
            )));
        }
        told.push(format!("{} of {} {kind}", own.len(), others.len()));
    }
    Ok(format!("frames: {}", told.join(", ")))
}

fn ended(played: &Played<'_>, part: &Part<'_>) -> Result<String, Trouble> {
    let call = call(part)?;
    let ended = played.claims(true, &call.call).find_map(|claim| match claim {
        Claimed::Ended { reason, own } => Some((*reason, *own)),
        _ => None,
    });
    match ended {
        None => Err(Trouble::Wrong("no claim `ended`".to_owned())),
        Some((Some(reason), _)) => {
            Err(Trouble::Wrong(format!("it ended with `{reason}`, where a person hung up")))
        }
        Some((None, own)) if own == part.placed => Ok(format!("ended, own: {own}")),
        Some((None, own)) => Err(Trouble::Wrong(format!("`own` is {own}, where {} is due", part.placed))),
    }
}

fn talk_after_its_frames(played: &Played<'_>, _: &Part<'_>) -> Result<String, Trouble> {
    let sent = played.world.ledger.iter();
    let sent =
        sent.filter(|entry| entry.device == *played.device() && entry.direction == Direction::Sent).count();
    match (sent, played.driver.unasked_frames) {
        (0, _) => Err(Trouble::NotTried("it told of no frame that it sent".to_owned())),
        (_, 0) => Ok(format!("{sent} frames, each while somebody talked")),
        (_, late) => Err(Trouble::Wrong(format!("{late} of {sent} frames left while no `talk` was open"))),
    }
}

fn keys(played: &Played<'_>, _: &Part<'_>) -> Result<String, Trouble> {
    match (played.exports_keys, played.driver.exported) {
        (false, _) => Err(Trouble::NotTried("the client does not declare `keys-export`".to_owned())),
        (true, 0) => Err(Trouble::Wrong("not one key of two calls".to_owned())),
        (true, keys) => Ok(format!("{keys} keys")),
    }
}

fn nothing_else_fails(played: &Played<'_>, _: &Part<'_>) -> Result<String, Trouble> {
    if let Some(stumble) = played.world.stumbles.first() {
        return Err(match stumble.blame {
            Blamed::Driver => Trouble::Wrong(stumble.text.clone()),
            _ => Trouble::Harness(stumble.text.clone()),
        });
    }
    let others: Vec<_> =
        played.judged.checks.iter().filter(|check| !LEGS.contains(&check.check.as_str())).collect();
    if let Some(failed) = others.iter().find(|check| check.verdict == Verdict::Fail) {
        let finding = failed.findings.first().map_or("it says no more", |finding| finding.text.as_str());
        return Err(Trouble::Wrong(format!("`{}`: {finding}", failed.check)));
    }
    match others.iter().filter(|check| check.verdict == Verdict::Pass).count() {
        0 => Err(Trouble::NotTried("no other check looked at anything".to_owned())),
        passed => Ok(format!("{passed} other checks pass")),
    }
}
