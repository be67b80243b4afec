//! Both calling at once: of two offers that cross, one stands (design, section 1.6, step 9).
//!
//! Invariant: key and nonce of the offer that does not stand are gone before the other offer is answered.

use std::cmp::Ordering;

use model::Role;
use model::outcome::Reason;

use super::Body;
use super::call::Call;

impl Body {
    /// Settles whether `call`, just placed or just offered, crosses another between the same two people, and says
    /// whether it does. The device whose own offer stands ignores the other one. The device whose own offer does not
    /// takes it back, and answers the other one at once: whoever calls somebody has accepted to talk to them.
    pub(super) async fn crossed(&mut self, call: &str) -> bool {
        let Some((own, other)) = self.crossing(call) else { return false };
        if self.stands(&own, &other) {
            return true;
        }
        self.leave(&own, Some(Reason::Busy)).await;
        self.answer(&other).await;
        true
    }

    /// This device's own call and the one that crosses it, where `call` is either of them.
    fn crossing(&self, call: &str) -> Option<(String, String)> {
        let this = self.calls.get(call)?;
        let (found, _) = self.calls.iter().find(|(_, other)| crosses(this, other))?;
        let pair = (call.to_owned(), found.clone());
        Some(if this.role == Role::Caller { pair } else { (pair.1, pair.0) })
    }

    fn stands(&self, own: &str, other: &str) -> bool {
        let (Some(own), Some(other)) = (self.calls.get(own), self.calls.get(other)) else { return true };
        order(own, other).is_lt()
    }
}

/// Whether nobody has answered either of two calls between the same two people, one in each direction.
fn crosses(call: &Call, other: &Call) -> bool {
    let open = |call: &Call| call.one_to_one && !call.answered && !call.over;
    open(call)
        && open(other)
        && call.role != other.role
        && call.caller == other.callee
        && call.callee == other.caller
}

/// The smaller commitment stands; where an offer has none, because its call is not to be sealed or its profile agrees
/// on nothing, the smaller call id.
fn order(call: &Call, other: &Call) -> Ordering {
    match (call.agreement.commit(), other.agreement.commit()) {
        (Some(commit), Some(others)) => commit.cmp(others).then(call.id.cmp(&other.id)),
        _ => call.id.cmp(&other.id),
    }
}
