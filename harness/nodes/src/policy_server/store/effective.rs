//! Which policy holds for a user at an instant.
//!
//! Invariant: a direct grant goes before the group with the best rank, that before a grant to the whole
//! tenant, and that before the policy `Global`; a user of the tenant always has exactly one.

use std::time::Duration;

use model::identity::UserId;
use model::plan::PolicyValue;
use rusqlite::{OptionalExtension, Row, named_params};
use serde::{Deserialize, Serialize};

use super::{PolicyStore, StoreError, nanoseconds, read_value};
use crate::policy_server::refusal::Refusal;

model::words! {
    /// Where an effective policy comes from.
    pub enum Source {
        /// Granted to the user.
        User = "user",
        /// Granted to a group of which the user is a direct member.
        Group = "group",
        /// The tenant's.
        Global = "global",
    }
}

/// What holds for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivePolicy {
    /// The name of the policy.
    pub policy: String,
    /// Its value.
    pub value: PolicyValue,
    /// Where it comes from.
    pub source: Source,
}

/// The best of the grants that reach a user and whose policy is in effect.
const GRANTED: &str = "
SELECT p.name, p.value, g.target FROM grants g JOIN policies p ON p.tenant = g.tenant AND p.name = g.policy
WHERE g.tenant = :tenant AND g.from_ns <= :at AND (g.until_ns IS NULL OR g.until_ns > :at)
AND p.from_ns <= :at AND (p.until_ns IS NULL OR p.until_ns > :at)
AND (g.target = 'global' OR g.target = 'user' AND g.id = :user OR g.target = 'group' AND g.id IN (
    SELECT group_name FROM members
    WHERE tenant = :tenant AND user = :user AND from_ns <= :at AND (until_ns IS NULL OR until_ns > :at)))
ORDER BY CASE g.target WHEN 'user' THEN 0 WHEN 'group' THEN 1 ELSE 2 END, g.rank LIMIT 1";

/// What holds for whoever no grant reaches.
const UNGRANTED: &str = "
SELECT name, value, 'global' FROM policies
WHERE tenant = :tenant AND name = 'Global' AND from_ns <= :at AND (until_ns IS NULL OR until_ns > :at)";

impl PolicyStore {
    /// What holds for `user` at the instant `at`: changes that have not taken effect by then do not count.
    ///
    /// # Errors
    /// `unknown-user`.
    pub fn effective(&self, user: &UserId, at: Duration) -> Result<EffectivePolicy, StoreError> {
        self.effective_at_ns(user, nanoseconds(at))
    }

    /// What will hold for `user` once every change has taken effect.
    ///
    /// # Errors
    /// `unknown-user`.
    pub fn configured(&self, user: &UserId) -> Result<EffectivePolicy, StoreError> {
        self.effective_at_ns(user, i64::MAX)
    }

    fn effective_at_ns(&self, user: &UserId, at_ns: i64) -> Result<EffectivePolicy, StoreError> {
        if !self.has_user(&user.tenant, &user.user)? {
            return Err(Refusal::UnknownUser.into());
        }
        let read = |row: &Row<'_>| {
            let source = match row.get::<_, String>(2)?.as_str() {
                "user" => Source::User,
                "group" => Source::Group,
                _ => Source::Global,
            };
            Ok(EffectivePolicy { policy: row.get(0)?, value: read_value(row, 1)?, source })
        };
        let values = named_params! { ":tenant": user.tenant, ":user": user.user, ":at": at_ns };
        let granted = self.database.prepare_cached(GRANTED)?.query_row(values, read).optional()?;
        if let Some(granted) = granted {
            return Ok(granted);
        }
        let values = named_params! { ":tenant": user.tenant, ":at": at_ns };
        Ok(self.database.prepare_cached(UNGRANTED)?.query_row(values, read)?)
    }
}
