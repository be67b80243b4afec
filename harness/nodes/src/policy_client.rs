//! How a device learns the policy of its user.

use model::UserId;
use model::plan::PolicyValue;
use net::network::Boxed;

/// Something that answers which policy a user has.
pub trait PolicySource: Send + Sync {
    /// The policy in effect for `user`; none when nobody could be asked.
    fn effective<'a>(&'a self, user: &'a UserId) -> Boxed<'a, Option<PolicyValue>>;
}
