//! The leg `unaltered`: what a device played, the other device sent, once.

use std::collections::HashMap;

use model::results::Blame;
use model::{Direction, Role};

use crate::case::{Call, Case};
use crate::evidence::Book;
use crate::findings::{Findings, Located};

crate::declare_check! {
    /// ## What it checks
    /// Every frame that a device played was sent by another device of the call, as that kind, and was played no more
    /// often than it was sent. So nothing that Mallory made, changed, repeated or sent back was accepted.
    ///
    /// ## Why it matters
    /// Encryption that is not also authentication lets others speak in the call.
    ///
    /// ## How it decides
    /// It passes when each played frame is explained by a sent one. It fails with the number that are not. It is
    /// inconclusive when nothing was played in a call that carries media. Both ledgers are the clients' own word; the
    /// capture bears them out in `complete`.
    summary: "what is played was sent by the other device, once",
    requirements: ["overheard/frames-are-played-once", "rfc9605/4.4.4/what-does-not-open-is-discarded"],
    applies: |case| case.calls.iter().any(|call| !call.claimed.devices.is_empty()),
    judge: judge,
}

fn judge(case: &Case<'_>, findings: &mut Findings) {
    for call in case.calls.iter().filter(|call| !call.claimed.devices.is_empty()) {
        let books = &case.evidence.ledgers;
        for (_, book) in books.of_call(call.id(), Direction::Received) {
            findings.examine(book.frames.len() as u64);
            judge_book(case, call, book, findings);
        }
        if super::carries_media(call.claimed.outcome) && call.claimed.played == 0 {
            findings
                .doubt(format!("no device played a frame of {}; run the scenario again", call.expected.name));
        }
    }
}

fn judge_book(case: &Case<'_>, call: &Call<'_>, book: &Book, findings: &mut Findings) {
    let mut others: HashMap<[u8; 32], usize> = HashMap::new();
    let mut elsewhere: HashMap<[u8; 32], &str> = HashMap::new();
    for (_, sent) in case.evidence.ledgers.of_call(call.id(), Direction::Sent) {
        for (number, hash) in sent.frames.iter().enumerate() {
            if sent.device == book.device {
                // Both sides send the same clip; a canary alone tells whose frame it is.
                if number.is_multiple_of(10) {
                    elsewhere.entry(*hash).or_insert("that it sent itself");
                }
            } else if sent.kind == book.kind {
                *others.entry(*hash).or_default() += 1;
            } else {
                elsewhere.insert(*hash, "that were sent as another kind");
            }
        }
    }
    let sent_at_all = others.clone();
    let mut wrong: HashMap<&str, u64> = HashMap::new();
    for hash in &book.frames {
        match others.get_mut(hash) {
            Some(left) if *left > 0 => *left -= 1,
            _ if sent_at_all.contains_key(hash) => *wrong.entry("again that it had played").or_default() += 1,
            _ => *wrong.entry(elsewhere.get(hash).copied().unwrap_or("that nobody sent")).or_default() += 1,
        }
    }
    let mut wrong: Vec<(&str, u64)> = wrong.into_iter().collect();
    wrong.sort_unstable();
    let role = case.role(call, &book.device);
    let blame = if role == Role::Caller { Blame::Caller } else { Blame::Callee };
    for (what, count) in wrong {
        let text =
            format!("the {role} played {count} {} frames {what}, in {}", book.kind, call.expected.name);
        findings.fail(blame, text, Located::default());
    }
}
