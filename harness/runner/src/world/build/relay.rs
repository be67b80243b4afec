//! The relay of a world, where the path of its plan leads through one, and what each device shows there.

use model::identity::{DeviceId, Node};
use model::plan::Path;
use nodes::engine::RelayUse;
use nodes::relay::{self, RelaySetup};

use super::{BuildError, Yard, devices};

/// A relay that runs.
pub(super) struct Relay {
    url: String,
    /// User name and password of each device.
    accounts: Vec<(String, String)>,
}

impl Relay {
    /// What `device` needs to use it.
    pub(super) fn used_by(&self, device: &DeviceId) -> Option<RelayUse> {
        let name = device.to_string();
        let (username, password) = self.accounts.iter().find(|(username, _)| *username == name)?;
        Some(RelayUse { url: self.url.clone(), username: username.clone(), password: password.clone() })
    }
}

impl Yard<'_> {
    pub(super) fn relay(&mut self) -> Result<(), BuildError> {
        if self.job.plan.path != Path::Relay {
            return Ok(());
        }
        let entropy = self.entropy.child(Node::Relay.word());
        let account = |device: DeviceId| (device.to_string(), hex::encode(entropy.array::<16>()));
        let accounts: Vec<_> = devices(&self.job.plan).into_iter().map(|(d, _)| account(d)).collect();
        let address = relay::start(RelaySetup {
            net: self.net.clone(),
            link: self.link(Node::Relay.word()),
            journal: self.journal.clone(),
            entropy: std::sync::Arc::new(entropy),
            accounts: accounts.clone(),
        })?;
        self.relay = Some(Relay { url: format!("turn:{address}"), accounts });
        Ok(())
    }
}
