//! A judged run as one page for people: who heard how much of which variant, then each variant with its ladder.
//!
//! Invariant: the page is bounded however many variants there are, and says what it leaves out.

mod ladder;
mod variants;

use model::outcome::Listener;
use model::results::{Results, ScenarioResult};
use model::verdict::{Ending, Verdict};

use crate::closing::{closing, sweep};
use crate::format::{Format, RenderError};
use crate::options::Options;
use crate::page::{Tone, badge, beyond, document, escaped, number, section, table};
use crate::story;

/// `--format html`
pub static FORMAT: Format = Format { name: "html", about: "one page for people, with pictures", render };

/// Sections, in their order: what the list at the head names.
const CONTENTS: &[(&str, &str)] = &[
    ("answer", "Answer"),
    ("heard", "Variants against listeners"),
    ("lost", "Lost coverage"),
    ("variants", "Variants"),
];
/// Rows of the table of variants.
const ROWS: usize = 2_000;

fn render(results: &Results, options: &Options) -> Result<String, RenderError> {
    let mut main = section("answer", "What the run came to", &answer(results));
    main.push_str(&section("heard", "Variants against listeners", &heard(results)));
    main.push_str(&section("lost", "Lost coverage", &lost(results)));
    main.push_str(&section("variants", "Variants", &variants::told(results, options)));
    let foot = format!(
        "<p>{}</p>\n<p>{} {}, schema {}, run {}, seed {}. Packet numbers are Wireshark's.</p>\n",
        escaped(&closing(results)),
        escaped(&results.tool.name),
        escaped(&results.tool.version),
        escaped(&results.schema),
        escaped(&results.run),
        escaped(&results.seed),
    );
    let title = format!("{}: {}", results.verdict, results.run);
    Ok(document(&title, "Who heard these calls?", CONTENTS, &main, &foot))
}

fn ending_tone(ending: Ending) -> Tone {
    match ending {
        Ending::Pass => Tone::Good,
        Ending::Fail | Ending::Error => Tone::Bad,
        Ending::Inconclusive | Ending::KnownFailing => Tone::Doubt,
        Ending::Unsupported => Tone::Plain,
    }
}

fn answer(results: &Results) -> String {
    let (tone, text) = match results.verdict {
        Verdict::Pass => (Tone::Good, "Every variant that ran behaved as expected"),
        Verdict::Fail => (Tone::Bad, "Some variant did not behave as expected"),
        Verdict::Error => (Tone::Bad, "Some variant did not run to its end"),
        Verdict::Inconclusive => (Tone::Doubt, "Of some variant nothing was shown"),
    };
    let mut out = format!("<p class=\"answer\">{} {text}.</p>\n", badge(tone, results.verdict.word()));
    if results.partial {
        out.push_str(
            "<p>The run was cut short, and what is missing did not pass; run the scenarios again.</p>\n",
        );
    }
    let totals = &results.totals;
    let rows: Vec<Vec<String>> = [
        (Ending::Pass, totals.pass),
        (Ending::Fail, totals.fail),
        (Ending::Error, totals.error),
        (Ending::Inconclusive, totals.inconclusive),
        (Ending::Unsupported, totals.unsupported),
        (Ending::KnownFailing, totals.known_failing),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(ending, count)| vec![badge(ending_tone(ending), ending.word()), number(count as u64)])
    .collect();
    if rows.is_empty() {
        out.push_str("<p>No variant has a verdict.</p>\n");
    } else {
        out.push_str(&table("Variants by how they ended", &["Verdict", "Variants"], &rows));
    }
    if let Some(swept) = sweep(results) {
        out.push_str(&format!("<p>{}</p>\n", escaped(&swept)));
    }
    out
}

/// Listeners in the order of the columns.
const COLUMNS: &[(Listener, &str)] = &[
    (Listener::Parties, "The two devices"),
    (Listener::Eve, "Anybody on the wires (eve)"),
    (Listener::Trudy, "The service (trudy)"),
    (Listener::Mallory, "The man in the middle (mallory)"),
    (Listener::Harvest, "Whoever keeps it for later (harvest)"),
];

fn heard(results: &Results) -> String {
    if results.scenarios.is_empty() {
        return String::new();
    }
    let shown = variants::shown(results);
    let rows: Vec<Vec<String>> =
        results.scenarios.iter().take(ROWS).map(|scenario| row(scenario, &shown)).collect();
    let heads: Vec<&str> =
        ["Variant", "Verdict", "Calls"].into_iter().chain(COLUMNS.iter().map(|(_, name)| *name)).collect();
    format!(
        "<p>Media frames that each listener opened, of those that reached its tap; a frame counts at every tap that it \
         crosses. {}</p>\n{}{}",
        "A dash: that listener took no part.",
        table("Frames heard, by variant and listener", &heads, &rows),
        beyond(results.scenarios.len(), ROWS, "variants")
    )
}

fn row(scenario: &ScenarioResult, shown: &[&ScenarioResult]) -> Vec<String> {
    let place = shown.iter().position(|other| std::ptr::eq(*other, scenario));
    let id = escaped(&scenario.id);
    let mut cells = vec![
        place.map_or(id.clone(), |at| format!("<a href=\"#variant-{at}\">{id}</a>")),
        badge(ending_tone(scenario.verdict), scenario.verdict.word()),
        escaped(&story::outcomes(scenario)),
    ];
    for (listener, _) in COLUMNS {
        let counts: Vec<String> = scenario
            .calls
            .iter()
            .map(|call| match call.heard.get(listener) {
                None => "–".to_owned(),
                Some(count) if *listener != Listener::Parties && count.frames > 0 => {
                    format!("<strong>{} of {}</strong>", number(count.frames), number(count.of))
                }
                Some(count) => format!("{} of {}", number(count.frames), number(count.of)),
            })
            .collect();
        cells.push(if counts.is_empty() { "–".to_owned() } else { counts.join("<br>") });
    }
    cells
}

fn lost(results: &Results) -> String {
    if results.lost.is_empty() {
        return String::new();
    }
    let items: String =
        results.lost.iter().take(ROWS).map(|id| format!("<li>{}</li>\n", escaped(id))).collect();
    format!(
        "<p>Planned, and without a verdict; run the scenarios again.</p>\n<ul>{items}</ul>\n{}",
        beyond(results.lost.len(), ROWS, "variants")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn page(results: &Results) -> String {
        render(results, &sample::options()).expect("renders")
    }

    #[test]
    fn what_failed_is_told_with_packets_requirement_and_command() {
        let page = page(&sample::mixed());
        for part in [
            "Some variant did not behave as expected",
            "the service opened 200 of 200 audio frames",
            "frame.number in {40,41,",
            "Only the two devices can open the media of a sealed call.",
            "overheard run scenarios/opt-in/both-on.yaml --filter &#39;opt-in/both-on[media=video]&#39; --seed 7",
            "<strong>200 of 200</strong>",
            "relay/both-on[path=relay]",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn texts_of_a_scenario_are_no_markup() {
        let hostile = "<img src=x>\"'&";
        let mut scenario = sample::failed();
        scenario.id = hostile.to_owned();
        scenario.title = hostile.to_owned();
        scenario.why = hostile.to_owned();
        scenario.calls[0].name = hostile.to_owned();
        for finding in scenario.checks.iter_mut().flat_map(|check| &mut check.findings) {
            finding.text = hostile.to_owned();
            finding.tap = Some(hostile.to_owned());
        }
        for step in &mut scenario.ladder {
            step.from = hostile.to_owned();
            step.message = hostile.to_owned();
        }
        let page = page(&sample::run(vec![scenario]));
        assert!(!page.contains("<img") && page.contains("&lt;img src=x&gt;"), "{page}");
    }

    #[test]
    fn a_page_of_very_many_variants_stays_small_and_says_what_it_leaves_out() {
        let page = page(&sample::run(vec![sample::failed(); 5_000]));
        assert!(page.len() < 3_000_000, "{}", page.len());
        assert!(page.contains("more variants; --format json has all"));
    }
}
