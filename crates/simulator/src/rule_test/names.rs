//! From the names in a test case to the entries of a directory, with every name that is not known.

use crate::rule_test::explain::team_name;
use crate::rule_test::{Expect, person};
use crate::zone::Zone;
use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer};
use switchboard_model::{ChannelEntry, Directory, Fault, TeamId, Timestamp, UnassignedReason, UserId};

/// When a test case happens that says nothing of it.
const MOMENT: &str = "2027-02-01 10:00";

/// Looks names up for one test case, and gathers what is wrong with it.
pub(crate) struct Names<'a> {
    directory: &'a Directory,
    index: usize,
    pub faults: Vec<Fault>,
}

/// What should come out, with its names looked up.
pub(crate) enum Expected {
    Owner {
        users: Vec<UserId>,
        team: Option<TeamId>,
    },
    Team(TeamId),
    /// For this reason, or for any.
    Unassigned(Option<UnassignedReason>),
    Waits,
}

impl<'a> Names<'a> {
    pub(crate) const fn new(directory: &'a Directory, index: usize) -> Self {
        Self { directory, index, faults: Vec::new() }
    }

    pub(crate) const fn directory(&self) -> &'a Directory {
        self.directory
    }

    pub(crate) fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(self.key(key), message));
    }

    fn key(&self, key: &str) -> String {
        format!("test[{}].{key}", self.index)
    }

    pub(crate) fn channel(&mut self, slug: &str) -> Option<&'a ChannelEntry> {
        let found = self.directory.channel_by_slug(slug);
        if found.is_none() {
            let known = self.directory.channels.iter().map(|channel| channel.slug.as_str());
            self.faults.push(Fault::unknown(self.key("channel"), "channel", slug, known));
        }
        found
    }

    pub(crate) fn user(&mut self, key: &str, email: &str) -> Option<UserId> {
        let found = self.directory.user_by_email(email);
        if found.is_none() {
            let known = self.directory.users.iter().map(|user| user.email.as_str());
            self.faults.push(Fault::unknown(self.key(key), "user", email, known));
        }
        found.map(|user| user.id)
    }

    pub(crate) fn fact(&mut self, name: &str) {
        if !switchboard_model::FactField(name.to_owned()).is_known() {
            let known = switchboard_model::FactField::FIXED.iter().copied();
            self.faults.push(Fault::unknown(self.key("facts"), "fact", name, known));
        }
    }

    fn team(&mut self, slug: &str) -> Option<TeamId> {
        let found = self.directory.teams.iter().find(|team| team.slug == slug);
        if found.is_none() {
            let known = self.directory.teams.iter().map(|team| team.slug.as_str());
            self.faults.push(Fault::unknown(self.key("expect.team"), "team", slug, known));
        }
        found.map(|team| team.id)
    }

    /// The moment of a test case, in the zone of its channel where it names no other.
    pub(crate) fn moment(&mut self, at: Option<&str>, channel: &ChannelEntry) -> Option<Timestamp> {
        let text = at.unwrap_or(MOMENT);
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(instant.as_millisecond()));
        }
        let zone = Zone::of(&[self.directory], &channel.zone);
        let found = text.parse::<DateTime>().ok().and_then(|local| zone.instant(local));
        if found.is_none() {
            let message = format!("`{text}` is no moment like `2027-02-01 09:30` or `2027-02-01T09:30:00+01:00`");
            self.fault("at", message);
        }
        found
    }

    /// What should come out; a fault unless exactly one thing is asked for.
    pub(crate) fn expected(&mut self, expect: &Expect) -> Option<Expected> {
        let owner = expect.owner.iter().map(|email| ("expect.owner", email));
        let people = owner.chain(expect.one_of.iter().map(|email| ("expect.one_of", email)));
        let users: Vec<Option<UserId>> = people.map(|(key, email)| self.user(key, email)).collect();
        let team = expect.team.as_ref().map(|slug| self.team(slug));
        let asked = [expect.owner.is_some(), !expect.one_of.is_empty(), expect.unassigned.is_some(), expect.waits];
        let count = asked.into_iter().filter(|asked| *asked).count();
        if count > 1 || (count == 0 && team.is_none()) || (team.is_some() && (expect.unassigned.is_some() || expect.waits)) {
            let message = "says one of `owner`, `one_of`, `team`, `unassigned` and `waits`; a team may stand beside people";
            self.fault("expect", message);
            return None;
        }
        if let Some(word) = &expect.unassigned {
            return self.reason(word).map(Expected::Unassigned);
        }
        if expect.waits {
            return Some(Expected::Waits);
        }
        let team = match team {
            Some(None) => return None,
            Some(found) => found,
            None => None,
        };
        match team {
            Some(team) if users.is_empty() => Some(Expected::Team(team)),
            _ => users.into_iter().collect::<Option<Vec<UserId>>>().map(|users| Expected::Owner { users, team }),
        }
    }

    /// A reason, or any.
    fn reason(&mut self, word: &str) -> Option<Option<UnassignedReason>> {
        if word == "any" {
            return Some(None);
        }
        let found = word.parse().ok();
        if found.is_none() {
            let known = UnassignedReason::ALL.iter().map(|reason| reason.as_str()).chain(["any"]);
            self.faults.push(Fault::unknown(self.key("expect.unassigned"), "reason", word, known));
        }
        found.map(Some)
    }
}

impl Expected {
    pub(crate) fn text(&self, directory: &Directory) -> String {
        match self {
            Self::Owner { users, team } => {
                let names: Vec<String> = users.iter().map(|user| person(directory, *user)).collect();
                let through = team.map_or_else(String::new, |team| format!(" through {}", team_name(directory, team)));
                format!("{}{through}", names.join(" or "))
            }
            Self::Team(team) => format!("{} without an owner", team_name(directory, *team)),
            Self::Unassigned(Some(reason)) => format!("nobody, because of `{reason}`"),
            Self::Unassigned(None) => "nobody".to_owned(),
            Self::Waits => "the item to wait".to_owned(),
        }
    }
}

/// A moment as text or as a date and time of TOML, which comes as a table of one entry.
pub(crate) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Moment {
        Text(String),
        Toml {
            #[serde(rename = "$__toml_private_datetime")]
            text: String,
        },
    }
    let (Moment::Text(text) | Moment::Toml { text }) = Moment::deserialize(deserializer)?;
    Ok(Some(text))
}
