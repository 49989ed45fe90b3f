//! Working by hand over the API, under the rules of ROUTING 2 and 12.

use crate::support::{SOON, assign, candidates, decided, explanation, id, is_decided, number, once, owner, set_status, write_in};
use reqwest::Method;
use serde_json::{Value, json};
use switchboard_tests::{Client, Host, Mail, deliver, eventually, on_both};

/// One mail, owned by Liv, who was the first in the tie.
async fn one_item(host: &Host, liv: &Client) -> Value {
    write_in(host, "maja@customer.test", "Where is my parcel?").await;
    let row = decided(liv, "Where is my parcel?").await;
    assert_eq!(owner(&row), Some(liv.user()));
    row
}

/// A further mail in the thread that [`one_item`] began.
fn further(text: &str) -> Mail {
    Mail::new("maja@customer.test", "support@example.test", "Re: Where is my parcel?", text)
        .with("In-Reply-To", "<Where-is-my-parcel-@customer.test>")
        .with("Message-ID", &format!("<{}@customer.test>", text.replace(' ', "-")))
}

async fn take_in(host: &Host, mail: &Mail) {
    let reply = deliver(host.mailbox("support"), mail).await;
    assert_eq!(reply.code, 250, "{reply:?}");
}

on_both! {
    async fn r2_6_the_second_of_two_people_gets_a_conflict_with_the_present_state(site) {
        let host = site.start().await;
        let (liv, pia, jan) = (host.sign_in("liv@example.test").await, host.sign_in("pia@example.test").await, host.sign_in("jan@example.test").await);
        let row = one_item(&host, &liv).await;
        let path = format!("/api/v1/items/{}/owner", id(&row));
        let wish = |user: i64| json!({ "version": row["version"], "owner": { "kind": "user", "id": user } });
        let (first, second) = (wish(pia.user()), wish(jan.user()));
        let answers = tokio::join!(pia.put(&path, &first), jan.put(&path, &second));
        let (won, lost, winner) = if answers.0.status == 200 { (answers.0, answers.1, &pia) } else { (answers.1, answers.0, &jan) };
        let taken = won.ok();
        let conflict = lost.refused(409);
        assert_eq!((&conflict["code"], owner(&conflict["current"])), (&json!("conflict"), Some(winner.user())), "{conflict}");
        assert_eq!(conflict["current"]["version"], taken["version"]);
        assert_eq!(owner(&liv.item(id(&row)).await), Some(winner.user()), "nothing was overwritten");
        let changes = liv.item(id(&row)).await["history"].as_array().cloned().unwrap_or_default();
        let owners = changes.iter().filter(|entry| entry["change"]["kind"] == "owner").count();
        assert_eq!(owners, 2, "the rule and one person: {changes:?}");
    }

    async fn r2_3_a_reply_takes_what_nobody_owns_and_a_note_does_not(site) {
        let host = site.start().await;
        let (liv, mette) = (host.sign_in("liv@example.test").await, host.sign_in("mette@example.test").await);
        let item = id(&one_item(&host, &liv).await);
        let messages = format!("/api/v1/items/{item}/messages");
        mette.post(&messages, &json!({ "kind": "reply", "text": "Helping out." })).await.ok();
        assert_eq!(owner(&liv.item(item).await), Some(liv.user()), "what somebody owns stays theirs");
        assign(&liv, item, None).await;
        mette.post(&messages, &json!({ "kind": "note", "text": "Who knows them?" })).await.ok();
        assert_eq!(liv.item(item).await["owner"], Value::Null);
        mette.post(&messages, &json!({ "kind": "reply", "text": "I look into it." })).await.ok();
        assert_eq!(owner(&liv.item(item).await), Some(mette.user()));
        let people = liv.get("/api/v1/users").await.ok();
        let open = |user: i64| people.as_array().into_iter().flatten().find(|row| row["id"] == user).map(|row| row["person"]["open"].clone());
        assert_eq!((open(mette.user()), open(liv.user())), (Some(json!(1)), Some(json!(0))));
    }

    async fn r2_2_and_r2_4_a_team_clears_the_owner_and_a_closed_workspace_takes_its_own_people_only(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let row = one_item(&host, &liv).await;
        let teams = liv.get("/api/v1/teams").await.ok();
        let invoicing = teams.as_array().into_iter().flatten().find(|team| team["slug"] == "invoicing").map(|team| team["id"].clone());
        let body = json!({ "version": row["version"], "owner": null, "team": invoicing });
        let row = liv.put(&format!("/api/v1/items/{}/owner", id(&row)), &body).await.ok();
        assert_eq!((&row["owner"], &row["team"]), (&Value::Null, &invoicing.unwrap_or_default()));
        take_in(&host, &Mail::new("buyer@customer.test", "support@example.test", "Elsewhere", "x")).await;
        let mail = Mail::new("buyer@customer.test", "sales@example.test", "A quote, please", "For ten.");
        assert_eq!(deliver(host.mailbox("sales"), &mail).await.code, 250);
        let quote = decided(&liv, "A quote, please").await;
        let sanne = liv.user_id("sanne@example.test").await;
        assert_eq!(owner(&quote), Some(sanne));
        let pia = host.sign_in("pia@example.test").await;
        let body = json!({ "version": quote["version"], "owner": { "kind": "user", "id": pia.user() } });
        let refusal = liv.put(&format!("/api/v1/items/{}/owner", id(&quote)), &body).await.refused(422);
        assert_eq!(refusal["code"], "invalid", "{refusal}");
        assert_eq!(pia.get(&format!("/api/v1/items/{}", id(&quote))).await.refused(404)["code"], "not_found", "and Pia sees none of it");
        let choices = liv.get(&format!("/api/v1/items/{}/assignable", id(&quote))).await.ok();
        let of = |user: i64| choices["users"].as_array().into_iter().flatten().find(|row| row["user"] == user).cloned().unwrap_or_default();
        assert_eq!((&of(sanne)["allowed"], &of(pia.user())["allowed"]), (&json!(true), &json!(false)));
        assert!(of(pia.user())["reason"].is_string(), "{choices}");
    }

    async fn r2_7_work_handed_back_goes_to_somebody_else(site) {
        let host = site.start().await;
        let (liv, jan) = (host.sign_in("liv@example.test").await, host.sign_in("jan@example.test").await);
        let row = one_item(&host, &liv).await;
        let path = format!("/api/v1/items/{}/return", id(&row));
        let body = json!({ "version": row["version"], "note": "I know nothing of parcels" });
        assert_eq!(jan.post(&path, &body).await.refused(403)["code"], "forbidden", "it is not Jan's to return");
        liv.post(&path, &body).await.ok();
        let item = once(&liv, id(&row), "somebody else has it", |item| owner(item).is_some()).await;
        assert_eq!(owner(&item), Some(liv.user_id("pia@example.test").await));
        let verdicts = candidates(&explanation(&liv, id(&row)).await);
        assert!(verdicts.contains(&(liv.user(), 0, "excluded".to_owned())), "{verdicts:?}");
        let history = item["history"].as_array().cloned().unwrap_or_default();
        assert!(history.iter().any(|entry| entry["change"]["note"] == "I know nothing of parcels"), "{history:?}");
    }

    async fn r12_2_a_new_message_opens_closed_work_again_for_the_owner_it_had(site) {
        let host = site.start().await;
        let (liv, jan) = (host.sign_in("liv@example.test").await, host.sign_in("jan@example.test").await);
        let item = id(&one_item(&host, &liv).await);
        assign(&liv, item, Some(jan.user())).await;
        set_status(&jan, item, "closed").await;
        assert!(liv.rows("items?view=open").await.is_empty());
        take_in(&host, &further("Still nothing")).await;
        let open = once(&liv, item, "it is open again", |item| item["status"] == "open" && owner(item).is_some()).await;
        assert_eq!(owner(&open), Some(jan.user()), "although Jan was not next");
        let decision = eventually("the router has decided so", SOON, async || {
            let last = explanation(&liv, item).await;
            if last["decision"]["decision"]["event"] == "reopened" { Ok(last) } else { Err(last.to_string()) }
        })
        .await;
        assert_eq!(decision["decision"]["decision"]["outcome"], json!({ "kind": "kept", "user": jan.user() }));
        assert_eq!(liv.messages(item).await.len(), 2);
    }

    async fn r12_5_deactivating_somebody_hands_their_open_work_back_and_ends_their_session(site) {
        let host = site.start().await;
        let (liv, jan) = (host.sign_in("liv@example.test").await, host.sign_in("jan@example.test").await);
        let item = id(&one_item(&host, &liv).await);
        assign(&liv, item, Some(jan.user())).await;
        take_in(&host, &Mail::new("other@customer.test", "support@example.test", "Another", "x")).await;
        let other = id(&decided(&liv, "Another").await);
        assign(&liv, other, Some(jan.user())).await;
        let path = format!("/api/v1/users/{}/deactivate", jan.user());
        assert_eq!(jan.post(&path, &json!({ "hand_to": null })).await.refused(403)["code"], "forbidden");
        let listed = liv.post(&path, &json!({ "hand_to": null, "dry_run": true })).await.ok();
        assert_eq!(listed["open"].as_array().map(Vec::len), Some(2), "{listed}");
        assert_eq!(owner(&liv.item(item).await), Some(jan.user()), "a dry run changes nothing");
        liv.post(&path, &json!({ "hand_to": null })).await.ok();
        for item in [item, other] {
            let moved = once(&liv, item, "somebody else has it", |item| owner(item).is_some_and(|owner| owner != jan.user())).await;
            assert!([Some(liv.user()), Some(liv.user_id("pia@example.test").await)].contains(&owner(&moved)), "{moved}");
        }
        assert_eq!(jan.get("/api/v1/me").await.refused(401)["code"], "unauthenticated");
        let again = host.stranger().post("/api/v1/session", &json!({ "email": "jan@example.test", "password": host.password() })).await;
        assert_eq!(again.refused(401)["code"], "unauthenticated");
    }

    async fn r12_1_the_same_message_twice_is_one_and_machines_are_neither_routed_nor_answered(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let item = id(&one_item(&host, &liv).await);
        let mail = further("Once only");
        let other_way = mail.clone().with("Received", "from relay.test by mx.test; Sat, 21 Nov 2026 10:00:00 +0000");
        for mail in [&mail, &mail, &other_way] {
            take_in(&host, mail).await;
        }
        assert_eq!(liv.messages(item).await.len(), 2, "the same mail by two ways is the same mail");
        let script = host.stranger();
        let body = json!({ "email": "kari@customer.test", "message": "Twice", "submission_id": "twice-1" });
        let first = script.post("/channels/contact/submit", &body).await.ok();
        let second = script.post("/channels/contact/submit", &body).await.ok();
        assert_eq!((&first["duplicate"], &second["duplicate"]), (&json!(false), &json!(true)));
        assert_eq!(first["message"], second["message"]);
        let machine = Mail::new("robot@elsewhere.test", "support@example.test", "I am away", "Back on Monday.").with("Auto-Submitted", "auto-replied");
        take_in(&host, &machine).await;
        set_status(&liv, item, "closed").await;
        take_in(&host, &further("I am out of the office").with("Auto-Submitted", "auto-replied")).await;
        take_in(&host, &Mail::new("last@customer.test", "support@example.test", "After all of them", "x")).await;
        decided(&liv, "After all of them").await;
        assert_eq!(liv.messages(item).await.len(), 3, "what a machine wrote is kept");
        assert_eq!(liv.item(item).await["status"], "closed", "and opens nothing");
        let robots: Vec<Value> = liv.rows("items?view=closed").await.into_iter().filter(|row| row["subject"] == "I am away").collect();
        assert_eq!(robots.len(), 1, "it is kept out of the open views");
        assert_eq!(robots[0]["owner"], Value::Null);
        let decisions = liv.get(&format!("/api/v1/items/{}/decisions", id(&robots[0]))).await.ok();
        assert_eq!(decisions, json!([]), "nobody was asked");
        let queued = site.database.number("SELECT COUNT(*) AS n FROM outbox");
        assert_eq!(queued, 0, "nothing answers a machine");
    }

    async fn a_request_with_a_key_is_done_once_and_a_reply_on_an_old_thread_is_refused(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let item = id(&one_item(&host, &liv).await);
        let path = format!("/api/v1/items/{item}/messages");
        let body = json!({ "kind": "reply", "text": "Once." });
        let send = async |body: &Value| liv.send(liv.request(Method::POST, &path).header("idempotency-key", "reply-1").json(body)).await;
        let (first, second) = (send(&body).await.ok(), send(&body).await.ok());
        assert_eq!(first["id"], second["id"]);
        assert_eq!(send(&json!({ "kind": "reply", "text": "Else." })).await.refused(422)["code"], "invalid");
        assert_eq!(liv.messages(item).await.len(), 2);
        let seen = number(&liv.messages(item).await[1], "id");
        take_in(&host, &further("One more thing")).await;
        let late = json!({ "kind": "reply", "text": "Anything else?", "seen_message": seen });
        assert_eq!(liv.post(&path, &late).await.refused(409)["code"], "new_messages");
        let mails = site.mail.mail_to("maja@customer.test").await;
        assert!(mails.text.contains("Once."));
    }

    async fn a_watching_program_is_told_of_each_change_and_goes_on_where_it_left_off(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let made = site.command(&["token create", "watcher", "--scope", "read"]).await;
        let token = made.stdout.lines().next().unwrap_or_default().to_owned();
        assert!(made.status.success() && token.starts_with("sb_"), "{made:?}");
        let program = liv.with_token(&token);
        let start = number(&liv.get("/api/v1/me").await.ok(), "last_event");
        let mut stream = program.events(start).await;
        let row = one_item(&host, &liv).await;
        let is_assignment = |event: &Value| event["kind"] == "item" && event["item"] == row["id"] && event["version"] == row["version"];
        let mut events = Vec::new();
        while !events.iter().any(is_assignment) {
            events.push(stream.next().await);
        }
        let ids: Vec<i64> = events.iter().map(id).collect();
        assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");
        drop(stream);
        let mut resumed = program.events(ids[0]).await;
        for event in &events[1..] {
            assert_eq!(&resumed.next().await, event, "it goes on where it left off, in the same words");
        }
        let denied = program.put(&format!("/api/v1/items/{}/status", id(&row)), &json!({ "version": row["version"], "status": "closed" })).await;
        assert_eq!(denied.refused(403)["code"], "forbidden", "reading is all that the token allows");
    }

    async fn r7_8_rules_are_changed_by_leads_and_take_effect_at_once(site) {
        let host = site.start().await;
        let (liv, jan) = (host.sign_in("liv@example.test").await, host.sign_in("jan@example.test").await);
        one_item(&host, &liv).await;
        let path = "/api/v1/channels/support/rule";
        let rule = liv.get(path).await.ok();
        let mut changed = rule.clone();
        let only_jan = json!([{ "user": jan.user() }]);
        let cases = changed["rule"]["cases"].as_array_mut().expect("a rule has cases");
        let members = cases.last_mut().and_then(|case| case["target"].as_object_mut()).and_then(|target| target.get_mut("members"));
        *members.unwrap_or_else(|| panic!("the last case names members: {rule}")) = only_jan;
        assert_eq!(jan.put(path, &changed).await.refused(403)["code"], "forbidden");
        liv.put(path, &changed).await.ok();
        assert_eq!(liv.put(path, &changed).await.refused(409)["code"], "conflict", "the version is old now");
        for nth in 0..3 {
            take_in(&host, &Mail::new("c@customer.test", "support@example.test", &format!("For Jan {nth}"), "x")).await;
            assert_eq!(owner(&decided(&liv, &format!("For Jan {nth}")).await), Some(jan.user()));
        }
        let exported = site.command(&["export"]).await;
        assert!(exported.stdout.contains("jan@example.test"), "{exported:?}");
        let file = site.folder().join("exported.toml");
        std::fs::write(&file, &exported.stdout).expect("the folder can be written");
        let applied = site.command(&["apply", &file.display().to_string(), "--prune"]).await;
        assert!(applied.status.success() && applied.stdout.contains("nothing to change"), "export and apply are inverse: {applied:?}");
    }

    async fn what_was_decided_is_decided_the_same_when_replayed(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        for nth in 0..6 {
            take_in(&host, &Mail::new(&format!("c{nth}@customer.test"), "support@example.test", &format!("Replayed {nth}"), "x")).await;
            host.stranger().submit("kari@customer.test", "order", &format!("Number {nth}")).await.ok();
        }
        eventually("everything is decided", SOON, async || {
            let rows = liv.rows("items?view=open&limit=200").await;
            if rows.iter().filter(|row| is_decided(row)).count() == 12 { Ok(()) } else { Err(format!("{rows:?}")) }
        })
        .await;
        let replayed = site.command(&["replay"]).await;
        assert!(replayed.status.success(), "{replayed:?}");
        let numbers = |text: &str| text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse::<u32>().ok()).collect::<Vec<_>>();
        assert!(numbers(&replayed.stdout).contains(&12), "twelve decisions were compared: {}", replayed.stdout);
        let spoiled = "UPDATE decision SET decision = REPLACE(decision, '\"load\":0', '\"load\":7') WHERE no = (SELECT MIN(no) FROM decision)";
        site.database.tamper(spoiled);
        let replayed = site.command(&["replay"]).await;
        assert_eq!(replayed.status.code(), Some(1), "a difference is found: {replayed:?}");
    }
}
