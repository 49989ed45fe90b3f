//! Settings of who vouches for a sender: `[channels.SLUG.authentication]`.

use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};

/// Whose word counts for a sender, and how much of it is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthenticationConfig {
    /// Names (`authserv-id`, lower case) under which servers of ours write `Authentication-Results`.
    pub(crate) trust: Vec<String>,
    /// Checks itself what came over the receiver, unless a relay hands it in with the word of a trusted server.
    pub(crate) verify: Option<VerifyConfig>,
    /// Where servers of ours are that hand in what they have checked.
    pub(crate) relays: Vec<IpNet>,
    /// When an address is proof of who writes.
    pub(crate) proof: ProofRule,
}

/// How senders are checked here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VerifyConfig {
    /// Name servers to ask; none are those of the system.
    pub(crate) name_servers: Vec<SocketAddr>,
    /// Seconds for the policy of the author's domain, and again for all checks of one mail.
    pub(crate) timeout_seconds: u64,
}

impl AuthenticationConfig {
    /// Whether a peer at this address is a server of ours that passes mail on.
    pub(crate) fn is_relay(&self, address: IpAddr) -> bool {
        self.relays.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whether senders are checked at all, by whomever.
    pub(crate) fn checks(&self) -> bool {
        !self.trust.is_empty() || self.verify.is_some() || self.proof == ProofRule::OnlyPassed
    }
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
    relays: Option<Vec<String>>,
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
        let name_servers = self.name_servers(&shape.name_servers.unwrap_or_default());
        let relays = self.relays(&shape.relays.unwrap_or_default());
        let verify = shape.verify.unwrap_or(false);
        if !relays.is_empty() && !verify {
            let message = "needs `authentication.verify`: without it every peer of the receiver is taken for a server of yours";
            self.fault(&key("relays"), message);
        }
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
        AuthenticationConfig { trust, verify: verify.then_some(VerifyConfig { name_servers, timeout_seconds }), relays, proof }
    }

    fn name_servers(&mut self, written: &[String]) -> Vec<SocketAddr> {
        let mut name_servers = Vec::new();
        for (nth, written) in written.iter().enumerate() {
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
        name_servers
    }

    fn relays(&mut self, written: &[String]) -> Vec<IpNet> {
        let mut relays = Vec::new();
        for (nth, written) in written.iter().enumerate() {
            let trimmed = written.trim();
            match trimmed.parse::<IpNet>().or_else(|_| trimmed.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => relays.push(network),
                Err(_) => {
                    let message = format!("`{written}` is no IP address or network, such as `192.0.2.5` or `192.0.2.0/24`");
                    self.fault(&format!("authentication.relays[{nth}]"), message);
                }
            }
        }
        relays
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

    #[test]
    fn relays_are_addresses_and_networks_and_need_our_own_check() {
        let head = "address = \"a@b.test\"\nreceiver.listen = \"127.0.0.1:0\"\n[authentication]\nrelays = ";
        let authentication = config(&format!("{head}[\"192.0.2.5\", \"2001:db8::/32\"]\nverify = true")).mailbox.authentication;
        for (address, expected) in
            [("192.0.2.5", true), ("::ffff:192.0.2.5", true), ("192.0.2.6", false), ("2001:db8::1", true), ("127.0.0.1", false)]
        {
            assert_eq!(authentication.is_relay(address.parse().expect("an address")), expected, "{address}");
        }
        insta::assert_snapshot!(faults(&format!("{head}[\"192.0.2.5\", \"mx\"]")).join("\n"), @r"
        channels.mail.authentication.relays[1]: `mx` is no IP address or network, such as `192.0.2.5` or `192.0.2.0/24`
        channels.mail.authentication.relays: needs `authentication.verify`: without it every peer of the receiver is taken for a server of yours
        ");
    }
}
