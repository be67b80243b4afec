//! The formats: each file declares one [`Format`], and the command line knows only what stands in [`FORMATS`].

use model::results::Results;

use crate::options::Options;
use crate::{github, html, json, junit, terminal};

/// One way to render a judged run.
pub struct Format {
    /// The value of `--format`.
    pub name: &'static str,
    /// What it is for, in one clause.
    pub about: &'static str,
    /// The whole report; it ends in a line feed.
    pub render: fn(&Results, &Options) -> Result<String, RenderError>,
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The writer of JUnit refused.
    #[error("the JUnit report could not be written ({0}); report this as a bug of overheard")]
    Junit(#[from] quick_junit::SerializeError),
    /// The writer of JSON refused.
    #[error("the JSON report could not be written ({0}); report this as a bug of overheard")]
    Json(#[from] serde_json::Error),
}

/// Every format, in the order in which the help lists them.
pub static FORMATS: &[&Format] =
    &[&terminal::FORMAT, &json::FORMAT, &junit::FORMAT, &github::FORMAT, &html::FORMAT];

impl Format {
    /// The format called `name`.
    pub fn called(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|f| f.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn names_are_unique_and_found_again() {
        for format in FORMATS {
            assert!(std::ptr::eq(Format::called(format.name).expect("registered"), *format));
        }
        assert!(Format::called("sarif").is_none());
    }

    #[test]
    fn every_format_says_what_a_pass_does_not_say() {
        for (name, results) in sample::all() {
            for format in FORMATS {
                let text = (format.render)(&results, &sample::options()).expect("renders");
                let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(
                    flat.contains("people who do not compare codes"),
                    "{} of {name}: {text}",
                    format.name
                );
                assert!(text.ends_with('\n'), "{} of {name} does not end its last line", format.name);
            }
        }
    }

    #[test]
    fn no_format_lets_a_control_character_of_a_scenario_through() {
        let results = sample::hostile();
        for format in FORMATS {
            let text = (format.render)(&results, &sample::options()).expect("renders");
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{}: {text:?}", format.name);
            assert!(!text.contains("\n::warning"), "{}: {text}", format.name);
        }
    }
}
