//! Every key that may open something: those that were given, those that the capture holds, and what follows from them.
//!
//! Invariant: who holds a key is the submitter's statement, except for keys that stand in the capture itself.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::audit::KeysGiven;

use super::stream::Way;
use super::survey::{Association, Survey};
use crate::dtls_exporter::{Prf, srtp_keys, srtp_keys_13};
use crate::key_file::{Key, KeyFile, Owner, Secret, TrafficLabel};
use crate::sframe::FrameOpener;
use crate::srtp::{MasterKey, Profile, RtpOpener};

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// An owner whom the submitter named.
    Owner(Owner),
    /// Whoever recorded the packets: the key stands in them, in readable signalling.
    Capture,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Owner(owner) => owner.fmt(f),
            Self::Capture => f.write_str("capture"),
        }
    }
}

impl Holder {
    /// Whether somebody beside the two ends holds it.
    pub fn is_middle_party(&self) -> bool {
        matches!(self, Self::Owner(owner) if owner.is_middle_party())
    }

    /// Whether the two ends hold it.
    pub fn is_parties(&self) -> bool {
        *self == Self::Owner(Owner::Parties)
    }
}

/// A key of SRTP that may open some streams.
pub struct HopKey {
    /// Who holds it; several may.
    pub holders: Vec<Holder>,
    /// The only way that it is for, where a handshake made it.
    pub way: Option<Way>,
    /// The only stream that it is for, where the key file says so.
    pub ssrc: Option<u32>,
    /// Its profile.
    pub profile: Profile,
    /// Lengths of the MKI that packets may have, the likeliest first.
    pub mki: Vec<usize>,
    /// Opens packets.
    pub opener: RtpOpener,
}

/// A base key of SFrame.
pub struct FrameKey {
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// Its key id.
    pub key_id: u64,
    /// Whether somebody came by it whose key file does not hold it.
    pub found: bool,
    /// Opens frames.
    pub opener: FrameOpener,
}

/// Every key of one capture.
#[derive(Default)]
pub struct Keys {
    /// Of hops.
    pub hops: Vec<HopKey>,
    /// Of frames.
    pub frames: Vec<FrameKey>,
    /// Secrets of handshakes of which this capture has no hello.
    pub strangers: usize,
    hops_at: HashMap<(MasterKey, Option<Way>), usize>,
    frames_at: HashMap<(u16, u64, Vec<u8>), usize>,
}

impl Keys {
    /// What the given keys, those that somebody came by and those of the capture come to, with its handshakes.
    pub fn of(given: &[Key], found: &[(Holder, Secret)], survey: &Survey) -> Self {
        let mut keys = Self::default();
        let mut masters: HashMap<[u8; 32], Vec<(Holder, [u8; 48])>> = HashMap::new();
        let mut exporters: HashMap<[u8; 32], Vec<(Holder, &[u8])>> = HashMap::new();
        let given = given.iter().map(|key| (Holder::Owner(key.owner.clone()), &key.secret));
        for (holder, secret) in given.chain(found.iter().map(|(holder, secret)| (holder.clone(), secret))) {
            match secret {
                Secret::Srtp { master, ssrc } => keys.hop(master.clone(), holder, None, *ssrc),
                Secret::Sframe { suite, key_id, base_key } => {
                    keys.frame((suite.number(), *key_id, base_key.clone()), holder, || {
                        FrameOpener::new(*suite, *key_id, base_key)
                    });
                }
                Secret::Master { client_random, secret } => {
                    masters.entry(*client_random).or_default().push((holder, *secret));
                }
                Secret::Traffic { label: TrafficLabel::Exporter, client_random, secret } => {
                    exporters.entry(*client_random).or_default().push((holder, secret));
                }
                Secret::Traffic { .. } | Secret::Agree { .. } => {}
            }
        }
        for key in &survey.described.keys {
            keys.hop(key.master.clone(), Holder::Capture, None, None);
            let at = keys.hops_at.get(&(key.master.clone(), None)).copied();
            if let Some(hop) = at.and_then(|at| keys.hops.get_mut(at)) {
                hop.mki.retain(|length| *length != key.mki);
                hop.mki.insert(0, key.mki);
            }
        }
        let known: HashSet<[u8; 32]> = survey
            .associations
            .iter()
            .flat_map(|association| [association.near.random, association.far.random])
            .flatten()
            .collect();
        keys.strangers =
            masters.keys().chain(exporters.keys()).filter(|random| !known.contains(*random)).count();
        for association in &survey.associations {
            keys.of_handshake(association, &masters, &exporters);
        }
        keys.found(found);
        keys
    }

    fn of_handshake(
        &mut self,
        association: &Association,
        masters: &HashMap<[u8; 32], Vec<(Holder, [u8; 48])>>,
        exporters: &HashMap<[u8; 32], Vec<(Holder, &[u8])>>,
    ) {
        let Some((way, client, server)) = association.client_and_server() else { return };
        let Some(client_random) = client.random else { return };
        let profiles: Vec<Profile> = match server.srtp_profiles.first() {
            Some(number) => Profile::numbered(*number).into_iter().collect(),
            // The server of DTLS 1.3 says its choice in an encrypted message (RFC 8446 §4.3.1).
            None => client.srtp_profiles.iter().filter_map(|number| Profile::numbered(*number)).collect(),
        };
        for profile in profiles {
            for (holder, secret) in masters.get(&client_random).into_iter().flatten() {
                let Some(server_random) = server.random else { continue };
                let prf = Prf::of(server.cipher_suites.first().copied().unwrap_or_default());
                let made = srtp_keys(prf, secret, &client_random, &server_random, profile);
                self.hop(made.client, holder.clone(), Some(way), None);
                self.hop(made.server, holder.clone(), Some(way.back()), None);
            }
            for (holder, secret) in exporters.get(&client_random).into_iter().flatten() {
                let Some(made) = srtp_keys_13(secret, profile) else { continue };
                self.hop(made.client, holder.clone(), Some(way), None);
                self.hop(made.server, holder.clone(), Some(way.back()), None);
            }
        }
    }

    /// Marks what somebody came by, and gives keys of hops to them wherever the same key stands.
    fn found(&mut self, found: &[(Holder, Secret)]) {
        for (holder, secret) in found {
            match secret {
                Secret::Srtp { master, .. } => {
                    let same = self.hops_at.iter().filter(|((hop, _), _)| hop == master);
                    for hop in same.map(|(_, at)| *at).collect::<Vec<_>>() {
                        if let Some(hop) = self.hops.get_mut(hop) {
                            add(&mut hop.holders, holder.clone());
                        }
                    }
                }
                Secret::Sframe { suite, key_id, base_key } => {
                    let at = self.frames_at.get(&(suite.number(), *key_id, base_key.clone())).copied();
                    if let Some(frame) = at.and_then(|at| self.frames.get_mut(at)) {
                        frame.found = true;
                    }
                }
                _ => {}
            }
        }
    }

    fn hop(&mut self, master: MasterKey, holder: Holder, way: Option<Way>, ssrc: Option<u32>) {
        let hops = &mut self.hops;
        let at = *self.hops_at.entry((master.clone(), way)).or_insert_with(|| {
            let opener = RtpOpener::new(&master);
            // DTLS-SRTP without an MKI is all that anybody speaks (RFC 5764 §4.1.3 allows one).
            let mki = if way.is_some() { vec![0] } else { vec![0, 4, 1] };
            hops.push(HopKey { holders: Vec::new(), way, ssrc, profile: master.profile(), mki, opener });
            hops.len() - 1
        });
        if let Some(hop) = hops.get_mut(at) {
            add(&mut hop.holders, holder);
            // The same key given for two streams is for any.
            if hop.ssrc != ssrc {
                hop.ssrc = None;
            }
        }
    }

    fn frame(&mut self, name: (u16, u64, Vec<u8>), holder: Holder, opener: impl FnOnce() -> FrameOpener) {
        let (frames, key_id) = (&mut self.frames, name.1);
        let at = *self.frames_at.entry(name).or_insert_with(|| {
            frames.push(FrameKey { holders: Vec::new(), key_id, found: false, opener: opener() });
            frames.len() - 1
        });
        if let Some(frame) = frames.get_mut(at) {
            add(&mut frame.holders, holder);
        }
    }

    /// Whether there is anything to try.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty() && self.frames.is_empty()
    }
}

fn add(holders: &mut Vec<Holder>, holder: Holder) {
    if !holders.contains(&holder) {
        holders.push(holder);
    }
}

/// What was given, for the report; `complete` holds the owners whose submitter declared their keys to be all.
pub fn given(keys: &[Key], complete: &[Owner]) -> Vec<KeysGiven> {
    let mut owners: BTreeMap<&Owner, usize> = BTreeMap::new();
    for key in keys {
        *owners.entry(&key.owner).or_default() += 1;
    }
    for owner in complete {
        owners.entry(owner).or_default();
    }
    let told = |(owner, keys): (&Owner, usize)| KeysGiven {
        owner: owner.to_string(),
        keys,
        complete: complete.contains(owner),
    };
    owners.into_iter().map(told).collect()
}

/// The keys of secrets that a capture carries in blocks of its own.
pub fn embedded(lines: &str) -> Vec<Key> {
    KeyFile::parse(lines, Some(&Owner::Embedded)).keys
}
