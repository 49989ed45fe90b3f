//! How far the sender of a message was proven when it came, so that decisions that are taken later know it (ROUTING 7.3).

use crate::migration::Statements;

pub(super) const PROOF: Statements =
    Statements { name: "m20261122_000006_proof", statements: &["ALTER TABLE message ADD COLUMN proof TEXT"] };
