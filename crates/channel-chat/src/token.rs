//! What is signed or derived with the channel's secret: sessions, passes, and the owners of conversations. Nothing of it
//! is kept anywhere; any host of the installation can check it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use switchboard_model::{Identity, IdentityKind, Timestamp};

/// How long a pass is good.
pub(crate) const PASS_MS: i64 = 12 * 60 * 60 * 1_000;
/// A token from the future is one of another host whose clock runs ahead, by no more than this.
const AHEAD_MS: i64 = 10 * 60 * 1_000;
const SEED_BYTES: usize = 16;
const MAC_BYTES: usize = 16;
const SESSION_BYTES: usize = SEED_BYTES + 8 + MAC_BYTES;
const PASS_BYTES: usize = 1 + 2 * SEED_BYTES + 8 + MAC_BYTES;

/// Signs and derives for one chat.
#[derive(Clone)]
pub(crate) struct Signer {
    secret: Arc<SecretSlice<u8>>,
    slug: Arc<str>,
}

/// A visitor's session: who it is, and since when its token is good.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Session {
    seed: [u8; SEED_BYTES],
    pub(crate) issued_at: Timestamp,
}

/// Whose conversations: those of a session, or those of a site's account. Derived, so that whoever reads one cannot make
/// the session from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    Session([u8; SEED_BYTES]),
    Account([u8; SEED_BYTES]),
}

/// What the paths of files are opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pass {
    pub(crate) session: Option<Owner>,
    pub(crate) account: Option<Owner>,
}

impl Signer {
    /// For the channel of this slug.
    pub(crate) fn new(secret: Arc<SecretSlice<u8>>, slug: &str) -> Self {
        Self { secret, slug: slug.into() }
    }

    /// A session that begins now. From the same nonce it is the same one, so that a first message repeated after a lost
    /// connection comes from the same visitor.
    pub(crate) fn begin(&self, nonce: Option<&str>, now: Timestamp) -> Session {
        let seed = match nonce {
            Some(nonce) => self.derived("new session", nonce.as_bytes()),
            None => {
                let mut seed = [0; SEED_BYTES];
                getrandom::fill(&mut seed).expect("the operating system gives random bytes once it has started");
                seed
            }
        };
        Session { seed, issued_at: now }
    }

    /// The session as the visitor keeps it.
    pub(crate) fn written(&self, session: &Session) -> String {
        let mut bytes = session.signed_part();
        bytes.extend_from_slice(&self.derived("session", &session.signed_part()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a session that came back; `None` when it was not made here or is older than `days`.
    pub(crate) fn session(&self, written: &str, now: Timestamp, days: u32) -> Option<Session> {
        let bytes: [u8; SESSION_BYTES] = decoded(written)?;
        let (seed, rest) = bytes.split_first_chunk::<SEED_BYTES>()?;
        let (issued_at, mac) = rest.split_first_chunk::<8>()?;
        let session = Session { seed: *seed, issued_at: Timestamp(i64::from_be_bytes(*issued_at)) };
        let is_ours = bool::from(self.derived("session", &session.signed_part()).ct_eq(mac));
        let age_ms = now.ms_since(session.issued_at);
        (is_ours && age_ms >= -AHEAD_MS && age_ms <= i64::from(days) * 24 * 60 * 60 * 1_000).then_some(session)
    }

    /// The owner that a session stands for, the same after a renewal.
    pub(crate) fn session_owner(&self, session: &Session) -> Owner {
        Owner::Session(self.derived("session owner", &session.seed))
    }

    /// The owner that an account stands for.
    pub(crate) fn account_owner(&self, identity: &Identity) -> Owner {
        Owner::Account(self.derived("account owner", identity.value.as_bytes()))
    }

    /// A pass as the visitor keeps it, in memory.
    pub(crate) fn pass(&self, pass: &Pass, now: Timestamp) -> String {
        let mut bytes = vec![u8::from(pass.session.is_some()) | u8::from(pass.account.is_some()) << 1];
        for owner in [pass.session, pass.account] {
            bytes.extend_from_slice(&owner.map_or([0; SEED_BYTES], |owner| *owner.digest()));
        }
        bytes.extend_from_slice(&now.plus_ms(PASS_MS).0.to_be_bytes());
        let mac = self.derived("pass", &bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a pass that came back; `None` when it was not made here or has ended.
    pub(crate) fn read_pass(&self, written: &str, now: Timestamp) -> Option<Pass> {
        let bytes: [u8; PASS_BYTES] = decoded(written)?;
        let (signed, mac) = bytes.split_at(PASS_BYTES - MAC_BYTES);
        if !bool::from(self.derived("pass", signed).ct_eq(mac)) {
            return None;
        }
        let (flags, rest) = signed.split_first()?;
        let (session, rest) = rest.split_first_chunk::<SEED_BYTES>()?;
        let (account, ends_at) = rest.split_first_chunk::<SEED_BYTES>()?;
        let ends_at = Timestamp(i64::from_be_bytes(ends_at.try_into().ok()?));
        (now < ends_at).then_some(Pass {
            session: (flags & 1 > 0).then_some(Owner::Session(*session)),
            account: (flags & 2 > 0).then_some(Owner::Account(*account)),
        })
    }

    /// Keyed digest over a purpose, the slug and what is signed, each with its length, so that no two of them agree.
    pub(crate) fn derived(&self, purpose: &str, signed: &[u8]) -> [u8; SEED_BYTES] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret()).expect("HMAC takes keys of any length");
        for part in [b"chat".as_slice(), purpose.as_bytes(), self.slug.as_bytes(), signed] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        *digest.first_chunk().expect("a digest of 32 bytes has a first 16")
    }
}

impl Session {
    /// Whether its token is so old that the visitor gets another one for the same session.
    pub(crate) const fn is_aging(&self, now: Timestamp, days: u32) -> bool {
        now.ms_since(self.issued_at) > days as i64 * 12 * 60 * 60 * 1_000
    }

    /// The same session with its time begun anew.
    pub(crate) const fn renewed(self, now: Timestamp) -> Self {
        Self { issued_at: now, ..self }
    }

    fn signed_part(&self) -> Vec<u8> {
        [self.seed.as_slice(), &self.issued_at.0.to_be_bytes()].concat()
    }
}

impl Owner {
    /// The beginning of the thread keys and external ids of its conversations, with the separator.
    pub(crate) fn prefix(&self) -> String {
        format!("{self}/")
    }

    /// The owner whose prefix a thread key or external id has.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        let (owner, _) = key.split_once('/')?;
        let (kind, digits) = owner.split_at_checked(1)?;
        let mut digest = [0; SEED_BYTES];
        if digits.len() != 2 * SEED_BYTES || !digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())?;
        }
        match kind {
            "s" => Some(Self::Session(digest)),
            "a" => Some(Self::Account(digest)),
            _ => None,
        }
    }

    /// The identity of a session's owner; an account has the site's own.
    pub(crate) fn cookie_identity(&self) -> Identity {
        Identity::new(IdentityKind::Cookie, &format!("chat-{self}"))
    }

    const fn digest(&self) -> &[u8; SEED_BYTES] {
        match self {
            Self::Session(digest) | Self::Account(digest) => digest,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Session(_)) { "s" } else { "a" })?;
        self.digest().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("issued_at", &self.issued_at).finish_non_exhaustive()
    }
}

impl Pass {
    /// Whose things it opens.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Owner> {
        self.session.into_iter().chain(self.account)
    }
}

fn decoded<const N: usize>(written: &str) -> Option<[u8; N]> {
    if written.len() > 2 * N {
        return None;
    }
    URL_SAFE_NO_PAD.decode(written).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::{Owner, PASS_MS, Pass, Signer};
    use proptest::prelude::{any, proptest};
    use secrecy::SecretSlice;
    use std::sync::Arc;
    use switchboard_model::{Identity, IdentityKind, Timestamp};

    const NOW: Timestamp = Timestamp(1_795_262_400_000);
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

    fn signer(secret: u8, slug: &str) -> Signer {
        Signer::new(Arc::new(SecretSlice::from(vec![secret; 32])), slug)
    }

    #[test]
    fn a_session_is_read_where_it_was_made_and_nowhere_else() {
        let session = signer(1, "a").begin(None, NOW);
        let written = signer(1, "a").written(&session);
        assert_eq!(signer(1, "a").session(&written, NOW, 180), Some(session));
        assert_eq!(signer(2, "a").session(&written, NOW, 180), None);
        assert_eq!(signer(1, "b").session(&written, NOW, 180), None);
        assert_ne!(signer(1, "a").begin(None, NOW), session, "two sessions are two");
    }

    #[test]
    fn a_session_ends_after_its_days_and_its_renewal_is_the_same_visitor() {
        let signer = signer(1, "a");
        let session = signer.begin(None, NOW);
        let written = signer.written(&session);
        assert!(signer.session(&written, NOW.plus_ms(180 * DAY_MS), 180).is_some());
        assert!(signer.session(&written, NOW.plus_ms(180 * DAY_MS + 1), 180).is_none());
        assert!(signer.session(&written, NOW.plus_ms(-DAY_MS), 180).is_none(), "from a future that no clock error explains");
        assert_eq!([90, 91].map(|days| session.is_aging(NOW.plus_ms(days * DAY_MS), 180)), [false, true]);
        let renewed = session.renewed(NOW.plus_ms(100 * DAY_MS));
        assert_eq!(signer.session_owner(&renewed), signer.session_owner(&session));
        // By this a browser knows that the visitor stays the same.
        assert_eq!(signer.written(&renewed)[..21], written[..21]);
        assert_ne!(signer.written(&signer.begin(None, NOW))[..21], written[..21]);
    }

    #[test]
    fn one_nonce_is_one_session() {
        let signer = signer(1, "a");
        let of = |nonce| signer.session_owner(&signer.begin(Some(nonce), NOW));
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("two"));
    }

    #[test]
    fn a_pass_opens_what_it_names_until_it_ends() {
        let signer = signer(1, "a");
        let session = Some(signer.session_owner(&signer.begin(None, NOW)));
        let account = Some(signer.account_owner(&Identity::new(IdentityKind::Account, "4711")));
        for pass in [Pass { session, account }, Pass { session: None, account }, Pass { session, account: None }] {
            let written = signer.pass(&pass, NOW);
            assert_eq!(signer.read_pass(&written, NOW.plus_ms(PASS_MS - 1)), Some(pass));
            assert_eq!(signer.read_pass(&written, NOW.plus_ms(PASS_MS)), None);
        }
    }

    #[test]
    fn an_owner_is_found_in_its_keys_and_in_nothing_else() {
        let owner = signer(1, "a").session_owner(&signer(1, "a").begin(None, NOW));
        assert_eq!(Owner::of_key(&format!("{}first", owner.prefix())), Some(owner));
        for key in ["", "s", "s/", "<mail@x.test>/x", &owner.to_string(), &format!("x{}", &owner.prefix()[1..]), "é/"] {
            assert_eq!(Owner::of_key(key), None, "{key}");
        }
        assert_eq!(Owner::of_key(&owner.prefix().to_uppercase()), None);
    }

    #[test]
    fn debug_shows_no_seed() {
        let signer = signer(1, "a");
        let shown = format!("{:?}", signer.begin(Some("nonce"), NOW));
        assert_eq!(shown, "Session { issued_at: Timestamp(1795262400000), .. }");
    }

    proptest! {
        #[test]
        fn what_was_not_made_here_is_no_token(text in "[A-Za-z0-9_-]{0,120}", flip in any::<usize>()) {
            let signer = signer(1, "a");
            assert!(signer.session(&text, NOW, 180).is_none());
            assert!(signer.read_pass(&text, NOW).is_none());
            let mut written = signer.written(&signer.begin(Some("nonce"), NOW)).into_bytes();
            let place = flip % (written.len() - 1);
            written[place] = if written[place] == b'A' { b'B' } else { b'A' };
            let written = String::from_utf8(written).expect("still ASCII");
            assert!(signer.session(&written, NOW, 180).is_none());
        }
    }
}
