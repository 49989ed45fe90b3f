//! Who a client is, and how much it may send.

use super::{CHECKS_PER_SWEEP, RateLimit, client, is_origin, origin_allowed};
use crate::config::Form;
use http::{HeaderMap, HeaderValue};
use std::net::{IpAddr, Ipv4Addr};
use switchboard_channel_testkit::{ManualClock, settings};

fn form(further: &str) -> Form {
    let text = format!("{further}\n[[fields]]\nname = \"message\"");
    Form::read(&settings("contact", &text)).expect("the settings of the test are good")
}

fn headers(entries: &[(&'static str, &'static str)]) -> HeaderMap {
    entries.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value))).collect()
}

#[test]
fn the_client_is_the_connection_unless_a_trusted_proxy_names_another() {
    let plain = form("");
    let behind = form("trusted_proxies = [\"10.0.0.0/8\", \"192.0.2.1\"]\nclient_ip_header = \"X-Forwarded-For\"");
    for (form, peer, forwarded, expected) in [
        (&plain, "10.0.0.1", "198.51.100.7", "10.0.0.1"),
        (&behind, "203.0.113.5", "198.51.100.7", "203.0.113.5"),
        (&behind, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (&behind, "10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (&behind, "::ffff:10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        (&behind, "10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        (&behind, "10.0.0.1", "10.0.0.3", "10.0.0.1"),
        (&behind, "10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ] {
        let headers = headers(&[("x-forwarded-for", forwarded)]);
        let peer = peer.parse().expect("an address");
        let expected: IpAddr = expected.parse().expect("an address");
        assert_eq!(client(form, Some(peer), &headers), expected, "{peer} with {forwarded}");
    }
    assert_eq!(client(&behind, None, &headers(&[("x-forwarded-for", "1.1.1.1")])), IpAddr::V4(Ipv4Addr::UNSPECIFIED));
}

#[test]
fn clients_that_have_gone_quiet_are_forgotten() {
    let clock = ManualClock::new();
    let limit = RateLimit::new(&form("rate_per_minute = 60\nburst = 1"), clock.clone());
    let mut last = 0;
    for number in 0..u32::try_from(20 * CHECKS_PER_SWEEP).expect("small") {
        clock.advance_ms(10);
        assert_eq!(limit.take(IpAddr::V4(Ipv4Addr::from(number))), Ok(()));
        last = limit.remembered();
        assert!(last <= 2 * CHECKS_PER_SWEEP, "{last} clients are remembered");
    }
    assert!(last > 0);
}

#[test]
fn a_rate_of_zero_switches_the_limit_off() {
    let limit = RateLimit::new(&form("rate_per_minute = 0\nburst = 1"), ManualClock::new());
    assert!((0..1_000).all(|_| limit.take(IpAddr::V4(Ipv4Addr::LOCALHOST)).is_ok()));
}

#[test]
fn a_clock_that_is_set_back_does_not_lock_anybody_out_for_long() {
    let clock = ManualClock::new();
    let limit = RateLimit::new(&form("rate_per_minute = 60\nburst = 1"), clock.clone());
    let somebody = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert_eq!(limit.take(somebody), Ok(()));
    clock.advance_ms(-1_000);
    assert_eq!(limit.take(somebody), Err(2));
    clock.advance_ms(2_000);
    assert_eq!(limit.take(somebody), Ok(()));
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    for (text, fits) in [
        ("https://www.example.org", true),
        ("http://localhost:5173", true),
        ("https://www.example.org/", false),
        ("https://*.example.org", false),
        ("https://user@example.org", false),
        ("ftp://example.org", false),
        ("example.org", false),
        ("https://", false),
        ("null", false),
        ("*", false),
    ] {
        assert_eq!(is_origin(text), fits, "{text}");
    }
}

#[test]
fn a_list_of_origins_admits_those_and_the_forms_own_page() {
    let form = form("origins = [\"https://WWW.example.test\"]");
    for (entries, allowed) in [
        (&[][..], true),
        (&[("origin", "https://www.example.test")], true),
        (&[("origin", "https://www.example.test.evil.test")], false),
        (&[("origin", "https://desk.test"), ("host", "desk.test")], true),
        (&[("origin", "https://desk.test"), ("host", "desk.test"), ("sec-fetch-site", "cross-site")], false),
        (&[("origin", "https://desk.test"), ("host", "inner:8080"), ("sec-fetch-site", "same-origin")], true),
        (&[("origin", "null")], false),
    ] {
        assert_eq!(origin_allowed(&form, &headers(entries)), allowed, "{entries:?}");
    }
}
