//! The page of everything that has a name: checks, properties, requirements, attacks, flaws, features and releases.

use audit::examination::properties::PROPERTIES;
use model::attack::Attack;
use model::flaw::Flaw;
use model::release::{Feature, Release, ReleaseName};

use crate::catalogue;

/// A kind of things that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Scenarios, by variant.
    Scenarios,
    /// What is judged.
    Checks,
    /// What captures made by anybody are asked for.
    Properties,
    /// The sentences that checks judge.
    Requirements,
    /// Deeds of the man in the middle.
    Attacks,
    /// Deliberate faults of a node.
    Flaws,
    /// Features that a sealed call lacks.
    Features,
    /// Releases of the modelled system.
    Releases,
}

/// A name and one line about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What scenario files, reports and `explain` call it.
    pub name: String,
    /// One sentence or clause.
    pub about: String,
}

fn entry(name: impl Into<String>, about: impl Into<String>) -> Entry {
    Entry { name: name.into(), about: about.into() }
}

/// Everything of a kind that needs no file to be read; scenarios are listed elsewhere.
pub fn entries(kind: Kind) -> Vec<Entry> {
    match kind {
        Kind::Scenarios => Vec::new(),
        Kind::Checks => audit::checks::CHECKS.iter().map(|c| entry(c.name(), c.summary)).collect(),
        Kind::Properties => {
            PROPERTIES.iter().map(|property| entry(property.name, property.summary)).collect()
        }
        Kind::Requirements => {
            catalogue::requirements().into_iter().map(|r| entry(r.id, r.sentence)).collect()
        }
        Kind::Attacks => Attack::ALL.iter().map(|a| entry(a.word(), a.about())).collect(),
        Kind::Flaws => Flaw::ALL.iter().map(|f| entry(f.word(), f.about())).collect(),
        Kind::Features => Feature::ALL.iter().map(|f| entry(f.word(), f.about())).collect(),
        Kind::Releases => {
            let releases = ReleaseName::ALL.iter().map(|name| Release::of(*name));
            releases.map(|r| entry(r.name.word(), r.about)).collect()
        }
    }
}

/// The page of `name`, in Markdown; none where nothing is called so.
pub fn page(name: &str) -> Option<String> {
    check(name)
        .or_else(|| property(name))
        .or_else(|| requirement(name))
        .or_else(|| name.parse().ok().map(attack))
        .or_else(|| name.parse().ok().map(flaw))
        .or_else(|| name.parse().ok().map(feature))
        .or_else(|| name.parse().ok().map(release))
}

/// Every name that has a page.
pub fn names() -> Vec<String> {
    let kinds = <Kind as clap::ValueEnum>::value_variants().iter();
    kinds.flat_map(|kind| entries(*kind)).map(|e| e.name).collect()
}

fn check(name: &str) -> Option<String> {
    let check = audit::checks::named(name)?;
    let mut page = format!("# {name}\n\nA check: {}.\n\n{}\n", check.summary, outdented(check.page));
    page.push_str("## Requirements\n");
    for id in check.requirements {
        match catalogue::requirement(id) {
            Some(r) => page.push_str(&format!("- {id}: {} ({}): {}\n", r.source, r.level, r.sentence)),
            None => page.push_str(&format!("- {id}\n")),
        }
    }
    page.push_str(&format!("\nSource: {}:{}\n", check.file, check.line));
    Some(page)
}

fn property(name: &str) -> Option<String> {
    let property = audit::examination::properties::named(name)?;
    Some(format!(
        "# {name}\n\nA property that captures are asked for: {}.\n\n{}",
        property.summary, property.page
    ))
}

fn requirement(name: &str) -> Option<String> {
    let told = catalogue::requirement(name)?;
    let found = audit::requirement::named(name)?;
    let mut page = format!("# {name}\n\n{} ({}):\n\n> {}\n\n", told.source, told.level, told.sentence);
    let judges: Vec<_> = audit::checks::CHECKS.iter().filter(|c| c.requirements.contains(&name)).collect();
    page.push_str(&match (found.exception, found.todo) {
        (Some(reason), _) => format!("## Judged by nothing\n{reason}\n"),
        (None, Some(reason)) => format!("## Judged by nothing yet\n{reason}\n"),
        (None, None) => "## Judged by\n".to_owned(),
    });
    judges.iter().for_each(|check| page.push_str(&format!("- {}: {}\n", check.name(), check.summary)));
    Some(page)
}

fn attack(attack: Attack) -> String {
    let options = nodes::mitm::options(attack);
    let own = match options.is_empty() {
        true => String::new(),
        false => format!(" Options of its own: `{}`.", options.join("`, `")),
    };
    format!(
        "# {attack}\n\nAn attack, a deed of the man in the middle.\n\n{}\n\n## Use\n\
         `attacks: [{{ attack: {attack}, place: wire }}]` or `place: service`, with `legs`, `at` and `must-fire`.{own}\n",
        nodes::mitm::page(attack).trim()
    )
}

fn flaw(flaw: Flaw) -> String {
    format!(
        "# {flaw}\n\nA flaw, a deliberate fault of a node.\n\n{}\n\n## Use\n\
         `flaw: {flaw}` on a user or on the service, with the checks that must catch it under `expect: {{ fails: […] }}`.\n",
        nodes::client::flaws::page(flaw).trim()
    )
}

fn feature(feature: Feature) -> String {
    let mut page = format!("# {feature}\n\nA feature of an ordinary call: {}\n\n", feature.about());
    page.push_str(match feature.is_setting() {
        true => {
            "A setting of the callee, never invoked: where the call would be sealed it is not applied.\n\n"
        }
        false => {
            "Invoked in a sealed call of a release below, it is refused with the reason `sealed-call`.\n\n"
        }
    });
    page.push_str("## Not in sealed calls of\n");
    for name in ReleaseName::ALL {
        let release = Release::of(*name);
        for withheld in release.unavailable.iter().filter(|f| f.name == feature) {
            page.push_str(&format!("- {name} ({})\n", withheld.source));
        }
    }
    page
}

fn release(name: ReleaseName) -> String {
    let release = Release::of(name);
    let mut page = format!("# {name}\n\nA release of the modelled system. {}\n\n", release.about);
    let ring = if release.preview_ring { "users in the preview ring" } else { "everybody" };
    page.push_str(&format!("Offered to {ring}.\n"));
    let groups = if release.group_assignment { "can" } else { "cannot" };
    page.push_str(&format!(
        "Policies {groups} be assigned to groups ({}).\nPropagation of a change, as quoted: {}\n",
        release.group_assignment_source, release.propagation_quoted
    ));
    page.push_str("\n## Platforms\n");
    release.platforms.iter().for_each(|p| page.push_str(&format!("- {} ({})\n", p.name, p.source)));
    page.push_str("\n## Not in sealed calls\n");
    release.unavailable.iter().for_each(|f| page.push_str(&format!("- {} ({})\n", f.name, f.source)));
    page
}

/// Documentation as the compiler hands it on has a blank before each line.
fn outdented(page: &str) -> String {
    page.lines().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everything_that_is_listed_has_a_page_and_a_name_of_its_own() {
        let names = names();
        for name in &names {
            let page = page(name).unwrap_or_else(|| panic!("{name} has no page"));
            assert!(
                page.starts_with(&format!("# {name}\n")),
                "{name} shows the page of something else: {page}"
            );
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(page("nothing-of-that-name"), None);
    }

    #[test]
    fn a_requirement_names_its_checks_or_why_it_has_none() {
        for requirement in audit::requirement::requirements() {
            let page = page(&requirement.name).expect("a page");
            let (_, judged) = page.split_once("## Judged by").expect("a heading");
            let reason = requirement.exception.or(requirement.todo);
            assert_eq!(judged.starts_with(" nothing"), reason.is_some(), "{page}");
            assert_eq!(judged.contains("\n- "), reason.is_none(), "{page}");
            assert!(reason.is_none_or(|reason| judged.contains(&reason)), "{page}");
        }
    }

    #[test]
    fn a_feature_names_the_releases_that_withhold_it() {
        let page = page("companion").expect("a page");
        assert!(!page.contains("- preview-2021-09") && page.contains("- ga-2022-03"), "{page}");
    }
}
