//! Those who ask the policy server: devices for their user's policy, and administrators.

use model::UserId;
use model::plan::{PolicyStep, PolicyValue};
use model::record::Blamed;
use net::network::Boxed;
use nodes::policy_client::PolicySource;
use nodes::policy_server::{AdminClient, Token};

use super::build::World;

/// A device's way to the policy server, over its own link.
pub(super) struct Reader {
    pub(super) client: AdminClient,
    pub(super) token: Token,
}

impl PolicySource for Reader {
    fn effective<'a>(&'a self, user: &'a UserId) -> Boxed<'a, Option<PolicyValue>> {
        Box::pin(async move {
            self.client.effective_policy(&self.token, user).await.ok().map(|policy| policy.value)
        })
    }
}

impl World {
    /// An administrator's request, with the token of the tenant that the step names.
    pub(super) async fn policy(&mut self, at: usize, step: &PolicyStep) {
        let tenant = step.as_admin_of.as_ref().unwrap_or(&step.tenant).to_lowercase();
        let Some(token) = self.tokens.administrators.get(&tenant) else {
            return self.stumble(Blamed::Harness, format!("{tenant} has no administrator"));
        };
        match self.admin.ask(token, step).await {
            Ok(answer) => {
                self.steps.insert(at, answer.into_step(self.journal.now_ns()));
            }
            Err(error) => {
                self.stumble(Blamed::Harness, format!("a request to the policy server failed ({error})"))
            }
        }
    }
}
