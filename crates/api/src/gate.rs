//! The gate before every route below `/api/v1`: rate, origin, sign-in, permission, in that order.
//!
//! The gate knows routes from the table in `permissions`; a route that is not in it opens for nobody.

use crate::idempotency;
use crate::limits::client_address;
use crate::origin::may_change;
use crate::permissions::{Access, Action, BodySize, methods_of, role_of_scopes, route};
use crate::problem::{Problem, ProblemCode};
use crate::session::{bearer_token, session_cookie};
use crate::state::Api;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use secrecy::SecretString;
use switchboard_engine::Caller;

/// Who asks, and by what right.
#[derive(Clone, Debug)]
pub(crate) struct Requester {
    /// Who asks, for the engine.
    pub(crate) caller: Caller,
    /// How the requester was recognised.
    pub(crate) credential: Credential,
}

/// How a requester was recognised.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// By the cookie of a session.
    Session {
        /// The session's public id.
        id: String,
        /// The cookie's value.
        secret: SecretString,
    },
    /// By a token.
    Token {
        /// The token.
        secret: SecretString,
    },
}

impl Requester {
    /// Refuses unless the requester may do it.
    pub(crate) fn require(&self, action: Action) -> Result<(), Problem> {
        if action.allowed_to(self.caller.role) {
            return Ok(());
        }
        let (action, role) = (action.as_str(), action.least_role());
        Err(Problem::new(ProblemCode::Forbidden, format!("This needs the permission `{action}`, which starts at role `{role}`.")))
    }

    /// The id of the session, unless a program asks.
    pub(crate) fn session_id(&self) -> Option<&str> {
        match &self.credential {
            Credential::Session { id, .. } => Some(id),
            Credential::Token { .. } => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Requester {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(unauthenticated)
    }
}

/// Lets a request through to its handler, or answers why not.
pub(crate) async fn gate(State(api): State<Api>, request: Request, next: Next) -> Response {
    match admit(&api, request).await {
        Ok((request, body)) => idempotency::answer(&api, request, limit_bytes(&api, body), next).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admit(api: &Api, mut request: Request) -> Result<(Request, BodySize), Problem> {
    let address = client_address(request.extensions(), request.headers(), &api.options.trusted_proxies);
    api.limits.address(address)?;
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let Some(entry) = route(request.method(), &matched) else {
        return Err(not_listed(&matched));
    };
    let bearer = bearer_token(request.headers());
    if bearer.is_none() && !may_change(request.method(), request.headers(), api.public_origin.as_deref()) {
        return Err(Problem::new(ProblemCode::Forbidden, "Another site may not change things here."));
    }
    let action = match entry.access {
        Access::Public => return Ok((request, entry.body)),
        Access::Person => None,
        Access::May(action) => Some(action),
    };
    let requester = recognise(api, bearer, session_cookie(request.headers())).await?;
    api.limits.caller(&requester.caller.actor)?;
    match action {
        Some(action) => requester.require(action)?,
        None if requester.caller.user.is_none() => {
            return Err(Problem::new(ProblemCode::Forbidden, "This is for a signed-in person; a token stands for none."));
        }
        None => {}
    }
    request.extensions_mut().insert(requester);
    Ok((request, entry.body))
}

/// Whoever holds the token or, without one, the session.
pub(crate) async fn recognise(
    api: &Api,
    bearer: Option<SecretString>,
    cookie: Option<SecretString>,
) -> Result<Requester, Problem> {
    use secrecy::ExposeSecret;
    if let Some(secret) = bearer {
        let Some((mut caller, scopes)) = api.engine.token_caller(secret.expose_secret()).await? else {
            return Err(unauthenticated());
        };
        caller.role = role_of_scopes(&scopes).ok_or_else(unauthenticated)?;
        return Ok(Requester { caller, credential: Credential::Token { secret } });
    }
    let secret = cookie.ok_or_else(unauthenticated)?;
    let (caller, id) = api.engine.session(secret.expose_secret()).await?.ok_or_else(unauthenticated)?;
    Ok(Requester { caller, credential: Credential::Session { id, secret } })
}

fn unauthenticated() -> Problem {
    Problem::new(ProblemCode::Unauthenticated, "Sign in, or send a valid token as `Authorization: Bearer`.")
}

fn not_listed(matched: &str) -> Problem {
    let methods = methods_of(matched);
    if methods.is_empty() {
        tracing::error!(route = matched, "a route has no entry in the table of permissions");
        return Problem::new(ProblemCode::NotFound, "There is nothing under this address.");
    }
    Problem::new(ProblemCode::MethodNotAllowed, format!("This address takes {methods}.")).allowing(&methods)
}

fn limit_bytes(api: &Api, size: BodySize) -> usize {
    match size {
        BodySize::Request => api.options.bodies.request_bytes,
        BodySize::Message => api.options.bodies.message_bytes,
        BodySize::Directory => api.options.bodies.directory_bytes,
    }
}
