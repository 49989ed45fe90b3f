//! Triage by hand (ROUTING 2) and the lifecycle of items (ROUTING 12).

use super::{Desk, HOUR_MS, new_message};
use crate::{EngineErrorKind, OwnerChange};
use switchboard_model::{HistoryChange, ItemStatus, MessageKind, Nature, UnassignedReason, View};

#[tokio::test]
async fn r2_1_without_a_rule_work_arrives_unassigned() {
    let desk = Desk::open().await;
    let item = desk.mail("triage", "kim@customer.test").await;
    let row = desk.row(item).await;
    assert_eq!((row.owner, row.unassigned_reason), (None, Some(UnassignedReason::NoRule)));
    assert_eq!(desk.list("bo", View::Unassigned).await, [item]);
}

#[tokio::test]
async fn r2_2_choosing_a_user_sets_the_owner_and_choosing_a_team_clears_it() {
    let desk = Desk::open().await;
    let item = desk.mail("triage", "kim@customer.test").await;
    let team = desk.engine.directory().teams[0].id;
    let bo = desk.user("bo");
    let version = desk.row(item).await.version;
    let row =
        desk.engine.set_owner(&desk.as_user("di"), item, version, OwnerChange { user: Some(bo), team: None }).await.unwrap();
    assert_eq!(row.owner, desk.owned_by("bo"));
    let row = desk
        .engine
        .set_owner(&desk.as_user("di"), item, row.version, OwnerChange { user: None, team: Some(team) })
        .await
        .unwrap();
    assert_eq!((row.owner, row.team), (None, Some(team)));
    assert_eq!(desk.list("bo", View::TeamUnassigned).await, [item]);
}

#[tokio::test]
async fn r2_2_a_workspace_that_one_may_not_open_shows_nothing_of_itself() {
    let desk = Desk::open().await;
    let item = desk.mail("sales", "kim@customer.test").await;
    let refused = desk.engine.item(&desk.as_user("bo"), item).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::NotFound);
    assert_eq!(desk.list("bo", View::Open).await, []);
    assert_eq!(desk.list("di", View::Open).await, [item]);
}

#[tokio::test]
async fn r2_3_a_reply_takes_what_nobody_owns_and_a_note_does_not() {
    let desk = Desk::open().await;
    let item = desk.mail("form", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    desk.engine.set_owner(&desk.as_user("ann"), item, version, OwnerChange { user: None, team: None }).await.unwrap();
    desk.engine.post_message(&desk.as_user("cy"), item, new_message("ask the warehouse", false)).await.unwrap();
    assert_eq!(desk.owner(item).await, None);
    desk.reply("cy", item, "It is on its way.").await;
    let view = desk.view(item).await;
    assert_eq!(view.row.owner, desk.owned_by("cy"), "the ticket is the sender's");
    assert_eq!(view.linked.unwrap().owner, None, "the conversation's own owner is another value");
    desk.reply("bo", item, "And here is the number.").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"), "a person who owns it keeps it");
}

#[tokio::test]
async fn r2_4_a_restricted_workspace_takes_only_members_of_its_teams_by_hand() {
    let desk = Desk::open().await;
    let item = desk.mail("sales", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    let change = OwnerChange { user: Some(desk.user("bo")), team: None };
    let refused = desk.engine.set_owner(&desk.as_user("di"), item, version, change).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Invalid, "{refused}");
}

#[tokio::test]
async fn r2_5_by_hand_one_may_go_over_the_limit_and_sees_it_first() {
    let desk = Desk::open().await;
    let bo = desk.user("bo");
    for _ in 0..3 {
        let item = desk.mail("triage", "kim@customer.test").await;
        let version = desk.row(item).await.version;
        desk.engine.set_owner(&desk.as_user("bo"), item, version, OwnerChange { user: Some(bo), team: None }).await.unwrap();
    }
    let item = desk.mail("triage", "kim@customer.test").await;
    let rows = desk.engine.assignable(&desk.as_user("ann"), item).await.unwrap();
    let row = rows.iter().find(|row| row.user == bo).unwrap();
    assert_eq!((row.open, row.limit, row.allowed), (3, Some(2), true));
}

#[tokio::test]
async fn r2_6_the_second_of_two_gets_a_conflict_with_the_current_state() {
    let desk = Desk::open().await;
    let item = desk.mail("triage", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    let take = |name: &str| OwnerChange { user: Some(desk.user(name)), team: None };
    desk.engine.set_owner(&desk.as_user("bo"), item, version, take("bo")).await.unwrap();
    let refused = desk.engine.set_owner(&desk.as_user("cy"), item, version, take("cy")).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Conflict);
    assert_eq!(refused.current.unwrap().owner, desk.owned_by("bo"));
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
}

#[tokio::test]
async fn r2_7_returned_work_goes_to_somebody_else_with_the_note_kept() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    let version = desk.row(item).await.version;
    desk.engine.return_to_queue(&desk.as_user("bo"), item, version, Some("not my field".to_owned())).await.unwrap();
    desk.routed().await;
    let view = desk.view(item).await;
    assert_eq!(view.row.owner, desk.owned_by("cy"));
    assert!(view.history.iter().any(|entry| entry.change == HistoryChange::Returned { note: Some("not my field".to_owned()) }));
    let version = view.row.version;
    let refused = desk.engine.return_to_queue(&desk.as_user("bo"), item, version, None).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Forbidden, "only the owner or a lead returns it");
}

#[tokio::test]
async fn r12_1_the_same_external_message_twice_is_one_message() {
    let desk = Desk::open().await;
    let message = desk.message("support", "kim@customer.test");
    let first = desk.push(message.clone()).await;
    let second = desk.push(message).await;
    assert!(!first.duplicate && second.duplicate);
    assert_eq!((first.conversation, first.message), (second.conversation, second.message));
    let thread = desk.engine.messages(&desk.as_user("bo"), first.conversation.into(), None, 10).await.unwrap();
    assert_eq!(thread.rows.len(), 1);
}

#[tokio::test]
async fn r12_1_automatic_mail_is_kept_but_neither_reopens_nor_routes() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&desk.as_user("bo"), item, version, ItemStatus::Closed, None).await.unwrap();
    let references = vec!["<in-0@customer.test>".to_owned()];
    for nature in [Nature::AutoReply, Nature::Bounce, Nature::Spam] {
        let mut message = desk.message("support", "kim@customer.test");
        (message.nature, message.thread.references) = (nature, references.clone());
        message.thread.conversation = Some(switchboard_model::ConversationId(item.0));
        assert_eq!(desk.receive(message).await, item, "{nature} is kept in its conversation");
        assert_eq!(desk.row(item).await.status, ItemStatus::Closed, "{nature} does not reopen");
    }
    let mut stray = desk.message("support", "noreply@customer.test");
    stray.nature = Nature::AutoReply;
    let stray = desk.receive(stray).await;
    assert_eq!((desk.row(stray).await.status, desk.owner(stray).await), (ItemStatus::Closed, None));
    let mut spam = desk.message("support", "spam@customer.test");
    spam.nature = Nature::Spam;
    let spam = desk.receive(spam).await;
    assert_eq!(desk.row(spam).await.status, ItemStatus::Spam);
}

#[tokio::test]
async fn r12_2_a_new_message_reopens_and_the_owner_keeps_it() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    desk.engine.set_item_status(&desk.as_user("bo"), item, version, ItemStatus::Closed, None).await.unwrap();
    let mut again = desk.message("support", "kim@customer.test");
    again.thread.references = vec!["<in-0@customer.test>".to_owned()];
    assert_eq!(desk.receive(again).await, item);
    let row = desk.row(item).await;
    assert_eq!((row.status, row.owner), (ItemStatus::Open, desk.owned_by("bo")));
    assert_eq!(desk.engine.person(desk.user("bo")).await.unwrap().load.open, 1, "it counts again");
}

#[tokio::test]
async fn r12_3_a_ticket_closes_with_its_conversation_and_opens_with_it() {
    let desk = Desk::open().await;
    let ticket = desk.mail("form", "kim@customer.test").await;
    let view = desk.view(ticket).await;
    desk.engine.set_item_status(&desk.as_user("ann"), ticket, view.row.version, ItemStatus::Closed, None).await.unwrap();
    assert_eq!(desk.view(ticket).await.linked.unwrap().status, ItemStatus::Closed);
}

#[tokio::test]
async fn a_snoozed_item_wakes_with_the_owner_it_had() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let version = desk.row(item).await.version;
    let until = desk.engine.now().plus_ms(HOUR_MS);
    desk.engine.set_item_status(&desk.as_user("bo"), item, version, ItemStatus::Snoozed, Some(until)).await.unwrap();
    assert_eq!(desk.list("bo", View::Snoozed).await, [item]);
    desk.advance(HOUR_MS + 1);
    super::eventually("the snooze is over", async || desk.row(item).await.status == ItemStatus::Open).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
}

#[tokio::test]
async fn a_reply_waits_for_what_its_writer_has_not_read() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let seen = desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().rows[0].id;
    let mut more = desk.message("support", "kim@customer.test");
    more.thread.references = vec!["<in-0@customer.test>".to_owned()];
    desk.receive(more).await;
    let mut reply = new_message("Sorry!", true);
    reply.seen_message = Some(seen);
    let refused = desk.engine.post_message(&desk.as_user("bo"), item, reply).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::NewMessages);
    let thread = desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap();
    assert!(thread.rows.iter().all(|message| message.kind == MessageKind::Inbound), "nothing was sent");
}

#[tokio::test]
async fn of_replies_at_once_to_what_was_seen_only_one_goes_out() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let seen = desk.engine.messages(&desk.as_user("bo"), item, None, 10).await.unwrap().rows[0].id;
    let reply = |name: &str| {
        let mut reply = new_message(name, true);
        reply.seen_message = Some(seen);
        let (engine, caller) = (desk.engine.clone(), desk.as_user(name));
        async move { engine.post_message(&caller, item, reply).await }
    };
    let (one, two, three) = tokio::join!(reply("bo"), reply("cy"), reply("di"));
    assert_eq!([one.is_ok(), two.is_ok(), three.is_ok()].into_iter().filter(|sent| *sent).count(), 1);
    assert_eq!(desk.sent().await.len(), 1);
}

#[tokio::test]
async fn what_a_colleague_writes_in_html_is_cleaned_and_bounded() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let with_html = |html: String| crate::NewMessage { html: Some(html), ..new_message("Hello", false) };
    let script = "<p onclick=\"x()\">Hello<script>alert(1)</script></p>".to_owned();
    let (view, _) = desk.engine.post_message(&desk.as_user("bo"), item, with_html(script)).await.unwrap();
    assert_eq!(view.html.as_deref(), Some("<p>Hello</p>"));
    let refused = desk.engine.post_message(&desk.as_user("bo"), item, with_html("<b>".repeat(30_000))).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Invalid);
}

#[tokio::test]
async fn an_address_that_no_server_could_take_is_refused_at_once() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let mut reply = new_message("Hello", true);
    reply.cc = vec![switchboard_model::Address { name: None, address: "not an@address".to_owned() }];
    let refused = desk.engine.post_message(&desk.as_user("bo"), item, reply).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Invalid);
}

#[tokio::test]
async fn the_conversation_of_a_ticket_is_worked_on_through_its_ticket() {
    let desk = Desk::open().await;
    let ticket = desk.mail("form", "kim@customer.test").await;
    let conversation = desk.view(ticket).await.linked.unwrap();
    let change = OwnerChange { user: Some(desk.user("cy")), team: None };
    let refused = desk.engine.set_owner(&desk.as_user("ann"), conversation.id, conversation.version, change).await.unwrap_err();
    assert!(refused.message.contains(&format!("ticket {ticket}")), "{refused}");
}

#[tokio::test]
async fn a_contact_stays_visible_when_all_its_work_is_closed() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let row = desk.row(item).await;
    desk.engine.set_item_status(&desk.as_user("bo"), item, row.version, ItemStatus::Closed, None).await.unwrap();
    let contact = row.contact.unwrap().id;
    assert!(desk.engine.contact(&desk.as_user("bo"), contact).await.is_ok());
    let secret = desk.mail("sales", "lu@customer.test").await;
    let secret = desk.row(secret).await.contact.unwrap().id;
    assert_eq!(desk.engine.contact(&desk.as_user("bo"), secret).await.unwrap_err().kind, EngineErrorKind::NotFound);
}
