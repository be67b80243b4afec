//! The policies of every tenant as the administrators' requests leave them (design, section 1.2).
//!
//! Invariant: a request that is refused changes nothing.

use std::collections::BTreeMap;

use model::UserId;
use model::plan::{Plan, PolicyStep, PolicyValue, PolicyVerb, StepExpect, StepResult};
use model::release::Release;

/// At most so many groups of a tenant have a policy (design, section 1.2).
const GROUPS_AT_MOST: usize = 64;

/// The name of the policy that every tenant has.
const GLOBAL: &str = "Global";

/// What the policy server knows.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    tenants: BTreeMap<String, TenantPolicies>,
    group_assignment: bool,
}

#[derive(Clone, Debug, Default)]
struct TenantPolicies {
    values: BTreeMap<String, PolicyValue>,
    /// Direct assignments.
    users: BTreeMap<String, String>,
    /// Assignments to groups, with their ranks.
    groups: BTreeMap<String, (String, u32)>,
    /// The assignment to the tenant as a whole.
    tenant: Option<String>,
    members: BTreeMap<String, Vec<String>>,
}

impl Policies {
    /// As the plan starts.
    pub(super) fn at_start(plan: &Plan) -> Self {
        let mut tenants = BTreeMap::new();
        for (domain, tenant) in &plan.tenants {
            let mut policies =
                TenantPolicies { values: tenant.policies.clone(), ..TenantPolicies::default() };
            policies.values.entry(GLOBAL.to_owned()).or_insert(PolicyValue::Disabled);
            for (name, user) in &tenant.users {
                if let Some(policy) = &user.policy {
                    policies.users.insert(name.clone(), policy.clone());
                }
            }
            for (name, group) in &tenant.groups {
                policies.members.insert(name.clone(), group.members.clone());
                if let Some(policy) = &group.policy {
                    policies.groups.insert(name.clone(), (policy.clone(), group.rank.unwrap_or(1)));
                }
            }
            tenants.insert(domain.clone(), policies);
        }
        Self { tenants, group_assignment: Release::of(plan.release).group_assignment }
    }

    /// The effective value for `user`: direct assignment, else the assigned group with the best rank, else the
    /// tenant's.
    pub(super) fn value(&self, user: &UserId) -> PolicyValue {
        let Some(tenant) = self.tenants.get(&user.tenant) else { return PolicyValue::Disabled };
        let by_group = || {
            let of_user = tenant.groups.iter().filter(|(group, _)| {
                tenant.members.get(*group).is_some_and(|members| members.contains(&user.user))
            });
            of_user.min_by_key(|(_, (_, rank))| *rank).map(|(_, (policy, _))| policy)
        };
        let assigned = tenant.users.get(&user.user).or_else(by_group).or(tenant.tenant.as_ref());
        let name = assigned.map_or(GLOBAL, String::as_str);
        tenant.values.get(name).copied().unwrap_or(PolicyValue::Disabled)
    }

    /// Puts a user into a group or takes the user out of it.
    pub(super) fn membership(&mut self, group: &str, user: &UserId, joins: bool) {
        let Some(tenant) = self.tenants.get_mut(&user.tenant) else { return };
        let members = tenant.members.entry(group.to_owned()).or_default();
        members.retain(|member| *member != user.user);
        if joins {
            members.push(user.user.clone());
        }
    }

    /// Carries out a request, or refuses it with the reason that the API gives.
    pub(super) fn request(&mut self, step: &PolicyStep) -> StepExpect {
        match self.try_request(step) {
            Ok(()) => StepExpect { result: Some(StepResult::Works), ..StepExpect::default() },
            Err(reason) => StepExpect {
                result: Some(StepResult::Refused),
                reason: Some(reason.to_owned()),
                ..StepExpect::default()
            },
        }
    }

    fn try_request(&mut self, step: &PolicyStep) -> Result<(), &'static str> {
        if step.as_admin_of.as_ref().is_some_and(|tenant| *tenant != step.tenant) {
            return Err("not-authorised");
        }
        if step.group.is_some() && !self.group_assignment {
            return Err("groups-not-supported");
        }
        let tenant = self.tenants.get_mut(&step.tenant).ok_or("not-authorised")?;
        let value = || match &step.value {
            None => Ok(None),
            Some(text) => text.parse::<PolicyValue>().map(Some).map_err(|_| "unknown-value"),
        };
        let known = |tenant: &TenantPolicies| match &step.name {
            Some(name) if tenant.values.contains_key(name) => Ok(name.clone()),
            _ => Err("unknown-policy"),
        };
        match step.verb {
            PolicyVerb::New => {
                let name = step.name.clone().ok_or("name-not-allowed")?;
                if name.is_empty() || name.contains(' ') || tenant.values.contains_key(&name) {
                    return Err("name-not-allowed");
                }
                tenant.values.insert(name, value()?.unwrap_or(PolicyValue::Disabled));
            }
            PolicyVerb::Set => {
                let name = known(tenant)?;
                if let Some(value) = value()? {
                    tenant.values.insert(name, value);
                }
            }
            PolicyVerb::Get => {
                known(tenant)?;
            }
            PolicyVerb::Remove => {
                let name = known(tenant)?;
                if name == GLOBAL {
                    return Err("global-cannot-be-removed");
                }
                if tenant.assigns(&name) {
                    return Err("policy-in-use");
                }
                tenant.values.remove(&name);
            }
            PolicyVerb::Grant => tenant.grant(step)?,
        }
        Ok(())
    }
}

impl TenantPolicies {
    fn assigns(&self, policy: &str) -> bool {
        self.users.values().any(|p| p == policy)
            || self.groups.values().any(|(p, _)| p == policy)
            || self.tenant.as_deref() == Some(policy)
    }

    fn grant(&mut self, step: &PolicyStep) -> Result<(), &'static str> {
        if let Some(name) = &step.name
            && !self.values.contains_key(name)
        {
            return Err("unknown-policy");
        }
        match (&step.user, &step.group) {
            (Some(user), _) => {
                self.users.remove(&user.user);
                if let Some(name) = &step.name {
                    self.users.insert(user.user.clone(), name.clone());
                }
            }
            (None, Some(group)) => {
                if step.name.is_some()
                    && !self.groups.contains_key(group)
                    && self.groups.len() >= GROUPS_AT_MOST
                {
                    return Err("too-many-groups");
                }
                self.groups.remove(group);
                if let Some(name) = &step.name {
                    self.groups.insert(group.clone(), (name.clone(), step.rank.unwrap_or(1)));
                }
            }
            (None, None) => self.tenant = step.name.clone(),
        }
        Ok(())
    }
}
