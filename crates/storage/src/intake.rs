//! Taking in: duplicates, contacts, threads, new conversations and tickets.

use crate::bind::clean;
use crate::error::{StoreError, StoreErrorKind};
use crate::foresight::{contact, inbound_key};
use crate::guard::add_history;
use crate::held::Table;
use crate::items::{ContactRecord, ItemRecord, priority_rank};
use crate::messages::{NewMessage, add_message, is_written, preview};
use crate::row::{Bundle, Db, Row, execute, placeholders, row, rows, values};
use crate::search::add_words;
use crate::store::{Store, Tx};
use sea_orm::Value;
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, ChannelId, ContactId, ConversationId, HistoryChange, Identity, ItemId, ItemKind, LoadGroup, MessageId, Priority,
    TicketId, TicketType, Timestamp, UserId, WorkspaceId,
};

/// Where an external message was stored before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundKeyHit {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message.
    pub message: MessageId,
}

/// A contact to find, or to make under `id`.
#[derive(Clone)]
pub struct NewContact {
    /// The id it gets if it is new.
    pub id: ContactId,
    /// Its identities, the one that the channel answers to first. The first that is known decides; unknown ones
    /// are added to the contact found.
    pub identities: Vec<Identity>,
    /// Display name, kept if the contact has none.
    pub name: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A conversation to store.
#[derive(Clone)]
pub struct NewConversation {
    /// Its id.
    pub id: ConversationId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel.
    pub channel: ChannelId,
    /// The contact.
    pub contact: ContactId,
    /// The identity that the contact writes from and is answered at.
    pub identity: Identity,
    /// The platform's thread key, unique per channel.
    pub thread_key: Option<String>,
    /// The ticket that is created with it, in a help desk.
    pub ticket: Option<TicketId>,
    /// Subject.
    pub subject: Option<String>,
    /// How it counts.
    pub group: LoadGroup,
    /// Priority.
    pub priority: Priority,
    /// It is the work item; false in a help desk, where its ticket is.
    pub routed: bool,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
}

/// A ticket to store.
#[derive(Clone)]
pub struct NewTicket {
    /// Its id.
    pub id: TicketId,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel it came through.
    pub channel: Option<ChannelId>,
    /// The contact.
    pub contact: Option<ContactId>,
    /// The contact's identity.
    pub identity: Option<Identity>,
    /// Its conversation.
    pub conversation: Option<ConversationId>,
    /// Its type, which says how it counts.
    pub ticket_type: TicketType,
    /// Subject.
    pub subject: Option<String>,
    /// Priority.
    pub priority: Priority,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
}

impl NewContact {
    /// With its texts as they are stored, by which they are found again.
    fn as_stored(&self) -> Self {
        let identities = self.identities.iter().map(stored_identity).collect();
        Self { id: self.id, identities, name: self.name.clone().map(clean), at: self.at }
    }

    /// As it is stored where nobody is known by its identities.
    fn record(&self) -> ContactRecord {
        ContactRecord { id: self.id, name: self.name.clone(), owner: None, created_at: self.at }
    }
}

impl NewConversation {
    fn record(&self) -> ItemRecord {
        ItemRecord {
            channel: Some(self.channel),
            contact: Some(self.contact),
            identity: Some(stored_identity(&self.identity)),
            conversation: Some(self.id),
            ticket: self.ticket,
            thread_key: self.thread_key.clone().map(clean),
            priority: self.priority,
            routed: self.routed,
            subject: self.subject.clone().map(clean),
            ..ItemRecord::new(self.id.into(), ItemKind::Conversation, self.workspace, self.group, self.at)
        }
    }
}

impl NewTicket {
    fn record(&self) -> ItemRecord {
        ItemRecord {
            channel: self.channel,
            contact: self.contact,
            identity: self.identity.as_ref().map(stored_identity),
            conversation: self.conversation,
            ticket: Some(self.id),
            ticket_type: Some(self.ticket_type),
            priority: self.priority,
            subject: self.subject.clone().map(clean),
            ..ItemRecord::new(self.id.into(), ItemKind::Ticket, self.workspace, self.ticket_type.group(), self.at)
        }
    }
}

impl Store {
    /// Where this external message was stored, if it was (ROUTING 12.1).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find_inbound_key(&self, channel: ChannelId, external_id: &str) -> Result<Option<InboundKeyHit>, StoreError> {
        find_inbound_key(self.reads(), channel, external_id).await
    }

    /// The contact with this identity.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn identity_contact(&self, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
        identity_contact(self.reads(), identity).await
    }
}

impl Tx {
    /// As [`Store::find_inbound_key`], within the transaction.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn find_inbound_key(&self, channel: ChannelId, external_id: &str) -> Result<Option<InboundKeyHit>, StoreError> {
        let foreseen = self.held().foresight.inbound_key(channel, external_id);
        match foreseen {
            Some(answer) => Ok(answer),
            None => find_inbound_key(self, channel, external_id).await,
        }
    }

    /// The contact with this identity.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contact_of(&self, identity: &Identity) -> Result<Option<ContactRecord>, StoreError> {
        let identity = stored_identity(identity);
        Ok(self.known_people(std::slice::from_ref(&identity)).await?.remove(&identity))
    }

    /// The contact that one of the identities names, or a new one; also adds identities that were unknown, and the
    /// name if there was none. The flag says whether it is new. An identity of somebody else stays where it is.
    ///
    /// # Errors
    /// `Invalid` without any identity.
    pub async fn find_or_create_contact(&self, contact: &NewContact) -> Result<(ContactRecord, bool), StoreError> {
        let contact = &contact.as_stored();
        let Some(first) = contact.identities.first() else {
            return Err(StoreError::new(StoreErrorKind::Invalid, "a contact needs an identity"));
        };
        let known = self.known_people(&contact.identities).await?;
        if let Some(found) = contact.identities.iter().find_map(|identity| known.get(identity)) {
            let mut found = found.clone();
            let unknown: Vec<_> = contact.identities.iter().filter(|identity| !known.contains_key(identity)).collect();
            let mut bundle = Bundle::default();
            add_identities(&mut bundle, found.id, &unknown, 1);
            bundle.run(self).await?;
            if let (Some(name), None) = (&contact.name, &found.name) {
                self.name_contact(found.id, name).await?;
                found.name = Some(name.clone());
            }
            return Ok((found, false));
        }
        self.insert_contact(contact).await?;
        // Another host may have taken in the same person between the look and the insertion.
        let owner = if self.is_shared() { self.contact_of(first).await? } else { None };
        if let Some(owner) = owner.filter(|owner| owner.id != contact.id) {
            for sql in [
                "DELETE FROM identity WHERE contact_id = $1",
                "DELETE FROM contact WHERE id = $1",
                "DELETE FROM search_entry WHERE id = $1",
            ] {
                execute(self, sql, values![contact.id]).await?;
            }
            return Ok((owner, false));
        }
        Ok((contact.record(), true))
    }

    /// A contact with its identities, as far as nobody else has them, and its search entry.
    async fn insert_contact(&self, contact: &NewContact) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        bundle.insert(Table::Contact, vec![values![contact.id, contact.name.as_deref(), contact.at]]);
        let identities: Vec<&Identity> = contact.identities.iter().collect();
        add_identities(&mut bundle, contact.id, &identities, 0);
        let mut words: Vec<&str> = identities.iter().map(|identity| identity.value.as_str()).collect();
        words.extend(contact.name.as_deref());
        add_words(&mut bundle, self.is_shared(), contact.id.0, &words);
        bundle.run(self).await
    }

    /// Sets the contact owner.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_contact_owner(&self, contact: ContactId, owner: Option<UserId>) -> Result<(), StoreError> {
        match execute(self, "UPDATE contact SET owner_id = $2 WHERE id = $1", values![contact, owner]).await? {
            0 => Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no contact {contact}"))),
            _ => Ok(()),
        }
    }

    /// The conversation with the platform's thread key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn conversation_by_thread_key(&self, channel: ChannelId, key: &str) -> Result<Option<ConversationId>, StoreError> {
        let sql = "SELECT id FROM item WHERE channel_id = $1 AND thread_key = $2";
        row(self, sql, values![channel, key]).await?.map(|row| row.id("id", ConversationId)).transpose()
    }

    /// Conversations of the channel that the references name, in the order of the references; the first is the
    /// best. Of several in which one reference was used, the one that used it first comes first: whoever writes under
    /// somebody else's id draws nothing away. Follow one only if [`Tx::takes_part`] says so. Only the first 100
    /// references count.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn conversations_by_references(
        &self,
        channel: ChannelId,
        references: &[String],
    ) -> Result<Vec<ConversationId>, StoreError> {
        let references = &references[..references.len().min(100)];
        if references.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT r.reference, r.conversation_id FROM message_reference r JOIN message m ON m.id = r.message_id \
             WHERE r.channel_id = $1 AND r.reference IN ({}) ORDER BY m.at, r.message_id",
            placeholders(2, references.len())
        );
        let mut parameters = values![channel];
        parameters.extend(references.iter().flat_map(|reference| values![reference.as_str()]));
        let mut found = Vec::new();
        for row in rows(self, sql, parameters).await? {
            let reference: String = row.get("reference")?;
            let place = references.iter().position(|wanted| *wanted == reference).unwrap_or(usize::MAX);
            found.push((place, row.id("conversation_id", ConversationId)?));
        }
        found.sort_by_key(|(place, _)| *place);
        let mut conversations: Vec<ConversationId> = Vec::new();
        for (_, conversation) in found {
            if !conversations.contains(&conversation) {
                conversations.push(conversation);
            }
        }
        Ok(conversations)
    }

    /// Whether one of the identities takes part: it belongs to the conversation's contact, or was a recipient of
    /// one of its messages.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn takes_part(&self, conversation: ConversationId, identities: &[Identity]) -> Result<bool, StoreError> {
        if identities.is_empty() {
            return Ok(false);
        }
        let sql = format!(
            "SELECT 1 AS found FROM item i JOIN identity d ON d.contact_id = i.contact_id WHERE i.id = $1 AND ({}) UNION ALL \
             SELECT 1 AS found FROM participant p WHERE p.conversation_id = $1 AND ({}) LIMIT 1",
            any_of("d.", 2, identities.len()),
            any_of("p.", 2, identities.len())
        );
        let mut parameters = values![conversation];
        parameters.extend(pairs_of(identities));
        Ok(row(self, sql, parameters).await?.is_some())
    }

    /// Stores a conversation: open, without owner, version 1, with its history. Its subject is searchable through
    /// its messages.
    ///
    /// # Errors
    /// `Conflict` when the id or the thread key is taken.
    pub async fn insert_conversation(&self, conversation: &NewConversation) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        add_new(&mut bundle, &conversation.record(), &conversation.actor)?;
        bundle.run(self).await
    }

    /// Stores a conversation, its ticket in a help desk, and the inbound message that begins it; answers with the two
    /// as they are then.
    ///
    /// # Errors
    /// `Conflict` when an id, the thread key or the external id is taken.
    pub async fn begin_conversation(
        &self,
        conversation: &NewConversation,
        ticket: Option<&NewTicket>,
        message: &NewMessage,
    ) -> Result<(ItemRecord, Option<ItemRecord>), StoreError> {
        let mut bundle = Bundle::default();
        let conversation_record = begun(conversation.record(), message);
        add_new(&mut bundle, &conversation_record, &conversation.actor)?;
        let ticket_record = ticket.map(|ticket| begun(ticket.record(), message));
        if let (Some(ticket), Some(record)) = (ticket, &ticket_record) {
            add_new(&mut bundle, record, &ticket.actor)?;
        }
        add_message(&mut bundle, self.is_shared(), message)?;
        bundle.run(self).await?;
        Ok((conversation_record, ticket_record))
    }

    /// Stores a ticket: open, without owner, version 1, with its history. A ticket without a conversation gets a
    /// search entry for its subject.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn insert_ticket(&self, ticket: &NewTicket) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        let record = ticket.record();
        if let (None, Some(subject)) = (ticket.conversation, &ticket.subject) {
            add_words(&mut bundle, self.is_shared(), record.id.0, &[subject]);
        }
        add_new(&mut bundle, &record, &ticket.actor)?;
        bundle.run(self).await
    }

    async fn known_people(&self, identities: &[Identity]) -> Result<BTreeMap<Identity, ContactRecord>, StoreError> {
        let foreseen: Option<Vec<_>> = {
            let held = self.held();
            identities.iter().map(|identity| held.foresight.person(identity)).collect()
        };
        if let Some(foreseen) = foreseen {
            let known = identities.iter().zip(foreseen).filter_map(|(identity, person)| Some((identity.clone(), person?)));
            return Ok(known.collect());
        }
        let known = |row: &Row| {
            let identity = Identity { kind: row.word("kind")?, value: row.get("value")? };
            Ok((identity, contact(row)?))
        };
        rows(self, known_people_sql(identities.len()), pairs_of(identities)).await?.iter().map(known).collect()
    }

    async fn name_contact(&self, contact: ContactId, name: &str) -> Result<(), StoreError> {
        let sql = "UPDATE contact SET name = $2 WHERE id = $1 AND name IS NULL";
        if execute(self, sql, values![contact, name]).await? == 0 {
            return Ok(());
        }
        let sql = "SELECT value FROM identity WHERE contact_id = $1";
        let known = rows(self, sql, values![contact]).await?;
        let known = known.iter().map(|row| row.get::<String>("value")).collect::<Result<Vec<_>, _>>()?;
        let mut words: Vec<&str> = known.iter().map(String::as_str).collect();
        words.push(name);
        self.index_contact(contact, &words).await
    }

    async fn index_contact(&self, contact: ContactId, words: &[&str]) -> Result<(), StoreError> {
        let mut bundle = Bundle::default();
        add_words(&mut bundle, self.is_shared(), contact.0, words);
        bundle.run(self).await
    }
}

/// An item that an inbound message begins: what that would otherwise change of it.
fn begun(item: ItemRecord, message: &NewMessage) -> ItemRecord {
    let preview = clean(preview(&message.text, message.details.folded_from));
    if !is_written(message) {
        return ItemRecord { preview, ..item };
    }
    let last_message_at = item.last_message_at.max(message.at);
    ItemRecord { preview, last_message_at, waiting_since: Some(message.at), ..item }
}

/// A new item with the beginning of its history.
fn add_new(bundle: &mut Bundle, item: &ItemRecord, actor: &Actor) -> Result<(), StoreError> {
    let values = values![
        item.id,
        item.kind,
        item.version,
        item.workspace,
        item.channel,
        item.contact,
        item.identity.as_ref().map(|identity| identity.kind),
        item.identity.as_ref().map(|identity| identity.value.as_str()),
        item.conversation,
        item.ticket,
        item.conversation.map_or(item.id, ItemId::from),
        item.thread_key.as_deref(),
        item.status,
        priority_rank(item.priority),
        item.ticket_type,
        item.group,
        item.routed,
        item.last_message_at,
        item.subject.as_deref(),
        item.preview.as_str(),
        item.created_at,
        item.waiting_since,
    ];
    bundle.insert(Table::Item, vec![values]);
    add_history(bundle, item.id, item.created_at, actor, &[HistoryChange::Created], None)
}

fn stored_identity(identity: &Identity) -> Identity {
    Identity { kind: identity.kind, value: clean(identity.value.clone()) }
}

/// Identities of a contact, as far as nobody has them.
fn add_identities(bundle: &mut Bundle, contact: ContactId, identities: &[&Identity], from: i64) {
    let records = (from..)
        .zip(identities)
        .map(|(position, identity)| values![identity.kind, identity.value.as_str(), contact, position])
        .collect();
    bundle.insert(Table::Identity, records);
}

async fn find_inbound_key(db: &impl Db, channel: ChannelId, external_id: &str) -> Result<Option<InboundKeyHit>, StoreError> {
    let sql = "SELECT conversation_id, message_id FROM inbound_key WHERE channel_id = $1 AND external_id = $2";
    row(db, sql, values![channel, external_id]).await?.as_ref().map(inbound_key).transpose()
}

async fn identity_contact(db: &impl Db, identity: &Identity) -> Result<Option<ContactId>, StoreError> {
    let sql = "SELECT contact_id FROM identity WHERE kind = $1 AND value = $2";
    let found = row(db, sql, values![identity.kind, identity.value.as_str()]).await?;
    found.map(|row| row.id("contact_id", ContactId)).transpose()
}

pub(crate) fn known_people_sql(count: usize) -> String {
    format!(
        "SELECT d.kind, d.value, c.id, c.name, c.owner_id, c.created_at FROM identity d JOIN contact c ON c.id = d.contact_id \
         WHERE {}",
        any_of("d.", 1, count)
    )
}

/// The condition of being one of `count` identities, whose parameters begin with number `start`. Spelled out,
/// because SQLite walks the whole index for a list of pairs.
fn any_of(table: &str, start: usize, count: usize) -> String {
    let one = |place: usize| format!("({table}kind = ${} AND {table}value = ${})", start + 2 * place, start + 2 * place + 1);
    (0..count).map(one).collect::<Vec<_>>().join(" OR ")
}

fn pairs_of(identities: &[Identity]) -> Vec<Value> {
    identities.iter().flat_map(|identity| values![identity.kind, identity.value.as_str()]).collect()
}
