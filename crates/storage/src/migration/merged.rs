//! Items that were merged into others (ROUTING 12.4).

use crate::migration::Statements;

pub(super) const MERGED: Statements = Statements {
    name: "m20261122_000001_merged",
    statements: &[
        "ALTER TABLE item ADD COLUMN merged_into BIGINT",
        "CREATE INDEX item_merged ON item (merged_into) WHERE merged_into IS NOT NULL",
    ],
};
