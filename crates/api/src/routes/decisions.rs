//! Why items went where they went (ROUTING 13.1).

use super::items::Base;
use crate::extract::Path;
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{DecisionRow, Explained, Names, WaitingAnswer, WhyNotAnswer};
use crate::wording::{Wording, language};
use axum::extract::State;
use http::HeaderMap;
use switchboard_model::{DecisionId, ItemId, UserId};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Routes below an item.
pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(waiting)).routes(routes!(why_not))
}

/// Routes of decisions by their own id.
pub(super) fn explanation_routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(explanation))
}

/// The decisions about an item, newest first.
#[utoipa::path(get, path = "/{id}/decisions", tag = "decisions", params(("id" = ItemId, Path)),
    responses((status = 200, body = [DecisionRow])))]
async fn list(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    headers: HeaderMap,
) -> Result<axum::Json<Vec<DecisionRow>>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let decisions = api.engine.decisions(&requester.caller, id).await?;
    let language = reader_language(&api, &requester, &headers).await?;
    let rows = decisions.into_iter().map(|decision| {
        let switchboard_engine::Explained { decision, names, .. } = api.engine.brief(decision);
        let names = Names::from(names);
        let text = Wording::new(&api.options.translate, &language, &names).outcome(&decision.decision.outcome);
        DecisionRow { decision, text }
    });
    Ok(axum::Json(rows.collect()))
}

/// Why an item waits or has no owner, its place, what everybody lacks, and what would change that.
#[utoipa::path(get, path = "/{id}/waiting", tag = "decisions", params(("id" = ItemId, Path)),
    responses((status = 200, body = WaitingAnswer)))]
async fn waiting(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path(id): Path<ItemId>,
    headers: HeaderMap,
) -> Result<axum::Json<WaitingAnswer>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let language = reader_language(&api, &requester, &headers).await?;
    let found = api.engine.why_waiting(&requester.caller, id).await?;
    let (why, remedies, names) = found.map_or_else(Default::default, |found| (Some(found.why), found.remedies, found.names));
    let names = Names::from(names);
    let text = Wording::new(&api.options.translate, &language, &names).waiting(why.as_ref(), &remedies, api.engine.now());
    Ok(axum::Json(WaitingAnswer { why, remedies, names, text }))
}

/// Why somebody does not have an item, by the decision that would be made about it now.
#[utoipa::path(get, path = "/{id}/why-not/{user}", tag = "decisions",
    params(("id" = ItemId, Path), ("user" = UserId, Path)), responses((status = 200, body = WhyNotAnswer)))]
async fn why_not(
    State(api): State<Api>,
    requester: Requester,
    base: Base,
    Path((id, user)): Path<(ItemId, UserId)>,
    headers: HeaderMap,
) -> Result<axum::Json<WhyNotAnswer>, Problem> {
    base.admits_id(&api, &requester, id).await?;
    let language = reader_language(&api, &requester, &headers).await?;
    let found = api.engine.why_not(&requester.caller, id, user).await?;
    let (answer, names) = found.map_or_else(Default::default, |found| (Some(found.answer), found.names));
    let names = Names::from(names);
    let text = Wording::new(&api.options.translate, &language, &names).why_not(user, answer.as_ref(), api.engine.now());
    Ok(axum::Json(WhyNotAnswer { answer, names, text }))
}

/// A decision with everybody who was looked at.
#[utoipa::path(get, path = "/decisions/{id}/explanation", tag = "decisions", params(("id" = DecisionId, Path)),
    responses((status = 200, body = Explained)))]
async fn explanation(
    State(api): State<Api>,
    requester: Requester,
    Path(id): Path<DecisionId>,
    headers: HeaderMap,
) -> Result<axum::Json<Explained>, Problem> {
    let switchboard_engine::Explained { decision, explanation, names } = api.engine.explanation(&requester.caller, id).await?;
    let names = Names::from(names);
    let language = reader_language(&api, &requester, &headers).await?;
    let text = Wording::new(&api.options.translate, &language, &names).lines(&decision, explanation.as_ref());
    Ok(axum::Json(Explained { decision, explanation, names, text }))
}

async fn reader_language(api: &Api, requester: &Requester, headers: &HeaderMap) -> Result<String, Problem> {
    let own = match requester.caller.user {
        Some(user) => api.engine.language(user).await?,
        None => None,
    };
    Ok(language(own.as_deref(), headers, &api.options.languages))
}
