//! An installation for one test: a folder with configuration and directory, a database, and a mail server for replies.

use crate::{Database, Ended, Host, MailServer};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use toml::{Table, Value};

/// The people of the tests: teams *support* (Liv, Pia, Jan), *invoicing* (Tor, Mette; Pia beside) and *sales* (Sanne);
/// inboxes *support* and *sales*, the help desk *help_desk*; mailboxes `support` and `sales`, the form `contact`.
/// Nobody has working hours, so the day of the run does not matter.
pub const DIRECTORY: &str = r#"
[[teams]]
slug = "support"
name = "Support"

[[teams]]
slug = "invoicing"
name = "Invoicing"

[[teams]]
slug = "sales"
name = "Sales"

[[users]]
email = "liv@example.test"
name = "Liv Moe"
role = "admin"
seat = "service"
team = "support"

[[users]]
email = "pia@example.test"
name = "Pia Berg"
seat = "service"
team = "support"
extra_teams = ["invoicing"]

[[users]]
email = "jan@example.test"
name = "Jan Smit"
seat = "service"
team = "support"
language = "nl"

[[users]]
email = "tor@example.test"
name = "Tor Lie"
seat = "service"
team = "invoicing"
language = "nb"

[[users]]
email = "mette@example.test"
name = "Mette Krogh"
role = "lead"
seat = "service"
team = "invoicing"
language = "da"

[[users]]
email = "sanne@example.test"
name = "Sanne Vos"
seat = "sales"
team = "sales"

[[users]]
email = "nora@example.test"
name = "Nora Revisor"
role = "viewer"

[[workspaces]]
slug = "support"
name = "Support"
kind = "inbox"

[[workspaces]]
slug = "sales"
name = "Sales"
kind = "inbox"
access = { teams = ["sales"], users = ["liv@example.test"] }

[[workspaces]]
slug = "help_desk"
name = "Help desk"
kind = "help_desk"

[[channels]]
slug = "support"
name = "Support mail"
kind = "email"
workspace = "support"

[channels.rule]

[[channels.rule.cases]]
when = { contains = { field = "message.subject", values = ["invoice", "faktura"] } }
target = { users_and_teams = ["team:invoicing"] }
distribution = "load_balanced"

[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }
distribution = "load_balanced"

[[channels]]
slug = "sales"
name = "Sales mail"
kind = "email"
workspace = "sales"

[channels.rule]

[[channels.rule.cases]]
target = { contact_owner = { fallback = { users_and_teams = ["team:sales"] } } }
distribution = "round_robin"

[[channels]]
slug = "contact"
name = "Contact form"
kind = "form"
workspace = "help_desk"

[channels.rule]

[[channels.rule.cases]]
when = { is = { field = "form.topic", values = ["invoice"] } }
target = { team_only = "invoicing" }

[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }
"#;

/// The host of the tests. Every port is the system's choice.
const CONFIG: &str = r#"
first_directory = "directory.toml"
demo = true

[server]
listen = "127.0.0.1:0"

[database]
url = "set by the test"

[log]
format = "json"
filter = "info"

[channels.support]
kind = "email"
address = "support@example.test"
name = "Example Support"
receiver = { listen = "127.0.0.1:0" }
smtp = { host = "127.0.0.1", port = 1, security = "none" }

[channels.sales]
kind = "email"
address = "sales@example.test"
name = "Example Sales"
receiver = { listen = "127.0.0.1:0" }
smtp = { host = "127.0.0.1", port = 1, security = "none" }

[channels.contact]
kind = "form"
reply_via = "support"
title = { en = "Contact us", nl = "Neem contact op", nb = "Kontakt oss", da = "Kontakt os" }
min_seconds = 0
rate_per_minute = 0
max_body_bytes = 65536

[[channels.contact.fields]]
name = "name"
role = "name"

[[channels.contact.fields]]
name = "email"
kind = "email"
role = "email"
required = true

[[channels.contact.fields]]
name = "topic"
kind = "select"
options = ["order", "invoice", "other"]

[[channels.contact.fields]]
name = "message"
kind = "textarea"
role = "message"
required = true
"#;

/// The chat that a test may have beside them: Sanne in *sales* answers, or *invoicing* where the visitor says so.
const CHAT: &str = r#"
key = "shop_7Hq2"
topics = ["order", "invoice"]
identity = { mode = "optional", secrets = ["the-first-secret-of-the-shop", "the-next-secret-of-the-shop"] }

[limits]
messages_per_minute = 60000
message_burst = 10000
address_messages_per_minute = 60000
address_message_burst = 10000
connects_per_minute = 6000
frames_per_minute = 60000
"#;
const CHAT_ENTRY: &str = r#"
[[channels]]
slug = "chat"
name = "Shop chat"
kind = "chat"
workspace = "support"

[channels.rule]

[[channels.rule.cases]]
when = { is = { field = "form.topic", values = ["invoice"] } }
target = { users_and_teams = ["team:invoicing"] }

[[channels.rule.cases]]
target = { users_and_teams = ["team:sales"] }
"#;

/// An installation. Hosts are started on it, one after another or several at once where the database allows it.
pub struct Site {
    /// The database.
    pub database: Database,
    /// The server that replies go to.
    pub mail: MailServer,
    config: Table,
    directory: String,
    folder: TempDir,
}

impl Site {
    /// An installation on a fresh SQLite file.
    ///
    /// # Panics
    /// When the system gives no temporary folder or no mail server.
    pub async fn sqlite() -> Self {
        let folder = temporary_folder();
        let database = Database::sqlite_in(folder.path());
        Self::new(folder, database).await
    }

    /// An installation on a fresh PostgreSQL database.
    ///
    /// # Panics
    /// When the system gives no temporary folder, no mail server or no PostgreSQL.
    pub async fn postgres() -> Self {
        Self::new(temporary_folder(), Database::postgres()).await
    }

    /// An installation on a SQLite file at this place, which the test may limit.
    ///
    /// # Panics
    /// When the system gives no temporary folder or no mail server.
    pub async fn sqlite_at(path: PathBuf) -> Self {
        Self::new(temporary_folder(), Database::Sqlite { path }).await
    }

    async fn new(folder: TempDir, database: Database) -> Self {
        let config: Table = CONFIG.parse().expect("the configuration of the tests is TOML");
        let mut site = Self { database, mail: MailServer::start().await, config, directory: DIRECTORY.to_owned(), folder };
        site.set("database.url", site.database.url());
        for slug in ["support", "sales"] {
            site.set(&format!("channels.{slug}.smtp.port"), i64::from(site.mail.port()));
        }
        site
    }

    /// Sets a key of the configuration, by its dotted path.
    ///
    /// # Panics
    /// When the path leads through something that is no table.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        let mut path: Vec<&str> = key.split('.').collect();
        let last = path.pop().expect("a key has a name");
        let mut table = &mut self.config;
        for name in path {
            let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().unwrap_or_else(|| panic!("{key} leads through `{name}`, which is no table"));
        }
        table.insert(last.to_owned(), value.into());
    }

    /// Adds the chat `chat` with the widget `shop_7Hq2`, which pages of these origins may embed.
    ///
    /// # Panics
    /// When there is one already.
    pub fn add_chat(&mut self, origins: &[String]) {
        let mut chat: Table = CHAT.parse().expect("the chat of the tests is TOML");
        chat.insert("kind".to_owned(), "chat".into());
        chat.insert("origins".to_owned(), origins.to_vec().into());
        assert!(!self.directory.contains(CHAT_ENTRY), "there is a chat already");
        self.directory += CHAT_ENTRY;
        self.set("channels.chat", chat);
    }

    /// The first of the secrets by which the site of the chat vouches for its visitors.
    pub const CHAT_SECRET: &str = "the-first-secret-of-the-shop";

    /// Replaces a part of the first directory.
    ///
    /// # Panics
    /// When the part is not there.
    pub fn edit_directory(&mut self, from: &str, to: &str) {
        assert!(self.directory.contains(from), "the directory of the tests has no `{from}`");
        self.directory = self.directory.replace(from, to);
    }

    /// The folder of the installation, which hosts are started in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration file, written as it is now.
    ///
    /// # Panics
    /// When the folder cannot be written.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        let file = self.folder().join("switchboard.toml");
        std::fs::write(&file, self.config.to_string()).expect("the folder of the test can be written");
        std::fs::write(self.folder().join("directory.toml"), &self.directory).expect("the folder of the test can be written");
        file
    }

    /// Starts a host and waits until it serves.
    ///
    /// # Panics
    /// When it ends instead, with what it said.
    pub async fn start(&self) -> Host {
        self.try_start().await.unwrap_or_else(|ended| panic!("the host did not start: {ended:?}"))
    }

    /// Starts a host and waits until it serves or ends.
    ///
    /// # Errors
    /// How it ended.
    pub async fn try_start(&self) -> Result<Host, Ended> {
        self.spawn(&[]).await.ready().await
    }

    /// Starts a host, below the program and arguments given, without waiting for anything.
    ///
    /// # Panics
    /// When the program has not been built.
    pub async fn spawn(&self, wrapper: &[&str]) -> Host {
        Host::spawn(&self.config_file(), self.folder(), self.password_file(), wrapper)
    }

    /// Starts a host on another configuration file, in this folder and below the program and arguments given, and waits
    /// until it serves.
    ///
    /// # Panics
    /// When it ends instead.
    pub async fn start_on(&self, config: &Path, wrapper: &[&str]) -> Host {
        let host = Host::spawn(config, self.folder(), self.password_file(), wrapper);
        host.ready().await.unwrap_or_else(|ended| panic!("the host did not start: {ended:?}"))
    }

    /// Runs a command of the program, with this configuration, to its end.
    ///
    /// # Panics
    /// When the program has not been built or does not end.
    pub async fn command(&self, arguments: &[&str]) -> Ended {
        Host::command(&self.config_file(), self.folder(), arguments).await
    }

    /// Where the demo password is kept.
    fn password_file(&self) -> PathBuf {
        match &self.database {
            Database::Sqlite { path } => path.with_file_name("demo-password"),
            Database::Postgres { .. } => self.folder().join("demo-password"),
        }
    }
}

fn temporary_folder() -> TempDir {
    tempfile::Builder::new().prefix("switchboard-e2e-").tempdir().expect("the system gives a temporary folder")
}
