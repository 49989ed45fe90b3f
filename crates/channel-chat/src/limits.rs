//! How much one visitor and one address may do, and who a client is.

use crate::config::Config;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use switchboard_channel::Clock;

/// After so many checks, keys that have been quiet long enough are forgotten, which bounds the memory.
const CHECKS_PER_SWEEP: usize = 1_024;

/// Counts per key.
pub(crate) struct KeyedLimit<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, RuntimeClock, NoOpMiddleware<Duration>>,
    clock: RuntimeClock,
    checks: AtomicUsize,
}

impl<K: Hash + Eq + Clone> KeyedLimit<K> {
    /// So many a minute, so many at once.
    pub(crate) fn new(per_minute: u32, burst: u32, clock: Arc<dyn Clock>) -> Self {
        let clock = RuntimeClock(clock);
        let limiter = RateLimiter::dashmap_with_clock(quota(per_minute, burst), clock.clone());
        Self { limiter, clock, checks: AtomicUsize::new(0) }
    }

    /// Counts one, or says after how many seconds the next one is welcome.
    pub(crate) fn take(&self, key: &K) -> Result<(), u64> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(key).map_err(|refused| whole_seconds(refused.wait_time_from(self.clock.now())))
    }
}

/// Counts the frames of one connection.
pub(crate) struct FrameLimit(RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Duration>>);

impl FrameLimit {
    /// So many a minute, half of them at once.
    pub(crate) fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        Self(RateLimiter::direct_with_clock(quota(per_minute, per_minute / 2), RuntimeClock(clock)))
    }

    /// Counts one; false when it is one too many.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

/// Counts what an address holds at once.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<IpAddr, usize>>);

/// One place of an address, given back when dropped.
pub(crate) struct Place {
    held: Arc<Held>,
    address: IpAddr,
}

impl Held {
    /// Takes a place, if the address has fewer than `most`.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr, most: usize) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { held: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// The runtime's clock as the limiter wants it: time since the epoch.
#[derive(Clone)]
struct RuntimeClock(Arc<dyn Clock>);

impl GovernorClock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().0).unwrap_or(0))
    }
}

/// Whose connection this is, for the limits. IPv6 clients count per /64, because that is what one subscriber has. Without
/// any address all share one count.
pub(crate) fn client(config: &Config, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
    client_address(config, peer, headers).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network_of)
}

/// Whether nobody gets in from where this client is.
pub(crate) fn is_blocked(config: &Config, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    let blocked = &config.blocked_addresses;
    !blocked.is_empty()
        && client_address(config, peer, headers).is_some_and(|address| blocked.iter().any(|network| network.contains(&address)))
}

/// The address of the connection; behind a trusted proxy, the last address in its header that is not a trusted proxy itself.
fn client_address(config: &Config, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let trusted = |address: &IpAddr| config.trusted_proxies.iter().any(|network| network.contains(address));
    let named = config.client_ip_header.as_ref().filter(|_| trusted(&peer)).map(|header| {
        let values: Vec<&str> = headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).collect();
        let hops: Vec<Option<IpAddr>> = values.iter().flat_map(|value| value.split(',')).map(parsed_hop).collect();
        // From the right, because only what the proxies appended can be believed.
        hops.into_iter().rev().find(|hop| hop.as_ref().is_none_or(|hop| !trusted(hop))).flatten()
    });
    Some(named.flatten().unwrap_or(peer))
}

/// Whether a request comes from a page that we served ourselves, or from no browser. Browsers say themselves whether page
/// and target agree; older ones are compared by the host that they named.
pub(crate) fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    host.zip(of_origin).is_some_and(|(host, (_, of_origin))| of_origin.eq_ignore_ascii_case(host))
}

fn quota(per_minute: u32, burst: u32) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(at_least_one(per_minute)).allow_burst(at_least_one(burst))
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn parsed_hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let parsed = text.parse::<IpAddr>().or_else(|_| text.parse::<std::net::SocketAddr>().map(|socket| socket.ip()));
    parsed.ok().map(|address| address.to_canonical())
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FrameLimit, Held, KeyedLimit, client, is_blocked, is_own_origin};
    use crate::config::Config;
    use http::HeaderMap;
    use std::net::IpAddr;
    use std::sync::Arc;
    use switchboard_channel_testkit::{ManualClock, settings};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().expect("a header"))).collect()
    }

    #[test]
    fn a_key_gets_its_burst_then_its_rate() {
        let clock = ManualClock::new();
        let limit = KeyedLimit::new(60, 2, clock.clone());
        assert_eq!([0; 3].map(|_| limit.take(&1)), [Ok(()), Ok(()), Err(1)]);
        assert_eq!(limit.take(&2), Ok(()));
        clock.advance_ms(1_000);
        assert_eq!([0; 2].map(|_| limit.take(&1)), [Ok(()), Err(1)]);
    }

    #[test]
    fn a_connection_gets_half_a_minute_of_frames_at_once() {
        let limit = FrameLimit::new(10, ManualClock::new());
        assert_eq!([0; 6].map(|_| limit.take()), [true, true, true, true, true, false]);
    }

    #[test]
    fn places_are_given_back() {
        let held = Arc::new(Held::default());
        let address: IpAddr = "192.0.2.1".parse().expect("an address");
        let first = held.take(address, 1);
        assert!(first.is_some() && held.take(address, 1).is_none());
        drop(first);
        assert!(held.take(address, 1).is_some());
        assert!(held.0.lock().expect("not poisoned").is_empty(), "nothing is remembered of who holds nothing");
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let text = "key = \"shop\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nclient_ip_header = \"x-forwarded-for\"";
        let config = Config::read(&settings("chat", text)).expect("good settings");
        for (peer, forwarded, expected) in [
            (Some("192.0.2.1"), "198.51.100.1", "192.0.2.1"),
            (Some("10.0.0.1"), "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            (Some("10.0.0.1"), "nonsense", "10.0.0.1"),
            (Some("2001:db8:1:2:3::4"), "", "2001:db8:1:2::"),
            (None, "198.51.100.1", "0.0.0.0"),
        ] {
            let peer = peer.map(|peer| peer.parse::<IpAddr>().expect("an address"));
            let found = client(&config, peer, &headers(&[("x-forwarded-for", forwarded)]));
            assert_eq!(found.to_string(), expected, "{peer:?} {forwarded}");
        }
    }

    #[test]
    fn an_address_is_blocked_by_itself_and_by_its_network_wherever_it_is_known_from() {
        let blocked = "[\"192.0.2.7\", \"198.51.100.0/24\", \"2001:db8:1:2:3::/80\", \"::ffff:203.0.113.0/120\"]";
        let text = format!(
            "key = \"shop\"\nblocked_addresses = {blocked}\ntrusted_proxies = [\"10.0.0.0/8\"]\nclient_ip_header = \"x-real-ip\""
        );
        let config = Config::read(&settings("chat", &text)).expect("good settings");
        for (peer, named, expected) in [
            (Some("192.0.2.7"), "", true),
            (Some("192.0.2.8"), "", false),
            (Some("::ffff:192.0.2.7"), "", true),
            (Some("198.51.100.200"), "192.0.2.8", true),
            (Some("2001:db8:1:2:3::4"), "", true),
            (Some("2001:db8:1:2:4::4"), "", false),
            (Some("203.0.113.9"), "", true),
            (Some("10.0.0.1"), "198.51.100.1", true),
            (Some("10.0.0.1"), "192.0.2.8", false),
            // Nobody blocks another one by naming an address.
            (Some("192.0.2.8"), "192.0.2.7", false),
            (None, "192.0.2.7", false),
        ] {
            let peer = peer.map(|peer| peer.parse::<IpAddr>().expect("an address"));
            assert_eq!(is_blocked(&config, peer, &headers(&[("x-real-ip", named)])), expected, "{peer:?} {named}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_told_apart() {
        for (pairs, expected) in [
            (vec![], true),
            (vec![("origin", "https://desk.test"), ("host", "desk.test")], true),
            (vec![("origin", "https://shop.test"), ("host", "desk.test")], false),
            (vec![("origin", "null"), ("host", "desk.test")], false),
            (vec![("origin", "https://desk.test"), ("host", "inner:8080"), ("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "https://desk.test"), ("host", "desk.test"), ("sec-fetch-site", "cross-site")], false),
        ] {
            assert_eq!(is_own_origin(&headers(&pairs)), expected, "{pairs:?}");
        }
    }
}
