//! Who is who: visitors of whom the page says nothing, whom it vouches for, and whom it claims without being believed,
//! under every mode of the channel, while its secrets change, and with clocks that go wrong.

use super::shop::{
    LAUNCHER, Shop, begun, go_into_chat, is_clean, is_connected, nothing_is_on_its_way, open_chat, owned, shows, stored, write,
};
use super::site_for;
use crate::support::{SOON, number};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};
use switchboard_tests::{Browser, Client, Look, Site, Wire, eventually, signed_id, signed_token};

const NEXT_SECRET: &str = "the-next-secret-of-the-shop";
const LATER_SECRET: &str = "the-later-secret-of-the-shop";
const FOREIGN_SECRET: &str = "the-secret-of-somebody-else";
/// How far the clocks of shop and desk may differ, by the settings of these tests; not the default.
const SKEW_S: i64 = 120;
const DAY_S: i64 = 86_400;

/// Who somebody is to the host.
#[derive(Clone, Copy)]
enum Seen {
    /// Nobody known: nothing was claimed, or nothing that is looked at, of which the page is told.
    Stranger { fault: Option<&'static str> },
    /// An account of the shop, and its address where that is proven.
    Account { id: &'static str, email: Option<&'static str> },
    /// Nobody known, and what was claimed is not believed, of which page and desk are told.
    Unverified { fault: &'static str },
}

/// What there is at the desk so far.
struct Desk {
    client: Client,
    chats: BTreeSet<i64>,
    contacts: BTreeSet<i64>,
    /// Conversations and what was said in them, by account.
    accounts: BTreeMap<&'static str, (i64, Vec<String>)>,
}

impl Desk {
    /// A conversation has begun with this message, of somebody who is seen like this and has never been here.
    async fn meets(&mut self, text: &str, seen: Seen) -> i64 {
        let chat = begun(&self.client, &mut self.chats).await;
        owned(&self.client, chat).await;
        assert_eq!(stored(&self.client, chat, 1).await, [text]);
        let item = self.client.item(chat).await;
        let identities = item["contact_detail"]["identities"].as_array().into_iter().flatten();
        let pair = |identity: &Value| (text_of(identity, "kind"), text_of(identity, "value"));
        let found: BTreeSet<(String, String)> = identities.map(pair).collect();
        if let Seen::Account { id, email } = seen {
            let account = ("account".to_owned(), format!("chat/{id}"));
            let email = email.map(|email| ("email".to_owned(), email.to_owned()));
            assert_eq!(found, [account].into_iter().chain(email).collect(), "{text}");
        } else {
            let is_session = found.len() == 1 && found.iter().all(|(kind, _)| kind == "cookie");
            assert!(is_session, "{text}: {found:?}");
        }
        let fields = self.client.messages(chat).await[0]["fields"].clone();
        let has_mark = fields.as_array().into_iter().flatten().any(|field| field == &json!(["identity", "unverified"]));
        assert_eq!(has_mark, matches!(seen, Seen::Unverified { .. }), "{text}: {fields}");
        assert!(self.contacts.insert(number(&item["contact"], "id")), "{text}: it is a contact of its own");
        chat
    }

    /// Somebody comes to the shop as if never before, is named by the page like this, and writes.
    async fn sees(&mut self, browser: &Browser, shop: &Shop, text: &'static str, identity: &Value, seen: Seen) {
        come(browser, shop, identity).await;
        is_connected(browser).await;
        let account = if let Seen::Account { id, .. } = seen { Some(id) } else { None };
        let earlier = account.and_then(|id| self.accounts.remove(id));
        // The account's talk is there, and nobody else's.
        let mut said = earlier.as_ref().map(|(_, said)| said.clone()).unwrap_or_default();
        shows(browser, &said).await;
        write(browser, text).await;
        said.push(text.to_owned());
        shows(browser, &said).await;
        let chat = match earlier {
            Some((chat, _)) => chat,
            None => self.meets(text, seen).await,
        };
        assert_eq!(stored(&self.client, chat, said.len()).await, said, "{text}");
        if let Some(id) = account {
            self.accounts.insert(id, (chat, said));
        }
        nothing_is_on_its_way(browser).await;
        is_clean(browser).await;
        let fault = match seen {
            Seen::Stranger { fault } => fault,
            Seen::Unverified { fault } => Some(fault),
            Seen::Account { .. } => None,
        };
        let told: BTreeSet<String> = faults(browser).await.into_iter().collect();
        assert_eq!(told, fault.map(str::to_owned).into_iter().collect(), "{text}");
    }
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Comes to the shop as if never before, named by the page like this, and opens the chat.
async fn come(browser: &Browser, shop: &Shop, identity: &Value) {
    browser.leave().await;
    browser.devtools("Network.clearBrowserCookies", json!({})).await;
    browser.go(&shop.url).await;
    browser.find(LAUNCHER).await;
    const LISTEN: &str = "window.faults = [];
        document.addEventListener('switchboard:error', (event) => window.faults.push(event.detail.code))";
    browser.script(LISTEN, &[]).await;
    if !identity.is_null() {
        identify(browser, identity).await;
    }
    open_chat(browser).await;
}

/// The page says who its visitor is.
async fn identify(browser: &Browser, identity: &Value) {
    browser.script("window.faults = []; window.switchboard('identify', arguments[0])", std::slice::from_ref(identity)).await;
}

/// What the page was told that is wrong, since it last said who its visitor is. Leaves the chat.
async fn faults(browser: &Browser) -> Vec<String> {
    browser.leave().await;
    let faults = browser.script("return window.faults", &[]).await;
    faults.as_array().into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

/// Whoever is named like this is turned away, and told so.
async fn is_turned_away(browser: &Browser, shop: &Shop, identity: &Value, fault: &str) {
    come(browser, shop, identity).await;
    browser.find_with(".ended", "Please sign in on this site to chat.").await;
    assert!(!browser.has("textarea").await, "there is nothing to write into");
    // The frame shows it; that the page is told of it too takes another turn.
    let told = eventually("the page is told why", SOON, async || {
        let told = faults(browser).await;
        if told.is_empty() { Err("nothing yet".to_owned()) } else { Ok(told) }
    })
    .await;
    assert_eq!(told, [fault]);
}

/// Those of whom the page says nothing, or something that is right or wrong, while two secrets are good and nobody has to
/// be known.
fn claims() -> Vec<(&'static str, Value, Seen)> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    let now = i64::try_from(since_epoch.as_secs()).expect("it is before the end of time");
    let kari = Seen::Account { id: "4711", email: None };
    let ola = Seen::Account { id: "4712", email: Some("ola@customer.test") };
    let refused = |fault| Seen::Unverified { fault };
    let mut typed = signed_id(Site::CHAT_SECRET, "4711");
    (typed["name"], typed["email"]) = (json!("Kari"), json!("kari@customer.test"));
    let token = |secret: &str, times: Value| {
        let mut claims = json!({ "sub": "4712", "exp": now + 3_600, "name": "Ola", "email": "ola@customer.test" });
        claims["email_verified"] = json!(true);
        let times = times.as_object().cloned().unwrap_or_default();
        claims.as_object_mut().expect("it is an object").extend(times);
        signed_token(secret, &claims)
    };
    let own = |times: Value| token(Site::CHAT_SECRET, times);
    let (within, beyond) = (SKEW_S / 2, SKEW_S * 5);
    vec![
        ("of nobody", Value::Null, Seen::Stranger { fault: None }),
        ("of an account", typed, kari),
        ("of the account by the next secret", signed_id(NEXT_SECRET, "4711"), kari),
        ("of an account by another's secret", signed_id(FOREIGN_SECRET, "4711"), refused("identity_signature")),
        ("of a token", own(json!({})), ola),
        ("of a token by the next secret", token(NEXT_SECRET, json!({ "iat": now })), ola),
        ("of a token by another's secret", token(FOREIGN_SECRET, json!({})), refused("identity_signature")),
        ("of a clock that is ahead", own(json!({ "iat": now + within, "nbf": now + within })), ola),
        ("of a clock that is behind", own(json!({ "exp": now - within })), ola),
        ("of a token made too far ahead", own(json!({ "iat": now + beyond })), refused("identity_not_yet_valid")),
        ("of a token for later", own(json!({ "nbf": now + beyond })), refused("identity_not_yet_valid")),
        ("of a token of before", own(json!({ "exp": now - beyond })), refused("identity_expired")),
        ("of a token without an end", own(json!({ "exp": now + 2 * DAY_S })), refused("identity_too_long_valid")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anonymous_identified_and_wrongly_signed_visitors_are_told_apart_as_the_settings_say() {
    let wire = Wire::open().await;
    let shop = Shop::open("shop", &wire.url()).await;
    let mut site = site_for(&[&shop]).await;
    site.set("channels.chat.identity.skew_seconds", SKEW_S);
    site.set("channels.chat.identity.secrets", vec![Site::CHAT_SECRET, NEXT_SECRET]);
    let mut host = site.start().await;
    wire.lead_to(&host.url());
    let client = host.sign_in("sanne@example.test").await;
    let mut desk = Desk { client, chats: BTreeSet::new(), contacts: BTreeSet::new(), accounts: BTreeMap::new() };
    let browser = Browser::open(Look::default()).await;
    for (text, identity, seen) in claims() {
        desk.sees(&browser, &shop, text, &identity, seen).await;
    }

    let kari = Seen::Account { id: "4711", email: None };
    // Who is not believed gets in no more, and the first secret is good no more.
    site.set("channels.chat.identity.mode", "required");
    site.set("channels.chat.identity.secrets", vec![NEXT_SECRET, LATER_SECRET]);
    host.stop().await;
    host = site.start().await;
    wire.lead_to(&host.url());
    desk.client = desk.client.at(&host.url());
    is_turned_away(&browser, &shop, &Value::Null, "identity_required").await;
    is_turned_away(&browser, &shop, &signed_id(FOREIGN_SECRET, "4711"), "identity_refused").await;
    is_turned_away(&browser, &shop, &signed_id(Site::CHAT_SECRET, "4711"), "identity_refused").await;
    // Signing in properly is enough; the page need not be loaded again.
    identify(&browser, &signed_id(NEXT_SECRET, "4711")).await;
    go_into_chat(&browser).await;
    shows(&browser, &desk.accounts["4711"].1).await;
    desk.sees(&browser, &shop, "of the account by the secret that stayed", &signed_id(NEXT_SECRET, "4711"), kari).await;
    desk.sees(&browser, &shop, "of the account by the later secret", &signed_id(LATER_SECRET, "4711"), kari).await;

    // Nothing that is claimed is looked at.
    site.set("channels.chat.identity.mode", "off");
    host.stop().await;
    host = site.start().await;
    wire.lead_to(&host.url());
    desk.client = desk.client.at(&host.url());
    let off = Seen::Stranger { fault: Some("identity_off") };
    desk.sees(&browser, &shop, "of an account that nobody asks for", &signed_id(LATER_SECRET, "4711"), off).await;
    let open = desk.client.rows("items?view=open&limit=200").await;
    assert_eq!(open.iter().map(|row| number(row, "id")).collect::<BTreeSet<_>>(), desk.chats, "nobody else got in");
}
