//! What a pass does not say: the sentence that stands in every report (design, section 3).

use model::outcome::Listener;
use model::plan::Profile;
use model::results::{Results, ScenarioResult, Tried, Weakness};

use crate::story::counts_as_unheard;

/// What no verdict covers.
pub(crate) const LIMITS: &str = "Media content only: who called whom, when, for how long, sizes and headers remain visible. \
    Not covered: compromised devices, keys hidden on purpose, traffic analysis, people who do not compare codes. \
    No verdict is a statement about Microsoft Teams itself.";

/// Everything that bounds the verdicts: [`shown`], and the [`weakness`] where there is one.
pub fn closing(results: &Results) -> String {
    match weakness(results) {
        Some(weakness) => format!("{} {weakness}", shown(results)),
        None => shown(results),
    }
}

/// Numbers of the sealed calls that passed, and what is not said about them.
pub fn shown(results: &Results) -> String {
    let mut calls = 0;
    let (mut frames, mut opened, mut overheard) = (0, 0, 0);
    let mut tried = Tried::default();
    for scenario in &results.scenarios {
        let sealed: Vec<_> = scenario.calls.iter().filter(|c| counts_as_unheard(scenario, c)).collect();
        if sealed.is_empty() {
            continue;
        }
        add(&mut tried, scenario);
        calls += sealed.len();
        for call in sealed {
            let parties = call.heard.get(&Listener::Parties).copied().unwrap_or_default();
            frames += parties.of;
            opened += parties.frames;
            let others = call.heard.iter().filter(|(who, _)| **who != Listener::Parties);
            overheard += others.map(|(_, count)| count.frames).max().unwrap_or(0);
        }
    }
    if calls == 0 {
        return format!("No sealed call passed, so nothing is shown about who could not hear one. {LIMITS}");
    }
    let all = if opened == frames { format!("all {frames}") } else { opened.to_string() };
    let none = if overheard == 0 { "none".to_owned() } else { overheard.to_string() };
    format!(
        "In {}: of {frames} media frames, counted at every tap that they cross, {all} opened with the two devices' \
         keys and {none} with what the listeners held ({}, {} of free bytes; planted controls found {} of {}). {LIMITS}",
        counted(calls as u64, "sealed call that passed", "sealed calls that passed"),
        counted(tried.keys, "key", "keys"),
        counted(tried.windows, "window", "windows"),
        tried.controls_found,
        tried.controls,
    )
}

/// The weakness of the documented design that no device can check (design, section 1.6), where a run used it.
pub fn weakness(results: &Results) -> Option<String> {
    let mut dtls = results.scenarios.iter().filter(|s| s.profile == Some(Profile::Dtls)).peekable();
    dtls.peek()?;
    let shown = dtls.find_map(|scenario| scenario.weakness).map_or_else(
        || "a birthday search finds two that give equal codes.".to_owned(),
        |Weakness { digits, searches, certificates_per_leg, power_of_two }| {
            format!(
                "a birthday search finds two that give equal codes. Shown on codes cut to {digits} digits: found after \
                 {certificates_per_leg} certificates per call (mean of {searches} searches), which for 20 digits \
                 comes to about 2^{power_of_two}."
            )
        },
    );
    Some(format!(
        "A weakness of the documented `dtls` profile, which no device can check: where a man in the middle lets each \
         party call the other, both are offerers, so that she sees both fingerprints before she shows a certificate \
         in either call, and {shown}"
    ))
}

/// How much of the free bytes was swept, over the variants that ran.
pub fn sweep(results: &Results) -> Option<String> {
    let ran: Vec<&ScenarioResult> = results.scenarios.iter().filter(|s| s.capture.is_some()).collect();
    let mode = ran.first()?.tried.sweep;
    let swept = ran.iter().filter(|s| s.tried.windows > 0).count();
    Some(format!("Free bytes were swept as secrets in {swept} of {} variants (--sweep {mode}).", ran.len()))
}

fn add(sum: &mut Tried, scenario: &ScenarioResult) {
    sum.keys += scenario.tried.keys;
    sum.windows += scenario.tried.windows;
    sum.controls_found += scenario.tried.controls_found;
    sum.controls += scenario.tried.controls;
}

/// `1 key`, `2 keys`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn numbers_are_those_of_sealed_calls_that_passed() {
        let mut failed = sample::passed();
        failed.verdict = model::verdict::Ending::Fail;
        let text =
            closing(&sample::run(vec![sample::passed(), sample::passed(), failed, sample::flaw_caught()]));
        assert!(
            text.starts_with(
                "In 2 sealed calls that passed: of 400 media frames, counted at every tap that they cross, all 400 \
                 opened with the two devices' keys and none with what the listeners held (24 keys, 9000 windows of \
                 free bytes; planted controls found 12 of 12)."
            ),
            "{text}"
        );
    }

    #[test]
    fn every_run_of_the_dtls_profile_names_its_weakness() {
        assert_eq!(weakness(&sample::run(vec![sample::passed()])), None);
        let told = weakness(&sample::run(vec![sample::passed(), sample::dtls()])).expect("told");
        assert!(
            told.contains("cut to 7 digits: found after 2900 certificates per call (mean of 8"),
            "{told}"
        );
        assert!(told.ends_with("about 2^33."), "{told}");
    }

    #[test]
    fn results_of_an_older_version_name_the_weakness_without_numbers() {
        let scenario = ScenarioResult { weakness: None, ..sample::dtls() };
        let told = weakness(&sample::run(vec![scenario])).expect("told");
        assert!(told.ends_with("a birthday search finds two that give equal codes."), "{told}");
    }

    #[test]
    fn a_frame_that_somebody_heard_is_never_called_none() {
        let mut scenario = sample::passed();
        scenario.calls[0].heard.insert(Listener::Eve, model::results::HeardCount { frames: 2, of: 200 });
        assert!(closing(&sample::run(vec![scenario])).contains("and 2 with what the listeners held"));
    }

    #[test]
    fn without_a_sealed_call_nothing_is_claimed() {
        assert!(closing(&sample::run(Vec::new())).starts_with("No sealed call passed"));
    }
}
