//! Fakes of what the host hands to an adapter: clock, context, settings.

use crate::inbox::RecordingInbox;
use crate::threads::FakeThreads;
use secrecy::SecretSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use switchboard_channel::{Clock, Context, Health, Inbox, Runtime, Settings, Threads};
use switchboard_model::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A clock that stands still until it is moved. It starts at 2026-11-21T12:00:00Z.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// The instant at which a new clock stands.
    pub const START: Timestamp = Timestamp(1_795_262_400_000);

    /// A clock at [`ManualClock::START`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::at(Self::START)
    }

    /// A clock at an instant.
    #[must_use]
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.0)))
    }

    /// Moves the clock by so many milliseconds; backwards when negative, as clocks do when they are corrected.
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A context with a clock of its own, which stands still at [`ManualClock::START`].
#[must_use]
pub fn context(slug: &str, inbox: Arc<dyn Inbox>) -> Context {
    context_at(slug, inbox, ManualClock::new())
}

/// A context on a clock that the test moves. The secret is the same for every channel and every run; the HTTP
/// client follows no redirects and has the time limits of the host. There are no conversations to be seen.
///
/// # Panics
/// When the HTTP client cannot be built.
#[must_use]
pub fn context_at(slug: &str, inbox: Arc<dyn Inbox>, clock: Arc<ManualClock>) -> Context {
    let threads = FakeThreads::over(RecordingInbox::new(), clock.clone());
    context_with(slug, inbox, threads, clock)
}

/// The same with conversations.
pub(crate) fn context_with(slug: &str, inbox: Arc<dyn Inbox>, threads: Arc<dyn Threads>, clock: Arc<ManualClock>) -> Context {
    install_crypto();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client without special settings can be built");
    let runtime = Runtime {
        clock,
        tasks: TaskTracker::new(),
        shutdown: CancellationToken::new(),
        http,
        health: Health::default(),
        secret: Arc::new(SecretSlice::from((0_u8..32).collect::<Vec<u8>>())),
    };
    Context { slug: slug.to_owned(), inbox, threads, runtime }
}

/// The section `[channels.SLUG]` as the host hands it over: `kind` is taken out.
///
/// # Panics
/// When the text is not TOML.
#[must_use]
pub fn settings(slug: &str, toml_text: &str) -> Settings {
    let mut table: toml::Table = toml_text.parse().expect("the settings of a test are valid TOML");
    table.remove("kind");
    Settings { slug: slug.to_owned(), table, folder: ".".into() }
}

/// Installs the one TLS provider, ring; call it first in every test that builds an HTTP client or a TLS
/// acceptor. Calling it again does nothing.
pub fn install_crypto() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
