//! Reports of a check of a driver: for the person who writes it, and for programs.
//!
//! Invariant: what was not tried is named with its reason wherever the passed ones are counted.

use model::driver_check::{DriverCheck, ProbeResult, ProbeState};

use crate::closing::counted;
use crate::format::RenderError;
use crate::json::escaped;
use crate::legible::{plain, wrap};
use crate::options::Options;
use crate::terminal::paint::{Paint, Tone};

/// One way to render a check of a driver.
pub struct DriverFormat {
    /// The value of `--format`.
    pub name: &'static str,
    /// What it is for, in one clause.
    pub about: &'static str,
    /// The whole report; it ends in a line feed.
    pub render: fn(&DriverCheck, &Options) -> Result<String, RenderError>,
}

/// Every format, in the order in which the help lists them.
pub static DRIVER_FORMATS: &[&DriverFormat] = &[
    &DriverFormat { name: "terminal", about: "a table for people", render: terminal },
    &DriverFormat { name: "json", about: "the probes for programs", render: json },
];

fn json(check: &DriverCheck, _: &Options) -> Result<String, RenderError> {
    Ok(escaped(&serde_json::to_string_pretty(check)?))
}

fn terminal(check: &DriverCheck, options: &Options) -> Result<String, RenderError> {
    let paint = Paint { colour: options.colour };
    let implementation = check.implementation.as_deref().unwrap_or("it never introduced itself");
    let mut out = format!("driver  {}\n", plain(&check.driver));
    out.push_str(&format!("client  {}\n\n", plain(implementation)));
    let column = check.probes.iter().map(|probe| probe.id.chars().count()).max().unwrap_or(0);
    for probe in &check.probes {
        out.push_str(&line(probe, column, options.width, paint));
    }
    out.push_str(&foot(check, options, paint));
    Ok(out)
}

fn line(probe: &ProbeResult, column: usize, width: usize, paint: Paint) -> String {
    let (symbol, tone) = match probe.state {
        ProbeState::Passed => ("✓", Tone::Good),
        ProbeState::Failed => ("✗", Tone::Bad),
        ProbeState::Error => ("!", Tone::Bad),
        ProbeState::Skipped => ("-", Tone::Doubt),
    };
    let badge = format!("{symbol} {:<8}", probe.state.word());
    let head = format!("{badge}{:<column$}  ", plain(&probe.id));
    let told = wrap(&head, &plain(&probe.came), width.max(head.chars().count() + 30));
    let mut out = told.replacen(&badge, &paint.tone(tone, &badge), 1);
    if probe.state == ProbeState::Failed {
        out.push_str(&wrap("          asked  ", &plain(&probe.asked), width));
        if let Some(hint) = &probe.hint {
            out.push_str(&wrap("          mend   ", &plain(hint), width));
        }
    }
    out
}

fn foot(check: &DriverCheck, options: &Options, paint: Paint) -> String {
    let count = |state| check.ended(state).count();
    let parts: Vec<String> = [
        (count(ProbeState::Passed), "passed"),
        (count(ProbeState::Failed), "failed"),
        (count(ProbeState::Error), "ended in an error of the harness"),
        (count(ProbeState::Skipped), "not tried"),
    ]
    .iter()
    .filter(|(n, word)| *n > 0 || *word == "passed")
    .map(|(n, word)| format!("{n} {word}"))
    .collect();
    let tone = match (count(ProbeState::Failed) + count(ProbeState::Error), count(ProbeState::Passed)) {
        (0, 1..) => Tone::Good,
        (0, 0) => Tone::Doubt,
        _ => Tone::Bad,
    };
    let probes = counted(check.probes.len() as u64, "probe", "probes");
    let mut out = format!("\n{}\n", paint.tone(tone, &format!("{probes}: {}", parts.join(", "))));
    let skipped: Vec<String> =
        check.ended(ProbeState::Skipped).map(|probe| format!("{} ({})", probe.id, probe.came)).collect();
    if !skipped.is_empty() {
        let text = format!("Not tried, and so not passed: {}.", skipped.join("; "));
        out.push_str(&wrap("", &plain(&text), options.width));
    }
    if count(ProbeState::Passed) == 0 {
        out.push_str("Nothing passed, so nothing is shown of this driver.\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use model::driver_check::SCHEMA;
    use model::record::Tool;

    use super::*;

    fn probe(id: &str, state: ProbeState, came: &str) -> ProbeResult {
        ProbeResult {
            id: id.to_owned(),
            state,
            asked: "a method that the protocol does not have is refused as `unknown-method`".to_owned(),
            came: came.to_owned(),
            hint: (state == ProbeState::Failed)
                .then(|| "look a method up among those that you know".to_owned()),
        }
    }

    fn check(probes: Vec<ProbeResult>) -> DriverCheck {
        DriverCheck {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
            driver: "python3 driver.py".to_owned(),
            implementation: Some("theirs 2\u{1b}[2J".to_owned()),
            probes,
        }
    }

    fn mixed() -> DriverCheck {
        check(vec![
            probe("handshake/introduces-itself", ProbeState::Passed, "theirs 2, version 1"),
            probe(
                "honesty/unknown-method",
                ProbeState::Failed,
                "a result, where the error `unknown-method` is due",
            ),
            probe("keys/in-the-folder", ProbeState::Skipped, "the client does not declare `keys-export`"),
            probe("judged/heard", ProbeState::Error, "the capture cannot be read\u{1b}[2J"),
        ])
    }

    #[test]
    fn a_person_reads_what_was_asked_what_came_and_how_to_mend_it() {
        insta::assert_snapshot!(terminal(&mixed(), &Options::default()).expect("renders"));
    }

    #[test]
    fn programs_read_back_what_was_written() {
        let text = json(&mixed(), &Options::default()).expect("renders");
        assert_eq!(serde_json::from_str::<DriverCheck>(&text).expect("reads"), mixed());
        assert!(text.ends_with('\n') && !text.contains('\u{1b}'));
    }

    #[test]
    fn what_was_not_tried_is_named_and_nothing_passed_is_said() {
        let none = check(vec![probe("keys/private", ProbeState::Skipped, "there is no file")]);
        let text = terminal(&none, &Options::default()).expect("renders");
        assert!(text.contains("Not tried, and so not passed: keys/private (there is no file)."), "{text}");
        assert!(text.contains("0 passed, 1 not tried") && text.contains("Nothing passed"), "{text}");
    }

    #[test]
    fn colour_is_only_added_and_no_driver_steers_the_terminal() {
        let bare = terminal(&mixed(), &Options::default()).expect("renders");
        assert!(!bare.chars().any(|c| c.is_control() && c != '\n'), "{bare:?}");
        let mut coloured =
            terminal(&mixed(), &Options { colour: true, ..Options::default() }).expect("renders");
        for code in ["\u{1b}[0m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"] {
            coloured = coloured.replace(code, "");
        }
        assert_eq!(coloured, bare);
    }
}
