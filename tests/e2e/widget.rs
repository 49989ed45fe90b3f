//! The widget in a browser, on a page of another origin with the strictest policy that lets it in: both sides talk, and
//! restarts, reloads and tabs lose and double nothing.

use crate::support::{SOON, decided_of, number, owner};
use serde_json::{Value, json};
use switchboard_tests::{Browser, Client, Look, Site, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LAUNCHER: &str = "body > button";
const FRAME: &str = "iframe[src*='/w/']";
const FIELD: &str = "textarea";

/// Serves the page of a shop, whatever is asked for: scripts and frames of this host, and nothing else.
fn serve_shop(listener: TcpListener, host: &str) {
    let policy = format!("default-src 'none'; script-src {host}; frame-src {host}");
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><title>Shop</title>\
         <script async src=\"{host}/sb/shop_7Hq2.js\"></script></head><body><h1>Shop</h1></body></html>"
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-security-policy: {policy}\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
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
            });
        }
    });
}

/// Opens the chat of the page that is shown, and goes into it.
async fn open_chat(browser: &Browser) {
    let launcher = browser.find(LAUNCHER).await;
    browser.click(&launcher).await;
    let frame = browser.find(FRAME).await;
    browser.enter(&frame).await;
    browser.find(FIELD).await;
}

/// Writes a message into the chat that is shown.
async fn write(browser: &Browser, text: &str) {
    let field = browser.find(FIELD).await;
    browser.type_into(&field, text).await;
    browser.press(&["Enter"]).await;
}

/// Waits until the chat shows these messages, all of them stored, and no others.
async fn shows(browser: &Browser, texts: &[&str]) {
    const READ: &str = "return [[...document.querySelectorAll('.bubble')].map((bubble) => bubble.innerText.trim()),
        [...document.querySelectorAll('.state')].some((state) => state.innerText.includes('Sending'))]";
    eventually(&format!("the chat shows {texts:?}"), SOON * 2, async || {
        let shown = browser.script(READ, &[]).await;
        if shown == json!([texts, false]) { Ok(()) } else { Err(shown.to_string()) }
    })
    .await;
}

async fn reply(desk: &Client, chat: i64, text: &str) {
    desk.post(&format!("/api/v1/items/{chat}/messages"), &json!({ "kind": "reply", "text": text })).await.ok();
}

/// The texts of a conversation as the desk has it, once there are so many.
async fn stored(desk: &Client, chat: i64, count: usize) -> Vec<String> {
    eventually(&format!("there are {count} messages"), SOON * 2, async || {
        let texts: Vec<String> =
            desk.messages(chat).await.iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect();
        if texts.len() == count { Ok(texts) } else { Err(format!("{texts:?}")) }
    })
    .await
}

/// What the console says beside connections that were lost on purpose.
async fn complaints(browser: &Browser) -> Vec<String> {
    let lost = ["WebSocket connection to", "net::ERR_", "Failed to load resource"];
    let said = browser.complaints().await;
    said.into_iter().filter(|line| !lost.iter().any(|known| line.contains(known))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_strict_page_of_another_origin_both_talk_through_a_restart_a_reload_and_a_second_tab() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    // Another host besides another port, so that it is another site to the browser as well.
    let shop = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
    let mut site = Site::sqlite().await;
    site.add_chat(std::slice::from_ref(&shop));
    site.set("channels.chat.topics", Vec::<String>::new());
    let host = site.start().await;
    // Pages know the host by its address, so the next one has to be there too.
    site.set("server.listen", host.url().trim_start_matches("http://").to_owned());
    serve_shop(listener, &host.url());
    let sanne = host.sign_in("sanne@example.test").await;
    let browser = Browser::open(Look::default()).await;
    browser.go(&shop).await;
    open_chat(&browser).await;
    assert_eq!(browser.script("return [document.cookie, sessionStorage.length]", &[]).await, json!(["", 0]));
    write(&browser, "Where is my parcel?").await;
    let chat = eventually("the chat is at the desk", SOON, async || {
        let rows = sanne.rows("items?view=open").await;
        rows.first().map(|row| number(row, "id")).ok_or_else(|| "nothing".to_owned())
    })
    .await;
    assert_eq!(owner(&decided_of(&sanne, chat).await), Some(sanne.user()));
    reply(&sanne, chat, "It left us this morning.").await;
    shows(&browser, &["Where is my parcel?", "It left us this morning."]).await;

    host.kill().await;
    write(&browser, "Are you still there?").await;
    let host = site.start().await;
    assert_eq!(stored(&sanne, chat, 3).await[2], "Are you still there?");
    reply(&sanne, chat, "Yes, again.").await;
    let four = ["Where is my parcel?", "It left us this morning.", "Are you still there?", "Yes, again."];
    shows(&browser, &four).await;
    browser.leave().await;
    browser.reload().await;
    open_chat(&browser).await;
    shows(&browser, &four).await;

    let (first, second) = browser.open_tab().await;
    browser.go(&shop).await;
    open_chat(&browser).await;
    shows(&browser, &four).await;
    write(&browser, "Thank you!").await;
    reply(&sanne, chat, "Welcome.").await;
    let six = [four.as_slice(), &["Thank you!", "Welcome."]].concat();
    let either_way = stored(&sanne, chat, 6).await;
    assert_eq!(either_way.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), six.iter().copied().collect());
    let in_order: Vec<&str> = either_way.iter().map(String::as_str).collect();
    for tab in [second, first] {
        browser.switch_to(&tab).await;
        browser.leave().await;
        let frame = browser.find(FRAME).await;
        browser.enter(&frame).await;
        shows(&browser, &in_order).await;
    }
    assert_eq!(sanne.rows("items?view=open").await.len(), 1, "it stayed one conversation");
    let complaints = complaints(&browser).await;
    assert!(complaints.is_empty(), "{complaints:?}");
    let cookie: Value = browser.script("return document.cookie", &[]).await;
    assert_eq!(cookie, json!(""), "the frame keeps no cookie of its own");
    drop(host);
}
