//! What is signed or derived with the channel's secret: the page's nonce, cookies, identities, and the keys
//! that make the same submission twice one message. Pure but for the random bytes of a new nonce.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use switchboard_model::{Identity, IdentityKind, Timestamp};

/// How long a page's nonce counts as fresh.
const NONCE_FRESH_MS: i64 = 24 * 60 * 60 * 1_000;
const RANDOM_BYTES: usize = 16;
const MAC_BYTES: usize = 16;
const NONCE_BYTES: usize = 8 + RANDOM_BYTES + MAC_BYTES;

/// Signs and derives for one form.
#[derive(Clone)]
pub(crate) struct Guard {
    secret: Arc<SecretSlice<u8>>,
    slug: String,
}

/// Proof that a page was issued here: when, and which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nonce {
    pub(crate) issued_at: Timestamp,
    pub(crate) random: [u8; RANDOM_BYTES],
}

/// What makes a submission the same submission.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key<'a> {
    /// The client's own key.
    Given(&'a str),
    /// The page that it was written on.
    Page(Nonce),
}

impl Guard {
    /// A guard with the secret of the installation and channel.
    pub(crate) fn new(secret: Arc<SecretSlice<u8>>, slug: &str) -> Self {
        Self { secret, slug: slug.to_owned() }
    }

    /// A nonce for a page that is made now.
    pub(crate) fn issue(&self, now: Timestamp) -> Nonce {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
        Nonce { issued_at: now, random }
    }

    /// The nonce as the page carries it.
    pub(crate) fn written(&self, nonce: &Nonce) -> String {
        let mut bytes = nonce.signed_part();
        bytes.extend_from_slice(&self.nonce_mac(nonce));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a nonce that came back; `None` when it was not issued here, for this form.
    pub(crate) fn verified(&self, written: &str) -> Option<Nonce> {
        if written.len() > 2 * NONCE_BYTES {
            return None;
        }
        let bytes: [u8; NONCE_BYTES] = URL_SAFE_NO_PAD.decode(written).ok()?.try_into().ok()?;
        let (issued_at, rest) = bytes.split_first_chunk::<8>()?;
        let (random, mac) = rest.split_first_chunk::<RANDOM_BYTES>()?;
        let nonce = Nonce { issued_at: Timestamp(i64::from_be_bytes(*issued_at)), random: *random };
        bool::from(self.nonce_mac(&nonce).ct_eq(mac)).then_some(nonce)
    }

    /// The id under which the inbox knows a submission: its key together with a digest of its content. The
    /// same key with other content is another message, so that a key which a site gives to all its visitors,
    /// or a page sent again after a correction, loses nothing.
    pub(crate) fn external_id(&self, key: &Key<'_>, content: &[u8; 32]) -> String {
        let (origin, key) = match key {
            Key::Given(text) => ("key", text.as_bytes()),
            Key::Page(nonce) => ("page", nonce.random.as_slice()),
        };
        format!("{origin}:{}", hex(&self.mac("external id", &[origin.as_bytes(), key, content])[..20]))
    }

    /// The cookie that goes with the first submission from a page, the same when that is sent twice.
    pub(crate) fn new_cookie(&self, nonce: &Nonce) -> String {
        hex(&self.mac("cookie", &[&nonce.random])[..16])
    }

    /// The identity that a cookie stands for. It is derived, so that nobody who can read identities can make
    /// up the cookie.
    pub(crate) fn cookie_identity(&self, cookie: &str) -> Identity {
        Identity::new(IdentityKind::Cookie, &format!("form-{}", hex(&self.mac("identity", &[cookie.as_bytes()])[..16])))
    }

    /// The identity of a sender of whom nothing is known but one submission.
    pub(crate) fn stranger(&self, external_id: &str) -> Identity {
        Identity::new(IdentityKind::Cookie, &format!("once-{}", hex(&self.mac("stranger", &[external_id.as_bytes()])[..16])))
    }

    fn nonce_mac(&self, nonce: &Nonce) -> [u8; MAC_BYTES] {
        let mac = self.mac("nonce", &[&nonce.signed_part()]);
        *mac.first_chunk().expect("a digest of 32 bytes has a first 16")
    }

    /// Keyed digest over a purpose, the slug and parts, each with its length, so that no two lists agree.
    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).expect("HMAC takes keys of any length");
        for part in [b"forms".as_slice(), purpose.as_bytes(), self.slug.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Nonce {
    /// Whether the page is younger than `min_seconds`, which no person is. A page from the future, after a
    /// clock was corrected, and one older than a day say nothing.
    pub(crate) fn too_fast(&self, now: Timestamp, min_seconds: u32) -> bool {
        let age_ms = now.ms_since(self.issued_at);
        (0..NONCE_FRESH_MS).contains(&age_ms) && age_ms < i64::from(min_seconds) * 1_000
    }

    fn signed_part(&self) -> Vec<u8> {
        [&self.issued_at.0.to_be_bytes(), self.random.as_slice()].concat()
    }
}

/// Whether a value can be one of our cookies.
pub(crate) fn is_cookie(value: &str) -> bool {
    value.len() == 32 && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Whether a client's key can be used: 1 to 200 visible ASCII characters.
pub(crate) fn is_key(value: &str) -> bool {
    (1..=200).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Guard, Key, NONCE_FRESH_MS, Nonce, is_cookie, is_key};
    use proptest::prelude::{any, proptest};
    use secrecy::SecretSlice;
    use std::sync::Arc;
    use switchboard_model::Timestamp;

    fn guard(secret: u8, slug: &str) -> Guard {
        Guard::new(Arc::new(SecretSlice::from(vec![secret; 32])), slug)
    }

    #[test]
    fn a_nonce_is_read_back_by_its_own_form_only() {
        let nonce = guard(1, "contact").issue(Timestamp(5));
        let written = guard(1, "contact").written(&nonce);
        assert_eq!(guard(1, "contact").verified(&written), Some(nonce));
        assert_eq!(guard(1, "returns").verified(&written), None);
        assert_eq!(guard(2, "contact").verified(&written), None);
    }

    #[test]
    fn two_pages_have_different_nonces() {
        let guard = guard(1, "contact");
        assert_ne!(guard.issue(Timestamp(5)).random, guard.issue(Timestamp(5)).random);
    }

    proptest! {
        #[test]
        fn no_made_up_nonce_is_taken(text in "\\PC{0,120}", place in 0_usize..54, letter in "[A-Za-z0-9_-]") {
            let guard = guard(1, "contact");
            assert_eq!(guard.verified(&text), None);
            let nonce = Nonce { issued_at: Timestamp(7), random: [9; 16] };
            let mut changed = guard.written(&nonce);
            changed.replace_range(place..=place, &letter);
            assert!(guard.verified(&changed).is_none_or(|found| found == nonce && changed == guard.written(&nonce)));
        }

        #[test]
        fn the_trap_closes_before_its_time_only(age_ms in any::<i64>(), min_seconds in 0_u32..3_600) {
            let nonce = Nonce { issued_at: Timestamp(0), random: [0; 16] };
            let expected = (0..i64::from(min_seconds) * 1_000).contains(&age_ms) && age_ms < NONCE_FRESH_MS;
            assert_eq!(nonce.too_fast(Timestamp(age_ms), min_seconds), expected);
        }
    }

    #[test]
    fn the_same_key_and_content_are_the_same_message_and_nothing_else_is() {
        let guard = guard(1, "contact");
        let page = Key::Page(Nonce { issued_at: Timestamp(0), random: [7; 16] });
        let id = guard.external_id(&Key::Given("k"), &[0; 32]);
        assert_eq!(id, guard.external_id(&Key::Given("k"), &[0; 32]));
        assert_ne!(id, guard.external_id(&Key::Given("k"), &[1; 32]));
        assert_ne!(id, guard.external_id(&Key::Given("l"), &[0; 32]));
        assert_ne!(guard.external_id(&page, &[0; 32]), id);
    }

    #[test]
    fn an_identity_does_not_show_its_cookie() {
        let guard = guard(1, "contact");
        let cookie = guard.new_cookie(&Nonce { issued_at: Timestamp(0), random: [7; 16] });
        assert!(is_cookie(&cookie), "{cookie}");
        assert!(!guard.cookie_identity(&cookie).value.contains(&cookie));
        assert_ne!(guard.cookie_identity(&cookie), guard.stranger(&cookie));
    }

    #[test]
    fn keys_and_cookies_have_their_shapes() {
        for (key, fits) in [("order-8841", true), ("", false), ("two words", false), ("ø", false)] {
            assert_eq!(is_key(key), fits, "{key}");
        }
        assert!(!is_key(&"k".repeat(201)));
        assert!(!is_cookie(&"A".repeat(32)) && !is_cookie("abc"));
    }
}
