//! Moving work items to another workspace, and merging two into one (ROUTING 12.4).

use super::items::Base;
use crate::extract::{Json, Path};
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use switchboard_engine as engine;
use switchboard_model::{ItemId, ItemRow, WorkspaceId};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(move_item)).routes(routes!(merge))
}

/// Moving to another workspace.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveWish {
    /// The version that the choice was made on.
    version: i64,
    /// Where it goes.
    workspace: WorkspaceId,
    /// Have the rule of its channel applied there; without, it keeps its owner, or has none.
    #[serde(default)]
    route: bool,
}

/// Merging with another item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeWish {
    /// The version that the choice was made on.
    version: i64,
    /// The other item, of the same workspace.
    with: ItemId,
    /// The version of the other item that the choice was made on.
    with_version: i64,
}

/// What a merge did. It cannot be undone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MergeReport {
    /// The older item, which stays.
    pub survivor: ItemRow,
    /// The newer item, which is closed; its `merged_into` says where it went.
    pub merged: ItemRow,
    /// How many messages went over.
    pub messages: u64,
    /// Nobody owned the survivor, so its rule was asked for somebody.
    pub routed: bool,
}

impl From<engine::MergeReport> for MergeReport {
    fn from(engine::MergeReport { survivor, merged, messages, routed }: engine::MergeReport) -> Self {
        Self { survivor, merged, messages, routed }
    }
}

/// Move an item to another workspace (ROUTING 12.4).
///
/// Messages and history go along, and the owner as far as the new workspace may be opened. Answers with what is the work
/// item there, which has another id where a conversation moves into a help desk, whose tickets are, or out of one.
#[utoipa::path(post, path = "/{id}/move", tag = "items", params(("id" = ItemId, Path)), request_body = MoveWish,
    responses((status = 200, body = ItemRow)))]
async fn move_item(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(MoveWish { version, workspace, route }): Json<MoveWish>,
) -> Result<axum::Json<ItemRow>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let wish = engine::MoveWish { version, workspace, route };
    Ok(axum::Json(api.engine.move_item(&requester.caller, id, wish).await?))
}

/// Merge two items of a workspace (ROUTING 12.4).
///
/// The one that was created first stays, with its owner and both histories, and takes the messages of the other, which is
/// closed for good. Whoever writes to the other afterwards writes to the one that stays. This cannot be undone.
#[utoipa::path(post, path = "/{id}/merge", tag = "items", params(("id" = ItemId, Path)), request_body = MergeWish,
    responses((status = 200, body = MergeReport)))]
async fn merge(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(MergeWish { version, with, with_version }): Json<MergeWish>,
) -> Result<axum::Json<MergeReport>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let wish = engine::MergeWish { version, with, with_version };
    Ok(axum::Json(api.engine.merge_items(&requester.caller, id, wish).await?.into()))
}
