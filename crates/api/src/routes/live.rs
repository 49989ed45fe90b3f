//! The stream of live events.

use crate::events;
use crate::extract::Query;
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use axum::extract::State;
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use std::time::Duration;
use switchboard_model::LiveEvent;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(events))
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How often a silent stream says that it lives.
const PING: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// The last event that was seen, for clients that cannot send `Last-Event-ID`; the header counts before it.
    after: Option<i64>,
}

/// Follow what happens, as server-sent events.
///
/// Each event has the id of a `LiveEvent`, its kind as name (`item`, `message`, `mark`, `person`, `directory`, `notice`) and
/// itself as data. Besides, `presence` says who is on a conversation, as a `ConversationPresence` without an id, which is
/// never sent again; the contact is part of it for those only who are on the conversation themselves. A client that comes back with `Last-Event-ID` gets what it missed, or `resync` when that is no
/// longer stored: read everything anew. Without either the stream begins now. It ends at sign-out and when the host
/// stops; a silent stream is kept open by `: ping` every 15 s.
#[utoipa::path(get, path = "/events", tag = "events",
    params(EventsQuery, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was seen.")),
    responses((status = 200, body = LiveEvent, content_type = "text/event-stream")))]
async fn events(
    State(api): State<Api>,
    requester: Requester,
    headers: HeaderMap,
    Query(EventsQuery { after }): Query<EventsQuery>,
) -> Result<Response, Problem> {
    // What is no id of ours cannot be resumed after, which is what `resync` is for.
    let sent = headers.get(LAST_EVENT_ID).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(-1));
    let stream = events::stream(api, requester, sent.or(after)).await?;
    let sse = Sse::new(stream).keep_alive(KeepAlive::new().interval(PING).text("ping"));
    Ok(([(NO_BUFFERING, "no")], sse).into_response())
}
