//! `Idempotency-Key`: the same POST twice is the same as once.
//!
//! The key belongs to the caller and the address. The first request with it runs to its end even if its client
//! leaves, and its answer is stored; a later one with the same body gets that answer, one with another body is
//! refused with 422, and one that comes while the first still runs is asked to come again.

use crate::extract::body_problem;
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use switchboard_model::Actor;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const ITEM_VERSION: HeaderName = HeaderName::from_static("x-item-version");

const MAX_KEY_BYTES: usize = 200;

/// The longest answer that is stored.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// What is stored of an answer instead of its body, because the body holds a secret.
#[derive(Clone, Debug)]
pub(crate) struct StoredInstead(pub(crate) String);

#[derive(Serialize, Deserialize)]
struct Answer {
    content_type: Option<String>,
    item_version: Option<String>,
    body: String,
}

struct Claim {
    scope: String,
    key: String,
    fingerprint: String,
}

/// Runs the handler with the body limited, under the key when there is one.
pub(crate) async fn answer(api: &Api, request: Request, limit_bytes: usize, next: Next) -> Response {
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    let actor = request.extensions().get::<Requester>().map(|requester| requester.caller.actor.clone());
    match (key, actor) {
        (Some(key), Some(actor)) if request.method() == Method::POST => {
            run_once(api, request, limit_bytes, next, &key, &actor).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => run(request, limit_bytes, next).await,
    }
}

async fn run(mut request: Request, limit_bytes: usize, next: Next) -> Response {
    DefaultBodyLimit::max(limit_bytes).apply(&mut request);
    next.run(request).await
}

async fn run_once(
    api: &Api,
    request: Request,
    limit_bytes: usize,
    next: Next,
    key: &HeaderValue,
    actor: &Actor,
) -> Result<Response, Problem> {
    let (scope, key) = (scope_of(actor, request.uri().path()), readable(key)?);
    let (request, body) = buffered(request, limit_bytes).await?;
    let claim = Claim { scope, key, fingerprint: fingerprint(request.uri().query(), &body) };
    if let Some((status, stored)) = api.engine.idempotent_begin(&claim.scope, &claim.key, &claim.fingerprint).await? {
        return replay(status, &stored);
    }
    // The task ends also when the client leaves, so that the key is never left half used.
    let api = api.clone();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    api.options.tasks.clone().spawn(async move {
        let response = remember(&api, &claim, run(request, limit_bytes, next).await).await;
        let _ = sender.send(response);
    });
    receiver.await.map_err(|_| Problem::internal())
}

/// Stores the answer under the key, or frees the key when trying again may help.
async fn remember(api: &Api, claim: &Claim, response: Response) -> Response {
    let (response, stored) = storable(response).await;
    let Claim { scope, key, fingerprint } = claim;
    if let Err(error) = api.engine.idempotent_end(scope, key, fingerprint, stored).await {
        tracing::warn!(error = %error, "the answer to a request with an idempotency key could not be stored");
    }
    response
}

async fn storable(response: Response) -> (Response, Option<(u16, String)>) {
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_ANSWER_BYTES).await else {
        tracing::warn!("an answer was too long to be stored under its idempotency key");
        return (Problem::internal().into_response(), None);
    };
    let instead = parts.extensions.get::<StoredInstead>().map(|StoredInstead(text)| text.clone());
    let header = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(String::from);
    let answer = Answer {
        content_type: header(CONTENT_TYPE),
        item_version: header(ITEM_VERSION),
        body: instead.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned()),
    };
    let stored = serde_json::to_string(&answer).ok().map(|text| (status.as_u16(), text));
    (Response::from_parts(parts, Body::from(bytes)), stored)
}

fn replay(status: u16, stored: &str) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
    let Answer { content_type, item_version, body } = serde_json::from_str(stored).map_err(|_| Problem::internal())?;
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    for (name, value) in [(CONTENT_TYPE, content_type), (ITEM_VERSION, item_version)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// The body in memory, for its fingerprint, and the request as it was.
async fn buffered(request: Request, limit_bytes: usize) -> Result<(Request, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let mut reading = Request::new(body);
    DefaultBodyLimit::max(limit_bytes).apply(&mut reading);
    let body = Bytes::from_request(reading, &()).await.map_err(|rejection| body_problem(&rejection))?;
    Ok((Request::from_parts(parts, Body::from(body.clone())), body))
}

fn readable(key: &HeaderValue) -> Result<String, Problem> {
    let text = key.to_str().unwrap_or_default().trim();
    if text.is_empty() || text.len() > MAX_KEY_BYTES {
        return Err(Problem::invalid_value("Idempotency-Key", format!("is 1 to {MAX_KEY_BYTES} printable ASCII characters")));
    }
    Ok(text.to_owned())
}

fn scope_of(actor: &Actor, path: &str) -> String {
    let who = match actor {
        Actor::User { id } => format!("user:{id}"),
        Actor::Api { token } => format!("token:{token}"),
        _ => String::from("system"),
    };
    format!("{who} POST {path}")
}

fn fingerprint(query: Option<&str>, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(query.unwrap_or_default().as_bytes());
    hash.update([0]);
    hash.update(body);
    hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{StoredInstead, fingerprint, readable, replay, scope_of, storable};
    use crate::problem::{Problem, ProblemCode};
    use axum::Json;
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use http::HeaderValue;
    use serde_json::json;
    use switchboard_model::{Actor, TokenId, UserId};

    #[test]
    fn keys_of_different_callers_and_addresses_are_different() {
        let user = Actor::User { id: UserId(7) };
        let token = Actor::Api { token: TokenId(7) };
        assert_ne!(scope_of(&user, "/api/v1/items/1/messages"), scope_of(&token, "/api/v1/items/1/messages"));
        assert_ne!(scope_of(&user, "/api/v1/items/1/messages"), scope_of(&user, "/api/v1/items/2/messages"));
    }

    #[test]
    fn the_fingerprint_tells_query_and_body_apart() {
        assert_ne!(fingerprint(Some("a"), b""), fingerprint(None, b"a"));
        assert_eq!(fingerprint(None, b"a"), fingerprint(Some(""), b"a"));
    }

    #[test]
    fn a_key_is_short_and_not_empty() {
        assert_eq!(readable(&HeaderValue::from_static(" k-1 ")).expect("a key"), "k-1");
        assert!(readable(&HeaderValue::from_static("")).is_err());
        assert!(readable(&HeaderValue::from_str(&"x".repeat(201)).expect("a value")).is_err());
    }

    #[tokio::test]
    async fn an_answer_comes_back_as_it_was() {
        let mut first = (http::StatusCode::CREATED, Json(json!({"id": 9}))).into_response();
        first.headers_mut().insert("x-item-version", HeaderValue::from_static("4"));
        let (_, stored) = storable(first).await;
        let (status, text) = stored.expect("worth storing");
        let again = replay(status, &text).expect("readable");
        assert_eq!(again.status(), 201);
        assert_eq!(again.headers()["content-type"], "application/json");
        assert_eq!(again.headers()["x-item-version"], "4");
        assert_eq!(again.headers()["idempotency-replayed"], "true");
        assert_eq!(to_bytes(again.into_body(), 100).await.expect("a body"), "{\"id\":9}");
    }

    #[tokio::test]
    async fn failures_that_may_pass_free_the_key() {
        for code in [ProblemCode::Unavailable, ProblemCode::Internal, ProblemCode::RateLimited] {
            assert!(storable(Problem::new(code, "later").into_response()).await.1.is_none(), "{code:?}");
        }
        assert!(storable(Problem::new(ProblemCode::Conflict, "decide again").into_response()).await.1.is_some());
    }

    #[tokio::test]
    async fn secrets_are_not_stored() {
        let mut response = Json(json!({"token": "sb_secret"})).into_response();
        response.extensions_mut().insert(StoredInstead("{\"token\":null}".to_owned()));
        let (response, stored) = storable(response).await;
        assert!(!stored.expect("worth storing").1.contains("sb_secret"));
        assert!(to_bytes(response.into_body(), 100).await.expect("a body").starts_with(b"{\"token\":\"sb_"));
    }
}
