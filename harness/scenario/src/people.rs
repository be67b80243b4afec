//! Who a name means: users, devices, tenants, groups.

use model::identity::{DeviceId, UserId};

use crate::diagnostic::Code;
use crate::place::{At, Findings, said};
use crate::schema::{Ordered, TenantDocument, UserDocument};
use crate::suggest;

/// The tenants of a scenario, asked by name.
#[derive(Clone, Copy)]
pub(crate) struct People<'a> {
    tenants: &'a Ordered<TenantDocument>,
}

impl<'a> People<'a> {
    pub fn new(tenants: &'a Ordered<TenantDocument>) -> Self {
        Self { tenants }
    }

    /// The tenants' names, in the order of the file.
    pub fn tenants(self) -> impl Iterator<Item = &'a str> {
        self.tenants.0.iter().map(|(name, _)| name.as_str())
    }

    /// The tenant called `name`.
    pub fn tenant(self, name: &str) -> Option<&'a TenantDocument> {
        self.tenants.0.iter().find(|(n, _)| n == name).map(|(_, tenant)| tenant)
    }

    /// Every user, with tenant and user as they are written and the settings.
    fn everybody(self) -> impl Iterator<Item = (&'a str, &'a str, &'a UserDocument)> {
        let users = |(tenant, t): &'a (String, TenantDocument)| {
            t.users.0.iter().map(move |(user, settings)| (tenant.as_str(), user.as_str(), settings))
        };
        self.tenants.0.iter().flat_map(users)
    }

    /// The settings of `id`.
    pub fn settings(self, id: &UserId) -> Option<&'a UserDocument> {
        let found = self.everybody().find(|(tenant, user, _)| UserId::new(user, tenant) == *id);
        found.map(|(_, _, settings)| settings)
    }

    /// The user that `text` means: `user` where unique, else `user@tenant`.
    pub fn user(self, text: &str, at: &At, findings: &mut Findings<'_>) -> Option<UserId> {
        // As written in the file, where capitals are a mistake of their own.
        let written = |user: &str, tenant: &str| match text.contains('@') {
            true => format!("{user}@{tenant}"),
            false => user.to_owned(),
        };
        let everybody = self.everybody();
        let found: Vec<UserId> = everybody
            .filter(|(tenant, user, _)| written(user, tenant) == text)
            .map(|(tenant, user, _)| UserId::new(user, tenant))
            .collect();
        match found.as_slice() {
            [one] => Some(one.clone()),
            [] => {
                let known: Vec<String> =
                    self.everybody().map(|(tenant, user, _)| written(user, tenant)).collect();
                let help = suggest::instead(text, known.iter().map(String::as_str));
                findings.value(
                    Code::UnknownUser,
                    at,
                    said(format!("unknown user `{text}`"), "not a user here", help),
                );
                None
            }
            several => {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                let help = suggest::one_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
                let message = format!("several tenants have a user `{text}`");
                findings.value(Code::AmbiguousUser, at, said(message, "which one?", help));
                None
            }
        }
    }

    /// The device that `text` means: `USER/DEVICE`, or `USER` for the user's first one.
    pub fn device(self, text: &str, at: &At, findings: &mut Findings<'_>) -> Option<DeviceId> {
        let (user, wanted) = text.split_once('/').map_or((text, None), |(user, device)| (user, Some(device)));
        let user = self.user(user, at, findings)?;
        let devices = self.settings(&user).and_then(|s| s.devices.as_ref());
        let names: Vec<&str> =
            devices.iter().flat_map(|d| d.0.iter().map(|(name, _)| name.as_str())).collect();
        match wanted {
            None => Some(DeviceId { user, device: names.first().map(|n| (*n).to_owned()) }),
            Some(device) if names.contains(&device) => {
                Some(DeviceId { user, device: Some(device.to_owned()) })
            }
            Some(device) => {
                let message = format!("`{user}` has no device `{device}`");
                let help = match names.as_slice() {
                    [] => format!("write `{}`, or give the user `devices`", user.user),
                    names => suggest::instead(device, names.iter().copied()),
                };
                findings.value(Code::UnknownUser, at, said(message, "not a device here", help));
                None
            }
        }
    }

    /// The tenant called `text`.
    pub fn known_tenant(self, text: &str, at: &At, findings: &mut Findings<'_>) -> Option<String> {
        if self.tenant(text).is_some() {
            return Some(text.to_owned());
        }
        let help = suggest::instead(text, self.tenants());
        findings.value(
            Code::UnknownTenant,
            at,
            said(format!("unknown tenant `{text}`"), "not a tenant here", help),
        );
        None
    }

    /// The tenant that has a group called `group`; `tenant` says which where several have.
    pub fn group(
        self,
        group: &str,
        tenant: Option<&str>,
        at: &At,
        findings: &mut Findings<'_>,
    ) -> Option<String> {
        let asked = self.tenants.0.iter().filter(|(name, _)| tenant.is_none_or(|t| t == name));
        let found: Vec<&str> = asked
            .clone()
            .filter(|(_, t)| t.groups.contains_key(group))
            .map(|(name, _)| name.as_str())
            .collect();
        match found.as_slice() {
            [one] => Some((*one).to_owned()),
            [] => {
                let known: Vec<&str> = asked.flat_map(|(_, t)| t.groups.keys().map(String::as_str)).collect();
                let help = suggest::instead(group, known);
                let message = format!("unknown group `{group}`");
                findings.value(Code::UnknownGroup, at, said(message, "not a group here", help));
                None
            }
            _ => {
                let message = format!("several tenants have a group `{group}`");
                findings.value(Code::AmbiguousUser, at, said(message, "which one?", "add `tenant:`"));
                None
            }
        }
    }
}
