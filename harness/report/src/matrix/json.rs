//! The matrix as JSON, for programs; `matrix.json` in its folder is this format.

use model::matrix::Matrix;
use serde::Serialize;

use super::{MatrixFormat, MatrixOptions, does_not_say};
use crate::format::RenderError;
use crate::json::escaped;

/// `--format json`
pub static FORMAT: MatrixFormat =
    MatrixFormat { name: "json", about: "the matrix for programs, as in matrix.json", render };

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    matrix: &'a Matrix,
    does_not_say: String,
}

fn render(matrix: &Matrix, _: &MatrixOptions) -> Result<String, RenderError> {
    let document = Document { matrix, does_not_say: does_not_say() };
    Ok(escaped(&serde_json::to_string_pretty(&document)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::sample;

    #[test]
    fn what_is_written_is_read_back() {
        for matrix in [sample::matrix(), sample::hostile()] {
            let text = render(&matrix, &MatrixOptions::default()).expect("renders");
            assert_eq!(serde_json::from_str::<Matrix>(&text).expect("reads"), matrix);
        }
    }
}
