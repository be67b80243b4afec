//! What a scenario needs of a client, against what the client declares: decided before anything runs.

use std::collections::BTreeMap;

use model::Role;
use model::plan::{Path, Plan, Profile, Verb};
use nodes::client::CAPABILITIES;
use runner::Outsider;

/// What each side's client made by others declares; none where its driver did not get so far as to say, which the run
/// then shows.
pub fn declared(outsiders: &BTreeMap<Role, Outsider>) -> BTreeMap<Role, Option<Vec<String>>> {
    outsiders.iter().map(|(role, outsider)| (*role, runner::declared(outsider))).collect()
}

/// Why the variant cannot run with clients made by others that declare this.
pub fn not_for_others(plan: &Plan, declared: &BTreeMap<Role, Option<Vec<String>>>) -> Option<String> {
    if declared.is_empty() {
        return None;
    }
    if plan.network.is_some() {
        return Some("memory only: a client made by others keeps real time".to_owned());
    }
    let flawed =
        plan.tenants.values().flat_map(|tenant| tenant.users.values()).any(|user| user.flaw.is_some());
    if flawed {
        return Some("the flaw is one of the reference client; leave --client out".to_owned());
    }
    let mut needed = vec![plan.profile.to_string()];
    for step in &plan.steps {
        if let Verb::Call { media, .. } = &step.verb {
            needed.extend(media.iter().map(ToString::to_string));
        }
    }
    if plan.path == Path::Relay {
        needed.push("relay".to_owned());
    }
    if !one_exports(declared) && plan.path != Path::Forwarder && !plan.calls.is_empty() {
        return Some(
            "hop keys cannot be exported: neither client declares `keys-export`, and the service holds them on the path \
             `forwarder` alone"
                .to_owned(),
        );
    }
    for (role, capabilities) in declared {
        let Some(capabilities) = capabilities else { continue };
        let own = plan.needs.iter().filter(|(side, _)| *side == role).flat_map(|(_, needs)| needs);
        if let Some(need) = needed.iter().chain(own).find(|need| !capabilities.contains(need)) {
            return Some(format!("the {role}'s client does not declare `{need}`"));
        }
    }
    None
}

/// Whether either end of a call can export the keys of its hop; one is enough. The reference client can, and of a client
/// that did not say the run shows it.
fn one_exports(declared: &BTreeMap<Role, Option<Vec<String>>>) -> bool {
    let exports = |role: &Role| match declared.get(role) {
        Some(Some(capabilities)) => capabilities.iter().any(|word| word == "keys-export"),
        Some(None) | None => true,
    };
    Role::ALL.iter().any(exports)
}

/// Why the variant cannot run with the reference client on each side that is not `taken` by a client made by others;
/// none when it can.
pub fn missing(plan: &Plan, taken: &BTreeMap<Role, Option<Vec<String>>>) -> Option<String> {
    let own = Role::ALL.iter().filter(|_| plan.profile == Profile::Own).map(|role| (*role, "own".to_owned()));
    let needed = plan.needs.iter().flat_map(|(role, needs)| needs.iter().map(|need| (*role, need.clone())));
    let (role, need) = own
        .chain(needed)
        .filter(|(role, _)| !taken.contains_key(role))
        .find(|(_, need)| !CAPABILITIES.contains(&need.as_str()))?;
    Some(format!("the {role}'s client does not declare `{need}`; it declares {}", CAPABILITIES.join(", ")))
}

#[cfg(test)]
mod tests {

    use model::Kind;
    use rstest::rstest;

    use super::*;

    fn plan(needs: &str, profile: &str) -> Plan {
        let text = format!(
            "scenario: A call\nabout: A call.\nprofile: {profile}\n{needs}tenants:\n  contoso.example:\n    users:\n      \
             alice: {{ e2ee: on }}\n      bob: {{ e2ee: on }}\nsteps:\n  - call: {{ from: alice, to: bob, media: [audio] }}\n  \
             - talk: 1s\n"
        );
        let file = std::path::Path::new("scenarios/opt-in/a.yaml").display().to_string();
        let read = scenario::read("opt-in", "a", &file, &text, &scenario::Vocabulary::default());
        read.expect("a sound scenario").remove(0).plan
    }

    #[rstest]
    #[case::nothing("", None)]
    #[case::something_declared("needs: { caller: [frames, relay], callee: [video] }\n", None)]
    #[case::something_else(
        "needs: { callee: [audio, hold-music] }\n",
        Some("the callee's client does not declare `hold-music`")
    )]
    fn what_is_not_declared_is_unsupported(#[case] needs: &str, #[case] told: Option<&str>) {
        let missing = missing(&plan(needs, "frames"), &BTreeMap::new());
        assert_eq!(missing.is_some(), told.is_some(), "{missing:?}");
        assert!(missing.unwrap_or_default().starts_with(told.unwrap_or_default()));
    }

    #[test]
    fn a_scheme_of_a_vendors_own_is_not_the_reference_clients() {
        let missing = missing(&plan("", "own"), &BTreeMap::new()).expect("unsupported");
        assert!(missing.contains("`own`"), "{missing}");
    }

    fn sides(caller: Option<&[&str]>, callee: Option<&[&str]>) -> BTreeMap<Role, Option<Vec<String>>> {
        let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
        let sides = [(Role::Caller, caller), (Role::Callee, callee)];
        sides.into_iter().filter_map(|(role, side)| Some((role, words(side?)))).collect()
    }

    const SHY: &[&str] = &["frames", "dtls", "audio"];
    const OPEN: &[&str] = &["frames", "dtls", "audio", "keys-export"];

    #[rstest]
    #[case::neither_exports(Some(SHY), Some(SHY), "frames", "path: direct\n", true)]
    #[case::neither_exports_and_no_forwarder(Some(SHY), Some(SHY), "dtls", "", true)]
    #[case::neither_exports_through_a_relay(Some(&["frames", "audio", "relay"][..]), Some(&["frames", "audio", "relay"][..]), "frames", "path: relay\n", true)]
    #[case::the_forwarder_exports(Some(SHY), Some(SHY), "frames", "", false)]
    #[case::the_caller_exports(Some(OPEN), Some(SHY), "frames", "path: direct\n", false)]
    #[case::the_callee_exports(Some(SHY), Some(OPEN), "dtls", "", false)]
    #[case::the_reference_client_exports(Some(SHY), None, "frames", "path: direct\n", false)]
    fn one_exporting_end_is_enough(
        #[case] caller: Option<&[&str]>,
        #[case] callee: Option<&[&str]>,
        #[case] profile: &str,
        #[case] path: &str,
        #[case] shut: bool,
    ) {
        let told = not_for_others(&plan(path, profile), &sides(caller, callee));
        assert_eq!(told.is_some(), shut, "{told:?}");
        assert!(told.is_none_or(|told| told.starts_with("hop keys cannot be exported")));
    }

    #[test]
    fn a_client_that_did_not_say_is_run() {
        let silent = BTreeMap::from([(Role::Caller, None), (Role::Callee, None)]);
        assert_eq!(not_for_others(&plan("path: direct\n", "frames"), &silent), None);
    }

    #[rstest]
    #[case::both_have_it(Some(&["own", "audio", "keys-export"][..]), Some(&["own", "audio"][..]), None)]
    #[case::the_reference_client_answers(Some(&["own", "audio"][..]), None, Some("the callee's client does not declare `own`"))]
    #[case::the_other_one_has_not(Some(&["own", "audio"][..]), Some(OPEN), Some("the callee's client does not declare `own`"))]
    fn a_scheme_of_a_vendors_own_needs_it_on_both_sides(
        #[case] caller: Option<&[&str]>,
        #[case] callee: Option<&[&str]>,
        #[case] told: Option<&str>,
    ) {
        let (plan, sides) = (plan("", "own"), sides(caller, callee));
        let why = not_for_others(&plan, &sides).or_else(|| missing(&plan, &sides));
        assert_eq!(why.is_some(), told.is_some(), "{why:?}");
        assert!(why.unwrap_or_default().starts_with(told.unwrap_or_default()));
    }

    #[test]
    fn every_kind_of_media_is_declared() {
        assert!(Kind::ALL.iter().all(|kind| CAPABILITIES.contains(&kind.word())));
    }
}
