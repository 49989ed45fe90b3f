//! What members of a group are going to ask, read for all of them at once (SQLite only).
//!
//! An answer holds until something is written that could change it; whoever asks then reads for itself.

use crate::error::StoreError;
use crate::held::{MOST_ROWS, Table, Writes, blanks};
use crate::intake::InboundKeyHit;
use crate::items::ContactRecord;
use crate::row::{Db, Row, rows, values};
use crate::store::Tx;
use sea_orm::Value;
use std::collections::HashMap;
use std::hash::Hash;
use switchboard_model::{ChannelId, ContactId, ConversationId, Identity, MessageId, Timestamp, UserId};

/// Tables that answers come from; a statement that writes and names one of them takes all answers back.
const SOURCES: [&str; 3] = ["inbound_key", "identity", "contact"];

/// What somebody is going to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether this external message is stored: [`Tx::find_inbound_key`].
    InboundKey {
        /// The channel.
        channel: ChannelId,
        /// The channel's id of the message.
        external_id: String,
    },
    /// Whose identity this is: [`Tx::contact_of`] and [`Tx::find_or_create_contact`].
    Identity(Identity),
}

/// Answers by question.
#[derive(Default)]
pub(crate) struct Foresight {
    keys: HashMap<(i64, String), Option<InboundKeyHit>>,
    people: HashMap<(&'static str, String), Option<ContactRecord>>,
}

impl Foresight {
    /// Where an external message is stored, if it is known whether it is.
    pub(crate) fn inbound_key(&self, channel: ChannelId, external_id: &str) -> Option<Option<InboundKeyHit>> {
        if self.keys.is_empty() { None } else { self.keys.get(&(channel.0, external_id.replace('\0', ""))).copied() }
    }

    /// Whose identity it is, if it is known whether it is anybody's.
    pub(crate) fn person(&self, identity: &Identity) -> Option<Option<ContactRecord>> {
        if self.people.is_empty() { None } else { self.people.get(&person_key(identity)).cloned() }
    }

    /// A statement is about to run.
    pub(crate) fn will_run(&mut self, sql: &str) {
        let is_empty = self.keys.is_empty() && self.people.is_empty();
        if !is_empty && !sql.starts_with("SELECT") && SOURCES.iter().any(|source| sql.contains(source)) {
            *self = Self::default();
        }
    }

    /// Rows are about to be written.
    pub(crate) fn will_write(&mut self, writes: &Writes) {
        for (table, record) in writes.records() {
            match (table, &record[..]) {
                (Table::InboundKey, [Value::BigInt(Some(channel)), Value::String(Some(id)), ..]) => {
                    self.keys.remove(&(*channel, id.clone()));
                }
                (Table::Identity, [Value::String(Some(kind)), Value::String(Some(value)), ..]) => {
                    self.people.retain(|(known, of), _| *known != kind || of != value);
                }
                _ => {}
            }
        }
        writes.texts().for_each(|sql| self.will_run(sql));
    }
}

impl Tx {
    /// Reads what members are going to ask. Nothing is foreseen on PostgreSQL, where others write meanwhile, and nothing
    /// where it cannot be read: whoever asks then fails alone. An error says that the transaction is gone.
    pub(crate) async fn foresee(&self, questions: &[Question]) -> Result<(), StoreError> {
        if self.is_shared() || questions.is_empty() {
            return Ok(());
        }
        match self.read_ahead(questions).await {
            Ok(foresight) => self.held().foresight = foresight,
            Err(error) => {
                tracing::warn!(%error, "what a group of writes asks could not be read ahead");
                if self.has_failed() {
                    self.undo().await?;
                }
            }
        }
        Ok(())
    }

    async fn read_ahead(&self, questions: &[Question]) -> Result<Foresight, StoreError> {
        let (mut keys, mut people) = (HashMap::new(), HashMap::new());
        for question in questions {
            match question {
                Question::InboundKey { channel, external_id } => {
                    keys.insert((channel.0, external_id.replace('\0', "")), None);
                }
                Question::Identity(identity) => {
                    people.insert(person_key(identity), None);
                }
            }
        }
        let asked: Vec<_> = keys.keys().map(|(channel, id)| values![*channel, id.as_str()]).collect();
        for row in self.ask(INBOUND_KEYS, asked).await? {
            keep(&mut keys, (row.get("channel_id")?, row.get("external_id")?), inbound_key(&row));
        }
        let asked: Vec<_> = people.keys().map(|(kind, value): &(&str, String)| values![*kind, value.as_str()]).collect();
        for row in self.ask(PEOPLE, asked).await? {
            let identity = Identity { kind: row.word("kind")?, value: row.get("value")? };
            keep(&mut people, person_key(&identity), contact(&row));
        }
        Ok(Foresight { keys, people })
    }

    async fn ask(&self, [columns, joined]: [&str; 2], asked: Vec<Vec<Value>>) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        for part in asked.chunks(MOST_ROWS) {
            let pairs = blanks(part.len(), 2);
            let sql = format!(
                "{columns} FROM (SELECT column1 AS one, column2 AS other FROM (VALUES {pairs})) AS v CROSS JOIN {joined}"
            );
            found.extend(rows(self, sql, part.concat()).await?);
        }
        Ok(found)
    }
}

const INBOUND_KEYS: [&str; 2] = [
    "SELECT k.channel_id, k.external_id, k.conversation_id, k.message_id",
    "inbound_key k ON k.channel_id = v.one AND k.external_id = v.other",
];

const PEOPLE: [&str; 2] = [
    "SELECT d.kind, d.value, c.id, c.name, c.owner_id, c.created_at",
    "identity d ON d.kind = v.one AND d.value = v.other JOIN contact c ON c.id = d.contact_id",
];

/// Keeps an answer; one that cannot be read is left to whoever asks for it.
fn keep<K: Eq + Hash, A>(answers: &mut HashMap<K, Option<A>>, key: K, answer: Result<A, StoreError>) {
    match answer {
        Ok(answer) => drop(answers.insert(key, Some(answer))),
        Err(_) => drop(answers.remove(&key)),
    }
}

pub(crate) fn inbound_key(row: &Row) -> Result<InboundKeyHit, StoreError> {
    Ok(InboundKeyHit { conversation: row.id("conversation_id", ConversationId)?, message: row.id("message_id", MessageId)? })
}

pub(crate) fn contact(row: &Row) -> Result<ContactRecord, StoreError> {
    Ok(ContactRecord {
        id: row.id("id", ContactId)?,
        name: row.opt("name")?,
        owner: row.opt_id("owner_id", UserId)?,
        created_at: row.id("created_at", Timestamp)?,
    })
}

fn person_key(identity: &Identity) -> (&'static str, String) {
    (identity.kind.as_str(), identity.value.replace('\0', ""))
}
