//! What callers hand to the use cases, and what they get back beside the views of the model.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, Address, Attachment, Decision, DecisionView, Explanation, Input, ItemId, ItemKind, ItemRow, ItemSort, ManualStatus,
    Member, MessageId, PersonLoad, Remedy, Role, SkipReason, StatusValue, TeamId, Timestamp, TokenId, UnavailableCause, UserId,
    View, WhyNot, WhyWaiting, WorkType, WorkspaceId,
};

/// Who asks. Role permissions are checked by the API; access to workspaces by the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// For the record.
    pub actor: Actor,
    /// The user, unless a program or the command line asks.
    pub user: Option<UserId>,
    /// Permissions.
    pub role: Role,
}

impl Caller {
    /// The command line and Switchboard itself.
    #[must_use]
    pub const fn system() -> Self {
        Self { actor: Actor::System, user: None, role: Role::Admin }
    }
}

/// A new session.
pub struct SignedIn {
    /// The secret for the cookie, shown once.
    pub secret: SecretString,
    /// Who signed in.
    pub caller: Caller,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

/// A session of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reads.
    Read,
    /// Answers and assigns.
    Write,
    /// Edits the directory.
    Admin,
}

/// A token, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A person's availability and load as the desk shows them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonView {
    /// Status and counted work.
    #[serde(flatten)]
    pub load: PersonLoad,
    /// May get work now, as far as 4.1 goes.
    pub available: bool,
    /// Why not.
    pub cause: Option<UnavailableCause>,
    /// When that changes by itself.
    pub until: Option<Timestamp>,
    /// Limit over all types.
    pub limit: Option<u32>,
    /// Limits per type.
    pub limits: BTreeMap<WorkType, u32>,
    /// Who set the manual status last.
    pub changed_by: Option<Actor>,
    /// The manual status before that, so that it can be reverted in one click (ROUTING 4.3).
    pub previous: Option<ManualStatus>,
}

/// A change of a person's status as it is kept (ROUTING 4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusEntry {
    /// When.
    pub at: Timestamp,
    /// By whom; the system for whoever is set away, or back, by presence (ROUTING 4.4).
    pub actor: Actor,
    /// The status from then on.
    pub status: ManualStatus,
}

/// A list of work items.
#[derive(Clone, Debug)]
pub struct ItemsQuery {
    /// The view.
    pub view: View,
    /// Only this kind.
    pub kind: Option<ItemKind>,
    /// Only this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Order.
    pub sort: ItemSort,
    /// From an earlier page.
    pub cursor: Option<String>,
    /// Rows, at most 200.
    pub limit: u32,
}

/// How many items each view has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Unassigned.
    pub unassigned: u64,
    /// Mine.
    pub mine: u64,
    /// My teams' unassigned.
    pub team_unassigned: u64,
    /// My teams' open.
    pub team_open: u64,
    /// All open.
    pub open: u64,
    /// Closed; always 0, because what is closed is not counted.
    pub closed: u64,
    /// Waiting.
    pub waiting: u64,
    /// Snoozed.
    pub snoozed: u64,
}

/// A change of owner by hand: a user, a team without an owner, or nobody (ROUTING 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// The new owner.
    pub user: Option<UserId>,
    /// The new team; with a user and no team, the team stays.
    pub team: Option<TeamId>,
}

/// A move to another workspace (ROUTING 12.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveWish {
    /// The version that the choice was made on.
    pub version: i64,
    /// Where it goes.
    pub workspace: WorkspaceId,
    /// Have its channel's rule applied there.
    pub route: bool,
}

/// A merge with another item of the same workspace (ROUTING 12.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeWish {
    /// The version that the choice was made on.
    pub version: i64,
    /// The other item.
    pub with: ItemId,
    /// The version of the other item.
    pub with_version: i64,
}

/// What a merge did; it cannot be undone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MergeReport {
    /// The older item, which stays.
    pub survivor: ItemRow,
    /// The newer item, which is closed and says where it went.
    pub merged: ItemRow,
    /// How many messages went over.
    pub messages: u64,
    /// Nobody owned the survivor, so its rule was asked for somebody.
    pub routed: bool,
}

/// Somebody who may be chosen as owner by hand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assignable {
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

/// A reply or note to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// A reply goes to the contact, a note does not.
    pub reply: bool,
    /// Plain text.
    pub text: String,
    /// HTML, cleaned by the engine before it is stored.
    pub html: Option<String>,
    /// Whom a reply goes to; empty for the contact.
    pub to: Vec<Address>,
    /// Copies.
    pub cc: Vec<Address>,
    /// Copies that nobody else sees.
    pub bcc: Vec<Address>,
    /// How long a reply waits, so that its writer can take it back; where the channel can do that.
    pub undo_seconds: u32,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// The last message that the writer saw.
    pub seen_message: Option<MessageId>,
    /// Own an item that nobody owns (ROUTING 2.3).
    pub take: bool,
}

/// How a directory file is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Only say what would change.
    pub dry_run: bool,
    /// Absent entries go.
    pub prune: bool,
}

/// What applying a directory file did or would do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApplyReport {
    /// The directory version in force afterwards.
    pub version: i64,
    /// The differences.
    pub changes: Vec<crate::directory::DirectoryChange>,
}

/// What deactivating a user did or would do (ROUTING 12.5).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deactivation {
    /// The open work that is or would be handed on.
    pub open: Vec<ItemRow>,
    /// The directory version in force afterwards.
    pub version: i64,
}

/// Why an item waits or has no owner, and what would change that.
#[derive(Clone, Debug)]
pub struct WaitingAnswer {
    /// Why.
    pub why: WhyWaiting,
    /// What would make somebody eligible, the soonest first.
    pub remedies: Vec<Remedy>,
    /// Names of the people named above.
    pub names: Names,
}

/// Why a user does not have an item.
#[derive(Clone, Debug)]
pub struct WhyNotAnswer {
    /// Why.
    pub answer: WhyNot,
    /// Names of the people named above.
    pub names: Names,
}

/// One input of the router's log, with what was decided and applied.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// Its consumption number.
    pub no: u64,
    /// When it was consumed.
    pub at: Timestamp,
    /// The input.
    pub input: Input,
    /// The decisions that the database let through.
    pub decisions: Vec<Decision>,
}

/// Names for the ids of an explanation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Names {
    /// Users.
    pub users: BTreeMap<UserId, String>,
    /// Teams.
    pub teams: BTreeMap<TeamId, String>,
    /// The channel whose rule applied.
    pub channel: Option<String>,
    /// The chatflow of the channel that it was, where it has any; `None` is the channel's own rule.
    pub chatflow: Option<String>,
    /// The case within the rule that it was written in, from 0; `None` where that is not known any more, or the chatflow
    /// has no rule in force.
    pub case: Option<u32>,
}

/// A decision, rebuilt from the log with everybody who was looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explained {
    /// The stored decision.
    pub decision: DecisionView,
    /// The candidates; `None` when the log no longer reaches back that far or came from another behaviour version.
    pub explanation: Option<Explanation>,
    /// Names.
    pub names: Names,
}

/// A rule with the directory version it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RuleInForce {
    /// Sent back with changes.
    pub version: i64,
    /// The rule.
    pub rule: Option<switchboard_model::Rule>,
}

/// A member of a rule that can no longer be selected and is skipped (ROUTING 3.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleMember {
    /// The case, counted from 0.
    pub case: u32,
    /// The member.
    pub member: Member,
    /// Why; `None` for a team without any selectable member.
    pub reason: Option<SkipReason>,
}

/// Stored bytes.
pub struct Blob {
    /// File name.
    pub name: String,
    /// Media type as the sender claimed it.
    pub content_type: String,
    /// The bytes.
    pub bytes: bytes::Bytes,
}

/// A status to be set by hand.
#[derive(Clone, Debug)]
pub struct NewStatus {
    /// The status.
    pub value: StatusValue,
    /// Why.
    pub reason: Option<String>,
}

/// How a connected channel is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChannelState {
    /// Started and not failed.
    pub running: bool,
    /// What it last failed with.
    pub error: Option<String>,
    /// When it last took a message in or sent one.
    pub last_event_at: Option<Timestamp>,
}

/// An entry of the audit log.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// Numbers for the metrics page.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Open work items.
    pub open: u64,
    /// Open work items without owner.
    pub unassigned: u64,
    /// Messages waiting to be sent.
    pub outbox: u64,
    /// Messages that were given up.
    pub outbox_failed: u64,
    /// Inputs not yet routed.
    pub unconsumed: u64,
    /// Inputs put aside after a failure of the router.
    pub parked: u64,
    /// Open items that the last sweep of this host found stranded (ROUTING 12.6).
    pub stranded: u64,
    /// How often a sweep found that the router's memory differed from the tables, since this host started.
    pub corrections: u64,
    /// How often this host has swept since it started.
    pub sweeps: u64,
}

/// A row that a search found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchHit {
    /// The item.
    #[serde(flatten)]
    pub row: ItemRow,
    /// The words around the match, as plain text.
    pub snippet: String,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Inputs stepped through.
    pub inputs: u64,
    /// Decisions compared.
    pub decisions: u64,
    /// How many came out different.
    pub differences: u64,
    /// Inputs left out because a router of another behaviour version consumed them.
    pub other_behaviour: u64,
    /// The first differences.
    pub listed: Vec<Difference>,
}

/// A decision that came out different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Consumption number of the input.
    pub no: u64,
    /// As recorded.
    pub then: Option<switchboard_model::Decision>,
    /// As decided now.
    pub now: Option<switchboard_model::Decision>,
}
