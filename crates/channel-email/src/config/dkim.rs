//! The settings of DKIM signing. The key is read with them, so that a key that cannot be used is a fault of the settings.

use super::Check;
use crate::dkim::{Dkim, read_key};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use switchboard_channel::SettingDoc;

/// Settings of this part.
pub(super) const SETTINGS: &[SettingDoc] = settings! {
    "dkim.key_file", "a path", Some(""),
        "PEM file with the private key, RSA (2048 bits or more) or Ed25519; answers are then signed here. Without it the sending server is left to sign.";
    "dkim.selector", "text", Some(""), "The selector: the public key stands in DNS at `selector._domainkey.domain`.";
    "dkim.domain", "a domain", Some(""), "The domain that signs; that of `address` when absent.";
    "dkim.headers", "a list of header names", Some("[]"),
        "Headers to sign where they are present, besides From, Subject, To, Date, Message-ID, Reply-To, Cc, In-Reply-To, References, Auto-Submitted and those of MIME.";
};

/// The longest key file, in bytes.
const MAX_KEY_BYTES: u64 = 65_536;
/// The longest name in DNS.
const MAX_DOMAIN_BYTES: usize = 253;

#[derive(Default, Deserialize)]
pub(super) struct DkimShape {
    key_file: Option<PathBuf>,
    selector: Option<String>,
    domain: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
}

impl Check<'_> {
    /// The part of the settings about DKIM; `None` when it is off, or has faults.
    pub(super) fn dkim(&mut self, shape: DkimShape, address: &str) -> Option<Arc<Dkim>> {
        if !self.settings.table.contains_key("dkim") {
            return None;
        }
        let before = self.faults.len();
        let selector = self.dns_name("dkim.selector", shape.selector.unwrap_or_default().trim(), "s2026");
        let domain = match shape.domain.as_deref().map(str::trim).filter(|domain| !domain.is_empty()) {
            Some(domain) => self.dns_name("dkim.domain", domain, "example.com"),
            None => idna::domain_to_ascii(address.trim().rsplit('@').next().unwrap_or_default()).unwrap_or_default(),
        };
        for (nth, name) in shape.headers.iter().enumerate() {
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                self.fault(
                    &format!("dkim.headers[{nth}]"),
                    format!("`{}` is no header name such as `List-Id`", name.escape_debug()),
                );
            }
        }
        let Some(path) = shape.key_file.filter(|path| !path.as_os_str().is_empty()).map(|path| self.path(&path)) else {
            self.fault("dkim.key_file", "missing; the other settings of `dkim` need it");
            return None;
        };
        let pem = match std::fs::metadata(&path) {
            Ok(found) if found.len() > MAX_KEY_BYTES => Err(String::from("is too large for a key")),
            Ok(found) if !found.is_file() => Err(String::from("is no file")),
            Ok(_) => std::fs::read(&path).map_err(|error| format!("cannot be read: {error}")),
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        match pem.and_then(|pem| read_key(&pem)) {
            Ok(key) if self.faults.len() == before => Some(Arc::new(Dkim::new(key, domain, selector, shape.headers))),
            Ok(_) => None,
            Err(reason) => {
                self.fault("dkim.key_file", format!("{} {reason}", path.display()));
                None
            }
        }
    }

    fn dns_name(&mut self, key: &str, found: &str, example: &str) -> String {
        let name = idna::domain_to_ascii(found).unwrap_or_default();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if name.is_empty() || name.len() > MAX_DOMAIN_BYTES || !name.split('.').all(is_label) {
            let problem =
                if found.is_empty() { String::from("missing") } else { format!("`{}` is no name in DNS", found.escape_debug()) };
            self.fault(key, format!("{problem}; it is a name such as `{example}`"));
        }
        name
    }
}
