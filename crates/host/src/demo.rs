//! First steps: the directory that an empty database begins with, and a password to try the desk with.

use crate::config::{Config, ConnectedChannel, MailDoor};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use switchboard_engine::{ApplyOptions, Caller, Engine};
use switchboard_model::ChannelKind;

/// Letters that nobody confuses.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const PASSWORD_LETTERS: usize = 16;

/// Applies the first directory to an empty database. With `demo`, its people get one password, kept in a file beside
/// the database. Answers with that file when there is one.
///
/// # Errors
/// The faults of the directory file, a line each.
pub async fn prepare(config: &Config, engine: &Engine) -> Result<Option<PathBuf>, String> {
    if let Some(file) = config.first_directory.as_deref().filter(|_| engine.directory().version == 0) {
        apply(engine, file).await?;
        if config.demo {
            make_passwords(config, engine).await?;
        }
    }
    Ok(password_file(config).filter(|file| config.demo && file.exists()))
}

/// What to try first, in words for the terminal.
pub fn welcome(config: &Config, engine: &Engine, url: &str, password_file: Option<&Path>) -> String {
    let mut text = format!("Switchboard is ready at {url}\n");
    let Some(file) = password_file else { return text };
    let password = std::fs::read_to_string(file).unwrap_or_default();
    let directory = engine.directory();
    let first = directory.users.iter().find(|user| user.is_active()).map(|user| user.email.clone()).unwrap_or_default();
    text += &format!("\nSign in as {first} or any of its colleagues (`switchboard user list`)\n");
    text += &format!("with the password {} (kept in {})\n\nTry:\n", password.trim(), file.display());
    for (number, step) in (1..).zip(steps(&config.channels, url)) {
        text += &format!("  {number}. {step}\n");
    }
    text
}

/// What this configuration can be tried with.
fn steps(channels: &BTreeMap<String, ConnectedChannel>, url: &str) -> Vec<String> {
    // The system chooses the port where 0 stands; the log names it.
    let door = channels.values().filter_map(|channel| channel.mail_door.as_ref()).find(|door| door.listen.port() != 0);
    let mail = door.map(|MailDoor { listen, address }| {
        let host = if listen.ip().is_unspecified() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { listen.ip() };
        let server = SocketAddr::new(host, listen.port());
        format!(
            "swaks --server {server} --from maja@customer.test --to {address} \\\n           \
             --header 'Subject: Where is my parcel?' --body 'It should have come on Monday.'"
        )
    });
    let form = channels.iter().find(|(_, channel)| channel.kind == ChannelKind::Form);
    let form = form.map(|(slug, _)| format!("fill in the form at {url}/channels/{slug}/"));
    let widget = channels.values().find_map(|channel| channel.channel.widget());
    let chat = widget.map(|widget| format!("chat as a customer at {url}/w/{}", widget.key));
    let explain = "switchboard explain --config config/switchboard.toml NUMBER   (the number the desk shows)";
    mail.into_iter().chain(form).chain(chat).chain([explain.to_owned()]).collect()
}

async fn apply(engine: &Engine, file: &Path) -> Result<(), String> {
    let shown = file.display();
    let in_file = |message: &str| message.lines().map(|line| format!("{shown}: {line}")).collect::<Vec<_>>();
    let loaded = crate::directory_file::load(file).map_err(|fault| format!("first_directory: {shown}: {fault}"))?;
    let calendars: Vec<String> = loaded.faults.iter().flat_map(|fault| in_file(&fault.to_string())).collect();
    let options = ApplyOptions { dry_run: !calendars.is_empty(), ..ApplyOptions::default() };
    let report = match engine.apply(&Caller::system(), &loaded.text, options).await {
        Ok(report) if calendars.is_empty() => report,
        applied => {
            let others = applied.err().map(|error| in_file(&crate::control::shown(error))).unwrap_or_default();
            return Err([calendars, others].concat().join("\n"));
        }
    };
    tracing::info!(version = report.version, changes = report.changes.len(), "the first directory is applied");
    Ok(())
}

async fn make_passwords(config: &Config, engine: &Engine) -> Result<(), String> {
    let password = password()?;
    for user in engine.directory().users.iter().filter(|user| user.is_active()) {
        engine.set_password(&Caller::system(), user.id, password.clone()).await.map_err(crate::control::shown)?;
    }
    let Some(file) = password_file(config) else { return Ok(()) };
    write_private(&file, password.expose_secret()).map_err(|error| format!("{}: {error}", file.display()))
}

/// A new file, whatever lay there: the mode counts only for one that is made.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => writeln!(std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?, "{text}"),
    }
}

/// Beside the SQLite file; a demo on PostgreSQL keeps it in the folder it was started in.
fn password_file(config: &Config) -> Option<PathBuf> {
    match crate::control::socket_path(config) {
        Some(socket) => Some(socket.with_file_name("demo-password")),
        None => Some(PathBuf::from("demo-password")),
    }
}

fn password() -> Result<SecretString, String> {
    let mut bytes = [0_u8; PASSWORD_LETTERS];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let letters: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(letters.into())
}

#[cfg(test)]
mod tests {
    use super::{steps, write_private};
    use crate::config::Config;
    use std::os::unix::fs::PermissionsExt;

    fn shown(channels: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, channels).unwrap();
        let config = Config::load(&file).unwrap_or_else(|faults| panic!("{faults:?}"));
        steps(&config.channels, "http://desk.test").join("\n")
    }

    fn mailbox(slug: &str, receiver: &str) -> String {
        format!("[channels.{slug}]\nkind = \"email\"\naddress = \"{slug}@desk.test\"\n[channels.{slug}.receiver]\n{receiver}\n")
    }

    #[test]
    fn the_first_steps_name_the_address_that_mail_is_taken_at() {
        let first = mailbox("a", "listen = \"127.0.0.1:0\"") + &mailbox("b", "listen = \"0.0.0.0:2600\"");
        assert!(shown(&first).starts_with("swaks --server 127.0.0.1:2600 --from maja@customer.test --to b@desk.test \\\n"));
        let v6 = shown(&mailbox("a", "listen = \"[::1]:2601\"\nprotocol = \"smtp\""));
        assert!(v6.starts_with("swaks --server [::1]:2601 --from"), "{v6}");
    }

    #[test]
    fn without_a_mail_server_to_try_the_first_steps_begin_elsewhere() {
        let explain = "switchboard explain";
        assert!(shown("").starts_with(explain));
        assert!(shown(&mailbox("a", "listen = \"127.0.0.1:0\"")).starts_with(explain));
        assert!(shown(&mailbox("a", "listen = \"127.0.0.1:24\"\nprotocol = \"lmtp\"")).starts_with(explain));
    }

    #[test]
    fn a_chat_is_tried_on_its_own_page() {
        let shown = shown("[channels.shop]\nkind = \"chat\"\nkey = \"shop_7Hq2\"\n");
        assert!(shown.starts_with("chat as a customer at http://desk.test/w/shop_7Hq2\n"), "{shown}");
    }

    #[test]
    fn the_password_is_for_our_account_alone_even_where_a_file_lay_open() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("demo-password");
        std::fs::write(&file, "old and long").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&file, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
