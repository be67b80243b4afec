//! JUnit for CI: one `testsuite` per family, one `testcase` per variant.
//!
//! A fail is a `failure`; error, inconclusive and lost coverage are an `error`; unsupported and known failing are
//! `skipped` with the reason. `time` is the world's time.

use std::collections::BTreeMap;
use std::time::Duration;

use model::results::{Results, ScenarioResult};
use model::verdict::Ending;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::closing::closing;
use crate::format::{Format, RenderError};
use crate::legible::plain;
use crate::options::Options;
use crate::story;

/// `--format junit`
pub static FORMAT: Format =
    Format { name: "junit", about: "JUnit XML for CI, one test case per variant", render };

fn render(results: &Results, options: &Options) -> Result<String, RenderError> {
    let mut report = Report::new("overheard");
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    let mut add = |id: &str, status, time_ms: u64| {
        let family = plain(family(id));
        let mut case = TestCase::new(plain(id), status);
        case.set_classname(family.clone());
        case.set_time(Duration::from_millis(time_ms));
        let suite = suites.entry(family.clone()).or_insert_with(|| TestSuite::new(family));
        suite.add_test_case(case);
        suite.set_time(suite.time.unwrap_or_default() + Duration::from_millis(time_ms));
    };
    for scenario in &results.scenarios {
        add(&scenario.id, status(results, scenario, options), scenario.world_ms);
    }
    for id in &results.lost {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type("lost-coverage").set_message("planned, and has no verdict; run the scenarios again");
        add(id, status, 0);
    }
    let mut suites: Vec<TestSuite> = suites.into_values().collect();
    if suites.is_empty() {
        suites.push(TestSuite::new("nothing"));
    }
    for suite in &mut suites {
        suite.set_system_out(closing(results));
    }
    report.set_time(suites.iter().filter_map(|s| s.time).sum());
    report.add_test_suites(suites);
    Ok(report.to_string()?)
}

/// The folder of a variant's scenario.
pub fn family(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn status(results: &Results, scenario: &ScenarioResult, options: &Options) -> TestCaseStatus {
    let why = story::why(scenario);
    match scenario.verdict {
        Ending::Pass => TestCaseStatus::success(),
        Ending::KnownFailing | Ending::Unsupported => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(scenario.verdict.word()).set_message(why);
            status
        }
        Ending::Fail | Ending::Error | Ending::Inconclusive => {
            let kind = match scenario.verdict {
                Ending::Fail => NonSuccessKind::Failure,
                _ => NonSuccessKind::Error,
            };
            let mut status = TestCaseStatus::non_success(kind);
            status.set_type(scenario.verdict.word()).set_message(why);
            status.set_description(details(results, scenario, options));
            status
        }
    }
}

/// Every finding on a line of its own, then the command.
fn details(results: &Results, scenario: &ScenarioResult, options: &Options) -> String {
    let mut out = format!("{}\n", story::outcomes(scenario));
    for check in story::failed(scenario) {
        out.push_str(&format!("{}: {}\n", plain(&check.check), check.verdict));
        for finding in &check.findings {
            out.push_str(&format!("  {}; fault of {}", plain(&finding.text), story::blame(finding.blame)));
            if let Some(packets) = story::packets(finding) {
                out.push_str(&format!("; packets {packets}"));
            }
            out.push('\n');
        }
    }
    out.push_str(&story::command(results, &scenario.id, options));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_ending_has_its_element() {
        insta::assert_snapshot!(render(&sample::mixed(), &sample::options()).expect("renders"));
    }

    #[test]
    fn an_empty_run_is_no_run_of_passing_tests() {
        let text = render(&sample::run(Vec::new()), &sample::options()).expect("renders");
        assert!(text.contains("tests=\"0\""), "{text}");
    }
}
