//! Captures that are handed to everybody to try, audited with a part of their keys: what must not be concluded then.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use audit::examination::{Input, Options, examine};
use audit::key_file::{KeyFile, Owner};
use model::audit::{Audit, Protection};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captures").join(name)
}

fn with_the_keys_of_the_service(name: &str) -> Audit {
    let path = file(&format!("{name}.pcapng.zst"));
    let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn Read + Send>);
    let input = Input { name: name.to_owned(), open: Box::new(open) };
    let text = fs::read_to_string(file(&format!("{name}.service.keys"))).expect("keys");
    let keys = KeyFile::parse(&text, Some(&Owner::named("service").expect("a name")));
    assert!(keys.errors.is_empty() && !keys.keys.is_empty());
    examine(&[input], &keys.keys, &Options::default(), &mut |_| {})
}

#[test]
fn frames_without_a_seal_are_found_without_the_keys_of_the_parties() {
    let audit = with_the_keys_of_the_service("flaw-unsealed-one-in-twenty");
    assert_eq!(audit.streams.len(), 8);
    for stream in &audit.streams {
        assert_ne!(stream.protection, Protection::EndToEndConsistent, "{}: {}", stream.id, stream.why);
        assert!(stream.why.contains(" packets have no header of the frame layer"), "{}", stream.why);
        assert_eq!(stream.findings.iter().filter(|name| *name == "streams/every-frame-is-sealed").count(), 1);
    }
}
