//! Rate limits, per client address, per signed-in caller, and per address and email at sign-in.
//!
//! Limits are per process. A client's address is the one that connected; `X-Forwarded-For` is believed only as
//! far as the chain of trusted proxies reaches, because everything left of it was written by the client.

use crate::options::RateLimits;
use crate::problem::{Problem, ProblemCode};
use axum::extract::ConnectInfo;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use http::{Extensions, HeaderMap, HeaderName};
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use switchboard_model::{Actor, UserId, fold};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Every so many checks, keys that are back to their full allowance are forgotten, so the store cannot grow.
const CHECKS_BETWEEN_SWEEPS: u32 = 1024;

/// The limiters of the API.
pub(crate) struct Limits<C: Clock = DefaultClock> {
    address: Option<Keyed<IpAddr, C>>,
    caller: Option<Keyed<CallerKey, C>>,
    sign_in_address: Option<Keyed<IpAddr, C>>,
    sign_in_email: Option<Keyed<String, C>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum CallerKey {
    User(i64),
    Token(i64),
    Other,
}

impl Limits {
    /// Limiters on the process's own monotonic clock.
    pub(crate) fn new(rates: &RateLimits) -> Self {
        Self::with_clock(rates, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(rates: &RateLimits, clock: &C) -> Self {
        let second = Duration::from_secs(1);
        let minute = Duration::from_secs(60);
        Self {
            address: Keyed::new(rates.address_per_second, second, rates.burst_seconds, clock),
            caller: Keyed::new(rates.caller_per_second, second, rates.burst_seconds, clock),
            sign_in_address: Keyed::new(rates.sign_in_per_minute_and_address, minute, 1, clock),
            sign_in_email: Keyed::new(rates.sign_in_per_minute_and_email, minute, 1, clock),
        }
    }

    /// Counts a request from an address, before anything is known about who asks.
    pub(crate) fn address(&self, address: IpAddr) -> Result<(), Problem> {
        check(self.address.as_ref(), &network(address), "requests from this address")
    }

    /// Counts a request of somebody known.
    pub(crate) fn caller(&self, actor: &Actor) -> Result<(), Problem> {
        let key = match actor {
            Actor::User { id } => CallerKey::User(id.0),
            Actor::Api { token } => CallerKey::Token(token.0),
            _ => CallerKey::Other,
        };
        check(self.caller.as_ref(), &key, "requests")
    }

    /// Counts an attempt to sign in: per address against many emails, per email against many addresses.
    pub(crate) fn sign_in(&self, address: IpAddr, email: &str) -> Result<(), Problem> {
        check(self.sign_in_address.as_ref(), &network(address), "attempts to sign in")?;
        let key: String = fold(email).chars().take(100).collect();
        check(self.sign_in_email.as_ref(), &key, "attempts to sign in")
    }

    /// Counts an attempt to name one's own password, which whoever found an open desk could otherwise guess.
    pub(crate) fn password(&self, user: UserId) -> Result<(), Problem> {
        // No email has a space in front, so the two kinds of keys cannot meet.
        check(self.sign_in_email.as_ref(), &format!(" {user}"), "attempts to change the password")
    }
}

/// The address that a request came from.
pub(crate) fn client_address(extensions: &Extensions, headers: &HeaderMap, trusted_proxies: &[IpAddr]) -> IpAddr {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
    if !trusted_proxies.contains(&peer) {
        return peer;
    }
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let mut nearest = peer;
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(address) = entry.trim().parse::<IpAddr>() else { return nearest };
        nearest = address.to_canonical();
        if !trusted_proxies.contains(&nearest) {
            return nearest;
        }
    }
    nearest
}

/// What is counted as one client: an IPv4 address, or the /64 that one IPv6 customer has.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

fn check<K: Hash + Eq + Clone, C: Clock + Clone>(limiter: Option<&Keyed<K, C>>, key: &K, what: &str) -> Result<(), Problem> {
    limiter.map_or(Ok(()), |limiter| limiter.check(key)).map_err(|wait| {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("Too many {what}; come again in {} s.", seconds.max(1));
        Problem::new(ProblemCode::RateLimited, detail).retry_after_s(seconds)
    })
}

struct Keyed<K: Hash + Eq + Clone, C: Clock> {
    limiter: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Keyed<K, C> {
    /// `per_period` requests in each `period`, saved up over `burst_periods`; `None` when the limit is off (0).
    fn new(per_period: u32, period: Duration, burst_periods: u32, clock: &C) -> Option<Self> {
        let each = period.checked_div(NonZeroU32::new(per_period)?.get())?;
        let burst = NonZeroU32::new(per_period.saturating_mul(burst_periods.max(1)))?;
        let quota = Quota::with_period(each)?.allow_burst(burst);
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Some(Self { limiter, clock: clock.clone(), checks: AtomicU32::new(0) })
    }

    fn check(&self, key: &K) -> Result<(), Duration> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|until: NotUntil<C::Instant>| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::{CHECKS_BETWEEN_SWEEPS, Keyed, Limits, client_address};
    use crate::options::RateLimits;
    use axum::extract::ConnectInfo;
    use governor::clock::FakeRelativeClock;
    use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;
    use switchboard_model::UserId;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn from(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> IpAddr {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(ip(peer), 4000)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(line));
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| ip(text)).collect();
        client_address(&extensions, &headers, &trusted)
    }

    #[test]
    fn a_forged_forwarded_for_changes_nothing() {
        assert_eq!(from("203.0.113.9", &["1.1.1.1"], &[]), ip("203.0.113.9"));
        assert_eq!(from("203.0.113.9", &["1.1.1.1"], &["10.0.0.1"]), ip("203.0.113.9"));
    }

    #[test]
    fn trusted_proxies_are_believed_as_far_as_their_chain_reaches() {
        assert_eq!(from("10.0.0.1", &["1.1.1.1, 203.0.113.9"], &["10.0.0.1"]), ip("203.0.113.9"));
        assert_eq!(from("10.0.0.1", &["1.1.1.1", "203.0.113.9, 10.0.0.2"], &["10.0.0.1", "10.0.0.2"]), ip("203.0.113.9"));
        assert_eq!(from("10.0.0.1", &["nonsense"], &["10.0.0.1"]), ip("10.0.0.1"));
        assert_eq!(from("::ffff:10.0.0.1", &["203.0.113.9"], &["10.0.0.1"]), ip("203.0.113.9"));
    }

    fn rates() -> RateLimits {
        RateLimits { sign_in_per_minute_and_address: 5, sign_in_per_minute_and_email: 3, ..RateLimits::default() }
    }

    #[test]
    fn guessing_one_email_from_many_addresses_is_slowed_down_and_recovers() {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(&rates(), &clock);
        for host in 1..=3 {
            limits.sign_in(ip(&format!("203.0.113.{host}")), "Liv@example.test").expect("within the limit");
        }
        let problem = limits.sign_in(ip("203.0.113.4"), " liv@EXAMPLE.test").expect_err("the fourth attempt");
        assert_eq!(problem.status(), 429);
        clock.advance(Duration::from_secs(20));
        limits.sign_in(ip("203.0.113.5"), "liv@example.test").expect("one more after a third of a minute");
    }

    #[test]
    fn guessing_the_password_of_an_open_desk_is_slowed_down() {
        let limits = Limits::with_clock(&rates(), &FakeRelativeClock::default());
        for _ in 1..=3 {
            limits.password(UserId(7)).expect("within the limit");
        }
        assert!(limits.password(UserId(7)).is_err());
        assert!(limits.password(UserId(8)).is_ok());
    }

    #[test]
    fn guessing_many_emails_from_one_network_is_slowed_down() {
        let limits = Limits::with_clock(&rates(), &FakeRelativeClock::default());
        for user in 1..=5 {
            limits.sign_in(ip(&format!("2001:db8:0:1::{user}")), &format!("{user}@example.test")).expect("within the limit");
        }
        assert!(limits.sign_in(ip("2001:db8:0:1::9"), "6@example.test").is_err());
        assert!(limits.sign_in(ip("2001:db8:0:2::9"), "6@example.test").is_ok());
    }

    #[test]
    fn a_limit_of_zero_is_off() {
        let off = RateLimits {
            address_per_second: 0,
            caller_per_second: 0,
            burst_seconds: 0,
            streams_per_caller: 0,
            sign_in_per_minute_and_address: 0,
            sign_in_per_minute_and_email: 0,
        };
        let limits = Limits::with_clock(&off, &FakeRelativeClock::default());
        for _ in 0..10_000 {
            limits.address(ip("203.0.113.1")).expect("no limit");
        }
    }

    #[test]
    fn addresses_that_stay_away_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let keyed = Keyed::new(1, Duration::from_secs(1), 1, &clock).expect("a limit");
        for key in 1..CHECKS_BETWEEN_SWEEPS {
            keyed.check(&key).expect("each is new");
        }
        assert_eq!(keyed.limiter.len(), CHECKS_BETWEEN_SWEEPS as usize - 1);
        clock.advance(Duration::from_secs(60));
        keyed.check(&0).expect("new");
        assert_eq!(keyed.limiter.len(), 1);
    }
}
