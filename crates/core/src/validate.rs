//! Faults of a directory, all at once (ROUTING 3.9, 7.7).

mod chatflows;
mod entries;
mod implied;
mod never;
mod rules;
mod skills;

use std::collections::BTreeSet;
use switchboard_model::{ChannelEntry, ChannelId, Chatflow, Directory, Fault, TeamId, UserId};

pub use never::never;
pub use skills::skill_uses;

/// Every fault of the directory: its structure, and every rule as on save. Keys speak in the terms of the
/// directory file.
#[must_use]
pub fn validate(directory: &Directory) -> Vec<Fault> {
    let mut faults = validate_structure(directory);
    for channel in &directory.channels {
        faults.extend(rules::people(directory, channel, |_| true));
    }
    faults
}

/// The faults that no directory version may have: names, references, hours, limits, shapes of rules. A user
/// who is named in a rule and lost the seat is none of them (ROUTING 3.9: stays, is marked, is skipped).
#[must_use]
pub fn validate_structure(directory: &Directory) -> Vec<Fault> {
    let mut faults = entries::all(directory);
    faults.extend(skills::all(directory));
    for channel in &directory.channels {
        faults.extend(rules::shape(directory, channel));
    }
    faults
}

/// What refuses the rules of one channel on save (ROUTING 7.7); empty for an unknown channel or no rule.
#[must_use]
pub fn validate_rule(directory: &Directory, channel: ChannelId) -> Vec<Fault> {
    let Some(entry) = directory.channels.iter().find(|entry| entry.id == channel) else { return Vec::new() };
    let mut faults = rules::shape(directory, entry);
    faults.extend(rules::people(directory, entry, |_| true));
    faults
}

/// Who is named in rules of one channel and cannot be given work by them (ROUTING 3.9), in those that `is_asked` says:
/// `None` is the channel's own rule, the others are chatflows by slug.
#[must_use]
pub fn validate_people(directory: &Directory, channel: ChannelId, is_asked: impl Fn(Option<&str>) -> bool) -> Vec<Fault> {
    let channel = directory.channels.iter().find(|entry| entry.id == channel);
    channel.map_or_else(Vec::new, |channel| rules::people(directory, channel, is_asked))
}

/// The key of the cases of a channel's own rule, or of a chatflow's.
fn cases_key(channel: &ChannelEntry, chatflow: Option<&Chatflow>) -> String {
    let within = chatflow.map_or_else(String::new, |flow| format!("chatflows.{}.", flow.slug));
    format!("channels.{}.{within}rule.cases", channel.slug)
}

/// How a user is named in keys and messages.
fn user_name(directory: &Directory, id: UserId) -> String {
    let user = directory.users.iter().find(|user| user.id == id);
    user.map_or_else(|| format!("user {id}"), |user| user.email.clone())
}

/// How a team is named in keys and messages.
fn team_name(directory: &Directory, id: TeamId) -> String {
    let team = directory.teams.iter().find(|team| team.id == id);
    team.map_or_else(|| format!("team {id}"), |team| team.slug.clone())
}

/// The positions at which a value stands that stood before.
fn repeated<T: Ord + Clone>(values: impl IntoIterator<Item = T>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    values.into_iter().enumerate().filter(|(_, value)| !seen.insert(value.clone())).map(|(position, _)| position).collect()
}
