//! Every capture of the gallery, audited: with the keys of both sides, with those of one, and without any.

use std::fs::File;
use std::path::{Path, PathBuf};

use audit::examination::{Input, Options, examine};
use audit::key_file::{Key, KeyFile, Owner};
use dev::gallery::{EXHIBITS, Exhibit};
use model::audit::{Audit, AuditVerdict, Protection, Severity};
use model::results::Sweep;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn keys(owner: &str, file: &str) -> Vec<Key> {
    let text = std::fs::read_to_string(root().join(file)).expect("it is committed");
    let read = KeyFile::parse(&text, Some(&Owner::named(owner).expect("a name")));
    assert!(read.errors.is_empty(), "{file}");
    read.keys
}

fn audited(exhibit: &Exhibit, keys: &[Key]) -> Audit {
    let [capture, ..] = exhibit.files();
    let path = root().join(&capture);
    let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn std::io::Read + Send>);
    let input = Input { name: capture, open: Box::new(open) };
    let complete = if exhibit.complete { vec![Owner::named("service").expect("a name")] } else { Vec::new() };
    let audit =
        examine(&[input], keys, &Options { no_hash: true, complete, sweep: Sweep::Light }, &mut |_| {});
    assert!(audit.captures[0].problems.is_empty(), "{}", exhibit.name);
    audit
}

fn count(audit: &Audit, word: Protection) -> usize {
    audit.streams.iter().filter(|stream| stream.protection == word).count()
}

#[test]
fn with_all_keys_each_is_what_its_line_says() {
    for exhibit in EXHIBITS {
        let [_, parties, service] = exhibit.files();
        let audit = audited(exhibit, &[keys("parties", &parties), keys("service", &service)].concat());
        assert_eq!(audit.verdict, exhibit.verdict, "{}", exhibit.name);
        for (word, streams) in exhibit.protections {
            assert_eq!(count(&audit, *word), *streams, "{}: {word:?}", exhibit.name);
        }
        assert_eq!(
            audit.streams.len(),
            exhibit.protections.iter().map(|(_, streams)| streams).sum::<usize>(),
            "{}",
            exhibit.name
        );
        let mut found: Vec<&str> = audit
            .findings
            .iter()
            .filter(|finding| finding.severity != Severity::Advisory)
            .map(|finding| finding.check.as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, exhibit.findings, "{}", exhibit.name);
    }
}

#[test]
fn without_keys_nothing_is_concluded() {
    for exhibit in EXHIBITS {
        let audit = audited(&Exhibit { complete: false, ..*exhibit }, &[]);
        assert_eq!(audit.verdict, AuditVerdict::Inconclusive, "{}", exhibit.name);
        assert_eq!(count(&audit, Protection::EncryptedUndetermined), audit.streams.len(), "{}", exhibit.name);
        assert!(!audit.not_concluded.is_empty());
    }
}

#[test]
fn the_keys_of_the_parties_alone_never_make_a_call_end_to_end() {
    for exhibit in EXHIBITS {
        let [_, parties, _] = exhibit.files();
        let audit = audited(&Exhibit { complete: false, ..*exhibit }, &keys("parties", &parties));
        assert_eq!(count(&audit, Protection::EndToEndConsistent), 0, "{}", exhibit.name);
    }
}

#[test]
fn each_is_small() {
    for file in EXHIBITS.iter().flat_map(Exhibit::files) {
        let length = std::fs::metadata(root().join(&file)).expect("it is committed").len();
        assert!(length < 300_000, "{file}: {length} bytes");
    }
}
