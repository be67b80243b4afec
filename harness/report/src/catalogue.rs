//! What a report says about a check beside its verdict: handed in, because checks live in `audit`.

use std::collections::BTreeMap;

/// The pages of the checks, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// `family/check` and what is known of it; a check that is missing is reported by its name alone.
    pub checks: BTreeMap<String, CheckEntry>,
}

/// One check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckEntry {
    /// The property that must hold, in one clause without a full stop.
    pub summary: String,
    /// The requirements that it judges.
    pub requirements: Vec<RequirementEntry>,
}

/// One requirement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequirementEntry {
    /// Its id, as `overheard explain` takes it.
    pub id: String,
    /// The document and section that it stands in, such as `RFC 8827 §6.5`.
    pub source: String,
    /// `MUST`, `SHOULD` or `MAY`.
    pub level: String,
    /// The sentence: quoted, or in our own words where `source` says so.
    pub sentence: String,
}
