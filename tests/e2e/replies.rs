//! A conversation by mail: out to the customer, back into the same thread, and no way in for strangers.

use crate::support::{SOON, decided, id, once, owner, write_in};
use serde_json::{Value, json};
use switchboard_tests::{Client, Delivered, Mail, eventually, on_both, swaks};

async fn reply(client: &Client, item: i64, text: &str) -> Value {
    client.post(&format!("/api/v1/items/{item}/messages"), &json!({ "kind": "reply", "text": text })).await.ok()
}

/// A mail that answers another, as mail programs write it.
fn answer_to(mail: &Delivered, from: &str, to: &str, text: &str) -> Mail {
    let id = mail.header("Message-ID");
    let references = format!("{} {id}", mail.header("References"));
    let own = format!("<{}@customer.test>", text.replace(' ', "-"));
    Mail::new(from, to, mail.header("Subject"), text)
        .with("In-Reply-To", id)
        .with("References", &references)
        .with("Message-ID", &own)
}

/// The texts of a thread once it has so many messages.
async fn texts(client: &Client, item: i64, count: usize) -> Vec<String> {
    eventually(&format!("the thread has {count} messages"), SOON, async || {
        let messages = client.messages(item).await;
        let texts: Vec<String> =
            messages.iter().map(|message| message["text"].as_str().unwrap_or_default().trim().to_owned()).collect();
        if texts.len() == count { Ok(texts) } else { Err(format!("{texts:?}")) }
    })
    .await
}

on_both! {
    async fn a_reply_reaches_the_customer_and_the_answer_comes_back_into_the_thread(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        write_in(&host, "maja@customer.test", "Where is my parcel?").await;
        let row = decided(&liv, "Where is my parcel?").await;
        let item = id(&row);
        let sent = reply(&liv, item, "It left us this morning.").await;
        let mail = site.mail.mail_to("maja@customer.test").await;
        assert_eq!(mail.header("In-Reply-To"), "<Where-is-my-parcel-@customer.test>");
        assert_eq!(mail.header("References"), "<Where-is-my-parcel-@customer.test>");
        assert_eq!(mail.header("Subject"), "Re: Where is my parcel?");
        assert!(mail.header("From").contains("Liv Moe (Example Support)"), "{}", mail.header("From"));
        assert!(mail.header("From").contains("<support@example.test>"), "{}", mail.header("From"));
        let signed = format!("<sb.c{item}.m{}.", id(&sent));
        assert!(mail.header("Message-ID").starts_with(&signed), "{} is not {signed}…", mail.header("Message-ID"));
        let token = mail.header("Reply-To");
        let token = token.rsplit(['<', ' ']).next().unwrap_or_default().trim_end_matches('>').to_owned();
        assert!(token.starts_with(&format!("support+c{item}.")), "{token}");
        assert!(mail.text.contains("It left us this morning."), "{}", mail.text);
        once(&liv, item, "the contact waits no longer", |view| view["waiting_since"].is_null()).await;
        eventually("the reply is known to be sent", SOON, async || {
            let state = liv.messages(item).await.last().map(|last| last["delivery"]["state"].clone());
            if state == Some(json!("sent")) { Ok(()) } else { Err(format!("{state:?}")) }
        })
        .await;

        swaks(host.mailbox("support"), &answer_to(&mail, "maja@customer.test", "support@example.test", "Thank you")).await;
        assert_eq!(texts(&liv, item, 3).await, ["Could you have a look, please?", "It left us this morning.", "Thank you"]);
        // Programs that drop references still write to the address that they were told to.
        let bare = Mail::new("maja@customer.test", &token, "No subject", "It has come").with("Message-ID", "<bare@customer.test>");
        swaks(host.mailbox("support"), &bare).await;
        assert_eq!(texts(&liv, item, 4).await.last().map(String::as_str), Some("It has come"));
        assert_eq!(liv.rows("items?view=open").await.len(), 1);
        assert_eq!(owner(&liv.item(item).await), owner(&row), "answers in open work change no owner");

        let stranger = answer_to(&mail, "mallory@elsewhere.test", &token, "Let me in");
        swaks(host.mailbox("support"), &stranger).await;
        let forged = Mail::new("maja@customer.test", &token.replacen(&format!("c{item}."), "c999.", 1), "Forged", "Forged token");
        swaks(host.mailbox("support"), &forged).await;
        let rows = eventually("strangers open conversations of their own", SOON, async || {
            let rows = liv.rows("items?view=open").await;
            if rows.len() == 3 { Ok(rows) } else { Err(format!("{rows:?}")) }
        })
        .await;
        assert_eq!(texts(&liv, item, 4).await.len(), 4, "{rows:?}");
    }

    async fn a_form_is_answered_by_mail_and_the_answer_joins_its_ticket(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let receipt = host.stranger().submit("kari@customer.test", "order", "It is broken.").await.ok();
        let conversation = receipt["conversation"].as_i64().expect("a receipt names the conversation");
        let view = once(&liv, conversation, "there is an owned ticket", |view| !view["linked"]["owner"].is_null()).await;
        let ticket = id(&view["linked"]);
        reply(&liv, ticket, "We send another.").await;
        let mail = site.mail.mail_to("kari@customer.test").await;
        assert!(mail.header("From").contains("<support@example.test>"), "{}", mail.header("From"));
        swaks(host.mailbox("support"), &answer_to(&mail, "kari@customer.test", "support@example.test", "Great")).await;
        assert_eq!(texts(&liv, ticket, 3).await, ["It is broken.", "We send another.", "Great"]);
        assert_eq!(liv.rows("items?view=open").await.len(), 1);
    }

    async fn a_reply_that_no_server_takes_is_shown_as_failed_and_can_be_sent_again(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        write_in(&host, "gone@refuse.test", "Nobody home").await;
        let item = id(&decided(&liv, "Nobody home").await);
        let message = id(&reply(&liv, item, "Hello?").await);
        let failed = async |attempts: u64| {
            eventually("the reply has failed", SOON, async || {
                let last = liv.messages(item).await.pop().unwrap_or_default();
                let delivery = &last["delivery"];
                if delivery["state"] == "failed" && delivery["attempts"] == attempts { Ok(last) } else { Err(last.to_string()) }
            })
            .await
        };
        let shown = failed(1).await;
        let error = shown["delivery"]["error"].as_str().unwrap_or_default();
        assert!(error.contains("550") || error.contains("nobody here"), "the server's words are shown: {error}");
        liv.post(&format!("/api/v1/messages/{message}/retry"), &json!({})).await.ok();
        eventually("it was tried again", SOON, async || {
            let count = site.database.number("SELECT attempts AS n FROM outbox");
            if count >= 1 && liv.messages(item).await.pop().unwrap_or_default()["delivery"]["state"] == "failed" { Ok(()) } else { Err(count.to_string()) }
        })
        .await;
    }
}
