//! The keys that bad code invites: constants, and values that follow from what the service knows of a call.
//!
//! Invariant: a guess is made from nothing but what its listeners know.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use model::{Kind, Role};
use sha2::{Digest, Sha256};

use crate::capture::Class;
use crate::evidence::{Ears, Evidence};

/// A value that is tried as every kind of secret that has its length.
#[derive(Clone, PartialEq, Eq)]
pub struct Guess {
    /// How it was come by.
    pub name: Cow<'static, str>,
    /// Who can make it.
    pub ears: Ears,
    /// 16, 32 or 48 bytes, or a master key and salt of SRTP.
    pub bytes: Cow<'static, [u8]>,
}

/// Lengths of secrets: base key, SRTP master key and salt by profile, shared secret and `prk`, DTLS master secret.
const LENGTHS: [usize; 6] = [16, 28, 30, 32, 44, LONGEST];
/// The longest of them.
const LONGEST: usize = 48;

/// Every guess about the calls of a world, in the order of the bytes.
pub fn guesses(evidence: &Evidence<'_>) -> Vec<Guess> {
    let borrowed = |guess: &'static Guess| Guess {
        bytes: Cow::Borrowed(&guess.bytes),
        name: guess.name.clone(),
        ears: guess.ears,
    };
    let mut found: Vec<Guess> = constants().iter().map(borrowed).collect();
    for (name, ears, value) in values(evidence) {
        // The field as it stands is for the sweep, which tells in which packet.
        let stands = |how: &str| how.is_empty() && name == OPAQUE;
        for (how, bytes) in forms(&value).into_iter().filter(|(how, _)| !stands(how)) {
            let name = if how.is_empty() { name.into() } else { format!("{how} of {name}").into() };
            found.push(Guess { name, ears, bytes: bytes.into() });
        }
    }
    merged(found)
}

/// What everybody guesses of every call: made once in a process, because no call has a part in it.
fn constants() -> &'static [Guess] {
    static CONSTANTS: LazyLock<Vec<Guess>> = LazyLock::new(|| {
        let repeated = (0..=u8::MAX).flat_map(|byte| {
            let name = if byte == 0 { "zero bytes" } else { "one byte over and over" };
            LENGTHS.map(|length| (name, Cow::Owned(vec![byte; length])))
        });
        let counting = [0, 1].into_iter().flat_map(|first| {
            LENGTHS.map(|length| ("bytes that count up", (first..=u8::MAX).take(length).collect()))
        });
        let guess = |(name, bytes): (&'static str, _)| Guess { name: name.into(), ears: Ears::ALL, bytes };
        merged(repeated.chain(counting).map(guess).collect())
    });
    &CONSTANTS
}

/// Each value once, under the first of its names and for everybody who can make it.
fn merged(mut guesses: Vec<Guess>) -> Vec<Guess> {
    guesses.sort_by(|a, b| a.bytes.cmp(&b.bytes));
    guesses.dedup_by(|again, first| {
        let same = again.bytes == first.bytes;
        if same {
            first.ears |= again.ears;
        }
        same
    });
    guesses
}

/// Values with what they are and who knows them.
type Values = Vec<(&'static str, Ears, Vec<u8>)>;

/// What the service knows of the calls, and what everybody knows of who takes part.
fn values(evidence: &Evidence<'_>) -> Values {
    let service = evidence.keys.service();
    let mut found = Values::new();
    for call in &evidence.world.calls {
        of_call(&call.call, service, &mut found);
        let devices = [Some(&call.caller), call.callee.as_ref()];
        let names: Vec<String> =
            devices.into_iter().flatten().map(|device| device.user.to_string()).collect();
        found.push(("the names of both parties", Ears::ALL, names.concat().into_bytes()));
    }
    for (domain, tenant) in &evidence.world.plan.tenants {
        found.push(("the name of a tenant", Ears::ALL, domain.clone().into_bytes()));
        for user in tenant.users.keys() {
            found.push(("the name of a user", Ears::ALL, user.clone().into_bytes()));
            found.push(("the name of a party", Ears::ALL, format!("{user}@{domain}").into_bytes()));
        }
    }
    for message in &evidence.signalling.messages {
        let ears = if evidence.recorded { service } else { message.ears };
        described(message.text_of("sdp"), ears, &mut found);
        if message.kind() == "opaque" {
            opaque(message.text_of("data"), ears, &mut found);
        }
        for key in ["commit", "epk", "nonce", "confirmation"] {
            let value = hex::decode(message.text_of(key)).unwrap_or_default();
            found.push(("a value of the agreement", ears, value));
        }
        if !evidence.recorded {
            of_call(message.text_of("call"), ears, &mut found);
            let callee = message.json.get("to").and_then(|to| to.get(0)?.as_str()).unwrap_or_default();
            named([message.text_of("from"), callee], ears, &mut found);
        }
    }
    if !evidence.recorded {
        let sip = evidence.datagrams.iter().filter(|datagram| datagram.class == Class::Sip);
        for text in sip.map(|datagram| String::from_utf8_lossy(datagram.bytes(&evidence.capture))) {
            described(&text, Ears::ALL, &mut found);
            of_sip(&text, &mut found);
        }
    }
    found.retain(|(_, ears, value)| !value.is_empty() && !ears.is_none());
    found.sort_unstable();
    found.dedup();
    found
}

const OPAQUE: &str = "the opaque field";

/// A vendor's own field, as text and as what the usual spellings of bytes make of it.
fn opaque(data: &str, ears: Ears, found: &mut Values) {
    found.push((OPAQUE, ears, data.as_bytes().to_vec()));
    found.push((OPAQUE, ears, hex::decode(data).unwrap_or_default()));
    let base64 = STANDARD.decode(data).unwrap_or_default();
    found.push((OPAQUE, ears, base64));
}

/// A call id in hex, as bytes and as text, alone and with whose media of which kind a key would be for.
fn of_call(call: &str, ears: Ears, found: &mut Values) {
    let id = hex::decode(call).unwrap_or_default();
    let labelled = [Role::Caller, Role::Callee].into_iter().flat_map(|role| {
        let id = id.clone();
        [Kind::Audio, Kind::Video, Kind::Screen]
            .map(|kind| [&id[..], role.word().as_bytes(), kind.word().as_bytes()].concat())
    });
    let labelled = labelled.filter(|value| value.len() > id.len() && !id.is_empty());
    found.extend(labelled.map(|value| ("the call id with sender and kind", ears, value)));
    found.push(("the call id", ears, id.clone()));
    found.push(("the call id in hex", ears, call.as_bytes().to_vec()));
}

/// Who calls whom.
fn named(parties: [&str; 2], ears: Ears, found: &mut Values) {
    found.push(("the names of both parties", ears, parties.concat().into_bytes()));
    for (party, (user, tenant)) in parties.iter().filter_map(|party| Some((party, party.split_once('@')?))) {
        found.push(("the name of a tenant", ears, tenant.as_bytes().to_vec()));
        found.push(("the name of a user", ears, user.as_bytes().to_vec()));
        found.push(("the name of a party", ears, party.as_bytes().to_vec()));
    }
}

/// Lines of a session description.
fn described(text: &str, ears: Ears, found: &mut Values) {
    let lines = text.lines().filter_map(|line| line.strip_prefix("a="));
    for (attribute, value) in lines.filter_map(|line| line.split_once(':')) {
        match attribute {
            "fingerprint" => {
                let digits = value.rsplit(' ').next().unwrap_or_default().replace(':', "");
                found.push(("a fingerprint", ears, hex::decode(digits).unwrap_or_default()));
                found.push(("the text of a fingerprint", ears, value.as_bytes().to_vec()));
            }
            "ice-ufrag" => found.push(("an ICE user name", ears, value.as_bytes().to_vec())),
            "ice-pwd" => found.push(("an ICE password", ears, value.as_bytes().to_vec())),
            _ => {}
        }
    }
}

/// Call id and names of a SIP message (RFC 3261 §20.8, §20.20, §20.39), which everybody reads who recorded it.
fn of_sip(text: &str, found: &mut Values) {
    let mut parties = [""; 2];
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let uri =
            || value.split("sip:").nth(1).and_then(|uri| uri.split(['>', ';']).next()).unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "call-id" | "i" => found.push(("the call id", Ears::ALL, value.trim().as_bytes().to_vec())),
            "from" | "f" => parties[0] = uri(),
            "to" | "t" => parties[1] = uri(),
            _ => {}
        }
    }
    named(parties, Ears::ALL, found);
}

/// What bad code makes keys from a value with: as it is, cut or filled up with zero bytes, SHA-256, HKDF.
fn forms(value: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hash: [u8; 32] = Sha256::digest(value).into();
    let mut found = Vec::with_capacity(LENGTHS.len() * 5 + 3);
    let mut whole = value.to_vec();
    whole.resize(LONGEST.max(value.len()), 0);
    found.extend(LENGTHS.iter().filter_map(|length| Some(("", whole.get(..*length)?.to_vec()))));
    for (salt, infos) in
        [(None, &[&b""[..], b"overheard/1 sframe", b"SFrame 1.0"][..]), (Some(&b"overheard/1"[..]), &[b""])]
    {
        let extracted = Hkdf::<Sha256>::new(salt, value);
        for info in infos {
            // A shorter expansion is the start of a longer one (RFC 5869 §2.3).
            let mut longest = [0; LONGEST];
            if extracted.expand(info, &mut longest).is_ok() {
                found.extend(LENGTHS.iter().filter_map(|n| Some(("HKDF", longest.get(..*n)?.to_vec()))));
            }
        }
    }
    found.push(("SHA-256", hash.to_vec()));
    found.extend(hash.first_chunk::<16>().map(|half| ("SHA-256", half.to_vec())));
    found.extend(hash.last_chunk::<16>().map(|half| ("SHA-256", half.to_vec())));
    found
}

#[cfg(test)]
mod tests {
    use model::outcome::Listener;

    use super::*;
    use crate::bench::plans::both_on;
    use crate::bench::story::{CALL, Story};

    fn of_a_call() -> Vec<Guess> {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Story::sealed(both_on()).tell(folder.path(), "guesses");
        guesses(&Evidence::gather(folder.path(), &world))
    }

    #[test]
    fn what_follows_from_the_call_id_is_guessed_by_the_service_and_not_by_eve() {
        let hash = Sha256::digest(CALL);
        let guesses = of_a_call();
        let guess = guesses.iter().find(|guess| *guess.bytes == hash[..16]).expect("guessed");
        assert_eq!(guess.name, "SHA-256 of the call id");
        assert!(guess.ears.has(Listener::Trudy) && !guess.ears.has(Listener::Eve));
    }

    #[test]
    fn a_vendors_own_field_is_guessed_from_in_every_usual_spelling() {
        for data in ["00ff10ab", "AP8Qqw=="] {
            let mut found = Values::new();
            opaque(data, Ears::ALL, &mut found);
            let holds = |wanted: &[u8]| found.iter().any(|(_, _, value)| value == wanted);
            assert!(holds(&[0, 0xFF, 0x10, 0xAB]) && holds(data.as_bytes()), "{found:?}");
        }
    }

    #[test]
    fn constants_are_everybodys_guess() {
        let guesses = of_a_call();
        for constant in [vec![0; 16], vec![0; 32], vec![0xFF; 16], (0..16).collect()] {
            let guess = guesses.iter().find(|guess| *guess.bytes == *constant).expect("guessed");
            assert_eq!(guess.ears, Ears::ALL);
        }
    }

    #[test]
    fn an_expansion_is_what_hkdf_gives_at_each_length() {
        let forms = forms(b"a value");
        for (salt, info) in [(None, &b""[..]), (None, b"SFrame 1.0"), (Some(&b"overheard/1"[..]), b"")] {
            for length in LENGTHS {
                let mut bytes = vec![0; length];
                Hkdf::<Sha256>::new(salt, b"a value").expand(info, &mut bytes).expect("short enough");
                assert!(forms.contains(&("HKDF", bytes)), "{length} bytes");
            }
        }
    }

    #[test]
    fn no_guess_is_made_twice_and_none_has_an_odd_length() {
        let guesses = of_a_call();
        let mut bytes: Vec<&[u8]> = guesses.iter().map(|guess| &*guess.bytes).collect();
        bytes.dedup();
        assert_eq!(bytes.len(), guesses.len());
        assert!(guesses.iter().all(|guess| LENGTHS.contains(&guess.bytes.len())));
    }
}
