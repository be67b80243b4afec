//! `--keep`: which captures and key files stay after judging.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use model::results::{Results, ScenarioResult};
use model::verdict::Ending;

use crate::arguments::Keep;

/// Removes the files that `keep` does not want and names them no longer in `results`; a twin stays as long as one
/// variant that stays has used it.
///
/// # Errors
/// When a file cannot be removed; those before it are gone.
pub fn discard(folder: &Path, results: &mut Results, keep: Keep) -> io::Result<()> {
    let stays = |s: &ScenarioResult| match keep {
        Keep::All => true,
        Keep::Failed => !matches!(s.verdict, Ending::Pass | Ending::Unsupported),
        Keep::None => false,
    };
    let kept: BTreeSet<String> = results.scenarios.iter().filter(|s| stays(s)).flat_map(files).collect();
    let named: BTreeSet<String> = results.scenarios.iter().flat_map(files).collect();
    for scenario in results.scenarios.iter_mut().filter(|s| !stays(s)) {
        (scenario.capture, scenario.keys, scenario.twin) = (None, None, None);
    }
    for file in named.difference(&kept) {
        match std::fs::remove_file(folder.join(file)) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
    }
    Ok(())
}

fn files(scenario: &ScenarioResult) -> Vec<String> {
    let mut files: Vec<String> = scenario.capture.iter().cloned().collect();
    let keys = scenario.keys.iter().chain(scenario.twin.iter().map(|t| &t.keys));
    files.extend(keys.flat_map(|k| [k.parties.clone(), k.service.clone()]));
    files.extend(scenario.twin.iter().map(|t| t.capture.clone()));
    files
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use model::results::{KeyFiles, TwinResult};
    use rstest::rstest;

    use super::*;
    use crate::tally::sample;

    /// A pass and a fail with one twin between them.
    fn saved() -> (tempfile::TempDir, Results) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut results = sample(&[Ending::Pass, Ending::Fail]);
        let keys = |n: &str| KeyFiles { parties: format!("{n}.parties"), service: format!("{n}.service") };
        for (n, scenario) in results.scenarios.iter_mut().enumerate() {
            scenario.capture = Some(format!("{n}.pcapng"));
            scenario.keys = Some(keys(&n.to_string()));
            let capture = "twin.pcapng".to_owned();
            scenario.twin = Some(TwinResult { capture, keys: keys("twin"), verdict: Verdict::Pass });
        }
        for file in results.scenarios.iter().flat_map(files) {
            std::fs::write(dir.path().join(file), "").expect("written");
        }
        (dir, results)
    }

    #[rstest]
    #[case::all(Keep::All, 9)]
    #[case::failed(Keep::Failed, 6)]
    #[case::none(Keep::None, 0)]
    fn what_is_not_kept_is_neither_there_nor_named(#[case] keep: Keep, #[case] left: usize) {
        let (dir, mut results) = saved();
        discard(dir.path(), &mut results, keep).expect("removed");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), left);
        for file in results.scenarios.iter().flat_map(files) {
            assert!(dir.path().join(&file).exists(), "{file} is named and gone");
        }
    }
}
