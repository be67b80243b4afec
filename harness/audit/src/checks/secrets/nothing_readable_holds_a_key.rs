//! No secret that only the two devices may hold stands in anything that somebody else reads.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use model::Role;
use model::outcome::Listener;
use model::results::Blame;

use crate::case::Case;
use crate::evidence::{Ears, Message};
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Base keys, shared secrets and DTLS master secrets that only the two devices hold stand in no signalling
    /// message, HTTP body, database row, answer, claim, remark or leftover of a node: neither as bytes nor as hex,
    /// base64 or base64url.
    ///
    /// ## Why it matters
    /// A key that the service can read makes every seal under it worthless, whatever the screens show. Logs and crash
    /// reports are where keys have been found in practice.
    ///
    /// ## How it decides
    /// It passes when every text was searched for every secret and none was there. It fails with each place that
    /// holds one. It is inconclusive when there was a secret and nothing to search. It finds whole secrets only; the
    /// search behind `proof/unheard` looks for pieces and for hidden ones.
    summary: "no readable text holds a key of the two devices",
    requirements: ["overheard/keys-stay-on-the-devices"],
    applies: |case| !secrets(case).is_empty(),
    judge: judge,
}

/// A secret of the devices in all the forms in which it is looked for.
struct Secret {
    what: String,
    bytes: Vec<u8>,
    texts: [String; 3],
}

impl Secret {
    fn new(what: String, bytes: &[u8]) -> Self {
        let texts = [hex::encode(bytes), STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)];
        Self { what, bytes: bytes.to_vec(), texts }
    }

    fn stands_in(&self, text: &[u8]) -> bool {
        let [hex, base64, base64url] = &self.texts;
        contains(text, &self.bytes)
            || contains(&text.to_ascii_lowercase(), hex.as_bytes())
            || contains(text, base64.as_bytes())
            || contains(text, base64url.as_bytes())
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

/// What nobody but the two devices may hold. A secret that a listener came by has other holders as well, and counts
/// where the key files give it to the devices alone.
fn secrets(case: &Case<'_>) -> Vec<Secret> {
    let keys = &case.evidence.keys;
    let alone = |ears: Ears| ears == Ears::of(Listener::Parties);
    let frames = keys
        .frame_keys()
        .iter()
        .filter(|key| key.ears.has(Listener::Parties) && (alone(key.ears) || key.found.is_some()));
    let frames =
        frames.map(|key| Secret::new(format!("the base key of SFrame key id {}", key.key_id), &key.base_key));
    let agreed = keys.agreed().iter().filter(|(_, _, ears)| alone(*ears));
    let agreed = agreed.map(|(_, z, _)| Secret::new("the shared secret of the agreement".to_owned(), z));
    let masters = keys.masters().filter(|(_, ears)| alone(*ears));
    let masters = masters.map(|(secret, _)| Secret::new("a DTLS master secret".to_owned(), secret));
    frames.chain(agreed).chain(masters).collect()
}

/// A place that somebody other than the two devices reads.
struct Place {
    name: String,
    blame: Blame,
    located: Located,
    text: Vec<u8>,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let secrets = secrets(case);
    let mut found: BTreeMap<(String, String), (Blame, Located)> = BTreeMap::new();
    for place in places(case) {
        findings.examine(1);
        for secret in secrets.iter().filter(|secret| secret.stands_in(&place.text)) {
            let entry = found
                .entry((secret.what.clone(), place.name.clone()))
                .or_insert_with(|| (place.blame, Located::default()));
            place.located.packets.iter().for_each(|packet| entry.1.add((*packet, &place.located.tap)));
        }
    }
    for ((what, name), (blame, located)) in found {
        findings.fail(blame, format!("{what} stands in {name}"), located);
    }
}

fn places(case: &Case<'_>) -> Vec<Place> {
    let (evidence, world) = (case.evidence, case.evidence.world);
    let mut places = Vec::new();
    for message in &evidence.signalling.messages {
        let mut located = Located::default();
        located.add(evidence.located(message.packet));
        let kind = if message.kind().is_empty() { "unknown" } else { message.kind() };
        let name = format!("a signalling message of the type {kind}");
        places.push(Place { name, blame: sender(case, message), located, text: message.text.clone().into() });
    }
    for exchange in &evidence.signalling.exchanges {
        let mut located = Located::default();
        located.add(evidence.located(exchange.packet));
        let text = exchange.message.body.clone();
        places.push(Place { name: "an HTTP body".to_owned(), blame: Blame::PolicyServer, located, text });
    }
    let mut say = |name: String, blame: Blame, text: Vec<u8>| {
        places.push(Place { name, blame, located: Located::default(), text });
    };
    for line in &world.log {
        say(format!("the log of {}", line.node), of_tap(case, &line.node), line.text.clone().into());
    }
    for claim in &world.claims {
        let text = serde_json::to_vec(&claim.claim).unwrap_or_default();
        say(format!("the screen of {}", claim.device), of_tap(case, &claim.device.to_string()), text);
    }
    for row in &world.database {
        let name = format!("the table {} of the policy server", row.table);
        say(name, Blame::PolicyServer, row.values.values().cloned().collect::<Vec<_>>().join("\n").into());
    }
    for (_, body) in world.steps.values().filter_map(|step| step.answer.as_ref()) {
        say("an answer of the policy server".to_owned(), Blame::PolicyServer, body.clone().into());
    }
    for held in &world.held {
        let bytes = hex::decode(&held.bytes).unwrap_or_else(|_| held.bytes.clone().into());
        say(format!("what {} still held: {}", held.owner, held.what), of_tap(case, &held.owner), bytes);
    }
    places
}

/// The device whose connection carried the message, where the device sent it; else the call service.
fn sender(case: &Case<'_>, message: &Message) -> Blame {
    let interface = case.evidence.signalling.interface(message).filter(|_| message.from_client);
    let tap = interface.and_then(|index| case.evidence.capture.interfaces.get(index));
    tap.map_or(Blame::CallService, |tap| of_tap(case, tap))
}

/// The blame for what stands at a tap; the part of a device is that of the first call in which it has one.
fn of_tap(case: &Case<'_>, tap: &str) -> Blame {
    if let Ok(node) = tap.parse::<Blame>() {
        return node;
    }
    let is = |device: &model::DeviceId| device.to_string() == tap;
    let part = case.calls.iter().filter_map(|call| call.record).find_map(|record| {
        if is(&record.caller) {
            Some(Role::Caller)
        } else {
            record.callee.as_ref().filter(|callee| is(callee)).map(|_| Role::Callee)
        }
    });
    match part {
        Some(Role::Caller) => Blame::Caller,
        Some(Role::Callee) => Blame::Callee,
        None => Blame::Harness,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use model::Verdict;
    use model::record::{LogLine, WorldRecord};
    use rstest::rstest;

    use super::*;
    use crate::bench::plans::both_on;
    use crate::bench::signals::{Signals, base_keys, z};
    use crate::bench::story::{ALICE, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "secrets/nothing-readable-holds-a-key";

    #[test]
    fn a_sealed_call_that_keeps_its_keys_passes() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    #[test]
    fn an_ordinary_call_has_no_secret_of_the_devices_alone() {
        assert_eq!(Trial::of(&Story::ordinary(both_on())).verdict(NAME), None);
    }

    fn hex_in_signalling(signals: &mut Signals) {
        let key = hex::encode_upper(base_keys()[ALICE]);
        signals.alter(ALICE, true, "offer", "trace", key.into());
    }

    fn base64_in_a_message_of_the_service(signals: &mut Signals) {
        signals.alter(ALICE, false, "ringing", "trace", STANDARD.encode(z()).into());
    }

    #[rstest]
    #[case::hex(
        hex_in_signalling,
        "the base key of SFrame key id 0 stands in a signalling message of the type offer"
    )]
    #[case::base64(
        base64_in_a_message_of_the_service,
        "the shared secret of the agreement stands in a signalling message of the type ringing"
    )]
    fn a_key_in_signalling_fails_and_nothing_else_does(
        #[case] signals: fn(&mut Signals),
        #[case] text: &str,
    ) {
        let trial = Trial::of(&Story { signals, ..Story::sealed(both_on()) });
        assert_eq!((trial.failing_beside_legs(), trial.text(NAME)), (vec![NAME], text));
    }

    fn remark(world: &mut WorldRecord) {
        let text = format!("sealing with {}", hex::encode(base_keys()[ALICE]));
        world.log.push(LogLine { at_ns: 0, node: "alice@contoso.example".to_owned(), text });
    }

    #[test]
    fn a_key_in_a_log_fails() {
        let trial = Trial::of(&Story { retell: remark, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing_beside_legs(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "the base key of SFrame key id 0 stands in the log of alice@contoso.example"
        );
    }
}
