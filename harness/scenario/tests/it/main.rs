//! The language from outside: what the built-in scenarios say, and what is rejected with which words.

mod any_text;
mod built_in;
mod meaning;
mod plans;
mod rejected;

use scenario::Vocabulary;

/// The checks that the scenarios of this repository and the tests name.
pub fn vocabulary() -> Vocabulary {
    let legs = ["complete", "heard", "unheard", "unaltered", "canary", "fresh", "twin"];
    Vocabulary { checks: legs.iter().map(|leg| format!("proof/{leg}")).collect(), ..Vocabulary::default() }
}
