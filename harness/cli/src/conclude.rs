//! From a record to its reports: judged, compared with what was known, written and printed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::record::Record;
use model::results::{Results, Sweep};
use report::{Options, Origin};

use crate::arguments::{Keep, Reporting};
use crate::baseline;
use crate::configuration::Configuration;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format_choice::{FormatChoice, complete};
use crate::known_failures::KnownFailures;
use crate::print;
use crate::run_folder::RECORD;
use crate::shard::Shard;
use crate::surroundings::Surroundings;
use crate::{catalogue, keep};

/// What is written with every run, beside what was asked for.
const ALWAYS: &[(&str, &str)] = &[("json", "results.json"), ("junit", "junit.xml")];

/// How to judge and report.
#[derive(Clone, Debug)]
pub struct Conclusion {
    /// The reports, with one for standard output.
    pub formats: Vec<FormatChoice>,
    /// Whether caught checks are told like failures.
    pub show_caught: bool,
    /// Whether what passed is left out.
    pub quiet: bool,
    /// Whether the terminal's report is coloured.
    pub colour: bool,
    /// Columns of the terminal's report.
    pub width: usize,
    /// What starts the program.
    pub program: String,
    /// How much of the free bytes is tried; none is decided by the number of variants.
    pub sweep: Option<Sweep>,
    /// Results of an earlier run.
    pub baseline: Option<Results>,
    /// Failures that are tolerated.
    pub known: KnownFailures,
    /// The day on which the list is read.
    pub today: time::Date,
    /// Which captures stay.
    pub keep: Keep,
    /// Who took which side, as it was given.
    pub clients: Vec<String>,
    /// Where scenarios were read from.
    pub origins: BTreeMap<String, Origin>,
}

impl Conclusion {
    /// Takes the options, then the configuration, then the defaults.
    ///
    /// # Errors
    /// When formats are wrong or the baseline cannot be read.
    pub fn of(
        reporting: &Reporting,
        configuration: &Configuration,
        surroundings: &Surroundings,
    ) -> Result<Self, Failure> {
        let mut formats = reporting.formats.clone();
        if formats.is_empty() {
            let read = configuration.formats.iter().map(|text| text.parse());
            formats = read.collect::<Result<_, _>>().map_err(Failure::usage)?;
        }
        Ok(Self {
            formats: complete(formats).map_err(Failure::usage)?,
            show_caught: reporting.show_caught,
            quiet: reporting.quiet,
            colour: surroundings.coloured(reporting.color.unwrap_or_default()),
            width: surroundings.width(),
            program: surroundings.program.clone(),
            sweep: reporting.sweep,
            baseline: reporting.baseline.as_deref().map(results_in).transpose()?,
            known: KnownFailures::default(),
            today: surroundings.now.date(),
            keep: Keep::All,
            clients: Vec::new(),
            origins: BTreeMap::new(),
        })
    }

    /// Judges the run in `folder`, writes its reports and prints one.
    ///
    /// # Errors
    /// When the record cannot be read, the judge's self-test fails or a report cannot be written.
    pub fn conclude(&self, folder: &Path, interrupted: bool) -> Result<Exit, Failure> {
        let results = self.judged(folder)?;
        let written = self.write(&results, folder);
        let exit = Exit::of(&results, interrupted);
        written.map(|()| exit).map_err(|failure| Failure { exit: failure.exit.or(exit), ..failure })
    }

    /// Judges the run in `folder`, and compares it with what was known.
    ///
    /// # Errors
    /// When the record cannot be read, or the judge's self-test fails.
    pub fn judged(&self, folder: &Path) -> Result<Results, Failure> {
        audit::self_test::self_test().map_err(Failure::bug)?;
        let record = record_in(folder)?;
        let sweep = self.sweep.unwrap_or(match record.header.planned.len() {
            1 => Sweep::Full,
            _ => Sweep::Light,
        });
        let mut results = audit::judge::judge(folder, &record, &audit::judge::Options { sweep });
        self.known.apply(&mut results, self.today);
        if let Some(baseline) = &self.baseline {
            let shard = record.header.shard.as_ref().map(|s| Shard { index: s.index, of: s.of });
            baseline::compare(&mut results, baseline, |id| shard.is_none_or(|s| s.holds(id)));
        }
        keep::discard(folder, &mut results, self.keep).map_err(|why| {
            Failure::error(format!("a capture could not be removed ({why}); remove it by hand"))
        })?;
        Ok(results)
    }

    /// Writes every report; the one for standard output comes last, and also when a file fails.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn write(&self, results: &Results, folder: &Path) -> Result<(), Failure> {
        let options = Options {
            colour: false,
            width: self.width,
            show_caught: self.show_caught,
            quiet: self.quiet,
            folder: folder.display().to_string(),
            command: String::new(),
            program: self.program.clone(),
            clients: self.clients.clone(),
            origins: self.origins.clone(),
            catalogue: catalogue::catalogue(),
        };
        let always = ALWAYS.iter().filter_map(|(name, file)| {
            let format = report::Format::called(name)?;
            Some(FormatChoice { format, file: Some(folder.join(file)) })
        });
        let mut outcome = Ok(());
        for choice in always.chain(self.formats.iter().filter(|c| c.file.is_some()).cloned()) {
            if let Err(failure) = write_file(&choice, results, &options) {
                outcome = Err(failure);
            }
        }
        let options = Options { colour: self.colour, ..options };
        for choice in self.formats.iter().filter(|c| c.file.is_none()) {
            let text = (choice.format.render)(results, &options).map_err(Failure::bug)?;
            print::stdout(text.as_bytes())?;
        }
        outcome
    }
}

fn write_file(choice: &FormatChoice, results: &Results, options: &Options) -> Result<(), Failure> {
    let Some(file) = &choice.file else { return Ok(()) };
    let text = (choice.format.render)(results, options).map_err(Failure::bug)?;
    write_whole(file, &text).map_err(|why| {
        Failure::error(format!(
            "`{}` cannot be written ({why}); make room or name another file",
            file.display()
        ))
    })
}

/// Writes a report beside the file and then renames, so that a reader finds the old one or the whole new one.
///
/// # Errors
/// When the file, or its folder, cannot be written.
pub fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = file.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    if file.exists() && !file.is_file() {
        // A pipe or a device is written to as it is.
        return std::fs::write(file, text);
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part: PathBuf = file.with_file_name(name);
    std::fs::write(&part, text)?;
    std::fs::rename(&part, file)
}

/// The record of the run in `folder`.
///
/// # Errors
/// When it cannot be read; one that is only cut is partial, and no error.
pub fn record_in(folder: &Path) -> Result<Record, Failure> {
    let path = folder.join(RECORD);
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::error(format!("`{}` cannot be read ({why}); give the folder of a run", path.display()))
    };
    let bytes = std::fs::read(&path).map_err(|why| unreadable(&why))?;
    // A record that was cut may end in the middle of a character.
    Record::parse(&String::from_utf8_lossy(&bytes)).map_err(|why| unreadable(&why))
}

fn results_in(file: &Path) -> Result<Results, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!(
            "the baseline `{}` is no results.json ({why}); name another one",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|why| wrong(&why))?;
    let results: Results = serde_json::from_str(&text).map_err(|why| wrong(&why))?;
    match results.schema == model::results::SCHEMA {
        true => Ok(results),
        false => Err(wrong(&format!("its schema is `{}`", results.schema))),
    }
}

#[cfg(test)]
mod tests {
    use model::verdict::Ending;

    use super::*;
    use crate::tally::sample;

    #[test]
    fn a_baseline_must_be_results_of_this_schema() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("results.json");
        assert_eq!(results_in(&file).expect_err("absent").exit, Exit::Usage);
        let mut results = sample(&[Ending::Pass]);
        std::fs::write(&file, serde_json::to_string(&results).expect("json")).expect("written");
        assert_eq!(results_in(&file).expect("read"), results);
        results.schema = "overheard/results/9".to_owned();
        std::fs::write(&file, serde_json::to_string(&results).expect("json")).expect("written");
        assert!(results_in(&file).expect_err("newer").text.contains("overheard/results/9"));
    }

    #[test]
    fn a_record_that_is_none_is_refused_and_a_cut_one_is_read() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(record_in(dir.path()).expect_err("absent").exit, Exit::Error);
        let file = dir.path().join(RECORD);
        std::fs::write(&file, b"\xff\xfe").expect("written");
        assert!(record_in(dir.path()).is_err());
        let mut bytes = br#"{"schema":"overheard/record/1","tool":{"name":"o","version":"0"},"seed":"0","net":"memory","planned":["a/b"]}"#.to_vec();
        bytes.extend(b"\n{\"world\":\"\xc3");
        std::fs::write(&file, bytes).expect("written");
        assert!(record_in(dir.path()).expect("read").partial);
    }

    #[test]
    fn a_report_replaces_the_old_one_as_a_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("a/b.json");
        write_whole(&file, "long long").expect("written");
        write_whole(&file, "short").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "short");
        assert_eq!(std::fs::read_dir(dir.path().join("a")).expect("a folder").count(), 1);
    }
}
