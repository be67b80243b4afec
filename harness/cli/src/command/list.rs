//! `overheard list [KIND]`: names, one per line, and the export of the built-in scenarios.

use std::path::Path;

use crate::arguments::List;
use crate::failure::Failure;
use crate::pages::{self, Entry, Kind};
use crate::surroundings::Surroundings;
use crate::{planning, print, run_folder, sources};

/// Prints names, or writes the built-in scenarios into a folder.
///
/// # Errors
/// When a scenario cannot be read or the folder cannot be written.
pub fn list(arguments: &List, surroundings: &Surroundings) -> Result<(), Failure> {
    if let Some(folder) = &arguments.export {
        return export(folder);
    }
    let kind = arguments.kind.unwrap_or(Kind::Scenarios);
    let mut entries = match kind {
        Kind::Scenarios => scenarios(surroundings)?,
        other => pages::entries(other),
    };
    let filter = arguments.filter.clone().unwrap_or_default();
    entries.retain(|e| filter.fits(&e.name));
    print::stdout(lines(&entries, surroundings.stdout_terminal).as_bytes())
}

fn scenarios(surroundings: &Surroundings) -> Result<Vec<Entry>, Failure> {
    let sources = sources::gather(&[], Path::new(sources::SCENARIOS)).map_err(Failure::usage)?;
    let variants = planning::plan(&sources, &planning::vocabulary())
        .map_err(|mistakes| crate::diagnostics::mistaken(&mistakes, surroundings))?;
    Ok(variants.into_iter().map(|v| Entry { name: v.plan.id, about: v.plan.title }).collect())
}

/// For people names stand in a column; for programs a tab follows them.
fn lines(entries: &[Entry], aligned: bool) -> String {
    let column = entries.iter().map(|e| e.name.chars().count()).max().unwrap_or(0);
    let line = |e: &Entry| match aligned {
        true => format!("{:<column$}  {}\n", e.name, e.about),
        false => format!("{}\t{}\n", e.name, e.about),
    };
    entries.iter().map(line).collect()
}

/// Writes the built-in scenarios into `folder`, which must be absent or empty.
fn export(folder: &Path) -> Result<(), Failure> {
    let folder = run_folder::own(folder).map_err(Failure::usage)?;
    for source in sources::built_in() {
        let family = folder.join(&source.family);
        let file = family.join(format!("{}.yaml", source.stem));
        std::fs::create_dir_all(&family).and_then(|()| std::fs::write(&file, &source.text)).map_err(
            |why| {
                Failure::error(format!("`{}` cannot be written ({why}); name another folder", file.display()))
            },
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn programs_get_a_tab_and_people_a_column() {
        let entries = [
            Entry { name: "a".to_owned(), about: "one".to_owned() },
            Entry { name: "long".to_owned(), about: "two".to_owned() },
        ];
        assert_eq!(lines(&entries, false), "a\tone\nlong\ttwo\n");
        assert_eq!(lines(&entries, true), "a     one\nlong  two\n");
    }

    #[test]
    fn exported_scenarios_are_the_built_in_ones() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("out");
        export(&folder).expect("written");
        let read = sources::gather(std::slice::from_ref(&folder), Path::new("absent")).expect("read");
        assert_eq!(read.len(), sources::built_in().len());
        assert_eq!(export(&folder).expect_err("not empty").exit, Exit::Usage);
    }
}
