//! Who has a desk open (ROUTING 4.4), and who is left out of decisions about an item (ROUTING 4.5).

use crate::error::StoreError;
use crate::migration::apply;
use crate::row::Db;
use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

pub(crate) struct Presence;

impl MigrationName for Presence {
    fn name(&self) -> &str {
        "m20261122_000002_presence"
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
impl MigrationTrait for Presence {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let applied: Result<(), StoreError> = apply(&Within(manager.get_connection()), STATEMENTS).await;
        applied.map_err(|error| DbErr::Migration(error.message))
    }
}

const STATEMENTS: &[&str] = &[
    "CREATE TABLE presence (user_id BIGINT NOT NULL, host TEXT NOT NULL, connected BOOLEAN NOT NULL, \
        last_seen_at BIGINT NOT NULL, PRIMARY KEY (user_id, host))",
    "CREATE INDEX presence_host ON presence (host)",
    "CREATE TABLE left_out (item_id BIGINT NOT NULL REFERENCES item (id), user_id BIGINT NOT NULL, at BIGINT NOT NULL, \
        PRIMARY KEY (item_id, user_id))",
];
