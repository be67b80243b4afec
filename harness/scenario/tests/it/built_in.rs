//! Every scenario that the binary carries can be read.

use model::attack::Attack;
use scenario::Vocabulary;

/// Every word that could be the name of a check or of an option: whether there are such is not this room's to say.
fn every_word(texts: &[&str]) -> Vocabulary {
    let words =
        texts.iter().flat_map(|text| text.split(|c: char| !(c.is_ascii_alphanumeric() || "-/".contains(c))));
    let words: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let attack_options = Attack::ALL.iter().map(|attack| (*attack, words.clone())).collect();
    Vocabulary { checks: words, attack_options }
}

#[test]
fn every_scenario_of_the_repository_is_read() {
    let all = scenario::builtin();
    assert!(!all.is_empty());
    let vocabulary = every_word(&all.iter().map(|file| file.text).collect::<Vec<_>>());
    for file in all {
        let path = format!("scenarios/{}/{}.yaml", file.family, file.stem);
        let plans = scenario::read(file.family, file.stem, &path, file.text, &vocabulary);
        assert!(plans.as_ref().is_ok_and(|plans| !plans.is_empty()), "{path}: {:?}", plans.err());
    }
}
