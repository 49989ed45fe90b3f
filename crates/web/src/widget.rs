//! What sites embed: each widget's loader with its settings, the same loader without any for pages that pin it by its
//! digest, and the page inside the frame.

use crate::pages::{Built, accepts_gzip, harden, is_known, named};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY as CSP_HEADER, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rust_embed::EmbeddedFile;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Write as WriteBytes;
use std::sync::Arc;
use switchboard_model::Widget;

/// Longest loader with its settings that is served, in bytes: more would be a mistake in the settings.
pub const LONGEST_LOADER_BYTES: usize = 32 * 1024;

const LOADER: &str = "widget/loader.js";
const FRAME: &str = "widget/frame/index.html";
/// Where the frame's page gets what it is told of its widget.
const PLACE: &str = "<!--widget-->";
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const EMBEDDER_POLICY: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");
const ALLOW_ORIGIN: HeaderName = HeaderName::from_static("access-control-allow-origin");

/// The addresses of widgets: `/sb/{key}.js`, `/sb/loader-{version}.js`, `/w/{key}`, and the files of the frame's page
/// below `/sb/frame/`. A key that no widget has is 404; of two widgets with one key the first counts, and one whose
/// loader would be longer than [`LONGEST_LOADER_BYTES`] is left out.
pub fn widget_router(widgets: Vec<Widget>) -> Router {
    let mut served = BTreeMap::new();
    for widget in widgets {
        if let Some(face) = Face::new(&widget) {
            served.entry(widget.key).or_insert(face);
        }
    }
    Router::new()
        .route("/sb/{file}", get(loader))
        .route("/sb/frame/{*path}", get(frame_file))
        .route("/w/{key}", get(frame_page))
        .with_state(Arc::new(served))
}

/// Address and digest of the loader for pages that pin it; `None` until the widget is built.
#[must_use]
pub fn pinned_loader() -> Option<PinnedLoader> {
    Built::get(LOADER).map(|file| {
        let hash = file.metadata.sha256_hash();
        PinnedLoader { path: pinned_path(&hash), integrity: format!("sha256-{}", STANDARD.encode(hash)) }
    })
}

/// The loader for `<script src integrity crossorigin>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedLoader {
    /// Its path, which changes with every change of the loader.
    pub path: String,
    /// The value of `integrity`.
    pub integrity: String,
}

/// What is served for one widget.
struct Face {
    loader: Made,
    page: Made,
    policy: HeaderValue,
    is_credentialless: bool,
}

/// A text that was made for one widget, ready to be sent.
struct Made {
    plain: String,
    gzip: Vec<u8>,
    tag: String,
}

type Faces = Arc<BTreeMap<String, Face>>;

impl Face {
    fn new(widget: &Widget) -> Option<Self> {
        let script = Built::get(LOADER).map(|file| text(&file)).unwrap_or_default();
        let page = Built::get(FRAME).map_or_else(|| PLACE.to_owned(), |file| text(&file));
        let loader = format!("(function(__SB_CONFIG__){{{script}}})({});\n", baked(widget));
        if loader.len() > LONGEST_LOADER_BYTES || !is_key(&widget.key) {
            return None;
        }
        // Text of a data block ends at no tag of its own.
        let told = told(widget).to_string().replace('<', "\\u003c");
        let page = page.replace(PLACE, &format!("<script type=\"application/json\" id=\"widget\">{told}</script>"));
        let mut origins: Vec<&str> = widget.origins.iter().map(String::as_str).filter(|origin| is_origin(origin)).collect();
        // Pages of web views that have no origin to be named by, but a scheme that no site has.
        origins.extend((widget.settings["web_views"] == true).then_some("file:"));
        let ancestors = if origins.is_empty() { "'none'".to_owned() } else { origins.join(" ") };
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
             media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        );
        Some(Self {
            loader: Made::of(loader),
            page: Made::of(page),
            policy: HeaderValue::from_str(&policy).ok()?,
            is_credentialless: widget.settings["credentialless"] == true,
        })
    }
}

impl Made {
    fn of(plain: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let gzip = encoder.write_all(plain.as_bytes()).and_then(|()| encoder.finish());
        Self { gzip: gzip.expect("writing to memory does not fail"), tag: tag(&plain), plain }
    }

    /// Serves it, compressed where that is understood, unless the one who asks has it already.
    fn served(&self, request: &HeaderMap, media_type: &'static str, caching: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(ETAG, HeaderValue::from_str(&self.tag).expect("a quoted number is a header value"));
        if is_known(request, &self.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        if !accepts_gzip(request) {
            return (headers, self.plain.clone()).into_response();
        }
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        (headers, self.gzip.clone()).into_response()
    }
}

async fn loader(State(faces): State<Faces>, Path(file): Path<String>, request: HeaderMap) -> Response {
    let is_pinned = pinned_loader().is_some_and(|pinned| pinned.path.strip_prefix("/sb/") == Some(file.as_str()));
    let face = file.strip_suffix(".js").and_then(|key| faces.get(key));
    let mut response = match face {
        _ if is_pinned => named(LOADER, &request, "public, max-age=31536000, immutable"),
        Some(face) => face.loader.served(&request, "text/javascript; charset=utf-8", "public, max-age=300"),
        None => return missing(),
    };
    harden(response.headers_mut(), "default-src 'none'; frame-ancestors 'none'");
    // Scripts that are pinned by their digest are asked for with CORS.
    response.headers_mut().insert(ALLOW_ORIGIN, HeaderValue::from_static("*"));
    shared(response)
}

async fn frame_page(State(faces): State<Faces>, Path(key): Path<String>, request: HeaderMap) -> Response {
    let Some(face) = faces.get(&key) else { return missing() };
    let mut response = face.page.served(&request, "text/html; charset=utf-8", "no-cache");
    harden(response.headers_mut(), "");
    response.headers_mut().insert(CSP_HEADER, face.policy.clone());
    if face.is_credentialless {
        response.headers_mut().insert(EMBEDDER_POLICY, HeaderValue::from_static("credentialless"));
    }
    shared(response)
}

async fn frame_file(Path(path): Path<String>, request: HeaderMap) -> Response {
    shared(named(&format!("widget/frame/{path}"), &request, "public, max-age=31536000, immutable"))
}

/// Pages of other origins may use it, also those that isolate themselves.
fn shared(mut response: Response) -> Response {
    response.headers_mut().insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

fn missing() -> Response {
    let mut response = (StatusCode::NOT_FOUND, [(CONTENT_TYPE, "text/plain; charset=utf-8")], "no such widget\n").into_response();
    harden(response.headers_mut(), "default-src 'none'; frame-ancestors 'none'");
    response
}

/// The settings under the names by which pages give theirs.
fn baked(widget: &Widget) -> Value {
    let look = &widget.settings["look"];
    let given = [
        ("cookie", &widget.settings["cookie"]["name"]),
        ("cookieDays", &widget.settings["cookie"]["days"]),
        ("color", &look["color"]),
        ("position", &look["position"]),
        ("sidePx", &look["side_px"]),
        ("bottomPx", &look["bottom_px"]),
        ("theme", &look["theme"]),
        ("preview", &look["preview"]),
        ("sound", &look["sound"]),
        ("label", &look["launcher"]),
    ];
    let mut settings: Map<String, Value> =
        given.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value.clone())).collect();
    settings.insert("widgetKey".to_owned(), json!(widget.key));
    Value::Object(settings)
}

/// What the page in the frame knows from the start; no secret.
fn told(widget: &Widget) -> Value {
    json!({ "key": widget.key, "origins": widget.origins, "socket": widget.socket, "settings": widget.settings })
}

fn pinned_path(hash: &[u8; 32]) -> String {
    let version = hash[..6].iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    });
    format!("/sb/loader-{version}.js")
}

fn text(file: &EmbeddedFile) -> String {
    String::from_utf8_lossy(&file.data).into_owned()
}

/// Of the content, and the same on every host; weak, because it names the plain and the compressed form.
fn tag(content: &str) -> String {
    let hash = Sha256::digest(content.as_bytes());
    format!("W/\"{}\"", STANDARD.encode(&hash[..12]))
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Nothing that would end the directive it is put into.
fn is_origin(origin: &str) -> bool {
    origin.contains("://") && origin.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\''))
}

#[cfg(test)]
mod tests;
