//! What handlers take out of a request, refused as problem documents.

use crate::problem::{Problem, ProblemCode};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use switchboard_model::Fault;

/// A JSON body. Another media type is refused with 415, too large a body with 413, text that is no JSON with
/// 400 and its position, and JSON that does not fit with 422.
pub(crate) struct Json<T>(pub(crate) T);

/// A text body, for TOML documents.
pub(crate) struct Text(pub(crate) String);

/// The ids in a path. What is no id names nothing: 404.
pub(crate) struct Path<T>(pub(crate) T);

/// The query. An unknown or unreadable parameter is refused with 422.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(ProblemCode::UnsupportedMediaType, "This path reads `content-type: application/json`."));
        }
        let bytes = read_body(request, state).await?;
        parse_json(&bytes).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !matches!(essence(request.headers()).as_deref(), Some("application/toml" | "text/plain")) {
            let detail = "This path reads `content-type: application/toml` or `text/plain`.";
            return Err(Problem::new(ProblemCode::UnsupportedMediaType, detail));
        }
        let bytes = read_body(request, state).await?;
        let text = String::from_utf8(bytes.into()).map_err(|_| Problem::invalid_value("body", "is not UTF-8 text"))?;
        Ok(Self(text))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::new(ProblemCode::NotFound, "There is nothing under this address.")),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let found: Result<axum::extract::Query<T>, QueryRejection> = axum::extract::Query::try_from_uri(&parts.uri);
        match found {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let source = std::error::Error::source(&rejection).map_or_else(|| rejection.body_text(), ToString::to_string);
                Err(Problem::invalid_value("query", source))
            }
        }
    }
}

/// Reads JSON, or says where and why it cannot be read.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            Category::Data => {
                let message = without_position(&error.to_string());
                let key = quoted_field(&message).unwrap_or("body").to_owned();
                Problem::invalid(format!("{message}, at line {line} column {column}"), vec![Fault::new(key, message)])
            }
            _ => Problem::new(ProblemCode::BadJson, error.to_string()),
        }
        .at(line, column)
    })
}

/// What a body that cannot be read is answered with.
pub(crate) fn body_problem(rejection: &BytesRejection) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
        _ => Problem::new(ProblemCode::BadJson, "The body could not be read to its end."),
    }
}

/// What a body beyond the limit of its path is answered with.
pub(crate) fn too_large() -> Problem {
    Problem::new(ProblemCode::TooLarge, "The body is larger than this path takes.")
}

async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| body_problem(&rejection))
}

fn is_json(headers: &HeaderMap) -> bool {
    essence(headers).is_some_and(|essence| {
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

/// The media type without its parameters, in lower case.
fn essence(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
}

/// serde appends the position, which the document has members for.
fn without_position(message: &str) -> String {
    message.rfind(" at line ").map_or(message, |end| &message[..end]).to_owned()
}

/// The field that serde names between backquotes, in the messages that are about one.
fn quoted_field(message: &str) -> Option<&str> {
    let rest =
        ["missing field `", "unknown field `", "duplicate field `"].iter().find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::{Json, Path, Query, parse_json};
    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use http::Request;
    use serde::Deserialize;
    use switchboard_model::ItemId;
    use tower::ServiceExt;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[serde(rename = "version")]
        _version: i64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[serde(rename = "limit")]
        _limit: Option<u32>,
    }

    async fn status(uri: &str, content_type: &str, body: &str) -> u16 {
        let app: Router = Router::new()
            .route("/{id}", post(|_: Path<ItemId>, _: Query<Wish>, _: Json<Shape>| async { "ok" }))
            .layer(DefaultBodyLimit::max(64));
        let request =
            Request::post(uri).header("content-type", content_type).body(Body::from(body.to_owned())).expect("a request");
        app.oneshot(request).await.expect("infallible").status().as_u16()
    }

    #[tokio::test]
    async fn each_fault_of_a_request_has_its_status() {
        let good = "{\"version\":1}";
        assert_eq!(status("/7", "application/json", good).await, 200);
        assert_eq!(status("/7", "application/json; charset=utf-8", good).await, 200);
        assert_eq!(status("/7", "text/plain", good).await, 415);
        assert_eq!(status("/7", "application/json", "{\"version\":").await, 400);
        assert_eq!(status("/7", "application/json", "{\"version\":\"one\"}").await, 422);
        assert_eq!(status("/7", "application/json", "{\"version\":1,\"x\":2}").await, 422);
        assert_eq!(status("/7", "application/json", &format!("{{\"version\":1{}}}", " ".repeat(80))).await, 413);
        assert_eq!(status("/seven", "application/json", good).await, 404);
        assert_eq!(status("/7?limit=many", "application/json", good).await, 422);
        assert_eq!(status("/7?vew=mine", "application/json", good).await, 422);
    }

    #[test]
    fn broken_json_is_refused_with_its_position() {
        let problem = parse_json::<Shape>(b"{\n  \"version\": }").expect_err("broken");
        assert_eq!(problem.status(), 400);
        assert_eq!((problem.document().line, problem.document().column), (Some(2), Some(14)));
    }

    #[test]
    fn json_that_does_not_fit_names_the_field() {
        let problem = parse_json::<Shape>(b"{}").expect_err("incomplete");
        assert_eq!(problem.status(), 422);
        assert_eq!(problem.document().errors[0].to_string(), "version: missing field `version`");
    }

    #[test]
    fn a_hundred_thousand_nested_lists_are_refused_and_nothing_overflows() {
        let problem = parse_json::<serde_json::Value>("[".repeat(100_000).as_bytes()).expect_err("too deep");
        assert_eq!(problem.status(), 400);
    }
}
