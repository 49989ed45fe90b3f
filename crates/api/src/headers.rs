//! Security headers of everything that the API answers. A handler that sets one of them keeps its own.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const ALWAYS: [(HeaderName, HeaderValue); 6] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Whether people reach this host over https, so that browsers may be told to stay there.
#[derive(Clone, Copy)]
pub(crate) struct Https(pub(crate) bool);

/// Adds the headers.
pub(crate) async fn secure(State(Https(https)): State<Https>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if https {
        headers.entry(STRICT_TRANSPORT_SECURITY).or_insert(HeaderValue::from_static("max-age=31536000"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Https, secure};
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use http::{HeaderMap, Request};
    use tower::ServiceExt;

    async fn headers(https: bool) -> HeaderMap {
        let app: Router = Router::new()
            .route("/", get(|| async { [("cache-control", "private, max-age=60")].into_response() }))
            .layer(from_fn_with_state(Https(https), secure));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        app.oneshot(request).await.expect("infallible").headers().clone()
    }

    #[tokio::test]
    async fn answers_are_not_sniffed_framed_or_leaked() {
        let headers = headers(true).await;
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
    }

    #[tokio::test]
    async fn a_handler_keeps_its_own_headers_and_http_promises_no_https() {
        let headers = headers(false).await;
        assert_eq!(headers["cache-control"], "private, max-age=60");
        assert!(!headers.contains_key("strict-transport-security"));
    }
}
