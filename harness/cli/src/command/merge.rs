//! `overheard merge RUN…`: puts the parts of a sharded run together and judges the whole.
//!
//! A part that is missing is lost coverage: every part knows the whole selection.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use model::plan::file_name;
use model::record::{Header, Line, Record};

use crate::arguments::Merge;
use crate::conclude::{Conclusion, record_in};
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::known_failures::KnownFailures;
use crate::surroundings::Surroundings;
use crate::{catalogue, run_folder};

/// Why runs cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMerge {
    /// A run that is no part.
    #[error("`{0}` is no part of a sharded run; give runs that were made with --shard")]
    NoPart(String),
    /// Parts of different runs.
    #[error(
        "`{0}` and `{1}` are parts of different runs; give parts of one seed, network, version and selection"
    )]
    Strangers(String, String),
    /// One part twice.
    #[error("`{0}` and `{1}` are the same part; give each once")]
    Twice(String, String),
    /// The command line names none.
    #[error("no run is given; name the folders of the parts")]
    Nothing,
}

/// Copies the parts into one run, judges it and reports.
///
/// # Errors
/// When the parts do not fit, cannot be read or cannot be copied.
pub fn merge(arguments: &Merge, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let configuration = Configuration::in_folder(&surroundings.folder).map_err(Failure::usage)?;
    let mut conclusion = Conclusion::of(&arguments.reporting, &configuration, surroundings)?;
    conclusion.known =
        KnownFailures::read(&configuration.known_failures, |_| true, &catalogue::check_names())
            .map_err(|m| Failure::usage(m.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let reports = Path::new(run_folder::REPORTS);
    let mut parts = Vec::new();
    for run in &arguments.runs {
        let folder = run_folder::find(reports, run).map_err(Failure::usage)?;
        parts.push((folder.display().to_string(), record_in(&folder)?));
    }
    let whole = combine(&parts).map_err(Failure::usage)?;
    let folder = match &arguments.out {
        Some(out) => run_folder::own(out).map_err(Failure::usage)?,
        None => {
            let seed = whole.header.seed.parse().unwrap_or(0);
            let name = run_folder::name(surroundings.now, seed);
            run_folder::under(reports, &name).map_err(Failure::error)?
        }
    };
    let sources: Vec<PathBuf> = parts.iter().map(|(folder, _)| PathBuf::from(folder)).collect();
    save(&folder, &whole, &sources).map_err(|why| {
        Failure::error(format!("`{}` cannot be written ({why}); make room and merge again", folder.display()))
    })?;
    if arguments.out.is_none() {
        run_folder::point_latest(reports, &folder).map_err(|why| {
            Failure::error(format!("reports/latest cannot be written ({why}); name the run by its folder"))
        })?;
    }
    conclusion.conclude(&folder, false)
}

/// One record of all parts: planned is the whole selection, and it ends only if every part did.
fn combine(parts: &[(String, Record)]) -> Result<Record, NoMerge> {
    let (first, head) = parts.first().ok_or(NoMerge::Nothing)?;
    let whole = head.header.shard.as_ref().ok_or_else(|| NoMerge::NoPart(first.clone()))?;
    let mut met: BTreeMap<u32, &str> = BTreeMap::new();
    for (name, record) in parts {
        let shard = record.header.shard.as_ref().ok_or_else(|| NoMerge::NoPart(name.clone()))?;
        let same = |a: &Header, b: &Header| (&a.seed, a.net, &a.tool) == (&b.seed, b.net, &b.tool);
        if !same(&record.header, &head.header) || shard.of != whole.of || shard.selected != whole.selected {
            return Err(NoMerge::Strangers(first.clone(), name.clone()));
        }
        if let Some(other) = met.insert(shard.index, name) {
            return Err(NoMerge::Twice(other.to_owned(), name.clone()));
        }
    }
    let header = Header { planned: whole.selected.clone(), shard: None, ..head.header.clone() };
    let lines: Vec<Line> = parts.iter().flat_map(|(_, record)| record.lines.clone()).collect();
    let partial = parts.iter().any(|(_, record)| record.partial) || met.len() < whole.of as usize;
    Ok(Record { header, lines, partial })
}

/// Writes the record last, so that a folder that has one has the evidence as well.
fn save(folder: &Path, whole: &Record, sources: &[PathBuf]) -> io::Result<()> {
    for below in ["captures", "keys"] {
        std::fs::create_dir_all(folder.join(below))?;
        for source in sources {
            copy(&source.join(below), &folder.join(below), &names(whole))?;
        }
    }
    let mut text = String::new();
    let mut push = |line: &Line| -> io::Result<()> {
        text.push_str(&serde_json::to_string(line).map_err(io::Error::other)?);
        text.push('\n');
        Ok(())
    };
    push(&Line::Header(whole.header.clone()))?;
    whole.lines.iter().try_for_each(&mut push)?;
    if !whole.partial {
        push(&Line::End { end: true })?;
    }
    std::fs::write(folder.join(run_folder::RECORD), text)
}

/// The names of the files of every planned variant, without their endings.
fn names(whole: &Record) -> BTreeSet<String> {
    whole.header.planned.iter().map(|id| file_name(id)).collect()
}

/// Copies the files of planned variants and of their twins; a part may hold nothing else that counts.
fn copy(from: &Path, to: &Path, names: &BTreeSet<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stem = [
            ".twin.pcapng",
            ".twin.parties.keys",
            ".twin.service.keys",
            ".pcapng",
            ".parties.keys",
            ".service.keys",
        ]
        .into_iter()
        .find_map(|ending| name.strip_suffix(ending));
        if stem.is_some_and(|stem| names.contains(stem)) {
            std::fs::copy(from.join(&name), to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::plan::NetKind;
    use model::record::{SCHEMA, Shard, Tool};
    use rstest::rstest;

    use super::*;

    fn part(index: u32, of: u32) -> (String, Record) {
        let unsupported = Line::Unsupported {
            unsupported: format!("a/{index}"),
            reason: "memory only".to_owned(),
            title: String::new(),
            variant: Vec::new(),
        };
        let header = Header {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
            seed: "0".to_owned(),
            net: NetKind::Memory,
            planned: vec![format!("a/{index}")],
            shard: Some(Shard { index, of, selected: vec!["a/1".to_owned(), "a/2".to_owned()] }),
        };
        (format!("part {index}"), Record { header, lines: vec![unsupported], partial: false })
    }

    #[test]
    fn all_parts_are_a_whole_run() {
        let whole = combine(&[part(2, 2), part(1, 2)]).expect("fit");
        assert_eq!((whole.header.planned.len(), whole.lines.len(), whole.partial), (2, 2, false));
        assert_eq!(whole.header.shard, None);
    }

    #[test]
    fn a_missing_or_cut_part_leaves_its_variants_planned_and_the_run_partial() {
        let whole = combine(&[part(1, 2)]).expect("fit");
        assert_eq!((whole.header.planned.len(), whole.lines.len(), whole.partial), (2, 1, true));
        let mut cut = part(2, 2);
        cut.1.partial = true;
        assert!(combine(&[part(1, 2), cut]).expect("fit").partial);
    }

    #[rstest]
    #[case::nothing(vec![], "no run is given; name the folders of the parts")]
    #[case::twice(vec![part(1, 2), part(1, 2)], "`part 1` and `part 1` are the same part; give each once")]
    #[case::other_division(
        vec![part(1, 2), part(2, 3)],
        "`part 1` and `part 2` are parts of different runs; give parts of one seed, network, version and selection"
    )]
    fn what_does_not_fit_is_refused(#[case] parts: Vec<(String, Record)>, #[case] message: &str) {
        assert_eq!(combine(&parts).expect_err("refused").to_string(), message);
    }

    #[test]
    fn a_run_that_is_no_part_is_refused() {
        let mut whole = part(1, 2);
        whole.1.header.shard = None;
        assert_eq!(combine(&[whole]), Err(NoMerge::NoPart("part 1".to_owned())));
    }

    #[test]
    fn a_saved_whole_is_read_back_with_the_evidence_of_its_parts() {
        let dir = tempfile::tempdir().expect("a folder");
        let source = dir.path().join("part");
        for file in [
            "captures/a_1.pcapng",
            "captures/a_1.twin.pcapng",
            "captures/stray.pcapng",
            "keys/a_1.parties.keys",
        ] {
            let path = source.join(file);
            std::fs::create_dir_all(path.parent().expect("below")).expect("made");
            std::fs::write(path, file).expect("written");
        }
        let folder = dir.path().join("whole");
        let whole = combine(&[part(1, 2), part(2, 2)]).expect("fit");
        save(&folder, &whole, &[source]).expect("written");
        assert_eq!(record_in(&folder).expect("read"), whole);
        assert!(
            folder.join("captures/a_1.twin.pcapng").exists() && folder.join("keys/a_1.parties.keys").exists()
        );
        assert!(!folder.join("captures/stray.pcapng").exists());
    }
}
