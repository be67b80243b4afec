//! Descriptions of media in readable signalling: which ports carry it, with which codecs, fingerprints and keys.
//!
//! Invariant: a key that stands here was on the wire in the clear, so whoever recorded the packets holds it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use base64::Engine;

use super::listed::Listed;
use super::stream::Way;
use super::survey::way;
use crate::capture::Packet;
use crate::dissect::sdp;
use crate::srtp::{MasterKey, Profile};

/// Bytes of a connection that are put together.
const CONNECTION: usize = 1 << 18;
/// Connections that are put together at a time.
const CONNECTIONS: usize = 500;
/// The longest MKI (RFC 4568 §6.1).
const MKI_MAX: usize = 128;
/// Hashes of one end that are kept.
const HASHES: usize = 16;
/// Keys and ends that are kept.
const KEPT: usize = 10_000;

/// A key of SDES (RFC 4568) as it stood in a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Key and salt.
    pub master: MasterKey,
    /// Bytes of the MKI in each packet, 0 where there is none.
    pub mki: usize,
    /// Number of the packet.
    pub packet: u64,
}

/// What descriptions said so far.
#[derive(Debug, Default)]
pub struct Described {
    /// Every key, without repetitions.
    pub keys: Vec<Key>,
    /// Lines with a key of a suite that is not opened here, by suite, with their packets.
    pub foreign_suites: BTreeMap<String, Listed>,
    /// SHA-256 fingerprints of certificates, 32 bytes each, with the packet that first named them.
    pub fingerprints: BTreeMap<[u8; 32], u64>,
    /// Codec names by payload type.
    pub codecs: BTreeMap<u8, String>,
    /// Packets whose media lines name a profile without protection (`RTP/AVP`, `RTP/AVPF`).
    pub unprotected: Listed,
    /// Hashes of `a=zrtp-hash` by the ends of the description that names them, with its packet.
    zrtp_hashes: HashMap<SocketAddr, Vec<([u8; 32], u64)>>,
    ends: HashSet<SocketAddr>,
    connections: HashMap<Way, Connection>,
}

/// What one end of a TCP connection said.
#[derive(Debug, Default)]
struct Connection {
    next: u32,
    text: Vec<u8>,
    waiting: BTreeMap<u32, Vec<u8>>,
}

impl Described {
    /// Whether a description names this end for media.
    pub fn announces(&self, end: SocketAddr) -> bool {
        self.ends.contains(&end)
    }

    /// The hashes of `Hello` messages that an end announced (RFC 6189 §8.1).
    pub fn zrtp_hashes_of(&self, end: SocketAddr) -> Option<&[([u8; 32], u64)]> {
        self.zrtp_hashes.get(&end).map(Vec::as_slice)
    }

    /// Reads a signalling message in one datagram.
    pub fn take(&mut self, number: u64, message: &[u8]) {
        self.read(number, &String::from_utf8_lossy(message));
    }

    /// Takes a TCP segment in; whether its connection carries SIP.
    pub fn segment(&mut self, packet: &Packet, payload: &[u8]) -> bool {
        let crate::capture::Transport::Tcp { sequence, .. } = packet.transport else { return false };
        let way = way(packet);
        if !self.connections.contains_key(&way) {
            let starts = is_sip(payload);
            if !starts || self.connections.len() >= CONNECTIONS {
                return starts || self.connections.contains_key(&way.back());
            }
            self.connections.insert(way, Connection { next: sequence, ..Connection::default() });
        }
        let Some(connection) = self.connections.get_mut(&way) else { return false };
        connection.take(sequence, payload);
        let text = String::from_utf8_lossy(&connection.text).into_owned();
        let whole = text.rfind("\r\n").map_or(0, |end| end + 2);
        self.read(packet.number, text.get(..whole).unwrap_or_default());
        if let Some(connection) = self.connections.get_mut(&way) {
            connection.forget(whole);
        }
        true
    }

    fn read(&mut self, number: u64, text: &str) {
        let mut at: Option<IpAddr> = None;
        let mut ports = Vec::new();
        let (mut ends, mut hashes) = (Vec::new(), Vec::new());
        for line in text.lines().map(str::trim_end) {
            let Some((kind, value)) = line.split_once('=') else { continue };
            match kind {
                "c" => {
                    at = value.rsplit(' ').next().and_then(|address| address.split('/').next()?.parse().ok());
                    self.announce(at, &mut ports, &mut ends);
                }
                "m" => self.media(number, value, &mut ports),
                "a" => {
                    hashes.extend(zrtp_hash(value));
                    self.attribute(number, value);
                }
                _ => {}
            }
            self.announce(at, &mut ports, &mut ends);
        }
        for end in ends.iter().filter(|_| !hashes.is_empty()) {
            if self.zrtp_hashes.len() < KEPT || self.zrtp_hashes.contains_key(end) {
                let known = self.zrtp_hashes.entry(*end).or_default();
                known.extend(
                    hashes.iter().take(HASHES.saturating_sub(known.len())).map(|hash| (*hash, number)),
                );
            }
        }
    }

    fn announce(&mut self, at: Option<IpAddr>, ports: &mut Vec<u16>, ends: &mut Vec<SocketAddr>) {
        let Some(address) = at else { return };
        for port in ports.drain(..) {
            if self.ends.len() < KEPT {
                self.ends.insert(SocketAddr::new(address, port));
                ends.push(SocketAddr::new(address, port));
            }
        }
    }

    /// `<media> <port> <protocol> <formats>` (RFC 8866 §5.14).
    fn media(&mut self, number: u64, value: &str, ports: &mut Vec<u16>) {
        let mut words = value.split(' ').skip(1);
        let port = words.next().and_then(|port| port.split('/').next()?.parse().ok());
        ports.extend(port.filter(|port| *port > 0));
        if matches!(words.next(), Some("RTP/AVP" | "RTP/AVPF")) && port != Some(0) {
            self.unprotected.push(number);
        }
    }

    fn attribute(&mut self, number: u64, value: &str) {
        let Some((name, rest)) = value.split_once(':') else { return };
        match name {
            "crypto" => self.crypto(number, rest),
            "fingerprint" => {
                if let Some(found) = sdp::fingerprint(rest).filter(|_| self.fingerprints.len() < KEPT) {
                    self.fingerprints.entry(found).or_insert(number);
                }
            }
            "rtpmap" => {
                if let Some((kind, codec)) = sdp::rtpmap(rest) {
                    self.codecs.entry(kind).or_insert(codec);
                }
            }
            _ => {}
        }
    }

    /// `<tag> <suite> inline:<key and salt in base64>[|…] …` (RFC 4568 §4, §6).
    fn crypto(&mut self, number: u64, value: &str) {
        let mut words = value.split_whitespace().skip(1);
        let Some(suite) = words.next() else { return };
        let Some(profile) = profile(suite) else {
            if self.foreign_suites.len() < 16 || self.foreign_suites.contains_key(suite) {
                self.foreign_suites.entry(suite.to_owned()).or_default().push(number);
            }
            return;
        };
        // Several keys of one line are told apart by their MKI (RFC 4568 §6.1).
        let Some(parameters) = words.next() else { return };
        for inline in parameters.split(';').filter_map(|one| one.strip_prefix("inline:")) {
            let mut fields = inline.split('|');
            let key = fields.next().unwrap_or_default().trim_end_matches('=');
            let mki = fields.find_map(|field| field.split_once(':')?.1.parse().ok());
            let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(key);
            let Some(Ok(master)) = bytes.ok().map(|bytes| MasterKey::new(profile, &bytes)) else { continue };
            if self.keys.len() < KEPT && !self.keys.iter().any(|key| key.master == master) {
                let mki = mki.filter(|length| *length <= MKI_MAX).unwrap_or(0);
                self.keys.push(Key { master, mki, packet: number });
            }
        }
    }
}

/// `zrtp-hash:<version> <hash in hex>` (RFC 6189 §8.1).
fn zrtp_hash(attribute: &str) -> Option<[u8; 32]> {
    let (_, value) = attribute.strip_prefix("zrtp-hash:")?.trim().split_once(' ')?;
    hex::decode(value.trim()).ok()?.try_into().ok()
}

/// The profile that a suite of SDES is (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.1).
fn profile(suite: &str) -> Option<Profile> {
    Some(match suite {
        "AES_CM_128_HMAC_SHA1_80" => Profile::AesCmSha1Tag80,
        "AES_CM_128_HMAC_SHA1_32" => Profile::AesCmSha1Tag32,
        "AEAD_AES_128_GCM" => Profile::AeadAes128Gcm,
        "AEAD_AES_256_GCM" => Profile::AeadAes256Gcm,
        "AES_256_CM_HMAC_SHA1_80" => Profile::Aes256CmSha1Tag80,
        "AES_256_CM_HMAC_SHA1_32" => Profile::Aes256CmSha1Tag32,
        _ => return None,
    })
}

/// Whether bytes begin a SIP message (RFC 3261 §7): a request line or a status line.
fn is_sip(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}

impl Connection {
    fn take(&mut self, sequence: u32, payload: &[u8]) {
        if payload.is_empty() || self.waiting.len() > 64 {
            return;
        }
        self.waiting.insert(sequence, payload.to_vec());
        while let Some((at, _)) =
            self.waiting.iter().find(|(at, _)| at.wrapping_sub(self.next).cast_signed() <= 0)
        {
            let at = *at;
            let Some(bytes) = self.waiting.remove(&at) else { return };
            let known = self.next.wrapping_sub(at) as usize;
            if let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) {
                self.next = self.next.wrapping_add(new.len() as u32);
                self.text.extend_from_slice(new);
            }
        }
        if self.text.len() > CONNECTION {
            self.text.clear();
        }
    }

    fn forget(&mut self, whole: usize) {
        self.text.drain(..whole.min(self.text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDES: &str = "INVITE sip:bob@b.example SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\
        o=- 1 1 IN IP4 10.0.0.1\r\nc=IN IP4 10.0.0.1\r\nm=audio 5004 RTP/SAVP 0 111\r\n\
        a=rtpmap:111 opus/48000/2\r\n\
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4\r\n\
        a=crypto:2 F8_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";

    #[test]
    fn a_key_in_a_description_is_read() {
        let mut described = Described::default();
        described.take(7, SDES.as_bytes());
        described.take(9, SDES.as_bytes());
        assert_eq!(described.keys.len(), 1);
        assert_eq!((described.keys[0].packet, described.keys[0].mki), (7, 4));
        assert_eq!(described.keys[0].master.key().len(), 16);
        assert_eq!(described.foreign_suites.keys().collect::<Vec<_>>(), ["F8_128_HMAC_SHA1_80"]);
        assert!(described.announces("10.0.0.1:5004".parse().expect("an address")));
        assert_eq!(described.codecs.get(&111).map(String::as_str), Some("opus"));
        assert_eq!(described.unprotected.total, 0);
    }

    #[test]
    fn a_connection_is_put_together() {
        let mut connection = Connection { next: 1_000, ..Connection::default() };
        connection.take(1_003, b"def");
        connection.take(1_000, b"abc");
        connection.take(1_002, b"cdefgh");
        assert_eq!(connection.text, b"abcdefgh");
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        let mut described = Described::default();
        described.take(1, b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\na=crypto:\r\nm=\r\nc=\r\na=fingerprint:x\r\n");
        assert!(described.keys.is_empty() && described.fingerprints.is_empty());
    }
}
