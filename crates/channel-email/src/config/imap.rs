//! The settings of a mailbox on an IMAP server: `imap.…`.

use super::{Check, Security, is_loopback};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use switchboard_channel::SettingDoc;

/// A mailbox on an IMAP server.
#[derive(Clone, Debug)]
pub(crate) struct ImapConfig {
    /// Host name or address.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// How the connection is protected.
    pub(crate) security: Security,
    /// A PEM file with a certificate authority to trust besides the usual ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// User to sign in as.
    pub(crate) username: String,
    /// What proves who signs in.
    pub(crate) sign_in: SignIn,
    /// The folder that is read.
    pub(crate) folder: String,
    /// What becomes of a mail that was taken in.
    pub(crate) after_intake: AfterIntake,
    /// Whether the server is asked to say when something arrives.
    pub(crate) idle: bool,
    /// How long one such question stands.
    pub(crate) idle_time: Duration,
    /// Time between two looks where the server does not say when something arrives.
    pub(crate) poll_pause: Duration,
    /// How long the server may say nothing.
    pub(crate) command_timeout: Duration,
    /// Largest mail that is taken in whole.
    pub(crate) max_message_bytes: usize,
    /// How many mails are asked for at once.
    pub(crate) max_messages_per_fetch: usize,
    /// First and longest pause before another attempt.
    pub(crate) backoff: (Duration, Duration),
}

/// What proves who signs in.
#[derive(Clone, Debug)]
pub(crate) enum SignIn {
    /// A password.
    Password(SecretString),
    /// An access token, for which there is a refresh token (XOAUTH2).
    Oauth(OauthConfig),
}

/// Where access tokens come from.
#[derive(Clone, Debug)]
pub(crate) struct OauthConfig {
    /// Address of the token endpoint.
    pub(crate) token_url: String,
    /// Host of that address, for messages.
    pub(crate) host: String,
    /// Name of this application there.
    pub(crate) client_id: String,
    /// Its secret, where it has one.
    pub(crate) client_secret: Option<SecretString>,
    /// What is exchanged for access tokens.
    pub(crate) refresh_token: SecretString,
    /// What is asked for; empty where the endpoint needs nothing said.
    pub(crate) scope: String,
}

/// What becomes of a mail that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AfterIntake {
    /// It gets this flag or keyword, and mail without it is new.
    Flag(String),
    /// It goes to another folder, and whatever is in this one is new.
    Move {
        /// Name of the folder.
        folder: String,
        /// Whether a missing folder is made.
        create: bool,
    },
    /// Nothing: the folder is only read.
    Nothing,
}

/// The keyword of mail that was taken in. Not `\Seen`, because a person who reads the folder elsewhere sets that.
const DEFAULT_FLAG: &str = "$Switchboard";

/// The documented settings.
pub(super) const SETTINGS: &[SettingDoc] = settings! {
    "imap.host", "a host name or IP address", Some(""),
        "The IMAP server whose mailbox is read; without it no mail is fetched.";
    "imap.port", "1 to 65535", Some(""), "Its port; 993 for `tls`, 143 otherwise when absent.";
    "imap.security", "`tls`, `starttls` or `none`", Some("\"tls\""),
        "How the connection is protected. `none` is refused unless the host is this machine.";
    "imap.ca_file", "a path", Some(""), "PEM file with a certificate authority to trust besides the public ones.";
    "imap.username", "text", Some(""), "User to sign in as; the address of the mailbox when absent.";
    "imap.password", "text, better as `password_file`", Some(""), "The user's password, unless `imap.oauth` is set.";
    "imap.oauth.token_url", "an https address", Some(""),
        "Token endpoint that gives access tokens for the refresh token; the server is then signed in to with XOAUTH2.";
    "imap.oauth.client_id", "text", Some(""), "Name of this application at the token endpoint.";
    "imap.oauth.client_secret", "text, better as `client_secret_file`", Some(""), "Its secret, where it has one.";
    "imap.oauth.refresh_token", "text, better as `refresh_token_file`", Some(""), "The refresh token.";
    "imap.oauth.scope", "text", Some(""), "What is asked for, where the endpoint wants it said.";
    "imap.folder", "the name of a folder", Some("\"INBOX\""), "The folder that is read.";
    "imap.after_intake", "`flag`, `move` or `nothing`", Some("\"flag\""),
        "What becomes of a mail once it is stored: it gets `imap.flag`, goes to `imap.move_to`, or nothing, in which case the folder is opened for reading only and looked through again after each start.";
    "imap.flag", "a keyword, or `\\Seen`", Some("\"$Switchboard\""),
        "Marks mail that was taken in; mail without it is new. With `\\Seen`, mail that somebody reads elsewhere first is never taken in.";
    "imap.move_to", "the name of a folder", Some(""), "Where mail goes that was taken in, with `after_intake = \"move\"`.";
    "imap.create_folder", "true or false", Some("false"), "Make the folder `imap.move_to` when it is missing.";
    "imap.idle", "true or false", Some("true"),
        "Let the server say when something arrives (IDLE); where it cannot, the folder is looked at every `poll_seconds`.";
    "imap.idle_seconds", "seconds, 1 to 300", Some("240"),
        "How long to wait for the server's word before looking oneself; a server that died in silence is noticed then.";
    "imap.poll_seconds", "seconds, 1 to 86400", Some("60"), "Time between two looks at the folder without IDLE.";
    "imap.command_timeout_seconds", "seconds, 1 to 600", Some("60"),
        "How long the server may say nothing when it owes an answer. One command may take ten times as long.";
    "imap.max_message_bytes", "bytes, 1024 to 1073741824", Some("26214400"),
        "The largest mail taken in whole; of a larger one its headers are, with a note.";
    "imap.max_messages_per_fetch", "1 to 1000", Some("100"), "How many mails are asked for at once.";
    "imap.backoff_seconds", "seconds, 1 to 3600", Some("1"), "The first pause after a failure; each further one is twice as long.";
    "imap.max_backoff_seconds", "seconds, at least `backoff_seconds`, at most 86400", Some("60"), "The longest such pause.";
};

#[derive(Default, Deserialize)]
pub(super) struct ImapShape {
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    ca_file: Option<PathBuf>,
    username: Option<String>,
    password: Option<SecretString>,
    oauth: Option<OauthShape>,
    folder: Option<String>,
    after_intake: Option<AfterShape>,
    flag: Option<String>,
    move_to: Option<String>,
    create_folder: Option<bool>,
    idle: Option<bool>,
    idle_seconds: Option<u64>,
    poll_seconds: Option<u64>,
    command_timeout_seconds: Option<u64>,
    max_message_bytes: Option<u64>,
    max_messages_per_fetch: Option<u64>,
    backoff_seconds: Option<u64>,
    max_backoff_seconds: Option<u64>,
}

#[derive(Default, Deserialize)]
struct OauthShape {
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AfterShape {
    #[default]
    Flag,
    Move,
    Nothing,
}

impl Check<'_> {
    /// The mailbox on a server, when there is one.
    pub(super) fn imap(&mut self, address: &str, shape: ImapShape) -> Option<ImapConfig> {
        let seconds = |check: &mut Self, name: &str, found, default, least, most| {
            Duration::from_secs(check.number(&format!("imap.{name}"), found, default, least, most) as u64)
        };
        let idle_time = seconds(self, "idle_seconds", shape.idle_seconds, 240, 1, 300);
        let poll_pause = seconds(self, "poll_seconds", shape.poll_seconds, 60, 1, 86_400);
        let command_timeout = seconds(self, "command_timeout_seconds", shape.command_timeout_seconds, 60, 1, 600);
        let first_pause = seconds(self, "backoff_seconds", shape.backoff_seconds, 1, 1, 3_600);
        let longest = shape.max_backoff_seconds.or(Some(first_pause.as_secs().max(60)));
        let longest_pause = seconds(self, "max_backoff_seconds", longest, 60, first_pause.as_secs(), 86_400);
        let max_message_bytes = self.number("imap.max_message_bytes", shape.max_message_bytes, 26_214_400, 1_024, 1_073_741_824);
        let max_messages_per_fetch = self.number("imap.max_messages_per_fetch", shape.max_messages_per_fetch, 100, 1, 1_000);
        if shape.port == Some(0) {
            self.fault("imap.port", "0 is no port; it is 1 to 65535");
        }
        let host = shape.host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
        let Some(host) = host else {
            if self.settings.table.contains_key("imap") {
                self.fault("imap.host", "missing; the other settings of `imap` need it");
            }
            return None;
        };
        let security = shape.security.unwrap_or(Security::Tls);
        if security == Security::None && !is_loopback(&host) {
            let message = format!("`none` would send password and mail in the clear to `{host}`; it is `tls` or `starttls`");
            self.fault("imap.security", message);
        }
        let username = shape.username.unwrap_or_else(|| address.trim().to_owned());
        if !is_sayable(&username) {
            self.fault("imap.username", "holds characters that no user name can have, or is empty");
        }
        let sign_in = self.sign_in(shape.password, shape.oauth);
        let folder = self.folder("imap.folder", shape.folder).unwrap_or_else(|| String::from("INBOX"));
        let after_intake =
            self.after_intake(&folder, shape.after_intake.unwrap_or_default(), shape.flag, shape.move_to, shape.create_folder);
        Some(ImapConfig {
            port: shape.port.unwrap_or(if security == Security::Tls { 993 } else { 143 }),
            host,
            security,
            ca_file: shape.ca_file.map(|path| self.path(&path)),
            username,
            sign_in: sign_in?,
            folder,
            after_intake: after_intake?,
            idle: shape.idle.unwrap_or(true),
            idle_time,
            poll_pause,
            command_timeout,
            max_message_bytes,
            max_messages_per_fetch,
            backoff: (first_pause, longest_pause),
        })
    }

    fn sign_in(&mut self, password: Option<SecretString>, oauth: Option<OauthShape>) -> Option<SignIn> {
        match (password, oauth) {
            (Some(_), Some(_)) => {
                self.fault("imap.password", "set beside `imap.oauth`; it is one of the two");
                None
            }
            (None, None) => {
                self.fault("imap.password", "missing; it is that, best as `imap.password_file`, or `imap.oauth`");
                None
            }
            (Some(password), None) => {
                let sayable = is_sayable(password.expose_secret());
                if !sayable {
                    self.fault("imap.password", "holds characters that no password can have, or is empty");
                }
                sayable.then_some(SignIn::Password(password))
            }
            (None, Some(oauth)) => self.oauth(oauth).map(SignIn::Oauth),
        }
    }

    fn oauth(&mut self, shape: OauthShape) -> Option<OauthConfig> {
        let mut wanted = |name: &str, found: Option<String>| {
            let found = found.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
            if found.is_none() {
                self.fault(&format!("imap.oauth.{name}"), "missing; `imap.oauth` needs it");
            }
            found
        };
        let token_url = wanted("token_url", shape.token_url);
        let client_id = wanted("client_id", shape.client_id);
        if shape.refresh_token.as_ref().is_none_or(|token| token.expose_secret().is_empty()) {
            self.fault("imap.oauth.refresh_token", "missing; `imap.oauth` needs it, best as `refresh_token_file`");
        }
        let token_url = token_url?;
        let Some(host) = host_of(&token_url) else {
            self.fault(
                "imap.oauth.token_url",
                format!("`{token_url}` is no https address, such as `https://login.example.com/token`"),
            );
            return None;
        };
        Some(OauthConfig {
            host,
            token_url,
            client_id: client_id?,
            client_secret: shape.client_secret,
            refresh_token: shape.refresh_token?,
            scope: shape.scope.unwrap_or_default(),
        })
    }

    fn after_intake(
        &mut self,
        folder: &str,
        after: AfterShape,
        flag: Option<String>,
        move_to: Option<String>,
        create: Option<bool>,
    ) -> Option<AfterIntake> {
        for (name, is_set, belongs_to) in [
            ("flag", flag.is_some(), AfterShape::Flag),
            ("move_to", move_to.is_some(), AfterShape::Move),
            ("create_folder", create.is_some(), AfterShape::Move),
        ] {
            if is_set && after != belongs_to {
                let wanted = if belongs_to == AfterShape::Flag { "flag" } else { "move" };
                self.fault(&format!("imap.{name}"), format!("goes with `after_intake = \"{wanted}\"` alone"));
            }
        }
        match after {
            AfterShape::Nothing => Some(AfterIntake::Nothing),
            AfterShape::Flag => {
                let flag = flag.map_or_else(|| String::from(DEFAULT_FLAG), |flag| flag.trim().to_owned());
                if is_keyword(&flag) || flag.eq_ignore_ascii_case("\\Seen") {
                    return Some(AfterIntake::Flag(flag));
                }
                self.fault("imap.flag", format!("`{flag}` is neither a keyword such as `{DEFAULT_FLAG}` nor `\\Seen`"));
                None
            }
            AfterShape::Move => {
                let Some(target) = self.folder("imap.move_to", move_to) else {
                    self.fault("imap.move_to", "missing; `after_intake = \"move\"` needs it");
                    return None;
                };
                if target == folder || (target.eq_ignore_ascii_case("INBOX") && folder.eq_ignore_ascii_case("INBOX")) {
                    self.fault("imap.move_to", format!("`{target}` is the folder that is read; it is another one"));
                }
                Some(AfterIntake::Move { folder: target, create: create.unwrap_or(false) })
            }
        }
    }

    fn folder(&mut self, key: &str, found: Option<String>) -> Option<String> {
        let name = found?;
        if !is_sayable(&name) || name.len() > 500 {
            self.fault(key, format!("`{}` is no name of a folder", name.escape_debug()));
        }
        Some(name)
    }
}

/// Whether a server can be told this in one line.
fn is_sayable(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// A keyword is an atom (RFC 3501 9).
fn is_keyword(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte);
    (1..=100).contains(&text.len()) && text.bytes().all(fits)
}

/// The host of an https address, or of an http address on this machine.
fn host_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_safe = scheme.eq_ignore_ascii_case("https") || (scheme.eq_ignore_ascii_case("http") && is_loopback(host));
    (is_safe && !host.is_empty() && !authority.contains('@') && is_sayable(url)).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, faults};
    use super::{AfterIntake, SignIn};
    use std::time::Duration;

    const BASE: &str = "address = \"help@shop.test\"\n[imap]\nhost = \"mail.test\"\n";

    #[test]
    fn host_and_password_are_enough_and_the_rest_has_defaults() {
        let imap = config(&format!("{BASE}password = \"p\"")).imap.expect("a mailbox");
        assert_eq!((imap.port, imap.username.as_str(), imap.folder.as_str()), (993, "help@shop.test", "INBOX"));
        assert_eq!(imap.after_intake, AfterIntake::Flag("$Switchboard".into()));
        assert_eq!((imap.idle, imap.idle_time, imap.poll_pause), (true, Duration::from_secs(240), Duration::from_secs(60)));
        let plain = config(&format!("{BASE}password = \"p\"\nsecurity = \"starttls\"")).imap.expect("a mailbox");
        assert_eq!(plain.port, 143);
    }

    #[test]
    fn tokens_come_from_an_endpoint_instead_of_a_password() {
        let toml = format!(
            "{BASE}[imap.oauth]\ntoken_url = \"https://login.test:8443/token\"\nclient_id = \"c\"\nrefresh_token = \"tell-nobody\""
        );
        let imap = config(&toml).imap.expect("a mailbox");
        assert!(!format!("{imap:?}").contains("tell-nobody"));
        let SignIn::Oauth(oauth) = imap.sign_in else { panic!("a password where none is set") };
        assert_eq!((oauth.host.as_str(), oauth.client_secret.is_none()), ("login.test", true));
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let toml = "address = \"help@shop.test\"\n[imap]\nhost = \"mail.test\"\nport = 0\nsecurity = \"none\"\nusername = \"a\\nb\"\n\
                    after_intake = \"move\"\nflag = \"x\"\nidle_seconds = 301\nbackoff_seconds = 9\nmax_backoff_seconds = 3\n\
                    [imap.oauth]\ntoken_url = \"http://login.test/token\"";
        insta::assert_snapshot!(faults(toml).join("\n"), @r#"
        channels.mail.imap.idle_seconds: 301 is out of range; it is 1 to 300
        channels.mail.imap.max_backoff_seconds: 3 is out of range; it is 9 to 86400
        channels.mail.imap.port: 0 is no port; it is 1 to 65535
        channels.mail.imap.security: `none` would send password and mail in the clear to `mail.test`; it is `tls` or `starttls`
        channels.mail.imap.username: holds characters that no user name can have, or is empty
        channels.mail.imap.oauth.client_id: missing; `imap.oauth` needs it
        channels.mail.imap.oauth.refresh_token: missing; `imap.oauth` needs it, best as `refresh_token_file`
        channels.mail.imap.oauth.token_url: `http://login.test/token` is no https address, such as `https://login.example.com/token`
        channels.mail.imap.flag: goes with `after_intake = "flag"` alone
        channels.mail.imap.move_to: missing; `after_intake = "move"` needs it
        "#);
    }

    #[test]
    fn each_choice_refuses_what_cannot_be_meant() {
        for (more, wanted) in [
            ("", "missing; it is that, best as `imap.password_file`, or `imap.oauth`"),
            ("password = \"\"", "or is empty"),
            ("password = \"p\"\nflag = \"two words\"", "neither a keyword"),
            ("password = \"p\"\nflag = \"\\\\Deleted\"", "neither a keyword"),
            ("password = \"p\"\nafter_intake = \"move\"\nmove_to = \"inbox\"", "the folder that is read"),
            ("password = \"p\"\nafter_intake = \"nothing\"\ncreate_folder = true", "goes with"),
            ("password = \"p\"\n[imap.oauth]\nclient_id = \"c\"", "it is one of the two"),
        ] {
            let found = faults(&format!("{BASE}{more}"));
            assert!(found.iter().any(|fault| fault.contains(wanted)), "{more}: {found:?}");
        }
        assert!(faults("address = \"a@b.test\"\n[imap]\nidle = false")[0].contains("imap.host: missing"));
    }

    #[test]
    fn a_token_endpoint_is_reached_over_tls_or_on_this_machine() {
        for (url, host) in [
            ("https://login.test/token", Some("login.test")),
            ("http://127.0.0.1:81/token", Some("127.0.0.1")),
            ("http://[::1]:81/token", Some("[::1]")),
            ("http://login.test/token", None),
            ("https:///token", None),
            ("https://user@login.test/token", None),
            ("login.test", None),
        ] {
            assert_eq!(super::host_of(url).as_deref(), host, "{url}");
        }
    }
}
