//! Real signatures and real chains of seals, over the socket of the receiver, with name servers on loopback.

pub mod name_server;
mod signing;

use crate::peer::{self, Peer, listening_address};
use signing::{Mail, Signer};
use switchboard_channel_email::REGISTRATION;
use switchboard_channel_testkit::Harness;
use switchboard_model::CheckResult::{self, Error, Fail, None, Pass};
use switchboard_model::{InboundMessage, Proof};

/// What the author's domain publishes.
const POLICY: (&str, &str) = ("_dmarc.kim.test", "v=DMARC1; p=reject");

/// What is kept with the message and shown as its badge, and whether the address is proof.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    dkim: CheckResult,
    dmarc: CheckResult,
    arc: CheckResult,
    proof: Proof,
}

impl Found {
    const fn new(dkim: CheckResult, dmarc: CheckResult, arc: CheckResult, proof: Proof) -> Self {
        Self { dkim, dmarc, arc, proof }
    }
}

/// Takes a mail in where DNS holds these records, and says what became of the checks.
async fn check(slug: &str, mail: &Mail, records: &[(String, String)], rule: &str) -> Found {
    peer::capture_addresses();
    let texts: Vec<(&str, &str)> = records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let server = name_server::start(&texts).await;
    let toml = format!(
        "address = \"support@shop.test\"\nreceiver.listen = \"127.0.0.1:0\"\n[authentication]\nverify = true\n\
         proof = \"{rule}\"\nname_servers = [\"{server}\"]\ntimeout_seconds = 20\n"
    );
    let harness = Harness::start(&REGISTRATION, slug, &toml).await;
    harness.run();
    let mut peer = Peer::connect(&listening_address(slug)).await;
    assert_eq!(peer.mail_from("kim@kim.test", "EHLO", &["support@shop.test"], &mail.bytes()).await, 250, "{slug}");
    let InboundMessage { sender, details, .. } = harness.inbox.messages().remove(0);
    harness.stop().await;
    assert_eq!(sender.identity.value, "kim@kim.test", "{slug}");
    let found = details.authentication.expect("it was checked");
    // A peer on this machine only passes on, so nothing is said of where the mail came from.
    assert_eq!((found.by, found.spf), (Option::None, None), "{slug}");
    Found { dkim: found.dkim, dmarc: found.dmarc, arc: found.arc, proof: sender.proof }
}

fn published(signers: &[&Signer], policies: &[(&str, &str)]) -> Vec<(String, String)> {
    let policies = policies.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    signers.iter().map(|signer| signer.record()).chain(policies).collect()
}

#[tokio::test]
async fn a_signature_of_the_authors_domain_that_holds_proves_who_wrote() {
    for (slug, signer) in [("signed_ed25519", Signer::ed25519("kim.test")), ("signed_rsa", Signer::rsa("kim.test"))] {
        let mut mail = Mail::from("kim.test");
        signer.sign(&mut mail);
        let records = published(&[&signer], &[POLICY]);
        assert_eq!(check(slug, &mail, &records, "only_passed").await, Found::new(Pass, Pass, None, Proof::Channel), "{slug}");

        // What relays may do to a mail on its way: other headers on top, names in another case, blanks and folding.
        mail.head.insert(0, (String::from("Received"), String::from("from a by b; Sat, 21 Nov 2026 11:00:01 +0000")));
        *mail.value("Subject") = String::from("Pakke\r\n 42");
        mail.body.push_str("\r\n\r\n");
        let relayed = check(&format!("{slug}_relayed"), &mail, &records, "only_passed").await;
        assert_eq!(relayed, Found::new(Pass, Pass, None, Proof::Channel), "{slug}");
    }
}

#[tokio::test]
async fn one_changed_byte_fails_and_proves_nobody() {
    for (slug, signer) in [("changed_ed25519", Signer::ed25519("kim.test")), ("changed_rsa", Signer::rsa("kim.test"))] {
        let mut mail = Mail::from("kim.test");
        signer.sign(&mut mail);
        let records = published(&[&signer], &[POLICY]);
        let mut body = mail.clone();
        body.body = body.body.replacen("er", "eR", 1);
        let mut subject = mail.clone();
        *subject.value("Subject") = String::from("Pakke 43");
        let mut signature = mail.clone();
        *signature.value("DKIM-Signature") = swapped_end(signature.value("DKIM-Signature"));
        for (what, changed) in [("body", body), ("subject", subject), ("signature", signature)] {
            let found = check(&format!("{slug}_{what}"), &changed, &records, "unless_failed").await;
            assert_eq!(found, Found::new(Fail, Fail, None, Proof::Typed), "{slug}, {what}");
        }
    }
}

/// The same with two letters of the signature in each other's place.
fn swapped_end(value: &str) -> String {
    let at = value.rfind("b=").expect("a signature") + 2;
    let mut letters: Vec<char> = value[at..].chars().collect();
    let other = (1..letters.len()).find(|nth| letters[*nth] != letters[0]).expect("letters that differ");
    letters.swap(0, other);
    format!("{}{}", &value[..at], letters.into_iter().collect::<String>())
}

#[tokio::test]
async fn another_key_or_another_domain_or_no_key_proves_nobody() {
    let (author, impostor, evil) = (Signer::ed25519("kim.test"), Signer::ed25519("kim.test"), Signer::rsa("evil.test"));
    let signed_by = |signer: &Signer| {
        let mut mail = Mail::from("kim.test");
        signer.sign(&mut mail);
        mail
    };
    for (slug, mail, published_keys, dkim) in [
        ("wrong_key", signed_by(&impostor), vec![&author], Fail),
        ("wrong_kind_of_key", signed_by(&Signer::rsa("kim.test")), vec![&author], Fail),
        ("wrong_domain", signed_by(&evil), vec![&author, &evil], Pass),
        ("no_key", signed_by(&author), vec![], Error),
        ("no_signature", Mail::from("kim.test"), vec![&author], None),
    ] {
        let records = published(&published_keys, &[POLICY]);
        let found = check(slug, &mail, &records, "unless_failed").await;
        assert_eq!(found, Found::new(dkim, Fail, None, Proof::Typed), "{slug}");
    }
}

/// A mail that its author signed, that a list changed and sealed, and that a second server sealed and passed on.
fn through_a_list(author: &Signer, list: &Signer, relay: &Signer) -> Mail {
    let mut mail = Mail::from("kim.test");
    author.sign(&mut mail);
    mail.body.push_str("-- \r\nMailing list of the neighbourhood\r\n");
    *mail.value("Subject") = String::from("[list] Pakke 42");
    list.seal(&mut mail, "dkim=pass header.d=kim.test; dmarc=pass header.from=kim.test", "none");
    relay.seal(&mut mail, "dkim=fail header.d=kim.test; arc=pass", "pass");
    mail
}

#[tokio::test]
async fn a_chain_that_holds_is_shown_and_does_not_outweigh_the_policy_of_the_author() {
    let (author, list, relay) = (Signer::ed25519("kim.test"), Signer::rsa("list.test"), Signer::ed25519("relay.test"));
    let mail = through_a_list(&author, &list, &relay);
    let keys = [&author, &list, &relay];
    for (slug, policies, rule, dmarc, proof) in [
        ("chain_under_policy", &[POLICY][..], "unless_failed", Fail, Proof::Typed),
        ("chain_without_policy", &[], "unless_failed", None, Proof::Channel),
        ("chain_without_pass", &[], "only_passed", None, Proof::Typed),
    ] {
        let found = check(slug, &mail, &published(&keys, policies), rule).await;
        assert_eq!(found, Found::new(Fail, dmarc, Pass, proof), "{slug}");
    }
}

#[tokio::test]
async fn a_chain_that_was_touched_fails() {
    let (author, list, relay) = (Signer::ed25519("kim.test"), Signer::rsa("list.test"), Signer::ed25519("relay.test"));
    let whole = through_a_list(&author, &list, &relay);
    let keys = [&author, &list, &relay];
    let mut body = whole.clone();
    body.body.push_str("Buy more!\r\n");
    let mut results = whole.clone();
    let first = results.head.iter_mut().rfind(|(name, _)| name == "ARC-Authentication-Results").expect("the first hop's");
    first.1 = first.1.replace("dkim=pass", "dkim=fail");
    let mut hop = whole.clone();
    hop.head.retain(|(name, value)| !(name.starts_with("ARC-") && value.starts_with("i=1;")));
    for (slug, mail) in [("chain_body", body), ("chain_results", results), ("chain_hop", hop)] {
        let found = check(slug, &mail, &published(&keys, &[POLICY]), "unless_failed").await;
        assert_eq!(found, Found::new(Fail, Fail, Fail, Proof::Typed), "{slug}");
    }
    for (slug, published_keys) in [
        ("chain_key_of_list", [&author, &Signer::ed25519("list.test"), &relay]),
        ("chain_key_of_relay", [&author, &list, &Signer::ed25519("relay.test")]),
    ] {
        let found = check(slug, &whole, &published(&published_keys, &[POLICY]), "unless_failed").await;
        assert_eq!(found, Found::new(Fail, Fail, Fail, Proof::Typed), "{slug}");
    }
}
