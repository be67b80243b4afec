//! The audit as one page for people: the answer, each stream with its pictures, then the evidence.
//!
//! Invariant: the page is bounded however many streams and findings there are, and says what it leaves out.

mod evidence;
mod pictures;
mod streams;

use model::audit::{Audit, AuditVerdict, Protection};

use super::{AuditFormat, DOES_NOT_SAY, REDACTED, answer};
use crate::format::RenderError;
use crate::options::Options;
use crate::page::{badge, copied, document, escaped, number, section, table};
use crate::utc::{between, utc};

/// `--format html`
pub static FORMAT: AuditFormat =
    AuditFormat { name: "html", about: "one page for people, with pictures", render };

/// Sections, in their order: what the list at the head names.
const CONTENTS: &[(&str, &str)] = &[
    ("answer", "Answer"),
    ("streams", "Streams"),
    ("findings", "Findings"),
    ("open", "Not concluded"),
    ("observer", "What an observer learns"),
    ("handshakes", "Handshakes"),
    ("captures", "Captures and keys"),
];

fn render(audit: &Audit, options: &Options) -> Result<String, RenderError> {
    let mut main = section("answer", "Who can hear what", &summary(audit));
    main.push_str(&section("streams", "Streams", &streams::told(audit)));
    main.push_str(&section("findings", "Findings", &evidence::findings(audit)));
    main.push_str(&section("open", "Not concluded", &evidence::open(audit)));
    main.push_str(&section(
        "observer",
        "What an observer learns without any key",
        &evidence::observer(audit),
    ));
    main.push_str(&section("handshakes", "Handshakes", &evidence::handshakes(audit)));
    main.push_str(&section("captures", "Captures and keys", &evidence::captures(audit)));
    let title = format!("{}: {}", audit.verdict, answer::verdict(audit.verdict).1);
    Ok(document(&title, "Who can hear this call?", CONTENTS, &main, &foot(audit, options)))
}

/// The answer: a verdict in words, then protections with their counts.
fn summary(audit: &Audit) -> String {
    let (tone, text) = answer::verdict(audit.verdict);
    let mut out = format!(
        "<p class=\"answer\">{} {}.</p>\n",
        badge(tone, audit.verdict.word()),
        escaped(&capitalised(text))
    );
    if audit.streams.is_empty() {
        out.push_str("<p>No media stream was found.</p>\n");
    } else {
        out.push_str(&counts(audit));
    }
    if audit.verdict == AuditVerdict::EndToEndConsistent {
        out.push_str(
            "<p>This is what the packets and the keys that were handed over allow to say, and no proof: see what was \
             not concluded.</p>\n",
        );
    }
    if let Some(times) = times(audit) {
        out.push_str(&format!("<p>{}</p>\n", escaped(&times)));
    }
    out
}

fn counts(audit: &Audit) -> String {
    let rows = Protection::ALL.iter().filter_map(|protection| {
        let of: Vec<_> = audit.streams.iter().filter(|s| s.protection == *protection).collect();
        let packets = of.iter().map(|stream| stream.packets).sum();
        (!of.is_empty()).then(|| {
            vec![
                format!(
                    "{} <span class=\"where\">{}</span>",
                    badge(answer::tone(*protection), protection.word()),
                    escaped(&capitalised(answer::who(*protection)))
                ),
                number(of.len() as u64),
                number(packets),
            ]
        })
    });
    table(
        "Media streams by who can hear them",
        &["Who can hear it", "Streams", "Packets"],
        &rows.collect::<Vec<_>>(),
    )
}

/// When the captures begin and end.
fn times(audit: &Audit) -> Option<String> {
    let ns = |text: &Option<String>| text.as_ref().and_then(|ns| ns.parse::<u64>().ok());
    let first = audit.captures.iter().filter_map(|capture| ns(&capture.first_ns)).min()?.to_string();
    let last = audit.captures.iter().filter_map(|capture| ns(&capture.last_ns)).max()?.to_string();
    Some(format!("Recorded from {} to {} ({}).", utc(&first), utc(&last), between(&first, &last)))
}

fn foot(audit: &Audit, options: &Options) -> String {
    let mut out = format!("<p>{}</p>\n", escaped(DOES_NOT_SAY));
    if audit.redacted {
        out.push_str(&format!("<p>{REDACTED}</p>\n"));
    }
    if !options.command.is_empty() {
        out.push_str(&format!("<p>Made by this command:</p>\n{}", copied(&options.command)));
    }
    out.push_str(&format!(
        "<p>{} {}, schema {}. Packet numbers are Wireshark's; all times are UTC.</p>\n",
        escaped(&audit.tool.name),
        escaped(&audit.tool.version),
        escaped(&audit.schema)
    ));
    out
}

/// `text` with its first letter as a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn page(audit: &Audit) -> String {
        render(audit, &crate::sample::options()).expect("renders")
    }

    #[test]
    fn the_answer_comes_first() {
        let page = page(&sample::audit());
        let answer = page.find("Somebody beside the two ends can read or forge media").expect("an answer");
        for later in ["id=\"streams\"", "id=\"findings\"", "id=\"open\"", "id=\"captures\""] {
            assert!(page.find(later).expect(later) > answer, "{later}");
        }
    }

    #[test]
    fn a_page_loads_nothing_and_runs_nothing() {
        let page = page(&sample::audit());
        assert!(page.contains("default-src 'none'"));
        for leaving in ["<script", " src=", "url(h", "url(/", "@import", "href=\"h", "href=\"/", "onload"] {
            assert!(!page.contains(leaving), "{leaving}");
        }
    }

    #[test]
    fn names_of_a_capture_are_no_markup() {
        let hostile = "<img src=x onerror=alert(1)>\"'&";
        let mut audit = sample::audit();
        for stream in &mut audit.streams {
            for text in [
                &mut stream.id,
                &mut stream.interface,
                &mut stream.source,
                &mut stream.destination,
                &mut stream.ssrc,
                &mut stream.why,
            ] {
                *text = hostile.to_owned();
            }
            stream.codec = Some(hostile.to_owned());
            stream.opened.iter_mut().for_each(|opened| opened.owner = hostile.to_owned());
            stream.findings = vec![hostile.to_owned()];
        }
        for finding in &mut audit.findings {
            finding.check = hostile.to_owned();
            finding.text = hostile.to_owned();
            finding.filter = hostile.to_owned();
        }
        for capture in &mut audit.captures {
            capture.file = hostile.to_owned();
            capture.sha256 = Some(hostile.to_owned());
            capture.first_ns = Some(hostile.to_owned());
            capture.problems.iter_mut().for_each(|problem| problem.text = hostile.to_owned());
        }
        for handshake in &mut audit.handshakes {
            handshake.client = hostile.to_owned();
            handshake.cipher_suite = Some(hostile.to_owned());
            handshake.client_fingerprint = Some(hostile.to_owned());
        }
        audit.not_concluded.iter_mut().for_each(|open| open.text = hostile.to_owned());
        audit.keys.iter_mut().for_each(|keys| keys.owner = hostile.to_owned());
        audit.packets.insert(hostile.to_owned(), 1);
        let options = Options { command: hostile.to_owned(), ..crate::sample::options() };
        let page = render(&audit, &options).expect("renders");
        assert!(!page.contains("<img") && page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
    }

    #[test]
    fn a_page_of_very_many_streams_stays_small_and_says_what_it_leaves_out() {
        let mut audit = sample::audit();
        audit.streams = vec![audit.streams[0].clone(); 50_000];
        audit.findings = vec![audit.findings[0].clone(); 50_000];
        audit.findings.iter_mut().for_each(|finding| finding.packets = (0..100).collect());
        audit.handshakes = vec![audit.handshakes[0].clone(); 20_000];
        audit.not_concluded = vec![audit.not_concluded[0].clone(); 20_000];
        let page = page(&audit);
        assert!(page.len() < 2_000_000, "{}", page.len());
        assert!(page.contains("more streams; --format json has all"), "streams");
        assert!(page.contains("more like this; --format json has all"), "findings");
    }

    #[test]
    fn nothing_found_is_said() {
        let audit = Audit { streams: Vec::new(), ..sample::audit() };
        assert!(page(&audit).contains("No media stream was found"));
    }
}
