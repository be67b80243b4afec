//! The plan: one variant of a scenario, checked, with every default filled in and every user resolved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attack::{Attack, Place};
pub use crate::file_name::file_name;
use crate::flaw::Flaw;
use crate::identity::{DeviceId, Role, UserId};
use crate::media::Kind;
use crate::outcome::{Listener, Outcome, Reason};
use crate::release::{Feature, Platform, ReleaseName, TenantKind, Version};

words! {
    /// How a sealed call is sealed (design, section 1.5).
    pub enum Profile {
        /// SFrame under keys agreed with X25519.
        Frames = "frames",
        /// DTLS-SRTP between the two devices.
        Dtls = "dtls",
        /// The client's own scheme.
        Own = "own",
    }
}

words! {
    /// The way of the media of a sealed call; an ordinary call ignores it.
    pub enum Path {
        /// Device to device.
        Direct = "direct",
        /// Through the TURN server.
        Relay = "relay",
        /// Through the forwarder, which ends both hops.
        Forwarder = "forwarder",
    }
}

impl Profile {
    /// The path of a sealed call that names none.
    pub const fn default_path(self) -> Path {
        match self {
            Self::Frames | Self::Own => Path::Forwarder,
            Self::Dtls => Path::Direct,
        }
    }
}

words! {
    /// Which network a world runs on.
    pub enum NetKind {
        /// In memory, under virtual time and a seed.
        Memory = "memory",
        /// Real sockets on 127.0.0.0/8.
        Loopback = "loopback",
    }
}

words! {
    /// From when on a network impairs datagrams.
    pub enum ImpairFrom {
        /// From both sides connected: the engine cannot repair a lost handshake flight.
        Connected = "connected",
        /// From the first datagram.
        Start = "start",
    }
}

/// What the memory network does to datagrams.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// One way, in milliseconds.
    pub latency_ms: u64,
    /// Added to the latency, from 0 to this many milliseconds.
    pub jitter_ms: u64,
    /// Share of datagrams lost, from 0 to 1.
    pub loss: f64,
    /// Share of datagrams delivered twice, from 0 to 1.
    pub duplicate: f64,
    /// From when on jitter, loss and duplication apply.
    pub from: ImpairFrom,
}

impl Default for Network {
    fn default() -> Self {
        Self { latency_ms: 12, jitter_ms: 0, loss: 0.0, duplicate: 0.0, from: ImpairFrom::Connected }
    }
}

words! {
    /// The value of `CallingEndtoEndEncryptionEnabledType`; no value forces encryption on.
    pub enum PolicyValue {
        /// Users do not have the option: the default.
        Disabled = "Disabled",
        /// Users may turn the option on.
        DisabledUserOverride = "DisabledUserOverride",
    }
}

/// A group of users of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Direct members: the part before the `@`.
    pub members: Vec<String>,
    /// The policy assigned to the group, if any.
    pub policy: Option<String>,
    /// 1 is best.
    pub rank: Option<u32>,
}

/// A user, with the settings that the scenario starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The policy assigned directly, if any.
    pub policy: Option<String>,
    /// The stored preference.
    pub e2ee: bool,
    /// What the devices run on: name of the device (none where there is one only) and platform, as listed.
    pub devices: Vec<(Option<String>, Platform)>,
    /// The version of every device.
    pub version: Version,
    /// Whether the user is in the preview ring.
    pub preview_ring: bool,
    /// Whether the user is under compliance recording.
    pub compliance_recording: bool,
    /// Whether unanswered calls go to voicemail.
    pub voicemail: bool,
    /// The number that rings as well.
    pub simultaneous_ring: Option<String>,
    /// A fault of this user's client.
    pub flaw: Option<Flaw>,
}

/// A tenant with its policies, groups and users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Whose it is.
    pub kind: TenantKind,
    /// Named policies; `Global` is always there.
    pub policies: BTreeMap<String, PolicyValue>,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Users by the part before the `@`.
    pub users: BTreeMap<String, User>,
}

/// What is set on the service as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// A fault of the service.
    pub flaw: Option<Flaw>,
    /// Whether an administrator has set up recording of every call.
    pub automatic_recording: bool,
}

/// When an attack acts; what is given is combined with *and*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Names of signalling messages; empty is any.
    pub message: Vec<String>,
    /// A kind of media.
    pub media: Option<Kind>,
    /// The match with this number, from 1, per leg.
    pub nth: Option<u64>,
    /// Each match whose number is a multiple of this, per leg.
    pub every: Option<u64>,
    /// Not before this long after both sides are connected, in milliseconds.
    pub after_ms: Option<u64>,
}

/// One attack of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttackPlan {
    /// The deed.
    pub attack: Attack,
    /// Where Mallory sits.
    pub place: Place,
    /// The sides that receive altered bytes.
    pub legs: Vec<Role>,
    /// When she acts.
    pub at: Trigger,
    /// Fewer alterations than this, made or arrived, are inconclusive.
    pub must_fire: u64,
    /// The attack's own options.
    pub options: BTreeMap<String, String>,
}

words! {
    /// Whether a call was scheduled.
    pub enum CallKind {
        /// The kind that can be sealed.
        Unscheduled = "unscheduled",
        /// A calendar entry.
        Scheduled = "scheduled",
    }
}

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Users, one or several.
    Users(Vec<UserId>),
    /// A telephone number.
    Number(String),
}

/// A device of a user in an answer step; without a device, the user's first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Places a call.
    Call {
        /// Who calls.
        from: UserId,
        /// Who is called.
        to: Target,
        /// What the call carries, in the order given.
        media: Vec<Kind>,
        /// Whether it was scheduled.
        kind: CallKind,
    },
    /// The person takes the call on this device.
    Answer(DeviceId),
    /// The person says no.
    Decline(DeviceId),
    /// The person lets it ring.
    Ignore(DeviceId),
    /// The person hangs up.
    HangUp(DeviceId),
    /// Both sides talk for this many milliseconds.
    Talk {
        /// Milliseconds.
        ms: u64,
    },
    /// A feature is invoked.
    Invoke {
        /// Which.
        feature: Feature,
        /// By whom.
        by: UserId,
        /// The target of a transfer or the party to add.
        with: Option<UserId>,
    },
    /// A chat message.
    Chat {
        /// From whom; it goes to the other party of the call.
        from: UserId,
        /// What it says.
        text: String,
    },
    /// The option is turned on or off.
    Toggle {
        /// By whom.
        user: UserId,
        /// To what.
        e2ee: bool,
    },
    /// A user leaves a group.
    Leave {
        /// Which group.
        group: String,
        /// Who.
        user: UserId,
    },
    /// A user joins a group.
    Join {
        /// Which group.
        group: String,
        /// Who.
        user: UserId,
    },
    /// An administrator's request.
    Policy(PolicyStep),
    /// Time passes, in milliseconds.
    Wait {
        /// Milliseconds; `propagation` is resolved.
        ms: u64,
    },
}

words! {
    /// What an administrator asks for.
    pub enum PolicyVerb {
        /// Makes a policy.
        New = "new",
        /// Changes a policy.
        Set = "set",
        /// Assigns a policy, or unassigns with `none`.
        Grant = "grant",
        /// Removes a policy.
        Remove = "remove",
        /// Reads a policy.
        Get = "get",
    }
}

/// One request to the policy server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStep {
    /// What is asked for.
    pub verb: PolicyVerb,
    /// The policy; `None` in a grant unassigns.
    pub name: Option<String>,
    /// The value, as written: it may be one that is refused.
    pub value: Option<String>,
    /// The user that a grant is for.
    pub user: Option<UserId>,
    /// The group that a grant is for.
    pub group: Option<String>,
    /// The tenant that the request is about.
    pub tenant: String,
    /// The rank of a grant to a group.
    pub rank: Option<u32>,
    /// The tenant whose administrator's token is used; the request's own unless given.
    pub as_admin_of: Option<String>,
}

words! {
    /// How an invoked feature or an administrator's request ended.
    pub enum StepResult {
        /// It was done.
        Works = "works",
        /// It was refused, with a reason.
        Refused = "refused",
    }
}

words! {
    /// Whether the call controls show a feature.
    pub enum Control {
        /// There.
        Present = "present",
        /// Not there.
        Absent = "absent",
    }
}

/// What a step states about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepExpect {
    /// How it ends.
    pub result: Option<StepResult>,
    /// Why it is refused.
    pub reason: Option<String>,
    /// Whether the control is shown.
    pub control: Option<Control>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What happens.
    pub verb: Verb,
    /// The call that it is about or that it names: an index into the calls of the plan, from 0.
    pub call: Option<usize>,
    /// What it states.
    pub expect: Option<StepExpect>,
    /// What stands in its place in the twin, where the scenario says so.
    pub twin: Option<Box<Verb>>,
}

words! {
    /// Whose screens show something, or whose media do something.
    pub enum Sides {
        /// Both.
        Both = "both",
        /// The caller's alone.
        Caller = "caller",
        /// The callee's alone.
        Callee = "callee",
        /// Nobody's.
        None = "none",
    }
}

words! {
    /// How the codes on the two screens compare.
    pub enum Codes {
        /// The same 20 digits.
        Equal = "equal",
        /// Two different codes.
        Differ = "differ",
        /// No code on either screen.
        None = "none",
    }
}

words! {
    /// How much a listener hears.
    pub enum Heard {
        /// Every frame that reached its tap.
        All = "all",
        /// No frame.
        None = "none",
    }
}

/// What a scenario states about one call; what is not stated, the oracle computes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallExpect {
    /// What the devices claim.
    pub outcome: Option<Outcome>,
    /// Why.
    pub because: Option<Vec<Reason>>,
    /// Whose screens show the lock.
    pub lock: Option<Sides>,
    /// How the codes compare.
    pub codes: Option<Codes>,
    /// Who hears how much.
    pub heard: BTreeMap<Listener, Heard>,
    /// Devices whose ledgers hold a frame of the call.
    pub devices: Option<usize>,
    /// Whose media crossed the relay's link.
    pub relayed: Option<Sides>,
    /// Checks that must fail.
    pub fails: Vec<String>,
    /// Checks that may fail.
    pub may_fail: Vec<String>,
}

/// One variant of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `family/file[key=value,…]`.
    pub id: String,
    /// The folder of the scenario.
    pub family: String,
    /// The title of the scenario.
    pub title: String,
    /// What the scenario is for.
    pub about: String,
    /// The chosen value of each matrix key, in the order of the file.
    pub variant: Vec<(String, String)>,
    /// The release of the modelled system.
    pub release: ReleaseName,
    /// How a sealed call is sealed.
    pub profile: Profile,
    /// The way of a sealed call.
    pub path: Path,
    /// Which network the file asks for, if it does.
    pub net: Option<NetKind>,
    /// Propagation delay of a policy change, in milliseconds.
    pub propagation_ms: u64,
    /// What the memory network does, if the file says.
    pub network: Option<Network>,
    /// Capabilities that a client must declare, by role.
    pub needs: BTreeMap<Role, Vec<String>>,
    /// Tenants by domain.
    pub tenants: BTreeMap<String, Tenant>,
    /// The service as a whole.
    pub service: Service,
    /// Mallory's deeds.
    pub attacks: Vec<AttackPlan>,
    /// Names of the calls, in the order in which they are placed; a call without a name is called `call`, with
    /// its number from the second one on.
    pub calls: Vec<String>,
    /// What happens.
    pub steps: Vec<Step>,
    /// What is stated about each call, by index.
    pub expect: Vec<CallExpect>,
}

impl Plan {
    /// The user called `id`.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.tenants.get(&id.tenant)?.users.get(&id.user)
    }

    /// Every flaw that the plan plants, the service's included.
    pub fn flaws(&self) -> Vec<Flaw> {
        let users = self.tenants.values().flat_map(|t| t.users.values()).filter_map(|u| u.flaw);
        users.chain(self.service.flaw).collect()
    }

    /// The name of the variant's files: every run of characters outside `A-Za-z0-9.-` becomes one `_`.
    pub fn file_name(&self) -> String {
        file_name(&self.id)
    }
}
