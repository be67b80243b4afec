//! The report for people: one line per variant, then each failure told so that a stranger understands it.

mod detail;
pub(crate) mod paint;

use model::results::{Results, ScenarioResult};
use model::verdict::Ending;

use crate::closing::{counted, shown, sweep, weakness};
use crate::format::{Format, RenderError};
use crate::legible::{plain, wrap};
use crate::options::Options;
use crate::story;
use crate::terminal::paint::{Paint, Tone};

/// `--format terminal`
pub static FORMAT: Format = Format { name: "terminal", about: "a report for people", render };

fn render(results: &Results, options: &Options) -> Result<String, RenderError> {
    let paint = Paint { colour: options.colour };
    let mut out = String::new();
    let column =
        results.scenarios.iter().map(|s| s.id.chars().count()).max().unwrap_or(0).min(options.width / 2);
    for scenario in &results.scenarios {
        if !(options.quiet && scenario.verdict == Ending::Pass) {
            out.push_str(&line(scenario, column, paint));
        }
    }
    for id in &results.lost {
        out.push_str(&format!("{} {}  has no verdict\n", badge(None, paint), plain(id)));
    }
    let show_caught = options.show_caught || results.scenarios.len() == 1;
    for scenario in &results.scenarios {
        out.push_str(&detail::detail(results, scenario, options, show_caught, paint));
    }
    out.push_str(&foot(results, options, paint));
    Ok(out)
}

/// Symbol and word of an ending; none is a variant without one.
fn badge(ending: Option<Ending>, paint: Paint) -> String {
    let (symbol, word, tone) = match ending {
        Some(Ending::Pass) => ("✓", "pass", Tone::Good),
        Some(Ending::Fail) => ("✗", "fail", Tone::Bad),
        Some(Ending::Error) => ("!", "error", Tone::Bad),
        Some(Ending::Inconclusive) => ("?", "inconclusive", Tone::Doubt),
        Some(Ending::KnownFailing) => ("~", "known failing", Tone::Doubt),
        Some(Ending::Unsupported) => ("-", "unsupported", Tone::Faint),
        None => ("?", "lost", Tone::Doubt),
    };
    paint.tone(tone, &format!("{symbol} {word:<13}"))
}

fn line(scenario: &ScenarioResult, column: usize, paint: Paint) -> String {
    let id = plain(&scenario.id);
    let told = match scenario.verdict {
        Ending::Unsupported | Ending::KnownFailing => story::why(scenario),
        _ => {
            let mut told = story::told(scenario);
            let caught: Vec<String> = story::caught(scenario).map(|c| plain(&c.check)).collect();
            if !caught.is_empty() {
                told = format!("caught by {}: claimed {told}", caught.join(", "));
            }
            told
        }
    };
    format!("{} {id:<column$}  {told}\n", badge(Some(scenario.verdict), paint))
}

fn foot(results: &Results, options: &Options, paint: Paint) -> String {
    let totals = &results.totals;
    let parts: Vec<String> = [
        (totals.pass, "passed"),
        (totals.fail, "failed"),
        (totals.error, "ended in an error"),
        (totals.inconclusive, "inconclusive"),
        (totals.unsupported, "unsupported"),
        (totals.known_failing, "known failing"),
        (results.lost.len(), "lost"),
    ]
    .iter()
    .filter(|(n, word)| *n > 0 || *word == "passed")
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    let variants = counted((results.scenarios.len() + results.lost.len()) as u64, "variant", "variants");
    let tone = match results.verdict {
        model::Verdict::Pass if results.lost.is_empty() && !results.partial => Tone::Good,
        model::Verdict::Fail | model::Verdict::Error => Tone::Bad,
        _ => Tone::Doubt,
    };
    let mut out = format!("\n{}\n", paint.tone(tone, &format!("{variants}: {}", parts.join(", "))));
    if results.partial {
        let text = "Partial: the run was cut short, and what did not run has not passed.";
        out.push_str(&paint.tone(Tone::Doubt, text));
        out.push('\n');
    }
    out.push('\n');
    out.push_str(&wrap("", &shown(results), options.width));
    if let Some(weakness) = weakness(results) {
        out.push_str(&wrap("", &weakness, options.width));
    }
    if let Some(sweep) = sweep(results) {
        out.push_str(&wrap("", &sweep, options.width));
    }
    if results.scenarios.iter().any(|s| story::caught(s).next().is_some()) {
        let text = "Flaws of sealing are run through the forwarder: on the other paths the hop hides them.";
        out.push_str(&wrap("", text, options.width));
    }
    if !options.folder.is_empty() {
        let net = results.net;
        out.push_str(&format!(
            "\nreport  {}  (seed {}, {net})\n",
            plain(&options.folder),
            plain(&results.seed)
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sample;

    fn rendered(results: &Results, options: &Options) -> String {
        render(results, options).expect("renders")
    }

    #[rstest]
    #[case::pass("pass", sample::run(vec![sample::passed()]))]
    #[case::fail("fail", sample::run(vec![sample::failed()]))]
    #[case::caught_flaw("caught_flaw", sample::run(vec![sample::flaw_caught()]))]
    #[case::inconclusive("inconclusive", sample::run(vec![sample::inconclusive()]))]
    #[case::error("error", sample::run(vec![sample::stumbled()]))]
    #[case::unsupported("unsupported", sample::run(vec![sample::unsupported()]))]
    #[case::known_failing("known_failing", sample::run(vec![sample::known_failing()]))]
    #[case::partial("partial", sample::partial())]
    #[case::mixed("mixed", sample::mixed())]
    #[case::dtls("dtls", sample::run(vec![sample::dtls()]))]
    #[case::two_calls("two_calls", sample::run(vec![sample::two_calls()]))]
    fn a_stranger_reads(#[case] name: &str, #[case] results: Results) {
        insta::assert_snapshot!(name, rendered(&results, &sample::options()));
    }

    #[test]
    fn colour_is_only_added() {
        let plain = rendered(&sample::mixed(), &sample::options());
        let coloured = rendered(&sample::mixed(), &Options { colour: true, ..sample::options() });
        assert!(coloured.contains("\u{1b}[31m"));
        let mut stripped = coloured;
        for code in ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"] {
            stripped = stripped.replace(code, "");
        }
        assert_eq!(stripped, plain);
    }

    #[test]
    fn caught_checks_of_a_large_run_are_told_only_on_request() {
        let results = sample::mixed();
        assert!(!rendered(&results, &sample::options()).contains("caught  "));
        assert!(
            rendered(&results, &Options { show_caught: true, ..sample::options() })
                .contains("caught  flaws/")
        );
    }

    #[test]
    fn quiet_leaves_out_what_passed_and_nothing_else() {
        let text = rendered(&sample::mixed(), &Options { quiet: true, ..sample::options() });
        assert!(!text.contains("✓ pass"), "{text}");
        assert!(text.contains("✗ fail") && text.contains("passed"), "{text}");
    }

    #[test]
    fn lines_of_a_failure_keep_to_the_width() {
        let text =
            rendered(&sample::run(vec![sample::failed()]), &Options { width: 60, ..sample::options() });
        let told =
            text.lines().skip(1).filter(|l| !l.contains("overheard run") && !l.contains("frame.number"));
        for line in told {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }
}
