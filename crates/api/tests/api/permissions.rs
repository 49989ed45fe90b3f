//! Every route against every role and scope. The table here is written from the contract, not from the code.

use crate::house::{Client, House};
use axum::body::Body;
use http::{Method, StatusCode};
use std::collections::BTreeSet;
use switchboard_engine::Scope;

/// Who may, besides whoever stands further right: `anyone < person` and `viewer < agent < lead < admin`.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/session", "anyone"),
    ("DELETE", "/session", "anyone"),
    ("GET", "/sessions", "person"),
    ("DELETE", "/sessions/{id}", "person"),
    ("GET", "/me", "person"),
    ("PUT", "/me/password", "person"),
    ("PUT", "/me/language", "person"),
    ("PUT", "/me/undo-send", "person"),
    ("GET", "/items", "viewer"),
    ("GET", "/items/{id}", "viewer"),
    ("GET", "/items/{id}/messages", "viewer"),
    ("POST", "/items/{id}/messages", "agent"),
    ("PUT", "/items/{id}/owner", "agent"),
    ("GET", "/items/{id}/assignable", "agent"),
    ("POST", "/items/{id}/return", "agent"),
    ("POST", "/items/{id}/move", "agent"),
    ("POST", "/items/{id}/merge", "agent"),
    ("POST", "/items/{id}/route", "lead"),
    ("PUT", "/items/{id}/status", "agent"),
    ("PUT", "/items/{id}/priority", "agent"),
    ("GET", "/items/{id}/decisions", "viewer"),
    ("GET", "/items/{id}/waiting", "viewer"),
    ("GET", "/items/{id}/presence", "viewer"),
    ("PUT", "/items/{id}/presence", "viewer"),
    ("POST", "/items/{id}/transcript", "agent"),
    ("GET", "/items/{id}/why-not/{user}", "viewer"),
    ("GET", "/decisions/{id}/explanation", "viewer"),
    ("GET", "/messages/{id}/raw", "viewer"),
    ("POST", "/messages/{id}/retry", "agent"),
    ("POST", "/messages/{id}/recall", "agent"),
    ("GET", "/attachments/{id}", "viewer"),
    ("GET", "/search", "viewer"),
    ("GET", "/contacts/{id}", "viewer"),
    ("PUT", "/contacts/{id}/owner", "agent"),
    ("GET", "/users", "viewer"),
    ("PUT", "/users/{id}/availability", "agent"),
    ("GET", "/users/{id}/statuses", "viewer"),
    ("POST", "/users/{id}/deactivate", "admin"),
    ("GET", "/teams", "viewer"),
    ("GET", "/workspaces", "viewer"),
    ("GET", "/channels", "viewer"),
    ("GET", "/channels/{slug}/rule", "viewer"),
    ("PUT", "/channels/{slug}/rule", "lead"),
    ("GET", "/directory", "admin"),
    ("PUT", "/directory", "admin"),
    ("GET", "/tokens", "admin"),
    ("POST", "/tokens", "admin"),
    ("DELETE", "/tokens/{id}", "admin"),
    ("GET", "/audit", "admin"),
    ("GET", "/events", "viewer"),
];

const ROLES: [&str; 4] = ["viewer", "agent", "lead", "admin"];

/// The routes with those of conversations and tickets, which are the same as of items.
fn expected() -> Vec<(Method, String, &'static str)> {
    let mut all = Vec::new();
    for (method, path, least) in ROUTES {
        let method: Method = method.parse().expect("a method");
        if let Some(rest) = path.strip_prefix("/items") {
            all.push((method.clone(), format!("/conversations{rest}"), *least));
            all.push((method.clone(), format!("/tickets{rest}"), *least));
        }
        all.push((method, (*path).to_owned(), *least));
    }
    all
}

fn may(who: &str, least: &str) -> bool {
    let rank = |role: &str| ROLES.iter().position(|known| *known == role);
    match least {
        "anyone" => true,
        "person" => ["viewer", "agent", "lead", "admin"].contains(&who),
        least => {
            let role = match who {
                "token read" => "viewer",
                "token write" => "lead",
                "token admin" => "admin",
                who => who,
            };
            rank(role).is_some_and(|rank_of_who| Some(rank_of_who) >= rank(least))
        }
    }
}

/// The status of a request with an empty body about things that do not exist, so that nothing changes.
async fn ask(client: &Client, method: &Method, path: &str) -> StatusCode {
    let path = path.replace("{id}", "999999999").replace("{slug}", "nowhere");
    let is_unsafe = *method != Method::GET;
    let body = if is_unsafe { Body::from("{}") } else { Body::empty() };
    let headers: &[(&str, &str)] = if is_unsafe { &[("content-type", "application/json")] } else { &[] };
    client.open(method.clone(), &path, body, headers).await.status()
}

#[tokio::test]
async fn each_route_opens_for_exactly_the_roles_of_the_contract() {
    let house = House::new().await;
    let mut clients = vec![("nobody", house.stranger())];
    for (role, name) in [("viewer", "vera"), ("agent", "ada"), ("lead", "liv"), ("admin", "root")] {
        clients.push((role, house.sign_in(name).await));
    }
    for (name, scope) in [("token read", Scope::Read), ("token write", Scope::Write), ("token admin", Scope::Admin)] {
        clients.push((name, house.program(scope).await));
    }
    let mut wrong = Vec::new();
    for (method, path, least) in expected() {
        for (who, client) in &clients {
            // Signing out ends the session that the other routes need.
            if path == "/session" && method == Method::DELETE {
                continue;
            }
            let status = ask(client, &method, &path).await;
            let refused = if *who == "nobody" { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
            let right = if may(who, least) {
                status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN && !status.is_server_error()
            } else {
                status == refused
            };
            if !right {
                wrong.push(format!("{method} {path} as {who}: {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    house.close().await;
}

#[test]
fn the_contract_and_the_document_name_the_same_routes() {
    let document = serde_json::to_value(switchboard_api::openapi()).expect("serialisable");
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("an item").keys() {
            documented.insert(format!("{} {}", method.to_uppercase(), path.trim_start_matches("/api/v1")));
        }
    }
    let expected: BTreeSet<String> = expected().iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(documented, expected);
}
