//! What a report is told beside the results: how to look and how to reproduce.

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;

/// Where a variant's scenario was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, as it was named on the command line or found.
    File(String),
    /// The set that the binary carries.
    BuiltIn,
}

/// How a report looks and what it may point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether the terminal's report is coloured.
    pub colour: bool,
    /// Columns of the terminal's report; a word that is longer overhangs.
    pub width: usize,
    /// Whether caught checks are printed like failures; a run of one variant prints them anyway.
    pub show_caught: bool,
    /// Whether the terminal leaves out the line of each variant that passed.
    pub quiet: bool,
    /// The folder of the run, as the user would write it.
    pub folder: String,
    /// The command whose report this is, as it would be typed again; empty where it is not known.
    pub command: String,
    /// What starts the program, such as `overheard` or `cargo run --release --`.
    pub program: String,
    /// Who took which side, as `--client` was given: `caller=NAME`, `callee=cmd:COMMAND`.
    pub clients: Vec<String>,
    /// Where scenarios were read from, by variant; a missing one is looked for under `scenarios/`.
    pub origins: BTreeMap<String, Origin>,
    /// What is known of the checks.
    pub catalogue: Catalogue,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
            show_caught: false,
            quiet: false,
            folder: String::new(),
            command: String::new(),
            program: "overheard".to_owned(),
            clients: Vec::new(),
            origins: BTreeMap::new(),
            catalogue: Catalogue::default(),
        }
    }
}

impl Options {
    /// The file of the variant `id`; none for a built-in scenario.
    pub fn file(&self, id: &str) -> Option<String> {
        match self.origins.get(id) {
            Some(Origin::File(path)) => Some(path.clone()),
            Some(Origin::BuiltIn) => None,
            None => Some(format!("scenarios/{}.yaml", id.split('[').next().unwrap_or(id))),
        }
    }
}
