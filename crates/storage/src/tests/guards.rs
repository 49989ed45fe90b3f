//! Changes of items under their guards, and the counters that they keep.

use crate::row::{rows, values};
use crate::tests::fixtures::{
    CHANNEL, NOON, WORKSPACE, assign, conversation, events, insert, message, owner, people, ticket, user, write,
};
use crate::tests::on_both;
use crate::{Changed, Guard, ItemUpdate, NewMessage, Store};
use futures::FutureExt;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{
    Actor, CapacityWeights, ChannelKind, HistoryChange, ItemId, ItemStatus, LeaveOut, LiveEventKind, ManualStatus, MessageKind,
    Owner, RefusalReason, StatusOrigin, StatusValue, TeamId, TicketType, UnassignedReason, UserId, WorkType,
};

pub(super) async fn change(store: &Store, update: ItemUpdate) -> Result<Changed, Guard> {
    write(store, move |tx| async move { tx.change_item(&update).await }.boxed()).await.unwrap()
}

async fn open_work(store: &Store, id: i64) -> (u32, BTreeMap<WorkType, u32>) {
    let person = store.person(UserId(id)).await.unwrap().unwrap();
    (person.open, person.open_per_type)
}

pub(super) async fn status(store: &Store, id: i64, value: StatusValue) -> i64 {
    let status = ManualStatus { value, reason: None, set_at: NOON, origin: StatusOrigin::ByHand };
    write(store, move |tx| async move { tx.set_status(UserId(id), &status, None, NOON, &Actor::System).await }.boxed())
        .await
        .unwrap()
        .version
}

/// Counts every person's open work anew from the items, the way ROUTING 5.5 words it.
pub(super) async fn recounted(store: &Store) -> BTreeMap<i64, [u32; 4]> {
    let sql = "SELECT id, conversation_id, owner_id, load_group FROM item WHERE status = 'open' AND owner_kind = 'user'";
    let mut seen = BTreeSet::new();
    let mut counts = BTreeMap::<i64, [u32; 4]>::new();
    for row in rows(store.reads(), sql, values![]).await.unwrap() {
        let person: i64 = row.get("owner_id").unwrap();
        let work = row.opt::<i64>("conversation_id").unwrap().unwrap_or(row.get("id").unwrap());
        let group: switchboard_model::LoadGroup = row.word("load_group").unwrap();
        let part = 1 + WorkType::ALL.iter().position(|kind| *kind == group.work_type()).unwrap();
        for part in [0, part] {
            if seen.insert((person, work, part)) {
                counts.entry(person).or_default()[part] += 1;
            }
        }
    }
    counts
}

pub(super) async fn stored_counts(store: &Store) -> BTreeMap<i64, [u32; 4]> {
    let people = store.people().await.unwrap();
    let counts = people.into_iter().map(|person| {
        let per_type = |kind| person.open_per_type[&kind];
        (person.user.0, [person.open, per_type(WorkType::Chat), per_type(WorkType::Mail), per_type(WorkType::Call)])
    });
    counts.filter(|(_, counts)| *counts != [0; 4]).collect()
}

on_both! {
    async fn r2_6_the_second_of_two_changes_of_one_version_gets_the_current_state(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        let first = ItemUpdate { expected_version: Some(1), ..assign(item, 1) };
        let second = ItemUpdate { expected_version: Some(1), ..assign(item, 2) };
        let changed = change(&db.store, first).await.unwrap();
        assert_eq!((changed.after.version, changed.after.owner, changed.after.owned_since), (2, owner(1), Some(NOON)));
        assert!(changed.assigned());
        let refused = change(&db.store, second).await.unwrap_err();
        assert_eq!(refused.reason(), RefusalReason::ItemChanged);
        assert_eq!(refused.item(), &changed.after);
        assert_eq!(stored_counts(&db.store).await, BTreeMap::from([(1, [1, 0, 1, 0])]));
    }

    async fn r5_5_automatic_routing_never_exceeds_a_limit_whatever_arrives_at_once(db) {
        people(&db.store, vec![user(1, Some(3), &[])]).await;
        let mut items = vec![];
        for _ in 0..8 {
            items.push(conversation(&db.store, ChannelKind::Chat).await);
        }
        let changes = items.iter().map(|item| change(&db.store, ItemUpdate { capacity_guard: true, ..assign(*item, 1) }));
        let done = futures::future::join_all(changes).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 3);
        assert!(done.iter().filter_map(|done| done.as_ref().err()).all(|guard| guard.reason() == RefusalReason::AtCapacity));
        assert_eq!(open_work(&db.store, 1).await.0, 3);
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
    }

    async fn r5_5_a_limit_per_type_holds_beside_the_total(db) {
        people(&db.store, vec![user(1, Some(10), &[(WorkType::Mail, 1)])]).await;
        let guarded = |item| change(&db.store, ItemUpdate { capacity_guard: true, ..assign(item, 1) });
        guarded(conversation(&db.store, ChannelKind::Email).await).await.unwrap();
        let full = guarded(conversation(&db.store, ChannelKind::Form).await).await.unwrap_err();
        assert_eq!(full.reason(), RefusalReason::AtCapacity);
        guarded(conversation(&db.store, ChannelKind::Chat).await).await.unwrap();
    }

    async fn r5_5_weights_are_one_more_limit(db) {
        let per_type = BTreeMap::from([(WorkType::Chat, 25), (WorkType::Mail, 10)]);
        let mut heavy = user(1, None, &[]);
        heavy.capacity.weights = Some(CapacityWeights { limit: 60, per_type });
        people(&db.store, vec![heavy]).await;
        let guarded = |item| change(&db.store, ItemUpdate { capacity_guard: true, ..assign(item, 1) });
        guarded(conversation(&db.store, ChannelKind::Chat).await).await.unwrap();
        guarded(conversation(&db.store, ChannelKind::Chat).await).await.unwrap();
        let full = guarded(conversation(&db.store, ChannelKind::Chat).await).await.unwrap_err();
        assert_eq!(full.reason(), RefusalReason::AtCapacity);
        guarded(conversation(&db.store, ChannelKind::Email).await).await.unwrap();
        assert!(guarded(conversation(&db.store, ChannelKind::Email).await).await.is_err());
        guarded(conversation(&db.store, ChannelKind::Calling).await).await.expect("a type without a weight weighs nothing");
    }

    async fn r5_5_what_waits_on_the_contact_or_is_old_uses_no_capacity_where_a_person_leaves_it_out(db) {
        let mut lenient = user(1, Some(2), &[]);
        lenient.capacity.leave_out = LeaveOut { older_than_days: Some(3), waiting_on_contact: true };
        people(&db.store, vec![lenient, user(2, Some(1), &[])]).await;
        let guarded = |item, user| change(&db.store, ItemUpdate { capacity_guard: true, ..assign(item, user) });
        let later = |item, days: i64| {
            let at = NOON.plus_ms(days * 86_400_000 + i64::from(days == 3));
            change(&db.store, ItemUpdate { capacity_guard: true, at, ..assign(item, 1) })
        };
        let mut items = vec![];
        for _ in 0..6 {
            items.push(conversation(&db.store, ChannelKind::Email).await);
        }
        for (item, number) in items[..5].iter().zip(900_100..) {
            insert(&db.store, message(number, *item, "Hello", NOON)).await;
        }
        guarded(items[0], 1).await.unwrap();
        guarded(items[1], 1).await.unwrap();
        assert_eq!(guarded(items[2], 1).await.unwrap_err().reason(), RefusalReason::AtCapacity);
        guarded(items[5], 1).await.expect("nothing of the contact is unanswered in it, so it needs no room");
        let reply = message(900_110, items[0], "Hi", NOON);
        insert(&db.store, NewMessage { kind: MessageKind::Reply, ..reply }).await;
        guarded(items[2], 1).await.expect("the first one waits on the contact");
        assert!(later(items[3], 2).await.is_err());
        later(items[3], 3).await.expect("all of them are older than three days");
        assert_eq!(open_work(&db.store, 1).await.0, 5, "the counters hold all open work");
        guarded(items[4], 2).await.unwrap();
        assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await);
    }

    async fn r5_5_a_conversation_and_its_ticket_count_once(db) {
        people(&db.store, vec![user(1, Some(1), &[])]).await;
        let (conversation, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        change(&db.store, ItemUpdate { capacity_guard: true, ..assign(ticket, 1) }).await.unwrap();
        assert_eq!(open_work(&db.store, 1).await.0, 1);
        change(&db.store, ItemUpdate { capacity_guard: true, ..assign(conversation, 1) }).await.unwrap();
        assert_eq!(open_work(&db.store, 1).await, (1, BTreeMap::from([(WorkType::Chat, 0), (WorkType::Mail, 1), (WorkType::Call, 0)])));
        let closed = |item: ItemId| ItemUpdate { status: Some(ItemStatus::Closed), ..ItemUpdate::new(item, Actor::System, NOON) };
        change(&db.store, closed(ticket.into())).await.unwrap();
        assert_eq!(open_work(&db.store, 1).await.0, 1);
        change(&db.store, closed(conversation.into())).await.unwrap();
        assert_eq!(open_work(&db.store, 1).await.0, 0);
    }

    async fn r2_5_by_hand_one_may_go_over_a_limit(db) {
        people(&db.store, vec![user(1, Some(0), &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        change(&db.store, assign(item, 1)).await.unwrap();
        assert_eq!(open_work(&db.store, 1).await.0, 1);
    }

    async fn an_assignment_for_another_availability_version_is_refused(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let before = status(&db.store, 1, StatusValue::Available).await;
        let now = status(&db.store, 1, StatusValue::Away).await;
        assert_eq!(now, before + 1);
        let item = conversation(&db.store, ChannelKind::Email).await;
        let guarded = |version| ItemUpdate { capacity_guard: true, availability: Some((UserId(1), version)), ..assign(item, 1) };
        assert_eq!(change(&db.store, guarded(before)).await.unwrap_err().reason(), RefusalReason::StatusChanged);
        assert_eq!(db.store.item_record(item.into()).await.unwrap().unwrap().version, 1);
        assert_eq!(open_work(&db.store, 1).await.0, 0);
        change(&db.store, guarded(now)).await.unwrap();
    }

    async fn a_refusal_takes_nothing_from_the_owner_before(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, Some(0), &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        change(&db.store, assign(item, 1)).await.unwrap();
        let refused = change(&db.store, ItemUpdate { capacity_guard: true, ..assign(item, 2) }).await.unwrap_err();
        assert_eq!(refused.reason(), RefusalReason::AtCapacity);
        assert_eq!(stored_counts(&db.store).await, BTreeMap::from([(1, [1, 0, 1, 0])]));
    }

    async fn r5_1_an_ownership_begins_anew_with_another_owner_and_not_with_a_reopening(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        change(&db.store, assign(item, 1)).await.unwrap();
        let later = NOON.plus_ms(60_000);
        let set = |status| ItemUpdate { status: Some(status), ..ItemUpdate::new(item.into(), Actor::System, later) };
        change(&db.store, set(ItemStatus::Closed)).await.unwrap();
        let reopened = change(&db.store, set(ItemStatus::Open)).await.unwrap();
        assert_eq!((reopened.after.owned_since, reopened.assigned()), (Some(NOON), false));
        let moved = change(&db.store, ItemUpdate { at: later, ..assign(item, 2) }).await.unwrap();
        assert_eq!((moved.after.owned_since, moved.assigned()), (Some(later), true));
        let again = ItemUpdate { at: later.plus_ms(1), new_ownership: true, ..assign(item, 2) };
        let again = change(&db.store, again).await.unwrap();
        assert_eq!((again.after.owned_since, again.assigned()), (Some(later.plus_ms(1)), true));
    }

    async fn the_version_rises_with_changes_that_somebody_has_to_see(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        let bare = ItemUpdate::new(item.into(), Actor::System, NOON);
        let reason = Some(Some(UnassignedReason::NobodyEligible));
        let noted = change(&db.store, ItemUpdate { unassigned_reason: reason, ..bare.clone() }).await.unwrap();
        assert_eq!((noted.after.version, noted.after.unassigned_reason), (1, reason.flatten()));
        insert(&db.store, message(900_001, item, "Hallo", NOON)).await;
        assert_eq!(db.store.item_record(item.into()).await.unwrap().unwrap().version, 1);
        let teamed = change(&db.store, ItemUpdate { team: Some(Some(TeamId(5))), ..bare }).await.unwrap();
        assert_eq!(teamed.after.version, 2);
        let owned = change(&db.store, assign(item, 1)).await.unwrap();
        assert_eq!((owned.after.version, owned.after.unassigned_reason, owned.after.team), (3, None, Some(TeamId(5))));
        let same = change(&db.store, assign(item, 1)).await.unwrap();
        assert_eq!((same.after.version, same.assigned()), (3, false));
    }

    async fn a_change_leaves_history_and_live_events(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Email).await;
        let closed = ItemUpdate { status: Some(ItemStatus::Closed), team: Some(Some(TeamId(4))), ..assign(item, 1) };
        change(&db.store, closed).await.unwrap();
        let returned = ItemUpdate { owner: Some(None), returned: Some(Some("not mine".into())), ..ItemUpdate::new(item.into(), Actor::System, NOON) };
        change(&db.store, returned).await.unwrap();
        let history: Vec<_> = db.store.item(item.into()).await.unwrap().unwrap().history.into_iter().map(|entry| entry.change).collect();
        assert_eq!(history, [
            HistoryChange::Created,
            HistoryChange::Owner { owner: owner(1), team: Some(TeamId(4)) },
            HistoryChange::Status { status: ItemStatus::Closed },
            HistoryChange::Returned { note: Some("not mine".into()) },
        ]);
        let events: Vec<_> = events(&db.store, 0, 3).await.into_iter().filter(|event| event.kind == LiveEventKind::Item).collect();
        let told: Vec<_> = events.iter().map(|event| (event.kind, event.item, event.version)).collect();
        let about = |version| (LiveEventKind::Item, Some(ItemId::from(item)), Some(version));
        assert_eq!(told, [about(2), about(3)]);
        assert_eq!(events[0].workspace, Some(WORKSPACE));
    }

    async fn closing_ends_the_wait_and_snoozing_keeps_its_time(db) {
        let item = conversation(&db.store, ChannelKind::Email).await;
        insert(&db.store, message(900_002, item, "Hallo", NOON)).await;
        let bare = ItemUpdate::new(item.into(), Actor::System, NOON);
        let until = Some(NOON.plus_ms(1_000));
        let snoozed = change(&db.store, ItemUpdate { status: Some(ItemStatus::Snoozed), snoozed_until: until, ..bare.clone() }).await.unwrap();
        assert_eq!((snoozed.after.snoozed_until, snoozed.after.waiting_since), (until, Some(NOON)));
        let closed = change(&db.store, ItemUpdate { status: Some(ItemStatus::Closed), ..bare }).await.unwrap();
        assert_eq!((closed.after.snoozed_until, closed.after.waiting_since), (None, None));
    }

    async fn bots_and_the_assistant_own_without_being_counted(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let item = conversation(&db.store, ChannelKind::Chat).await;
        change(&db.store, assign(item, 1)).await.unwrap();
        let bot = ItemUpdate { owner: Some(Some(Owner::Bot)), ..ItemUpdate::new(item.into(), Actor::System, NOON) };
        assert_eq!(change(&db.store, bot).await.unwrap().after.owner, Some(Owner::Bot));
        assert!(stored_counts(&db.store).await.is_empty());
    }

    async fn a_lower_limit_leaves_owned_work_where_it_is(db) {
        people(&db.store, vec![user(1, Some(5), &[])]).await;
        let item = conversation(&db.store, ChannelKind::Chat).await;
        change(&db.store, assign(item, 1)).await.unwrap();
        people(&db.store, vec![user(1, Some(0), &[])]).await;
        assert_eq!(open_work(&db.store, 1).await.0, 1);
        let kept = ItemUpdate { capacity_guard: true, team: Some(Some(TeamId(3))), ..assign(item, 1) };
        change(&db.store, kept).await.unwrap();
    }

    async fn counters_are_right_after_random_changes_at_once(db) {
        let seed = 20_261_121;
        let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
        people(&db.store, (1..=4).map(|id| user(id, Some(4), &[(WorkType::Chat, 2)])).collect()).await;
        let mut items: Vec<ItemId> = vec![];
        for kind in [TicketType::EmailOther, TicketType::Messaging, TicketType::Calling, TicketType::EmailOther] {
            let (conversation, ticket) = ticket(&db.store, kind).await;
            items.extend([ItemId::from(conversation), ticket.into()]);
        }
        for kind in [ChannelKind::Email, ChannelKind::Chat, ChannelKind::Calling] {
            items.push(conversation(&db.store, kind).await.into());
        }
        let strategy = (0..items.len(), proptest::option::of(0..6_i64), proptest::option::of(0..ItemStatus::ALL.len()), proptest::bool::ANY);
        for round in 0..25 {
            let updates = (0..8).map(|_| {
                let (item, person, status, capacity_guard) = strategy.new_tree(&mut runner).unwrap().current();
                let owner = person.map(|person| if person == 0 { None } else { owner(person.min(4)) });
                let status = status.map(|status| ItemStatus::ALL[status]);
                ItemUpdate { owner, status, capacity_guard, ..ItemUpdate::new(items[item], Actor::System, NOON) }
            });
            let changes: Vec<_> = updates.map(|update| write(&db.store, move |tx| async move { tx.change_item(&update).await }.boxed())).collect();
            for done in futures::future::join_all(changes).await {
                assert!(done.as_ref().err().is_none_or(crate::StoreError::is_retryable), "{done:?}");
            }
            assert_eq!(recounted(&db.store).await, stored_counts(&db.store).await, "round {round} of seed {seed}");
        }
    }

    async fn r2_3_a_reply_ends_the_wait_and_a_note_changes_nothing(db) {
        let (conversation, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        insert(&db.store, message(900_003, conversation, "Where is\n my   parcel?", NOON.plus_ms(1))).await;
        let row = db.store.item(ticket.into()).await.unwrap().unwrap().row;
        assert_eq!((row.waiting_since, row.preview.as_str()), (Some(NOON.plus_ms(1)), "Where is my parcel?"));
        let mut note = message(900_004, conversation, "He is right", NOON.plus_ms(2));
        note.kind = MessageKind::Note;
        insert(&db.store, note).await;
        let mut reply = message(900_005, conversation, "On its way", NOON.plus_ms(3));
        reply.kind = MessageKind::Reply;
        insert(&db.store, reply).await;
        let row = db.store.item(ticket.into()).await.unwrap().unwrap().row;
        assert_eq!((row.waiting_since, row.preview.as_str(), row.last_message_at), (None, "On its way", NOON.plus_ms(3)));
        assert_eq!(row.channel, Some(CHANNEL));
    }
}
