//! A driver refuses what its client does not declare, by the name of the refusal.

use model::results::Blame;

use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// When a session begins, each driver is asked for a method that the protocol does not have, and for a session of
    /// each sealing profile that it does not declare. It answers with the kinds of error that are due.
    ///
    /// ## Why it matters
    /// What a client declares decides which scenarios it is spared. A driver that says yes to everything passes
    /// scenarios that it never played.
    ///
    /// ## How it decides
    /// It passes when every answer is the due one. It fails with the answer that is not. It is inconclusive when a
    /// driver was asked nothing.
    summary: "a driver refuses what its client does not declare",
    requirements: [],
    applies: |case| !case.evidence.world.drivers.is_empty(),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for driver in &case.evidence.world.drivers {
        findings.examine(driver.probes.len() as u64);
        if driver.probes.is_empty() {
            findings
                .doubt(format!("the driver of {} was asked nothing; run the scenario again", driver.device));
        }
        for probe in driver.probes.iter().filter(|probe| probe.came != probe.due) {
            let text = format!(
                "the driver of {} was asked for {} and answered {}, where {} is due",
                driver.device, probe.asked, probe.came, probe.due
            );
            findings.fail(Blame::Driver, text, Located::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use model::driver::{DriverRecord, ProbeRecord};
    use model::record::WorldRecord;
    use model::{DeviceId, UserId};
    use rstest::rstest;

    use crate::bench::plans::both_on;
    use crate::bench::story::Story;
    use crate::bench::trial::Trial;

    fn driven(world: &mut WorldRecord, came: &[&str], isolated: bool) {
        let probe = |came: &&str| ProbeRecord {
            asked: "a method that the protocol does not have".to_owned(),
            due: "unknown-method".to_owned(),
            came: (*came).to_owned(),
        };
        world.drivers.push(DriverRecord {
            device: DeviceId::only(UserId::new("alice", "contoso.example")),
            implementation: "theirs 1".to_owned(),
            capabilities: vec!["frames".to_owned()],
            probes: came.iter().map(probe).collect(),
            isolated,
            exported: 0,
            unasked_frames: 0,
        });
    }

    fn verdict(retell: fn(&mut WorldRecord), check: &str) -> Option<Verdict> {
        Trial::of(&Story { retell, ..Story::sealed(both_on()) }).verdict(check)
    }

    #[rstest]
    #[case::refused(|w: &mut WorldRecord| driven(w, &["unknown-method"], true), Verdict::Pass)]
    #[case::yes(|w: &mut WorldRecord| driven(w, &["none"], true), Verdict::Fail)]
    #[case::by_another_name(|w: &mut WorldRecord| driven(w, &["unknown-method", "internal"], true), Verdict::Fail)]
    #[case::not_asked(|w: &mut WorldRecord| driven(w, &[], true), Verdict::Inconclusive)]
    fn the_due_refusal_and_no_other(#[case] retell: fn(&mut WorldRecord), #[case] due: Verdict) {
        assert_eq!(verdict(retell, "drivers/answer-honestly"), Some(due));
    }

    #[rstest]
    #[case::shut_in(|w: &mut WorldRecord| driven(w, &["unknown-method"], true), Verdict::Pass)]
    #[case::free(|w: &mut WorldRecord| driven(w, &["unknown-method"], false), Verdict::Inconclusive)]
    fn what_could_go_elsewhere_is_not_complete(#[case] retell: fn(&mut WorldRecord), #[case] due: Verdict) {
        assert_eq!(verdict(retell, "proof/complete"), Some(due));
    }
}
