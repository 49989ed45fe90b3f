//! The settings of the receiver: `[channels.SLUG.receiver]`.

use super::Check;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use switchboard_channel::SettingDoc;

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
    /// Seconds for one command of a peer, and to wait for its next bytes within a message.
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

/// Settings of this part.
pub(super) const SETTINGS: &[SettingDoc] = settings! {
    "receiver.listen", "an IP address and a port", Some(""),
        "Where to take mail in. Made to sit behind a mail server: keep it on loopback or a private network. Several mailboxes may name the same address.";
    "receiver.protocol", "`smtp` or `lmtp`", Some("\"smtp\""), "What is spoken there; LMTP answers for each recipient.";
    "receiver.max_message_bytes", "bytes, 1024 to 1073741824", Some("26214400"), "The largest message taken in.";
    "receiver.max_buffered_bytes", "bytes, at least `max_message_bytes`", Some("268435456"),
        "Bytes of messages under way at once over all connections; beyond it the peer is told to try again.";
    "receiver.max_connections", "1 to 100000", Some("256"), "Connections at once; one more is told to try again.";
    "receiver.max_recipients", "1 to 10000", Some("100"), "Recipients of one message.";
    "receiver.command_timeout_seconds", "seconds, 1 to 3600", Some("60"),
        "How long a peer may take for a command, and stay silent within a message. One message may take ten times as long.";
    "receiver.tls_certificate_file", "a path", Some(""), "PEM file with the certificate chain; offers STARTTLS.";
    "receiver.tls_key_file", "a path", Some(""), "PEM file with the key of the certificate.";
};

#[derive(Default, Deserialize)]
pub(super) struct ReceiverShape {
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

impl Protocol {
    /// The word that the settings use.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
        }
    }
}

impl Check<'_> {
    /// The part of the settings about the receiver; `None` when there is none, or it has no address.
    pub(super) fn receiver(&mut self, shape: ReceiverShape) -> Option<ReceiverConfig> {
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
}
