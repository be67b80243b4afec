//! The judge's checks and requirements, as reports and pages tell them.

use report::{Catalogue, CheckEntry, RequirementEntry};

/// What is known of every check.
pub fn catalogue() -> Catalogue {
    let checks = audit::checks::CHECKS.iter().map(|check| {
        let requirements = check.requirements.iter().filter_map(|id| requirement(id)).collect();
        (check.name(), CheckEntry { summary: check.summary.to_owned(), requirements })
    });
    Catalogue { checks: checks.collect() }
}

/// The requirement called `id`.
pub fn requirement(id: &str) -> Option<RequirementEntry> {
    audit::requirement::named(id).map(|found| entry(&found))
}

/// Every requirement, in the order of the files.
pub fn requirements() -> Vec<RequirementEntry> {
    audit::requirement::requirements().iter().map(entry).collect()
}

fn entry(found: &audit::requirement::Requirement) -> RequirementEntry {
    let source = match (found.quoted, found.section.is_empty()) {
        (true, true) => found.spec.clone(),
        (true, false) => format!("{} §{}", found.spec, found.section),
        (false, _) => "ours, in our own words".to_owned(),
    };
    RequirementEntry {
        id: found.name.clone(),
        source,
        level: found.level.clone(),
        sentence: found.text.clone(),
    }
}

/// The names of the checks, in their order.
pub fn check_names() -> Vec<String> {
    audit::checks::CHECKS.iter().map(|check| check.name()).collect()
}
