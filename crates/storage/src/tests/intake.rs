//! Contacts, threads, duplicates and messages.

use crate::row::{rows, values};
use crate::tests::fixtures::{CHANNEL, NOON, contact, conversation, id, insert, message, new_conversation, ticket, write};
use crate::tests::{TestDb, on_both};
use crate::{NewAttachment, NewBlob, NewContact, NewConversation, NewMessage, Store, StoreError, StoreErrorKind};
use bytes::Bytes;
use futures::FutureExt;
use switchboard_model::{
    Actor, Address, Attachment, Authentication, BlobId, ChannelId, ChannelKind, CheckResult, ContactId, ConversationId, Identity,
    IdentityKind, MessageDetails, MessageId, Nature, Proof, RawSource, TicketType, UserId,
};

async fn find_or_create(store: &Store, identities: Vec<Identity>, name: Option<&str>) -> (ContactId, bool) {
    let new = NewContact { id: ContactId(id(store).await), identities, name: name.map(str::to_owned), at: NOON };
    let found = write(store, move |tx| async move { tx.find_or_create_contact(&new).await }.boxed()).await;
    found.map(|(contact, is_new)| (contact.id, is_new)).unwrap()
}

async fn by_references(store: &Store, channel: ChannelId, references: &[&str]) -> Vec<ConversationId> {
    let references: Vec<String> = references.iter().map(|reference| (*reference).to_owned()).collect();
    write(store, move |tx| async move { tx.conversations_by_references(channel, &references).await }.boxed()).await.unwrap()
}

async fn takes_part(store: &Store, conversation: ConversationId, identity: Identity) -> bool {
    write(store, move |tx| async move { tx.takes_part(conversation, &[identity]).await }.boxed()).await.unwrap()
}

async fn referring(store: &Store, conversation: ConversationId, reference: &str) {
    let mut new = message(id(store).await, conversation, "text", NOON);
    new.own_reference = Some(reference.into());
    insert(store, new).await;
}

on_both! {
    async fn r12_1_the_same_external_message_is_found_and_never_stored_twice(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let first = NewMessage { external_id: Some("<a@b>".into()), ..message(id(&db.store).await, conversation, "once", NOON) };
        let hit = MessageId(first.id.0);
        let again = NewMessage { id: MessageId(id(&db.store).await), ..first.clone() };
        insert(&db.store, first).await;
        let found = db.store.find_inbound_key(CHANNEL, "<a@b>").await.unwrap().unwrap();
        assert_eq!((found.conversation, found.message), (conversation, hit));
        assert_eq!(db.store.find_inbound_key(ChannelId(99), "<a@b>").await.unwrap(), None);
        let refused = write(&db.store, move |tx| async move { tx.insert_message(&again).await }.boxed()).await;
        assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Conflict);
        assert_eq!(db.store.messages(conversation, None, 10).await.unwrap().total, 1);
    }

    async fn a_contact_is_found_by_any_identity_and_gains_the_others(db) {
        let (email, phone) = (Identity::email("Kari@example.com"), Identity::new(IdentityKind::Phone, "+4790000000"));
        let (kari, new) = find_or_create(&db.store, vec![email.clone()], None).await;
        assert!(new);
        assert_eq!(find_or_create(&db.store, vec![phone.clone(), email], Some("Kari")).await, (kari, false));
        assert_eq!(db.store.identity_contact(&phone).await.unwrap(), Some(kari));
        let view = db.store.contact(kari).await.unwrap().unwrap();
        assert_eq!((view.name.as_deref(), view.identities.len(), view.conversations), (Some("Kari"), 2, 0));
    }

    async fn an_identity_of_somebody_else_stays_where_it_is(db) {
        let (ola, kari) = (Identity::email("ola@example.com"), Identity::email("kari@example.com"));
        let (first, _) = find_or_create(&db.store, vec![ola.clone()], None).await;
        let (second, _) = find_or_create(&db.store, vec![kari.clone()], None).await;
        assert_eq!(find_or_create(&db.store, vec![ola, kari.clone()], None).await, (first, false));
        assert_eq!(db.store.identity_contact(&kari).await.unwrap(), Some(second));
    }

    async fn one_contact_comes_of_many_writes_at_once(db) {
        let writes = (0..12).map(|_| find_or_create(&db.store, vec![Identity::email("once@example.com")], None));
        let mut found: Vec<_> = futures::future::join_all(writes).await;
        assert_eq!(found.iter().filter(|(_, new)| *new).count(), 1);
        found.dedup_by_key(|(contact, _)| *contact);
        assert_eq!(found.len(), 1);
    }

    async fn a_contact_without_identity_is_invalid(db) {
        let new = NewContact { id: ContactId(1), identities: vec![], name: None, at: NOON };
        let refused = write(&db.store, move |tx| async move { tx.find_or_create_contact(&new).await }.boxed()).await;
        assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Invalid);
    }

    async fn a_contact_owner_can_be_set(db) {
        let kari = contact(&db.store, "kari@example.com", None).await;
        write(&db.store, move |tx| async move { tx.set_contact_owner(kari, Some(UserId(7))).await }.boxed()).await.unwrap();
        assert_eq!(db.store.contact(kari).await.unwrap().unwrap().owner, Some(UserId(7)));
        let missing = write(&db.store, |tx| async move { tx.set_contact_owner(ContactId(9_999_999), None).await }.boxed()).await;
        assert_eq!(missing.unwrap_err().kind, StoreErrorKind::NotFound);
    }

    async fn a_thread_key_is_unique_per_channel(db) {
        let kari = contact(&db.store, "kari@example.com", None).await;
        let make = |number, channel| {
            let thread_key = Some("thread".to_owned());
            let new = NewConversation { thread_key, channel, ..new_conversation(ConversationId(number), kari, ChannelKind::Chat) };
            write(&db.store, move |tx| async move { tx.insert_conversation(&new).await }.boxed())
        };
        let ids = db.store.next_ids(3).await.unwrap();
        make(ids[0], CHANNEL).await.unwrap();
        make(ids[1], ChannelId(99)).await.unwrap();
        assert_eq!(make(ids[2], CHANNEL).await.unwrap_err().kind, StoreErrorKind::Conflict);
        let find = |key: &'static str| write(&db.store, move |tx| async move { tx.conversation_by_thread_key(CHANNEL, key).await }.boxed());
        assert_eq!(find("thread").await.unwrap(), Some(ConversationId(ids[0])));
        assert_eq!(find("other").await.unwrap(), None);
    }

    async fn references_are_followed_in_their_order_and_within_their_channel(db) {
        let (old, new) = (conversation(&db.store, ChannelKind::Email).await, conversation(&db.store, ChannelKind::Email).await);
        referring(&db.store, old, "<old>").await;
        referring(&db.store, new, "<new>").await;
        assert_eq!(by_references(&db.store, CHANNEL, &["<none>", "<new>", "<old>", "<new>"]).await, [new, old]);
        assert_eq!(by_references(&db.store, CHANNEL, &["<old>", "<new>"]).await, [old, new]);
        assert!(by_references(&db.store, ChannelId(99), &["<old>"]).await.is_empty());
        assert!(by_references(&db.store, CHANNEL, &[]).await.is_empty());
    }

    async fn contact_and_recipients_take_part_and_strangers_do_not(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let copied = Address { name: None, address: "Boss@Example.com".into() };
        insert(&db.store, NewMessage { recipients: vec![copied], ..message(id(&db.store).await, conversation, "text", NOON) }).await;
        for (identity, part) in [("kari@example.com", true), ("boss@example.com", true), ("stranger@example.com", false)] {
            assert_eq!(takes_part(&db.store, conversation, Identity::email(identity)).await, part, "{identity}");
        }
    }

    async fn a_message_comes_back_as_it_was_stored(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let ids = db.store.next_ids(3).await.unwrap();
        let file = Attachment {
            name: "bilde.png".into(),
            content_type: "image/png".into(),
            content_id: Some("c1".into()),
            bytes: Bytes::from_static(b"\x00png\xff"),
        };
        let raw = RawSource { content_type: "message/rfc822".into(), bytes: Bytes::from_static(b"From: x\r\n") };
        let new = NewMessage {
            subject: Some("Bilde".into()),
            html: Some("<p>Se her</p>".into()),
            fields: vec![("order".into(), "8841".into())],
            recipients: vec![Address { name: Some("Boss".into()), address: "boss@example.com".into() }],
            attachments: vec![NewAttachment { blob: BlobId(ids[1]), attachment: file.clone() }],
            raw: Some(NewBlob { id: BlobId(ids[2]), source: raw.clone() }),
            ..message(ids[0], conversation, "Se her", NOON)
        };
        insert(&db.store, new.clone()).await;
        let view = db.store.message(MessageId(ids[0])).await.unwrap().unwrap();
        assert_eq!((view.subject, view.html, view.text), (new.subject, new.html, new.text));
        assert_eq!((view.fields, view.recipients, view.author), (new.fields, new.recipients, new.author));
        assert_eq!((view.attachments[0].bytes, view.attachments[0].content_id.as_deref()), (5, Some("c1")));
        let stored = db.store.blob(view.attachments[0].id).await.unwrap().unwrap();
        assert_eq!((stored.bytes, stored.name.as_deref(), stored.conversation), (file.bytes, Some("bilde.png"), conversation));
        assert_eq!(db.store.blob(view.raw.unwrap()).await.unwrap().unwrap().bytes, raw.bytes);
        assert!(db.store.blob(BlobId(7_777_777)).await.unwrap().is_none());
    }

    async fn texts_with_nul_characters_are_stored_without_them(db) {
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let number = id(&db.store).await;
        insert(&db.store, NewMessage { subject: Some("a\0b".into()), fields: vec![("f\0".into(), "\0v".into())], ..message(number, conversation, "x\0y", NOON) }).await;
        let view = db.store.message(MessageId(number)).await.unwrap().unwrap();
        assert_eq!((view.text.as_str(), view.subject.as_deref()), ("xy", Some("ab")));
    }

    async fn an_identity_with_nul_characters_is_that_without_them(db) {
        let identity = Identity::new(IdentityKind::Phone, "+47\090000000");
        let (kari, new) = find_or_create(&db.store, vec![identity.clone()], None).await;
        assert!(new);
        assert_eq!(find_or_create(&db.store, vec![identity.clone()], None).await, (kari, false));
        assert_eq!(find_or_create(&db.store, vec![Identity::new(IdentityKind::Phone, "+4790000000")], None).await, (kari, false));
        let found = write(&db.store, move |tx| async move { tx.contact_of(&identity).await }.boxed()).await.unwrap();
        assert_eq!(found.map(|contact| contact.id), Some(kari));
    }

    async fn r12_1_what_nobody_wrote_neither_waits_nor_moves_up(db) {
        let (conversation, ticket) = ticket(&db.store, TicketType::EmailOther).await;
        for nature in [Nature::AutoReply, Nature::Bounce, Nature::Spam] {
            let new = NewMessage { nature, ..message(id(&db.store).await, conversation, "I am away", NOON.plus_ms(9)) };
            insert(&db.store, new).await;
        }
        let item = db.store.item_record(ticket.into()).await.unwrap().unwrap();
        assert_eq!((item.waiting_since, item.last_message_at, item.preview.as_str()), (None, NOON, "I am away"));
        insert(&db.store, message(id(&db.store).await, conversation, "Really me", NOON.plus_ms(10))).await;
        let item = db.store.item_record(ticket.into()).await.unwrap().unwrap();
        assert_eq!((item.waiting_since, item.preview.as_str()), (Some(NOON.plus_ms(10)), "Really me"));
    }

    async fn r12_1_a_message_is_one_under_any_of_its_ids(db) {
        let conversation = conversation(&db.store, ChannelKind::Chat).await;
        let further = ["s/1".to_owned(), "t/1".to_owned()];
        let first = NewMessage { external_id: Some("a/1".into()), further_ids: further.to_vec(), ..message(id(&db.store).await, conversation, "once", NOON) };
        let stored = first.id;
        insert(&db.store, first).await;
        for name in ["a/1", "s/1", "t/1"] {
            assert_eq!(db.store.find_inbound_key(CHANNEL, name).await.unwrap().unwrap().message, stored, "{name}");
        }
        let again = NewMessage { external_id: Some("s/1".into()), ..message(id(&db.store).await, conversation, "again", NOON) };
        let refused = write(&db.store, move |tx| async move { tx.insert_message(&again).await }.boxed()).await;
        assert_eq!(refused.unwrap_err().kind, StoreErrorKind::Conflict);
    }

    async fn r7_3_the_last_message_of_their_own_says_how_far_a_contact_was_proven(db) {
        let kari = contact(&db.store, "kari@example.com", None).await;
        let conversation = conversation(&db.store, ChannelKind::Email).await;
        let by = |author| Actor::Contact { id: author };
        let checked = |dmarc| {
            let none = CheckResult::None;
            let authentication = Some(Authentication { by: None, spf: none, dkim: none, dmarc, arc: none });
            MessageDetails { authentication, ..MessageDetails::default() }
        };
        let (own, other) = (by(kari), by(ContactId(kari.0 + 1_000_000)));
        let (plain, failed) = (MessageDetails::default(), checked(CheckResult::Fail));
        let said = Nature::Message;
        for (step, (author, nature, proof, details, expected)) in (1..).zip([
            (&other, said, Some(Proof::Channel), &plain, None),
            (&own, said, None, &plain, None),
            (&own, said, None, &failed, Some(Proof::Typed)),
            (&own, said, None, &checked(CheckResult::Pass), None),
            (&own, said, Some(Proof::Typed), &plain, Some(Proof::Typed)),
            (&other, said, Some(Proof::Channel), &plain, Some(Proof::Typed)),
            (&own, Nature::AutoReply, Some(Proof::Channel), &plain, Some(Proof::Typed)),
            (&own, Nature::Malformed, Some(Proof::Channel), &failed, Some(Proof::Channel)),
            (&own, said, Some(Proof::Cookie), &plain, Some(Proof::Cookie)),
        ]) {
            let (author, details) = (author.clone(), details.clone());
            insert(&db.store, NewMessage { author, nature, proof, details, ..message(id(&db.store).await, conversation, "x", NOON.plus_ms(step)) }).await;
            let known = write(&db.store, move |tx| async move { tx.proof_of(conversation, kari).await }.boxed()).await;
            assert_eq!(known.unwrap(), expected, "after {step}");
        }
    }

    async fn a_thread_is_paged_without_gaps(db) {
        let conversation = conversation(&db.store, ChannelKind::Chat).await;
        let ids = db.store.next_ids(23).await.unwrap();
        for (place, number) in ids.iter().enumerate() {
            // Several at one instant, so that the id has to tell them apart.
            let at = NOON.plus_ms(i64::try_from(place / 4).unwrap());
            insert(&db.store, message(*number, conversation, "text", at)).await;
        }
        let (mut seen, mut cursor) = (vec![], None::<String>);
        loop {
            let page = db.store.messages(conversation, cursor.as_deref(), 5).await.unwrap();
            assert_eq!(page.total, 23);
            seen.extend(page.rows.iter().map(|row| row.id.0));
            cursor = page.next;
            if cursor.is_none() { break }
        }
        let newest_first: Vec<_> = ids.into_iter().rev().collect();
        assert_eq!(seen, newest_first);
        let broken: StoreError = db.store.messages(conversation, Some("nonsense"), 5).await.unwrap_err();
        assert_eq!(broken.kind, StoreErrorKind::Invalid);
    }

    async fn an_item_is_shown_with_what_it_is_linked_to(db) {
        let (conversation, ticket) = ticket(&db.store, TicketType::Messaging).await;
        let view = db.store.item(ticket.into()).await.unwrap().unwrap();
        assert_eq!(view.row.ticket_type, Some(TicketType::Messaging));
        assert_eq!((view.row.conversation, view.linked.unwrap().id), (Some(conversation), conversation.into()));
        assert_eq!(view.row.contact.unwrap().name, "Kari Ødegård");
        assert_eq!(view.contact_detail.unwrap().conversations, 1);
        let other = db.store.item(conversation.into()).await.unwrap().unwrap();
        assert_eq!(other.linked.unwrap().id, ticket.into());
        assert!(db.store.item(switchboard_model::ItemId(9_999_999)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn identities_are_looked_up_by_index_and_not_by_a_walk() {
    let db = TestDb::sqlite().await;
    for count in [1, 2, 5] {
        let sql = format!("EXPLAIN QUERY PLAN {}", crate::intake::known_people_sql(count));
        let parameters = (0..count).flat_map(|_| values!["email", "kari@example.com"]).collect();
        let plan = rows(db.store.reads(), sql, parameters).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail").unwrap()).collect();
        assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
    }
    db.finish().await;
}
