//! The settings of the server that sends: `[channels.SLUG.smtp]`.

use super::{Check, is_loopback};
use secrecy::SecretString;
use serde::Deserialize;
use std::path::PathBuf;
use switchboard_channel::SettingDoc;

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

/// Settings of this part.
pub(super) const SETTINGS: &[SettingDoc] = settings! {
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

#[derive(Default, Deserialize)]
pub(super) struct SmtpShape {
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password: Option<SecretString>,
    timeout_seconds: Option<u64>,
    max_connections: Option<u64>,
    ca_file: Option<PathBuf>,
}

impl Check<'_> {
    /// The part of the settings about sending; `None` when there is no server.
    pub(super) fn smtp(&mut self, shape: SmtpShape) -> Option<SmtpConfig> {
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
}

#[cfg(test)]
mod tests {
    use super::super::tests::config;

    #[test]
    fn a_password_in_the_clear_may_go_to_this_machine_only() {
        for host in ["127.0.0.1", "localhost", "::1", "[::1]"] {
            let toml =
                format!("address = \"a@b.test\"\n[smtp]\nhost = \"{host}\"\nsecurity = \"none\"\nuser = \"u\"\npassword = \"p\"");
            assert!(config(&toml).smtp.expect("a sender").credentials.is_some(), "{host}");
        }
    }
}
