//! `--redact`: an audit with pseudonyms in the place of addresses and names, for those who may see what was found and
//! not about whom.
//!
//! Invariant: the same name has the same pseudonym in every place, and no address that can be told in a text is left.
//! Hashes of captures, SSRCs, packet numbers and times stay: they are the evidence.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use model::audit::{Audit, AuditFinding, AuditStream, CaptureFile, Handshake};

/// Owners that are roles, not names.
const ROLES: &[&str] = &["parties", "service", "embedded", "capture"];

/// Pseudonyms by what they stand for, in the order in which they were given.
#[derive(Debug, Default)]
pub struct Pseudonyms {
    hosts: Vec<String>,
    files: Vec<String>,
    interfaces: Vec<String>,
    owners: Vec<String>,
    certificates: Vec<String>,
}

impl Pseudonyms {
    /// The audit without addresses and names.
    pub fn audit(&mut self, audit: &Audit) -> Audit {
        let mut audit = audit.clone();
        audit.redacted = true;
        audit.captures.iter_mut().for_each(|capture| self.capture(capture));
        audit.keys.iter_mut().for_each(|keys| keys.owner = self.owner(&keys.owner));
        audit.streams.iter_mut().for_each(|stream| self.stream(stream));
        audit.handshakes.iter_mut().for_each(|handshake| self.handshake(handshake));
        audit.findings.iter_mut().for_each(|finding| self.finding(finding));
        for open in &mut audit.not_concluded {
            open.text = self.text(&open.text);
            open.would_settle_it = self.text(&open.would_settle_it);
        }
        audit
    }

    /// The pseudonym of a file.
    pub fn file(&mut self, name: &str) -> String {
        pseudonym(&mut self.files, "file", name)
    }

    /// The pseudonym of an owner of keys; a role is no name.
    pub fn owner(&mut self, name: &str) -> String {
        if ROLES.contains(&name) { name.to_owned() } else { pseudonym(&mut self.owners, "owner", name) }
    }

    fn capture(&mut self, capture: &mut CaptureFile) {
        capture.file = self.file(&capture.file);
        capture.problems.iter_mut().for_each(|problem| problem.text = self.text(&problem.text));
    }

    fn stream(&mut self, stream: &mut AuditStream) {
        stream.interface = pseudonym(&mut self.interfaces, "interface", &stream.interface);
        for opened in &mut stream.opened {
            opened.owner = self.owner(&opened.owner);
        }
        for text in [&mut stream.source, &mut stream.destination, &mut stream.id, &mut stream.why] {
            *text = self.text(text);
        }
    }

    fn handshake(&mut self, handshake: &mut Handshake) {
        handshake.interface = pseudonym(&mut self.interfaces, "interface", &handshake.interface);
        handshake.client = self.text(&handshake.client);
        handshake.server = self.text(&handshake.server);
        for fingerprint in [&mut handshake.client_fingerprint, &mut handshake.server_fingerprint] {
            *fingerprint =
                fingerprint.as_deref().map(|f| pseudonym(&mut self.certificates, "certificate", f));
        }
    }

    fn finding(&mut self, finding: &mut AuditFinding) {
        finding.text = self.text(&finding.text);
        if addresses(&finding.filter, |_| String::new()) != finding.filter {
            let numbers: Vec<String> = finding.packets.iter().map(u64::to_string).collect();
            finding.filter = format!("frame.number in {{{}}}", numbers.join(", "));
        }
    }

    /// A text with every address and every known name replaced.
    fn text(&mut self, text: &str) -> String {
        let mut out = text.to_owned();
        for (at, file) in self.files.iter().enumerate() {
            // A name of a letter or two would stand in half of all words.
            let alone = out.strip_prefix(file.as_str()).is_some_and(|rest| rest.starts_with(':'));
            if alone {
                out.replace_range(..file.len(), &format!("file-{}", at + 1));
            } else if file.len() > 4 {
                out = out.replace(file.as_str(), &format!("file-{}", at + 1));
            }
        }
        for (names, kind) in [(&self.owners, "owner"), (&self.certificates, "certificate")] {
            for (at, name) in names.iter().enumerate() {
                out = out.replace(&format!("`{name}`"), &format!("`{kind}-{}`", at + 1));
            }
        }
        for (at, certificate) in self.certificates.iter().enumerate().filter(|(_, c)| c.len() > 16) {
            out = out.replace(certificate.as_str(), &format!("certificate-{}", at + 1));
        }
        let hosts = &mut self.hosts;
        addresses(&out, |address| pseudonym(hosts, "host", &address.to_string()))
    }
}

/// `kind-1`, `kind-2` and so on, in the order in which names come.
fn pseudonym(names: &mut Vec<String>, kind: &str, name: &str) -> String {
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    format!("{kind}-{}", at + 1)
}

/// `text` with each address, alone or with a port, replaced.
fn addresses(text: &str, mut host: impl FnMut(IpAddr) -> String) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || ".:[]%".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !part(c)).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(&token_without(token, &mut host));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn token_without(token: &str, host: &mut impl FnMut(IpAddr) -> String) -> String {
    let bare = token.trim_end_matches(['.', ':']);
    let tail = token.get(bare.len()..).unwrap_or_default();
    if let Ok(address) = bare.parse::<SocketAddr>() {
        return format!("{}:{}{tail}", host(address.ip()), address.port());
    }
    let unscoped = bare.split('%').next().unwrap_or(bare);
    // `::` alone is an address by its letters, and punctuation by its use.
    if let Some(address) = unscoped.parse::<IpAddr>().ok().filter(|_| unscoped.len() > 2) {
        return format!("{}{tail}", host(address));
    }
    inside(token, host)
}

/// Addresses of IPv4 that stand within a word.
fn inside(token: &str, host: &mut impl FnMut(IpAddr) -> String) -> String {
    let part = |c: char| c.is_ascii_digit() || c == '.';
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !part(c)).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        out.push_str(before);
        match digits.trim_matches('.').parse::<Ipv4Addr>() {
            Ok(address) => out.push_str(&host(address.into())),
            Err(_) => out.push_str(digits),
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::audit::{AUDIT_FORMATS, sample};

    #[test]
    fn no_address_and_no_name_of_a_capture_is_left_in_any_format() {
        let mut audit = sample::audit();
        audit.captures[0].file = "/calls/of-alice/bobs-call.pcap".to_owned();
        audit.streams[0].interface = "alice@contoso.example".to_owned();
        audit.streams[1].source = "[2001:db8::7]:5000".to_owned();
        audit.keys[0].owner = "acme".to_owned();
        audit.streams[1].opened[0].owner = "acme".to_owned();
        audit.streams[1].why = "the hop keys of `acme` open 1234 of 1234 packets".to_owned();
        audit.not_concluded[0].text = "/calls/of-alice/bobs-call.pcap: seen from 192.0.2.77".to_owned();
        let mut names = Pseudonyms::default();
        let redacted = names.audit(&audit);
        for format in AUDIT_FORMATS {
            let text = (format.render)(&redacted, &crate::sample::options()).expect("renders");
            for name in
                ["10.0.0.", "192.0.2", "2001:db8", "alice", "contoso", "bobs-call", "eth0", "acme", "cdcdcd"]
            {
                assert!(!text.contains(name), "{name} stands in {}: {text}", format.name);
            }
            assert!(text.contains("host-1:5000") && text.contains("owner-1"), "{}: {text}", format.name);
        }
        assert_eq!(redacted.findings[0].filter, "frame.number in {7, 8, 9}");
        assert_eq!(names.file("/calls/of-alice/bobs-call.pcap"), "file-1");
    }

    #[rstest]
    #[case::port("from 10.0.0.1:5000.", "from H:5000.")]
    #[case::bare("10.0.0.1, 10.0.0.2", "H, H")]
    #[case::v6("[fe80::1%3]:5000 > fe80::2%eth0", "H:5000 > H")]
    #[case::within_a_word("x10.0.0.1-10.0.0.2y", "xH-Hy")]
    #[case::in_brackets("(10.0.0.1)", "(H)")]
    #[case::no_address("DTLS 1.2, 12:30, a::, ::, 1.2.3", "DTLS 1.2, 12:30, a::, ::, 1.2.3")]
    #[case::other_letters("é 10.0.0.1 ü", "é H ü")]
    fn addresses_are_found_in_text(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(addresses(text, |_| "H".to_owned()), expected);
    }

    #[test]
    fn an_address_has_one_pseudonym_everywhere() {
        let redacted = Pseudonyms::default().audit(&sample::audit());
        assert_eq!(redacted.streams[0].source, "host-1:5000");
        assert_eq!(redacted.handshakes[0].client, "host-1:5000");
        assert!(redacted.findings[0].text.starts_with("host-1:5000 > host-2:6000 ab000001"));
        assert_eq!(redacted.captures[0].sha256, sample::audit().captures[0].sha256);
    }
}
