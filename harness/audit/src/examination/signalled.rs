//! Keys of frames that follow from a shared secret and readable signalling (design, section 1.6).
//!
//! Invariant: nothing is derived but from messages that stand in the capture, opened with keys that were given.

use std::io;

use model::{Kind, Role};

use super::Input;
use crate::agreement::{KeySchedule, key_id};
use crate::capture::Capture;
use crate::capture::feed::Feed;
use crate::evidence::{Keys, Signalling, View};
use crate::key_file::{Key, Secret};
use crate::sframe::Suite;

/// Bytes of TCP connections that are read for signalling.
const MOST: usize = 16 << 20;

/// The base keys of every agreement whose shared secret was given and whose messages can be read.
///
/// # Errors
/// When the capture cannot be read.
pub fn frame_keys(input: &Input, given: &[Key]) -> io::Result<Vec<Key>> {
    let agreed: Vec<(&Key, [u8; 16], [u8; 32])> = given
        .iter()
        .filter_map(|key| match key.secret {
            Secret::Agree { call_id, z } => Some((key, call_id, z)),
            _ => None,
        })
        .collect();
    if agreed.is_empty() {
        return Ok(Vec::new());
    }
    let capture = Capture::of_tcp(&mut Feed::open((input.open)()?, false)?, MOST)?;
    let mut keys = Keys::new(None);
    keys.take(given.to_vec());
    let signalling = Signalling::read(&capture, &keys);
    let mut found = Vec::new();
    for (_, view) in View::all(&signalling) {
        let Some(signalled) = view.signalled() else { continue };
        for (key, _, z) in agreed.iter().filter(|(_, call_id, _)| *call_id == signalled.call_id) {
            if let Ok(schedule) = signalled.key_schedule(z) {
                found.extend(base_keys(&schedule, key));
            }
        }
    }
    Ok(found)
}

fn base_keys(schedule: &KeySchedule, agreed: &Key) -> Vec<Key> {
    let ids = [Role::Caller, Role::Callee]
        .into_iter()
        .flat_map(|role| Kind::ALL.iter().map(move |kind| (role, *kind)));
    let key = |(role, kind)| Key {
        owner: agreed.owner.clone(),
        line: agreed.line,
        secret: Secret::Sframe {
            suite: Suite::Aes128Gcm,
            key_id: key_id(role, kind),
            base_key: schedule.base_key(role, kind).to_vec(),
        },
    };
    ids.map(key).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use crate::bench::plans::both_on;
    use crate::bench::story::Story;
    use crate::examination::{Options, examine};
    use crate::key_file::{KeyFile, Owner};

    use super::*;

    #[test]
    fn a_shared_secret_and_readable_signalling_open_the_frames() {
        let folder = tempfile::tempdir().expect("a folder");
        let world = Story::sealed(both_on()).tell(folder.path(), "agreed");
        let keys = |file: &str, owner: &str, kept: &dyn Fn(&str) -> bool| {
            let text = std::fs::read_to_string(folder.path().join(file)).expect("keys");
            let lines: Vec<&str> = text.lines().filter(|line| kept(line)).collect();
            KeyFile::parse(&lines.join("\n"), Some(&Owner::named(owner).expect("a name"))).keys
        };
        let mut given = keys(&world.files.parties, "parties", &|line| !line.starts_with("SFRAME"));
        assert!(
            given.iter().any(|key| matches!(key.secret, Secret::Agree { .. })),
            "the story has a shared secret"
        );
        given.extend(keys(&world.files.service, "service", &|_| true));
        let path = folder.path().join(&world.files.capture);
        let open = move || Ok(Box::new(std::fs::File::open(&path)?) as Box<dyn Read + Send>);
        let input = Input { name: "agreed".to_owned(), open: Box::new(open) };
        let opened = |given: &[Key]| -> u64 {
            let audit = examine(std::slice::from_ref(&input), given, &Options::default(), &mut |_| {});
            let layers = audit.streams.iter().flat_map(|stream| &stream.opened);
            layers
                .filter(|opened| opened.layer == "sframe" && opened.owner == "parties")
                .map(|o| o.packets)
                .sum()
        };
        assert!(opened(&given) > 0);
        given.retain(|key| !matches!(key.secret, Secret::Agree { .. }));
        assert_eq!(opened(&given), 0);
    }
}
