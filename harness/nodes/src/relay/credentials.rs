//! Who may use the relay: long-term credentials (RFC 8489 §9.2).
//!
//! Invariant: no request is granted whose MESSAGE-INTEGRITY does not fit the password of a known user.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};

use super::Refusal;
use super::stun::{Message, attribute};
use crate::entropy::Entropy;

/// The realm of every user.
pub(super) const REALM: &str = "overheard";
/// How long a nonce is good (RFC 8656 §5 asks for at most an hour).
const NONCE_LASTS: Duration = Duration::from_secs(3_600);

/// The users, and the nonces that were handed out.
pub(super) struct Credentials {
    entropy: Arc<Entropy>,
    /// The key of each user.
    keys: BTreeMap<String, [u8; 16]>,
    /// The nonce of each client's address, and until when it is good.
    nonces: BTreeMap<SocketAddr, (String, Duration)>,
}

/// Who sent a request, and the key that its answer is protected with.
pub(super) struct Authenticated {
    pub(super) username: String,
    pub(super) key: [u8; 16],
}

/// The key of a user: MD5 over user name, realm and password with colons between them (RFC 8489 §18.5.1.1).
pub(super) fn key(username: &str, realm: &str, password: &str) -> [u8; 16] {
    Md5::digest(format!("{username}:{realm}:{password}")).into()
}

impl Credentials {
    /// The users of `accounts`, name and password each.
    pub(super) fn new(accounts: &[(String, String)], entropy: Arc<Entropy>) -> Self {
        let keys = accounts.iter().map(|(name, password)| (name.clone(), key(name, REALM, password)));
        Self { entropy, keys: keys.collect(), nonces: BTreeMap::new() }
    }

    /// The key of each user and the nonce of each client.
    pub(super) fn memory(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let keys = self.keys.iter().map(|(user, key)| (format!("the TURN key of {user}"), key.to_vec()));
        let nonces =
            self.nonces.values().map(|(nonce, _)| ("a TURN nonce".to_owned(), nonce.clone().into_bytes()));
        keys.chain(nonces)
    }

    /// Decides whether a request comes from a known user, in the order of RFC 8489 §9.2.4.
    pub(super) fn check(
        &self,
        now: Duration,
        client: SocketAddr,
        request: &Message,
    ) -> Result<Authenticated, Refusal> {
        if !request.claims_integrity() {
            return Err(Refusal::UNAUTHENTICATED);
        }
        let named = [attribute::USERNAME, attribute::REALM, attribute::NONCE].map(|kind| request.text(kind));
        let [Some(username), Some(_), Some(nonce)] = named else { return Err(Refusal::BAD_REQUEST) };
        let key = self.keys.get(username).filter(|key| request.has_integrity(&key[..]));
        let Some(key) = key else { return Err(Refusal::UNAUTHENTICATED) };
        if self.nonces.get(&client).is_none_or(|(good, until)| good != nonce || *until <= now) {
            return Err(Refusal::STALE_NONCE);
        }
        Ok(Authenticated { username: username.to_owned(), key: *key })
    }

    /// A transaction id for an indication.
    pub(super) fn transaction(&self) -> [u8; 12] {
        self.entropy.array()
    }

    /// The nonce that goes with a refusal: the one that is good for this client, or a fresh one.
    pub(super) fn nonce(&mut self, now: Duration, client: SocketAddr) -> String {
        let good = self.nonces.get(&client).filter(|(_, until)| *until > now);
        if let Some((nonce, _)) = good {
            return nonce.clone();
        }
        let nonce = hex::encode(self.entropy.array::<16>());
        self.nonces.insert(client, (nonce.clone(), now + NONCE_LASTS));
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_published_example_is_the_published_one() {
        // RFC 5389 §15.4.
        assert_eq!(hex::encode(key("user", "realm", "pass")), "8493fbc53ba582fb4c044c456bdc40eb");
    }

    #[test]
    fn a_client_keeps_its_nonce_until_it_runs_out_and_others_have_theirs() {
        let mut credentials = Credentials::new(&[], Arc::new(Entropy::new([3; 32])));
        let [one, two] = [1, 2].map(|port| SocketAddr::from(([10, 0, 0, 1], port)));
        let first = credentials.nonce(Duration::ZERO, one);
        assert_eq!(credentials.nonce(Duration::from_secs(3_599), one), first);
        assert_ne!(credentials.nonce(Duration::ZERO, two), first);
        assert_ne!(credentials.nonce(NONCE_LASTS, one), first);
    }
}
