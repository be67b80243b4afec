//! Tenants, users, groups and who is in them: what an organisation's directory holds.
//!
//! Invariant: only direct members count; a group is never a member of a group.

use std::time::Duration;

use model::plan::PolicyValue;
use rusqlite::params;

use super::{GLOBAL, PolicyStore, StoreError};
use crate::policy_server::refusal::Refusal;

impl PolicyStore {
    /// Adds a tenant with its `Global` policy, which is `Disabled`; in effect at once.
    ///
    /// # Errors
    /// When the tenant is there.
    pub fn add_tenant(&mut self, tenant: &str, at: Duration) -> Result<(), StoreError> {
        self.database.execute("INSERT INTO tenants VALUES (?1)", [tenant])?;
        let change = super::Change::begin(&mut self.database, tenant, at, at)?;
        change.open_policy(GLOBAL, PolicyValue::Disabled)?;
        change.done("tenant", tenant)
    }

    /// Adds a user, named by the part before the `@`.
    ///
    /// # Errors
    /// When the user is there or the tenant is not.
    pub fn add_user(&mut self, tenant: &str, user: &str) -> Result<(), StoreError> {
        let mut insert = self.database.prepare_cached("INSERT INTO users VALUES (?1, ?2)")?;
        insert.execute([tenant, user])?;
        Ok(())
    }

    /// Adds a group without members.
    ///
    /// # Errors
    /// When the group is there or the tenant is not.
    pub fn add_group(&mut self, tenant: &str, group: &str) -> Result<(), StoreError> {
        self.database.execute("INSERT INTO groups VALUES (?1, ?2)", [tenant, group])?;
        Ok(())
    }

    /// Makes a user a member of a group; one who is a member stays one.
    ///
    /// # Errors
    /// `unknown-group` or `unknown-user`.
    pub fn join(&mut self, tenant: &str, group: &str, user: &str, at: Duration) -> Result<(), StoreError> {
        if self.is_member(tenant, group, user)? {
            return Ok(());
        }
        let change = self.change(tenant, at)?;
        change.open_member(group, user)?;
        change.done("join", &format!("{group} {user}"))
    }

    /// Takes a user out of a group.
    ///
    /// # Errors
    /// `unknown-group` or `unknown-user`, also when the user is no member.
    pub fn leave(&mut self, tenant: &str, group: &str, user: &str, at: Duration) -> Result<(), StoreError> {
        if !self.is_member(tenant, group, user)? {
            return Err(Refusal::UnknownUser.into());
        }
        let change = self.change(tenant, at)?;
        change.close_member(group, user)?;
        change.done("leave", &format!("{group} {user}"))
    }

    /// Whether the tenant has this user.
    pub(super) fn has_user(&self, tenant: &str, user: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE tenant = ?1 AND user = ?2)";
        Ok(self.database.prepare_cached(sql)?.query_row([tenant, user], |row| row.get(0))?)
    }

    /// Whether the tenant has this group.
    pub(super) fn has_group(&self, tenant: &str, group: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM groups WHERE tenant = ?1 AND name = ?2)";
        Ok(self.database.prepare_cached(sql)?.query_row([tenant, group], |row| row.get(0))?)
    }

    fn is_member(&self, tenant: &str, group: &str, user: &str) -> Result<bool, StoreError> {
        if !self.has_group(tenant, group)? {
            return Err(Refusal::UnknownGroup.into());
        }
        if !self.has_user(tenant, user)? {
            return Err(Refusal::UnknownUser.into());
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM members
                   WHERE tenant = ?1 AND group_name = ?2 AND user = ?3 AND until_ns IS NULL)";
        Ok(self.database.prepare_cached(sql)?.query_row(params![tenant, group, user], |row| row.get(0))?)
    }
}
