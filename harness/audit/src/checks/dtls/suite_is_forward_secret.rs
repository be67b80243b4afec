//! Handshakes of media choose a cipher suite with ephemeral keys and authenticated encryption.

use std::collections::BTreeMap;

use crate::case::Case;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every DTLS server's hello chose a cipher suite with ephemeral elliptic-curve Diffie-Hellman and authenticated
    /// encryption.
    ///
    /// ## Why it matters
    /// Without ephemeral keys, whoever gets the certificate's key later opens every call that was recorded before.
    ///
    /// ## How it decides
    /// It passes when every chosen suite is such a one. It fails with the handshakes that chose another. It is
    /// inconclusive when no server's hello was seen.
    summary: "hops have forward secrecy and authenticated encryption",
    requirements: ["rfc8827/6.5/forward-secrecy-and-aead"],
    applies: |case| !case.evidence.associations.is_empty(),
    judge: judge,
}

/// Suites with ECDHE and AES-GCM, ChaCha20-Poly1305 or AES-CCM with a full tag (RFC 5289 §3.2, RFC 7905 §2,
/// RFC 7251 §2), and those of TLS 1.3 with a full tag (RFC 8446 §B.4).
const SUITES: [u16; 12] =
    [0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0xC0AC, 0xC0AD, 0x1301, 0x1302, 0x1303, 0x1304];

/// Whether the chosen suite has forward secrecy and authenticated encryption.
pub fn is_strong(suite: Option<u16>) -> bool {
    suite.is_some_and(|suite| SUITES.contains(&suite))
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let mut weak: BTreeMap<String, Located> = BTreeMap::new();
    for association in &case.evidence.associations {
        let Some((_, server)) = association.client_and_server() else { continue };
        findings.examine(1);
        if !is_strong(server.cipher_suites.first().copied()) {
            let at = case.evidence.located(association.packets.first().copied().unwrap_or_default());
            weak.entry(at.1.to_owned()).or_default().add(at);
        }
    }
    for (tap, located) in weak {
        let text = format!("a handshake at {tap} chooses a suite without forward secrecy or without AEAD");
        findings.fail(super::blame(case, &tap), text, located);
    }
}

#[cfg(test)]
mod tests {
    use model::Verdict;
    use rstest::rstest;

    use crate::bench::plans::both_on;
    use crate::bench::story::{Datagram, Story};
    use crate::bench::trial::Trial;

    const NAME: &str = "dtls/suite-is-forward-secret";

    /// Writes another suite into every server's hello.
    fn choose(datagrams: &mut [Datagram], suite: [u8; 2]) {
        for bytes in datagrams.iter_mut().map(|datagram| &mut datagram.bytes) {
            if bytes.get(13) == Some(&2)
                && let Some(at) = bytes.windows(3).position(|window| window == [0, 0xC0, 0x2B])
            {
                bytes[at + 1..at + 3].copy_from_slice(&suite);
            }
        }
    }

    #[test]
    fn an_ephemeral_suite_passes() {
        assert_eq!(Trial::of(&Story::sealed(both_on())).verdict(NAME), Some(Verdict::Pass));
    }

    #[rstest]
    #[case::key_transport(|d: &mut Vec<Datagram>| choose(d, [0x00, 0x9C]))]
    #[case::block_cipher(|d: &mut Vec<Datagram>| choose(d, [0xC0, 0x09]))]
    #[case::null(|d: &mut Vec<Datagram>| choose(d, [0xC0, 0x06]))]
    fn another_suite_fails_and_nothing_else_does(#[case] tamper: fn(&mut Vec<Datagram>)) {
        let trial = Trial::of(&Story { tamper, ..Story::sealed(both_on()) });
        assert_eq!(trial.failing(), [NAME]);
        assert_eq!(
            trial.text(NAME),
            "a handshake at alice@contoso.example chooses a suite without forward secrecy or without AEAD"
        );
    }
}
