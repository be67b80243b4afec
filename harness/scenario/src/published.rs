//! The JSON Schema that editors get: the reader's own, before the values of the matrix have been put in.
//!
//! Inside steps every value may be a `$name`, which the reader never sees because it has been replaced by then. An
//! empty value is refused everywhere, so that nothing may be null.

use serde_json::{Map, Value, json};

use crate::shape;

/// The types of what stands in a step.
const IN_STEPS: [&str; 8] = [
    "CallDocument",
    "ChatDocument",
    "InvokeDocument",
    "MembershipDocument",
    "PolicyDocument",
    "StepDocument",
    "StepExpectDocument",
    "ToggleDocument",
];

/// The schema, of JSON Schema draft 2020-12.
pub(crate) fn schema() -> Value {
    let mut schema = without_null(shape::schema());
    for name in IN_STEPS {
        let properties =
            schema.pointer_mut(&format!("/$defs/{name}/properties")).and_then(Value::as_object_mut);
        properties.into_iter().flat_map(Map::values_mut).for_each(or_name);
    }
    schema
}

/// Lets a value be a `$name` as well.
fn or_name(schema: &mut Value) {
    let free = schema.get("type") == Some(&json!("string"))
        && schema.get("enum").is_none()
        && schema.get("pattern").is_none();
    if free || schema.get("$ref").is_some() {
        return;
    }
    let description = schema.as_object_mut().and_then(|s| s.remove("description"));
    let either = json!({ "anyOf": [schema.take(), { "type": "string", "pattern": "^\\$[A-Za-z]" }] });
    *schema = either;
    if let (Some(schema), Some(description)) = (schema.as_object_mut(), description) {
        schema.insert("description".to_owned(), description);
    }
}

fn without_null(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut map: Map<String, Value> = map.iter().map(|(k, v)| (k.clone(), without_null(v))).collect();
            map.retain(|key, value| !(key == "default" && value.is_null()));
            Value::Object(map)
        }
        Value::Array(items) => match items
            .iter()
            .filter(|i| **i != json!("null") && **i != json!({ "type": "null" }))
            .collect::<Vec<_>>()
            .as_slice()
        {
            [one] if items.len() == 2 && one.is_string() => (*one).clone(),
            rest => rest.iter().map(|item| without_null(item)).collect(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(schema: &'a Value, pointer: &str) -> &'a Value {
        schema.pointer(pointer).expect("there")
    }

    #[test]
    fn words_come_from_the_tables_and_keys_from_the_types() {
        let schema = schema();
        let platforms =
            at(&schema, "/$defs/UserDocument/properties/platform/enum").as_array().expect("words");
        assert_eq!(platforms.len(), model::release::Platform::ALL.len());
        assert_eq!(at(&schema, "/properties/propagation/type"), "string");
        assert_eq!(at(&schema, "/additionalProperties"), &json!(false));
        assert_eq!(at(&schema, "/required"), &json!(["scenario", "tenants", "steps"]));
    }

    #[test]
    fn a_step_may_hold_names_and_a_user_may_not() {
        let schema = schema();
        assert!(IN_STEPS.iter().all(|name| schema.pointer(&format!("/$defs/{name}/properties")).is_some()));
        let feature = at(&schema, "/$defs/InvokeDocument/properties/feature");
        assert_eq!(at(feature, "/anyOf/1/pattern"), "^\\$[A-Za-z]");
        assert!(feature.get("description").is_some());
        let e2ee = at(&schema, "/$defs/UserDocument/properties/e2ee");
        assert_eq!(at(e2ee, "/enum"), &json!(["on", "off"]));
    }

    #[test]
    fn nothing_may_be_null() {
        let text = schema().to_string();
        assert!(!text.contains("null"), "{text}");
    }
}
