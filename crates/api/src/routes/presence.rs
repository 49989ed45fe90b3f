//! Who is on a conversation right now, and the transcripts of chats.

use super::items::Base;
use super::nullable;
use crate::extract::{Json, Path};
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use switchboard_model::{Attention, ConversationPresence, ItemId, MessageId};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(present, attend)).routes(routes!(transcript))
}

/// What the caller does on a conversation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttentionWish {
    /// `null` when the caller goes away.
    #[serde(deserialize_with = "nullable")]
    #[schema(required = true)]
    attention: Option<Attention>,
    /// The newest message that the caller has seen, which a connected contact is told.
    #[serde(default)]
    seen: Option<MessageId>,
}

/// Who is on a conversation.
///
/// People at the desk, and the contact while connected. A ticket shows its conversation's.
#[utoipa::path(get, path = "/{id}/presence", tag = "messages", params(("id" = ItemId, Path)),
    responses((status = 200, body = ConversationPresence)))]
async fn present(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
) -> Result<axum::Json<ConversationPresence>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.presence(&requester.caller, id).await?))
}

/// Say what one does on a conversation.
///
/// Colleagues are told, and a connected contact as far as it is writing. It is forgotten after 40 s: say it again every
/// 15 s, and at once when it changes. Answers with everybody who is there.
#[utoipa::path(put, path = "/{id}/presence", tag = "messages", params(("id" = ItemId, Path)), request_body = AttentionWish,
    responses((status = 200, body = ConversationPresence)))]
async fn attend(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(AttentionWish { attention, seen }): Json<AttentionWish>,
) -> Result<axum::Json<ConversationPresence>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.attend(&requester.caller, id, attention, seen).await?))
}

/// Mail what was said in a chat to its contact.
///
/// It goes out through the channel's `chat.mail_channel`, to the address that the contact gave.
#[utoipa::path(post, path = "/{id}/transcript", tag = "messages", params(("id" = ItemId, Path)),
    responses((status = 204, description = "It is on its way.")))]
async fn transcript(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
) -> Result<StatusCode, Problem> {
    base.admits_id(&api, &requester, id).await?;
    api.engine.send_transcript(&requester.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
