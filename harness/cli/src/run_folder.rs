//! Where a run's files lie: `reports/<UTC yyyymmddThhmmssZ>-<seed>/`, or the folder of `--out`.
//!
//! A run never writes into a folder that holds something already.

use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

/// The folder of runs, below the current folder.
pub const REPORTS: &str = "reports";

/// The file that holds the name of the newest run.
const LATEST: &str = "latest";

/// The record, without which a folder is no run.
pub const RECORD: &str = "record.jsonl";

/// Why a folder of a run cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// `--out` holds something.
    #[error("`{}` is not empty, and a run has a folder of its own; name an absent or empty one", .0.display())]
    NotEmpty(PathBuf),
    /// Something else stands there.
    #[error("`{}` cannot be used as the folder of a run ({why}); name another one with --out", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// No run of that name.
    #[error("`{0}` is no run; give its folder, a name under reports, or latest after a run")]
    NoRun(String),
}

/// The name of a run that starts at `now`.
pub fn name(now: OffsetDateTime, seed: u64) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let stamp = now.to_offset(time::UtcOffset::UTC).format(format);
    // Every component of the format is a part of every date.
    format!("{}-{seed}", stamp.expect("a date has all of these parts"))
}

/// Makes the folder `out` of a run, which must be absent or empty.
///
/// # Errors
/// When it holds something or cannot be made.
pub fn own(out: &Path) -> Result<PathBuf, FolderError> {
    let unusable = |why| FolderError::Unusable { path: out.to_owned(), why };
    match std::fs::read_dir(out) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(FolderError::NotEmpty(out.to_owned())),
            None => Ok(out.to_owned()),
        },
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(out).map_err(unusable)?;
            Ok(out.to_owned())
        }
        Err(why) => Err(unusable(why)),
    }
}

/// Makes a folder for the run `name` under `reports`; a second run of one second gets `.2` behind its name.
///
/// # Errors
/// When it cannot be made.
pub fn under(reports: &Path, name: &str) -> Result<PathBuf, FolderError> {
    std::fs::create_dir_all(reports)
        .map_err(|why| FolderError::Unusable { path: reports.to_owned(), why })?;
    let mut path = reports.join(name);
    for attempt in 2.. {
        match std::fs::create_dir(&path) {
            Ok(()) => break,
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {
                path = reports.join(format!("{name}.{attempt}"));
            }
            Err(why) => return Err(FolderError::Unusable { path, why }),
        }
    }
    Ok(path)
}

/// Writes the name of `run` into `reports/latest`.
///
/// # Errors
/// When the file cannot be written.
pub fn point_latest(reports: &Path, run: &Path) -> io::Result<()> {
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    std::fs::write(reports.join(LATEST), format!("{name}\n"))
}

/// The folder of the run that `text` means: `latest`, a folder, or a name under `reports`.
///
/// # Errors
/// When there is no such run.
pub fn find(reports: &Path, text: &str) -> Result<PathBuf, FolderError> {
    let none = || FolderError::NoRun(text.to_owned());
    if text == LATEST {
        let name = std::fs::read_to_string(reports.join(LATEST)).map_err(|_| none())?;
        let run = reports.join(name.trim());
        return if run.join(RECORD).is_file() { Ok(run) } else { Err(none()) };
    }
    [PathBuf::from(text), reports.join(text)].into_iter().find(|p| p.join(RECORD).is_file()).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_run_is_named_after_its_start_and_its_seed() {
        assert_eq!(name(datetime!(2026-01-02 03:04:05 UTC), 7), "20260102T030405Z-7");
        assert_eq!(
            name(datetime!(2026-01-02 03:04:05 +2), u64::MAX),
            format!("20260102T010405Z-{}", u64::MAX)
        );
    }

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(own(&dir.path().join("a/b")).expect("made"), dir.path().join("a/b"));
        assert_eq!(own(&dir.path().join("a/b")).expect("empty"), dir.path().join("a/b"));
        assert!(matches!(own(&dir.path().join("a")), Err(FolderError::NotEmpty(_))));
        std::fs::write(dir.path().join("file"), "").expect("written");
        assert!(matches!(own(&dir.path().join("file")), Err(FolderError::Unusable { .. })));
    }

    #[test]
    fn two_runs_of_one_second_do_not_share_a_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        let reports = dir.path().join("reports");
        assert_eq!(under(&reports, "r").expect("made"), reports.join("r"));
        assert_eq!(under(&reports, "r").expect("made"), reports.join("r.2"));
        assert_eq!(under(&reports, "r").expect("made"), reports.join("r.3"));
    }

    #[test]
    fn a_run_is_found_by_folder_by_name_and_as_the_latest() {
        let dir = tempfile::tempdir().expect("a folder");
        let reports = dir.path().join("reports");
        let run = under(&reports, "r").expect("made");
        assert!(matches!(find(&reports, "r"), Err(FolderError::NoRun(_))), "a folder without a record");
        std::fs::write(run.join(RECORD), "").expect("written");
        assert!(matches!(find(&reports, "latest"), Err(FolderError::NoRun(_))));
        point_latest(&reports, &run).expect("written");
        for text in ["r", "latest", run.to_str().expect("a path")] {
            assert_eq!(find(&reports, text).expect("found"), run);
        }
    }
}
