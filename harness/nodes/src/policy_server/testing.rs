//! A world's policy server for the tests of this folder: two tenants, and a clock that the test sets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Plan;
use model::plan::{Group, Path, PolicyValue, Profile, Service, Tenant, User};
use model::release::{Platform, ReleaseName, TenantKind, Version};

use super::{PolicyServer, Tokens};

/// How long a change takes in this world.
pub const DELAY: Duration = Duration::from_millis(1_000);

/// A clock that stands where the test puts it, in milliseconds.
#[derive(Clone, Default)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Puts the clock to `at`.
    pub fn set(&self, at: Duration) {
        self.0.store(u64::try_from(at.as_millis()).expect("a short test"), Ordering::Relaxed);
    }
}

/// contoso.example with alice (Counsel) and bob, who is in the groups `law` and `sales`; fabrikam.example with
/// carol.
pub fn plan(release: ReleaseName) -> Plan {
    let mut contoso = Tenant {
        kind: TenantKind::Commercial,
        policies: BTreeMap::from([
            ("Global".to_owned(), PolicyValue::Disabled),
            ("Counsel".to_owned(), PolicyValue::DisabledUserOverride),
        ]),
        groups: BTreeMap::new(),
        users: BTreeMap::from([("alice".to_owned(), user(Some("Counsel"))), ("bob".to_owned(), user(None))]),
    };
    if release == ReleaseName::R202308 {
        let group = |policy: &str, rank| Group {
            members: vec!["bob".to_owned()],
            policy: Some(policy.to_owned()),
            rank: Some(rank),
        };
        contoso.groups.insert("law".to_owned(), group("Counsel", 9));
        contoso.groups.insert("sales".to_owned(), group("Global", 4));
    }
    let fabrikam = Tenant {
        kind: TenantKind::Commercial,
        policies: BTreeMap::from([("Global".to_owned(), PolicyValue::DisabledUserOverride)]),
        groups: BTreeMap::new(),
        users: BTreeMap::from([("carol".to_owned(), user(None))]),
    };
    Plan {
        id: "policy/test".to_owned(),
        family: "policy".to_owned(),
        title: String::new(),
        about: String::new(),
        variant: Vec::new(),
        release,
        profile: Profile::Frames,
        path: Path::Forwarder,
        net: None,
        propagation_ms: u64::try_from(DELAY.as_millis()).expect("a second"),
        network: None,
        needs: BTreeMap::new(),
        tenants: BTreeMap::from([
            ("contoso.example".to_owned(), contoso),
            ("fabrikam.example".to_owned(), fabrikam),
        ]),
        service: Service::default(),
        attacks: Vec::new(),
        calls: Vec::new(),
        steps: Vec::new(),
        expect: Vec::new(),
    }
}

/// The server of [`plan`], its tokens and its clock.
pub fn server(release: ReleaseName) -> (Arc<PolicyServer>, Tokens, Hand) {
    let hand = Hand::default();
    let clock = {
        let hand = hand.clone();
        Arc::new(move || Duration::from_millis(hand.0.load(Ordering::Relaxed)))
    };
    let (server, tokens) = PolicyServer::from_plan(&plan(release), clock, &mut counting())
        .expect("a plan without contradictions");
    (server, tokens, hand)
}

/// Bytes that differ from one filling to the next.
pub fn counting() -> impl FnMut(&mut [u8]) {
    let mut filled = 0;
    move |bytes| {
        filled += 1;
        bytes.fill(filled);
    }
}

fn user(policy: Option<&str>) -> User {
    User {
        policy: policy.map(str::to_owned),
        e2ee: true,
        devices: vec![(None, Platform::Windows)],
        version: Version::Current,
        preview_ring: false,
        compliance_recording: false,
        voicemail: false,
        simultaneous_ring: None,
        flaw: None,
    }
}
