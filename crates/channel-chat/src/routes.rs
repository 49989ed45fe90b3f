//! The HTTP paths of a chat, below `/channels/{slug}`: the socket and what stands in for it, and files.

mod plain;
mod transfer;

use crate::config::Config;
use crate::door::{Admission, Door, Full};
use crate::files::Uploads;
use crate::hub::Hub;
use crate::limits::{client, is_blocked, is_own_origin};
use crate::socket::{Socket, handshake};
use crate::visit;
use crate::wire::Wire;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::Context;

/// The router of one chat.
pub(crate) fn router(config: &Arc<Config>, context: &Context, hub: &Arc<Hub>, uploads: &Arc<Uploads>) -> Router {
    let door = Arc::new(Door::new(config, context, hub, uploads));
    Router::new()
        .route("/socket", any(socket))
        .route("/stream", post(plain::streamed))
        .route("/poll", post(plain::polled))
        .route("/frames", post(plain::frame))
        .route("/files", post(transfer::upload))
        .route("/files/{conversation}/{message}/{place}", get(transfer::download))
        .route_layer(from_fn_with_state(Arc::clone(&door), unless_blocked))
        .with_state(door)
}

/// Goes on, unless nobody gets in from there.
async fn unless_blocked(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    if is_blocked(&door.config, peer, request.headers()) {
        door.count("switchboard_chat_turned_away_total", "blocked");
        return Problem::new(StatusCode::FORBIDDEN, "blocked", "nobody gets in from this address").into_response();
    }
    next.run(request).await
}

async fn socket(State(door): State<Arc<Door>>, mut request: Request) -> Response {
    if !is_own_origin(request.headers()) {
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", "the socket is for our own pages").into_response();
    }
    let answer = match handshake(request.method(), request.headers()) {
        Ok(answer) => answer,
        Err(detail) => return Problem::new(StatusCode::BAD_REQUEST, "no_handshake", detail).into_response(),
    }
    .into_response();
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Problem::new(StatusCode::BAD_REQUEST, "no_upgrade", "this connection cannot be upgraded").into_response();
    };
    let (head, _) = request.into_parts();
    let address = address_of(&door, &head);
    let admission = match admitted(&door, address) {
        Ok(admission) => admission,
        Err(problem) => return problem.into_response(),
    };
    let runtime = door.context.runtime.clone();
    let write_timeout = Duration::from_secs(door.config.limits.write_timeout_seconds);
    runtime.spawn(async move {
        if let Some(socket) = Socket::open(upgrade, door.config.limits.frame_bytes, write_timeout).await {
            visit::run(door, address, Wire::Socket(socket)).await;
        }
        drop(admission);
    });
    answer
}

/// A place for a connection, or what to answer without one.
fn admitted(door: &Door, address: IpAddr) -> Result<Admission, Problem> {
    match door.admit(address) {
        Ok(admission) if !door.context.runtime.shutdown.is_cancelled() => Ok(admission),
        Err(Full::Address { retry_after_s }) => {
            door.count("switchboard_chat_turned_away_total", "address");
            let detail = "too many connections of this address";
            Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).after(retry_after_s))
        }
        Ok(_) | Err(Full::House) => {
            door.count("switchboard_chat_turned_away_total", "full");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "there is no place now").after(30))
        }
    }
}

fn address_of(door: &Door, head: &Parts) -> IpAddr {
    let peer = head.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    client(&door.config, peer, &head.headers)
}

/// An error, sent as a problem document (RFC 9457).
#[derive(Clone, Copy, Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    retry_after_s: Option<u64>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, detail, retry_after_s: None }
    }

    const fn after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, retry_after_s } = self;
        let title = status.canonical_reason().unwrap_or_default();
        let body = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "code": code, "detail": detail});
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body.to_string()).into_response();
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
