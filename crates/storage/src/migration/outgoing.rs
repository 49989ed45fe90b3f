//! Where replies go beside the contact, who was refused, and the time in which they can be taken back.

use crate::error::StoreError;
use crate::migration::apply;
use crate::row::Db;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

pub(crate) struct Outgoing;

impl MigrationName for Outgoing {
    fn name(&self) -> &str {
        "m20261122_000003_outgoing"
    }
}

struct Within<'a>(&'a SchemaManagerConnection<'a>);

impl<'a> Db for Within<'a> {
    type Conn = SchemaManagerConnection<'a>;

    fn conn(&self) -> &Self::Conn {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Outgoing {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let applied: Result<(), StoreError> = apply(&Within(manager.get_connection()), STATEMENTS).await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

const STATEMENTS: &[&str] = &[
    "ALTER TABLE message ADD COLUMN addressed TEXT",
    "ALTER TABLE message ADD COLUMN bcc TEXT",
    "ALTER TABLE outbox ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE outbox ADD COLUMN refused TEXT",
    "ALTER TABLE preference ADD COLUMN undo_seconds BIGINT",
];
