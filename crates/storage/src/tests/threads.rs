//! What contacts may see of their conversations, the marks of what was seen and read, and what hosts tell each other.

use crate::tests::fixtures::{CHANNEL, NOON, WORKSPACE, conversation, id, insert, message, write};
use crate::tests::{TestDb, on_both};
use crate::{Mark, NewMessage, SignalRow, Store};
use futures::FutureExt;
use switchboard_model::{ChannelKind, ConversationId, MessageId, UserId};

/// Stores a message, and shows it.
async fn shown(store: &Store, conversation: ConversationId, id: i64, external_id: Option<&'static str>) -> MessageId {
    insert(store, message(id, conversation, &format!("text {id}"), NOON)).await;
    let id = MessageId(id);
    write(store, move |tx| async move { tx.show_message(conversation, id, external_id).await }.boxed()).await.unwrap();
    id
}

async fn moved(store: &Store, conversation: ConversationId, mark: Mark, to: MessageId) -> bool {
    write(store, move |tx| async move { tx.move_mark(conversation, mark, to).await }.boxed()).await.unwrap()
}

async fn growing(store: &Store, conversation: ConversationId, drawn: i64) -> MessageId {
    write(store, move |tx| async move { tx.growing_id(conversation, MessageId(drawn)).await }.boxed()).await.unwrap()
}

on_both! {
    async fn only_what_is_shown_is_seen_and_ids_grow_whatever_was_drawn(db) {
        let conversation = conversation(&db.store, ChannelKind::Chat).await;
        let (early, first, hidden) = (id(&db.store).await, id(&db.store).await, id(&db.store).await);
        assert_eq!(growing(&db.store, conversation, first).await, MessageId(first), "nothing is newer");
        let first = shown(&db.store, conversation, first, Some("c-1")).await;
        insert(&db.store, message(hidden, conversation, "a note, say", NOON)).await;
        let later = growing(&db.store, conversation, early).await;
        assert!(later > MessageId(hidden), "a number that nobody has drawn, and nobody will");
        assert!(db.store.next_ids(20_000).await.unwrap().iter().all(|id| *id != later.0));
        let second = shown(&db.store, conversation, later.0, None).await;

        let entries = db.store.thread_entries(conversation, None, 10).await.unwrap();
        let seen: Vec<_> = entries.iter().map(|entry| (entry.message.id, entry.external_id.as_deref())).collect();
        assert_eq!(seen, [(first, Some("c-1")), (second, None)]);
        let (newest, is_cut) = db.store.newest_entries(conversation, None, 1).await.unwrap();
        assert!(newest == entries[1..] && is_cut);
        let (newest, is_cut) = db.store.newest_entries(conversation, None, 2).await.unwrap();
        assert!(newest == entries && !is_cut);
        assert_eq!(db.store.newest_reply(conversation, None).await.unwrap(), None);
        let after = db.store.thread_entries(conversation, Some(first), 10).await.unwrap();
        assert_eq!(after.iter().map(|entry| entry.message.id).collect::<Vec<_>>(), [second]);
        let known = db.store.shown_in(&[first, MessageId(hidden)]).await.unwrap();
        assert_eq!(known, [(first, conversation)]);
        assert_eq!(db.store.channels_of(&[conversation]).await.unwrap(), [(conversation, CHANNEL)]);
        assert!(db.store.thread_file(conversation, first, 0).await.unwrap().is_none());
    }

    async fn the_newest_message_with_a_field_is_found_by_the_name_of_the_field_alone(db) {
        let conversation = conversation(&db.store, ChannelKind::Chat).await;
        let mut ids = Vec::new();
        for fields in [
            vec![("email", "kim@customer.test"), ("answer_by", "mail")],
            vec![("email", "answer_by"), ("note", "[[\"answer_by\",\"mail\"]]")],
            vec![],
        ] {
            let id = id(&db.store).await;
            let fields = fields.into_iter().map(|(name, value): (&str, &str)| (name.to_owned(), value.to_owned())).collect();
            insert(&db.store, NewMessage { fields, ..message(id, conversation, "Hello", NOON) }).await;
            write(&db.store, move |tx| async move { tx.show_message(conversation, MessageId(id), None).await }.boxed()).await.unwrap();
            ids.push(MessageId(id));
        }
        let found = async |name: &str| db.store.with_field(conversation, name, 1).await.unwrap().first().map(|(id, _)| *id);
        assert_eq!((found("answer_by").await, found("email").await, found("mail").await), (Some(ids[0]), Some(ids[1]), None));
        let said = db.store.with_field(conversation, "answer_by", 1).await.unwrap();
        assert_eq!(said[0].1[1], ("answer_by".to_owned(), "mail".to_owned()));
    }

    async fn marks_go_forward_only_and_to_what_is_shown(db) {
        let conversation = conversation(&db.store, ChannelKind::Chat).await;
        let first = shown(&db.store, conversation, id(&db.store).await, None).await;
        let second = shown(&db.store, conversation, id(&db.store).await, None).await;
        assert!(moved(&db.store, conversation, Mark::Read, second).await);
        assert!(!moved(&db.store, conversation, Mark::Read, first).await, "backwards");
        assert!(!moved(&db.store, conversation, Mark::Read, MessageId(second.0 + 1)).await, "to what nobody is shown");
        assert!(moved(&db.store, conversation, Mark::Seen, first).await, "each by itself");
        let record = db.store.thread(conversation).await.unwrap().unwrap();
        assert_eq!((record.seen, record.read, record.mailed, record.newest), (Some(first), Some(second), None, Some(second)));
        let found = db.store.threads_of(CHANNEL, record.contact.unwrap(), 10).await.unwrap();
        assert_eq!(found, [record]);
        assert!(db.store.queued_threads(&[CHANNEL], 10).await.unwrap().is_empty());
    }
}

fn signal(conversation: ConversationId, user: Option<i64>, state: &str, left_ms: i64) -> SignalRow {
    SignalRow {
        conversation,
        user: user.map(UserId),
        host: "one".into(),
        workspace: WORKSPACE,
        channel: Some(CHANNEL),
        state: state.into(),
        left_ms,
    }
}

/// What another host hears from a position on, by state, without what was over.
async fn heard(store: &Store, position: i64) -> (Vec<String>, i64) {
    let (signals, position) = store.signals_since("two", position).await.unwrap();
    (signals.into_iter().filter(|signal| signal.left_ms > 0).map(|signal| signal.state).collect(), position)
}

#[tokio::test]
async fn hosts_hear_what_others_say_until_it_is_over() {
    let db = TestDb::postgres().await;
    let store = &db.store;
    let say = async |rows: Vec<SignalRow>| {
        write(store, move |tx| async move { tx.write_signals(&rows).await }.boxed()).await.unwrap();
    };
    let conversation = ConversationId(5);
    say(vec![signal(conversation, None, "there", 60_000), signal(conversation, Some(7), "looks", 60_000)]).await;
    assert!(store.signals_since("one", 0).await.unwrap().0.is_empty(), "nobody hears oneself");
    let (signals, _) = store.signals_since("two", 0).await.unwrap();
    let mut heard_of: Vec<_> =
        signals.iter().map(|signal| (signal.user, signal.state.as_str(), signal.left_ms > 50_000)).collect();
    heard_of.sort_unstable();
    assert_eq!(heard_of, [(None, "there", true), (Some(UserId(7)), "looks", true)]);
    say(vec![signal(conversation, Some(7), "", 0), signal(conversation, None, "writes", 60_000)]).await;
    let (states, position) = heard(store, 0).await;
    assert_eq!(states, ["writes"]);
    assert!(position > 0);
    say(vec![signal(conversation, None, "writes", 90_000)]).await;
    write(store, |tx| async move { tx.prune_signals().await }.boxed()).await.unwrap();
    let (signals, _) = store.signals_since("two", position).await.unwrap();
    assert!(signals.iter().any(|signal| signal.user.is_none() && signal.left_ms > 80_000), "the contact stays with the host");
    write(store, |tx| async move { tx.end_signals("one").await }.boxed()).await.unwrap();
    assert_eq!(heard(store, 0).await.0, Vec::<String>::new());
    db.finish().await;
}
