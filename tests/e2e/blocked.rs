//! Contacts that are blocked at the desk, over real sockets: whoever is blocked notices nothing and reaches nobody.

use crate::support::{decided_of, number, owner};
use serde_json::{Value, json};
use switchboard_tests::{Client, Visitor, on_both};

async fn set_blocked(desk: &Client, contact: i64, blocked: bool) -> Value {
    desk.put(&format!("/api/v1/contacts/{contact}/blocked"), &json!({ "blocked": blocked })).await.ok()
}

/// The status of an item and whether it has an owner.
async fn standing(desk: &Client, item: i64) -> (Value, bool) {
    let row = desk.item(item).await;
    (row["status"].clone(), owner(&row).is_some())
}

on_both! {
    async fn r12_1_a_blocked_visitor_of_a_chat_notices_nothing_and_reaches_nobody(mut site) {
        site.add_chat(&[]);
        let host = site.start().await;
        let mette = host.sign_in("mette@example.test").await;
        let (mut visitor, _) = Visitor::visit(&host.url(), &json!({ "locale": "en" })).await;
        visitor.send(&json!({ "type": "consent" })).await;
        let session = visitor.until("session").await["session"].clone();
        let first = visitor.write("message-1", "Where is my parcel?", &json!({})).await;
        let chat = number(&first, "conversation");
        let contact = number(&decided_of(&mette, chat).await["contact"], "id");
        let blocked = set_blocked(&mette, contact, true).await;
        assert_eq!(number(&blocked["blocked"]["by"], "id"), mette.user());
        assert_eq!(standing(&mette, chat).await.0, "spam");

        let second = visitor.write("message-2", "Answer me!", &json!({ "conversation": chat })).await;
        assert_eq!(number(&second, "conversation"), chat, "it is accepted like any other");
        let other = number(&visitor.write("message-3", "And my invoice?", &json!({})).await, "conversation");
        let (mut again, welcome) = Visitor::visit(&host.url(), &json!({ "session": session })).await;
        let open: Vec<_> = welcome["conversations"].as_array().into_iter().flatten().map(|thread| thread["open"].clone()).collect();
        assert_eq!((open.is_empty(), open.iter().all(|open| *open == true)), (false, true), "{welcome}");
        drop(visitor);
        assert_eq!((mette.messages(chat).await.len(), standing(&mette, chat).await.0), (2, json!("spam")), "nothing is lost");
        assert_eq!(standing(&mette, other).await, (json!("spam"), false));

        set_blocked(&mette, contact, false).await;
        assert_eq!(standing(&mette, chat).await.0, "spam", "what was put away stays so");
        let heard = number(&again.write("message-4", "Hello?", &json!({ "topic": "order" })).await, "conversation");
        assert!(heard != chat && heard != other);
        assert!(owner(&decided_of(&mette, heard).await).is_some());
    }
}
