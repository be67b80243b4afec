//! The scenarios that the binary carries.

/// A scenario that the binary carries, as its file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// The folder.
    pub family: &'static str,
    /// The file without `.yaml`.
    pub stem: &'static str,
    /// The whole text.
    pub text: &'static str,
}

/// Every scenario under `scenarios/`, by family and name.
pub fn builtin() -> Vec<BuiltIn> {
    let all: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
    all.iter().map(|(family, stem, text)| BuiltIn { family, stem, text }).collect()
}
