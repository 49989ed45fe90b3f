//! The settings of a mailbox: `[channels.SLUG]` with `kind = "email"`.

macro_rules! settings {
    ($($key:literal, $values:literal, $default:expr, $about:literal;)+) => {
        &[$(SettingDoc { key: $key, values: $values, default: $default, about: $about }),+]
    };
}

mod authentication;
mod dkim;
mod imap;
mod sender;

pub(crate) use authentication::{AuthenticationConfig, ProofRule, VerifyConfig};
pub(crate) use imap::{AfterIntake, ImapConfig, OauthConfig, SignIn};
pub(crate) use sender::{SenderConfig, Shown, Signature};

use crate::dkim::Dkim;
use authentication::AuthenticationShape;
use email_address::EmailAddress;
use secrecy::SecretString;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use switchboard_channel::{SettingDoc, Settings};
use switchboard_model::Fault;

/// A mailbox with its way in and its way out.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Who the mailbox is.
    pub(crate) mailbox: Mailbox,
    /// Display name of the mailbox.
    pub(crate) name: Option<String>,
    /// How the sender is shown, and what stands below answers.
    pub(crate) sender: SenderConfig,
    /// Whether replies carry a signed Reply-To.
    pub(crate) reply_token: bool,
    /// The way in.
    pub(crate) receiver: Option<ReceiverConfig>,
    /// The other way in: a mailbox on a server.
    pub(crate) imap: Option<ImapConfig>,
    /// The way out.
    pub(crate) smtp: Option<SmtpConfig>,
    /// Signs what goes out.
    pub(crate) dkim: Option<Arc<Dkim>>,
}

/// The addresses of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// The channel's slug.
    pub(crate) slug: String,
    /// The address that answers come from.
    pub(crate) address: String,
    /// Further addresses that are taken in, lower case, the first one being `address` itself.
    pub(crate) accepted: Vec<String>,
    /// Whose word counts for a sender.
    pub(crate) authentication: AuthenticationConfig,
}

/// The way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiverConfig {
    /// Where to listen; port 0 lets the system choose.
    pub(crate) listen: SocketAddr,
    /// What is spoken there, and its limits.
    pub(crate) limits: Limits,
    /// Certificate chain and key, as PEM files.
    pub(crate) tls: Option<TlsFiles>,
}

/// What the receiver speaks and how much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// SMTP or LMTP.
    pub(crate) protocol: Protocol,
    /// Largest message in bytes.
    pub(crate) max_message_bytes: usize,
    /// Bytes of messages being received at once, over all connections.
    pub(crate) max_buffered_bytes: usize,
    /// Connections at once.
    pub(crate) max_connections: usize,
    /// Recipients per message.
    pub(crate) max_recipients: usize,
    /// Seconds to wait for the next bytes of a peer.
    pub(crate) command_timeout_seconds: u64,
}

/// The protocol of the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Protocol {
    /// One answer per message (RFC 5321).
    Smtp,
    /// One answer per recipient (RFC 2033).
    Lmtp,
}

/// A certificate chain and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// PEM file with the chain, leaf first.
    pub(crate) certificate: PathBuf,
    /// PEM file with the key.
    pub(crate) key: PathBuf,
}

/// The way out.
#[derive(Clone, Debug)]
pub(crate) struct SmtpConfig {
    /// Host name or address.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// User and password.
    pub(crate) credentials: Option<(String, SecretString)>,
    /// Seconds for one whole attempt, connecting included.
    pub(crate) timeout_seconds: u64,
    /// Connections at once.
    pub(crate) max_connections: usize,
    /// A PEM file with a certificate authority to trust besides the usual ones.
    pub(crate) ca_file: Option<PathBuf>,
}

/// How the connection to a server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Security {
    /// TLS from the first byte.
    Tls,
    /// Plain at first, then TLS or nothing at all.
    Starttls,
    /// Plain.
    None,
}

/// Every setting of the channel.
pub(crate) const SETTINGS: &[SettingDoc] = &joined::<
    { OWN.len() + imap::SETTINGS.len() + sender::SETTINGS.len() + dkim::SETTINGS.len() },
>(&[OWN, imap::SETTINGS, sender::SETTINGS, dkim::SETTINGS]);

const fn joined<const COUNT: usize>(lists: &[&[SettingDoc]]) -> [SettingDoc; COUNT] {
    let mut all = [OWN[0]; COUNT];
    let (mut list, mut place) = (0, 0);
    while list < lists.len() {
        let mut nth = 0;
        while nth < lists[list].len() {
            all[place] = lists[list][nth];
            (nth, place) = (nth + 1, place + 1);
        }
        list += 1;
    }
    all
}

const OWN: &[SettingDoc] = settings! {
    "address", "an email address", None, "The address of the mailbox; answers come from it.";
    "name", "text", Some(""), "Display name of the mailbox; `sender` says how answers show it.";
    "aliases", "a list of email addresses", Some("[]"), "Further addresses whose mail belongs to this mailbox.";
    "reply_token", "true or false", Some("true"),
        "Put a signed Reply-To (`local+c12.…@domain`) into answers, so that replies find their conversation even from programs that drop References. The mail server must deliver plus-addresses.";
    "authentication.trust", "a list of names", Some("[]"),
        "The names (`authserv-id`) under which your own mail servers write `Authentication-Results`. Of all headers under these names the topmost alone counts; those under other names are ignored.";
    "authentication.verify", "true or false", Some("false"),
        "Check SPF, DKIM, DMARC and ARC here, of mail that came over the receiver; what a trusted name says in it counts only if one of `relays` hands it in. Asks name servers. SPF is left out for peers on this machine or a private network, because they only pass on.";
    "authentication.relays", "a list of IP addresses and networks", Some("[]"),
        "Your own mail servers that hand mail to the receiver, with `authentication.verify`: from these addresses the result of a trusted name counts instead of our own check, and SPF is left out. A mail server on this machine is `127.0.0.1`, if nobody else can connect from there.";
    "authentication.proof", "`unless_failed` or `only_passed`", Some("\"unless_failed\""),
        "When the address of a sender proves who writes: unless DMARC failed or could not be checked, or only when it passed. An address that is no proof begins a conversation of its own and brings nobody's owner.";
    "authentication.name_servers", "a list of IP addresses, with or without a port", Some("[]"),
        "Name servers for `authentication.verify`; those of the system when empty.";
    "authentication.timeout_seconds", "seconds, 1 to 60", Some("10"),
        "Time to look up the policy of a mail's author, and as much again for all checks.";
    "receiver.listen", "an IP address and a port", Some(""),
        "Where to take mail in. Made to sit behind a mail server: keep it on loopback or a private network. Several mailboxes may name the same address.";
    "receiver.protocol", "`smtp` or `lmtp`", Some("\"smtp\""), "What is spoken there; LMTP answers for each recipient.";
    "receiver.max_message_bytes", "bytes, 1024 to 1073741824", Some("26214400"), "The largest message taken in.";
    "receiver.max_buffered_bytes", "bytes, at least `max_message_bytes`", Some("268435456"),
        "Bytes of messages under way at once over all connections; beyond it the peer is told to try again.";
    "receiver.max_connections", "1 to 100000", Some("256"), "Connections at once; one more is told to try again.";
    "receiver.max_recipients", "1 to 10000", Some("100"), "Recipients of one message.";
    "receiver.command_timeout_seconds", "seconds, 1 to 3600", Some("60"),
        "How long a peer may stay silent. One message may take ten times as long.";
    "receiver.tls_certificate_file", "a path", Some(""), "PEM file with the certificate chain; offers STARTTLS.";
    "receiver.tls_key_file", "a path", Some(""), "PEM file with the key of the certificate.";
    "smtp.host", "a host name or IP address", Some(""), "The server that sends answers; without it nothing can be sent.";
    "smtp.port", "1 to 65535", Some(""), "Its port; 465 for `tls`, 587 for `starttls`, 25 for `none` when absent.";
    "smtp.security", "`tls`, `starttls` or `none`", Some("\"tls\""),
        "How the connection is protected. `none` with a password is refused unless the host is this machine.";
    "smtp.user", "text", Some(""), "User to sign in as.";
    "smtp.password", "text, better as `password_file`", Some(""), "The user's password.";
    "smtp.timeout_seconds", "seconds, 1 to 600", Some("30"), "Time for one whole attempt, connecting included.";
    "smtp.max_connections", "1 to 100", Some("4"), "Connections to the server at once.";
    "smtp.ca_file", "a path", Some(""), "PEM file with a certificate authority to trust besides the public ones.";
};

#[derive(Deserialize)]
struct Shape {
    address: String,
    name: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    reply_token: Option<bool>,
    #[serde(default)]
    authentication: AuthenticationShape,
    #[serde(default)]
    receiver: ReceiverShape,
    #[serde(default)]
    imap: imap::ImapShape,
    #[serde(default)]
    smtp: SmtpShape,
    #[serde(default)]
    dkim: dkim::DkimShape,
    #[serde(flatten)]
    sender: sender::SenderShape,
}

#[derive(Default, Deserialize)]
struct ReceiverShape {
    listen: Option<String>,
    protocol: Option<Protocol>,
    max_message_bytes: Option<u64>,
    max_buffered_bytes: Option<u64>,
    max_connections: Option<u64>,
    max_recipients: Option<u64>,
    command_timeout_seconds: Option<u64>,
    tls_certificate_file: Option<PathBuf>,
    tls_key_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
struct SmtpShape {
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password: Option<SecretString>,
    timeout_seconds: Option<u64>,
    max_connections: Option<u64>,
    ca_file: Option<PathBuf>,
}

impl Protocol {
    /// The word that the settings use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
        }
    }
}

impl Config {
    /// Reads the settings, or says everything that is wrong with them.
    pub(crate) fn read(settings: &Settings) -> Result<Self, Vec<Fault>> {
        let shape: Shape = settings.read(SETTINGS)?;
        let mut check = Check { settings, faults: Vec::new() };
        let accepted = check.addresses(&shape.address, &shape.aliases);
        let receiver = check.receiver(shape.receiver);
        let imap = check.imap(&shape.address, shape.imap);
        let smtp = check.smtp(shape.smtp);
        let authentication = check.authentication(shape.authentication, receiver.is_some());
        let dkim = check.dkim(shape.dkim, &shape.address);
        let sender = check.sender(shape.sender);
        if !check.faults.is_empty() {
            return Err(check.faults);
        }
        Ok(Self {
            mailbox: Mailbox { slug: settings.slug.clone(), address: shape.address.trim().to_owned(), accepted, authentication },
            name: shape.name.filter(|name| !name.trim().is_empty()),
            sender,
            reply_token: shape.reply_token.unwrap_or(true),
            receiver,
            imap,
            smtp,
            dkim,
        })
    }
}

impl Mailbox {
    /// Whether the mailbox takes mail for this address; whatever its letter case, with or without a plus-tag.
    pub(crate) fn owns(&self, address: &str) -> bool {
        self.tag(address).is_some()
    }

    /// The plus-tag of an own address, in lower case; empty when it has none.
    pub(crate) fn tag(&self, address: &str) -> Option<String> {
        let address = address.trim().to_lowercase();
        let (local, domain) = address.rsplit_once('@')?;
        self.accepted.iter().find_map(|own| {
            let (own_local, own_domain) = own.rsplit_once('@')?;
            let rest = local.strip_prefix(own_local).filter(|_| domain == own_domain)?;
            match rest.strip_prefix('+') {
                Some(tag) => Some(tag.to_owned()),
                None => rest.is_empty().then(String::new),
            }
        })
    }

    /// Local part and domain of the address that answers come from.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.address.rsplit_once('@').expect("the address was checked when the settings were read")
    }
}

struct Check<'s> {
    settings: &'s Settings,
    faults: Vec<Fault>,
}

impl Check<'_> {
    fn fault(&mut self, key: &str, message: impl Into<String>) {
        self.faults.push(Fault::new(self.settings.key(key), message));
    }

    fn addresses(&mut self, address: &str, aliases: &[String]) -> Vec<String> {
        let listed = std::iter::once((String::from("address"), address))
            .chain(aliases.iter().enumerate().map(|(nth, alias)| (format!("aliases[{nth}]"), alias.as_str())));
        let mut accepted = Vec::new();
        for (key, address) in listed {
            let address = address.trim();
            // The header encoder is the stricter of the two; an address that it refuses could never be answered from.
            if EmailAddress::from_str(address).is_ok() && address.parse::<lettre::Address>().is_ok() {
                accepted.push(address.to_lowercase());
            } else {
                self.fault(&key, format!("`{address}` is no email address such as `support@example.com`"));
            }
        }
        accepted
    }

    fn receiver(&mut self, shape: ReceiverShape) -> Option<ReceiverConfig> {
        let key = |name: &str| format!("receiver.{name}");
        let max_message = self.number(&key("max_message_bytes"), shape.max_message_bytes, 26_214_400, 1_024, 1_073_741_824);
        let limits = Limits {
            protocol: shape.protocol.unwrap_or(Protocol::Smtp),
            max_message_bytes: max_message,
            max_buffered_bytes: self.number(
                &key("max_buffered_bytes"),
                shape.max_buffered_bytes,
                268_435_456.max(max_message as u64),
                max_message as u64,
                u64::MAX >> 1,
            ),
            max_connections: self.number(&key("max_connections"), shape.max_connections, 256, 1, 100_000),
            max_recipients: self.number(&key("max_recipients"), shape.max_recipients, 100, 1, 10_000),
            command_timeout_seconds: self.number(&key("command_timeout_seconds"), shape.command_timeout_seconds, 60, 1, 3_600)
                as u64,
        };
        let tls = match (shape.tls_certificate_file, shape.tls_key_file) {
            (Some(certificate), Some(key)) => Some(TlsFiles { certificate: self.path(&certificate), key: self.path(&key) }),
            (Some(_), None) => {
                self.fault(&key("tls_key_file"), "missing; `receiver.tls_certificate_file` needs its key");
                None
            }
            (None, Some(_)) => {
                self.fault(&key("tls_certificate_file"), "missing; `receiver.tls_key_file` needs its certificate");
                None
            }
            (None, None) => None,
        };
        let Some(listen) = shape.listen else {
            if self.settings.table.contains_key("receiver") {
                self.fault(&key("listen"), "missing; the other settings of the receiver need it, such as `127.0.0.1:2525`");
            }
            return None;
        };
        let Ok(listen) = listen.trim().parse::<SocketAddr>() else {
            self.fault(&key("listen"), format!("`{listen}` is no IP address with a port, such as `127.0.0.1:2525`"));
            return None;
        };
        Some(ReceiverConfig { listen, limits, tls })
    }

    fn smtp(&mut self, shape: SmtpShape) -> Option<SmtpConfig> {
        let security = shape.security.unwrap_or(Security::Tls);
        let timeout_seconds = self.number("smtp.timeout_seconds", shape.timeout_seconds, 30, 1, 600) as u64;
        let max_connections = self.number("smtp.max_connections", shape.max_connections, 4, 1, 100);
        if shape.port == Some(0) {
            self.fault("smtp.port", "0 is no port; it is 1 to 65535");
        }
        let Some(host) = shape.host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()) else {
            if self.settings.table.contains_key("smtp") {
                self.fault("smtp.host", "missing; the other settings of `smtp` need it");
            }
            return None;
        };
        let credentials = match (shape.user, shape.password) {
            (Some(user), Some(password)) => Some((user, password)),
            (Some(_), None) => {
                self.fault("smtp.password", "missing; `smtp.user` needs it, best as `smtp.password_file`");
                None
            }
            (None, Some(_)) => {
                self.fault("smtp.user", "missing; `smtp.password` belongs to a user");
                None
            }
            (None, None) => None,
        };
        if credentials.is_some() && security == Security::None && !is_loopback(&host) {
            let message = format!("`none` would send the password in the clear to `{host}`; it is `tls` or `starttls`");
            self.fault("smtp.security", message);
        }
        let port = shape.port.unwrap_or(match security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        });
        let ca_file = shape.ca_file.map(|path| self.path(&path));
        Some(SmtpConfig { host, port, security, credentials, timeout_seconds, max_connections, ca_file })
    }

    fn number(&mut self, key: &str, found: Option<u64>, default: u64, least: u64, most: u64) -> usize {
        let number = found.unwrap_or(default);
        if !(least..=most).contains(&number) {
            self.fault(key, format!("{number} is out of range; it is {least} to {most}"));
        }
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    fn path(&self, path: &Path) -> PathBuf {
        self.settings.folder.join(path)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Config, Security};
    use switchboard_channel::Settings;

    /// A configuration from TOML; used by the tests of every module.
    pub(crate) fn config(toml: &str) -> Config {
        Config::read(&settings(toml)).expect("valid settings")
    }

    fn settings(toml: &str) -> Settings {
        Settings { slug: "mail".into(), table: toml.parse().expect("valid TOML"), folder: "/etc/switchboard".into() }
    }

    pub(crate) fn faults(toml: &str) -> Vec<String> {
        Config::read(&settings(toml)).expect_err("faulty settings").iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_alone_is_enough_and_the_rest_has_defaults() {
        let config = config("address = \"Support@Shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\nsmtp.host = \"mx.test\"");
        let (receiver, smtp) = (config.receiver.expect("a receiver"), config.smtp.expect("a sender"));
        assert_eq!(config.mailbox.accepted, ["support@shop.test"]);
        assert_eq!((receiver.limits.max_message_bytes, receiver.limits.max_connections), (26_214_400, 256));
        assert_eq!((smtp.port, smtp.security, smtp.timeout_seconds), (465, Security::Tls, 30));
        assert!(config.reply_token);
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let toml = "address = \"support\"\naliases = [\"a@b.test\", \"@\"]\n[receiver]\nlisten = \"2525\"\nmax_connections = 0\n\
                    tls_key_file = \"key.pem\"\n[smtp]\nhost = \"mx.test\"\nsecurity = \"none\"\nuser = \"u\"\npassword = \"p\"\nport = 0";
        insta::assert_snapshot!(faults(toml).join("\n"), @r"
        channels.mail.address: `support` is no email address such as `support@example.com`
        channels.mail.aliases[1]: `@` is no email address such as `support@example.com`
        channels.mail.receiver.max_connections: 0 is out of range; it is 1 to 100000
        channels.mail.receiver.tls_certificate_file: missing; `receiver.tls_key_file` needs its certificate
        channels.mail.receiver.listen: `2525` is no IP address with a port, such as `127.0.0.1:2525`
        channels.mail.smtp.port: 0 is no port; it is 1 to 65535
        channels.mail.smtp.security: `none` would send the password in the clear to `mx.test`; it is `tls` or `starttls`
        ");
    }

    #[test]
    fn a_table_without_its_key_setting_is_a_fault() {
        let toml = "address = \"a@b.test\"\n[receiver]\nmax_recipients = 5\n[smtp]\nport = 25";
        insta::assert_snapshot!(faults(toml).join("\n"), @r"
        channels.mail.receiver.listen: missing; the other settings of the receiver need it, such as `127.0.0.1:2525`
        channels.mail.smtp.host: missing; the other settings of `smtp` need it
        ");
    }

    #[test]
    fn a_password_in_the_clear_may_go_to_this_machine_only() {
        for host in ["127.0.0.1", "localhost", "::1", "[::1]"] {
            let toml =
                format!("address = \"a@b.test\"\n[smtp]\nhost = \"{host}\"\nsecurity = \"none\"\nuser = \"u\"\npassword = \"p\"");
            assert!(config(&toml).smtp.expect("a sender").credentials.is_some(), "{host}");
        }
    }

    #[test]
    fn plus_addresses_and_aliases_belong_to_the_mailbox_and_strangers_do_not() {
        let mailbox = config("address = \"support@shop.test\"\naliases = [\"help+desk@shop.test\"]").mailbox;
        for (address, tag) in [
            ("support@shop.test", Some("")),
            ("SUPPORT+C1.ab@Shop.Test", Some("c1.ab")),
            ("help+desk+x@shop.test", Some("x")),
            ("help+desk@shop.test", Some("")),
            ("help@shop.test", None),
            ("supporter@shop.test", None),
            ("support@shop.test.evil.test", None),
            ("support", None),
        ] {
            assert_eq!(mailbox.tag(address).as_deref(), tag, "{address}");
        }
    }

    #[test]
    fn debug_output_shows_no_password() {
        let config = config("address = \"a@b.test\"\n[smtp]\nhost = \"h\"\nuser = \"u\"\npassword = \"tell-nobody\"");
        assert!(!format!("{config:?}").contains("tell-nobody"));
    }
}
