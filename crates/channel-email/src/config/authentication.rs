//! Settings of who vouches for a sender: `[channels.SLUG.authentication]`.

use serde::Deserialize;
use std::net::SocketAddr;

/// Whose word counts for a sender, and how much of it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthenticationConfig {
    /// Names (`authserv-id`, lower case) under which servers of ours write `Authentication-Results`, the weightiest first.
    pub(crate) trust: Vec<String>,
    /// Checks itself what came over the receiver and bears no word of a trusted server.
    pub(crate) verify: Option<VerifyConfig>,
    /// When an address is proof of who writes.
    pub(crate) proof: ProofRule,
}

/// How senders are checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifyConfig {
    /// Name servers to ask; none are those of the system.
    pub(crate) name_servers: Vec<SocketAddr>,
    /// Seconds for all checks of one mail.
    pub(crate) timeout_seconds: u64,
}

/// When the address in `From` is proof of who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProofRule {
    /// Unless the domain disowns the mail (DMARC failed).
    #[default]
    UnlessFailed,
    /// Only when the domain vouches for the mail (DMARC passed).
    OnlyPassed,
}

/// The table as written.
#[derive(Default, Deserialize)]
pub(super) struct AuthenticationShape {
    trust: Option<Vec<String>>,
    verify: Option<bool>,
    proof: Option<ProofRule>,
    name_servers: Option<Vec<String>>,
    timeout_seconds: Option<u64>,
}

impl super::Check<'_> {
    /// Reads the table; `receives` says that there is a receiver to check at.
    pub(super) fn authentication(&mut self, shape: AuthenticationShape, receives: bool) -> AuthenticationConfig {
        let key = |name: &str| format!("authentication.{name}");
        let mut trust = Vec::new();
        for (nth, id) in shape.trust.unwrap_or_default().iter().enumerate() {
            let id = id.trim().to_ascii_lowercase();
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~:/".contains(&byte);
            if id.is_empty() || !id.bytes().all(fits) {
                let message = format!("`{id}` is no name such as `mx.example.com`");
                self.fault(&format!("authentication.trust[{nth}]"), message);
            } else {
                trust.push(id);
            }
        }
        let timeout_seconds = self.number(&key("timeout_seconds"), shape.timeout_seconds, 10, 1, 60) as u64;
        let mut name_servers = Vec::new();
        for (nth, written) in shape.name_servers.unwrap_or_default().iter().enumerate() {
            let trimmed = written.trim();
            let address = trimmed.parse().or_else(|_| trimmed.parse().map(|address| SocketAddr::new(address, 53)));
            match address {
                Ok(address) => name_servers.push(address),
                Err(_) => {
                    let message = format!("`{written}` is no IP address such as `127.0.0.1`, with or without a port");
                    self.fault(&format!("authentication.name_servers[{nth}]"), message);
                }
            }
        }
        let verify = shape.verify.unwrap_or(false);
        if verify && !receives {
            let message = "needs `receiver.listen`: only mail that is taken in there can be checked; of what comes by another \
                           way, trust the server that took it in (`authentication.trust`)";
            self.fault(&key("verify"), message);
        }
        let proof = shape.proof.unwrap_or_default();
        if proof == ProofRule::OnlyPassed && !verify && trust.is_empty() {
            let message = "`only_passed` needs somebody who checks: `authentication.trust` or `authentication.verify`";
            self.fault(&key("proof"), message);
        }
        AuthenticationConfig { trust, verify: verify.then_some(VerifyConfig { name_servers, timeout_seconds }), proof }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, faults};
    use super::ProofRule;

    #[test]
    fn nobody_is_trusted_unless_named() {
        let authentication = config("address = \"a@b.test\"").mailbox.authentication;
        assert!(authentication.trust.is_empty() && authentication.verify.is_none());
        let toml = "address = \"a@b.test\"\nreceiver.listen = \"127.0.0.1:0\"\n[authentication]\ntrust = [\"MX.shop.test\"]\n\
                    verify = true\nproof = \"only_passed\"\nname_servers = [\"127.0.0.1:5353\", \"::1\"]";
        let authentication = config(toml).mailbox.authentication;
        assert_eq!(
            (authentication.trust.as_slice(), authentication.proof),
            (&["mx.shop.test".to_owned()][..], ProofRule::OnlyPassed)
        );
        let verify = authentication.verify.expect("it verifies");
        assert_eq!(verify.timeout_seconds, 10);
        assert_eq!(verify.name_servers, ["127.0.0.1:5353".parse().expect("an address"), "[::1]:53".parse().expect("an address")]);
    }

    #[test]
    fn what_does_not_fit_is_said_with_its_key() {
        let toml = "address = \"a@b.test\"\n[authentication]\ntrust = [\"a b\"]\nverify = true\nname_servers = [\"dns\"]\n\
                    timeout_seconds = 0";
        insta::assert_snapshot!(faults(toml).join("\n"), @r"
        channels.mail.authentication.trust[0]: `a b` is no name such as `mx.example.com`
        channels.mail.authentication.timeout_seconds: 0 is out of range; it is 1 to 60
        channels.mail.authentication.name_servers[0]: `dns` is no IP address such as `127.0.0.1`, with or without a port
        channels.mail.authentication.verify: needs `receiver.listen`: only mail that is taken in there can be checked; of what comes by another way, trust the server that took it in (`authentication.trust`)
        ");
        let toml = "address = \"a@b.test\"\nauthentication.proof = \"only_passed\"";
        assert_eq!(faults(toml).len(), 1);
    }
}
