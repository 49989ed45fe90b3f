//! `/api/openapi.json`, and `/api/docs`: the same as one page, without a script and without anybody else's server.

use crate::document::openapi;
use crate::problem::ProblemCode;
use crate::state::Api;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The routes.
pub(crate) fn routes() -> Router<Api> {
    Router::new().route("/api/openapi.json", get(document)).route("/api/docs", get(page)).route("/api/docs.css", get(style))
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_pretty_json().unwrap_or_default());
static PAGE: LazyLock<String> = LazyLock::new(|| render(&serde_json::from_str(&DOCUMENT).unwrap_or_default()));

const CACHE: &str = "public, max-age=300";

async fn document() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHE)], DOCUMENT.as_str()).into_response()
}

async fn page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, CACHE),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, PAGE.as_str()).into_response()
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, CACHE)], include_str!("docs.css")).into_response()
}

fn render(document: &Value) -> String {
    let mut html = String::with_capacity(256 * 1024);
    let title = escape(text(&document["info"]["title"]));
    let _ = write!(
        html,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} API</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"/api/docs.css\"></head><body><main><h1>{title} API</h1><p>{}</p>\
         <p>The same for programs: <a href=\"/api/openapi.json\">openapi.json</a>. Outside of it: \
         <code>/healthz</code>, <code>/readyz</code>, <code>/metrics</code>.</p>",
        paragraph(text(&document["info"]["description"]))
    );
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    contents(&mut html, &paths);
    for (path, item) in &paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            render_operation(&mut html, method, path, operation);
        }
    }
    html.push_str("<h2 id=\"problems\">Problems</h2><table><tr><th>code</th><th>status</th><th>meaning</th></tr>");
    for code in ProblemCode::ALL {
        let (code, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        let _ = write!(html, "<tr id=\"problem-{code}\"><td><code>{code}</code></td><td>{status}</td><td>{title}</td></tr>");
    }
    html.push_str("</table><h2 id=\"schemas\">Shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let body = escape(&serde_json::to_string_pretty(schema).unwrap_or_default());
        let _ = write!(html, "<details id=\"schema-{0}\"><summary>{0}</summary><pre>{body}</pre></details>", escape(name));
    }
    html.push_str("</main></body></html>");
    html
}

fn contents(html: &mut String, paths: &Map<String, Value>) {
    html.push_str("<nav aria-label=\"Routes\"><ul>");
    for (path, item) in paths {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let (id, summary) = (escape(text(&operation["operationId"])), paragraph(text(&operation["summary"])));
            let (method, path) = (method.to_uppercase(), escape(path));
            let _ = write!(html, "<li><a href=\"#{id}\"><code>{method} {path}</code></a> {summary}</li>");
        }
    }
    html.push_str("</ul></nav>");
}

fn render_operation(html: &mut String, method: &str, path: &str, operation: &Value) {
    let (id, method, path) = (escape(text(&operation["operationId"])), method.to_uppercase(), escape(path));
    let _ = write!(
        html,
        "<section id=\"{id}\"><h2><code>{method} {path}</code></h2><p>{}</p><p>{}</p>",
        paragraph(text(&operation["summary"])),
        paragraph(text(&operation["description"]))
    );
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        html.push_str("<table><tr><th>parameter</th><th>in</th><th>shape</th><th>meaning</th></tr>");
        for parameter in parameters {
            let required = if parameter["required"] == true { "" } else { ", may be absent" };
            let _ = write!(
                html,
                "<tr><td><code>{}</code></td><td>{}{required}</td><td>{}</td><td>{}</td></tr>",
                escape(text(&parameter["name"])),
                escape(text(&parameter["in"])),
                shape(&parameter["schema"]),
                paragraph(text(&parameter["description"]))
            );
        }
        html.push_str("</table>");
    }
    for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        let _ = write!(html, "<p>Reads <code>{}</code>: {}</p>", escape(media_type), shape(&content["schema"]));
    }
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let status = escape(status);
        match response["content"].as_object() {
            Some(contents) => {
                for (media_type, content) in contents {
                    let (media_type, shape) = (escape(media_type), shape(&content["schema"]));
                    let _ = write!(html, "<p>Answers {status} <code>{media_type}</code>: {shape}</p>");
                }
            }
            None => {
                let _ = write!(html, "<p>Answers {status}</p>");
            }
        }
    }
    html.push_str("</section>");
}

/// A schema in a line: a link for a named one, the type for a plain one.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    if schema["type"] == "array" {
        return format!("list of {}", shape(&schema["items"]));
    }
    let parts: Vec<String> = ["oneOf", "anyOf", "allOf"]
        .iter()
        .flat_map(|key| schema[*key].as_array().into_iter().flatten())
        .map(shape)
        .filter(|part| !part.is_empty())
        .collect();
    if !parts.is_empty() {
        return parts.join(" or ");
    }
    match &schema["type"] {
        Value::String(name) => escape(name),
        Value::Array(names) => names.iter().map(|name| escape(text(name))).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Text with its backquoted words as code.
fn paragraph(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for (index, part) in text.split('`').enumerate() {
        let part = escape(part).replace("\n\n", "<br>");
        if index % 2 == 1 {
            let _ = write!(html, "<code>{part}</code>");
        } else {
            html.push_str(&part);
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{PAGE, render};
    use crate::problem::ProblemCode;
    use serde_json::json;

    #[test]
    fn the_page_has_a_place_for_every_route_and_problem() {
        assert!(PAGE.contains("id=\"put_items_id_owner\""));
        assert!(PAGE.contains("href=\"#schema-ItemRow\""));
        for code in ProblemCode::ALL {
            assert!(PAGE.contains(&format!("id=\"problem-{}\"", code.as_str())), "{code:?}");
        }
    }

    #[test]
    fn what_comes_from_the_document_is_escaped() {
        let html = render(&json!({"info": {"title": "<script>", "description": "a `<b>` & c"}}));
        assert!(!html.contains("<script>"));
        assert!(html.contains("a <code>&lt;b&gt;</code> &amp; c"));
    }
}
