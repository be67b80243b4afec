//! Files that are made from the code, so that nobody keeps them by hand: pages, tables and the list of requirements.
//!
//! A test compares each with what stands on disk, so a change of the code that changes a page is seen in the diff.

use std::collections::BTreeSet;
use std::path::Path;

use audit::requirement::Requirement;
use clap::ValueEnum;
use cli::exit::Exit;
use cli::pages::{self, Kind};

/// One generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Below the root.
    pub path: String,
    /// What it must hold.
    pub text: String,
}

/// Every generated file.
pub fn files() -> Vec<Generated> {
    let mut files = vec![
        generated("reports/requirements.txt", requirements()),
        generated("harness/docs/exit-codes.md", exit_codes()),
        generated("harness/docs/driver.schema.json", format!("{:#}\n", adapters::protocol::json_schema())),
        generated("harness/docs/matrix.schema.json", format!("{:#}\n", model::matrix::json_schema())),
        generated("harness/docs/results.schema.json", format!("{:#}\n", model::results::json_schema())),
        generated("captures/README.md", crate::gallery::page()),
        generated("harness/docs/scenario.schema.json", format!("{:#}\n", scenario::schema())),
    ];
    for kind in Kind::value_variants().iter().filter(|kind| **kind != Kind::Scenarios) {
        let word = kind.to_possible_value().expect("no kind is hidden").get_name().to_owned();
        files.push(generated(&format!("harness/docs/{word}.md"), reference(*kind, &word)));
    }
    files
}

fn generated(path: &str, text: String) -> Generated {
    Generated { path: path.to_owned(), text }
}

/// Files below `root` that do not hold what they must, each with the remedy.
pub fn stale(root: &Path, files: &[Generated]) -> Vec<String> {
    let mut violations: Vec<String> = files
        .iter()
        .filter(|file| std::fs::read_to_string(root.join(&file.path)).ok().as_ref() != Some(&file.text))
        .map(|file| format!("{}: is not what the code makes of it; run cargo dev generate", file.path))
        .collect();
    let made: BTreeSet<&str> = files.iter().filter_map(|f| f.path.rsplit('/').next()).collect();
    let on_disk = std::fs::read_dir(root.join("harness/docs")).into_iter().flatten().flatten();
    for entry in on_disk.filter(|entry| entry.path().is_file()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !made.contains(name.as_str()) {
            violations.push(format!("harness/docs/{name}: nothing makes this file; remove it"));
        }
    }
    violations
}

/// Writes every file below `root`.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write(root: &Path, files: &[Generated]) -> std::io::Result<()> {
    for file in files {
        let path = root.join(&file.path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, &file.text)?;
    }
    Ok(())
}

/// The list of every requirement of the judge.
fn requirements() -> String {
    coverage(&audit::requirement::requirements())
}

/// One line per requirement and check that judges it, or the reason why none does; what has neither is still to do.
fn coverage(requirements: &[Requirement]) -> String {
    let mut lines = Vec::new();
    for requirement in requirements {
        let section = if requirement.section.is_empty() {
            String::new()
        } else {
            format!(" §{}", requirement.section)
        };
        let head = format!("{:<20} {:<10}", format!("{}{section}", requirement.spec), requirement.level);
        let judges =
            audit::checks::CHECKS.iter().filter(|c| c.requirements.contains(&requirement.name.as_str()));
        let before = lines.len();
        lines.extend(
            judges.map(|check| format!("{head} judged     {:<44} {}", check.name(), requirement.name)),
        );
        if lines.len() == before {
            let (word, reason) = match (&requirement.exception, &requirement.todo) {
                (Some(reason), _) => ("exception", reason.as_str()),
                (None, Some(reason)) => ("todo", reason.as_str()),
                (None, None) => ("todo", "no check judges it yet"),
            };
            lines.push(format!("{head} {word:<10} {reason:<44} {}", requirement.name));
        }
    }
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

fn exit_codes() -> String {
    let mut text = "# Exit codes\n\n2 and 4 come before anything runs; of the others the first that holds of 70, 130, 1, 5, \
                    3 and 0.\n\n| code | meaning |\n|--:|---|\n"
        .to_owned();
    for exit in Exit::ALL {
        text.push_str(&format!("| {} | {} |\n", exit.code(), exit.meaning()));
    }
    text
}

/// The pages of one kind, one below the other.
fn reference(kind: Kind, word: &str) -> String {
    let mut text = format!("# {}{}\n", word[..1].to_uppercase(), &word[1..]);
    for entry in pages::entries(kind) {
        let page = pages::page(&entry.name).unwrap_or_default();
        for line in page.lines() {
            // Headings go one level down, below that of the file.
            let line = if line.starts_with('#') { format!("#{line}") } else { line.to_owned() };
            if line.starts_with("## ") && !text.ends_with("\n\n") {
                text.push('\n');
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn what_is_missing_changed_or_left_over_is_stale() {
        let dir = std::env::temp_dir().join(format!("overheard-generate-{}", std::process::id()));
        let files = [generated("harness/docs/a.md", "a\n".to_owned())];
        assert_eq!(stale(&dir, &files).len(), 1, "missing");
        write(&dir, &files).expect("written");
        assert!(stale(&dir, &files).is_empty());
        std::fs::write(dir.join("harness/docs/b.md"), "").expect("written");
        assert!(stale(&dir, &files)[0].ends_with("remove it"), "left over");
        std::fs::write(dir.join("harness/docs/a.md"), "b\n").expect("written");
        assert_eq!(stale(&dir, &files).len(), 2, "changed");
        std::fs::remove_dir_all(dir).expect("removed");
    }

    #[test]
    fn every_requirement_and_every_name_is_in_a_file() {
        let files = files();
        let all: String = files.iter().map(|f| f.text.as_str()).collect();
        for name in pages::names() {
            assert!(all.contains(&name), "{name}");
        }
    }

    #[rstest]
    #[case::judged("overheard/sealed-calls-are-unheard", None, None, "judged     proof/unheard ")]
    #[case::exception("a/b", Some("it is on no wire"), None, "exception  it is on no wire ")]
    #[case::todo("a/b", None, Some("issue 4"), "todo       issue 4 ")]
    #[case::nothing_said("a/b", None, None, "todo       no check judges it yet ")]
    fn a_requirement_is_judged_or_says_why_not(
        #[case] name: &str,
        #[case] exception: Option<&str>,
        #[case] todo: Option<&str>,
        #[case] stands: &str,
    ) {
        let requirement = Requirement {
            name: name.to_owned(),
            spec: "RFC 9605".to_owned(),
            section: "9.1".to_owned(),
            level: "MUST".to_owned(),
            text: "A sentence.".to_owned(),
            quoted: true,
            exception: exception.map(str::to_owned),
            todo: todo.map(str::to_owned),
        };
        let list = coverage(&[requirement]);
        let expected = format!("RFC 9605 §9.1        MUST       {stands}");
        assert!(list.lines().any(|line| line.starts_with(&expected)), "{list}");
        assert!(list.lines().all(|line| line.ends_with(name)), "{list}");
    }
}
