//! The audit for people: the answer, then each stream with what it rests on, then what was found and what stays open.

use std::collections::BTreeMap;

use model::audit::{Audit, AuditFinding, AuditStream, Protection, Severity};

use super::{AuditFormat, DOES_NOT_SAY, REDACTED, answer};
use crate::format::RenderError;
use crate::legible::{plain, wrap};
use crate::options::Options;
use crate::page;
use crate::terminal::paint::{Paint, Tone};

/// Streams that are told one by one; the others are counted.
const TOLD: usize = 40;
/// Findings of one check that are told one by one.
const ALIKE: usize = 3;
/// Characters of a filter.
const FILTER: usize = 160;

/// `--format terminal`
pub static FORMAT: AuditFormat = AuditFormat { name: "terminal", about: "a report for people", render };

fn render(audit: &Audit, options: &Options) -> Result<String, RenderError> {
    let paint = Paint { colour: options.colour };
    let width = options.width;
    let mut out = answer(audit, paint, width);
    for stream in audit.streams.iter().take(TOLD) {
        out.push_str(&told(stream, paint, width));
    }
    beyond(&mut out, audit.streams.len(), "streams");
    findings(&mut out, audit, paint, options);
    open(&mut out, audit, width);
    captures(&mut out, audit, width);
    out.push('\n');
    if audit.redacted {
        out.push_str(&wrap("", REDACTED, width));
    }
    out.push_str(&wrap("", DOES_NOT_SAY, width));
    Ok(out)
}

fn answer(audit: &Audit, paint: Paint, width: usize) -> String {
    let of = |protection: Protection| audit.streams.iter().filter(|s| s.protection == protection).count();
    let counted: Vec<String> = Protection::ALL
        .iter()
        .filter(|protection| of(**protection) > 0)
        .map(|protection| format!("{} {protection}", of(*protection)))
        .collect();
    let (tone, text) = answer::verdict(audit.verdict);
    let streams = match audit.streams.len() {
        0 => "no media stream was found".to_owned(),
        1 => format!("1 media stream: {}", counted.join(", ")),
        many => format!("{many} media streams: {}", counted.join(", ")),
    };
    let head = paint.tone(painted(tone), audit.verdict.word());
    format!("{head}  {text}\n{}\n", wrap("", &streams, width))
}

fn painted(tone: page::Tone) -> Tone {
    match tone {
        page::Tone::Good => Tone::Good,
        page::Tone::Bad => Tone::Bad,
        page::Tone::Doubt => Tone::Doubt,
        page::Tone::Plain => Tone::Faint,
    }
}

fn told(stream: &AuditStream, paint: Paint, width: usize) -> String {
    let tone = painted(answer::tone(stream.protection));
    let head = paint.tone(tone, stream.protection.word());
    let codec = stream.codec.as_deref().unwrap_or("codec unknown");
    let mut out = format!(
        "{head}  {}: {} > {}  ssrc {}  {} ({}..{})  payload type {}, {}\n",
        plain(&stream.interface),
        plain(&stream.source),
        plain(&stream.destination),
        plain(&stream.ssrc),
        packets(stream.packets),
        stream.first_packet,
        stream.last_packet,
        stream.payload_type,
        plain(codec),
    );
    out.push_str(&wrap("    ", &plain(&stream.why), width));
    out.push_str(&answer::offset(stream).map(|text| wrap("    ", &text, width)).unwrap_or_default());
    for opened in &stream.opened {
        let text = format!(
            "{} opened {} of {} packets ({})",
            plain(&opened.owner),
            opened.packets,
            stream.packets,
            opened.layer
        );
        out.push_str(&wrap("    ", &text, width));
    }
    out
}

fn findings(out: &mut String, audit: &Audit, paint: Paint, options: &Options) {
    if audit.findings.is_empty() {
        return;
    }
    out.push_str("\nfindings\n");
    let mut by_check: BTreeMap<(Severity, &str), Vec<&AuditFinding>> = BTreeMap::new();
    for finding in &audit.findings {
        by_check.entry((finding.severity, finding.check.as_str())).or_default().push(finding);
    }
    for ((severity, check), all) in by_check {
        let tone = match severity {
            Severity::Failure => Tone::Bad,
            Severity::Warning => Tone::Doubt,
            Severity::Advisory => Tone::Faint,
        };
        out.push_str(&format!("{}  {}\n", paint.tone(tone, severity.word()), plain(check)));
        for finding in all.iter().take(ALIKE) {
            out.push_str(&wrap("    ", &plain(&finding.text), options.width));
            out.push_str(&format!("        Wireshark: {}\n", shortened(&plain(&finding.filter))));
        }
        if all.len() > ALIKE {
            out.push_str(&format!("    … and {} more like this; --format json has all\n", all.len() - ALIKE));
        }
    }
}

/// A filter of many packets is too long to read; the JSON has the whole.
fn shortened(filter: &str) -> String {
    if filter.chars().count() <= FILTER {
        return filter.to_owned();
    }
    let short: String = filter.chars().take(FILTER).collect();
    let (kept, _) = short.rsplit_once(", ").unwrap_or((&short, ""));
    format!("{kept}}}  (the first ones; --format json has all)")
}

fn open(out: &mut String, audit: &Audit, width: usize) {
    if audit.not_concluded.is_empty() {
        return;
    }
    out.push_str("\nnot concluded\n");
    for open in &audit.not_concluded {
        out.push_str(&wrap("  - ", &plain(&open.text), width));
        out.push_str(&wrap("    would settle it: ", &plain(&open.would_settle_it), width));
    }
}

fn captures(out: &mut String, audit: &Audit, width: usize) {
    out.push('\n');
    for capture in &audit.captures {
        out.push_str(&format!(
            "{}  {}, {} bytes\n",
            plain(&capture.file),
            packets(capture.packets),
            capture.bytes
        ));
        if let Some(hash) = &capture.sha256 {
            out.push_str(&format!("    sha256 {}\n", plain(hash)));
        }
        if let Some(hash) = &capture.unpacked_sha256 {
            out.push_str(&format!("    sha256 {} unpacked\n", plain(hash)));
        }
        for problem in &capture.problems {
            out.push_str(&wrap(
                "    ",
                &format!("at byte {}: {}", problem.offset, plain(&problem.text)),
                width,
            ));
        }
    }
    let classes: Vec<String> =
        audit.packets.iter().map(|(class, count)| format!("{count} {}", plain(class))).collect();
    if !classes.is_empty() {
        out.push_str(&wrap("packets by class: ", &classes.join(", "), width));
    }
    for keys in &audit.keys {
        let complete = if keys.complete { ", declared complete by the submitter" } else { "" };
        out.push_str(&format!("keys of {}: {}{complete}\n", plain(&keys.owner), keys.keys));
    }
}

fn packets(count: u64) -> String {
    format!("{count} packet{}", if count == 1 { "" } else { "s" })
}

fn beyond(out: &mut String, count: usize, what: &str) {
    if count > TOLD {
        out.push_str(&format!("… and {} more {what}; --format json has all\n", count - TOLD));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_answer_comes_first() {
        let text = render(&sample::audit(), &crate::sample::options()).expect("renders");
        insta::assert_snapshot!(text);
    }
}
