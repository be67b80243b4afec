//! Annotations for GitHub's log: one line per variant that did not pass, at the scenario's file.
//!
//! A workflow command ends at the line's end and its properties at a comma or colon, so all of these are escaped.

use model::results::{Results, ScenarioResult};
use model::verdict::Ending;

use crate::closing::closing;
use crate::format::{Format, RenderError};
use crate::legible::plain;
use crate::options::Options;
use crate::story;

/// `--format github`
pub static FORMAT: Format = Format { name: "github", about: "annotations for GitHub Actions", render };

fn render(results: &Results, options: &Options) -> Result<String, RenderError> {
    let mut out = String::new();
    for scenario in &results.scenarios {
        let level = match scenario.verdict {
            Ending::Pass => continue,
            Ending::Fail | Ending::Error | Ending::Inconclusive => "error",
            Ending::KnownFailing => "warning",
            Ending::Unsupported => "notice",
        };
        let title = format!("{}: {}", scenario.verdict, scenario.id);
        let text = match level {
            "error" => details(results, scenario, options),
            _ => story::why(scenario),
        };
        out.push_str(&annotation(level, options.file(&scenario.id).as_deref(), &title, &text));
    }
    for id in &results.lost {
        let text = "planned, and has no verdict; run the scenarios again";
        out.push_str(&annotation(
            "error",
            options.file(id).as_deref(),
            &format!("lost coverage: {id}"),
            text,
        ));
    }
    if results.partial {
        let text = "the run was cut short, and what is missing did not pass; run the scenarios again";
        out.push_str(&annotation("error", None, "partial", text));
    }
    out.push_str(&annotation("notice", None, "what a pass does not say", &closing(results)));
    Ok(out)
}

fn details(results: &Results, scenario: &ScenarioResult, options: &Options) -> String {
    let mut lines = vec![story::why(scenario)];
    for check in story::failed(scenario) {
        for finding in &check.findings {
            let packets = story::packets(finding).map(|p| format!("; packets {p}")).unwrap_or_default();
            lines.push(format!(
                "{}: {}; fault of {}{packets}",
                plain(&check.check),
                plain(&finding.text),
                story::blame(finding.blame)
            ));
        }
    }
    lines.push(format!("again: {}", story::command(results, &scenario.id, options)));
    lines.join("\n")
}

fn annotation(level: &str, file: Option<&str>, title: &str, text: &str) -> String {
    let file = file.map(|f| format!("file={},", property(&plain(f)))).unwrap_or_default();
    format!("::{level} {file}title={}::{}\n", property(&plain(title)), data(text))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn what_did_not_pass_is_annotated_at_its_file() {
        insta::assert_snapshot!(render(&sample::mixed(), &sample::options()).expect("renders"));
    }

    #[test]
    fn nothing_in_a_text_starts_a_command_or_a_property() {
        let line = annotation("error", Some("a,b:c.yaml"), "t::%", "one\n::warning::two");
        assert_eq!(line, "::error file=a%2Cb%3Ac.yaml,title=t%3A%3A%25::one%0A::warning::two\n");
    }
}
