//! What a check saw, and the verdict that follows.
//!
//! Invariant: a check that examined nothing is inconclusive, whatever else it says (design, section 4, law 6).

use model::Verdict;
use model::results::{Blame, Finding};

/// At most so many packet numbers are listed.
const PACKETS_LISTED: usize = 100;

/// What one check saw on one variant.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    examined: u64,
    found: Vec<(Verdict, Finding)>,
}

/// Packets at one tap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The tap.
    pub tap: String,
    /// Packet numbers.
    pub packets: Vec<u64>,
}

impl Located {
    /// Adds a packet.
    pub fn add(&mut self, (number, tap): (u64, &str)) {
        if self.tap.is_empty() {
            tap.clone_into(&mut self.tap);
        }
        if !self.packets.contains(&number) {
            self.packets.push(number);
        }
    }
}

impl Findings {
    /// Counts things that were looked at.
    pub fn examine(&mut self, things: u64) {
        self.examined += things;
    }

    /// How many things were looked at.
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// The property does not hold.
    pub fn fail(&mut self, blame: Blame, text: impl Into<String>, located: Located) {
        self.add(Verdict::Fail, blame, text.into(), located);
    }

    /// The property was not shown either way.
    pub fn doubt(&mut self, text: impl Into<String>) {
        self.add(Verdict::Inconclusive, Blame::Harness, text.into(), Located::default());
    }

    /// The harness stumbled.
    pub fn error(&mut self, text: impl Into<String>) {
        self.add(Verdict::Error, Blame::Harness, text.into(), Located::default());
    }

    fn add(&mut self, verdict: Verdict, blame: Blame, text: String, located: Located) {
        let mut packets = located.packets;
        packets.sort_unstable();
        packets.dedup();
        let packets_total = packets.len() as u64;
        packets.truncate(PACKETS_LISTED);
        let tap = (!located.tap.is_empty()).then_some(located.tap);
        self.found.push((verdict, Finding { text, blame, tap, packets, packets_total }));
    }

    /// The verdict, the number of things examined and the findings, the worst first.
    pub fn conclude(mut self) -> (Verdict, u64, Vec<Finding>) {
        if self.examined == 0 && self.found.is_empty() {
            self.doubt("nothing was there to examine");
        }
        self.found.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
        let unseen = if self.examined == 0 { Verdict::Inconclusive } else { Verdict::Pass };
        let verdict = self.found.iter().fold(unseen, |worst, (verdict, _)| worst.worst(*verdict));
        (verdict, self.examined, self.found.into_iter().map(|(_, finding)| finding).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_examined_is_inconclusive() {
        let (verdict, _, findings) = Findings::default().conclude();
        assert_eq!((verdict, findings.len()), (Verdict::Inconclusive, 1));
    }

    #[test]
    fn the_worst_finding_decides_and_stands_first() {
        let mut findings = Findings::default();
        findings.examine(3);
        findings.doubt("unclear");
        let mut located = Located::default();
        (1..=200).rev().for_each(|number| located.add((number, "alice@a.example")));
        findings.fail(Blame::Caller, "seen", located);
        let (verdict, examined, found) = findings.conclude();
        assert_eq!((verdict, examined, found[0].text.as_str()), (Verdict::Fail, 3, "seen"));
        assert_eq!((found[0].packets.len(), found[0].packets_total, found[0].packets[0]), (100, 200, 1));
    }

    #[test]
    fn looking_at_something_and_finding_nothing_is_a_pass() {
        let mut findings = Findings::default();
        findings.examine(1);
        assert_eq!(findings.conclude().0, Verdict::Pass);
    }
}
