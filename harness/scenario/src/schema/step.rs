//! The types of steps. A step is a mapping with one verb; that it is one is judged with the meaning.

use model::plan::{CallKind, Control, StepResult};
use model::release::Feature;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Switch, words};
use model::media::Kind;

/// One step: a verb, and beside it `in`, `expect` and `twin`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepDocument {
    /// Places a call. Two in a row between the same two users, one each way, are placed at once: one of them stands, the
    /// other comes to `not-placed` as `busy`, and what follows and what is expected is about the one that stands.
    #[serde(default)]
    pub call: Option<CallDocument>,
    /// The person takes the call: `USER` or `USER/DEVICE`.
    #[serde(default)]
    pub answer: Option<String>,
    /// The person says no.
    #[serde(default)]
    pub decline: Option<String>,
    /// The person lets it ring.
    #[serde(default)]
    pub ignore: Option<String>,
    /// The person hangs up.
    #[serde(default)]
    pub hang_up: Option<String>,
    /// Both sides talk for this long.
    #[serde(default)]
    #[schemars(schema_with = "words::duration")]
    pub talk: Option<String>,
    /// A feature is invoked.
    #[serde(default)]
    pub invoke: Option<InvokeDocument>,
    /// A chat message to the other party of the call.
    #[serde(default)]
    pub chat: Option<ChatDocument>,
    /// The option is turned on or off.
    #[serde(default)]
    pub toggle: Option<ToggleDocument>,
    /// A user leaves a group.
    #[serde(default)]
    pub leave: Option<MembershipDocument>,
    /// A user joins a group.
    #[serde(default)]
    pub join: Option<MembershipDocument>,
    /// An administrator's request.
    #[serde(default)]
    pub policy: Option<PolicyDocument>,
    /// Time passes: a duration, or `propagation`.
    #[serde(default)]
    pub wait: Option<String>,
    /// The call that the step is about; the last one unless given.
    #[serde(default)]
    pub r#in: Option<String>,
    /// What the step states.
    #[serde(default)]
    pub expect: Option<StepExpectDocument>,
    /// What stands in its place in the twin: a step without `in`, `expect` and `twin`.
    #[serde(default)]
    pub twin: Option<Box<StepDocument>>,
}

/// Places a call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallDocument {
    /// Who calls.
    pub from: String,
    /// A user, a list of users, or `tel:NUMBER`.
    pub to: OneOrMany,
    /// What the call carries.
    #[schemars(schema_with = "words::kinds")]
    pub media: Vec<Kind>,
    /// `unscheduled` unless given.
    #[serde(default)]
    #[schemars(schema_with = "words::call_kind")]
    pub kind: Option<CallKind>,
    /// The name by which other steps and `expect` mean this call.
    #[serde(default)]
    pub r#as: Option<String>,
}

/// Invokes a feature.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InvokeDocument {
    /// Which.
    #[schemars(schema_with = "words::feature")]
    pub feature: Feature,
    /// By whom.
    pub by: String,
    /// The target of a transfer or the party to add.
    #[serde(default)]
    pub with: Option<String>,
}

/// Sends a chat message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChatDocument {
    /// From whom.
    pub from: String,
    /// What it says.
    pub text: String,
}

/// Turns the option on or off.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ToggleDocument {
    /// By whom.
    pub user: String,
    /// To what.
    #[schemars(schema_with = "words::switch")]
    pub e2ee: Switch,
}

/// Changes who is in a group.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MembershipDocument {
    /// Which group.
    pub group: String,
    /// Who.
    pub user: String,
}

/// Asks the policy server for something: one of `new`, `set`, `grant`, `remove` and `get`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyDocument {
    /// Makes a policy.
    #[serde(default)]
    pub new: Option<String>,
    /// Changes a policy.
    #[serde(default)]
    pub set: Option<String>,
    /// Assigns a policy; `none` unassigns.
    #[serde(default)]
    pub grant: Option<String>,
    /// Removes a policy.
    #[serde(default)]
    pub remove: Option<String>,
    /// Reads a policy.
    #[serde(default)]
    pub get: Option<String>,
    /// The value, which may be one that is refused.
    #[serde(default)]
    pub value: Option<String>,
    /// The user that a grant is for.
    #[serde(default)]
    pub user: Option<String>,
    /// The group that a grant is for.
    #[serde(default)]
    pub group: Option<String>,
    /// The tenant that the request is about.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The rank of a grant to a group.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rank: Option<u32>,
    /// The tenant whose administrator asks; the request's own unless given.
    #[serde(default)]
    pub as_admin_of: Option<String>,
}

/// What a step states about itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StepExpectDocument {
    /// How it ends.
    #[serde(default)]
    #[schemars(schema_with = "words::result")]
    pub result: Option<StepResult>,
    /// Why it is refused.
    #[serde(default)]
    pub reason: Option<String>,
    /// Whether the control is shown.
    #[serde(default)]
    #[schemars(schema_with = "words::control")]
    pub control: Option<Control>,
}

/// One text, or a list of texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OneOrMany {
    /// A text that stood alone.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany::Many(texts))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TextOrTexts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "array"], "items": { "type": "string" } })
    }
}
