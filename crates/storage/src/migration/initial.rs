//! The first schema.
//!
//! Times are milliseconds since the epoch, words are those of the model, composite values are JSON text. `item`
//! holds conversations and tickets; `count_key` is what capacity counts once (ROUTING 5.5): the conversation, or
//! the ticket that has none.

use crate::error::StoreError;
use crate::migration::{Within, apply};
use crate::row::{Db, execute, values};
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

pub(crate) struct Initial;

impl MigrationName for Initial {
    fn name(&self) -> &str {
        "m20261121_000001_initial"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Initial {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        up(&Within(manager.get_connection())).await.map_err(|error| DbErr::Migration(error.message))
    }
}

async fn up(db: &Within<'_>) -> Result<(), StoreError> {
    for part in [HOST, DIRECTORY, ACCOUNTS, ITEMS, ITEM_INDEXES, MESSAGES, ROUTING, WORK] {
        apply(db, part).await?;
    }
    apply(db, if db.is_shared() { SEARCH_POSTGRES } else { SEARCH_SQLITE }).await?;
    let mut secret = [0_u8; 32];
    getrandom::fill(&mut secret).map_err(|error| {
        StoreError::new(crate::StoreErrorKind::Internal, format!("the system gives no random bytes: {error}"))
    })?;
    execute(db, "INSERT INTO installation (id, secret) VALUES (1, $1)", values![&secret[..]]).await?;
    Ok(())
}

const HOST: &[&str] = &[
    "CREATE TABLE installation (id {id}, secret {bytes} NOT NULL)",
    "CREATE TABLE id_block (id {id}, next_id BIGINT NOT NULL)",
    "INSERT INTO id_block (id, next_id) VALUES (1, 1)",
    "CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL)",
];

const DIRECTORY: &[&str] = &[
    "CREATE TABLE directory_version (version {id}, at BIGINT NOT NULL, actor TEXT NOT NULL, document TEXT NOT NULL, \
        summary TEXT NOT NULL)",
    "CREATE TABLE person (user_id {id}, status TEXT, availability_version BIGINT NOT NULL DEFAULT 0, \
        open_total BIGINT NOT NULL DEFAULT 0, open_chat BIGINT NOT NULL DEFAULT 0, open_mail BIGINT NOT NULL DEFAULT 0, \
        open_call BIGINT NOT NULL DEFAULT 0, limit_total BIGINT, limit_chat BIGINT, limit_mail BIGINT, limit_call BIGINT, \
        limit_weight BIGINT, weight_chat BIGINT NOT NULL DEFAULT 0, weight_mail BIGINT NOT NULL DEFAULT 0, \
        weight_call BIGINT NOT NULL DEFAULT 0, leave_older_ms BIGINT, leave_waiting BOOLEAN NOT NULL DEFAULT FALSE)",
    "CREATE TABLE person_status (id {auto}, user_id BIGINT NOT NULL REFERENCES person (user_id), at BIGINT NOT NULL, \
        actor TEXT NOT NULL, status TEXT NOT NULL, version BIGINT NOT NULL)",
    "CREATE INDEX person_status_user ON person_status (user_id, id)",
];

const ACCOUNTS: &[&str] = &[
    "CREATE TABLE preference (user_id {id}, language TEXT)",
    "CREATE TABLE credential (user_id {id}, password_hash TEXT NOT NULL, changed_at BIGINT NOT NULL)",
    "CREATE TABLE session (id_hash TEXT PRIMARY KEY, user_id BIGINT NOT NULL, created_at BIGINT NOT NULL, \
        last_seen_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, agent TEXT NOT NULL)",
    "CREATE INDEX session_by_user ON session (user_id)",
    "CREATE INDEX session_by_expiry ON session (expires_at)",
    "CREATE TABLE api_token (id {id}, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, prefix TEXT NOT NULL, \
        scopes TEXT NOT NULL, created_by TEXT NOT NULL, created_at BIGINT NOT NULL, last_used_at BIGINT, \
        revoked_at BIGINT, expires_at BIGINT)",
    "CREATE TABLE audit (id {auto}, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, \
        detail TEXT NOT NULL)",
    "CREATE TABLE idempotency (scope TEXT NOT NULL, key TEXT NOT NULL, at BIGINT NOT NULL, status BIGINT NOT NULL, \
        response TEXT NOT NULL, PRIMARY KEY (scope, key))",
    "CREATE INDEX idempotency_at ON idempotency (at)",
];

const ITEMS: &[&str] = &[
    "CREATE TABLE contact (id {id}, name TEXT, owner_id BIGINT, created_at BIGINT NOT NULL)",
    "CREATE TABLE identity (kind TEXT NOT NULL, value TEXT NOT NULL, contact_id BIGINT NOT NULL REFERENCES contact (id), \
        position BIGINT NOT NULL, PRIMARY KEY (kind, value))",
    "CREATE INDEX identity_contact ON identity (contact_id)",
    "CREATE TABLE item (id {id}, kind TEXT NOT NULL, version BIGINT NOT NULL, workspace_id BIGINT NOT NULL, \
        channel_id BIGINT, contact_id BIGINT REFERENCES contact (id), identity_kind TEXT, identity_value TEXT, \
        conversation_id BIGINT, ticket_id BIGINT, count_key BIGINT NOT NULL, thread_key TEXT, status TEXT NOT NULL, \
        priority BIGINT NOT NULL, ticket_type TEXT, load_group TEXT NOT NULL, owner_kind TEXT, owner_id BIGINT, \
        team_id BIGINT, owned_since BIGINT, routed BOOLEAN NOT NULL, unassigned_reason TEXT, waiting_since BIGINT, \
        queued_since BIGINT, due_at BIGINT, first_reply_at BIGINT, \
        last_message_at BIGINT NOT NULL, subject TEXT, preview TEXT NOT NULL, snoozed_until BIGINT, \
        created_at BIGINT NOT NULL, last_decision BIGINT)",
    "CREATE TABLE history (id {auto}, item_id BIGINT NOT NULL REFERENCES item (id), at BIGINT NOT NULL, \
        actor TEXT NOT NULL, change TEXT NOT NULL, decision_id BIGINT)",
    "CREATE INDEX history_item ON history (item_id, id)",
];

const ITEM_INDEXES: &[&str] = &[
    "CREATE INDEX item_by_message ON item (status, last_message_at, id, kind, workspace_id, routed)",
    "CREATE INDEX item_unassigned ON item (status, last_message_at, id, kind, workspace_id, routed) WHERE status = 'open' AND owner_kind IS NULL",
    "CREATE INDEX item_queued ON item (queued_since, id) WHERE queued_since IS NOT NULL",
    "CREATE INDEX item_owner ON item (owner_id, last_message_at, id) WHERE status = 'open' AND owner_kind = 'user'",
    "CREATE INDEX item_team ON item (team_id, last_message_at, id) WHERE status = 'open' AND team_id IS NOT NULL",
    "CREATE INDEX item_count_key ON item (count_key)",
    "CREATE INDEX item_contact ON item (contact_id, last_message_at)",
    "CREATE UNIQUE INDEX item_thread ON item (channel_id, thread_key) WHERE thread_key IS NOT NULL",
];

const MESSAGES: &[&str] = &[
    "CREATE TABLE message (id {id}, conversation_id BIGINT NOT NULL REFERENCES item (id), channel_id BIGINT NOT NULL, \
        kind TEXT NOT NULL, at BIGINT NOT NULL, sent_at BIGINT, author TEXT NOT NULL, author_name TEXT, sender_kind TEXT, \
        sender_value TEXT, subject TEXT, text TEXT NOT NULL, html TEXT, fields TEXT, recipients TEXT, language TEXT, \
        nature TEXT NOT NULL, own_reference TEXT, raw_blob BIGINT)",
    "CREATE INDEX message_conversation ON message (conversation_id, at, id)",
    "CREATE TABLE blob (id {id}, message_id BIGINT NOT NULL REFERENCES message (id), content_type TEXT NOT NULL, \
        size BIGINT NOT NULL, bytes {bytes} NOT NULL)",
    "CREATE TABLE attachment (blob_id {id}, message_id BIGINT NOT NULL REFERENCES message (id), position BIGINT NOT NULL, \
        name TEXT NOT NULL, content_type TEXT NOT NULL, content_id TEXT, size BIGINT NOT NULL)",
    "CREATE INDEX attachment_message ON attachment (message_id, position)",
    "CREATE TABLE message_reference (channel_id BIGINT NOT NULL, reference TEXT NOT NULL, conversation_id BIGINT NOT NULL, \
        message_id BIGINT NOT NULL, PRIMARY KEY (channel_id, reference, conversation_id))",
    "CREATE INDEX message_reference_conversation ON message_reference (conversation_id, message_id)",
    "CREATE TABLE participant (conversation_id BIGINT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, \
        PRIMARY KEY (conversation_id, kind, value))",
    "CREATE TABLE inbound_key (channel_id BIGINT NOT NULL, external_id TEXT NOT NULL, conversation_id BIGINT NOT NULL, \
        message_id BIGINT NOT NULL, PRIMARY KEY (channel_id, external_id))",
];

const ROUTING: &[&str] = &[
    "CREATE TABLE routing_input (seq {auto}, at BIGINT NOT NULL, item_id BIGINT, kind TEXT NOT NULL, body TEXT NOT NULL, \
        consumed_no BIGINT UNIQUE, consumed_at BIGINT, directory_version BIGINT, parked TEXT)",
    "CREATE INDEX routing_input_next ON routing_input (seq) WHERE consumed_no IS NULL",
    "CREATE TABLE decision (id {id}, item_id BIGINT NOT NULL REFERENCES item (id), input_seq BIGINT NOT NULL, \
        no BIGINT NOT NULL, at BIGINT NOT NULL, directory_version BIGINT NOT NULL, decision TEXT NOT NULL, \
        duration_us BIGINT NOT NULL, refused TEXT)",
    "CREATE INDEX decision_item ON decision (item_id, no)",
    "CREATE INDEX decision_no ON decision (no)",
    "CREATE TABLE checkpoint (no {id}, at BIGINT NOT NULL, behaviour BIGINT NOT NULL, directory_version BIGINT NOT NULL, \
        state TEXT NOT NULL)",
    "CREATE TABLE router_cursor (id {id}, no BIGINT NOT NULL, now BIGINT NOT NULL, directory_version BIGINT NOT NULL, \
        epoch BIGINT NOT NULL)",
    "INSERT INTO router_cursor (id, no, now, directory_version, epoch) VALUES (1, 0, 0, 0, 0)",
];

const WORK: &[&str] = &[
    "CREATE TABLE timer (id {id}, due_at BIGINT NOT NULL, kind TEXT NOT NULL, item_id BIGINT, body TEXT NOT NULL)",
    "CREATE INDEX timer_due ON timer (due_at, id)",
    "CREATE INDEX timer_item ON timer (item_id)",
    "CREATE TABLE outbox (id {id}, key TEXT NOT NULL UNIQUE, channel_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL, \
        message_id BIGINT NOT NULL UNIQUE REFERENCES message (id), state TEXT NOT NULL, attempts BIGINT NOT NULL, \
        next_attempt_at BIGINT NOT NULL, lease_until BIGINT, holder TEXT, last_error TEXT, created_at BIGINT NOT NULL)",
    "CREATE INDEX outbox_due ON outbox (next_attempt_at, id) WHERE state IN ('queued', 'sending')",
    "CREATE INDEX outbox_conversation ON outbox (conversation_id, id) WHERE state IN ('queued', 'sending')",
    "CREATE TABLE event (id {auto}, at BIGINT NOT NULL, kind TEXT NOT NULL, workspace_id BIGINT, item_id BIGINT, \
        conversation_id BIGINT, version BIGINT, message_id BIGINT, user_id BIGINT)",
    "CREATE INDEX event_at ON event (at)",
];

/// Words of messages, contacts and tickets under their ids, which never collide. Nothing but the index is kept.
const SEARCH_SQLITE: &[&str] = &["CREATE VIRTUAL TABLE search_entry USING fts5(words, content = '', contentless_delete = 1, \
    tokenize = 'unicode61 remove_diacritics 0')"];

const SEARCH_POSTGRES: &[&str] = &[
    "CREATE TABLE search_entry (id {id}, words TSVECTOR NOT NULL)",
    "CREATE INDEX search_entry_words ON search_entry USING GIN (words)",
];
