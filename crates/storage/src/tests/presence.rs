//! Presence, who is left out, owned work and what the sweep looks at (ROUTING 4.4, 4.5, 12.6).

use crate::tests::fixtures::{CHANNEL, NOON, assign, conversation, id, insert, message, people, user, write};
use crate::tests::on_both;
use crate::{ItemUpdate, NewInput, NewTimer, OwnedWorkQuery, Presence};
use futures::FutureExt;
use switchboard_model::{
    Actor, ChannelKind, Input, ItemId, ItemStatus, ManualStatus, Owner, StatusOrigin, StatusValue, UserId, WorkspaceId,
};

const ADA: UserId = UserId(1);
const BEN: UserId = UserId(2);

async fn note(store: &crate::Store, host: &'static str, people: Vec<(UserId, bool)>, ms: i64) {
    write(store, move |tx| async move { tx.note_presence(host, &people, NOON.plus_ms(ms)).await }.boxed()).await.unwrap();
}

on_both! {
    async fn r4_4_desks_of_every_host_that_is_heard_of_count(db) {
        note(&db.store, "one", vec![(ADA, true), (BEN, true)], 0).await;
        note(&db.store, "other", vec![(ADA, true)], 5).await;
        note(&db.store, "one", vec![(ADA, false)], 7).await;
        let presence = |is_connected, ms| Some(Presence { is_connected, last_seen_at: NOON.plus_ms(ms) });
        let found = db.store.presences(NOON).await.unwrap();
        assert_eq!((found.get(&ADA).copied(), found.get(&BEN).copied()), (presence(true, 7), presence(true, 0)));
        let later = db.store.presences(NOON.plus_ms(6)).await.unwrap();
        assert_eq!((later.get(&ADA).copied(), later.get(&BEN).copied()), (presence(false, 7), presence(false, 0)));
        let (alone, pruned) = write(&db.store, |tx| async move {
            tx.forget_desks("other").await?;
            let alone = tx.presence_of(ADA, NOON).await?;
            Ok((alone, tx.prune_presence(NOON.plus_ms(6)).await?))
        }.boxed()).await.unwrap();
        assert_eq!((alone, pruned), (presence(false, 7), 2));
    }

    async fn r4_4_the_status_before_being_set_away_is_found(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let (first, second) = write(&db.store, |tx| async move {
            let status = |value, origin| ManualStatus { value, reason: None, set_at: NOON, origin };
            let away = status(StatusValue::Away, StatusOrigin::Presence);
            let finishing = status(StatusValue::Finishing, StatusOrigin::ByHand);
            let tricky = ManualStatus { reason: Some("\"origin\":\"presence\"".into()), ..finishing.clone() };
            tx.set_status(BEN, &tricky, None, NOON, &Actor::System).await?;
            tx.set_status(ADA, &away, None, NOON, &Actor::System).await?;
            let first = tx.status_before(ADA, 1, NOON).await?;
            tx.set_status(ADA, &finishing, None, NOON, &Actor::System).await?;
            tx.set_status(ADA, &away, None, NOON, &Actor::System).await?;
            let found = tx.set_away_by_presence().await?;
            assert_eq!(found.iter().map(|change| (change.user, change.version)).collect::<Vec<_>>(), [(ADA, 3)]);
            Ok((first, tx.status_before(ADA, 3, NOON).await?))
        }.boxed()).await.unwrap();
        assert_eq!((first.value, first.origin), (StatusValue::Available, StatusOrigin::Initial));
        assert_eq!((second.value, second.origin), (StatusValue::Finishing, StatusOrigin::ByHand));
        let page = db.store.statuses_of(ADA, None, 2).await.unwrap();
        assert_eq!((page.rows.iter().map(|entry| entry.change.version).collect::<Vec<_>>(), page.total), (vec![3, 2], 3));
        let rest = db.store.statuses_of(ADA, page.next.as_deref(), 2).await.unwrap();
        assert_eq!((rest.rows.len(), rest.next), (1, None));
        assert!(db.store.statuses_of(ADA, Some("x"), 2).await.is_err());
    }

    async fn r4_5_owned_work_is_found_by_owner_and_by_unanswered_message(db) {
        people(&db.store, vec![user(1, None, &[]), user(2, None, &[])]).await;
        let mut items = Vec::new();
        for owner in [1, 2, 2] {
            let item = conversation(&db.store, ChannelKind::Email).await;
            insert(&db.store, message(id(&db.store).await, item, "Hello", NOON.plus_ms(i64::try_from(items.len()).unwrap()))).await;
            write(&db.store, move |tx| async move { tx.change_item(&assign(item, owner)).await }.boxed()).await.unwrap().unwrap();
            items.push(ItemId::from(item));
        }
        let query = OwnedWorkQuery { channels: vec![CHANNEL], owners: vec![ADA], unanswered_since: None, after: ItemId(0), limit: 9 };
        let found = async |query: OwnedWorkQuery| {
            let found = db.store.owned_work(&query).await.unwrap();
            found.iter().map(|work| (work.item, work.owner)).collect::<Vec<_>>()
        };
        assert_eq!(found(query.clone()).await, [(items[0], ADA)]);
        let unanswered = OwnedWorkQuery { owners: vec![], unanswered_since: Some(NOON.plus_ms(1)), ..query.clone() };
        assert_eq!(found(unanswered.clone()).await, [(items[0], ADA), (items[1], BEN)]);
        assert_eq!(found(OwnedWorkQuery { after: items[0], ..unanswered }).await, [(items[1], BEN)]);
        assert_eq!(found(OwnedWorkQuery { channels: vec![], ..query }).await, []);
        let item = items[0];
        let (left_out, had, has) = write(&db.store, move |tx| async move {
            for user in [BEN, ADA, BEN] {
                tx.leave_out(item, user, NOON).await?;
            }
            let left_out = tx.left_out(item).await?;
            Ok((left_out, tx.let_everybody_in(item).await?, tx.let_everybody_in(item).await?))
        }.boxed()).await.unwrap();
        assert_eq!((left_out, had, has), (vec![ADA, BEN], true, false));
    }

    async fn r12_6_a_sweep_sees_what_is_adrift_asleep_out_of_sight_and_on_its_way(db) {
        people(&db.store, vec![user(1, None, &[])]).await;
        let mut items = Vec::new();
        for _ in 0..4 {
            items.push(ItemId::from(conversation(&db.store, ChannelKind::Email).await));
        }
        let (owned, asleep, awake, adrift) = (items[0], items[1], items[2], items[3]);
        let timer = id(&db.store).await;
        write(&db.store, move |tx| async move {
            tx.change_item(&assign(owned, 1)).await?.unwrap();
            for item in [asleep, awake] {
                let status = Some(ItemStatus::Snoozed);
                let update = ItemUpdate { status, snoozed_until: Some(NOON), ..ItemUpdate::new(item, Actor::System, NOON) };
                tx.change_item(&update).await?.unwrap();
            }
            let body = serde_json::Value::Null;
            tx.insert_timer(&NewTimer { id: timer, due_at: NOON, kind: "snooze".into(), item: Some(awake), body }).await?;
            let input = |item, ms| NewInput { at: NOON.plus_ms(ms), item, input: Input::Tick, consumed: None };
            tx.insert_inputs(&[input(Some(owned), 5), input(Some(owned), 3), input(None, 4)]).await
        }.boxed()).await.unwrap();
        let state = db.store.sweep_state("snooze", &[]).await.unwrap();
        assert_eq!(state.tables.owned.iter().map(|owned| owned.user).collect::<Vec<_>>(), [ADA]);
        assert_eq!(state.asleep, [(asleep, Some(NOON))]);
        assert_eq!(state.out_of_sight, [adrift]);
        let pending: Vec<_> = state.pending.into_iter().collect();
        assert_eq!(pending, [(None, NOON.plus_ms(4)), (Some(owned), NOON.plus_ms(3))]);
        let found = &state.adrift[0];
        assert_eq!((state.adrift.len(), found.item, found.team, found.outcome), (1, adrift, None, None));
        assert!(found.last_change.is_some(), "it was created");
        let workspace = db.store.item_record(adrift).await.unwrap().unwrap().workspace;
        let openable = db.store.sweep_state("snooze", &[WorkspaceId(77), workspace]).await.unwrap();
        assert_eq!(openable.out_of_sight, []);
        assert_eq!(db.store.item_record(owned).await.unwrap().unwrap().owner, Some(Owner::User { id: ADA }));
    }
}
