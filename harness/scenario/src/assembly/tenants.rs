//! Tenants with their policies, groups and users.

use std::collections::BTreeMap;

use model::plan::{Group, PolicyValue, Tenant, User};
use model::release::{Platform, Release, TenantKind, Version};

use crate::diagnostic::Code;
use crate::names;
use crate::people::People;
use crate::place::{At, Findings, said};
use crate::schema::{Document, TenantDocument, UserDocument};
use crate::suggest;

/// The policy that every tenant has.
const GLOBAL: &str = "Global";

/// Reads every tenant.
pub(crate) fn read(
    doc: &Document,
    release: &Release,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Tenant> {
    let list = At::of(&["tenants"]);
    let people = People::new(&doc.tenants);
    if people.tenants().next().is_none() {
        let help = "add a tenant with `users:`";
        findings.key(Code::EmptyList, &list, said("a scenario without tenants", "nobody", help));
    }
    let read = |(name, tenant): &(String, TenantDocument)| {
        let at = list.key(name);
        if !names::is_domain(name) {
            bad_name(name, "contoso.example", &at, findings);
        }
        check_groups(tenant, release, &at.key("groups"), findings);
        (name.clone(), self::tenant(name, tenant, people, &at, findings))
    };
    doc.tenants.0.iter().map(read).collect()
}

fn bad_name(name: &str, like: &str, at: &At, findings: &mut Findings<'_>) {
    let message = format!("`{name}` is no name to use here");
    let help = format!("use lower-case letters, digits, hyphens and dots, such as `{like}`");
    findings.key(Code::BadName, at, said(message, "not a name for this", help));
}

fn check_groups(tenant: &TenantDocument, release: &Release, at: &At, findings: &mut Findings<'_>) {
    if !tenant.groups.is_empty() && !release.group_assignment {
        let message = format!("`{}` assigns no policy to a group", release.name);
        let help = "use `release: 2023-08`, or assign the policy to the users";
        findings.key(Code::GroupsNotInRelease, at, said(message, "not in this release", help));
    }
}

fn tenant(
    name: &str,
    doc: &TenantDocument,
    people: People<'_>,
    at: &At,
    findings: &mut Findings<'_>,
) -> Tenant {
    let mut policies = doc.policies.clone();
    for policy in
        policies.keys().filter(|p| p.chars().any(char::is_whitespace) || p.is_empty() || *p == "none")
    {
        let message = format!("`{policy}` is no name for a policy");
        let help = "use a name without spaces other than `none`";
        findings.key(
            Code::BadName,
            &at.key("policies").key(policy),
            said(message, "not a name for this", help),
        );
    }
    policies.entry(GLOBAL.to_owned()).or_insert(PolicyValue::Disabled);
    let known = |policy: &Option<String>, at: At, findings: &mut Findings<'_>| {
        if let Some(policy) = policy.as_ref().filter(|p| !policies.contains_key(*p)) {
            let message = format!("`{name}` has no policy `{policy}`");
            let help = suggest::instead(policy, policies.keys().map(String::as_str));
            findings.value(Code::UnknownPolicy, &at, said(message, "not a policy here", help));
        }
    };
    if doc.users.0.is_empty() {
        findings.key(
            Code::EmptyList,
            &at.key("users"),
            said("a tenant without users", "nobody", "add a user"),
        );
    }
    let mut users = BTreeMap::new();
    for (user, settings) in &doc.users.0 {
        let at = at.key("users").key(user);
        if !names::is_domain(user) {
            bad_name(user, "alice", &at, findings);
        }
        known(&settings.policy, at.key("policy"), findings);
        users.insert(user.clone(), self::user(settings, &at, findings));
    }
    let mut groups = BTreeMap::new();
    for (group, settings) in &doc.groups {
        let at = at.key("groups").key(group);
        known(&settings.policy, at.key("policy"), findings);
        let members = members(name, &settings.members, people, &at.key("members"), findings);
        groups.insert(group.clone(), Group { members, policy: settings.policy.clone(), rank: settings.rank });
    }
    Tenant { kind: doc.kind.unwrap_or(TenantKind::Commercial), policies, groups, users }
}

fn members(
    tenant: &str,
    members: &[String],
    people: People<'_>,
    at: &At,
    findings: &mut Findings<'_>,
) -> Vec<String> {
    let users =
        people.tenant(tenant).into_iter().flat_map(|t| t.users.0.iter().map(|(user, _)| user.as_str()));
    let known: Vec<&str> = users.collect();
    for (index, member) in members.iter().enumerate().filter(|(_, m)| !known.contains(&m.as_str())) {
        let help = suggest::instead(member, known.iter().copied());
        let message = format!("`{tenant}` has no user `{member}`");
        findings.value(Code::UnknownUser, &at.item(index), said(message, "not a user of this tenant", help));
    }
    members.to_vec()
}

fn user(doc: &UserDocument, at: &At, findings: &mut Findings<'_>) -> User {
    let devices = match (&doc.devices, doc.platform) {
        (Some(devices), platform) => {
            if platform.is_some() {
                let message = "`platform` beside `devices`";
                let help =
                    "keep `devices`, which names the platform of each; or keep `platform` for an only device";
                let other = at.key("devices");
                let said = said(message, "one device", help);
                findings.pair(Code::Devices, &at.key("platform"), said, &other, "several devices");
            }
            if devices.0.is_empty() {
                let help = "add a device such as `phone: ios`, or write `platform` for an only device";
                findings.key(
                    Code::Devices,
                    &at.key("devices"),
                    said("a user without devices", "no device", help),
                );
            }
            devices.0.iter().map(|(name, platform)| (Some(name.clone()), *platform)).collect()
        }
        (None, platform) => vec![(None, platform.unwrap_or(Platform::Windows))],
    };
    for name in devices.iter().filter_map(|(name, _)| name.as_ref()).filter(|name| !names::is_plain(name)) {
        bad_name(name, "phone", &at.key("devices").key(name), findings);
    }
    let number = doc.simultaneous_ring.as_ref().map(|n| n.strip_prefix("tel:").unwrap_or(n).to_owned());
    if let Some(number) = number.as_ref().filter(|n| !names::is_telephone(n)) {
        let message = format!("`{number}` is no telephone number");
        let help = "write digits in quotes, such as `'+4721000000'`";
        findings.value(
            Code::BadName,
            &at.key("simultaneous-ring"),
            said(message, "not a number to call", help),
        );
    }
    User {
        policy: doc.policy.clone(),
        e2ee: doc.e2ee == Some(crate::schema::Switch::On),
        devices,
        version: doc.version.unwrap_or(Version::Current),
        preview_ring: doc.preview_ring,
        compliance_recording: doc.compliance_recording,
        voicemail: doc.voicemail,
        simultaneous_ring: number,
        flaw: doc.flaw,
    }
}
