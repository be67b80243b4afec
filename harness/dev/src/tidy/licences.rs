//! Which licences the crates that we use may have: those that `deny.toml` allows.
//!
//! `cargo deny check` sees more, and takes minutes to install; this much is held by every test run.

use std::collections::BTreeSet;

use crate::tree::Tree;

/// Crates whose licence `deny.toml` does not allow.
pub fn check(tree: &Tree) -> Vec<String> {
    let Some(allowed) = tree.files.iter().find(|f| f.path == "deny.toml").and_then(|f| allowed(&f.text))
    else {
        return vec!["deny.toml: has no list `allow` under `licenses`; give it one".to_owned()];
    };
    let metadata = match super::edges::metadata(tree) {
        Ok(metadata) => metadata,
        Err(violation) => return vec![violation],
    };
    let foreign = metadata.packages.iter().filter(|package| package.source.is_some());
    let wrong =
        foreign.filter(|package| !satisfied(package.license.as_deref().unwrap_or_default(), &allowed));
    wrong
        .map(|package| {
            let licence = package.license.as_deref().unwrap_or("none that it names");
            format!(
                "Cargo.toml: {} has the licence {licence}; do without it, or allow it in deny.toml",
                package.name
            )
        })
        .collect()
}

/// The list `licenses.allow`.
fn allowed(deny: &str) -> Option<BTreeSet<String>> {
    let table: toml::Table = deny.parse().ok()?;
    let list = table.get("licenses")?.get("allow")?.as_array()?;
    Some(list.iter().filter_map(|licence| licence.as_str().map(str::to_owned)).collect())
}

/// Whether `allowed` satisfies an SPDX expression, and it is one; `/` is an old way to write `OR`.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    either(&mut words, allowed).unwrap_or(false) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut holds = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        holds |= both(words, allowed)?;
    }
    Some(holds)
}

fn both(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut holds = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        holds &= one(words, allowed)?;
    }
    Some(holds)
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let holds = either(words, allowed)?;
        return words.next_if_eq(&")").map(|_| holds);
    }
    let exception = words.next_if_eq(&"WITH").map(|_| words.next());
    match exception {
        Some(exception) => Some(allowed.contains(&format!("{word} WITH {}", exception?))),
        None => Some(allowed.contains(word)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::one("MIT", true)]
    #[case::either("GPL-3.0 OR MIT", true)]
    #[case::old_form("MIT/GPL-3.0", true)]
    #[case::both("MIT AND ISC", true)]
    #[case::exception("Apache-2.0 WITH LLVM-exception", true)]
    #[case::grouped("(GPL-3.0 OR MIT) AND ISC", true)]
    #[case::and_binds_first("GPL-3.0 AND MIT OR ISC", true)]
    #[case::not_allowed("GPL-3.0", false)]
    #[case::not_both("MIT AND GPL-3.0", false)]
    #[case::neither("(GPL-3.0 OR AGPL-3.0) AND MIT", false)]
    #[case::without_its_exception("Apache-2.0", false)]
    #[case::another_exception("MIT WITH LLVM-exception", false)]
    #[case::none("", false)]
    #[case::open_bracket("(MIT", false)]
    #[case::two_words("MIT ISC", false)]
    #[case::half_an_or("MIT OR", false)]
    fn an_expression_is_satisfied_or_not(#[case] expression: &str, #[case] holds: bool) {
        let allowed =
            allowed("[licenses]\nallow = ['MIT', 'ISC', 'Apache-2.0 WITH LLVM-exception']").expect("a list");
        assert_eq!(satisfied(expression, &allowed), holds);
    }

    #[rstest]
    #[case::no_file(Tree::of("a.toml", "x"))]
    #[case::no_list(Tree::of("deny.toml", "[licenses]\n"))]
    #[case::no_toml(Tree::of("deny.toml", "[licenses"))]
    fn without_a_list_nothing_is_allowed(#[case] tree: Tree) {
        assert!(check(&tree)[0].starts_with("deny.toml: "));
    }
}
