//! The directory as a file, and the audit log.

use super::rows;
use crate::extract::{Query, Text};
use crate::gate::Requester;
use crate::problem::Problem;
use crate::state::Api;
use crate::views::{ApplyReport, AuditEntry};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use switchboard_engine::ApplyOptions;
use switchboard_model::Page;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(export, apply)).routes(routes!(audit))
}

/// How a directory file is applied.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApplyQuery {
    /// Only say what would change.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
    /// Entries that the file does not name go.
    #[serde(default)]
    #[param(required = false)]
    prune: bool,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, 1 to 200; 50 when absent.
    limit: Option<u32>,
}

/// Export the directory as TOML, which `PUT` takes again.
#[utoipa::path(get, path = "/directory", tag = "directory", responses((status = 200, body = String, content_type = "text/plain")))]
async fn export(State(api): State<Api>) -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], api.engine.export()).into_response()
}

/// Apply a directory file.
///
/// All of it or, with faults, none of it.
#[utoipa::path(put, path = "/directory", tag = "directory", params(ApplyQuery),
    request_body(content = String, content_type = "application/toml"), responses((status = 200, body = ApplyReport)))]
async fn apply(
    State(api): State<Api>,
    requester: Requester,
    Query(ApplyQuery { dry_run, prune }): Query<ApplyQuery>,
    Text(text): Text,
) -> Result<axum::Json<ApplyReport>, Problem> {
    let report = api.engine.apply(&requester.caller, &text, ApplyOptions { dry_run, prune }).await?;
    Ok(axum::Json(report.into()))
}

/// What was changed in settings, by whom, newest first.
#[utoipa::path(get, path = "/audit", tag = "directory", params(AuditQuery), responses((status = 200, body = Page<AuditEntry>)))]
async fn audit(State(api): State<Api>, Query(query): Query<AuditQuery>) -> Result<axum::Json<Page<AuditEntry>>, Problem> {
    let Page { rows, next, total } = api.engine.audit(query.cursor.as_deref(), rows(query.limit)?).await?;
    Ok(axum::Json(Page { rows: rows.into_iter().map(AuditEntry::from).collect(), next, total }))
}
