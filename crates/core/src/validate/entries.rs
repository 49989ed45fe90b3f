//! Faults of users, teams, workspaces and channels, apart from rules.

use super::{repeated, team_name, user_name};
use crate::calendar::read_zone;
use std::collections::BTreeSet;
use switchboard_model::{
    ChannelEntry, Directory, Fault, Seat, Sla, Team, TeamId, User, UserId, WeeklyHours, Workspace, WorkspaceAccess,
};

/// The highest limit that can be set; whoever needs more sets none.
const MAX_LIMIT: u32 = 100_000;
/// The longest time without a desk after which somebody counts as away: a day.
const MAX_AWAY_AFTER_MIN: u32 = 24 * 60;
/// The greatest age at which items stop using capacity.
const MAX_AGE_DAYS: u32 = 3_650;
/// The longest service target: a year of minutes.
const MAX_TARGET_MIN: u32 = 366 * 1440;
/// The most spans of hours that a person or a channel can have.
const MAX_SPANS: usize = 100;
/// The most dates of a holiday calendar.
const MAX_HOLIDAYS: usize = 5_000;
/// The longest name, slug or address, in characters.
const MAX_NAME_CHARS: usize = 200;
/// Languages of the desk.
const LANGUAGES: [&str; 4] = ["en", "nl", "nb", "da"];

/// Every fault of the entries themselves.
pub(super) fn all(directory: &Directory) -> Vec<Fault> {
    let mut faults = Vec::new();
    identities(directory, &mut faults);
    let zones: BTreeSet<&str> = directory
        .zones
        .iter()
        .filter_map(|(name, data)| match read_zone(name, data) {
            Some(_) => Some(name.as_str()),
            None => {
                faults.push(Fault::new(format!("zones.\"{name}\""), "the stored data of this time zone cannot be read"));
                None
            }
        })
        .collect();
    for (key, dates) in &directory.holidays {
        let at = format!("holidays.\"{key}\"");
        slug(&at, key, &mut faults);
        if dates.len() > MAX_HOLIDAYS {
            faults.push(Fault::new(&at, format!("{} dates, {MAX_HOLIDAYS} at most", dates.len())));
        }
    }
    let check = Check { directory, zones };
    for user in &directory.users {
        check.user(user, &mut faults);
    }
    for team in &directory.teams {
        check.team(team, &mut faults);
    }
    for workspace in &directory.workspaces {
        check.workspace(workspace, &mut faults);
    }
    for channel in &directory.channels {
        check.channel(channel, &mut faults);
    }
    faults
}

/// Ids, emails and slugs: well-formed, each once, lists in order of ids.
fn identities(directory: &Directory, faults: &mut Vec<Fault>) {
    list("users", "email", directory.users.iter().map(|user| (user.id.0, user.email.to_lowercase())), directory, faults);
    list("teams", "slug", directory.teams.iter().map(|team| (team.id.0, team.slug.clone())), directory, faults);
    let workspaces = directory.workspaces.iter().map(|workspace| (workspace.id.0, workspace.slug.clone()));
    list("workspaces", "slug", workspaces, directory, faults);
    list("channels", "slug", directory.channels.iter().map(|channel| (channel.id.0, channel.slug.clone())), directory, faults);
}

pub(super) fn list(
    kind: &str,
    key: &str,
    entries: impl Iterator<Item = (i64, String)> + Clone,
    directory: &Directory,
    faults: &mut Vec<Fault>,
) {
    let names: Vec<String> = entries.clone().map(|(_, name)| name).collect();
    let ids: Vec<i64> = entries.map(|(id, _)| id).collect();
    for position in repeated(&names) {
        let name = &names[position];
        faults.push(Fault::new(format!("{kind}.\"{name}\""), format!("the {key} `{name}` is used twice, each must be unique")));
    }
    for (position, (id, name)) in ids.iter().zip(&names).enumerate() {
        if *id < 1 || *id > directory.last_id {
            let message = format!("the id {id} was never given out, ids go from 1 to {}", directory.last_id);
            faults.push(Fault::new(format!("{kind}.\"{name}\".id"), message));
        }
        if position > 0 && *id <= ids[position - 1] {
            faults.push(Fault::new(format!("{kind}.\"{name}\".id"), "entries must stand in ascending order of unique ids"));
        }
    }
}

struct Check<'a> {
    directory: &'a Directory,
    /// Names of the zones whose data can be read.
    zones: BTreeSet<&'a str>,
}

impl Check<'_> {
    fn user(&self, user: &User, faults: &mut Vec<Fault>) {
        let at = format!("users.\"{}\"", user.email);
        let local_and_domain = user.email.split_once('@');
        if local_and_domain.is_none_or(|(local, domain)| local.is_empty() || domain.is_empty() || domain.contains('@'))
            || user.email.chars().any(|c| c.is_whitespace() || c.is_control())
            || user.email.chars().count() > MAX_NAME_CHARS
        {
            faults.push(Fault::new(&at, format!("`{}` is not an email address", user.email)));
        }
        if user.email.chars().any(char::is_uppercase) {
            faults.push(Fault::new(&at, format!("the email address `{}` must be in lower case", user.email)));
        }
        name(&at, &user.name, faults);
        self.known_team(&format!("{at}.team"), user.team, faults);
        for (index, team) in user.extra_teams.iter().enumerate() {
            self.known_team(&format!("{at}.extra_teams[{index}]"), Some(*team), faults);
            if user.team == Some(*team) {
                let message = format!("`{}` is the main team already", team_name(self.directory, *team));
                faults.push(Fault::new(format!("{at}.extra_teams[{index}]"), message));
            }
        }
        for index in repeated(&user.extra_teams) {
            let team = team_name(self.directory, user.extra_teams[index]);
            faults.push(Fault::new(format!("{at}.extra_teams[{index}]"), format!("the team `{team}` is named twice")));
        }
        self.hours(&at, &user.zone, &user.hours, faults);
        self.holidays(&at, &user.holidays, faults);
        for (index, period) in user.out_of_office.iter().enumerate() {
            if period.from >= period.to {
                faults.push(Fault::new(format!("{at}.out_of_office[{index}]"), "the absence must end after it begins"));
            }
        }
        capacity(&at, user, faults);
        if let Some(days) = user.capacity.leave_out.older_than_days.filter(|days| !(1..=MAX_AGE_DAYS).contains(days)) {
            let message = format!("{days} days; 1 to {MAX_AGE_DAYS} are allowed, leave it out to count items of any age");
            faults.push(Fault::new(format!("{at}.capacity.leave_out.older_than_days"), message));
        }
        if let Some(language) = user.language.as_deref().filter(|language| !LANGUAGES.contains(language)) {
            faults.push(Fault::unknown(format!("{at}.language"), "language", language, LANGUAGES));
        }
    }

    fn team(&self, team: &Team, faults: &mut Vec<Fault>) {
        let at = format!("teams.\"{}\"", team.slug);
        slug(&at, &team.slug, faults);
        name(&at, &team.name, faults);
        self.known_team(&format!("{at}.parent"), team.parent, faults);
        let minutes = team.presence.map(|presence| presence.away_after_min);
        if let Some(minutes) = minutes.filter(|minutes| !(1..=MAX_AWAY_AFTER_MIN).contains(minutes)) {
            let message =
                format!("{minutes} minutes; 1 to {MAX_AWAY_AFTER_MIN} are allowed, leave it out to switch presence off");
            faults.push(Fault::new(format!("{at}.presence.away_after_min"), message));
        }
        if self.is_own_ancestor(team) {
            faults.push(Fault::new(format!("{at}.parent"), "the team is its own parent, directly or through others"));
        }
    }

    fn is_own_ancestor(&self, team: &Team) -> bool {
        let mut seen = BTreeSet::new();
        let mut parent = team.parent;
        while let Some(id) = parent {
            if id == team.id {
                return true;
            }
            if !seen.insert(id) {
                return false;
            }
            parent = self.directory.teams.iter().find(|team| team.id == id).and_then(|team| team.parent);
        }
        false
    }

    fn workspace(&self, workspace: &Workspace, faults: &mut Vec<Fault>) {
        let at = format!("workspaces.\"{}\"", workspace.slug);
        slug(&at, &workspace.slug, faults);
        name(&at, &workspace.name, faults);
        if workspace.seats.is_empty() || workspace.seats.contains(&Seat::None) {
            faults.push(Fault::new(format!("{at}.seats"), "must name `sales`, `service` or both"));
        }
        for index in repeated(&workspace.seats) {
            faults.push(Fault::new(
                format!("{at}.seats[{index}]"),
                format!("the seat `{}` is named twice", workspace.seats[index]),
            ));
        }
        if let Some(sla) = &workspace.sla {
            self.sla(&format!("{at}.sla"), sla, faults);
        }
        if let WorkspaceAccess::Restricted { users, teams } = &workspace.access {
            if users.is_empty() && teams.is_empty() {
                faults.push(Fault::new(
                    format!("{at}.access"),
                    "restricted to nobody; name users or teams, or open it to everyone",
                ));
            }
            for (index, user) in users.iter().enumerate() {
                self.known_user(&format!("{at}.access.users[{index}]"), *user, faults);
            }
            for (index, team) in teams.iter().enumerate() {
                self.known_team(&format!("{at}.access.teams[{index}]"), Some(*team), faults);
            }
            for index in repeated(users) {
                let message = format!("`{}` is named twice", user_name(self.directory, users[index]));
                faults.push(Fault::new(format!("{at}.access.users[{index}]"), message));
            }
            for index in repeated(teams) {
                let message = format!("the team `{}` is named twice", team_name(self.directory, teams[index]));
                faults.push(Fault::new(format!("{at}.access.teams[{index}]"), message));
            }
        }
    }

    /// Targets of a sensible size, and a clock that can be read.
    fn sla(&self, at: &str, sla: &Sla, faults: &mut Vec<Fault>) {
        let targets =
            [("first_reply_min", sla.first_reply_min), ("next_reply_min", sla.next_reply_min), ("close_min", sla.close_min)];
        if targets.iter().all(|(_, minutes)| minutes.is_none()) {
            faults.push(Fault::new(at, "names no target; set `first_reply_min`, `next_reply_min` or `close_min`"));
        }
        for (key, minutes) in targets.iter().filter_map(|(key, minutes)| Some((key, (*minutes)?))) {
            if !(1..=MAX_TARGET_MIN).contains(&minutes) {
                let message = format!("{minutes} minutes; 1 to {MAX_TARGET_MIN} are allowed, leave it out to set no target");
                faults.push(Fault::new(format!("{at}.{key}"), message));
            }
        }
        if !sla.hours.0.is_empty() || !sla.holidays.is_empty() {
            self.hours(at, &sla.zone, &sla.hours, faults);
        }
        self.holidays(at, &sla.holidays, faults);
    }

    fn channel(&self, channel: &ChannelEntry, faults: &mut Vec<Fault>) {
        let at = format!("channels.{}", channel.slug);
        slug(&at, &channel.slug, faults);
        name(&at, &channel.name, faults);
        if !self.directory.workspaces.iter().any(|workspace| workspace.id == channel.workspace) {
            let known = self.directory.workspaces.iter().map(|workspace| workspace.slug.as_str());
            faults.push(Fault::unknown(format!("{at}.workspace"), "workspace", &channel.workspace.to_string(), known));
        }
        self.hours(&at, &channel.zone, &channel.hours, faults);
        self.holidays(&at, &channel.holidays, faults);
    }

    fn holidays(&self, at: &str, named: &[String], faults: &mut Vec<Fault>) {
        for (index, name) in named.iter().enumerate().filter(|(_, name)| !self.directory.holidays.contains_key(*name)) {
            let known = self.directory.holidays.keys().map(String::as_str);
            faults.push(Fault::unknown(format!("{at}.holidays[{index}]"), "holiday calendar", name, known));
        }
    }

    fn hours(&self, at: &str, zone: &str, hours: &WeeklyHours, faults: &mut Vec<Fault>) {
        if !self.zones.contains(zone) && !self.directory.zones.contains_key(zone) {
            let message = format!("unknown time zone `{zone}`, write one such as `Europe/Oslo`");
            faults.push(Fault::new(format!("{at}.zone"), message));
        }
        if hours.0.len() > MAX_SPANS {
            faults.push(Fault::new(format!("{at}.hours"), format!("{} spans of hours, {MAX_SPANS} at most", hours.0.len())));
        }
        for (index, span) in hours.0.iter().enumerate() {
            if span.from_minute >= 1440 || !(1..=1440).contains(&span.to_minute) {
                let message = format!("`{span}` does not start between 00:00 and 23:59 and end between 00:01 and 24:00");
                faults.push(Fault::new(format!("{at}.hours[{index}]"), message));
            }
        }
    }

    fn known_user(&self, key: &str, user: UserId, faults: &mut Vec<Fault>) {
        if !self.directory.users.iter().any(|known| known.id == user) {
            let known = self.directory.users.iter().map(|user| user.email.as_str());
            faults.push(unknown_id(key, "user", user.0, known));
        }
    }

    fn known_team(&self, key: &str, team: Option<TeamId>, faults: &mut Vec<Fault>) {
        if let Some(team) = team
            && !self.directory.teams.iter().any(|known| known.id == team)
        {
            faults.push(unknown_id(key, "team", team.0, self.directory.teams.iter().map(|team| team.slug.as_str())));
        }
    }
}

/// A fault for an id that names nothing, which only a program can have written.
fn unknown_id<'a>(key: &str, what: &str, id: i64, known: impl Iterator<Item = &'a str>) -> Fault {
    let mut known: Vec<&str> = known.take(21).collect();
    let more = if known.len() > 20 { known.pop().map_or("", |_| " and others") } else { "" };
    let hint = if known.is_empty() { "there is none yet".to_owned() } else { format!("known are {}{more}", known.join(", ")) };
    Fault::new(key, format!("unknown {what} with id {id}; {hint}"))
}

pub(super) fn slug(at: &str, slug: &str, faults: &mut Vec<Fault>) {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if slug.is_empty() || !slug.chars().all(fits) || slug.len() > MAX_NAME_CHARS {
        faults.push(Fault::new(at, format!("`{slug}` is no slug; use lower-case letters, digits and underscores")));
    }
}

pub(super) fn name(at: &str, name: &str, faults: &mut Vec<Fault>) {
    if name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS {
        faults.push(Fault::new(format!("{at}.name"), format!("must have 1 to {MAX_NAME_CHARS} characters")));
    }
}

fn capacity(at: &str, user: &User, faults: &mut Vec<Fault>) {
    let total = user.capacity.total.map(|limit| (String::from("total"), limit));
    let per_type = user.capacity.per_type.iter().map(|(work, limit)| (format!("per_type.{work}"), *limit));
    let weights = user.capacity.weights.iter().flat_map(|weights| {
        let each = weights.per_type.iter().map(|(work, weight)| (format!("weights.per_type.{work}"), *weight));
        std::iter::once((String::from("weights.limit"), weights.limit)).chain(each)
    });
    for (key, limit) in total.into_iter().chain(per_type).chain(weights).filter(|(_, limit)| *limit > MAX_LIMIT) {
        let message = format!("{limit} is above {MAX_LIMIT}; leave the limit out to set none");
        faults.push(Fault::new(format!("{at}.capacity.{key}"), message));
    }
}
