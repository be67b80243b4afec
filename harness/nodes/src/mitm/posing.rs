//! Posing as a party of the key agreement: what both attacks on it have in common.

use model::{Kind, Role, UserId};

use super::hand::Hand;
use crate::agreement::{Agreed, Terms, key_id};
use crate::signalling::Message;

/// What an offer said before it was altered.
pub(super) struct Offered {
    call_id: [u8; 16],
    parties: [UserId; 2],
    suites: Vec<u16>,
    /// The caller's own commitment.
    pub(super) commit: [u8; 32],
}

/// A public key and a nonce.
pub(super) type KeyAndNonce = ([u8; 32], [u8; 32]);

/// Bytes of the expected length from hex.
pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

impl Offered {
    /// The offer of a sealed call; none for any other message.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let Message::Offer { call, from, to, suites, commit, .. } = message else { return None };
        let parties = [from.parse().ok()?, to.first()?.parse().ok()?];
        Some(Self { call_id: bytes(call)?, parties, suites: suites.clone(), commit: bytes(commit)? })
    }

    /// The terms of one leg.
    pub(super) fn terms(
        &self,
        suite: u16,
        commit: [u8; 32],
        callee: KeyAndNonce,
        caller: KeyAndNonce,
    ) -> Terms {
        Terms {
            call_id: self.call_id,
            caller: self.parties[0].clone(),
            callee: self.parties[1].clone(),
            caller_intent: 1,
            callee_intent: 1,
            offered_suites: self.suites.clone(),
            chosen_suite: suite,
            commit,
            epk_callee: callee.0,
            nonce_callee: callee.1,
            ek_callee: Vec::new(),
            epk_caller: caller.0,
            nonce_caller: caller.1,
            ct: Vec::new(),
        }
    }
}

/// Writes down what Mallory holds of one leg.
pub(super) fn hold(hand: &Hand<'_>, call: &str, agreed: &mut Agreed) {
    agreed.key_file_line(call).into_iter().for_each(|line| hand.holds(&line));
    for (sender, kind) in Role::ALL.iter().flat_map(|role| Kind::ALL.iter().map(move |kind| (*role, *kind))) {
        hand.holds(&format!(
            "SFRAME 4 {} {}",
            key_id(sender, kind),
            hex::encode(agreed.base_key(sender, kind))
        ));
    }
}
