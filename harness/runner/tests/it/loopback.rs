//! One sealed call over real sockets: the same nodes, the same record.

use model::plan::NetKind;
use model::record::Claimed;
use model::{Direction, Kind};

use crate::thread::{plan, run_on};

#[test]
fn a_sealed_call_over_loopback_sockets_carries_media_both_ways() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = run_on(NetKind::Loopback, plan("opt-in", "both-on"), folder.path());
    assert_eq!(world.stumbles, [], "{:?}", world.log);
    assert_eq!(world.schedule, None);
    let played = |device: &str| {
        let own = world.ledger.iter().filter(|e| e.device.to_string() == device);
        own.filter(|e| e.direction == Direction::Received && e.kind == Kind::Audio).count()
    };
    for device in ["alice@contoso.example", "bob@contoso.example"] {
        assert!(played(device) > 90, "{device} played {} of 100", played(device));
    }
    let codes: Vec<_> = world.claims.iter().filter(|c| matches!(c.claim, Claimed::Code(_))).collect();
    assert_eq!(codes.len(), 2);
    assert_eq!(codes[0].claim, codes[1].claim);
}
