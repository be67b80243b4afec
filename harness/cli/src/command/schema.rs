//! `overheard schema NAME`: JSON Schemas for editors and programs.

use crate::failure::Failure;
use crate::print;

/// The schemas that there are.
pub const NAMES: &[&str] = &["audit", "driver", "matrix", "results", "scenario"];

/// Prints the schema called `name`.
///
/// # Errors
/// When there is none of that name.
pub fn schema(name: &str) -> Result<(), Failure> {
    let schema = match name {
        "audit" => model::audit::json_schema(),
        "driver" => adapters::protocol::json_schema(),
        "matrix" => model::matrix::json_schema(),
        "results" => model::results::json_schema(),
        "scenario" => scenario::schema(),
        _ => return Err(Failure::usage(format!("`{name}` is no schema; use one of {}", NAMES.join(", ")))),
    };
    print::stdout(format!("{schema:#}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn an_unknown_schema_is_refused_by_name() {
        let failure = schema("protocol").expect_err("refused");
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.text.starts_with("`protocol` is no schema"), "{}", failure.text);
    }
}
