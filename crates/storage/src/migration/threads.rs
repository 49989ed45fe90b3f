//! Conversations whose other side is connected: what their contacts may see, what was seen and read, and who is there.

use crate::error::StoreError;
use crate::migration::{Within, apply};
use crate::row::Db;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

pub(crate) struct Threads;

impl MigrationName for Threads {
    fn name(&self) -> &str {
        "m20261122_000005_threads"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Threads {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = Within(manager.get_connection());
        let signals = if db.is_shared() { SIGNAL_POSTGRES } else { SIGNAL_SQLITE };
        let applied: Result<(), StoreError> = async {
            apply(&db, STATEMENTS).await?;
            apply(&db, signals).await
        }
        .await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

const STATEMENTS: &[&str] = &[
    "CREATE TABLE thread_entry (message_id {id}, conversation_id BIGINT NOT NULL, external_id TEXT)",
    "CREATE INDEX thread_entry_conversation ON thread_entry (conversation_id, message_id)",
    "CREATE TABLE thread_mark (conversation_id {id}, seen_id BIGINT, read_id BIGINT, mailed_id BIGINT)",
];

/// Rows live for seconds, so they need not survive a crash of the server.
const SIGNAL_POSTGRES: &[&str] = &[
    "CREATE UNLOGGED TABLE signal (conversation_id BIGINT NOT NULL, who BIGINT NOT NULL, host TEXT NOT NULL, \
        workspace_id BIGINT NOT NULL, channel_id BIGINT, state TEXT NOT NULL, until BIGINT NOT NULL, \
        changed_at BIGINT NOT NULL, PRIMARY KEY (conversation_id, who, host))",
    "CREATE INDEX signal_changed ON signal (changed_at)",
    "CREATE INDEX signal_host ON signal (host)",
];

/// A host alone keeps them in memory.
const SIGNAL_SQLITE: &[&str] = &[];
