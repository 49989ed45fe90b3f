//! Search over contacts, subjects and message text (ROUTING 14.2).
//!
//! What is kept are the folded words of a message, contact or ticket under its id: in an FTS5 table on SQLite, as
//! a text search vector on PostgreSQL. Queries are folded by the same function.

use crate::error::StoreError;
use crate::held::Table;
use crate::lists::{ListScope, Where};
use crate::row::{Bundle, values};
use crate::store::Store;
use std::collections::BTreeSet;
use switchboard_model::{ItemRow, ItemSort, Page, fold};

/// Words of a query that are looked for; further ones are ignored.
const MAX_TERMS: usize = 12;
/// Letters of a word that are kept and looked for.
const MAX_LETTERS: usize = 64;
/// Bytes of folded words that are kept of one text; PostgreSQL holds no more than 1 MiB.
const MAX_BYTES: usize = 400_000;
/// Newest entries that a query looks at.
const MAX_HITS: u32 = 5_000;

/// What to look for.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// Words in any spelling that `fold` equates; each is the beginning of a word, all must occur in one message,
    /// contact or subject.
    pub text: String,
    /// Whose and what.
    pub scope: ListScope,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows per page, 1 to 200.
    pub limit: u32,
}

impl Store {
    /// Items that match, last message first. Nothing to look for finds nothing.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn search(&self, query: &SearchQuery) -> Result<Page<ItemRow>, StoreError> {
        let folded = fold(&query.text);
        let terms: Vec<&str> = words(&folded).take(MAX_TERMS).collect();
        if terms.is_empty() {
            return Ok(Page { rows: Vec::new(), next: None, total: 0 });
        }
        let mut condition = Where::of(&query.scope);
        let (source, wanted) = if self.is_shared() {
            let wanted: Vec<_> = terms.iter().map(|term| format!("'{term}':*")).collect();
            ("id FROM search_entry WHERE words @@ CAST($1 AS TSQUERY) ORDER BY id", wanted.join(" & "))
        } else {
            let wanted: Vec<_> = terms.iter().map(|term| format!("\"{term}\"*")).collect();
            ("rowid AS id FROM search_entry WHERE search_entry MATCH $1 ORDER BY rowid", wanted.join(" "))
        };
        condition.parameter(wanted);
        let with = format!(
            "WITH hit AS MATERIALIZED (SELECT {source} DESC LIMIT {MAX_HITS}), found AS MATERIALIZED (SELECT id FROM hit UNION \
             SELECT t.id FROM hit JOIN message m ON m.id = hit.id JOIN item t ON t.count_key = m.conversation_id UNION \
             SELECT COALESCE(t.merged_into, t.id) FROM hit JOIN item t ON t.contact_id = hit.id)"
        );
        condition.sql.push_str(" AND i.id IN (SELECT id FROM found)");
        self.page(condition, &with, ItemSort::Newest, query.cursor.as_deref(), query.limit).await
    }
}

/// Keeps the words of some texts under an id, in place of those that are there. No words keep nothing.
pub(crate) fn add_words(bundle: &mut Bundle, shared: bool, id: i64, texts: &[&str]) {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let mut size = 0;
    let unique: BTreeSet<&str> = folded
        .iter()
        .flat_map(|text| words(text))
        .take_while(|word| {
            size += word.len() + 1;
            size <= MAX_BYTES
        })
        .collect();
    if unique.is_empty() {
        return;
    }
    let text = unique.into_iter().collect::<Vec<_>>().join(" ");
    if shared {
        let sql = "INSERT INTO search_entry (id, words) VALUES ($1, array_to_tsvector(string_to_array($2, ' '))) \
            ON CONFLICT (id) DO UPDATE SET words = excluded.words";
        bundle.add(sql, values![id, text]);
    } else {
        bundle.insert(Table::Search, vec![values![id, text]]);
    }
}

/// Words of folded text, cut to the length that is kept.
fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|word| !word.is_empty()).map(|word| match word.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => &word[..end],
        None => word,
    })
}
