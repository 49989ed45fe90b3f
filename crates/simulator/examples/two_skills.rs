//! What a second skill per person is worth: three teams of four that work apart, beside the same people who also help
//! the next team.
//!
//! `cargo run --release -p switchboard-simulator --example two_skills -- PAGE.html` prints the comparison and writes it
//! as a page.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use switchboard_model::Directory;
use switchboard_simulator::{ChannelTraffic, Durations, Generated, Options, Traffic, compare};

const TEAMS: usize = 3;
const PER_TEAM: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let (today, draft) = (directory(false)?, directory(true)?);
    let hours = [0, 0, 0, 0, 0, 0, 0, 20, 50, 65, 70, 60, 55, 60, 65, 60, 40, 25, 15, 10, 5, 0, 0, 0].map(f64::from);
    let traffic = |kind: usize| ChannelTraffic {
        per_hour: hours.iter().map(|rate| rate * if kind == 0 { 1.05 } else { 0.95 }).collect(),
        service: Durations::LogNormal { mean_s: 170.0, cv: 1.2 },
        patience: Some(Durations::Exponential { mean_s: 600.0 }),
        missed: None,
        mix: Vec::new(),
    };
    let channels: BTreeMap<String, ChannelTraffic> = (0..TEAMS).map(|kind| (format!("chat_{kind}"), traffic(kind))).collect();
    let traffic = Traffic::Generated(Generated { start: "2027-02-01".parse()?, days: 15, channels });
    let mut last = 0;
    let report = compare(&today, &draft, &traffic, &Options::default(), &mut |progress| {
        let tenth = progress.done * 10 / progress.total;
        if tenth > last {
            last = tenth;
            eprintln!("{} of {} runs", progress.done, progress.total);
        }
    })?;
    print!("{}", report.to_text());
    if let Some(file) = std::env::args().nth(1) {
        std::fs::write(&file, report.to_html())?;
        eprintln!("written to {file}");
    }
    Ok(())
}

/// The centre; with `helping`, everybody is also asked for the work of the next team.
fn directory(helping: bool) -> Result<Directory, serde_json::Error> {
    let user = |index: usize| {
        json!({
            "id": 100 + index, "email": format!("person{index}@example.org"), "name": format!("Person {}", index + 1),
            "role": "agent", "seat": "service", "active": true, "accepted": true, "ticket_access": true, "team": null,
            "extra_teams": [], "zone": "UTC", "hours": [], "out_of_office": [], "capacity": {"total": 1}, "language": null,
        })
    };
    let of_team = |team: usize| (0..PER_TEAM).map(move |place| json!({"user": 100 + team * PER_TEAM + place}));
    let channel = |kind: usize| {
        let next = helping.then(|| of_team((kind + 1) % TEAMS)).into_iter().flatten();
        let members: Vec<Value> = of_team(kind).chain(next).collect();
        let case = json!({
            "target": {"kind": "users_and_teams", "members": members}, "only_available": true, "when_nobody": "wait",
            "outside_hours": "route",
        });
        json!({
            "id": 10 + kind, "slug": format!("chat_{kind}"), "name": format!("Chat {}", kind + 1), "kind": "chat",
            "workspace": 1, "on": true, "zone": "UTC", "hours": [], "reopen_owner": "keep",
            "rule": {"on": true, "version": 1, "cases": [case]},
        })
    };
    serde_json::from_value(json!({
        "version": if helping { 2 } else { 1 }, "last_id": 1_000, "teams": [], "zones": {},
        "users": (0..TEAMS * PER_TEAM).map(user).collect::<Vec<_>>(),
        "workspaces": [{
            "id": 1, "slug": "inbox", "name": "Inbox", "kind": "inbox", "access": {"kind": "everyone"}, "seats": ["service"],
            "close_together": true, "reassign_limited": false,
        }],
        "channels": (0..TEAMS).map(channel).collect::<Vec<_>>(),
    }))
}
