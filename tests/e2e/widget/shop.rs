//! A site of its own origin with the strictest policy that lets the widget in, and what a visitor does on its page.

use crate::support::{number, owner};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use switchboard_tests::{Browser, Client, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long anything may take on a busy machine, a few failed attempts to connect among it.
pub const LONG: Duration = Duration::from_secs(60);
/// What opens the chat.
pub const LAUNCHER: &str = "body > button";
const FRAME: &str = "iframe[src*='/w/']";
const FIELD: &str = "textarea";
/// Every message that the chat shows, and whether one is still on its way.
const READ: &str = "return [[...document.querySelectorAll('.bubble')].map((bubble) => bubble.innerText.trim()),
    [...document.querySelectorAll('.state')].some((state) => state.innerText.includes('Sending'))]";

/// A site whose pages have the widget, whatever is asked for.
pub struct Shop {
    /// Its origin: another host besides another port, so that it is another site to the browser as well, and has
    /// cookies of its own.
    pub url: String,
    served: watch::Receiver<u64>,
}

impl Shop {
    /// A shop below `localhost`, with the widget of the host that is found here.
    pub async fn open(name: &str, host: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{name}.localhost:{}", listener.local_addr().expect("it is bound").port());
        let policy = format!("default-src 'none'; script-src {host}; frame-src {host}");
        let page = format!(
            "<!doctype html><html lang=\"en\"><head><title>Shop</title>\
             <script async src=\"{host}/sb/shop_7Hq2.js\"></script></head><body><h1>Shop</h1></body></html>"
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-security-policy: {policy}\r\n\
             referrer-policy: no-referrer\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        let (count, served) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), count.clone()));
            }
        });
        Self { url, served }
    }

    /// Loads the page that is shown again, and returns as soon as the page before is being left.
    pub async fn reload(&self, browser: &Browser) {
        let mut served = self.served.clone();
        let before = *served.borrow_and_update();
        browser.leave().await;
        browser.script("setTimeout(() => location.reload(), 0)", &[]).await;
        let again = served.wait_for(|count| *count > before);
        tokio::time::timeout(LONG, again).await.expect("the page is asked for again").expect("the shop stays");
    }
}

async fn serve(mut stream: TcpStream, answer: String, count: watch::Sender<u64>) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut asked).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
    }
    // A browser that goes away meanwhile needs no answer.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    if asked.starts_with(b"GET / ") {
        count.send_modify(|count| *count += 1);
    }
}

/// Opens the chat of the page that is shown, and goes into it.
pub async fn open_chat(browser: &Browser) {
    let launcher = browser.find(LAUNCHER).await;
    browser.click(&launcher).await;
    go_into_chat(browser).await;
}

/// Goes to a tab, and into the chat that is open there.
pub async fn look_at(browser: &Browser, tab: &str) {
    browser.switch_to(tab).await;
    browser.leave().await;
    go_into_chat(browser).await;
}

/// Goes into the frame of the chat.
pub async fn go_into_chat(browser: &Browser) {
    let frame = browser.find(FRAME).await;
    browser.enter(&frame).await;
}

/// Waits until the chat that is shown is connected.
pub async fn is_connected(browser: &Browser) {
    browser.find(".dot.on").await;
}

/// Writes a message into the chat that is shown.
pub async fn write(browser: &Browser, text: &str) {
    let field = browser.find(FIELD).await;
    browser.type_into(&field, text).await;
    browser.press(&["Enter"]).await;
}

/// Waits until the chat shows these messages, all of them stored, and no others.
pub async fn shows(browser: &Browser, texts: &[impl AsRef<str>]) {
    shows_as(browser, texts, false).await;
}

/// Waits until the chat shows these messages and no others, the last of them on its way.
pub async fn shows_unsent(browser: &Browser, texts: &[impl AsRef<str>]) {
    shows_as(browser, texts, true).await;
}

async fn shows_as(browser: &Browser, texts: &[impl AsRef<str>], is_on_its_way: bool) {
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    eventually(&format!("the chat shows {texts:?}"), LONG, async || {
        let shown = browser.script(READ, &[]).await;
        if shown == json!([texts, is_on_its_way]) { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
}

/// Waits until the chat keeps nothing to be sent again, so that whoever comes next to this tab finds nothing.
pub async fn nothing_is_on_its_way(browser: &Browser) {
    eventually("nothing is kept for later", LONG, async || {
        let kept = browser.script("return JSON.stringify(sessionStorage)", &[]).await;
        if kept == json!("{}") { Ok(()) } else { Err(kept.to_string()) }
    })
    .await;
}

/// An agent answers.
pub async fn reply(desk: &Client, chat: i64, text: &str) {
    desk.post(&format!("/api/v1/items/{chat}/messages"), &json!({ "kind": "reply", "text": text })).await.ok();
}

/// The conversation that is new at the desk, as soon as there is one.
pub async fn begun(desk: &Client, known: &mut BTreeSet<i64>) -> i64 {
    let begun = eventually("a chat has begun at the desk", LONG, async || {
        let rows = desk.rows("items?view=open&limit=200").await;
        let new: Vec<i64> = rows.iter().map(|row| number(row, "id")).filter(|id| !known.contains(id)).collect();
        match new[..] {
            [] => Err(format!("nothing beside {known:?}")),
            [one] => Ok(one),
            _ => panic!("one message began several conversations: {new:?}"),
        }
    })
    .await;
    known.insert(begun);
    begun
}

/// Who owns a conversation, once somebody does.
pub async fn owned(desk: &Client, chat: i64) -> i64 {
    eventually("the chat has an owner", LONG, async || {
        let item = desk.item(chat).await;
        owner(&item).ok_or_else(|| item.to_string())
    })
    .await
}

/// The texts of a conversation as the desk has it now.
pub async fn texts(desk: &Client, chat: i64) -> Vec<String> {
    desk.messages(chat).await.iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

/// The texts of a conversation as the desk has it, once there are so many.
pub async fn stored(desk: &Client, chat: i64, count: usize) -> Vec<String> {
    eventually(&format!("there are {count} messages"), LONG, async || {
        let texts = texts(desk, chat).await;
        if texts.len() == count { Ok(texts) } else { Err(format!("{texts:?}")) }
    })
    .await
}

/// What the console says beside connections that were lost on purpose.
pub async fn complaints(browser: &Browser) -> Vec<String> {
    let lost = ["WebSocket connection to", "net::ERR_", "Failed to load resource"];
    let said = browser.complaints().await;
    said.into_iter().filter(|line| !lost.iter().any(|known| line.contains(known))).collect()
}

/// Nothing on the page went against its policy or failed, and the frame keeps no cookie of its own.
pub async fn is_clean(browser: &Browser) {
    let complaints = complaints(browser).await;
    assert!(complaints.is_empty(), "{complaints:?}");
    let cookie: Value = browser.script("return document.cookie", &[]).await;
    assert_eq!(cookie, json!(""), "the frame keeps no cookie of its own");
}
