//! From texts to variants that may run: read, checked, and agreed on with the judge's oracle.
//!
//! Nothing runs while any file has a mistake or states what its plan cannot come to.

use audit::oracle;
use model::Plan;
use model::attack::Attack;
use model::outcome::{Outcome, Reason};
use report::Origin;
use scenario::{Diagnostic, Vocabulary};

use crate::sources::Source;

/// A variant that may run.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What to run.
    pub plan: Plan,
    /// What each call must come to.
    pub expected: Vec<(Outcome, Vec<Reason>)>,
    /// Where it was read from.
    pub origin: Origin,
}

/// Words that scenario files use and other rooms declare.
pub fn vocabulary() -> Vocabulary {
    let options = |attack: &Attack| nodes::mitm::options(*attack).iter().map(|o| (*o).to_owned()).collect();
    Vocabulary {
        checks: crate::catalogue::check_names(),
        attack_options: Attack::ALL.iter().map(|attack| (*attack, options(attack))).collect(),
    }
}

/// Reads every source.
///
/// # Errors
/// Every mistake of every file, in the order of the sources.
pub fn plan(sources: &[Source], vocabulary: &Vocabulary) -> Result<Vec<Variant>, Vec<Diagnostic>> {
    let mut variants = Vec::new();
    let mut mistakes = Vec::new();
    for source in sources {
        match scenario::read(&source.family, &source.stem, &source.display, &source.text, vocabulary) {
            Err(found) => mistakes.extend(found),
            Ok(checked) => {
                for checked in checked {
                    let expected = oracle::expect(&checked.plan);
                    for disagreement in oracle::disagreements(&checked.plan, &expected) {
                        mistakes.push(disputed(&checked, &disagreement));
                    }
                    let expected = expected.calls.into_iter().map(|c| (c.outcome, c.because)).collect();
                    let origin = source.origin.clone();
                    variants.push(Variant { plan: checked.plan, expected, origin });
                }
            }
        }
    }
    if mistakes.is_empty() { Ok(variants) } else { Err(mistakes) }
}

fn disputed(checked: &scenario::Checked, disagreement: &oracle::Disagreement) -> Diagnostic {
    let path: Vec<&str> = disagreement.place.iter().map(String::as_str).collect();
    let message = format!("{}: {}", checked.plan.id, disagreement.text);
    let help = "correct the statement, or leave it out and let the oracle say it".to_owned();
    checked.diagnostic_at(&path, "scenario::disagreement", message, "stated here", Some(help))
}
