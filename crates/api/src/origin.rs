//! Protection against requests that another site makes in a signed-in browser.
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`), and scripts cannot change either. The
//! cookie is `SameSite=Lax` and bodies are JSON besides, so three independent things would have to fail.

use http::header::{HOST, HeaderName, ORIGIN};
use http::{HeaderMap, Method};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request may change something with the authority of a cookie.
///
/// Reading is always allowed. Otherwise `Sec-Fetch-Site` decides where it is sent; older browsers are judged by
/// `Origin`, which must be the host that was asked or the public address. A client that sends neither is no
/// browser and carries the cookie on purpose.
pub(crate) fn may_change(method: &Method, headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    if method.is_safe() {
        return true;
    }
    let origin = headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    if origin.is_some_and(|origin| public_origin.is_some_and(|public| origin.eq_ignore_ascii_case(public))) {
        return true;
    }
    match (headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes()), origin) {
        (Some(site), _) => site == b"same-origin" || site == b"none",
        (None, Some(origin)) => is_host(origin, headers),
        (None, None) => true,
    }
}

fn is_host(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let from = origin.split_once("://").map(|(_, authority)| authority);
    matches!((host, from), (Some(host), Some(from)) if host.eq_ignore_ascii_case(from))
}

/// The origin of an address: scheme, host and port, as browsers write it.
pub(crate) fn origin_of(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let host = authority.host();
    let port = authority.port_u16().filter(|port| !matches!((scheme, port), ("http", 80) | ("https", 443)));
    Some(port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::{may_change, origin_of};
    use http::{HeaderMap, HeaderName, HeaderValue, Method};

    fn check(method: Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
        may_change(&method, &headers, Some("https://desk.example.test"))
    }

    #[test]
    fn the_desk_itself_may_change_things() {
        assert!(check(Method::PUT, &[("sec-fetch-site", "same-origin"), ("origin", "https://desk.example.test")]));
        assert!(check(Method::PUT, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:8080")]));
        assert!(check(Method::POST, &[("host", "internal:8080"), ("origin", "https://desk.example.test")]));
    }

    #[test]
    fn another_site_may_not() {
        assert!(!check(Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(!check(Method::POST, &[("sec-fetch-site", "same-site"), ("origin", "https://evil.example.test")]));
        assert!(!check(Method::POST, &[("host", "127.0.0.1:8080"), ("origin", "http://127.0.0.1:9090")]));
        assert!(!check(Method::DELETE, &[("host", "127.0.0.1:8080"), ("origin", "null")]));
    }

    #[test]
    fn reading_and_programs_are_left_alone() {
        assert!(check(Method::GET, &[("sec-fetch-site", "cross-site")]));
        assert!(check(Method::POST, &[("host", "127.0.0.1:8080")]));
    }

    #[test]
    fn an_origin_leaves_out_path_and_default_port() {
        assert_eq!(origin_of("https://desk.example.test:443/inbox").as_deref(), Some("https://desk.example.test"));
        assert_eq!(origin_of("http://127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(origin_of("desk"), None);
    }
}
