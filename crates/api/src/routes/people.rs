//! Colleagues, teams and workspaces, availability, contacts, and the search over all of it.

use super::rows;
use crate::extract::{Json, Path, Query};
use crate::gate::Requester;
use crate::permissions::Action;
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{Deactivation, PersonView, SearchRow, StatusEntry, TeamRow, UserRow};
use axum::extract::State;
use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_engine::NewStatus;
use switchboard_model::{ContactId, ContactView, Directory, Page, StatusValue, Team, User, UserId, Workspace};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(contact))
        .routes(routes!(set_contact_owner))
        .routes(routes!(users))
        .routes(routes!(set_availability))
        .routes(routes!(statuses))
        .routes(routes!(deactivate))
        .routes(routes!(teams))
        .routes(routes!(workspaces))
}

const MAX_QUERY_CHARS: usize = 200;
const MAX_REASON_CHARS: usize = 200;

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Words of a name, an address, a subject or a text; letters count without their marks. 1 to 200 characters.
    q: String,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// A page of a history.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StatusesQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// The owner of a contact.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactOwner {
    /// The user, or null for nobody.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true)]
    owner: Option<UserId>,
}

/// A status set by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AvailabilityWish {
    /// The status.
    value: StatusValue,
    /// Why, at most 200 characters.
    #[serde(default)]
    reason: Option<String>,
}

/// What becomes of the open work of somebody who leaves.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeactivationWish {
    /// Who gets it; null hands it back to routing.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true)]
    hand_to: Option<UserId>,
    /// Only list what is open.
    #[serde(default)]
    dry_run: bool,
}

/// Search contacts, subjects and messages.
#[utoipa::path(get, path = "/search", tag = "items", params(SearchQuery), responses((status = 200, body = Page<SearchRow>)))]
async fn search(
    State(api): State<Api>,
    requester: Requester,
    Query(query): Query<SearchQuery>,
) -> Result<axum::Json<Page<SearchRow>>, Problem> {
    let words = query.q.trim();
    if words.is_empty() || words.chars().count() > MAX_QUERY_CHARS {
        return Err(Problem::invalid_value("q", format!("is 1 to {MAX_QUERY_CHARS} characters")));
    }
    let Page { rows: found, next, total } = api.engine.search(&requester.caller, words, query.cursor, rows(query.limit)?).await?;
    Ok(axum::Json(Page { rows: found.into_iter().map(SearchRow::from).collect(), next, total }))
}

/// One contact.
#[utoipa::path(get, path = "/contacts/{id}", tag = "people", params(("id" = ContactId, Path)),
    responses((status = 200, body = ContactView)))]
async fn contact(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<ContactId>,
) -> Result<axum::Json<ContactView>, Problem> {
    Ok(axum::Json(api.engine.contact(&requester.caller, id).await?))
}

/// Set the owner of a contact.
#[utoipa::path(put, path = "/contacts/{id}/owner", tag = "people", params(("id" = ContactId, Path)), request_body = ContactOwner,
    responses((status = 200, body = ContactView)))]
async fn set_contact_owner(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<ContactId>,
    Json(ContactOwner { owner }): Json<ContactOwner>,
) -> Result<axum::Json<ContactView>, Problem> {
    Ok(axum::Json(api.engine.set_contact_owner(&requester.caller, id, owner).await?))
}

/// Every user, with availability and load.
#[utoipa::path(get, path = "/users", tag = "people", responses((status = 200, body = [UserRow])))]
async fn users(State(api): State<Api>) -> Result<axum::Json<Vec<UserRow>>, Problem> {
    let people = api.engine.people().await?;
    let mut people: BTreeMap<UserId, PersonView> =
        people.into_iter().map(|person| (person.load.user, PersonView::from(person))).collect();
    let directory = api.engine.directory();
    let rows = directory.users.iter().map(|user| UserRow { user: user.clone(), person: people.remove(&user.id) });
    Ok(axum::Json(rows.collect()))
}

/// Set availability by hand.
///
/// One's own, or with the permission `colleague_status` somebody else's, who is told (ROUTING 4.3).
#[utoipa::path(put, path = "/users/{id}/availability", tag = "people", params(("id" = UserId, Path)),
    request_body = AvailabilityWish, responses((status = 200, body = PersonView)))]
async fn set_availability(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<UserId>,
    Json(wish): Json<AvailabilityWish>,
) -> Result<axum::Json<PersonView>, Problem> {
    if requester.caller.user != Some(id) {
        requester.require(Action::ColleagueStatus)?;
    }
    let reason = wish.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > MAX_REASON_CHARS) {
        return Err(Problem::invalid_value("reason", format!("is at most {MAX_REASON_CHARS} characters")));
    }
    let status = NewStatus { value: wish.value, reason };
    Ok(axum::Json(api.engine.set_availability(&requester.caller, id, status).await?.into()))
}

/// How a user's manual status has changed, newest first.
///
/// One's own, or with the permission `colleague_status` anybody's (ROUTING 4.3).
#[utoipa::path(get, path = "/users/{id}/statuses", tag = "people", params(("id" = UserId, Path), StatusesQuery),
    responses((status = 200, body = Page<StatusEntry>)))]
async fn statuses(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<UserId>,
    Query(query): Query<StatusesQuery>,
) -> Result<axum::Json<Page<StatusEntry>>, Problem> {
    let limit = rows(query.limit)?;
    let Page { rows, next, total } = api.engine.statuses(&requester.caller, id, query.cursor.as_deref(), limit).await?;
    Ok(axum::Json(Page { rows: rows.into_iter().map(StatusEntry::from).collect(), next, total }))
}

/// Deactivate a user and hand on the open work, in one step (ROUTING 12.5).
#[utoipa::path(post, path = "/users/{id}/deactivate", tag = "people", params(("id" = UserId, Path)),
    request_body = DeactivationWish, responses((status = 200, body = Deactivation)))]
async fn deactivate(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<UserId>,
    Json(wish): Json<DeactivationWish>,
) -> Result<axum::Json<Deactivation>, Problem> {
    if wish.hand_to == Some(id) {
        return Err(Problem::invalid_value("hand_to", "is the user who leaves"));
    }
    Ok(axum::Json(api.engine.deactivate(&requester.caller, id, wish.hand_to, wish.dry_run).await?.into()))
}

/// Every team with its members.
#[utoipa::path(get, path = "/teams", tag = "people", responses((status = 200, body = [TeamRow])))]
async fn teams(State(api): State<Api>) -> axum::Json<Vec<TeamRow>> {
    let directory = api.engine.directory();
    axum::Json(directory.teams.iter().map(|team| team_row(&directory, team)).collect())
}

/// The workspaces that the reader may open.
#[utoipa::path(get, path = "/workspaces", tag = "people", responses((status = 200, body = [Workspace])))]
async fn workspaces(State(api): State<Api>, requester: Requester) -> axum::Json<Vec<Workspace>> {
    let directory = api.engine.directory();
    let opened = directory.workspaces.iter().filter(|workspace| api.engine.may_open(&requester.caller, workspace.id));
    axum::Json(opened.cloned().collect())
}

fn team_row(directory: &Directory, team: &Team) -> TeamRow {
    let ids = |is_member: &dyn Fn(&&User) -> bool| directory.users.iter().filter(is_member).map(|user| user.id).collect();
    TeamRow {
        team: team.clone(),
        main_members: ids(&|user| user.active && user.team == Some(team.id)),
        extra_members: ids(&|user| user.active && user.team != Some(team.id) && user.extra_teams.contains(&team.id)),
    }
}
