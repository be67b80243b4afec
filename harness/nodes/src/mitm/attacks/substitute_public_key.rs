//! Puts her own agreement keys into the signalling.
//!
//! On both legs Mallory agrees with each device on keys of her own, opens every frame at the forwarder and seals it
//! again for the other side: both confirmations are right, she hears everything, and the two screens show different
//! codes. On one leg, or on some of the messages only, a commitment or a confirmation does not fit and the call ends.

use model::Role;

use super::super::posing::{Offered, bytes, hold};
use super::super::reseal::{Leg, Resealer};
use super::{Attacker, Hand};
use crate::agreement::{Agreed, Half};
use crate::engine::Incoming;
use crate::signalling::Message;

#[derive(Default)]
pub(super) struct SubstitutePublicKey {
    /// Her half towards the caller and towards the callee.
    towards_caller: Option<Half>,
    towards_callee: Option<Half>,
    offer: Option<Offered>,
    /// The callee's key and nonce, and the chosen suite.
    answer: Option<([u8; 32], [u8; 32], u16)>,
    confirmation_for_caller: Option<[u8; 32]>,
    resealer: Option<Resealer>,
}

impl SubstitutePublicKey {
    fn offer(&mut self, hand: &mut Hand<'_>, message: &mut Message) -> Option<&'static str> {
        self.offer = Some(Offered::of(message)?);
        let Message::Offer { commit, .. } = message else { return None };
        let half = Half::fresh(&hand.scene.entropy);
        *commit = hex::encode(half.commitment());
        self.towards_callee = Some(half);
        Some("a commitment to her own key")
    }

    fn answer(&mut self, hand: &mut Hand<'_>, message: &mut Message) -> Option<&'static str> {
        let Message::Answer { epk, nonce, suite, .. } = message else { return None };
        self.answer = Some((bytes(epk)?, bytes(nonce)?, *suite));
        let half = Half::fresh(&hand.scene.entropy);
        (*epk, *nonce) = (hex::encode(half.public), hex::encode(half.nonce));
        self.towards_caller = Some(half);
        Some("her own key in the answer")
    }

    /// Both legs are agreed on here: the caller has opened its commitment.
    fn reveal(&mut self, hand: &mut Hand<'_>, message: &mut Message) -> Option<&'static str> {
        let Message::Reveal { call, epk, nonce, confirmation, .. } = message else { return None };
        let (offer, answer) = (self.offer.as_ref()?, self.answer?);
        let callee_leg = self.towards_callee.take()?;
        let own = (callee_leg.public, callee_leg.nonce);
        let callee_terms = offer.terms(answer.2, callee_leg.commitment(), (answer.0, answer.1), own);
        let mut with_callee = Agreed::on(&callee_terms, callee_leg, &answer.0).ok()?;
        hold(hand, call, &mut with_callee);
        let confirmed = with_callee.confirmation(Role::Caller);
        if let Some(caller_leg) = self.towards_caller.take() {
            let caller = (bytes(epk)?, bytes(nonce)?);
            let terms = offer.terms(answer.2, offer.commit, (caller_leg.public, caller_leg.nonce), caller);
            let mut with_caller = Agreed::on(&terms, caller_leg, &caller.0).ok()?;
            hold(hand, call, &mut with_caller);
            self.confirmation_for_caller = Some(with_caller.confirmation(Role::Callee));
            self.resealer = Some(Resealer::new([Leg::sealed(with_caller), Leg::sealed(with_callee)]));
        }
        *confirmation = hex::encode(confirmed);
        (*epk, *nonce) = (hex::encode(own.0), hex::encode(own.1));
        Some("her own key in the reveal")
    }

    fn confirm(&mut self, message: &mut Message) -> Option<&'static str> {
        let Message::Confirm { confirmation, .. } = message else { return None };
        *confirmation = hex::encode(self.confirmation_for_caller?);
        Some("her own confirmation")
    }
}

impl Attacker for SubstitutePublicKey {
    fn message(&mut self, hand: &mut Hand<'_>, to: Role, mut message: Message) -> Vec<(Role, Message)> {
        if !hand.acts_on_message(to, &message, &["offer", "answer", "reveal", "confirm"]) {
            return vec![(to, message)];
        }
        let original = message.clone();
        let what = match &message {
            Message::Offer { .. } => self.offer(hand, &mut message),
            Message::Answer { .. } => self.answer(hand, &mut message),
            Message::Reveal { .. } => self.reveal(hand, &mut message),
            Message::Confirm { .. } => self.confirm(&mut message),
            _ => None,
        };
        match what {
            Some(what) => vec![hand.send(to, message, what)],
            None => vec![(to, original)],
        }
    }

    fn packet(&mut self, _: &mut Hand<'_>, from: Role, packet: Incoming) -> Vec<(Role, Incoming)> {
        match &mut self.resealer {
            Some(resealer) => resealer.take(from, &packet).into_iter().map(|p| (from.other(), p)).collect(),
            None => vec![(from.other(), packet)],
        }
    }
}
