//! `POST /stream`, `/poll` and `/frames`: a connection over plain HTTP.

use super::{Problem, address_of, admitted};
use crate::door::Door;
use crate::limits::is_own_origin;
use crate::relay::{Far, Opened, Outgoing};
use crate::socket::{Bad, Incoming};
use crate::visit;
use crate::wire::Wire;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A long answer says something this often, so that nothing in between takes it for dead.
const BEAT: Duration = Duration::from_secs(15);
/// A poll waits this long. Proxies give up on what takes longer than half a minute.
const POLL: Duration = Duration::from_secs(25);
/// What is sent within this time goes into one answer, up to so many bytes.
const GATHER: Duration = Duration::from_millis(20);
const MOST_GATHERED_BYTES: usize = 256 * 1_024;
/// How long a frame waits for those before it.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);

/// `POST /stream` with `hello`: everything for the client, as events.
pub(super) async fn streamed(State(door): State<Arc<Door>>, request: Request) -> Response {
    let opened = match entered(&door, request).await {
        Ok((head, text)) => begin(&door, &head, text, false),
        Err(problem) => Err(problem),
    };
    let (secret, outgoing) = match opened {
        Ok((secret, _, Some(outgoing))) => (secret, outgoing),
        Ok(_) => return unavailable().into_response(),
        Err(problem) => return problem.into_response(),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(events(link(&secret), outgoing))).into_response()
}

fn events(first: String, outgoing: Outgoing) -> impl Stream<Item = Result<String, Infallible>> {
    let rest = stream::unfold(outgoing, |mut outgoing| async move {
        match timeout(BEAT, outgoing.recv()).await {
            Ok(None) => None,
            Ok(Some(frame)) => Some((format!("data: {frame}\n\n"), outgoing)),
            Err(_) => Some((":\n\n".to_owned(), outgoing)),
        }
    });
    stream::iter([format!("data: {first}\n\n")]).chain(rest).map(Ok)
}

/// `POST /poll` with `hello`, and then with the link: what there is for the client, at the latest after 25 s.
pub(super) async fn polled(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (head, text) = match entered(&door, request).await {
        Ok(entered) => entered,
        Err(problem) => return problem.into_response(),
    };
    let begun = match bearer(&head) {
        Some(secret) => door.links.find(secret).map(|far| (None, far)).ok_or_else(unknown),
        None => begin(&door, &head, text, true).map(|(secret, far, _)| (Some(link(&secret)), far)),
    };
    let (first, far) = match begun {
        Ok(begun) => begun,
        Err(problem) => return problem.into_response(),
    };
    // A full queue is a sign of life by itself.
    let _ = far.incoming.try_send(Incoming::Alive);
    let Some(Ok(mut outgoing)) = far.outgoing.as_ref().map(|outgoing| outgoing.try_lock()) else {
        return Problem::new(StatusCode::CONFLICT, "busy", "another poll of this link waits").into_response();
    };
    let mut frames: Vec<String> = first.into_iter().collect();
    match timeout(POLL, outgoing.recv()).await {
        Ok(Some(frame)) => gather(&mut frames, frame, &mut outgoing).await,
        Ok(None) if frames.is_empty() => return unknown().into_response(),
        Ok(None) | Err(_) => {}
    }
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (headers, format!("[{}]", frames.join(","))).into_response()
}

async fn gather(frames: &mut Vec<String>, frame: String, outgoing: &mut Outgoing) {
    let mut bytes = frame.len();
    frames.push(frame);
    sleep(GATHER).await;
    while bytes < MOST_GATHERED_BYTES
        && let Ok(frame) = outgoing.try_recv()
    {
        bytes += frame.len();
        frames.push(frame);
    }
}

/// `POST /frames` with the link: one frame of the client, or nothing when it leaves.
pub(super) async fn frame(State(door): State<Arc<Door>>, request: Request) -> Response {
    taken(&door, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn taken(door: &Door, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    own_origin(&head)?;
    let far = bearer(&head).and_then(|secret| door.links.find(secret)).ok_or_else(unknown)?;
    let (incoming, answer) = match read(door, body).await {
        // A page that is left says so; nobody else would notice that nobody polls any more.
        Ok(text) if text.is_empty() => (Incoming::Gone, Ok(StatusCode::NO_CONTENT.into_response())),
        Ok(text) => (Incoming::Text(text), Ok(StatusCode::NO_CONTENT.into_response())),
        // What ends a socket ends a link.
        Err(Unread::Bad(bad, problem)) => (Incoming::Bad(bad), Err(problem)),
        Err(Unread::Broken(problem)) => return Err(problem),
    };
    match timeout(TAKEN_WITHIN, far.incoming.send(incoming)).await {
        Ok(Ok(())) => answer,
        Ok(Err(_)) => Err(unknown()),
        Err(_) => Err(unavailable()),
    }
}

/// A connection begins with its first frame.
fn begin(door: &Arc<Door>, head: &Parts, hello: Utf8Bytes, is_polled: bool) -> Result<(String, Far, Option<Outgoing>), Problem> {
    let address = address_of(door, head);
    let admission = admitted(door, address)?;
    let write_timeout = Duration::from_secs(door.config.limits.write_timeout_seconds);
    let Opened { relay, far, secret, outgoing } = door.links.open(is_polled, write_timeout);
    far.incoming.try_send(Incoming::Text(hello)).map_err(|_| unavailable())?;
    let of_visit = Arc::clone(door);
    door.context.runtime.spawn(async move {
        visit::run(of_visit, address, Wire::Relay(relay)).await;
        drop(admission);
    });
    Ok((secret, far, outgoing))
}

fn link(secret: &str) -> String {
    json!({"type": "link", "link": secret}).to_string()
}

async fn entered(door: &Door, request: Request) -> Result<(Parts, Utf8Bytes), Problem> {
    let (head, body) = request.into_parts();
    own_origin(&head)?;
    match read(door, body).await {
        Ok(text) => Ok((head, text)),
        Err(Unread::Bad(_, problem) | Unread::Broken(problem)) => Err(problem),
    }
}

/// Why a body is no frame.
enum Unread {
    Bad(Bad, Problem),
    Broken(Problem),
}

async fn read(door: &Door, body: Body) -> Result<Utf8Bytes, Unread> {
    let limits = &door.config.limits;
    let most = limits.frame_bytes;
    let all = async {
        let (mut body, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(chunk) = body.next().await {
            let broken = Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off");
            let chunk = chunk.map_err(|_| Unread::Broken(broken))?;
            if bytes.len() + chunk.len() > most {
                let detail = "the frame is larger than settings.frame_bytes";
                return Err(Unread::Bad(Bad::TooLarge, Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)));
            }
            bytes.extend_from_slice(&chunk);
        }
        let garbled = Problem::new(StatusCode::BAD_REQUEST, "malformed", "a frame is UTF-8");
        let text = String::from_utf8(bytes).map_err(|_| Unread::Bad(Bad::NotUtf8, garbled))?;
        Ok(text.into())
    };
    let late = Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the frame did not arrive in time");
    timeout(Duration::from_secs(limits.hello_timeout_seconds), all).await.unwrap_or(Err(Unread::Broken(late)))
}

fn own_origin(head: &Parts) -> Result<(), Problem> {
    let is_own = is_own_origin(&head.headers);
    is_own.then_some(()).ok_or_else(|| Problem::new(StatusCode::FORBIDDEN, "forbidden", "the chat is for our own pages"))
}

fn bearer(head: &Parts) -> Option<&str> {
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    authorization.and_then(|value| value.strip_prefix("Bearer "))
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_link", "the link has ended; say hello again")
}

fn unavailable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the frame cannot be taken now").after(2)
}
