//! `overheard explain NAME`: the page of a check, requirement, attack, flaw, feature or release.

use crate::failure::Failure;
use crate::{pages, print};

/// How far a name may be from the one that was meant, as a share of 1.
const NEAR: f64 = 0.6;

/// Prints the page of `name`.
///
/// # Errors
/// When nothing is called so.
pub fn explain(name: &str) -> Result<(), Failure> {
    match pages::page(name) {
        Some(page) => print::stdout(page.as_bytes()),
        None => Err(Failure::usage(match nearest(name, &pages::names()) {
            Some(near) => format!("nothing is called `{name}`; did you mean `{near}`?"),
            None => format!("nothing is called `{name}`; see overheard list for names"),
        })),
    }
}

fn nearest(name: &str, names: &[String]) -> Option<String> {
    // `unheard` alone is as good as `proof/unheard`.
    let score = |candidate: &str| {
        let tail = candidate.rsplit('/').next().unwrap_or(candidate);
        let near = |text: &str| strsim::normalized_damerau_levenshtein(name, text);
        near(candidate).max(near(tail))
    };
    let scored = names.iter().map(|n| (score(n), n)).filter(|(score, _)| *score >= NEAR);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, n)| n.clone())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::letters_swapped("no-saeling", Some("no-sealing"))]
    #[case::tail("unheard", Some("proof/unheard"))]
    #[case::misspelt_tail("unherd", Some("proof/unheard"))]
    #[case::far_away("xyz", None)]
    fn a_near_name_is_suggested(#[case] name: &str, #[case] expected: Option<&str>) {
        let names = ["no-sealing".to_owned(), "proof/unheard".to_owned()];
        assert_eq!(nearest(name, &names).as_deref(), expected);
    }
}
