//! A call from the outside: who is in it, and waiting until it has come so far.

use std::time::Duration;

use model::identity::DeviceId;
use nodes::client::{Client, Stage};

/// A call that was placed.
#[derive(Clone)]
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) caller: Client,
    /// Devices of the callee; the one that answers stands first once it has.
    pub(super) callees: Vec<Client>,
    pub(super) placed_ns: u64,
    pub(super) connected_ns: Option<u64>,
    pub(super) ended_ns: Option<u64>,
}

/// How far `client` has come with `call`.
pub(super) fn stage(client: &Client, call: &str) -> Option<Stage> {
    client.calls().borrow().get(call).map(|seen| seen.stage)
}

/// Waits until `client` has come to a stage that fits, at most `limit`; says whether it has.
pub(super) async fn reached(
    client: &Client,
    call: &str,
    limit: Duration,
    fits: impl Fn(Stage) -> bool,
) -> bool {
    let mut calls = client.calls();
    let come = calls.wait_for(|calls| calls.get(call).is_some_and(|seen| fits(seen.stage)));
    matches!(tokio::time::timeout(limit, come).await, Ok(Ok(_)))
}

impl Placed {
    /// The device that answered, or the first one that could.
    pub(super) fn callee(&self) -> Option<&Client> {
        self.callees.first()
    }

    /// Makes the device that answers the first one.
    pub(super) fn answered_by(&mut self, device: &DeviceId) {
        if let Some(at) = self.callees.iter().position(|client| client.device() == device) {
            self.callees.swap(0, at);
        }
    }

    /// Caller and answering callee.
    pub(super) fn both(&self) -> impl Iterator<Item = &Client> {
        std::iter::once(&self.caller).chain(self.callee())
    }
}
