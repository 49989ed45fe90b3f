//! The HTTP paths of a form, below `/channels/{slug}`.

use crate::config::{Form, KEY_FIELD, LANGUAGE_FIELD, TOKEN_FIELD};
use crate::decode::{Checked, Envelope, FieldFault, checked, message};
use crate::encode::{self, Refusal};
use crate::guard::{Guard, Key, Nonce, is_cookie, is_key};
use crate::language::{accepted, well_formed};
use crate::limits::{RateLimit, client, origin_allowed};
use crate::page::{self, FormPage};
use crate::submission::Submission;
use crate::{body, check};
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, REFERRER_POLICY, RETRY_AFTER,
    SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Context, Inbox, Runtime};
use switchboard_model::{Nature, Receipt};
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Name of the header by which a client marks repeats of one submission.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// How long a browser keeps the cookie: 180 days.
const COOKIE_SECONDS: u32 = 180 * 24 * 60 * 60;

/// The router of one form.
pub(crate) fn router(form: &Arc<Form>, context: &Context) -> Router {
    let door = Arc::new(Door {
        form: Arc::clone(form),
        inbox: Arc::clone(&context.inbox),
        runtime: context.runtime.clone(),
        guard: Guard::new(Arc::clone(&context.runtime.secret), &form.slug),
        rate: RateLimit::new(form, Arc::clone(&context.runtime.clock)),
        readers: Semaphore::new(form.limits.concurrent),
    });
    let for_scripts = Router::new()
        .route("/schema", get(schema))
        .route("/submit", post(submit).get(to_page))
        .layer(DefaultBodyLimit::max(form.limits.body_bytes))
        .layer(cors(form));
    Router::new()
        .route("/", get(show_page))
        .route("/thanks", get(show_thanks))
        .route("/form.css", get(style))
        .route("/embed.js", get(embed))
        .merge(for_scripts)
        .fallback(elsewhere)
        .with_state(door)
}

/// What the handlers share.
struct Door {
    form: Arc<Form>,
    inbox: Arc<dyn Inbox>,
    runtime: Runtime,
    guard: Guard,
    rate: RateLimit,
    readers: Semaphore,
}

/// What the head of a request says about who asks.
struct Visit {
    /// Language tag that the visitor reads.
    language: String,
    /// The same, when it was stated for this form rather than guessed from the browser.
    stated_language: Option<String>,
    /// A page is wanted, not a document for programs.
    browser: bool,
    /// The form's cookie, when it has the right shape.
    cookie: Option<String>,
    /// The client's key, as sent.
    key: Option<Result<String, ()>>,
    /// The page that submits was served over https.
    secure: bool,
}

async fn show_page(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap) -> Response {
    let visit = Visit::of(&door.form, &uri, &headers);
    let nonce = door.guard.issue(door.runtime.clock.now());
    door.form_response(StatusCode::OK, &visit, &nonce, None, &[], None)
}

async fn show_thanks(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap) -> Response {
    let visit = Visit::of(&door.form, &uri, &headers);
    door.html(StatusCode::OK, page::thanks_page(&door.form, &visit.language))
}

async fn style() -> Response {
    let headers =
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=300"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, page::STYLE).into_response()
}

async fn embed() -> Response {
    let headers =
        [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "max-age=300"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, page::EMBED).into_response()
}

async fn schema(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap) -> Response {
    let visit = Visit::of(&door.form, &uri, &headers);
    let headers = [(CACHE_CONTROL, "no-cache"), (VARY, "accept-language")];
    (headers, axum::Json(encode::schema(&door.form, &visit.language))).into_response()
}

/// Somebody opened the address that an error page was shown at.
async fn to_page(State(door): State<Arc<Door>>) -> Redirect {
    Redirect::to(&door.form.base_path())
}

async fn elsewhere(State(door): State<Arc<Door>>, uri: Uri, headers: HeaderMap) -> Response {
    let visit = Visit::of(&door.form, &uri, &headers);
    let phrases = page::page_language(&visit.language).phrases();
    door.html(StatusCode::NOT_FOUND, page::refusal_page(&door.form, &visit.language, &phrases.not_found))
}

async fn submit(State(door): State<Arc<Door>>, request: Request) -> Response {
    let visit = Visit::of(&door.form, request.uri(), request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    if let Err(refusal) = door.admit(peer, request.headers()) {
        return door.refuse(&visit, &refusal);
    }
    let Ok(_reading) = door.readers.try_acquire() else {
        return door.refuse(&visit, &Refusal::Crowded);
    };
    match body::read(&door.form, request).await {
        Ok(submission) => door.take(visit.stated_in(&submission), &submission).await,
        Err(refusal) => door.refuse(&visit, &refusal),
    }
}

impl Door {
    fn admit(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Result<(), Refusal> {
        if !origin_allowed(&self.form, headers) {
            return Err(Refusal::Forbidden);
        }
        let taken = self.rate.take(client(&self.form, peer, headers));
        taken.map_err(|retry_after_seconds| Refusal::RateLimited { retry_after_seconds })
    }

    async fn take(&self, visit: Visit, submission: &Submission) -> Response {
        let now = self.runtime.clock.now();
        let page = submission.text(TOKEN_FIELD).and_then(|token| self.guard.verified(token));
        // Without a page, a nonce made now stands for this submission alone; should it fail, the page shown
        // next carries the nonce on, so that sending again repeats the same submission.
        let nonce = page.unwrap_or_else(|| self.guard.issue(now));
        let checked = checked(&self.form, submission);
        let trapped = !self.form.honeypot.is_empty() && submission.text(&self.form.honeypot).is_some();
        let key = visit.key_for(submission);
        let mut faults = checked.faults.clone();
        if key == Some(Err(())) {
            faults.push(FieldFault { field: KEY_FIELD.to_owned(), wrong: check::Wrong::InvalidKey });
        }
        if faults.is_empty() && page.is_some_and(|page| page.too_fast(now, self.form.limits.min_seconds)) {
            faults.push(FieldFault { field: TOKEN_FIELD.to_owned(), wrong: check::Wrong::TooFast });
        }
        if !trapped && !faults.is_empty() {
            return self.refuse_kept(&visit, &nonce, submission, &Refusal::Fields(faults));
        }
        let key = key.and_then(Result::ok);
        let envelope = self.envelope(&visit, page.as_ref(), &nonce, key.as_deref(), &checked, trapped);
        match self.inbox.push(message(&self.form, checked, envelope)).await {
            Ok(receipt) => self.accept(&visit, page.as_ref(), &receipt),
            Err(error) => {
                tracing::warn!(channel = %self.form.slug, kind = ?error.kind, "a submission was not stored");
                self.refuse_kept(&visit, &nonce, submission, &Refusal::Inbox(error.kind))
            }
        }
    }

    fn envelope(
        &self,
        visit: &Visit,
        page: Option<&Nonce>,
        nonce: &Nonce,
        key: Option<&str>,
        checked: &Checked,
        trapped: bool,
    ) -> Envelope {
        let key = key.map_or(Key::Page(*nonce), Key::Given);
        let external_id = self.guard.external_id(&key, &checked.digest(&self.form));
        let stranger = self.guard.stranger(&external_id);
        let new_cookie = page.filter(|_| visit.cookie.is_none()).map(|page| self.guard.new_cookie(page));
        Envelope {
            external_id,
            cookie: visit.cookie.as_ref().map(|cookie| self.guard.cookie_identity(cookie)),
            new_cookie: new_cookie.map(|cookie| self.guard.cookie_identity(&cookie)),
            stranger,
            language: Some(visit.stated_language.clone().unwrap_or_else(|| self.form.language.clone())),
            nature: if trapped { Nature::Spam } else { Nature::Message },
        }
    }

    fn accept(&self, visit: &Visit, page: Option<&Nonce>, receipt: &Receipt) -> Response {
        let mut response = if visit.browser {
            let thanks = || format!("{}/thanks?lang={}", self.form.base_path(), visit.language);
            let target = self.form.redirect.clone().unwrap_or_else(thanks);
            Redirect::to(&target).into_response()
        } else {
            (StatusCode::ACCEPTED, axum::Json(encode::receipt(receipt))).into_response()
        };
        if let Some(page) = page.filter(|_| visit.cookie.is_none()) {
            let (slug, value, path) = (&self.form.slug, self.guard.new_cookie(page), self.form.base_path());
            let secure = if visit.secure { "; Secure" } else { "" };
            let cookie = format!("sb_form_{slug}={value}; Path={path}; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
            response.headers_mut().extend(header_value(&cookie).map(|value| (SET_COOKIE, value)));
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Refuses a submission that was not read, or read for nothing: there is no input to keep.
    fn refuse(&self, visit: &Visit, refusal: &Refusal) -> Response {
        let phrases = page::page_language(&visit.language).phrases();
        let detail = refusal.detail(&self.form, phrases);
        let response = if visit.browser {
            self.html(refusal.status(), page::refusal_page(&self.form, &visit.language, &detail))
        } else {
            self.problem(visit, refusal)
        };
        with_retry_after(response, refusal)
    }

    /// Refuses a submission that was read: a browser gets the form back with everything that was typed.
    fn refuse_kept(&self, visit: &Visit, nonce: &Nonce, submission: &Submission, refusal: &Refusal) -> Response {
        if !visit.browser {
            return self.refuse(visit, refusal);
        }
        let phrases = page::page_language(&visit.language).phrases();
        let (faults, problem) = match refusal {
            Refusal::Fields(faults) => (faults.as_slice(), None),
            other => (&[][..], Some(other.detail(&self.form, phrases))),
        };
        let response = self.form_response(refusal.status(), visit, nonce, Some(submission), faults, problem);
        with_retry_after(response, refusal)
    }

    fn form_response(
        &self,
        status: StatusCode,
        visit: &Visit,
        nonce: &Nonce,
        kept: Option<&Submission>,
        faults: &[FieldFault],
        problem: Option<String>,
    ) -> Response {
        let token = self.guard.written(nonce);
        let page = FormPage { form: &self.form, language: &visit.language, token: &token, kept, faults, problem };
        self.html(status, page::form_page(&page))
    }

    fn problem(&self, visit: &Visit, refusal: &Refusal) -> Response {
        let document = encode::problem(&self.form, refusal, &visit.language);
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        (refusal.status(), headers, document.to_string()).into_response()
    }

    fn html(&self, status: StatusCode, body: String) -> Response {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // A stricter policy would make browsers hide the origin of our own page from us.
            (REFERRER_POLICY, "same-origin"),
            (VARY, "accept, accept-language"),
        ];
        let mut response = (status, headers, body).into_response();
        let policy = header_value(&content_security_policy(&self.form));
        response.headers_mut().extend(policy.map(|policy| (CONTENT_SECURITY_POLICY, policy)));
        response
    }
}

impl Visit {
    fn of(form: &Form, uri: &Uri, headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let asked = query.take(20).find(|(name, _)| name == "lang");
        let stated_language = asked.and_then(|(_, tag)| well_formed(&tag).map(str::to_owned));
        let language = stated_language.as_deref().or_else(|| text(&ACCEPT_LANGUAGE).and_then(accepted)).unwrap_or(&form.language);
        let accept = text(&ACCEPT).unwrap_or_default().to_ascii_lowercase();
        let jar = CookieJar::from_headers(headers);
        let cookie = jar.get(&format!("sb_form_{}", form.slug)).map(|cookie| cookie.value().to_owned());
        let key =
            headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().ok().filter(|key| is_key(key)).map(str::to_owned).ok_or(()));
        Self {
            language: language.to_owned(),
            stated_language,
            browser: accept.contains("text/html") || accept.contains("application/xhtml+xml"),
            cookie: cookie.filter(|value| is_cookie(value)),
            key,
            secure: text(&ORIGIN).is_some_and(|origin| origin.starts_with("https://")),
        }
    }

    /// The language that the page carried along, or that the embedding site declares, is stronger than what
    /// the browser prefers.
    fn stated_in(mut self, submission: &Submission) -> Self {
        if let Some(tag) = submission.text(LANGUAGE_FIELD).and_then(well_formed) {
            self.language = tag.to_owned();
            self.stated_language = Some(tag.to_owned());
        }
        self
    }

    /// The client's key: of the header, else of the field. `Err` when it has the wrong shape.
    fn key_for(&self, submission: &Submission) -> Option<Result<String, ()>> {
        let in_field = || submission.text(KEY_FIELD).map(|key| if is_key(key) { Ok(key.to_owned()) } else { Err(()) });
        self.key.clone().or_else(in_field)
    }
}

/// Scripts of the listed sites may read the schema and submit, without cookies.
fn cors(form: &Form) -> CorsLayer {
    let origins: Vec<HeaderValue> = form.origins.iter().filter_map(|origin| header_value(origin)).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE, IDEMPOTENCY_KEY])
        .expose_headers([RETRY_AFTER])
        .max_age(Duration::from_secs(600))
}

/// Nothing but our own style sheet and, where sites may embed it, our own script, our own address as the form's target, and the listed sites as frames. The
/// redirect is allowed as well, because browsers hold the target of a redirected form against `form-action`.
fn content_security_policy(form: &Form) -> String {
    let redirect = form.redirect.as_ref().and_then(|address| address.parse::<Uri>().ok());
    let target = redirect.and_then(|uri| Some(format!(" {}://{}", uri.scheme_str()?, uri.authority()?))).unwrap_or_default();
    let frames: String = form.origins.iter().map(|origin| format!(" {origin}")).collect();
    let scripts = if form.origins.is_empty() { "" } else { " script-src 'self';" };
    format!(
        "default-src 'none'; style-src 'self';{scripts} base-uri 'none'; form-action 'self'{target}; frame-ancestors 'self'{frames}"
    )
}

fn with_retry_after(mut response: Response, refusal: &Refusal) -> Response {
    if let Some(seconds) = refusal.retry_after_seconds() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A header value; `None` for text that no header can carry, which configuration checks keep out.
fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
