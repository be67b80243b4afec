//! Takes the intent out of offer or answer.
//!
//! The side is told that the other one does not want a sealed call. An offer without intent makes an ordinary call
//! without a lock; an answer without intent leaves the callee waiting for a confirmation, and it ends the call.

use model::Role;

use super::{Attacker, Hand};
use crate::signalling::Message;

pub(super) struct StripIntent;

impl Attacker for StripIntent {
    fn message(&mut self, hand: &mut Hand<'_>, to: Role, mut message: Message) -> Vec<(Role, Message)> {
        if !hand.acts_on_message(to, &message, &["offer", "answer"]) {
            return vec![(to, message)];
        }
        match &mut message {
            Message::Offer { intent, .. } | Message::Answer { intent, .. } if *intent == 1 => *intent = 0,
            _ => return vec![(to, message)],
        }
        vec![hand.send(to, message, "the intent taken out")]
    }
}
