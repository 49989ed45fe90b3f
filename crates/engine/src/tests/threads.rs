//! What the adapter of a connected channel sees of its conversations, and what the desk and the contact see of each
//! other.

use super::queue::{close, set};
use super::{DIRECTORY, Desk, HOUR_MS, MINUTE_MS, PATIENCE, eventually, new_message};
use crate::{ApplyOptions, Caller, EngineErrorKind, MergeWish, NewStatus};
use bytes::Bytes;
use std::sync::Arc;
use switchboard_channel::{Author, Signal, Thread, ThreadChange, ThreadMessage, Threads};
use switchboard_model::{
    Attachment, Attention, ConversationId, Identity, IdentityKind, InboundMessage, ItemId, LiveEventKind, MessageId, Proof,
    Sender, StatusValue, ThreadHints, VisitedPage,
};
use tokio::sync::broadcast;

/// A chat in an inbox, whose visitors wait, and one in a help desk.
pub(super) const CHATS: &str = r#"
[[channels]]
slug = "chat"
name = "Chat"
kind = "chat"
workspace = "mail"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] }, distribution = "load_balanced", when_nobody = "wait" }]

[[channels]]
slug = "help"
name = "Help"
kind = "chat"
workspace = "tickets"
[channels.rule]
cases = [{ target = { users_and_teams = ["team:support"] } }]
"#;

async fn chats() -> Desk {
    let desk = Desk::open().await;
    desk.engine.apply(&Caller::system(), &format!("{DIRECTORY}{CHATS}"), ApplyOptions::default()).await.unwrap();
    desk
}

pub(super) fn cookie(visitor: &str) -> Identity {
    Identity::new(IdentityKind::Cookie, visitor)
}

/// A chat message of a visitor, in the visitor's own thread.
pub(super) fn chat(desk: &Desk, channel: &str, visitor: &str, text: &str) -> InboundMessage {
    let sender = Sender { identity: cookie(visitor), also: Vec::new(), proof: Proof::Cookie, name: None };
    let thread = ThreadHints { key: Some(format!("thread-{visitor}")), ..ThreadHints::default() };
    InboundMessage { sender, thread, text: text.to_owned(), recipients: Vec::new(), subject: None, ..desk.message(channel, "") }
}

async fn says(desk: &Desk, channel: &str, visitor: &str, text: &str) -> ConversationId {
    let receipt = desk.push(chat(desk, channel, visitor, text)).await;
    desk.routed().await;
    receipt.conversation
}

async fn read(threads: &Arc<dyn Threads>, conversation: ConversationId) -> Vec<ThreadMessage> {
    threads.messages(conversation, None, 100).await.unwrap()
}

fn texts(messages: &[ThreadMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.text.as_str()).collect()
}

async fn thread(threads: &Arc<dyn Threads>, conversation: ConversationId) -> Thread {
    threads.thread(conversation).await.unwrap().expect("it is on this channel")
}

/// Waits for a change, whatever comes before it.
async fn hears(changes: &mut broadcast::Receiver<ThreadChange>, wanted: &ThreadChange) {
    let heard = tokio::time::timeout(PATIENCE, async { while changes.recv().await.unwrap() != *wanted {} });
    assert!(heard.await.is_ok(), "waited in vain for {wanted:?}");
}

#[tokio::test]
async fn a_contact_sees_what_both_sides_wrote_and_no_notes() {
    let desk = chats().await;
    let threads = desk.engine.threads("chat");
    let first = chat(&desk, "chat", "kim", "Hello?");
    let external = first.external_id.clone();
    let file = Attachment {
        name: "photo.png".into(),
        content_type: "image/png".into(),
        content_id: None,
        bytes: Bytes::from_static(b"not really"),
    };
    let conversation = desk.push(InboundMessage { attachments: vec![file], ..first }).await.conversation;
    desk.routed().await;
    desk.engine.post_message(&desk.as_user("bo"), conversation.into(), new_message("He sounds angry.", false)).await.unwrap();
    desk.reply("bo", conversation.into(), "Hi, how can I help?").await;
    says(&desk, "chat", "kim", "My parcel is late.").await;

    let messages = read(&threads, conversation).await;
    assert_eq!(texts(&messages), ["Hello?", "Hi, how can I help?", "My parcel is late."]);
    assert_eq!(messages[0].external_id.as_deref(), Some(external.as_str()));
    assert!(messages[0].author == Author::Contact && messages[1].author == Author::Agent("Bo".into()));
    assert_eq!(messages[1].external_id, None);
    let later = threads.messages(conversation, Some(messages[1].id), 100).await.unwrap();
    assert_eq!(texts(&later), ["My parcel is late."]);
    assert_eq!(texts(&threads.messages(conversation, None, 1).await.unwrap()), ["Hello?"]);

    let file = threads.file(conversation, messages[0].id, 0).await.unwrap().expect("there is one");
    assert_eq!((file.entry.name.as_str(), &file.bytes[..]), ("photo.png", &b"not really"[..]));
    assert!(threads.file(conversation, messages[0].id, 1).await.unwrap().is_none());
    let known = threads.of(&cookie("kim")).await.unwrap();
    assert_eq!(known, [thread(&threads, conversation).await]);
    let known = &known[0];
    assert_eq!((known.key.as_deref(), known.open, known.owner.as_deref()), (Some("thread-kim"), true, Some("Bo")));
    assert_eq!((known.newest, known.position), (Some(messages[2].id), None));
    assert!(threads.of(&cookie("lu")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_channel_sees_nothing_of_another() {
    let desk = chats().await;
    let (chat_threads, help_threads) = (desk.engine.threads("chat"), desk.engine.threads("help"));
    let conversation = says(&desk, "chat", "kim", "Hello?").await;
    let message = read(&chat_threads, conversation).await[0].id;
    assert!(help_threads.thread(conversation).await.unwrap().is_none());
    assert!(read(&help_threads, conversation).await.is_empty());
    assert!(help_threads.file(conversation, message, 0).await.unwrap().is_none());
    assert!(help_threads.of(&cookie("kim")).await.unwrap().is_empty());
    assert!(help_threads.signal(conversation, Signal::Writing(true)).await.is_err());
    assert!(help_threads.signal(conversation, Signal::Read(message)).await.is_err());
    let mail = desk.mail("support", "kim@customer.test").await;
    assert!(chat_threads.thread(ConversationId(mail.0)).await.unwrap().is_none());
}

#[tokio::test]
async fn changes_are_heard_as_they_are_committed_and_notes_are_not() {
    let desk = chats().await;
    desk.follow().await;
    let threads = desk.engine.threads("help");
    let (mut changes, mut elsewhere) = (threads.changes(), desk.engine.threads("chat").changes());
    let conversation = says(&desk, "help", "kim", "Hello?").await;
    hears(&mut changes, &ThreadChange::Message(conversation)).await;
    eventually("the ticket's owner is shown", async || thread(&threads, conversation).await.owner.is_some()).await;
    hears(&mut changes, &ThreadChange::Thread(conversation)).await;
    while changes.try_recv().is_ok() {}
    let item: ItemId = desk.view(conversation.into()).await.row.ticket.unwrap().into();
    desk.engine.post_message(&desk.as_user("bo"), item, new_message("Only among us.", false)).await.unwrap();
    desk.reply("bo", item, "Hi!").await;
    hears(&mut changes, &ThreadChange::Message(conversation)).await;
    assert_eq!(texts(&read(&threads, conversation).await), ["Hello?", "Hi!"]);
    assert!(elsewhere.try_recv().is_err(), "the other channel hears nothing");
}

#[tokio::test]
async fn r7_4_a_chat_visitor_sees_the_place_in_the_queue_move() {
    let desk = chats().await;
    for name in ["bo", "cy"] {
        let away = NewStatus { value: StatusValue::Away, reason: None };
        desk.engine.set_availability(&desk.as_user(name), desk.user(name), away).await.unwrap();
    }
    desk.routed().await;
    desk.follow().await;
    let threads = desk.engine.threads("chat");
    let mut changes = threads.changes();
    let mut waiting = Vec::new();
    for visitor in ["kim", "lu", "mo"] {
        waiting.push(says(&desk, "chat", visitor, "Hello?").await);
        desk.advance(MINUTE_MS);
    }
    let places = async || {
        desk.advance(1_000);
        let mut places = Vec::new();
        for conversation in &waiting {
            places.push(thread(&threads, *conversation).await.position);
        }
        places
    };
    eventually("everybody has a place", async || places().await == [Some(1), Some(2), Some(3)]).await;
    hears(&mut changes, &ThreadChange::Thread(waiting[2])).await;
    while changes.try_recv().is_ok() {}
    let available = NewStatus { value: StatusValue::Available, reason: None };
    desk.engine.set_availability(&desk.as_user("bo"), desk.user("bo"), available).await.unwrap();
    eventually("Bo takes two, and one moves up", async || places().await == [None, None, Some(1)]).await;
    hears(&mut changes, &ThreadChange::Thread(waiting[2])).await;
}

#[tokio::test]
async fn r7_4_a_chat_visitor_sees_how_long_it_will_take_once_the_line_moves() {
    let desk = chats().await;
    set(&desk, "bo", StatusValue::Away).await;
    set(&desk, "cy", StatusValue::Away).await;
    desk.follow().await;
    let threads = desk.engine.threads("chat");
    let mut changes = threads.changes();
    let mut waiting = Vec::new();
    for visitor in 0..12 {
        waiting.push(says(&desk, "chat", &format!("visitor-{visitor}"), "Hello?").await);
    }
    let (next, last) = (waiting[8], waiting[11]);
    let of = async |conversation| {
        let thread = thread(&threads, conversation).await;
        (thread.position, thread.wait_minutes)
    };
    set(&desk, "bo", StatusValue::Available).await;
    for finished in &waiting[..6] {
        desk.advance(2 * MINUTE_MS);
        close(&desk, (*finished).into()).await;
    }
    // Places are asked for by the same clock, which slows down in time: what was picked up long ago says nothing.
    let slow_from = desk.engine.now().plus_ms(30 * MINUTE_MS);
    let pass = || desk.advance(if desk.engine.now() < slow_from { 2_000 } else { 100 });
    let known = async || {
        pass();
        let ((next, first), (last, fourth)) = (of(next).await, of(last).await);
        (next, last) == (Some(1), Some(4)) && first.is_some() && fourth.is_some()
    };
    eventually("the line has moved, and somebody knows how long it takes", known).await;
    hears(&mut changes, &ThreadChange::Thread(last)).await;
    while changes.try_recv().is_ok() {}
    let ((_, Some(first)), (_, Some(fourth))) = (of(next).await, of(last).await) else { panic!("both are known") };
    assert!(first.0 <= fourth.0 && first.1 < fourth.1 && fourth.0 < fourth.1, "{first:?} {fourth:?}");
    desk.advance(10 * MINUTE_MS);
    let slower = async || {
        pass();
        of(last).await.1.is_some_and(|later| later.1 > fourth.1)
    };
    eventually("it takes longer as nobody else is picked up", slower).await;
    hears(&mut changes, &ThreadChange::Thread(last)).await;
}

#[tokio::test]
async fn what_was_seen_and_read_is_shown_to_the_other_side_and_never_goes_back() {
    let desk = chats().await;
    let mut events = desk.follow().await;
    let threads = desk.engine.threads("chat");
    let conversation = says(&desk, "chat", "kim", "Hello?").await;
    desk.reply("bo", conversation.into(), "Hi!").await;
    desk.reply("bo", conversation.into(), "How can I help?").await;
    let messages = read(&threads, conversation).await;
    assert_eq!((thread(&threads, conversation).await.seen, thread(&threads, conversation).await.read), (None, None));

    let mut changes = threads.changes();
    let caller = desk.as_user("bo");
    desk.engine.attend(&caller, conversation.into(), Some(Attention::Parked), Some(messages[0].id)).await.unwrap();
    assert_eq!(thread(&threads, conversation).await.seen, None, "a parked tab sees nothing");
    desk.engine.attend(&caller, conversation.into(), Some(Attention::Viewing), Some(messages[0].id)).await.unwrap();
    hears(&mut changes, &ThreadChange::Thread(conversation)).await;
    assert_eq!(thread(&threads, conversation).await.seen, Some(messages[0].id));

    threads.signal(conversation, Signal::Read(messages[2].id)).await.unwrap();
    threads.signal(conversation, Signal::Read(messages[1].id)).await.unwrap();
    threads.signal(conversation, Signal::Read(MessageId(messages[2].id.0 + 1_000))).await.unwrap();
    assert_eq!(thread(&threads, conversation).await.read, Some(messages[2].id));
    let mark = async {
        loop {
            let event = events.recv().await.unwrap();
            if event.kind == LiveEventKind::Mark && event.message == Some(messages[2].id) {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(PATIENCE, mark).await.expect("the desk hears of it");
    assert_eq!(event.conversation, Some(conversation));
    let shown = desk.engine.messages(&caller, conversation.into(), None, 10).await.unwrap();
    let reads: Vec<_> = shown.rows.iter().rev().filter_map(|message| message.delivery.as_ref()).map(|sent| sent.read).collect();
    assert_eq!(reads, [true, true]);
}

#[tokio::test]
async fn contacts_whose_conversations_were_merged_see_their_own_words_only() {
    let desk = chats().await;
    let threads = desk.engine.threads("chat");
    let kim = says(&desk, "chat", "kim", "I am Kim.").await;
    desk.advance(MINUTE_MS);
    let lu = says(&desk, "chat", "lu", "I am Lu.").await;
    let versions = (desk.row(kim.into()).await.version, desk.row(lu.into()).await.version);
    let wish = MergeWish { version: versions.0, with: lu.into(), with_version: versions.1 };
    desk.engine.merge_items(&desk.as_user("ann"), kim.into(), wish).await.unwrap();
    desk.reply("bo", kim.into(), "Hi Kim!").await;
    says(&desk, "chat", "lu", "Still Lu.").await;
    assert_eq!(texts(&read(&threads, kim).await), ["I am Kim.", "Hi Kim!"]);
    assert_eq!(texts(&read(&threads, lu).await), ["I am Lu.", "Still Lu."]);
    assert_eq!(threads.of(&cookie("lu")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn conversations_of_one_contact_that_were_merged_are_one() {
    let desk = chats().await;
    let threads = desk.engine.threads("chat");
    let older = says(&desk, "chat", "kim", "First.").await;
    desk.advance(MINUTE_MS);
    let second = chat(&desk, "chat", "kim", "Second.");
    let thread_hints = ThreadHints { key: Some("another".into()), ..ThreadHints::default() };
    let newer = desk.push(InboundMessage { thread: thread_hints, ..second }).await.conversation;
    desk.routed().await;
    assert_ne!(older, newer);
    let versions = (desk.row(older.into()).await.version, desk.row(newer.into()).await.version);
    let wish = MergeWish { version: versions.0, with: newer.into(), with_version: versions.1 };
    desk.engine.merge_items(&desk.as_user("ann"), older.into(), wish).await.unwrap();
    desk.reply("bo", older.into(), "Both are one now.").await;
    let all = ["First.", "Second.", "Both are one now."];
    assert_eq!(texts(&read(&threads, older).await), all);
    assert_eq!(texts(&read(&threads, newer).await), all);
    assert_eq!(thread(&threads, newer).await.conversation, older);
    assert_eq!(threads.of(&cookie("kim")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_desk_sees_the_visitor_write_and_the_visitor_sees_the_desk() {
    let desk = chats().await;
    let threads = desk.engine.threads("chat");
    let conversation = says(&desk, "chat", "kim", "Hello?").await;
    let (mut told, mut changes) = (desk.engine.subscribe_presence(), threads.changes());
    threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    let page = Signal::Page("https://shop.test/boots?session=secret#top".into(), "Boots".into());
    threads.signal(conversation, page).await.unwrap();
    threads.signal(conversation, Signal::Writing(true)).await.unwrap();
    let presence = desk.engine.presence(&desk.as_user("bo"), conversation.into()).await.unwrap();
    let visitor = presence.visitor.expect("the visitor is connected");
    let page = VisitedPage { address: "https://shop.test/boots".into(), title: "Boots".into() };
    assert!(visitor.writing && visitor.page == Some(page));
    assert_eq!(told.recv().await.unwrap().presence.conversation, conversation);

    let attend = async |name: &str, attention| {
        desk.engine.attend(&desk.as_user(name), conversation.into(), attention, None).await.unwrap()
    };
    attend("bo", Some(Attention::Writing)).await;
    hears(&mut changes, &ThreadChange::Writing(conversation, "Bo".into(), true)).await;
    let presence = attend("cy", Some(Attention::Viewing)).await;
    let people: Vec<_> = presence.people.iter().map(|person| (person.name.as_str(), person.attention)).collect();
    assert_eq!(people, [("Bo", Attention::Writing), ("Cy", Attention::Viewing)]);
    attend("bo", Some(Attention::Viewing)).await;
    hears(&mut changes, &ThreadChange::Writing(conversation, "Bo".into(), false)).await;
    assert_eq!(attend("cy", None).await.people.len(), 1);

    desk.advance(11_000);
    let now = async || desk.engine.presence(&desk.as_user("bo"), conversation.into()).await.unwrap();
    eventually("writing is forgotten", async || now().await.visitor.is_some_and(|visitor| !visitor.writing)).await;
    desk.advance(HOUR_MS);
    eventually("who was not heard of is gone", async || now().await.people.is_empty()).await;
    assert!(now().await.visitor.is_none(), "nor is the visitor there whom the channel says nothing of");
    threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    for _ in 0..5 {
        desk.advance(MINUTE_MS);
        threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    }
    assert!(desk.engine.unwritten(desk.engine.now(), false).iter().any(|row| row.user.is_none()));
    assert!(desk.engine.unwritten(desk.engine.now(), false).is_empty(), "it is written");
    let rows = desk.engine.unwritten(desk.engine.now(), true);
    assert_eq!(rows.iter().map(|row| (row.user, row.left_ms)).collect::<Vec<_>>(), [(None, 90_000)], "all is written again");
    assert!(
        desk.engine.inner.signals.is_connected(conversation, desk.engine.now()),
        "whoever is said to be there again and again stays"
    );
    desk.advance(150_000);
    eventually("nobody is there", async || !desk.engine.inner.signals.is_connected(conversation, desk.engine.now())).await;
    threads.signal(conversation, Signal::Connected(true)).await.unwrap();
    threads.signal(conversation, Signal::Connected(false)).await.unwrap();
    assert!(now().await.visitor.is_none());
}

#[tokio::test]
async fn presence_needs_a_person_who_may_open_the_conversation() {
    let desk = chats().await;
    let sales = desk.mail("sales", "kim@customer.test").await;
    let error = desk.engine.attend(&desk.as_user("bo"), sales, Some(Attention::Viewing), None).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::NotFound);
    let error = desk.engine.attend(&Caller::system(), sales, Some(Attention::Viewing), None).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Forbidden);
}
