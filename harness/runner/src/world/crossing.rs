//! Two people call each other at once: which of the two calls stands, as the devices have it.
//!
//! Invariant: the devices choose. What is found here only says which call the steps that follow are about, and is no
//! evidence of anything.

use nodes::client::{Client, Stage};

use super::build::World;
use super::calls::{ANSWERS_WITHIN, Placed, reached};

impl World {
    /// Waits until one of two calls that cross is over, and the other one is up or over as well.
    pub(super) async fn crossed(&mut self, pair: [usize; 2]) {
        let placed = pair.map(|index| self.calls.get(index).and_then(Option::as_ref).cloned());
        let [Some(earlier), Some(later)] = placed else { return };
        let over = |stage| matches!(stage, Stage::Over(_));
        let gone = tokio::select! {
            biased;
            true = reached(&earlier.caller, &earlier.id, ANSWERS_WITHIN, over) => 0,
            true = reached(&later.caller, &later.id, ANSWERS_WITHIN, over) => 1,
            else => {
                // Each device waits for the other one: the callers let it ring as long as they do.
                for index in pair {
                    self.undecided_no_more(index, None);
                }
                return;
            }
        };
        let (gone, stands) = (pair[gone], pair[1 - gone]);
        let taking = [later.caller, earlier.caller][usize::from(stands == pair[1])].clone();
        self.undecided_no_more(gone, None);
        self.undecided_no_more(stands, Some(taking));
        self.until_over(gone, ANSWERS_WITHIN).await;
        if let Some(gone) = self.calls.get_mut(gone).and_then(Option::as_mut) {
            gone.instead = Some(stands);
        }
        self.until_up(stands).await;
    }

    /// The call that a step means: of two that crossed, the one that stands.
    pub(super) fn standing(&self, index: usize) -> usize {
        let placed = self.calls.get(index).and_then(Option::as_ref);
        placed.and_then(|placed| placed.instead).unwrap_or(index)
    }

    /// Nobody has to answer the call at `index` any more; `taking` has done so by itself.
    fn undecided_no_more(&mut self, index: usize, taking: Option<Client>) {
        let Some(placed) = self.calls.get_mut(index).and_then(Option::as_mut) else { return };
        let Placed { undecided, joined, .. } = placed;
        undecided.clear();
        joined.extend(taking);
    }
}
