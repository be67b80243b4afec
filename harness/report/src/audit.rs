//! Reports of an audit of captures: each file declares one [`AuditFormat`].

mod answer;
pub mod html;
pub mod json;
pub mod redact;
pub mod sarif;
pub mod terminal;

use model::audit::Audit;

use crate::format::RenderError;
use crate::options::Options;

/// One way to render an audit.
pub struct AuditFormat {
    /// The value of `--format`.
    pub name: &'static str,
    /// What it is for, in one clause.
    pub about: &'static str,
    /// The whole report; it ends in a line feed.
    pub render: fn(&Audit, &Options) -> Result<String, RenderError>,
}

/// Every format, in the order in which the help lists them.
pub static AUDIT_FORMATS: &[&AuditFormat] =
    &[&terminal::FORMAT, &json::FORMAT, &sarif::FORMAT, &html::FORMAT];

/// What stands in place of addresses and names.
pub const REDACTED: &str =
    "Addresses and names are replaced by pseudonyms; the same one stands for the same everywhere.";

/// What no audit says, whatever its verdict.
pub const DOES_NOT_SAY: &str = "Media content only: who called whom, when, for how long, sizes and headers remain \
    visible. Who holds which key is the submitter's statement. Not covered: compromised devices, keys that nobody \
    handed over, keys hidden on purpose, traffic analysis, people who do not compare codes.";

#[cfg(test)]
pub(crate) mod sample {
    use std::collections::BTreeMap;

    use model::audit::{
        Audit, AuditFinding, AuditStream, AuditVerdict, CaptureFile, CaptureProblem, Column, Handshake,
        KeysGiven, NotConcluded, Opened, Protection, SCHEMA, Severity, Span,
    };
    use model::record::Tool;

    fn stream(ssrc: &str, protection: Protection, why: &str) -> AuditStream {
        AuditStream {
            id: format!("0/10.0.0.1:5000 > 10.0.0.2:6000 {ssrc}"),
            protocol: if protection == Protection::Plaintext { "rtp" } else { "srtp" }.to_owned(),
            capture: 0,
            interface: "eth0".to_owned(),
            source: "10.0.0.1:5000".to_owned(),
            destination: "10.0.0.2:6000".to_owned(),
            ssrc: ssrc.to_owned(),
            payload_type: 111,
            codec: Some("opus".to_owned()),
            rtp_offset: 0,
            packets: 1_234,
            first_packet: 7,
            last_packet: 2_470,
            protection,
            why: why.to_owned(),
            opened: Vec::new(),
            findings: Vec::new(),
            timeline: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// An audit with a stream of each kind that matters, and a name that no terminal should obey.
    pub fn audit() -> Audit {
        let span = |second: u64, plaintext, opened| Span {
            from_ns: (1_700_000_000 + second).to_string() + "000000000",
            to_ns: (1_700_000_001 + second).to_string() + "000000000",
            packets: 50,
            plaintext,
            opened,
            refused: 50 - plaintext - opened,
        };
        let mut open = stream("ab000001", Protection::Plaintext, "byte 0 is the same in 128 of 128 packets");
        open.findings.push("streams/nothing-in-the-clear".to_owned());
        let mut hop =
            stream("ab000002", Protection::TransportOnly, "the hop keys of `sfu` open 1234 of 1234 packets");
        hop.opened.push(Opened { layer: "srtp".to_owned(), owner: "sfu".to_owned(), packets: 1_234 });
        open.timeline = vec![span(0, 50, 0), span(1, 50, 0)];
        open.columns = vec![Column { offset: 0, same: 128, by_chance: 5, of: 128 }; 12];
        hop.rtp_offset = 24;
        hop.timeline = vec![span(0, 0, 50), span(1, 2, 45)];
        Audit {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: "overheard".to_owned(), version: "0.1.0".to_owned() },
            verdict: AuditVerdict::NotEndToEnd,
            captures: vec![CaptureFile {
                file: "call\u{1b}[2J.pcap".to_owned(),
                sha256: Some("ab".repeat(32)),
                unpacked_sha256: None,
                packets: 2_500,
                bytes: 400_000,
                first_ns: Some("1700000000000000000".to_owned()),
                last_ns: Some("1700000025000000000".to_owned()),
                problems: vec![CaptureProblem {
                    offset: 399_990,
                    text: "the file ends within a record".to_owned(),
                }],
            }],
            packets: BTreeMap::from([
                ("rtp".to_owned(), 1_234),
                ("srtp".to_owned(), 1_234),
                ("stun".to_owned(), 32),
            ]),
            streams: vec![open, hop],
            handshakes: vec![Handshake {
                capture: 0,
                interface: "eth0".to_owned(),
                client: "10.0.0.1:5000".to_owned(),
                server: "10.0.0.2:6000".to_owned(),
                version: Some("DTLS 1.2".to_owned()),
                cipher_suite: Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()),
                srtp_profile: Some("SRTP_AEAD_AES_128_GCM".to_owned()),
                client_fingerprint: Some("cd".repeat(32)),
                server_fingerprint: None,
                packets: vec![1, 2, 3],
            }],
            findings: vec![AuditFinding {
                check: "streams/nothing-in-the-clear".to_owned(),
                severity: Severity::Failure,
                text: "10.0.0.1:5000 > 10.0.0.2:6000 ab000001: media can be read without any key".to_owned(),
                capture: 0,
                packets: vec![7, 8, 9],
                packets_total: 1_234,
                filter: "ip.src == 10.0.0.1 && udp.srcport == 5000".to_owned(),
            }],
            not_concluded: vec![NotConcluded {
                text: "who else holds keys".to_owned(),
                would_settle_it: "the hop keys: --keys OWNER:FILE".to_owned(),
            }],
            redacted: false,
            keys: vec![KeysGiven { owner: "sfu".to_owned(), keys: 2, complete: false }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn every_format_says_what_an_audit_does_not_say_and_obeys_no_name() {
        for format in AUDIT_FORMATS {
            let text = (format.render)(&super::sample::audit(), &sample::options()).expect("renders");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains("people who do not compare codes"), "{}: {text}", format.name);
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{}: {text:?}", format.name);
            assert!(text.ends_with('\n'));
        }
    }
}
