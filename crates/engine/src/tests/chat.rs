//! How chats end, who gets them when they begin again, and what is mailed to contacts who have left (ROUTING 12.2, 12.3).

use super::threads::{chat, cookie};
use super::{DIRECTORY, Desk, HOUR_MS, MINUTE_MS, eventually, new_message};
use crate::{ApplyOptions, Caller, EngineErrorKind, NewStatus};
use std::sync::atomic::Ordering;
use switchboard_channel::{Retry, Signal};
use switchboard_model::{
    Attachment, ConversationId, Identity, InboundMessage, ItemId, ItemStatus, OutboundMessage, Proof, Sender, StatusValue,
    ThreadHints,
};
use switchboard_storage::{NewTimer, Timers};

const SETTINGS: &str =
    r#"chat = { close_after_min = 10, mail_channel = "support", transcript = "on_close", offer_mail_after_minutes = 7 }"#;

pub(super) fn directory(settings: &str) -> String {
    format!(
        r#"{DIRECTORY}
[[channels]]
slug = "chat"
name = "Shop"
kind = "chat"
workspace = "mail"
{settings}
[channels.rule]
cases = [{{ target = {{ users_and_teams = ["team:support"] }}, distribution = "load_balanced", when_nobody = "wait" }}]

[[channels]]
slug = "help"
name = "Help"
kind = "chat"
workspace = "tickets"
chat = {{ close_after_min = 10 }}
[channels.rule]
cases = [{{ target = {{ users_and_teams = ["team:support"] }} }}]
"#
    )
}

pub(super) async fn chats(settings: &str) -> Desk {
    let desk = Desk::open().await;
    desk.engine.apply(&Caller::system(), &directory(settings), ApplyOptions::default()).await.unwrap();
    desk
}

async fn says(desk: &Desk, channel: &str, visitor: &str) -> ItemId {
    desk.receive(chat(desk, channel, visitor, "Where is it?")).await
}

async fn status(desk: &Desk, item: ItemId) -> ItemStatus {
    desk.row(item).await.status
}

async fn closes(desk: &Desk, item: ItemId) {
    eventually("the chat is closed", async || status(desk, item).await == ItemStatus::Closed).await;
    desk.routed().await;
}

/// Waits until every timer that is due has run.
pub(super) async fn timers_ran(desk: &Desk) {
    let due = async || desk.engine.inner.store.due_timers(desk.engine.now(), &Timers::default(), 10).await.unwrap().is_empty();
    eventually("no timer is due", due).await;
}

/// Waits until every mail that has gone is noted as such. While it is under way its timer, which counts the attempts, is put
/// off, so that none is due; only then it is known when it is looked again.
pub(super) async fn mails_noted(desk: &Desk) {
    eventually("no mail is under way", async || {
        let by = desk.engine.now().plus_ms(crate::timers::MAIL_RETRY_MS);
        let timers = desk.engine.inner.store.due_timers(by, &Timers::default(), 100).await.unwrap();
        timers.iter().all(|timer| timer.body.get("attempts").is_none())
    })
    .await;
}

async fn set(desk: &Desk, name: &str, value: StatusValue) {
    desk.engine.set_availability(&desk.as_user(name), desk.user(name), NewStatus { value, reason: None }).await.unwrap();
    desk.routed().await;
}

pub(super) fn mails(desk: &Desk) -> Vec<OutboundMessage> {
    desk.outside.sent.lock().unwrap().iter().filter(|mail| mail.channel == "support").cloned().collect()
}

#[tokio::test]
async fn r12_3_a_chat_closes_itself_after_silence_and_frees_capacity() {
    let desk = chats(SETTINGS).await;
    let item = says(&desk, "chat", "kim").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    desk.reply("bo", item, "Let me see.").await;
    desk.advance(10 * MINUTE_MS - 1);
    timers_ran(&desk).await;
    assert_eq!((status(&desk, item).await, desk.engine.person(desk.user("bo")).await.unwrap().load.open), (ItemStatus::Open, 1));
    desk.advance(1);
    closes(&desk, item).await;
    assert_eq!(desk.engine.person(desk.user("bo")).await.unwrap().load.open, 0);
    assert_eq!(says(&desk, "chat", "kim").await, item, "the same conversation goes on");
    assert_eq!((status(&desk, item).await, desk.owner(item).await), (ItemStatus::Open, desk.owned_by("bo")));
    desk.advance(HOUR_MS);
    timers_ran(&desk).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Open, "the contact waits, though somebody has it");
    desk.reply("bo", item, "Sorry for the wait.").await;
    desk.advance(10 * MINUTE_MS);
    closes(&desk, item).await;
}

#[tokio::test]
async fn r12_3_words_of_either_side_put_the_end_off() {
    let desk = chats(SETTINGS).await;
    let item = says(&desk, "chat", "kim").await;
    for name in ["kim", "bo"] {
        desk.advance(9 * MINUTE_MS);
        if name == "kim" {
            says(&desk, "chat", name).await;
        } else {
            desk.reply(name, item, "One moment.").await;
        }
        timers_ran(&desk).await;
    }
    desk.advance(9 * MINUTE_MS);
    timers_ran(&desk).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Open);
    desk.advance(MINUTE_MS);
    closes(&desk, item).await;
}

#[tokio::test]
async fn r12_3_a_chat_that_was_put_aside_closes_itself_as_well() {
    let desk = chats(SETTINGS).await;
    let item = says(&desk, "chat", "kim").await;
    desk.reply("bo", item, "Let me see.").await;
    let (bo, version, until) = (desk.as_user("bo"), desk.row(item).await.version, desk.engine.now().plus_ms(HOUR_MS));
    desk.engine.set_item_status(&bo, item, version, ItemStatus::Snoozed, Some(until)).await.unwrap();
    desk.advance(30 * MINUTE_MS);
    timers_ran(&desk).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Snoozed);
    desk.advance(30 * MINUTE_MS);
    eventually("the chat is back", async || status(&desk, item).await == ItemStatus::Open).await;
    timers_ran(&desk).await;
    desk.advance(10 * MINUTE_MS);
    closes(&desk, item).await;
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&bo, item, version, ItemStatus::Open, None).await.unwrap();
    desk.advance(10 * MINUTE_MS);
    closes(&desk, item).await;
}

#[tokio::test]
async fn r12_3_a_ticket_closes_with_its_chat() {
    let desk = chats(SETTINGS).await;
    let ticket = says(&desk, "help", "kim").await;
    let conversation = desk.view(ticket).await.row.conversation.unwrap();
    assert_ne!(ItemId::from(conversation), ticket);
    desk.reply("bo", ticket, "Let me see.").await;
    desk.advance(10 * MINUTE_MS);
    closes(&desk, ticket).await;
    assert_eq!(status(&desk, conversation.into()).await, ItemStatus::Closed);
}

#[tokio::test]
async fn r12_3_what_nobody_has_and_the_contact_waits_in_stays_open_and_zero_is_never() {
    let desk = chats(SETTINGS).await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    let waits = says(&desk, "chat", "kim").await;
    desk.advance(HOUR_MS);
    timers_ran(&desk).await;
    assert_eq!(status(&desk, waits).await, ItemStatus::Open);
    set(&desk, "bo", StatusValue::Available).await;
    desk.reply("bo", waits, "Here I am.").await;
    desk.advance(20 * MINUTE_MS);
    closes(&desk, waits).await;

    let never = chats("chat = { close_after_min = 0 }").await;
    let item = says(&never, "chat", "kim").await;
    never.advance(100 * HOUR_MS);
    timers_ran(&never).await;
    assert_eq!(status(&never, item).await, ItemStatus::Open);
}

#[tokio::test]
async fn r12_2_a_chats_owner_who_is_unavailable_is_not_kept_when_it_is_reopened() {
    let desk = chats(SETTINGS).await;
    let item = says(&desk, "chat", "kim").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    desk.reply("bo", item, "Let me see.").await;
    desk.advance(10 * MINUTE_MS);
    closes(&desk, item).await;
    set(&desk, "bo", StatusValue::Away).await;
    says(&desk, "chat", "kim").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
}

/// A chat whose visitor typed an address, with the first answer of Bo.
pub(super) async fn answered(desk: &Desk) -> ConversationId {
    let first = chat(desk, "chat", "kim", "Where is it?");
    let item = desk.receive(InboundMessage { fields: vec![("email".into(), "kim@customer.test".into())], ..first }).await;
    desk.reply("bo", item, "It left on Friday.").await;
    desk.view(item).await.row.conversation.unwrap()
}

#[tokio::test]
async fn what_a_contact_has_not_read_two_minutes_after_leaving_is_mailed_once() {
    let desk = chats(SETTINGS).await;
    let conversation = answered(&desk).await;
    desk.advance(2 * MINUTE_MS - 1);
    timers_ran(&desk).await;
    assert_eq!(mails(&desk).len(), 0);
    desk.reply("bo", conversation.into(), "It will come tomorrow.").await;
    desk.advance(1);
    eventually("a mail is sent", async || mails(&desk).len() == 1).await;
    let mail = &mails(&desk)[0];
    assert_eq!((mail.to[0].address.as_str(), mail.conversation), ("kim@customer.test", conversation));
    assert_eq!((mail.subject.as_deref(), mail.author.as_deref()), (Some("chat_mail.unread_subject Shop"), Some("Bo")));
    let text = ["chat_mail.unread_intro", "It left on Friday.", "It will come tomorrow.", "chat_mail.answer_hint"];
    let mut rest = mail.text.as_str();
    for part in text {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` comes next in `{rest}`"));
        rest = &rest[at..];
    }
    assert!(!mail.text.contains("Where is it?"), "nobody is mailed a stranger's words");
    desk.advance(5 * MINUTE_MS);
    timers_ran(&desk).await;
    assert_eq!(mails(&desk).len(), 1);
    assert!(desk.engine.inner.store.thread(conversation).await.unwrap().unwrap().mailed.is_some());
}

#[tokio::test]
async fn who_is_connected_or_has_read_it_is_mailed_nothing() {
    let desk = chats(r#"chat = { close_after_min = 0, mail_channel = "support" }"#).await;
    let threads = desk.engine.threads("chat");
    let first = chat(&desk, "chat", "kim", "Where is it?");
    let fields = vec![("email".into(), "kim@customer.test".into())];
    let conversation = desk.receive(InboundMessage { fields, ..first }).await;
    let conversation = desk.view(conversation).await.row.conversation.unwrap();
    threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    desk.reply("bo", conversation.into(), "It left on Friday.").await;
    for _ in 0..10 {
        desk.advance(MINUTE_MS);
        threads.signal(conversation, Signal::Connected(true)).await.unwrap();
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 0, "the contact is there");
    let newest = threads.thread(conversation).await.unwrap().unwrap().newest.unwrap();
    threads.signal(conversation, Signal::Read(newest)).await.unwrap();
    threads.signal(conversation, Signal::Connected(false)).await.unwrap();
    for _ in 0..5 {
        desk.advance(MINUTE_MS);
        timers_ran(&desk).await;
    }
    assert_eq!(mails(&desk).len(), 0, "the contact has read it");
    assert!(desk.engine.inner.store.next_timer_at(&Timers::default()).await.unwrap().is_none(), "nothing is looked at any more");
    desk.reply("bo", conversation.into(), "Still there?").await;
    desk.advance(2 * MINUTE_MS);
    eventually("a mail is sent", async || mails(&desk).len() == 1).await;
    assert!(!mails(&desk)[0].text.contains("Friday"));
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up_and_one_refused_for_now_is_not() {
    for (retry, is_given_up) in [(Retry::Never, true), (Retry::Later, false)] {
        let desk = chats(r#"chat = { close_after_min = 0, mail_channel = "support" }"#).await;
        answered(&desk).await;
        eventually("the answer is sent", async || !desk.outside.sent.lock().unwrap().is_empty()).await;
        *desk.outside.fails.lock().unwrap() = Some(retry);
        desk.advance(2 * MINUTE_MS);
        eventually("it is tried", async || desk.outside.failures.load(Ordering::SeqCst) == 1).await;
        *desk.outside.fails.lock().unwrap() = None;
        if is_given_up {
            let next = async || desk.engine.inner.store.next_timer_at(&Timers::default()).await.unwrap();
            eventually("nothing is tried any more", async || next().await.is_none()).await;
        }
        desk.advance(10 * MINUTE_MS);
        timers_ran(&desk).await;
        eventually("what may go later goes", async || mails(&desk).len() == usize::from(!is_given_up)).await;
    }
}

#[tokio::test]
async fn a_mail_of_many_words_and_files_keeps_the_newest_that_fit_and_does_without_files_that_are_refused() {
    let desk = chats(SETTINGS).await;
    let conversation = answered(&desk).await;
    for nth in 1..=6 {
        let file = |name: String, megabytes: usize| Attachment {
            name,
            content_type: "application/pdf".into(),
            content_id: None,
            bytes: vec![nth; megabytes * 1024 * 1024].into(),
        };
        let text = format!("Part {nth} begins. {} Part {nth} ends.", "word ".repeat(50_000));
        let attachments = vec![file(format!("{nth}-small.pdf"), 1), file(format!("{nth}-large.pdf"), 3)];
        let reply = crate::NewMessage { attachments, ..new_message(&text, true) };
        desk.engine.post_message(&desk.as_user("bo"), conversation.into(), reply).await.unwrap();
    }
    desk.advance(2 * MINUTE_MS);
    eventually("a mail is sent", async || mails(&desk).len() == 1).await;
    let mail = &mails(&desk)[0];
    let has = |nth: u32| mail.text.contains(&format!("Part {nth} begins.")) && mail.text.contains(&format!("Part {nth} ends."));
    assert_eq!((1..=6).map(has).collect::<Vec<_>>(), [false, false, true, true, true, true]);
    assert!(
        mail.text.contains("chat_mail.left_out") && mail.text.contains("[5-large.pdf]") && mail.text.len() < 1024 * 1024 + 1024
    );
    let names: Vec<_> = mail.attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["4-small.pdf", "5-small.pdf", "6-small.pdf", "6-large.pdf"]);
    timers_ran(&desk).await;

    *desk.outside.refuses_files.lock().unwrap() = true;
    let attachments = vec![Attachment {
        name: "7.pdf".into(),
        content_type: "application/pdf".into(),
        content_id: None,
        bytes: vec![7; 1024].into(),
    }];
    let reply = crate::NewMessage { attachments, ..new_message("Part 7.", true) };
    desk.engine.post_message(&desk.as_user("bo"), conversation.into(), reply).await.unwrap();
    eventually("the words go without the file", async || {
        desk.advance(MINUTE_MS);
        mails(&desk).len() == 2
    })
    .await;
    let mail = &mails(&desk)[1];
    assert!(mail.attachments.is_empty() && mail.text.contains("[7.pdf]"), "the file is named");
}

#[tokio::test]
async fn an_answer_by_mail_comes_back_into_the_conversation_and_is_not_shown_in_the_chat() {
    let desk = chats(SETTINGS).await;
    let conversation = answered(&desk).await;
    desk.advance(2 * MINUTE_MS);
    eventually("a mail is sent", async || mails(&desk).len() == 1).await;
    timers_ran(&desk).await;
    let reference = format!("<{}@desk.test>", mails(&desk)[0].key);
    eventually("the mail's id is known", async || {
        let hints = ThreadHints { references: vec![reference.clone()], ..ThreadHints::default() };
        let sender = Sender { identity: Identity::email("kim@customer.test"), also: vec![], proof: Proof::Channel, name: None };
        let message = InboundMessage { thread: hints, sender, text: "Thank you!".into(), ..desk.message("support", "") };
        desk.push(message).await.conversation == conversation
    })
    .await;
    desk.routed().await;
    let stranger = ThreadHints { conversation: Some(conversation), ..ThreadHints::default() };
    let stranger = desk.push(InboundMessage { thread: stranger, ..desk.message("support", "lu@customer.test") }).await;
    assert_ne!(stranger.conversation, conversation, "who takes no part comes in nowhere");
    let threads = desk.engine.threads("chat");
    let shown = threads.messages(conversation, None, 10).await.unwrap();
    assert!(shown.iter().all(|message| message.text != "Thank you!"), "the visitor is not known to be the writer of the mail");
    let all = desk.engine.messages(&desk.as_user("bo"), conversation.into(), None, 10).await.unwrap();
    assert!(all.rows.iter().any(|message| message.text == "Thank you!"), "the desk sees it");
}

#[tokio::test]
async fn a_transcript_is_mailed_when_a_chat_is_closed_and_when_it_is_asked_for() {
    let desk = chats(SETTINGS).await;
    let conversation = answered(&desk).await;
    desk.engine.post_message(&desk.as_user("bo"), conversation.into(), new_message("Only for us.", false)).await.unwrap();
    let newest = desk.engine.threads("chat").thread(conversation).await.unwrap().unwrap().newest.unwrap();
    desk.engine.threads("chat").signal(conversation, Signal::Read(newest)).await.unwrap();
    let version = desk.row(conversation.into()).await.version;
    let bo = desk.as_user("bo");
    desk.engine.set_item_status(&bo, conversation.into(), version, ItemStatus::Closed, None).await.unwrap();
    eventually("the transcript is sent", async || mails(&desk).len() == 1).await;
    let mail = &mails(&desk)[0];
    assert_eq!(mail.subject.as_deref(), Some("chat_mail.transcript_subject Shop"));
    let said =
        |mail: &OutboundMessage| ["Where is it?", "It left on Friday.", "Only for us."].map(|words| mail.text.contains(words));
    assert_eq!(said(mail), [false, true, false], "an address that was only typed gets no visitor's words by itself");
    mails_noted(&desk).await;
    desk.engine.send_transcript(&desk.as_user("bo"), conversation.into()).await.unwrap();
    eventually("it is sent again", async || mails(&desk).len() == 2).await;
    assert_eq!(said(&mails(&desk)[1]), [true, true, false], "somebody at the desk asked for it");

    let unanswered = says(&desk, "chat", "lu").await;
    let error = desk.engine.send_transcript(&desk.as_user("bo"), unanswered).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Invalid, "{}", error.message);
    let mail = desk.mail("support", "mo@customer.test").await;
    assert_eq!(desk.engine.send_transcript(&desk.as_user("bo"), mail).await.unwrap_err().kind, EngineErrorKind::Invalid);
    assert!(desk.engine.threads("chat").of(&cookie("lu")).await.unwrap().len() == 1);
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_up_nothing_but_mails() {
    let desk = chats(r#"chat = { close_after_min = 0, mail_channel = "support", transcript = "on_request" }"#).await;
    let conversation = answered(&desk).await;
    let item = desk.mail("support", "mo@customer.test").await;
    desk.sent().await;
    *desk.outside.hangs.lock().unwrap() = true;
    let (now, store) = (desk.engine.now(), &desk.engine.inner.store);
    let mut mails = Vec::new();
    for id in store.next_ids(150).await.unwrap() {
        let kind = crate::chat::TRANSCRIPT.to_owned();
        mails.push(NewTimer { id, due_at: now, kind, item: Some(conversation.into()), body: serde_json::json!({}) });
    }
    let set = desk.engine.commit(move |tx| {
        Box::pin(async move {
            for mail in &mails {
                tx.insert_timer(mail).await?;
            }
            Ok(())
        })
    });
    set.await.unwrap();
    let (bo, version, until) = (desk.as_user("bo"), desk.row(item).await.version, now.plus_ms(MINUTE_MS));
    desk.engine.set_item_status(&bo, item, version, ItemStatus::Snoozed, Some(until)).await.unwrap();
    desk.advance(MINUTE_MS);
    eventually("the snooze ends", async || status(&desk, item).await == ItemStatus::Open).await;
    assert!(store.due_timers(now, &Timers::default(), 200).await.unwrap().len() > 100, "the mails still wait");
}

#[tokio::test]
async fn settings_of_a_chat_come_back_from_an_export_and_their_faults_are_named() {
    let desk = chats(SETTINGS).await;
    let exported = desk.engine.export();
    let again = desk.engine.apply(&Caller::system(), &exported, ApplyOptions::default()).await.unwrap();
    assert!(again.changes.is_empty(), "an export changes nothing");
    for setting in ["mail_channel = \"support\"", "transcript = \"on_close\"", "offer_mail_after_minutes = 7"] {
        assert!(exported.contains(setting), "{exported}");
    }
    for (settings, key, said) in [
        (r#"chat = { mail_channel = "form" }"#, "mail_channel", "`form` is no channel of kind `email`"),
        (r#"chat = { mail_channel = "suport" }"#, "mail_channel", "support"),
        (r#"chat = { transcript = "on_close" }"#, "transcript", "needs a `mail_channel`"),
        (r#"chat = { close_after = 5 }"#, "close_after", "close_after_min"),
        (r#"chat = { offer_mail_after_minutes = -1 }"#, "offer_mail_after_minutes", "-1"),
        (r#"chat = { offer_mail_after_minutes = 1441 }"#, "offer_mail_after_minutes", "it is 0 to 1440"),
    ] {
        let error = desk.engine.apply(&Caller::system(), &directory(settings), ApplyOptions::default()).await.unwrap_err();
        let faults: Vec<String> = error.faults.iter().map(ToString::to_string).collect();
        assert!(faults.iter().any(|fault| fault.contains(key) && fault.contains(said)), "{settings}: {faults:?}");
    }
    let misplaced =
        DIRECTORY.replacen("slug = \"support\"\nkind = \"email\"", "slug = \"support\"\nchat = {}\nkind = \"email\"", 1);
    let error = desk.engine.apply(&Caller::system(), &misplaced, ApplyOptions::default()).await.unwrap_err();
    assert!(error.faults.iter().any(|fault| fault.to_string().contains("belongs to channels of kind `chat`")));
}

#[tokio::test]
async fn a_visitor_without_a_name_is_called_by_the_end_of_the_cookie_and_one_with_a_name_by_that() {
    let desk = chats(SETTINGS).await;
    let nameless = says(&desk, "chat", "chat-s0123456789abcdef").await;
    let mut message = chat(&desk, "chat", "chat-s0123456789abcdee", "Hello");
    message.sender.name = Some("Kari Ødegård".to_owned());
    let named = desk.receive(message).await;
    let mut names = Vec::new();
    for item in [nameless, named] {
        names.push(desk.row(item).await.contact.expect("it has a contact").name);
    }
    assert_eq!(names, ["chat_mail.nameless CDEF", "Kari Ødegård"]);
}
