//! The settings of a mailbox: `[channels.SLUG]` with `kind = "email"`.

macro_rules! settings {
    ($($key:literal, $values:literal, $default:expr, $about:literal;)+) => {
        &[$(SettingDoc { key: $key, values: $values, default: $default, about: $about }),+]
    };
}

mod authentication;
mod dkim;
mod imap;
mod receiver;
mod sender;
mod smtp;

pub(crate) use authentication::{AuthenticationConfig, ProofRule, VerifyConfig};
pub(crate) use imap::{AfterIntake, ImapConfig, OauthConfig, SignIn};
pub(crate) use receiver::{Limits, Protocol, ReceiverConfig, TlsFiles};
pub(crate) use sender::{SenderConfig, Shown, Signature};
pub(crate) use smtp::{Security, SmtpConfig};

use crate::dkim::Dkim;
use authentication::AuthenticationShape;
use email_address::EmailAddress;
use serde::Deserialize;
use std::net::IpAddr;
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

/// Every setting of the channel.
pub(crate) const SETTINGS: &[SettingDoc] = &joined::<{ count(PARTS) }>(PARTS);

const PARTS: &[&[SettingDoc]] = &[OWN, receiver::SETTINGS, smtp::SETTINGS, imap::SETTINGS, sender::SETTINGS, dkim::SETTINGS];

const fn count(lists: &[&[SettingDoc]]) -> usize {
    let (mut list, mut all) = (0, 0);
    while list < lists.len() {
        (list, all) = (list + 1, all + lists[list].len());
    }
    all
}

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
    receiver: receiver::ReceiverShape,
    #[serde(default)]
    imap: imap::ImapShape,
    #[serde(default)]
    smtp: smtp::SmtpShape,
    #[serde(default)]
    dkim: dkim::DkimShape,
    #[serde(flatten)]
    sender: sender::SenderShape,
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

/// Whether a host is this machine.
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
