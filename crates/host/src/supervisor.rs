//! Running the channels: each is started once, then runs until shutdown and is run again after a failure.

use crate::config::ConnectedChannel;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretSlice;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use switchboard_channel::{Channel, ChannelError, Clock, Context, Health, Runtime};
use switchboard_engine::Engine;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A channel that has run this long after a failure is well again, unless it says so before.
const WELL_AFTER: Duration = Duration::from_secs(60);

/// What every channel's runtime is made of.
pub struct Services {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tasks that shutdown waits for.
    pub tasks: TaskTracker,
    /// Cancelled when the host stops.
    pub shutdown: CancellationToken,
    /// The shared HTTP client.
    pub http: reqwest::Client,
    /// The installation's secret, from which each channel's is derived.
    pub secret: [u8; 32],
}

/// Starts every channel, and answers with their HTTP paths.
///
/// # Errors
/// One line for the first channel that cannot be started.
pub async fn start(
    engine: &Engine,
    channels: &BTreeMap<String, ConnectedChannel>,
    services: &Services,
) -> Result<Vec<(String, axum::Router)>, String> {
    let mut routes = Vec::new();
    for (slug, connected) in channels {
        let context = context(engine, slug, services);
        connected.channel.start(&context).await.map_err(|error| format!("channels.{slug}: {error}"))?;
        engine.note_channel(slug, |state| state.running = true);
        routes.extend(connected.channel.routes(&context).map(|router| (slug.clone(), router)));
        services.tasks.spawn(keep_running(engine.clone(), Arc::clone(&connected.channel), context));
    }
    Ok(routes)
}

async fn keep_running(engine: Engine, channel: Arc<dyn Channel>, context: Context) {
    let mut pause = FIRST_PAUSE;
    let shutdown = context.runtime.shutdown.clone();
    while !shutdown.is_cancelled() {
        let slug = context.slug.clone();
        match run(&engine, &channel, &context, &mut pause).await {
            Ok(()) if shutdown.is_cancelled() => break,
            Ok(()) => tracing::warn!(channel = %slug, "the channel stopped by itself; it is run again"),
            Err(error) => {
                tracing::error!(channel = %slug, kind = %error.kind, %error, "the channel failed; it is run again");
                engine.note_channel(&slug, |state| (state.running, state.error) = (false, Some(error.to_string())));
            }
        }
        let _ = tokio::time::timeout(pause, shutdown.cancelled()).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        engine.note_channel(&slug, |state| state.running = true);
    }
    engine.note_channel(&context.slug, |state| state.running = false);
}

/// Runs a channel until it ends. One that says it is well, or runs on for a while after a failure, is well again.
async fn run(engine: &Engine, channel: &Arc<dyn Channel>, context: &Context, pause: &mut Duration) -> Result<(), ChannelError> {
    let mut health = context.runtime.health.listen();
    let mut running = channel.run(context.clone());
    tokio::select! {
        ended = &mut running => return ended,
        // Elapsed or heard, it is well.
        _ = tokio::time::timeout(WELL_AFTER, health.changed()) => {}
    }
    *pause = FIRST_PAUSE;
    engine.note_channel(&context.slug, |state| state.error = None);
    running.await
}

fn context(engine: &Engine, slug: &str, services: &Services) -> Context {
    let mut mac = Hmac::<Sha256>::new_from_slice(&services.secret).expect("HMAC takes keys of any length");
    mac.update(b"channel:");
    mac.update(slug.as_bytes());
    let secret: SecretSlice<u8> = mac.finalize().into_bytes().to_vec().into();
    let runtime = Runtime {
        clock: Arc::clone(&services.clock),
        tasks: services.tasks.clone(),
        shutdown: services.shutdown.clone(),
        http: services.http.clone(),
        health: Health::default(),
        secret: Arc::new(secret),
    };
    Context { slug: slug.to_owned(), inbox: Arc::new(engine.clone()), threads: engine.threads(slug), runtime }
}
