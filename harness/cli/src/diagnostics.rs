//! Mistakes in scenario files, shown with the lines that they stand in.

use miette::{GraphicalReportHandler, GraphicalTheme};
use scenario::Diagnostic;

use crate::failure::Failure;
use crate::surroundings::Surroundings;

/// All `mistakes` as one failure of usage.
pub fn mistaken(mistakes: &[Diagnostic], surroundings: &Surroundings) -> Failure {
    let coloured = surroundings.stderr_terminal && !surroundings.no_colour;
    let theme = if coloured { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(surroundings.width());
    let mut text = String::new();
    for mistake in mistakes {
        text.push('\n');
        if handler.render_report(&mut text, mistake).is_err() {
            text.push_str(&mistake.to_string());
        }
    }
    let many =
        if mistakes.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", mistakes.len()) };
    Failure::usage(format!("{many} in the scenarios, so nothing has run; correct what is pointed at\n{text}"))
}
