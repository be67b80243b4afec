//! `captures/`: a few calls of the harness, as an auditor would be handed them, and what must be concluded of each.
//!
//! Invariant: the page and the tests come from one table, so what the page promises is what the tests hold.

use std::path::Path;

use model::audit::{AuditVerdict, Protection};
use model::results::Results;

/// A capture with its key files.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit {
    /// Its name in `captures/`.
    pub name: &'static str,
    /// The variant of the built-in scenarios that made it.
    pub variant: &'static str,
    /// What was recorded.
    pub about: &'static str,
    /// Whether the service is said to have handed over every key that it holds.
    pub complete: bool,
    /// What the audit must say with both key files.
    pub verdict: AuditVerdict,
    /// How many streams must be protected how; no stream is left out.
    pub protections: &'static [(Protection, usize)],
    /// Findings of more than advisory weight that there must be, and no other.
    pub findings: &'static [&'static str],
}

/// Every exhibit.
pub const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "sealed-frames-forwarder",
        variant: "opt-in/toggles-frames[alice.e2ee=on,bob.e2ee=on,path=forwarder,media=audio]",
        about: "a sealed call whose frames pass the service's forwarder, which ends both hops",
        complete: false,
        verdict: AuditVerdict::EndToEndConsistent,
        protections: &[(Protection::EndToEndConsistent, 8)],
        findings: &[],
    },
    Exhibit {
        name: "sealed-frames-relay",
        variant: "opt-in/toggles-frames[alice.e2ee=on,bob.e2ee=on,path=relay,media=audio]",
        about: "a sealed call over a TURN relay; the service holds the keys of signalling and no other",
        complete: true,
        verdict: AuditVerdict::EndToEndConsistent,
        protections: &[(Protection::EndToEndConsistent, 8)],
        findings: &[],
    },
    Exhibit {
        name: "sealed-dtls-direct",
        variant: "opt-in/toggles-dtls[alice.e2ee=on,bob.e2ee=on,path=direct,media=audio]",
        about: "a sealed call whose DTLS-SRTP runs between the two devices",
        complete: true,
        verdict: AuditVerdict::EndToEndConsistent,
        protections: &[(Protection::EndToEndConsistent, 4)],
        findings: &[],
    },
    Exhibit {
        name: "sealed-dtls-undeclared",
        variant: "opt-in/toggles-dtls[alice.e2ee=on,bob.e2ee=on,path=direct,media=video]",
        about: "the same with video, without anybody's word that the service handed over all of its keys",
        complete: false,
        verdict: AuditVerdict::Inconclusive,
        protections: &[(Protection::EncryptedUndetermined, 4)],
        findings: &[],
    },
    Exhibit {
        name: "ordinary-frames",
        variant: "opt-in/toggles-frames[alice.e2ee=off,bob.e2ee=off,path=forwarder,media=audio]",
        about: "an ordinary call: the media processor ends both hops and hears",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &[],
    },
    Exhibit {
        name: "ordinary-dtls",
        variant: "opt-in/toggles-dtls[alice.e2ee=on,bob.e2ee=off,path=direct,media=audio]",
        about: "a call that only one of the two wanted to seal, and so an ordinary one",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &[],
    },
    Exhibit {
        name: "flaw-no-sealing",
        variant: "flaws/no-sealing",
        about: "both screens show the lock, but the client seals nothing",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &[],
    },
    Exhibit {
        name: "flaw-unsealed-one-in-twenty",
        variant: "flaws/unsealed-one-in-twenty",
        about: "one frame in twenty is not sealed: the packets are named",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &["streams/every-frame-is-sealed"],
    },
    Exhibit {
        name: "flaw-nonce-restarts",
        variant: "flaws/nonce-restarts",
        about: "the caller's counter starts again in the middle of the call, so that one keystream covers two frames",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::Broken, 4), (Protection::EndToEndConsistent, 4)],
        findings: &["streams/keystream-is-used-once"],
    },
    Exhibit {
        name: "flaw-key-in-signalling",
        variant: "flaws/key-in-signalling",
        about: "the caller's client writes its base key into the signalling: place and packet are named",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 4), (Protection::EndToEndConsistent, 4)],
        findings: &["keys/are-not-given-away"],
    },
    Exhibit {
        name: "flaw-key-from-call-id",
        variant: "flaws/key-from-call-id",
        about: "the base keys follow from the call id, which everybody knows who carries the call",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &["keys/are-not-given-away"],
    },
    Exhibit {
        name: "attack-two-legs",
        variant: "attacks/substitute-fingerprint-on-both-legs",
        about: "somebody in the middle put own fingerprints into both descriptions: each leg ends with her",
        complete: false,
        verdict: AuditVerdict::NotEndToEnd,
        protections: &[(Protection::TransportOnly, 8)],
        findings: &[],
    },
];

impl Exhibit {
    /// The capture and the two key files, below the root.
    pub fn files(&self) -> [String; 3] {
        ["pcapng.zst", "parties.keys", "service.keys"].map(|end| format!("captures/{}.{end}", self.name))
    }

    fn command(&self) -> String {
        let [capture, parties, service] = self.files();
        let complete = if self.complete { " --complete service" } else { "" };
        format!("overheard audit {capture} --keys parties:{parties} --keys service:{service}{complete}")
    }

    fn conclusion(&self) -> String {
        let streams: Vec<String> =
            self.protections.iter().map(|(word, count)| format!("{count} {}", word.word())).collect();
        let findings: String = self.findings.iter().map(|check| format!("; finds `{check}`")).collect();
        format!("`{}`: {}{findings}", self.verdict.word(), streams.join(", "))
    }
}

/// `captures/README.md`.
pub fn page() -> String {
    let mut text = "# Captures to try\n\nCalls that the harness recorded, with the keys of the two devices and of the \
                    service. Each is audited by a test. Without keys every one of them is `inconclusive`: sealed or not, \
                    the packets look alike.\n\n| capture | what was recorded | what must be concluded |\n|---|---|---|\n"
        .to_owned();
    for exhibit in EXHIBITS {
        text.push_str(&format!("| `{}` | {} | {} |\n", exhibit.name, exhibit.about, exhibit.conclusion()));
    }
    text.push_str("\nThe commands, from the root:\n\n```\n");
    for exhibit in EXHIBITS {
        text.push_str(&format!("{}\n", exhibit.command()));
    }
    text.push_str("```\n\nThey are made anew with\n\n```\noverheard run --out gallery scenarios/opt-in ");
    text.push_str(
        "scenarios/flaws scenarios/attacks\ncargo dev gallery gallery\n```\n\nfrom these variants:\n\n",
    );
    for exhibit in EXHIBITS {
        text.push_str(&format!("- `{}`: `{}`\n", exhibit.name, exhibit.variant));
    }
    text
}

/// Takes every exhibit out of the folder of a run.
///
/// # Errors
/// When a file is not there or cannot be written; the message names it.
pub fn take(run: &Path, root: &Path) -> Result<(), String> {
    let text = std::fs::read(run.join("results.json"))
        .map_err(|why| format!("{}/results.json cannot be read ({why})", run.display()))?;
    let results: Results = serde_json::from_slice(&text).map_err(|why| format!("results.json: {why}"))?;
    for exhibit in EXHIBITS {
        let variant = results.scenarios.iter().find(|scenario| scenario.id == exhibit.variant);
        let left = variant.and_then(|variant| Some((variant.capture.as_ref()?, variant.keys.as_ref()?)));
        let (capture, keys) = left.ok_or_else(|| format!("{} was not run", exhibit.variant))?;
        let sources = [capture, &keys.parties, &keys.service];
        for (source, file) in sources.into_iter().zip(exhibit.files()) {
            let told = |why: std::io::Error| format!("{source} cannot be taken ({why})");
            let mut bytes = std::fs::read(run.join(source)).map_err(told)?;
            if file.ends_with(".zst") {
                bytes = zstd::encode_all(bytes.as_slice(), 19).map_err(told)?;
            }
            std::fs::write(root.join(&file), bytes)
                .map_err(|why| format!("{file} cannot be written ({why})"))?;
        }
    }
    Ok(())
}
