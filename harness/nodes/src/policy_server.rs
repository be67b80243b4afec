//! The policy server: keeps each tenant's policies, answers its administrators and tells the devices of a user
//! what holds for that user.
//!
//! Invariant: time and randomness come in as arguments, and everything that it knows stands in its database.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use model::record::DatabaseRow;
use model::{Plan, UserId};

pub mod admin_client;
use crate::mitm::Mallory;

pub mod refusal;
pub mod store;
pub mod token;

mod api;
mod serving;

#[cfg(test)]
mod testing;

pub use admin_client::{AdminClient, Answer, AskError};
pub use refusal::Refusal;
pub use store::{EffectivePolicy, PolicyDocument, PolicyStore, Source, StoreError};
pub use token::{GoodFor, Token};

/// Tells the time of the world, counted from its start.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The tokens of a world, for those who ask in it.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// Of each user's devices: good for the effective policy of that user.
    pub users: BTreeMap<UserId, Token>,
    /// Of each tenant's administrator, by the tenant's domain.
    pub administrators: BTreeMap<String, Token>,
}

/// The policy server of a world.
pub struct PolicyServer {
    store: Mutex<PolicyStore>,
    clock: Clock,
    /// Whoever sits inside the service and alters its answers about users.
    mallory: Mutex<Option<Mallory>>,
}

impl PolicyServer {
    /// Sets up the server of `plan`, with everything that the plan says in effect at once, and makes the tokens
    /// with bytes from `random`.
    ///
    /// # Errors
    /// When the plan contradicts itself or its release, which a checked plan does not.
    pub fn from_plan(
        plan: &Plan,
        clock: Clock,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<(Arc<Self>, Tokens), StoreError> {
        let mut store = PolicyStore::from_plan(plan)?;
        let users = plan
            .tenants
            .iter()
            .flat_map(|(domain, tenant)| tenant.users.keys().map(|name| UserId::new(name, domain)));
        let tokens = Tokens {
            users: users.map(|user| (user, Token::random(random))).collect(),
            administrators: plan.tenants.keys().map(|t| (t.to_lowercase(), Token::random(random))).collect(),
        };
        for (user, token) in &tokens.users {
            store.add_token(token, &GoodFor::EffectivePolicy(user.clone()))?;
        }
        for (tenant, token) in &tokens.administrators {
            store.add_token(token, &GoodFor::Administration(tenant.clone()))?;
        }
        Ok((Arc::new(Self { store: Mutex::new(store), clock, mallory: Mutex::default() }), tokens))
    }

    /// From now on `mallory` alters the answers about users.
    pub fn infiltrate(&self, mallory: Mallory) {
        *self.mallory.lock().unwrap_or_else(PoisonError::into_inner) = Some(mallory);
    }

    /// What holds for `user` at the moment, as it is told.
    fn told(&self, user: &UserId) -> Result<EffectivePolicy, StoreError> {
        let answer = self.store().effective(user, self.now())?;
        let mallory = self.mallory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(mallory.as_ref().map_or(answer.clone(), |mallory| mallory.policy(user, answer)))
    }

    /// The admin API as a service.
    pub fn router(self: &Arc<Self>) -> Router {
        api::router(Arc::clone(self))
    }

    /// Makes a user a member of a group, as the organisation's directory would.
    ///
    /// # Errors
    /// `unknown-group` or `unknown-user`.
    pub fn join(&self, tenant: &str, group: &str, user: &str) -> Result<(), StoreError> {
        self.store().join(tenant, group, user, self.now())
    }

    /// Takes a user out of a group, as the organisation's directory would.
    ///
    /// # Errors
    /// `unknown-group` or `unknown-user`, also when the user is no member.
    pub fn leave(&self, tenant: &str, group: &str, user: &str) -> Result<(), StoreError> {
        self.store().leave(tenant, group, user, self.now())
    }

    /// The database as it is; tokens print as `…`.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn database(&self) -> Result<Vec<DatabaseRow>, StoreError> {
        self.store().rows()
    }

    fn now(&self) -> Duration {
        (self.clock)()
    }

    /// The store, for one operation; never held across a wait.
    fn store(&self) -> MutexGuard<'_, PolicyStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
