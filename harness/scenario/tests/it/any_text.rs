//! Any text is read or refused: nothing panics, and every mistake lies inside the file.

use proptest::prelude::*;
use scenario::read;

use crate::vocabulary;

/// Lines that look like those of a scenario, in any order and number.
const LINES: [&str; 24] = [
    "scenario: é",
    "matrix: { alice.e2ee: [on, off], by: [alice, bob] }",
    "release: 2023-08",
    "profile: dtls",
    "path: relay",
    "network: { loss: 5%, latency: 1ms }",
    "tenants:",
    "  contoso.example:",
    "    policies: { Global: DisabledUserOverride, Ö: Disabled }",
    "    groups: { G: { members: [alice], policy: Global, rank: 1 } }",
    "    users:",
    "      alice: { e2ee: on, devices: { phone: ios } }",
    "      bob: { flaw: no-sealing }",
    "attacks:",
    "  - { attack: replay, place: wire, at: { nth: 1 } }",
    "steps:",
    "  - call: { from: alice, to: [bob], media: [audio] }",
    "  - answer: bob",
    "  - talk: 2s",
    "  - invoke: { feature: merge, by: $by }",
    "    expect: { result: refused }",
    "  - hang-up: alice",
    "expect:",
    "  - { when: { by: alice }, outcome: sealed, fails: [proof/heard] }",
];

fn check(text: &str) {
    if let Err(found) = read("opt-in", "a", "a.yaml", text, &vocabulary()) {
        assert!(!found.is_empty());
        let lines = text.lines().count().max(1);
        for mistake in found {
            assert!(mistake.remedy().is_some(), "{mistake:?} names no remedy");
            assert!(mistake.line() <= lines, "{mistake:?} in {lines} lines");
            let report = format!("{:?}", miette::Report::new(mistake));
            assert!(report.contains("a.yaml"), "{report}");
        }
    }
}

proptest! {
    #[test]
    fn characters(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn lines_of_scenarios(lines in prop::collection::vec(prop::sample::select(LINES.as_slice()), 0..30)) {
        check(&lines.join("\n"));
    }

    #[test]
    fn scenarios_without_some_lines(kept in prop::collection::vec(any::<bool>(), 24), cut in 0_usize..900) {
        let lines: Vec<&str> = LINES.iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| *line).collect();
        let text = lines.join("\n");
        let end = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        check(&text);
        check(&text[..end]);
    }
}
