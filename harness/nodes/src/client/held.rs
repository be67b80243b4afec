//! What a device still holds of calls that are over, for whoever takes it away.
//!
//! Invariant: everything that is left of a call is told, secret or not. The keys of a call that is not over are needed,
//! and are not told.

use model::record::Held;

use super::Body;
use super::call::Call;
use crate::journal::held;

impl Body {
    pub(super) fn held(&self) -> Vec<Held> {
        let over = self.calls.iter().filter(|(_, state)| state.over);
        let left = over.flat_map(|(call, state)| left_of(call, state));
        left.map(|(what, bytes)| held(self.setup.link.tap(), what, &bytes)).collect()
    }
}

/// What is left of a call, each with what it is.
fn left_of(call: &str, state: &Call) -> Vec<(String, Vec<u8>)> {
    let names = format!("{} calls {} ", state.caller, state.callee).into_bytes();
    let fingerprints = [&state.own_fingerprints[..], &state.other_fingerprints].concat().concat();
    let public = [names, state.id.to_vec(), fingerprints, state.agreement.public()].concat();
    let mut left = vec![(format!("what is public of the call {call}"), public)];
    for (kind, stream) in &state.streams {
        let keys = stream
            .base_keys()
            .map(|(does, key)| (format!("the key that {does} {kind} of the call {call}"), key.to_vec()));
        left.extend(keys);
    }
    let secrets = state.agreement.secrets().into_iter();
    left.extend(secrets.map(|(what, bytes)| (format!("{what} of the call {call}"), bytes)));
    if !state.base_keys.is_empty() {
        let keys = state.base_keys.join(" ").into_bytes();
        left.push((format!("keys of the call {call} as they are handed over"), keys));
    }
    left
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::plan::Profile;
    use model::{Kind, Role, UserId};

    use super::super::agree::Agreement;
    use super::super::media::Media;
    use super::*;
    use crate::entropy::Entropy;
    use crate::sealing::{Opener, Sealer};

    /// A call that has its keys.
    fn call() -> Call {
        let entropy = Entropy::new([1; 32]);
        let mut audio = Media::new(&entropy);
        let key = |id, byte| (id, [byte; 16]);
        let ((seals, sealing), (opens, opening)) = (key(0, 7), key(1, 8));
        let sealer = Sealer::new(seals, &sealing).expect("a key");
        audio.seal_with(sealer, Opener::new(opens, &opening).expect("a key"));
        Call {
            id: [9; 16],
            role: Role::Caller,
            caller: UserId::new("alice", "contoso.example"),
            callee: UserId::new("bob", "contoso.example"),
            one_to_one: true,
            media: vec![Kind::Audio],
            own_intent: 1,
            other_intent: 1,
            profile: Profile::Frames,
            agreement: Agreement::offered(&entropy, true),
            peer: None,
            own_fingerprints: vec![[3; 32]],
            other_fingerprints: vec![[4; 32]],
            relayed: false,
            connected: true,
            answered: true,
            streams: BTreeMap::from([(Kind::Audio, audio)]),
            base_keys: Vec::new(),
            over: false,
            up: true,
        }
    }

    fn names(left: &[(String, Vec<u8>)]) -> Vec<&str> {
        left.iter().map(|(what, _)| what.as_str()).collect()
    }

    #[test]
    fn a_device_that_keeps_its_keys_tells_every_one() {
        let left = left_of("c0", &call());
        let expected = [
            "what is public of the call c0",
            "the key that seals audio of the call c0",
            "the key that opens audio of the call c0",
            "the secret half of the agreement of the call c0",
        ];
        assert_eq!(names(&left), expected);
        assert_eq!((&left[1].1, &left[2].1), (&vec![7; 16], &vec![8; 16]));
    }

    #[test]
    fn a_device_that_has_erased_its_keys_tells_what_is_public_alone() {
        let mut call = call();
        call.agreement.erase();
        call.streams.values_mut().for_each(Media::erase);
        let left = left_of("c0", &call);
        assert_eq!(names(&left), ["what is public of the call c0"]);
        for gone in [[7; 16], [8; 16]] {
            assert!(!left[0].1.windows(16).any(|window| window == gone));
        }
    }

    #[test]
    fn keys_that_are_kept_to_be_handed_over_are_told() {
        let call = Call { base_keys: vec!["0:aa".to_owned(), "1:bb".to_owned()], ..call() };
        let left = left_of("c0", &call);
        let (what, keys) = left.last().expect("keys");
        assert_eq!(what, "keys of the call c0 as they are handed over");
        assert_eq!(keys, b"0:aa 1:bb");
    }
}
