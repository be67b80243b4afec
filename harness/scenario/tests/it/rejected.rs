//! One rejected file per diagnostic, with the report that a person sees.
//!
//! Each file is named after the code that it is about, and its report is the snapshot beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme};
use scenario::{Code, Diagnostic};

use crate::vocabulary;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rejected")
}

/// The rejected files: stem and text.
fn files() -> Vec<(String, String)> {
    let paths = fs::read_dir(folder()).expect("the folder is there").map(|e| e.expect("an entry").path());
    let yaml = paths.filter(|p| p.extension().is_some_and(|e| e == "yaml"));
    let mut files: Vec<_> = yaml
        .map(|p| {
            (
                p.file_stem().expect("a stem").to_string_lossy().into_owned(),
                fs::read_to_string(&p).expect("text"),
            )
        })
        .collect();
    files.sort();
    files
}

/// Reads `text` as a file of the family `opt-in`, or as the path says that its first line may give.
fn mistakes(stem: &str, text: &str) -> Vec<Diagnostic> {
    let named = text.lines().next().and_then(|line| line.strip_prefix("# "));
    let path = named.map_or_else(|| format!("scenarios/opt-in/{stem}.yaml"), str::to_owned);
    let parts: Vec<&str> = path.trim_end_matches(".yaml").split('/').collect();
    let [_, family, stem] = parts.as_slice() else { panic!("{path} is no path of a scenario") };
    scenario::read(family, stem, &path, text, &vocabulary()).expect_err("rejected")
}

#[test]
fn each_file_is_rejected_with_its_own_code_and_in_these_words() {
    for (stem, text) in files() {
        let found = mistakes(&stem, &text);
        let code = format!("scenario::{stem}");
        assert!(found.iter().any(|d| d.code() == code), "{stem}: {found:?}");
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        let mut report = String::new();
        for mistake in &found {
            handler.render_report(&mut report, mistake).expect("renders");
            assert!(mistake.remedy().is_some(), "{mistake:?} names no remedy");
        }
        insta::with_settings!({ snapshot_path => folder(), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(stem, report);
        });
    }
}

#[test]
fn there_is_a_file_for_each_code_and_a_code_for_each_file() {
    let stems: BTreeSet<String> = files().into_iter().map(|(stem, _)| stem).collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(stems, codes);
}
