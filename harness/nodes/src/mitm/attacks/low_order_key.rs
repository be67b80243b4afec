//! Puts a low-order point in place of an agreement key.
//!
//! The side gets a key with which X25519 gives zero whatever its own secret is (RFC 7748 §6.1); towards the callee the
//! commitment is made to fit. A device that looks at the agreed value ends the call.

use model::Role;

use super::{Attacker, Hand};
use crate::agreement::commitment;
use crate::signalling::Message;

/// The point of order 1 at u = 0.
const ZERO: [u8; 32] = [0; 32];

#[derive(Default)]
pub(super) struct LowOrderKey {
    nonce: [u8; 32],
}

impl Attacker for LowOrderKey {
    fn message(&mut self, hand: &mut Hand<'_>, to: Role, mut message: Message) -> Vec<(Role, Message)> {
        if !hand.acts_on_message(to, &message, &["offer", "answer", "reveal"]) {
            return vec![(to, message)];
        }
        let what = match &mut message {
            Message::Offer { commit, .. } if !commit.is_empty() => {
                self.nonce = hand.scene.entropy.array();
                *commit = hex::encode(commitment(&ZERO, &self.nonce));
                "a commitment to a low-order key"
            }
            Message::Answer { epk, .. } if !epk.is_empty() => {
                *epk = hex::encode(ZERO);
                "a low-order key in the answer"
            }
            Message::Reveal { epk, nonce, .. } => {
                (*epk, *nonce) = (hex::encode(ZERO), hex::encode(self.nonce));
                "a low-order key in the reveal"
            }
            _ => return vec![(to, message)],
        };
        vec![hand.send(to, message, what)]
    }
}
