//! The scenario of every measured call, read as any other scenario is.

use model::plan::{Plan, Profile};

/// The plan of a sealed call from device to device, in which both talk for so many milliseconds.
pub fn plan(profile: Profile, talk_ms: u64) -> Plan {
    let text = format!(
        "scenario: A sealed call
about: What a call costs.
profile: {profile}
path: direct
tenants:
  contoso.example:
    policies: {{ Global: DisabledUserOverride }}
    users:
      alice: {{ e2ee: on, platform: windows }}
      bob: {{ e2ee: on, platform: mac }}
steps:
  - call: {{ from: alice, to: bob, media: [audio] }}
  - talk: {talk_ms}ms
  - hang-up: alice
expect: {{ outcome: sealed }}
"
    );
    let read = scenario::read("opt-in", "measured", "measured.yaml", &text, &scenario::Vocabulary::default());
    let variant = read.expect("a scenario without mistakes").into_iter().next();
    variant.expect("a scenario has a variant").plan
}
