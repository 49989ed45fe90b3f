//! Free ports for programs that tests start.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

/// The lowest port that is given; below it live the well-known services.
const LOWEST: u16 = 10_000;

/// A port for a program that cannot be asked which one the system gave it. Nothing listens there on either loopback
/// address, and nobody gets it by chance before the program does: it lies below the range from which the system
/// serves connections and those who ask for any port.
///
/// # Panics
/// When a thousand tries find none.
#[must_use]
pub fn free_port() -> u16 {
    let below = lowest_of_the_system().max(LOWEST + 1);
    let candidates = (0..1000_u16).map(|no| {
        let drawn = RandomState::new().hash_one(no) % u64::from(below - LOWEST);
        LOWEST + u16::try_from(drawn).expect("it is less than a port")
    });
    let mut free =
        candidates.filter(|port| is_free(Ipv4Addr::LOCALHOST.into(), *port) && is_free(Ipv6Addr::LOCALHOST.into(), *port));
    free.next().expect("there is a free port")
}

/// Where the system's own range begins; 32,768 is what Linux begins with.
fn lowest_of_the_system() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|lowest| lowest.parse().ok()).unwrap_or(32_768)
}

/// A machine without IPv6 has every port of it free.
fn is_free(address: IpAddr, port: u16) -> bool {
    match TcpListener::bind((address, port)) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::AddrNotAvailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_is_outside_of_the_system_s_range_and_can_be_bound() {
        let port = free_port();
        assert!((LOWEST..lowest_of_the_system()).contains(&port), "{port}");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free");
        assert!(!is_free(Ipv4Addr::LOCALHOST.into(), port));
        drop(taken);
    }

    #[test]
    fn many_in_a_row_are_rarely_the_same() {
        let mut ports: Vec<u16> = (0..50).map(|_| free_port()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert!(ports.len() > 40, "{ports:?}");
    }
}
