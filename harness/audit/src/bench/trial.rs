//! Runs every check on a story, for the tests at the foot of each check.

use model::Verdict;
use model::results::Blame;

use super::story::Story;
use crate::case::Case;
use crate::checks::CHECKS;
use crate::evidence::Evidence;
use crate::findings::Findings;
use crate::oracle;
use crate::sweep::{Reach, overhear};

/// The texts of findings, and whose fault each is.
type Found = Vec<(String, Blame)>;

/// What each check that applied came to.
pub struct Trial {
    checks: Vec<(String, Verdict, Found)>,
}

impl Trial {
    /// Tells the story and judges it, without a twin and without a sweep.
    pub fn of(story: &Story) -> Self {
        Self::after(story, |evidence| evidence)
    }

    /// The same after listeners have guessed, swept and searched.
    pub fn swept(story: &Story) -> Self {
        Self::after(story, |evidence| overhear(evidence, Reach::All))
    }

    fn after(story: &Story, look: impl for<'a> Fn(Evidence<'a>) -> Evidence<'a>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let world = story.tell(folder.path(), "trial");
        let evidence = look(Evidence::gather(folder.path(), &world));
        let expected = oracle::expect(&world.plan);
        let case = Case::new(&expected, &evidence, None);
        let applying = CHECKS.iter().filter(|check| (check.applies)(&case));
        let judged = applying.map(|check| {
            let mut findings = Findings::default();
            (check.judge)(&case, &mut findings);
            let (verdict, _, found) = findings.conclude();
            (check.name(), verdict, found.into_iter().map(|finding| (finding.text, finding.blame)).collect())
        });
        Self { checks: judged.collect() }
    }

    /// The verdict of a check; none where it does not apply.
    pub fn verdict(&self, name: &str) -> Option<Verdict> {
        self.checks.iter().find(|(check, ..)| check == name).map(|(_, verdict, _)| *verdict)
    }

    /// The first finding of a check.
    pub fn text(&self, name: &str) -> &str {
        let check = self.checks.iter().find(|(check, ..)| check == name);
        check.and_then(|(_, _, found)| found.first()).map_or("", |(text, _)| text)
    }

    /// Every finding of a check.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.findings(name).into_iter().map(|(text, _)| text).collect()
    }

    /// Every finding of a check, with whose fault it is.
    pub fn findings(&self, name: &str) -> Vec<(&str, Blame)> {
        let checks = self.checks.iter().filter(|(check, ..)| check == name);
        checks.flat_map(|(_, _, found)| found).map(|(text, blame)| (text.as_str(), *blame)).collect()
    }

    /// Checks beside the proof legs that fail.
    pub fn failing_beside_legs(&self) -> Vec<&str> {
        self.failing().into_iter().filter(|name| !name.starts_with("proof/")).collect()
    }

    /// Checks that fail.
    pub fn failing(&self) -> Vec<&str> {
        let failing = self.checks.iter().filter(|(_, verdict, _)| *verdict == Verdict::Fail);
        failing.map(|(name, ..)| name.as_str()).collect()
    }
}
