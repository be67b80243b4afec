//! Which clients stand in the matrix, and whether their drivers are there.
//!
//! Invariant: a client whose driver does not start takes no part, and never looks like one that passed. It is
//! *unsupported* where it only stands in the configuration, and an *error* where somebody asked for it by name, or where
//! no peer may be missing.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Fault;
use model::matrix::{CellVerdict, MatrixClient};
use model::plan::file_name;
use nodes::client::CAPABILITIES;
use runner::{Introduced, Outsider};

use crate::client_choice::{self, REFERENCE};

/// One client of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// As it is chosen and shown.
    pub name: String,
    /// Its driver; none of the reference client.
    pub outsider: Option<Outsider>,
    /// Who it is, or what its cells come to and why.
    pub introduced: Result<Introduced, (CellVerdict, String)>,
}

impl Entrant {
    /// What the matrix says of it.
    pub fn entry(&self) -> MatrixClient {
        let here = self.introduced.as_ref().ok();
        MatrixClient {
            name: self.name.clone(),
            implementation: here.map(|here| here.implementation.clone()),
            capabilities: here.map(|here| here.capabilities.clone()),
            missing: self.introduced.as_ref().err().map(|(_, why)| why.clone()),
        }
    }
}

/// The clients that `names` choose, in that order; without names the reference client and every client that is `known`.
///
/// # Errors
/// When a name is unknown or stands twice, or when two pairs would share a folder.
pub fn chosen(
    names: &[String],
    known: &BTreeMap<String, String>,
) -> Result<Vec<(String, Option<Outsider>)>, String> {
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    if wanted.is_empty() {
        // A client may be called like the one that is built in, which goes first.
        let others = known.keys().map(String::as_str).filter(|name| *name != REFERENCE);
        wanted = std::iter::once(REFERENCE).chain(others).collect();
    }
    let mut met = BTreeSet::new();
    if let Some(twice) = wanted.iter().find(|name| !met.insert(**name)) {
        return Err(format!("--clients names `{twice}` twice; name each client once"));
    }
    let mut folders = BTreeSet::new();
    for (caller, callee) in wanted.iter().flat_map(|a| wanted.iter().map(move |b| (a, b))) {
        if !folders.insert(folder(caller, callee)) {
            return Err(format!(
                "the evidence of `{caller}` calling `{callee}` and of another pair would share a folder; give the clients \
                 names that differ in letters and digits"
            ));
        }
    }
    wanted.into_iter().map(|name| Ok((name.to_owned(), client_choice::outsider(name, known)?))).collect()
}

/// The folder of a pair below that of the matrix.
pub fn folder(caller: &str, callee: &str) -> String {
    format!("{}--{}", file_name(caller), file_name(callee))
}

/// Asks every driver who it is. `required`: none may be missing.
pub fn introduced(chosen: Vec<(String, Option<Outsider>)>, required: bool) -> Vec<Entrant> {
    let greet = |(name, outsider): (String, Option<Outsider>)| {
        let introduced = match &outsider {
            None => Ok(reference()),
            Some(outsider) => {
                runner::introduced(outsider).map_err(|(fault, words)| absent(&fault, words, required))
            }
        };
        Entrant { name, outsider, introduced }
    };
    chosen.into_iter().map(greet).collect()
}

fn reference() -> Introduced {
    Introduced {
        implementation: format!("overheard reference client {}", env!("CARGO_PKG_VERSION")),
        capabilities: CAPABILITIES.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// What the cells of a client come to whose driver has not introduced it.
fn absent(fault: &Fault, words: Option<String>, required: bool) -> (CellVerdict, String) {
    let beside = words.map(|words| format!("; its last words: {words}")).unwrap_or_default();
    match fault {
        // A driver that never spoke is not installed here, as far as anybody can tell.
        Fault::NotStarted(_) | Fault::Ended(_) if !required => {
            let text = "the driver does not start here; install the client, see its page, or leave it out";
            (CellVerdict::Unsupported, format!("{text}{beside}"))
        }
        fault => (CellVerdict::Error, format!("{fault}{beside}")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn known(known: &[&str]) -> BTreeMap<String, String> {
        known.iter().map(|name| ((*name).to_owned(), "false".to_owned())).collect()
    }

    #[test]
    fn without_a_choice_everybody_stands_in_it_once() {
        let chosen = chosen(&[], &known(&["aiortc", "werift"])).expect("chosen");
        let names: Vec<&str> = chosen.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["reference", "aiortc", "werift"]);
        assert!(chosen[0].1.is_none() && chosen[1].1.is_some());
    }

    #[rstest]
    #[case::unknown(&["nobody"], &["aiortc"], "there is no client `nobody`")]
    #[case::twice(&["aiortc", "aiortc"], &["aiortc"], "twice")]
    #[case::one_folder_for_two(&["a b", "a_b"], &["a b", "a_b"], "share a folder")]
    #[case::one_folder_for_two_pairs(&["a", "a--b", "b--a", "a--b--a"], &["a", "a--b", "b--a", "a--b--a"], "share a folder")]
    fn what_cannot_stand_in_a_matrix_is_told(
        #[case] chosen_names: &[&str],
        #[case] there: &[&str],
        #[case] told: &str,
    ) {
        let error = chosen(&names(chosen_names), &known(there)).expect_err("refused");
        assert!(error.contains(told), "{error}");
    }

    #[rstest]
    #[case::not_installed(Fault::Ended("it closed its output".to_owned()), false, CellVerdict::Unsupported)]
    #[case::not_installed_and_wanted(Fault::Ended("it closed its output".to_owned()), true, CellVerdict::Error)]
    #[case::broken(Fault::Garbage("a log".to_owned()), false, CellVerdict::Error)]
    #[case::hanging(Fault::Silent { method: "hello", ms: 1 }, false, CellVerdict::Error)]
    fn a_client_that_is_not_there_never_passes(
        #[case] fault: Fault,
        #[case] required: bool,
        #[case] verdict: CellVerdict,
    ) {
        let (came, why) = absent(&fault, Some("no module".to_owned()), required);
        assert_eq!(came, verdict);
        assert!(why.ends_with("; its last words: no module"), "{why}");
    }
}
