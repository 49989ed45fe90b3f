//! Replies on their way out: other recipients, some of whom are refused, the time in which they can be taken back, and
//! what is shown on a channel that cannot send.

use super::{Desk, MINUTE_MS, eventually, new_message};
use crate::{EngineErrorKind, NewMessage};
use switchboard_channel::Retry;
use switchboard_model::{Address, Delivery, DeliveryState, ItemId, MessageId, MessageView};

fn person(address: &str) -> Address {
    Address { name: None, address: address.to_owned() }
}

fn held(text: &str) -> NewMessage {
    NewMessage { undo_seconds: 10, ..new_message(text, true) }
}

impl Desk {
    async fn last(&self, item: ItemId) -> MessageView {
        self.engine.messages(&self.as_user("bo"), item, None, 10).await.unwrap().rows.pop().unwrap()
    }

    async fn delivery(&self, item: ItemId) -> Delivery {
        self.last(item).await.delivery.unwrap()
    }

    async fn posted(&self, item: ItemId, message: NewMessage) -> MessageId {
        self.engine.post_message(&self.as_user("bo"), item, message).await.unwrap().0.id
    }
}

#[tokio::test]
async fn a_reply_can_be_taken_back_while_it_waits_and_the_contact_waits_again() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let waiting_since = desk.row(item).await.waiting_since;
    assert!(waiting_since.is_some());
    let reply = desk.posted(item, held("Sent too soon")).await;
    let delivery = desk.delivery(item).await;
    assert!(delivery.recallable && delivery.next_attempt_at == Some(desk.engine.now().plus_ms(10_000)), "{delivery:?}");
    assert_eq!(desk.row(item).await.waiting_since, None);
    let refused = desk.engine.recall_message(&desk.as_user("cy"), reply).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Forbidden, "it is not theirs");

    let back = desk.engine.recall_message(&desk.as_user("bo"), reply).await.unwrap();
    assert_eq!((back.id, back.text.as_str()), (reply, "Sent too soon"));
    let row = desk.row(item).await;
    assert_eq!((row.waiting_since, row.owner), (waiting_since, desk.owned_by("bo")), "whoever took it with the reply has it");
    assert_eq!(desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().total, 1);
    desk.advance(MINUTE_MS);
    assert!(desk.sent().await.is_empty(), "it never goes out");
    assert_eq!(desk.engine.recall_message(&desk.as_user("bo"), reply).await.unwrap_err().kind, EngineErrorKind::NotFound);
}

#[tokio::test]
async fn after_its_time_a_reply_goes_out_and_stays() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let reply = desk.posted(item, held("It is on its way.")).await;
    desk.advance(10_000);
    desk.engine.ring();
    assert_eq!(desk.sent().await.len(), 1);
    let refused = desk.engine.recall_message(&desk.as_user("bo"), reply).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Conflict, "{refused}");
    let at_once = desk.posted(item, new_message("Not held back", true)).await;
    assert!(desk.engine.recall_message(&desk.as_user("bo"), at_once).await.is_err());
    let odd = NewMessage { undo_seconds: 7, ..new_message("Odd", true) };
    assert!(desk.engine.post_message(&desk.as_user("bo"), item, odd).await.is_err());
}

#[tokio::test]
async fn a_person_keeps_how_long_their_mails_wait() {
    let desk = Desk::open().await;
    let bo = desk.user("bo");
    assert_eq!(desk.engine.undo_seconds(bo).await.unwrap(), 10);
    desk.engine.set_undo_seconds(&desk.as_user("bo"), 30).await.unwrap();
    desk.engine.set_language(&desk.as_user("bo"), Some("nl".to_owned())).await.unwrap();
    assert_eq!(desk.engine.undo_seconds(bo).await.unwrap(), 30);
    assert!(desk.engine.set_undo_seconds(&desk.as_user("bo"), 11).await.is_err());
}

#[tokio::test]
async fn other_recipients_and_hidden_copies_go_out_and_are_checked() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let reply = NewMessage {
        to: vec![person("boss@customer.test")],
        bcc: vec![person("quiet@desk.test")],
        ..new_message("It is on its way.", true)
    };
    desk.posted(item, reply.clone()).await;
    let sent = desk.sent().await.remove(0);
    assert!(sent.to == reply.to && sent.bcc == reply.bcc && sent.cc.is_empty());
    let view = desk.last(item).await;
    assert!(view.to == reply.to && view.bcc == reply.bcc);
    for wrong in [
        NewMessage { bcc: vec![person("nobody")], ..reply.clone() },
        NewMessage { cc: (0..101).map(|nth| person(&format!("c{nth}@x.test"))).collect(), ..reply.clone() },
    ] {
        assert_eq!(desk.engine.post_message(&desk.as_user("bo"), item, wrong).await.unwrap_err().kind, EngineErrorKind::Invalid);
    }
}

#[tokio::test]
async fn those_who_were_refused_for_now_are_tried_again_alone_and_shown_when_given_up() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.outside.refuses.lock().unwrap().extend([("gone@x.test".to_owned(), false), ("busy@x.test".to_owned(), true)]);
    let cc = vec![person("gone@x.test"), person("busy@x.test")];
    desk.posted(item, NewMessage { cc, ..new_message("It is on its way.", true) }).await;
    eventually("most of them have it", async || !desk.delivery(item).await.refused.is_empty()).await;
    let delivery = desk.delivery(item).await;
    assert_eq!(delivery.state, DeliveryState::Queued);
    assert_eq!(
        delivery.refused.iter().map(|one| (one.address.as_str(), one.again)).collect::<Vec<_>>(),
        [("gone@x.test", false), ("busy@x.test", true)]
    );
    *desk.outside.fails.lock().unwrap() = Some(Retry::Never);
    desk.advance(MINUTE_MS);
    desk.engine.ring();
    eventually("it is given up for the last one", async || desk.delivery(item).await.state == DeliveryState::Sent).await;
    let refused = desk.delivery(item).await.refused;
    assert_eq!(
        refused.iter().map(|one| (one.address.as_str(), one.again)).collect::<Vec<_>>(),
        [("gone@x.test", false), ("busy@x.test", false)]
    );
    assert!(refused[1].reason.contains("552"), "the last reason");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_replies_at_once_never_wait_for_each_others_connections() {
    let desk = Desk::open().await;
    let mut items = Vec::new();
    for nth in 0..24 {
        items.push(desk.mail("support", &format!("c{nth}@customer.test")).await);
    }
    for round in 1..=3 {
        let (caller, started) = (desk.as_user("bo"), tokio::time::Instant::now());
        let replies = items.iter().map(|item| desk.engine.post_message(&caller, *item, new_message("It is on its way.", true)));
        for reply in futures::future::join_all(replies).await {
            reply.unwrap();
        }
        eventually("all are sent", async || desk.outside.sent.lock().unwrap().len() == round * items.len()).await;
        // A connection that is waited for in vain is given up after a minute.
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn those_who_were_refused_for_now_get_it_later() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.outside.refuses.lock().unwrap().insert("busy@x.test".to_owned(), true);
    desk.posted(item, NewMessage { cc: vec![person("busy@x.test")], ..new_message("It is on its way.", true) }).await;
    eventually("most of them have it", async || !desk.delivery(item).await.refused.is_empty()).await;
    desk.outside.refuses.lock().unwrap().clear();
    desk.advance(MINUTE_MS);
    desk.engine.ring();
    eventually("all of them have it", async || desk.delivery(item).await.state == DeliveryState::Sent).await;
    assert!(desk.delivery(item).await.refused.is_empty());
    let sent = desk.sent().await;
    assert_eq!(sent.iter().map(|message| message.only.len()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(sent[1].only, ["busy@x.test"]);
}

#[tokio::test]
async fn a_channel_that_cannot_send_says_so_until_it_can() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    *desk.outside.unreachable.lock().unwrap() = true;
    desk.reply("bo", item, "It is on its way.").await;
    eventually("the channel says so", async || desk.engine.channel_state("support").error.is_some()).await;
    let error = desk.engine.channel_state("support").error.unwrap();
    assert!(error.contains("no route") && !error.contains('\n'), "{error}");
    *desk.outside.unreachable.lock().unwrap() = false;
    desk.advance(MINUTE_MS);
    desk.engine.ring();
    assert_eq!(desk.sent().await.len(), 1);
    eventually("the channel is well", async || desk.engine.channel_state("support").error.is_none()).await;
}
