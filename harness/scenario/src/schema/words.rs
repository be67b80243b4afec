//! Schemas of scalars: the words come from `model`'s tables, so that no list is kept twice.

use model::attack::{Attack, Place};
use model::flaw::Flaw;
use model::identity::Role;
use model::media::Kind;
use model::outcome::{Listener, Outcome, Reason};
use model::plan::{
    CallKind, Codes, Control, Heard, ImpairFrom, NetKind, Path, PolicyValue, Profile, Sides, StepResult,
};
use model::release::{Feature, Platform, ReleaseName, TenantKind, Version};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The names of signalling messages (design, section 1.8).
pub const MESSAGES: [&str; 17] = [
    "register",
    "offer",
    "ringing",
    "answer",
    "route",
    "sdp-offer",
    "sdp-answer",
    "reveal",
    "confirm",
    "decline",
    "hang-up",
    "invoke",
    "invoked",
    "preference",
    "chat",
    "opaque",
    "error",
];

macro_rules! words_of {
    ($($name:ident: $words:ty),+ $(,)?) => {
        $(pub fn $name(_: &mut SchemaGenerator) -> Schema {
            one_of(<$words>::ALL.iter().map(|w| w.word()))
        })+
    };
}

words_of! {
    attack: Attack,
    call_kind: CallKind,
    codes: Codes,
    control: Control,
    feature: Feature,
    flaw: Flaw,
    impair_from: ImpairFrom,
    kind: Kind,
    net: NetKind,
    outcome: Outcome,
    path: Path,
    place: Place,
    platform: Platform,
    profile: Profile,
    release: ReleaseName,
    result: StepResult,
    sides: Sides,
    tenant_kind: TenantKind,
    version: Version,
}

pub fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> Schema {
    json_schema!({ "type": "string", "enum": words.collect::<Vec<_>>() })
}

fn list_of(item: Schema) -> Schema {
    json_schema!({ "type": "array", "items": item })
}

fn map_to(value: Schema) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": value })
}

/// `on` or `off`.
pub fn switch(_: &mut SchemaGenerator) -> Schema {
    one_of(["on", "off"].into_iter())
}

/// A duration such as `2s` or `12ms`.
pub fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|min)$", "examples": ["2s"] })
}

/// A share such as `5%`.
pub fn share(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$", "examples": ["5%"] })
}

/// Named policies.
pub fn policies(_: &mut SchemaGenerator) -> Schema {
    map_to(one_of(PolicyValue::ALL.iter().map(|w| w.word())))
}

/// Platforms by name of device.
pub fn devices(generator: &mut SchemaGenerator) -> Schema {
    map_to(platform(generator))
}

/// Sides of a call.
pub fn legs(_: &mut SchemaGenerator) -> Schema {
    list_of(one_of(Role::ALL.iter().map(|w| w.word())))
}

/// Kinds of media.
pub fn kinds(generator: &mut SchemaGenerator) -> Schema {
    list_of(kind(generator))
}

/// Names of signalling messages.
pub fn messages(_: &mut SchemaGenerator) -> Schema {
    list_of(one_of(MESSAGES.into_iter()))
}

/// Reasons of an ordinary, ended or unplaced call.
pub fn reasons(_: &mut SchemaGenerator) -> Schema {
    list_of(one_of(Reason::ALL.iter().map(|w| w.word())))
}

/// Who hears how much.
pub fn heard(_: &mut SchemaGenerator) -> Schema {
    let how_much = one_of(Heard::ALL.iter().map(|w| w.word()));
    let who: serde_json::Map<_, _> =
        Listener::ALL.iter().map(|l| (l.word().to_owned(), how_much.clone().to_value())).collect();
    json_schema!({ "type": "object", "properties": who, "additionalProperties": false })
}

/// The matrix: lists of scalars or of lists of scalars.
pub fn matrix(_: &mut SchemaGenerator) -> Schema {
    let scalar = ["string", "number", "boolean"];
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "array",
            "minItems": 1,
            "items": { "type": ["string", "number", "boolean", "array"], "items": { "type": scalar } },
        },
    })
}
