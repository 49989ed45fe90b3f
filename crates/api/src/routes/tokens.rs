//! Tokens for programs.

use crate::extract::{Json, Path};
use crate::gate::Requester;
use crate::idempotency::StoredInstead;
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{NewToken, Scope, TokenView};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use secrecy::ExposeSecret;
use serde::Deserialize;
use switchboard_model::{Timestamp, TokenId};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

const MAX_NAME_CHARS: usize = 100;

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenWish {
    /// What it is for, 1 to 100 characters.
    name: String,
    /// What it allows, at least one.
    scopes: Vec<Scope>,
    /// When it ends; never when absent.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// Tokens that are in force.
#[utoipa::path(get, path = "/tokens", tag = "tokens", responses((status = 200, body = [TokenView])))]
async fn list(State(api): State<Api>) -> Result<axum::Json<Vec<TokenView>>, Problem> {
    Ok(axum::Json(api.engine.tokens().await?.into_iter().map(TokenView::from).collect()))
}

/// Make a token.
///
/// Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/tokens", tag = "tokens", request_body = TokenWish, responses((status = 201, body = NewToken)))]
async fn create(State(api): State<Api>, requester: Requester, Json(wish): Json<TokenWish>) -> Result<Response, Problem> {
    let name = wish.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
        return Err(Problem::invalid_value("name", format!("is 1 to {MAX_NAME_CHARS} characters")));
    }
    if wish.scopes.is_empty() {
        return Err(Problem::invalid_value("scopes", "names at least one of read, write, admin"));
    }
    if wish.expires_at.is_some_and(|at| at <= api.engine.now()) {
        return Err(Problem::invalid_value("expires_at", "lies in the past"));
    }
    let mut scopes: Vec<switchboard_engine::Scope> = wish.scopes.into_iter().map(Into::into).collect();
    scopes.sort_unstable();
    scopes.dedup();
    let (secret, view) = api.engine.create_token(&requester.caller, name, &scopes, wish.expires_at).await?;
    let mut token = NewToken { token: None, view: view.into() };
    let stored = serde_json::to_string(&token).map_err(|_| Problem::internal())?;
    token.token = Some(secret.expose_secret().to_owned());
    let mut response = (StatusCode::CREATED, axum::Json(token)).into_response();
    response.extensions_mut().insert(StoredInstead(stored));
    Ok(response)
}

/// Revoke a token.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", params(("id" = TokenId, Path)), responses((status = 204)))]
async fn revoke(State(api): State<Api>, requester: Requester, Path(id): Path<TokenId>) -> Result<StatusCode, Problem> {
    api.engine.revoke_token(&requester.caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
