//! Contacts that are blocked at the desk (ROUTING 12.1): what they write is stored, and that is all that happens.

use super::chat::{chats, mails, timers_ran};
use super::moving::agrees;
use super::threads::{chat, cookie};
use super::{Desk, HOUR_MS, MINUTE_MS, eventually};
use crate::{ApplyOptions, Caller, EngineErrorKind, MergeWish};
use std::time::Duration;
use switchboard_channel::Thread;
use switchboard_model::{
    ContactId, ContactView, ConversationId, Identity, IdentityKind, InboundMessage, Input, ItemId, ItemRow, ItemStatus,
    LiveEvent, LiveEventKind, Nature, Proof, Sender, ThreadHints, View,
};

const KIM: &str = "kim@customer.test";
const SETTINGS: &str = r#"chat = { close_after_min = 10, mail_channel = "support", transcript = "on_close" }"#;

async fn contact_of(desk: &Desk, item: ItemId) -> ContactId {
    desk.row(item).await.contact.expect("it has a contact").id
}

async fn set_blocked(desk: &Desk, contact: ContactId, blocked: bool) -> ContactView {
    let view = desk.engine.set_contact_blocked(&desk.as_user("di"), contact, blocked).await.unwrap();
    desk.routed().await;
    view
}

async fn set(desk: &Desk, item: ItemId, status: ItemStatus) {
    let until = (status == ItemStatus::Snoozed).then(|| desk.engine.now().plus_ms(HOUR_MS));
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&desk.as_user("ann"), item, version, status, until).await.unwrap();
    desk.routed().await;
}

async fn status(desk: &Desk, item: ItemId) -> ItemStatus {
    desk.row(item).await.status
}

async fn texts(desk: &Desk, item: ItemId) -> Vec<(String, Nature)> {
    let page = desk.engine.messages(&Caller::system(), item, None, 50).await.unwrap();
    page.rows.into_iter().map(|message| (message.text, message.nature)).collect()
}

/// A mail that refers to another.
fn answer(desk: &Desk, from: &str, to: &InboundMessage, text: &str) -> InboundMessage {
    let mut mail = desk.message("support", from);
    mail.thread.references = to.thread.own_reference.clone().into_iter().collect();
    InboundMessage { text: text.to_owned(), ..mail }
}

/// How often the router was asked for an owner.
async fn arrivals(desk: &Desk) -> usize {
    let inputs = desk.engine.inner.store.inputs_between(0, 1_000_000).await.unwrap();
    inputs.iter().filter(|input| matches!(input.input, Input::Arrived(_))).count()
}

async fn open_work(desk: &Desk, name: &str) -> u32 {
    desk.engine.person(desk.user(name)).await.unwrap().load.open
}

/// The log says what happened, also when it is decided again.
async fn replays(desk: &Desk) {
    agrees(desk).await;
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!(report.differences, 0, "{report:#?}");
}

/// Stored as spam, with nobody to look after it and no clock running.
fn is_put_away(row: &ItemRow) -> bool {
    row.status == ItemStatus::Spam && row.waiting_since.is_none() && row.queued_since.is_none() && row.due_at.is_none()
}

#[tokio::test]
async fn r12_1_what_a_blocked_contact_writes_is_kept_as_spam_on_every_channel() {
    let desk = chats(SETTINGS).await;
    let clock = "slug = \"mail\"\nkind = \"inbox\"\nsla = { first_reply_min = 60, next_reply_min = 30, close_min = 480 }";
    let directory = super::chat::directory(SETTINGS).replace("slug = \"mail\"\nkind = \"inbox\"", clock);
    desk.engine.apply(&Caller::system(), &directory, ApplyOptions::default()).await.unwrap();
    let by_cookie = |channel: &str| {
        let sender = Sender { identity: Identity::email(KIM), also: vec![cookie("kim")], proof: Proof::Cookie, name: None };
        InboundMessage { sender, ..desk.message(channel, KIM) }
    };
    let form = desk.receive(by_cookie("form")).await;
    let mail = desk.mail("triage", KIM).await;
    assert!(desk.row(mail).await.due_at.is_some(), "the clock runs in this workspace");
    let contact = contact_of(&desk, form).await;
    assert_eq!(contact_of(&desk, mail).await, contact);
    set_blocked(&desk, contact, true).await;
    assert!(is_put_away(&desk.row(mail).await) && is_put_away(&desk.row(form).await));
    let (asked, told) = (arrivals(&desk).await, mails(&desk).len());
    for message in [
        by_cookie("form"),
        desk.message("support", KIM),
        desk.message("queue", KIM),
        chat(&desk, "chat", "kim", "Hello?"),
        chat(&desk, "help", "kim", "Hello?"),
        InboundMessage { nature: Nature::AutoReply, ..desk.message("support", KIM) },
    ] {
        let item = desk.receive(message.clone()).await;
        let view = desk.view(item).await;
        assert!(is_put_away(&view.row), "{}: {:?}", message.channel, view.row);
        assert_eq!((view.row.owner, contact_of(&desk, item).await), (None, contact));
        assert!(view.linked.is_none_or(|linked| is_put_away(&linked)), "{}", message.channel);
        assert_eq!(texts(&desk, item).await.len(), 1, "nothing is lost");
        assert!(desk.push(message).await.duplicate, "and it is stored once");
    }
    desk.advance(24 * HOUR_MS);
    timers_ran(&desk).await;
    assert_eq!((arrivals(&desk).await, mails(&desk).len()), (asked, told), "nobody is asked, nobody is mailed");
    assert_eq!(desk.list("ann", View::Open).await, []);
    replays(&desk).await;
}

#[tokio::test]
async fn r12_1_a_blocked_contact_reopens_nothing_and_is_heard_again_once_unblocked() {
    let desk = Desk::open().await;
    let first = desk.message("support", KIM);
    let item = desk.receive(first.clone()).await;
    let owner = desk.owner(item).await;
    set(&desk, item, ItemStatus::Closed).await;
    let contact = contact_of(&desk, item).await;
    set_blocked(&desk, contact, true).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Closed, "what is closed stays as it is");
    assert_eq!(desk.receive(answer(&desk, KIM, &first, "You will regret this.")).await, item);
    assert_eq!((status(&desk, item).await, desk.owner(item).await), (ItemStatus::Spam, owner));
    assert_eq!(texts(&desk, item).await[1], ("You will regret this.".to_owned(), Nature::Spam));
    // Somebody at the desk opens it again to look after it, and the contact goes on.
    set(&desk, item, ItemStatus::Open).await;
    assert_eq!(desk.receive(answer(&desk, KIM, &first, "And this.")).await, item);
    assert!(is_put_away(&desk.row(item).await));
    assert_eq!(open_work(&desk, "bo").await, 0);
    replays(&desk).await;

    let view = set_blocked(&desk, contact, false).await;
    assert_eq!((view.blocked, status(&desk, item).await), (None, ItemStatus::Spam), "unblocking changes no item");
    let again = desk.mail("support", KIM).await;
    assert_eq!((status(&desk, again).await, desk.owner(again).await.is_some()), (ItemStatus::Open, true));
}

#[tokio::test]
async fn r12_1_blocking_files_what_is_open_as_spam_where_the_caller_may() {
    let desk = Desk::open().await;
    let (open, ticket, snoozed) = (desk.mail("support", KIM).await, desk.mail("form", KIM).await, desk.mail("queue", KIM).await);
    set(&desk, snoozed, ItemStatus::Snoozed).await;
    let (secret, other) = (desk.mail("sales", KIM).await, desk.mail("triage", "lu@customer.test").await);
    let contact = contact_of(&desk, open).await;
    let (bo, at) = (desk.as_user("bo"), desk.engine.now());
    let mut events = desk.follow().await;
    let view = desk.engine.set_contact_blocked(&bo, contact, true).await.unwrap();
    desk.routed().await;
    let blocked = view.blocked.expect("it is blocked");
    assert_eq!((blocked.by, blocked.at), (bo.actor.clone(), at));
    assert!(is_put_away(&desk.row(open).await) && is_put_away(&desk.row(snoozed).await));
    let view = desk.view(ticket).await;
    assert!(is_put_away(&view.row) && view.linked.is_some_and(|linked| linked.status == ItemStatus::Spam));
    assert_eq!((status(&desk, secret).await, status(&desk, other).await), (ItemStatus::Open, ItemStatus::Open));
    assert_eq!((open_work(&desk, "bo").await, open_work(&desk, "cy").await), (0, 0));
    replays(&desk).await;
    let told = |item: ItemId| move |event: &LiveEvent| event.kind == LiveEventKind::Item && event.item == Some(item);
    let is_told = tokio::time::timeout(Duration::from_secs(20), async { while !told(secret)(&events.recv().await.unwrap()) {} });
    assert!(is_told.await.is_ok(), "desks that show the contact elsewhere look anew");

    desk.advance(2 * HOUR_MS);
    timers_ran(&desk).await;
    assert_eq!(status(&desk, snoozed).await, ItemStatus::Spam, "it does not come up again");
    // Blocked already: whoever may open the rest puts it away, and who blocked the contact stays known.
    let again = desk.engine.set_contact_blocked(&desk.as_user("di"), contact, true).await.unwrap();
    assert_eq!(again.blocked.map(|blocked| blocked.by), Some(bo.actor));
    assert_eq!(status(&desk, secret).await, ItemStatus::Spam);
    let audit = desk.engine.audit(None, 50).await.unwrap();
    assert_eq!(audit.rows.iter().filter(|entry| entry.action == "contact.blocked").count(), 1);
    let hidden = contact_of(&desk, desk.mail("sales", "mo@customer.test").await).await;
    let refused = desk.engine.set_contact_blocked(&desk.as_user("bo"), hidden, true).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::NotFound, "what one may not see one may not block");
}

#[tokio::test]
async fn r12_1_room_that_a_block_frees_goes_to_who_waits() {
    let desk = Desk::open().await;
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(desk.mail("queue", KIM).await);
    }
    let (own, waiting) = (desk.mail("queue", KIM).await, desk.mail("queue", "pi@customer.test").await);
    assert!(desk.row(own).await.queued_since.is_some() && desk.row(waiting).await.queued_since.is_some());
    set_blocked(&desk, contact_of(&desk, own).await, true).await;
    assert!(is_put_away(&desk.row(own).await));
    assert!(desk.owner(waiting).await.is_some(), "the room goes to whoever else waits");
    assert_eq!(open_work(&desk, "bo").await + open_work(&desk, "cy").await, 1);
    replays(&desk).await;
}

#[tokio::test]
async fn r12_1_hundreds_of_open_items_are_put_away() {
    let desk = Desk::open().await;
    let first = desk.mail("triage", KIM).await;
    for _ in 0..229 {
        desk.push(desk.message("triage", KIM)).await;
    }
    desk.routed().await;
    set_blocked(&desk, contact_of(&desk, first).await, true).await;
    assert_eq!(desk.engine.counts(&desk.as_user("ann")).await.unwrap().open, 0);
}

#[tokio::test]
async fn r12_1_an_address_that_was_only_typed_neither_blocks_nor_unblocks_anybody() {
    let desk = chats(SETTINGS).await;
    let genuine = desk.mail("triage", KIM).await;
    let contact = contact_of(&desk, genuine).await;
    set_blocked(&desk, contact, true).await;
    for (channel, proof) in [("form", Proof::Typed), ("form", Proof::Cookie), ("support", Proof::Typed)] {
        let also = if channel == "form" { vec![cookie("stranger")] } else { Vec::new() };
        let sender = Sender { identity: Identity::email(KIM), also, proof, name: None };
        let item = desk.receive(InboundMessage { sender, ..desk.message(channel, KIM) }).await;
        assert_eq!(contact_of(&desk, item).await, contact, "the address finds the contact");
        assert_eq!((status(&desk, item).await, texts(&desk, item).await[0].1), (ItemStatus::Open, Nature::Message));
        assert!(desk.owner(item).await.is_some() || desk.row(item).await.waiting_since.is_some());
    }
    // A chat's typed address is a field, and the visitor is whoever has the cookie.
    let fields = vec![("email".to_owned(), KIM.to_owned())];
    let typed = InboundMessage { fields, ..chat(&desk, "chat", "stranger", "Hello?") };
    let item = desk.receive(typed).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Open);
    assert_ne!(contact_of(&desk, item).await, contact);
    assert!(desk.engine.contact(&Caller::system(), contact).await.unwrap().blocked.is_some());
    assert_eq!(status(&desk, desk.mail("triage", KIM).await).await, ItemStatus::Spam, "the contact is blocked as before");
}

#[tokio::test]
async fn r12_1_a_contact_is_blocked_by_each_of_its_identities() {
    let desk = chats(SETTINGS).await;
    let account = Identity::new(IdentityKind::Custom, "account-7");
    let vouched = |identity: &Identity, also: Vec<Identity>| {
        let sender = Sender { identity: identity.clone(), also, proof: Proof::Channel, name: None };
        InboundMessage { sender, ..chat(&desk, "chat", "seven", "Hello?") }
    };
    let item = desk.receive(vouched(&account, vec![Identity::email(KIM)])).await;
    set_blocked(&desk, contact_of(&desk, item).await, true).await;
    assert_eq!(status(&desk, desk.mail("support", KIM).await).await, ItemStatus::Spam);
    assert_eq!(desk.receive(vouched(&account, Vec::new())).await, item);
    // An identity that nobody has goes to the contact that is found by another, and so is blocked as well.
    let fresh = Identity::email("kim@elsewhere.test");
    desk.receive(vouched(&account, vec![fresh])).await;
    assert_eq!(status(&desk, desk.mail("support", "kim@elsewhere.test").await).await, ItemStatus::Spam);
    assert_eq!(desk.list("ann", View::Open).await, []);
}

#[tokio::test]
async fn r12_1_a_blocked_contact_disturbs_nobody_elses_work() {
    let desk = Desk::open().await;
    let first = desk.message("support", KIM);
    let item = desk.receive(first.clone()).await;
    // The colleague got a copy, and so takes part.
    let colleague = "colleague@customer.test";
    assert_eq!(desk.receive(answer(&desk, colleague, &first, "I agree.")).await, item);
    let own = desk.mail("support", colleague).await;
    set_blocked(&desk, contact_of(&desk, own).await, true).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Open, "the other's work goes on");
    let stray = desk.receive(answer(&desk, colleague, &first, "I do not.")).await;
    assert_ne!(stray, item);
    assert!(is_put_away(&desk.row(stray).await));
    assert_eq!((texts(&desk, item).await.len(), status(&desk, item).await), (2, ItemStatus::Open));
    set(&desk, item, ItemStatus::Closed).await;
    desk.receive(answer(&desk, colleague, &first, "Hello?")).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Closed);
    desk.receive(answer(&desk, KIM, &first, "Thank you.")).await;
    assert_eq!(status(&desk, item).await, ItemStatus::Open, "whoever is not blocked reopens it");
}

#[tokio::test]
async fn r12_1_of_merged_chats_the_blocked_side_changes_nothing_for_the_other() {
    let desk = chats(SETTINGS).await;
    let older = desk.receive(chat(&desk, "chat", "kim", "Hello?")).await;
    desk.advance(MINUTE_MS);
    let newer = desk.receive(chat(&desk, "chat", "lu", "Hello?")).await;
    let lu = contact_of(&desk, newer).await;
    let wish = MergeWish { version: desk.row(older).await.version, with: newer, with_version: desk.row(newer).await.version };
    desk.engine.merge_items(&desk.as_user("ann"), older, wish).await.unwrap();
    set_blocked(&desk, lu, true).await;
    assert_eq!(status(&desk, older).await, ItemStatus::Open);
    set(&desk, older, ItemStatus::Closed).await;
    desk.receive(chat(&desk, "chat", "lu", "Listen!")).await;
    assert_eq!(status(&desk, older).await, ItemStatus::Closed);
    assert_eq!(texts(&desk, older).await.last(), Some(&("Listen!".to_owned(), Nature::Spam)));
}

#[tokio::test]
async fn r12_1_a_blocked_visitor_sees_a_chat_like_any_other_and_is_mailed_nothing() {
    let desk = chats(SETTINGS).await;
    let threads = desk.engine.threads("chat");
    let shown = async |item: ItemId| -> Thread { threads.thread(ConversationId(item.0)).await.unwrap().expect("a chat") };
    let vouched = |text: &str| {
        let identity = Identity::new(IdentityKind::Custom, "account-7");
        let sender = Sender { identity, also: vec![Identity::email(KIM)], proof: Proof::Channel, name: None };
        InboundMessage { sender, ..chat(&desk, "chat", "seven", text) }
    };
    let item = desk.receive(vouched("Hello?")).await;
    desk.reply("bo", item, "Hi.").await;
    let before = shown(item).await;
    let contact = contact_of(&desk, item).await;
    set_blocked(&desk, contact, true).await;
    assert_eq!(shown(item).await, before, "nothing has changed");
    assert_eq!(desk.receive(vouched("Are you there?")).await, item);
    let thread = shown(item).await;
    assert!(thread.open && thread.newest > before.newest);
    let messages = threads.messages(ConversationId(item.0), None, 10).await.unwrap();
    assert_eq!(messages.last().map(|message| message.text.as_str()), Some("Are you there?"));
    let fresh = desk.receive(InboundMessage { thread: ThreadHints::default(), ..vouched("Once more") }).await;
    assert!(shown(fresh).await.open && is_put_away(&desk.row(fresh).await));
    set(&desk, item, ItemStatus::Closed).await;
    desk.advance(MINUTE_MS);
    timers_ran(&desk).await;
    assert!(mails(&desk).iter().all(|mail| !mail.automatic), "no transcript goes out");
    set_blocked(&desk, contact, false).await;
    assert!(!shown(fresh).await.open, "what the contact writes next is a new chat, which is answered");
}

#[tokio::test]
async fn r12_1_of_a_block_and_messages_at_once_nothing_stays_open() {
    let desk = Desk::open().await;
    let item = desk.mail("support", KIM).await;
    let contact = contact_of(&desk, item).await;
    let pushes = (0..30).map(|nth| {
        let message = desk.message(if nth % 2 == 0 { "support" } else { "form" }, KIM);
        let desk = &desk;
        async move {
            desk.push(message).await;
        }
    });
    let (before, after): (Vec<_>, Vec<_>) = pushes.enumerate().partition(|(nth, _)| nth % 2 == 0);
    let all = |part: Vec<(usize, _)>| futures::future::join_all(part.into_iter().map(|(_, push)| push));
    let caller = Caller::system();
    let blocking = desk.engine.set_contact_blocked(&caller, contact, true);
    let (_, blocked, _) = tokio::join!(all(before), blocking, all(after));
    assert!(blocked.unwrap().blocked.is_some());
    eventually("all is decided", async || desk.engine.statistics().await.unwrap().unconsumed == 0).await;
    let statistics = desk.engine.statistics().await.unwrap();
    assert_eq!((statistics.open, open_work(&desk, "bo").await, open_work(&desk, "cy").await), (0, 0, 0));
    replays(&desk).await;
}
