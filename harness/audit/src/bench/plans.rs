//! Plans to start tests from.

use std::collections::BTreeMap;

use model::plan::{
    CallExpect, CallKind, Path, Plan, PolicyValue, Profile, Service, Step, Target, Tenant, User, Verb,
};
use model::release::{Platform, ReleaseName, TenantKind, Version};
use model::{DeviceId, Kind, UserId};

/// A user of the tenant `contoso.example`.
pub fn user(name: &str) -> UserId {
    UserId::new(name, "contoso.example")
}

/// A step without statements.
pub fn step(verb: Verb) -> Step {
    Step { verb, call: Some(0), expect: None, twin: None }
}

/// A call of audio from alice to bob.
pub fn call() -> Step {
    call_between(user("alice"), vec![user("bob")], 0)
}

/// A call of audio, with its number in the plan.
pub fn call_between(from: UserId, to: Vec<UserId>, number: usize) -> Step {
    let verb =
        Verb::Call { from, to: Target::Users(to), media: vec![Kind::Audio], kind: CallKind::Unscheduled };
    Step { call: Some(number), ..step(verb) }
}

/// Alice and bob of one tenant have the option and turned it on; alice calls, both talk for two seconds, and
/// alice hangs up.
pub fn both_on() -> Plan {
    let user_on = || User {
        policy: Some("Counsel".to_owned()),
        e2ee: true,
        devices: vec![(None, Platform::Windows)],
        version: Version::Current,
        preview_ring: false,
        compliance_recording: false,
        voicemail: false,
        simultaneous_ring: None,
        flaw: None,
    };
    let tenant = Tenant {
        kind: TenantKind::Commercial,
        policies: BTreeMap::from([
            ("Global".to_owned(), PolicyValue::Disabled),
            ("Counsel".to_owned(), PolicyValue::DisabledUserOverride),
        ]),
        groups: BTreeMap::new(),
        users: BTreeMap::from([("alice".to_owned(), user_on()), ("bob".to_owned(), user_on())]),
    };
    Plan {
        id: "opt-in/both-on".to_owned(),
        family: "opt-in".to_owned(),
        title: "Both have turned it on".to_owned(),
        about: String::new(),
        variant: Vec::new(),
        release: ReleaseName::Ga202203,
        profile: Profile::Frames,
        path: Path::Forwarder,
        net: None,
        propagation_ms: 1_000,
        network: None,
        needs: BTreeMap::new(),
        tenants: BTreeMap::from([("contoso.example".to_owned(), tenant)]),
        service: Service::default(),
        attacks: Vec::new(),
        calls: vec!["call".to_owned()],
        steps: vec![
            call(),
            step(Verb::Talk { ms: 2_000 }),
            step(Verb::HangUp(DeviceId::only(user("alice")))),
        ],
        expect: vec![CallExpect::default()],
    }
}
