//! Every hop is DTLS 1.2 or later, with an SRTP profile that encrypts and authenticates.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::Case;
use crate::dissect::dtls::DTLS_1_2;
use crate::findings::{Findings, Located};
use crate::srtp::Profile;

crate::declare_check! {
    /// ## What it checks
    /// Every DTLS association that was answered negotiates version 1.2 or 1.3 and an SRTP protection profile with
    /// encryption and authentication.
    ///
    /// ## Why it matters
    /// The NULL profiles are legal protocol and protect nothing; older versions rest on hashes that are broken.
    ///
    /// ## How it decides
    /// It passes when every server's hello chooses so. It fails with the handshakes that do not. It is inconclusive
    /// when no server's hello was seen.
    summary: "hops are DTLS 1.2 or later with a strong profile",
    requirements: ["overheard/hops-are-protected", "rfc8827/6.5/dtls-1-2"],
    applies: |case| !case.evidence.associations.is_empty(),
    judge: judge,
}

/// What is weak about a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakness {
    /// Its version.
    Version,
    /// Its SRTP protection profile.
    Profile,
}

impl Weakness {
    /// Whether it is the profile that is weak.
    pub fn is_of_profile(self) -> bool {
        self == Self::Profile
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "negotiates a version before 1.2",
            Self::Profile => "chooses no SRTP profile that protects",
        })
    }
}

/// What is weak about a version and a profile that a server chose, each by its number on the wire.
pub fn weaknesses(version: Option<u16>, profile: Option<u16>) -> impl Iterator<Item = Weakness> {
    // DTLS counts its versions down: 1.3 is 0xFEFC.
    let old = version.is_none_or(|version| version > DTLS_1_2).then_some(Weakness::Version);
    let open = profile.and_then(Profile::numbered).is_none().then_some(Weakness::Profile);
    old.into_iter().chain(open)
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    let mut weak: BTreeMap<(Weakness, String), Located> = BTreeMap::new();
    for association in &case.evidence.associations {
        let Some((_, server)) = association.client_and_server() else { continue };
        if !association.tells_profile() {
            findings.doubt(super::PROFILE_UNREAD);
            continue;
        }
        let at = case.evidence.located(association.packets.first().copied().unwrap_or_default());
        findings.examine(1);
        for what in weaknesses(server.version, association.profile()) {
            weak.entry((what, at.1.to_owned())).or_default().add(at);
        }
    }
    for ((what, tap), located) in weak {
        findings.fail(super::blame(case, &tap), format!("a handshake at {tap} {what}"), located);
    }
}
