//! What a channel found out about a message besides its words: who vouches for the sender, what did not arrive.

use crate::error::StoreError;
use crate::migration::apply;
use crate::row::Db;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

pub(crate) struct Details;

impl MigrationName for Details {
    fn name(&self) -> &str {
        "m20261122_000003_details"
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
impl MigrationTrait for Details {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let applied: Result<(), StoreError> = apply(&Within(manager.get_connection()), STATEMENTS).await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

const STATEMENTS: &[&str] = &["ALTER TABLE message ADD COLUMN details TEXT"];
