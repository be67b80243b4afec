//! The control runs of a run, each read once however many variants rest on it.

use std::collections::BTreeMap;
use std::path::Path;

use model::record::WorldRecord;

use super::{parallel, variant};
use crate::case::Twin;

/// Control runs by id.
pub(super) struct Twins<'a> {
    read: BTreeMap<&'a str, (Twin, &'a WorldRecord)>,
}

impl<'a> Twins<'a> {
    /// Reads every control run in `worlds`.
    pub(super) fn read(run: &Path, worlds: BTreeMap<&'a str, &'a WorldRecord>) -> Self {
        let worlds: Vec<(&str, &WorldRecord)> = worlds.into_iter().collect();
        let twins = parallel::each(&worlds, |(_, world)| variant::summarise(run, world));
        let read = worlds.into_iter().zip(twins).map(|((id, world), twin)| (id, (twin, world)));
        Self { read: read.collect() }
    }

    /// What the control run called `id` came to, with its record.
    pub(super) fn twin(&self, id: &str) -> Option<(&Twin, &'a WorldRecord)> {
        self.read.get(id).map(|(twin, world)| (twin, *world))
    }
}
