//! Chats over real sockets: both sides talk, nothing is lost or doubled across reconnects, kills and hosts, and nobody
//! is taken for somebody else.

use crate::support::{SOON, decided_of, number, owner, set_status};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use switchboard_tests::{Client, Site, Visitor, eventually, on_both, signed_id, signed_token};
use tokio::sync::watch;
use tokio::task::JoinSet;

const KILLS: u64 = 4;
const TALKERS: u64 = 3;
/// Accepted messages between two kills.
const STRETCH: u64 = 40;
/// A client names the eighth newest message that it has, because those of one instant can become visible in any order.
const OVERLAP: usize = 8;

/// Answers in a conversation; returns the message's id.
async fn reply(desk: &Client, conversation: i64, text: &str) -> i64 {
    let path = format!("/api/v1/items/{conversation}/messages");
    number(&desk.post(&path, &json!({ "kind": "reply", "text": text })).await.ok(), "id")
}

/// Id and text of every `message` among frames.
fn shown(frames: &[Value]) -> Vec<(i64, String)> {
    let messages = frames.iter().filter(|frame| frame["type"] == "message");
    messages.map(|frame| (number(frame, "id"), text(frame))).collect()
}

fn text(message: &Value) -> String {
    message["text"].as_str().unwrap_or_else(|| panic!("no text in {message}")).to_owned()
}

/// Id and text of everything in a conversation, as the desk has it.
async fn stored(desk: &Client, conversation: i64) -> Vec<(i64, String)> {
    desk.messages(conversation).await.iter().map(|message| (number(message, "id"), text(message))).collect()
}

/// Frames until so many messages came.
async fn messages(visitor: &mut Visitor, count: usize) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    while found.len() < count {
        found.extend(shown(&[visitor.until("message").await]));
    }
    found
}

on_both! {
    async fn whoever_asks_for_answers_by_mail_gets_them_there_within_seconds_and_still_in_the_chat(mut site) {
        site.add_chat(&[]);
        let chat = "name = \"Shop chat\"\nkind = \"chat\"\n";
        site.edit_directory(chat, &format!("{chat}chat = {{ mail_channel = \"support\" }}\n"));
        let host = site.start().await;
        let sanne = host.sign_in("sanne@example.test").await;
        let (mut visitor, welcome) = Visitor::visit(&host.url(), &json!({ "locale": "en" })).await;
        assert_eq!(welcome["settings"]["mail"], json!({ "after_minutes": 3 }));
        let chat = number(&visitor.write("message-1", "Where is my parcel?", &json!({})).await, "conversation");
        let wish = json!({ "conversation": chat, "fields": [["email", "kari@customer.test"]], "answer_by": "mail" });
        visitor.write("message-2", "Please answer by email", &wish).await;
        let answer = reply(&sanne, chat, "It left us this morning.").await;
        // The visitor is there and reads it.
        assert_eq!(messages(&mut visitor, 1).await, [(answer, "It left us this morning.".to_owned())]);
        visitor.send(&json!({ "type": "read", "conversation": chat, "message": answer })).await;
        let mail = site.mail.mail_to("kari@customer.test").await;
        assert!(mail.text.contains("You asked us to answer by email.") && mail.text.contains("It left us this morning."), "{}", mail.text);
        let asked = sanne.messages(chat).await.iter().find(|message| text(message) == "Please answer by email").cloned();
        assert_eq!(asked.map(|asked| asked["fields"].clone()), Some(json!([["email", "kari@customer.test"], ["answer_by", "mail"]])));
    }

    async fn a_chat_has_an_owner_at_once_and_both_sides_see_what_the_other_writes_and_reads(mut site) {
        site.add_chat(&[]);
        let host = site.start().await;
        let (sanne, mette) = (host.sign_in("sanne@example.test").await, host.sign_in("mette@example.test").await);
        let page = json!({ "url": "https://www.shop.test/shoes?id=7", "title": "Shoes" });
        let (mut visitor, welcome) = Visitor::visit(&host.url(), &json!({ "locale": "en", "page": page })).await;
        assert_eq!((&welcome["visitor"], &welcome["conversations"]), (&json!("anonymous"), &json!([])));
        visitor.send(&json!({ "type": "consent" })).await;
        let session = visitor.until("session").await["session"].clone();
        let accepted = visitor.write("message-1", "Where is my parcel?", &json!({ "topic": "order" })).await;
        let chat = number(&accepted, "conversation");
        let row = decided_of(&mette, chat).await;
        assert_eq!(owner(&row), Some(sanne.user()), "sales answers orders: {row}");
        let (mut other, _) = Visitor::visit(&host.url(), &json!({ "session": session })).await;
        assert_eq!(shown(&other.caught_up().await), [(number(&accepted, "message"), "Where is my parcel?".to_owned())]);

        let answer = reply(&sanne, chat, "It left us this morning.").await;
        let expected = [(answer, "It left us this morning.".to_owned())];
        assert_eq!(messages(&mut visitor, 1).await, expected);
        assert_eq!(messages(&mut other, 1).await, expected, "the second tab sees both sides");
        let read = async || mette.messages(chat).await.last().map(|last| last["delivery"]["read"].clone());
        assert_ne!(read().await, Some(json!(true)));
        visitor.send(&json!({ "type": "read", "conversation": chat, "message": answer })).await;
        eventually("the desk knows that it was read", SOON, async || {
            let read = read().await;
            if read == Some(json!(true)) { Ok(()) } else { Err(format!("{read:?}")) }
        })
        .await;
        visitor.send(&json!({ "type": "typing", "conversation": chat, "on": true })).await;
        let presence = format!("/api/v1/items/{chat}/presence");
        eventually("the desk sees the visitor write, and where", SOON, async || {
            let there = sanne.get(&presence).await.ok();
            let is_so = there["visitor"]["writing"] == true && there["visitor"]["page"]["address"] == "https://www.shop.test/shoes";
            if is_so { Ok(()) } else { Err(there.to_string()) }
        })
        .await;
        let thanks = other.write("message-2", "Thank you", &json!({ "conversation": chat })).await;
        assert_eq!(messages(&mut visitor, 1).await, [(number(&thanks, "message"), "Thank you".to_owned())]);
        set_status(&sanne, chat, "closed").await;
        loop {
            if visitor.until("thread").await["open"] == false {
                break;
            }
        }
        let invoice = visitor.write("message-3", "And my invoice?", &json!({ "topic": "invoice" })).await;
        let second = number(&invoice, "conversation");
        assert_ne!(second, chat);
        let row = decided_of(&mette, second).await;
        assert!(owner(&row).is_some_and(|owner| owner != sanne.user()), "invoicing answers invoices: {row}");
    }

    async fn what_was_missed_is_replayed_exactly_and_a_repeated_message_is_one_message(mut site) {
        site.add_chat(&[]);
        let host = site.start().await;
        let sanne = host.sign_in("sanne@example.test").await;
        // The nonce makes a repetition from a page that lost its connection before it had a session the same visitor's.
        let hello = json!({ "nonce": "0123456789abcdef0123456789abcdef" });
        let (mut visitor, _) = Visitor::visit(&host.url(), &hello).await;
        let first = visitor.write("message-1", "Hello", &json!({})).await;
        let chat = number(&first, "conversation");
        drop(visitor);
        let (mut visitor, welcome) = Visitor::visit(&host.url(), &hello).await;
        assert_eq!(welcome["session"], false);
        visitor.send(&json!({ "type": "message", "client_id": "message-1", "text": "Hello, changed" })).await;
        let session = visitor.until("session").await["session"].clone();
        let again = visitor.until("accepted").await;
        assert_eq!((&again["message"], &again["conversation"]), (&first["message"], &first["conversation"]));
        let seen = reply(&sanne, chat, "seen").await;
        assert_eq!(messages(&mut visitor, 1).await, [(seen, "seen".to_owned())]);
        drop(visitor);
        let mut missed = Vec::new();
        for nth in 0..12 {
            let words = format!("missed {nth}");
            missed.push((reply(&sanne, chat, &words).await, words));
        }
        let after = json!({ "session": session, "after": { chat.to_string(): seen } });
        let (mut visitor, welcome) = Visitor::visit(&host.url(), &after).await;
        assert_eq!((&welcome["session"], &welcome["conversations"][0]["conversation"]), (&json!(true), &json!(chat)));
        let frames = visitor.caught_up().await;
        assert_eq!(shown(&frames), missed, "in order, once, and nothing else");
        assert!(frames.iter().any(|frame| frame["type"] == "replayed" && frame["conversation"] == chat));
        for (client_id, text) in [("message-1", "Hello"), ("message-2", "More"), ("message-2", "More")] {
            let accepted = visitor.write(client_id, text, &json!({ "conversation": chat })).await;
            assert_eq!(accepted["type"], "accepted", "{accepted}");
        }
        let mut all = vec![(number(&first, "message"), "Hello".to_owned()), (seen, "seen".to_owned())];
        all.extend(missed);
        let stored = stored(&sanne, chat).await;
        assert_eq!(stored[..all.len()], all);
        assert_eq!(stored[all.len()..].iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["More"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_of_somebody_else_is_refused_in_every_way() {
    let mut site = Site::sqlite().await;
    site.add_chat(&[]);
    let host = site.start().await;
    let sanne = host.sign_in("sanne@example.test").await;
    let (mut victim, _) = Visitor::visit(&host.url(), &json!({})).await;
    let accepted = victim.write("message-1", "My address is 4 Birch Lane", &json!({})).await;
    let chat = number(&accepted, "conversation");
    let (mut thief, welcome) = Visitor::visit(&host.url(), &json!({ "after": { chat.to_string(): 0 } })).await;
    assert_eq!(welcome["conversations"], json!([]));
    thief.write("message-7", "Mine", &json!({})).await;
    thief.caught_up().await;
    for (client_id, more) in [("message-8", json!({ "conversation": chat })), ("message-9", json!({ "first": "message-1" }))] {
        let refused = thief.write(client_id, "Let me in", &more).await;
        assert_eq!((&refused["type"], &refused["code"]), (&json!("refused"), &json!("unknown_conversation")), "{refused}");
    }
    for frame in [
        json!({ "type": "open", "conversation": chat }),
        json!({ "type": "read", "conversation": chat, "message": accepted["message"] }),
        json!({ "type": "typing", "conversation": chat, "on": true }),
    ] {
        thief.send(&frame).await;
        let frames = thief.caught_up().await;
        assert!(shown(&frames).is_empty(), "{frame} showed {frames:?}");
    }
    // Somebody else's id of a message is no key to it either.
    let own = thief.write("message-1", "The same id", &json!({})).await;
    assert!(own["type"] == "accepted" && own["conversation"] != chat, "{own}");
    reply(&sanne, chat, "Noted").await;
    assert_eq!(messages(&mut victim, 1).await[0].1, "Noted");
    assert!(!shown(&thief.caught_up().await).iter().any(|(_, text)| text == "Noted"));
    assert_eq!(stored(&sanne, chat).await.len(), 2);
    assert!(sanne.get(&format!("/api/v1/items/{chat}/presence")).await.ok()["visitor"]["writing"] == false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anonymous_identified_and_wrongly_signed_visitors_are_told_apart_at_the_desk() {
    let mut site = Site::sqlite().await;
    site.add_chat(&[]);
    let host = site.start().await;
    let sanne = host.sign_in("sanne@example.test").await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    let claims = json!({ "sub": "4712", "exp": now + 600, "name": "Ola", "email": "ola@customer.test", "email_verified": true });
    let mut hashed = signed_id(Site::CHAT_SECRET, "4711");
    (hashed["name"], hashed["email"]) = (json!("Kari"), json!("kari@customer.test"));
    let forged = signed_id("the-secret-of-somebody-else", "4711");
    let expired = signed_token(Site::CHAT_SECRET, &json!({ "sub": "4711", "exp": now - 3_600 }));
    let cases = [
        ("anonymous", Value::Null, "anonymous", vec![("cookie", "")], false),
        ("by-hash-1", hashed, "identified", vec![("account", "chat/4711")], false),
        (
            "by-token",
            signed_token(Site::CHAT_SECRET, &claims),
            "identified",
            vec![("account", "chat/4712"), ("email", "ola@customer.test")],
            false,
        ),
        ("forged-1", forged, "unverified", vec![("cookie", "")], true),
        ("expired-1", expired, "unverified", vec![("cookie", "")], true),
    ];
    let mut contacts = BTreeSet::new();
    for (client_id, identity, word, identities, is_marked) in cases {
        let (mut visitor, welcome) = Visitor::visit(&host.url(), &json!({ "identity": identity })).await;
        assert_eq!(welcome["visitor"], word, "{client_id}: {welcome}");
        let chat = number(&visitor.write(client_id, "Hello", &json!({})).await, "conversation");
        let item = sanne.item(chat).await;
        let found: Vec<(&str, &str)> = item["contact_detail"]["identities"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|identity| Some((identity["kind"].as_str()?, identity["value"].as_str()?)))
            .collect();
        let fits = found.len() == identities.len()
            && identities.iter().all(|(kind, value)| found.iter().any(|(k, v)| k == kind && (value.is_empty() || v == value)));
        assert!(fits, "{client_id}: {found:?} instead of {identities:?}");
        let fields = sanne.messages(chat).await[0]["fields"].clone();
        let has_mark = fields.as_array().into_iter().flatten().any(|field| field == &json!(["identity", "unverified"]));
        assert_eq!(has_mark, is_marked, "{client_id}: {fields}");
        assert!(contacts.insert(number(&item["contact"], "id")), "{client_id} is somebody of one's own");
    }
    // The account comes back from anywhere; the address that was not proven opens nothing.
    let (_, back) = Visitor::visit(&host.url(), &json!({ "identity": signed_id(Site::CHAT_SECRET, "4711") })).await;
    assert_eq!(back["conversations"].as_array().map(Vec::len), Some(1), "{back}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_on_one_host_and_an_agent_on_another_talk_as_on_one() {
    let mut site = Site::postgres().await;
    site.add_chat(&[]);
    let (here, there) = (site.start().await, site.start().await);
    let sanne = there.sign_in("sanne@example.test").await;
    let (mut visitor, _) = Visitor::visit(&here.url(), &json!({})).await;
    visitor.send(&json!({ "type": "consent" })).await;
    let session = visitor.until("session").await["session"].clone();
    let chat = number(&visitor.write("message-1", "Hello", &json!({})).await, "conversation");
    assert_eq!(owner(&decided_of(&sanne, chat).await), Some(sanne.user()));
    let mut expected = Vec::new();
    for nth in 0..5 {
        let words = format!("answer {nth}");
        let answer = reply(&sanne, chat, &words).await;
        assert_eq!(messages(&mut visitor, 1).await, [(answer, words.clone())]);
        expected.push(words);
        let words = format!("question {nth}");
        let written = visitor.write(&format!("question-{nth}"), &words, &json!({ "conversation": chat })).await;
        assert_eq!(written["type"], "accepted", "{written}");
        expected.push(words);
    }
    visitor.send(&json!({ "type": "typing", "conversation": chat, "on": true })).await;
    eventually("the other host knows that the visitor writes", SOON, async || {
        let presence = sanne.get(&format!("/api/v1/items/{chat}/presence")).await.ok();
        if presence["visitor"]["writing"] == true { Ok(()) } else { Err(presence.to_string()) }
    })
    .await;
    here.kill().await;
    // A balancer sends the visitor to the host that is left.
    let (mut visitor, welcome) =
        Visitor::visit(&there.url(), &json!({ "session": session, "after": { chat.to_string(): 0 } })).await;
    assert_eq!(welcome["session"], true);
    let replayed: Vec<String> = shown(&visitor.caught_up().await).into_iter().map(|(_, text)| text).collect();
    assert_eq!(replayed[1..], expected);
}

/// A visitor whose connections break: what it has sent, and what it was shown.
struct Talker {
    name: String,
    nonce: String,
    session: Option<String>,
    conversation: Option<i64>,
    /// The one that is not accepted yet.
    pending: Option<String>,
    accepted: BTreeMap<String, i64>,
    shown: BTreeMap<i64, String>,
    sent: u64,
}

/// What talkers, the desk and the one who kills share.
struct Storm {
    host: watch::Sender<Option<String>>,
    calm: watch::Sender<bool>,
    count: watch::Sender<u64>,
    /// Conversations by talker.
    conversations: Mutex<BTreeMap<String, i64>>,
}

impl Storm {
    async fn host(&self) -> String {
        let mut host = self.host.subscribe();
        let host = host.wait_for(Option::is_some).await.expect("the storm outlives them");
        host.clone().expect("it was just waited for")
    }

    fn is_calm(&self) -> bool {
        *self.calm.borrow()
    }
}

impl Talker {
    fn new(name: &str) -> Self {
        let nonce = format!("{name}{}", "0".repeat(32 - name.len()));
        let (accepted, shown) = (BTreeMap::new(), BTreeMap::new());
        Self { name: name.to_owned(), nonce, session: None, conversation: None, pending: None, accepted, shown, sent: 0 }
    }

    async fn talk(mut self, storm: Arc<Storm>) -> Self {
        while !storm.is_calm() || self.pending.is_some() {
            let host = storm.host().await;
            // However the connection ends, there is another one.
            let _ = self.connected(&host, &storm).await;
            tokio::task::yield_now().await;
        }
        self
    }

    fn hello(&self) -> Value {
        let eighth = self.shown.keys().rev().nth(OVERLAP - 1).copied().unwrap_or(0);
        let after = self.conversation.map(|id| json!({ id.to_string(): eighth }));
        json!({ "nonce": self.nonce, "session": self.session, "after": after })
    }

    /// Talks until the connection is gone, or there is nothing left to say.
    async fn connected(&mut self, host: &str, storm: &Storm) -> Option<()> {
        let (mut visitor, welcome) = Visitor::try_visit(host, &self.hello()).await?;
        if welcome["type"] != "welcome" {
            return None;
        }
        loop {
            if self.pending.is_none() {
                if storm.is_calm() {
                    return Some(());
                }
                self.pending = Some(format!("{}-{:06}", self.name, self.sent));
                self.sent += 1;
            }
            let client_id = self.pending.clone()?;
            // Words and id are the same, so that the desk can tell which is which.
            let frame =
                json!({ "type": "message", "client_id": client_id, "text": client_id, "conversation": self.conversation });
            visitor.try_send(&frame).await?;
            loop {
                let frame = visitor.try_next().await?;
                if frame["type"] == "accepted" && frame["client_id"] == client_id.as_str() {
                    self.accept(&client_id, &frame, storm);
                    break;
                }
                self.hear(&frame)?;
            }
        }
    }

    fn accept(&mut self, client_id: &str, frame: &Value, storm: &Storm) {
        let (conversation, message) = (number(frame, "conversation"), number(frame, "message"));
        assert_eq!(*self.conversation.get_or_insert(conversation), conversation, "all of one visitor is one conversation");
        self.accepted.insert(client_id.to_owned(), message);
        self.show(message, client_id.to_owned());
        self.pending = None;
        storm.conversations.lock().expect("no holder panics").insert(self.name.clone(), conversation);
        storm.count.send_modify(|count| *count += 1);
    }

    fn hear(&mut self, frame: &Value) -> Option<()> {
        match frame["type"].as_str()? {
            "message" => self.show(number(frame, "id"), text(frame)),
            "session" => self.session = frame["session"].as_str().map(str::to_owned).or(self.session.take()),
            // The host is on its way out; the same is sent again to the next one.
            "refused" if frame["retry"] == true => return None,
            "refused" => panic!("a good message was refused: {frame}"),
            "bye" => return None,
            _ => {}
        }
        Some(())
    }

    fn show(&mut self, id: i64, text: String) {
        let earlier = self.shown.insert(id, text.clone());
        assert!(earlier.as_ref().is_none_or(|earlier| *earlier == text), "one id, two messages: {earlier:?} and {text}");
    }
}

/// The desk answers in every conversation, over and over; returns the answers that were acknowledged, by talker.
async fn answer(storm: Arc<Storm>, desk: Client) -> BTreeMap<String, BTreeSet<String>> {
    let mut acknowledged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for nth in 0.. {
        let host = storm.host().await;
        if storm.is_calm() {
            break;
        }
        let conversations = storm.conversations.lock().expect("no holder panics").clone();
        let desk = desk.at(&host);
        for (name, chat) in conversations {
            let words = format!("answer {nth} to {name}");
            let request = desk.request(reqwest::Method::POST, &format!("/api/v1/items/{chat}/messages"));
            let answer = desk.try_send(request.json(&json!({ "kind": "reply", "text": words }))).await;
            if answer.is_ok_and(|answer| answer.status == 201 || answer.status == 200) {
                acknowledged.entry(name).or_default().insert(words);
            }
        }
        tokio::task::yield_now().await;
    }
    acknowledged
}

on_both! {
    async fn killed_between_and_within_messages_the_host_loses_and_doubles_nothing_of_a_chat(mut site) {
        site.add_chat(&[]);
        let mut host = site.start().await;
        let desk = host.sign_in("sanne@example.test").await;
        let (storm_host, calm, count) = (watch::Sender::new(Some(host.url())), watch::Sender::new(false), watch::Sender::new(0));
        let storm = Arc::new(Storm { host: storm_host, calm, count, conversations: Mutex::default() });
        let mut talkers = JoinSet::new();
        for nth in 0..TALKERS {
            talkers.spawn(Talker::new(&format!("talker{nth}")).talk(Arc::clone(&storm)));
        }
        let answers = tokio::spawn(answer(Arc::clone(&storm), desk.clone()));
        for nth in 1..=KILLS {
            let mut count = storm.count.subscribe();
            let enough = count.wait_for(|count| *count >= nth * STRETCH);
            tokio::time::timeout(Duration::from_secs(60), enough).await.expect("messages are taken").expect("the storm lives");
            storm.host.send_replace(None);
            host.kill().await;
            host = site.start().await;
            storm.host.send_replace(Some(host.url()));
        }
        let mut count = storm.count.subscribe();
        count.wait_for(|count| *count >= (KILLS + 1) * STRETCH).await.expect("the storm lives");
        storm.calm.send_replace(true);
        let answers = answers.await.expect("the desk does not fail");
        let desk = desk.at(&host.url());
        while let Some(talker) = talkers.join_next().await {
            let talker = talker.expect("no talker fails");
            let chat = talker.conversation.expect("something was accepted");
            let stored = everything(&desk, chat).await;
            let by_text: BTreeMap<&str, i64> = stored.iter().map(|(id, text)| (text.as_str(), *id)).collect();
            assert_eq!(by_text.len(), stored.len(), "nothing is there twice");
            for (client_id, id) in &talker.accepted {
                assert_eq!(by_text.get(client_id.as_str()), Some(id), "{client_id} was accepted");
            }
            assert_eq!(talker.accepted.len() as u64, talker.sent, "everything that was sent was accepted in the end");
            for words in answers.get(&talker.name).into_iter().flatten() {
                assert!(by_text.contains_key(words.as_str()), "`{words}` was acknowledged to the desk");
            }
            let own = stored.iter().filter(|(_, text)| text.starts_with(&talker.name)).count();
            assert_eq!(own, talker.accepted.len(), "and nothing else is from the visitor");
            let (mut last, _) = Visitor::visit(&host.url(), &talker.hello()).await;
            let mut seen = talker.shown;
            seen.extend(shown(&last.caught_up().await));
            assert!(seen.into_iter().eq(stored), "the visitor has seen everything, and once");
        }
        let chats = site.database.number("SELECT COUNT(*) AS n FROM item");
        assert_eq!(chats, i64::try_from(TALKERS).expect("a small number"), "one conversation for each visitor");
    }
}

/// Id and text of everything in a conversation, page by page, oldest first.
async fn everything(desk: &Client, conversation: i64) -> Vec<(i64, String)> {
    let mut found = BTreeMap::new();
    let mut next = String::new();
    loop {
        let page = desk.get(&format!("/api/v1/items/{conversation}/messages?limit=200{next}")).await.ok();
        for message in page["rows"].as_array().into_iter().flatten() {
            found.insert(number(message, "id"), text(message));
        }
        match page["next"].as_str() {
            Some(token) => next = format!("&before={token}"),
            None => return found.into_iter().collect(),
        }
    }
}
