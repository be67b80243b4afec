//! The database of the policy server: an embedded SQLite, in memory.
//!
//! Invariant: no row is changed in what it says. A change closes the row in effect and opens another, both at
//! the instant at which the change takes effect, so that any view, of any instant, can be read off the rows.
//! Times are the world's, come in as arguments and must not go backwards.

use std::sync::OnceLock;
use std::time::Duration;

use model::UserId;
use model::plan::PolicyValue;
use model::release::Release;
use rusqlite::{Connection, MAIN_DB, OptionalExtension, named_params, params};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::token::{GoodFor, Token};
use change::Change;

mod change;
mod directory;
mod effective;
mod grants;
mod rows;
mod set_up;

pub use effective::{EffectivePolicy, Source};
pub use grants::{GROUPS_MAX, GrantTarget};

/// The policy that every tenant has.
pub const GLOBAL: &str = "Global";

/// `from_ns` and `until_ns` bound the time in which a row is in effect; one without `until_ns` is configured.
const SCHEMA: &str = "
CREATE TABLE tenants (tenant TEXT PRIMARY KEY) STRICT;
CREATE TABLE policies (
    tenant TEXT NOT NULL REFERENCES tenants, name TEXT NOT NULL, value TEXT NOT NULL,
    from_ns INTEGER NOT NULL, until_ns INTEGER) STRICT;
CREATE UNIQUE INDEX policy_configured ON policies (tenant, name) WHERE until_ns IS NULL;
CREATE TABLE users (tenant TEXT NOT NULL REFERENCES tenants, user TEXT NOT NULL,
    PRIMARY KEY (tenant, user)) STRICT;
CREATE TABLE groups (tenant TEXT NOT NULL REFERENCES tenants, name TEXT NOT NULL,
    PRIMARY KEY (tenant, name)) STRICT;
CREATE TABLE members (
    tenant TEXT NOT NULL, group_name TEXT NOT NULL, user TEXT NOT NULL,
    from_ns INTEGER NOT NULL, until_ns INTEGER,
    FOREIGN KEY (tenant, group_name) REFERENCES groups, FOREIGN KEY (tenant, user) REFERENCES users) STRICT;
CREATE UNIQUE INDEX member_configured ON members (tenant, group_name, user) WHERE until_ns IS NULL;
CREATE TABLE grants (
    tenant TEXT NOT NULL REFERENCES tenants, target TEXT NOT NULL, id TEXT NOT NULL, policy TEXT NOT NULL,
    rank INTEGER NOT NULL, from_ns INTEGER NOT NULL, until_ns INTEGER) STRICT;
CREATE UNIQUE INDEX grant_configured ON grants (tenant, target, id) WHERE until_ns IS NULL;
CREATE TABLE tokens (
    sha256 TEXT PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants, user TEXT,
    FOREIGN KEY (tenant, user) REFERENCES users) STRICT;
CREATE TABLE changes (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL REFERENCES tenants, operation TEXT NOT NULL,
    subject TEXT NOT NULL, asked_ns INTEGER NOT NULL, effective_ns INTEGER NOT NULL) STRICT;
";

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operation is not allowed; the database is as it was.
    #[error("the policy server refused: {0}; see the policy API for what it takes")]
    Refused(Refusal),
    /// SQLite failed.
    #[error("the policy database failed ({0}); this is a fault of the harness, report it")]
    Database(#[from] rusqlite::Error),
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A named policy of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// The name, `Global` or another.
    pub name: String,
    /// The value of `CallingEndtoEndEncryptionEnabledType`.
    pub value: PolicyValue,
}

/// Policies, users, groups, grants and tokens of every tenant.
#[derive(Debug)]
pub struct PolicyStore {
    database: Connection,
    propagation: Duration,
    group_assignment: bool,
}

impl PolicyStore {
    /// Opens an empty store whose changes take effect `propagation` after they were asked for.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn open(propagation: Duration, release: &Release) -> Result<Self, StoreError> {
        let database = empty()?;
        Ok(Self { database, propagation, group_assignment: release.group_assignment })
    }

    /// Makes a policy: `New-CsTeamsEnhancedEncryptionPolicy`.
    ///
    /// # Errors
    /// `name-not-allowed` or `unknown-value`; without a value it is `Disabled`.
    pub fn new_policy(
        &mut self,
        tenant: &str,
        name: &str,
        value: Option<&str>,
        at: Duration,
    ) -> Result<PolicyDocument, StoreError> {
        let spaced = name.chars().any(|c| c.is_whitespace() || c.is_control());
        if name.is_empty() || spaced || self.configured_value(tenant, name)?.is_some() {
            return Err(Refusal::NameNotAllowed.into());
        }
        let value = value.map_or(Ok(PolicyValue::Disabled), parse_value)?;
        let change = self.change(tenant, at)?;
        change.open_policy(name, value)?;
        change.done("new", name)?;
        Ok(PolicyDocument { name: name.to_owned(), value })
    }

    /// Changes a policy: `Set-CsTeamsEnhancedEncryptionPolicy`. Without a value it stays as it is.
    ///
    /// # Errors
    /// `unknown-policy` or `unknown-value`.
    pub fn set_policy(
        &mut self,
        tenant: &str,
        name: &str,
        value: Option<&str>,
        at: Duration,
    ) -> Result<PolicyDocument, StoreError> {
        let configured = self.policy(tenant, name)?.value;
        let value = value.map_or(Ok(configured), parse_value)?;
        let change = self.change(tenant, at)?;
        change.close_policy(name)?;
        change.open_policy(name, value)?;
        change.done("set", name)?;
        Ok(PolicyDocument { name: name.to_owned(), value })
    }

    /// Removes a policy: `Remove-CsTeamsEnhancedEncryptionPolicy`.
    ///
    /// # Errors
    /// `unknown-policy`, `global-cannot-be-removed` or, while a grant of it is configured, `policy-in-use`.
    pub fn remove_policy(&mut self, tenant: &str, name: &str, at: Duration) -> Result<(), StoreError> {
        self.policy(tenant, name)?;
        if name == GLOBAL {
            return Err(Refusal::GlobalCannotBeRemoved.into());
        }
        let granted: bool = self.database.query_row(
            "SELECT EXISTS (SELECT 1 FROM grants WHERE tenant = ?1 AND policy = ?2 AND until_ns IS NULL)",
            params![tenant, name],
            |row| row.get(0),
        )?;
        if granted {
            return Err(Refusal::PolicyInUse.into());
        }
        let change = self.change(tenant, at)?;
        change.close_policy(name)?;
        change.done("remove", name)
    }

    /// A policy as it is configured, in effect or not: `Get-CsTeamsEnhancedEncryptionPolicy`.
    ///
    /// # Errors
    /// `unknown-policy`.
    pub fn policy(&self, tenant: &str, name: &str) -> Result<PolicyDocument, StoreError> {
        let value = self.configured_value(tenant, name)?.ok_or(Refusal::UnknownPolicy)?;
        Ok(PolicyDocument { name: name.to_owned(), value })
    }

    /// Every policy of the tenant as it is configured, by name.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn policies(&self, tenant: &str) -> Result<Vec<PolicyDocument>, StoreError> {
        let mut statement = self.database.prepare(
            "SELECT name, value FROM policies WHERE tenant = ?1 AND until_ns IS NULL ORDER BY name",
        )?;
        let rows = statement.query_map([tenant], |row| {
            Ok(PolicyDocument { name: row.get(0)?, value: read_value(row, 1)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lets whoever shows `token` do what it is `good_for`.
    ///
    /// # Errors
    /// When the tenant or the user does not exist, or the token is known.
    pub fn add_token(&mut self, token: &Token, good_for: &GoodFor) -> Result<(), StoreError> {
        let (tenant, user) = match good_for {
            GoodFor::Administration(tenant) => (tenant, None),
            GoodFor::EffectivePolicy(user) => (&user.tenant, Some(&user.user)),
        };
        let mut insert = self.database.prepare_cached("INSERT INTO tokens VALUES (?1, ?2, ?3)")?;
        insert.execute(params![token.sha256(), tenant, user])?;
        Ok(())
    }

    /// What `token` is good for; nothing when it is unknown.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn good_for(&self, token: &Token) -> Result<Option<GoodFor>, StoreError> {
        let mut select = self.database.prepare_cached("SELECT tenant, user FROM tokens WHERE sha256 = ?1")?;
        let found = select.query_row([token.sha256()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?))
        });
        Ok(found.optional()?.map(|(tenant, user)| match user {
            Some(user) => GoodFor::EffectivePolicy(UserId::new(&user, &tenant)),
            None => GoodFor::Administration(tenant),
        }))
    }

    fn configured_value(&self, tenant: &str, name: &str) -> Result<Option<PolicyValue>, StoreError> {
        let found = self.database.query_row(
            "SELECT value FROM policies WHERE tenant = :tenant AND name = :name AND until_ns IS NULL",
            named_params! { ":tenant": tenant, ":name": name },
            |row| read_value(row, 0),
        );
        Ok(found.optional()?)
    }

    /// Begins a change that is asked for `at` and takes effect after the propagation delay.
    fn change<'a>(&'a mut self, tenant: &'a str, at: Duration) -> Result<Change<'a>, StoreError> {
        Change::begin(&mut self.database, tenant, at, at + self.propagation)
    }
}

/// A database without rows. How SQLite lays the empty tables out is worked out once in a process and copied from then on.
fn empty() -> Result<Connection, rusqlite::Error> {
    static TABLES: OnceLock<Vec<u8>> = OnceLock::new();
    let tables = match TABLES.get() {
        Some(tables) => tables,
        None => {
            let mut first = Connection::open_in_memory()?;
            first.execute_batch("PRAGMA page_size = 1024")?;
            first.execute_batch(SCHEMA)?;
            let laid_out = first.serialize(MAIN_DB)?.to_vec();
            TABLES.get_or_init(|| laid_out)
        }
    };
    let mut database = Connection::open_in_memory()?;
    database.deserialize_read_exact(MAIN_DB, tables.as_slice(), tables.len(), false)?;
    database.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok(database)
}

/// Nanoseconds of the world's clock, as SQLite keeps them.
fn nanoseconds(at: Duration) -> i64 {
    i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)
}

fn parse_value(text: &str) -> Result<PolicyValue, Refusal> {
    text.parse().map_err(|_| Refusal::UnknownValue)
}

/// Reads back a value that [`parse_value`] let in.
fn read_value(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<PolicyValue> {
    row.get::<_, String>(column)?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}

#[cfg(test)]
mod tests;
