//! An administrator's request. It may be one that the policy server refuses, when the step says so.

use model::plan::{PolicyStep, PolicyVerb};

use super::Story;
use crate::diagnostic::Code;
use crate::place::{At, Findings, said};
use crate::schema::step::PolicyDocument;
use crate::suggest;

impl Story<'_> {
    pub(super) fn policy(
        &mut self,
        doc: &PolicyDocument,
        refused: bool,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<PolicyStep> {
        let (verb, name) = request(doc, at, findings)?;
        check_keys(verb, doc, at, findings);
        let user = match &doc.user {
            Some(text) => Some(self.people.user(text, &at.key("user"), findings)?),
            None => None,
        };
        let tenant = self.tenant_of(doc, user.as_ref(), at, findings)?;
        let as_admin_of = match &doc.as_admin_of {
            Some(text) => Some(self.people.known_tenant(text, &at.key("as-admin-of"), findings)?),
            None => None,
        };
        let name = (verb != PolicyVerb::Grant || name != "none").then(|| name.to_owned());
        if let Some(name) = &name {
            self.follow(verb, name, &tenant, refused, at, findings);
        }
        let (value, group, rank) = (doc.value.clone(), doc.group.clone(), doc.rank);
        Some(PolicyStep { verb, name, value, user, group, tenant, rank, as_admin_of })
    }

    /// The tenant that the request is about: as written, else the user's, the group's, or the only one.
    fn tenant_of(
        &self,
        doc: &PolicyDocument,
        user: Option<&model::UserId>,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<String> {
        let written = match &doc.tenant {
            Some(text) => Some(self.people.known_tenant(text, &at.key("tenant"), findings)?),
            None => None,
        };
        if let (Some(written), Some(user)) = (&written, user)
            && *written != user.tenant
        {
            let message = format!("`{user}` is no user of `{written}`");
            let help = "take `tenant` out, or name one of its users";
            findings.value(Code::UnknownUser, &at.key("user"), said(message, "of another tenant", help));
            return None;
        }
        if let Some(group) = &doc.group {
            return self.people.group(group, written.as_deref(), &at.key("group"), findings);
        }
        if let Some(tenant) = written.or_else(|| user.map(|u| u.tenant.clone())) {
            return Some(tenant);
        }
        let mut tenants = self.people.tenants();
        match (tenants.next(), tenants.next()) {
            (Some(only), None) => Some(only.to_owned()),
            _ => {
                let message = "the scenario has several tenants";
                findings.key(Code::MissingKey, at, said(message, "which one?", "add `tenant:`"));
                None
            }
        }
    }

    /// Follows which policies there are, and misses those that there are not.
    fn follow(
        &mut self,
        verb: PolicyVerb,
        name: &str,
        tenant: &str,
        refused: bool,
        at: &At,
        findings: &mut Findings<'_>,
    ) {
        let known = self.policies.entry(tenant.to_owned()).or_default();
        if verb != PolicyVerb::New && !refused && !known.contains(name) {
            let help = suggest::instead(name, known.iter().map(String::as_str));
            let message = format!("`{tenant}` has no policy `{name}`");
            let help = format!("{help} (or state `expect: {{ result: refused }}`)");
            findings.value(
                Code::UnknownPolicy,
                &at.key(verb.word()),
                said(message, "not a policy here", help),
            );
        }
        match verb {
            PolicyVerb::New if !refused => {
                known.insert(name.to_owned());
            }
            PolicyVerb::Remove if !refused => {
                known.remove(name);
            }
            _ => {}
        }
    }
}

/// The request's only verb and the policy that it names.
fn request<'d>(
    doc: &'d PolicyDocument,
    at: &At,
    findings: &mut Findings<'_>,
) -> Option<(PolicyVerb, &'d str)> {
    let all = [
        (PolicyVerb::New, &doc.new),
        (PolicyVerb::Set, &doc.set),
        (PolicyVerb::Grant, &doc.grant),
        (PolicyVerb::Remove, &doc.remove),
        (PolicyVerb::Get, &doc.get),
    ];
    let mut found = all.iter().filter_map(|(verb, name)| Some((*verb, name.as_deref()?)));
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        (first, _) => {
            let message =
                if first.is_none() { "a request without a verb" } else { "a request with several verbs" };
            let help = "write one of `new`, `set`, `grant`, `remove` and `get`, with the name of the policy";
            findings.key(Code::OneVerb, at, said(message, "one verb belongs here", help));
            None
        }
    }
}

/// Which keys go with which verb.
fn check_keys(verb: PolicyVerb, doc: &PolicyDocument, at: &At, findings: &mut Findings<'_>) {
    let valued = matches!(verb, PolicyVerb::New | PolicyVerb::Set);
    let granted = verb == PolicyVerb::Grant;
    let needless = [
        ("value", doc.value.is_some() && !valued),
        ("user", doc.user.is_some() && !granted),
        ("group", doc.group.is_some() && (!granted || doc.user.is_some())),
        ("rank", doc.rank.is_some() && !(granted && doc.group.is_some())),
    ];
    for (key, _) in needless.iter().filter(|(_, needless)| *needless) {
        let message = match *key {
            "group" if granted => "a grant is for a user or for a group".to_owned(),
            "rank" if granted => "`rank` belongs to a grant to a group".to_owned(),
            _ => format!("`{verb}` takes no `{key}`"),
        };
        let help = format!("take `{key}` out");
        findings.key(Code::NeedlessKey, &at.key(key), said(message, "of no use here", help));
    }
    if valued && doc.value.is_none() {
        let message = format!("`{verb}` needs a value");
        let help = "add `value: DisabledUserOverride` or another one";
        findings.key(Code::MissingKey, at, said(message, "`value` is missing", help));
    }
    if granted && doc.user.is_none() && doc.group.is_none() && doc.tenant.is_none() {
        let message = "a grant needs somebody to grant to";
        let help = "add `user:`, `group:`, or `tenant:` for everybody in it";
        findings.key(Code::MissingKey, at, said(message, "for whom?", help));
    }
}
