//! The desk and the hosted form in a real browser: work appears by itself, the keyboard is enough, every language, dark
//! and light, wide and narrow, readable for everybody, and silent in the console.

use crate::support::{SOON, assign, decided, id, once, owner, write_in};
use serde_json::{Value, json};
use std::path::Path;
use switchboard_tests::{Browser, Client, Host, Look, Mail, Site, eventually, on_both, swaks};

/// The checker of accessibility that the desk's own tests use.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/web/node_modules/axe-core/axe.min.js");

/// Signs in through the form, with the keyboard, and waits for the desk.
async fn sign_in(browser: &Browser, host: &Host, email: &str, path: &str) {
    browser.go(&format!("{}{path}", host.url())).await;
    let field = browser.find("#email").await;
    browser.type_into(&field, email).await;
    browser.press(&["Tab"]).await;
    browser.type_text(&host.password()).await;
    browser.press(&["Enter"]).await;
    browser.find("#list").await;
}

/// Waits until the focus is on an element like this.
async fn has_focus(browser: &Browser, selector: &str) {
    eventually(&format!("`{selector}` has the focus"), SOON, async || {
        let is_there = browser.script("return document.activeElement?.matches(arguments[0]) ?? false", &[json!(selector)]).await;
        if is_there == json!(true) { Ok(()) } else { Err(browser.text().await) }
    })
    .await;
}

/// Fails when anything on the page keeps somebody from using it.
async fn is_usable_by_all(browser: &Browser, screen: &str) {
    let source = std::fs::read_to_string(Path::new(AXE)).expect("axe-core is installed; run `npm ci` in crates/web");
    browser.script(&source, &[]).await;
    const RUN: &str = "const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then((result) => done(result.violations.map((violation) =>
            `${violation.id}: ${violation.help}: ${violation.nodes.map((node) => node.html).join(' | ')}`)), (error) => done([String(error)]))";
    let violations = browser.script_later(RUN, &[]).await;
    assert_eq!(violations, json!([]), "{screen}");
}

async fn is_silent(browser: &Browser, screen: &str) {
    // Nobody is signed in at first, which the desk asks for and browsers remark on.
    let complaints: Vec<String> =
        browser.complaints().await.into_iter().filter(|line| !line.contains("401 (Unauthorized)")).collect();
    assert!(complaints.is_empty(), "{screen}: {complaints:?}");
}

/// An item that nobody owns.
async fn unowned(host: &Host, client: &Client, subject: &str) -> i64 {
    write_in(host, "maja@customer.test", subject).await;
    let item = id(&decided(client, subject).await);
    assign(client, item, None).await;
    item
}

/// The WCAG contrast of text and ground, and the lightness of the ground, of the body of the page.
async fn ground(browser: &Browser) -> f64 {
    const LIGHTNESS: &str = "const canvas = document.createElement('canvas').getContext('2d');
        canvas.fillStyle = getComputedStyle(document.body).backgroundColor; canvas.fillRect(0, 0, 1, 1);
        const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data; return (r + g + b) / 765";
    browser.script(LIGHTNESS, &[]).await.as_f64().expect("a number")
}

on_both! {
    async fn new_work_and_answers_appear_without_reloading_and_a_reply_leaves_by_keyboard_alone(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let browser = Browser::open(Look::default()).await;
        sign_in(&browser, &host, "liv@example.test", "/inbox/mine").await;
        browser.shows("Mine").await;
        browser.script("window.same_page = true", &[]).await;
        write_in(&host, "maja@customer.test", "Where is my parcel?").await;
        let item = id(&decided(&liv, "Where is my parcel?").await);
        browser.find_with(&format!("a[data-row='{item}']"), "Where is my parcel?").await;
        browser.press(&["j"]).await;
        has_focus(&browser, &format!("a[data-row='{item}']")).await;
        browser.press(&["Enter"]).await;
        browser.find_with("#thread :is(h1, h2)", "Where is my parcel?").await;
        browser.shows("Could you have a look, please?").await;
        browser.press(&["r"]).await;
        has_focus(&browser, "textarea").await;
        browser.type_text("It left us this morning.").await;
        browser.press(&["Control+Enter"]).await;
        let mail = site.mail.mail_to("maja@customer.test").await;
        assert!(mail.text.contains("It left us this morning."), "{}", mail.text);
        browser.find_with(".message.reply", "It left us this morning.").await;
        let answer = Mail::new("maja@customer.test", "support@example.test", mail.header("Subject"), "Many thanks to you")
            .with("In-Reply-To", mail.header("Message-ID"))
            .with("References", mail.header("References"));
        swaks(host.mailbox("support"), &answer).await;
        browser.find_with(".message.inbound", "Many thanks to you").await;
        assert_eq!(browser.script("return window.same_page === true", &[]).await, json!(true), "the page was never reloaded");
        is_silent(&browser, "a day at the desk").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_is_taken_read_why_and_closed_by_keyboard_alone() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let liv = host.sign_in("liv@example.test").await;
    let item = unowned(&host, &liv, "Nobody has this").await;
    let browser = Browser::open(Look::default()).await;
    sign_in(&browser, &host, "pia@example.test", "/inbox/mine").await;
    browser.press(&["g", "u"]).await;
    browser.find_with("a[data-row]", "Nobody has this").await;
    browser.press(&["j"]).await;
    has_focus(&browser, "a[data-row]").await;
    browser.press(&["Enter"]).await;
    browser.find_with("#thread :is(h1, h2)", "Nobody has this").await;
    browser.press(&["i"]).await;
    let pia = liv.user_id("pia@example.test").await;
    // What the desk says goes by itself after some seconds, so it is looked for first.
    browser.find_with(".toast", "It is yours").await;
    once(&liv, item, "Pia has it", |view| owner(view) == Some(pia)).await;
    browser.shows("Assigned to Liv Moe in Support").await;
    browser.press(&["e"]).await;
    // The way back is there once the desk says that it is done, and as long as it does.
    browser.find_with(".toast", "Closed").await;
    browser.press(&["z"]).await;
    once(&liv, item, "closing is undone", |view| view["status"] == "open").await;
    is_silent(&browser, "taking and closing").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_colleague_takes_meanwhile_is_said_and_not_overwritten() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let (liv, jan) = (host.sign_in("liv@example.test").await, host.sign_in("jan@example.test").await);
    let item = unowned(&host, &liv, "Two hands").await;
    let browser = Browser::open(Look::default()).await;
    sign_in(&browser, &host, "pia@example.test", &format!("/inbox/unassigned/{item}")).await;
    let take = browser.find_with(".actions button", "Take it").await;
    // The desk is cut off from news, so that it acts on what it saw.
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.setBlockedURLs", json!({ "urls": ["*/api/v1/events*", "*/api/v1/me", "*/api/v1/items?*"] })).await;
    browser.script("window.stop()", &[]).await;
    assign(&liv, item, Some(jan.user())).await;
    browser.click(&take).await;
    browser.shows("Jan Smit").await;
    assert_eq!(owner(&liv.item(item).await), Some(jan.user()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosted_form_makes_a_ticket_with_the_right_owner_without_any_script() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let liv = host.sign_in("liv@example.test").await;
    let browser = Browser::open(Look { language: "nl", ..Look::default() }).await;
    browser.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    browser.go(&format!("{}/channels/contact/", host.url())).await;
    browser.shows("Neem contact op").await;
    is_usable_by_all_without_scripts(&browser).await;
    for (field, words) in [("name", "Kari Nordmann"), ("email", "kari@customer.test"), ("message", "Waar blijft het pakje?")] {
        let field = browser.find(&format!("[name='{field}']")).await;
        browser.type_into(&field, words).await;
    }
    let button = browser.find("button[type='submit'], form button").await;
    browser.click(&button).await;
    eventually("the thank-you page is shown", SOON, async || {
        let url = browser.url().await;
        if url.contains("/channels/contact/thanks") { Ok(()) } else { Err(format!("{url}: {}", browser.text().await)) }
    })
    .await;
    let row = eventually("there is an owned ticket", SOON, async || {
        let rows = liv.rows("tickets?view=open").await;
        match rows.first() {
            Some(row) if owner(row).is_some() => Ok(row.clone()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(owner(&row), Some(liv.user()));
    assert_eq!(row["contact"]["name"], "Kari Nordmann");
    let text = liv.messages(id(&row)).await[0]["text"].clone();
    assert!(text.as_str().is_some_and(|text| text.contains("Waar blijft het pakje?")), "{text}");
    is_silent(&browser, "the hosted form").await;
}

/// Scripts of the page are off, but those of the driver run.
async fn is_usable_by_all_without_scripts(browser: &Browser) {
    let labelled = "return [...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
        .filter((field) => field.getClientRects().length > 0 && !field.closest('[aria-hidden=true]') && field.labels.length === 0).map((field) => field.name)";
    assert_eq!(browser.script(labelled, &[]).await, json!([]), "every field has a label");
    assert_eq!(browser.script("return document.documentElement.lang", &[]).await, json!("nl"));
}

/// The main screens, each looked at by axe, with nothing said in the console.
async fn tour(host: &Host, item: i64, look: Look, email: &str) {
    let browser = Browser::open(look).await;
    browser.go(&format!("{}/login", host.url())).await;
    browser.find("#email").await;
    is_usable_by_all(&browser, &format!("sign-in, {look:?}")).await;
    sign_in(&browser, host, email, "/inbox/open").await;
    let screens: [(String, &str); 5] = [
        (String::from("/inbox/open"), "a[data-row]"),
        (format!("/inbox/open/{item}"), ".message"),
        (String::from("/settings/channels"), "main h1, main h2"),
        (String::from("/settings/me"), "main h1, main h2"),
        (String::from("/settings/people"), "main h1, main h2"),
    ];
    for (path, shown) in screens {
        browser.go(&format!("{}{path}", host.url())).await;
        browser.find(shown).await;
        let screen = format!("{path}, {look:?}");
        is_usable_by_all(&browser, &screen).await;
        let overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.script(overflow, &[]).await, json!(0), "nothing stands outside of {screen}");
        let lightness = ground(&browser).await;
        assert_eq!(lightness < 0.5, look.dark, "{screen} has a ground of {lightness}");
        is_silent(&browser, &screen).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_screens_are_usable_by_all_light_and_dark_wide_and_narrow() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let liv = host.sign_in("liv@example.test").await;
    write_in(&host, "maja@customer.test", "Where is my parcel?").await;
    let item = id(&decided(&liv, "Where is my parcel?").await);
    liv.post(&format!("/api/v1/items/{item}/messages"), &json!({ "kind": "note", "text": "Regular customer" })).await.ok();
    tour(&host, item, Look::default(), "liv@example.test").await;
    tour(&host, item, Look { dark: true, ..Look::default() }, "liv@example.test").await;
    tour(&host, item, Look { size: (390, 844), ..Look::default() }, "liv@example.test").await;
    tour(&host, item, Look { size: (390, 844), dark: true, ..Look::default() }, "nora@example.test").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desk_speaks_the_language_of_the_person_else_of_the_browser() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let browser = Browser::open(Look { language: "da", ..Look::default() }).await;
    let people = [
        ("liv@example.test", "da", "Ikke tildelt"),
        ("jan@example.test", "nl", "Niet toegewezen"),
        ("tor@example.test", "nb", "Ikke tildelt"),
        ("mette@example.test", "da", "Ikke tildelt"),
    ];
    for (email, language, words) in people {
        sign_in(&browser, &host, email, "/inbox/unassigned").await;
        browser.shows(words).await;
        let lang: Value = browser.script("return document.documentElement.lang", &[]).await;
        assert_eq!(lang, json!(language), "{email}");
        browser.script_later("fetch('/api/v1/session', { method: 'DELETE' }).then(arguments[0])", &[]).await;
    }
    let english = Browser::open(Look { language: "en", ..Look::default() }).await;
    sign_in(&english, &host, "liv@example.test", "/inbox/unassigned").await;
    english.shows("Unassigned").await;
    assert_eq!(english.script("return document.documentElement.lang", &[]).await, json!("en"));
    is_silent(&browser, "languages").await;
}
