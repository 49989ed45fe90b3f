//! Request ids, structured logs and request metrics. Neither message text nor query values reach a log: routes
//! are named as they are registered.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, Method};
use std::any::Any;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::Span;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a response was an answer to, for logs and metrics.
#[derive(Clone)]
struct Label {
    method: &'static str,
    route: String,
}

/// Gives every request an id, logs and counts its answer, and turns a panic into a 500.
pub(crate) fn layered(router: Router) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(label))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(answered).on_failure(()))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(from_fn(without_foreign_id))
}

/// Ids are ours: one that a client made up could imitate another request in the log.
async fn without_foreign_id(mut request: Request, next: Next) -> Response {
    request.headers_mut().remove(REQUEST_ID);
    next.run(request).await
}

async fn label(request: Request, next: Next) -> Response {
    let label = Label { method: method_label(request.method()), route: route_label(&request) };
    let mut response = next.run(request).await;
    response.extensions_mut().insert(label);
    response
}

fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = method_label(request.method()), route = route_label(request))
}

fn answered(response: &Response, latency: Duration, _span: &Span) {
    let status = response.status().as_u16();
    let latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
    if response.status().is_server_error() {
        tracing::warn!(status, latency_us, "answered");
    } else {
        tracing::debug!(status, latency_us, "answered");
    }
    if let Some(Label { method, route }) = response.extensions().get::<Label>() {
        let labels = [("method", (*method).to_owned()), ("route", route.clone())];
        metrics::histogram!("switchboard_http_request_seconds", &labels).record(latency.as_secs_f64());
        let [method, route] = labels;
        metrics::counter!("switchboard_http_requests_total", &[method, route, ("status", status.to_string())]).increment(1);
    }
}

fn panicked(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string).or_else(|| payload.downcast_ref::<String>().cloned());
    // A panic says where an invariant broke; it is made of our own words.
    tracing::error!(panic = text.unwrap_or_default(), "a request handler panicked");
    crate::problem::Problem::internal().into_response()
}

fn route_label(request: &Request) -> String {
    request.extensions().get::<MatchedPath>().map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned())
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::layered;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use http::Request;
    use tower::ServiceExt;

    fn app() -> Router {
        layered(Router::new().route("/fine", get(|| async { "fine" })).route("/broken", get(broken)))
    }

    async fn broken() -> &'static str {
        panic!("an invariant broke")
    }

    #[tokio::test]
    async fn every_answer_carries_an_id_of_ours() {
        let request = Request::get("/fine").header("x-request-id", "forged").body(Body::empty()).expect("a request");
        let response = app().oneshot(request).await.expect("infallible");
        let id = response.headers()["x-request-id"].to_str().expect("text");
        assert_eq!(id.len(), 36, "{id}");
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_its_words() {
        let request = Request::get("/broken").body(Body::empty()).expect("a request");
        let response = app().oneshot(request).await.expect("infallible");
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert!(response.headers().contains_key("x-request-id"));
        let body = to_bytes(response.into_body(), 10_000).await.expect("a short body");
        assert!(!String::from_utf8_lossy(&body).contains("invariant"));
    }
}
