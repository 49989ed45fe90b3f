//! Who may be named in a rule and who may be given work by hand, as far as the directory alone decides (ROUTING 2.4, 3.1–3.4, 3.9).

use switchboard_model::{
    ChannelId, ChannelKind, Directory, Distribution, Fallback, Member, Role, Seat, SkipReason, Target, TeamId, User, UserId,
    WorkType, Workspace, WorkspaceAccess, WorkspaceId, WorkspaceKind,
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
    #[error("{}", skip_words(.0))]
    User(SkipReason),
    /// The team has no main member.
    #[error("has no main member")]
    EmptyTeam,
    /// No main member of the team is selectable.
    #[error("has no main member who is active, with an accepted seat and with access")]
    NobodyInTeam,
    /// No member of the team, main or extra, is active with an accepted seat; for a target of the team alone.
    #[error("has no active member with an accepted seat")]
    NobodyWithSeat,
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

/// The first reason of ROUTING 3.1 to 3.3 to skip a user in a workspace.
pub(crate) fn standing(user: &User, workspace: &Workspace) -> Result<(), SkipReason> {
    if !user.is_active() {
        return Err(SkipReason::Inactive);
    }
    if !has_seat(user, workspace) {
        return Err(SkipReason::NoSeat);
    }
    if workspace.may_open(user) { Ok(()) } else { Err(SkipReason::NoAccess) }
}

/// Whether the workspace accepts the user's seat (ROUTING 3.2). Having none is never accepted.
pub(crate) fn has_seat(user: &User, workspace: &Workspace) -> bool {
    user.seat != Seat::None && workspace.seats.contains(&user.seat)
}

/// Whether a rule of this workspace may name the user: the first failing reason of ROUTING 3.1 to 3.3.
///
/// # Errors
/// The reason; an unknown user counts as inactive, an unknown workspace as one without access.
pub fn selectable(directory: &Directory, workspace: WorkspaceId, user: UserId) -> Result<(), SkipReason> {
    let user = directory.user(user).ok_or(SkipReason::Inactive)?;
    let workspace = directory.workspace(workspace).ok_or(SkipReason::NoAccess)?;
    standing(user, workspace)
}

/// Whether a rule of this workspace may name the team: it has a selectable main member (ROUTING 3.9).
///
/// # Errors
/// What is wrong with the team.
pub fn team_selectable(directory: &Directory, workspace: WorkspaceId, team: TeamId) -> Result<(), NotSelectable> {
    if directory.team(team).is_none() {
        return Err(NotSelectable::Unknown);
    }
    let mut members = directory.main_members(team).peekable();
    if members.peek().is_none() {
        return Err(NotSelectable::EmptyTeam);
    }
    let workspace = directory.workspace(workspace);
    let usable = members.any(|user| workspace.is_some_and(|workspace| standing(user, workspace).is_ok()));
    if usable { Ok(()) } else { Err(NotSelectable::NobodyInTeam) }
}

/// Whether a `team_only` target of this workspace may name the team: an active member with an accepted seat, main
/// or extra (ROUTING 7.1).
///
/// # Errors
/// What is wrong with the team.
pub(crate) fn team_usable(directory: &Directory, workspace: WorkspaceId, team: TeamId) -> Result<(), NotSelectable> {
    if directory.team(team).is_none() {
        return Err(NotSelectable::Unknown);
    }
    let workspace = directory.workspace(workspace);
    let mut members = directory.users.iter().filter(|user| user.is_member(team));
    let usable = members.any(|user| user.is_active() && workspace.is_some_and(|workspace| has_seat(user, workspace)));
    if usable { Ok(()) } else { Err(NotSelectable::NobodyWithSeat) }
}

/// Everybody named in a rule who is not selectable, for the settings page (ROUTING 3.9); by channel, case and place.
#[must_use]
pub fn stale_members(directory: &Directory) -> Vec<StaleMember> {
    let mut stale = Vec::new();
    for channel in &directory.channels {
        for (case, target) in (0..).zip(channel.rule.iter().flat_map(|rule| &rule.cases).map(|case| &case.target)) {
            for (member, reason) in unselectable(directory, channel.workspace, target) {
                stale.push(StaleMember { channel: channel.id, case, member, reason });
            }
        }
    }
    stale
}

/// Everybody whom a target names and who is not selectable, with the reason.
pub(crate) fn unselectable(directory: &Directory, workspace: WorkspaceId, target: &Target) -> Vec<(Member, NotSelectable)> {
    let team_only = matches!(target, Target::TeamOnly { .. });
    let fault = |member: &Member| match member {
        Member::User(user) if directory.user(*user).is_none() => Err(NotSelectable::Unknown),
        Member::User(user) => selectable(directory, workspace, *user).map_err(NotSelectable::User),
        Member::Team(team) if team_only => team_usable(directory, workspace, *team),
        Member::Team(team) => team_selectable(directory, workspace, *team),
    };
    named(target).into_iter().filter_map(|member| Some((member, fault(&member).err()?))).collect()
}

/// Everybody whom a target names, in order.
pub(crate) fn named(target: &Target) -> Vec<Member> {
    match target {
        Target::Nobody => Vec::new(),
        Target::TeamOnly { team } => vec![Member::Team(*team)],
        Target::UsersAndTeams { members } => members.clone(),
        Target::ContactOwner { fallback, .. } | Target::Assistant { if_cannot_answer: fallback } => match fallback {
            Fallback::Nobody => Vec::new(),
            Fallback::User { user } => vec![Member::User(*user)],
            Fallback::UsersAndTeams { members } => members.clone(),
        },
    }
}

/// Whether the user may be made the owner of an item of the workspace by hand (ROUTING 2.4): an active user who may
/// open it, and where it is restricted to teams, a main or extra member of one of them. No seat is needed.
///
/// # Errors
/// The reason to show.
pub fn may_assign_by_hand(directory: &Directory, workspace: WorkspaceId, user: UserId) -> Result<(), AssignRefusal> {
    let workspace = directory.workspace(workspace).ok_or(AssignRefusal::UnknownWorkspace)?;
    let user = directory.user(user).ok_or(AssignRefusal::UnknownUser)?;
    if !user.is_active() {
        return Err(AssignRefusal::Inactive);
    }
    if let WorkspaceAccess::Restricted { teams, .. } = &workspace.access
        && !teams.is_empty()
        && !teams.iter().any(|team| user.is_member(*team))
    {
        return Err(AssignRefusal::NotInTeams);
    }
    if workspace.may_open(user) { Ok(()) } else { Err(AssignRefusal::NoAccess) }
}

/// Whether the role carries the routing permission (ROUTING 7.8); no seat is needed.
#[must_use]
pub fn may_edit_rules(role: Role) -> bool {
    role >= Role::Lead
}

/// The distribution of a case that names none (ROUTING 6.6). Calls go to the longest idle wherever they lead.
#[must_use]
pub const fn default_distribution(channel: ChannelKind, workspace: WorkspaceKind) -> Distribution {
    match (channel.work_type(), workspace) {
        (WorkType::Call, _) => Distribution::LongestIdle,
        (_, WorkspaceKind::HelpDesk) => Distribution::LoadBalanced,
        (WorkType::Mail, WorkspaceKind::Inbox) => Distribution::Random,
        (WorkType::Chat, WorkspaceKind::Inbox) => Distribution::LeastBusy,
    }
}

/// The reasons of ROUTING 3.1 to 3.3 in words, to stand behind a name.
const fn skip_words(reason: &SkipReason) -> &'static str {
    match reason {
        SkipReason::Inactive => "is deactivated or has not accepted the invitation",
        SkipReason::NoSeat => "has no seat that the workspace accepts",
        SkipReason::NoAccess => "may not open the workspace or its tickets",
        _ => "cannot be given work",
    }
}
