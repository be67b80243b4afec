//! Which policy holds for a user at an instant.
//!
//! Invariant: a direct grant goes before the group with the best rank, that before a grant to the whole
//! tenant, and that before the policy `Global`; a user of the tenant always has exactly one.

use std::time::Duration;

use model::identity::UserId;
use model::plan::PolicyValue;
use rusqlite::named_params;
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

const EFFECTIVE: &str = "
WITH granted AS (
    SELECT target, id, policy, rank FROM grants
    WHERE tenant = :tenant AND from_ns <= :at AND (until_ns IS NULL OR until_ns > :at)
), candidates AS (
    SELECT 0 AS precedence, rank, policy, target FROM granted WHERE target = 'user' AND id = :user
    UNION ALL
    SELECT 1, rank, policy, target FROM granted WHERE target = 'group' AND id IN (
        SELECT group_name FROM members
        WHERE tenant = :tenant AND user = :user AND from_ns <= :at AND (until_ns IS NULL OR until_ns > :at))
    UNION ALL
    SELECT 2, rank, policy, target FROM granted WHERE target = 'global'
    UNION ALL
    SELECT 3, 0, 'Global', 'global'
)
SELECT p.name, p.value, c.target FROM candidates c JOIN policies p
ON p.tenant = :tenant AND p.name = c.policy AND p.from_ns <= :at AND (p.until_ns IS NULL OR p.until_ns > :at)
ORDER BY c.precedence, c.rank LIMIT 1";

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
        let values = named_params! { ":tenant": user.tenant, ":user": user.user, ":at": at_ns };
        let found = self.database.query_row(EFFECTIVE, values, |row| {
            let source = match row.get::<_, String>(2)?.as_str() {
                "user" => Source::User,
                "group" => Source::Group,
                _ => Source::Global,
            };
            Ok(EffectivePolicy { policy: row.get(0)?, value: read_value(row, 1)?, source })
        });
        Ok(found?)
    }
}
