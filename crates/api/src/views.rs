//! What the API answers beside the views of the model, and how the engine's answers become it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_engine as engine;
use switchboard_model::{
    Actor, Capabilities, ChannelEntry, DecisionView, Explanation, ItemRow, ManualStatus, Member, PersonLoad, Remedy, Rule,
    SkipReason, Team, TeamId, Timestamp, TokenId, UnavailableCause, User, UserId, WhyNot, WhyWaiting, WorkType,
};
use utoipa::ToSchema;

/// The reader: who it is, what it may do, how it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Me {
    /// The user.
    pub user: User,
    /// What the user may do: `read`, `write`, `assign`, `own_status`, `colleague_status`, `route`, `rules`,
    /// `directory`, `deactivate`, `tokens`, `audit`.
    pub permissions: Vec<String>,
    /// Availability and load.
    pub person: PersonView,
    /// How many items each view has.
    pub counts: Counts,
    /// The newest live event; follow the stream from here.
    pub last_event: i64,
    /// Seconds that the person's mails wait before they go out, so that they can be taken back.
    pub undo_seconds: u32,
    /// What the desk needs to know about this installation.
    pub settings: DeskSettings,
}

/// What the desk needs to know about an installation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeskSettings {
    /// Name of the company.
    pub company: Option<String>,
    /// What each channel can do, by slug.
    pub channels: BTreeMap<String, Capabilities>,
    /// Languages of the desk.
    pub languages: Vec<String>,
    /// Addresses of the installation itself, which a reply to everybody leaves out.
    pub own_addresses: Vec<String>,
}

/// A person's availability and load.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// Status and counted work.
    #[serde(flatten)]
    pub load: PersonLoad,
    /// May get work now, as far as availability goes (ROUTING 4.1).
    pub available: bool,
    /// Why not.
    pub cause: Option<UnavailableCause>,
    /// When that changes by itself.
    pub until: Option<Timestamp>,
    /// Limit on open items over all types.
    pub limit: Option<u32>,
    /// Limits per type.
    pub limits: BTreeMap<WorkType, u32>,
    /// Who set the manual status last.
    pub changed_by: Option<Actor>,
    /// The manual status before that, so that it can be reverted in one click (ROUTING 4.3).
    pub previous: Option<ManualStatus>,
}

/// A change of a person's manual status (ROUTING 4.3).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatusEntry {
    /// When.
    pub at: Timestamp,
    /// By whom; the system for whoever is set away, or back, by presence (ROUTING 4.4).
    pub actor: Actor,
    /// The status from then on.
    pub status: ManualStatus,
}

/// How many items each view has.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Counts {
    /// Open, without an owner.
    pub unassigned: u64,
    /// Open, owned by the reader.
    pub mine: u64,
    /// Open, without an owner, in a team of the reader.
    pub team_unassigned: u64,
    /// Open, in a team of the reader.
    pub team_open: u64,
    /// Open.
    pub open: u64,
    /// Closed.
    pub closed: u64,
    /// Queued for a person.
    pub waiting: u64,
    /// Snoozed.
    pub snoozed: u64,
}

/// A user with availability and load.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UserRow {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// Availability and load; absent for who never had any.
    pub person: Option<PersonView>,
}

/// A team with its members.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TeamRow {
    /// The team.
    #[serde(flatten)]
    pub team: Team,
    /// Main members, for whom the team stands in rules (ROUTING 3.4).
    pub main_members: Vec<UserId>,
    /// Extra members.
    pub extra_members: Vec<UserId>,
}

/// A channel as it is set up and as it is doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChannelRow {
    /// The directory's side.
    #[serde(flatten)]
    pub entry: ChannelEntry,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How it is doing.
    pub state: ChannelState,
    /// Members of its rule that are skipped because they can no longer be selected (ROUTING 3.9).
    pub stale: Vec<StaleMember>,
}

/// How a connected channel is doing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChannelState {
    /// Started and not failed.
    pub running: bool,
    /// What it last failed with.
    pub error: Option<String>,
    /// When it last took a message in or sent one.
    pub last_event_at: Option<Timestamp>,
}

/// A member of a rule that can no longer be selected.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StaleMember {
    /// The case, counted from 0.
    pub case: u32,
    /// The member.
    pub member: Member,
    /// Why; absent for a team without any selectable member.
    pub reason: Option<SkipReason>,
}

/// A rule with the directory version it belongs to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleInForce {
    /// Sent back with changes.
    pub version: i64,
    /// The rule; null leaves everything unassigned (ROUTING 2.1).
    pub rule: Option<Rule>,
}

/// Who may be chosen as owner, and which teams.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Assignable {
    /// People, with load and limit (ROUTING 2.5).
    pub users: Vec<AssignableUser>,
    /// Teams.
    pub teams: Vec<Team>,
}

/// Somebody who may be chosen as owner by hand.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AssignableUser {
    /// The user.
    pub user: UserId,
    /// Name.
    pub name: String,
    /// Available now.
    pub available: bool,
    /// Why not.
    pub cause: Option<UnavailableCause>,
    /// Load in the group of the item.
    pub load: u32,
    /// Open items owned.
    pub open: u32,
    /// Limit over all types.
    pub limit: Option<u32>,
    /// May be chosen (ROUTING 2.4).
    pub allowed: bool,
    /// Why not.
    pub reason: Option<String>,
}

/// A row that a search found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SearchRow {
    /// The item.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The words around the match, as plain text.
    pub snippet: String,
}

/// A decision with its plain words.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionRow {
    /// The stored decision.
    #[serde(flatten)]
    pub decision: DecisionView,
    /// What came out, in the reader's language.
    pub text: String,
}

/// A decision, rebuilt from the log with everybody who was looked at (ROUTING 13.1).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explained {
    /// The stored decision.
    pub decision: DecisionView,
    /// The candidates; null when the log no longer reaches back that far or came from another behaviour version.
    pub explanation: Option<Explanation>,
    /// Names for the ids.
    pub names: Names,
    /// All of it in the reader's language, several lines.
    pub text: String,
}

/// Why an item waits or has no owner, and what would change that.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaitingAnswer {
    /// Why; null for an item that has an owner, is not open, or that no rule routes.
    pub why: Option<WhyWaiting>,
    /// What would make somebody eligible, the soonest first; 20 at most.
    pub remedies: Vec<Remedy>,
    /// Names for the ids.
    pub names: Names,
    /// All of it in the reader's language, several lines.
    pub text: String,
}

/// Why a user does not have an item.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhyNotAnswer {
    /// Why, by the decision that would be made now; null for an item that no rule routes.
    pub answer: Option<WhyNot>,
    /// Names for the ids.
    pub names: Names,
    /// All of it in the reader's language, several lines.
    pub text: String,
}

/// Names for the ids of an explanation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Names {
    /// Users.
    pub users: BTreeMap<UserId, String>,
    /// Teams.
    pub teams: BTreeMap<TeamId, String>,
    /// The channel whose rule applied.
    pub channel: Option<String>,
    /// The chatflow of the channel that it was, where it has any; null is the channel's own rule.
    pub chatflow: Option<String>,
    /// The case within the rule that it was written in, from 0; null where that is not known any more, or the chatflow has
    /// no rule in force.
    pub case: Option<u32>,
}

/// A session of the reader.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Opaque id, no secret.
    pub id: String,
    /// Began.
    pub created_at: Timestamp,
    /// Last used.
    pub last_seen_at: Timestamp,
    /// Ends at the latest.
    pub expires_at: Timestamp,
    /// The browser's own description.
    pub agent: String,
    /// It is the one that asks.
    pub current: bool,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Whatever a viewer may.
    Read,
    /// Whatever a lead may.
    Write,
    /// Everything.
    Admin,
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TokenView {
    /// The token.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// The first letters of the secret, to recognise it by.
    pub prefix: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Made.
    pub created_at: Timestamp,
    /// Last used.
    pub last_used_at: Option<Timestamp>,
    /// Ends.
    pub expires_at: Option<Timestamp>,
}

/// A new token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewToken {
    /// The secret, shown this once; null when the request is repeated with the same `Idempotency-Key`.
    pub token: Option<String>,
    /// The token.
    #[serde(flatten)]
    pub view: TokenView,
}

/// What applying a directory file did or would do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApplyReport {
    /// The directory version in force afterwards.
    pub version: i64,
    /// The differences.
    pub changes: Vec<DirectoryChange>,
}

/// One entry that differs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DirectoryChange {
    /// What happens to it.
    pub action: ChangeAction,
    /// `team`, `user`, `workspace` or `channel`.
    pub kind: String,
    /// Its slug or email address.
    pub key: String,
    /// The keys whose values change, each as `key: before → after`.
    pub details: Vec<String>,
}

/// What happens to an entry of the directory.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is new.
    Add,
    /// Some of its values change.
    Change,
    /// It goes.
    Remove,
}

/// What deactivating a user did or would do (ROUTING 12.5).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Deactivation {
    /// The open work that is or would be handed on.
    pub open: Vec<ItemRow>,
    /// The directory version in force afterwards.
    pub version: i64,
}

/// An entry of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Position.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// What, such as `directory.apply`.
    pub action: String,
    /// On what.
    pub target: String,
    /// Details.
    pub detail: serde_json::Value,
}

/// Every field by name, so that one that is added to the engine does not compile until it is shown or left out.
macro_rules! same_fields {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {$(
        impl From<engine::$name> for $name {
            fn from(engine::$name { $($field),+ }: engine::$name) -> Self {
                Self { $($field),+ }
            }
        }
    )+};
}

same_fields! {
    PersonView { load, available, cause, until, limit, limits, changed_by, previous }
    Counts { unassigned, mine, team_unassigned, team_open, open, closed, waiting, snoozed }
    ChannelState { running, error, last_event_at }
    StaleMember { case, member, reason }
    RuleInForce { version, rule }
    Names { users, teams, channel, chatflow, case }
    Deactivation { open, version }
    AuditEntry { id, at, actor, action, target, detail }
    StatusEntry { at, actor, status }
}

impl From<engine::SearchHit> for SearchRow {
    fn from(engine::SearchHit { row, snippet }: engine::SearchHit) -> Self {
        Self { row, snippet }
    }
}

impl From<engine::Assignable> for AssignableUser {
    fn from(row: engine::Assignable) -> Self {
        let engine::Assignable { user, name, available, cause, load, open, limit, allowed, reason } = row;
        Self { user, name, available, cause, load, open, limit, allowed, reason }
    }
}

impl From<engine::Scope> for Scope {
    fn from(scope: engine::Scope) -> Self {
        match scope {
            engine::Scope::Read => Self::Read,
            engine::Scope::Write => Self::Write,
            engine::Scope::Admin => Self::Admin,
        }
    }
}

impl From<Scope> for engine::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
}

impl From<engine::TokenView> for TokenView {
    fn from(token: engine::TokenView) -> Self {
        let engine::TokenView { id, name, prefix, scopes, created_at, last_used_at, expires_at } = token;
        Self { id, name, prefix, scopes: scopes.into_iter().map(Scope::from).collect(), created_at, last_used_at, expires_at }
    }
}

impl From<engine::ApplyReport> for ApplyReport {
    fn from(engine::ApplyReport { version, changes }: engine::ApplyReport) -> Self {
        Self { version, changes: changes.into_iter().map(DirectoryChange::from).collect() }
    }
}

impl From<engine::directory::DirectoryChange> for DirectoryChange {
    fn from(change: engine::directory::DirectoryChange) -> Self {
        let engine::directory::DirectoryChange { action, kind, key, details } = change;
        let action = match action {
            engine::directory::ChangeAction::Add => ChangeAction::Add,
            engine::directory::ChangeAction::Change => ChangeAction::Change,
            engine::directory::ChangeAction::Remove => ChangeAction::Remove,
        };
        Self { action, kind, key, details }
    }
}

impl SessionView {
    /// A session as shown to the reader whose own session is `current`.
    pub(crate) fn new(session: engine::SessionView, current: Option<&str>) -> Self {
        let engine::SessionView { id, created_at, last_seen_at, expires_at, agent } = session;
        Self { current: current == Some(id.as_str()), id, created_at, last_seen_at, expires_at, agent }
    }
}
