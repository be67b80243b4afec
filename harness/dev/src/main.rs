//! `cargo dev tidy` says what breaks the rules of the house; `cargo dev generate` makes files from the code; `cargo dev
//! gallery` takes the captures of `captures/` out of a run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dev::tidy::RULES;
use dev::tree::Tree;
use dev::{gallery, generate};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["tidy"] => tidy(),
        ["generate"] => match generate::write(&root(), &generate::files()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                say(&format!("a generated file cannot be written ({why}); make room and try again"));
                ExitCode::from(5)
            }
        },
        ["gallery", run] => match gallery::take(Path::new(run), &root()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                say(&format!("{why}; run what captures/README.md names into that folder first"));
                ExitCode::from(5)
            }
        },
        ["generate", "--check"] => ended(&generate::stale(&root(), &generate::files())),
        _ => {
            say("usage: cargo dev tidy | generate [--check] | gallery RUN");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    let tree = match Tree::read(&root()) {
        Ok(tree) => tree,
        Err(why) => {
            say(&why.to_string());
            return ExitCode::from(5);
        }
    };
    ended(&RULES.iter().flat_map(|rule| (rule.check)(&tree)).collect::<Vec<_>>())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn ended(violations: &[String]) -> ExitCode {
    violations.iter().for_each(|v| say(v));
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
