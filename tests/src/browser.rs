//! A browser of one's own: Chromium behind ChromeDriver, spoken to by WebDriver.

use crate::api::http_client;
use crate::eventually;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use switchboard_channel_testkit::free_port;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the driver may take to answer: to start Chromium, and longer than scripts and page loads may take, which it
/// tells of itself.
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);
/// The key of an element in answers (WebDriver 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const SWITCHES: [&str; 10] = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--force-prefers-reduced-motion",
];

/// What the browser is like.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Width and height of the window in CSS pixels.
    pub size: (u32, u32),
    /// The user wishes dark pages.
    pub dark: bool,
    /// The user's language.
    pub language: &'static str,
}

impl Default for Look {
    fn default() -> Self {
        Self { size: (1440, 900), dark: false, language: "en" }
    }
}

/// A browser with one window. It ends with the test.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    _driver: Child,
    _profile: TempDir,
}

/// An element of the page.
#[derive(Clone, Debug)]
pub struct Element(String);

impl Browser {
    /// Starts a browser with a fresh profile.
    ///
    /// # Panics
    /// When Chromium or ChromeDriver is missing or does not start.
    pub async fn open(look: Look) -> Self {
        let (driver, port) = start_driver().await;
        let profile = tempfile::tempdir().expect("the system gives a temporary folder");
        let http = http_client().timeout(ANSWERED_WITHIN).build().expect("an HTTP client can be made");
        let base = format!("http://127.0.0.1:{port}/session");
        let wish = capabilities(&look, &profile).await;
        let answer = http.post(&base).json(&wish).send().await.expect("chromedriver answers");
        let answer: Value = answer.json().await.expect("chromedriver answers in JSON");
        let id = answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("Chromium did not start: {answer}"));
        let browser = Self { http, session: format!("{base}/{id}"), _driver: driver, _profile: profile };
        browser.wear(look).await;
        browser
    }

    async fn wear(&self, look: Look) {
        let (width, height) = look.size;
        let is_phone = width < 720;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if look.dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", features).await;
        let agent = self.script("return navigator.userAgent", &[]).await;
        self.devtools("Emulation.setUserAgentOverride", json!({ "userAgent": agent, "acceptLanguage": look.language })).await;
    }

    /// Gives a command of the DevTools protocol.
    ///
    /// # Panics
    /// When the browser refuses it.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Goes to an address and waits until it is loaded.
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn go(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// The address that is shown.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn url(&self) -> String {
        self.get("/url").await.as_str().unwrap_or_default().to_owned()
    }

    /// Runs the body of a function in the page and answers with what it returns.
    ///
    /// # Panics
    /// When the script fails.
    pub async fn script(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", json!({ "script": body, "args": arguments })).await
    }

    /// Runs the body of a function that calls its last argument with the answer.
    ///
    /// # Panics
    /// When the script fails.
    pub async fn script_later(&self, body: &str, arguments: &[Value]) -> Value {
        self.post("/execute/async", json!({ "script": body, "args": arguments })).await
    }

    /// The first visible element that a selector finds, now or as soon as there is one.
    ///
    /// # Panics
    /// When there is none in time, with the text of the page.
    pub async fn find(&self, selector: &str) -> Element {
        self.find_with(selector, "").await
    }

    /// The first visible element that a selector finds and whose text or label contains `text`.
    ///
    /// # Panics
    /// When there is none in time, with the text of the page.
    pub async fn find_with(&self, selector: &str, text: &str) -> Element {
        const LOOK: &str = "return [...document.querySelectorAll(arguments[0])].find((node) => node.getClientRects().length > 0
            && `${node.textContent} ${node.getAttribute('aria-label') ?? ''}`.includes(arguments[1])) ?? null";
        let what = format!("the page shows `{selector}` with `{text}`");
        eventually(&what, PATIENCE, async || {
            let found = self.script(LOOK, &[json!(selector), json!(text)]).await;
            match found[ELEMENT].as_str() {
                Some(id) => Ok(Element(id.to_owned())),
                None => Err(self.text().await),
            }
        })
        .await
    }

    /// Whether a selector finds anything now.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn has(&self, selector: &str) -> bool {
        self.script("return document.querySelector(arguments[0]) !== null", &[json!(selector)]).await == json!(true)
    }

    /// The text of the page as it is shown.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn text(&self) -> String {
        self.script("return document.body?.innerText ?? ''", &[]).await.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    /// When it does not in time, with what it shows instead.
    pub async fn shows(&self, text: &str) {
        eventually(&format!("the page shows `{text}`"), PATIENCE, async || {
            let shown = self.text().await;
            if shown.contains(text) { Ok(()) } else { Err(shown) }
        })
        .await;
    }

    /// Goes into a frame; what follows is about the page in it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn enter(&self, frame: &Element) {
        self.post("/frame", json!({ "id": { ELEMENT: frame.0 } })).await;
    }

    /// Comes back out of every frame.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn leave(&self) {
        self.post("/frame", json!({ "id": null })).await;
    }

    /// Loads the page again.
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// Opens another tab and goes there; returns the handles of the one left and of the new one.
    ///
    /// # Panics
    /// When the browser cannot.
    pub async fn open_tab(&self) -> (String, String) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let left = text(&self.get("/window").await);
        let opened = text(&self.post("/window/new", json!({ "type": "tab" })).await["handle"]);
        self.switch_to(&opened).await;
        (left, opened)
    }

    /// Goes to the tab with this handle, which is then the one that the user looks at.
    ///
    /// # Panics
    /// When there is none.
    pub async fn switch_to(&self, tab: &str) {
        self.post("/window", json!({ "handle": tab })).await;
        self.devtools("Page.bringToFront", json!({})).await;
    }

    /// Clicks on an element.
    ///
    /// # Panics
    /// When it cannot be clicked on.
    pub async fn click(&self, element: &Element) {
        self.post(&format!("/element/{}/click", element.0), json!({})).await;
    }

    /// Types into an element.
    ///
    /// # Panics
    /// When it cannot be typed into.
    pub async fn type_into(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": text })).await;
    }

    /// Presses keys, one after the other, wherever the focus is. Names as `KeyboardEvent.key` has them; `Control+Enter`
    /// holds one while another is pressed.
    ///
    /// # Panics
    /// When the browser does not take them.
    pub async fn press(&self, keys: &[&str]) {
        let mut actions = Vec::new();
        for chord in keys {
            let held: Vec<String> =
                if chord.len() > 1 { chord.split('+').map(key_code).collect() } else { vec![key_code(chord)] };
            actions.extend(held.iter().map(|key| json!({ "type": "keyDown", "value": key })));
            actions.extend(held.iter().rev().map(|key| json!({ "type": "keyUp", "value": key })));
        }
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] })).await;
    }

    /// Types a text wherever the focus is.
    ///
    /// # Panics
    /// When the browser does not take it.
    pub async fn type_text(&self, text: &str) {
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        self.press(&letters).await;
    }

    /// What the page's console has said since it was asked last: errors and violations of the policy.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let severe =
            log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// A picture of what is shown, as PNG in base64.
    ///
    /// # Panics
    /// When the browser does not answer.
    pub async fn picture(&self) -> String {
        self.get("/screenshot").await.as_str().unwrap_or_default().to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.session)).send().await.expect("chromedriver answers");
        value(path, answer).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}{path}", self.session)).json(&body).send().await.expect("chromedriver answers");
        value(path, answer).await
    }
}

impl Drop for Browser {
    /// Ends the session, because a killed driver leaves its browser running.
    fn drop(&mut self) {
        let Some((host, path)) = self.session.strip_prefix("http://").and_then(|rest| rest.split_once('/')) else { return };
        let request = format!("DELETE /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let ended = TcpStream::connect(host).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            stream.read(&mut [0; 64])
        });
        if let Err(error) = ended {
            eprintln!("a browser may have been left running: {error}");
        }
    }
}

async fn value(path: &str, answer: reqwest::Response) -> Value {
    let mut answer: Value = answer.json().await.expect("chromedriver answers in JSON");
    let error = &answer["value"]["error"];
    assert!(!error.is_string(), "{path}: {error}: {}", answer["value"]["message"]);
    answer["value"].take()
}

/// Starts ChromeDriver and waits until it listens; with its port.
async fn start_driver() -> (Child, u16) {
    // Left to choose, it takes a free port of IPv6 and ends when somebody has the same one of IPv4.
    let port = free_port();
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut driver = command.spawn().expect("chromedriver is there; it is the Debian package chromium-driver");
    let mut lines = BufReader::new(driver.stdout.take().expect("the output is piped")).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.expect("chromedriver speaks UTF-8") {
        if line.contains("started successfully on port ") {
            return (driver, port);
        }
        said.push(line);
    }
    panic!("chromedriver ended instead of listening on port {port}:\n{}", said.join("\n"));
}

async fn capabilities(look: &Look, profile: &TempDir) -> Value {
    let mut switches: Vec<String> = SWITCHES.iter().map(|switch| (*switch).to_owned()).collect();
    let (width, height) = look.size;
    switches.push(format!("--window-size={width},{height}"));
    switches.push(format!("--user-data-dir={}", profile.path().display()));
    let id = Command::new("id").arg("-u").output().await;
    if id.is_ok_and(|id| id.stdout.trim_ascii() == b"0") {
        // The sandbox refuses to work for root.
        switches.push(String::from("--no-sandbox"));
    }
    let options = json!({ "args": switches });
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL" },
        "timeouts": { "script": 60_000, "pageLoad": 60_000 },
    } } })
}

/// The code of a named key (WebDriver 17.4.2); other keys stand for themselves.
fn key_code(name: &str) -> String {
    let code = match name {
        "Enter" => '\u{e007}',
        "Escape" => '\u{e00c}',
        "Tab" => '\u{e004}',
        "Shift" => '\u{e008}',
        "Control" => '\u{e009}',
        "ArrowDown" => '\u{e015}',
        "ArrowUp" => '\u{e013}',
        "F6" => '\u{e036}',
        other => return other.to_owned(),
    };
    code.to_string()
}
