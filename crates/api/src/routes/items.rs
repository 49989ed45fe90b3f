//! Work items: lists, search, one item, and every change of it by hand.

use super::{no_such, rows};
use crate::extract::{Json, Path, Query};
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{Assignable, AssignableUser};
use axum::extract::{FromRequestParts, MatchedPath, State};
use http::request::Parts;
use serde::Deserialize;
use std::convert::Infallible;
use switchboard_engine::{ItemsQuery, OwnerChange};
use switchboard_model::{
    ItemId, ItemKind, ItemRow, ItemSort, ItemStatus, ItemView, Owner, Page, Priority, TeamId, Timestamp, View, WorkspaceId,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(set_owner))
        .routes(routes!(assignable))
        .routes(routes!(return_to_queue))
        .routes(routes!(route_again))
        .routes(routes!(set_status))
        .routes(routes!(set_priority))
}

/// The kind that the path is about: `/conversations` and `/tickets` know one kind, `/items` both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base(Option<ItemKind>);

impl Base {
    fn of(matched: &str) -> Self {
        let path = matched.strip_prefix("/api/v1/").unwrap_or(matched);
        match path.split('/').next() {
            Some("conversations") => Self(Some(ItemKind::Conversation)),
            Some("tickets") => Self(Some(ItemKind::Ticket)),
            _ => Self(None),
        }
    }

    /// Refuses with 404 when the item is of the other kind.
    fn admits(self, row: &ItemRow) -> Result<(), Problem> {
        match self.0 {
            Some(kind) if kind != row.kind => Err(no_such(kind)),
            _ => Ok(()),
        }
    }

    /// The same for an item that is not at hand; costs nothing below `/items`.
    pub(super) async fn admits_id(self, api: &Api, requester: &Requester, id: ItemId) -> Result<(), Problem> {
        match self.0 {
            None => Ok(()),
            Some(_) => self.admits(&api.engine.item(&requester.caller, id).await?.row),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<MatchedPath>().map_or(Self(None), |path| Self::of(path.as_str())))
    }
}

/// Which items, in which order.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// The view; `open` when absent.
    view: Option<View>,
    /// Only conversations or only tickets; below `/conversations` and `/tickets` that is settled.
    kind: Option<ItemKind>,
    /// Only this workspace.
    workspace: Option<WorkspaceId>,
    /// The order; `newest` when absent.
    sort: Option<ItemSort>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// A new owner, by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerWish {
    /// The version that the choice was made on.
    version: i64,
    /// The new owner, a user; null for a team without an owner, or for nobody.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true)]
    owner: Option<Owner>,
    /// The new team. With a user and without a team, the team stays.
    #[serde(default)]
    team: Option<TeamId>,
}

/// Handing work back to its rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReturnWish {
    /// The version that the choice was made on.
    version: i64,
    /// Why, for colleagues.
    #[serde(default)]
    note: Option<String>,
}

/// A wish about an item in the version that was seen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionSeen {
    /// The version that the choice was made on.
    version: i64,
}

/// A new status.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusWish {
    /// The version that the choice was made on.
    version: i64,
    /// The new status.
    status: ItemStatus,
    /// With `snoozed`, and only then: until when. A new message ends it earlier.
    #[serde(default)]
    until: Option<Timestamp>,
}

/// A new priority.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriorityWish {
    /// The version that the choice was made on.
    version: i64,
    /// The new priority.
    priority: Priority,
}

/// List work items.
///
/// Conversations of inboxes and tickets of help desks, in workspaces that the reader may open.
#[utoipa::path(get, path = "", tag = "items", params(ListQuery), responses((status = 200, body = Page<ItemRow>)))]
async fn list(
    State(api): State<Api>,
    requester: Requester,
    Base(kind): Base,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<ItemRow>>, Problem> {
    if let (Some(fixed), Some(asked)) = (kind, query.kind)
        && fixed != asked
    {
        return Err(Problem::invalid_value("kind", format!("is `{fixed}` here")));
    }
    let query = ItemsQuery {
        view: query.view.unwrap_or(View::Open),
        kind: kind.or(query.kind),
        workspace: query.workspace,
        sort: query.sort.unwrap_or(ItemSort::Newest),
        cursor: query.cursor,
        limit: rows(query.limit)?,
    };
    Ok(axum::Json(api.engine.items(&requester.caller, query).await?))
}

/// One item.
#[utoipa::path(get, path = "/{id}", tag = "items", params(("id" = ItemId, Path)), responses((status = 200, body = ItemView)))]
async fn one(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
) -> Result<axum::Json<ItemView>, Problem> {
    let item = api.engine.item(&requester.caller, id).await?;
    base.admits(&item.row)?;
    Ok(axum::Json(item))
}

/// Set the owner by hand.
///
/// Choosing a user sets the owner; choosing a team sets the team and clears the owner (ROUTING 2.2). A change on an
/// old version is refused with 409 and the item as it is (ROUTING 2.6).
#[utoipa::path(put, path = "/{id}/owner", tag = "items", params(("id" = ItemId, Path)), request_body = OwnerWish,
    responses((status = 200, body = ItemRow)))]
async fn set_owner(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(wish): Json<OwnerWish>,
) -> Result<axum::Json<ItemRow>, Problem> {
    let user = match wish.owner {
        Some(Owner::User { id }) => Some(id),
        None => None,
        Some(Owner::Bot | Owner::Assistant) => return Err(Problem::invalid_value("owner.kind", "is `user`, or owner is null")),
    };
    base.admits_id(&api, &requester, id).await?;
    let change = OwnerChange { user, team: wish.team };
    Ok(axum::Json(api.engine.set_owner(&requester.caller, id, wish.version, change).await?))
}

/// Who may be chosen as owner, with load and limit (ROUTING 2.5).
#[utoipa::path(get, path = "/{id}/assignable", tag = "items", params(("id" = ItemId, Path)),
    responses((status = 200, body = Assignable)))]
async fn assignable(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
) -> Result<axum::Json<Assignable>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let users = api.engine.assignable(&requester.caller, id).await?;
    let teams = api.engine.directory().teams.clone();
    Ok(axum::Json(Assignable { users: users.into_iter().map(AssignableUser::from).collect(), teams }))
}

/// Return an item to its queue (ROUTING 2.7).
#[utoipa::path(post, path = "/{id}/return", tag = "items", params(("id" = ItemId, Path)), request_body = ReturnWish,
    responses((status = 200, body = ItemRow)))]
async fn return_to_queue(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(wish): Json<ReturnWish>,
) -> Result<axum::Json<ItemRow>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let note = wish.note.filter(|note| !note.trim().is_empty());
    Ok(axum::Json(api.engine.return_to_queue(&requester.caller, id, wish.version, note).await?))
}

/// Have the rule applied again.
#[utoipa::path(post, path = "/{id}/route", tag = "items", params(("id" = ItemId, Path)), request_body = VersionSeen,
    responses((status = 200, body = ItemRow)))]
async fn route_again(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(VersionSeen { version }): Json<VersionSeen>,
) -> Result<axum::Json<ItemRow>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.route(&requester.caller, id, version).await?))
}

/// Open, snooze, close, or put away as spam.
#[utoipa::path(put, path = "/{id}/status", tag = "items", params(("id" = ItemId, Path)), request_body = StatusWish,
    responses((status = 200, body = ItemRow)))]
async fn set_status(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(wish): Json<StatusWish>,
) -> Result<axum::Json<ItemRow>, Problem> {
    if wish.until.is_some() && wish.status != ItemStatus::Snoozed {
        return Err(Problem::invalid_value("until", "goes with `snoozed` only"));
    }
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.set_item_status(&requester.caller, id, wish.version, wish.status, wish.until).await?))
}

/// Set the priority.
#[utoipa::path(put, path = "/{id}/priority", tag = "items", params(("id" = ItemId, Path)), request_body = PriorityWish,
    responses((status = 200, body = ItemRow)))]
async fn set_priority(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    Json(wish): Json<PriorityWish>,
) -> Result<axum::Json<ItemRow>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    Ok(axum::Json(api.engine.set_priority(&requester.caller, id, wish.version, wish.priority).await?))
}

#[cfg(test)]
mod tests {
    use super::{Base, OwnerWish};
    use crate::extract::parse_json;
    use switchboard_model::ItemKind;

    #[test]
    fn the_path_says_which_kind_it_is_about() {
        assert_eq!(Base::of("/api/v1/conversations/{id}"), Base(Some(ItemKind::Conversation)));
        assert_eq!(Base::of("/api/v1/tickets"), Base(Some(ItemKind::Ticket)));
        assert_eq!(Base::of("/api/v1/items/{id}/owner"), Base(None));
    }

    #[test]
    fn leaving_the_owner_out_is_not_the_same_as_nobody() {
        assert!(parse_json::<OwnerWish>(b"{\"version\":1,\"owner\":null}").is_ok());
        assert!(parse_json::<OwnerWish>(b"{\"version\":1,\"owner\":{\"kind\":\"user\",\"id\":7},\"team\":3}").is_ok());
        let problem = parse_json::<OwnerWish>(b"{\"version\":1}").err().expect("incomplete");
        assert_eq!(problem.document().errors[0].key, "owner");
    }
}
