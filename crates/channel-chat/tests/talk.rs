//! A conversation over real sockets: both ways, several tabs, lost connections, and what a stranger must not see.

mod client;

use client::{Site, nonce};
use serde_json::{Value, json};
use switchboard_channel::{InboxErrorKind, MailOffer, Opening, Signal, ThreadChange};
use switchboard_model::{ConversationId, IdentityKind, MessageId, Proof, Timestamp};

fn conversation(frame: &Value) -> ConversationId {
    ConversationId(frame["conversation"].as_i64().expect("the frame names a conversation"))
}

fn texts(frames: &[Value]) -> Vec<&str> {
    let messages = frames.iter().filter(|frame| frame["type"] == "message");
    messages.map(|frame| frame["text"].as_str().expect("a message has a text")).collect()
}

#[tokio::test]
async fn nothing_is_kept_before_the_visitor_acts_and_then_the_session_comes_once() {
    let site = Site::open().await;
    let (mut client, welcome) = site.visit(json!({"locale": "nb"})).await;
    assert_eq!((&welcome["protocol"], &welcome["visitor"], &welcome["session"]), (&json!(1), &json!("anonymous"), &json!(false)));
    assert_eq!((&welcome["pass"], &welcome["conversations"], &welcome["open"]), (&Value::Null, &json!([]), &json!(true)));
    assert_eq!((site.harness.inbox.pushes(), site.harness.threads.reads()), (0, 1), "only the hours were read");
    let fields = json!([["email", "kari@eksempel.test"]]);
    client
        .send(&json!({"type": "message", "client_id": "message-1", "text": "Hei", "fields": fields, "topic": "delivery"}))
        .await;
    let session = client.next().await;
    assert_eq!(session["type"], "session");
    assert_eq!(client.until("accepted").await["client_id"], "message-1");
    client.send(&json!({"type": "consent"})).await;
    let again = client.until("session").await;
    assert!(again["session"].is_null() && again["pass"].is_string(), "the token came once: {again}");
    let message = site.harness.inbox.messages().remove(0);
    assert_eq!((message.sender.proof, message.sender.identity.kind), (Proof::Cookie, IdentityKind::Cookie));
    assert!(message.sender.also.is_empty(), "a typed address is no identity");
    let fields =
        [("email", "kari@eksempel.test"), ("topic", "delivery")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((message.fields.as_slice(), message.language.as_deref()), (fields.as_slice(), Some("nb")));
    let token = session["session"].as_str().expect("a token");
    assert!(!message.sender.identity.value.contains(token) && token.len() >= 40);
    site.stop().await;
}

#[tokio::test]
async fn visitor_and_agent_talk_both_ways_and_see_each_other_write() {
    let site = Site::open().await;
    let threads = &site.harness.threads;
    let (mut client, _) = site.visit(json!({"page": {"url": "https://www.shop.test/sko?id=7#top", "title": "Sko"}})).await;
    let accepted = client.begin("message-1", "Hvor er pakken?").await;
    let (id, number) = (conversation(&accepted), accepted["conversation"].clone());
    let first = client.until("thread").await;
    assert_eq!((&first["conversation"], &first["open"]), (&number, &json!(true)));
    let reply = threads.reply(id, "Pia", "Den er på vei.");
    let shown = client.until("message").await;
    assert_eq!((&shown["id"], &shown["author"]), (&json!(reply), &json!({"kind": "agent", "name": "Pia"})));
    threads.change(id, |thread| (thread.owner, thread.seen) = (Some("Pia".to_owned()), Some(MessageId(1))));
    let standing = client.until("thread").await;
    assert_eq!((&standing["owner"], &standing["seen"]), (&json!("Pia"), &json!(1)));
    threads.writing(id, "Pia", true);
    assert_eq!(client.until("typing").await, json!({"type": "typing", "conversation": number, "name": "Pia", "on": true}));
    for frame in [
        json!({"type": "typing", "conversation": number, "on": true}),
        json!({"type": "read", "conversation": number, "message": 9_999}),
        json!({"type": "page", "url": "https://www.shop.test/kasse?card=1", "title": "Kasse"}),
    ] {
        client.send(&frame).await;
    }
    client.caught_up().await;
    let page = |path: &str, title: &str| Signal::Page(format!("https://www.shop.test/{path}"), title.to_owned());
    let expected =
        [Signal::Connected(true), page("sko", "Sko"), Signal::Writing(true), Signal::Read(reply), page("kasse", "Kasse")];
    assert!(threads.signals() == expected.map(|signal| (id, signal)), "other signals came, or in another order");
    client.lose().await;
    site.stop().await;
}

#[tokio::test]
async fn r12_1_a_first_message_repeated_after_a_lost_connection_is_one_message_of_one_visitor() {
    let site = Site::open().await;
    let hello = json!({"nonce": nonce("page")});
    let (mut client, _) = site.visit(hello.clone()).await;
    site.harness.inbox.lose_next_answer();
    let refused = client.begin("message-1", "Hei").await;
    assert_eq!(
        (&refused["code"], &refused["retry"], &refused["client_id"]),
        (&json!("unavailable"), &json!(true), &json!("message-1"))
    );
    client.lose().await;
    let (mut client, welcome) = site.visit(hello).await;
    assert_eq!(welcome["session"], false, "the session had not arrived");
    let accepted = client.begin("message-1", "Hei").await;
    assert_eq!((&accepted["type"], &accepted["message"]), (&json!("accepted"), &json!(1)));
    assert_eq!(site.harness.inbox.messages().len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn messages_written_before_the_first_is_accepted_land_in_its_conversation() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let fields = json!([["email", "kari@eksempel.test"]]);
    client.send(&json!({"type": "message", "client_id": "message-1", "text": "one", "fields": fields})).await;
    client.send(&json!({"type": "message", "client_id": "message-2", "first": "message-1", "text": "two"})).await;
    let (one, two) = (client.answer().await, client.answer().await);
    assert_eq!((&two["type"], &one["conversation"]), (&json!("accepted"), &two["conversation"]));
    client.send(&json!({"type": "message", "client_id": "message-3", "first": "message-0", "text": "three"})).await;
    assert_eq!(client.answer().await["code"], "unknown_conversation");
    assert!(site.harness.inbox.messages()[1].fields.is_empty(), "only the first message carries answers");
    site.stop().await;
}

#[tokio::test]
async fn whoever_waits_asks_for_the_answer_by_mail_and_sees_it_asked_on_every_tab() {
    let site = Site::open().await;
    let (mut client, welcome) = site.visit(json!({})).await;
    assert!(welcome["settings"]["mail"].is_null(), "nothing is mailed: {welcome}");
    site.harness.threads.set_mail_offer(Some(MailOffer { after_minutes: 3 }));
    client.send(&json!({"type": "consent"})).await;
    let session = client.until("session").await["session"].clone();
    let accepted = client.begin("message-1", "Hei").await;
    let (id, number) = (conversation(&accepted), accepted["conversation"].clone());
    let (mut other, welcome) = site.visit(json!({"session": session})).await;
    assert_eq!(welcome["settings"]["mail"], json!({"after_minutes": 3}));
    other.caught_up().await;
    let wish = |address: &str, by: &str| {
        json!({"type": "message", "client_id": "message-2", "conversation": number, "text": "By mail, please",
               "fields": [["email", address], ["colour", "red"]], "answer_by": by})
    };
    for (address, by, name) in [("kari", "mail", "email"), ("kari@eksempel.test", "post", "answer_by")] {
        client.send(&wish(address, by)).await;
        let refused = client.answer().await;
        assert_eq!((&refused["code"], &refused["client_id"]), (&json!("bad_field"), &json!("message-2")));
        assert_eq!(refused["fields"], json!([{"name": name, "code": "invalid"}]));
    }
    for _ in 0..2 {
        client.send(&wish("kari@eksempel.test", "mail")).await;
        assert_eq!(client.answer().await["type"], "accepted");
    }
    let stored = site.harness.inbox.messages();
    let fields =
        [("email", "kari@eksempel.test"), ("answer_by", "mail")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!((stored.len(), stored[1].fields.as_slice()), (2, fields.as_slice()), "it is stored once");
    site.harness.threads.answer_by_itself(id, "Shop", "We are looking into it.");
    let (asked, answer) = (other.until("message").await, other.until("message").await);
    assert_eq!((&asked["answer_by"], &asked["email"]), (&json!("mail"), &json!("kari@eksempel.test")));
    assert_eq!(answer["author"], json!({"kind": "agent", "name": "Shop", "automatic": true}));
    let (mut reloaded, _) = site.visit(json!({"session": session})).await;
    let frames = reloaded.caught_up().await;
    let wishes = frames.iter().filter(|frame| frame["type"] == "message").map(|frame| frame["answer_by"].clone());
    assert_eq!(wishes.collect::<Vec<_>>(), [Value::Null, json!("mail"), Value::Null]);
    site.stop().await;
}

#[tokio::test]
async fn what_was_missed_comes_after_a_reconnect_and_nothing_twice() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    client.send(&json!({"type": "consent"})).await;
    let session = client.until("session").await["session"].clone();
    let accepted = client.begin("message-1", "Hei").await;
    let (id, number) = (conversation(&accepted), accepted["conversation"].clone());
    let seen = site.harness.threads.reply(id, "Pia", "seen");
    client.until("message").await;
    client.lose().await;
    site.harness.threads.reply(id, "Pia", "missed one");
    site.harness.threads.reply(id, "Pia", "missed two");
    let after = json!({number.to_string(): seen});
    let (mut client, welcome) = site.visit(json!({"session": session, "after": after})).await;
    assert_eq!((&welcome["session"], &welcome["conversations"][0]["conversation"]), (&json!(true), &number));
    site.harness.threads.reply(id, "Pia", "live");
    let mut frames = client.caught_up().await;
    while texts(&frames).len() < 3 {
        frames.push(client.next().await);
    }
    frames.extend(client.caught_up().await);
    assert_eq!(texts(&frames), ["missed one", "missed two", "live"]);
    assert!(frames.iter().any(|frame| frame == &json!({"type": "replayed", "conversation": number})));
    let (mut reloaded, _) = site.visit(json!({"session": session})).await;
    let whole = reloaded.caught_up().await;
    assert_eq!(texts(&whole), ["Hei", "seen", "missed one", "missed two", "live"]);
    assert_eq!((&whole[0]["author"]["kind"], &whole[0]["client_id"]), (&json!("visitor"), &json!("message-1")));
    reloaded.send(&json!({"type": "open", "conversation": number, "after": seen})).await;
    assert_eq!(texts(&reloaded.caught_up().await), ["missed one", "missed two", "live"]);
    site.stop().await;
}

#[tokio::test]
async fn a_second_tab_sees_what_the_first_one_writes_and_begins() {
    let site = Site::open().await;
    let (mut one, _) = site.visit(json!({})).await;
    one.send(&json!({"type": "consent"})).await;
    let session = one.until("session").await["session"].clone();
    let (mut two, _) = site.visit(json!({"session": session})).await;
    let accepted = one.begin("message-1", "from the first").await;
    let thread = two.next().await;
    assert_eq!((&thread["type"], &thread["conversation"]), (&json!("thread"), &accepted["conversation"]));
    let shown = two.until("message").await;
    assert_eq!((&shown["client_id"], &shown["text"]), (&json!("message-1"), &json!("from the first")));
    assert_eq!(two.write(&accepted["conversation"], "message-2", "from the second").await["type"], "accepted");
    assert_eq!(one.until("message").await["text"], "from the second");
    assert!(texts(&two.caught_up().await).is_empty(), "what a tab wrote does not come back to it");
    one.lose().await;
    two.caught_up().await;
    let gone = site.harness.threads.signals().iter().any(|(_, signal)| *signal == Signal::Connected(false));
    assert!(!gone, "the visitor is there as long as one tab is");
    site.stop().await;
}

#[tokio::test]
async fn a_strangers_conversation_cannot_be_read_written_or_watched() {
    let site = Site::open().await;
    let (mut kari, _) = site.visit(json!({})).await;
    let number = kari.begin("message-1", "secret").await["conversation"].clone();
    let (mut stranger, _) = site.visit(json!({"after": {number.to_string(): 0}})).await;
    for _ in 0..2 {
        assert_eq!(stranger.write(&number, "message-2", "hello").await["code"], "unknown_conversation");
        stranger.send(&json!({"type": "open", "conversation": number})).await;
        assert_eq!(stranger.answer().await["code"], "unknown_conversation");
        stranger.send(&json!({"type": "typing", "conversation": number, "on": true})).await;
        stranger.send(&json!({"type": "read", "conversation": number, "message": 1})).await;
        // The second time as somebody who has a session.
        stranger.send(&json!({"type": "consent"})).await;
        stranger.until("session").await;
    }
    site.harness.threads.reply(conversation(&json!({"conversation": number})), "Pia", "for Kari");
    assert_eq!(kari.until("message").await["text"], "for Kari");
    assert!(stranger.caught_up().await.is_empty());
    assert_eq!(site.harness.inbox.messages().len(), 1);
    let signals = site.harness.threads.signals();
    assert!(signals.iter().all(|(_, signal)| *signal == Signal::Connected(true)));
    site.stop().await;
}

#[tokio::test]
async fn a_typed_address_opens_no_older_talk() {
    let site = Site::open().await;
    let (mut kari, _) = site.visit(json!({})).await;
    kari.begin("message-1", "mine").await;
    let (mut other, _) = site.visit(json!({})).await;
    let begun = other.begin("message-2", "the same address").await;
    assert_eq!(begun["conversation"], 2);
    let senders: Vec<_> = site.harness.inbox.messages().into_iter().map(|message| message.sender.identity).collect();
    assert_ne!(senders[0], senders[1]);
    assert!(texts(&other.caught_up().await).is_empty());
    site.stop().await;
}

#[tokio::test]
async fn refusals_of_the_inbox_say_whether_to_try_again() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    for (kind, code, retry) in [
        (InboxErrorKind::Unavailable, "unavailable", true),
        (InboxErrorKind::Busy, "unavailable", true),
        (InboxErrorKind::Unknown, "unavailable", true),
        (InboxErrorKind::Closed, "closed", false),
        (InboxErrorKind::Invalid, "unstorable", false),
    ] {
        site.harness.inbox.fail_with(kind);
        let refused = client.begin("message-1", "Hei").await;
        assert_eq!(
            (&refused["code"], &refused["retry"], &refused["client_id"]),
            (&json!(code), &json!(retry), &json!("message-1"))
        );
    }
    site.harness.inbox.recover();
    assert_eq!(client.begin("message-1", "Hei").await["type"], "accepted");
    site.stop().await;
}

#[tokio::test]
async fn every_wrong_answer_is_named_at_once() {
    let site = Site::open().await;
    let (mut client, welcome) = site.visit(json!({})).await;
    assert_eq!(welcome["settings"]["prechat"][1]["label"]["nb"], "E-post");
    let fields = json!([["count", "many"], ["colour", "red"], ["count", "2"]]);
    client
        .send(&json!({"type": "message", "client_id": "message-1", "text": "Hei", "fields": fields, "topic": "delivery"}))
        .await;
    let refused = client.answer().await;
    let expected = json!([
        {"name": "colour", "code": "unknown"},
        {"name": "count", "code": "repeated"},
        {"name": "email", "code": "required"},
        {"name": "count", "code": "invalid"},
    ]);
    assert_eq!((&refused["code"], &refused["fields"]), (&json!("bad_field"), &expected));
    client.send(&json!({"type": "message", "client_id": "message-1", "text": "Hei", "topic": "war"})).await;
    assert_eq!(client.answer().await["code"], "bad_topic");
    client.send(&json!({"type": "message", "client_id": "message-1", "text": " \n"})).await;
    assert_eq!(client.answer().await["code"], "empty");
    client.send(&json!({"type": "message", "client_id": "short", "text": "Hei"})).await;
    assert_eq!(client.answer().await["code"], "bad_client_id");
    assert_eq!(client.begin("message-1", &"æ".repeat(10_001)).await["code"], "too_long");
    assert_eq!(site.harness.inbox.pushes(), 0);
    site.stop().await;
}

#[tokio::test]
async fn a_receiver_that_fell_behind_and_a_database_that_was_away_lose_nothing() {
    let site = Site::open().await;
    let threads = &site.harness.threads;
    let (mut client, _) = site.visit(json!({})).await;
    let id = conversation(&client.begin("message-1", "Hei").await);
    client.caught_up().await;
    threads.fail(true);
    let missed: Vec<String> = (0..5).map(|count| format!("missed {count}")).collect();
    for text in &missed {
        threads.reply(id, "Pia", text);
    }
    // More than a receiver keeps, without a pause in which it could take any.
    for other in 0..200 {
        threads.tell(ThreadChange::Thread(ConversationId(1_000 + other)));
    }
    client.caught_up().await;
    threads.fail(false);
    let mut shown = Vec::new();
    while shown.len() < missed.len() {
        shown.push(client.until("message").await["text"].as_str().expect("a text").to_owned());
    }
    assert_eq!(shown, missed);
    site.stop().await;
}

#[tokio::test]
async fn the_hours_are_told_and_messages_are_taken_outside_of_them() {
    let site = Site::open().await;
    site.harness.threads.set_opening(Opening { open: false, opens_at: Some(Timestamp(1_795_334_400_000)) });
    let (mut client, welcome) = site.visit(json!({})).await;
    assert_eq!((&welcome["open"], &welcome["opens_at"]), (&json!(false), &json!(1_795_334_400_000_i64)));
    assert_eq!(client.begin("message-1", "Hei").await["type"], "accepted");
    site.stop().await;
}

#[tokio::test]
async fn a_stopping_host_says_that_the_client_shall_come_back() {
    let site = Site::open().await;
    let (mut silent, _) = site.visit(json!({})).await;
    let mut before_hello = site.connect().await;
    site.harness.context.runtime.shutdown.cancel();
    for client in [&mut silent, &mut before_hello] {
        assert_eq!(client.next().await, json!({"type": "bye", "code": "restart", "reconnect": true}));
        assert_eq!(client.next().await, json!({"type": "closed", "code": 1_012}));
    }
    site.stop().await;
}

#[tokio::test]
async fn a_visitor_who_left_is_told_to_the_desk() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let id = conversation(&client.begin("message-1", "Hei").await);
    client.lose().await;
    let threads = std::sync::Arc::clone(&site.harness.threads);
    // The tasks are waited for, so the signal was given by the end if ever.
    site.stop().await;
    assert!(threads.signals().last() == Some(&(id, Signal::Connected(false))));
}

#[tokio::test]
async fn a_visitor_whose_conversation_was_closed_meanwhile_is_gone_all_the_same() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    let id = conversation(&client.begin("message-1", "Hei").await);
    client.caught_up().await;
    site.harness.threads.change(id, |thread| thread.open = false);
    while client.until("thread").await["open"] != false {}
    client.lose().await;
    let threads = std::sync::Arc::clone(&site.harness.threads);
    site.stop().await;
    assert!(threads.signals().last() == Some(&(id, Signal::Connected(false))));
}
