//! A sealed call from the scenario file to the record.

use std::path::Path;

use model::plan::NetKind;
use model::record::{Claimed, WorldKind, WorldRecord};
use model::{Direction, Kind, Plan};
use runner::{Job, run_world, variant_seed};

pub(crate) fn plan(family: &str, stem: &str) -> Plan {
    let path = format!("{}/../../scenarios/{family}/{stem}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the scenario is there");
    let checks = Vec::new();
    let vocabulary = scenario::Vocabulary { checks, ..Default::default() };
    let read = scenario::read(family, stem, &path, &text, &vocabulary).expect("the scenario is sound");
    read.into_iter().next().expect("at least one variant").plan
}

pub(crate) fn run(plan: Plan, folder: &Path) -> WorldRecord {
    run_on(NetKind::Memory, plan, folder)
}

pub(crate) fn run_on(net: NetKind, plan: Plan, folder: &Path) -> WorldRecord {
    for name in ["captures", "keys"] {
        std::fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    let id = plan.id.clone();
    run_world(&Job {
        world: WorldKind::Variant,
        seed: variant_seed(0, &id),
        id,
        plan,
        net,
        folder: folder.to_owned(),
        twin: None,
        meddler: None,
        outsiders: std::collections::BTreeMap::new(),
    })
}

#[test]
fn a_sealed_call_carries_media_both_ways_and_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = run(plan("opt-in", "both-on"), folder.path());
    assert_eq!(world.stumbles, []);
    for device in ["alice@contoso.example", "bob@contoso.example"] {
        let count = |direction| {
            let own = world.ledger.iter().filter(|e| e.device.to_string() == device);
            own.filter(|e| e.direction == direction && e.kind == Kind::Audio).count()
        };
        assert_eq!(
            (count(Direction::Sent), count(Direction::Received)),
            (100, 100),
            "{device} {:?}",
            world.log
        );
        let lit =
            world.claims.iter().any(|c| c.device.to_string() == device && c.claim == Claimed::Lock(true));
        assert!(lit, "{device} shows the lock");
    }
    let keys = std::fs::read_to_string(folder.path().join(&world.files.parties)).expect("keys");
    for label in ["CLIENT_RANDOM ", "AGREE ", "SFRAME 4 0 ", "SFRAME 4 1 "] {
        assert!(keys.lines().any(|line| line.starts_with(label)), "{label} is missing");
    }
}
