//! The HTTP side: API, desk and the channels' own paths on one listener.

use crate::config::Config;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use switchboard_api::{ApiOptions, Metrics, Translate};
use switchboard_engine::Engine;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The words of the desk's catalogues.
pub fn translate() -> Translate {
    Arc::new(switchboard_web::translate)
}

/// Everything that is served over HTTP.
pub fn router(
    config: &Config,
    engine: Engine,
    channels: Vec<(String, Router)>,
    metrics: PrometheusHandle,
    shutdown: &CancellationToken,
    tasks: &TaskTracker,
) -> Router {
    let metrics = match (&config.metrics.token, config.metrics.on) {
        (_, false) => Metrics::Off,
        (None, true) => Metrics::Open(metrics),
        (Some(token), true) => Metrics::Token(metrics, token.clone()),
    };
    let options = ApiOptions {
        public_url: config.server.public_url.clone(),
        company: config.server.company.clone(),
        trusted_proxies: config.server.trusted_proxies.clone(),
        metrics,
        shutdown: shutdown.clone(),
        tasks: tasks.clone(),
        translate: translate(),
        ..ApiOptions::default()
    };
    let widgets = config.channels.values().filter_map(|connected| connected.channel.widget()).collect();
    let mut router =
        switchboard_api::router(engine, options).merge(switchboard_web::router()).merge(switchboard_web::widget_router(widgets));
    for (slug, routes) in channels {
        let path = format!("/channels/{slug}");
        // A nested router answers at the bare path; people and forms write a slash at its end.
        router = router.nest(&path, routes.clone()).nest_service(&format!("{path}/"), routes);
    }
    router.fallback(not_found)
}

async fn not_found() -> Response {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "detail": "there is nothing at this address",
    });
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
