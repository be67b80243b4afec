//! Who takes part: users, devices, the two roles of a call, and the nodes of the service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A user of a tenant, written `user@tenant` in lower case: the *party* of the key agreement.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UserId {
    /// The part before the `@`.
    pub user: String,
    /// The domain of the tenant.
    pub tenant: String,
}

/// A text that is no `user@tenant`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no user; write it as user@tenant, in lower case")]
pub struct NoUser(pub String);

impl UserId {
    /// Puts the two parts together, in lower case.
    pub fn new(user: &str, tenant: &str) -> Self {
        Self { user: user.to_lowercase(), tenant: tenant.to_lowercase() }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.tenant)
    }
}

impl FromStr for UserId {
    type Err = NoUser;

    fn from_str(text: &str) -> Result<Self, NoUser> {
        match text.split_once('@') {
            Some((user, tenant)) if !user.is_empty() && !tenant.is_empty() && !tenant.contains('@') => {
                Ok(Self::new(user, tenant))
            }
            _ => Err(NoUser(text.to_owned())),
        }
    }
}

impl From<UserId> for String {
    fn from(id: UserId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for UserId {
    type Error = NoUser;

    fn try_from(text: String) -> Result<Self, NoUser> {
        text.parse()
    }
}

/// One device of a user, written as the name of its access link: `user@tenant`, with `/device` where the user
/// has several.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DeviceId {
    /// Whose device it is.
    pub user: UserId,
    /// The name of the device, where the user has several.
    pub device: Option<String>,
}

impl DeviceId {
    /// The only device of `user`.
    pub fn only(user: UserId) -> Self {
        Self { user, device: None }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            None => write!(f, "{}", self.user),
            Some(device) => write!(f, "{}/{device}", self.user),
        }
    }
}

impl FromStr for DeviceId {
    type Err = NoUser;

    fn from_str(text: &str) -> Result<Self, NoUser> {
        match text.split_once('/') {
            None => Ok(Self::only(text.parse()?)),
            Some((user, device)) => Ok(Self { user: user.parse()?, device: Some(device.to_owned()) }),
        }
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for DeviceId {
    type Error = NoUser;

    fn try_from(text: String) -> Result<Self, NoUser> {
        text.parse()
    }
}

words! {
    /// The part of a device in one call.
    pub enum Role {
        /// Placed the call.
        Caller = "caller",
        /// Was called.
        Callee = "callee",
    }
}

impl Role {
    /// The other part.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

words! {
    /// A node that belongs to no user; the word is the name of its access link, and so of its tap.
    pub enum Node {
        /// Holds policies and answers the admin API.
        PolicyServer = "policy-server",
        /// Carries signalling and names the path.
        CallService = "call-service",
        /// Ends both hops of an ordinary call.
        MediaProcessor = "media-processor",
        /// Ends both hops of a sealed `frames` call and cannot open the frames.
        Forwarder = "forwarder",
        /// The TURN server.
        Relay = "relay",
        /// Where recordings and transcripts are written.
        Recorder = "recorder",
        /// The man in the middle, where she ends connections of her own.
        Mallory = "mallory",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_as_the_name_of_its_link() {
        let device: DeviceId = "Alice@Contoso.example/phone".parse().expect("a device");
        assert_eq!(device.to_string(), "alice@contoso.example/phone");
        assert_eq!(DeviceId::only(UserId::new("bob", "contoso.example")).to_string(), "bob@contoso.example");
        for wrong in ["alice", "@contoso.example", "alice@", "a@b@c"] {
            assert_eq!(wrong.parse::<UserId>(), Err(NoUser(wrong.to_owned())));
        }
    }
}
