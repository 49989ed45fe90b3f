//! Lists of items, page by page (ROUTING 14.2).

use crate::bind::Bind;
use crate::error::{StoreError, StoreErrorKind};
use crate::items::{ITEM_COLUMNS, item_row};
use crate::row::{one, rows, values};
use crate::store::Store;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use switchboard_model::{ChannelId, ContactId, ItemKind, ItemRow, ItemSort, Page, TeamId, UserId, View, WorkspaceId};

/// What an item without a wait sorts as.
const NEVER: &str = "9223372036854775807";

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
    /// The view. `waiting` is what waits for somebody to become eligible.
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
        let mut condition = Where::of(&query.scope);
        condition.view(query.view, &query.scope);
        self.page(condition, "", query.sort, query.cursor.as_deref(), query.limit).await
    }

    /// How many rows each view of open or snoozed work has. `closed` is left out: nobody works through it, and
    /// counting it takes as long as it is large.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn view_counts(&self, scope: &ListScope) -> Result<BTreeMap<View, u64>, StoreError> {
        let views: Vec<View> = View::ALL.iter().copied().filter(|view| *view != View::Closed).collect();
        let mut sql = String::from("SELECT ");
        for view in &views {
            let separator = if *view == views[0] { "" } else { ", " };
            push(&mut sql, format_args!("{separator}COUNT(*) FILTER (WHERE {}) AS {view}", view_condition(*view, scope)));
        }
        let condition = Where::of(scope);
        push(&mut sql, format_args!(" FROM item i WHERE i.status IN ('open', 'snoozed') AND {}", condition.sql));
        let counted = one(self.reads(), sql, condition.values).await?;
        views.into_iter().map(|view| Ok((view, counted.count(view.as_str())?))).collect()
    }

    /// A page of the items that meet a condition. `with` is text before `SELECT`, for its subqueries.
    pub(crate) async fn page(
        &self,
        condition: Where,
        with: &str,
        sort: ItemSort,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ItemRow>, StoreError> {
        let db = self.reads();
        let limit = limit.clamp(1, 200);
        let cursor = cursor.map(|text| PageCursor::read(text, sort)).transpose()?;
        let total = match &cursor {
            Some(cursor) => cursor.total,
            None => {
                let sql = format!("{with} SELECT COUNT(*) AS total FROM item i WHERE {}", condition.sql);
                one(db, sql, condition.values.clone()).await?.count("total")?
            }
        };
        let Where { sql: condition, mut values } = condition;
        let (keys, order) = order(sort);
        let mut sql = format!(
            "{with} SELECT {ITEM_COLUMNS}, c.name AS contact_name, {keys} FROM item i \
             LEFT JOIN contact c ON c.id = i.contact_id WHERE {condition}"
        );
        if let Some(cursor) = &cursor {
            let first = values.len() + 1;
            push(&mut sql, format_args!(" AND {}", after(sort, first)));
            values.extend(values![cursor.major, cursor.minor, cursor.id]);
        }
        push(&mut sql, format_args!(" ORDER BY {order} LIMIT {}", limit + 1));
        let found = rows(db, sql, values).await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let next = match found.get(shown.saturating_sub(1)) {
            Some(last) if found.len() > shown => {
                let (major, minor, id) = (last.get("key_major")?, last.get("key_minor")?, last.get("id")?);
                Some(PageCursor { sort, major, minor, id, total }.write())
            }
            _ => None,
        };
        let rows = found.iter().take(shown).map(item_row).collect::<Result<_, _>>()?;
        Ok(Page { rows, next, total })
    }
}

/// A condition on items `i` with its parameters.
pub(crate) struct Where {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Where {
    /// What a scope lets through. Ids are numbers, so they are written into the text; that keeps the planner's
    /// choice of index independent of parameters.
    pub(crate) fn of(scope: &ListScope) -> Self {
        let mut sql = format!("i.workspace_id IN ({})", numbers(scope.workspaces.iter().map(|id| id.0)));
        if scope.routed_only {
            sql.push_str(" AND i.routed");
        }
        if let Some(kind) = scope.kind {
            push(&mut sql, format_args!(" AND i.kind = '{kind}'"));
        }
        if let Some(channel) = scope.channel {
            push(&mut sql, format_args!(" AND i.channel_id = {channel}"));
        }
        if let Some(contact) = scope.contact {
            push(&mut sql, format_args!(" AND i.contact_id = {contact}"));
        }
        Self { sql, values: Vec::new() }
    }

    fn view(&mut self, view: View, scope: &ListScope) {
        push(&mut self.sql, format_args!(" AND {}", view_condition(view, scope)));
    }

    /// The number of a further parameter.
    pub(crate) fn parameter(&mut self, value: impl Bind) -> usize {
        self.values.push(value.bind());
        self.values.len()
    }
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct PageCursor {
    sort: ItemSort,
    major: i64,
    minor: i64,
    id: i64,
    total: u64,
}

impl PageCursor {
    fn read(text: &str, sort: ItemSort) -> Result<Self, StoreError> {
        let broken = || StoreError::new(StoreErrorKind::Invalid, "the cursor is none of ours, or belongs to another order");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| broken())?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| broken())?;
        // Our own keys are priorities and times; the least number is none of them, and has no opposite to compare with.
        let sensible = cursor.sort == sort && cursor.major != i64::MIN;
        if sensible { Ok(cursor) } else { Err(broken()) }
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("numbers and a word are always written"))
    }
}

fn view_condition(view: View, scope: &ListScope) -> String {
    let teams = || numbers(scope.teams.iter().map(|team| team.0));
    match view {
        View::Unassigned => "i.status = 'open' AND i.owner_kind IS NULL".into(),
        View::Mine => format!("i.status = 'open' AND i.owner_kind = 'user' AND i.owner_id = {}", scope.reader),
        View::TeamUnassigned => format!("i.status = 'open' AND i.owner_kind IS NULL AND i.team_id IN ({})", teams()),
        View::TeamOpen => format!("i.status = 'open' AND i.team_id IN ({})", teams()),
        View::Open => "i.status = 'open'".into(),
        // What was merged is read where it went; a contact's own list has it, so that the contact stays visible.
        View::Closed if scope.contact.is_none() => "i.status = 'closed' AND i.merged_into IS NULL".into(),
        View::Closed => "i.status = 'closed'".into(),
        View::Waiting => "i.queued_since IS NOT NULL".into(),
        View::Snoozed => "i.status = 'snoozed'".into(),
    }
}

/// The two keys of an order besides the id, and the order itself.
fn order(sort: ItemSort) -> (String, String) {
    let wait = format!("COALESCE(i.waiting_since, {NEVER})");
    match sort {
        ItemSort::Newest => {
            ("i.last_message_at AS key_major, i.id AS key_minor".into(), "i.last_message_at DESC, i.id DESC".into())
        }
        ItemSort::Oldest => ("i.last_message_at AS key_major, i.id AS key_minor".into(), "i.last_message_at, i.id".into()),
        ItemSort::WaitingLongest => (format!("{wait} AS key_major, i.id AS key_minor"), format!("{wait}, i.id")),
        ItemSort::Priority => (format!("i.priority AS key_major, {wait} AS key_minor"), format!("i.priority DESC, {wait}, i.id")),
    }
}

/// The condition of coming after the three parameters from `first` on.
fn after(sort: ItemSort, first: usize) -> String {
    let (second, third) = (first + 1, first + 2);
    let wait = format!("COALESCE(i.waiting_since, {NEVER})");
    match sort {
        ItemSort::Newest => format!("(i.last_message_at, i.id, i.id) < (${first}, ${second}, ${third})"),
        ItemSort::Oldest => format!("(i.last_message_at, i.id, i.id) > (${first}, ${second}, ${third})"),
        ItemSort::WaitingLongest => format!("({wait}, i.id, i.id) > (${first}, ${second}, ${third})"),
        ItemSort::Priority => format!("(-i.priority, {wait}, i.id) > (-${first}, ${second}, ${third})"),
    }
}

/// Numbers for an `IN` list; never empty, because neither database takes an empty one. Ids are positive.
fn numbers(ids: impl Iterator<Item = i64>) -> String {
    let mut text = String::from("0");
    for id in ids {
        push(&mut text, format_args!(", {id}"));
    }
    text
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a string never fails");
}
