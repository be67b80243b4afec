//! The matrix for people at a terminal: the table, then each cell that is no pass in one line.

use model::matrix::{Against, Cell, CellVerdict, Matrix};

use super::{MatrixFormat, MatrixOptions, against, cell, count, does_not_say, lost, marks, told, totals};
use crate::format::RenderError;
use crate::legible::{plain, wrap};
use crate::page;
use crate::terminal::paint::{Paint, Tone};

/// `--format terminal`
pub static FORMAT: MatrixFormat = MatrixFormat { name: "terminal", about: "a table for people", render };

fn render(matrix: &Matrix, options: &MatrixOptions) -> Result<String, RenderError> {
    let paint = Paint { colour: options.colour };
    let mut out = "rows call, columns answer\n\n".to_owned();
    out.push_str(&table(matrix, paint));
    out.push('\n');
    for cell in told(matrix) {
        out.push_str(&line(cell, options, paint));
    }
    for lost in lost(matrix) {
        out.push_str(&wrap(&format!("{} ", paint.tone(Tone::Bad, "lost")), &plain(&lost), options.width));
    }
    for client in matrix.clients.iter().filter(|client| client.missing.is_some()) {
        let why = plain(client.missing.as_deref().unwrap_or_default());
        out.push_str(&wrap("", &format!("{} took no part: {why}", plain(&client.name)), options.width));
    }
    out.push_str(&foot(matrix, options));
    Ok(out)
}

fn tone(verdict: CellVerdict) -> Tone {
    match marks(verdict).2 {
        page::Tone::Good => Tone::Good,
        page::Tone::Bad => Tone::Bad,
        page::Tone::Doubt => Tone::Doubt,
        page::Tone::Plain => Tone::Faint,
    }
}

/// What stands in a cell of the table, before it is coloured.
fn short(cell: &Cell) -> String {
    let worse = if cell.against == Some(Against::Worse) { "*" } else { "" };
    format!("{} {}{worse}", marks(cell.verdict).0, count(cell))
}

fn table(matrix: &Matrix, paint: Paint) -> String {
    let names: Vec<String> = matrix.clients.iter().map(|client| plain(&client.name)).collect();
    let head = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let wide = |at: usize| {
        let cells = matrix.cells.iter().filter(|cell| Some(&plain(&cell.callee)) == names.get(at));
        let name = names.get(at).map_or(0, |name| name.chars().count());
        cells.map(|cell| short(cell).chars().count()).max().unwrap_or(0).max(name)
    };
    let widths: Vec<usize> = (0..names.len()).map(wide).collect();
    let mut out = " ".repeat(head);
    for (name, width) in names.iter().zip(&widths) {
        out.push_str(&format!("  {name:<width$}"));
    }
    out = format!("{}\n", out.trim_end());
    for (row, caller) in matrix.clients.iter().zip(&names) {
        out.push_str(&format!("{caller:<head$}"));
        for (column, width) in matrix.clients.iter().zip(&widths) {
            let Some(cell) = cell(matrix, &row.name, &column.name) else { continue };
            let text = short(cell);
            let blanks = width.saturating_sub(text.chars().count());
            out.push_str(&format!("  {}{}", paint.tone(tone(cell.verdict), &text), " ".repeat(blanks)));
        }
        out = format!("{}\n", out.trim_end());
    }
    out
}

fn line(cell: &Cell, options: &MatrixOptions, paint: Paint) -> String {
    let sign = marks(cell.verdict).0;
    let badge = paint.tone(tone(cell.verdict), &format!("{sign} {:<12}", cell.verdict.word()));
    let beside = against(cell).map(|words| format!(" ({words})")).unwrap_or_default();
    let (caller, callee) = (plain(&cell.caller), plain(&cell.callee));
    let mut text = format!("{caller} calls {callee}{beside}: {} pass; {}", count(cell), plain(&cell.why));
    if let Some(folder) = &cell.folder {
        text.push_str(&format!("; see {}/{}", plain(&options.folder), plain(folder)));
    }
    format!("{badge} {text}\n")
}

fn foot(matrix: &Matrix, options: &MatrixOptions) -> String {
    let mut out = String::from("\n");
    let parts: Vec<String> =
        totals(matrix).into_iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    out.push_str(&format!("{} cells: {}\n", matrix.cells.len(), parts.join(", ")));
    if matrix.cells.iter().any(|cell| cell.against == Some(Against::Worse)) {
        out.push_str("* worse than in the baseline\n");
    }
    if matrix.partial {
        out.push_str("the matrix was stopped before it was whole; what was not run did not pass\n");
    }
    out.push_str(&format!("evidence: {}\n", plain(&options.folder)));
    out + &wrap("", &does_not_say(), options.width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::sample;

    #[test]
    fn the_table_comes_first_and_then_each_reason() {
        let options =
            MatrixOptions { width: 100, folder: "reports/r".to_owned(), ..MatrixOptions::default() };
        insta::assert_snapshot!(render(&sample::matrix(), &options).expect("renders"));
    }

    #[test]
    fn colour_repeats_what_a_sign_says() {
        let plain = render(&sample::matrix(), &MatrixOptions::default()).expect("renders");
        let options = MatrixOptions { colour: true, ..MatrixOptions::default() };
        let mut coloured = render(&sample::matrix(), &options).expect("renders");
        for code in ["0", "1", "2", "31", "32", "33"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&coloured), squeezed(&plain));
    }
}
