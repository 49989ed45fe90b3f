//! `switchboard serve`: opens the database, wires engine, channels and HTTP, and stops in the same order backwards.

use crate::clock::SystemClock;
use crate::config::Config;
use crate::supervisor::Services;
use crate::{check, control, demo, http, listener, logging, supervisor};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::Clock;
use switchboard_engine::{Engine, EngineOptions, Outlet};
use switchboard_storage::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const HOUR_MS: i64 = 3_600_000;
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests and deliveries under way get this long to end.
const SHUTDOWN: Duration = Duration::from_secs(15);
const UPKEEP: Duration = Duration::from_secs(5);
/// The lock beside a SQLite file lets one host in at a time, so a host that starts need not wait for the leases of one
/// that was killed: it is the same holder.
const ONLY_HOST: &str = "only host";

/// Runs the host until it is told to stop.
///
/// # Errors
/// One line, or one per fault of the configuration.
pub async fn serve(path: &Path) -> Result<(), String> {
    let config = Config::load(path).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    logging::start(&config.log)?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| format!("server.listen: {listen} cannot be used: {error}"))?;
    let metrics = PrometheusBuilder::new().install_recorder().map_err(|error| format!("metrics: {error}"))?;
    let store = control::open_store(&config).await?;
    let host = Host::start(&config, store, &metrics).await?;
    let outcome = host.run(&config, listener, metrics).await;
    host.stop().await;
    outcome
}

/// The running parts.
struct Host {
    engine: Engine,
    store: Store,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    writing: tokio::task::JoinHandle<()>,
}

impl Host {
    async fn start(config: &Config, store: Store, metrics: &PrometheusHandle) -> Result<Self, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let outlets = config.channels.iter().map(|(slug, connected)| {
            let outlet =
                Outlet { channel: Arc::clone(&connected.channel), kind: connected.kind, reply_via: connected.reply_via.clone() };
            (slug.clone(), outlet)
        });
        let options = EngineOptions {
            store: store.clone(),
            clock: Arc::clone(&clock),
            outlets: outlets.collect(),
            words: Arc::new(switchboard_web::translate),
            holder: if store.is_shared() { holder() } else { ONLY_HOST.to_owned() },
            session_idle_ms: i64::from(config.session.idle_hours) * HOUR_MS,
            session_ms: i64::from(config.session.max_days) * 24 * HOUR_MS,
        };
        let (engine, writing) = Engine::new(options).await.map_err(|error| error.to_string())?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let writing = tokio::spawn(writing);
        tasks.spawn(engine.clone().run_router(shutdown.clone()));
        tasks.spawn(engine.clone().run_events(shutdown.clone()));
        tasks.spawn(engine.clone().run_timers(shutdown.clone()));
        tasks.spawn(engine.clone().run_presence(shutdown.clone()));
        tasks.spawn(engine.clone().run_threads(shutdown.clone()));
        tasks.spawn(engine.clone().run_signals(shutdown.clone()));
        tasks.spawn(engine.clone().run_hand_back(shutdown.clone()));
        tasks.spawn(engine.clone().run_delivery(shutdown.clone()));
        tasks.spawn(keep_up(metrics.clone(), shutdown.clone()));
        Ok(Self { engine, store, clock, shutdown, tasks, writing })
    }

    /// Serves until a signal comes or a part cannot go on.
    async fn run(&self, config: &Config, listener: TcpListener, metrics: PrometheusHandle) -> Result<(), String> {
        let password_file = demo::prepare(config, &self.engine).await?;
        let kinds = config.channels.iter().map(|(slug, channel)| (slug.clone(), channel.kind.to_string())).collect();
        for fault in check::slug_faults(&self.engine.directory(), &kinds) {
            tracing::warn!(%fault, "configuration and directory disagree");
        }
        let http_client = reqwest::Client::builder().timeout(HTTP_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        let services = Services {
            clock: Arc::clone(&self.clock),
            tasks: self.tasks.clone(),
            shutdown: self.shutdown.clone(),
            http: http_client.map_err(|error| format!("the HTTP client cannot be made: {error}"))?,
            secret: *self.store.secret(),
        };
        let routes = supervisor::start(&self.engine, &config.channels, &services).await?;
        if let Some(path) = control::socket_path(config) {
            control::listen(self.engine.clone(), path, self.shutdown.clone()).await?;
        }
        let address = listener.local_addr().map_err(|error| format!("server.listen: {error}"))?;
        let router = http::router(config, self.engine.clone(), routes, metrics, &self.shutdown, &self.tasks);
        let serving = listener::serve(listener, router, config.server.limits, self.shutdown.clone());
        tracing::info!(protocol = "http", %address, "listening");
        let url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
        print!("{}", demo::welcome(config, &self.engine, &url, password_file.as_deref()));
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            stop_signal().await;
            shutdown.cancel();
        });
        tokio::select! {
            () = serving => {}
            () = hung(self.shutdown.clone()) => {}
        }
        Ok(())
    }

    /// Stops what runs, gives the lease back, and closes the database after the last commit.
    async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(SHUTDOWN, self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time; what they did not commit is done again at the next start");
        }
        // Idle connections may still hold the engine; what they wrote is committed by now.
        let _ = tokio::time::timeout(SHUTDOWN, self.engine.settle()).await;
        self.writing.abort();
        self.store.close().await;
        tracing::info!("stopped");
    }
}

/// A request that does not end must not keep the host from stopping.
async fn hung(shutdown: CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(SHUTDOWN).await;
}

async fn stop_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
}

async fn keep_up(metrics: PrometheusHandle, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        metrics.run_upkeep();
        let _ = tokio::time::timeout(UPKEEP, shutdown.cancelled()).await;
    }
}

/// A name of this process among the hosts of a database.
fn holder() -> String {
    let mut bytes = [0_u8; 8];
    let random = getrandom::fill(&mut bytes).map(|()| u64::from_le_bytes(bytes)).unwrap_or_default();
    format!("{}-{random:016x}", std::process::id())
}
