//! Why a call is ordinary (design, section 1.3): all reasons that hold, in the design's order.
//!
//! Invariant: each party is judged by its own tenant, and a telephone number is no party.

use model::outcome::Reason;
use model::plan::{CallKind, PolicyValue, User};
use model::release::{Platform, Release, TenantKind, Version};

/// What is known of a party when the call is placed.
pub(super) struct Party<'a> {
    pub user: &'a User,
    pub kind: TenantKind,
    pub policy: PolicyValue,
    /// The stored preference at that moment.
    pub e2ee: bool,
    /// Of the device that is used.
    pub platform: Platform,
}

/// The call as such.
pub(super) struct Shape {
    pub kind: CallKind,
    /// How many users are called.
    pub called: usize,
    pub pstn: bool,
}

/// All reasons for which the call is not sealed; empty when it is.
pub(super) fn reasons(
    release: &Release,
    caller: &Party<'_>,
    callees: &[Party<'_>],
    shape: &Shape,
) -> Vec<Reason> {
    let of = |holds: fn(&Release, &Party<'_>) -> bool| {
        (holds(release, caller), callees.iter().any(|callee| holds(release, callee)))
    };
    let pairs = [
        (of(policy), Reason::CallerPolicy, Reason::CalleePolicy),
        (of(switched_off), Reason::CallerSwitchedOff, Reason::CalleeSwitchedOff),
        (of(platform), Reason::CallerPlatform, Reason::CalleePlatform),
        (of(version), Reason::CallerVersion, Reason::CalleeVersion),
        (of(preview_ring), Reason::CallerPreviewRing, Reason::CalleePreviewRing),
        (of(tenant_kind), Reason::CallerTenantKind, Reason::CalleeTenantKind),
        (of(compliance), Reason::CallerComplianceRecording, Reason::CalleeComplianceRecording),
    ];
    let mut found = Vec::new();
    for ((caller, callee), of_caller, of_callee) in pairs {
        found.extend(caller.then_some(of_caller));
        found.extend(callee.then_some(of_callee));
    }
    found.extend((shape.kind == CallKind::Scheduled).then_some(Reason::Scheduled));
    found.extend((shape.called > 1).then_some(Reason::GroupCall));
    found.extend(shape.pstn.then_some(Reason::Pstn));
    found
}

fn policy(_: &Release, party: &Party<'_>) -> bool {
    party.policy != PolicyValue::DisabledUserOverride
}

fn switched_off(_: &Release, party: &Party<'_>) -> bool {
    !party.e2ee
}

fn platform(release: &Release, party: &Party<'_>) -> bool {
    !release.offers_on(party.platform)
}

fn version(_: &Release, party: &Party<'_>) -> bool {
    party.user.version == Version::Outdated
}

fn preview_ring(release: &Release, party: &Party<'_>) -> bool {
    release.preview_ring && !party.user.preview_ring
}

fn tenant_kind(_: &Release, party: &Party<'_>) -> bool {
    party.kind == TenantKind::Developer
}

fn compliance(_: &Release, party: &Party<'_>) -> bool {
    party.user.compliance_recording
}
