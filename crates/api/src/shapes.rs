//! Shapes of the OpenAPI document as answers really have them.
//!
//! The generator takes every nullable field for one that may be absent. Our answers always write it, null or not,
//! unless it says otherwise, and generated clients should know. Requests keep their optional fields.

use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{Components, Ref, RefOr};

/// Fields of shared shapes that are left out instead of being null.
const LEFT_OUT: [(&str, &str); 20] = [
    ("Candidate", "idle_ms"),
    ("Capacity", "total"),
    ("Capacity", "per_type"),
    ("Capacity", "weights"),
    ("Case", "when"),
    ("Case", "distribution"),
    ("Case", "affinity_days"),
    ("Case", "hand_back"),
    ("Demand", "relax_after_s"),
    ("Fault", "file"),
    ("HandBack", "absent_min"),
    ("HandBack", "unanswered_min"),
    ("LeaveOut", "older_than_days"),
    ("ManualStatus", "reason"),
    ("SkillRule", "when"),
    ("Sla", "close_min"),
    ("Sla", "first_reply_min"),
    ("Sla", "next_reply_min"),
    ("Team", "presence"),
    ("Workspace", "sla"),
];

/// Makes nullable fields of answers required, and pages refer to their rows by name.
pub(crate) fn complete(components: &mut Components) {
    let names: Vec<String> = components.schemas.keys().cloned().collect();
    for (name, schema) in &mut components.schemas {
        let RefOr::T(schema) = schema else { continue };
        if let Some(row) = name.strip_prefix("Page_").filter(|row| names.iter().any(|name| name == row)) {
            name_rows(schema, row);
        }
        if name != "ProblemDocument" {
            require(name, schema);
        }
    }
}

fn require(name: &str, schema: &mut Schema) {
    let parts = match schema {
        Schema::Object(object) => return require_nullable(name, object),
        Schema::AllOf(all) => &mut all.items,
        Schema::OneOf(one) => &mut one.items,
        _ => return,
    };
    for part in parts {
        if let RefOr::T(part) = part {
            require(name, part);
        }
    }
}

fn require_nullable(name: &str, object: &mut Object) {
    // Requests are told by refusing what they do not know.
    if matches!(object.additional_properties.as_deref(), Some(AdditionalProperties::FreeForm(false))) {
        return;
    }
    let missing: Vec<String> = object
        .properties
        .iter()
        .filter(|(key, property)| is_nullable(property) && !object.required.contains(key) && !LEFT_OUT.contains(&(name, key)))
        .map(|(key, _)| key.clone())
        .collect();
    object.required.extend(missing);
}

fn is_nullable(property: &RefOr<Schema>) -> bool {
    match property {
        RefOr::T(Schema::Object(object)) => match &object.schema_type {
            SchemaType::Array(types) => types.contains(&Type::Null),
            SchemaType::Type(Type::Null) => true,
            _ => false,
        },
        RefOr::T(Schema::Array(array)) => {
            matches!(&array.schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
        }
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(is_nullable),
        _ => false,
    }
}

fn name_rows(schema: &mut Schema, row: &str) {
    let Schema::Object(page) = schema else { return };
    if let Some(RefOr::T(Schema::Array(rows))) = page.properties.get_mut("rows") {
        rows.items = ArrayItems::RefOrSchema(Box::new(RefOr::Ref(Ref::from_schema_name(row))));
    }
}

#[cfg(test)]
mod tests {
    use super::LEFT_OUT;
    use crate::document::openapi;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use switchboard_model::{
        Candidate, Capacity, Case, Demand, Fault, HandBack, LeaveOut, ManualStatus, SkillRule, Sla, StatusOrigin, StatusValue,
        Target, Team, Timestamp, Workspace,
    };

    fn schemas() -> Value {
        serde_json::to_value(openapi()).expect("serialisable")["components"]["schemas"].clone()
    }

    #[test]
    fn answers_always_have_their_nullable_fields_and_requests_need_not() {
        let schemas = schemas();
        let requires =
            |name: &str, key: &str| schemas[name]["required"].as_array().is_some_and(|keys| keys.contains(&json!(key)));
        assert!(requires("ItemRow", "owner") && requires("Page_ItemRow", "next") && requires("MessageView", "html"));
        assert!(!requires("MessageWish", "html") && !requires("ProblemDocument", "line"));
        assert_eq!(schemas["Page_ItemRow"]["properties"]["rows"]["items"]["$ref"], "#/components/schemas/ItemRow");
    }

    #[test]
    fn what_is_said_to_be_left_out_is() {
        let status = ManualStatus { value: StatusValue::Away, reason: None, set_at: Timestamp(0), origin: StatusOrigin::ByHand };
        let workspace = json!({"id": 1, "slug": "a", "name": "A", "kind": "inbox", "access": {"kind": "everyone"}, "seats": [],
            "close_together": true, "reassign_limited": false});
        let wanted = json!({"kind": "skill", "skill": 1, "min_level": 1});
        let candidate = json!({"user": 1, "team": null, "load": 0, "open": 0, "limit": null, "last_assigned": null, "rank": null,
            "verdict": {"kind": "eligible"}});
        let written = [
            ("Candidate", again::<Candidate>(candidate)),
            ("Capacity", serde_json::to_value(Capacity::default())),
            ("Case", serde_json::to_value(Case::new(Target::Nobody))),
            ("Demand", again::<Demand>(json!({"wanted": wanted, "required": true}))),
            ("Fault", serde_json::to_value(Fault::new("key", "message"))),
            ("HandBack", serde_json::to_value(HandBack::default())),
            ("LeaveOut", serde_json::to_value(LeaveOut::default())),
            ("ManualStatus", serde_json::to_value(status)),
            ("SkillRule", again::<SkillRule>(json!({"demands": []}))),
            ("Sla", again::<Sla>(json!({}))),
            ("Team", again::<Team>(json!({"id": 1, "slug": "a", "name": "A", "parent": null}))),
            ("Workspace", again::<Workspace>(workspace)),
        ]
        .map(|(name, value)| (name, value.expect("serialisable")));
        for (name, key) in LEFT_OUT {
            let (_, value) = written.iter().find(|(written, _)| *written == name).expect("an example of it");
            assert!(value.get(key).is_none(), "{name}.{key}");
        }
    }

    /// A value as it is written after it was read.
    fn again<T: Serialize + DeserializeOwned>(value: Value) -> Result<Value, serde_json::Error> {
        serde_json::to_value(serde_json::from_value::<T>(value)?)
    }
}
