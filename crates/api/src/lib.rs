//! HTTP for the desk and for programs: sign-in, permissions, the REST routes, live events, OpenAPI, health, metrics.
//!
//! A request passes telemetry, security headers, and below `/api/v1` the [`gate`], which knows every route from the
//! table in [`permissions`]. Handlers take values out, call one use case of the engine, and show the answer.

mod docs;
mod document;
mod events;
mod extract;
mod gate;
mod headers;
mod health;
mod idempotency;
mod limits;
mod options;
mod origin;
mod permissions;
mod problem;
mod routes;
mod session;
mod shapes;
mod state;
mod telemetry;
mod views;
mod wording;

pub use document::openapi;
pub use options::{ApiOptions, BodyLimits, Metrics, RateLimits, Translate};

use crate::headers::{Https, secure};
use crate::problem::{Problem, ProblemCode};
use crate::state::Api;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::any;
use std::time::Duration;
use switchboard_engine::{Engine, Explained, WaitingAnswer, WhyNotAnswer};
use switchboard_model::{Timestamp, UserId};
use tower_http::timeout::RequestBodyTimeoutLayer;
use utoipa_axum::router::OpenApiRouter;

/// How long a client may pause in the middle of a body.
const BODY_PAUSE: Duration = Duration::from_secs(30);

/// The routes of a host: `/api/...`, `/healthz`, `/readyz` and, unless switched off, `/metrics`.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or all clients count as one for the rate
/// limits. It has no fallback of its own outside `/api`, so that it can be merged with other routers.
pub fn router(engine: Engine, options: ApiOptions) -> Router {
    let api = Api::new(engine, options);
    let (v1, _) = OpenApiRouter::new().merge(routes::all()).split_for_parts();
    let v1 = v1.layer(from_fn_with_state(api.clone(), gate::gate));
    let https = Https(api.is_https());
    let all = Router::new()
        .nest("/api/v1", v1)
        .merge(docs::routes())
        .merge(health::routes())
        .route("/api/{*rest}", any(nothing_here))
        .with_state(api)
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(from_fn_with_state(https, secure));
    telemetry::layered(all)
}

/// `/metrics` alone, for a listener of its own.
pub fn metrics_router(engine: Engine, options: ApiOptions) -> Router {
    let api = Api::new(engine, options);
    telemetry::layered(health::metrics_routes().with_state(api).layer(from_fn_with_state(Https(false), secure)))
}

/// A decision in plain words of a language, one fact a line: what the desk shows, for the command line.
#[must_use]
pub fn describe(translate: &Translate, language: &str, explained: &Explained) -> String {
    let names = views::Names::from(explained.names.clone());
    wording::Wording::new(translate, language, &names).lines(&explained.decision, explained.explanation.as_ref())
}

/// Why an item waits or has no owner and what would change that, in plain words of a language; `None` for an item that
/// has an owner, is not open, or that no rule routes.
#[must_use]
pub fn describe_waiting(translate: &Translate, language: &str, answer: Option<&WaitingAnswer>, now: Timestamp) -> String {
    let names = views::Names::from(answer.map(|answer| answer.names.clone()).unwrap_or_default());
    let remedies = answer.map(|answer| answer.remedies.as_slice()).unwrap_or_default();
    wording::Wording::new(translate, language, &names).waiting(answer.map(|answer| &answer.why), remedies, now)
}

/// Why a user does not have an item, in plain words of a language; `None` for an item that no rule routes.
#[must_use]
pub fn describe_why_not(
    translate: &Translate,
    language: &str,
    user: UserId,
    answer: Option<&WhyNotAnswer>,
    now: Timestamp,
) -> String {
    let names = views::Names::from(answer.map(|answer| answer.names.clone()).unwrap_or_default());
    wording::Wording::new(translate, language, &names).why_not(user, answer.map(|answer| &answer.answer), now)
}

async fn nothing_here() -> Problem {
    Problem::new(ProblemCode::NotFound, "There is nothing under this address.")
}
