//! The few things that are read and changed in a session description.

use std::net::SocketAddr;

/// Puts `shown` where a host candidate names `bound`: fields 4 and 5 of `a=candidate:` (RFC 8839 §5.1), and the
/// related address of the others.
pub(super) fn with_address(sdp: &str, bound: &[(SocketAddr, SocketAddr)]) -> String {
    sdp.split_inclusive('\n')
        .map(|line| if line.starts_with("a=candidate:") { candidate(line, bound) } else { line.to_owned() })
        .collect()
}

fn candidate(line: &str, bound: &[(SocketAddr, SocketAddr)]) -> String {
    let ending = &line[line.trim_end().len()..];
    let mut fields: Vec<String> = line.trim_end().split(' ').map(str::to_owned).collect();
    let related = fields.iter().position(|f| f == "raddr").map(|at| (at + 1, at + 3));
    for (ip, port) in [Some((4, 5)), related].into_iter().flatten() {
        let Some(found) = fields.get(ip).zip(fields.get(port)).and_then(|(i, p)| {
            bound.iter().find(|(real, _)| real.ip().to_string() == *i && real.port().to_string() == *p)
        }) else {
            continue;
        };
        fields[ip] = found.1.ip().to_string();
        fields[port] = found.1.port().to_string();
    }
    fields.join(" ") + ending
}

/// The address of the first candidate (RFC 8839 §5.1).
pub(super) fn candidate_address(sdp: &str) -> Option<SocketAddr> {
    let fields = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    let address = |line: &str| {
        let mut fields = line.split(' ').skip(4);
        Some(SocketAddr::new(fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    fields.filter_map(address).next()
}

/// The first payload type under which a description names a codec (`a=rtpmap`, RFC 8866 §6.6); `mime` as `audio/opus`.
pub(super) fn payload_type(sdp: &str, mime: &str) -> Option<u8> {
    let (_, codec) = mime.split_once('/')?;
    sdp.lines().find_map(|line| {
        let (number, format) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        let name = format.split('/').next()?;
        name.eq_ignore_ascii_case(codec).then(|| number.parse().ok())?
    })
}

/// Every SHA-256 fingerprint of a description (RFC 8122 §5), without repetition, in the order of the lines.
pub fn fingerprints(sdp: &str) -> Vec<[u8; 32]> {
    let mut found: Vec<[u8; 32]> = Vec::new();
    for line in sdp.lines() {
        let Some(value) = line.strip_prefix("a=fingerprint:") else { continue };
        let Some((hash, digits)) = value.trim().split_once(' ') else { continue };
        if !hash.eq_ignore_ascii_case("sha-256") {
            continue;
        }
        let Ok(bytes) = hex::decode(digits.replace(':', "")) else { continue };
        if let Ok(fingerprint) = <[u8; 32]>::try_from(bytes)
            && !found.contains(&fingerprint)
        {
            found.push(fingerprint);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bound_address_is_replaced() {
        let bound = [("127.0.0.1:4000".parse().expect("address"), "10.0.0.1:5000".parse().expect("address"))];
        let sdp = "v=0\r\na=candidate:1 1 udp 1 127.0.0.1 4000 typ host\r\na=candidate:2 1 udp 1 10.0.0.9 7000 \
                   typ relay raddr 127.0.0.1 rport 4000\r\na=candidate:3 1 udp 1 127.0.0.1 4001 typ host\r\n";
        assert_eq!(
            with_address(sdp, &bound),
            "v=0\r\na=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\na=candidate:2 1 udp 1 10.0.0.9 7000 typ \
             relay raddr 10.0.0.1 rport 5000\r\na=candidate:3 1 udp 1 127.0.0.1 4001 typ host\r\n"
        );
    }

    #[test]
    fn the_first_candidate_with_an_address_counts() {
        let named = "a=candidate:1 1 udp 1 x.local 9 typ host\r\n";
        assert_eq!(candidate_address(named), None);
        let sdp = format!("v=0\r\n{named}a=candidate:2 1 udp 1 10.0.0.9 7000 typ host\r\n");
        assert_eq!(candidate_address(&sdp), Some("10.0.0.9:7000".parse().expect("an address")));
    }

    #[test]
    fn a_payload_type_is_that_of_the_first_line_with_the_codec() {
        let sdp = "m=audio 9 X 63 109\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:109 OPUS/48000/2\r\n\
                   a=rtpmap:110 opus/48000/2\r\na=rtpmap:x VP8/90000\r\na=rtpmap:300 VP8/90000\r\n";
        assert_eq!(payload_type(sdp, "audio/opus"), Some(109));
        for not_there in ["video/VP8", "video/H264", "opus"] {
            assert_eq!(payload_type(sdp, not_there), None, "{not_there}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_once_and_other_hashes_are_not() {
        let digits = ["AB"; 32].join(":");
        let sdp = format!(
            "a=fingerprint:sha-256 {digits}\r\na=fingerprint:sha-1 AB\r\na=fingerprint:SHA-256 {digits}\r\n"
        );
        assert_eq!(fingerprints(&sdp), [[0xab; 32]]);
        assert!(fingerprints("a=fingerprint:sha-256 AB:CD\r\n").is_empty());
    }
}
