//! The directory in which everybody who takes part is one pool.

use std::collections::BTreeSet;
use switchboard_model::{Case, Directory, Member, Rule, Seat, Target, UserId, WhenNobody, WorkspaceAccess};

/// The directory with these people listed for each of these channels, whatever skill, seat or access they have. Hours,
/// absences and limits stay as they are.
pub(crate) fn pooled(directory: &Directory, people: &BTreeSet<UserId>, slugs: &BTreeSet<&str>) -> Directory {
    let mut pool = directory.clone();
    for user in pool.users.iter_mut().filter(|user| people.contains(&user.id)) {
        (user.seat, user.ticket_access) = (Seat::Service, true);
    }
    for workspace in &mut pool.workspaces {
        workspace.access = WorkspaceAccess::Everyone;
        workspace.seats = vec![Seat::Service];
        workspace.skill_rules.clear();
    }
    for channel in pool.channels.iter_mut().filter(|channel| slugs.contains(channel.slug.as_str())) {
        let members = people.iter().map(|user| Member::User(*user)).collect();
        let case = Case { when_nobody: WhenNobody::Wait, ..Case::new(Target::UsersAndTeams { members }) };
        channel.set_rules(Vec::new(), Some(Rule { on: true, version: directory.version, cases: vec![case] }), directory.version);
    }
    pool
}
