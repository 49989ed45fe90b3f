//! What goes on beside a refusal, in the same moment.

use crate::tests::TestDb;
use crate::tests::fixtures::{NOON, assign, conversation, people, user, write};
use crate::tests::guards::change;
use crate::{ItemUpdate, StoreError};
use futures::FutureExt;
use std::time::Duration;
use switchboard_model::{Actor, ChannelKind, ItemStatus, RefusalReason};

/// Long enough for a close that nothing holds up.
const HELD_UP: Duration = Duration::from_millis(500);

/// The router leaves out whom the database found full until there is news of that person. News that came before the
/// refusal would be no news any more, and the item would wait for somebody who has room.
#[tokio::test]
async fn r7_4_room_made_beside_a_refusal_is_told_after_it() {
    let db = TestDb::postgres().await;
    people(&db.store, vec![user(1, Some(1), &[])]).await;
    let held = conversation(&db.store, ChannelKind::Email).await;
    let wanted = conversation(&db.store, ChannelKind::Email).await;
    change(&db.store, assign(held, 1)).await.unwrap();
    let store = db.store.clone();
    let closing = write(&db.store, move |tx| {
        async move {
            let refused = tx.change_item(&ItemUpdate { capacity_guard: true, ..assign(wanted, 1) }).await?;
            assert_eq!(refused.unwrap_err().reason(), RefusalReason::AtCapacity);
            let mut closing = tokio::task::JoinSet::new();
            closing.spawn(async move {
                let closed = ItemStatus::Closed;
                let update = ItemUpdate { status: Some(closed), ..ItemUpdate::new(held.into(), Actor::System, NOON) };
                change(&store, update).await
            });
            let beside = tokio::time::timeout(HELD_UP, closing.join_next()).await;
            assert!(beside.is_err(), "whoever makes room waits for the end of the refusal");
            Ok::<_, StoreError>(closing)
        }
        .boxed()
    });
    let mut closing = closing.await.unwrap();
    closing.join_next().await.unwrap().unwrap().unwrap();
    change(&db.store, ItemUpdate { capacity_guard: true, ..assign(wanted, 1) }).await.unwrap();
    db.finish().await;
}
