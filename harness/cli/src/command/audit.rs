//! `overheard audit CAPTURE…`: says who can read which stream of captures that anybody made.

mod flowing;

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use audit::examination::{Input, Options, examine};
use audit::key_file::Owner;
use indicatif::{ProgressBar, ProgressStyle};
use model::audit::{Audit, AuditVerdict};
use model::results::Sweep;

use crate::arguments;
use crate::catalogue;
use crate::conclude::write_whole;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format_choice::{FormatChoice, complete};
use crate::print;
use crate::surroundings::Surroundings;
use flowing::Flowing;

/// The name under which standard input is a capture.
const STANDARD_INPUT: &str = "-";

/// Examines and reports.
///
/// # Errors
/// When keys or formats are wrong, a capture is not there, or a report cannot be written.
pub fn audit(arguments: &arguments::Audit, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let formats = complete(arguments.formats.clone()).map_err(Failure::usage)?;
    let mut keys = Vec::new();
    for argument in &arguments.keys {
        keys.extend(argument.read(&surroundings.folder).map_err(Failure::usage)?);
    }
    let complete = arguments.complete.iter().map(|name| middle_party(name)).collect::<Result<Vec<_>, _>>()?;
    let inputs = arguments
        .captures
        .iter()
        .map(|name| input(name, &surroundings.folder, !keys.is_empty()))
        .collect::<Result<Vec<_>, _>>()?;
    audit::self_test::self_test().map_err(Failure::bug)?;
    let bar = progress(surroundings.stderr_terminal && !arguments.quiet);
    let sweep = arguments.sweep.unwrap_or(Sweep::Light);
    let options = Options { no_hash: arguments.no_hash, complete, sweep };
    let mut audit = examine(&inputs, &keys, &options, &mut |bytes| bar.set_position(bytes));
    bar.finish_and_clear();
    let command = if arguments.redact {
        let mut names = report::Pseudonyms::default();
        audit = names.audit(&audit);
        command(&redacted(arguments, &mut names), surroundings)
    } else {
        command(arguments, surroundings)
    };
    let written = write(&audit, &formats, command, arguments, surroundings);
    let exit = exit(&audit);
    written.map(|()| exit).map_err(|failure| Failure { exit: failure.exit.or(exit), ..failure })
}

fn exit(audit: &Audit) -> Exit {
    match audit.verdict {
        AuditVerdict::EndToEndConsistent => Exit::Pass,
        AuditVerdict::NotEndToEnd => Exit::Fail,
        AuditVerdict::Inconclusive => Exit::Inconclusive,
    }
}

fn middle_party(name: &str) -> Result<Owner, Failure> {
    let owner = Owner::named(name).map_err(Failure::usage)?;
    if owner.is_middle_party() {
        return Ok(owner);
    }
    Err(Failure::usage(format!(
        "--complete {name}: only the keys of a middle party can be complete; name one, such as --complete sfu"
    )))
}

/// The arguments as a redacted report may show them.
fn redacted(arguments: &arguments::Audit, names: &mut report::Pseudonyms) -> arguments::Audit {
    let mut arguments = arguments.clone();
    arguments.captures.iter_mut().for_each(|capture| *capture = names.file(capture));
    arguments.complete.iter_mut().for_each(|owner| *owner = names.owner(owner));
    for (at, keys) in arguments.keys.iter_mut().enumerate() {
        keys.file = format!("keys-{}", at + 1).into();
        keys.owner = Owner::Other(names.owner(&keys.owner.to_string()));
    }
    arguments
}

/// The command that gives the same answer again.
fn command(arguments: &arguments::Audit, surroundings: &Surroundings) -> String {
    let mut words = vec![surroundings.program.clone(), "audit".to_owned()];
    words.extend(arguments.captures.iter().map(|capture| report::quoted(capture)));
    for keys in &arguments.keys {
        words.push("--keys".to_owned());
        words.push(report::quoted(&format!("{}:{}", keys.owner, keys.file.display())));
    }
    for owner in &arguments.complete {
        words.extend(["--complete".to_owned(), report::quoted(owner)]);
    }
    if arguments.redact {
        words.push("--redact".to_owned());
    }
    if let Some(sweep) = arguments.sweep {
        words.extend(["--sweep".to_owned(), sweep.word().to_owned()]);
    }
    if arguments.no_hash {
        words.push("--no-hash".to_owned());
    }
    words.join(" ")
}

/// A capture that can be opened twice; `twice`: it will be.
fn input(name: &str, folder: &Path, twice: bool) -> Result<Input, Failure> {
    if name == STANDARD_INPUT {
        return flowing(name, standard_input(), twice);
    }
    let path = folder.join(name);
    let metadata = std::fs::metadata(&path).map_err(|why| {
        Failure::usage(format!("{name} cannot be read ({why}); check the path and the permissions"))
    })?;
    if is_pipe(&metadata) {
        return flowing(name, File::open(&path), twice);
    }
    if !metadata.is_file() {
        return Err(Failure::usage(format!("{name} is no file; name captures, or - for standard input")));
    }
    let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn Read + Send>);
    Ok(Input { name: name.to_owned(), open: Box::new(open) })
}

fn flowing(
    name: &str,
    source: io::Result<impl Read + Send + 'static>,
    twice: bool,
) -> Result<Input, Failure> {
    let flowing = source.and_then(|source| Flowing::new(source, flowing::KEPT, twice)).map_err(|why| {
        let what = if name == STANDARD_INPUT { "standard input" } else { name };
        Failure::error(format!("{what} cannot be read ({why}); write it to a file and name that"))
    })?;
    Ok(Input { name: name.to_owned(), open: Box::new(move || flowing.open()) })
}

/// A named pipe, or what a shell makes of `<(…)`.
#[cfg(unix)]
fn is_pipe(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}

fn standard_input() -> io::Result<io::Stdin> {
    let input = io::stdin();
    if input.is_terminal() {
        return Err(io::Error::other("it is a terminal"));
    }
    Ok(input)
}

fn progress(shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bytes} read, {bytes_per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Writes every report; the one for standard output comes last, and also when a file fails.
fn write(
    audit: &Audit,
    formats: &[FormatChoice<report::AuditFormat>],
    command: String,
    arguments: &arguments::Audit,
    surroundings: &Surroundings,
) -> Result<(), Failure> {
    let colour = surroundings.coloured(arguments.color.unwrap_or_default());
    let mut outcome = Ok(());
    let render = |choice: &FormatChoice<report::AuditFormat>, colour: bool| {
        let options = report::Options {
            colour,
            width: surroundings.width(),
            command: command.clone(),
            catalogue: catalogue::catalogue(),
            ..report::Options::default()
        };
        (choice.format.render)(audit, &options).map_err(Failure::bug)
    };
    for choice in formats.iter().filter(|choice| choice.file.is_some()) {
        let Some(file) = &choice.file else { continue };
        let written = render(choice, false).and_then(|text| {
            write_whole(file, &text).map_err(|why| {
                let (name, file) = (choice.format.name, file.display());
                Failure::error(format!(
                    "the {name} report cannot be written to {file} ({why}); choose another file"
                ))
            })
        });
        outcome = outcome.and(written);
    }
    for choice in formats.iter().filter(|choice| choice.file.is_none()) {
        print::stdout(render(choice, colour)?.as_bytes())?;
    }
    outcome
}
