//! Reads a request's body into a submission: bounded in bytes, parts and time.

use crate::config::Form;
use crate::encode::Refusal;
use crate::submission::{Collector, Submission, Unreadable};
use axum::extract::{FromRequest, Multipart, Request};
use futures::StreamExt;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use std::time::Duration;

/// A body that is announced to be too large, yet not by more than this many times, is read and thrown away
/// before it is refused: browsers that are cut off while they send show a broken connection, not the answer.
const DRAINED_TIMES: usize = 8;

/// Reads the body in whichever of the three formats its header names.
pub(crate) async fn read(form: &Form, request: Request) -> Result<Submission, Refusal> {
    let limit = Duration::from_secs(form.limits.read_timeout_seconds);
    tokio::time::timeout(limit, read_whole(form, request)).await.unwrap_or(Err(Refusal::Timeout))
}

/// As [`read`], for as long as it takes.
pub(crate) async fn read_whole(form: &Form, request: Request) -> Result<Submission, Refusal> {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if let Some(bytes) = announced.filter(|bytes| *bytes > form.limits.body_bytes) {
        if bytes <= DRAINED_TIMES * form.limits.body_bytes {
            drain(request).await;
        }
        return Err(Refusal::TooLarge);
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let parts = form.limits.parts;
    match essence.as_str() {
        "multipart/form-data" => read_multipart(form, request).await,
        "application/x-www-form-urlencoded" => {
            let bytes = read_bytes(form, request).await?;
            Submission::from_urlencoded(&bytes, parts).map_err(Refusal::Unreadable)
        }
        "application/json" => {
            let bytes = read_bytes(form, request).await?;
            Submission::from_json(&bytes, parts).map_err(Refusal::Unreadable)
        }
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// Reads a body and keeps nothing of it.
async fn drain(request: Request) {
    let mut chunks = request.into_body().into_data_stream();
    while let Some(Ok(_)) = chunks.next().await {}
}

async fn read_bytes(form: &Form, request: Request) -> Result<axum::body::Bytes, Refusal> {
    // The bytes may break off because there are too many, or because the client is gone; the latter reads no
    // answer.
    axum::body::to_bytes(request.into_body(), form.limits.body_bytes).await.map_err(|_| Refusal::TooLarge)
}

async fn read_multipart(form: &Form, request: Request) -> Result<Submission, Refusal> {
    let unreadable = |status: StatusCode| match status {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::TooLarge,
        _ => Refusal::Unreadable(Unreadable::Multipart),
    };
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| Refusal::Unreadable(Unreadable::Multipart))?;
    let mut collector = Collector::new(form);
    while let Some(mut part) = parts.next_field().await.map_err(|error| unreadable(error.status()))? {
        let name = part.name().unwrap_or_default().to_owned();
        collector.begin(&name, part.file_name(), part.content_type()).map_err(Refusal::Unreadable)?;
        while let Some(chunk) = part.chunk().await.map_err(|error| unreadable(error.status()))? {
            collector.extend(&chunk);
        }
    }
    Ok(collector.finish())
}
