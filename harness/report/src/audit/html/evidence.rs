//! What the answer rests on: findings with packets and filters, open questions, handshakes, captures and keys.

use std::collections::{BTreeMap, BTreeSet};

use model::audit::{Audit, AuditFinding, CaptureFile, Handshake, Severity};

use crate::page::{Tone, badge, beyond, copied, escaped, number, table};
use crate::utc::utc;

/// Findings of one check that are told.
const ALIKE: usize = 12;
/// Packets of a finding that are named.
const NAMED: usize = 20;
/// Handshakes, questions, captures and places of damage that are told.
const TOLD: usize = 60;

/// Where the findings of a check stand on the page.
pub fn anchor(check: &str) -> String {
    let letters = check.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    format!("check-{}", letters.collect::<String>())
}

/// Every finding that is told, the weightiest checks first.
pub fn findings(audit: &Audit) -> String {
    let mut by_check: BTreeMap<(Severity, &str), Vec<&AuditFinding>> = BTreeMap::new();
    for finding in &audit.findings {
        by_check.entry((finding.severity, finding.check.as_str())).or_default().push(finding);
    }
    let mut out = String::new();
    let mut seen = BTreeSet::new();
    for ((severity, check), all) in by_check {
        let tone = match severity {
            Severity::Failure => Tone::Bad,
            Severity::Warning => Tone::Doubt,
            Severity::Advisory => Tone::Plain,
        };
        // A check may stand under two severities; the first is where links lead.
        let id = if seen.insert(check) { format!(" id=\"{}\"", anchor(check)) } else { String::new() };
        out.push_str(&format!("<h3{id}>{} {}</h3>\n<ul>\n", badge(tone, severity.word()), escaped(check)));
        for finding in all.iter().take(ALIKE) {
            out.push_str(&told(finding, audit.captures.len()));
        }
        out.push_str("</ul>\n");
        out.push_str(&beyond(all.len(), ALIKE, "like this"));
    }
    if out.is_empty() { "<p>None.</p>\n".to_owned() } else { out }
}

fn told(finding: &AuditFinding, captures: usize) -> String {
    let capture = match captures {
        0 | 1 => String::new(),
        _ => format!("Capture {}. ", finding.capture + 1),
    };
    format!(
        "<li>{}<br><span class=\"where\">{capture}{}</span>{}</li>\n",
        escaped(&finding.text),
        packets(&finding.packets, finding.packets_total),
        match finding.filter.is_empty() {
            true => String::new(),
            false =>
                format!("<br>\n<span class=\"where\">Wireshark filter:</span>{}", copied(&finding.filter)),
        }
    )
}

fn packets(named: &[u64], total: u64) -> String {
    let numbers: Vec<String> = named.iter().take(NAMED).map(u64::to_string).collect();
    match (numbers.len() as u64, total) {
        (0, 0) => String::new(),
        (0, total) => format!("{} packets", number(total)),
        (1, 1) => format!("Packet {}", numbers.join("")),
        (told, total) if total > told => {
            format!("Packets {}, … ({} in all)", numbers.join(", "), number(total))
        }
        _ => format!("Packets {}", numbers.join(", ")),
    }
}

/// What could not be concluded, and what would settle it.
pub fn open(audit: &Audit) -> String {
    if audit.not_concluded.is_empty() {
        return "<p>Nothing that the captures raise was left open.</p>\n".to_owned();
    }
    let rows = audit.not_concluded.iter().take(TOLD);
    let rows: Vec<Vec<String>> =
        rows.map(|open| vec![escaped(&open.text), escaped(&open.would_settle_it)]).collect();
    table("Open questions", &["What is open", "Evidence that would settle it"], &rows)
        + &beyond(audit.not_concluded.len(), TOLD, "questions")
}

/// What metadata tell: who, with whom, when, how much.
pub fn observer(audit: &Audit) -> String {
    let ends: BTreeSet<(&str, &str)> =
        audit.streams.iter().map(|s| both(&s.source, &s.destination)).collect();
    let mut lines = Vec::new();
    if !audit.streams.is_empty() {
        let packets = audit.streams.iter().map(|stream| stream.packets).sum();
        lines.push(format!(
            "Who talks with whom: {} pairs of addresses and ports exchange media.",
            number(ends.len() as u64)
        ));
        lines.push(format!(
            "When, how long and how much: start and end of {} streams, and the size and time of each of {} packets.",
            number(audit.streams.len() as u64),
            number(packets)
        ));
        lines.push(
            "What kind of media: payload type, sequence number, time stamp and SSRC of each RTP header."
                .to_owned(),
        );
    }
    let certificates: BTreeSet<&String> = audit
        .handshakes
        .iter()
        .flat_map(|handshake| [&handshake.client_fingerprint, &handshake.server_fingerprint])
        .flatten()
        .collect();
    if !certificates.is_empty() {
        lines.push(format!(
            "Which devices: {} certificates are in the clear, and the same one in another call links the two.",
            certificates.len()
        ));
    }
    for (check, all) in advisory(audit) {
        lines.push(format!(
            "<a href=\"#{}\">{}</a>: {} findings.",
            anchor(check),
            escaped(check),
            number(all)
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("<ul>{}</ul>\n", lines.iter().map(|line| format!("<li>{line}</li>\n")).collect::<String>())
}

fn advisory(audit: &Audit) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for finding in audit.findings.iter().filter(|finding| finding.severity == Severity::Advisory) {
        *counts.entry(finding.check.as_str()).or_default() += 1;
    }
    counts
}

fn both<'a>(source: &'a str, destination: &'a str) -> (&'a str, &'a str) {
    if source <= destination { (source, destination) } else { (destination, source) }
}

/// Every DTLS handshake that is told.
pub fn handshakes(audit: &Audit) -> String {
    if audit.handshakes.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = audit.handshakes.iter().take(TOLD).map(handshake).collect();
    table(
        "DTLS handshakes",
        &["Client → server", "Version, suite, SRTP profile", "Certificates (SHA-256)", "Packets"],
        &rows,
    ) + &beyond(audit.handshakes.len(), TOLD, "handshakes")
}

fn handshake(handshake: &Handshake) -> Vec<String> {
    let seen = |text: &Option<String>, else_: &str| escaped(text.as_deref().unwrap_or(else_));
    let numbers = packets(&handshake.packets, handshake.packets.len() as u64);
    vec![
        format!(
            "{} → {} <span class=\"where\">{}</span>",
            escaped(&handshake.client),
            escaped(&handshake.server),
            escaped(&handshake.interface)
        ),
        format!(
            "{}<br>{}<br>{}",
            seen(&handshake.version, "version not seen"),
            breaking(&seen(&handshake.cipher_suite, "suite not seen")),
            breaking(&seen(&handshake.srtp_profile, "profile not seen"))
        ),
        format!(
            "client: <span class=\"mono\">{}</span><br>server: <span class=\"mono\">{}</span>",
            seen(&handshake.client_fingerprint, "not seen"),
            seen(&handshake.server_fingerprint, "not seen")
        ),
        numbers,
    ]
}

/// A long name that may go on in the next line behind each of its words.
fn breaking(name: &str) -> String {
    name.replace('_', "_<wbr>")
}

/// The captures as they were handed over, and the keys.
pub fn captures(audit: &Audit) -> String {
    let mut out = String::new();
    for (at, capture) in audit.captures.iter().take(TOLD).enumerate() {
        out.push_str(&file(at, capture));
    }
    out.push_str(&beyond(audit.captures.len(), TOLD, "captures"));
    if !audit.packets.is_empty() {
        let rows: Vec<Vec<String>> =
            audit.packets.iter().map(|(class, count)| vec![escaped(class), number(*count)]).collect();
        out.push_str(&table("Packets by class", &["Class", "Packets"], &rows));
    }
    if !audit.keys.is_empty() {
        let rows = audit.keys.iter().take(TOLD).map(|keys| {
            let complete = if keys.complete {
                "declared to be all that the owner holds"
            } else {
                "not declared complete"
            };
            vec![escaped(&keys.owner), keys.keys.to_string(), complete.to_owned()]
        });
        out.push_str(&table(
            "Keys that were handed over; the owner is the submitter's statement",
            &["Owner", "Keys", "Complete"],
            &rows.collect::<Vec<_>>(),
        ));
    }
    out
}

fn file(at: usize, capture: &CaptureFile) -> String {
    let mut out = format!("<h3>Capture {}: {}</h3>\n<dl>\n", at + 1, escaped(&capture.file));
    let mut add = |name: &str, value: &str| out.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>\n"));
    add("Read", &format!("{} packets, {} bytes", number(capture.packets), number(capture.bytes)));
    if let (Some(first), Some(last)) = (&capture.first_ns, &capture.last_ns) {
        add("Time", &format!("{} to {}", escaped(&utc(first)), escaped(&utc(last))));
    }
    let hash = capture.sha256.as_deref().unwrap_or("left out");
    add("SHA-256 as received", &format!("<span class=\"mono\">{}</span>", escaped(hash)));
    if let Some(hash) = &capture.unpacked_sha256 {
        add("SHA-256 as unpacked", &format!("<span class=\"mono\">{}</span>", escaped(hash)));
    }
    for problem in capture.problems.iter().take(TOLD) {
        add(&format!("Damage at byte {}", number(problem.offset)), &escaped(&problem.text));
    }
    out.push_str("</dl>\n");
    out.push_str(&beyond(capture.problems.len(), TOLD, "places that could not be read"));
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(&[], 0, "")]
    #[case::only_counted(&[], 7, "7 packets")]
    #[case::one(&[3], 1, "Packet 3")]
    #[case::all(&[3, 4], 2, "Packets 3, 4")]
    #[case::more(&[3, 4], 1_200, "Packets 3, 4, … (1\u{202f}200 in all)")]
    fn packets_are_named_and_counted(#[case] named: &[u64], #[case] total: u64, #[case] expected: &str) {
        assert_eq!(packets(named, total), expected);
    }

    #[test]
    fn an_anchor_is_a_name_and_nothing_else() {
        assert_eq!(anchor("streams/a \"><b>"), "check-streams-a----b-");
    }
}
