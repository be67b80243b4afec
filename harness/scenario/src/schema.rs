//! The types of a scenario file: what `serde_yaml` reads into, and what the JSON Schema is generated from.
//!
//! These types say which keys there are and of which shape their values are. What the values mean (durations,
//! users, checks, order) is judged later, on the positions of the file.

pub mod expect;
pub mod step;
pub mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use model::attack::{Attack, Place};
use model::flaw::Flaw;
use model::identity::Role;
use model::media::Kind;
use model::plan::{ImpairFrom, NetKind, Path, PolicyValue, Profile};
use model::release::{Platform, ReleaseName, TenantKind, Version};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};

use self::step::StepDocument;

/// A whole scenario file, after the values of the matrix have been put in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "A scenario of overheard")]
pub struct Document {
    /// The title: one line.
    pub scenario: String,
    /// What the scenario is for.
    #[serde(default)]
    pub about: String,
    /// The release of the modelled system; `ga-2022-03` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::release")]
    pub release: Option<ReleaseName>,
    /// How a sealed call is sealed; `frames` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::profile")]
    pub profile: Option<Profile>,
    /// The way of a sealed call; `forwarder` for `frames` and `direct` for `dtls` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::path")]
    pub path: Option<Path>,
    /// The network; `memory` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::net")]
    pub net: Option<NetKind>,
    /// How long a change of policy takes; `1s` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::duration")]
    pub propagation: Option<String>,
    /// What the memory network does to datagrams.
    #[serde(default)]
    pub network: Option<NetworkDocument>,
    /// Capabilities that the clients must declare.
    #[serde(default)]
    pub needs: NeedsDocument,
    /// Tenants by domain.
    pub tenants: Ordered<TenantDocument>,
    /// The service as a whole.
    #[serde(default)]
    pub service: ServiceDocument,
    /// Mallory's deeds.
    #[serde(default)]
    pub attacks: Vec<AttackDocument>,
    /// Paths or names, each with the values that it takes: one variant per combination.
    #[serde(default)]
    #[schemars(schema_with = "words::matrix")]
    #[expect(dead_code, reason = "read part by part; here for the schema")]
    pub matrix: Option<serde_yaml::Value>,
    /// What happens.
    pub steps: Vec<StepDocument>,
    /// What is stated: one set of statements, a list of rows with `when`, or a map from names of calls to either.
    #[serde(default)]
    #[schemars(schema_with = "expect::statements")]
    #[expect(dead_code, reason = "read part by part; here for the schema")]
    pub expect: Option<serde_yaml::Value>,
}

/// What the memory network does.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkDocument {
    /// One way; `12ms` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::duration")]
    pub latency: Option<String>,
    /// Added to the latency, from nothing to this; `0ms` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::duration")]
    pub jitter: Option<String>,
    /// Share of datagrams lost; `0%` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::share")]
    pub loss: Option<String>,
    /// Share of datagrams delivered twice; `0%` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::share")]
    pub duplicate: Option<String>,
    /// From when on jitter, loss and duplication apply; `connected` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::impair_from")]
    pub from: Option<ImpairFrom>,
}

/// Capabilities by role.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NeedsDocument {
    /// What the caller's client must declare.
    #[serde(default)]
    pub caller: Vec<String>,
    /// What the callee's client must declare.
    #[serde(default)]
    pub callee: Vec<String>,
}

impl NeedsDocument {
    /// The capabilities of each role that has any.
    pub fn by_role(self) -> BTreeMap<Role, Vec<String>> {
        let both = [(Role::Caller, self.caller), (Role::Callee, self.callee)];
        both.into_iter().filter(|(_, needs)| !needs.is_empty()).collect()
    }
}

/// A tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TenantDocument {
    /// `commercial` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::tenant_kind")]
    pub kind: Option<TenantKind>,
    /// Named policies; `Global` is always there and `Disabled` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::policies")]
    pub policies: BTreeMap<String, PolicyValue>,
    /// Groups by name, in a release that assigns policies to groups.
    #[serde(default)]
    pub groups: BTreeMap<String, GroupDocument>,
    /// Users by the part before the `@`.
    pub users: Ordered<UserDocument>,
}

/// A group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupDocument {
    /// Users of the same tenant.
    pub members: Vec<String>,
    /// The policy assigned to the group.
    #[serde(default)]
    pub policy: Option<String>,
    /// 1 is best.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rank: Option<u32>,
}

/// A user.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserDocument {
    /// The policy assigned directly.
    #[serde(default)]
    pub policy: Option<String>,
    /// The stored preference; `off` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::switch")]
    pub e2ee: Option<Switch>,
    /// What the only device runs on; `windows` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::platform")]
    pub platform: Option<Platform>,
    /// The version of every device; `current` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::version")]
    pub version: Option<Version>,
    /// Whether the user is in the preview ring.
    #[serde(default)]
    pub preview_ring: bool,
    /// Whether the user is under compliance recording.
    #[serde(default)]
    pub compliance_recording: bool,
    /// Several devices by name, in place of `platform`.
    #[serde(default)]
    #[schemars(schema_with = "words::devices")]
    pub devices: Option<Ordered<Platform>>,
    /// Whether unanswered calls go to voicemail.
    #[serde(default)]
    pub voicemail: bool,
    /// The number that rings as well.
    #[serde(default)]
    pub simultaneous_ring: Option<String>,
    /// A fault of this user's client.
    #[serde(default)]
    #[schemars(schema_with = "words::flaw")]
    pub flaw: Option<Flaw>,
}

/// The service as a whole.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceDocument {
    /// A fault of the service.
    #[serde(default)]
    #[schemars(schema_with = "words::flaw")]
    pub flaw: Option<Flaw>,
    /// Whether an administrator has set up recording of every call.
    #[serde(default)]
    pub automatic_recording: bool,
}

/// One attack; its own options stand beside these keys and are taken out before the rest is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AttackDocument {
    /// The deed.
    #[schemars(schema_with = "words::attack")]
    pub attack: Attack,
    /// Where Mallory sits.
    #[schemars(schema_with = "words::place")]
    pub place: Place,
    /// The sides that receive altered bytes; both unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::legs")]
    pub legs: Option<Vec<Role>>,
    /// When she acts; at once and always unless given.
    #[serde(default)]
    pub at: TriggerDocument,
    /// Fewer alterations than this, made or arrived, are inconclusive; 1 unless given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub must_fire: Option<u64>,
}

/// When an attack acts; the conditions are combined with *and*.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TriggerDocument {
    /// Names of signalling messages.
    #[serde(default)]
    #[schemars(schema_with = "words::messages")]
    pub message: Vec<String>,
    /// A kind of media.
    #[serde(default)]
    #[schemars(schema_with = "words::kind")]
    pub media: Option<Kind>,
    /// The match with this number, per leg.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub nth: Option<u64>,
    /// Each match whose number is a multiple of this, per leg.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub every: Option<u64>,
    /// Not before this long after both sides are connected.
    #[serde(default)]
    #[schemars(schema_with = "words::duration")]
    pub after: Option<String>,
}

/// `on` or `off`, plain or quoted: read as those words by every reader of the subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// Turned on.
    On,
    /// Turned off.
    Off,
}

/// A mapping in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<'de, V: DeserializeOwned> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);
        impl<'de, V: DeserializeOwned> Visitor<'de> for Pairs<V> {
            type Value = Vec<(String, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData)).map(Self)
    }
}

impl<V: JsonSchema> JsonSchema for Ordered<V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}_by_name", V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}
