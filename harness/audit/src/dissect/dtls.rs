//! DTLS records and handshake messages (RFC 6347 §4) in the clear: hellos, certificates and alerts; where the protected
//! records of DTLS 1.3 stand (RFC 9147 §4), and what their messages say once somebody has opened them.
//!
//! Invariant: what is encrypted (an epoch above 0) is counted and never interpreted.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::stun::u16_at;

/// The version number of DTLS 1.2 on the wire (RFC 6347 §4.1).
pub const DTLS_1_2: u16 = 0xFEFD;

/// The version number of DTLS 1.3 on the wire (RFC 9147 §5.3).
pub const DTLS_1_3: u16 = 0xFEFC;

/// The content type of an alert (RFC 6347 §4.1).
pub const CONTENT_ALERT: u8 = 21;
/// The content type of handshake messages (RFC 6347 §4.1).
pub const CONTENT_HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const USE_SRTP: u16 = 14;
const SUPPORTED_VERSIONS: u16 = 43;

/// A handshake message this long, in bytes, is none of ours.
const LONGEST_MESSAGE: usize = 1 << 17;
/// Bytes of an AEAD tag.
const TAG: usize = 16;
/// Messages of one side that may wait for their rest, and pieces of each.
const MESSAGES: usize = 16;
const PIECES: usize = 256;
/// Alerts in the clear that are kept; a call that goes on after so many is told by any of them.
const ALERTS: usize = 1_000;
/// Cipher suites and profiles of a hello that are kept.
const OFFERED: usize = 256;

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

/// A protected record of DTLS 1.3 behind its unified header (RFC 9147 §4), without a connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protected<'a> {
    /// The header, its number masked.
    pub header: &'a [u8],
    /// Bytes of the number, which stands behind the first byte.
    pub number_length: usize,
    /// The low two bits of the epoch.
    pub epoch: u8,
    /// Ciphertext and tag.
    pub body: &'a [u8],
}

/// The record at the start of `bytes`, and what stands behind it; it holds at least a byte and a tag.
fn first_protected(bytes: &[u8]) -> Option<(Protected<'_>, &[u8])> {
    let first = bytes.first().filter(|first| *first >> 4 == 2)?;
    let number_length = if first & 0x08 == 0 { 1 } else { 2 };
    let long = first & 0x04 != 0;
    let start = 1 + number_length + if long { 2 } else { 0 };
    let header = bytes.get(..start)?;
    let rest = bytes.get(start..)?;
    // Without a length the record fills its datagram.
    let length = if long { usize::from(u16_at(bytes, 1 + number_length)?) } else { rest.len() };
    let (body, rest) = rest.split_at_checked(length).filter(|(body, _)| body.len() > TAG)?;
    Some((Protected { header, number_length, epoch: first & 3, body }, rest))
}

/// Whether a datagram begins with the unified header of DTLS 1.3, and its records fill it exactly.
pub fn is_unified(mut datagram: &[u8]) -> bool {
    let mut any = false;
    while let Some((_, rest)) = first_protected(datagram) {
        (datagram, any) = (rest, true);
    }
    any && datagram.is_empty()
}

/// The protected records of a datagram, beside and behind those in the clear.
pub fn protected(mut datagram: &[u8]) -> Vec<Protected<'_>> {
    let mut found = Vec::new();
    loop {
        if let Some((record, rest)) = first_protected(datagram) {
            found.push(record);
            datagram = rest;
        } else if let Some(length) = u16_at(datagram, 11).filter(|_| looks_like(datagram)) {
            datagram = datagram.get(13 + usize::from(length)..).unwrap_or_default();
        } else {
            return found;
        }
    }
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

/// The random of a ClientHello that begins in a datagram, 32 bytes.
pub fn client_random(datagram: &[u8]) -> Option<[u8; 32]> {
    let begins = |record: &Record<'_>| {
        let fragment = record.fragment;
        let hello = record.content == CONTENT_HANDSHAKE && record.epoch == 0;
        (hello && fragment.first() == Some(&CLIENT_HELLO) && u24_at(fragment, 6) == Some(0))
            .then(|| fragment.get(14..46)?.try_into().ok())?
    };
    records(datagram).iter().find_map(begins)
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
    /// Whether something of its protected handshake was opened (DTLS 1.3).
    pub opened: bool,
    fragments: BTreeMap<(u16, u8), Fragments>,
    held: usize,
}

/// The pieces of one handshake message (RFC 6347 §4.2.3), by where they begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fragments {
    pieces: BTreeMap<usize, Vec<u8>>,
    held: usize,
}

impl Fragments {
    /// Keeps a piece; the message, if it is whole now.
    fn take(&mut self, offset: usize, piece: &[u8], total: usize) -> Option<Vec<u8>> {
        let before = self.pieces.get(&offset).map(Vec::len);
        if before.is_none_or(|before| before < piece.len())
            && (before.is_some() || self.pieces.len() < PIECES)
        {
            self.pieces.insert(offset, piece.to_vec());
            self.held += piece.len() - before.unwrap_or_default();
        }
        if self.held < total {
            return None;
        }
        let mut whole = Vec::with_capacity(total);
        for (offset, piece) in &self.pieces {
            let known = whole.len().checked_sub(*offset)?;
            whole.extend_from_slice(piece.get(known..).unwrap_or_default());
        }
        (whole.len() == total).then_some(whole)
    }
}

impl Side {
    /// Takes in one datagram that this side sent.
    pub fn take(&mut self, datagram: &[u8]) {
        for record in records(datagram) {
            match (record.content, record.epoch) {
                (CONTENT_ALERT, 0) => {
                    if let [level, description, ..] = record.fragment
                        && self.alerts.len() < ALERTS
                    {
                        self.alerts.push((*level, *description));
                    }
                }
                (CONTENT_ALERT, _) => self.encrypted_alerts += 1,
                (CONTENT_HANDSHAKE, 0) => self.handshake(record.fragment),
                _ => {}
            }
        }
    }

    /// Takes in what a protected record of this side's handshake held (DTLS 1.3).
    pub fn take_opened(&mut self, messages: &[u8]) {
        self.opened = true;
        self.handshake(messages);
    }

    fn handshake(&mut self, mut rest: &[u8]) {
        while let (Some(kind), Some(total), Some(sequence), Some(offset), Some(length)) =
            (rest.first().copied(), u24_at(rest, 1), u16_at(rest, 4), u24_at(rest, 6), u24_at(rest, 9))
        {
            let Some(piece) = rest.get(12..12 + length) else { return };
            if offset + length <= total && total < LONGEST_MESSAGE {
                self.piece((sequence, kind), total, offset, piece);
            }
            rest = rest.get(12 + length..).unwrap_or_default();
        }
    }

    fn piece(&mut self, message: (u16, u8), total: usize, offset: usize, piece: &[u8]) {
        if self.fragments.len() >= MESSAGES && !self.fragments.contains_key(&message) {
            return;
        }
        let fragments = self.fragments.entry(message).or_default();
        let before = fragments.held;
        let whole = fragments.take(offset, piece, total);
        self.held += fragments.held - before;
        if let Some(whole) = whole {
            self.held -= fragments.held;
            self.fragments.remove(&message);
            self.message(message.1, &whole);
        }
    }

    /// Bytes of messages that are not whole yet.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Gives up the messages that are not whole yet.
    pub fn forget(&mut self) {
        self.fragments = BTreeMap::new();
        self.held = 0;
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
            ENCRYPTED_EXTENSIONS if self.opened => {
                self.extensions(body);
            }
            // RFC 5246 §7.4.2: list length, then length and bytes of each certificate. RFC 8446 §4.4.2: before them
            // a context behind its length.
            CERTIFICATE if self.fingerprint.is_none() => {
                let context =
                    body.first().filter(|_| self.opened).map_or(0, |length| 1 + usize::from(*length));
                let first = u24_at(body, context + 3).and_then(|l| body.get(context + 6..context + 6 + l));
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
    bytes.chunks_exact(2).take(OFFERED).filter_map(|pair| u16_at(pair, 0)).collect()
}

fn u24_at(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..at + 3)? {
        [a, b, c] => Some(usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
