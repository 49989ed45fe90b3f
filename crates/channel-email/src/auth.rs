//! Checks the sender of a mail that came over our own receiver: SPF, DKIM, DMARC and ARC, by asking name servers.
//!
//! What a stranger makes us ask is bounded: a mail with more signatures than any honest one is not checked, and all
//! checks of a mail share one time limit. Whether the domain in `From` has a policy is asked before them and on its own
//! time, so that nobody escapes a policy with signatures that are too many, or that point at slow name servers: a mail
//! that could not be checked under a policy keeps `dmarc` = error, and proves nothing.

#[cfg(test)]
#[path = "../tests/authentication/name_server.rs"]
mod name_server;

use crate::config::VerifyConfig;
use crate::decode::head_fields;
use mail_auth::arc::ArcError;
use mail_auth::dkim::DkimError;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, DkimResult, DmarcResult, Error, MessageAuthenticator, SpfOutput, SpfResult,
    dmarc::verify::DmarcParameters,
};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use switchboard_model::{Authentication, CheckResult};
use tokio::time::timeout;

/// Checks senders.
pub(crate) struct Verifier {
    authenticator: MessageAuthenticator,
    patience: Duration,
}

/// Who handed a mail in.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// The name that it gave itself.
    pub(crate) hello: String,
    /// Whether it is a server of ours that passes mail on (`authentication.relays`).
    pub(crate) is_relay: bool,
}

/// What the domain in `From` publishes (DMARC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    /// It has a policy.
    Published,
    /// It has none.
    Absent,
    /// Nobody could say.
    Unknown,
}

/// The most signatures and seals that are looked at.
const MAX_SIGNATURES: usize = 20;
/// What went wrong when nothing could be asked.
const FAILED: Authentication = Authentication {
    by: None,
    spf: CheckResult::Error,
    dkim: CheckResult::Error,
    dmarc: CheckResult::Error,
    arc: CheckResult::Error,
};

impl Verifier {
    /// A verifier that asks the configured name servers, or those of the system.
    pub(crate) fn new(config: &VerifyConfig) -> Result<Self, ChannelError> {
        let made = if config.name_servers.is_empty() {
            MessageAuthenticator::new_system_conf()
        } else {
            let servers = config.name_servers.iter().map(configured).collect();
            let mut options = ResolverOpts::default();
            options.timeout = Duration::from_secs(config.timeout_seconds.div_ceil(2));
            MessageAuthenticator::new(ResolverConfig::from_name_servers(servers), options)
        };
        let authenticator = made.map_err(|error| {
            let attempt = "finding the name servers for `authentication.verify`";
            ChannelError::new(ErrorKind::Configuration, Retry::Never, attempt, error.to_string())
        })?;
        Ok(Self { authenticator, patience: Duration::from_secs(config.timeout_seconds) })
    }

    /// What the sender's domain says of a mail. `hostname` is the domain of the mailbox, `sender` the return path.
    pub(crate) async fn check(&self, raw: &[u8], peer: &Peer, sender: Option<&str>, hostname: &str) -> Authentication {
        let policy = timeout(self.patience, self.policy(raw)).await.unwrap_or(Policy::Unknown);
        let mut found = self.check_signed(raw, peer, sender, hostname).await;
        if found.dmarc == CheckResult::Error && policy == Policy::Absent {
            found.dmarc = CheckResult::None;
        }
        found
    }

    /// What the domain in `From` publishes, asked of that header alone: nothing else in the mail has a say in it.
    async fn policy(&self, raw: &[u8]) -> Policy {
        let authors = head_fields(raw).filter(|(name, _)| name.eq_ignore_ascii_case(b"from"));
        let mut head: Vec<u8> = authors.flat_map(|(_, value)| [b"From:", value.trim_ascii_end(), b"\r\n"].concat()).collect();
        head.extend(b"\r\n");
        let Some(message) = AuthenticatedMessage::parse(&head).filter(|message| !message.from.is_empty()) else {
            return Policy::Unknown;
        };
        let spf = SpfOutput::new(String::new()).with_result(SpfResult::None);
        let found = self.authenticator.verify_dmarc(DmarcParameters::new(&message, &[], "", &spf)).await;
        match found.result() {
            DmarcResult::TempError(_) | DmarcResult::PermError(_) => Policy::Unknown,
            _ if found.dmarc_record().is_some() => Policy::Published,
            _ => Policy::Absent,
        }
    }

    async fn check_signed(&self, raw: &[u8], peer: &Peer, sender: Option<&str>, hostname: &str) -> Authentication {
        if signatures(raw) > MAX_SIGNATURES {
            return FAILED;
        }
        let Some(message) = AuthenticatedMessage::parse(raw) else { return FAILED };
        timeout(self.patience, self.check_parsed(&message, peer, sender, hostname)).await.unwrap_or(FAILED)
    }

    async fn check_parsed(
        &self,
        message: &AuthenticatedMessage<'_>,
        peer: &Peer,
        sender: Option<&str>,
        hostname: &str,
    ) -> Authentication {
        let dkim = self.authenticator.verify_dkim(message).await;
        let arc = self.authenticator.verify_arc(message).await;
        let return_path = sender.map_or_else(|| format!("postmaster@{}", peer.hello), str::to_owned);
        let domain = return_path.rsplit_once('@').map_or("", |(_, domain)| domain);
        let spf = if peer.is_relay || is_passed_on(peer.address) {
            SpfOutput::new(domain.to_owned()).with_result(SpfResult::None)
        } else {
            self.authenticator.verify_spf(SpfParameters::verify(peer.address, &peer.hello, hostname, &return_path)).await
        };
        let dmarc = self.authenticator.verify_dmarc(DmarcParameters::new(message, &dkim, domain, &spf)).await;
        Authentication {
            by: None,
            spf: spf_result(spf.result()),
            dkim: best(dkim.iter().map(|output| dkim_result(output.result()))),
            dmarc: dmarc_result(&dmarc.result(), dmarc.dmarc_record().is_some()),
            arc: arc_result(&arc),
        }
    }
}

fn configured(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}

/// How many signatures and seals a mail carries.
fn signatures(raw: &[u8]) -> usize {
    const SIGNED: [&[u8]; 4] = [b"dkim-signature", b"arc-seal", b"arc-message-signature", b"dkim2-signature"];
    head_fields(raw).filter(|(name, _)| SIGNED.iter().any(|signed| name.eq_ignore_ascii_case(signed))).count()
}

/// Whether a peer at this address can only be a server of ours that passes mail on.
fn is_passed_on(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

fn spf_result(result: SpfResult) -> CheckResult {
    match result {
        SpfResult::Pass => CheckResult::Pass,
        SpfResult::Fail | SpfResult::SoftFail => CheckResult::Fail,
        SpfResult::TempError | SpfResult::PermError => CheckResult::Error,
        SpfResult::Neutral | SpfResult::None => CheckResult::None,
    }
}

/// A body that was changed and a signature that has expired are failures (RFC 6376 3.9, RFC 8601 2.7.1); only a signature
/// that cannot be read, or whose key cannot be had, comes to no end.
fn dkim_result(result: &DkimResult) -> CheckResult {
    match result {
        DkimResult::Pass => CheckResult::Pass,
        DkimResult::Fail(_)
        | DkimResult::Neutral(
            Error::Dkim(DkimError::FailedBodyHashMatch | DkimError::SignatureExpired)
            | Error::Arc(ArcError::FailedBodyHashMatch | ArcError::SignatureExpired),
        ) => CheckResult::Fail,
        DkimResult::TempError(_) | DkimResult::PermError(_) | DkimResult::Neutral(_) => CheckResult::Error,
        DkimResult::None => CheckResult::None,
    }
}

fn arc_result(output: &ArcOutput<'_>) -> CheckResult {
    dkim_result(output.result())
}

/// A domain that publishes a policy has failed when neither check is aligned with it.
fn dmarc_result(result: &DmarcResult, has_policy: bool) -> CheckResult {
    match result {
        DmarcResult::Pass => CheckResult::Pass,
        DmarcResult::Fail(_) => CheckResult::Fail,
        DmarcResult::TempError(_) | DmarcResult::PermError(_) => CheckResult::Error,
        DmarcResult::None if has_policy => CheckResult::Fail,
        DmarcResult::None => CheckResult::None,
    }
}

/// One signature that holds is enough.
fn best(results: impl Iterator<Item = CheckResult>) -> CheckResult {
    let weight = |result: &CheckResult| match result {
        CheckResult::Pass => 3,
        CheckResult::Fail => 2,
        CheckResult::Error => 1,
        CheckResult::None => 0,
    };
    results.max_by_key(weight).unwrap_or(CheckResult::None)
}

#[cfg(test)]
mod tests {
    use super::{FAILED, Peer, Policy, Verifier, is_passed_on, name_server};
    use crate::config::{ProofRule, VerifyConfig};
    use crate::decode::proof;
    use switchboard_model::{CheckResult, Proof};
    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    async fn verifier(texts: &[(&str, &str)]) -> Verifier {
        let name_servers = vec![name_server::start(texts).await];
        Verifier::new(&VerifyConfig { name_servers, timeout_seconds: 2 }).expect("a verifier")
    }

    fn peer(address: &str) -> Peer {
        Peer { address: address.parse().expect("an address"), hello: String::from("mx.kim.test"), is_relay: false }
    }

    const MAIL: &[u8] = b"From: Kim <kim@kim.test>\r\nTo: support@shop.test\r\nSubject: s\r\n\r\nx\r\n";

    #[tokio::test]
    async fn spf_of_the_right_domain_makes_dmarc_pass_and_of_another_makes_it_fail() {
        let verifier = verifier(&[
            ("kim.test", "v=spf1 ip4:192.0.2.1 -all"),
            ("evil.test", "v=spf1 ip4:192.0.2.66 -all"),
            ("_dmarc.kim.test", "v=DMARC1; p=reject"),
        ])
        .await;
        let check = async |from: &str, address: &str| {
            let found = verifier.check(MAIL, &peer(address), Some(from), "shop.test").await;
            (found.spf, found.dkim, found.dmarc)
        };
        use CheckResult::{Fail, None, Pass};
        assert_eq!(check("kim@kim.test", "192.0.2.1").await, (Pass, None, Pass));
        assert_eq!(check("kim@kim.test", "192.0.2.66").await, (Fail, None, Fail));
        assert_eq!(check("x@evil.test", "192.0.2.66").await, (Pass, None, Fail), "a pass of a domain that is not the sender's");
        assert_eq!(check("kim@kim.test", "127.0.0.1").await, (None, None, Fail), "a server of ours only passes on");
    }

    #[tokio::test]
    async fn a_domain_that_says_nothing_is_neither_vouched_for_nor_disowned() {
        let found = verifier(&[]).await.check(MAIL, &peer("192.0.2.1"), Some("kim@kim.test"), "shop.test").await;
        assert_eq!((found.spf, found.dmarc, found.by), (CheckResult::None, CheckResult::None, None));
    }

    #[tokio::test]
    async fn a_mail_with_signatures_without_end_asks_nobody() {
        let verifier = verifier(&[("_dmarc.kim.test", "v=DMARC1; p=reject")]).await;
        let signed = ["DKIM-Signature: v=1\r\n".repeat(21).as_bytes(), MAIL].concat();
        assert_eq!(verifier.check(&signed, &peer("192.0.2.1"), Some("kim@kim.test"), "shop.test").await, FAILED);
    }

    /// A signature that can be read, and whose key is at this domain.
    fn signed_by(domain: &str) -> Vec<u8> {
        let signature = format!(
            "DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=s; c=relaxed/relaxed; h=From; bh=s14J+iztnrytnRYzb7lhFG/jS/vrxWJnnahfijFMnco=; b=AAAA\r\n"
        );
        [signature.as_bytes(), MAIL].concat()
    }

    #[tokio::test]
    async fn nobody_escapes_a_policy_by_making_the_check_fail() {
        let rules = [("_dmarc.kim.test", "v=DMARC1; p=reject")];
        let (strict, lax) = (verifier(&rules).await, verifier(&[]).await);
        for mail in [["ARC-Seal: i=1\r\n".repeat(21).as_bytes(), MAIL].concat(), signed_by("slow.test")] {
            let check =
                async |verifier: &Verifier| verifier.check(&mail, &peer("192.0.2.66"), Some("x@evil.test"), "shop.test").await;
            let (under_policy, without) = (check(&strict).await, check(&lax).await);
            assert_eq!(under_policy.dmarc, CheckResult::Error);
            assert_eq!(
                proof(Some(&under_policy), ProofRule::UnlessFailed),
                Proof::Typed,
                "the domain rejects what cannot be checked"
            );
            assert_eq!(without.dmarc, CheckResult::None, "a domain without a policy says nothing, checked or not");
            assert_eq!(proof(Some(&without), ProofRule::UnlessFailed), Proof::Channel);
        }
    }

    #[tokio::test]
    async fn the_policy_is_that_of_the_author_and_of_nothing_else_in_the_mail() {
        let rules = [("_dmarc.kim.test", "v=DMARC1; p=none"), ("_dmarc.quiet.test", "nothing")];
        let verifier = verifier(&rules).await;
        for (mail, expected) in [
            ("From: Kim\r\n <kim@kim.test>\r\nTo: x@quiet.test\r\n\r\nx", Policy::Published),
            ("from : kim@sub.kim.test\nSubject: s\n\nx", Policy::Published),
            ("Sender: kim@kim.test\r\nFrom: x@quiet.test\r\n\r\nFrom: kim@kim.test", Policy::Absent),
            ("From: x@slow.test\r\n\r\nx", Policy::Unknown),
            ("Sender: kim@kim.test\r\n\r\nx", Policy::Unknown),
        ] {
            let policy = timeout(verifier.patience, verifier.policy(mail.as_bytes())).await.unwrap_or(Policy::Unknown);
            assert_eq!(policy, expected, "{mail}");
        }
    }

    #[tokio::test]
    async fn a_relay_of_ours_is_not_asked_for_the_senders_spf() {
        let texts = [("kim.test", "v=spf1 ip4:192.0.2.1 -all"), ("_dmarc.kim.test", "v=DMARC1; p=reject")];
        let relay = Peer { is_relay: true, ..peer("192.0.2.66") };
        let found = verifier(&texts).await.check(MAIL, &relay, Some("kim@kim.test"), "shop.test").await;
        assert_eq!(found.spf, CheckResult::None);
    }

    #[tokio::test]
    async fn a_name_server_that_is_silent_costs_no_more_than_the_time_limit() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let name_servers = vec![silent.local_addr().expect("an address")];
        let verifier = Verifier::new(&VerifyConfig { name_servers, timeout_seconds: 1 }).expect("a verifier");
        let found = verifier.check(MAIL, &peer("192.0.2.1"), Some("kim@kim.test"), "shop.test").await;
        assert_eq!(found.dmarc, CheckResult::Error);
    }

    #[test]
    fn private_addresses_only_pass_on() {
        for (address, expected) in
            [("10.1.2.3", true), ("::1", true), ("::ffff:127.0.0.1", true), ("192.0.2.1", false), ("2001:db8::1", false)]
        {
            assert_eq!(is_passed_on(address.parse().expect("an address")), expected, "{address}");
        }
    }
}
