//! Errors as RFC 9457 problem documents: one shape for everything that can go wrong, with a stable `code`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use switchboard_model::Fault;
use utoipa::ToSchema;

/// What went wrong, boxed so that results stay small.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    document: ProblemDocument,
    retry_after_s: Option<u64>,
    allow: Option<HeaderValue>,
}

/// A problem document (RFC 9457) as every failed request answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// A reference that identifies the kind of problem, relative to this host.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem in a few words.
    pub title: String,
    /// The HTTP status, repeated.
    pub status: u16,
    /// What went wrong this time, for a person.
    pub detail: String,
    /// The kind of problem, for a program.
    pub code: ProblemCode,
    /// Every fault of the request at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
    /// With 409: the row as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Value>,
    /// Where in the body JSON could not be read, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The column on that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
}

/// The kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// The body is not JSON.
    BadJson,
    /// Nobody is signed in, or the token is not valid.
    Unauthenticated,
    /// Signed in, but not permitted.
    Forbidden,
    /// There is no such thing, or the reader may not open it.
    NotFound,
    /// The path exists, the method on it does not.
    MethodNotAllowed,
    /// It was changed meanwhile; `current` says how it stands.
    Conflict,
    /// A newer message than the one seen has arrived; `current` is the item as it is now.
    NewMessages,
    /// More than the limit.
    TooLarge,
    /// Not the media type that the path reads.
    UnsupportedMediaType,
    /// The values do not fit; `errors` names each.
    Invalid,
    /// Too many requests; `Retry-After` says when to come again.
    RateLimited,
    /// A fault in Switchboard, which is logged under the request id.
    Internal,
    /// The database or a channel cannot do it now; `Retry-After` says when to try again.
    Unavailable,
}

impl ProblemCode {
    /// Every code, in the order of their statuses.
    pub(crate) const ALL: [Self; 13] = [
        Self::BadJson,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::NewMessages,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::RateLimited,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The code as it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::NewMessages => "new_messages",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid => "invalid",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The status that goes with the code.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::BadJson => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict | Self::NewMessages => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind of problem in a few words.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::BadJson => "The body is not JSON",
            Self::Unauthenticated => "Not signed in",
            Self::Forbidden => "Not permitted",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Changed meanwhile",
            Self::NewMessages => "Newer messages",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Invalid => "Values do not fit",
            Self::RateLimited => "Too many requests",
            Self::Internal => "Internal fault",
            Self::Unavailable => "Not available now",
        }
    }
}

impl Problem {
    /// A problem of a kind, with what went wrong this time.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            document: ProblemDocument {
                kind: format!("/api/docs#problem-{}", code.as_str()),
                title: code.title().to_owned(),
                status: code.status().as_u16(),
                detail: detail.into(),
                code,
                errors: Vec::new(),
                current: None,
                line: None,
                column: None,
            },
            retry_after_s: None,
            allow: None,
        }))
    }

    /// Values that do not fit, one fault for each.
    pub(crate) fn invalid(detail: impl Into<String>, errors: Vec<Fault>) -> Self {
        let mut problem = Self::new(ProblemCode::Invalid, detail);
        problem.0.document.errors = errors;
        problem
    }

    /// One value that does not fit.
    pub(crate) fn invalid_value(key: &str, message: impl Into<String>) -> Self {
        let fault = Fault::new(key, message);
        Self::invalid(format!("{fault}"), vec![fault])
    }

    /// A fault of Switchboard itself. What happened goes to the log, not to the client.
    pub(crate) fn internal() -> Self {
        Self::new(ProblemCode::Internal, "Something failed inside Switchboard; the log has it under this request's id.")
    }

    /// The row as it is now, for 409.
    pub(crate) fn with_current(mut self, current: Option<Value>) -> Self {
        self.0.document.current = current;
        self
    }

    /// Where JSON could not be read.
    pub(crate) fn at(mut self, line: usize, column: usize) -> Self {
        self.0.document.line = Some(line);
        self.0.document.column = Some(column);
        self
    }

    /// When to come again, in seconds.
    pub(crate) fn retry_after_s(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds.max(1));
        self
    }

    /// The methods that the path has.
    pub(crate) fn allowing(mut self, methods: &str) -> Self {
        self.0.allow = HeaderValue::from_str(methods).ok();
        self
    }

    /// The status that the problem answers with.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.document.code.status()
    }

    /// The document that the problem answers with.
    #[cfg(test)]
    pub(crate) fn document(&self) -> &ProblemDocument {
        &self.0.document
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Parts { document, retry_after_s, allow } = *self.0;
        let mut response = (document.code.status(), Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = allow {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, ProblemCode};
    use axum::response::IntoResponse;
    use serde_json::{Value, json};
    use switchboard_model::Fault;

    #[tokio::test]
    async fn a_problem_answers_with_its_media_type_status_and_members() {
        let faults = vec![Fault::new("owner", "is not a member of Support")];
        let response = Problem::invalid("owner: is not a member of Support", faults).into_response();
        assert_eq!(response.status(), 422);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a short body");
        assert_eq!(
            serde_json::from_slice::<Value>(&body).expect("JSON"),
            json!({
                "type": "/api/docs#problem-invalid",
                "title": "Values do not fit",
                "status": 422,
                "detail": "owner: is not a member of Support",
                "code": "invalid",
                "errors": [{"key": "owner", "message": "is not a member of Support"}],
            })
        );
    }

    #[test]
    fn a_pause_is_at_least_one_second() {
        let response = Problem::new(ProblemCode::RateLimited, "slow down").retry_after_s(0).into_response();
        assert_eq!(response.headers()["retry-after"], "1");
    }

    #[test]
    fn codes_are_written_as_they_are_serialised() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("a word"), Value::from(code.as_str()));
        }
    }
}
