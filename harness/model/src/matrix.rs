//! `matrix.json`: which client could call which, and what came of it.
//!
//! Invariant: every ordered pair of the chosen clients has its cell, whether it was run or not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::NetKind;
use crate::record::Tool;

/// The schema that this version writes.
pub const SCHEMA: &str = "overheard/matrix/1";

words! {
    /// What a cell, or one variant in it, came to, from good to bad.
    pub enum CellVerdict {
        /// Shown to hold.
        Pass = "pass",
        /// Decided from what the two clients declare, before anything ran.
        Unsupported = "unsupported",
        /// The run was stopped before.
        NotRun = "not-run",
        /// Nothing was shown either way.
        Inconclusive = "inconclusive",
        /// The harness, its environment or a driver stumbled.
        Error = "error",
        /// Shown not to hold.
        Fail = "fail",
    }
}

words! {
    /// How a cell stands against the same cell of the baseline.
    pub enum Against {
        /// As bad or as good, variant by variant.
        Same = "same",
        /// No variant is worse, and one is better.
        Better = "better",
        /// Some variant is worse, or one that passed did not run.
        Worse = "worse",
        /// The baseline has no such cell.
        Added = "added",
    }
}

/// Every ordered pair of some clients over some variants.
#[derive(Clone, Debug, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Matrix {
    /// [`SCHEMA`].
    pub schema: String,
    /// Name and version of the tool that ran it.
    pub tool: Tool,
    /// The name of the folder with the evidence.
    pub run: String,
    /// In decimal.
    pub seed: String,
    /// The network of every cell.
    pub net: NetKind,
    /// Whether it was stopped before every cell had run.
    pub partial: bool,
    /// The worst of the cells; pass only where something passed.
    pub verdict: CellVerdict,
    /// The clients, in the order of rows and of columns.
    pub clients: Vec<MatrixClient>,
    /// The ids of the variants that each cell runs.
    pub variants: Vec<String>,
    /// Row by row: the row calls, the column answers.
    pub cells: Vec<Cell>,
    /// What the baseline has and this matrix does not; empty without a baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostCell>,
    /// How many cells came to what.
    pub totals: CellTotals,
}

/// The JSON Schema of `matrix.json`; unknown keys are allowed, so that later versions may add some.
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Matrix).to_value()
}

/// A client of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct MatrixClient {
    /// As it was chosen.
    pub name: String,
    /// Name and version in its own words; none where it did not say.
    pub implementation: Option<String>,
    /// What it declares that it can do; none where it did not say.
    pub capabilities: Option<Vec<String>>,
    /// Why it took no part, where it took none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// One ordered pair.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Cell {
    /// The client that calls.
    pub caller: String,
    /// The client that answers.
    pub callee: String,
    /// The worst of its variants; pass only where one passed.
    pub verdict: CellVerdict,
    /// Why it is no pass, in one line; empty where it is one.
    pub why: String,
    /// How it stands against the baseline, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// The folder of its run below the folder of the matrix; none where nothing was run.
    pub folder: Option<String>,
    /// The report of its run below the folder of the matrix; none where nothing was run.
    pub report: Option<String>,
    /// What each variant came to, in the order of [`Matrix::variants`].
    pub runs: Vec<CellRun>,
}

impl Cell {
    /// How many of its variants passed.
    pub fn passed(&self) -> usize {
        self.runs.iter().filter(|run| run.verdict == CellVerdict::Pass).count()
    }
}

/// One variant between the two clients of a cell.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CellRun {
    /// The id of the variant.
    pub variant: String,
    /// What it came to.
    pub verdict: CellVerdict,
    /// Why, in one sentence.
    pub why: String,
    /// Its capture below the folder of the cell; none where nothing was run or kept.
    pub capture: Option<String>,
}

/// A cell, or a variant of one, that the baseline has and this matrix does not.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct LostCell {
    /// The client that called.
    pub caller: String,
    /// The client that answered.
    pub callee: String,
    /// The variant that passed; none where the whole cell is gone.
    pub variant: Option<String>,
}

/// How many cells came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CellTotals {
    /// Passed.
    pub pass: usize,
    /// Failed.
    pub fail: usize,
    /// Errors.
    pub error: usize,
    /// Inconclusive.
    pub inconclusive: usize,
    /// Not supported.
    pub unsupported: usize,
    /// Not run.
    pub not_run: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Matrix {
        let run = CellRun {
            variant: "opt-in/both-on".to_owned(),
            verdict: CellVerdict::Fail,
            why: "it fails".to_owned(),
            capture: Some("captures/opt-in_both-on.pcapng".to_owned()),
        };
        let cell = Cell {
            caller: "a".to_owned(),
            callee: "b".to_owned(),
            verdict: CellVerdict::Fail,
            why: "it fails".to_owned(),
            against: Some(Against::Worse),
            folder: Some("a--b".to_owned()),
            report: Some("a--b/report.html".to_owned()),
            runs: vec![run],
        };
        Matrix {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0".to_owned() },
            run: "r".to_owned(),
            seed: u64::MAX.to_string(),
            net: NetKind::Loopback,
            partial: true,
            verdict: CellVerdict::Fail,
            clients: vec![MatrixClient { missing: Some("gone".to_owned()), ..MatrixClient::default() }],
            variants: vec!["opt-in/both-on".to_owned()],
            cells: vec![cell],
            lost: vec![LostCell { caller: "a".to_owned(), callee: "c".to_owned(), variant: None }],
            totals: CellTotals { fail: 1, ..CellTotals::default() },
        }
    }

    #[test]
    fn a_matrix_is_read_back_as_it_was_written_and_a_later_one_too() {
        let mut value = serde_json::to_value(matrix()).expect("serialises");
        value["later"] = true.into();
        value["cells"][0]["later"] = true.into();
        assert_eq!(serde_json::from_value::<Matrix>(value).expect("reads"), matrix());
    }

    #[test]
    fn the_schema_knows_every_key_that_is_written() {
        let (schema, value) = (json_schema(), serde_json::to_value(matrix()).expect("serialises"));
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().expect("an object").keys().cloned().collect()
        };
        let (cell, defs) = (&value["cells"][0], &schema["$defs"]);
        for (written, known) in [
            (&value, &schema["properties"]),
            (cell, &defs["Cell"]["properties"]),
            (&cell["runs"][0], &defs["CellRun"]["properties"]),
            (&value["clients"][0], &defs["MatrixClient"]["properties"]),
            (&value["lost"][0], &defs["LostCell"]["properties"]),
            (&value["totals"], &defs["CellTotals"]["properties"]),
        ] {
            assert!(keys(written).iter().all(|key| !known[key].is_null()), "{written} {known}");
        }
    }

    #[test]
    fn nothing_is_as_good_as_a_pass() {
        assert!(CellVerdict::ALL.iter().skip(1).all(|verdict| *verdict > CellVerdict::Pass));
        assert_eq!(CellVerdict::ALL.iter().max(), Some(&CellVerdict::Fail));
    }
}
