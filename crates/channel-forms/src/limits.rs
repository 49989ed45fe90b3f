//! How much one client may send, and who a client is.

use crate::config::Form;
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use switchboard_channel::Clock;

/// After so many checks, clients that have been quiet long enough are forgotten. Between two sweeps at most so
/// many clients are remembered beyond the active ones, which bounds the memory.
const CHECKS_PER_SWEEP: usize = 1_024;

/// Counts submissions per client.
pub(crate) struct RateLimit {
    limiter: Option<RateLimiter<IpAddr, DashMapStateStore<IpAddr>, RuntimeClock, NoOpMiddleware<Duration>>>,
    clock: RuntimeClock,
    checks: AtomicUsize,
}

impl RateLimit {
    /// A limit on the runtime's clock.
    pub(crate) fn new(form: &Form, clock: Arc<dyn Clock>) -> Self {
        let clock = RuntimeClock(clock);
        let (rate, burst) = (NonZeroU32::new(form.limits.rate_per_minute), NonZeroU32::new(form.limits.burst));
        let quota = rate.map(|rate| Quota::per_minute(rate).allow_burst(burst.unwrap_or(NonZeroU32::MIN)));
        let limiter = quota.map(|quota| RateLimiter::dashmap_with_clock(quota, clock.clone()));
        Self { limiter, clock, checks: AtomicUsize::new(0) }
    }

    /// Counts one submission, or says after how many seconds the next one is welcome.
    pub(crate) fn take(&self, client: IpAddr) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_PER_SWEEP == CHECKS_PER_SWEEP - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&client).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.limiter.as_ref().map_or(0, RateLimiter::len)
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

/// Whose submission this is, for the rate: the address of the connection; behind a trusted proxy, the last
/// address in its header that is not a trusted proxy itself. IPv6 clients count per /64, because that is what
/// one subscriber has. Without any address all share one count.
pub(crate) fn client(form: &Form, peer: Option<IpAddr>, headers: &HeaderMap) -> IpAddr {
    let Some(peer) = peer.map(|peer| peer.to_canonical()) else { return IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
    let trusted = |address: &IpAddr| form.trusted_proxies.iter().any(|network| network.contains(address));
    let named = form.client_ip_header.as_ref().filter(|_| trusted(&peer)).map(|header| {
        let values: Vec<&str> = headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).collect();
        let hops: Vec<Option<IpAddr>> = values.iter().flat_map(|value| value.split(',')).map(parsed_hop).collect();
        // From the right, because only what the proxies appended can be believed.
        hops.into_iter().rev().find(|hop| hop.as_ref().is_none_or(|hop| !trusted(hop))).flatten()
    });
    network_of(named.flatten().unwrap_or(peer))
}

/// Whether a submission may come from the site that sent the visitor. Without a list all may; programs that
/// are no browser name no site.
pub(crate) fn origin_allowed(form: &Form, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    if form.origins.is_empty() {
        return true;
    }
    let Ok(origin) = origin.to_str() else { return false };
    let listed = form.origins.iter().any(|listed| listed.eq_ignore_ascii_case(origin));
    listed || is_own_origin(origin, headers)
}

/// Whether this is an origin: scheme, host and perhaps port, nothing behind.
pub(crate) fn is_origin(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    matches!(scheme, "http" | "https")
        && !rest.contains(['/', '?', '#', '@', '*'])
        && uri.authority().is_some_and(|authority| authority.as_str().len() == rest.len())
}

/// Browsers say themselves whether page and target agree; older ones are compared by the host that they named.
fn is_own_origin(origin: &str, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, of_origin)| of_origin.eq_ignore_ascii_case(host)))
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
mod tests;
