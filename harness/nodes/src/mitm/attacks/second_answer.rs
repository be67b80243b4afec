//! Sends the caller a second answer.
//!
//! Behind the callee's answer comes another one with Mallory's key and nonce. The caller takes the first answer and no
//! other, and the call goes on.

use model::Role;

use super::{Attacker, Hand};
use crate::agreement::Half;
use crate::signalling::Message;

pub(super) struct SecondAnswer;

impl Attacker for SecondAnswer {
    fn message(&mut self, hand: &mut Hand<'_>, to: Role, message: Message) -> Vec<(Role, Message)> {
        if !hand.acts_on_message(to, &message, &["answer"]) {
            return vec![(to, message)];
        }
        let Message::Answer { call, intent, suite, .. } = message.clone() else { return vec![(to, message)] };
        let half = Half::fresh(&hand.scene.entropy);
        let second = Message::Answer {
            call,
            intent,
            suite,
            epk: hex::encode(half.public),
            nonce: hex::encode(half.nonce),
            ek: String::new(),
        };
        vec![(to, message), hand.send(to, second, "a second answer")]
    }
}
