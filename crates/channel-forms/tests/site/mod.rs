//! A visitor of the form: sends requests through the router and reads the answers whole.

#![allow(dead_code, reason = "each test binary uses its own part of this")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use std::net::SocketAddr;
use switchboard_channel_forms::REGISTRATION;
use switchboard_channel_testkit::Harness;
use tower::ServiceExt;

/// A form with a field of every kind.
pub const SETTINGS: &str = r#"
kind = "form"
title = { en = "Contact us", nb = "Kontakt oss" }
intro = "We read everything.\n\nMost answers come within a day."
language = "en"
max_body_bytes = 200000
rate_per_minute = 6000
burst = 1000

[[fields]]
name = "name"
label = { en = "Your name", nb = "Navnet ditt" }
required = true

[[fields]]
name = "email"
kind = "email"
label = { en = "Email", nb = "E-post" }

[[fields]]
name = "message"
kind = "textarea"
required = true
max_length = 2000

[[fields]]
name = "topic"
kind = "select"
options = [{ value = "delivery", label = { en = "Delivery", nb = "Levering" } }, "repair"]

[[fields]]
name = "items"
kind = "number"
min = 1
max = 10

[[fields]]
name = "bought"
kind = "date"
min = 2020-01-01

[[fields]]
name = "newsletter"
kind = "checkbox"

[[fields]]
name = "photos"
kind = "file"
accept = ["image/*", ".pdf"]
max_bytes = 50000
max_files = 2
"#;

/// An answer, read whole.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// A mounted form with somebody to visit it.
pub struct Site {
    router: Router,
    peer: Option<SocketAddr>,
}

impl Site {
    /// Visits a started form from 192.0.2.1.
    pub fn of(harness: &Harness) -> Self {
        Self { router: harness.router.clone(), peer: Some(([192, 0, 2, 1], 40_000).into()) }
    }

    /// The same form visited from elsewhere; `None` as when the host knows no address.
    pub fn from(&self, peer: Option<&str>) -> Self {
        let peer = peer.map(|peer| SocketAddr::new(peer.parse().expect("a test names an address"), 40_000));
        Self { router: self.router.clone(), peer }
    }

    /// GET with further headers.
    pub async fn open(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        self.request(Method::GET, path, Vec::new(), headers).await
    }

    /// POST to the form as a program, unless the headers say otherwise.
    pub async fn submit(&self, content_type: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Answered {
        let all: Vec<(&str, &str)> = [("content-type", content_type)].iter().chain(headers).copied().collect();
        self.request(Method::POST, "/channels/contact/submit", body, &all).await
    }

    /// POST of a plain form by a browser.
    pub async fn browse(&self, body: &str, headers: &[(&str, &str)]) -> Answered {
        let all: Vec<(&str, &str)> = [("accept", "text/html,*/*;q=0.8")].iter().chain(headers).copied().collect();
        self.submit("application/x-www-form-urlencoded", body.as_bytes().to_vec(), &all).await
    }

    /// POST of JSON by a program.
    pub async fn json(&self, body: &str, headers: &[(&str, &str)]) -> Answered {
        self.submit("application/json", body.as_bytes().to_vec(), headers).await
    }

    /// The nonce of a freshly opened page.
    pub async fn token(&self) -> String {
        token_in(&self.open("/channels/contact", &[]).await.body)
    }

    /// Any request.
    pub async fn request(&self, method: Method, path: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answered(request.body(Body::from(body)).expect("the request of a test is well formed")).await
    }

    /// POST of a body that never comes.
    pub async fn stalled(&self) -> Answered {
        let body = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::convert::Infallible>>());
        let request = Request::post("/channels/contact/submit").header("content-type", "application/json");
        self.answered(request.body(body).expect("the request of a test is well formed")).await
    }

    async fn answered(&self, mut request: Request<Body>) -> Answered {
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("the answer can be read");
        let body = String::from_utf8(bytes.to_vec()).expect("the answer is UTF-8");
        Answered { status: head.status, headers: head.headers, body }
    }
}

/// Starts the form with further settings above the usual ones. A key that stands in both is an error.
pub async fn started(further: &str) -> Harness {
    Harness::start(&REGISTRATION, "contact", &format!("{further}\n{SETTINGS}")).await
}

/// Starts a form with these settings alone.
pub async fn started_with(settings: &str) -> Harness {
    Harness::start(&REGISTRATION, "contact", settings).await
}

/// A header of an answer; empty when absent.
pub fn header<'a>(answer: &'a Answered, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().expect("headers of answers are ASCII"))
}

/// The nonce in a page.
pub fn token_in(page: &str) -> String {
    let (_, after) = page.split_once("name=\"form_token\" value=\"").expect("the page carries a nonce");
    after.split('"').next().expect("the attribute ends").to_owned()
}
