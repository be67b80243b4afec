//! The control runs of a run, each read once however many variants rest on it.

use std::collections::BTreeMap;
use std::path::Path;

use model::record::WorldRecord;

use super::variant;
use crate::case::Twin;

/// Control runs by id.
pub(super) struct Twins<'a> {
    run: &'a Path,
    worlds: BTreeMap<&'a str, &'a WorldRecord>,
    read: BTreeMap<&'a str, Twin>,
}

impl<'a> Twins<'a> {
    pub(super) fn new(run: &'a Path, worlds: BTreeMap<&'a str, &'a WorldRecord>) -> Self {
        Self { run, worlds, read: BTreeMap::new() }
    }

    /// What the control run called `id` came to, with its record.
    pub(super) fn twin(&mut self, id: &str) -> Option<(Twin, &'a WorldRecord)> {
        let (name, world) = self.worlds.get_key_value(id).map(|(name, world)| (*name, *world))?;
        let run = self.run;
        let twin = self.read.entry(name).or_insert_with(|| variant::summarise(run, world));
        Some((twin.clone(), world))
    }
}
