//! TEMPORARY signatures; each method moves to the file of its use case.
#![allow(missing_docs, unused_variables, clippy::todo)]
use crate::*;
use secrecy::SecretString;
use std::sync::Arc;
use switchboard_model::*;

impl Engine {
    // accounts.rs
    pub async fn sign_in(&self, email: &str, password: SecretString, agent: &str) -> Result<SignedIn> { todo!() }
    /// Caller and session id of a live session; touches it.
    pub async fn session(&self, secret: &str) -> Result<Option<(Caller, String)>> { todo!() }
    pub async fn sign_out(&self, secret: &str) -> Result<()> { todo!() }
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>> { todo!() }
    pub async fn revoke_session(&self, caller: &Caller, id: &str) -> Result<()> { todo!() }
    pub async fn change_password(&self, caller: &Caller, current: SecretString, new: SecretString) -> Result<()> { todo!() }
    pub async fn token_caller(&self, secret: &str) -> Result<Option<(Caller, Vec<Scope>)>> { todo!() }
    pub async fn tokens(&self) -> Result<Vec<TokenView>> { todo!() }
    pub async fn create_token(&self, caller: &Caller, name: &str, scopes: &[Scope], expires_at: Option<Timestamp>) -> Result<(SecretString, TokenView)> { todo!() }
    pub async fn revoke_token(&self, caller: &Caller, id: TokenId) -> Result<()> { todo!() }
    pub async fn set_language(&self, caller: &Caller, language: Option<String>) -> Result<()> { todo!() }
    pub async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>> { todo!() }
    /// Begins a request with an idempotency key: the stored (status, body) of an earlier one with the same fingerprint, `None` for a
    /// new one, `Invalid` for another fingerprint, `Busy` while the first still runs.
    pub async fn idempotent_begin(&self, scope: &str, key: &str, fingerprint: &str) -> Result<Option<(u16, String)>> { todo!() }
    /// Ends it; `None` forgets the key so that the caller may try again.
    pub async fn idempotent_end(&self, scope: &str, key: &str, answer: Option<(u16, String)>) -> Result<()> { todo!() }
    // admin.rs
    pub fn directory(&self) -> Arc<Directory> { todo!() }
    pub async fn apply(&self, caller: &Caller, text: &str, options: ApplyOptions) -> Result<ApplyReport> { todo!() }
    pub fn export(&self) -> String { todo!() }
    pub fn rule(&self, slug: &str) -> Result<RuleInForce> { todo!() }
    pub async fn put_rule(&self, caller: &Caller, slug: &str, version: i64, rule: Option<Rule>) -> Result<RuleInForce> { todo!() }
    pub fn stale_members(&self, channel: ChannelId) -> Vec<StaleMember> { todo!() }
    pub async fn deactivate(&self, caller: &Caller, user: UserId, hand_to: Option<UserId>, dry_run: bool) -> Result<Deactivation> { todo!() }
    pub fn capabilities(&self, slug: &str) -> Capabilities { todo!() }
    pub fn channel_state(&self, slug: &str) -> ChannelState { todo!() }
    // people.rs
    pub async fn people(&self) -> Result<Vec<PersonView>> { todo!() }
    pub async fn person(&self, user: UserId) -> Result<PersonView> { todo!() }
    pub async fn set_availability(&self, caller: &Caller, user: UserId, status: NewStatus) -> Result<PersonView> { todo!() }
    // lists.rs
    pub async fn items(&self, caller: &Caller, query: ItemsQuery) -> Result<Page<ItemRow>> { todo!() }
    pub async fn counts(&self, caller: &Caller) -> Result<Counts> { todo!() }
    pub async fn item(&self, caller: &Caller, id: ItemId) -> Result<ItemView> { todo!() }
    pub async fn messages(&self, caller: &Caller, id: ItemId, before: Option<MessageId>, limit: u32) -> Result<Page<MessageView>> { todo!() }
    pub async fn search(&self, caller: &Caller, text: &str, cursor: Option<String>, limit: u32) -> Result<Page<SearchHit>> { todo!() }
    pub async fn contact(&self, caller: &Caller, id: ContactId) -> Result<ContactView> { todo!() }
    pub async fn set_contact_owner(&self, caller: &Caller, id: ContactId, owner: Option<UserId>) -> Result<ContactView> { todo!() }
    pub async fn attachment(&self, caller: &Caller, id: BlobId) -> Result<Blob> { todo!() }
    pub async fn raw_message(&self, caller: &Caller, id: MessageId) -> Result<Blob> { todo!() }
    pub fn may_open(&self, caller: &Caller, workspace: WorkspaceId) -> bool { todo!() }
    // items.rs
    pub async fn set_owner(&self, caller: &Caller, id: ItemId, version: i64, change: OwnerChange) -> Result<ItemRow> { todo!() }
    pub async fn assignable(&self, caller: &Caller, id: ItemId) -> Result<Vec<Assignable>> { todo!() }
    pub async fn return_to_queue(&self, caller: &Caller, id: ItemId, version: i64, note: Option<String>) -> Result<ItemRow> { todo!() }
    pub async fn route(&self, caller: &Caller, id: ItemId, version: i64) -> Result<ItemRow> { todo!() }
    pub async fn set_item_status(&self, caller: &Caller, id: ItemId, version: i64, status: ItemStatus, until: Option<Timestamp>) -> Result<ItemRow> { todo!() }
    pub async fn set_priority(&self, caller: &Caller, id: ItemId, version: i64, priority: Priority) -> Result<ItemRow> { todo!() }
    // thread.rs: the stored message and the version of the item afterwards
    pub async fn post_message(&self, caller: &Caller, id: ItemId, message: NewMessage) -> Result<(MessageView, i64)> { todo!() }
    pub async fn retry_delivery(&self, caller: &Caller, message: MessageId) -> Result<MessageView> { todo!() }
    // decisions.rs
    pub async fn decisions(&self, caller: &Caller, id: ItemId) -> Result<Vec<DecisionView>> { todo!() }
    pub async fn explanation(&self, caller: &Caller, id: DecisionId) -> Result<Explained> { todo!() }
    pub fn names(&self) -> Names { todo!() }
    // live.rs
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<LiveEvent>> { todo!() }
    /// The oldest event that can still be replayed, and the newest.
    pub async fn event_range(&self) -> Result<(i64, i64)> { todo!() }
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<LiveEvent> { todo!() }
    // health
    pub async fn ready(&self) -> Result<()> { todo!() }
    pub async fn statistics(&self) -> Result<Statistics> { todo!() }
    pub fn now(&self) -> Timestamp { todo!() }
}
