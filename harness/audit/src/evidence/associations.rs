//! DTLS associations: who shook hands with whom, and the SRTP keys that came of it.
//!
//! Invariant: keys come from a key file and the randoms of the capture, never from one of them alone.

use std::collections::BTreeMap;

use super::datagrams::{Datagram, Flow};
use super::ears::Ears;
use super::keys::Keys;
use crate::capture::{Capture, Class};
use crate::dissect::dtls::{DTLS_1_3, Side};
use crate::dtls_exporter::{Prf, SrtpKeys, srtp_keys, srtp_keys_13};
use crate::dtls13::Opener;
use crate::key_file::TrafficLabel;
use crate::srtp::{MasterKey, Profile};

/// A handshake as one interface saw it.
#[derive(Debug)]
pub struct Association {
    /// Both directions under one name.
    pub flow: Flow,
    /// What the end that [`Flow::source`] names sent.
    pub near: Side,
    /// What the other end sent.
    pub far: Side,
    /// Indices of its packets in the capture.
    pub packets: Vec<usize>,
    /// Keys by sender: `source` first, and who holds them.
    pub keys: Vec<HopKey>,
}

/// A key of one direction.
#[derive(Debug)]
pub struct HopKey {
    /// The direction.
    pub flow: Flow,
    /// Who can derive it.
    pub ears: Ears,
    /// The key.
    pub master: MasterKey,
}

impl Association {
    /// The client's and the server's side, where both hellos were seen.
    pub fn client_and_server(&self) -> Option<(&Side, &Side)> {
        match (self.near.is_client, self.far.is_client) {
            (true, false) => Some((&self.near, &self.far)),
            (false, true) => Some((&self.far, &self.near)),
            _ => None,
        }
    }

    /// The protection profile that the server chose.
    pub fn profile(&self) -> Option<u16> {
        self.client_and_server().and_then(|(_, server)| server.srtp_profiles.first().copied())
    }

    /// Whether the two agreed on DTLS 1.3.
    pub fn is_13(&self) -> bool {
        self.client_and_server().is_some_and(|(_, server)| server.version == Some(DTLS_1_3))
    }

    /// Whether the choice of a protection profile can be read: in DTLS 1.3 it is encrypted (RFC 8446 §4.3.1).
    pub fn tells_profile(&self) -> bool {
        !self.is_13() || self.client_and_server().is_some_and(|(_, server)| server.opened)
    }

    /// The hash of the pseudorandom function of the suite that the server chose.
    pub fn prf(&self) -> Option<Prf> {
        let (_, server) = self.client_and_server()?;
        Some(Prf::of(server.cipher_suites.first().copied().unwrap_or_default()))
    }

    /// The side that sent on `flow`.
    pub fn sender(&self, flow: Flow) -> &Side {
        if flow.source == self.flow.source { &self.near } else { &self.far }
    }
}

/// Every association of the capture with its keys, in the order of the first packet.
pub fn associations(capture: &Capture, datagrams: &[Datagram], keys: &Keys) -> Vec<Association> {
    let mut at: BTreeMap<Flow, usize> = BTreeMap::new();
    let mut found: Vec<Association> = Vec::new();
    for datagram in datagrams.iter().filter(|d| d.class == Class::Dtls) {
        let flow = datagram.flow.undirected();
        let index = *at.entry(flow).or_insert_with(|| {
            found.push(Association {
                flow,
                near: Side::default(),
                far: Side::default(),
                packets: Vec::new(),
                keys: Vec::new(),
            });
            found.len() - 1
        });
        let Some(association) = found.get_mut(index) else { continue };
        association.packets.push(datagram.packet);
        let near = datagram.flow.source == flow.source;
        let side = if near { &mut association.near } else { &mut association.far };
        side.take(datagram.bytes(capture));
    }
    open_handshakes(capture, datagrams, keys, &at, &mut found);
    for association in &mut found {
        association.keys = hop_keys(association, keys);
    }
    found
}

/// Reads what handshakes of DTLS 1.3 say behind their hellos, as far as somebody exported their secrets.
fn open_handshakes(
    capture: &Capture,
    datagrams: &[Datagram],
    keys: &Keys,
    at: &BTreeMap<Flow, usize>,
    found: &mut [Association],
) {
    let mut openers: BTreeMap<Flow, Opener> = BTreeMap::new();
    for association in found.iter().filter(|association| association.is_13()) {
        let Some((client, server)) = association.client_and_server() else { continue };
        let (Some(random), Some(suite)) = (client.random, server.cipher_suites.first()) else { continue };
        for flow in [association.flow, association.flow.reversed()] {
            let from_client = association.sender(flow).is_client;
            let label =
                if from_client { TrafficLabel::ClientHandshake } else { TrafficLabel::ServerHandshake };
            let opener = keys.traffic(&random, label).and_then(|(secret, _)| Opener::new(*suite, secret));
            openers.extend(opener.map(|opener| (flow, opener)));
        }
    }
    for datagram in datagrams.iter().filter(|d| d.class == Class::Dtls) {
        let Some(opener) = openers.get(&datagram.flow) else { continue };
        let undirected = datagram.flow.undirected();
        let Some(association) = at.get(&undirected).and_then(|at| found.get_mut(*at)) else { continue };
        let near = datagram.flow.source == undirected.source;
        let side = if near { &mut association.near } else { &mut association.far };
        for messages in opener.open(datagram.bytes(capture)) {
            side.take_opened(&messages);
        }
    }
}

fn hop_keys(association: &Association, keys: &Keys) -> Vec<HopKey> {
    let Some((client, server)) = association.client_and_server() else { return Vec::new() };
    let (Some(client_random), Some(server_random)) = (client.random, server.random) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut add = |derived: SrtpKeys, ears| {
        let near_is_client = association.near.is_client;
        let (near, far) =
            if near_is_client { (derived.client, derived.server) } else { (derived.server, derived.client) };
        found.push(HopKey { flow: association.flow, ears, master: near });
        found.push(HopKey { flow: association.flow.reversed(), ears, master: far });
    };
    // Where the choice cannot be read, it is one of those that were offered.
    let profiles = if association.tells_profile() {
        association.profile().into_iter().collect()
    } else {
        client.srtp_profiles.clone()
    };
    for profile in profiles.into_iter().filter_map(Profile::numbered) {
        if association.is_13() {
            let exporter = keys.traffic(&client_random, TrafficLabel::Exporter);
            let derived = exporter.and_then(|(secret, ears)| Some((srtp_keys_13(secret, profile)?, ears)));
            derived.into_iter().for_each(|(derived, ears)| add(derived, ears));
            continue;
        }
        let suite = server.cipher_suites.first().copied().unwrap_or_default();
        for (master_secret, ears) in keys.master_secrets(&client_random) {
            add(srtp_keys(Prf::of(suite), master_secret, &client_random, &server_random, profile), ears);
        }
    }
    found
}
