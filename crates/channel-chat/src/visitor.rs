//! Who a visitor is: the session, the account that the site vouches for, and what was told besides.

use crate::config::{Config, IdentityMode};
use crate::decode::{self, Claim, Hello, Told};
use crate::identity::{self, Account, Disbelief};
use crate::token::{Owner, Pass, Session, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use switchboard_model::{Identity, Timestamp};

/// A visitor on one connection.
pub(crate) struct Visitor {
    pub(crate) told: Told,
    pub(crate) account: Option<(Owner, Account)>,
    session: Option<(Owner, Session)>,
    /// The session's token is with the visitor, and need not be sent.
    is_session_kept: bool,
    nonce: Option<String>,
    pub(crate) disbelief: Option<Disbelief>,
}

/// Nobody gets in like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwelcome {
    /// The channel requires an identity, and there was none.
    NoIdentity,
    /// The channel requires an identity, and this one is not believed.
    Disbelieved,
}

impl Visitor {
    /// Whoever says this. A visitor who is not welcome is returned all the same, with what is not believed.
    pub(crate) fn of(config: &Config, signer: &Signer, hello: &Hello, now: Timestamp) -> (Self, Option<Unwelcome>) {
        let session = hello.session.as_deref().and_then(|written| signer.session(written, now, config.cookie_days));
        let claimed = hello.identity.as_ref().map(|claim| identity::verified(&config.identity, claim, now));
        let (account, disbelief) = match claimed {
            None => (None, None),
            Some(Ok(account)) => (Some((signer.account_owner(&account.identity), account)), None),
            Some(Err(disbelief)) => (None, Some(disbelief)),
        };
        let unwelcome = match (config.identity.mode, &account, disbelief) {
            (IdentityMode::Required, None, None) => Some(Unwelcome::NoIdentity),
            (IdentityMode::Required, None, Some(_)) => Some(Unwelcome::Disbelieved),
            _ => None,
        };
        let told = Told {
            unverified: disbelief.is_some_and(|disbelief| disbelief != Disbelief::Off),
            locale: decode::locale(hello.locale.as_deref()),
            page: hello.page.as_ref().and_then(decode::page),
            ..told(hello.identity.as_ref(), account.as_ref().map(|(_, account)| account))
        };
        let session = session.map(|session| (signer.session_owner(&session), session));
        let is_session_kept = session.is_some_and(|(_, session)| !session.is_aging(now, config.cookie_days));
        let nonce = decode::nonce(hello.nonce.as_deref()).map(str::to_owned);
        (Self { told, account, session, is_session_kept, nonce, disbelief }, unwelcome)
    }

    /// The address that the site has proven to be the visitor's.
    pub(crate) fn proven_email(&self) -> Option<&str> {
        let email = self.account.as_ref().and_then(|(_, account)| account.email.as_ref());
        email.filter(|(_, is_proven)| *is_proven).map(|(email, _)| email.as_str())
    }

    /// The word for it in the welcome.
    pub(crate) const fn word(&self) -> &'static str {
        match (&self.account, self.told.unverified) {
            (Some(_), _) => "identified",
            (None, true) => "unverified",
            (None, false) => "anonymous",
        }
    }

    /// Whether a session was brought that is good.
    pub(crate) const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// The owner of what the visitor begins now. `None` before an anonymous visitor has acted.
    pub(crate) fn owner(&self) -> Option<Owner> {
        self.account.as_ref().map(|(owner, _)| *owner).or(self.session.map(|(owner, _)| owner))
    }

    /// The owner of what a stranger begins, now or with the session that begins on this connection. `None` for an account,
    /// which the site vouches for.
    pub(crate) fn stranger(&mut self, signer: &Signer) -> Option<Owner> {
        if self.account.is_some() {
            return None;
        }
        let nonce = self.nonce.get_or_insert_with(random_nonce);
        let from_nonce = signer.begin(Some(nonce), Timestamp(0));
        Some(self.session.map_or_else(|| signer.session_owner(&from_nonce), |(owner, _)| owner))
    }

    /// Everybody whose conversations the visitor may see.
    pub(crate) fn owners(&self) -> impl Iterator<Item = Owner> {
        let account = self.account.as_ref().map(|(owner, _)| *owner);
        account.into_iter().chain(self.session.map(|(owner, _)| owner))
    }

    /// The same as identities, by which conversations are found.
    pub(crate) fn identities(&self) -> Vec<(Owner, Identity)> {
        let account = self.account.as_ref().map(|(owner, account)| (*owner, account.identity.clone()));
        account.into_iter().chain(self.session.map(|(owner, _)| (owner, owner.cookie_identity()))).collect()
    }

    /// The secret for files, once there is anybody to name.
    pub(crate) fn pass(&self, signer: &Signer, now: Timestamp) -> Option<String> {
        let account = self.account.as_ref().map(|(owner, _)| *owner);
        let session = self.session.map(|(owner, _)| owner);
        (account.is_some() || session.is_some()).then(|| signer.pass(&Pass { session, account }, now))
    }

    /// Who the visitor may have been before signing in on this page: the session that the connection names, or else the one
    /// that begins from its nonce. Only for an account.
    pub(crate) fn former(&self, signer: &Signer) -> Option<Owner> {
        self.account.as_ref()?;
        let nonce = || self.nonce.as_deref().map(|nonce| signer.session_owner(&signer.begin(Some(nonce), Timestamp(0))));
        self.session.map(|(owner, _)| owner).or_else(nonce)
    }

    /// What the visitor wrote before signing in is there: its session is the visitor's on this connection as well, if it is
    /// the nonce's. Returns whether it became so.
    pub(crate) fn resume(&mut self, owner: Owner, signer: &Signer, now: Timestamp) -> bool {
        let resumes = self.session.is_none() && self.former(signer) == Some(owner);
        if resumes {
            self.session = Some((owner, signer.begin(self.nonce.as_deref(), now)));
        }
        resumes
    }

    /// The visitor acts: a session begins, unless there is one or an account. Returns whether one began.
    pub(crate) fn act(&mut self, signer: &Signer, now: Timestamp) -> bool {
        let begins = self.account.is_none() && self.session.is_none();
        if begins {
            let session = signer.begin(self.nonce.as_deref(), now);
            self.session = Some((signer.session_owner(&session), session));
        }
        begins
    }

    /// The token of a session that the visitor does not have yet, or has only an old one for; once.
    pub(crate) fn unsent_session(&mut self, signer: &Signer, now: Timestamp) -> Option<String> {
        let (_, session) = self.session.filter(|_| !self.is_session_kept)?;
        self.is_session_kept = true;
        Some(signer.written(&session.renewed(now)))
    }
}

/// What a client that sent none is known by on this connection alone.
fn random_nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes once it has started");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the site said of name and address: of an account that it vouches for, or else as if the visitor had typed it.
fn told(claim: Option<&Claim>, account: Option<&Account>) -> Told {
    let (name, email) = match (account, claim) {
        (Some(account), _) => (account.name.as_deref(), account.email.as_ref().map(|(email, _)| email.as_str())),
        (None, Some(Claim::Hash { name, email, .. })) => (name.as_deref(), email.as_deref()),
        (None, Some(Claim::Jwt { .. }) | None) => (None, None),
    };
    Told { name: name.and_then(decode::person_name), email: email.and_then(decode::email), ..Told::default() }
}
