//! Where replies go beside the contact, who was refused, and the time in which they can be taken back.

use crate::migration::Statements;

pub(super) const OUTGOING: Statements = Statements {
    name: "m20261122_000004_outgoing",
    statements: &[
        "ALTER TABLE message ADD COLUMN addressed TEXT",
        "ALTER TABLE message ADD COLUMN bcc TEXT",
        "ALTER TABLE outbox ADD COLUMN held BOOLEAN NOT NULL DEFAULT FALSE",
        "ALTER TABLE outbox ADD COLUMN refused TEXT",
        "ALTER TABLE preference ADD COLUMN undo_seconds BIGINT",
    ],
};
