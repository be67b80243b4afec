//! What the tests of whole worlds have in common: a scenario of two users as text, and questions to its record.

use std::path::Path;

use model::plan::NetKind;
use model::record::{Claimed, WorldRecord};
use model::{Direction, Kind, Plan};

use crate::thread::run_on;

pub(crate) const ALICE: &str = "alice@contoso.example";
pub(crate) const BOB: &str = "bob@contoso.example";

/// Alice calls Bob, both with the option on, with `keys` at the top, `media` in the call and `steps` after it.
pub(crate) fn plan(keys: &str, media: &str, steps: &str) -> Plan {
    let text = format!(
        "scenario: A test\nabout: Made for one test.\n{keys}\ntenants:\n  contoso.example:\n    policies: {{ \
         Global: DisabledUserOverride }}\n    users:\n      alice: {{ e2ee: on }}\n      bob: {{ e2ee: on }}\n\
         steps:\n  - call: {{ from: alice, to: bob, media: [{media}] }}\n{steps}\n  - hang-up: alice\n"
    );
    let vocabulary = scenario::Vocabulary::default();
    let read = scenario::read("features", "test", "test.yaml", &text, &vocabulary);
    read.unwrap_or_else(|errors| panic!("{errors:?}")).into_iter().next().expect("a variant").plan
}

/// Runs a plan on its own in a folder that goes when the record has been looked at.
pub(crate) fn run(net: NetKind, plan: Plan, look: impl FnOnce(&WorldRecord, &Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = run_on(net, plan, folder.path());
    assert_eq!(world.stumbles, [], "{:#?}", world.log);
    look(&world, folder.path());
}

/// Indices of the frames of one kind in the ledger of a device, in the order of the entries.
pub(crate) fn hashes<'a>(
    world: &'a WorldRecord,
    device: &str,
    direction: Direction,
    kind: Kind,
) -> Vec<&'a str> {
    let own = world.ledger.iter().filter(|e| e.device.to_string() == device);
    own.filter(|e| e.direction == direction && e.kind == kind).map(|e| e.sha256.as_str()).collect()
}

/// The security codes on the screens, by device.
pub(crate) fn codes(world: &WorldRecord) -> Vec<(String, String)> {
    let code = |claim: &model::record::Claim| match &claim.claim {
        Claimed::Code(code) => Some((claim.device.to_string(), code.clone())),
        _ => None,
    };
    world.claims.iter().filter_map(code).collect()
}

/// Both locks are lit, and both screens show the same code.
pub(crate) fn assert_sealed(world: &WorldRecord) {
    for device in [ALICE, BOB] {
        let own = world.claims.iter().filter(|c| c.device.to_string() == device);
        assert!(own.into_iter().any(|c| c.claim == Claimed::Lock(true)), "{device} shows the lock");
    }
    let codes = codes(world);
    assert_eq!(codes.len(), 2, "{codes:?}");
    assert_eq!(codes[0].1, codes[1].1);
}
