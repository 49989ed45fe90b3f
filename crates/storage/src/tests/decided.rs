//! Changes made at once come out as the same changes made one by one.

use crate::tests::TestDb;
use crate::tests::fixtures::{assign, conversation, people, user, write};
use crate::tests::guards::{change, recounted, status, stored_counts};
use crate::{Changed, Guard, ItemUpdate, Store};
use futures::FutureExt;
use std::collections::BTreeMap;
use switchboard_model::{CapacityWeights, ChannelKind, Owner, RefusalReason, StatusValue, User, UserId, WorkType};

/// What is to be given to whom: the kinds of the items, and the availability version that is expected for each.
struct Share {
    user: User,
    items: Vec<(ChannelKind, Option<i64>)>,
    is_guarded: bool,
}

impl Share {
    fn new(user: User, items: &[ChannelKind]) -> Self {
        Self { user, items: items.iter().map(|kind| (*kind, None)).collect(), is_guarded: true }
    }

    fn expecting(user: User, versions: &[i64]) -> Self {
        Self { user, items: versions.iter().map(|version| (ChannelKind::Email, Some(*version))).collect(), is_guarded: true }
    }
}

fn weighed(id: i64) -> User {
    let mut user = user(id, None, &[]);
    let per_type = BTreeMap::from([(WorkType::Chat, 25), (WorkType::Mail, 10)]);
    user.capacity.weights = Some(CapacityWeights { limit: 45, per_type });
    user
}

/// Everybody's status is at version 1, and nothing is anybody's.
fn shares() -> Vec<Share> {
    use ChannelKind::{Calling, Chat, Email};
    let limited = |id| user(id, Some(5), &[(WorkType::Chat, 2), (WorkType::Mail, 3)]);
    vec![
        // Exactly full, by their types, in all and by weight; and the same with one too many.
        Share::new(limited(1), &[Chat, Email, Email, Chat, Email]),
        Share::new(limited(2), &[Chat, Email, Chat, Chat]),
        Share::new(weighed(3), &[Email, Chat, Email]),
        Share::new(weighed(4), &[Email, Chat, Email, Email]),
        Share::new(user(5, Some(2), &[]), &[Chat, Calling]),
        Share::new(user(6, Some(2), &[]), &[Chat, Email, Calling]),
        Share::new(user(7, None, &[]), &[Calling, Calling, Chat, Calling]),
        // In the version that is expected, and in others.
        Share::expecting(user(8, Some(2), &[]), &[1, 1]),
        Share::expecting(user(9, None, &[]), &[9, 9]),
        Share::expecting(user(10, None, &[]), &[1, 9]),
        Share::expecting(user(11, None, &[]), &[9, 1]),
        // Nobody asks for room.
        Share { is_guarded: false, ..Share::expecting(user(12, Some(1), &[]), &[1, 1, 1]) },
        Share { is_guarded: false, ..Share::expecting(user(13, Some(1), &[]), &[2]) },
    ]
}

/// A desk with the items of all shares; each time the same, with the changes that hand them out in turns.
async fn desk(store: &Store) -> Vec<ItemUpdate> {
    let shares = shares();
    people(store, shares.iter().map(|share| share.user.clone()).collect()).await;
    for share in &shares {
        assert_eq!(status(store, share.user.id.0, StatusValue::Available).await, 1);
    }
    let mut updates = Vec::new();
    for turn in 0..5 {
        for Share { user, items, is_guarded } in &shares {
            let Some((kind, version)) = items.get(turn) else { continue };
            let given = assign(conversation(store, *kind).await, user.id.0);
            let availability = version.map(|version| (user.id, version));
            updates.push(ItemUpdate { capacity_guard: *is_guarded, expected_version: Some(1), availability, ..given });
        }
    }
    updates
}

async fn change_together(store: &Store, updates: Vec<ItemUpdate>) -> Vec<Result<Changed, Guard>> {
    write(store, move |tx| async move { tx.change_items(&updates).await }.boxed()).await.unwrap()
}

#[tokio::test]
async fn r5_5_people_are_counted_together_as_they_are_one_by_one() {
    let (together, apart) = (TestDb::sqlite().await, TestDb::sqlite().await);
    let updates = desk(&together.store).await;
    let done = change_together(&together.store, updates.clone()).await;
    let mut one_by_one = Vec::new();
    for update in desk(&apart.store).await {
        one_by_one.push(change(&apart.store, update).await);
    }
    assert_eq!(done, one_by_one);
    let counts = stored_counts(&together.store).await;
    assert_eq!(counts, stored_counts(&apart.store).await);
    assert_eq!(counts, recounted(&together.store).await);
    assert_eq!((counts[&1], counts[&3], counts[&7]), ([5, 2, 3, 0], [3, 1, 2, 0], [4, 1, 0, 3]));
    let refused = updates.iter().zip(&done).filter_map(|(update, done)| {
        let Some(Some(Owner::User { id: UserId(user) })) = update.owner else { return None };
        Some((user, done.as_ref().err()?.reason()))
    });
    let mut refused: Vec<_> = refused.collect();
    refused.sort_by_key(|(user, _)| *user);
    let (full, status) = (RefusalReason::AtCapacity, RefusalReason::StatusChanged);
    assert_eq!(refused, [(2, full), (4, full), (6, full), (9, status), (9, status), (10, status), (11, status), (13, status)]);
    together.finish().await;
    apart.finish().await;
}
