//! Which conversation a message belongs to, and how replies go out.

use super::{Desk, MINUTE_MS};
use std::sync::atomic::Ordering;
use switchboard_channel::Retry;
use switchboard_model::{ConversationId, DeliveryState, Identity, IdentityKind, Nature, Proof};

#[tokio::test]
async fn an_answer_comes_back_into_its_conversation_by_reference_and_by_token() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.reply("bo", item, "It is on its way.").await;
    let sent = desk.sent().await;
    assert_eq!(sent[0].references, ["<in-0@customer.test>"], "the reply names what it answers");
    super::eventually("the reply's own reference is known", async || {
        let mut answer = desk.message("support", "kim@customer.test");
        answer.thread.references = vec![format!("<{}@desk.test>", sent[0].key)];
        desk.receive(answer).await == item
    })
    .await;
    let mut by_token = desk.message("support", "kim@customer.test");
    by_token.thread.conversation = Some(ConversationId(item.0));
    assert_eq!(desk.receive(by_token).await, item);
}

#[tokio::test]
async fn a_stranger_with_the_right_headers_gets_a_conversation_of_their_own() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let mut stranger = desk.message("support", "mallory@elsewhere.test");
    stranger.thread.references = vec!["<in-0@customer.test>".to_owned()];
    stranger.thread.conversation = Some(ConversationId(item.0));
    assert_ne!(desk.receive(stranger).await, item);
}

#[tokio::test]
async fn a_colleague_who_was_addressed_takes_part() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let mut colleague = desk.message("support", "colleague@customer.test");
    colleague.thread.references = vec!["<in-0@customer.test>".to_owned()];
    assert_eq!(desk.receive(colleague).await, item);
}

#[tokio::test]
async fn the_same_subject_joins_nothing() {
    let desk = Desk::open().await;
    let first = desk.mail("support", "kim@customer.test").await;
    assert_ne!(desk.mail("support", "kim@customer.test").await, first);
}

#[tokio::test]
async fn a_reference_leads_into_no_conversation_of_another_channel() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let mut elsewhere = desk.message("sales", "kim@customer.test");
    elsewhere.thread.references = vec!["<in-0@customer.test>".to_owned()];
    assert_ne!(desk.receive(elsewhere).await, item);
}

#[tokio::test]
async fn the_answer_to_a_form_goes_out_by_mail_and_its_answer_comes_back_to_the_ticket() {
    let desk = Desk::open().await;
    let mut submission = desk.message("form", "kim@customer.test");
    submission.sender.proof = Proof::Typed;
    let ticket = desk.receive(submission).await;
    desk.reply("bo", ticket, "Which order is it?").await;
    let sent = desk.sent().await;
    assert_eq!((sent[0].channel.as_str(), sent[0].to[0].address.as_str()), ("support", "kim@customer.test"));
    super::eventually("the reply's own reference is known", async || {
        let mut answer = desk.message("support", "kim@customer.test");
        answer.thread.references = vec![format!("<{}@desk.test>", sent[0].key)];
        desk.receive(answer).await == ticket
    })
    .await;
}

#[tokio::test]
async fn r12_1_a_message_that_comes_under_another_of_its_ids_is_the_same_one() {
    let desk = Desk::open().await;
    let mut first = desk.message("support", "kim@customer.test");
    first.further_ids = vec!["of-a-stranger".to_owned()];
    let mut again = desk.message("support", "somebody@customer.test");
    again.external_id = "of-a-stranger".to_owned();
    let mut later = desk.message("support", "kim@customer.test");
    later.further_ids = vec![first.external_id.clone()];
    let receipt = desk.push(first).await;
    for repeated in [again, later] {
        let found = desk.push(repeated).await;
        assert_eq!((found.conversation, found.message, found.duplicate), (receipt.conversation, receipt.message, true));
    }
}

#[tokio::test]
async fn a_typed_address_makes_nobody_that_person() {
    let desk = Desk::open().await;
    let cookie = Identity::new(IdentityKind::Cookie, "mallorys-browser");
    let known = desk.mail("support", "kim@customer.test").await;
    let contact = desk.view(known).await.row.contact.unwrap().id;
    let mut typed = desk.message("form", "kim@customer.test");
    (typed.sender.proof, typed.sender.also) = (Proof::Cookie, vec![cookie.clone()]);
    let typed = desk.receive(typed).await;
    let view = desk.view(typed).await;
    assert_eq!(view.row.contact.unwrap().id, contact, "the address finds the contact");
    assert!(!view.contact_detail.unwrap().identities.contains(&cookie), "but the browser is not tied to it");
    let mut first = desk.message("form", "new@customer.test");
    (first.sender.proof, first.sender.also) = (Proof::Typed, vec![cookie.clone()]);
    let first = desk.receive(first).await;
    assert!(desk.view(first).await.contact_detail.unwrap().identities.contains(&cookie), "a contact that is new begins with it");
}

#[tokio::test]
async fn a_delivery_that_fails_is_tried_again_and_shown_when_given_up() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    *desk.outside.fails.lock().unwrap() = Some(Retry::Later);
    desk.reply("bo", item, "It is on its way.").await;
    let delivery =
        async || desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().rows.pop().unwrap().delivery.unwrap();
    super::eventually("the first attempt has failed", async || delivery().await.error.is_some()).await;
    assert_eq!(delivery().await.state, DeliveryState::Queued);
    *desk.outside.fails.lock().unwrap() = Some(Retry::Never);
    desk.advance(MINUTE_MS);
    super::eventually("it is given up", async || delivery().await.state == DeliveryState::Failed).await;
    assert!(delivery().await.error.unwrap().contains("552"));
    *desk.outside.fails.lock().unwrap() = None;
    let message = desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().rows.pop().unwrap().id;
    desk.engine.retry_delivery(&desk.as_user("bo"), message).await.unwrap();
    assert_eq!(desk.sent().await.len(), 1);
    let refused = desk.engine.retry_delivery(&desk.as_user("bo"), message).await.unwrap_err();
    assert_eq!(refused.kind, crate::EngineErrorKind::Invalid);
}

#[tokio::test]
async fn a_bounce_marks_the_reply_that_failed() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.reply("bo", item, "It is on its way.").await;
    let key = desk.sent().await[0].key.clone();
    let state =
        async || desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().rows[1].delivery.clone().unwrap().state;
    super::eventually("it is noted as sent", async || state().await == DeliveryState::Sent).await;
    let mut bounce = desk.message("support", "mailer-daemon@customer.test");
    (bounce.nature, bounce.thread.references) = (Nature::Bounce, vec![format!("<{key}@desk.test>")]);
    assert_ne!(desk.receive(bounce.clone()).await, item, "anybody can write a report; only what cites our signature counts");
    assert_eq!(state().await, DeliveryState::Sent);
    bounce.external_id = "signed".to_owned();
    bounce.thread.conversation = Some(ConversationId(item.0));
    assert_eq!(desk.receive(bounce).await, item);
    assert_eq!(state().await, DeliveryState::Failed);
}

#[tokio::test]
async fn a_message_that_cannot_be_answered_says_which_setting_is_missing() {
    let desk = Desk::open().await;
    let item = desk.mail("triage", "kim@customer.test").await;
    let refused = desk.engine.post_message(&desk.as_user("bo"), item, super::new_message("Hello", true)).await.unwrap_err();
    assert!(refused.message.contains("channels.triage.reply_via"), "{refused}");
    assert_eq!(desk.serial.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_combination_of_hints_leads_a_stranger_into_a_conversation() {
    let desk = Desk::open().await;
    let mine = desk.mail("support", "kim@customer.test").await;
    let ticket = desk.mail("form", "lu@customer.test").await;
    desk.reply("bo", mine, "It is on its way.").await;
    let key = desk.sent().await[0].key.clone();
    let known = [
        "<in-0@customer.test>".to_owned(),
        "<in-1@customer.test>".to_owned(),
        format!("<{key}@desk.test>"),
        "<x@y.test>".to_owned(),
    ];
    let conversations = [None, Some(mine), desk.view(ticket).await.row.conversation.map(Into::into), Some(ticket)];
    let natures = [Nature::Message, Nature::AutoReply, Nature::Malformed, Nature::Spam];
    for draw in 0..64_usize {
        let mut message = desk.message(["support", "sales", "triage"][draw % 3], "mallory@elsewhere.test");
        let picked = known.iter().enumerate().filter(|(nth, _)| (draw >> nth) & 1 == 1);
        message.thread.references = picked.map(|(_, reference)| reference.clone()).collect();
        message.thread.conversation = conversations[(draw / 7) % 4].map(|id| ConversationId(id.0));
        message.nature = natures[(draw / 5) % 4];
        message.recipients.clear();
        let landed = desk.push(message.clone()).await.conversation;
        let contact = desk.view(landed.into()).await.row.contact.unwrap();
        assert_eq!(contact.name, "mallory@elsewhere.test", "draw {draw}: {message:?} {:?}", message.thread);
    }
}
