//! The configuration: a TOML file, overridden by the environment, with every fault reported at once.

use crate::channels::REGISTRY;
use crate::listener::Limits;
use config::{Config as Source, Environment, File, FileFormat};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Channel, Registration, Settings};
use switchboard_engine::directory::{Entry, syntax_fault};
use switchboard_model::{ChannelKind, Fault};
use toml::{Table, Value};

/// The prefix of environment variables that override keys: `SWITCHBOARD__SERVER__LISTEN`.
const ENVIRONMENT: &str = "SWITCHBOARD";
/// A key that ends like this names a file to read the value from.
const FILE_SUFFIX: &str = "_file";

/// The configuration of a host.
pub struct Config {
    /// `[server]`
    pub server: Server,
    /// `[database]`
    pub database: Database,
    /// `[log]`
    pub log: Log,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[session]`
    pub session: Session,
    /// A directory file that is applied while the directory is empty.
    pub first_directory: Option<PathBuf>,
    /// Make a password for the people of the first directory, keep it beside the database and print it.
    pub demo: bool,
    /// `[channels.SLUG]`, by slug.
    pub channels: BTreeMap<String, ConnectedChannel>,
}

/// `[server]`
pub struct Server {
    /// Where HTTP is served.
    pub listen: SocketAddr,
    /// The address under which people reach it.
    pub public_url: Option<String>,
    /// The name of the company.
    pub company: Option<String>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// What a stranger may take of the listener.
    pub limits: Limits,
}

/// `[database]`
pub struct Database {
    /// `sqlite:PATH` or `postgres://…`; may hold a password.
    pub url: SecretString,
    /// Connections for reading.
    pub readers: u32,
}

/// `[log]`
pub struct Log {
    /// `tracing` filter directives.
    pub filter: String,
    /// One JSON object per line instead of text.
    pub json: bool,
}

/// `[metrics]`
pub struct Metrics {
    /// Served at `/metrics`.
    pub on: bool,
    /// Asked for as a bearer token.
    pub token: Option<SecretString>,
}

/// `[session]`
pub struct Session {
    /// Hours without use after which a session ends.
    pub idle_hours: u32,
    /// Days after which it ends at the latest.
    pub max_days: u32,
}

/// One connected channel.
#[derive(Clone)]
pub struct ConnectedChannel {
    /// The kind.
    pub kind: ChannelKind,
    /// The channel that replies go out through.
    pub reply_via: Option<String>,
    /// Where its mail server takes mail in, and for which address, when it has one; for the first steps.
    pub mail_door: Option<MailDoor>,
    /// The adapter.
    pub channel: Arc<dyn Channel>,
}

/// A mail server of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDoor {
    /// Where it listens, as configured.
    pub listen: SocketAddr,
    /// The mailbox.
    pub address: String,
}

impl Config {
    /// Reads and checks a configuration file with its overrides.
    ///
    /// # Errors
    /// Every fault, each with the file and the key.
    pub fn load(path: &Path) -> Result<Self, Vec<Fault>> {
        let shown = path.display().to_string();
        let in_file = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.in_file(&shown)).collect::<Vec<_>>();
        let table = merged(path).map_err(in_file)?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut faults = Vec::new();
        let config = read(table, &folder, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(in_file(faults)) }
    }
}

/// The file with the environment laid over it.
fn merged(path: &Path) -> Result<Table, Vec<Fault>> {
    let text = std::fs::read_to_string(path).map_err(|error| vec![Fault::new("file", format!("cannot be read: {error}"))])?;
    if let Err(error) = text.parse::<Table>() {
        return Err(vec![syntax_fault(&text, &error)]);
    }
    let environment = Environment::with_prefix(ENVIRONMENT).prefix_separator("__").separator("__").try_parsing(true);
    let source = Source::builder().add_source(File::from_str(&text, FileFormat::Toml)).add_source(environment).build();
    source.and_then(Source::try_deserialize).map_err(|error| vec![Fault::new("file", error.to_string())])
}

fn read(table: Table, folder: &Path, faults: &mut Vec<Fault>) -> Config {
    let mut root = Entry::new("", table);
    let section = |root: &mut Entry, key: &'static str| root.entry(key).unwrap_or_else(|| Entry::new(key, Table::new()));
    let server = read_server(section(&mut root, "server"), faults);
    let database = read_database(section(&mut root, "database"), folder, faults);
    let log = read_log(section(&mut root, "log"), faults);
    let metrics = read_metrics(section(&mut root, "metrics"), folder, faults);
    let session = read_session(section(&mut root, "session"), faults);
    let first_directory = root.optional::<String>("first_directory").map(|file| folder.join(file));
    let demo = root.optional("demo").unwrap_or(false);
    let entries = root.named_entries("channels");
    root.finish(faults);
    let mut channels = BTreeMap::new();
    let slugs: Vec<String> = entries.iter().map(|(slug, _)| slug.clone()).collect();
    for (slug, entry) in entries {
        if let Some(channel) = read_channel(&slug, entry, folder, faults) {
            channels.insert(slug, channel);
        }
    }
    check_reply_via(&channels, &slugs, faults);
    check_widget_keys(&channels, faults);
    Config { server, database, log, metrics, session, first_directory, demo, channels }
}

fn read_server(mut entry: Entry, faults: &mut Vec<Fault>) -> Server {
    let listen = parsed(&mut entry, "listen", "an address such as `127.0.0.1:8080`")
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080)));
    let public_url: Option<String> = entry.optional("public_url");
    if public_url.as_ref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        entry.fault("public_url", "must begin with https:// or http://");
    }
    let server = Server {
        listen,
        public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
        company: entry.optional("company"),
        trusted_proxies: entry.optional("trusted_proxies").unwrap_or_default(),
        limits: Limits {
            connections: within(&mut entry, "max_connections", 4_096, 1..=1_000_000) as usize,
            header_timeout: Duration::from_secs(within(&mut entry, "header_timeout_seconds", 10, 1..=3_600).into()),
            write_timeout: Duration::from_secs(within(&mut entry, "write_timeout_seconds", 30, 1..=3_600).into()),
        },
    };
    entry.finish(faults);
    server
}

fn read_database(entry: Entry, folder: &Path, faults: &mut Vec<Fault>) -> Database {
    let mut entry = with_files(entry, &["url"], folder, faults);
    let url: Option<String> = entry.optional("url");
    let url = url.unwrap_or_else(|| String::from("sqlite:data/switchboard.db"));
    if !url.starts_with("sqlite:") && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        entry.fault("url", "must begin with `sqlite:` or `postgres://`");
    }
    let database = Database { url: url.into(), readers: entry.optional("readers").unwrap_or(8) };
    entry.finish(faults);
    database
}

fn read_log(mut entry: Entry, faults: &mut Vec<Fault>) -> Log {
    let format: String = entry.optional("format").unwrap_or_else(|| String::from("text"));
    if format != "text" && format != "json" {
        entry.fault("format", format!("`{format}` is neither `text` nor `json`"));
    }
    let log = Log { filter: entry.optional("filter").unwrap_or_else(|| String::from("info")), json: format == "json" };
    entry.finish(faults);
    log
}

fn read_metrics(entry: Entry, folder: &Path, faults: &mut Vec<Fault>) -> Metrics {
    let mut entry = with_files(entry, &["token"], folder, faults);
    let token: Option<String> = entry.optional("token");
    let metrics = Metrics { on: entry.optional("on").unwrap_or(false), token: token.map(SecretString::from) };
    entry.finish(faults);
    metrics
}

fn read_session(mut entry: Entry, faults: &mut Vec<Fault>) -> Session {
    let session =
        Session { idle_hours: entry.optional("idle_hours").unwrap_or(12), max_days: entry.optional("max_days").unwrap_or(30) };
    if session.idle_hours == 0 || session.max_days == 0 {
        entry.fault("idle_hours", "sessions need at least an hour and a day");
    }
    entry.finish(faults);
    session
}

fn read_channel(slug: &str, mut entry: Entry, folder: &Path, faults: &mut Vec<Fault>) -> Option<ConnectedChannel> {
    let path = entry.path.clone();
    if slug.is_empty() || !slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        faults.push(Fault::new(path.clone(), "a slug may hold only a-z, 0-9 and _"));
    }
    let kind: String = entry.required("kind");
    let reply_via: Option<String> = entry.optional("reply_via");
    let registration = REGISTRY.iter().find(|registration| registration.kind.as_str() == kind);
    let Some(registration) = registration else {
        if !kind.is_empty() {
            let known = REGISTRY.iter().map(|registration| registration.kind.as_str());
            faults.push(Fault::unknown(format!("{path}.kind"), "kind of channel", &kind, known));
        }
        faults.extend(entry.into_rest().1);
        return None;
    };
    let (mut table, found) = entry.into_rest();
    faults.extend(found);
    resolve_files(&mut table, "", &path, &|key| is_secret_file(registration, key), folder, faults);
    let mail_door = mail_door(&table);
    let settings = Settings { slug: slug.to_owned(), table, folder: folder.to_path_buf() };
    match (registration.build)(&settings) {
        Ok(channel) => Some(ConnectedChannel { kind: registration.kind, reply_via, mail_door, channel }),
        Err(found) => {
            faults.extend(found);
            None
        }
    }
}

/// What a channel's table says of a mail server of its own; whether that is right is the adapter's to say.
fn mail_door(table: &Table) -> Option<MailDoor> {
    let receiver = table.get("receiver")?;
    // LMTP is for mail servers; nobody tries it by hand.
    if receiver.get("protocol").is_some_and(|protocol| protocol.as_str() != Some("smtp")) {
        return None;
    }
    let listen = receiver.get("listen")?.as_str()?.parse().ok()?;
    Some(MailDoor { listen, address: table.get("address")?.as_str()?.to_owned() })
}

/// `KEY_file` stands for `KEY` where `KEY` is documented and `KEY_file` is no setting of its own.
fn is_secret_file(registration: &Registration, key: &str) -> bool {
    let documented = |key: &str| registration.settings.iter().any(|setting| setting.key == key);
    key.strip_suffix(FILE_SUFFIX).is_some_and(|plain| documented(plain) && !documented(key))
}

/// `slugs` are all that are configured; what is wrong with a channel that could not be read has been said already.
fn check_reply_via(channels: &BTreeMap<String, ConnectedChannel>, slugs: &[String], faults: &mut Vec<Fault>) {
    for (slug, channel) in channels {
        let Some(via) = &channel.reply_via else { continue };
        let key = format!("channels.{slug}.reply_via");
        match channels.get(via) {
            None if slugs.contains(via) => {}
            None => faults.push(Fault::unknown(key, "channel", via, slugs.iter().map(String::as_str))),
            Some(other) if !other.channel.capabilities().reply => {
                faults.push(Fault::new(key, format!("`{via}` cannot send replies either; give it a way to send")));
            }
            Some(_) => {}
        }
    }
}

/// A widget's key is a public address, which leads to one channel only.
fn check_widget_keys(channels: &BTreeMap<String, ConnectedChannel>, faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    for (slug, channel) in channels {
        let Some(key) = channel.channel.widget().map(|widget| widget.key) else { continue };
        match first.get(&key) {
            Some(other) => {
                let message = format!("found `{key}`, which is the key of `channels.{other}` already; each widget has its own");
                faults.push(Fault::new(format!("channels.{slug}.key"), message));
            }
            None => drop(first.insert(key, slug)),
        }
    }
}

/// The same section with `KEY_file` read into `KEY` for the named keys.
fn with_files(entry: Entry, keys: &[&str], folder: &Path, faults: &mut Vec<Fault>) -> Entry {
    let path = entry.path.clone();
    let (mut table, found) = entry.into_rest();
    faults.extend(found);
    let wanted = |key: &str| key.strip_suffix(FILE_SUFFIX).is_some_and(|plain| keys.contains(&plain));
    resolve_files(&mut table, "", &path, &wanted, folder, faults);
    Entry::new(path, table)
}

fn resolve_files(
    table: &mut Table,
    prefix: &str,
    path: &str,
    wanted: &dyn Fn(&str) -> bool,
    folder: &Path,
    faults: &mut Vec<Fault>,
) {
    let names: Vec<String> = table.keys().cloned().collect();
    for name in names {
        let key = format!("{prefix}{name}");
        if let Some(Value::Table(inner)) = table.get_mut(&name) {
            resolve_files(inner, &format!("{key}."), path, wanted, folder, faults);
            continue;
        }
        if !wanted(&key) {
            continue;
        }
        let Some(Value::String(file)) = table.remove(&name) else {
            faults.push(Fault::new(format!("{path}.{key}"), "must be the path of a file"));
            continue;
        };
        match std::fs::read_to_string(folder.join(&file)) {
            Ok(text) => {
                table.insert(
                    name.trim_end_matches(FILE_SUFFIX).to_owned(),
                    Value::String(text.trim_end_matches(['\r', '\n']).to_owned()),
                );
            }
            Err(error) => faults.push(Fault::new(format!("{path}.{key}"), format!("`{file}` cannot be read: {error}"))),
        }
    }
}

fn within(entry: &mut Entry, key: &'static str, default: u32, range: RangeInclusive<u32>) -> u32 {
    let value = entry.optional(key).unwrap_or(default);
    if !range.contains(&value) {
        entry.fault(key, format!("{value} is out of range; it is {} to {}", range.start(), range.end()));
    }
    value
}

fn parsed<T: FromStr>(entry: &mut Entry, key: &'static str, what: &str) -> Option<T> {
    let text: String = entry.optional(key)?;
    let value = text.parse().ok();
    if value.is_none() {
        entry.fault(key, format!("`{text}` is not {what}"));
    }
    value
}
