//! Bearer tokens: who may ask the policy server for what.
//!
//! Invariant: the database holds the hash of a token, never the token.

use std::fmt;

use model::UserId;
use sha2::{Digest, Sha256};

/// A bearer token: 32 random bytes, written as 64 hex digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Makes a token of the bytes that `random` fills in.
    pub fn random(random: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut bytes = [0; 32];
        random(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The token that a request carried, whatever it looks like.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value of the `Authorization` header, which gives the secret away to whoever reads it.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// SHA-256 of the token's text, in hex.
    pub(super) fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoodFor {
    /// Every request about this tenant, and none about another.
    Administration(String),
    /// The effective policy of this user, and nothing else: that of the user's devices.
    EffectivePolicy(UserId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_prints_as_an_ellipsis() {
        let token = Token::random(&mut |bytes| bytes.fill(0xab));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.authorization(), format!("Bearer {}", "ab".repeat(32)));
    }
}
