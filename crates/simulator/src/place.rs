//! Where an item of a channel is, and how it counts.

use switchboard_model::{ChannelEntry, Directory, ItemKind, LoadGroup, TicketType, WorkType, WorkspaceId, WorkspaceKind};

/// The workspace that a channel feeds, and the group in which its items count there (ROUTING 5.1, 5.2). A workspace that
/// does not exist counts as an inbox.
pub(crate) fn place_of(directory: &Directory, channel: &ChannelEntry) -> (WorkspaceId, LoadGroup) {
    (channel.workspace, group_of(directory, channel.workspace, channel.kind.work_type()))
}

/// The group of a type of work in a workspace.
pub(crate) fn group_of(directory: &Directory, workspace: WorkspaceId, work: WorkType) -> LoadGroup {
    let desk = directory.workspace(workspace).is_some_and(|workspace| workspace.kind == WorkspaceKind::HelpDesk);
    match (desk, work) {
        (true, WorkType::Chat) => TicketType::Messaging.group(),
        (true, WorkType::Mail) => TicketType::EmailOther.group(),
        (true, WorkType::Call) => TicketType::Calling.group(),
        (false, WorkType::Chat) => LoadGroup::InboxChat,
        (false, WorkType::Mail) => LoadGroup::InboxMail,
        (false, WorkType::Call) => LoadGroup::InboxCall,
    }
}

/// What an item of a group is.
pub(crate) const fn item_kind(group: LoadGroup) -> ItemKind {
    if group.is_help_desk() { ItemKind::Ticket } else { ItemKind::Conversation }
}
