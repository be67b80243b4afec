//! Evidence without a run: a capture that anybody made, and keys.
//!
//! Invariant: the record holds nothing, so whatever is concluded rests on packets and keys alone.

use std::collections::BTreeMap;

use model::plan::{NetKind, Path, Plan, Profile, Service};
use model::record::{Files, WorldKind, WorldRecord, Written};
use model::release::ReleaseName;

use super::{Evidence, Keys};
use crate::capture::Capture;

/// The record of a capture of which there is none.
pub fn no_record() -> WorldRecord {
    let plan = Plan {
        id: String::new(),
        family: String::new(),
        title: String::new(),
        about: String::new(),
        variant: Vec::new(),
        release: ReleaseName::Ga202203,
        profile: Profile::Own,
        path: Path::Direct,
        net: None,
        propagation_ms: 0,
        network: None,
        needs: BTreeMap::new(),
        tenants: BTreeMap::new(),
        service: Service::default(),
        attacks: Vec::new(),
        calls: Vec::new(),
        steps: Vec::new(),
        expect: Vec::new(),
    };
    WorldRecord {
        world: WorldKind::Variant,
        id: String::new(),
        plan,
        net: NetKind::Memory,
        files: Files { capture: String::new(), parties: String::new(), service: String::new() },
        written: Written::default(),
        twin: None,
        epoch_ns: 0,
        ended_ns: 0,
        schedule: None,
        links: Vec::new(),
        calls: Vec::new(),
        ledger: Vec::new(),
        claims: Vec::new(),
        drops: Vec::new(),
        deeds: Vec::new(),
        steps: BTreeMap::new(),
        database: Vec::new(),
        held: Vec::new(),
        drivers: Vec::new(),
        stumbles: Vec::new(),
        log: Vec::new(),
    }
}

impl<'a> Evidence<'a> {
    /// Joins a capture of which nothing is recorded with keys; `world` is that of [`no_record`].
    pub fn unrecorded(world: &'a WorldRecord, capture: Capture, keys: Keys) -> Self {
        Self { recorded: false, ..Self::join(world, capture, keys, Vec::new()) }
    }
}
