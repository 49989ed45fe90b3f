//! Sign-in, tokens, the audit trail and kept answers.

use crate::tests::fixtures::{NOON, write};
use crate::tests::on_both;
use crate::{Credential, IdempotencyRecord, NewApiToken, NewAudit, NewSession, Store, StoreErrorKind};
use futures::FutureExt;
use switchboard_model::{Actor, TokenId, UserId};

async fn session(store: &Store, id_hash: &str, user: i64, lasts_ms: i64) {
    let new = NewSession {
        id_hash: id_hash.into(),
        user: UserId(user),
        created_at: NOON,
        expires_at: NOON.plus_ms(lasts_ms),
        agent: "Browser\0 1".into(),
    };
    write(store, move |tx| async move { tx.insert_session(&new).await }.boxed()).await.unwrap();
}

async fn password(store: &Store, user: i64, password_hash: &str) {
    let new = Credential { user: UserId(user), password_hash: password_hash.into(), changed_at: NOON };
    write(store, move |tx| async move { tx.set_credential(&new).await }.boxed()).await.unwrap();
}

on_both! {
    async fn a_new_password_replaces_the_old_and_ends_the_sessions(db) {
        assert!(db.store.credential(UserId(1)).await.unwrap().is_none());
        password(&db.store, 1, "old").await;
        session(&db.store, "mine", 1, 1_000).await;
        session(&db.store, "other", 2, 1_000).await;
        password(&db.store, 1, "new").await;
        assert_eq!(db.store.credential(UserId(1)).await.unwrap().unwrap().password_hash, "new");
        assert!(db.store.session("mine").await.unwrap().is_none());
        assert!(db.store.session("other").await.unwrap().is_some());
    }

    async fn sessions_are_listed_touched_revoked_and_pruned(db) {
        for (hash, lasts_ms) in [("a", 1_000), ("b", 90_000), ("c", 90_000)] {
            session(&db.store, hash, 1, lasts_ms).await;
        }
        write(&db.store, |tx| async move { tx.touch_session("c", NOON.plus_ms(50_000)).await }.boxed()).await.unwrap();
        let hashes = async || db.store.sessions_of(UserId(1)).await.unwrap().into_iter().map(|session| session.id_hash).collect::<Vec<_>>();
        assert_eq!(hashes().await, ["c", "a", "b"]);
        assert_eq!(db.store.session("c").await.unwrap().unwrap().last_seen_at, NOON.plus_ms(50_000));
        // "a" has expired, "b" was idle for too long.
        let pruned = write(&db.store, |tx| async move { tx.prune_sessions(NOON.plus_ms(60_000), NOON.plus_ms(1)).await }.boxed());
        assert_eq!(pruned.await.unwrap(), 2);
        assert_eq!(hashes().await, ["c"]);
        let revoke = |hash: &'static str| write(&db.store, move |tx| async move { tx.revoke_session(hash).await }.boxed());
        assert!(revoke("c").await.unwrap());
        assert!(!revoke("c").await.unwrap());
    }

    async fn tokens_are_found_by_hash_and_revoked_once(db) {
        let new = NewApiToken {
            id: TokenId(db.store.next_id().await.unwrap()),
            name: "import".into(),
            hash: "h1".into(),
            prefix: "sb_abc".into(),
            scopes: vec!["read".into(), "write".into()],
            created_by: Actor::User { id: UserId(1) },
            created_at: NOON,
            expires_at: Some(NOON.plus_ms(9)),
        };
        let (token, again) = (new.id, NewApiToken { id: TokenId(new.id.0 + 1), ..new.clone() });
        write(&db.store, move |tx| async move { tx.insert_token(&new).await }.boxed()).await.unwrap();
        let taken = write(&db.store, move |tx| async move { tx.insert_token(&again).await }.boxed()).await;
        assert_eq!(taken.unwrap_err().kind, StoreErrorKind::Conflict);
        write(&db.store, move |tx| async move { tx.touch_token(token, NOON.plus_ms(3)).await }.boxed()).await.unwrap();
        let revoke = |at| write(&db.store, move |tx| async move { tx.revoke_token(token, at).await }.boxed());
        assert!(revoke(NOON.plus_ms(4)).await.unwrap());
        assert!(!revoke(NOON.plus_ms(5)).await.unwrap());
        let found = db.store.token_by_hash("h1").await.unwrap().unwrap();
        assert_eq!((found.scopes.len(), found.created_by.clone()), (2, Actor::User { id: UserId(1) }));
        assert_eq!((found.last_used_at, found.revoked_at, found.expires_at), (Some(NOON.plus_ms(3)), Some(NOON.plus_ms(4)), Some(NOON.plus_ms(9))));
        assert!(db.store.token_by_hash("h2").await.unwrap().is_none());
        assert_eq!(db.store.tokens().await.unwrap().len(), 1);
    }

    async fn the_audit_trail_is_paged_newest_first(db) {
        for number in 0..7 {
            let entry = NewAudit {
                at: NOON.plus_ms(number),
                actor: Actor::System,
                action: "directory.apply".into(),
                target: format!("version {number}"),
                detail: serde_json::json!({ "number": number }),
            };
            write(&db.store, move |tx| async move { tx.insert_audit(&entry).await }.boxed()).await.unwrap();
        }
        let (mut seen, mut cursor) = (vec![], None::<String>);
        loop {
            let page = db.store.audit(cursor.as_deref(), 3).await.unwrap();
            assert_eq!(page.total, 7);
            seen.extend(page.rows.iter().map(|entry| entry.detail["number"].as_i64().unwrap()));
            cursor = page.next;
            if cursor.is_none() { break }
        }
        assert_eq!(seen, [6, 5, 4, 3, 2, 1, 0]);
        assert_eq!(db.store.audit(Some("x"), 3).await.unwrap_err().kind, StoreErrorKind::Invalid);
    }

    async fn an_answer_is_kept_once_per_scope_and_key_until_it_is_pruned(db) {
        let record = |scope: &str| IdempotencyRecord { key: "k".into(), scope: scope.into(), at: NOON, status: 201, response: "{}".into() };
        let keep = |record: IdempotencyRecord| write(&db.store, move |tx| async move { tx.insert_idempotency(&record).await }.boxed());
        keep(record("a")).await.unwrap();
        keep(record("b")).await.unwrap();
        assert_eq!(keep(record("a")).await.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(db.store.idempotency("a", "k").await.unwrap(), Some(record("a")));
        assert_eq!(db.store.idempotency("c", "k").await.unwrap(), None);
        let pruned = write(&db.store, |tx| async move { tx.prune_idempotency(NOON.plus_ms(1)).await }.boxed());
        assert_eq!(pruned.await.unwrap(), 2);
    }
}
