//! The ladder of a variant: messages as arrows between the lanes of those who exchange them, and the same as a table.

use model::results::LadderStep;

use crate::page::{escaped, table};

/// Units between two lanes, and between two steps.
const LANE: usize = 170;
const STEP: usize = 30;
/// Units above the first step.
const HEAD: usize = 40;
/// Lanes that are drawn.
const LANES: usize = 10;
/// Letters of a name and of a message in the picture; the table has the whole.
const NAME: usize = 22;
const MESSAGE: usize = 44;

/// The picture with its table; empty where no step is known.
pub fn figure(at: usize, steps: &[LadderStep]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let lanes = lanes(steps);
    let width = LANE * lanes.len().max(1);
    let height = HEAD + STEP * steps.len() + 12;
    let x = |lane: usize| LANE / 2 + LANE * lane;
    let mut drawn = String::new();
    for (lane, name) in lanes.iter().enumerate() {
        drawn.push_str(&format!(
            "<text x=\"{0}\" y=\"16\" font-size=\"12\" font-weight=\"700\" text-anchor=\"middle\">{1}</text>\
             <path d=\"M{0} 24V{height}\" stroke=\"#9a9aa6\"/>",
            x(lane),
            escaped(&shortened(name, NAME))
        ));
    }
    for (row, step) in steps.iter().enumerate() {
        let place = |name: &str| lanes.iter().position(|lane| *lane == name);
        if let (Some(from), Some(to)) = (place(&step.from), place(&step.to)) {
            drawn.push_str(&arrow(x(from), x(to), HEAD + STEP * row + STEP / 2, step));
        }
    }
    format!(
        "<h4>Messages</h4>\n<figure>\n<div class=\"scroll\" role=\"region\" aria-label=\"Ladder of messages\" \
         tabindex=\"0\"><svg class=\"ladder\" viewBox=\"0 0 {width} {height}\" style=\"min-width:{}px;max-width:{width}px\" \
         role=\"img\" aria-labelledby=\"lt-{at} ld-{at}\"><title id=\"lt-{at}\">Ladder of messages</title>\
         <desc id=\"ld-{at}\">{} steps between {}; the table below has them all.</desc>{drawn}</svg></div>\n{}\
         <details><summary>The same as a table</summary>{}</details>\n</figure>\n",
        width * 3 / 4,
        steps.len(),
        escaped(&lanes.join(", ")),
        match steps.iter().any(|step| step.altered) {
            true =>
                "<figcaption>Dashed, with \u{2716}: made or altered by the man in the middle.</figcaption>\n",
            false => "",
        },
        rows(steps),
    )
}

/// Devices at the two sides, the first sender's at the left; what stands in between, in between.
fn lanes(steps: &[LadderStep]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in steps.iter().flat_map(|step| [step.from.as_str(), step.to.as_str()]) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let first = steps.iter().map(|step| step.from.as_str()).find(|name| name.contains('@'));
    let side = |name: &&str| match (Some(*name) == first, name.contains('@'), *name == "mallory") {
        (true, ..) => 0,
        (_, false, false) => 1,
        (_, false, true) => 2,
        _ => 3,
    };
    names.sort_by_key(side);
    names.truncate(LANES);
    names
}

fn arrow(from: usize, to: usize, y: usize, step: &LadderStep) -> String {
    let (colour, dashes, sign) = match step.altered {
        true => ("#9b1c15", " stroke-dasharray=\"5 3\"", "\u{2716} "),
        false => ("#1b1b1f", "", ""),
    };
    let tip = if to >= from { -8_i64 } else { 8 };
    format!(
        "<path d=\"M{from} {y}H{to}\" stroke=\"{colour}\"{dashes} fill=\"none\"/><path d=\"M{to} {y}l{tip} -4v8z\" \
         fill=\"{colour}\"/><text x=\"{}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\" stroke=\"#fff\" \
         stroke-width=\"3\" paint-order=\"stroke\">{sign}{}</text>",
        (from + to) / 2,
        y - 4,
        escaped(&shortened(&step.message, MESSAGE)),
    )
}

fn rows(steps: &[LadderStep]) -> String {
    let rows: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            vec![
                format!("{}.{:03}", step.at_ms / 1_000, step.at_ms % 1_000),
                escaped(&step.from),
                escaped(&step.to),
                match step.altered {
                    true => format!("{} (by the man in the middle)", escaped(&step.message)),
                    false => escaped(&step.message),
                },
                step.packet.map_or_else(|| "–".to_owned(), |number| number.to_string()),
            ]
        })
        .collect();
    table("Messages", &["Time in s", "From", "To", "Message", "Packet"], &rows)
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn caller_service_mallory_and_callee_stand_in_this_order() {
        let steps = sample::passed().ladder;
        let expected = ["alice@contoso.example", "call-service", "mallory", "bob@contoso.example"];
        assert_eq!(lanes(&steps), expected);
    }

    #[test]
    fn what_mallory_altered_is_marked_by_a_sign_and_in_words() {
        let drawn = figure(0, &sample::passed().ladder);
        assert!(drawn.contains("\u{2716} answer") && drawn.contains("by the man in the middle"), "{drawn}");
        assert_eq!(figure(0, &[]), "");
    }
}
