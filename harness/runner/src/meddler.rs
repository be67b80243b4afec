//! A seam for tests: somebody who makes trouble in worlds before their nodes stand on the network.

use std::fmt;
use std::sync::Arc;

use net::Network;

use crate::world::Job;

type Deed = dyn Fn(&Job, &Arc<dyn Network>) + Send + Sync;

/// Called once per world, on its thread and inside its executor, with its network.
#[derive(Clone)]
pub struct Meddler(Arc<Deed>);

impl Meddler {
    /// One who does `deed`.
    pub fn new(deed: impl Fn(&Job, &Arc<dyn Network>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deed))
    }

    pub(crate) fn meddle(&self, job: &Job, net: &Arc<dyn Network>) {
        (self.0)(job, net);
    }
}

impl fmt::Debug for Meddler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meddler")
    }
}
