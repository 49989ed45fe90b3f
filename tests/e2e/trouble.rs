//! What goes wrong is said in a clear line, loses nothing, and mends itself where it can.

use crate::support::{SOON, decided, id, owner, write_in};
use reqwest::Method;
use serde_json::json;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use switchboard_channel_testkit::Stopwatch;
use switchboard_tests::{Database, Ended, Mail, Session, Site, deliver, eventually, on_both};

/// A host that did not start: exit code 1 and one clear line, no panic.
fn refused_to_start(ended: &Ended) -> &str {
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    ended.stderr.lines().find(|line| line.starts_with("switchboard: ")).unwrap_or_else(|| panic!("no clear line: {ended:?}"))
}

async fn does_not_start(site: &Site) -> Ended {
    match site.try_start().await {
        Ok(_) => panic!("the host started"),
        Err(ended) => ended,
    }
}

#[tokio::test]
async fn every_fault_of_the_configuration_is_named_at_once_with_file_key_and_what_is_allowed() {
    let mut site = Site::sqlite().await;
    site.set("server.lisen", "127.0.0.1:0");
    site.set("log.format", "xml");
    site.set("channels.support.adress", "x@example.test");
    site.set("channels.support.smtp.security", "sometimes");
    site.set("channels.contact.reply_via", "suport");
    site.set("channels.fax.kind", "mail");
    let file = site.config_file();
    for command in [site.command(&["check"]).await, does_not_start(&site).await] {
        assert_eq!(command.status.code(), Some(1), "{command:?}");
        let faults: Vec<&str> = command.stderr.lines().collect();
        for (key, word) in [
            ("server.lisen", "listen"),
            ("log.format", "json"),
            ("channels.support.adress", "address"),
            ("channels.support.smtp.security", "starttls"),
            ("channels.contact.reply_via", "support"),
            ("channels.fax.kind", "email"),
        ] {
            let named =
                faults.iter().any(|line| line.contains(&file.display().to_string()) && line.contains(key) && line.contains(word));
            assert!(named, "no line names file, `{key}` and `{word}`: {faults:#?}");
        }
    }
    assert!(!site.folder().join("data").exists(), "looking makes no database");
}

#[tokio::test]
async fn faults_of_the_first_directory_are_all_named_and_nothing_of_it_is_applied() {
    let refused = async |site: &Site, words: &[&str]| {
        let ended = does_not_start(site).await;
        refused_to_start(&ended);
        for word in words {
            assert!(ended.stderr.contains(word), "no `{word}` in:\n{}", ended.stderr);
        }
        assert_eq!(site.database.number("SELECT COUNT(*) AS n FROM directory_version"), 0);
    };
    let mut site = Site::sqlite().await;
    site.edit_directory("seat = \"sales\"", "seat = \"sails\"");
    site.edit_directory("topic\", values", "topic\", vlaues");
    refused(&site, &["directory.toml", "users[5].seat", "`sails`", "`sales`", "channels[2].rule"]).await;
    let mut site = Site::sqlite().await;
    site.edit_directory("team:sales", "team:sails");
    site.edit_directory("team = \"invoicing\"", "team = \"invocing\"");
    refused(&site, &["directory.toml", "sails", "invocing", "did you mean `invoicing`"]).await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut site = Site::sqlite().await;
    site.set("server.listen", address.clone());
    let ended = does_not_start(&site).await;
    let line = refused_to_start(&ended);
    assert!(line.contains("server.listen") && line.contains(&address), "{line}");
    site.set("server.listen", "127.0.0.1:0");
    site.set("channels.sales.receiver.listen", address.clone());
    let ended = does_not_start(&site).await;
    let line = refused_to_start(&ended);
    assert!(line.contains("channels.sales") && line.contains(&address), "{line}");
}

#[tokio::test]
async fn a_place_where_no_database_can_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("occupied");
    std::fs::write(&file, "a file, not a folder").expect("it can be written");
    let site = Site::sqlite_at(file.join("below/switchboard.db")).await;
    let ended = does_not_start(&site).await;
    let line = refused_to_start(&ended);
    assert!(line.contains("cannot make the folder") && line.contains("occupied/below"), "{line}");
    let site = Site::sqlite_at(file.clone()).await;
    let ended = does_not_start(&site).await;
    let line = refused_to_start(&ended);
    assert!(line.contains("occupied"), "{line}");
    assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), Some("a file, not a folder"), "what is no database is left alone");
}

#[tokio::test]
async fn a_second_host_on_one_sqlite_file_is_refused_and_commands_reach_the_first() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let ended = does_not_start(&site).await;
    let line = refused_to_start(&ended);
    assert!(line.contains("in use by another process") && line.contains("PostgreSQL"), "{line}");
    let listed = site.command(&["user list"]).await;
    assert!(listed.status.success() && listed.stdout.contains("mette@example.test"), "{listed:?}");
    host.kill().await;
    // A killed host leaves its lock file and its socket behind; neither is in the way.
    let listed = site.command(&["user list"]).await;
    assert!(listed.status.success() && listed.stdout.contains("mette@example.test"), "{listed:?}");
    let host = site.start().await;
    assert_eq!(host.stranger().get("/readyz").await.status, 200);
}

on_both! {
    async fn a_database_of_a_newer_program_is_refused_and_left_as_it_is(site) {
        site.start().await.kill().await;
        site.database.tamper("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_tomorrow', 1)");
        let before = site.database.rows("SELECT version FROM seaql_migrations ORDER BY version");
        let ended = does_not_start(&site).await;
        let line = refused_to_start(&ended);
        assert!(line.contains("newer") && line.contains("m20991231_000001_tomorrow"), "{line}");
        assert_eq!(site.database.rows("SELECT version FROM seaql_migrations ORDER BY version"), before);
        assert_eq!(site.command(&["export"]).await.status.code(), Some(1), "commands keep away from it too");
        site.database.tamper("DELETE FROM seaql_migrations WHERE version LIKE '%tomorrow'");
        let host = site.start().await;
        host.sign_in("liv@example.test").await;
    }

    async fn a_host_that_is_told_to_stop_ends_in_order_and_the_next_one_goes_on(site) {
        let host = site.start().await;
        let liv = host.sign_in("liv@example.test").await;
        let mut events = liv.events(0).await;
        let mut idle = Session::open(host.mailbox("support")).await.expect("the host takes mail");
        write_in(&host, "maja@customer.test", "Before").await;
        let before = decided(&liv, "Before").await;
        events.next().await;
        let asked = Stopwatch::start();
        let ended = host.stop().await;
        assert!(ended.status.success(), "{ended:?}");
        asked.assert_within(Duration::from_secs(5), "stopping beside open connections");
        let farewell = idle.command("NOOP").await;
        assert!(farewell.as_ref().map_or(true, |reply| reply.code == 421), "{farewell:?}");
        let host = site.start().await;
        let liv = liv.at(&host.url());
        assert_eq!(owner(&liv.item(id(&before)).await), owner(&before), "the session still holds");
        write_in(&host, "maja@customer.test", "After").await;
        decided(&liv, "After").await;
    }
}

#[tokio::test]
async fn what_is_too_large_of_the_wrong_kind_or_for_nobody_is_refused_in_the_words_of_its_protocol() {
    let mut site = Site::sqlite().await;
    site.set("channels.support.receiver.max_message_bytes", 20_000);
    let host = site.start().await;
    let mailbox = host.mailbox("support");
    let large = Mail::new("a@customer.test", "support@example.test", "Large", &"All work and no play\r\n".repeat(2_000));
    assert_eq!(deliver(mailbox, &large).await.code, 552);
    let mut session = Session::open(mailbox).await.expect("the host takes mail");
    let announced = session.command("MAIL FROM:<a@customer.test> SIZE=20001").await.expect("an answer");
    assert_eq!(announced.code, 552, "a size is refused before the mail is sent");
    let nobody = Mail::new("a@customer.test", "nobody@example.test", "Nobody", "x");
    assert_eq!(deliver(mailbox, &nobody).await.code, 550);
    let elsewhere = Mail::new("a@customer.test", "b@elsewhere.test", "Relay", "x");
    assert_eq!(deliver(mailbox, &elsewhere).await.code, 550, "nothing is relayed");

    let script = host.stranger();
    let submit = "/channels/contact/submit";
    let long = script.submit("a@customer.test", "order", &"x".repeat(70_000)).await;
    assert_eq!(long.refused(413)["code"], "too_large");
    let send = async |kind: &str, body: &str| {
        script.send(script.request(Method::POST, submit).header("content-type", kind).body(body.to_owned())).await
    };
    assert_eq!(send("application/xml", "<a/>").await.refused(415)["code"], "unsupported_media_type");
    let broken = send("application/json", "{\"email\": \"a@customer.test\",\n \"message\" \"x\"}").await.refused(400);
    let words = broken.to_string();
    assert!(words.contains("line 2") || broken["line"] == 2, "the place is named: {words}");
    let wrong = script.post(submit, &json!({ "email": "no address", "colour": "red" })).await.refused(422);
    let fields: Vec<&str> =
        wrong["errors"].as_array().into_iter().flatten().filter_map(|error| error["field"].as_str()).collect();
    assert_eq!(fields.len(), 3, "address, message and the unknown field, all at once: {wrong}");
    assert_eq!(script.get("/channels/fax/").await.refused(404)["code"], "not_found");
    assert_eq!(script.get("/api/v1/nothing").await.refused(404)["code"], "not_found");
    assert_eq!(script.get("/api/v1/items").await.refused(401)["code"], "unauthenticated");

    let liv = host.sign_in("liv@example.test").await;
    let put = |kind: &str, body: &str| {
        liv.request(Method::PUT, "/api/v1/items/1/owner").header("content-type", kind).body(body.to_owned())
    };
    let broken = liv.send(put("application/json", "{\"version\":\n1,,}")).await.refused(400);
    assert_eq!((&broken["code"], &broken["line"]), (&json!("bad_json"), &json!(2)), "{broken}");
    assert_eq!(liv.send(put("text/plain", "{}")).await.refused(415)["code"], "unsupported_media_type");
    let foreign =
        liv.request(Method::POST, "/api/v1/items/1/route").header("origin", "https://evil.test").json(&json!({ "version": 1 }));
    assert_eq!(liv.send(foreign).await.refused(403)["code"], "forbidden", "another site cannot use the session");
    let stored = site.database.number("SELECT COUNT(*) AS n FROM message");
    assert_eq!(stored, 0, "nothing of all this was kept");
}

#[tokio::test]
async fn a_mail_that_nobody_can_read_is_kept_as_it_came_and_shown_as_such() {
    let site = Site::sqlite().await;
    let host = site.start().await;
    let liv = host.sign_in("liv@example.test").await;
    let raw = b"\xff\xfe\x00 this is no header\r\nnor is this\x00\r\n\r\n.leading dot\r\n\xf0\x28\x8c\x28 body\r\n";
    let mut session = Session::open(host.mailbox("support")).await.expect("the host takes mail");
    let reply = session.send("odd@customer.test", "support@example.test", raw).await.expect("an answer");
    assert_eq!(reply.code, 250, "{reply:?}");
    let rows = eventually("it is routed like any other", SOON, async || {
        let rows = liv.rows("items?view=open").await;
        if rows.first().is_some_and(|row| owner(row).is_some()) { Ok(rows) } else { Err(format!("{rows:?}")) }
    })
    .await;
    let message = liv.messages(id(&rows[0])).await.remove(0);
    assert_eq!(message["nature"], "malformed", "{message}");
    let kept = liv.send(liv.request(Method::GET, &format!("/api/v1/messages/{}/raw", id(&message)))).await;
    assert_eq!(kept.status, 200);
    assert_eq!(kept.headers["x-content-type-options"], "nosniff");
    assert!(kept.text.contains(".leading dot") && kept.text.contains("this is no header"), "{}", kept.text);
}

/// A place for a database that can be made full and empty again.
enum Disk {
    /// A file system of its own.
    Mounted {
        /// Where.
        folder: tempfile::TempDir,
    },
    /// Without the right to mount: a limit on the size of files.
    Limited {
        /// The process that it is set on.
        pid: u32,
    },
}

impl Disk {
    const SPACE: &str = "size=12m";
    /// Ignoring the signal turns the limit into an error of the write.
    const UNDER_A_LIMIT: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

    fn mounted() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let mounted = run("mount", &["-t", "tmpfs", "-o", Self::SPACE, "tmpfs", &folder.path().display().to_string()]);
        mounted.then_some(Self::Mounted { folder })
    }

    fn fill(&self, database: &Path) {
        match self {
            Self::Mounted { folder } => {
                let ballast = folder.path().join("ballast").display().to_string();
                // Stops when nothing more fits, which is the point.
                run("dd", &["if=/dev/zero", &format!("of={ballast}"), "bs=1024", "status=none"]);
            }
            Self::Limited { pid } => {
                let wal = PathBuf::from(format!("{}-wal", database.display()));
                let bytes = wal.metadata().map_or(0, |data| data.len());
                assert!(run("prlimit", &["--pid", &pid.to_string(), &format!("--fsize={bytes}:unlimited")]));
            }
        }
    }

    fn make_room(&self) {
        match self {
            Self::Mounted { folder } => std::fs::remove_file(folder.path().join("ballast")).expect("the ballast can be removed"),
            Self::Limited { pid } => assert!(run("prlimit", &["--pid", &pid.to_string(), "--fsize=unlimited:unlimited"])),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted { folder } = self {
            run("umount", &["--lazy", &folder.path().display().to_string()]);
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

/// Mails and forms are told to come again while nothing can be written, and are taken again once there is room.
async fn full_disk(site: Site, wrapper: &[&str], disk: impl FnOnce(u32) -> Disk) {
    let host = site.spawn(wrapper).await.ready().await.expect("the host starts");
    let disk = disk(host.pid());
    let Database::Sqlite { path } = &site.database else { panic!("this is about files") };
    let liv = host.sign_in("liv@example.test").await;
    write_in(&host, "first@customer.test", "Before the flood").await;
    decided(&liv, "Before the flood").await;
    disk.fill(path);
    // What is left of the last page may take a mail or two.
    let mut acknowledged = 1;
    let filler = "x".repeat(4_000);
    let mut nth = 0;
    eventually("mail is refused for now", SOON, async || {
        nth += 1;
        let mail = Mail::new("more@customer.test", "support@example.test", &format!("Flood {nth}"), &filler);
        let reply = deliver(host.mailbox("support"), &mail).await;
        match reply.code {
            250 => {
                acknowledged += 1;
                Err("there was room".to_owned())
            }
            452 => Ok(()),
            _ => panic!("a full disk is answered by {reply:?}"),
        }
    })
    .await;
    let refusal = host.stranger().submit("form@customer.test", "order", &filler).await;
    assert!(refusal.headers.contains_key("retry-after"), "{refusal:?}");
    assert_eq!(refusal.refused(503)["code"], "unavailable");
    assert_eq!(liv.rows("items?view=open&limit=200").await.len(), acknowledged, "what is stored can still be read");
    disk.make_room();
    eventually("mail is taken again", SOON, async || {
        let mail = Mail::new("last@customer.test", "support@example.test", "After the flood", "x")
            .with("Message-ID", "<after@customer.test>");
        let reply = deliver(host.mailbox("support"), &mail).await;
        if reply.code == 250 { Ok(()) } else { Err(format!("{reply:?}")) }
    })
    .await;
    assert!(owner(&decided(&liv, "After the flood").await).is_some(), "and routed");
    assert_eq!(host.stranger().submit("form@customer.test", "order", &filler).await.status, 202);
    assert_eq!(liv.rows("conversations?view=open&limit=200").await.len(), acknowledged + 1, "no refused mail was stored");
    assert!(host.stop().await.status.success());
    assert_eq!(site.database.damage(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_for_now_loses_nothing_and_mends_itself() {
    match Disk::mounted() {
        Some(disk) => {
            let Disk::Mounted { folder } = &disk else { panic!("it was just mounted") };
            let site = Site::sqlite_at(folder.path().join("data/switchboard.db")).await;
            full_disk(site, &[], |_| disk).await;
        }
        None => full_disk(Site::sqlite().await, &Disk::UNDER_A_LIMIT, |pid| Disk::Limited { pid }).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_may_not_grow_refuses_for_now_loses_nothing_and_mends_itself() {
    full_disk(Site::sqlite().await, &Disk::UNDER_A_LIMIT, |pid| Disk::Limited { pid }).await;
}
