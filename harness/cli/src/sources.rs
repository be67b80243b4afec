//! Where scenarios come from: paths that were given, `./scenarios`, or the set that the binary carries.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use report::Origin;

/// The folder that is read when no path is given.
pub const SCENARIOS: &str = "scenarios";

/// The text of one scenario, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name of its folder.
    pub family: String,
    /// The name of its file without `.yaml`.
    pub stem: String,
    /// How diagnostics call it.
    pub display: String,
    /// What it holds.
    pub text: String,
    /// How a report points to it.
    pub origin: Origin,
}

/// Why scenarios cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing there, or not readable.
    #[error("`{}` cannot be read ({why}); give a scenario file or a folder of them", path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// Another kind of file.
    #[error("`{}` is no scenario; give a file that ends in .yaml, or a folder of them", .0.display())]
    NoScenario(PathBuf),
    /// Two files that would have the same ids.
    #[error("`{first}` and `{second}` are both `{family}/{stem}`; rename one of them")]
    SameName {
        /// The earlier path.
        first: String,
        /// The later path.
        second: String,
        /// The folder of both.
        family: String,
        /// The name of both.
        stem: String,
    },
}

/// Reads the scenarios at `paths`; without any those in `default_folder`, and where that is not there, the built-in
/// ones. Files of a folder come in the order of their names, a file that is met twice comes once.
///
/// # Errors
/// When a path cannot be read or two files have one name.
pub fn gather(paths: &[PathBuf], default_folder: &Path) -> Result<Vec<Source>, SourceError> {
    let mut files = Vec::new();
    if paths.is_empty() {
        if !default_folder.is_dir() {
            return Ok(built_in());
        }
        walk(default_folder, &mut files)?;
    }
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if is_scenario(path) {
            files.push(path.clone());
        } else if path.exists() {
            return Err(SourceError::NoScenario(path.clone()));
        } else {
            let why = io::Error::from(io::ErrorKind::NotFound);
            return Err(SourceError::Unreadable { path: path.clone(), why });
        }
    }
    let mut met = BTreeSet::new();
    let mut sources: Vec<Source> = Vec::new();
    for file in files {
        let unreadable = |why| SourceError::Unreadable { path: file.clone(), why };
        let canonical = file.canonicalize().map_err(unreadable)?;
        if !met.insert(canonical.clone()) {
            continue;
        }
        let source = read(&file, &canonical).map_err(unreadable)?;
        if let Some(first) = sources.iter().find(|s| s.family == source.family && s.stem == source.stem) {
            return Err(SourceError::SameName {
                first: first.display.clone(),
                second: source.display,
                family: source.family,
                stem: source.stem,
            });
        }
        sources.push(source);
    }
    Ok(sources)
}

fn is_scenario(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    let unreadable = |why| SourceError::Unreadable { path: folder.to_owned(), why };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        entries.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, files)?;
        } else if is_scenario(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn read(file: &Path, canonical: &Path) -> io::Result<Source> {
    let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let display = file.display().to_string();
    Ok(Source {
        family: name(canonical.parent().and_then(Path::file_name)),
        stem: name(canonical.file_stem()),
        text: String::from_utf8_lossy(&std::fs::read(file)?).into_owned(),
        origin: Origin::File(display.clone()),
        display,
    })
}

/// The scenarios that the binary carries.
pub fn built_in() -> Vec<Source> {
    let source = |s: scenario::BuiltIn| Source {
        family: s.family.to_owned(),
        stem: s.stem.to_owned(),
        display: format!("built-in {}/{}.yaml", s.family, s.stem),
        text: s.text.to_owned(),
        origin: Origin::BuiltIn,
    };
    scenario::builtin().into_iter().map(source).collect()
}

/// One phrase that says what `sources` are.
pub fn whence(paths: &[PathBuf], sources: &[Source]) -> String {
    let files = match sources.len() {
        1 => "1 scenario".to_owned(),
        n => format!("{n} scenarios"),
    };
    match sources.first().map(|s| &s.origin) {
        Some(Origin::BuiltIn) => format!("{files} of the built-in set"),
        _ if paths.is_empty() => format!("{files} in ./{SCENARIOS}"),
        _ => files,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            std::fs::write(path, file).expect("written");
        }
        dir
    }

    fn names(sources: &[Source]) -> Vec<String> {
        sources.iter().map(|s| format!("{}/{}", s.family, s.stem)).collect()
    }

    #[test]
    fn a_folder_is_read_in_order_and_a_file_once() {
        let dir = folder_with(&["opt-in/b.yaml", "opt-in/a.yaml", "chat/c.yml", "opt-in/notes.txt"]);
        let paths = [dir.path().join("opt-in/b.yaml"), dir.path().to_owned()];
        let sources = gather(&paths, Path::new("absent")).expect("read");
        assert_eq!(names(&sources), ["opt-in/b", "chat/c", "opt-in/a"]);
        assert_eq!(sources[0].text, "opt-in/b.yaml");
    }

    #[test]
    fn without_a_path_the_default_folder_goes_before_the_built_in_set() {
        let dir = folder_with(&["opt-in/a.yaml"]);
        assert_eq!(names(&gather(&[], dir.path()).expect("read")), ["opt-in/a"]);
        let built_in = gather(&[], &dir.path().join("absent")).expect("read");
        assert!(built_in.iter().any(|s| s.origin == Origin::BuiltIn && s.family == "opt-in"));
        assert!(whence(&[], &built_in).ends_with("of the built-in set"));
    }

    #[test]
    fn what_is_no_scenario_is_refused() {
        let dir = folder_with(&["opt-in/notes.txt", "x/opt-in/a.yaml", "y/opt-in/a.yaml"]);
        let gathered = |path: &str| gather(&[dir.path().join(path)], Path::new("absent"));
        assert!(matches!(gathered("opt-in/notes.txt"), Err(SourceError::NoScenario(_))));
        assert!(matches!(gathered("opt-in/absent.yaml"), Err(SourceError::Unreadable { .. })));
        assert!(matches!(gathered(""), Err(SourceError::SameName { .. })));
    }
}
