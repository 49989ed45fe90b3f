//! Channels, how they are doing, and their rules (ROUTING 7).

use crate::extract::{Json, Path, Query};
use crate::gate::Requester;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemCode};
use crate::state::Api;
use crate::views::{ChannelRow, RuleInForce, StaleMember};
use axum::extract::State;
use serde::Deserialize;
use switchboard_engine::EngineErrorKind;
use switchboard_model::{ChannelEntry, Rule};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(rule, set_rule))
}

/// A new rule.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleWish {
    /// The directory version that the rule was edited on.
    version: i64,
    /// The rule, or null for none.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true)]
    rule: Option<Rule>,
}

/// Channels that feed workspaces of the reader; whoever may edit rules sees all.
#[utoipa::path(get, path = "/channels", tag = "channels", responses((status = 200, body = [ChannelRow])))]
async fn list(State(api): State<Api>, requester: Requester) -> axum::Json<Vec<ChannelRow>> {
    let directory = api.engine.directory();
    let seen = directory.channels.iter().filter(|channel| may_see(&api, &requester, channel));
    axum::Json(seen.map(|channel| row(&api, channel)).collect())
}

/// Whose rule is meant.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RuleOf {
    /// A chatflow of the channel, by slug; the channel's own rule without.
    chatflow: Option<String>,
}

/// The rule of a channel, or of one of its chatflows.
#[utoipa::path(get, path = "/channels/{slug}/rule", tag = "channels", params(("slug" = String, Path), RuleOf),
    responses((status = 200, body = RuleInForce)))]
async fn rule(
    State(api): State<Api>,
    requester: Requester,
    Path(slug): Path<String>,
    Query(RuleOf { chatflow }): Query<RuleOf>,
) -> Result<axum::Json<RuleInForce>, Problem> {
    let directory = api.engine.directory();
    let Some(channel) = directory.channel_by_slug(&slug).filter(|channel| may_see(&api, &requester, channel)) else {
        return Err(no_such_channel());
    };
    known(channel, chatflow.as_deref())?;
    Ok(axum::Json(api.engine.rule(&slug, chatflow.as_deref())?.into()))
}

/// Change the rule of a channel, or of one of its chatflows.
///
/// A rule that cannot work is refused with every fault at once (ROUTING 7.7). It takes a role, not a seat (7.8).
#[utoipa::path(put, path = "/channels/{slug}/rule", tag = "channels", params(("slug" = String, Path), RuleOf), request_body = RuleWish,
    responses((status = 200, body = RuleInForce)))]
async fn set_rule(
    State(api): State<Api>,
    requester: Requester,
    Path(slug): Path<String>,
    Query(RuleOf { chatflow }): Query<RuleOf>,
    Json(RuleWish { version, rule }): Json<RuleWish>,
) -> Result<axum::Json<RuleInForce>, Problem> {
    known(api.engine.directory().channel_by_slug(&slug).ok_or_else(no_such_channel)?, chatflow.as_deref())?;
    match api.engine.put_rule(&requester.caller, &slug, chatflow.as_deref(), version, rule).await {
        Ok(rule) => Ok(axum::Json(rule.into())),
        Err(error) if error.kind == EngineErrorKind::Conflict => {
            let current = RuleInForce::from(api.engine.rule(&slug, chatflow.as_deref())?);
            Err(Problem::from(error).with_current(serde_json::to_value(current).ok()))
        }
        Err(error) => Err(error.into()),
    }
}

fn may_see(api: &Api, requester: &Requester, channel: &ChannelEntry) -> bool {
    Action::Rules.allowed_to(requester.caller.role) || api.engine.may_open(&requester.caller, channel.workspace)
}

fn row(api: &Api, channel: &ChannelEntry) -> ChannelRow {
    ChannelRow {
        entry: channel.clone(),
        capabilities: api.engine.capabilities(&channel.slug),
        state: api.engine.channel_state(&channel.slug).into(),
        stale: api.engine.stale_members(channel.id).into_iter().map(StaleMember::from).collect(),
    }
}

fn known(channel: &ChannelEntry, chatflow: Option<&str>) -> Result<(), Problem> {
    match chatflow {
        Some(slug) if channel.chatflow(slug).is_none() => {
            Err(Problem::new(ProblemCode::NotFound, "The channel has no such chatflow."))
        }
        _ => Ok(()),
    }
}

fn no_such_channel() -> Problem {
    Problem::new(ProblemCode::NotFound, "There is no such channel, or you may not open its workspace.")
}
