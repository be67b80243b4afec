//! Pictures of a stream, drawn from the numbers of the audit; each says in words what it shows.

use model::audit::{AuditStream, Column, Span};

use crate::page::{escaped, number};
use crate::utc::{between, utc};

/// Units of a timeline's drawing.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 72.0;
/// How many times as high as the average a bar is drawn at most.
const STEEPEST: f64 = 4.0;
/// Phases of a stream that are told in words.
const PHASES: usize = 12;

/// The kinds of packets, from the bottom of a bar to its top.
const KINDS: [&str; 4] = ["plaintext", "opened", "refused", "protected"];

/// What the fillings of timelines mean.
pub const LEGEND: &str = r#"<p id="legend">Packets over time are drawn as</p>
<ul class="legend" aria-labelledby="legend">
<li><svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" class="f-plaintext"/></svg> plaintext: readable without a key (red, striped)</li>
<li><svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" class="f-opened"/></svg> opened with a key (brown, dotted)</li>
<li><svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" class="f-refused"/></svg> refused: the stream's key does not open them (purple, crossed)</li>
<li><svg width="22" height="14" aria-hidden="true"><rect width="22" height="14" class="f-protected"/></svg> protected: not opened (blue, plain)</li>
</ul>
"#;

/// Packets of a span by kind, in the order of [`KINDS`].
fn kinds(span: &Span) -> [u64; 4] {
    let named = span.plaintext.saturating_add(span.opened).saturating_add(span.refused);
    [span.plaintext, span.opened, span.refused, span.packets.saturating_sub(named)]
}

/// Nanoseconds in decimal; 0 where it is no time.
fn ns(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// Packets a second. A span that begins with its first packet has one interval less than packets, which changes little
/// in a span of many and gives one of a single packet no rate.
fn rate(span: &Span) -> f64 {
    let width = ns(&span.to_ns).saturating_sub(ns(&span.from_ns));
    if width == 0 { 0.0 } else { span.packets as f64 * 1e9 / width.max(1_000_000) as f64 }
}

/// Packets over time by kind; empty where no times are known.
pub fn timeline(at: usize, stream: &AuditStream) -> String {
    let (Some(first), Some(last)) = (stream.timeline.first(), stream.timeline.last()) else {
        return String::new();
    };
    let (from, to) = (ns(&first.from_ns), ns(&last.to_ns));
    let highest = stream.timeline.iter().map(rate).fold(1e-9, f64::max);
    let packets = stream.timeline.iter().map(|span| span.packets).sum::<u64>() as f64;
    // A burst of two packets would leave nothing of the other bars to be seen.
    let full = highest.min(STEEPEST * packets * 1e9 / to.saturating_sub(from).max(1) as f64).max(1e-9);
    let x = |at: u64| at.saturating_sub(from) as f64 / to.saturating_sub(from).max(1) as f64 * WIDTH;
    let mut paths = [const { String::new() }; 4];
    for span in &stream.timeline {
        let (left, right) = (x(ns(&span.from_ns)), x(ns(&span.to_ns)));
        let mut bottom = HEIGHT;
        for (path, packets) in paths.iter_mut().zip(kinds(span)) {
            if packets == 0 {
                continue;
            }
            // A single packet in the clear among thousands is still seen.
            let share = packets as f64 / span.packets.max(1) as f64;
            let height = (rate(span).min(full) * share.min(1.0) / full * (HEIGHT - 2.0)).max(1.5);
            bottom -= height;
            path.push_str(&format!("M{left:.1} {bottom:.1}H{right:.1}v{height:.1}H{left:.1}z"));
        }
    }
    let drawn = KINDS.iter().zip(&paths).filter(|(_, path)| !path.is_empty());
    let drawn: String =
        drawn.map(|(kind, path)| format!("<path class=\"f-{kind}\" d=\"{path}\"/>")).collect();
    format!(
        "<figure>\n<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-labelledby=\"tt-{at} td-{at}\"><title id=\"tt-{at}\">Packets over time</title><desc id=\"td-{at}\">{}\
         </desc>{drawn}</svg>\n<div class=\"ends\"><span>{}</span><span>{} later</span></div>\n\
         <figcaption>Packets over time; the highest bar is {} packets a second{}.</figcaption>\n{}</figure>\n",
        escaped(&totals(&stream.timeline)),
        escaped(&utc(&first.from_ns)),
        escaped(&between(&first.from_ns, &last.to_ns)),
        number(full.round() as u64),
        if full < highest { " or more" } else { "" },
        phases(&stream.timeline),
    )
}

/// How many packets of each kind there are.
fn totals(timeline: &[Span]) -> String {
    let sums = timeline.iter().map(kinds).fold([0_u64; 4], |mut sums, span| {
        sums.iter_mut().zip(span).for_each(|(sum, packets)| *sum += packets);
        sums
    });
    named(&sums)
}

fn named(counts: &[u64; 4]) -> String {
    let named = KINDS.iter().zip(counts).filter(|(_, count)| **count > 0);
    let named: Vec<String> = named.map(|(kind, count)| format!("{count} {kind}")).collect();
    if named.is_empty() { "no packets".to_owned() } else { named.join(", ") }
}

/// The same in words: neighbouring spans with packets of the same kinds are one phase.
fn phases(timeline: &[Span]) -> String {
    let start = timeline.first().map(|span| span.from_ns.clone()).unwrap_or_default();
    let mut all: Vec<([bool; 4], &Span, &Span, [u64; 4])> = Vec::new();
    for span in timeline {
        let counts = kinds(span);
        let present = counts.map(|count| count > 0);
        match all.last_mut() {
            Some((same, _, end, sums)) if *same == present => {
                *end = span;
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            _ => all.push((present, span, span, counts)),
        }
    }
    let line = |(_, first, last, counts): &([bool; 4], &Span, &Span, [u64; 4])| {
        format!(
            "<li>from {} to {} after the start: {}</li>\n",
            escaped(&between(&start, &first.from_ns)),
            escaped(&between(&start, &last.to_ns)),
            named(counts)
        )
    };
    let more = match all.len().saturating_sub(PHASES) {
        0 => String::new(),
        more => format!("<li>… and {more} more phases</li>\n"),
    };
    let told: String = all.iter().take(PHASES).map(line).collect();
    format!("<details><summary>The timeline in words</summary><ul>{told}{more}</ul></details>\n")
}

/// Structure against noise: how often the most frequent value of each byte stands there.
pub fn columns(at: usize, stream: &AuditStream) -> String {
    if stream.columns.iter().all(|column| column.of == 0) {
        return String::new();
    }
    const TOP: f64 = 14.0;
    const FULL: f64 = 90.0;
    const STEP: f64 = 24.0;
    let share = |column: &Column, count: u64| (count as f64 / column.of.max(1) as f64).min(1.0);
    let mut bars = String::new();
    for (place, column) in stream.columns.iter().enumerate() {
        let left = 42.0 + place as f64 * STEP;
        let height = (share(column, column.same) * FULL).max(0.5);
        let chance = TOP + FULL - share(column, column.by_chance) * FULL;
        bars.push_str(&format!(
            "<rect x=\"{left:.0}\" y=\"{:.1}\" width=\"18\" height=\"{height:.1}\" fill=\"#3d5a80\"/>\
             <path d=\"M{:.0} {chance:.1}h22\" stroke=\"#b3261e\" stroke-width=\"2\" stroke-dasharray=\"4 2\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" font-size=\"11\" text-anchor=\"middle\">{}</text>",
            TOP + FULL - height,
            left - 2.0,
            left + 9.0,
            TOP + FULL + 14.0,
            column.offset,
        ));
    }
    let width = 48.0 + stream.columns.len() as f64 * STEP;
    let told: Vec<String> = stream
        .columns
        .iter()
        .map(|column| {
            let percent = |count| (share(column, count) * 100.0).round();
            format!(
                "byte {}: {} %, by chance {} %",
                column.offset,
                percent(column.same),
                percent(column.by_chance)
            )
        })
        .collect();
    format!(
        "<figure>\n<svg class=\"columns\" viewBox=\"0 0 {width:.0} 124\" role=\"img\" aria-labelledby=\"ct-{at} cd-{at}\">\
         <title id=\"ct-{at}\">Structure against noise by byte position</title><desc id=\"cd-{at}\">{}</desc>\
         <path d=\"M40 {TOP}V{1}H{width:.0}\" fill=\"none\" stroke=\"#4a4a55\"/>\
         <text x=\"36\" y=\"18\" font-size=\"11\" text-anchor=\"end\">100%</text>\
         <text x=\"36\" y=\"{1}\" font-size=\"11\" text-anchor=\"end\">0%</text>{bars}</svg>\n\
         <figcaption>Structure against noise: how many packets have the most frequent value at each byte behind the RTP \
         header. The dashed line is what random bytes give; a bar far above it is structure, such as a codec's \
         header or a header of a frame layer.</figcaption>\n\
         <details><summary>The bytes in words</summary><p>{0}.</p></details></figure>\n",
        escaped(&told.join("; ")),
        TOP + FULL,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample;

    fn span(second: u64, packets: u64, plaintext: u64) -> Span {
        Span {
            from_ns: (second * 1_000_000_000).to_string(),
            to_ns: ((second + 1) * 1_000_000_000).to_string(),
            packets,
            plaintext,
            ..Span::default()
        }
    }

    fn stream() -> AuditStream {
        sample::audit().streams.swap_remove(1)
    }

    #[test]
    fn phases_are_told_where_the_kinds_change() {
        let told = phases(&[span(0, 50, 0), span(1, 50, 0), span(2, 50, 3), span(3, 50, 0)]);
        assert!(told.contains("from 0.00 s to 2.00 s after the start: 100 protected"), "{told}");
        assert!(told.contains("from 2.00 s to 3.00 s after the start: 3 plaintext, 47 protected"), "{told}");
    }

    #[test]
    fn one_packet_in_the_clear_among_thousands_is_drawn() {
        let timeline = vec![span(0, 100_000, 0), span(1, 100_000, 1)];
        let drawn = timeline_of(timeline);
        let path = drawn.split("f-plaintext\" d=\"").nth(1).expect("a path");
        assert!(path.starts_with("M300.0 70.5H600.0v1.5H300.0z"), "{path}");
    }

    /// Two packets a millisecond apart, then one each second.
    #[test]
    fn a_burst_leaves_the_other_bars_to_be_seen() {
        let mut spans: Vec<Span> = (0..10).map(|second| span(second, 10, 0)).collect();
        spans[0].to_ns = (ns(&spans[0].from_ns) + 1_000_000).to_string();
        let drawn = timeline_of(spans);
        assert!(drawn.contains("the highest bar is 40 packets a second or more."), "{drawn}");
        assert!(drawn.contains("v17.5H540.0z"), "a quarter of the height: {drawn}");
        let even = timeline_of((0..10).map(|second| span(second, 10, 0)).collect());
        assert!(even.contains("the highest bar is 10 packets a second."), "{even}");
    }

    fn timeline_of(spans: Vec<Span>) -> String {
        timeline(0, &AuditStream { timeline: spans, ..stream() })
    }

    #[test]
    fn impossible_numbers_draw_something() {
        let odd = Span {
            from_ns: "x".into(),
            to_ns: "-1".into(),
            packets: 1,
            plaintext: u64::MAX,
            ..span(0, 0, 0)
        };
        assert!(timeline_of(vec![odd]).contains("</figure>"));
        assert_eq!(timeline_of(Vec::new()), "");
        let nowhere = Column { offset: 0, same: 9, by_chance: 7, of: 0 };
        assert_eq!(columns(0, &AuditStream { columns: vec![nowhere], ..stream() }), "");
    }

    #[test]
    fn columns_say_their_shares() {
        let columns_of = vec![Column { offset: 0, same: 128, by_chance: 3, of: 128 }];
        let drawn = columns(0, &AuditStream { columns: columns_of, ..stream() });
        assert!(drawn.contains("byte 0: 100 %, by chance 2 %"), "{drawn}");
    }
}
