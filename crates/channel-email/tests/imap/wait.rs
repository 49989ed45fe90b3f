//! Waiting for what other tasks do.

use std::time::Duration;
use tokio::net::TcpListener;

/// Waits until something holds.
///
/// # Panics
/// When it does not within fifty seconds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    until_within(Duration::from_secs(50), what, holds).await;
}

/// The same for what takes its time.
///
/// # Panics
/// When it does not hold within the limit.
pub async fn until_within(limit: Duration, what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(limit, async {
        let mut looks = tokio::time::interval(Duration::from_millis(2));
        while !holds() {
            looks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain: {what}");
}

/// A connection to somewhere that only listens.
pub async fn silent_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}
