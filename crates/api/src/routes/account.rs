//! Signing in and out, one's own sessions, password, language and undo time.

use crate::extract::{Json, Path};
use crate::gate::Requester;
use crate::limits::client_address;
use crate::permissions::Action;
use crate::problem::{Problem, ProblemCode};
use crate::session::{clear_cookie, session_cookie, set_cookie};
use crate::state::Api;
use crate::views::{DeskSettings, Me, SessionView};
use axum::RequestExt;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{SET_COOKIE, USER_AGENT};
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_engine::{Caller, UNDO_SECONDS};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, sign_out))
        .routes(routes!(sessions))
        .routes(routes!(revoke_session))
        .routes(routes!(me))
        .routes(routes!(change_password))
        .routes(routes!(set_language))
        .routes(routes!(set_undo_send))
}

/// Longest email and password that are looked at, in bytes.
const MAX_EMAIL_BYTES: usize = 320;
const MAX_PASSWORD_BYTES: usize = 1024;

/// Email and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The sign-in name, whatever its letter case.
    email: String,
    /// The password.
    #[schema(value_type = String)]
    password: SecretString,
}

/// The password as it is and as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password in force.
    #[schema(value_type = String)]
    current: SecretString,
    /// The new one.
    #[schema(value_type = String)]
    new: SecretString,
}

/// The language of the desk.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LanguageChange {
    /// One of the languages of the desk, or null to follow the browser.
    #[serde(deserialize_with = "super::nullable")]
    #[schema(required = true)]
    language: Option<String>,
}

/// The time in which one's mails can be taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoSendChange {
    /// 0, 5, 10 or 30.
    seconds: u32,
}

/// Sign in.
///
/// Sets the cookie `sb_session`. A wrong email and a wrong password are answered alike; attempts are limited per
/// address and per email.
#[utoipa::path(post, path = "/session", tag = "account", request_body = SignIn, responses((status = 200, body = Me)))]
async fn sign_in(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let address = client_address(request.extensions(), request.headers(), &api.options.trusted_proxies);
    let agent: String =
        request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default().chars().take(200).collect();
    let Json(SignIn { email, password }) = request.extract::<Json<SignIn>, _>().await?;
    if email.len() > MAX_EMAIL_BYTES {
        return Err(Problem::invalid_value("email", format!("is at most {MAX_EMAIL_BYTES} bytes")));
    }
    check_length("password", &password)?;
    api.limits.sign_in(address, &email)?;
    let signed_in = api.engine.sign_in(&email, password, &agent).await?;
    let cookie =
        set_cookie(&signed_in.secret, api.engine.now(), signed_in.expires_at, api.is_https()).ok_or_else(Problem::internal)?;
    let me = me_view(&api, &signed_in.caller).await?;
    Ok(([(SET_COOKIE, cookie)], axum::Json(me)).into_response())
}

/// Sign out.
///
/// Ends the session of the cookie and its live streams, and takes the cookie. Without a session nothing happens.
#[utoipa::path(delete, path = "/session", tag = "account", responses((status = 204)))]
async fn sign_out(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(secret) = session_cookie(&headers) {
        let session = api.engine.session(secret.expose_secret()).await?;
        api.engine.sign_out(secret.expose_secret()).await?;
        if let Some((_, id)) = session {
            api.streams.end_session(&id);
        }
    }
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, clear_cookie(api.is_https()))]).into_response())
}

/// One's own sessions.
#[utoipa::path(get, path = "/sessions", tag = "account", responses((status = 200, body = [SessionView])))]
async fn sessions(State(api): State<Api>, requester: Requester) -> Result<axum::Json<Vec<SessionView>>, Problem> {
    let sessions = api.engine.sessions(&requester.caller).await?;
    let current = requester.session_id();
    Ok(axum::Json(sessions.into_iter().map(|session| SessionView::new(session, current)).collect()))
}

/// End one of one's own sessions.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "account", params(("id" = String, Path)), responses((status = 204)))]
async fn revoke_session(State(api): State<Api>, requester: Requester, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    api.engine.revoke_session(&requester.caller, &id).await?;
    api.streams.end_session(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// Who one is, what one may do, and how one stands.
#[utoipa::path(get, path = "/me", tag = "account", responses((status = 200, body = Me)))]
async fn me(State(api): State<Api>, requester: Requester) -> Result<axum::Json<Me>, Problem> {
    me_view(&api, &requester.caller).await.map(axum::Json)
}

/// Change one's own password.
///
/// Every session ends, this one too: sign in anew.
#[utoipa::path(put, path = "/me/password", tag = "account", request_body = PasswordChange, responses((status = 204)))]
async fn change_password(
    State(api): State<Api>,
    requester: Requester,
    Json(change): Json<PasswordChange>,
) -> Result<Response, Problem> {
    check_length("current", &change.current)?;
    check_length("new", &change.new)?;
    requester.caller.user.map_or(Ok(()), |user| api.limits.password(user))?;
    let sessions = api.engine.sessions(&requester.caller).await?;
    api.engine.change_password(&requester.caller, change.current, change.new).await?;
    sessions.iter().for_each(|session| api.streams.end_session(&session.id));
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, clear_cookie(api.is_https()))]).into_response())
}

/// Choose the language of one's desk.
#[utoipa::path(put, path = "/me/language", tag = "account", request_body = LanguageChange, responses((status = 204)))]
async fn set_language(
    State(api): State<Api>,
    requester: Requester,
    Json(LanguageChange { language }): Json<LanguageChange>,
) -> Result<StatusCode, Problem> {
    let known = &api.options.languages;
    if language.as_ref().is_some_and(|language| !known.contains(language)) {
        return Err(Problem::invalid_value("language", format!("is null or one of {}", known.join(", "))));
    }
    api.engine.set_language(&requester.caller, language).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Choose how long one's mails wait before they go out, so that they can be taken back.
#[utoipa::path(put, path = "/me/undo-send", tag = "account", request_body = UndoSendChange, responses((status = 204)))]
async fn set_undo_send(
    State(api): State<Api>,
    requester: Requester,
    Json(UndoSendChange { seconds }): Json<UndoSendChange>,
) -> Result<StatusCode, Problem> {
    if !UNDO_SECONDS.contains(&seconds) {
        return Err(Problem::invalid_value("seconds", "is 0, 5, 10 or 30"));
    }
    api.engine.set_undo_seconds(&requester.caller, seconds).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn me_view(api: &Api, caller: &Caller) -> Result<Me, Problem> {
    let id = caller.user.ok_or_else(|| Problem::new(ProblemCode::Forbidden, "A token stands for no person."))?;
    let directory = api.engine.directory();
    let mut user = directory.user(id).cloned().ok_or_else(Problem::internal)?;
    user.language = api.engine.language(id).await?;
    // Asked for first: what happens while the rest is read is then told again by the stream, never missed.
    let (_, last_event) = api.engine.event_range().await?;
    let channels: BTreeMap<_, _> =
        directory.channels.iter().map(|channel| (channel.slug.clone(), api.engine.capabilities(&channel.slug))).collect();
    let permitted = Action::ALL.into_iter().filter(|action| action.allowed_to(caller.role));
    Ok(Me {
        user,
        permissions: permitted.map(|action| action.as_str().to_owned()).collect(),
        person: api.engine.person(id).await?.into(),
        counts: api.engine.counts(caller).await?.into(),
        last_event,
        undo_seconds: api.engine.undo_seconds(id).await?,
        settings: DeskSettings {
            company: api.options.company.clone(),
            channels,
            languages: api.options.languages.clone(),
            own_addresses: api.engine.own_addresses(),
        },
    })
}

fn check_length(key: &str, password: &SecretString) -> Result<(), Problem> {
    if password.expose_secret().len() > MAX_PASSWORD_BYTES {
        return Err(Problem::invalid_value(key, format!("is at most {MAX_PASSWORD_BYTES} bytes")));
    }
    Ok(())
}
