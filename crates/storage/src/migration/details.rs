//! What a channel found out about a message besides its words: who vouches for the sender, what did not arrive.

use crate::migration::Statements;

pub(super) const DETAILS: Statements =
    Statements { name: "m20261122_000003_details", statements: &["ALTER TABLE message ADD COLUMN details TEXT"] };
