//! Who has a desk open (ROUTING 4.4), and who is left out of decisions about an item (ROUTING 4.5).

use crate::migration::Statements;

pub(super) const PRESENCE: Statements = Statements {
    name: "m20261122_000002_presence",
    statements: &[
        "CREATE TABLE presence (user_id BIGINT NOT NULL, host TEXT NOT NULL, connected BOOLEAN NOT NULL, \
            last_seen_at BIGINT NOT NULL, PRIMARY KEY (user_id, host))",
        "CREATE INDEX presence_host ON presence (host)",
        "CREATE TABLE left_out (item_id BIGINT NOT NULL REFERENCES item (id), user_id BIGINT NOT NULL, at BIGINT NOT NULL, \
            PRIMARY KEY (item_id, user_id))",
    ],
};
