//! The rules of the house, each a function from the sources to violations that name their remedy.

pub mod edges;
pub mod licences;
pub mod names;
pub mod sizes;
pub mod wording;

use crate::tree::Tree;

/// One rule.
pub struct Rule {
    /// What must hold, in one clause.
    pub name: &'static str,
    /// Finds what breaks it: one line each, `path:line: what; remedy`.
    pub check: fn(&Tree) -> Vec<String>,
}

/// Every rule.
pub static RULES: &[Rule] = &[
    Rule { name: "rooms depend on what the table allows", check: edges::rooms },
    Rule { name: "the judge shares no code with the accused", check: edges::judge },
    Rule { name: "licences are those that we allow", check: licences::check },
    Rule { name: "files and functions are short", check: sizes::check },
    Rule { name: "every file says what it is for", check: wording::openings },
    Rule { name: "banned words stay out", check: wording::words },
    Rule { name: "nothing panics for want of a check", check: names::unwraps },
    Rule { name: "names say what a thing is", check: names::check },
    Rule { name: "nodes and net read no clock and no environment", check: wording::clippy_bans },
];
