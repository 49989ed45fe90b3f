//! `/healthz`, `/readyz` and `/metrics`, for whatever watches over the host.

use crate::options::Metrics;
use crate::problem::{Problem, ProblemCode};
use crate::session::bearer_token;
use crate::state::Api;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use switchboard_engine::Statistics;

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).merge(metrics_routes())
}

/// `/metrics` alone, for a listener of its own.
pub(crate) fn metrics_routes() -> Router<Api> {
    Router::new().route("/metrics", get(metrics))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// The database takes writes and the channels have started.
async fn ready(State(api): State<Api>) -> Result<Response, Problem> {
    if api.options.shutdown.is_cancelled() {
        return Err(Problem::new(ProblemCode::Unavailable, "This host is stopping.").retry_after_s(5));
    }
    api.engine.ready().await?;
    Ok(Json(json!({"ready": true})).into_response())
}

async fn metrics(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    let handle = match &api.options.metrics {
        Metrics::Off => return Err(Problem::new(ProblemCode::NotFound, "Metrics are switched off.")),
        Metrics::Open(handle) => handle,
        Metrics::Token(handle, expected) => {
            if !bearer_token(&headers).is_some_and(|sent| is_same(&sent, expected)) {
                return Err(Problem::new(ProblemCode::Unauthenticated, "Send the metrics token as `Authorization: Bearer`."));
            }
            handle
        }
    };
    let mut text = handle.render();
    match api.engine.statistics().await {
        Ok(statistics) => text.push_str(&gauges(&statistics)),
        // What is counted in memory is worth most when the database is gone.
        Err(error) => tracing::warn!(error = %error, "the metrics page lacks the numbers of the database"),
    }
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Compares hashes, whose bytes tell nothing about the secret however the comparison stops.
fn is_same(one: &SecretString, other: &SecretString) -> bool {
    Sha256::digest(one.expose_secret()) == Sha256::digest(other.expose_secret())
}

fn gauges(statistics: &Statistics) -> String {
    let Statistics { open, unassigned, outbox, outbox_failed, unconsumed, parked, stranded, corrections, sweeps } = *statistics;
    let mut text = String::new();
    for (name, help, value) in [
        ("switchboard_items_open", "Open work items.", open),
        ("switchboard_items_unassigned", "Open work items without an owner.", unassigned),
        ("switchboard_outbox_waiting", "Messages waiting to be sent.", outbox),
        ("switchboard_outbox_failed", "Messages that were given up.", outbox_failed),
        ("switchboard_inputs_unrouted", "Inputs not yet routed.", unconsumed),
        ("switchboard_inputs_parked", "Inputs put aside after a failure of the router.", parked),
        ("switchboard_stranded_items", "Open work items that the last sweep found stranded.", stranded),
        ("switchboard_router_corrections", "Times that a sweep found the router's memory wrong.", corrections),
        ("switchboard_sweeps", "Sweeps for stranded work since this host started.", sweeps),
    ] {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{gauges, is_same};
    use secrecy::SecretString;
    use switchboard_engine::Statistics;

    #[test]
    fn numbers_of_the_database_are_gauges() {
        let text = gauges(&Statistics { open: 5, unassigned: 2, ..Statistics::default() });
        assert!(text.contains("# TYPE switchboard_items_unassigned gauge\nswitchboard_items_unassigned 2\n"), "{text}");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn only_the_token_itself_is_the_same() {
        let token = SecretString::from("watch");
        assert!(is_same(&token, &SecretString::from("watch")));
        assert!(!is_same(&token, &SecretString::from("watch ")));
    }
}
