//! Variants one by one: what was expected and found, with packets, requirements, the ladder and a command to try again.

use model::results::{CheckResult, Finding, Results, ScenarioResult};
use model::verdict::Ending;

use super::{ending_tone, ladder};
use crate::options::Options;
use crate::page::{Tone, badge, beyond, copied, escaped};
use crate::story;

/// Variants that have an article of their own.
const TOLD: usize = 150;
/// Findings of one check that are told.
const FINDINGS: usize = 8;

/// Variants that are told one by one: those that did not pass first, then what caught a flaw, then the others.
pub fn shown(results: &Results) -> Vec<&ScenarioResult> {
    let mut shown: Vec<&ScenarioResult> = results.scenarios.iter().collect();
    shown.sort_by_key(|scenario| match scenario.verdict {
        Ending::Fail => 0,
        Ending::Error => 1,
        Ending::Inconclusive => 2,
        Ending::KnownFailing => 3,
        Ending::Pass if story::caught(scenario).next().is_some() => 4,
        Ending::Pass => 5,
        Ending::Unsupported => 6,
    });
    shown.truncate(TOLD);
    shown
}

/// An article for each variant that is told.
pub fn told(results: &Results, options: &Options) -> String {
    let shown = shown(results);
    let articles = shown.iter().enumerate().map(|(at, scenario)| article(at, scenario, results, options));
    articles.collect::<String>() + &beyond(results.scenarios.len(), TOLD, "variants")
}

fn article(at: usize, scenario: &ScenarioResult, results: &Results, options: &Options) -> String {
    let mut out = format!(
        "<article id=\"variant-{at}\" aria-labelledby=\"h-variant-{at}\">\n<h3 id=\"h-variant-{at}\">{} {}</h3>\n\
         <p>{}</p>\n<p>{}.</p>\n",
        badge(ending_tone(scenario.verdict), scenario.verdict.word()),
        escaped(&scenario.id),
        escaped(&scenario.title),
        escaped(&story::why(scenario)),
    );
    out.push_str(&format!("<p>{}.</p>\n", escaped(&story::told(scenario))));
    for call in &scenario.calls {
        out.push_str(&format!(
            "<p class=\"where\">{}: {}.</p>\n",
            escaped(&call.name),
            escaped(&story::screens(call))
        ));
    }
    for attack in &scenario.attacks {
        out.push_str(&format!(
            "<p class=\"where\">Attack {}: made {} times, arrived {} times.</p>\n",
            escaped(attack.attack.word()),
            attack.fired,
            attack.reached
        ));
    }
    for check in story::failed(scenario) {
        out.push_str(&judged(check, Tone::Bad, check.verdict.word(), options));
    }
    for check in story::caught(scenario) {
        out.push_str(&judged(check, Tone::Plain, "caught", options));
    }
    out.push_str(&ladder::figure(at, &scenario.ladder));
    out.push_str(&files(scenario, options));
    out.push_str("<h4>Try again</h4>\n");
    out.push_str(&copied(&story::command(results, &scenario.id, options)));
    out.push_str("</article>\n");
    out
}

fn judged(check: &CheckResult, tone: Tone, word: &str, options: &Options) -> String {
    let mut out = format!("<h4>{} {}</h4>\n", badge(tone, word), escaped(&check.check));
    let entry = options.catalogue.checks.get(&check.check);
    for requirement in entry.map(|entry| entry.requirements.as_slice()).unwrap_or_default() {
        out.push_str(&format!(
            "<p>Requirement {} ({}): {} <span class=\"where\">{}</span></p>\n",
            escaped(&requirement.id),
            escaped(&requirement.level),
            escaped(&requirement.sentence),
            escaped(&requirement.source)
        ));
    }
    let findings: String = check.findings.iter().take(FINDINGS).map(found).collect();
    if !findings.is_empty() {
        out.push_str(&format!("<ul>{findings}</ul>\n"));
    }
    out + &beyond(check.findings.len(), FINDINGS, "findings")
}

fn found(finding: &Finding) -> String {
    let packets = story::packets(finding).map(|packets| format!("Packets {packets}. ")).unwrap_or_default();
    let mut out = format!(
        "<li>{}<br><span class=\"where\">{}Fault of {}.</span>",
        escaped(&finding.text),
        escaped(&packets),
        escaped(story::blame(finding.blame))
    );
    if !finding.packets.is_empty() {
        let numbers: Vec<String> = finding.packets.iter().map(u64::to_string).collect();
        out.push_str(&format!(
            "<br><span class=\"where\">Wireshark filter:</span>{}",
            copied(&format!("frame.number in {{{}}}", numbers.join(",")))
        ));
    }
    out + "</li>\n"
}

/// Where the capture and the keys are.
fn files(scenario: &ScenarioResult, options: &Options) -> String {
    let Some(capture) = &scenario.capture else { return String::new() };
    let mut names = vec![capture];
    names.extend(scenario.keys.iter().flat_map(|keys| [&keys.parties, &keys.service]));
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| format!("<code>{}</code>", escaped(&format!("{}/{name}", options.folder))))
        .collect();
    format!("<p class=\"where\">Capture and keys: {}.</p>\n", names.join(", "))
}
