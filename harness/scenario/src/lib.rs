//! Turns YAML into checked plans, or into diagnostics that point into the file.
//!
//! Reading never panics and never touches a file: text goes in, and either one plan per variant comes out or every
//! mistake that could be found. The structure is judged first, and then all mistakes of the meaning in one pass.

mod assembly;
mod builtin;
mod calls;
mod diagnostic;
mod matrix;
mod names;
mod people;
mod place;
mod positions;
mod published;
mod quantity;
mod schema;
mod shape;
mod statements;
mod story;
mod suggest;

use std::collections::{BTreeMap, BTreeSet};

use model::Plan;
use model::attack::Attack;

pub use builtin::{BuiltIn, builtin};
pub use diagnostic::{Code, Diagnostic, Source};
pub use place::{At, Places};

use place::{Findings, said};

/// The folders that a scenario may lie in.
pub const FAMILIES: [&str; 11] = [
    "opt-in",
    "policy",
    "platforms",
    "call-kinds",
    "features",
    "cross-tenant",
    "security-code",
    "chat",
    "attacks",
    "relay",
    "flaws",
];

/// Words that scenario files use and other rooms declare.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Names of checks, such as `proof/unheard`.
    pub checks: Vec<String>,
    /// Options that an attack has beside the keys that all attacks have.
    pub attack_options: BTreeMap<Attack, Vec<String>>,
}

/// One variant of a scenario, and where its parts stand.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What is to be run.
    pub plan: Plan,
    /// Where the parts of the plan stand in the file.
    pub places: Places,
    source: Source,
}

impl Checked {
    /// A mistake in what stands at `path`, such as `["expect", "outcome"]` or `["steps", "2", "expect", "result"]`.
    ///
    /// Where the file has several rows or several calls, `expect` is what holds for the first call of this variant,
    /// and `expect`, `NAME` what holds for the call of that name. What the file does not have is looked for in the
    /// part around it.
    #[must_use]
    pub fn diagnostic_at(
        &self,
        path: &[&str],
        code: &str,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Diagnostic {
        let span = self.places.value(&At::of(path));
        Diagnostic::new(&self.source, code, message.into(), span, label.into()).help(help)
    }
}

/// Reads the file `stem` (without `.yaml`) of the folder `family`, displayed as `display_path`: one plan per variant.
///
/// # Errors
/// Every mistake that could be found, in the order of the file.
pub fn read(
    family: &str,
    stem: &str,
    display_path: &str,
    text: &str,
    vocabulary: &Vocabulary,
) -> Result<Vec<Checked>, Vec<Diagnostic>> {
    let source = Source::new(display_path, text);
    let root = positions::read(&source, text).map_err(|mistake| vec![mistake])?;
    let places = root.places();
    let mut findings = Findings::new(&source, &places);
    check_name(family, stem, &mut findings);
    let variants = matrix::variants(&root, &mut findings);
    statements::check_rows(&root, &variants, &mut findings);
    let mut list = findings.list;
    let name = format!("{family}/{stem}");
    let mut plans = Vec::new();
    for variant in &variants {
        match assembly::checked(&name, variant, &source, vocabulary) {
            Ok(checked) => plans.push(checked),
            Err(mistakes) => list.extend(mistakes),
        }
    }
    list.extend(clashes(&plans));
    if list.is_empty() { Ok(plans) } else { Err(once_each(list)) }
}

/// The JSON Schema of a scenario file, for editors: as the reader's own, with `$name` allowed inside steps.
pub fn schema() -> serde_json::Value {
    published::schema()
}

fn check_name(family: &str, stem: &str, findings: &mut Findings<'_>) {
    let top = At::of(&["scenario"]);
    if !FAMILIES.contains(&family) {
        let message = format!("`{family}` is no family of scenarios");
        let help = match suggest::nearest(family, &FAMILIES) {
            Some(near) => format!("move the file to the folder `{near}`"),
            None => format!("move the file to one of the folders {}", suggest::list(&FAMILIES)),
        };
        findings.key(Code::UnknownFamily, &top, said(message, "in a folder that is no family", help));
    }
    if !names::is_plain(stem) {
        let message = format!("`{stem}` is no name for a scenario file");
        let help = "rename it: lower-case letters, digits and hyphens";
        findings.key(Code::BadName, &top, said(message, "in a file with this name", help));
    }
}

/// Variants whose files would have one name.
fn clashes(plans: &[Checked]) -> Vec<Diagnostic> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for checked in plans {
        let id = checked.plan.id.as_str();
        if let Some(other) = names.insert(checked.plan.file_name(), id) {
            let code = format!("scenario::{}", Code::NameClash);
            let message = format!("`{other}` and `{id}` would write files of one name");
            let span = checked.places.key(&At::of(&["matrix"]));
            let help = "choose values that differ in letters, digits, dots or hyphens".to_owned();
            found.push(
                Diagnostic::new(
                    &checked.source,
                    &code,
                    message,
                    span,
                    "one name for two variants".to_owned(),
                )
                .help(Some(help)),
            );
        }
    }
    found
}

/// In the order of the file, each mistake once: variants repeat what they share.
fn once_each(list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut list: Vec<Diagnostic> = list
        .into_iter()
        .filter(|d| {
            let (start, code, message) = d.key();
            seen.insert((start, code.to_owned(), message.to_owned()))
        })
        .collect();
    list.sort_by_key(|d| d.key().0);
    list
}
