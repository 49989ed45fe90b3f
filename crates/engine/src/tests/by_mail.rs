//! Contacts of a chat who ask for their answers by mail (ROUTING 12.3).

use super::chat::{answered, chats, mails, mails_noted, timers_ran};
use super::threads::chat;
use super::{Desk, MINUTE_MS, eventually, new_message};
use crate::chat::GATHER_MS;
use crate::{ApplyOptions, Caller};
use switchboard_channel::{Author, MailOffer, Retry, Signal};
use switchboard_model::{ConversationId, Delivery, DeliveryState, Identity, InboundMessage, Proof, Sender};
use switchboard_storage::Timers;

const MAILS: &str = r#"chat = { close_after_min = 0, mail_channel = "support", transcript = "on_request" }"#;

/// A message of Kim's chat with these fields.
fn says_with(desk: &Desk, text: &str, fields: &[(&str, &str)]) -> InboundMessage {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    InboundMessage { fields, ..chat(desk, "chat", "kim", text) }
}

/// Kim, who is connected, asks for answers by mail to this address.
async fn asks(desk: &Desk, address: &str) -> ConversationId {
    let item = desk.receive(says_with(desk, "By mail, please", &[("email", address), ("answer_by", "mail")])).await;
    let conversation = desk.view(item).await.row.conversation.unwrap();
    desk.engine.threads("chat").signal(conversation, Signal::Connected(true)).await.unwrap();
    conversation
}

async fn reads(desk: &Desk, conversation: ConversationId) {
    let threads = desk.engine.threads("chat");
    let newest = threads.thread(conversation).await.unwrap().unwrap().newest.unwrap();
    threads.signal(conversation, Signal::Read(newest)).await.unwrap();
}

/// The texts and addresses of the mails, once replies have been gathered, there are so many, no timer is due and no mail
/// under way.
async fn mailed(desk: &Desk, count: usize) -> Vec<(String, String)> {
    desk.advance(GATHER_MS);
    eventually("so many mails are sent", async || mails(desk).len() >= count).await;
    timers_ran(desk).await;
    mails_noted(desk).await;
    mails(desk).into_iter().map(|mail| (mail.to[0].address.clone(), mail.text)).collect()
}

async fn no_timer(desk: &Desk) -> bool {
    desk.engine.inner.store.next_timer_at(&Timers::default()).await.unwrap().is_none()
}

#[tokio::test]
async fn r12_3_whoever_asks_for_answers_by_mail_gets_them_within_seconds_connected_or_not_read_or_not_and_once() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "kim@customer.test").await;
    desk.reply("bo", conversation.into(), "It left on Friday.").await;
    reads(&desk, conversation).await;
    let all = mailed(&desk, 1).await;
    assert_eq!((all.len(), all[0].0.as_str()), (1, "kim@customer.test"));
    assert!(all[0].1.contains("It left on Friday.") && !all[0].1.contains("By mail, please"));
    // What Kim says in the chat meanwhile changes nothing about it.
    desk.receive(says_with(&desk, "Thank you", &[])).await;
    for (nth, words) in ["Tomorrow at the latest.", "Before noon."].iter().enumerate() {
        desk.reply("bo", conversation.into(), words).await;
        let all = mailed(&desk, nth + 2).await;
        assert_eq!(all.len(), nth + 2, "nothing is mailed twice");
        assert!(all[nth + 1].1.contains(words) && !all[nth + 1].1.contains("Friday"), "{}", all[nth + 1].1);
    }
    desk.advance(10 * MINUTE_MS);
    eventually("nothing is looked at any more", async || no_timer(&desk).await).await;
    assert_eq!(mailed(&desk, 3).await.len(), 3);
}

#[tokio::test]
async fn r12_3_a_reply_that_is_watched_already_brings_the_mail_forward() {
    let desk = chats(MAILS).await;
    let threads = desk.engine.threads("chat");
    let conversation = answered(&desk).await;
    threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    reads(&desk, conversation).await;
    asks(&desk, "kim@other.test").await;
    desk.reply("bo", conversation.into(), "Sorry for the wait.").await;
    let all = mailed(&desk, 1).await;
    assert_eq!((all.len(), all[0].0.as_str()), (1, "kim@other.test"), "the newest address that was typed");
    assert!(all[0].1.contains("Sorry") && !all[0].1.contains("Friday"), "what was read before is not mailed: {}", all[0].1);
}

#[tokio::test]
async fn r12_3_what_was_unread_when_mail_was_asked_for_goes_along() {
    let desk = chats(MAILS).await;
    let conversation = answered(&desk).await;
    asks(&desk, "kim@customer.test").await;
    desk.reply("bo", conversation.into(), "And it comes tomorrow.").await;
    let all = mailed(&desk, 1).await;
    assert_eq!(all.len(), 1);
    assert!(all[0].1.contains("It left on Friday.") && all[0].1.contains("And it comes tomorrow."), "{}", all[0].1);
}

#[tokio::test]
async fn r12_3_a_program_mails_nobody_and_waits_until_a_person_has_replied() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "stranger@customer.test").await;
    let program = Caller::system();
    let by_itself = || desk.engine.post_message(&program, conversation.into(), new_message("We got it.", true));
    by_itself().await.unwrap();
    desk.engine.threads("chat").signal(conversation, Signal::Connected(false)).await.unwrap();
    for _ in 0..6 {
        desk.advance(MINUTE_MS);
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 0, "nobody can have us write to strangers");
    let said = desk.engine.threads("chat").messages(conversation, None, 10).await.unwrap();
    assert!(said[0].by_mail && said[0].email.as_deref() == Some("stranger@customer.test"));
    assert!(matches!(&said[1].author, Author::Program(name) if name == "Shop") && !said[1].by_mail);
    desk.reply("bo", conversation.into(), "Here I am.").await;
    let all = mailed(&desk, 1).await;
    assert!(all.len() == 1 && all[0].1.contains("We got it.") && all[0].1.contains("Here I am."));
    desk.engine.threads("chat").signal(conversation, Signal::Connected(true)).await.unwrap();
    by_itself().await.unwrap();
    desk.advance(MINUTE_MS);
    assert_eq!(mailed(&desk, 1).await.len(), 1, "what a program says is mailed to those only who have gone");
    reads(&desk, conversation).await;
    desk.engine.threads("chat").signal(conversation, Signal::Connected(false)).await.unwrap();
    for _ in 0..6 {
        desk.advance(MINUTE_MS);
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 1, "and have not read it");
}

#[tokio::test]
async fn r12_3_an_address_that_a_site_vouches_for_goes_before_a_typed_one() {
    let desk = chats(MAILS).await;
    let known = |text: &str, address: &str, fields: &[(&str, &str)]| {
        let also = vec![Identity::email(address)];
        let message = says_with(&desk, text, fields);
        let sender = Sender {
            also,
            proof: Proof::Channel,
            identity: Identity::new(switchboard_model::IdentityKind::Account, "shop/4711"),
            ..message.sender.clone()
        };
        InboundMessage { sender, ..message }
    };
    desk.receive(known("Hello", "first@customer.test", &[])).await;
    let wish = [("email", "Second@customer.test"), ("answer_by", "mail")];
    let item = desk.receive(known("By mail, please", "second@customer.test", &wish)).await;
    desk.reply("bo", item, "It left on Friday.").await;
    assert_eq!(mailed(&desk, 1).await[0].0, "second@customer.test", "of two the one that was named last");
    let typed = [("email", "somebody@else.test"), ("answer_by", "mail")];
    desk.receive(known("Or there", "second@customer.test", &typed)).await;
    desk.reply("bo", item, "It comes tomorrow.").await;
    let all = mailed(&desk, 2).await;
    assert!(all[1].0.ends_with("@customer.test"), "{}", all[1].0);
}

#[tokio::test]
async fn r12_3_a_mail_that_fails_for_now_takes_along_what_was_written_since_and_goes_once() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "kim@customer.test").await;
    *desk.outside.fails.lock().unwrap() = Some(Retry::Later);
    desk.reply("bo", conversation.into(), "It left on Friday.").await;
    desk.advance(GATHER_MS);
    let failures = || desk.outside.failures.load(std::sync::atomic::Ordering::SeqCst);
    eventually("it is tried", async || failures() > 0).await;
    desk.reply("bo", conversation.into(), "It comes tomorrow.").await;
    timers_ran(&desk).await;
    *desk.outside.fails.lock().unwrap() = None;
    desk.advance(5 * MINUTE_MS);
    let all = mailed(&desk, 1).await;
    assert!(all.len() == 1 && all[0].1.contains("Friday") && all[0].1.contains("tomorrow"), "{all:?}");
}

#[tokio::test]
async fn mail_is_offered_where_a_channel_can_send_it_and_not_when_it_is_switched_off() {
    let offer = |after_minutes| Some(MailOffer { after_minutes });
    for (settings, expected) in [
        ("", None),
        ("chat = { close_after_min = 5 }", None),
        (r#"chat = { mail_channel = "support" }"#, offer(3)),
        (r#"chat = { mail_channel = "support", offer_mail_after_minutes = 10 }"#, offer(10)),
        (r#"chat = { mail_channel = "support", offer_mail_after_minutes = 0 }"#, None),
    ] {
        let desk = chats(settings).await;
        assert_eq!(desk.engine.threads("chat").mail_offer(), expected, "{settings}");
        assert_eq!(desk.engine.threads("support").mail_offer(), None);
    }
    let desk = chats(MAILS).await;
    let silent = super::chat::directory(r#"chat = { mail_channel = "unserved" }"#)
        + "[[channels]]\nslug = \"unserved\"\nkind = \"email\"\nworkspace = \"mail\"\n";
    desk.engine.apply(&Caller::system(), &silent, ApplyOptions::default()).await.unwrap();
    assert_eq!(desk.engine.threads("chat").mail_offer(), None, "nothing serves the channel on this host");
}

#[tokio::test]
async fn r12_3_lines_in_a_row_are_one_mail() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "kim@customer.test").await;
    for words in ["Hello Kim.", "It left on Friday.", "It comes tomorrow."] {
        desk.reply("bo", conversation.into(), words).await;
        desk.advance(GATHER_MS / 4);
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 0, "they are gathered");
    let all = mailed(&desk, 1).await;
    assert!(all.len() == 1 && all[0].1.contains("Hello Kim.") && all[0].1.contains("tomorrow"), "{all:?}");
}

#[tokio::test]
async fn r12_3_whoever_wants_the_chat_again_is_not_mailed_any_more() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "kim@customer.test").await;
    desk.receive(says_with(&desk, "I am back", &[("answer_by", "chat")])).await;
    desk.reply("bo", conversation.into(), "Good to see you.").await;
    reads(&desk, conversation).await;
    for _ in 0..6 {
        desk.advance(MINUTE_MS);
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 0);
}

#[tokio::test]
async fn r12_3_one_conversation_has_mail_sent_to_three_typed_addresses_at_most() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "one@customer.test").await;
    for (nth, name) in ["one", "two", "three", "four"].iter().enumerate() {
        let address = format!("{name}@customer.test");
        desk.receive(says_with(&desk, "There, please", &[("email", &address), ("answer_by", "mail")])).await;
        desk.reply("bo", conversation.into(), &format!("Answer {nth}")).await;
        mailed(&desk, (nth + 1).min(3)).await;
    }
    let addresses: Vec<String> = mailed(&desk, 3).await.into_iter().map(|(address, _)| address).collect();
    assert_eq!(addresses, ["one@customer.test", "two@customer.test", "three@customer.test"]);
    desk.receive(says_with(&desk, "Back to the first", &[("email", "one@customer.test")])).await;
    desk.reply("bo", conversation.into(), "Answer 4").await;
    assert_eq!(mailed(&desk, 4).await.last().map(|(address, _)| address.clone()).as_deref(), Some("one@customer.test"));
}

#[tokio::test]
async fn r12_3_asking_again_and_again_hides_neither_the_address_nor_an_answer_that_was_read_meanwhile() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "kim@customer.test").await;
    *desk.outside.fails.lock().unwrap() = Some(Retry::Later);
    desk.reply("bo", conversation.into(), "It left on Friday.").await;
    desk.advance(GATHER_MS);
    eventually("it is tried", async || desk.outside.failures.load(std::sync::atomic::Ordering::SeqCst) > 0).await;
    reads(&desk, conversation).await;
    for nth in 0..25 {
        desk.receive(says_with(&desk, &format!("By mail, please {nth}"), &[("answer_by", "mail")])).await;
    }
    *desk.outside.fails.lock().unwrap() = None;
    desk.advance(5 * MINUTE_MS);
    let all = mailed(&desk, 1).await;
    assert!(all.len() == 1 && all[0].0 == "kim@customer.test" && all[0].1.contains("Friday"), "{all:?}");
}

#[tokio::test]
async fn r12_3_an_answer_that_no_mail_server_takes_is_shown_as_failed() {
    let desk = chats(MAILS).await;
    let conversation = asks(&desk, "nobody@customer.test").await;
    let deliveries = async || {
        let (said, _) = desk.engine.inner.store.newest_entries(conversation, None, 10).await.unwrap();
        said.into_iter().filter_map(|entry| entry.message.delivery).collect::<Vec<_>>()
    };
    desk.reply("bo", conversation.into(), "It left on Friday.").await;
    eventually("it is in the chat", async || deliveries().await.iter().any(|delivery| delivery.state == DeliveryState::Sent))
        .await;
    *desk.outside.fails.lock().unwrap() = Some(Retry::Never);
    desk.advance(GATHER_MS);
    let is_said = |delivery: &Delivery| delivery.error.as_deref().is_some_and(|error| error.contains("no mail"));
    eventually("it is said beside the answer", async || deliveries().await.iter().any(is_said)).await;
    eventually("nothing is looked at any more", async || no_timer(&desk).await).await;
}
