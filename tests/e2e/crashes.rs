//! The host is killed again and again while mail and forms pour in and people work. What was acknowledged is there
//! once, and everything that is counted adds up.

use crate::support::{SOON, id, number};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_tests::{Client, Database, Host, Mail, Random, Session, Site, eventually};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::interval;

const KILLS: u64 = 12;
const MAIL_SENDERS: u64 = 4;
const FORM_SENDERS: u64 = 2;
/// An unanswered attempt is given up after this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What senders know of their messages.
#[derive(Default)]
struct Ledger {
    /// Acknowledged: must be there once.
    acknowledged: BTreeSet<String>,
    /// Tried and given up without an answer: may be there once.
    uncertain: BTreeSet<String>,
}

/// What everybody shares.
struct Storm {
    ledger: Mutex<Ledger>,
    /// How many messages are acknowledged.
    count: watch::Sender<u64>,
    /// Where the host is, while there is one.
    place: watch::Sender<Option<Place>>,
    /// No new messages are begun.
    calm: watch::Sender<bool>,
}

#[derive(Clone)]
struct Place {
    mail: SocketAddr,
    http: String,
}

impl Storm {
    fn new() -> Arc<Self> {
        let (count, place, calm) = (watch::Sender::new(0), watch::Sender::new(None), watch::Sender::new(false));
        Arc::new(Self { ledger: Mutex::default(), count, place, calm })
    }

    fn acknowledge(&self, key: &str) {
        let mut ledger = self.ledger.lock().expect("no holder panics");
        ledger.uncertain.remove(key);
        if ledger.acknowledged.insert(key.to_owned()) {
            self.count.send_modify(|count| *count += 1);
        }
    }

    fn doubt(&self, key: &str) {
        self.ledger.lock().expect("no holder panics").uncertain.insert(key.to_owned());
    }

    fn is_calm(&self) -> bool {
        *self.calm.borrow()
    }

    /// Where the host is now, or as soon as there is one again.
    async fn place(&self) -> Place {
        let mut place = self.place.subscribe();
        let place = place.wait_for(Option::is_some).await.expect("the storm outlives its senders");
        place.clone().expect("it was just waited for")
    }
}

/// One mail program with a queue: it repeats a mail until it is taken, except those that it gives up.
async fn send_mails(storm: Arc<Storm>, sender: u64, mut random: Random) {
    let mut connection: Option<(SocketAddr, Session)> = None;
    let mut sent: Vec<String> = Vec::new();
    for nth in 0.. {
        if storm.is_calm() {
            return;
        }
        let key = format!("L-m{sender}-{nth}");
        // Few enough customers that they meet in one contact, and threads that are gone on with.
        let from = format!("customer{}@ledger.test", random.below(12));
        let mut mail = Mail::new(&from, "support@example.test", &format!("Ledger {key}"), &format!("{key} please"))
            .with("Message-ID", &format!("<{key}@ledger.test>"));
        if random.one_in(4) && !sent.is_empty() {
            let earlier = &sent[random.below(sent.len() as u64) as usize];
            mail = mail.with("In-Reply-To", &format!("<{earlier}@ledger.test>"));
        }
        let gives_up = random.one_in(10);
        let repeats = random.one_in(10);
        storm.doubt(&key);
        loop {
            let place = storm.place().await;
            let taken = tokio::time::timeout(PATIENCE, hand_over(&mut connection, place.mail, &mail)).await;
            match taken {
                Ok(Ok(code)) if code < 300 => {
                    storm.acknowledge(&key);
                    sent.push(key.clone());
                    if repeats {
                        // Some server on the way lost the answer and sends it once more.
                        let _ = tokio::time::timeout(PATIENCE, hand_over(&mut connection, place.mail, &mail)).await;
                    }
                    break;
                }
                Ok(Ok(code)) => assert!((400..500).contains(&code), "a good mail was refused for good: {code}"),
                Ok(Err(_)) | Err(_) => {
                    connection = None;
                    if gives_up {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

async fn hand_over(connection: &mut Option<(SocketAddr, Session)>, to: SocketAddr, mail: &Mail) -> std::io::Result<u16> {
    if connection.as_ref().is_none_or(|(address, _)| *address != to) {
        *connection = Some((to, Session::open(to).await?));
    }
    let Some((_, session)) = connection else { return Err(std::io::ErrorKind::NotConnected.into()) };
    Ok(session.send(&mail.from, &mail.to, &mail.to_wire()).await?.code)
}

/// One site with a form: it sends a submission again under its key until it is taken.
async fn send_forms(storm: Arc<Storm>, sender: u64, mut random: Random, script: Client) {
    for nth in 0.. {
        if storm.is_calm() {
            return;
        }
        let key = format!("L-f{sender}-{nth}");
        let topic = if random.one_in(3) { "invoice" } else { "order" };
        let body = json!({ "email": format!("customer{}@ledger.test", random.below(12)), "topic": topic, "message": format!("{key} please") });
        let gives_up = random.one_in(10);
        storm.doubt(&key);
        loop {
            let script = script.at(&storm.place().await.http);
            let request = script.request(Method::POST, "/channels/contact/submit").header("idempotency-key", &key).json(&body);
            match script.try_send(request).await {
                Ok(answer) if answer.status == 202 => {
                    storm.acknowledge(&key);
                    break;
                }
                Ok(answer) => assert_eq!(answer.status, 503, "a good submission was refused for good: {answer:?}"),
                Err(_) if gives_up => break,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

/// Somebody at the desk who takes, hands on, answers and closes whatever is there. Refusals and lost answers are
/// part of the day.
async fn work(storm: Arc<Storm>, mut random: Random, desk: Client, people: Vec<i64>) {
    let mut pace = interval(Duration::from_millis(15));
    while !storm.is_calm() {
        pace.tick().await;
        let desk = desk.at(&storm.place().await.http);
        let ask = |method: Method, path: &str| desk.request(method, path);
        let Ok(list) = desk.try_send(ask(Method::GET, "/api/v1/items?view=open&limit=100")).await else { continue };
        let Ok(page) = serde_json::from_str::<Value>(&list.text) else { continue };
        let rows = page["rows"].as_array().cloned().unwrap_or_default();
        if rows.is_empty() {
            continue;
        }
        let row = &rows[random.below(rows.len() as u64) as usize];
        let path = format!("/api/v1/items/{}", id(row));
        let version = &row["version"];
        let request = match random.below(8) {
            0..3 => ask(Method::PUT, &format!("{path}/status")).json(&json!({ "version": version, "status": "closed" })),
            3 | 4 => {
                let person = people[random.below(people.len() as u64) as usize];
                let owner = json!({ "kind": "user", "id": person });
                ask(Method::PUT, &format!("{path}/owner")).json(&json!({ "version": version, "owner": owner }))
            }
            5 => ask(Method::POST, &format!("{path}/return")).json(&json!({ "version": version, "note": "not mine" })),
            6 => ask(Method::POST, &format!("{path}/route")).json(&json!({ "version": version })),
            _ => ask(Method::POST, &format!("{path}/messages")).json(&json!({ "kind": "reply", "text": "We are on it." })),
        };
        if let Ok(answer) = desk.try_send(request).await {
            assert!(answer.status < 500 || answer.status == 503, "{answer:?}");
        }
    }
}

/// Starts hosts and kills them at moments that nobody chose.
async fn kill_again_and_again(site: &Site, storm: &Storm, mut host: Host, random: &mut Random) -> Host {
    for kill in 0..KILLS {
        // Some go on until the router works again, some end while everything still starts.
        if kill % 3 == 0 {
            host.routes().await;
        }
        let target = *storm.count.borrow() + 5 + random.below(60);
        let mut count = storm.count.subscribe();
        let reached = tokio::time::timeout(SOON * 2, count.wait_for(|count| *count >= target)).await;
        assert!(reached.is_ok(), "senders get nothing acknowledged any more");
        drop(reached);
        storm.place.send_replace(None);
        host.kill().await;
        if random.one_in(3) {
            let young = site.spawn(&[]).await;
            let lines = 1 + random.below(4) as usize;
            eventually("the young host says something", SOON, async || {
                if young.log().len() >= lines || young.log().iter().any(|line| line["fields"]["protocol"] == "http") {
                    Ok(())
                } else {
                    Err("silent".to_owned())
                }
            })
            .await;
            young.kill().await;
        }
        host = site.start().await;
        storm.place.send_replace(Some(place_of(&host)));
    }
    host
}

fn place_of(host: &Host) -> Place {
    Place { mail: host.mailbox("support"), http: host.url() }
}

async fn storm(site: Site) {
    let mut random = Random::announced("crashes");
    let host = site.start().await;
    let storm = Storm::new();
    storm.place.send_replace(Some(place_of(&host)));
    let desk = host.sign_in("liv@example.test").await;
    let mut people = Vec::new();
    for name in ["liv", "pia", "jan", "tor"] {
        people.push(desk.user_id(&format!("{name}@example.test")).await);
    }
    let mut crowd = JoinSet::new();
    for sender in 0..MAIL_SENDERS {
        crowd.spawn(send_mails(Arc::clone(&storm), sender, random.split()));
    }
    for sender in 0..FORM_SENDERS {
        crowd.spawn(send_forms(Arc::clone(&storm), sender, random.split(), host.stranger()));
    }
    crowd.spawn(work(Arc::clone(&storm), random.split(), desk, people));
    let host = kill_again_and_again(&site, &storm, host, &mut random).await;
    storm.calm.send_replace(true);
    while let Some(ended) = crowd.join_next().await {
        ended.expect("no sender fails");
    }
    eventually("everything is decided", SOON * 3, async || {
        let waiting = site.database.number("SELECT COUNT(*) AS n FROM routing_input WHERE consumed_no IS NULL");
        if waiting == 0 { Ok(()) } else { Err(format!("{waiting} inputs wait")) }
    })
    .await;
    let ended = host.stop().await;
    assert!(ended.status.success(), "{ended:?}");
    check_messages(&site.database, &storm.ledger.lock().expect("no holder panics"));
    check_items(&site.database);
    check_decisions(&site.database);
    let replayed = site.command(&["replay"]).await;
    assert!(replayed.status.success(), "decided again, history comes out differently: {replayed:?}");
}

/// Every acknowledged message is there once, every uncertain one once at most, and nothing else.
fn check_messages(database: &Database, ledger: &Ledger) {
    let mut stored: BTreeMap<String, u32> = BTreeMap::new();
    for row in database.rows("SELECT text FROM message WHERE kind = 'inbound'") {
        let text = row["text"].as_str().unwrap_or_default();
        let key =
            text.split_whitespace().find(|word| word.starts_with("L-")).unwrap_or_else(|| panic!("a stranger's message: {text}"));
        *stored.entry(key.to_owned()).or_default() += 1;
    }
    eprintln!("{} acknowledged, {} uncertain, {} stored", ledger.acknowledged.len(), ledger.uncertain.len(), stored.len());
    let lost: Vec<&String> = ledger.acknowledged.iter().filter(|key| !stored.contains_key(*key)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let twice: Vec<_> = stored.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "stored more than once: {twice:?}");
    let strange: Vec<_> =
        stored.keys().filter(|key| !ledger.acknowledged.contains(*key) && !ledger.uncertain.contains(*key)).collect();
    assert!(strange.is_empty(), "stored and never sent: {strange:?}");
    assert!(ledger.acknowledged.len() as u64 >= KILLS * 5, "the storm was too quiet to prove anything");
    let keys = database.number("SELECT COUNT(*) AS n FROM inbound_key");
    assert_eq!(keys, stored.len() as i64, "one key for each message");
    let empty = "SELECT COUNT(*) AS n FROM item WHERE kind = 'conversation' AND NOT EXISTS (SELECT 1 FROM message WHERE conversation_id = item.id)";
    assert_eq!(database.number(empty), 0, "conversations without a message");
    assert_eq!(database.damage(), "");
}

/// People's counters equal their open items, and every open item is owned, in a team, or says why not.
fn check_items(database: &Database) {
    let counted = "SELECT user_id, open_total, open_mail, (SELECT COUNT(DISTINCT count_key) FROM item WHERE status = 'open' \
        AND owner_kind = 'user' AND owner_id = user_id) AS items FROM person";
    for row in database.rows(counted) {
        let person = Value::Object(row);
        assert_eq!(number(&person, "open_total"), number(&person, "items"), "{person}");
        assert_eq!(number(&person, "open_mail"), number(&person, "items"), "{person}");
    }
    let stranded = "SELECT id, version, kind, status FROM item WHERE routed AND status = 'open' AND owner_kind IS NULL \
        AND team_id IS NULL AND unassigned_reason IS NULL";
    assert_eq!(database.rows(stranded), [], "open, owned by nobody, for no reason");
    let undecided = "SELECT id, kind, status, version FROM item WHERE routed AND last_decision IS NULL \
        AND NOT EXISTS (SELECT 1 FROM decision WHERE item_id = item.id)";
    assert_eq!(database.rows(undecided), [], "never decided about");
}

/// Every input was consumed once, in one unbroken order; each arrival gave one owner; the history ends in the owner.
fn check_decisions(database: &Database) {
    let order = "SELECT COUNT(*) AS many, COUNT(DISTINCT consumed_no) AS different, MAX(consumed_no) AS last, \
        (SELECT no FROM router_cursor) AS stands FROM routing_input WHERE consumed_no IS NOT NULL";
    let order = Value::Object(database.rows(order).remove(0));
    let many = number(&order, "many");
    for name in ["different", "last", "stands"] {
        assert_eq!(number(&order, name), many, "{order}");
    }
    let mut arrivals: BTreeMap<i64, u32> = BTreeMap::new();
    for row in database.rows("SELECT item_id, decision FROM decision WHERE refused IS NULL") {
        let decision: Value = serde_json::from_str(row["decision"].as_str().unwrap_or_default()).expect("decisions are JSON");
        if decision["event"] == "arrived" {
            *arrivals.entry(row["item_id"].as_i64().unwrap_or_default()).or_default() += 1;
        }
    }
    let twice: Vec<_> = arrivals.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "an arrival was decided more than once: {twice:?}");
    let mut last: BTreeMap<i64, Value> = BTreeMap::new();
    for row in database.rows("SELECT item_id, change FROM history ORDER BY id") {
        let change: Value = serde_json::from_str(row["change"].as_str().unwrap_or_default()).expect("changes are JSON");
        let owner = match change["kind"].as_str() {
            Some("owner") => change["owner"]["id"].clone(),
            Some("returned") => Value::Null,
            _ => continue,
        };
        last.insert(row["item_id"].as_i64().unwrap_or_default(), owner);
    }
    for row in database.rows("SELECT id, owner_id FROM item WHERE routed") {
        let recorded = last.get(&row["id"].as_i64().unwrap_or_default()).unwrap_or(&Value::Null);
        assert_eq!(recorded, &row["owner_id"], "the history of item {} ends with somebody else", row["id"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_however_often_the_host_is_killed_on_sqlite() {
    storm(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_however_often_the_host_is_killed_on_postgres() {
    storm(Site::postgres().await).await;
}
