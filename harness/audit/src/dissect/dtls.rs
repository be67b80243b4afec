//! DTLS 1.2 records and handshake messages (RFC 6347 §4) in the clear: hellos, certificates and alerts.
//!
//! Invariant: what is encrypted (an epoch above 0) is counted and never interpreted.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::stun::u16_at;

/// The version number of DTLS 1.2 on the wire (RFC 6347 §4.1).
pub const DTLS_1_2: u16 = 0xFEFD;

/// The content type of an alert (RFC 6347 §4.1).
pub const CONTENT_ALERT: u8 = 21;
const CONTENT_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const USE_SRTP: u16 = 14;
const SUPPORTED_VERSIONS: u16 = 43;

/// A record of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Content type.
    pub content: u8,
    /// Version of the record layer.
    pub version: u16,
    /// 0 in the clear.
    pub epoch: u16,
    /// The fragment.
    pub fragment: &'a [u8],
}

/// Whether a datagram starts with a whole DTLS record header of a known major version.
pub fn looks_like(datagram: &[u8]) -> bool {
    datagram.len() >= 13 && datagram.get(1) == Some(&0xFE)
}

/// The records of a datagram, up to the first that is cut.
pub fn records(mut datagram: &[u8]) -> Vec<Record<'_>> {
    let mut found = Vec::new();
    while looks_like(datagram) {
        let (Some(content), Some(version), Some(epoch), Some(length)) =
            (datagram.first(), u16_at(datagram, 1), u16_at(datagram, 3), u16_at(datagram, 11))
        else {
            break;
        };
        let Some(fragment) = datagram.get(13..13 + usize::from(length)) else { break };
        found.push(Record { content: *content, version, epoch, fragment });
        datagram = datagram.get(13 + usize::from(length)..).unwrap_or_default();
    }
    found
}

/// Whether a datagram has a handshake message of an encrypted epoch. Without a renegotiation that is the Finished of
/// its sender (RFC 5246 §7.4.9).
pub fn has_finished(datagram: &[u8]) -> bool {
    records(datagram).iter().any(|record| record.content == CONTENT_HANDSHAKE && record.epoch > 0)
}

/// What one side said in the clear during a handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Random of its hello, 32 bytes.
    pub random: Option<[u8; 32]>,
    /// Version of its hello; of a server, the negotiated one.
    pub version: Option<u16>,
    /// Protection profiles of its `use_srtp` extension (RFC 5764 §4.1.1); of a server, the one chosen.
    pub srtp_profiles: Vec<u16>,
    /// Cipher suites; of a server, the one chosen.
    pub cipher_suites: Vec<u16>,
    /// SHA-256 of the first certificate that it sent.
    pub fingerprint: Option<[u8; 32]>,
    /// Whether it sent a ClientHello.
    pub is_client: bool,
    /// Whether it sent a ServerHello.
    pub is_server: bool,
    /// Level and description of alerts in the clear.
    pub alerts: Vec<(u8, u8)>,
    /// Alerts in an encrypted epoch.
    pub encrypted_alerts: usize,
    fragments: BTreeMap<(u16, u8), Fragments>,
}

/// The pieces of one handshake message (RFC 6347 §4.2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fragments {
    bytes: Vec<u8>,
    have: Vec<bool>,
}

impl Side {
    /// Takes in one datagram that this side sent.
    pub fn take(&mut self, datagram: &[u8]) {
        for record in records(datagram) {
            match (record.content, record.epoch) {
                (CONTENT_ALERT, 0) => {
                    if let [level, description, ..] = record.fragment {
                        self.alerts.push((*level, *description));
                    }
                }
                (CONTENT_ALERT, _) => self.encrypted_alerts += 1,
                (CONTENT_HANDSHAKE, 0) => self.handshake(record.fragment),
                _ => {}
            }
        }
    }

    fn handshake(&mut self, mut rest: &[u8]) {
        while let (Some(kind), Some(total), Some(sequence), Some(offset), Some(length)) =
            (rest.first().copied(), u24_at(rest, 1), u16_at(rest, 4), u24_at(rest, 6), u24_at(rest, 9))
        {
            let Some(piece) = rest.get(12..12 + length) else { return };
            // A message of a megabyte is no handshake of ours, and would cost its length in memory.
            if offset + length <= total && total < 1 << 17 {
                let message = self.fragments.entry((sequence, kind)).or_default();
                message.bytes.resize(total, 0);
                message.have.resize(total, false);
                message.bytes.splice(offset..offset + length, piece.iter().copied());
                message.have.splice(offset..offset + length, std::iter::repeat_n(true, length));
                if message.have.iter().all(|have| *have) {
                    let whole = std::mem::take(&mut message.bytes);
                    message.have.clear();
                    self.message(kind, &whole);
                }
            }
            rest = rest.get(12 + length..).unwrap_or_default();
        }
    }

    fn message(&mut self, kind: u8, body: &[u8]) {
        match kind {
            CLIENT_HELLO => {
                self.is_client = true;
                self.client_hello(body);
            }
            SERVER_HELLO => {
                self.is_server = true;
                self.server_hello(body);
            }
            // RFC 5246 §7.4.2: list length, then length and bytes of each certificate.
            CERTIFICATE if self.fingerprint.is_none() => {
                let first = u24_at(body, 3).and_then(|length| body.get(6..6 + length));
                self.fingerprint = first.map(|certificate| Sha256::digest(certificate).into());
            }
            _ => {}
        }
    }

    fn hello(&mut self, body: &[u8]) {
        self.version = u16_at(body, 0);
        self.random = body.get(2..34).and_then(|r| r.try_into().ok());
    }

    fn client_hello(&mut self, body: &[u8]) -> Option<()> {
        self.hello(body);
        let mut at = 34;
        at += 1 + usize::from(*body.get(at)?);
        at += 1 + usize::from(*body.get(at)?);
        let suites = usize::from(u16_at(body, at)?);
        self.cipher_suites = u16_list(body.get(at + 2..at + 2 + suites)?);
        at += 2 + suites;
        at += 1 + usize::from(*body.get(at)?);
        self.extensions(body.get(at..)?)
    }

    fn server_hello(&mut self, body: &[u8]) -> Option<()> {
        self.hello(body);
        let at = 35 + usize::from(*body.get(34)?);
        self.cipher_suites = vec![u16_at(body, at)?];
        self.extensions(body.get(at + 3..)?)
    }

    fn extensions(&mut self, list: &[u8]) -> Option<()> {
        let mut rest = list.get(2..)?;
        while let (Some(kind), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
            let value = rest.get(4..4 + usize::from(length))?;
            match kind {
                USE_SRTP => {
                    let length = usize::from(u16_at(value, 0)?);
                    self.srtp_profiles = u16_list(value.get(2..2 + length)?);
                }
                // RFC 8446 §4.2.1: in a server's hello, one version.
                SUPPORTED_VERSIONS if self.is_server => self.version = u16_at(value, 0),
                _ => {}
            }
            rest = rest.get(4 + usize::from(length)..).unwrap_or_default();
        }
        Some(())
    }
}

fn u16_list(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(|pair| u16_at(pair, 0)).collect()
}

fn u24_at(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..at + 3)? {
        [a, b, c] => Some(usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
