//! The widget in a browser, on a page of another origin with the strictest policy that lets it in: both sides talk, and
//! broken lines, restarts, reloads and tabs lose and double nothing.

mod identity;
mod shop;

use serde_json::json;
use shop::{
    LONG, Shop, begun, is_clean, is_connected, look_at, open_chat, owned, reply, shows, shows_unsent, stored, texts, write,
};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use switchboard_tests::{Browser, Client, Look, Site, Wire, eventually};

/// How long the line is down.
const HALF_A_MINUTE: Duration = Duration::from_secs(30);

/// What becomes of that which a stalled line holds.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Late,
    Never,
}

const OUTCOMES: [Outcome; 2] = [Outcome::Late, Outcome::Never];

impl Outcome {
    /// The line is whole again.
    fn befalls(self, wire: &Wire) {
        match self {
            Self::Late => wire.resume(),
            Self::Never => wire.reset(),
        }
    }
}

/// An installation with the chat, which these shops may embed and which asks nothing before the talk.
async fn site_for(shops: &[&Shop]) -> Site {
    let mut site = Site::sqlite().await;
    site.add_chat(&shops.iter().map(|shop| shop.url.clone()).collect::<Vec<_>>());
    site.set("channels.chat.topics", Vec::<String>::new());
    site
}

/// A visitor in a tab of its own, on the page of its own shop.
struct Visitor<'a> {
    name: &'static str,
    shop: &'a Shop,
    tab: String,
    chat: i64,
    /// What was said, as both sides have it.
    said: Vec<String>,
}

impl<'a> Visitor<'a> {
    fn new(name: &'static str, shop: &'a Shop, tab: String) -> Self {
        Self { name, shop, tab, chat: 0, said: Vec::new() }
    }

    /// Comes to the shop, writes and is answered.
    async fn begin(&mut self, browser: &Browser, desk: &Client, known: &mut BTreeSet<i64>) {
        browser.switch_to(&self.tab).await;
        browser.go(&self.shop.url).await;
        open_chat(browser).await;
        is_connected(browser).await;
        let nothing = browser.script("return [document.cookie, sessionStorage.length]", &[]).await;
        assert_eq!(nothing, json!(["", 0]), "nothing is kept before the visitor acts");
        self.write(browser, "Where is my parcel?").await;
        self.chat = begun(desk, known).await;
        assert_eq!(owned(desk, self.chat).await, desk.user());
        self.hear(desk, "It left us this morning.").await;
        shows(browser, &self.said).await;
    }

    async fn write(&mut self, browser: &Browser, text: &str) {
        let text = format!("{}: {text}", self.name);
        write(browser, &text).await;
        self.said.push(text);
    }

    async fn hear(&mut self, desk: &Client, text: &str) {
        let text = format!("To {}: {text}", self.name);
        reply(desk, self.chat, &text).await;
        self.said.push(text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_minute_without_a_line_loses_and_doubles_nothing_whether_what_was_held_arrives_late_or_never() {
    let wires = [Wire::open().await, Wire::open().await];
    let shops = [Shop::open("late", &wires[0].url()).await, Shop::open("never", &wires[1].url()).await];
    let site = site_for(&[&shops[0], &shops[1]]).await;
    let host = site.start().await;
    for wire in &wires {
        wire.lead_to(&host.url());
    }
    let sanne = host.sign_in("sanne@example.test").await;
    let browser = Browser::open(Look::default()).await;
    let (first, second) = browser.open_tab().await;
    let mut visitors = [Visitor::new("Late", &shops[0], first), Visitor::new("Never", &shops[1], second)];
    let mut known = BTreeSet::new();
    for visitor in &mut visitors {
        visitor.begin(&browser, &sanne, &mut known).await;
    }
    for wire in &wires {
        wire.stall();
    }
    let cut_at = Instant::now();
    let mut unsent = [const { Vec::new() }; 2];
    for (visitor, unsent) in visitors.iter_mut().zip(&mut unsent) {
        look_at(&browser, &visitor.tab).await;
        let shown = visitor.said.clone();
        for nth in ["One", "Two"] {
            // What the visitor writes is stored when the line is whole again, so after what the agent wrote.
            let text = format!("{}: {nth} more", visitor.name);
            write(&browser, &text).await;
            unsent.push(text);
            visitor.hear(&sanne, &format!("{nth} more")).await;
        }
        shows_unsent(&browser, &[shown, unsent.clone()].concat()).await;
    }
    for visitor in &visitors {
        // Whoever looks finds out that the connection only seems to live.
        look_at(&browser, &visitor.tab).await;
        browser.find_with(".strip", "No connection").await;
    }
    eventually("half a minute is over", LONG, async || {
        if cut_at.elapsed() >= HALF_A_MINUTE { Ok(()) } else { Err(format!("{:?}", cut_at.elapsed())) }
    })
    .await;
    for visitor in &visitors {
        assert_eq!(texts(&sanne, visitor.chat).await, visitor.said, "nothing got through");
    }
    for (wire, outcome) in wires.iter().zip(OUTCOMES) {
        outcome.befalls(wire);
    }
    for (visitor, unsent) in visitors.iter_mut().zip(unsent) {
        visitor.said.extend(unsent);
        assert_eq!(stored(&sanne, visitor.chat, visitor.said.len()).await, visitor.said);
        look_at(&browser, &visitor.tab).await;
        shows(&browser, &visitor.said).await;
        visitor.hear(&sanne, "There you are.").await;
        visitor.write(&browser, "Here I am").await;
        assert_eq!(stored(&sanne, visitor.chat, visitor.said.len()).await, visitor.said);
        shows(&browser, &visitor.said).await;
        is_clean(&browser).await;
    }
    assert_eq!(sanne.rows("items?view=open").await.len(), 2, "one conversation for each visitor");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_while_a_message_is_on_its_way_and_a_second_tab_show_the_same_once() {
    let wire = Wire::open().await;
    let shop = Shop::open("shop", &wire.url()).await;
    let (late, never) = (Shop::open("late", &wire.url()).await, Shop::open("never", &wire.url()).await);
    let site = site_for(&[&shop, &late, &never]).await;
    let host = site.start().await;
    wire.lead_to(&host.url());
    let sanne = host.sign_in("sanne@example.test").await;
    let browser = Browser::open(Look::default()).await;
    let (first, second) = browser.open_tab().await;
    let mut known = BTreeSet::new();
    let mut visitor = Visitor::new("Kari", &shop, first.clone());
    visitor.begin(&browser, &sanne, &mut known).await;
    let chat = visitor.chat;

    for outcome in OUTCOMES {
        wire.stall();
        visitor.write(&browser, &format!("This arrives {outcome:?}")).await;
        shows_unsent(&browser, &visitor.said).await;
        shop.reload(&browser).await;
        outcome.befalls(&wire);
        open_chat(&browser).await;
        shows(&browser, &visitor.said).await;
        assert_eq!(stored(&sanne, chat, visitor.said.len()).await, visitor.said);
    }

    browser.switch_to(&second).await;
    browser.go(&shop.url).await;
    open_chat(&browser).await;
    shows(&browser, &visitor.said).await;
    visitor.write(&browser, "From the second tab").await;
    assert_eq!(stored(&sanne, chat, visitor.said.len()).await, visitor.said);
    look_at(&browser, &first).await;
    shows(&browser, &visitor.said).await;
    visitor.write(&browser, "From the first tab").await;
    assert_eq!(stored(&sanne, chat, visitor.said.len()).await, visitor.said);
    visitor.hear(&sanne, "To both of you.").await;
    for tab in [&first, &second] {
        look_at(&browser, tab).await;
        shows(&browser, &visitor.said).await;
        is_clean(&browser).await;
    }
    assert_eq!(texts(&sanne, chat).await, visitor.said, "once, and in order");

    // The very first message of somebody who has no session yet.
    for (shop, outcome) in [&late, &never].into_iter().zip(OUTCOMES) {
        browser.leave().await;
        browser.go(&shop.url).await;
        open_chat(&browser).await;
        is_connected(&browser).await;
        wire.stall();
        write(&browser, "My first message").await;
        shows_unsent(&browser, &["My first message"]).await;
        shop.reload(&browser).await;
        outcome.befalls(&wire);
        open_chat(&browser).await;
        shows(&browser, &["My first message"]).await;
        let begun = begun(&sanne, &mut known).await;
        reply(&sanne, begun, "Welcome.").await;
        shows(&browser, &["My first message", "Welcome."]).await;
        assert_eq!(texts(&sanne, begun).await, ["My first message", "Welcome."]);
    }
    assert_eq!(sanne.rows("items?view=open").await.len(), 3, "each of the three has one conversation");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_stop_and_hosts_that_are_killed_while_the_visitor_writes_lose_and_double_nothing() {
    let wire = Wire::open().await;
    let shop = Shop::open("shop", &wire.url()).await;
    let site = site_for(&[&shop]).await;
    let mut host = site.start().await;
    wire.lead_to(&host.url());
    let mut desk = host.sign_in("sanne@example.test").await;
    let browser = Browser::open(Look::default()).await;
    let tab = browser.open_tab().await.1;
    let mut visitor = Visitor::new("Kari", &shop, tab);
    visitor.begin(&browser, &desk, &mut BTreeSet::new()).await;
    let chat = visitor.chat;
    for (way, is_killed, is_told) in [
        ("stopped", false, true),
        ("killed", true, true),
        ("stopped before it answers", false, false),
        ("killed before it answers", true, false),
    ] {
        let said_before = visitor.said.len();
        let written =
            ["before it is", "while it is", "after it was", "before it is back after it was", "when it is back after it was"];
        let written = written.map(|when| format!("Kari: {when} {way}"));
        if !is_told {
            // A fresh page talks over a WebSocket, whose two directions are independent; what takes its place while a host
            // starts waits for each answer.
            browser.leave().await;
            browser.reload().await;
            open_chat(&browser).await;
            is_connected(&browser).await;
            shows(&browser, &visitor.said).await;
            wire.stall_answers();
        }
        write(&browser, &written[0]).await;
        if !is_told {
            // The host has it, and the widget does not know.
            stored(&desk, chat, said_before + 1).await;
        }
        visitor.hear(&desk, &format!("before it is {way}")).await;
        let end = async {
            if is_killed {
                host.kill().await;
            } else {
                let ended = host.stop().await;
                assert!(ended.status.success(), "{ended:?}");
            }
        };
        tokio::join!(end, write(&browser, &written[1]));
        if !is_told {
            wire.reset();
        }
        write(&browser, &written[2]).await;
        host = tokio::join!(site.start(), write(&browser, &written[3])).0;
        wire.lead_to(&host.url());
        desk = desk.at(&host.url());
        write(&browser, &written[4]).await;
        visitor.hear(&desk, &format!("after it was {way}")).await;
        let answers = visitor.said.split_off(said_before);
        let now = stored(&desk, chat, said_before + answers.len() + written.len()).await;
        assert_eq!(now[..said_before], visitor.said);
        let (own, others): (Vec<_>, Vec<_>) = now[said_before..].iter().cloned().partition(|text| text.starts_with("Kari:"));
        assert_eq!(own, written, "all that was written, once, in the order in which it was");
        assert_eq!(others, answers, "all that was answered, once, in the order in which it was");
        visitor.said = now;
        // The widget is back by itself, and shows what the desk has.
        shows(&browser, &visitor.said).await;
    }
    browser.leave().await;
    browser.reload().await;
    open_chat(&browser).await;
    shows(&browser, &visitor.said).await;
    is_clean(&browser).await;
    assert_eq!(texts(&desk, chat).await, visitor.said, "nothing came late");
    assert_eq!(desk.rows("items?view=open").await.len(), 1, "it stayed one conversation");
}
