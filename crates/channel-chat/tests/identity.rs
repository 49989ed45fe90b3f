//! Anonymous, identified and wrongly signed visitors, told apart over real sockets.

mod client;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{SECRETS, Site, nonce};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use switchboard_channel::{MailOffer, Signal};
use switchboard_channel_testkit::ManualClock;
use switchboard_model::{ConversationId, Identity, IdentityKind, Proof};

fn signed(secret: &str, text: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.chain_update(text).finalize().into_bytes().to_vec()
}

fn hash(secret: &str, id: &str) -> String {
    signed(secret, id).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn jwt_with(header: &Value, secret: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mac = URL_SAFE_NO_PAD.encode(signed(secret, &text));
    format!("{text}.{mac}")
}

fn jwt(secret: &str, claims: &Value) -> String {
    jwt_with(&json!({"alg": "HS256", "typ": "JWT"}), secret, claims)
}

/// Seconds from the harness's clock.
fn seconds(from_now: i64) -> i64 {
    ManualClock::START.0 / 1_000 + from_now
}

async fn welcomed(site: &Site, identity: Value) -> (Value, Value) {
    let (client, welcome) = site.visit(json!({"identity": identity})).await;
    client.lose().await;
    (welcome["visitor"].clone(), welcome["identity_fault"].clone())
}

#[tokio::test]
async fn either_secret_identifies_and_nothing_else_does() {
    let site = Site::open().await;
    for secret in SECRETS {
        let by_hash = json!({"id": "4711", "hash": hash(secret, "4711")});
        let by_jwt = json!({"jwt": jwt(secret, &json!({"sub": "4711", "exp": seconds(60)}))});
        for identity in [by_hash, by_jwt] {
            assert_eq!(welcomed(&site, identity).await, (json!("identified"), Value::Null));
        }
    }
    let good = hash(SECRETS[0], "4711");
    for (hash, fault) in [
        (hash("a-secret-that-nobody-knows", "4711"), "signature"),
        (hash(SECRETS[0], "4712"), "signature"),
        (good.to_uppercase(), ""),
        (good[..62].to_owned(), "malformed"),
        (String::new(), "malformed"),
        ("zz".repeat(32), "malformed"),
    ] {
        let expected = if fault.is_empty() { (json!("identified"), Value::Null) } else { (json!("unverified"), json!(fault)) };
        assert_eq!(welcomed(&site, json!({"id": "4711", "hash": hash})).await, expected, "{hash}");
    }
    let padded = json!({"id": " 4711", "hash": hash(SECRETS[0], " 4711")});
    assert_eq!(welcomed(&site, padded).await, (json!("unverified"), json!("malformed")));
    site.stop().await;
}

#[tokio::test]
async fn a_token_is_held_to_its_times_give_or_take_the_skew() {
    let site = Site::open().await;
    let day = 24 * 60 * 60;
    for (claims, fault) in [
        (json!({"sub": "4711", "exp": seconds(-59)}), ""),
        (json!({"sub": "4711", "exp": seconds(-60)}), "expired"),
        (json!({"sub": "4711", "exp": seconds(day + 60)}), ""),
        (json!({"sub": "4711", "exp": seconds(day + 61)}), "too_long_valid"),
        (json!({"sub": "4711", "exp": seconds(600), "nbf": seconds(60)}), ""),
        (json!({"sub": "4711", "exp": seconds(600), "nbf": seconds(61)}), "not_yet_valid"),
        (json!({"sub": "4711", "exp": seconds(600), "iat": seconds(61)}), "not_yet_valid"),
        (json!({"sub": "4711", "exp": seconds(600), "iat": seconds(-9_999_999)}), ""),
        (json!({"sub": "4711"}), "malformed"),
        (json!({"exp": seconds(600)}), "malformed"),
        (json!({"sub": "4711", "exp": 1e300}), "too_long_valid"),
        (json!({"sub": 4711, "exp": seconds(600)}), "malformed"),
    ] {
        let expected = if fault.is_empty() { (json!("identified"), Value::Null) } else { (json!("unverified"), json!(fault)) };
        assert_eq!(welcomed(&site, json!({"jwt": jwt(SECRETS[0], &claims)})).await, expected, "{claims}");
    }
    site.stop().await;
}

#[tokio::test]
async fn forged_tokens_are_not_believed() {
    let site = Site::open().await;
    let claims = json!({"sub": "4711", "exp": seconds(600)});
    let good = jwt(SECRETS[0], &claims);
    let (signed_part, _) = good.rsplit_once('.').expect("a token has parts");
    let other = URL_SAFE_NO_PAD.encode(json!({"sub": "1", "exp": seconds(600)}).to_string());
    let (header, rest) = good.split_once('.').expect("a token has parts");
    let (_, mac) = rest.split_once('.').expect("a token has parts");
    for (token, fault) in [
        (jwt("a-secret-that-nobody-knows", &claims), "signature"),
        (format!("{header}.{other}.{mac}"), "signature"),
        (format!("{signed_part}."), "signature"),
        (jwt_with(&json!({"alg": "none"}), SECRETS[0], &claims), "malformed"),
        (jwt_with(&json!({"alg": "HS512"}), SECRETS[0], &claims), "malformed"),
        (jwt_with(&json!({"alg": "hs256"}), SECRETS[0], &claims), "malformed"),
        (jwt_with(&json!({"alg": "HS256", "crit": ["exp"]}), SECRETS[0], &claims), "malformed"),
        (signed_part.to_owned(), "malformed"),
        (String::new(), "malformed"),
        (format!("{good}.x"), "malformed"),
        ("a.".repeat(3_000), "malformed"),
    ] {
        assert_eq!(welcomed(&site, json!({"jwt": token})).await, (json!("unverified"), json!(fault)), "{token}");
    }
    site.stop().await;
}

#[tokio::test]
async fn an_identified_visitor_is_the_account_on_every_browser() {
    let site = Site::open().await;
    let identity = json!({"id": "4711", "hash": hash(SECRETS[0], "4711"), "name": "Kari", "email": "kari@eksempel.test"});
    let (mut one, welcome) = site.visit(json!({"identity": identity})).await;
    assert!(welcome["pass"].is_string());
    assert_eq!(welcome["settings"]["prechat"][1]["known"], true);
    one.send(&json!({"type": "message", "client_id": "message-1", "text": "Hei"})).await;
    assert_eq!(one.next().await["type"], "accepted", "no session is needed, and the address is known");
    let (mut two, welcome) = site.visit(json!({"identity": identity})).await;
    assert_eq!(welcome["conversations"][0]["conversation"], 1);
    assert_eq!(two.until("message").await["text"], "Hei");
    let sender = site.harness.inbox.messages().remove(0).sender;
    assert_eq!(sender.identity, Identity::new(IdentityKind::Account, "shop_chat/4711"));
    assert_eq!((sender.proof, sender.name.as_deref()), (Proof::Channel, Some("Kari")));
    assert!(sender.also.is_empty(), "an address beside a hash is not signed");
    site.stop().await;
}

#[tokio::test]
async fn an_address_is_an_identity_only_when_the_site_has_proven_it() {
    let site = Site::open().await;
    site.harness.threads.set_mail_offer(Some(MailOffer { after_minutes: 3 }));
    for (proven, count) in [(json!(true), 1), (json!(false), 0), (Value::Null, 0)] {
        let mut claims = json!({"sub": "4711", "exp": seconds(600), "email": "Kari@eksempel.test"});
        if !proven.is_null() {
            claims["email_verified"] = proven.clone();
        }
        let (mut client, welcome) = site.visit(json!({"identity": {"jwt": jwt(SECRETS[1], &claims)}})).await;
        let address = (count == 1).then_some("Kari@eksempel.test");
        assert_eq!(welcome["settings"]["mail"]["address"], json!(address), "it need not be typed: {welcome}");
        client.send(&json!({"type": "message", "client_id": format!("message-{proven}"), "text": "Hei"})).await;
        assert_eq!(client.answer().await["type"], "accepted");
        let message = site.harness.inbox.messages().pop().expect("a message");
        assert_eq!(message.sender.also, vec![Identity::email("kari@eksempel.test"); count], "{proven}");
        assert_eq!(message.fields, [("email".to_owned(), "Kari@eksempel.test".to_owned())]);
    }
    site.stop().await;
}

#[tokio::test]
async fn an_unverified_visitor_is_anonymous_and_the_desk_is_told() {
    let site = Site::open().await;
    let identity = json!({"id": "4711", "hash": hash("a-secret-that-nobody-knows", "4711"), "name": "Kari"});
    let (mut client, welcome) = site.visit(json!({"identity": identity})).await;
    assert_eq!(welcome["visitor"], "unverified");
    client.begin("message-1", "Hei").await;
    let message = site.harness.inbox.messages().remove(0);
    assert_eq!((message.sender.identity.kind, message.sender.proof), (IdentityKind::Cookie, Proof::Cookie));
    assert!(message.fields.contains(&("identity".to_owned(), "unverified".to_owned())));
    site.stop().await;
}

#[tokio::test]
async fn where_an_identity_is_required_nobody_else_gets_in() {
    let site = Site::with(&[("mode = \"optional\"", "mode = \"required\"")]).await;
    let wrong = json!({"id": "4711", "hash": hash("a-secret-that-nobody-knows", "4711")});
    for (hello, code) in [(json!({}), "identity_required"), (json!({"identity": wrong}), "identity_refused")] {
        let mut client = site.connect().await;
        assert_eq!(client.hello(hello).await, json!({"type": "bye", "code": code, "reconnect": false}));
        assert_eq!(client.next().await["code"], 1_008);
    }
    let good = json!({"id": "4711", "hash": hash(SECRETS[0], "4711")});
    assert_eq!(welcomed(&site, good).await.0, "identified");
    site.stop().await;
}

#[tokio::test]
async fn talks_of_session_and_account_are_both_seen_and_not_merged() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    client.send(&json!({"type": "consent"})).await;
    let session = client.until("session").await["session"].clone();
    let anonymous = client.begin("message-1", "before signing in").await["conversation"].clone();
    client.lose().await;
    let identity = json!({"id": "4711", "hash": hash(SECRETS[0], "4711")});
    let (mut client, welcome) = site.visit(json!({"session": session, "identity": identity})).await;
    assert_eq!(welcome["conversations"][0]["conversation"], anonymous);
    let of_account = client.begin("message-2", "signed in").await["conversation"].clone();
    assert_eq!(client.write(&anonymous, "message-3", "one more").await["type"], "accepted");
    let kinds: Vec<IdentityKind> = site.harness.inbox.messages().iter().map(|message| message.sender.identity.kind).collect();
    assert_eq!(kinds, [IdentityKind::Cookie, IdentityKind::Account, IdentityKind::Cookie]);
    let (_, welcome) = site.visit(json!({"session": session})).await;
    let shown = welcome["conversations"].as_array().expect("a list");
    assert!(shown.iter().all(|thread| thread["conversation"] != of_account), "the cookie alone does not open the account");
    site.stop().await;
}

/// A page on which somebody wrote, and who signed in before the answer came: the nonce stays that of the page.
fn signing_in(page: &str, id: &str) -> Value {
    json!({"nonce": nonce(page), "identity": {"id": id, "hash": hash(SECRETS[0], id)}})
}

#[tokio::test]
async fn r12_1_a_message_repeated_after_signing_in_stays_where_it_came_first() {
    let site = Site::open().await;
    let (mut guest, _) = site.visit(json!({"nonce": nonce("page")})).await;
    let fields = json!([["email", "kari@eksempel.test"]]);
    let first = json!({"type": "message", "client_id": "message-1", "text": "one", "fields": fields});
    guest.send(&first).await;
    // The answer is on its way, and nobody is there any more to read it.
    while site.harness.inbox.messages().is_empty() {
        tokio::task::yield_now().await;
    }
    guest.lose().await;
    site.harness.threads.reply(ConversationId(1), "Pia", "answered meanwhile");
    let (mut member, welcome) = site.visit(signing_in("page", "4711")).await;
    assert_eq!((&welcome["visitor"], &welcome["conversations"]), (&json!("identified"), &json!([])));
    member.send(&first).await;
    member.send(&json!({"type": "message", "client_id": "message-2", "first": "message-1", "text": "two"})).await;
    let session = member.until("session").await["session"].clone();
    let mut frames = Vec::new();
    let of = |frames: &[Value], kind: &str| frames.iter().filter(|frame| frame["type"] == kind).cloned().collect::<Vec<_>>();
    while of(&frames, "accepted").len() < 2 || of(&frames, "message").is_empty() {
        frames.push(member.next().await);
        assert!(of(&frames, "closed").is_empty() && of(&frames, "refused").is_empty(), "{frames:?}");
    }
    let accepted = of(&frames, "accepted");
    let places: Vec<_> = accepted.iter().map(|frame| (frame["client_id"].clone(), frame["conversation"].clone())).collect();
    assert_eq!(places, [(json!("message-1"), json!(1)), (json!("message-2"), json!(1))], "it goes on where it began");
    assert_eq!((&accepted[0]["message"], &of(&frames, "message")[0]["text"]), (&json!(1), &json!("answered meanwhile")));
    let kinds: Vec<IdentityKind> = site.harness.inbox.messages().iter().map(|message| message.sender.identity.kind).collect();
    assert_eq!(kinds, [IdentityKind::Cookie; 2], "one talk of one visitor, and each message once");
    assert_eq!(member.begin("message-3", "another").await["conversation"], 2);
    assert_eq!(site.harness.inbox.messages()[2].sender.identity.kind, IdentityKind::Account, "what begins now is the account's");
    let (_, welcome) = site.visit(json!({"session": session})).await;
    assert_eq!(welcome["conversations"][0]["conversation"], 1, "the session is kept, and finds it again");
    assert_eq!(welcome["conversations"].as_array().map(Vec::len), Some(1));
    site.stop().await;
}

#[tokio::test]
async fn r12_1_a_message_that_was_under_way_when_the_account_sent_it_again_is_the_accounts() {
    let site = Site::open().await;
    let (mut guest, _) = site.visit(json!({"nonce": nonce("page")})).await;
    let (mut member, _) = site.visit(signing_in("page", "4711")).await;
    let of_account = member.begin("message-1", "one").await;
    assert_eq!((&of_account["type"], &of_account["conversation"]), (&json!("accepted"), &json!(1)));
    let late = guest.begin("message-1", "one").await;
    assert_eq!((&late["type"], &late["message"]), (&json!("accepted"), &of_account["message"]), "{late}");
    let messages = site.harness.inbox.messages();
    assert_eq!((messages.len(), messages[0].sender.identity.kind), (1, IdentityKind::Account));
    // The session alone neither writes into the account's talk nor sees it.
    for frame in [
        json!({"type": "message", "client_id": "message-2", "first": "message-1", "text": "two"}),
        json!({"type": "message", "client_id": "message-2", "conversation": 1, "text": "two"}),
    ] {
        guest.send(&frame).await;
        assert_eq!(guest.answer().await["code"], "unknown_conversation");
    }
    site.harness.threads.reply(ConversationId(1), "Pia", "for the account");
    assert_eq!(member.until("message").await["text"], "for the account");
    let seen = guest.caught_up().await;
    assert!(seen.iter().all(|frame| frame["type"] != "message" && frame["type"] != "thread"), "{seen:?}");
    site.stop().await;
}

#[tokio::test]
async fn r12_1_the_session_that_a_connection_names_stands_for_the_nonce() {
    let site = Site::open().await;
    let (mut guest, _) = site.visit(json!({})).await;
    guest.send(&json!({"type": "consent"})).await;
    let session = guest.until("session").await["session"].clone();
    let mut hello = signing_in("page", "4711");
    hello["session"] = session;
    let (mut member, _) = site.visit(hello).await;
    // Under way until now: the account's connection cannot have seen it when it was made.
    assert_eq!(guest.begin("message-1", "one").await["conversation"], 1);
    assert_eq!(member.begin("message-1", "one").await["conversation"], 1);
    assert_eq!(site.harness.inbox.messages().len(), 1);
    site.stop().await;
}

#[tokio::test]
async fn the_same_client_id_of_another_page_or_account_is_another_message() {
    let site = Site::open().await;
    let (mut guest, _) = site.visit(json!({"nonce": nonce("page")})).await;
    guest.begin("message-1", "mine").await;
    let mut found = Vec::new();
    for hello in [
        signing_in("another", "4711"),
        signing_in("page", "4712"),
        json!({"identity": {"id": "4713", "hash": hash(SECRETS[0], "4713")}}),
    ] {
        let (mut member, _) = site.visit(hello).await;
        found.push(member.begin("message-1", "theirs").await["conversation"].clone());
    }
    // Whoever has the page's nonce is the page's visitor, whichever account it is.
    assert_eq!(found, [json!(2), json!(1), json!(3)]);
    site.stop().await;
}

#[tokio::test]
async fn a_forged_or_old_session_counts_as_none() {
    let site = Site::open().await;
    let (mut client, _) = site.visit(json!({})).await;
    client.send(&json!({"type": "consent"})).await;
    let session = client.until("session").await["session"].as_str().expect("a token").to_owned();
    let forged = format!("{}A{}", &session[..5], &session[6..]);
    for (token, known) in [(session.as_str(), true), (forged.as_str(), false), ("", false), (&"A".repeat(54), false)] {
        let (_, welcome) = site.visit(json!({"session": token})).await;
        assert_eq!(welcome["session"] == true, known || token == session, "{token}");
    }
    site.harness.clock.advance_ms(181 * 24 * 60 * 60 * 1_000);
    let (_, welcome) = site.visit(json!({"session": session})).await;
    assert_eq!(welcome["session"], false);
    site.stop().await;
}

fn id_of(accepted: &Value) -> ConversationId {
    ConversationId(accepted["conversation"].as_i64().expect("the frame names a conversation"))
}

#[tokio::test]
async fn what_another_tab_of_the_visitor_still_shows_is_not_marked_as_left() {
    let site = Site::open().await;
    let (mut guest, _) = site.visit(json!({})).await;
    guest.send(&json!({"type": "consent"})).await;
    let session = guest.until("session").await["session"].clone();
    let of_session = id_of(&guest.begin("message-1", "Hei").await);
    let (mut member, _) =
        site.visit(json!({"session": session, "identity": {"id": "4711", "hash": hash(SECRETS[0], "4711")}})).await;
    let of_account = id_of(&member.begin("message-2", "Hei").await);
    member.caught_up().await;
    member.lose().await;
    let left = |id| site.harness.threads.signals().contains(&(id, Signal::Connected(false)));
    while !left(of_account) {
        guest.caught_up().await;
    }
    assert!(!left(of_session), "the other tab shows it");
    site.stop().await;
}
