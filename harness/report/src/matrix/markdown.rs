//! The matrix as a table in Markdown, for a page that lies beside the code. It has no links: the evidence lies where the
//! matrix was run.

use model::matrix::Matrix;

use super::{MatrixFormat, MatrixOptions, cell, count, does_not_say, lost, told};
use crate::format::RenderError;
use crate::legible::plain;

/// `--format markdown`
pub static FORMAT: MatrixFormat =
    MatrixFormat { name: "markdown", about: "a table for a page beside the code", render };

fn render(matrix: &Matrix, _: &MatrixOptions) -> Result<String, RenderError> {
    let names: Vec<&str> = matrix.clients.iter().map(|client| client.name.as_str()).collect();
    let mut out = format!(
        "| calls \\ answers | {} |\n|---|{}\n",
        names.iter().map(|name| text(name)).collect::<Vec<_>>().join(" | "),
        "---|".repeat(names.len())
    );
    for caller in &names {
        out.push_str(&format!("| **{}** |", text(caller)));
        for callee in &names {
            let told = cell(matrix, caller, callee)
                .map_or_else(String::new, |cell| format!("{} {}", cell.verdict, count(cell)));
            out.push_str(&format!(" {told} |"));
        }
        out.push('\n');
    }
    out.push('\n');
    let variants: Vec<String> = matrix.variants.iter().map(|id| format!("`{}`", plain(id))).collect();
    out.push_str(&format!("Of {} variants in each cell: {}.\n\n", variants.len(), variants.join(", ")));
    for cell in told(matrix) {
        let (caller, callee) = (text(&cell.caller), text(&cell.callee));
        out.push_str(&format!("- {caller} calls {callee}, {}: {}\n", cell.verdict, text(&cell.why)));
    }
    for lost in lost(matrix) {
        out.push_str(&format!("- lost: {}\n", text(&lost)));
    }
    for client in &matrix.clients {
        let (name, who) = (text(&client.name), text(client.implementation.as_deref().unwrap_or("unknown")));
        out.push_str(&format!("- {name}: {who}\n"));
    }
    if matrix.partial {
        out.push_str("\nThe matrix was stopped before it was whole.\n");
    }
    out.push_str(&format!("\n{}\n", does_not_say()));
    Ok(out)
}

/// `text` without anything that Markdown takes for markup.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if "\\|<>&*_`[]#~".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::sample;

    #[test]
    fn the_table_has_a_row_and_a_column_for_each_client() {
        let page = render(&sample::matrix(), &MatrixOptions::default()).expect("renders");
        let lines: Vec<&str> = page.lines().take(4).collect();
        assert_eq!(
            lines,
            [
                "| calls \\ answers | reference | theirs |",
                "|---|---|---|",
                "| **reference** | pass 2/2 | fail 1/2 |",
                "| **theirs** | unsupported 1/2 | not-run 0/2 |",
            ]
        );
    }

    #[test]
    fn a_name_is_no_markup_and_makes_no_column() {
        let page = render(&sample::hostile(), &MatrixOptions::default()).expect("renders");
        assert!(page.contains("\\<img src=x\\>\\|") && !page.contains(" <img"), "{page}");
    }
}
