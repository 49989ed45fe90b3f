//! DKIM signatures (RFC 6376, RFC 8463) on what goes out. The same mail gets the same signature on every attempt: the time
//! that it names is that of the message.

#[cfg(test)]
mod tests;

use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, SigningKey};
use mail_auth::common::headers::{HeaderStream, Writable, Writer};
use mail_auth::dkim::Signature;
use mail_auth::dkim::canonicalize::CanonicalHeaders;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::fmt;

/// A key with the name under which its public half stands in DNS.
pub(crate) struct Dkim {
    key: DkimKey,
    domain: String,
    selector: String,
    /// Headers that are signed where they are present.
    present: Vec<String>,
}

/// Signed once more than they occur, so that none can be added: what people see, and what says where answers go.
const SEALED: [&str; 6] = ["From", "Subject", "To", "Date", "Message-ID", "Reply-To"];
/// Signed where they are present.
const PRESENT: [&str; 7] =
    ["Cc", "In-Reply-To", "References", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];

impl Dkim {
    /// A signer for a domain; `headers` are signed where they are present, besides the usual ones.
    pub(crate) fn new(key: DkimKey, domain: String, selector: String, headers: Vec<String>) -> Self {
        let mut present: Vec<String> = PRESENT.iter().map(|name| (*name).to_owned()).collect();
        for name in headers {
            if !SEALED.iter().any(|known| known.eq_ignore_ascii_case(&name)) && !contains(&present, &name) {
                present.push(name);
            }
        }
        Self { key, domain, selector, present }
    }

    /// The mail with its signature in front, which says that it was made at `signed_at` (seconds since 1970).
    ///
    /// # Errors
    /// What the key answered, in one line.
    pub(crate) fn sign(&self, mail: Vec<u8>, signed_at: u64) -> Result<Vec<u8>, String> {
        let names: Vec<&[u8]> = Fields(&mail).map(|(name, _)| name).collect();
        let stands = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted.as_bytes()));
        let present = self.present.iter().filter(|name| stands(name)).cloned();
        let template = Signature {
            v: 1,
            a: self.key.algorithm(),
            d: self.domain.clone(),
            s: self.selector.clone(),
            t: signed_at,
            h: SEALED.iter().map(|name| (*name).to_owned()).chain(present).collect(),
            ..Signature::default()
        };
        let (_, headers, mut signed, body) = template.canonicalize(Fields(&mail));
        // Headers that are missing are in the list already: naming what is not there keeps it away.
        signed.extend(SEALED.iter().filter(|name| stands(name)).map(|name| (*name).to_owned()));
        let mut signature = Signature { h: signed, bh: self.key.hash(body).as_ref().to_vec(), ..template };
        signature.b = self.key.sign(Signed { headers, signature: &signature }).map_err(|error| error.to_string())?;
        let mut whole = Vec::with_capacity(mail.len() + 1_024);
        signature.write(&mut whole, true);
        whole.extend_from_slice(&mail);
        Ok(whole)
    }
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dkim").field("domain", &self.domain).field("selector", &self.selector).finish_non_exhaustive()
    }
}

/// A key from a PEM file; what is wrong with it otherwise, to follow the file's name.
pub(crate) fn read_key(pem: &[u8]) -> Result<DkimKey, String> {
    let unusable = || String::from("has a key that cannot be used; DKIM needs RSA with 2048 bits or more, or Ed25519");
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(PrivateKeyDer::Pkcs8(der)) => {
            // Keys made by OpenSSL do not name their public half.
            if let Ok(key) = Ed25519Key::from_pkcs8_maybe_unchecked_der(der.secret_pkcs8_der()) {
                return Ok(DkimKey::Ed25519(key));
            }
            RsaKey::from_key_der(PrivateKeyDer::Pkcs8(der)).map(DkimKey::Rsa).map_err(|_| unusable())
        }
        Ok(key @ PrivateKeyDer::Pkcs1(_)) => RsaKey::from_key_der(key).map(DkimKey::Rsa).map_err(|_| unusable()),
        Ok(_) => Err(unusable()),
        Err(_) => Err(String::from("holds no private key in PEM")),
    }
}

/// What is signed: the headers, then the signature's own without its value.
struct Signed<'a> {
    headers: CanonicalHeaders<'a>,
    signature: &'a Signature,
}

impl Writable for Signed<'_> {
    fn write(self, writer: &mut impl Writer) {
        self.headers.write(writer);
        self.signature.write(writer, false);
    }
}

/// The header fields of a mail with CRLF line ends, name and raw value; in the end its body.
struct Fields<'m>(&'m [u8]);

impl<'m> Iterator for Fields<'m> {
    type Item = (&'m [u8], &'m [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mail = self.0;
        let colon = mail.iter().position(|byte| matches!(byte, b':' | b'\r' | b'\n')).filter(|at| mail[*at] == b':')?;
        let ends = |at: &usize| mail[*at] == b'\n' && !mail.get(at + 1).is_some_and(|next| matches!(next, b' ' | b'\t'));
        let end = (colon..mail.len()).find(ends).map_or(mail.len(), |at| at + 1);
        self.0 = &mail[end..];
        Some((&mail[..colon], &mail[colon + 1..end]))
    }
}

impl<'m> HeaderStream<'m> for Fields<'m> {
    fn next_header(&mut self) -> Option<(&'m [u8], &'m [u8])> {
        self.next()
    }

    fn body(&mut self) -> &'m [u8] {
        self.0.strip_prefix(b"\r\n").unwrap_or(self.0)
    }
}

fn contains(list: &[String], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}
