//! What the call service still holds when every call is over: its tables, and keys that devices handed over.
//!
//! Invariant: a row of a table is told whole, whatever stands in it.

use model::identity::Node;
use model::record::Held;

use super::Body;
use super::routing::Route;
use crate::journal::held;

impl Body {
    pub(super) fn held(&self) -> Vec<Held> {
        let owner = Node::CallService.word();
        let mut found = Vec::new();
        for (user, e2ee) in &self.setup.directory {
            let row = format!("{user} prefers sealed calls: {e2ee}");
            found.push(held(owner, "its directory", row.as_bytes()));
        }
        for (call, route) in &self.routes {
            found.push(held(owner, format!("its row of the call {call}"), row(call, route).as_bytes()));
        }
        for (call, keys) in &self.handed {
            let keys = keys.iter().map(|key| (format!("a key of the call {call}"), key.base_key));
            found.extend(keys.map(|(what, key)| held(owner, what, &key)));
        }
        found
    }
}

fn row(call: &str, route: &Route) -> String {
    let Route { caller, ringing, answered, media, profile, node, over, .. } = route;
    let answered = answered.as_ref().map(ToString::to_string).unwrap_or_default();
    let ringing: Vec<String> = ringing.iter().map(ToString::to_string).collect();
    let node = node.map_or("none", Node::word);
    format!(
        "{call} from {caller} answered by [{answered}] ringing [{}] media [{}] profile {profile} sealed {} node {node} \
         over {over}",
        ringing.join(" "),
        media.join(" "),
        route.sealed(),
    )
}
