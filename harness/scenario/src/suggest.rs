//! Did you mean: the nearest of the words that may stand at a place, else all of them.

use strsim::damerau_levenshtein;

/// A remedy for `wrong`, which is none of `known`.
pub fn instead<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(wrong, &known) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "there is none to choose from; leave it out".to_owned(),
        None => one_of(&known),
    }
}

/// The known word at a distance of at most 1 + a third of the length of `wrong`, if there is one.
pub fn nearest<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let length = wrong.chars().count();
    let near =
        known.iter().map(|word| (damerau_levenshtein(&wrong.to_lowercase(), &word.to_lowercase()), *word));
    near.filter(|(distance, word)| *distance <= 1 + length / 3 && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A remedy that leaves the choice.
pub fn one_of(known: &[&str]) -> String {
    let some = if known.len() == 1 { "use" } else { "use one of" };
    format!("{some} {}", list(known))
}

/// Words in backticks, with commas.
pub fn list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::instead;

    #[rstest]
    #[case::typo("plattform", "did you mean `platform`?")]
    #[case::capitals("E2EE", "did you mean `e2ee`?")]
    #[case::swapped("veersion", "did you mean `version`?")]
    #[case::far("colour", "use one of `platform`, `e2ee`, `version`")]
    #[case::short("x", "use one of `platform`, `e2ee`, `version`")]
    #[case::not_latin("平台", "use one of `platform`, `e2ee`, `version`")]
    fn a_near_word_is_suggested_and_else_all_are_listed(#[case] wrong: &str, #[case] help: &str) {
        assert_eq!(instead(wrong, ["platform", "e2ee", "version"]), help);
    }

    #[test]
    fn where_there_is_nothing_to_choose_from_nothing_is_listed() {
        assert_eq!(instead("x", []), "there is none to choose from; leave it out");
    }
}
