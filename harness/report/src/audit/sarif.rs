//! The audit as SARIF 2.1.0, for code-scanning services and viewers of findings.
//!
//! A stream is a result of the rule `streams/protection`: `fail` where somebody can hear it, `pass` where nobody whose
//! keys were handed over can, `open` where it was not shown. A finding is a result of its check, and what could not be
//! concluded is `open`. Captures are artifacts; packets are logical locations, since SARIF has no word for them.

use std::collections::BTreeMap;

use model::audit::{Audit, AuditFinding, AuditStream, CaptureFile, NotConcluded, Severity};
use serde_json::{Value, json};

use super::{AuditFormat, DOES_NOT_SAY, answer};
use crate::format::RenderError;
use crate::json::escaped;
use crate::legible::plain;
use crate::options::Options;
use crate::page::Tone;

/// `--format sarif`
pub static FORMAT: AuditFormat =
    AuditFormat { name: "sarif", about: "SARIF 2.1.0, for services that collect findings", render };

/// Where the schema stands.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Results that are written; services take no more of one run.
const RESULTS: usize = 25_000;
/// Packets of a finding that are locations.
const LOCATED: usize = 20;
/// The rule of streams.
const PROTECTION: &str = "streams/protection";
/// The rule of open questions.
const OPEN: &str = "audit/not-concluded";

fn render(audit: &Audit, options: &Options) -> Result<String, RenderError> {
    let rules = Rules::of(audit);
    let uris: Vec<String> = audit.captures.iter().map(|capture| uri(&capture.file)).collect();
    let all = audit.findings.iter().map(|finding| rules.finding(finding, &uris));
    let all = all.chain(audit.streams.iter().map(|stream| rules.stream(stream, &uris)));
    let all = all.chain(audit.not_concluded.iter().map(|open| rules.open(open)));
    let results: Vec<Value> = all.take(RESULTS).collect();
    let count = audit.findings.len() + audit.streams.len() + audit.not_concluded.len();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": audit.tool.name,
                "version": audit.tool.version,
                "rules": rules.told(options),
            } },
            "invocations": [invocation(audit, options, &uris, count)],
            "artifacts": audit.captures.iter().zip(&uris).map(artifact).collect::<Vec<_>>(),
            "results": results,
            "properties": { "verdict": audit.verdict, "doesNotSay": DOES_NOT_SAY },
        }],
    });
    Ok(escaped(&serde_json::to_string_pretty(&document)?))
}

/// Rules of the audit's results, by name, with their weight.
struct Rules<'a>(BTreeMap<&'a str, Severity>);

impl<'a> Rules<'a> {
    fn of(audit: &'a Audit) -> Self {
        let mut rules = BTreeMap::from([(PROTECTION, Severity::Failure), (OPEN, Severity::Advisory)]);
        for finding in &audit.findings {
            let weight = rules.entry(finding.check.as_str()).or_insert(finding.severity);
            *weight = (*weight).min(finding.severity);
        }
        Self(rules)
    }

    fn told(&self, options: &Options) -> Vec<Value> {
        let told = |(name, severity): (&&str, &Severity)| {
            let known = options.catalogue.checks.get(*name).map(|entry| plain(&entry.summary));
            let text = match *name {
                PROTECTION => "who can hear a media stream".to_owned(),
                OPEN => "what the captures do not answer".to_owned(),
                name => known.unwrap_or_else(|| plain(name)),
            };
            json!({
                "id": plain(name),
                "shortDescription": { "text": text },
                "defaultConfiguration": { "level": level(*severity) },
            })
        };
        self.0.iter().map(told).collect()
    }

    fn index(&self, name: &str) -> usize {
        self.0.keys().position(|rule| *rule == name).unwrap_or_default()
    }

    fn finding(&self, finding: &AuditFinding, uris: &[String]) -> Value {
        json!({
            "ruleId": plain(&finding.check),
            "ruleIndex": self.index(&finding.check),
            "kind": "fail",
            "level": level(finding.severity),
            "message": { "text": plain(&finding.text) },
            "locations": locations(finding.capture, &finding.packets, uris),
            "properties": {
                "packets": finding.packets,
                "packetsTotal": finding.packets_total,
                "wiresharkFilter": plain(&finding.filter),
            },
        })
    }

    fn stream(&self, stream: &AuditStream, uris: &[String]) -> Value {
        let (kind, level) = match answer::tone(stream.protection) {
            Tone::Bad => ("fail", "error"),
            Tone::Good => ("pass", "none"),
            Tone::Doubt | Tone::Plain => ("open", "none"),
        };
        let text = format!(
            "{}: {} ({}). {}",
            plain(&stream.id),
            stream.protection,
            answer::who_hears(stream),
            plain(&stream.why)
        );
        let mut ends = vec![stream.first_packet];
        ends.extend((stream.last_packet != stream.first_packet).then_some(stream.last_packet));
        json!({
            "ruleId": PROTECTION,
            "ruleIndex": self.index(PROTECTION),
            "kind": kind,
            "level": level,
            "message": { "text": text },
            "locations": locations(stream.capture, &ends, uris),
            "properties": { "protection": stream.protection, "packetsTotal": stream.packets },
        })
    }

    fn open(&self, open: &NotConcluded) -> Value {
        let text = format!("{}; would settle it: {}", plain(&open.text), plain(&open.would_settle_it));
        json!({
            "ruleId": OPEN,
            "ruleIndex": self.index(OPEN),
            "kind": "open",
            "level": "none",
            "message": { "text": text },
        })
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Failure => "error",
        Severity::Warning => "warning",
        Severity::Advisory => "note",
    }
}

/// One location in the capture, with its packets.
fn locations(capture: usize, packets: &[u64], uris: &[String]) -> Value {
    let Some(uri) = uris.get(capture) else { return json!([]) };
    let packets: Vec<Value> = packets
        .iter()
        .take(LOCATED)
        .map(|number| json!({ "name": format!("packet {number}"), "kind": "packet" }))
        .collect();
    let mut location = json!({
        "physicalLocation": { "artifactLocation": { "uri": uri, "index": capture } },
    });
    if !packets.is_empty() {
        location["logicalLocations"] = Value::Array(packets);
    }
    json!([location])
}

fn artifact((capture, uri): (&CaptureFile, &String)) -> Value {
    let mut artifact = json!({ "location": { "uri": uri }, "roles": ["analysisTarget"] });
    if let Some(hash) = &capture.sha256 {
        artifact["hashes"] = json!({ "sha-256": plain(hash) });
    }
    artifact["properties"] = json!({
        "packets": capture.packets,
        "unpackedBytes": capture.bytes,
        "unpackedSha256": capture.unpacked_sha256.as_deref().map(plain),
    });
    artifact
}

/// How it was made, with the places that could not be read and what is left out.
fn invocation(audit: &Audit, options: &Options, uris: &[String], count: usize) -> Value {
    let damage = audit.captures.iter().enumerate().flat_map(|(index, capture)| {
        capture.problems.iter().map(move |problem| {
            json!({
                "level": "warning",
                "message": { "text": plain(&problem.text) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": uris.get(index), "index": index },
                    "region": { "byteOffset": problem.offset },
                } }],
            })
        })
    });
    let mut told: Vec<Value> = damage.take(RESULTS).collect();
    if count > RESULTS {
        let text = format!("{} results are left out; --format json has all", count - RESULTS);
        told.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    let mut invocation = json!({ "executionSuccessful": true, "toolExecutionNotifications": told });
    if !options.command.is_empty() {
        invocation["commandLine"] = json!(plain(&options.command));
    }
    invocation
}

/// A path as a relative or absolute reference (RFC 3986 §4.2): what is no unreserved character is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    match out.starts_with('/') {
        true => format!("file://{out}"),
        false => out,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::sample;
    use super::*;

    fn rendered(audit: &Audit) -> Value {
        serde_json::from_str(&render(audit, &crate::sample::options()).expect("renders")).expect("json")
    }

    #[test]
    fn every_finding_stream_and_question_is_a_result_of_a_rule_that_is_there() {
        let audit = sample::audit();
        let document = rendered(&audit);
        let run = &document["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), audit.findings.len() + audit.streams.len() + audit.not_concluded.len());
        for result in results {
            let index = result["ruleIndex"].as_u64().expect("an index") as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            // SARIF 2.1.0 §3.27.10: a result that is no failure has the level `none`.
            let fails = result["kind"] == "fail";
            assert_eq!(result["level"] != "none", fails, "{result}");
        }
        insta::assert_json_snapshot!(document);
    }

    #[rstest]
    #[case::relative("a/b.pcap", "a/b.pcap")]
    #[case::absolute("/tmp/b.pcap", "file:///tmp/b.pcap")]
    #[case::standard_input("-", "-")]
    #[case::looks_like_a_scheme("javascript:alert(1)", "javascript%3Aalert%281%29")]
    #[case::blanks_and_controls("a b\u{1b}\\é#?", "a%20b%1B%5C%C3%A9%23%3F")]
    fn paths_are_references(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(uri(path), expected);
    }

    #[test]
    fn results_beyond_the_bound_are_counted() {
        let mut audit = sample::audit();
        audit.findings = vec![audit.findings[0].clone(); RESULTS + 5];
        let document = rendered(&audit);
        assert_eq!(document["runs"][0]["results"].as_array().expect("results").len(), RESULTS);
        let told = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"];
        let text = told.as_array().and_then(|told| told.last()).expect("a notification").to_string();
        assert!(text.contains("8 results are left out"), "{text}");
    }

    #[test]
    fn a_finding_of_a_capture_that_is_not_there_has_no_location() {
        let mut audit = sample::audit();
        audit.findings[0].capture = 7;
        assert_eq!(rendered(&audit)["runs"][0]["results"][0]["locations"], json!([]));
    }
}
