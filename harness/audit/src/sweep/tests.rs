//! Keys that stand where somebody reads them, in every encoding and as every kind of secret.

use model::outcome::Listener;
use model::record::{Held, LogLine, WorldRecord};
use rstest::rstest;
use serde_json::Value;
use sha2::Digest as _;

use super::encoding::encode;
use super::*;
use crate::bench::plans::both_on;
use crate::bench::signals::{Signals, agreement, base_keys, z};
use crate::bench::story::{self, ALICE, Datagram, NODE, Story};
use crate::bench::trial::Trial;

/// What the listeners come by, and how many frames Trudy and Eve hear then.
fn overheard(story: &Story) -> (Vec<Hit>, [usize; 2], Swept) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = story.tell(folder.path(), "swept");
    let evidence = overhear(Evidence::gather(folder.path(), &world), Reach::All);
    let frames: Vec<_> = evidence.media.iter().flat_map(|media| &media.frames).collect();
    let heard = [Listener::Trudy, Listener::Eve]
        .map(|listener| frames.iter().filter(|frame| frame.ears.has(listener)).count());
    (evidence.swept.hits.clone(), heard, evidence.swept)
}

fn kinds(hits: &[Hit]) -> Vec<(Kind, Ears)> {
    hits.iter().map(|hit| (hit.kind, hit.ears)).collect()
}

fn service() -> Ears {
    Ears::of(Listener::Trudy) | Ears::of(Listener::Harvest)
}

fn say(signals: &mut Signals, text: Vec<u8>) {
    let text = String::from_utf8(text).expect("a text");
    signals.alter(ALICE, true, "offer", "trace", Value::String(text));
}

#[test]
fn an_honest_call_has_no_hit_and_every_control_is_found() {
    let (hits, heard, swept) = overheard(&Story::sealed(both_on()));
    assert_eq!((hits, heard), (Vec::new(), [0, 0]));
    assert_eq!(swept.traces, []);
    assert!(swept.windows > 1_000 && swept.guesses > 100);
    assert!(swept.controls.planted >= 24, "{:?}", swept.controls);
    assert_eq!(swept.controls.found, swept.controls.planted);
}

#[test]
fn an_ordinary_call_has_no_hit_and_eves_controls_are_found() {
    let (hits, _, swept) = overheard(&Story::ordinary(both_on()));
    assert_eq!((hits, swept.traces), (Vec::new(), Vec::new()));
    assert_eq!((swept.controls.found, swept.controls.planted), (11, 11));
}

#[rstest]
#[case::hex(|s: &mut Signals| say(s, encode(Encoding::Hex, &base_keys()[ALICE])), "in hex")]
#[case::base64(|s: &mut Signals| say(s, encode(Encoding::Base64, &base_keys()[ALICE])), "in base64")]
#[case::percent(|s: &mut Signals| say(s, encode(Encoding::Percent, &base_keys()[ALICE])), "in percent escapes")]
#[case::json(
    |s: &mut Signals| say(s, encode(Encoding::Json, &base_keys()[ALICE])),
    "in JSON escapes inside JSON escapes"
)]
#[case::hex_in_base64(
    |s: &mut Signals| say(s, encode(Encoding::Base64, &encode(Encoding::Hex, &base_keys()[ALICE]))),
    "in hex inside base64"
)]
#[case::raw_characters(
    |s: &mut Signals| say(s, base_keys()[ALICE].iter().map(|b| char::from(*b)).collect::<String>().into_bytes()),
    "in JSON escapes"
)]
fn a_base_key_in_signalling_lets_the_service_hear(#[case] signals: fn(&mut Signals), #[case] how: &str) {
    let (hits, heard, _) = overheard(&Story { signals, ..Story::sealed(both_on()) });
    assert_eq!(kinds(&hits), [(Kind::BaseKey, service())]);
    let Origin::Stood { name, place, written, .. } = &hits[0].origin else { panic!("it was not guessed") };
    assert_eq!((name.as_str(), written.as_str()), ("a signalling message of the type offer", how));
    assert_eq!(place, "in the field trace");
    assert_eq!(heard, [120, 0], "thirty frames of alice at four taps");
}

#[rstest]
#[case::shared_secret(|s: &mut Signals| say(s, encode(Encoding::Hex, &z())), Kind::SharedSecret)]
#[case::prk(|s: &mut Signals| say(s, encode(Encoding::Base64, agreement().1.prk())), Kind::Prk)]
#[case::private_key(|s: &mut Signals| say(s, encode(Encoding::Hex, &[0x11; 32])), Kind::PrivateKey)]
fn a_secret_of_the_agreement_lets_the_service_hear_both_sides(
    #[case] signals: fn(&mut Signals),
    #[case] kind: Kind,
) {
    let (hits, heard, _) = overheard(&Story { signals, ..Story::sealed(both_on()) });
    assert!(kinds(&hits).contains(&(kind, service())), "{hits:?}");
    assert_eq!(heard, [240, 0]);
}

fn on_the_wire(datagrams: &mut Vec<Datagram>, secret: &[u8]) {
    let bytes = [&[0x7F, 1, 2][..], secret, &[9; 5]].concat();
    datagrams.push(Datagram { at_ns: 1, from: ALICE, to: NODE, bytes, leaves: true, arrives: true });
}

#[rstest]
#[case::srtp(
    |d: &mut Vec<Datagram>| {
        let hop = story::keys(ALICE)[0];
        on_the_wire(d, &[&hop.key[..], &hop.salt].concat());
    },
    Kind::SrtpMaster,
)]
#[case::dtls(|d: &mut Vec<Datagram>| on_the_wire(d, &story::master_secret(ALICE)), Kind::DtlsMaster)]
fn a_key_of_a_hop_on_the_wire_lets_eve_hear_an_ordinary_call(
    #[case] tamper: fn(&mut Vec<Datagram>),
    #[case] kind: Kind,
) {
    let (hits, heard, _) = overheard(&Story { tamper, ..Story::ordinary(both_on()) });
    assert_eq!(kinds(&hits), [(kind, Ears::ALL)]);
    assert!(heard[1] > 0, "eve hears {heard:?}");
}

#[test]
fn a_base_key_on_the_wire_is_found_by_everybody_and_the_hop_still_keeps_eve_out() {
    let tamper = |d: &mut Vec<Datagram>| on_the_wire(d, &base_keys()[ALICE]);
    let (hits, heard, _) = overheard(&Story { tamper, ..Story::sealed(both_on()) });
    assert_eq!(kinds(&hits), [(Kind::BaseKey, Ears::ALL)]);
    assert_eq!(heard, [120, 0]);
    let Origin::Stood { place, written, .. } = &hits[0].origin else { panic!("it was not guessed") };
    assert_eq!((place.as_str(), written.as_str()), ("from byte 3 on", "as it stands"));
}

#[rstest]
#[case::in_a_log(
    |w: &mut WorldRecord| w.log.push(LogLine {
        at_ns: 0, node: "call-service".to_owned(), text: format!("key={}", hex::encode(base_keys()[ALICE])),
    }),
    service()
)]
#[case::still_held(
    |w: &mut WorldRecord| w.held.push(Held {
        owner: "forwarder".to_owned(), what: "a buffer".to_owned(), bytes: hex::encode(base_keys()[ALICE]),
    }),
    Ears::of(Listener::Harvest)
)]
fn what_nodes_keep_is_swept(#[case] retell: fn(&mut WorldRecord), #[case] ears: Ears) {
    let (hits, ..) = overheard(&Story { retell, ..Story::sealed(both_on()) });
    assert_eq!(kinds(&hits), [(Kind::BaseKey, ears)]);
}

fn keep(world: &mut WorldRecord, what: &str, bytes: &[u8]) {
    let owner = "bob@contoso.example".to_owned();
    world.held.push(Held { owner, what: what.to_owned(), bytes: hex::encode(bytes) });
}

#[rstest]
#[case::base_key(|w: &mut WorldRecord| keep(w, "a key", &base_keys()[ALICE]), Kind::BaseKey)]
#[case::shared_secret(|w: &mut WorldRecord| keep(w, "a secret", &z()), Kind::SharedSecret)]
#[case::prk(|w: &mut WorldRecord| keep(w, "a secret", agreement().1.prk()), Kind::Prk)]
#[case::private_key(|w: &mut WorldRecord| keep(w, "a half", &[0x11; 32]), Kind::PrivateKey)]
fn a_device_that_keeps_its_keys_is_heard_by_harvest_swept_or_not(
    #[case] retell: fn(&mut WorldRecord),
    #[case] kind: Kind,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = Story { retell, ..Story::sealed(both_on()) }.tell(folder.path(), "kept");
    for reach in [Reach::Guesses, Reach::All] {
        let evidence = overhear(Evidence::gather(folder.path(), &world), reach);
        assert!(
            kinds(&evidence.swept.hits).contains(&(kind, Ears::of(Listener::Harvest))),
            "{reach:?}: {:?}",
            evidence.swept.hits
        );
        let frames = || evidence.media.iter().flat_map(|media| &media.frames);
        assert!(frames().any(|frame| frame.ears.has(Listener::Harvest)), "{reach:?}");
        assert!(frames().all(|frame| !frame.ears.has(Listener::Trudy)), "{reach:?}");
    }
}

#[test]
fn the_leg_says_who_still_held_a_key() {
    let retell = |w: &mut WorldRecord| keep(w, "the key that seals its audio", &base_keys()[ALICE]);
    let trial = Trial::swept(&Story { retell, ..Story::sealed(both_on()) });
    assert!(trial.failing().contains(&"proof/unheard"));
    let texts = trial.texts("proof/unheard");
    let text = "harvest can read an SFrame base key of call (key id 0): it stands in what bob@contoso.example still \
                held: the key that seals its audio, from byte 0 on, as it stands";
    assert!(texts.contains(&text), "{texts:?}");
}

#[rstest]
#[case::zero([0; 16], Ears::ALL)]
#[case::counting(std::array::from_fn(|at| u8::try_from(at).expect("small")), Ears::ALL)]
#[case::hash_of_the_call_id(*sha2::Sha256::digest(story::CALL).first_chunk().expect("32 bytes"), service())]
fn a_key_that_can_be_guessed_is_no_key(#[case] base_key: [u8; 16], #[case] ears: Ears) {
    let story = Story { base_keys: [base_key, base_keys()[1]], ..Story::sealed(both_on()) };
    let (hits, heard, _) = overheard(&story);
    assert_eq!(kinds(&hits), [(Kind::BaseKey, ears)]);
    assert!(matches!(hits[0].origin, Origin::Guess(_)));
    assert_eq!(heard, [120, 0]);
}

#[test]
fn without_a_sweep_guesses_are_tried_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let signals = |s: &mut Signals| say(s, encode(Encoding::Hex, &base_keys()[ALICE]));
    let world = Story { signals, ..Story::sealed(both_on()) }.tell(folder.path(), "unswept");
    let swept = overhear(Evidence::gather(folder.path(), &world), Reach::Guesses).swept;
    assert_eq!((swept.hits.len(), swept.windows), (0, 0));
    assert_eq!((swept.controls.found, swept.controls.planted), (10, 10), "real keys among those held");
    assert!(swept.guesses > 100);
}

#[test]
fn the_leg_names_what_was_read_where_and_whose_fault_it_is() {
    let signals = |s: &mut Signals| say(s, encode(Encoding::Base64, &base_keys()[ALICE]));
    let trial = Trial::swept(&Story { signals, ..Story::sealed(both_on()) });
    assert!(trial.failing().contains(&"proof/unheard"));
    let texts = trial.texts("proof/unheard");
    let text = "trudy and harvest can read an SFrame base key of call (key id 0): it stands in a signalling message \
                of the type offer, in the field trace, in base64";
    assert!(texts.contains(&text), "{texts:?}");
}
