//! What comes in by mail and form is owned by whom the rule says, at once, with the reason at hand.

use crate::support::{SOON, assign, candidates, decided, explanation, id, number, once, owner, set_status, write_in};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use switchboard_channel_testkit::Stopwatch;
use switchboard_tests::{Client, eventually, on_both};

/// Support's people as the contract sees them: load, and a mark that rises with each assignment (5.4).
struct Expected {
    people: BTreeMap<i64, (u32, u32)>,
    marks: u32,
}

impl Expected {
    fn new(people: &[i64]) -> Self {
        Self { people: people.iter().map(|user| (*user, (0, 0))).collect(), marks: 0 }
    }

    /// Whoever is next among some people: least load, then least recently assigned, then lowest id.
    fn next(&mut self, among: &[i64]) -> i64 {
        let rank = |user: &i64| (self.people[user], *user);
        let next = *among.iter().min_by_key(|user| rank(user)).expect("somebody is eligible");
        self.gets(next);
        next
    }

    fn gets(&mut self, user: i64) {
        self.marks += 1;
        let marks = self.marks;
        let person = self.people.get_mut(&user).expect("a member of the team");
        *person = (person.0 + 1, marks);
    }

    fn loses(&mut self, user: i64) {
        self.people.get_mut(&user).expect("a member of the team").0 -= 1;
    }

    fn load(&self, user: i64) -> i64 {
        self.people[&user].0.into()
    }
}

async fn set_availability(client: &Client, user: i64, value: &str) {
    client.put(&format!("/api/v1/users/{user}/availability"), &json!({ "value": value })).await.ok();
}

on_both! {
    async fn r6_1_mail_goes_to_whoever_has_least_to_do_and_ties_to_the_least_recent(site) {
        let host = site.start().await;
        host.routes().await;
        let liv = host.sign_in("liv@example.test").await;
        let team = [liv.user(), liv.user_id("pia@example.test").await, liv.user_id("jan@example.test").await];
        let [_, pia, jan] = team;
        let mut expected = Expected::new(&team);
        let mut items = Vec::new();
        for nth in 0..5 {
            let sent = Stopwatch::start();
            let subject = format!("Parcel {nth}");
            write_in(&host, &format!("customer{nth}@customer.test"), &subject).await;
            let row = decided(&liv, &subject).await;
            assert_eq!(owner(&row), Some(expected.next(&team)), "mail {nth}");
            let late_ms = i64::try_from(sent.elapsed().1.as_millis()).expect("not for long");
            assert!(number(&row, "owned_since") - number(&row, "created_at") <= 1_000 + late_ms, "it took too long: {row}");
            items.push(id(&row));
        }
        // Jan's only item is closed, so Jan has least to do although Liv was served longer ago.
        let of_jan = liv.rows("items?view=open").await.into_iter().find(|row| owner(row) == Some(jan)).expect("Jan has one");
        set_status(&liv, id(&of_jan), "closed").await;
        expected.loses(jan);
        // An assignment by hand counts as well.
        assign(&liv, items[0], Some(pia)).await;
        expected.loses(liv.user());
        expected.gets(pia);
        set_availability(&liv, jan, "away").await;
        write_in(&host, "absent@customer.test", "While Jan is away").await;
        let row = decided(&liv, "While Jan is away").await;
        let loads = team.map(|user| (user, expected.load(user)));
        assert_eq!(owner(&row), Some(expected.next(&[liv.user(), pia])));
        let why = explanation(&liv, id(&row)).await;
        let found: BTreeMap<i64, (i64, String)> =
            candidates(&why).into_iter().map(|(user, load, verdict)| (user, (load, verdict))).collect();
        let wanted = ["chosen", "eligible", "unavailable"];
        let wanted: BTreeMap<i64, (i64, String)> =
            loads.iter().zip(wanted).map(|((user, load), verdict)| (*user, (*load, verdict.to_owned()))).collect();
        assert_eq!(found, wanted, "every candidate is named with load or reason");
        let told = site.command(&["explain", &id(&row).to_string()]).await;
        assert!(told.status.success(), "{told:?}");
        for line in ["Jan Smit: skipped, away", "Liv Moe: rank 1, load 1", "Pia Berg: rank 2, load 3"] {
            assert!(told.stdout.contains(line), "no `{line}` in:\n{}", told.stdout);
        }
        assert_eq!(told.stdout.trim(), why["text"].as_str().unwrap_or_default().trim(), "the same words everywhere");
    }

    async fn r3_4_a_team_stands_for_its_main_members_and_the_first_matching_case_decides(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        write_in(&host, "payer@customer.test", "Faktura 1007").await;
        let row = decided(&liv, "Faktura 1007").await;
        let (tor, mette) = (liv.user_id("tor@example.test").await, liv.user_id("mette@example.test").await);
        assert_eq!(owner(&row), Some(tor));
        let mut looked_at: Vec<(i64, String)> =
            candidates(&explanation(&liv, id(&row)).await).into_iter().map(|(user, _, verdict)| (user, verdict)).collect();
        looked_at.sort_unstable();
        let pia = liv.user_id("pia@example.test").await;
        let wanted = [(pia, "not_main_member"), (tor, "chosen"), (mette, "eligible")];
        assert_eq!(looked_at, wanted.map(|(user, verdict)| (user, verdict.to_owned())));
        let people = liv.get("/api/v1/users").await.ok();
        let loads: Vec<&Value> = people.as_array().into_iter().flatten().filter(|user| user["person"]["open"] != 0).collect();
        assert_eq!(loads.len(), 1, "one person has one item: {loads:?}");
    }

    async fn r5_5_nobody_is_given_more_than_their_limit_and_the_rest_waits_in_sight(mut site) {
        for name in ["Liv Moe", "Pia Berg", "Jan Smit"] {
            site.edit_directory(&format!("name = \"{name}\""), &format!("name = \"{name}\"\ncapacity = {{ total = 2 }}"));
        }
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        for nth in 0..8 {
            write_in(&host, &format!("c{nth}@customer.test"), &format!("Crowd {nth}")).await;
        }
        eventually("everything is decided", SOON, async || {
            let rows = liv.rows("items?view=open&limit=200").await;
            let decided = rows.iter().filter(|row| crate::support::is_decided(row)).count();
            if decided == 8 { Ok(()) } else { Err(format!("{decided} of {}", rows.len())) }
        })
        .await;
        let waiting = liv.rows("items?view=unassigned&limit=200").await;
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        assert!(waiting.iter().all(|row| row["unassigned_reason"] == "nobody_eligible"), "{waiting:?}");
        let reasons = candidates(&explanation(&liv, id(&waiting[0])).await);
        assert!(reasons.len() == 3 && reasons.iter().all(|(_, load, verdict)| *load == 2 && verdict == "at_capacity"), "{reasons:?}");
        let over = site.database.number("SELECT COUNT(*) AS n FROM person WHERE open_total > 2");
        assert_eq!(over, 0, "nobody has more than two");
    }

    async fn a_form_becomes_a_ticket_with_an_owner_or_a_team_as_the_rule_says(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let script = host.stranger();
        let answer = script.submit("kari@customer.test", "order", "Where is it?").await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let conversation = number(&answer.ok(), "conversation");
        let view = once(&liv, conversation, "the ticket has an owner", |view| !view["linked"]["owner"].is_null()).await;
        assert_eq!(view["kind"], "conversation");
        assert_eq!(view["owner"], Value::Null, "in a help desk the ticket is owned (2.3)");
        let ticket = liv.get(&format!("/api/v1/tickets/{}", id(&view["linked"]))).await.ok();
        assert_eq!((&ticket["kind"], &ticket["ticket_type"]), (&json!("ticket"), &json!("email_other")));
        assert_eq!(owner(&ticket), Some(liv.user()));
        let told = site.command(&["explain", &id(&ticket).to_string()]).await;
        assert!(told.stdout.contains("Liv Moe: rank 1, load 0"), "{told:?}");
        let invoice = number(&script.submit("kari@customer.test", "invoice", "Too much!").await.ok(), "conversation");
        let view = once(&liv, invoice, "the ticket has a team", |view| !view["linked"]["team"].is_null()).await;
        assert_eq!(view["linked"]["owner"], Value::Null, "team_only sets no owner (7.1)");
        let tor = host.sign_in("tor@example.test").await;
        let seen: Vec<i64> = tor.rows("items?view=team_unassigned").await.iter().map(id).collect();
        assert_eq!(seen, [id(&view["linked"])]);
        let messages = liv.messages(id(&ticket)).await;
        assert_eq!(messages.len(), 1);
        assert!(messages[0]["text"].as_str().is_some_and(|text| text.contains("Where is it?")), "{messages:?}");
    }
}
