//! Signatures hold for a verifier that asks an in-memory DNS, and break with whatever people see.

use crate::config::{Config, tests::config};
use crate::encode::encode;
use crate::token::Signer;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::{AuthenticatedMessage, DkimResult, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache, Txt};
use std::borrow::Borrow;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;
use switchboard_channel::Settings;
use switchboard_channel_testkit::contract::outbound;
use switchboard_model::{Address, Identity, OutboundMessage};

/// One record, and nothing else.
struct Dns(Box<str>, Arc<DomainKey>);

impl ResolverCache<Box<str>, Txt> for Dns {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        (self.0.borrow() == name).then(|| Txt::DomainKey(Arc::clone(&self.1)))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// A cache that knows nothing, for records that are not asked for.
struct Nothing;

macro_rules! knows_nothing {
    ($($key:ty => $value:ty),+) => {$(
        impl ResolverCache<$key, $value> for Nothing {
            fn get<Q>(&self, _: &Q) -> Option<$value> where $key: Borrow<Q>, Q: Hash + Eq + ?Sized { None }
            fn remove<Q>(&self, _: &Q) -> Option<$value> where $key: Borrow<Q>, Q: Hash + Eq + ?Sized { None }
            fn insert(&self, _: $key, _: $value, _: Instant) {}
        }
    )+};
}

knows_nothing!(Box<str> => RecordSet<MX>, Box<str> => RecordSet<Ipv4Addr>, Box<str> => RecordSet<Ipv6Addr>,
    IpAddr => RecordSet<Box<str>>);

/// Whether the signature of the mail holds with this public key.
async fn holds(mail: &[u8], record: &str) -> bool {
    switchboard_channel_testkit::install_crypto();
    let key = DomainKey::parse(record.trim().as_bytes()).expect("a record");
    let dns = Dns("s1._domainkey.shop.test.".into(), Arc::new(key));
    let parsed = AuthenticatedMessage::parse(mail).expect("a mail");
    let parameters = Parameters {
        params: &parsed,
        cache_txt: Some(&dns),
        cache_mx: Some(&Nothing),
        cache_ptr: Some(&Nothing),
        cache_ipv4: Some(&Nothing),
        cache_ipv6: Some(&Nothing),
    };
    let verifier = MessageAuthenticator::new_system_conf().expect("a resolver");
    let answers = verifier.verify_dkim(parameters).await;
    // A mail with two of what there may be one of is not looked at any further.
    answers.iter().any(|answer| *answer.result() == DkimResult::Pass)
}

fn key_file(name: &str) -> String {
    format!("{}/tests/dkim/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn mailbox(key: &str) -> Config {
    config(&format!(
        "address = \"support@shop.test\"\nname = \"Nordlys\"\nsignature_html = \"<b>{{agent}}</b>\"\n[dkim]\nselector = \"s1\"\nkey_file = \"{}\"",
        key_file(key)
    ))
}

fn answer() -> OutboundMessage {
    let mut message = outbound("mail", Identity::email("kari@eksempel.test"));
    message.subject = Some("Pakken på vei, og et emne som er så langt at det må brettes over flere linjer i hodet".to_owned());
    message.cc = vec![Address { name: Some("Åse".to_owned()), address: "aase@eksempel.test".to_owned() }];
    message.text = "Hei,\n\n.prikk   og  mellomrom \nblåbær\n\n\n".to_owned();
    message
}

fn written(message: &OutboundMessage, config: &Config) -> String {
    let signer = Signer::new(Arc::new((0_u8..32).collect::<Vec<u8>>().into()));
    String::from_utf8(encode(message, config, &signer).expect("a message that can be sent").bytes).expect("ASCII mail")
}

const RSA: &str = include_str!("../../tests/dkim/rsa.txt");
const ED25519: &str = include_str!("../../tests/dkim/ed25519.txt");

#[tokio::test]
async fn signatures_of_both_kinds_hold_and_are_the_same_on_every_attempt() {
    for (key, record) in [("rsa.pem", RSA), ("rsa-pkcs1.pem", RSA), ("ed25519.pem", ED25519)] {
        let mail = written(&answer(), &mailbox(key));
        assert!(holds(mail.as_bytes(), record).await, "{key}: {mail}");
        assert_eq!(mail, written(&answer(), &mailbox(key)), "{key}");
        assert!(mail.contains("t=1795262400;"), "the time is that of the message: {mail}");
        assert!(mail.lines().all(|line| line.len() <= 998));
    }
}

#[tokio::test]
async fn whatever_people_see_cannot_be_changed_or_added() {
    let mail = written(&answer(), &mailbox("ed25519.pem"));
    let first = mail.find("\r\nMessage-ID: ").expect("a header of the mail") + 2;
    let with = |header: &str| format!("{}{header}\r\n{}", &mail[..first], &mail[first..]);
    assert!(holds(with("X-Relay: mx.test").as_bytes(), ED25519).await, "what relays add does no harm");
    for header in ["From: boss@shop.test", "Subject: Pay now", "To: x@y.test", "Date: Sat, 1 Jan 2000 00:00:00 +0000"] {
        assert!(!holds(with(header).as_bytes(), ED25519).await, "{header}");
    }
    let mut message = answer();
    message.automatic = true;
    let no_reply_to = written(
        &message,
        &config(&format!(
            "address = \"support@shop.test\"\nreply_token = false\ndkim.selector = \"s1\"\ndkim.key_file = \"{}\"",
            key_file("ed25519.pem")
        )),
    );
    assert!(holds(no_reply_to.as_bytes(), ED25519).await);
    let added = no_reply_to.replacen("\r\nMessage-ID: ", "\r\nReply-To: thief@evil.test\r\nMessage-ID: ", 1);
    assert!(!holds(added.as_bytes(), ED25519).await, "a header that is missing cannot be added");
    assert!(no_reply_to.contains("Auto-Submitted: auto-generated\r\n"));
    assert!(!holds(no_reply_to.replace("auto-generated", "no").as_bytes(), ED25519).await);
    for part in ["Nordlys", "eksempel.test", "bl=C3=A5b", "Pia Berg</b>"] {
        assert!(mail.contains(part), "{part} is in {mail}");
        assert!(!holds(mail.replacen(part, "other", 1).as_bytes(), ED25519).await, "{part}");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_a_fault_that_says_why() {
    let folder = format!("{}/tests/dkim", env!("CARGO_MANIFEST_DIR"));
    let fault = |key: &str| {
        let toml = format!("address = \"a@shop.test\"\ndkim.selector = \"s1\"\ndkim.key_file = \"{key}\"");
        let settings = Settings { slug: "mail".into(), table: toml.parse().expect("valid TOML"), folder: folder.clone().into() };
        let faults = Config::read(&settings).expect_err("a faulty key");
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n").replace(&folder, "FOLDER")
    };
    insta::assert_snapshot!(["missing.pem", ".", "rsa.txt", "ec.pem", "rsa-1024.pem"].map(fault).join("\n"), @r"
    channels.mail.dkim.key_file: FOLDER/missing.pem cannot be read: No such file or directory (os error 2)
    channels.mail.dkim.key_file: FOLDER/. is no file
    channels.mail.dkim.key_file: FOLDER/rsa.txt holds no private key in PEM
    channels.mail.dkim.key_file: FOLDER/ec.pem has a key that cannot be used; DKIM needs RSA with 2048 bits or more, or Ed25519
    channels.mail.dkim.key_file: FOLDER/rsa-1024.pem has a key that cannot be used; DKIM needs RSA with 2048 bits or more, or Ed25519
    ");
    let toml = "address = \"a@shop.test\"\n[dkim]\nselector = \"a b\"\ndomain = \"ü\u{0}.test\"\nheaders = [\"List Id\"]";
    let settings = Settings {
        slug: "mail".into(),
        table: toml.replace('\u{0}', " ").parse().expect("valid TOML"),
        folder: folder.clone().into(),
    };
    let faults = Config::read(&settings).expect_err("faulty settings");
    insta::assert_snapshot!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
    channels.mail.dkim.selector: `a b` is no name in DNS; it is a name such as `s2026`
    channels.mail.dkim.domain: `ü .test` is no name in DNS; it is a name such as `example.com`
    channels.mail.dkim.headers[0]: `List Id` is no header name such as `List-Id`
    channels.mail.dkim.key_file: missing; the other settings of `dkim` need it
    ");
}
