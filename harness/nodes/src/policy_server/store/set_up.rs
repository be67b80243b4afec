//! Filling a store from the plan of a world.
//!
//! Invariant: what the plan says is in effect from the first instant, whatever the propagation delay.

use std::time::Duration;

use model::Plan;
use model::plan::Tenant;
use model::release::Release;

use super::{GLOBAL, GrantTarget, PolicyStore, StoreError};

impl PolicyStore {
    /// Opens a store with every tenant, policy, user, group and grant of `plan`.
    ///
    /// Ranks of groups are taken in ascending order; groups of equal rank, and those without one, which come
    /// last, by name.
    ///
    /// # Errors
    /// A refusal when the plan contradicts itself or its release, which a checked plan does not.
    pub fn from_plan(plan: &Plan) -> Result<Self, StoreError> {
        let mut store = Self::open(Duration::ZERO, &Release::of(plan.release))?;
        for (name, tenant) in &plan.tenants {
            store.set_up_tenant(&name.to_lowercase(), tenant)?;
        }
        store.propagation = Duration::from_millis(plan.propagation_ms);
        Ok(store)
    }

    fn set_up_tenant(&mut self, name: &str, tenant: &Tenant) -> Result<(), StoreError> {
        let start = Duration::ZERO;
        self.add_tenant(name, start)?;
        for (policy, value) in &tenant.policies {
            if policy == GLOBAL {
                self.set_policy(name, policy, Some(value.word()), start)?;
            } else {
                self.new_policy(name, policy, Some(value.word()), start)?;
            }
        }
        for user in tenant.users.keys() {
            self.add_user(name, &user.to_lowercase())?;
        }
        for (user, settings) in &tenant.users {
            if let Some(policy) = &settings.policy {
                let target = GrantTarget::User(user.to_lowercase());
                self.grant(name, &target, Some(policy), None, start)?;
            }
        }
        let mut ranked: Vec<_> = tenant.groups.iter().collect();
        ranked.sort_by_key(|(group, settings)| (settings.rank.unwrap_or(u32::MAX), *group));
        for (group, settings) in ranked {
            self.add_group(name, group)?;
            for user in &settings.members {
                self.join(name, group, &user.to_lowercase(), start)?;
            }
            if let Some(policy) = &settings.policy {
                self.grant(name, &GrantTarget::Group(group.clone()), Some(policy), None, start)?;
            }
        }
        Ok(())
    }
}
