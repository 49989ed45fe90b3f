//! Items that were merged into others (ROUTING 12.4).

use crate::error::StoreError;
use crate::migration::apply;
use crate::row::Db;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

pub(crate) struct Merged;

impl MigrationName for Merged {
    fn name(&self) -> &str {
        "m20261122_000001_merged"
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
impl MigrationTrait for Merged {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let applied: Result<(), StoreError> = apply(&Within(manager.get_connection()), STATEMENTS).await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

const STATEMENTS: &[&str] = &[
    "ALTER TABLE item ADD COLUMN merged_into BIGINT",
    "CREATE INDEX item_merged ON item (merged_into) WHERE merged_into IS NOT NULL",
];
