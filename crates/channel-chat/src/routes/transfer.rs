//! Files up and down.

use super::{Problem, address_of};
use crate::checks::{Incoming, Refused};
use crate::door::Door;
use crate::encode::files_allowed;
use crate::files::{NoRoom, Room, file_name, media_type};
use crate::limits::is_own_origin;
use crate::token::{Owner, Pass};
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Thread, ThreadFile, ThreadsError};
use switchboard_model::{ConversationId, MessageId};
use tokio::time::timeout;

/// `POST /files`.
pub(super) async fn upload(State(door): State<Arc<Door>>, request: Request) -> Response {
    taken(&door, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn taken(door: &Door, request: Request) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let pass = entered(door, &head)?;
    if !files_allowed(&door.config, pass.account.is_some()) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "files_off", "this visitor may not send files"));
    }
    let address = address_of(door, &head);
    door.transfers.take(&address).map_err(too_often)?;
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = file_name(&percent_decode_str(header("x-file-name")).decode_utf8_lossy());
    let content_type = media_type(header(CONTENT_TYPE.as_str()));
    if !door.uploads.takes(&name, &content_type) {
        return Err(wrong_type());
    }
    let most = door.config.files.bytes;
    if header(CONTENT_LENGTH.as_str()).parse::<usize>().is_ok_and(|bytes| bytes > most) {
        return Err(too_large());
    }
    let mut room = door.uploads.begin(&pass, address, door.context.runtime.clock.now()).map_err(no_room)?;
    let limit = Duration::from_secs(door.config.files.read_timeout_seconds);
    let read = timeout(limit, read(body, most, &mut room)).await;
    let bytes = read.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the file did not arrive in time"))??;
    let sent = Incoming { name, content_type, bytes };
    let checked = door.uploads.checks.pass(sent, room, address, |name, content_type| door.uploads.takes(name, content_type));
    let (file, room) = checked.await.map_err(|reason| refused(door, reason))?;
    let answer = json!({"name": file.name, "content_type": file.content_type, "size_bytes": file.bytes.len()});
    let id = door.uploads.keep(room, pass, file.name, file.content_type, file.bytes, door.context.runtime.clock.now());
    let answer = answer.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    let answer: serde_json::Map<_, _> = [("id".to_owned(), json!(id))].into_iter().chain(answer).collect();
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], axum::Json(answer)).into_response())
}

/// `GET /files/{conversation}/{message}/{place}`.
pub(super) async fn download(
    State(door): State<Arc<Door>>,
    Path((conversation, message, place)): Path<(i64, i64, usize)>,
    request: Request,
) -> Response {
    let (conversation, message) = (ConversationId(conversation), MessageId(message));
    let (head, _) = request.into_parts();
    found(&door, conversation, message, place, &head).await.unwrap_or_else(IntoResponse::into_response)
}

async fn found(
    door: &Door,
    conversation: ConversationId,
    message: MessageId,
    place: usize,
    head: &Parts,
) -> Result<Response, Problem> {
    let pass = entered(door, head)?;
    door.downloads.take(&address_of(door, head)).map_err(too_often)?;
    let threads = &door.context.threads;
    let unavailable = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "it cannot be read now").after(5);
    let none = || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such file");
    let thread = threads.thread(conversation).await.map_err(unavailable)?.ok_or_else(none)?;
    if !shown_to(door, &pass, &thread).await.map_err(unavailable)? {
        return Err(none());
    }
    let file = threads.file(conversation, message, place).await.map_err(unavailable)?.ok_or_else(none)?;
    Ok(served(file))
}

/// Whether the conversation is shown to whoever the pass names: as the one who began it, or through the contact. A pass names
/// an account by its digest only, so what is the account's through the contact is known while it is connected.
async fn shown_to(door: &Door, pass: &Pass, thread: &Thread) -> Result<bool, ThreadsError> {
    let begun_by = thread.key.as_deref().and_then(Owner::of_key);
    if pass.owners().any(|own| begun_by == Some(own) || door.hub.shows(own, thread.conversation)) {
        return Ok(true);
    }
    let Some(session) = pass.session else { return Ok(false) };
    let threads = door.context.threads.of(&session.cookie_identity()).await?;
    Ok(threads.iter().any(|shown| shown.conversation == thread.conversation))
}

/// A file as it can do no harm: never run, never shown as a page of ours.
fn served(file: ThreadFile) -> Response {
    let name = utf8_percent_encode(&file.entry.name, NON_ALPHANUMERIC);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    let headers: HeaderMap = [
        (CONTENT_TYPE, HeaderValue::try_from(file.entry.content_type).ok()),
        (CONTENT_DISPOSITION, HeaderValue::try_from(disposition).ok()),
        (CONTENT_SECURITY_POLICY, Some(HeaderValue::from_static("default-src 'none'; sandbox"))),
        (X_CONTENT_TYPE_OPTIONS, Some(HeaderValue::from_static("nosniff"))),
        (CACHE_CONTROL, Some(HeaderValue::from_static("private, no-store"))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    (headers, file.bytes).into_response()
}

/// Whose request this is, if it comes from our own page with a good pass.
fn entered(door: &Door, head: &Parts) -> Result<Pass, Problem> {
    if !is_own_origin(&head.headers) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "files are for our own pages"));
    }
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pass = authorization.and_then(|value| value.strip_prefix("Bearer "));
    let pass = pass.and_then(|pass| door.signer.read_pass(pass.trim(), door.context.runtime.clock.now()));
    pass.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "bad_pass", "the pass is missing, not ours, or has ended"))
}

async fn read(body: Body, most: usize, room: &mut Room) -> Result<Bytes, Problem> {
    let mut body = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body broke off"))?;
        if bytes.len() + chunk.len() > most {
            return Err(too_large());
        }
        room.grow(chunk.len()).map_err(no_room)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// What a check found, counted, as the visitor is told.
fn refused(door: &Door, reason: Refused) -> Problem {
    door.count("switchboard_chat_files_refused_total", reason.code());
    match reason {
        Refused::Type => wrong_type(),
        Refused::Pixels => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_pixels", "the picture has too many pixels"),
        Refused::Bytes => too_large(),
        Refused::Infected(found) => {
            tracing::warn!(channel = %door.config.slug, found, "the virus scanner refuses a file");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "infected", "the virus scanner refuses the file")
        }
        Refused::Unscanned => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the file cannot be checked for viruses now").after(10)
        }
        Refused::Busy => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "too many files are being checked").after(10)
        }
        Refused::NoRoom => no_room(NoRoom),
    }
}

fn wrong_type() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_type", "files of this type are not taken")
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the file is larger than settings.files.bytes")
}

fn too_often(retry_after_s: u64) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many files from this address").after(retry_after_s)
}

fn no_room(_: NoRoom) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "too many files wait for their messages").after(60)
}
