//! The session cookie and the bearer token, as they stand in headers.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use switchboard_model::Timestamp;

/// The name of the session cookie.
pub(crate) const SESSION_COOKIE: &str = "sb_session";

/// No secret of ours is longer; what is needs no look-up.
const MAX_SECRET_BYTES: usize = 256;

/// The session secret that a browser sent.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<SecretString> {
    let jar = axum_extra::extract::CookieJar::from_headers(headers);
    plausible(jar.get(SESSION_COOKIE)?.value())
}

/// The token that a program sent.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<SecretString> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    // A token that cannot be one is kept as an empty secret, which no token has: sent is sent, and the cookie
    // beside it must not count.
    scheme.eq_ignore_ascii_case("bearer").then(|| plausible(token.trim()).unwrap_or_default())
}

/// The header that gives a browser its session.
pub(crate) fn set_cookie(secret: &SecretString, now: Timestamp, expires_at: Timestamp, https: bool) -> Option<HeaderValue> {
    let max_age_s = (expires_at.ms_since(now) / 1000).max(0);
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{SESSION_COOKIE}={}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}", secret.expose_secret());
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that takes the session from a browser.
pub(crate) fn clear_cookie(https: bool) -> HeaderValue {
    HeaderValue::from_static(if https {
        "sb_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    } else {
        "sb_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    })
}

fn plausible(secret: &str) -> Option<SecretString> {
    (!secret.is_empty() && secret.len() <= MAX_SECRET_BYTES).then(|| SecretString::from(secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{bearer_token, clear_cookie, session_cookie, set_cookie};
    use http::{HeaderMap, HeaderValue};
    use secrecy::{ExposeSecret, SecretString};
    use switchboard_model::Timestamp;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))])
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = session_cookie(&headers("cookie", "theme=dark; sb_session=s3cret; x=y"));
        assert_eq!(found.expect("a cookie").expose_secret(), "s3cret");
        assert!(session_cookie(&headers("cookie", "sb_session=")).is_none());
        assert!(session_cookie(&headers("cookie", &format!("sb_session={}", "x".repeat(300)))).is_none());
    }

    #[test]
    fn the_token_is_found_whatever_the_case_of_its_scheme() {
        assert_eq!(bearer_token(&headers("authorization", "bearer sb_abc")).expect("a token").expose_secret(), "sb_abc");
        assert!(bearer_token(&headers("authorization", "Basic abc")).is_none());
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let secret = SecretString::from("s3cret");
        let value = set_cookie(&secret, Timestamp(1_000), Timestamp(61_500), true).expect("a header");
        assert_eq!(value.to_str().expect("text"), "sb_session=s3cret; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(value.is_sensitive());
        assert!(!clear_cookie(false).to_str().expect("text").contains("Secure"));
    }
}
