//! What nodes still held after the last hang-up, each value tried whole as a secret: Harvest's own keys.
//!
//! Invariant: where everything is swept this is not needed, because what nodes held is among the free bytes.

use model::outcome::Listener;

use super::trial::Trials;
use super::{Found, Origin};
use crate::evidence::{Ears, Evidence};

pub(super) fn try_whole(trials: &mut Trials<'_>, evidence: &Evidence<'_>, found: &mut Vec<Found>) {
    let ears = Ears::of(Listener::Harvest);
    for held in &evidence.world.held {
        let Ok(bytes) = hex::decode(&held.bytes) else { continue };
        let as_secret = <&[u8; 32]>::try_from(bytes.as_slice()).ok();
        let fit = trials.window(&bytes, ears).or_else(|| trials.private_key(as_secret?, ears));
        let Some(fit) = fit else { continue };
        let origin = Origin::Stood {
            name: format!("what {} still held: {}", held.owner, held.what),
            place: "from byte 0 on".to_owned(),
            written: "as it stands".to_owned(),
            packet: None,
            writer: Some(held.owner.clone()),
        };
        found.push(Found { ears, origin, fit, bytes });
    }
}
