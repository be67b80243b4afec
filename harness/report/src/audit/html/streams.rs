//! The streams of a page: a table of all that are told, then one article each.

use model::audit::{Audit, AuditStream, Opened};

use super::{capitalised, pictures};
use crate::audit::answer;
use crate::page::{badge, beyond, escaped, number, table};

/// Streams that have an article of their own.
const TOLD: usize = 60;

/// Every stream that is told.
pub fn told(audit: &Audit) -> String {
    if audit.streams.is_empty() {
        return String::new();
    }
    let told = audit.streams.iter().take(TOLD).enumerate();
    let rows: Vec<Vec<String>> = told.clone().map(|(at, stream)| row(at, stream)).collect();
    let mut out = table("Streams, the worst first", &["Stream", "Who can hear it"], &rows);
    out.push_str(&beyond(audit.streams.len(), TOLD, "streams"));
    if audit.streams.iter().any(|stream| !stream.timeline.is_empty()) {
        out.push_str(pictures::LEGEND);
    }
    for (at, stream) in told {
        out.push_str(&article(at, stream));
    }
    out
}

fn codec(stream: &AuditStream) -> &str {
    stream.codec.as_deref().unwrap_or("codec unknown")
}

fn row(at: usize, stream: &AuditStream) -> Vec<String> {
    vec![
        format!(
            "<a href=\"#stream-{at}\">{} → {}</a> <span class=\"where\">at {}, ssrc {}, {}, {} packets</span>",
            escaped(&stream.source),
            escaped(&stream.destination),
            escaped(&stream.interface),
            escaped(&stream.ssrc),
            escaped(codec(stream)),
            number(stream.packets)
        ),
        format!(
            "{} {}",
            badge(answer::tone(stream.protection), stream.protection.word()),
            escaped(&answer::who_hears(stream))
        ),
    ]
}

fn article(at: usize, stream: &AuditStream) -> String {
    let mut out = format!(
        "<article id=\"stream-{at}\" aria-labelledby=\"h-stream-{at}\">\n<h3 id=\"h-stream-{at}\">{} → {} \
         <span class=\"where\">ssrc {}</span></h3>\n<p>{} {}.</p>\n<p>{}.</p>\n",
        escaped(&stream.source),
        escaped(&stream.destination),
        escaped(&stream.ssrc),
        badge(answer::tone(stream.protection), stream.protection.word()),
        escaped(&capitalised(&answer::who_hears(stream))),
        quoted(&capitalised(&stream.why)),
    );
    out.push_str(&format!(
        "<p class=\"where\">Capture {}, at {}; {} packets, numbers {} to {}; payload type {}, {}.</p>\n",
        stream.capture + 1,
        escaped(&stream.interface),
        number(stream.packets),
        stream.first_packet,
        stream.last_packet,
        stream.payload_type,
        escaped(codec(stream)),
    ));
    if let Some(text) = answer::offset(stream) {
        out.push_str(&format!("<p>{}.</p>\n", capitalised(&text)));
    }
    out.push_str(&opened(stream));
    out.push_str(&pictures::timeline(at, stream));
    out.push_str(&pictures::columns(at, stream));
    if !stream.findings.is_empty() {
        let links = stream.findings.iter().map(|check| {
            format!("<li><a href=\"#{}\">{}</a></li>", super::evidence::anchor(check), escaped(check))
        });
        out.push_str(&format!("<h4>Findings</h4>\n<ul>{}</ul>\n", links.collect::<String>()));
    }
    out.push_str("</article>\n");
    out
}

/// `text` with names between backticks as code.
fn quoted(text: &str) -> String {
    let text = escaped(text);
    if !text.matches('`').count().is_multiple_of(2) {
        return text;
    }
    let part = |(at, part): (usize, &str)| {
        if at % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }
    };
    text.split('`').enumerate().map(part).collect()
}

fn opened(stream: &AuditStream) -> String {
    let line = |opened: &Opened| {
        format!(
            "<li>{} opened {} of {} packets ({}).</li>\n",
            escaped(&opened.owner),
            number(opened.packets),
            number(stream.packets),
            escaped(&opened.layer)
        )
    };
    match stream.opened.is_empty() {
        true => String::new(),
        false => format!("<ul>{}</ul>\n", stream.opened.iter().map(line).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_name("keys of `sfu` open it", "keys of <code>sfu</code> open it")]
    #[case::no_name("nothing opens it", "nothing opens it")]
    #[case::one_backtick("keys of `sfu", "keys of `sfu")]
    #[case::markup("keys of `<b>`", "keys of <code>&lt;b&gt;</code>")]
    fn names_between_backticks_are_code(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quoted(text), expected);
    }
}
