//! Signatures and seals as other mail servers make them (RFC 6376, RFC 8463, RFC 8617), written down here once more so that
//! what we verify was not made by the code that verifies it. Only signing itself is left to a library.

use base64::{Engine, prelude::BASE64_STANDARD};
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, SigningKey};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};

/// The headers that are signed.
const SIGNED: [&str; 5] = ["From", "To", "Subject", "Date", "Message-ID"];

/// A mail that can be signed, sealed and changed.
#[derive(Clone)]
pub struct Mail {
    /// Names and values, from top to bottom.
    pub head: Vec<(String, String)>,
    /// Lines that end with CRLF.
    pub body: String,
}

/// A domain that signs.
pub struct Signer {
    /// The domain.
    pub domain: &'static str,
    key: DkimKey,
    algorithm: &'static str,
    record: String,
}

impl Mail {
    /// A mail of somebody at a domain.
    pub fn from(domain: &str) -> Self {
        let head = [
            ("Message-ID", format!("<1@{domain}>")),
            ("Date", String::from("Sat, 21 Nov 2026 11:00:00 +0000")),
            ("From", format!("Kim Holm\r\n  <kim@{domain}>")),
            ("To", String::from("support@shop.test")),
            ("Subject", String::from("Pakke   42")),
        ];
        let head = head.map(|(name, value)| (String::from(name), value)).into();
        Self { head, body: String::from("Hvor er  den?\r\n\r\nHilsen Kim\r\n") }
    }

    /// The value of a header, to change it.
    pub fn value(&mut self, name: &str) -> &mut String {
        &mut self.head.iter_mut().find(|(found, _)| found == name).expect("a header of this name").1
    }

    /// The mail as it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let head: String = self.head.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{head}\r\n{}", self.body).into_bytes()
    }

    fn put_on_top(&mut self, name: &str, value: String) {
        self.head.insert(0, (String::from(name), value));
    }

    /// What a signature covers before its own header.
    fn signed_head(&self) -> String {
        let values = SIGNED.map(|name| &self.head.iter().find(|(found, _)| found == name).expect("a header to sign").1);
        SIGNED.iter().zip(values).map(|(name, value)| format!("{}\r\n", relaxed(name, value))).collect()
    }

    fn body_hash(&self) -> String {
        let lines = self.body.split("\r\n").map(|line| {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let indent = if line.starts_with([' ', '\t']) && !words.is_empty() { " " } else { "" };
            format!("{indent}{}", words.join(" "))
        });
        let text = lines.collect::<Vec<_>>().join("\r\n");
        BASE64_STANDARD.encode(Sha256::digest(format!("{}\r\n", text.trim_end_matches("\r\n"))))
    }

    /// The three headers of a hop, as the next hop signs them.
    fn hop(&self, number: usize) -> String {
        let of = |name: &str| {
            let found = self.head.iter().find(|(found, value)| found == name && value.starts_with(&format!("i={number};")));
            format!("{}\r\n", relaxed(name, &found.expect("a header of this hop").1))
        };
        ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"].map(of).concat()
    }
}

impl Signer {
    /// Signs with an Ed25519 key that is made anew.
    pub fn ed25519(domain: &'static str) -> Self {
        let made = Ed25519Key::generate_pkcs8().expect("a new key");
        let key = Ed25519Key::from_pkcs8_der(&made).expect("a key that was just made");
        let record = format!("v=DKIM1; k=ed25519; p={}", BASE64_STANDARD.encode(key.public_key()));
        Self { domain, key: DkimKey::Ed25519(key), algorithm: "ed25519-sha256", record }
    }

    /// Signs with the RSA key of the tests; none can be made with what is at hand.
    pub fn rsa(domain: &'static str) -> Self {
        let pem = PrivateKeyDer::from_pem_slice(include_bytes!("../dkim/rsa.pem")).expect("a key in PEM");
        let key = RsaKey::from_key_der(pem).expect("an RSA key");
        let record = String::from(include_str!("../dkim/rsa.txt").trim());
        Self { domain, key: DkimKey::Rsa(key), algorithm: "rsa-sha256", record }
    }

    /// Where its public key stands in DNS, and as what.
    pub fn record(&self) -> (String, String) {
        (format!("s._domainkey.{}", self.domain), self.record.clone())
    }

    /// Signs a mail.
    pub fn sign(&self, mail: &mut Mail) {
        let Self { domain, algorithm, .. } = self;
        let names = SIGNED.join(":");
        let unsigned =
            format!("v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n s=s; h={names};\r\n bh={}; b=", mail.body_hash());
        let value = self.completed(unsigned, "DKIM-Signature", mail.signed_head());
        mail.put_on_top("DKIM-Signature", value);
    }

    /// Seals a mail as a server that passes it on: with what it has found out itself, and with what it makes of the chain so
    /// far (`none`, `pass`).
    pub fn seal(&self, mail: &mut Mail, results: &str, chain: &str) {
        let Self { domain, algorithm, .. } = self;
        let number = mail.head.iter().filter(|(name, _)| name == "ARC-Seal").count() + 1;
        let earlier: String = (1..number).map(|hop| mail.hop(hop)).collect();
        let found = format!("i={number}; mx.{domain};\r\n {results}");
        let names = SIGNED.join(":");
        let unsigned = format!(
            "i={number}; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n s=s; h={names};\r\n bh={}; b=",
            mail.body_hash()
        );
        let signature = self.completed(unsigned, "ARC-Message-Signature", mail.signed_head());
        let own = [("ARC-Authentication-Results", &found), ("ARC-Message-Signature", &signature)];
        let own = own.map(|(name, value)| format!("{}\r\n", relaxed(name, value))).concat();
        let unsealed = format!("i={number}; a={algorithm}; cv={chain}; d={domain}; s=s;\r\n b=");
        let seal = self.completed(unsealed, "ARC-Seal", earlier + &own);
        mail.put_on_top("ARC-Authentication-Results", found);
        mail.put_on_top("ARC-Message-Signature", signature);
        mail.put_on_top("ARC-Seal", seal);
    }

    /// A header that ends with an empty `b=`, with the signature of what stands before it and of itself put there.
    fn completed(&self, unsigned: String, name: &str, before: String) -> String {
        let covered = before + &relaxed(name, &unsigned);
        let signature = self.key.sign(covered.as_bytes()).expect("a signature");
        unsigned + &BASE64_STANDARD.encode(signature)
    }
}

/// A header as signatures see it (RFC 6376 3.4.2), without its end.
fn relaxed(name: &str, value: &str) -> String {
    format!("{}:{}", name.to_lowercase(), value.split_whitespace().collect::<Vec<_>>().join(" "))
}
