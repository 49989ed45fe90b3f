//! Items and contacts as the engine works with them and as they are shown.

use crate::error::StoreError;
use crate::row::{Db, Row, one, row, rows, values};
use crate::store::{Store, Tx};
use switchboard_model::{
    ChannelId, ContactBrief, ContactId, ContactView, ConversationId, DecisionId, History, Identity, IdentityKind, ItemId,
    ItemKind, ItemRow, ItemState, ItemStatus, ItemView, LoadGroup, Owner, Priority, TeamId, TicketId, TicketType, Timestamp,
    UnassignedReason, UserId, WorkspaceId,
};

/// Columns of an item `i`.
pub(crate) const ITEM_COLUMNS: &str = "i.id, i.kind, i.version, i.workspace_id, i.channel_id, i.contact_id, i.identity_kind, \
    i.identity_value, i.conversation_id, i.ticket_id, i.count_key, i.thread_key, i.status, i.priority, i.ticket_type, \
    i.load_group, i.owner_kind, i.owner_id, i.team_id, i.owned_since, i.routed, i.unassigned_reason, i.waiting_since, \
    i.queued_since, i.due_at, i.first_reply_at, i.last_message_at, i.subject, i.preview, i.snoozed_until, i.created_at, i.last_decision, \
    i.merged_into";
/// How many changes an item shows.
const HISTORY_SHOWN: u32 = 200;

/// A conversation or ticket as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRecord {
    /// The item.
    pub id: ItemId,
    /// Conversation or ticket.
    pub kind: ItemKind,
    /// Its version.
    pub version: i64,
    /// Where it is.
    pub workspace: WorkspaceId,
    /// The channel it came through.
    pub channel: Option<ChannelId>,
    /// The contact.
    pub contact: Option<ContactId>,
    /// The identity that the contact writes from.
    pub identity: Option<Identity>,
    /// The conversation: itself, or the ticket's.
    pub conversation: Option<ConversationId>,
    /// The ticket: itself, or the one that the conversation created.
    pub ticket: Option<TicketId>,
    /// The platform's thread key.
    pub thread_key: Option<String>,
    /// Status.
    pub status: ItemStatus,
    /// Priority.
    pub priority: Priority,
    /// Type of a ticket.
    pub ticket_type: Option<TicketType>,
    /// How it counts.
    pub group: LoadGroup,
    /// Owner.
    pub owner: Option<Owner>,
    /// Team.
    pub team: Option<TeamId>,
    /// When the current ownership began.
    pub owned_since: Option<Timestamp>,
    /// It is the work item; false for the conversation of a help desk.
    pub routed: bool,
    /// Why nobody owns it, by the last decision.
    pub unassigned_reason: Option<UnassignedReason>,
    /// Since when the contact has been without an answer.
    pub waiting_since: Option<Timestamp>,
    /// Since when it has waited for somebody to become eligible (ROUTING 7.4).
    pub queued_since: Option<Timestamp>,
    /// When its next target is breached by the workspace's clock (ROUTING 14.3).
    pub due_at: Option<Timestamp>,
    /// When the contact got the first answer.
    pub first_reply_at: Option<Timestamp>,
    /// The last message of either side.
    pub last_message_at: Timestamp,
    /// Subject.
    pub subject: Option<String>,
    /// The beginning of the last message.
    pub preview: String,
    /// Until when it is put aside.
    pub snoozed_until: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// The last decision.
    pub last_decision: Option<DecisionId>,
    /// The item that it was merged into (ROUTING 12.4); then it is closed, and has no messages.
    pub merged_into: Option<ItemId>,
}

/// A contact as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRecord {
    /// The contact.
    pub id: ContactId,
    /// Name.
    pub name: Option<String>,
    /// Contact owner.
    pub owner: Option<UserId>,
    /// First seen.
    pub created_at: Timestamp,
}

impl ItemRecord {
    /// An item as it begins: open, in its first version, without an owner.
    pub(crate) const fn new(id: ItemId, kind: ItemKind, workspace: WorkspaceId, group: LoadGroup, at: Timestamp) -> Self {
        Self {
            id,
            kind,
            version: 1,
            workspace,
            channel: None,
            contact: None,
            identity: None,
            conversation: None,
            ticket: None,
            thread_key: None,
            status: ItemStatus::Open,
            priority: Priority::Normal,
            ticket_type: None,
            group,
            owner: None,
            team: None,
            owned_since: None,
            routed: true,
            unassigned_reason: None,
            waiting_since: None,
            queued_since: None,
            due_at: None,
            first_reply_at: None,
            last_message_at: at,
            subject: None,
            preview: String::new(),
            snoozed_until: None,
            created_at: at,
            last_decision: None,
            merged_into: None,
        }
    }

    /// What the router keeps of it.
    #[must_use]
    pub fn state(&self) -> ItemState {
        ItemState {
            item: self.id,
            item_kind: self.kind,
            conversation: self.conversation,
            workspace: self.workspace,
            group: self.group,
            status: self.status,
            owner: self.owner,
            owned_since: self.owned_since,
            created_at: Some(self.created_at),
            waiting_on_contact: self.waits_on_contact(),
        }
    }

    /// Ours is the last message: nothing of the contact is unanswered.
    #[must_use]
    pub const fn waits_on_contact(&self) -> bool {
        self.waiting_since.is_none()
    }
}

impl Store {
    /// An item as it is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item_record(&self, item: ItemId) -> Result<Option<ItemRecord>, StoreError> {
        item_record(self.reads(), item).await
    }

    /// An item in full, for showing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item(&self, item: ItemId) -> Result<Option<ItemView>, StoreError> {
        let db = self.reads();
        let Some((row, last_decision)) = shown(db, item).await? else { return Ok(None) };
        let other = match row.kind {
            ItemKind::Conversation => row.ticket.map(ItemId::from),
            ItemKind::Ticket => row.conversation.map(ItemId::from),
        };
        let linked = match other {
            Some(other) => shown(db, other).await?.map(|(row, _)| row),
            None => None,
        };
        let contact_detail = match &row.contact {
            Some(contact) => self.contact(contact.id).await?,
            None => None,
        };
        let merged_contacts = merged_contacts(db, item).await?;
        let history = history(db, item).await?;
        Ok(Some(ItemView { row, linked, contact_detail, last_decision, merged_contacts, history }))
    }

    /// A contact in full, for showing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contact(&self, contact: ContactId) -> Result<Option<ContactView>, StoreError> {
        let db = self.reads();
        let Some(record) = contact_record(db, contact).await? else { return Ok(None) };
        let sql = "SELECT kind, value FROM identity WHERE contact_id = $1 ORDER BY position, kind, value";
        let identity = |row: &Row| Ok(Identity { kind: row.word("kind")?, value: row.get("value")? });
        let identities = rows(db, sql, values![contact]).await?.iter().map(identity).collect::<Result<_, StoreError>>()?;
        let sql = "SELECT COUNT(*) AS conversations FROM item WHERE contact_id = $1 AND kind = 'conversation'";
        let conversations = one(db, sql, values![contact]).await?.count("conversations")?;
        let ContactRecord { id, name, owner, created_at } = record;
        Ok(Some(ContactView { id, name, owner, identities, created_at, conversations }))
    }

    /// Every open item that the person owns, by ascending id (ROUTING 12.5).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_items_of(&self, user: UserId) -> Result<Vec<ItemRecord>, StoreError> {
        open_items_of(self.reads(), user).await
    }
}

impl Tx {
    /// An item as it is stored. On PostgreSQL with `lock` its row, and that of its conversation or ticket, stay
    /// locked until the commit.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn item_record(&self, item: ItemId, lock: bool) -> Result<Option<ItemRecord>, StoreError> {
        if !lock {
            return item_record(self, item).await;
        }
        Ok(counted_together(self, item).await?.into_iter().find(|record| record.id == item))
    }

    /// A contact as it is stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn contact_record(&self, contact: ContactId) -> Result<Option<ContactRecord>, StoreError> {
        contact_record(self, contact).await
    }

    /// Every open item that the person owns, by ascending id (ROUTING 12.5).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_items_of(&self, user: UserId) -> Result<Vec<ItemRecord>, StoreError> {
        open_items_of(self, user).await
    }
}

impl Tx {
    /// The person who owned the contact's last work item besides this one, and when last (ROUTING 7.6): the later of
    /// the last message in it and the beginning of the ownership.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_owner_of(&self, contact: ContactId, besides: ItemId) -> Result<Option<(UserId, Timestamp)>, StoreError> {
        let sql = "SELECT owner_id, CASE WHEN owned_since > last_message_at THEN owned_since ELSE last_message_at END AS last_at \
            FROM item WHERE contact_id = $1 AND id <> $2 AND count_key <> (SELECT count_key FROM item WHERE id = $2) \
            AND owner_kind = 'user' AND routed ORDER BY last_at DESC, id DESC LIMIT 1";
        let found = row(self, sql, values![contact, besides]).await?;
        found.map(|row| Ok((row.id("owner_id", UserId)?, row.id("last_at", Timestamp)?))).transpose()
    }
}

/// The item and those that capacity counts together with it, locked in the order of their ids.
pub(crate) async fn counted_together(tx: &Tx, item: ItemId) -> Result<Vec<ItemRecord>, StoreError> {
    let lock = if tx.is_shared() { "FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item i WHERE i.count_key = (SELECT count_key FROM item WHERE id = $1) ORDER BY i.id {lock}"
    );
    rows(tx, sql, values![item]).await?.iter().map(record).collect()
}

/// The same for two items at once.
pub(crate) async fn both_counted(tx: &Tx, one: ItemId, other: ItemId) -> Result<Vec<ItemRecord>, StoreError> {
    let lock = if tx.is_shared() { "FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item i WHERE i.count_key IN ((SELECT count_key FROM item WHERE id = $1), \
         (SELECT count_key FROM item WHERE id = $2)) ORDER BY i.id {lock}"
    );
    rows(tx, sql, values![one, other]).await?.iter().map(record).collect()
}

/// A row of a list, from [`ITEM_COLUMNS`] and `contact_name`.
pub(crate) fn item_row(row: &Row) -> Result<ItemRow, StoreError> {
    let item = record(row)?;
    let name: Option<String> = row.opt("contact_name")?;
    let contact = item.contact.map(|id| {
        let address = || item.identity.as_ref().map(|identity| identity.value.clone()).unwrap_or_default();
        ContactBrief { id, name: name.unwrap_or_else(address), identity: item.identity.clone() }
    });
    Ok(ItemRow {
        id: item.id,
        kind: item.kind,
        version: item.version,
        workspace: item.workspace,
        channel: item.channel,
        conversation: item.conversation,
        ticket: item.ticket,
        contact,
        subject: item.subject,
        preview: item.preview,
        status: item.status,
        priority: item.priority,
        ticket_type: item.ticket_type,
        owner: item.owner,
        team: item.team,
        owned_since: item.owned_since,
        unassigned_reason: item.unassigned_reason,
        waiting_since: item.waiting_since,
        queued_since: item.queued_since,
        due_at: item.due_at,
        last_message_at: item.last_message_at,
        created_at: item.created_at,
        merged_into: item.merged_into,
    })
}

/// The owner as two columns.
pub(crate) const fn owner_columns(owner: Option<Owner>) -> (Option<&'static str>, Option<UserId>) {
    match owner {
        None => (None, None),
        Some(Owner::User { id }) => (Some("user"), Some(id)),
        Some(Owner::Bot) => (Some("bot"), None),
        Some(Owner::Assistant) => (Some("assistant"), None),
    }
}

/// Priorities are kept as numbers, so that they sort.
pub(crate) const fn priority_rank(priority: Priority) -> i64 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    }
}

async fn item_record(db: &impl Db, item: ItemId) -> Result<Option<ItemRecord>, StoreError> {
    let found = row(db, format!("SELECT {ITEM_COLUMNS} FROM item i WHERE i.id = $1"), values![item]).await?;
    found.as_ref().map(record).transpose()
}

async fn shown(db: &impl Db, item: ItemId) -> Result<Option<(ItemRow, Option<DecisionId>)>, StoreError> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, c.name AS contact_name FROM item i LEFT JOIN contact c ON c.id = i.contact_id WHERE i.id = $1"
    );
    let Some(found) = row(db, sql, values![item]).await? else { return Ok(None) };
    Ok(Some((item_row(&found)?, found.opt_id("last_decision", DecisionId)?)))
}

async fn history(db: &impl Db, item: ItemId) -> Result<Vec<History>, StoreError> {
    // Work that has moved on has brought the history of the item that it was before, so ids are not in order of time.
    let sql = "SELECT item_id, at, actor, change, decision_id FROM history WHERE item_id IN (SELECT id FROM item WHERE id = $1 \
        UNION ALL SELECT id FROM item WHERE merged_into = $1) ORDER BY at DESC, id DESC LIMIT $2";
    let mut history = Vec::new();
    for row in rows(db, sql, values![item, HISTORY_SHOWN]).await?.iter().rev() {
        history.push(History {
            item: row.id("item_id", ItemId)?,
            at: row.id("at", Timestamp)?,
            actor: row.json("actor")?,
            change: row.json("change")?,
            decision: row.opt_id("decision_id", DecisionId)?,
        });
    }
    Ok(history)
}

/// Contacts of items that were merged into this one, besides its own, each once.
async fn merged_contacts(db: &impl Db, item: ItemId) -> Result<Vec<ContactBrief>, StoreError> {
    let sql = "SELECT i.contact_id, i.identity_kind, i.identity_value, c.name FROM item i JOIN contact c ON c.id = i.contact_id \
        WHERE i.merged_into = $1 AND i.contact_id <> COALESCE((SELECT contact_id FROM item WHERE id = $1), 0) ORDER BY i.id";
    let mut contacts: Vec<ContactBrief> = Vec::new();
    for row in rows(db, sql, values![item]).await? {
        let (id, identity) = (row.id("contact_id", ContactId)?, identity(&row)?);
        let address = || identity.as_ref().map(|identity| identity.value.clone()).unwrap_or_default();
        if contacts.iter().all(|known| known.id != id) {
            contacts.push(ContactBrief { id, name: row.opt("name")?.unwrap_or_else(address), identity });
        }
    }
    Ok(contacts)
}

async fn open_items_of(db: &impl Db, user: UserId) -> Result<Vec<ItemRecord>, StoreError> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS} FROM item i WHERE i.status = 'open' AND i.owner_kind = 'user' AND i.owner_id = $1 ORDER BY i.id"
    );
    rows(db, sql, values![user]).await?.iter().map(record).collect()
}

async fn contact_record(db: &impl Db, contact: ContactId) -> Result<Option<ContactRecord>, StoreError> {
    let found = row(db, "SELECT id, name, owner_id, created_at FROM contact WHERE id = $1", values![contact]).await?;
    found.as_ref().map(crate::foresight::contact).transpose()
}

fn identity(row: &Row) -> Result<Option<Identity>, StoreError> {
    Ok(match (row.opt_word::<IdentityKind>("identity_kind")?, row.opt("identity_value")?) {
        (Some(kind), Some(value)) => Some(Identity { kind, value }),
        _ => None,
    })
}

/// The owner of a row with `owner_kind` and `owner_id`.
pub(crate) fn owner(row: &Row) -> Result<Option<Owner>, StoreError> {
    Ok(match row.opt::<String>("owner_kind")?.as_deref() {
        None => None,
        Some("bot") => Some(Owner::Bot),
        Some("assistant") => Some(Owner::Assistant),
        Some(_) => Some(Owner::User { id: row.id("owner_id", UserId)? }),
    })
}

pub(crate) fn record(row: &Row) -> Result<ItemRecord, StoreError> {
    let priority = match row.get::<i64>("priority")? {
        0 => Priority::Low,
        2 => Priority::High,
        3 => Priority::Urgent,
        _ => Priority::Normal,
    };
    Ok(ItemRecord {
        id: row.id("id", ItemId)?,
        kind: row.word("kind")?,
        version: row.get("version")?,
        workspace: row.id("workspace_id", WorkspaceId)?,
        channel: row.opt_id("channel_id", ChannelId)?,
        contact: row.opt_id("contact_id", ContactId)?,
        identity: identity(row)?,
        conversation: row.opt_id("conversation_id", ConversationId)?,
        ticket: row.opt_id("ticket_id", TicketId)?,
        thread_key: row.opt("thread_key")?,
        status: row.word("status")?,
        priority,
        ticket_type: row.opt_word("ticket_type")?,
        group: row.word("load_group")?,
        owner: owner(row)?,
        team: row.opt_id("team_id", TeamId)?,
        owned_since: row.opt_id("owned_since", Timestamp)?,
        routed: row.get("routed")?,
        unassigned_reason: row.opt_word("unassigned_reason")?,
        waiting_since: row.opt_id("waiting_since", Timestamp)?,
        queued_since: row.opt_id("queued_since", Timestamp)?,
        due_at: row.opt_id("due_at", Timestamp)?,
        first_reply_at: row.opt_id("first_reply_at", Timestamp)?,
        last_message_at: row.id("last_message_at", Timestamp)?,
        subject: row.opt("subject")?,
        preview: row.get("preview")?,
        snoozed_until: row.opt_id("snoozed_until", Timestamp)?,
        created_at: row.id("created_at", Timestamp)?,
        last_decision: row.opt_id("last_decision", DecisionId)?,
        merged_into: row.opt_id("merged_into", ItemId)?,
    })
}
