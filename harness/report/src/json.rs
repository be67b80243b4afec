//! The results as JSON, for programs; `results.json` in the folder of the run is this format.
//!
//! What is added to [`Results`] is one key, `does_not_say`, so that the numbers never travel without their limits.

use model::results::Results;
use serde::Serialize;

use crate::closing::closing;
use crate::format::{Format, RenderError};
use crate::options::Options;

/// `--format json`
pub static FORMAT: Format =
    Format { name: "json", about: "the results for programs, as in results.json", render };

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    results: &'a Results,
    does_not_say: String,
}

fn render(results: &Results, _: &Options) -> Result<String, RenderError> {
    let document = Document { results, does_not_say: closing(results) };
    Ok(escaped(&serde_json::to_string_pretty(&document)?))
}

/// JSON leaves U+007F to U+009F as they are, and terminals obey some of them.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if c.is_control() && c != '\n' {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn what_is_written_is_read_back() {
        for (name, results) in sample::all() {
            let text = render(&results, &sample::options()).expect("renders");
            assert_eq!(serde_json::from_str::<Results>(&text).expect("reads"), results, "{name}");
        }
    }

    #[test]
    fn json_has_the_shape_of_the_contract() {
        let text = render(&sample::run(vec![sample::flaw_caught()]), &sample::options()).expect("renders");
        insta::assert_snapshot!(text);
    }
}
