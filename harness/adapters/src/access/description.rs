//! Addresses in session descriptions: candidates (RFC 8839 §5.1), `c=`, `m=` ports and `a=rtcp`.
//!
//! Invariant: fingerprints, keys, formats and everything else leave as they came.

use std::io;
use std::net::SocketAddr;

use super::AccessError;

/// A description without anything to send to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the description has no {what} candidate over UDP; let the client open its sockets on the address of its session"
)]
pub struct NoCandidate {
    what: &'static str,
}

/// One candidate over UDP: the words of its line.
fn candidate(line: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = line.strip_prefix("a=candidate:")?.split(' ').collect();
    (words.len() >= 8).then_some(words)
}

/// Replaces the address of each host candidate over UDP; one for which there is none is left out, and so is every other kind.
pub(super) fn rewritten(
    sdp: &str,
    mut stands_for: impl FnMut(SocketAddr) -> Option<io::Result<SocketAddr>>,
) -> Result<String, AccessError> {
    let mut told = String::new();
    let mut count = 0;
    for line in sdp.lines() {
        let Some(mut words) = candidate(line) else {
            push(&mut told, line);
            continue;
        };
        let usable = words[2].eq_ignore_ascii_case("udp") && words[7] == "host";
        let address = format!("{}:{}", words[4], words[5]).parse::<SocketAddr>().ok();
        let Some(other) = address.filter(|_| usable).and_then(&mut stands_for) else { continue };
        let other = other?;
        let (ip, port) = (other.ip().to_string(), other.port().to_string());
        (words[4], words[5]) = (&ip, &port);
        push(&mut told, &format!("a=candidate:{}", words.join(" ")));
        count += 1;
    }
    if count == 0 && sdp.contains("\nm=") {
        return Err(NoCandidate { what: "host" }.into());
    }
    Ok(told)
}

/// Leaves the candidates at a relay alone.
pub(super) fn relayed(sdp: &str) -> Result<String, NoCandidate> {
    let mut told = String::new();
    let mut count = 0;
    for line in sdp.lines() {
        match candidate(line) {
            Some(words) if words[7] != "relay" => continue,
            Some(_) => count += 1,
            None => {}
        }
        push(&mut told, line);
    }
    if count == 0 { Err(NoCandidate { what: "relay" }) } else { Ok(without_default_address(&told)) }
}

/// With candidates in it the default address says nothing (RFC 8838 §4.1): 0.0.0.0 and port 9.
pub(super) fn without_default_address(sdp: &str) -> String {
    let mut told = String::new();
    for line in sdp.lines() {
        if line.starts_with("c=IN ") {
            push(&mut told, "c=IN IP4 0.0.0.0");
        } else if line.starts_with("a=rtcp:") {
            push(&mut told, "a=rtcp:9 IN IP4 0.0.0.0");
        } else if let Some((kind, rest)) = line.split_once(' ').filter(|_| line.starts_with("m=")) {
            let (port, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            // Port 0 refuses the section (RFC 3264 §6).
            let port = if port == "0" { "0" } else { "9" };
            push(&mut told, &format!("{kind} {port} {rest}"));
        } else {
            push(&mut told, line);
        }
    }
    told
}

fn push(told: &mut String, line: &str) {
    told.push_str(line);
    told.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SDP: &str = "v=0\r\nc=IN IP4 127.0.0.1\r\na=fingerprint:sha-256 AB\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 111\r\n\
                       c=IN IP4 127.0.0.1\r\na=rtcp:4001 IN IP4 127.0.0.1\r\n\
                       a=candidate:1 1 udp 2130706431 127.0.0.1 4000 typ host generation 0\r\n\
                       a=candidate:2 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active\r\n\
                       a=candidate:3 1 UDP 1518280447 ::1 4002 typ host\r\n\
                       a=candidate:4 1 udp 1 10.0.0.9 5000 typ relay raddr 127.0.0.1 rport 4000\r\nm=video 0 RTP 96\r\n";

    #[test]
    fn a_host_candidate_gets_the_other_address_and_nothing_else_changes() {
        let other: SocketAddr = "127.64.0.1:77".parse().expect("an address");
        let told = rewritten(SDP, |address| (address.port() == 4_000).then_some(Ok(other))).expect("told");
        let told = without_default_address(&told);
        let expected = "v=0\r\nc=IN IP4 0.0.0.0\r\na=fingerprint:sha-256 AB\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
                        c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
                        a=candidate:1 1 udp 2130706431 127.64.0.1 77 typ host generation 0\r\nm=video 0 RTP 96\r\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn behind_a_relay_only_its_candidates_are_told() {
        let told = relayed(SDP).expect("told");
        assert!(told.contains("typ relay") && !told.contains("typ host"), "{told}");
        assert!(relayed(&told.replace("typ relay", "typ host")).is_err());
    }

    #[test]
    fn a_description_without_a_candidate_is_refused() {
        assert!(matches!(rewritten(SDP, |_| None), Err(AccessError::NoCandidate(_))));
    }

    proptest! {
        #[test]
        fn any_text_is_rewritten_or_refused(text in "(?s).{0,300}") {
            let other: SocketAddr = "127.64.0.1:77".parse().expect("an address");
            if let Ok(told) = rewritten(&text, |_| Some(Ok(other))) {
                let untouched = |text: &str| text.lines().filter(|l| candidate(l).is_none()).count();
                prop_assert_eq!(untouched(&told), untouched(&text));
            }
        }
    }
}
