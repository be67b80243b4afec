//! Keys that are given away, as an audit finds them, and what it says where it did not look.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::audit::{Audit, Protection};
use rstest::rstest;

use super::*;
use crate::bench::plans::both_on;
use crate::bench::signals::{Signals, base_keys, z};
use crate::bench::story::{ALICE, CALL, Datagram, NODE, Story};
use crate::examination::{Input, Options, examine};
use crate::key_file::KeyFile;

const CHECK: &str = "keys/are-not-given-away";

/// The story's capture, audited with the keys of the parties and, under this name, of the service.
fn audited(story: &Story, service: &str, sweep: Sweep) -> Audit {
    let folder = tempfile::tempdir().expect("a folder");
    let world = story.tell(folder.path(), "overheard");
    let keys = |file: &str, owner: &str| {
        let text = std::fs::read_to_string(folder.path().join(file)).expect("keys");
        KeyFile::parse(&text, Some(&Owner::named(owner).expect("a name"))).keys
    };
    let given = [keys(&world.files.parties, "parties"), keys(&world.files.service, service)].concat();
    let path = folder.path().join(&world.files.capture);
    let open = move || Ok(Box::new(std::fs::File::open(&path)?) as Box<dyn Read + Send>);
    let input = Input { name: "overheard".to_owned(), open: Box::new(open) };
    examine(&[input], &given, &Options { sweep, ..Options::default() }, &mut |_| {})
}

fn texts(audit: &Audit) -> Vec<&str> {
    audit
        .findings
        .iter()
        .filter(|finding| finding.check == CHECK)
        .map(|finding| finding.text.as_str())
        .collect()
}

fn opened_by(audit: &Audit, owner: &str) -> usize {
    let opens = |opened: &model::audit::Opened| opened.layer == "sframe" && opened.owner == owner;
    audit.streams.iter().filter(|stream| stream.opened.iter().any(opens)).count()
}

fn asked(audit: &Audit, words: &str) -> bool {
    audit.not_concluded.iter().any(|open| open.text.contains(words))
}

#[test]
fn a_call_that_keeps_its_keys_is_told_to() {
    let audit = audited(&Story::sealed(both_on()), "service", Sweep::Full);
    assert!(audit.streams.iter().all(|stream| stream.protection == Protection::EndToEndConsistent));
    assert!(texts(&audit).is_empty() && !asked(&audit, "controls"), "{:?}", audit.not_concluded);
    assert!(
        !asked(&audit, "the sweep") && !asked(&audit, "no secret could be tried"),
        "{:?}",
        audit.not_concluded
    );
}

fn base_key(signals: &mut Signals) {
    signals.alter(ALICE, true, "offer", "trace", STANDARD.encode(base_keys()[ALICE]).into());
}

fn shared_secret(signals: &mut Signals) {
    signals.alter(ALICE, false, "ringing", "trace", hex::encode(z()).into());
}

#[rstest]
#[case::base_key(base_key, "`sfu` can read an SFrame base key (key id 0)", 2)]
#[case::shared_secret(shared_secret, "`sfu` can read the shared secret of the agreement", 1)]
fn a_secret_in_readable_signalling_opens_the_frames_for_its_reader(
    #[case] signals: fn(&mut Signals),
    #[case] text: &str,
    #[case] part: usize,
) {
    let audit = audited(&Story { signals, ..Story::sealed(both_on()) }, "sfu", Sweep::Light);
    assert!(texts(&audit).first().is_some_and(|found| found.starts_with(text)), "{:?}", texts(&audit));
    let streams = audit.streams.len() / part;
    assert_eq!(opened_by(&audit, "sfu"), streams);
    let open = audit.streams.iter().filter(|stream| stream.protection == Protection::TransportOnly);
    assert_eq!(open.count(), streams);
    let named = audit.findings.iter().find(|finding| finding.check == CHECK).expect("a finding");
    assert_eq!(named.packets.len(), 1, "{named:?}");
    let report = serde_json::to_string(&audit).expect("it can be written");
    for secret in [base_keys()[ALICE].to_vec(), z().to_vec()] {
        assert!(!report.contains(&hex::encode(&secret)) && !report.contains(&STANDARD.encode(&secret)));
    }
}

#[test]
fn where_nothing_is_swept_that_is_said_and_the_secret_is_missed() {
    let audit = audited(&Story { signals: base_key, ..Story::sealed(both_on()) }, "service", Sweep::Off);
    assert!(texts(&audit).is_empty());
    assert!(asked(&audit, "nothing was swept"), "{:?}", audit.not_concluded);
}

#[test]
fn guesses_are_tried_also_where_nothing_is_swept() {
    let hash: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(CALL).into();
    let key: [u8; 16] = *hash.first_chunk().expect("16 bytes");
    let story = Story { base_keys: [key; 2], ..Story::sealed(both_on()) };
    let audit = audited(&story, "service", Sweep::Off);
    assert_eq!(
        texts(&audit),
        ["`service` can guess an SFrame base key (key id 0): it is SHA-256 of the call id"]
    );
    assert_eq!(opened_by(&audit, "service"), audit.streams.len(), "one base key in both directions");
}

fn in_the_clear(datagrams: &mut Vec<Datagram>) {
    let bytes = [&[0x7F][..], &hex::encode(base_keys()[ALICE]).into_bytes()].concat();
    datagrams.push(Datagram { at_ns: 1, from: 0, to: NODE, bytes, leaves: true, arrives: true });
}

#[test]
fn what_everybody_can_read_the_service_reads_as_well() {
    let audit = audited(&Story { tamper: in_the_clear, ..Story::sealed(both_on()) }, "service", Sweep::Light);
    assert!(
        texts(&audit)[0].starts_with("whoever records the packets can read an SFrame base key"),
        "{:?}",
        texts(&audit)
    );
    assert!(opened_by(&audit, "capture") > 0 && opened_by(&audit, "service") > 0);
    assert!(audit.streams.iter().any(|stream| stream.protection == Protection::TransportOnly));
}
