//! What an adapter is given: its name, the inbox, and the runtime.

use crate::inbox::Inbox;
use crate::threads::Threads;
use secrecy::SecretSlice;
use std::sync::Arc;
use switchboard_model::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Everything an adapter may use of the host.
#[derive(Clone)]
pub struct Context {
    /// The channel's slug.
    pub slug: String,
    /// Where messages go in.
    pub inbox: Arc<dyn Inbox>,
    /// What its conversations hold, for channels whose other side is connected.
    pub threads: Arc<dyn Threads>,
    /// Time, tasks, HTTP, shutdown.
    pub runtime: Runtime,
}

/// The host's services. Adapters use no clock, no spawn and no HTTP client of their own.
#[derive(Clone)]
pub struct Runtime {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tasks that shutdown waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the host stops.
    pub shutdown: CancellationToken,
    /// The shared HTTP client: time limits set, redirects off.
    pub http: reqwest::Client,
    /// Where the channel says that it is well.
    pub health: Health,
    /// A secret of this installation and channel, 32 bytes, the same after a restart: for signing tokens.
    pub secret: Arc<SecretSlice<u8>>,
}

/// What a running channel says of itself besides its errors.
#[derive(Clone, Default)]
pub struct Health(watch::Sender<()>);

impl Health {
    /// Says that the channel does what it is for, so that an error shown from before is over. Without this the host believes
    /// it after a minute without another error.
    pub fn well(&self) {
        self.0.send_replace(());
    }

    /// Hears what is said from now on.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Microseconds since some fixed instant, never going back: for measuring how long something took.
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.now().0).unwrap_or(0).saturating_mul(1_000)
    }
}

impl Runtime {
    /// Runs a task that shutdown waits for.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task);
    }
}
