//! Messages: reading and writing a thread, raw mails, attachments, delivery.

use super::items::Base;
use super::rows;
use crate::extract::{Json, Path, Query};
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;
use std::fmt::Write as _;
use switchboard_engine::{Blob, EngineErrorKind, NewMessage, UNDO_SECONDS};
use switchboard_model::{Address, Attachment, BlobId, Fault, ItemId, MessageId, MessageView, Page};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below an item.
pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, write))
}

/// Routes of messages and files by their own id.
pub(super) fn message_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(raw)).routes(routes!(retry)).routes(routes!(recall)).routes(routes!(attachment))
}

const ITEM_VERSION: HeaderName = HeaderName::from_static("x-item-version");

/// Longest text and HTML, in bytes, and most copies and files of one message.
const MAX_TEXT_BYTES: usize = 512 * 1024;
const MAX_COPIES: usize = 50;
const MAX_FILES: usize = 20;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ThreadQuery {
    /// `next` of the page before.
    before: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// To whom a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Audience {
    /// To the contact.
    Reply,
    /// To colleagues only.
    Note,
}

/// A reply or note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageWish {
    /// Reply or note.
    kind: Audience,
    /// Plain text.
    text: String,
    /// HTML beside it, which is cleaned before it is stored.
    #[serde(default)]
    html: Option<String>,
    /// Whom a reply goes to; the contact when absent or empty.
    #[serde(default)]
    to: Vec<Address>,
    /// Copies.
    #[serde(default)]
    cc: Vec<Address>,
    /// Copies that nobody else sees.
    #[serde(default)]
    bcc: Vec<Address>,
    /// Seconds that a reply waits before it goes out, so that it can be taken back: 0, 5, 10 or 30; 0 when absent. Channels
    /// whose capabilities lack `recall` send at once.
    #[serde(default)]
    undo_seconds: u32,
    /// Files.
    #[serde(default)]
    attachments: Vec<FileWish>,
    /// The last message that the writer saw; with a newer one the request is refused with 409 `new_messages`.
    #[serde(default)]
    seen_message: Option<MessageId>,
    /// Own the item if nobody does (ROUTING 2.3); true when absent.
    #[serde(default = "yes")]
    take: bool,
}

/// A file to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileWish {
    /// File name, without any path.
    name: String,
    /// Media type.
    content_type: String,
    /// The bytes in base64.
    base64: String,
    /// The id by which the HTML refers to it (`cid:`).
    #[serde(default)]
    content_id: Option<String>,
}

const fn yes() -> bool {
    true
}

/// Read a thread.
///
/// The first page holds the newest messages; within a page they stand oldest first. A ticket shows its conversation's.
#[utoipa::path(get, path = "/{id}/messages", tag = "messages", params(("id" = ItemId, Path), ThreadQuery),
    responses((status = 200, body = Page<MessageView>)))]
async fn list(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Query(query): Query<ThreadQuery>,
) -> Result<axum::Json<Page<MessageView>>, Problem> {
    let limit = rows(query.limit)?;
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.messages(&requester.caller, id, query.before.as_deref(), limit).await?))
}

/// Write a reply or note.
///
/// A reply to an item without a human owner makes the writer its owner (ROUTING 2.3). The header `x-item-version`
/// says the version of the item afterwards.
#[utoipa::path(post, path = "/{id}/messages", tag = "messages", params(("id" = ItemId, Path)), request_body = MessageWish,
    responses((status = 201, body = MessageView, headers(("x-item-version" = i64)))))]
async fn write(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(wish): Json<MessageWish>,
) -> Result<Response, Problem> {
    let message = new_message(wish)?;
    base.admits_id(&api, &requester, id).await?;
    let (view, version) = match api.engine.post_message(&requester.caller, id, message).await {
        Err(error) if error.kind == EngineErrorKind::NewMessages => {
            let current = api.engine.item(&requester.caller, id).await?.row;
            return Err(Problem::from(error).with_current(serde_json::to_value(current).ok()));
        }
        written => written?,
    };
    Ok((StatusCode::CREATED, [(ITEM_VERSION, HeaderValue::from(version))], axum::Json(view)).into_response())
}

/// The message as it was received.
#[utoipa::path(get, path = "/messages/{id}/raw", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, content_type = "application/octet-stream")))]
async fn raw(State(api): State<Api>, requester: Requester, Path(id): Path<MessageId>) -> Result<Response, Problem> {
    Ok(download(api.engine.raw_message(&requester.caller, id).await?))
}

/// Send a failed reply again.
#[utoipa::path(post, path = "/messages/{id}/retry", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = MessageView)))]
async fn retry(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<MessageId>,
) -> Result<axum::Json<MessageView>, Problem> {
    Ok(axum::Json(api.engine.retry_delivery(&requester.caller, id).await?))
}

/// Take back a reply that has not gone out yet.
///
/// Only its writer can, and only until it is on its way: then 409 `conflict`. The message is gone from the thread
/// afterwards; the answer is the message as it was.
#[utoipa::path(post, path = "/messages/{id}/recall", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = MessageView)))]
async fn recall(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<MessageId>,
) -> Result<axum::Json<MessageView>, Problem> {
    Ok(axum::Json(api.engine.recall_message(&requester.caller, id).await?))
}

/// A file of a message.
#[utoipa::path(get, path = "/attachments/{id}", tag = "messages", params(("id" = BlobId, Path)),
    responses((status = 200, content_type = "application/octet-stream")))]
async fn attachment(State(api): State<Api>, requester: Requester, Path(id): Path<BlobId>) -> Result<Response, Problem> {
    Ok(download(api.engine.attachment(&requester.caller, id).await?))
}

/// Checks everything at once, so that a writer need not come back for each fault.
fn new_message(wish: MessageWish) -> Result<NewMessage, Problem> {
    let mut faults = Vec::new();
    if wish.text.trim().is_empty() && wish.attachments.is_empty() {
        faults.push(Fault::new("text", "is empty, and there is no file either"));
    }
    if wish.text.len() > MAX_TEXT_BYTES {
        faults.push(Fault::new("text", format!("is at most {MAX_TEXT_BYTES} bytes")));
    }
    if wish.html.as_ref().is_some_and(|html| html.len() > MAX_TEXT_BYTES) {
        faults.push(Fault::new("html", format!("is at most {MAX_TEXT_BYTES} bytes")));
    }
    for (key, people) in [("to", &wish.to), ("cc", &wish.cc), ("bcc", &wish.bcc)] {
        if people.len() > MAX_COPIES {
            faults.push(Fault::new(key, format!("has at most {MAX_COPIES} entries")));
        }
    }
    if !UNDO_SECONDS.contains(&wish.undo_seconds) {
        faults.push(Fault::new("undo_seconds", "is 0, 5, 10 or 30"));
    }
    if wish.attachments.len() > MAX_FILES {
        faults.push(Fault::new("attachments", format!("has at most {MAX_FILES} entries")));
    }
    let mut attachments = Vec::with_capacity(wish.attachments.len().min(MAX_FILES));
    for (index, file) in wish.attachments.into_iter().take(MAX_FILES).enumerate() {
        match STANDARD.decode(file.base64.as_bytes()) {
            Ok(bytes) => attachments.push(Attachment {
                name: file.name,
                content_type: file.content_type,
                content_id: file.content_id.filter(|id| !id.is_empty()),
                bytes: bytes.into(),
            }),
            Err(error) => faults.push(Fault::new(format!("attachments[{index}].base64"), format!("is no base64: {error}"))),
        }
    }
    if !faults.is_empty() {
        let detail = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        return Err(Problem::invalid(detail, faults));
    }
    Ok(NewMessage {
        reply: wish.kind == Audience::Reply,
        text: wish.text,
        html: wish.html,
        to: wish.to,
        cc: wish.cc,
        bcc: wish.bcc,
        undo_seconds: wish.undo_seconds,
        attachments,
        seen_message: wish.seen_message,
        take: wish.take,
    })
}

/// A stranger's bytes: saved, never shown in the desk's own origin, whatever they claim to be.
fn download(blob: Blob) -> Response {
    let fallback = HeaderValue::from_static("application/octet-stream");
    let content_type = HeaderValue::from_str(&blob.content_type).ok().filter(|value| !value.is_empty()).unwrap_or(fallback);
    let disposition = disposition(&blob.name);
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
        (CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    (headers, blob.bytes).into_response()
}

/// The file name twice: in plain ASCII for old clients, and in full (RFC 6266, RFC 8187).
fn disposition(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || " ._-()".contains(letter) { letter } else { '_' })
        .collect();
    let mut full = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            full.push(char::from(byte));
        } else {
            let _ = write!(full, "%{byte:02X}");
        }
    }
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::{Blob, MessageWish, disposition, download, new_message};
    use crate::extract::parse_json;

    fn wish(json: &str) -> MessageWish {
        parse_json(json.as_bytes()).unwrap_or_else(|problem| panic!("{problem:?}"))
    }

    #[test]
    fn a_reply_takes_the_item_unless_it_says_otherwise() {
        let message = new_message(wish("{\"kind\":\"reply\",\"text\":\"Hei\"}")).expect("fits");
        assert!(message.reply && message.take);
        let message = new_message(wish("{\"kind\":\"note\",\"text\":\"Hei\",\"take\":false}")).expect("fits");
        assert!(!message.reply && !message.take);
    }

    #[test]
    fn files_come_in_base64_and_every_fault_is_named() {
        let file = "{\"name\":\"a.txt\",\"content_type\":\"text/plain\",\"base64\":\"aGVp\"}";
        let message = new_message(wish(&format!("{{\"kind\":\"reply\",\"text\":\"\",\"attachments\":[{file}]}}"))).expect("fits");
        assert_eq!(message.attachments[0].bytes, "hei");
        let bad =
            "{\"kind\":\"reply\",\"text\":\" \",\"attachments\":[{\"name\":\"a\",\"content_type\":\"b\",\"base64\":\"?\"}]}";
        let problem = new_message(wish(bad)).expect_err("no base64");
        assert_eq!(problem.document().errors[0].key, "attachments[0].base64");
        let problem = new_message(wish("{\"kind\":\"reply\",\"text\":\" \"}")).expect_err("nothing to send");
        assert_eq!(problem.document().errors[0].key, "text");
    }

    #[test]
    fn file_names_cannot_break_out_of_their_header() {
        let value = disposition("Øre\"; x=\"\r\n.pdf");
        assert_eq!(
            value.to_str().expect("text"),
            "attachment; filename=\"_re__ x____.pdf\"; filename*=UTF-8''%C3%98re%22%3B%20x%3D%22%0D%0A.pdf"
        );
    }

    #[test]
    fn a_page_among_the_files_is_saved_and_never_run() {
        let blob = Blob { name: "x.html".into(), content_type: "text/html".into(), bytes: "<script>".into() };
        let response = download(blob);
        assert!(response.headers()["content-disposition"].to_str().expect("text").starts_with("attachment"));
        assert_eq!(response.headers()["content-security-policy"], "sandbox; default-src 'none'");
    }
}
