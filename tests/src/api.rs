//! Speaking the API as a desk or a program does.

use crate::Events;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Once;
use std::time::Duration;

/// Longer than anything answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody who speaks the API: a person with a session, a program with a token, or a stranger.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    user: i64,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// What was asked, for messages.
    asked: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

impl Client {
    pub(crate) async fn sign_in(base: &str, email: &str, password: &str) -> Self {
        let mut client = Self::stranger(base);
        let me = client.post("/api/v1/session", &json!({ "email": email, "password": password })).await.ok();
        client.user = me["user"]["id"].as_i64().expect("a session says who is signed in");
        client
    }

    pub(crate) fn stranger(base: &str) -> Self {
        let http = http_client().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build();
        Self { http: http.expect("an HTTP client can be made"), base: base.to_owned(), token: None, user: 0 }
    }

    /// The same host, asked by a program with a token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), user: 0, ..Self::stranger(&self.base) }
    }

    /// The same session on a host that has moved to another address.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The id of the person who is signed in; 0 for others.
    #[must_use]
    pub const fn user(&self) -> i64 {
        self.user
    }

    /// Asks for something.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Puts JSON.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// A request to be added to.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the host answers")
    }

    /// Sends a request to a host that may go away meanwhile.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let request = request.build()?;
        let asked = format!("{} {}", request.method(), request.url().path());
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer { asked, status, headers, text })
    }

    /// Opens the stream of live events after the one named.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn events(&self, after: i64) -> Events {
        let request = self.request(Method::GET, "/api/v1/events").header("last-event-id", after.to_string());
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        Events::of(response.expect("the stream opens"))
    }

    /// Sends one submission of the form `contact`, as a script would.
    ///
    /// # Panics
    /// When no answer comes.
    pub async fn submit(&self, email: &str, topic: &str, message: &str) -> Answer {
        self.post("/channels/contact/submit", &json!({ "email": email, "topic": topic, "message": message })).await
    }

    /// The rows of a list of work items, such as `items?view=open`.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn rows(&self, list: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/{list}")).await.ok();
        page["rows"].as_array().cloned().expect("a list has rows")
    }

    /// One work item in full.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn item(&self, id: i64) -> Value {
        self.get(&format!("/api/v1/items/{id}")).await.ok()
    }

    /// The messages of a work item, oldest first.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn messages(&self, id: i64) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/items/{id}/messages?limit=200")).await.ok();
        page["rows"].as_array().cloned().expect("a thread has rows")
    }

    /// The id of a colleague.
    ///
    /// # Panics
    /// When there is no such person.
    pub async fn user_id(&self, email: &str) -> i64 {
        let users = self.get("/api/v1/users").await.ok();
        let found =
            users.as_array().into_iter().flatten().find(|user| user["email"] == email).and_then(|user| user["id"].as_i64());
        found.unwrap_or_else(|| panic!("nobody is called {email}"))
    }
}

impl Answer {
    /// The body of a success, as JSON; null when it has none.
    ///
    /// # Panics
    /// When it was refused.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} gave {}: {}", self.asked, self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem document of a refusal with this status.
    ///
    /// # Panics
    /// When it has another status or is no problem document.
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{} gave {}", self.asked, self.text);
        let kind = self.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        assert_eq!(kind, "application/problem+json", "{} gave {}", self.asked, self.text);
        self.json()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{} gave no JSON ({error}): {}", self.asked, self.text))
    }
}

/// The builder of a client, with the one TLS provider in place.
pub(crate) fn http_client() -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().expect("no other provider is installed"));
    reqwest::Client::builder().timeout(PATIENCE)
}
