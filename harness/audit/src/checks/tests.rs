//! What holds of every check.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::requirement::requirements;

#[test]
fn names_are_unique_and_come_from_the_path() {
    let names: Vec<String> = CHECKS.iter().map(|check| check.name()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for check in CHECKS {
        let path = check.file.split_once("checks/").expect("below checks").1;
        assert_eq!(path.trim_end_matches(".rs").replace('_', "-"), check.name());
        assert!(check.name().chars().all(|c| c.is_ascii_lowercase() || "/-".contains(c)), "{}", check.name());
        assert_eq!(named(&check.name()).map(|found| found.file), Some(check.file));
    }
    assert!(named("proof/nothing").is_none());
}

#[test]
fn every_file_of_a_family_is_registered() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
    let mut on_disk = BTreeSet::new();
    for family in std::fs::read_dir(&root).expect("the folder") {
        let family = family.expect("an entry").path();
        if !family.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&family).expect("a family") {
            let file = file.expect("an entry").path();
            let declares = std::fs::read_to_string(&file).is_ok_and(|text| text.contains("declare_check!"));
            if declares {
                let path = file.strip_prefix(&root).expect("below").with_extension("");
                on_disk.insert(path.to_string_lossy().replace('_', "-"));
            }
        }
    }
    assert_eq!(on_disk, CHECKS.iter().map(|check| check.name()).collect::<BTreeSet<_>>());
}

#[test]
fn every_requirement_has_a_check_or_a_reason_and_every_name_exists() {
    let known = requirements();
    let judged: BTreeSet<&str> = CHECKS.iter().flat_map(|check| check.requirements).copied().collect();
    for name in &judged {
        assert!(known.iter().any(|requirement| requirement.name == **name), "{name} is no requirement");
    }
    for requirement in &known {
        let is_judged = judged.contains(requirement.name.as_str());
        let reasons = [is_judged, requirement.exception.is_some(), requirement.todo.is_some()];
        assert_eq!(reasons.into_iter().filter(|holds| *holds).count(), 1, "{}", requirement.name);
    }
}

#[test]
fn every_page_has_the_three_headings_and_a_short_summary() {
    for check in CHECKS {
        for heading in [" ## What it checks", " ## Why it matters", " ## How it decides"] {
            assert!(check.page.contains(heading), "{} lacks {heading}", check.name());
        }
        assert!(check.summary.len() <= 60 && !check.summary.ends_with('.'), "{}", check.name());
    }
}
