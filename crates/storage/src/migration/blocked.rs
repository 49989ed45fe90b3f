//! Contacts that people at the desk have blocked (ROUTING 12.1).

use crate::migration::Statements;

pub(super) const BLOCKED: Statements = Statements {
    name: "m20261122_000007_blocked",
    statements: &["ALTER TABLE contact ADD COLUMN blocked_at BIGINT", "ALTER TABLE contact ADD COLUMN blocked_by TEXT"],
};
