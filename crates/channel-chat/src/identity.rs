//! What a site says about its visitor, and whether it is to be believed. Pure: claim, settings and time in.

use crate::config::{IdentityConfig, IdentityMode};
use crate::decode::Claim;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;
use switchboard_model::{Identity, IdentityKind, Timestamp};

/// The longest id of a site, in bytes.
const LONGEST_ID_BYTES: usize = 200;
/// The longest token, in bytes.
const LONGEST_JWT_BYTES: usize = 4_096;
/// The longest time for which a token may be good.
const LONGEST_SECONDS: i64 = 24 * 60 * 60;

/// Somebody the site vouches for. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// The site's id, within its realm.
    pub(crate) identity: Identity,
    /// The name that the site gave, signed or not.
    pub(crate) name: Option<String>,
    /// An address, and whether the site has proven it.
    pub(crate) email: Option<(String, bool)>,
}

/// Why a claim is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disbelief {
    /// The signature fits none of the secrets.
    Signature,
    /// It was good once.
    Expired,
    /// It will be good later.
    NotYetValid,
    /// It is good for more than a day.
    TooLongValid,
    /// It is not readable, or uses an algorithm that is not taken.
    Malformed,
    /// The channel identifies nobody.
    Off,
}

impl Disbelief {
    /// The stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::TooLongValid => "too_long_valid",
            Self::Malformed => "malformed",
            Self::Off => "off",
        }
    }
}

/// Whether the claim is good, and whom it names.
pub(crate) fn verified(config: &IdentityConfig, claim: &Claim, now: Timestamp) -> Result<Account, Disbelief> {
    if config.mode == IdentityMode::Off {
        return Err(Disbelief::Off);
    }
    match claim {
        Claim::Jwt { jwt } => from_jwt(config, jwt, now),
        Claim::Hash { id, hash, name, email } => {
            let mac = from_hex(hash).ok_or(Disbelief::Malformed)?;
            if !is_signed(&config.secrets, id.as_bytes(), &mac) {
                return Err(Disbelief::Signature);
            }
            let email = email.clone().map(|email| (email, false));
            Ok(Account { identity: account(config, id)?, name: name.clone(), email })
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

/// RFC 7519 in the compact form of RFC 7515, with the one algorithm HS256.
fn from_jwt(config: &IdentityConfig, jwt: &str, now: Timestamp) -> Result<Account, Disbelief> {
    if jwt.len() > LONGEST_JWT_BYTES {
        return Err(Disbelief::Malformed);
    }
    let (signed, mac) = jwt.rsplit_once('.').ok_or(Disbelief::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Disbelief::Malformed)?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Disbelief::Malformed);
    let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| Disbelief::Malformed)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(Disbelief::Malformed);
    }
    // Nothing of the claims is looked at before the signature has been.
    if !is_signed(&config.secrets, signed.as_bytes(), &part(mac)?) {
        return Err(Disbelief::Signature);
    }
    let claims: Claims = serde_json::from_slice(&part(claims)?).map_err(|_| Disbelief::Malformed)?;
    check_times(&claims, config.skew_seconds, now)?;
    let email = claims.email.map(|email| (email, claims.email_verified));
    Ok(Account { identity: account(config, &claims.sub)?, name: claims.name, email })
}

/// Whether a token with these times is good now, give or take the skew.
fn check_times(claims: &Claims, skew_seconds: i64, now: Timestamp) -> Result<(), Disbelief> {
    // Fractions are allowed (RFC 7519 section 2); what is far beyond any date is brought to the edge by the cast.
    let ms = |seconds: f64| (seconds * 1_000.0) as i64;
    let (skew_ms, now_ms) = (skew_seconds * 1_000, now.0);
    if ms(claims.exp) <= now_ms.saturating_sub(skew_ms) {
        return Err(Disbelief::Expired);
    }
    let begins = claims.nbf.into_iter().chain(claims.iat).map(ms).max();
    if begins.is_some_and(|begins| begins > now_ms.saturating_add(skew_ms)) {
        return Err(Disbelief::NotYetValid);
    }
    if ms(claims.exp) > now_ms.saturating_add(skew_ms + LONGEST_SECONDS * 1_000) {
        return Err(Disbelief::TooLongValid);
    }
    Ok(())
}

fn account(config: &IdentityConfig, id: &str) -> Result<Identity, Disbelief> {
    let fits = !id.is_empty() && id.len() <= LONGEST_ID_BYTES && id.trim() == id && !id.chars().any(char::is_control);
    if !fits {
        return Err(Disbelief::Malformed);
    }
    let value = if config.realm.is_empty() { id.to_owned() } else { format!("{}/{id}", config.realm) };
    Ok(Identity::new(IdentityKind::Account, &value))
}

/// Whether one of the secrets made this signature. Each comparison takes the same time wherever they differ.
fn is_signed(secrets: &[SecretString], signed: &[u8], signature: &[u8]) -> bool {
    secrets.iter().any(|secret| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
        mac.chain_update(signed).verify_slice(signature).is_ok()
    })
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: [u8; 64] = text.as_bytes().try_into().ok()?;
    let mut read = [0; 32];
    for (byte, pair) in read.iter_mut().zip(bytes.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(read)
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(redacted)")
    }
}
