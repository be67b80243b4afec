//! `cargo dev tidy`: looks at the sources and says what breaks the rules of the house.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use dev::tidy::RULES;
use dev::tree::Tree;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["tidy"] => tidy(),
        _ => {
            say("usage: cargo dev tidy");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tree = match Tree::read(&root) {
        Ok(tree) => tree,
        Err(why) => {
            say(&why.to_string());
            return ExitCode::from(5);
        }
    };
    let violations: Vec<String> = RULES.iter().flat_map(|rule| (rule.check)(&tree)).collect();
    violations.iter().for_each(|v| say(v));
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
