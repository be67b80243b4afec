//! A client made by others as one device of a world: its driver's session, its signalling connection and its way into
//! the network.
//!
//! Invariant: what the driver does wrong ends its own part of the call and is put down to it; the world goes on.

mod bridge;

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use adapters::protocol::{Ask, Introduction, RelayServer, Session, VERSION, Versions};
use adapters::{Access, Driver, Fault};
use model::driver::{DriverRecord, ProbeRecord};
use model::identity::{DeviceId, Node};
use model::plan::User;
use model::record::Blamed;
use model::release::{Feature, Platform, Release, TenantKind, Version};
use nodes::client::Client;
use nodes::engine::RelayUse;
use nodes::policy_client::PolicySource;
use tokio::sync::{mpsc, watch};

use super::{SIGNALLING, Yard, dial};
use bridge::Bridge;

/// Until a driver has started and answers.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// Until its client is there: a browser takes seconds, and many of them where others keep the processors busy.
pub(crate) const OPENS_WITHIN: Duration = Duration::from_secs(40);
/// For everything that is asked later and takes no time of its own.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// A client made by others, to be used for one side of each call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outsider {
    /// As the user named it.
    pub name: String,
    /// How its driver is started.
    pub command: adapters::Command,
}

/// Who a client made by others is, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduced {
    /// Its name and version.
    pub implementation: String,
    /// What it declares that it can do.
    pub capabilities: Vec<String>,
}

/// Asks a client made by others who it is, of a driver that is started for this alone.
///
/// # Errors
/// What the driver does wrong, and the last line that it said on standard error.
pub fn introduced(outsider: &Outsider) -> Result<Introduced, (Fault, Option<String>)> {
    let not_started = |error: io::Error| (Fault::NotStarted(error.to_string()), None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(not_started)?;
    runtime.block_on(async {
        let folder = session_folder().map_err(not_started)?;
        let started = Driver::start(&outsider.command, folder.path());
        let (driver, _happenings) = started.map_err(|fault| (fault, None))?;
        let hello = hello(&driver).await;
        let words = if hello.is_err() { driver.last_words().await } else { None };
        // How it ends is looked at where it plays.
        let _ = driver.shut_down(ANSWERS_WITHIN).await;
        driver.kill().await;
        let hello = hello.map_err(|fault| (fault, words))?;
        Ok(Introduced { capabilities: able(&hello), implementation: hello.implementation })
    })
}

/// What a client made by others declares; none where it does not say.
pub fn declared(outsider: &Outsider) -> Option<Vec<String>> {
    introduced(outsider).ok().map(|introduced| introduced.capabilities)
}

/// A driver whose session is open, and its folder.
pub(crate) struct Outside {
    pub(crate) driver: Arc<Driver>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) record: DriverRecord,
    pub(crate) exports_keys: bool,
    /// How many keys were read.
    pub(crate) exported: AtomicU64,
}

impl Outside {
    /// What the record says of the driver in the end.
    pub(crate) fn told(&self) -> DriverRecord {
        DriverRecord {
            exported: self.exported.load(Ordering::Relaxed),
            unasked_frames: self.driver.unasked_frames(),
            ..self.record.clone()
        }
    }
}

/// What a device is, as the driver is told.
pub(super) struct Person<'a> {
    pub(super) device: &'a DeviceId,
    pub(super) user: &'a User,
    pub(super) platform: Platform,
    pub(super) tenant_kind: TenantKind,
    pub(super) settings: Vec<Feature>,
}

impl Yard<'_> {
    /// Starts the driver, opens its session and connects it to the call service. A driver that does not get so far is a
    /// device that does nothing.
    pub(super) async fn outsider(
        &mut self,
        outsider: &Outsider,
        person: Person<'_>,
        link: Arc<dyn net::AccessLink>,
        service: std::net::SocketAddr,
        policy: Arc<dyn PolicySource>,
        set_up: Duration,
    ) -> io::Result<Client> {
        let socket = dial(&self.trust, &link, Node::CallService.word(), SIGNALLING, service).await?;
        let relay = self.relay.as_ref().and_then(|relay| relay.used_by(person.device));
        let access = Access::new(link.clone());
        let (commands, queue) = mpsc::unbounded_channel();
        let (seen, calls) = watch::channel(std::collections::BTreeMap::new());
        let client = Client::others(person.device.clone(), commands, calls);
        let folder = session_folder()?;
        let started = Driver::start(&outsider.command, folder.path());
        let (driver, happenings) = match started {
            Ok(started) => started,
            Err(fault) => {
                self.journal.stumble(Blamed::Driver, blamed(person.device, &fault));
                return Ok(client);
            }
        };
        let session = self.session(&person, &folder, &access, relay.as_ref(), set_up)?;
        match open(&driver, person.device, session).await {
            Ok((record, exports_keys)) => {
                let exported = AtomicU64::new(0);
                let outside = Arc::new(Outside { driver, folder, record, exports_keys, exported });
                self.outside.push(outside.clone());
                let journal = self.journal.clone();
                let bridge = Bridge { journal, access, policy, outside, relayed: BTreeSet::new(), seen };
                tokio::spawn(bridge.run(queue, happenings, socket));
            }
            Err(fault) => {
                let mut text = blamed(person.device, &fault);
                if let Some(words) = driver.last_words().await {
                    text.push_str(&format!("; its last words: {words}"));
                }
                self.journal.stumble(Blamed::Driver, text);
                driver.kill().await;
            }
        }
        Ok(client)
    }

    fn session(
        &self,
        person: &Person<'_>,
        folder: &tempfile::TempDir,
        access: &Access,
        relay: Option<&RelayUse>,
        set_up: Duration,
    ) -> io::Result<Session> {
        let plan = &self.job.plan;
        let release = Release::of(plan.release);
        let eligible = release.offers_on(person.platform)
            && person.user.version == Version::Current
            && (person.user.preview_ring || !release.preview_ring)
            && person.tenant_kind == TenantKind::Commercial
            && !person.user.compliance_recording;
        let relay = relay.map(|relay| {
            let address = relay.url.trim_start_matches("turn:").parse();
            let address = address.map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            let url = format!("turn:{}", access.stands_for(address)?);
            let (username, password) = (relay.username.clone(), relay.password.clone());
            io::Result::Ok(RelayServer { url, username, password })
        });
        Ok(Session {
            folder: folder.path().display().to_string(),
            party: person.device.user.to_string(),
            device: person.device.device.clone().unwrap_or_default(),
            platform: person.platform.to_string(),
            version: person.user.version.to_string(),
            e2ee: person.user.e2ee,
            eligible,
            profile: plan.profile.to_string(),
            withheld: Feature::ALL
                .iter()
                .filter(|feature| release.withholds(**feature))
                .map(ToString::to_string)
                .collect(),
            settings: person.settings.iter().map(ToString::to_string).collect(),
            set_up_ms: u64::try_from(set_up.as_millis()).unwrap_or(u64::MAX),
            address: adapters::access::CLIENT_ADDRESS.to_string(),
            relay: relay.transpose()?,
        })
    }
}

/// A folder that only this user of the system can enter: keys are written there.
pub(crate) fn session_folder() -> io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .prefix("overheard-session-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
}

async fn hello(driver: &Driver) -> Result<Introduction, Fault> {
    let ask = Ask::Hello {
        protocol: Versions { min: VERSION, max: VERSION },
        harness: format!("overheard {}", env!("CARGO_PKG_VERSION")),
    };
    driver.ask(ask, STARTS_WITHIN).await
}

/// The words of what the client can do.
fn able(hello: &Introduction) -> Vec<String> {
    hello.capabilities.iter().filter(|(_, can)| **can).map(|(word, _)| word.clone()).collect()
}

/// Introduces both sides, asks for what has to be refused, and opens the session.
async fn open(driver: &Driver, device: &DeviceId, session: Session) -> Result<(DriverRecord, bool), Fault> {
    let hello = hello(driver).await?;
    if hello.protocol != VERSION {
        let why = format!("it chose version {} of {VERSION} to {VERSION}", hello.protocol);
        return Err(Fault::Misshapen { method: "hello", why });
    }
    let has = |word: &str| hello.capabilities.get(word) == Some(&true);
    let mut probes = Vec::new();
    let answer = driver.request_unknown("no-such-method", ANSWERS_WITHIN).await?;
    probes.push(probe("a method that the protocol does not have", "unknown-method", &answer));
    for profile in ["frames", "dtls", "own"].into_iter().filter(|profile| !has(profile)) {
        let other = Session { profile: profile.to_owned(), ..session.clone() };
        let answer = driver.request(&Ask::Open(Box::new(other)), ANSWERS_WITHIN).await?;
        probes.push(probe(
            &format!("a session of the profile `{profile}`, undeclared"),
            "unsupported",
            &answer,
        ));
        if answer.is_ok() {
            driver.request(&Ask::Close {}, ANSWERS_WITHIN).await?.ok();
        }
    }
    let _: serde_json::Value = driver.ask(Ask::Open(Box::new(session)), OPENS_WITHIN).await?;
    let exports_keys = has("keys-export");
    let record = DriverRecord {
        device: device.clone(),
        implementation: hello.implementation.clone(),
        capabilities: able(&hello),
        probes,
        isolated: loopback_alone(),
        exported: 0,
        unasked_frames: 0,
    };
    Ok((record, exports_keys))
}

fn probe(
    asked: &str,
    due: &str,
    answer: &Result<serde_json::Value, adapters::protocol::Refusal>,
) -> ProbeRecord {
    let came = adapters::driver::kind_of(answer).to_owned();
    ProbeRecord { asked: asked.to_owned(), due: due.to_owned(), came }
}

/// A fault in the words of the record.
pub(crate) fn blamed(device: &DeviceId, fault: &Fault) -> String {
    format!("{device}: {fault}")
}

/// Whether this process, and so whatever it starts, has no network interface but the loopback.
fn loopback_alone() -> bool {
    let Ok(devices) = std::fs::read_to_string("/proc/self/net/dev") else { return false };
    only_loopback(&devices)
}

/// Reads Linux's list of interfaces: two lines of headings, then `name: numbers`.
fn only_loopback(devices: &str) -> bool {
    let mut names =
        devices.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim())).peekable();
    names.peek().is_some() && names.all(|name| name == "lo")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::only_loopback;

    const HEAD: &str = "Inter-|   Receive\n face |bytes\n";

    #[rstest]
    #[case("    lo: 0 0\n", true)]
    #[case("    lo: 0 0\n  eth0: 0 0\n", false)]
    #[case("", false)]
    fn anything_beside_the_loopback_is_a_way_out(#[case] lines: &str, #[case] alone: bool) {
        assert_eq!(only_loopback(&format!("{HEAD}{lines}")), alone);
    }
}
