//! Reading: lists, items, threads, search, contacts, files; each as far as the caller may see it.

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::request::{Blob, Caller, Counts, ItemsQuery, SearchHit};
use switchboard_model::{
    BlobId, ContactId, ContactView, ItemId, ItemRow, ItemSort, ItemView, LiveEventKind, MessageId, MessageView, Page, TeamId,
    UserId, View, WorkspaceId, fold,
};
use switchboard_storage::{ItemQuery, ListScope, NewAudit, NewEvent, SearchQuery};

/// Rows of a page at most.
const MAX_ROWS: u32 = 200;
const SNIPPET_CHARS: usize = 160;

impl Engine {
    /// A page of work items.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn items(&self, caller: &Caller, query: ItemsQuery) -> Result<Page<ItemRow>> {
        let mut scope = self.scope(caller);
        scope.kind = query.kind;
        if let Some(workspace) = query.workspace {
            scope.workspaces.retain(|allowed| *allowed == workspace);
        }
        let query =
            ItemQuery { scope, view: query.view, sort: query.sort, cursor: query.cursor, limit: query.limit.clamp(1, MAX_ROWS) };
        Ok(self.inner.store.items(&query).await?)
    }

    /// How many work items each view has.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counts(&self, caller: &Caller) -> Result<Counts> {
        let counted = self.inner.store.view_counts(&self.scope(caller)).await?;
        let of = |view: View| counted.get(&view).copied().unwrap_or(0);
        Ok(Counts {
            unassigned: of(View::Unassigned),
            mine: of(View::Mine),
            team_unassigned: of(View::TeamUnassigned),
            team_open: of(View::TeamOpen),
            open: of(View::Open),
            closed: of(View::Closed),
            waiting: of(View::Waiting),
            snoozed: of(View::Snoozed),
        })
    }

    /// A conversation or ticket in full.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn item(&self, caller: &Caller, id: ItemId) -> Result<ItemView> {
        self.open_record(caller, id).await?;
        self.inner.store.item(id).await?.ok_or_else(|| EngineError::not_found(format!("item {id}")))
    }

    /// A page of the thread of an item, oldest message first; the first page holds the newest messages. What was merged
    /// has the thread of the item that it was merged into.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a broken cursor.
    pub async fn messages(&self, caller: &Caller, id: ItemId, before: Option<&str>, limit: u32) -> Result<Page<MessageView>> {
        let mut record = self.open_record(caller, id).await?;
        if record.merged_into.is_some() {
            record = self.open_record(caller, self.inner.store.survivor_of(id).await?).await?;
        }
        let Some(conversation) = record.conversation else { return Ok(Page { rows: Vec::new(), next: None, total: 0 }) };
        let mut page = self.inner.store.messages(conversation, before, limit.clamp(1, MAX_ROWS)).await?;
        page.rows.sort_by_key(|message| (message.at, message.id));
        Ok(page)
    }

    /// Items whose contact, subject or text matches.
    ///
    /// # Errors
    /// `Invalid` for a broken cursor.
    pub async fn search(&self, caller: &Caller, text: &str, cursor: Option<String>, limit: u32) -> Result<Page<SearchHit>> {
        let query = SearchQuery { text: text.to_owned(), scope: self.scope(caller), cursor, limit: limit.clamp(1, MAX_ROWS) };
        let page = self.inner.store.search(&query).await?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for row in page.rows {
            let snippet = self.snippet(&row, text).await?;
            rows.push(SearchHit { row, snippet });
        }
        Ok(Page { rows, next: page.next, total: page.total })
    }

    /// A contact in full.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn contact(&self, caller: &Caller, id: ContactId) -> Result<ContactView> {
        let missing = || EngineError::not_found(format!("contact {id}"));
        let contact = self.inner.store.contact(id).await?.ok_or_else(missing)?;
        let scope = ListScope { contact: Some(id), routed_only: false, ..self.scope(caller) };
        if caller.user.is_none() || self.sees_some(&scope).await? { Ok(contact) } else { Err(missing()) }
    }

    /// Sets the contact owner, who gets the contact's work where rules say so (ROUTING 7.3).
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when there is no such active user.
    pub async fn set_contact_owner(&self, caller: &Caller, id: ContactId, owner: Option<UserId>) -> Result<ContactView> {
        self.contact(caller, id).await?;
        if let Some(user) = owner {
            let directory = self.directory();
            let known = directory.user(user).is_some_and(switchboard_model::User::is_active);
            known.then_some(()).ok_or_else(|| EngineError::invalid(format!("user {user} does not exist or is deactivated")))?;
        }
        let (at, actor) = (self.now(), caller.actor.clone());
        self.commit(move |tx| {
            Box::pin(async move {
                tx.set_contact_owner(id, owner).await?;
                let detail = serde_json::json!({ "owner": owner });
                tx.insert_audit(&NewAudit { at, actor, action: "contact.owner".into(), target: id.to_string(), detail }).await?;
                tx.insert_events(&[NewEvent { user: owner, ..NewEvent::new(LiveEventKind::Person, at) }]).await?;
                Ok(())
            })
        })
        .await?;
        self.contact(caller, id).await
    }

    /// A file of a message.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn attachment(&self, caller: &Caller, id: BlobId) -> Result<Blob> {
        let missing = || EngineError::not_found(format!("file {id}"));
        let blob = self.inner.store.blob(id).await?.ok_or_else(missing)?;
        self.open_record(caller, blob.conversation.into()).await.map_err(|_| missing())?;
        let name = blob.name.unwrap_or_else(|| format!("message-{}.eml", blob.message));
        Ok(Blob { name, content_type: blob.content_type, bytes: blob.bytes })
    }

    /// A message as it was received.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn raw_message(&self, caller: &Caller, id: MessageId) -> Result<Blob> {
        let raw = self.readable_message(caller, id).await?.raw;
        self.attachment(caller, raw.ok_or_else(|| EngineError::not_found(format!("the source of message {id}")))?).await
    }

    /// What the caller's lists may show: workspaces it may open; for a program, all of them.
    pub(crate) fn scope(&self, caller: &Caller) -> ListScope {
        let directory = self.directory();
        let reader = caller.user.and_then(|id| directory.user(id));
        let workspaces: Vec<WorkspaceId> = directory
            .workspaces
            .iter()
            .filter(|workspace| caller.user.is_none() || reader.is_some_and(|user| user.is_active() && workspace.may_open(user)))
            .map(|workspace| workspace.id)
            .collect();
        let teams: Vec<TeamId> =
            reader.map(|user| user.team.into_iter().chain(user.extra_teams.iter().copied()).collect()).unwrap_or_default();
        let reader = caller.user.unwrap_or(UserId(0));
        ListScope { reader, teams, workspaces, kind: None, routed_only: true, channel: None, contact: None }
    }

    /// Whether the reader may open any conversation or ticket of the scope, whatever its status.
    async fn sees_some(&self, scope: &ListScope) -> Result<bool> {
        if self.inner.store.view_counts(scope).await?.values().any(|count| *count > 0) {
            return Ok(true);
        }
        let closed = ItemQuery { scope: scope.clone(), view: View::Closed, sort: ItemSort::Newest, cursor: None, limit: 1 };
        Ok(!self.inner.store.items(&closed).await?.rows.is_empty())
    }

    async fn snippet(&self, row: &ItemRow, text: &str) -> Result<String> {
        let words: Vec<String> = fold(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let Some(conversation) = row.conversation else { return Ok(row.preview.clone()) };
        let page = self.inner.store.messages(conversation, None, 20).await?;
        let hit = page.rows.iter().find_map(|message| excerpt(&message.text, &words));
        Ok(hit.unwrap_or_else(|| row.preview.clone()))
    }
}

/// The part of a text around the first word that begins like one of the folded words.
fn excerpt(text: &str, words: &[String]) -> Option<String> {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let at = tokens.iter().position(|token| words.iter().any(|word| fold(token).starts_with(word.as_str())))?;
    let mut excerpt = String::new();
    for token in &tokens[at.saturating_sub(8)..] {
        if excerpt.chars().count() + token.chars().count() > SNIPPET_CHARS {
            break;
        }
        excerpt.push_str(token);
        excerpt.push(' ');
    }
    Some(excerpt.trim_end().to_owned())
}
