//! Which calls ring, are up and are over at each step, as far as a file alone can tell.
//!
//! A callee answers after one second unless the next step says otherwise, so a call that rings is up as soon as
//! a step comes that is no answer to it. Where the next step is the callee's own call to the caller, the two calls
//! cross: one of them stands, both parties are in it at once, and the steps that follow are about the later one,
//! whichever it is. Whoever a feature may have brought in is in the call only perhaps.

use std::collections::BTreeSet;

use model::identity::{DeviceId, UserId};
use model::plan::{Target, Verb};

use crate::diagnostic::Code;
use crate::place::{At, Findings, said};

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its name in the plan.
    pub name: String,
    caller: UserId,
    ringing: BTreeSet<UserId>,
    parties: BTreeSet<UserId>,
    perhaps: BTreeSet<UserId>,
    number: bool,
    state: State,
    /// The step that placed it.
    placed: At,
    /// The step that ended it.
    ended: Option<At>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ringing,
    Up,
    Over,
}

/// The calls of a scenario, in the order in which they are placed.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub lines: Vec<Line>,
    /// Whether a step could not be read, so that nothing certain can be said of those behind it.
    pub blurred: bool,
}

impl Calls {
    /// Takes the step at `at` into account; `call` is the index of the call that it is about.
    pub fn step(&mut self, verb: &Verb, call: Option<usize>, at: &At, findings: &mut Findings<'_>) {
        let about = call.filter(|_| matches!(verb, Verb::Answer(_) | Verb::Decline(_) | Verb::Ignore(_)));
        self.let_ring(about);
        let Some(line) = call.and_then(|index| self.lines.get_mut(index)).filter(|_| !self.blurred) else {
            return;
        };
        match verb {
            Verb::Answer(device) => line.answer(device, at, findings),
            Verb::Decline(device) => line.refuse(device, "decline", at, findings),
            Verb::Ignore(device) => line.refuse(device, "ignore", at, findings),
            Verb::HangUp(device) => line.hang_up(device, at, findings),
            Verb::Talk { .. } => line.talk(at, findings),
            Verb::Invoke { by, with, .. } => line.invoke(by, with.as_ref(), at, findings),
            _ => {}
        }
    }

    /// Every ringing call but the one that the step is about is answered.
    fn let_ring(&mut self, about: Option<usize>) {
        for (index, line) in self.lines.iter_mut().enumerate() {
            if line.state == State::Ringing && about != Some(index) {
                line.parties.append(&mut line.ringing);
                line.state = State::Up;
            }
        }
    }

    /// Places a call, as the step at `at` says.
    pub fn place(&mut self, name: &str, from: &UserId, to: &Target, at: &At, findings: &mut Findings<'_>) {
        let back = |line: &Line| matches!(to, Target::Users(users) if *users == [line.caller.clone()]);
        let alone =
            |line: &Line| line.ringing.len() == 1 && line.ringing.contains(from) && line.parties.len() == 1;
        let crossing = |line: &Line| line.state == State::Ringing && alone(line) && back(line);
        let crossed = self.lines.iter_mut().find(|line| crossing(line));
        let crosses = crossed.map(|line| line.end(at)).is_some();
        self.let_ring(None);
        if let Some(line) = self.lines.iter().find(|line| line.holds(from) && !self.blurred) {
            let message = format!("`{from}` calls while in a call");
            let help = format!("let somebody hang up in `{}` first", line.name);
            findings.pair(
                Code::OutOfOrder,
                at,
                said(message, "still in a call here", help),
                &line.placed,
                "placed here",
            );
        }
        let users = match to {
            Target::Users(users) => users.as_slice(),
            Target::Number(_) => &[],
        };
        let ringing: BTreeSet<_> =
            users.iter().filter(|user| !self.lines.iter().any(|l| l.holds(user))).cloned().collect();
        let number = matches!(to, Target::Number(_));
        let state = match (number || crosses, ringing.is_empty()) {
            (true, _) => State::Up,
            (false, false) => State::Ringing,
            (false, true) => State::Over,
        };
        let (ringing, there) = if crosses { (BTreeSet::new(), ringing) } else { (ringing, BTreeSet::new()) };
        self.lines.push(Line {
            name: name.to_owned(),
            caller: from.clone(),
            ringing,
            parties: there.into_iter().chain([from.clone()]).collect(),
            perhaps: BTreeSet::new(),
            number,
            state,
            placed: at.clone(),
            ended: (state == State::Over).then(|| at.clone()),
        });
    }
}

impl Line {
    /// Whether `user` is certainly in this call.
    fn holds(&self, user: &UserId) -> bool {
        self.state != State::Over && self.parties.contains(user)
    }

    fn answer(&mut self, device: &DeviceId, at: &At, findings: &mut Findings<'_>) {
        if self.takes(device, "answer", at, findings) {
            self.ringing.remove(&device.user);
            self.parties.insert(device.user.clone());
            if self.ringing.is_empty() {
                self.state = State::Up;
            }
        }
    }

    fn refuse(&mut self, device: &DeviceId, verb: &str, at: &At, findings: &mut Findings<'_>) {
        if self.takes(device, verb, at, findings) {
            self.ringing.remove(&device.user);
            match (self.ringing.is_empty(), self.parties.len()) {
                (true, 0 | 1) => self.end(at),
                (true, _) => self.state = State::Up,
                (false, _) => {}
            }
        }
    }

    /// Whether the call rings at `device`; says so when it does not.
    fn takes(&self, device: &DeviceId, verb: &str, at: &At, findings: &mut Findings<'_>) -> bool {
        if self.state == State::Ringing && self.ringing.contains(&device.user) {
            return true;
        }
        let at = at.key(verb);
        let message = format!("`{}` has no ringing call to {verb}", device.user);
        let help = match self.state {
            State::Ringing => "name somebody who is called".to_owned(),
            _ => format!("put `{verb}` directly after `call`: without it the callee answers after 1 s"),
        };
        self.out_of_order(&at, message, "nothing rings here", help, findings);
        false
    }

    fn hang_up(&mut self, device: &DeviceId, at: &At, findings: &mut Findings<'_>) {
        let user = &device.user;
        let at_verb = at.key("hang-up");
        if self.state == State::Over {
            let message = format!("`{user}` hangs up when the call is over");
            let help = "take the step out, or put it before the one that ends the call".to_owned();
            return self.out_of_order(&at_verb, message, "nothing to hang up", help, findings);
        }
        let there = self.parties.remove(user) | self.perhaps.remove(user);
        if !there {
            let message = format!("`{user}` hangs up a call without being in it");
            let help = "name somebody who is in the call".to_owned();
            return self.out_of_order(&at_verb, message, "not in the call", help, findings);
        }
        let left = self.parties.len() + self.perhaps.len();
        if left + usize::from(self.number) < 2 || self.state == State::Ringing {
            self.end(at);
        }
    }

    fn talk(&self, at: &At, findings: &mut Findings<'_>) {
        if self.state != State::Up {
            let help = "put it between the answer and the hang-up, or name the call with `in`".to_owned();
            self.out_of_order(
                &at.key("talk"),
                "nobody can talk here".to_owned(),
                "no call is up",
                help,
                findings,
            );
        }
    }

    fn invoke(&mut self, by: &UserId, with: Option<&UserId>, at: &At, findings: &mut Findings<'_>) {
        let at = at.key("invoke");
        if self.state != State::Up || !(self.parties.contains(by) || self.perhaps.contains(by)) {
            let message = format!("`{by}` is in no call that is up");
            let help = "put it between the answer and the hang-up, by somebody who is in the call".to_owned();
            self.out_of_order(&at.key("by"), message, "not in the call", help, findings);
        }
        match with {
            Some(user) if self.parties.contains(user) => {
                let message = format!("`{user}` is in the call already");
                findings.value(
                    Code::BadTarget,
                    &at.key("with"),
                    said(message, "in the call", "name somebody else"),
                );
            }
            Some(user) => {
                self.perhaps.insert(user.clone());
            }
            None => {}
        }
    }

    fn end(&mut self, at: &At) {
        self.state = State::Over;
        self.ended = Some(at.clone());
    }

    fn out_of_order(
        &self,
        at: &At,
        message: String,
        label: &'static str,
        help: String,
        findings: &mut Findings<'_>,
    ) {
        match &self.ended {
            Some(ended) => {
                findings.pair(Code::OutOfOrder, at, said(message, label, help), ended, "the call ends here")
            }
            None => findings.value(Code::OutOfOrder, at, said(message, label, help)),
        }
    }
}
