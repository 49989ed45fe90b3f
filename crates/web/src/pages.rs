//! The router that serves the built desk: its page for every address of the application, hashed files for
//! good, and two empty frames in which mails are shown under a policy of their own.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY as CSP_HEADER, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::fmt::Write;

/// What the desk may load: its own files, and nothing from anywhere else.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     connect-src 'self'; font-src 'self'; frame-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'";

/// Mails run no scripts and fetch nothing from strangers, but keep the styles they were written with.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob:; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";

/// The same after the reader has asked for the pictures of one mail.
const MAIL_WITH_IMAGES_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data: blob: https:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
     sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox";

const MAIL_FRAME: &str = "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
     <base target=\"_blank\"><title>Mail</title></head><body></body></html>";

const STUB: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
     <meta name=\"viewport\" content=\"width=device-width\"><title>Switchboard</title></head><body><main>\
     <h1>Switchboard is running</h1><p>The desk has not been built yet. Run <code>npm ci</code> and \
     <code>npm run build</code> in <code>crates/web</code>, or start with <code>cargo xtask run</code>, and load this page \
     again. The API is at <a href=\"/api/docs\">/api/docs</a>.</p></main></body></html>";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/dist"]
#[allow_missing = true]
pub(crate) struct Built;

/// The pages: `/`, `/login`, `/inbox/…`, `/search`, `/settings/…`, the icon, the files under `/assets/` and the frames under
/// `/frame/`. Anything else is left to whoever merges this router with others, and is 404 on its own.
pub fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/login", get(page))
        .route("/inbox", get(page))
        .route("/inbox/{*rest}", get(page))
        .route("/search", get(page))
        .route("/settings", get(page))
        .route("/settings/{*rest}", get(page))
        .route("/assets/{*path}", get(asset))
        .route("/favicon.svg", get(icon))
        // Where browsers look for pages that name none, such as the chat's own.
        .route("/favicon.ico", get(icon))
        .route("/frame/mail", get(|| async { frame(MAIL_POLICY) }))
        .route("/frame/mail-images", get(|| async { frame(MAIL_WITH_IMAGES_POLICY) }))
}

async fn page(headers: HeaderMap) -> Response {
    let mut response = match Built::get("index.html") {
        Some(file) => serve("index.html", file, &headers, "no-cache"),
        None => ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")], STUB).into_response(),
    };
    harden(response.headers_mut(), CONTENT_SECURITY_POLICY);
    response
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    named(&format!("assets/{path}"), &headers, "public, max-age=31536000, immutable")
}

async fn icon(headers: HeaderMap) -> Response {
    named("favicon.svg", &headers, "public, max-age=3600")
}

pub(crate) fn named(path: &str, headers: &HeaderMap, caching: &'static str) -> Response {
    // Compressed twins are an encoding of a file, not files of their own; nobody needs to climb to a file.
    let is_plain = !path.ends_with(".gz") && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let file = if is_plain { Built::get(path) } else { None };
    let mut response = match file {
        Some(file) => serve(path, file, headers, caching),
        None => (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain; charset=utf-8")], "no such file\n").into_response(),
    };
    harden(response.headers_mut(), "default-src 'none'; frame-ancestors 'none'");
    response
}

fn frame(policy: &'static str) -> Response {
    let mut response =
        ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], MAIL_FRAME).into_response();
    harden(response.headers_mut(), policy);
    response
}

fn serve(path: &str, file: EmbeddedFile, request: &HeaderMap, caching: &'static str) -> Response {
    let tag = entity_tag(&file);
    let mut headers = HeaderMap::new();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    if is_known(request, &tag) {
        headers.insert(ETAG, HeaderValue::from_str(&tag).expect("a quoted hash is a header value"));
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("a quoted hash is a header value"));
    let compressed = if accepts_gzip(request) { Built::get(&format!("{path}.gz")) } else { None };
    let data = match compressed {
        Some(twin) => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            twin.data
        }
        None => file.data,
    };
    (headers, Body::from(data.into_owned())).into_response()
}

/// Whether the one who asks has the content of this tag.
pub(crate) fn is_known(request: &HeaderMap, tag: &str) -> bool {
    request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains(tag))
}

/// Whether the one who asks can read gzip.
pub(crate) fn accepts_gzip(request: &HeaderMap) -> bool {
    let accepted = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|part| {
        let (coding, quality) = part.split_once(';').unwrap_or((part, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

/// Weak, because the same tag names the plain and the compressed form.
fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let mut tag = String::from("\"");
    for byte in &hash[..16] {
        write!(tag, "{byte:02x}").expect("writing to a string does not fail");
    }
    tag.push('"');
    format!("W/{tag}")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

pub(crate) fn harden(headers: &mut HeaderMap, policy: &'static str) {
    headers.insert(CSP_HEADER, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

#[cfg(test)]
mod tests {
    use super::{Built, accepts_gzip, entity_tag, media_type, router};
    use axum::body::Body;
    use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH};
    use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
    use tower::ServiceExt;

    async fn ask(path: &str, headers: &[(http::HeaderName, &str)]) -> Response<Body> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        router().oneshot(request.body(Body::empty()).expect("a valid request")).await.expect("routers do not fail")
    }

    #[tokio::test]
    async fn every_address_of_the_desk_gets_the_page_with_its_policy() {
        for path in ["/", "/login", "/inbox/mine", "/inbox/mine/42", "/search?q=kari", "/settings", "/settings/channels/support"]
        {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], super::CONTENT_SECURITY_POLICY, "{path}");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(response.headers()["referrer-policy"], "no-referrer", "{path}");
        }
    }

    #[tokio::test]
    async fn what_does_not_exist_is_not_found() {
        for path in
            ["/nothing", "/inboxes", "/assets/nothing.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/assets//x.js"]
        {
            assert_eq!(ask(path, &[]).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn mail_frames_run_no_scripts_and_load_pictures_from_strangers_only_when_asked() {
        let quiet = ask("/frame/mail", &[]).await;
        let policy = quiet.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script") && !policy.contains("https:"), "{policy}");
        assert!(policy.contains("sandbox ") && policy.contains("frame-ancestors 'self'"), "{policy}");
        let shown = ask("/frame/mail-images", &[]).await;
        let policy = shown.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text");
        assert!(policy.contains("img-src 'self' data: blob: https:") && !policy.contains("allow-scripts"), "{policy}");
    }

    #[tokio::test]
    async fn built_files_are_kept_for_good_and_travel_compressed() {
        // Nothing to serve until the desk is built; the stub is covered above.
        let Some(path) = Built::iter().find(|path| path.starts_with("assets/") && path.ends_with(".js")) else { return };
        let plain = ask(&format!("/{path}"), &[]).await;
        assert_eq!(plain.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert!(!plain.headers().contains_key(CONTENT_ENCODING));
        let packed = ask(&format!("/{path}"), &[(ACCEPT_ENCODING, "br, gzip")]).await;
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        let tag = plain.headers()[ETAG].to_str().expect("text");
        assert_eq!(ask(&format!("/{path}"), &[(IF_NONE_MATCH, tag)]).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(tag, entity_tag(&Built::get(&path).expect("the file was just listed")));
    }

    #[tokio::test]
    async fn the_icon_is_where_browsers_look_by_themselves() {
        if Built::get("favicon.svg").is_none() {
            return;
        }
        for path in ["/favicon.svg", "/favicon.ico"] {
            let answer = ask(path, &[]).await;
            assert_eq!(
                (answer.status(), &answer.headers()["content-type"]),
                (StatusCode::OK, &HeaderValue::from_static("image/svg+xml"))
            );
        }
    }

    #[test]
    fn compression_is_used_only_where_it_is_accepted() {
        let accepts =
            |value: &'static str| accepts_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        assert!(accepts("gzip") && accepts("br;q=1.0, GZIP;q=0.5"));
        assert!(!accepts("br") && !accepts("gzip;q=0, br") && !accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn files_have_the_media_type_of_their_ending() {
        assert_eq!(media_type("assets/a.b.js"), "text/javascript; charset=utf-8");
        assert_eq!(media_type("assets/unknown"), "application/octet-stream");
    }
}
