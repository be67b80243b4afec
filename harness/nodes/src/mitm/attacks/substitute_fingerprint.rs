//! Puts her own certificate fingerprints into the descriptions.
//!
//! On one leg only the fingerprint is replaced, and the DTLS handshake fails. On both legs Mallory ends DTLS-SRTP
//! herself and announces her own certificates: both handshakes succeed. In `dtls` she hears everything and the two
//! screens show different codes; in `frames` she holds the hop keys and hears nothing. With the option
//! `announce: kept` she ends DTLS under the fingerprints that the devices announced: a device that compares them ends
//! the call.

use model::Role;
use model::plan::AttackPlan;

use super::{Attacker, Hand};
use crate::engine::fingerprints;
use crate::signalling::Message;

/// Which fingerprints the devices are told: `own` (the default) or `kept`.
pub(super) const ANNOUNCE: &str = "announce";

pub(super) struct SubstituteFingerprint {
    ends_media: bool,
    keeps: bool,
    /// The fingerprint that each side announced.
    announced: [Option<[u8; 32]>; 2],
}

impl SubstituteFingerprint {
    pub(super) fn of(plan: &AttackPlan) -> Self {
        Self {
            ends_media: Role::ALL.iter().all(|role| plan.legs.contains(role)),
            keeps: plan.options.get(ANNOUNCE).is_some_and(|word| word == "kept"),
            announced: [None; 2],
        }
    }
}

const fn at(role: Role) -> usize {
    match role {
        Role::Caller => 0,
        Role::Callee => 1,
    }
}

impl Attacker for SubstituteFingerprint {
    fn ends_media(&self) -> bool {
        self.ends_media
    }

    fn announced(&mut self, by: Role, sdp: &str) {
        self.announced[at(by)] = fingerprints(sdp).first().copied();
    }

    fn message(&mut self, hand: &mut Hand<'_>, to: Role, mut message: Message) -> Vec<(Role, Message)> {
        if !hand.acts_on_message(to, &message, &["sdp-offer", "sdp-answer"]) {
            return vec![(to, message)];
        }
        let (Message::SdpOffer { sdp, .. } | Message::SdpAnswer { sdp, .. }) = &mut message else {
            return vec![(to, message)];
        };
        let what = match (self.ends_media, self.keeps, self.announced[at(to.other())]) {
            (true, true, Some(announced)) => {
                *sdp = with_fingerprint(sdp, &announced);
                "her own description under the other side's fingerprint"
            }
            (true, ..) => "her own description in place of the other side's",
            (false, ..) => {
                *sdp = with_fingerprint(sdp, &hand.scene.entropy.array());
                "another fingerprint in the description"
            }
        };
        vec![hand.send(to, message, what)]
    }
}

fn with_fingerprint(sdp: &str, fingerprint: &[u8; 32]) -> String {
    let digits = fingerprint.map(|byte| format!("{byte:02X}")).join(":");
    let line = |line: &str| match line.starts_with("a=fingerprint:") {
        true => format!("a=fingerprint:sha-256 {digits}\r\n"),
        false => line.to_owned(),
    };
    sdp.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fingerprint_line_is_replaced() {
        let sdp = "v=0\r\na=fingerprint:sha-256 AA\r\nm=audio\r\na=fingerprint:sha-256 AA\r\n";
        let replaced = with_fingerprint(sdp, &[1; 32]);
        assert_eq!(fingerprints(&replaced), [[1; 32]]);
        assert_eq!(replaced.matches("a=fingerprint").count(), 2);
    }
}
