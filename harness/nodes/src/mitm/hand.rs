//! What an attack works with: the scene, when it may act, and where it writes what it did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::plan::AttackPlan;
use model::record::Deed;
use model::{Kind, Role, UserId};
use net::Network;
use sha2::{Digest, Sha256};

use crate::entropy::Entropy;
use crate::journal::{Journal, Owner};
use crate::signalling::Message;

/// The world as Mallory sees it.
pub(super) struct Scene {
    pub(super) net: Arc<dyn Network>,
    pub(super) journal: Arc<Journal>,
    pub(super) entropy: Entropy,
    pub(super) taps: BTreeMap<Role, String>,
    pub(super) users: BTreeMap<Role, UserId>,
    pub(super) connected: Option<Duration>,
}

/// One attack's access to the scene.
pub(super) struct Hand<'a> {
    pub(super) index: usize,
    pub(super) plan: &'a AttackPlan,
    pub(super) scene: &'a Scene,
    pub(super) matches: &'a mut BTreeMap<(usize, Role), u64>,
}

impl Hand<'_> {
    /// Whether the attack acts on a message that a side is about to get; `usual` are the messages that it acts on
    /// when the scenario names none.
    pub(super) fn acts_on_message(&mut self, victim: Role, message: &Message, usual: &[&str]) -> bool {
        let name = message.name();
        let asked = &self.plan.at.message;
        let fits = if asked.is_empty() { usual.contains(&name.as_str()) } else { asked.contains(&name) };
        self.acts(victim, fits)
    }

    /// Whether the attack acts on media of a kind that are meant for, or taken from, a side.
    pub(super) fn acts_on_media(&mut self, victim: Role, kind: Kind) -> bool {
        let fits = self.plan.at.media.is_none_or(|asked| asked == kind);
        self.acts(victim, fits && self.scene.connected.is_some())
    }

    /// Counts a match and says whether it is one to act on: all conditions hold at once.
    pub(super) fn acts(&mut self, victim: Role, fits: bool) -> bool {
        if !fits || !self.plan.legs.contains(&victim) || !self.late_enough() {
            return false;
        }
        let count = self.matches.entry((self.index, victim)).or_default();
        *count += 1;
        let at = &self.plan.at;
        at.nth.is_none_or(|nth| nth == *count)
            && at.every.is_none_or(|every| every > 0 && count.is_multiple_of(every))
    }

    fn late_enough(&self) -> bool {
        let Some(after) = self.plan.at.after_ms.map(Duration::from_millis) else { return true };
        self.scene.connected.is_some_and(|connected| self.scene.net.now() >= connected + after)
    }

    /// An option of the attack.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.plan.options.get(name).map(String::as_str)
    }

    /// Writes down that `victim` is sent `bytes`, in place of `replaced` or added to what it gets anyhow.
    pub(super) fn deed(&self, victim: Role, bytes: &[u8], replaced: Option<&[u8]>, what: &str) {
        let deed = Deed {
            attack: self.plan.attack,
            index: self.index,
            at_ns: self.scene.journal.now_ns(),
            leg: victim,
            victim: self.scene.taps.get(&victim).cloned().unwrap_or_default(),
            sha256: hex::encode(Sha256::digest(bytes)),
            replaced: replaced.map(|bytes| hex::encode(Sha256::digest(bytes))),
            what: what.to_owned(),
        };
        self.scene.journal.notes().deeds.push(deed);
    }

    /// Writes down that `victim` is sent `message`, and hands it over.
    pub(super) fn send(&self, victim: Role, message: Message, what: &str) -> (Role, Message) {
        self.deed(victim, message.text().as_bytes(), None, what);
        (victim, message)
    }

    /// A key that Mallory holds.
    pub(super) fn holds(&self, line: &str) {
        self.scene.journal.key(Owner::Service, format!("{line} owner=mallory"));
    }
}

/// The kind of an RTP packet on the wire, from its payload type; none for anything else (RFC 7983 §7, RFC 5761 §4).
pub(super) fn media_kind(datagram: &[u8]) -> Option<Kind> {
    let (first, second) = (*datagram.first()?, *datagram.get(1)?);
    if !(128..=191).contains(&first) || (64..=95).contains(&(second & 0x7f)) || datagram.len() < 12 {
        return None;
    }
    Some(if second & 0x7f == 111 { Kind::Audio } else { Kind::Video })
}
