//! The matrix as one page for people: the table, each cell with its letter and its colour and the way to its evidence.

use model::matrix::{Against, Cell, CellVerdict, Matrix};

use super::{MatrixFormat, MatrixOptions, against, cell, count, does_not_say, lost, marks, told, totals};
use crate::format::RenderError;
use crate::page::{Tone, badge, document, escaped, number, section, table};

/// `--format html`
pub static FORMAT: MatrixFormat =
    MatrixFormat { name: "html", about: "one page with the table drawn", render };

/// Sections, in their order: what the list at the head names.
const CONTENTS: &[(&str, &str)] = &[
    ("answer", "Answer"),
    ("table", "Table"),
    ("reasons", "Reasons"),
    ("lost", "Lost"),
    ("clients", "Clients"),
    ("variants", "Variants"),
];

fn render(matrix: &Matrix, options: &MatrixOptions) -> Result<String, RenderError> {
    let mut main = section("answer", "What it came to", &answer(matrix));
    main.push_str(&section("table", "Who can call whom", &drawn(matrix, options)));
    main.push_str(&section(
        "reasons",
        "Cells that are no pass, with the reason of each",
        &reasons(matrix, options),
    ));
    main.push_str(&section("lost", "In the baseline, and lost", &list(lost(matrix))));
    main.push_str(&section("clients", "Clients", &clients(matrix)));
    main.push_str(&section("variants", "What each cell runs", &list(matrix.variants.iter().cloned())));
    let foot = format!(
        "<p>{}</p>\n<p>{} {}, schema {}, run {}, seed {}.</p>\n",
        escaped(&does_not_say()),
        escaped(&matrix.tool.name),
        escaped(&matrix.tool.version),
        escaped(&matrix.schema),
        escaped(&matrix.run),
        escaped(&matrix.seed),
    );
    let title = format!("{}: {}", matrix.verdict, matrix.run);
    Ok(document(&title, "Who can call whom, and nobody else hears?", CONTENTS, &main, &foot))
}

fn answer(matrix: &Matrix) -> String {
    let worse = matrix.cells.iter().filter(|cell| cell.against == Some(Against::Worse)).count();
    let compared = matrix.cells.iter().any(|cell| cell.against.is_some());
    let text = match matrix.verdict {
        CellVerdict::Pass => "Every pair passed every variant",
        CellVerdict::Fail => "Some pair failed",
        CellVerdict::Error => "Some pair did not get to the end",
        CellVerdict::Inconclusive => "Of some pair nothing was shown",
        CellVerdict::NotRun => "Some pair was not run",
        CellVerdict::Unsupported => "Some pair cannot do all of it",
    };
    let mut out = format!(
        "<p class=\"answer\">{} {text}.</p>\n",
        badge(marks(matrix.verdict).2, matrix.verdict.word())
    );
    if compared {
        out.push_str(&format!(
            "<p>Against the baseline: {} worse, {} lost.</p>\n",
            number(worse as u64),
            number(matrix.lost.len() as u64)
        ));
    }
    if matrix.partial {
        out.push_str("<p>It was stopped before it was whole; what was not run did not pass.</p>\n");
    }
    let rows: Vec<Vec<String>> = totals(matrix)
        .into_iter()
        .map(|(verdict, count)| vec![badge(marks(verdict).2, verdict.word()), number(count as u64)])
        .collect();
    out + &table("Cells by what they came to", &["Verdict", "Cells"], &rows)
}

fn drawn(matrix: &Matrix, options: &MatrixOptions) -> String {
    let mut heads = vec!["Rows call, columns answer"];
    heads.extend(matrix.clients.iter().map(|client| client.name.as_str()));
    let rows: Vec<Vec<String>> = matrix
        .clients
        .iter()
        .map(|row| {
            let cells = matrix.clients.iter().map(|column| {
                cell(matrix, &row.name, &column.name)
                    .map_or_else(|| "–".to_owned(), |cell| short(cell, options))
            });
            std::iter::once(escaped(&row.name)).chain(cells).collect()
        })
        .collect();
    let legend = CellVerdict::ALL
        .iter()
        .map(|verdict| format!("<li>{} {}</li>", letter(*verdict, None, ""), escaped(verdict.word())));
    format!(
        "{}<ul class=\"legend\">{}</ul>\n<p>A fraction says how many of the variants passed; a letter leads to the report \
         of its cell.</p>\n",
        table("Who can call whom", &heads, &rows),
        legend.collect::<String>()
    )
}

/// The letter in its colour, with a link where there is something to look at.
fn letter(verdict: CellVerdict, link: Option<&str>, label: &str) -> String {
    let (_, letter, tone) = marks(verdict);
    let class = match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Doubt => "doubt",
        Tone::Plain => "plain",
    };
    match link {
        Some(link) => format!(
            "<a class=\"badge {class}\" href=\"{}\" aria-label=\"{}\">{letter}</a>",
            escaped(link),
            escaped(label)
        ),
        None => format!("<span class=\"badge {class}\">{letter}</span>"),
    }
}

fn short(cell: &Cell, options: &MatrixOptions) -> String {
    let link = cell.report.as_ref().map(|report| format!("{}{report}", options.links));
    let label =
        format!("{} calls {}: {}, {} variants passed", cell.caller, cell.callee, cell.verdict, count(cell));
    let worse = match cell.against {
        Some(Against::Worse) => "<br><strong>worse</strong>",
        _ => "",
    };
    format!("{} {}{worse}", letter(cell.verdict, link.as_deref(), &label), count(cell))
}

fn reasons(matrix: &Matrix, options: &MatrixOptions) -> String {
    told(matrix).map(|cell| reason(cell, options)).collect()
}

fn reason(cell: &Cell, options: &MatrixOptions) -> String {
    let beside = against(cell).map(|words| format!(" ({words})")).unwrap_or_default();
    let mut out = format!(
        "<article>\n<h3>{} {} calls {}{beside}</h3>\n<ul>\n",
        badge(marks(cell.verdict).2, cell.verdict.word()),
        escaped(&cell.caller),
        escaped(&cell.callee),
    );
    for run in cell.runs.iter().filter(|run| run.verdict != CellVerdict::Pass) {
        out.push_str(&format!(
            "<li>{} {}: {}</li>\n",
            escaped(run.verdict.word()),
            escaped(&run.variant),
            escaped(&run.why)
        ));
    }
    out.push_str("</ul>\n");
    if let (Some(report), Some(folder)) = (&cell.report, &cell.folder) {
        out.push_str(&format!(
            "<p class=\"where\"><a href=\"{}\">Report</a>; captures and keys: <code>{}</code></p>\n",
            escaped(&format!("{}{report}", options.links)),
            escaped(&format!("{}/{folder}", options.folder)),
        ));
    }
    out + "</article>\n"
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("<li>{}</li>\n", escaped(&item))).collect();
    if items.is_empty() { items } else { format!("<ul>\n{items}</ul>\n") }
}

fn clients(matrix: &Matrix) -> String {
    let rows: Vec<Vec<String>> = matrix
        .clients
        .iter()
        .map(|client| {
            let said = |text: Option<String>| text.map_or_else(|| "–".to_owned(), |text| escaped(&text));
            vec![
                escaped(&client.name),
                said(client.implementation.clone()),
                said(client.capabilities.as_ref().map(|words| words.join(", "))),
                said(client.missing.clone()),
            ]
        })
        .collect();
    table("Clients", &["Client", "In its own words", "Declares", "Took no part because"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::sample;

    #[test]
    fn a_cell_has_its_letter_and_leads_to_its_report() {
        let options = MatrixOptions { links: "../r/".to_owned(), ..MatrixOptions::default() };
        let page = render(&sample::matrix(), &options).expect("renders");
        let expected = "<a class=\"badge bad\" href=\"../r/reference--theirs/report.html\" aria-label=\"reference calls \
                        theirs: fail, 1/2 variants passed\">F</a> 1/2<br><strong>worse</strong>";
        assert!(page.contains(expected), "{page}");
        assert!(page.contains("<span class=\"badge doubt\">N</span> 0/2"), "{page}");
    }

    #[test]
    fn names_and_reasons_are_no_markup() {
        let page = render(&sample::hostile(), &MatrixOptions::default()).expect("renders");
        assert!(!page.contains("<img") && page.contains("&lt;img src=x&gt;"), "{page}");
    }
}
