//! Who may be named in a rule and who may be given work by hand, as far as the directory alone decides (ROUTING 2.4, 3.1–3.4, 3.9).

use switchboard_model::{
    ChannelId, ChannelKind, Directory, Distribution, Member, Role, SkipReason, TeamId, UserId, WorkspaceId, WorkspaceKind,
};
use thiserror::Error;

/// Why a user may not be made the owner of an item by hand (ROUTING 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AssignRefusal {
    /// No such workspace.
    #[error("the workspace does not exist")]
    UnknownWorkspace,
    /// No such user.
    #[error("the user does not exist")]
    UnknownUser,
    /// Deactivated, or the invitation is not accepted.
    #[error("the user is deactivated or has not accepted the invitation")]
    Inactive,
    /// The workspace is restricted to teams of which the user is no member.
    #[error("the workspace is restricted to teams, and the user is not a member of any of them")]
    NotInTeams,
    /// May not open the workspace or its tickets.
    #[error("the user may not open the workspace")]
    NoAccess,
}

/// Why somebody who is named in a rule cannot be given work by it (ROUTING 3.9).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSelectable {
    /// The user or team does not exist.
    #[error("does not exist")]
    Unknown,
    /// The user is skipped, for the first reason of 3.1 to 3.3.
    #[error("is skipped")]
    User(SkipReason),
    /// The team has no main member.
    #[error("has no main member")]
    EmptyTeam,
    /// No main member of the team is selectable.
    #[error("has no main member who is active, with an accepted seat and with access")]
    NobodyInTeam,
}

/// Somebody who stays in a rule without being selectable any more (ROUTING 3.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleMember {
    /// The channel whose rule names the member.
    pub channel: ChannelId,
    /// The case, counted from 0.
    pub case: u32,
    /// The user or team.
    pub member: Member,
    /// What is wrong.
    pub reason: NotSelectable,
}

/// Whether a rule of this workspace may name the user: the first failing reason of ROUTING 3.1 to 3.3.
///
/// # Errors
/// The reason; an unknown user counts as inactive, an unknown workspace as one without access.
pub fn selectable(_directory: &Directory, _workspace: WorkspaceId, _user: UserId) -> Result<(), SkipReason> {
    todo!()
}

/// Whether a rule of this workspace may name the team: it has a selectable main member (ROUTING 3.9).
///
/// # Errors
/// What is wrong with the team.
pub fn team_selectable(_directory: &Directory, _workspace: WorkspaceId, _team: TeamId) -> Result<(), NotSelectable> {
    todo!()
}

/// Everybody named in a rule who is not selectable, for the settings page (ROUTING 3.9); by channel, case and place.
#[must_use]
pub fn stale_members(_directory: &Directory) -> Vec<StaleMember> {
    todo!()
}

/// Whether the user may be made the owner of an item of the workspace by hand (ROUTING 2.4).
///
/// # Errors
/// The reason to show.
pub fn may_assign_by_hand(_directory: &Directory, _workspace: WorkspaceId, _user: UserId) -> Result<(), AssignRefusal> {
    todo!()
}

/// Whether the role carries the routing permission (ROUTING 7.8); no seat is needed.
#[must_use]
pub fn may_edit_rules(role: Role) -> bool {
    role >= Role::Lead
}

/// The distribution of a case that names none (ROUTING 6.6).
#[must_use]
pub const fn default_distribution(_channel: ChannelKind, _workspace: WorkspaceKind) -> Distribution {
    todo!()
}
