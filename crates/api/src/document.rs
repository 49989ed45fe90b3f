//! The OpenAPI document: generated from the routes, completed from the table of permissions.

use crate::permissions::{Access, route};
use crate::problem::ProblemDocument;
use crate::routes;
use crate::shapes;
use http::Method;
use switchboard_model::{FactField, ItemSort, View};
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

/// The OpenAPI document of everything below `/api/v1`.
#[must_use]
pub fn openapi() -> OpenApi {
    let (_, mut document) = OpenApiRouter::with_openapi(Head::openapi()).nest("/api/v1", routes::all()).split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::PUT, &mut item.put),
            (Method::DELETE, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(&method, path, operation);
            }
        }
    }
    let components = document.components.get_or_insert_with(Components::new);
    components
        .add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::session::SESSION_COOKIE))));
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    shapes::complete(components);
    document
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Switchboard",
        version = "1",
        description = "Customer conversations, who gets them, and why. Times are integers: milliseconds since \
            1970-01-01T00:00:00Z. Failures are problem documents (RFC 9457) with a stable `code`. Lists are paged by an \
            opaque cursor. Changes carry the `version` that they were decided on and answer 409 with the `current` row \
            when it is no longer that. A POST with an `Idempotency-Key` may be repeated without happening twice."
    ),
    components(schemas(ProblemDocument, FactField, ItemSort, View))
)]
struct Head;

/// Gives an operation its unique id, the answer to failures, and what it asks of the caller.
fn complete(method: &Method, path: &str, operation: &mut Operation) {
    operation.operation_id = Some(operation_id(method, path));
    let failure = ResponseBuilder::new()
        .description("A problem document.")
        .content("application/problem+json", ContentBuilder::new().schema(Some(Ref::from_schema_name("ProblemDocument"))).build())
        .build();
    operation.responses.responses.insert("default".to_owned(), failure.into());
    let Some(entry) = route(method, path) else { return };
    let none: [&str; 0] = [];
    let (session, token) = (SecurityRequirement::new("session", none), SecurityRequirement::new("token", none));
    let (security, needs) = match entry.access {
        Access::Public => (Vec::new(), "Open to everybody.".to_owned()),
        Access::Person => (vec![session], "Needs a signed-in person.".to_owned()),
        Access::May(action) => {
            let needs = format!("Needs the permission `{}`, from role `{}` on.", action.as_str(), action.least_role());
            (vec![session, token], needs)
        }
    };
    operation.security = Some(security);
    operation.description = Some(match operation.description.take() {
        Some(text) if !text.trim().is_empty() => format!("{}\n\n{needs}", text.trim()),
        _ => needs,
    });
}

/// A name from method and path, such as `put_items_id_owner`.
fn operation_id(method: &Method, path: &str) -> String {
    let words = path.trim_start_matches("/api/v1").split('/').filter(|word| !word.is_empty());
    words.fold(method.as_str().to_ascii_lowercase(), |id, word| format!("{id}_{}", word.trim_matches(['{', '}'])))
}

#[cfg(test)]
mod tests {
    use super::openapi;
    use crate::permissions::{ROUTES, canonical, route};
    use http::Method;
    use std::collections::BTreeSet;

    fn operations() -> Vec<(Method, String, String)> {
        let document = serde_json::to_value(openapi()).expect("serialisable");
        let paths = document["paths"].as_object().expect("paths").clone();
        let mut found = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().expect("an item") {
                let method: Method = method.to_uppercase().parse().expect("a method");
                found.push((method, path.clone(), operation["operationId"].as_str().expect("an id").to_owned()));
            }
        }
        found
    }

    #[test]
    fn every_route_is_in_the_table_of_permissions_and_the_reverse() {
        let registered: BTreeSet<(String, String)> =
            operations().iter().map(|(method, path, _)| (method.to_string(), canonical(path))).collect();
        let listed: BTreeSet<(String, String)> =
            ROUTES.iter().map(|entry| (entry.method.to_string(), entry.path.to_owned())).collect();
        assert_eq!(registered, listed);
        assert!(operations().iter().all(|(method, path, _)| route(method, path).is_some()));
    }

    #[test]
    fn operation_ids_are_unique() {
        let operations = operations();
        let ids: BTreeSet<&str> = operations.iter().map(|(_, _, id)| id.as_str()).collect();
        assert_eq!(ids.len(), operations.len());
    }

    #[test]
    fn the_committed_document_is_the_generated_one() {
        let generated = openapi().to_pretty_json().expect("serialisable") + "\n";
        let committed = include_str!("../openapi.json");
        assert!(
            generated == committed,
            "crates/api/openapi.json is out of date; run `cargo run -p switchboard-api --example openapi`, look at the \
             difference and commit it"
        );
    }
}
