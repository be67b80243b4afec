//! The rules of the house, kept over the sources as they are: one test per rule.

use std::path::Path;

use dev::tidy::RULES;
use dev::tree::Tree;

fn tree() -> Tree {
    Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).expect("the checkout can be read")
}

fn keep(name: &str) {
    let rule = RULES.iter().find(|rule| rule.name == name).expect("a rule of that name");
    let violations = (rule.check)(&tree());
    assert!(violations.is_empty(), "{name}:\n{}", violations.join("\n"));
}

#[test]
fn rooms_depend_on_what_the_table_allows() {
    keep("rooms depend on what the table allows");
}

#[test]
fn the_judge_shares_no_code_with_the_accused() {
    keep("the judge shares no code with the accused");
}

#[test]
fn licences_are_those_that_we_allow() {
    keep("licences are those that we allow");
}

#[test]
fn files_and_functions_are_short() {
    keep("files and functions are short");
}

#[test]
fn every_file_says_what_it_is_for() {
    keep("every file says what it is for");
}

#[test]
fn banned_words_stay_out() {
    keep("banned words stay out");
}

#[test]
fn nothing_panics_for_want_of_a_check() {
    keep("nothing panics for want of a check");
}

#[test]
fn names_say_what_a_thing_is() {
    keep("names say what a thing is");
}

#[test]
fn nodes_and_net_read_no_clock_and_no_environment() {
    keep("nodes and net read no clock and no environment");
}

#[test]
fn generated_files_are_what_the_code_makes_of_them() {
    let violations = dev::generate::stale(&tree().root, &dev::generate::files());
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn readme_and_ci_run_the_same_commands() {
    let tree = tree();
    let text = |path: &str| tree.files.iter().find(|f| f.path == path).expect("the file").text.clone();
    for command in ["cargo run --release -- run", "cargo test --workspace"] {
        assert!(text("README.md").lines().any(|l| l.trim_start().starts_with(command)), "README: {command}");
        // There a time limit may stand before it.
        let bare = |line: &str| match line.strip_prefix("timeout ") {
            Some(limited) => limited.contains(&format!(" {command}")),
            None => line.starts_with(command),
        };
        assert!(text(".ci/run").lines().any(bare), ".ci/run: {command}");
    }
}

#[test]
fn every_rule_is_kept_by_a_test_of_its_name() {
    let tests = include_str!("tidy.rs");
    for rule in RULES {
        assert!(
            tests.contains(&format!("fn {}()", rule.name.replace(' ', "_"))),
            "no test keeps: {}",
            rule.name
        );
    }
}

#[test]
fn the_tree_holds_every_room() {
    let tree = tree();
    for (room, _) in dev::tidy::edges::ALLOWED {
        let start = format!("harness/{room}/src/");
        assert!(tree.rust().any(|f| f.path.starts_with(&start)), "{room} was not read");
    }
}
