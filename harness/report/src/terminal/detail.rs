//! One variant that did not pass, or whose flaw was caught: what happened, whose fault, which packets, which
//! requirement, and the command that runs it again.

use model::results::{CheckResult, Finding, Results, ScenarioResult};
use model::verdict::Ending;

use crate::catalogue::Catalogue;
use crate::legible::{plain, wrap};
use crate::options::Options;
use crate::story;
use crate::terminal::paint::{Paint, Tone};

/// How many findings of one check are told before the rest is counted.
const FINDINGS_TOLD: usize = 3;

/// The paragraphs about one variant; empty where its line says everything.
pub fn detail(
    results: &Results,
    scenario: &ScenarioResult,
    options: &Options,
    show_caught: bool,
    paint: Paint,
) -> String {
    let went_wrong = matches!(scenario.verdict, Ending::Fail | Ending::Error | Ending::Inconclusive);
    let caught: Vec<&CheckResult> = story::caught(scenario).filter(|_| show_caught).collect();
    if !went_wrong && caught.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if went_wrong {
        let tone = if scenario.verdict == Ending::Inconclusive { Tone::Doubt } else { Tone::Bad };
        out.push_str(&head(scenario.verdict.word(), tone, scenario, options, paint));
        for check in story::failed(scenario) {
            out.push_str(&told(check, scenario, options, paint));
        }
    }
    if !caught.is_empty() {
        out.push_str(&head("caught", Tone::Good, scenario, options, paint));
        for check in caught {
            out.push_str(&told(check, scenario, options, paint));
        }
    }
    out.push_str(&format!("\n  again        {}\n", story::command(results, &scenario.id, options)));
    out
}

fn head(word: &str, tone: Tone, scenario: &ScenarioResult, options: &Options, paint: Paint) -> String {
    let title = format!("{}  {}", plain(&scenario.id), paint.tone(Tone::Strong, &plain(&scenario.title)));
    let mut out = format!("\n{}  {title}\n", paint.tone(tone, word));
    if !scenario.why.is_empty() {
        out.push_str(&wrap("  why          ", &story::why(scenario), options.width));
    }
    for call in &scenario.calls {
        let text = format!("{}, {}", call.outcome, story::screens(call));
        out.push_str(&wrap(&format!("  {:<12} ", plain(&call.name)), &text, options.width));
        for (n, (who, count)) in call.heard.iter().enumerate() {
            let label = if n == 0 { "  who heard    " } else { "               " };
            let text = format!("{}: {} of {} frames", story::listener(*who), count.frames, count.of);
            out.push_str(&wrap(label, &text, options.width));
        }
        if !call.heard.is_empty() {
            out.push_str(&wrap("               ", "(counted at every tap that they cross)", options.width));
        }
    }
    for attack in &scenario.attacks {
        let text = format!("{}: made {}, arrived {}", attack.attack, attack.fired, attack.reached);
        out.push_str(&wrap("  attack       ", &text, options.width));
    }
    out
}

fn told(check: &CheckResult, scenario: &ScenarioResult, options: &Options, paint: Paint) -> String {
    let name = paint.tone(Tone::Strong, &plain(&check.check));
    let mut out = format!("\n  {name} ({}, {} examined)\n", check.verdict, check.examined);
    if let Some(entry) = options.catalogue.checks.get(&check.check) {
        out.push_str(&wrap("    must hold  ", &plain(&entry.summary), options.width));
    }
    if check.findings.is_empty() {
        out.push_str(&wrap("    happened   ", "nothing that this check could examine", options.width));
    }
    for finding in check.findings.iter().take(FINDINGS_TOLD) {
        out.push_str(&located(finding, scenario, options));
    }
    if check.findings.len() > FINDINGS_TOLD {
        let rest = check.findings.len() - FINDINGS_TOLD;
        out.push_str(&format!("    and        {rest} more like these, in results.json\n"));
    }
    out.push_str(&requirements(&check.check, &options.catalogue, options.width));
    out
}

fn located(finding: &Finding, scenario: &ScenarioResult, options: &Options) -> String {
    let mut out = wrap("    happened   ", &plain(&finding.text), options.width);
    out.push_str(&wrap("    fault of   ", story::blame(finding.blame), options.width));
    if let Some(packets) = story::packets(finding) {
        out.push_str(&wrap("    packets    ", &packets, options.width));
    }
    if let (Some(capture), Some(first)) = (&scenario.capture, finding.packets.first()) {
        let folder = plain(&options.folder);
        let slash = if folder.is_empty() { "" } else { "/" };
        out.push_str(&format!(
            "    see        tshark -r {folder}{slash}{} -Y 'frame.number == {first}' -V\n",
            plain(capture)
        ));
    }
    out
}

fn requirements(check: &str, catalogue: &Catalogue, width: usize) -> String {
    let mut out = String::new();
    for requirement in catalogue.checks.get(check).map(|c| c.requirements.as_slice()).unwrap_or_default() {
        let text = format!("{} ({}): {}", requirement.source, requirement.level, requirement.sentence);
        out.push_str(&wrap("    required   ", &plain(&text), width));
    }
    out
}
