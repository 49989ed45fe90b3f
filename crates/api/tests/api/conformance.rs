//! Holds every JSON answer against the OpenAPI document: nothing missing, nothing undocumented, every type right.

use http::Method;
use serde_json::Value;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(switchboard_api::openapi()).expect("a document is serialisable"));

/// Panics when an answer of this route is not as documented.
#[track_caller]
pub fn check(method: &Method, path: &str, status: u16, body: &Value) {
    let path = path.split('?').next().unwrap_or(path);
    let Some(operation) = operation(method, path) else { return };
    let responses = &operation["responses"];
    let (response, media_type) = match responses.get(status.to_string()) {
        Some(response) => (response, "application/json"),
        None => (&responses["default"], "application/problem+json"),
    };
    let Some(schema) = response["content"].get(media_type).map(|content| &content["schema"]) else { return };
    let mut faults = Vec::new();
    compare(schema, body, "answer", &mut faults);
    assert!(faults.is_empty(), "{method} {path} {status} is not as documented:\n{}\n{body:#}", faults.join("\n"));
}

fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let segments: Vec<&str> = path.split('/').collect();
    let matches = |template: &str| {
        let parts: Vec<&str> = template.trim_start_matches("/api/v1").split('/').collect();
        parts.len() == segments.len() && parts.iter().zip(&segments).all(|(part, found)| part.starts_with('{') || part == found)
    };
    let (_, item) = DOCUMENT["paths"].as_object()?.iter().find(|(template, _)| matches(template))?;
    item.get(method.as_str().to_lowercase())
}

fn compare(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().expect("a name");
        return compare(&DOCUMENT["components"]["schemas"][name], value, at, faults);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = choices.iter().any(|choice| {
            let mut own = Vec::new();
            compare(choice, value, at, &mut own);
            own.is_empty()
        });
        if !fits {
            faults.push(format!("{at}: fits none of its {} shapes: {value}", choices.len()));
        }
        return;
    }
    if !has_type(&schema["type"], value) {
        faults.push(format!("{at}: is {value} and not of type {}", schema["type"]));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        faults.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    match value {
        Value::Object(object) => {
            for key in required(schema).into_iter().filter(|key| !object.contains_key(*key)) {
                faults.push(format!("{at}.{key}: missing"));
            }
            for (key, value) in object {
                match property(schema, key) {
                    Some(schema) => compare(schema, value, &format!("{at}.{key}"), faults),
                    None if is_open(schema) => {}
                    None => faults.push(format!("{at}.{key}: not documented")),
                }
            }
        }
        Value::Array(rows) if schema["items"].is_object() => {
            for (index, row) in rows.iter().enumerate() {
                compare(&schema["items"], row, &format!("{at}[{index}]"), faults);
            }
        }
        _ => {}
    }
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    };
    match wanted {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| name.as_str().is_some_and(is)),
        _ => true,
    }
}

/// The parts of a flattened shape, with references followed.
fn parts(schema: &Value) -> Vec<&Value> {
    match schema["allOf"].as_array() {
        Some(parts) => parts.iter().flat_map(|part| self::parts(resolved(part))).collect(),
        None => vec![schema],
    }
}

fn resolved(schema: &Value) -> &Value {
    match schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => &DOCUMENT["components"]["schemas"][name],
        None => schema,
    }
}

fn required(schema: &Value) -> Vec<&str> {
    parts(schema)
        .into_iter()
        .flat_map(|part| part["required"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect()
}

fn property<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    parts(schema).into_iter().find_map(|part| {
        part["properties"].get(key).or_else(|| part.get("additionalProperties").filter(|values| values.is_object()))
    })
}

#[test]
fn what_is_missing_undocumented_or_of_another_type_is_found() {
    let faults = |body: Value| {
        let mut faults = Vec::new();
        compare(&DOCUMENT["components"]["schemas"]["TeamRow"], &body, "team", &mut faults);
        faults.join("\n")
    };
    let right = serde_json::json!({"id": 1, "slug": "a", "name": "A", "parent": null, "main_members": [], "extra_members": []});
    assert_eq!(faults(right.clone()), "");
    for (key, value, fault) in [
        ("main_members", serde_json::json!(["x"]), "team.main_members[0]: is \"x\""),
        ("colour", serde_json::json!("red"), "team.colour: not documented"),
        ("parent", serde_json::json!("x"), "team.parent: fits none"),
    ] {
        let mut wrong = right.clone();
        wrong[key] = value;
        assert!(faults(wrong).starts_with(fault), "{key}");
    }
    let mut short = right;
    short.as_object_mut().expect("an object").remove("parent");
    assert_eq!(faults(short), "team.parent: missing");
}

/// A shape without any properties holds anything.
fn is_open(schema: &Value) -> bool {
    parts(schema).iter().all(|part| part.get("properties").is_none())
}
