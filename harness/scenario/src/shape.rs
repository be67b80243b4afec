//! Compares a file with the schema of its types: unknown and missing keys, wrong shapes, unknown words.
//!
//! The schema is the one that editors get, so the keys and words of every message come from the one table.

use std::sync::LazyLock;

use serde_json::Value;

use crate::diagnostic::Code;
use crate::place::{At, Findings, said};
use crate::positions::{Content, Node};
use crate::schema::Document;
use crate::suggest;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Document).to_value());

/// The JSON Schema of a scenario file.
pub(crate) fn schema() -> &'static Value {
    &SCHEMA
}

/// The keys of the definition called `name`, such as `UserDocument`.
pub(crate) fn keys_of(name: &str) -> Vec<&'static str> {
    keys(definition(name))
}

/// The definition called `name`.
pub(crate) fn definition(name: &str) -> &'static Value {
    SCHEMA.get("$defs").and_then(|d| d.get(name)).unwrap_or(&Value::Null)
}

fn keys(schema: &Value) -> Vec<&str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(k, _)| k.as_str())
        .collect()
}

/// Compares a whole file; `expect` is left to the reader of statements, because its form depends on the calls.
pub(crate) fn check_file(root: &Node, findings: &mut Findings<'_>) {
    let mut rest = root.clone();
    if let Content::Map(entries) = &mut rest.content {
        entries.retain(|entry| entry.key != "expect");
    }
    check(&rest, &At::default(), &SCHEMA, findings);
}

/// Compares the part at `at` with `schema`.
pub(crate) fn check(node: &Node, at: &At, schema: &'static Value, findings: &mut Findings<'_>) {
    let schema = resolved(schema);
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return check_word(node, at, words, findings);
    }
    let types = types(schema);
    let found = type_of(node, &types);
    if !types.is_empty() && !types.contains(&found) {
        return wrong_type(node, at, schema, &types, findings);
    }
    match &node.content {
        Content::Map(entries) => {
            for entry in entries {
                let inner = at.key(&entry.key);
                match property(schema, &entry.key) {
                    Some(schema) => check(&entry.value, &inner, schema, findings),
                    None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                        let help = suggest::instead(&entry.key, keys(schema));
                        let message = format!("unknown key `{}`", entry.key);
                        findings.key(Code::UnknownKey, &inner, said(message, "not a key here", help));
                    }
                    None => {}
                }
            }
            check_required(node, at, schema, findings);
        }
        Content::List(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter().enumerate().for_each(|(i, item)| check(item, &at.item(i), schema, findings));
            }
        }
        Content::Scalar(..) => check_range(node, at, schema, findings),
    }
}

/// Follows references, and takes the one alternative that is not null: empty values are refused before.
fn resolved(schema: &'static Value) -> &'static Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return resolved(definition(name.trim_start_matches("#/$defs/")));
    }
    let not_null = |s: &&Value| s.get("type").and_then(Value::as_str) != Some("null");
    match schema.get("anyOf").and_then(Value::as_array).and_then(|all| all.iter().find(not_null)) {
        Some(one) => resolved(one),
        None => schema,
    }
}

fn property(schema: &'static Value, key: &str) -> Option<&'static Value> {
    let named = schema.get("properties").and_then(|p| p.get(key));
    named.or_else(|| schema.get("additionalProperties").filter(|s| s.is_object()))
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect()
        }
        _ => Vec::new(),
    }
}

/// The schema's word for what `node` is; an integer is a `number` where only that is asked for.
fn type_of(node: &Node, wanted: &[&str]) -> &'static str {
    match &node.content {
        Content::Map(_) => "object",
        Content::List(_) => "array",
        Content::Scalar(_, serde_yaml::Value::Bool(_)) => "boolean",
        Content::Scalar(_, serde_yaml::Value::Number(n)) if n.is_f64() || wanted.contains(&"number") => {
            "number"
        }
        Content::Scalar(_, serde_yaml::Value::Number(_)) => "integer",
        Content::Scalar(..) => "string",
    }
}

fn plain_word(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "a text",
    }
}

fn wrong_type(node: &Node, at: &At, schema: &Value, types: &[&str], findings: &mut Findings<'_>) {
    let wanted = types.iter().map(|t| plain_word(t)).collect::<Vec<_>>().join(" or ");
    let found = type_of(node, types);
    let message = match node.text() {
        Some(text) => format!("expected {wanted}, found `{text}`"),
        None => format!("expected {wanted}, found {}", plain_word(found)),
    };
    let example = schema.pointer("/examples/0").and_then(Value::as_str);
    let help = match (node.text(), types) {
        (Some(_), _) if example.is_some() => {
            format!("give it a unit, such as `{}`", example.unwrap_or_default())
        }
        (Some(_), ["string", ..]) => "put it in quotes".to_owned(),
        (Some(text), ["array", ..]) => format!("write `[{text}]`"),
        (Some("on"), ["boolean"]) => "write `true`".to_owned(),
        (Some("off"), ["boolean"]) => "write `false`".to_owned(),
        _ => format!("write {wanted}"),
    };
    findings.value(Code::WrongType, at, said(message, "of another shape", help));
}

fn check_word(node: &Node, at: &At, words: &'static [Value], findings: &mut Findings<'_>) {
    let known: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
    let help = match node.text() {
        Some(text) if known.contains(&text) => return,
        Some("true") if known.contains(&"on") => "write `on`".to_owned(),
        Some("false") if known.contains(&"off") => "write `off`".to_owned(),
        Some(text) => suggest::instead(text, known),
        None => suggest::one_of(&known),
    };
    match node.text() {
        Some(text) => {
            let message = format!("unknown word `{text}`");
            findings.value(Code::UnknownWord, at, said(message, "not one of the words for this", help));
        }
        None => {
            let message = format!("expected a word, found {}", plain_word(type_of(node, &[])));
            findings.value(Code::WrongType, at, said(message, "of another shape", help));
        }
    }
}

fn check_required(node: &Node, at: &At, schema: &Value, findings: &mut Findings<'_>) {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for key in required.filter_map(Value::as_str).filter(|key| node.at(key).is_none()) {
        let help = format!("add `{key}:`");
        findings.key(
            Code::MissingKey,
            at,
            said(format!("the key `{key}` is missing"), "missing in here", help),
        );
    }
}

fn check_range(node: &Node, at: &At, schema: &Value, findings: &mut Findings<'_>) {
    let Content::Scalar(text, serde_yaml::Value::Number(number)) = &node.content else { return };
    let least = schema.get("minimum").and_then(Value::as_u64);
    let most = match schema.get("format").and_then(Value::as_str) {
        Some("uint32") => Some(u64::from(u32::MAX)),
        Some(_) => Some(u64::MAX),
        None => None,
    };
    let inside = |n: u64| least.is_none_or(|l| n >= l) && most.is_none_or(|m| n <= m);
    if most.is_some() && !number.as_u64().is_some_and(inside) {
        let message = format!("the number `{text}` is out of range");
        let least = least.unwrap_or_default();
        findings.value(Code::OutOfRange, at, said(message, "out of range", format!("write {least} or more")));
    }
}
