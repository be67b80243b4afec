//! One verb of a step, with its users, durations and groups resolved.

use model::identity::UserId;
use model::plan::{CallKind, Target, Verb};
use model::release::Feature;

use super::Story;
use crate::diagnostic::Code;
use crate::names;
use crate::place::{At, Findings, said};
use crate::quantity;
use crate::schema::Switch;
use crate::schema::step::{CallDocument, InvokeDocument, MembershipDocument, OneOrMany, StepDocument};

impl Story<'_> {
    /// The verb called `name` of `step`; `refused` is whether the step says that it will be refused.
    pub(super) fn verb(
        &mut self,
        name: &str,
        step: &StepDocument,
        refused: bool,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<Verb> {
        let at = at.key(name);
        let people = self.people;
        if let Some(call) = &step.call {
            return self.call(call, &at, findings);
        }
        if let Some(talk) = &step.talk {
            return duration(talk, &at, findings).map(|ms| Verb::Talk { ms });
        }
        if let Some(wait) = &step.wait {
            let ms =
                if wait == "propagation" { Some(self.propagation_ms) } else { duration(wait, &at, findings) };
            return ms.map(|ms| Verb::Wait { ms });
        }
        if let Some(invoke) = &step.invoke {
            return self.invoke(invoke, &at, findings);
        }
        if let Some(chat) = &step.chat {
            let from = people.user(&chat.from, &at.key("from"), findings)?;
            return Some(Verb::Chat { from, text: chat.text.clone() });
        }
        if let Some(toggle) = &step.toggle {
            let user = people.user(&toggle.user, &at.key("user"), findings)?;
            return Some(Verb::Toggle { user, e2ee: toggle.e2ee == Switch::On });
        }
        if let Some(leave) = &step.leave {
            let (group, user) = self.membership(leave, &at, findings)?;
            return Some(Verb::Leave { group, user });
        }
        if let Some(join) = &step.join {
            let (group, user) = self.membership(join, &at, findings)?;
            return Some(Verb::Join { group, user });
        }
        if let Some(policy) = &step.policy {
            return self.policy(policy, refused, &at, findings).map(Verb::Policy);
        }
        let by = [&step.answer, &step.decline, &step.ignore, &step.hang_up].into_iter().flatten().next()?;
        let device = people.device(by, &at, findings)?;
        match name {
            "answer" => Some(Verb::Answer(device)),
            "decline" => Some(Verb::Decline(device)),
            "ignore" => Some(Verb::Ignore(device)),
            _ => Some(Verb::HangUp(device)),
        }
    }

    fn call(&self, call: &CallDocument, at: &At, findings: &mut Findings<'_>) -> Option<Verb> {
        let from = self.people.user(&call.from, &at.key("from"), findings);
        let to = self.target(&call.to, &at.key("to"), findings);
        if call.media.is_empty() {
            let help = "write `[audio]`, `[video]` or both";
            findings.key(
                Code::EmptyList,
                &at.key("media"),
                said("a call without media", "nothing to hear", help),
            );
        }
        if let Some(twice) =
            call.media.iter().enumerate().find(|(i, k)| call.media.iter().take(*i).any(|e| e == *k))
        {
            let message = format!("`{}` stands twice", twice.1);
            findings.value(Code::BadTarget, &at.key("media"), said(message, "the second one", "take it out"));
        }
        let (from, to) = (from?, to?);
        if matches!(&to, Target::Users(users) if users.contains(&from)) {
            let message = format!("`{from}` is caller and callee");
            findings.value(Code::BadTarget, &at.key("to"), said(message, "the caller", "name somebody else"));
        }
        let kind = call.kind.unwrap_or(CallKind::Unscheduled);
        Some(Verb::Call { from, to, media: call.media.clone(), kind })
    }

    fn target(&self, to: &OneOrMany, at: &At, findings: &mut Findings<'_>) -> Option<Target> {
        let texts = match to {
            OneOrMany::One(text) => match text.strip_prefix("tel:") {
                Some(number) => return telephone(number, at, findings).map(Target::Number),
                None => return Some(Target::Users(vec![self.callee(text, at, findings)?])),
            },
            OneOrMany::Many(texts) => texts,
        };
        if texts.is_empty() {
            findings.key(Code::EmptyList, at, said("a call to nobody", "nobody", "name a user"));
        }
        let found: Vec<_> =
            texts.iter().enumerate().map(|(i, text)| self.callee(text, &at.item(i), findings)).collect();
        let users: Vec<UserId> = found.into_iter().collect::<Option<_>>()?;
        for (index, user) in
            users.iter().enumerate().filter(|(i, user)| users.iter().take(*i).any(|u| u == *user))
        {
            let message = format!("`{user}` is called twice");
            findings.value(Code::BadTarget, &at.item(index), said(message, "the second one", "take it out"));
        }
        Some(Target::Users(users))
    }

    /// A user, or where the scenario is about that, a stranger.
    fn callee(&self, text: &str, at: &At, findings: &mut Findings<'_>) -> Option<UserId> {
        match text.parse::<UserId>() {
            Ok(stranger) if self.strangers && self.people.settings(&stranger).is_none() => Some(stranger),
            _ => self.people.user(text, at, findings),
        }
    }

    fn invoke(&self, invoke: &InvokeDocument, at: &At, findings: &mut Findings<'_>) -> Option<Verb> {
        let by = self.people.user(&invoke.by, &at.key("by"), findings);
        let feature = invoke.feature;
        let with_at = at.key("with");
        let with = invoke.with.as_ref().map(|with| self.people.user(with, &with_at, findings));
        if feature.is_setting() {
            let message = format!("`{feature}` is a setting of the callee and never invoked");
            let help = format!("write `{feature}:` beside the user's other settings");
            findings.value(Code::NeverInvoked, &at.key("feature"), said(message, "a setting", help));
        }
        let takes = matches!(
            feature,
            Feature::TransferBlind
                | Feature::TransferSafe
                | Feature::TransferConsult
                | Feature::AddParticipant
        );
        if takes && with.is_none() {
            let message = format!("`{feature}` needs somebody to go on with");
            findings.key(Code::MissingKey, at, said(message, "`with` is missing", "add `with: USER`"));
        }
        if !takes && with.is_some() && feature != Feature::Merge {
            let message = format!("`{feature}` takes no `with`");
            findings.key(Code::NeedlessKey, &with_at, said(message, "of no use here", "take `with` out"));
        }
        let with = match with {
            Some(None) => return None,
            Some(found) => found,
            None => None,
        };
        Some(Verb::Invoke { feature, by: by?, with })
    }

    fn membership(
        &self,
        doc: &MembershipDocument,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<(String, UserId)> {
        let user = self.people.user(&doc.user, &at.key("user"), findings)?;
        self.people.group(&doc.group, Some(&user.tenant), &at.key("group"), findings)?;
        Some((doc.group.clone(), user))
    }
}

/// The milliseconds of the duration at `at`.
pub(crate) fn duration(text: &str, at: &At, findings: &mut Findings<'_>) -> Option<u64> {
    let ms = quantity::milliseconds(text);
    if ms.is_none() {
        let message = format!("`{text}` is no duration");
        let help = "write a whole number and its unit, such as `2s`, `12ms` or `1min`; at most a day";
        findings.value(Code::Quantity, at, said(message, "not a duration", help));
    }
    ms
}

fn telephone(number: &str, at: &At, findings: &mut Findings<'_>) -> Option<String> {
    if names::is_telephone(number) {
        return Some(number.to_owned());
    }
    let message = format!("`{number}` is no telephone number");
    let help = "write `tel:` and digits, such as `tel:+4721000000`";
    findings.value(Code::BadName, at, said(message, "not a number to call", help));
    None
}
