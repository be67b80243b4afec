//! Granting a policy to a user, a group or the whole tenant.
//!
//! Invariant: the ranks of a tenant's groups are 1, 2, 3 and so on without a gap, whatever was asked for.

use std::fmt;
use std::time::Duration;

use rusqlite::params;

use super::{PolicyStore, StoreError};
use crate::policy_server::refusal::Refusal;

/// As many groups of a tenant can be given a policy.
pub const GROUPS_MAX: usize = 64;

/// Whom a policy is granted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantTarget {
    /// A user, named by the part before the `@`.
    User(String),
    /// A group: its direct members.
    Group(String),
    /// Everybody in the tenant who has nothing better.
    Global,
}

impl GrantTarget {
    /// The word in the database.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Global => "global",
        }
    }

    /// Which user or group.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Group(id) => id,
            Self::Global => "",
        }
    }
}

impl fmt::Display for GrantTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word(), self.id())
    }
}

/// The configured grant to a group; its place in a list is its rank.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupGrant {
    group: String,
    policy: String,
}

impl PolicyStore {
    /// Grants a policy, or takes the grant away when there is none given:
    /// `Grant-CsTeamsEnhancedEncryptionPolicy`. Returns the rank that a group has got.
    ///
    /// An occupied rank shifts the others down; a rank beyond the last is the last; without one, a group keeps
    /// the rank that it has, or comes last.
    ///
    /// # Errors
    /// `groups-not-supported`, `unknown-user`, `unknown-group`, `unknown-policy` or `too-many-groups`; and
    /// `malformed-request` for a rank without a group.
    pub fn grant(
        &mut self,
        tenant: &str,
        target: &GrantTarget,
        policy: Option<&str>,
        rank: Option<u32>,
        at: Duration,
    ) -> Result<Option<u32>, StoreError> {
        self.check_target(tenant, target)?;
        if let Some(policy) = policy {
            self.policy(tenant, policy)?;
        }
        if let GrantTarget::Group(group) = target {
            return self.grant_to_group(tenant, group, policy, rank, at);
        }
        if rank.is_some() {
            return Err(Refusal::MalformedRequest.into());
        }
        let change = self.change(tenant, at)?;
        change.close_grant(target.word(), target.id())?;
        if let Some(policy) = policy {
            change.open_grant(target.word(), target.id(), policy, 0)?;
        }
        change.done("grant", &target.to_string())?;
        Ok(None)
    }

    fn check_target(&self, tenant: &str, target: &GrantTarget) -> Result<(), StoreError> {
        match target {
            GrantTarget::Group(_) if !self.group_assignment => Err(Refusal::GroupsNotSupported.into()),
            GrantTarget::Group(group) if !self.has_group(tenant, group)? => Err(Refusal::UnknownGroup.into()),
            GrantTarget::User(user) if !self.has_user(tenant, user)? => Err(Refusal::UnknownUser.into()),
            _ => Ok(()),
        }
    }

    fn grant_to_group(
        &mut self,
        tenant: &str,
        group: &str,
        policy: Option<&str>,
        rank: Option<u32>,
        at: Duration,
    ) -> Result<Option<u32>, StoreError> {
        let before = self.groups_by_rank(tenant)?;
        let mut after = before.clone();
        let held = after.iter().position(|g| g.group == group);
        if let Some(held) = held {
            after.remove(held);
        }
        let mut got = None;
        if let Some(policy) = policy {
            if after.len() == GROUPS_MAX {
                return Err(Refusal::TooManyGroups.into());
            }
            let asked = rank.and_then(|r| usize::try_from(r).ok()).map(|r| r.saturating_sub(1));
            let place = asked.or(held).unwrap_or(after.len()).min(after.len());
            after.insert(place, GroupGrant { group: group.to_owned(), policy: policy.to_owned() });
            got = Some(rank_of(place));
        }
        let change = self.change(tenant, at)?;
        let moved = |list: &[GroupGrant], place: usize, grant: &GroupGrant| list.get(place) != Some(grant);
        for (_, grant) in before.iter().enumerate().filter(|(place, g)| moved(&after, *place, g)) {
            change.close_grant("group", &grant.group)?;
        }
        for (place, grant) in after.iter().enumerate().filter(|(place, g)| moved(&before, *place, g)) {
            change.open_grant("group", &grant.group, &grant.policy, rank_of(place))?;
        }
        change.done("grant", &format!("group {group}"))?;
        Ok(got)
    }

    /// The configured grants to groups, best rank first.
    fn groups_by_rank(&self, tenant: &str) -> Result<Vec<GroupGrant>, StoreError> {
        let mut statement = self.database.prepare(
            "SELECT id, policy FROM grants
             WHERE tenant = ?1 AND target = 'group' AND until_ns IS NULL ORDER BY rank",
        )?;
        let rows = statement
            .query_map(params![tenant], |row| Ok(GroupGrant { group: row.get(0)?, policy: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The rank of the group at a place, which counts from 0.
fn rank_of(place: usize) -> u32 {
    u32::try_from(place).map_or(u32::MAX, |place| place.saturating_add(1))
}
