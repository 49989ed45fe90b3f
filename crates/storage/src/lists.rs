//! Lists of items, page by page (ROUTING 14.2).

use crate::error::StoreError;
use crate::store::Store;
use std::collections::BTreeMap;
use switchboard_model::{ChannelId, ContactId, ItemKind, ItemRow, ItemSort, Page, TeamId, UserId, View, WorkspaceId};

/// Whose list it is and what it may show.
#[derive(Clone, Debug)]
pub struct ListScope {
    /// The reader, for *mine*.
    pub reader: UserId,
    /// The reader's teams, main and extra, for the views of teams.
    pub teams: Vec<TeamId>,
    /// The workspaces shown; none shows nothing.
    pub workspaces: Vec<WorkspaceId>,
    /// Only conversations or only tickets.
    pub kind: Option<ItemKind>,
    /// Only work items: leaves out conversations of help desks, whose tickets are.
    pub routed_only: bool,
    /// Only what came through this channel.
    pub channel: Option<ChannelId>,
    /// Only this contact.
    pub contact: Option<ContactId>,
}

/// A list to read.
#[derive(Clone, Debug)]
pub struct ItemQuery {
    /// Whose and what.
    pub scope: ListScope,
    /// The view. `waiting` is open items that wanted a person when nobody was eligible.
    pub view: View,
    /// The order.
    pub sort: ItemSort,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows per page, 1 to 200.
    pub limit: u32,
}

impl Store {
    /// A page of a list. The total is counted for the first page and carried along in the cursor.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor or one of another order.
    pub async fn items(&self, query: &ItemQuery) -> Result<Page<ItemRow>, StoreError> {
        todo!()
    }

    /// How many rows each view has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn view_counts(&self, scope: &ListScope) -> Result<BTreeMap<View, u64>, StoreError> {
        todo!()
    }
}
