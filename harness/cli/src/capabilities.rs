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
    for (role, capabilities) in declared {
        let Some(capabilities) = capabilities else { continue };
        let own = plan.needs.iter().filter(|(side, _)| *side == role).flat_map(|(_, needs)| needs);
        if let Some(need) = needed.iter().chain(own).find(|need| !capabilities.contains(need)) {
            return Some(format!("the {role}'s client does not declare `{need}`"));
        }
    }
    None
}

/// Why the variant cannot run with the reference client on both sides; none when it can.
pub fn missing(plan: &Plan) -> Option<String> {
    let own = (plan.profile == Profile::Own).then(|| (Role::Caller, "own".to_owned()));
    let needed = plan.needs.iter().flat_map(|(role, needs)| needs.iter().map(|need| (*role, need.clone())));
    let (role, need) =
        own.into_iter().chain(needed).find(|(_, need)| !CAPABILITIES.contains(&need.as_str()))?;
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
        let missing = missing(&plan(needs, "frames"));
        assert_eq!(missing.is_some(), told.is_some(), "{missing:?}");
        assert!(missing.unwrap_or_default().starts_with(told.unwrap_or_default()));
    }

    #[test]
    fn a_scheme_of_a_vendors_own_is_not_the_reference_clients() {
        let missing = missing(&plan("", "own")).expect("unsupported");
        assert!(missing.contains("`own`"), "{missing}");
    }

    #[test]
    fn every_kind_of_media_is_declared() {
        assert!(Kind::ALL.iter().all(|kind| CAPABILITIES.contains(&kind.word())));
    }
}
