//! One change of the database: all of it or nothing, with a line in the table of changes.
//!
//! Invariant: a change that is dropped before [`Change::done`] leaves no trace.

use std::time::Duration;

use model::plan::PolicyValue;
use rusqlite::{Connection, Params, Transaction, params};

use super::{StoreError, nanoseconds};

/// A change under way, of one tenant.
pub(super) struct Change<'a> {
    database: Transaction<'a>,
    tenant: &'a str,
    asked_ns: i64,
    effective_ns: i64,
}

impl<'a> Change<'a> {
    /// Begins a change that is asked for at one time and takes effect at another.
    pub fn begin(
        database: &'a mut Connection,
        tenant: &'a str,
        asked: Duration,
        effective: Duration,
    ) -> Result<Self, StoreError> {
        let (asked_ns, effective_ns) = (nanoseconds(asked), nanoseconds(effective));
        Ok(Self { database: database.transaction()?, tenant, asked_ns, effective_ns })
    }

    /// Runs a statement that a change of the same kind will run again.
    fn execute(&self, sql: &str, values: impl Params) -> Result<(), StoreError> {
        self.database.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Opens a policy.
    pub fn open_policy(&self, name: &str, value: PolicyValue) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO policies VALUES (?1, ?2, ?3, ?4, NULL)",
            params![self.tenant, name, value.word(), self.effective_ns],
        )
    }

    /// Closes a policy.
    pub fn close_policy(&self, name: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE policies SET until_ns = ?3 WHERE tenant = ?1 AND name = ?2 AND until_ns IS NULL",
            params![self.tenant, name, self.effective_ns],
        )
    }

    /// Opens a grant; `rank` is 0 unless it is a group's.
    pub fn open_grant(&self, target: &str, id: &str, policy: &str, rank: u32) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)",
            params![self.tenant, target, id, policy, rank, self.effective_ns],
        )
    }

    /// Closes a grant, if there is one.
    pub fn close_grant(&self, target: &str, id: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE grants SET until_ns = ?4
             WHERE tenant = ?1 AND target = ?2 AND id = ?3 AND until_ns IS NULL",
            params![self.tenant, target, id, self.effective_ns],
        )
    }

    /// Opens a membership.
    pub fn open_member(&self, group: &str, user: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO members VALUES (?1, ?2, ?3, ?4, NULL)",
            params![self.tenant, group, user, self.effective_ns],
        )
    }

    /// Closes a membership, if there is one.
    pub fn close_member(&self, group: &str, user: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE members SET until_ns = ?4
             WHERE tenant = ?1 AND group_name = ?2 AND user = ?3 AND until_ns IS NULL",
            params![self.tenant, group, user, self.effective_ns],
        )
    }

    /// Writes the change into the table of changes and makes it lasting.
    pub fn done(self, operation: &str, subject: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO changes (tenant, operation, subject, asked_ns, effective_ns)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.tenant, operation, subject, self.asked_ns, self.effective_ns],
        )?;
        Ok(self.database.commit()?)
    }
}
