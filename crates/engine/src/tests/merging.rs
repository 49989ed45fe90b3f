//! Merging two items of a workspace (ROUTING 12.4), and what the router makes of it.

use super::moving::{agrees, set, workspace};
use super::{Desk, HOUR_MS, MINUTE_MS, eventually, new_message};
use crate::{Caller, EngineError, EngineErrorKind, MergeReport, MergeWish, OwnerChange};
use switchboard_channel::Retry;
use switchboard_model::{ConversationId, HistoryChange, ItemId, ItemStatus, Nature, Priority, StatusValue, View};

async fn try_merge(desk: &Desk, name: &str, one: ItemId, other: ItemId) -> Result<MergeReport, EngineError> {
    let (version, with_version) = (desk.row(one).await.version, desk.row(other).await.version);
    let done = desk.engine.merge_items(&desk.as_user(name), one, MergeWish { version, with: other, with_version }).await;
    desk.routed().await;
    done
}

async fn merge(desk: &Desk, one: ItemId, other: ItemId) -> MergeReport {
    try_merge(desk, "ann", one, other).await.unwrap()
}

async fn give(desk: &Desk, item: ItemId, name: Option<&str>) {
    let version = desk.row(item).await.version;
    let change = OwnerChange { user: name.map(|name| desk.user(name)), team: None };
    desk.engine.set_owner(&desk.as_user("ann"), item, version, change).await.unwrap();
    desk.routed().await;
}

async fn status(desk: &Desk, item: ItemId, status: ItemStatus) {
    let until = (status == ItemStatus::Snoozed).then(|| desk.engine.now().plus_ms(HOUR_MS));
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&desk.as_user("ann"), item, version, status, until).await.unwrap();
    desk.routed().await;
}

async fn mails(desk: &Desk, channel: &str, from: [&str; 2]) -> (ItemId, ItemId) {
    let older = desk.mail(channel, from[0]).await;
    desk.advance(MINUTE_MS);
    (older, desk.mail(channel, from[1]).await)
}

#[tokio::test]
async fn r12_4_the_older_stays_with_its_owner_and_takes_the_messages_whichever_is_named_first() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "support", ["kim@customer.test", "lu@customer.test"]).await;
    assert_eq!((desk.owner(older).await, desk.owner(newer).await), (desk.owned_by("bo"), desk.owned_by("cy")));
    let report = try_merge(&desk, "di", newer, older).await.unwrap();
    assert_eq!((report.survivor.id, report.merged.id, report.messages, report.routed), (older, newer, 1, false));
    assert_eq!((report.survivor.owner, report.merged.merged_into), (desk.owned_by("bo"), Some(older)));
    agrees(&desk).await;
    assert_eq!(desk.engine.person(desk.user("cy")).await.unwrap().load.open, 0);
    for id in [older, newer] {
        let thread = desk.engine.messages(&desk.as_user("bo"), id, None, 10).await.unwrap();
        assert_eq!(thread.rows.len(), 2, "the old address shows the thread as well");
        assert!(thread.rows[0].at < thread.rows[1].at);
    }
    let view = desk.view(older).await;
    let changes: Vec<_> = view.history.iter().map(|entry| (entry.item, entry.change.clone())).collect();
    assert!(changes.contains(&(older, HistoryChange::MergedFrom { item: newer })));
    assert!(changes.contains(&(newer, HistoryChange::MergedInto { item: older })));
    assert!(changes.contains(&(
        newer,
        HistoryChange::Owner { owner: desk.owned_by("cy"), team: Some(desk.engine.directory().teams[0].id) }
    )));
    assert_eq!(desk.engine.decisions(&desk.as_user("bo"), older).await.unwrap().len(), 2);
    let audit = desk.engine.audit(None, 1).await.unwrap();
    assert_eq!((audit.rows[0].action.as_str(), audit.rows[0].target.clone()), ("item.merge", older.to_string()));
}

#[tokio::test]
async fn r12_4_what_is_written_to_the_newer_comes_into_the_older_from_either_contact() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "support", ["kim@customer.test", "lu@customer.test"]).await;
    merge(&desk, older, newer).await;
    status(&desk, older, ItemStatus::Closed).await;
    let mut by_reference = desk.message("support", "lu@customer.test");
    by_reference.thread.references = vec!["<in-1@customer.test>".to_owned()];
    assert_eq!(desk.receive(by_reference).await, older);
    assert_eq!((desk.row(older).await.status, desk.row(newer).await.status), (ItemStatus::Open, ItemStatus::Closed));
    let mut by_token = desk.message("support", "kim@customer.test");
    by_token.thread.conversation = Some(ConversationId(newer.0));
    assert_eq!(desk.receive(by_token).await, older, "who takes part in one takes part in both");
    let mut across = desk.message("support", "lu@customer.test");
    across.thread.references = vec!["<in-0@customer.test>".to_owned()];
    assert_eq!(desk.receive(across).await, older);
    let mut stranger = desk.message("support", "mallory@elsewhere.test");
    stranger.thread.conversation = Some(ConversationId(newer.0));
    assert_ne!(desk.receive(stranger).await, older);
    desk.reply("bo", older, "This is for both of you.").await;
    let sent = desk.sent().await;
    assert_eq!(sent[0].to[0].address, "kim@customer.test");
    assert_eq!(sent[0].cc.iter().map(|copy| copy.address.as_str()).collect::<Vec<_>>(), ["lu@customer.test"]);
    let contacts: Vec<_> = desk.view(older).await.merged_contacts.into_iter().map(|contact| contact.name).collect();
    assert_eq!(contacts, ["lu@customer.test"]);
    agrees(&desk).await;
}

#[tokio::test]
async fn r12_4_a_message_taken_in_twice_is_one_also_after_a_merge() {
    let desk = Desk::open().await;
    let older = desk.mail("support", "kim@customer.test").await;
    let message = desk.message("support", "kim@customer.test");
    let newer = desk.receive(message.clone()).await;
    merge(&desk, older, newer).await;
    let again = desk.push(message).await;
    assert!(again.duplicate);
    assert_eq!(ItemId::from(again.conversation), older);
}

#[tokio::test]
async fn r12_4_a_reply_that_waits_to_be_sent_goes_to_whom_it_was_written_and_its_bounce_is_seen() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "support", ["kim@customer.test", "lu@customer.test"]).await;
    *desk.outside.fails.lock().unwrap() = Some(Retry::Later);
    desk.reply("cy", newer, "Dear Lu").await;
    merge(&desk, older, newer).await;
    *desk.outside.fails.lock().unwrap() = None;
    desk.advance(MINUTE_MS);
    let sent = desk.sent().await;
    assert_eq!((sent.len(), sent[0].to[0].address.as_str(), sent[0].text.as_str()), (1, "lu@customer.test", "Dear Lu"));
    eventually("the reply's own reference is known", async || {
        let mut answer = desk.message("support", "lu@customer.test");
        answer.thread.references = vec![format!("<{}@desk.test>", sent[0].key)];
        desk.receive(answer).await == older
    })
    .await;
    let mut bounce = desk.message("support", "mailer-daemon@customer.test");
    (bounce.nature, bounce.thread.conversation) = (Nature::Bounce, Some(ConversationId(newer.0)));
    bounce.thread.references = vec![format!("<{}@desk.test>", sent[0].key)];
    assert_eq!(desk.receive(bounce).await, older);
    let thread = desk.engine.messages(&desk.as_user("bo"), older, None, 10).await.unwrap();
    let deliveries: Vec<_> = thread.rows.iter().filter_map(|message| message.delivery.clone()).collect();
    assert!(deliveries[0].error.as_deref().is_some_and(|error| error.contains("not delivered")), "{deliveries:?}");
}

#[tokio::test]
async fn r12_4_either_may_wait_in_the_queue() {
    let desk = Desk::open().await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    // The older waits, the newer has an owner: work that somebody has does not go back to nobody.
    let (older, newer) = mails(&desk, "queue", ["kim@customer.test", "kim@customer.test"]).await;
    give(&desk, newer, Some("cy")).await;
    let report = merge(&desk, older, newer).await;
    assert_eq!((report.survivor.owner, report.survivor.queued_since), (desk.owned_by("cy"), None));
    agrees(&desk).await;
    // The older has an owner, the newer waits.
    let (older, newer) = mails(&desk, "queue", ["kim@customer.test", "kim@customer.test"]).await;
    give(&desk, older, Some("bo")).await;
    assert_eq!(merge(&desk, older, newer).await.survivor.owner, desk.owned_by("bo"));
    agrees(&desk).await;
    assert_eq!(desk.list("bo", View::Waiting).await, []);
    // Both wait: the older goes on, with its place.
    let (older, newer) = mails(&desk, "queue", ["kim@customer.test", "kim@customer.test"]).await;
    let since = desk.row(older).await.queued_since;
    assert_eq!(merge(&desk, older, newer).await.survivor.queued_since, since);
    agrees(&desk).await;
    assert_eq!(desk.list("bo", View::Waiting).await, [older]);
    set(&desk, "bo", StatusValue::Available).await;
    assert_eq!(desk.owner(older).await, desk.owned_by("bo"));
    let decisions = desk.engine.decisions(&Caller::system(), older).await.unwrap();
    assert!(decisions.iter().all(|decision| decision.refused.is_none()), "the router knew of the new version");
    agrees(&desk).await;
}

#[tokio::test]
async fn r12_4_what_waited_goes_on_waiting_in_an_older_item_that_nobody_has() {
    let desk = Desk::open().await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    let (older, newer) = mails(&desk, "queue", ["kim@customer.test", "kim@customer.test"]).await;
    status(&desk, older, ItemStatus::Closed).await;
    let since = desk.row(newer).await.queued_since;
    assert!(merge(&desk, older, newer).await.routed);
    let row = desk.row(older).await;
    assert_eq!((row.status, row.queued_since), (ItemStatus::Open, since));
    agrees(&desk).await;
    set(&desk, "cy", StatusValue::Available).await;
    assert_eq!(desk.owner(older).await, desk.owned_by("cy"));
}

#[tokio::test]
async fn r5_3_either_may_be_snoozed_and_the_count_is_right_after_each_step() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "support", ["kim@customer.test", "kim@customer.test"]).await;
    let open = async |name: &str| desk.engine.person(desk.user(name)).await.unwrap().load.open;
    status(&desk, older, ItemStatus::Snoozed).await;
    assert_eq!((open("bo").await, open("cy").await), (0, 1));
    let report = merge(&desk, older, newer).await;
    assert_eq!((report.survivor.status, report.survivor.owner), (ItemStatus::Open, desk.owned_by("bo")));
    agrees(&desk).await;
    assert_eq!((open("bo").await, open("cy").await), (1, 0));
    let (third, fourth) = mails(&desk, "support", ["kim@customer.test", "kim@customer.test"]).await;
    status(&desk, third, ItemStatus::Closed).await;
    status(&desk, fourth, ItemStatus::Snoozed).await;
    let report = merge(&desk, third, fourth).await;
    assert_eq!(report.survivor.status, ItemStatus::Snoozed);
    agrees(&desk).await;
    desk.advance(HOUR_MS + MINUTE_MS);
    eventually("the snooze went over to the survivor", async || desk.row(third).await.status == ItemStatus::Open).await;
    agrees(&desk).await;
    assert_eq!((desk.row(fourth).await.status, desk.row(older).await.status), (ItemStatus::Closed, ItemStatus::Open));
}

#[tokio::test]
async fn r12_4_room_that_a_merge_frees_goes_to_who_waits() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "queue", ["kim@customer.test", "lu@customer.test"]).await;
    let (_, _) = mails(&desk, "queue", ["mo@customer.test", "no@customer.test"]).await;
    let waiting = desk.mail("queue", "pi@customer.test").await;
    assert_eq!((desk.owner(older).await, desk.owner(newer).await), (desk.owned_by("bo"), desk.owned_by("cy")));
    assert!(desk.row(waiting).await.queued_since.is_some(), "both have two, which is the limit");
    merge(&desk, older, newer).await;
    assert_eq!(desk.owner(waiting).await, desk.owned_by("cy"));
    agrees(&desk).await;
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!(report.differences, 0, "{report:#?}");
}

#[tokio::test]
async fn r12_4_tickets_merge_with_their_conversations_and_the_more_urgent_counts() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "form", ["kim@customer.test", "lu@customer.test"]).await;
    let version = desk.row(newer).await.version;
    desk.engine.set_priority(&desk.as_user("ann"), newer, version, Priority::Urgent).await.unwrap();
    let report = merge(&desk, older, newer).await;
    assert_eq!((report.survivor.id, report.survivor.priority), (older, Priority::Urgent));
    let conversation = desk.view(newer).await.linked.unwrap();
    assert_eq!(conversation.merged_into, desk.row(older).await.conversation.map(ItemId::from));
    agrees(&desk).await;
    let mut again = desk.message("form", "lu@customer.test");
    again.thread.conversation = Some(ConversationId(conversation.id.0));
    assert_eq!(desk.receive(again).await, older);
}

#[tokio::test]
async fn r12_4_a_merge_is_refused_for_what_cannot_be_one_and_for_old_versions() {
    let desk = Desk::open().await;
    let (one, other) = mails(&desk, "triage", ["kim@customer.test", "kim@customer.test"]).await;
    let elsewhere = desk.mail("sales", "kim@customer.test").await;
    assert_eq!(try_merge(&desk, "di", one, one).await.unwrap_err().kind, EngineErrorKind::Invalid);
    assert_eq!(try_merge(&desk, "di", one, elsewhere).await.unwrap_err().kind, EngineErrorKind::Invalid);
    assert_eq!(try_merge(&desk, "bo", one, elsewhere).await.unwrap_err().kind, EngineErrorKind::NotFound);
    let wish = MergeWish { version: desk.row(one).await.version, with: other, with_version: desk.row(other).await.version };
    give(&desk, other, Some("cy")).await;
    let stale = desk.engine.merge_items(&desk.as_user("bo"), one, wish).await.unwrap_err();
    assert_eq!((stale.kind, stale.current.unwrap().id), (EngineErrorKind::Conflict, other));
    merge(&desk, one, other).await;
    let again = try_merge(&desk, "bo", one, other).await.unwrap_err();
    assert_eq!((again.kind, again.current.unwrap().merged_into), (EngineErrorKind::Conflict, Some(one)));
}

#[tokio::test]
async fn what_was_merged_takes_no_change_by_hand_and_no_reply() {
    let desk = Desk::open().await;
    let (older, newer) = mails(&desk, "support", ["kim@customer.test", "kim@customer.test"]).await;
    merge(&desk, older, newer).await;
    let (bo, shell) = (desk.as_user("bo"), desk.row(newer).await);
    let refused = desk.engine.set_item_status(&bo, newer, shell.version, ItemStatus::Open, None).await.unwrap_err();
    assert_eq!((refused.kind, refused.current.unwrap().merged_into), (EngineErrorKind::Conflict, Some(older)));
    let refused = desk.engine.post_message(&bo, newer, new_message("Hello", true)).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Conflict);
    assert!(refused.message.contains(&format!("conversation {older}")), "{refused}");
    assert_eq!(desk.list("bo", View::Closed).await, []);
    // Where the survivor goes, whoever may not follow sees nothing of what was merged into it.
    let wish =
        crate::MoveWish { version: desk.row(older).await.version, workspace: workspace(&desk, "closed_circle"), route: false };
    desk.engine.move_item(&desk.as_user("di"), older, wish).await.unwrap();
    assert_eq!(desk.engine.item(&bo, newer).await.unwrap_err().kind, EngineErrorKind::NotFound);
}
