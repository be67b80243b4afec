//! Lets one side believe the call sealed and the other ordinary.
//!
//! Towards the callee the offer has no intent; towards the caller Mallory answers with intent and a key of her own, and
//! confirms it. The caller's screen shows the lock, the callee's does not, and Mallory hears both.

use model::Role;

use super::super::posing::{Offered, bytes, hold};
use super::super::reseal::{Leg, Resealer};
use super::{Attacker, Hand};
use crate::agreement::{Agreed, Half, SUITE_1};
use crate::engine::Incoming;
use crate::signalling::Message;

#[derive(Default)]
pub(super) struct HalfSealed {
    half: Option<Half>,
    offer: Option<Offered>,
    resealer: Option<Resealer>,
}

impl HalfSealed {
    fn offer(&mut self, message: &mut Message) -> Option<()> {
        self.offer = Some(Offered::of(message)?);
        let Message::Offer { suites, commit, intent, .. } = message else { return None };
        suites.clear();
        commit.clear();
        *intent = 0;
        Some(())
    }

    /// Agrees with the caller in the callee's place; gives the confirmation that the caller waits for.
    fn agree(&mut self, hand: &Hand<'_>, call: &str, epk: &str, nonce: &str) -> Option<[u8; 32]> {
        let (offer, half) = (self.offer.as_ref()?, self.half.take()?);
        let caller = (bytes(epk)?, bytes(nonce)?);
        let terms = offer.terms(SUITE_1, offer.commit, (half.public, half.nonce), caller);
        let mut agreed = Agreed::on(&terms, half, &caller.0).ok()?;
        hold(hand, call, &mut agreed);
        let confirmation = agreed.confirmation(Role::Callee);
        self.resealer = Some(Resealer::new([Leg::sealed(agreed), Leg::ordinary()]));
        Some(confirmation)
    }
}

impl Attacker for HalfSealed {
    fn message(&mut self, hand: &mut Hand<'_>, to: Role, mut message: Message) -> Vec<(Role, Message)> {
        if to == Role::Callee && self.offer(&mut message).is_some() {
            return vec![hand.send(to, message, "the intent taken out of the offer")];
        }
        match (&mut message, to) {
            (Message::Answer { intent, suite, epk, nonce, .. }, Role::Caller) if self.offer.is_some() => {
                let half = Half::fresh(&hand.scene.entropy);
                (*intent, *suite) = (1, SUITE_1);
                (*epk, *nonce) = (hex::encode(half.public), hex::encode(half.nonce));
                self.half = Some(half);
                vec![hand.send(to, message, "intent and her own key in the answer")]
            }
            (Message::Reveal { call, epk, nonce, .. }, Role::Callee) => {
                let Some(confirmation) = self.agree(hand, call, epk, nonce) else {
                    return vec![(to, message)];
                };
                let confirm =
                    Message::Confirm { call: call.clone(), confirmation: hex::encode(confirmation) };
                vec![hand.send(Role::Caller, confirm, "her own confirmation")]
            }
            _ => vec![(to, message)],
        }
    }

    fn packet(&mut self, _: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        match &mut self.resealer {
            Some(resealer) => resealer.take(from, &packet).into_iter().map(|p| (from.other(), p)).collect(),
            None => vec![(from.other(), packet)],
        }
    }
}
