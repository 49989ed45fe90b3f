//! Search over contacts, subjects and message text (ROUTING 14.2).

use crate::error::StoreError;
use crate::lists::ListScope;
use crate::store::Store;
use switchboard_model::{ItemRow, Page};

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
        todo!()
    }
}
