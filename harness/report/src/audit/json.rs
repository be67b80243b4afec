//! The audit as JSON, for programs; one key, `does_not_say`, is added, so that the numbers never travel without their
//! limits.

use model::audit::Audit;
use serde::Serialize;

use super::{AuditFormat, DOES_NOT_SAY};
use crate::format::RenderError;
use crate::json::escaped;
use crate::options::Options;

/// `--format json`
pub static FORMAT: AuditFormat = AuditFormat { name: "json", about: "the audit for programs", render };

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    audit: &'a Audit,
    does_not_say: &'static str,
}

fn render(audit: &Audit, _: &Options) -> Result<String, RenderError> {
    let document = Document { audit, does_not_say: DOES_NOT_SAY };
    Ok(escaped(&serde_json::to_string_pretty(&document)?))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = render(&sample::audit(), &crate::sample::options()).expect("renders");
        assert_eq!(serde_json::from_str::<Audit>(&text).expect("reads"), sample::audit());
    }
}
