//! A channel as the host would have it, on fakes.

use crate::context::{ManualClock, context_with, settings};
use crate::inbox::RecordingInbox;
use crate::threads::FakeThreads;
use async_trait::async_trait;
use std::sync::Arc;
use switchboard_channel::{Channel, Context, Registration};

/// A built and started channel with the fakes that it runs on.
pub struct Harness {
    /// The channel.
    pub channel: Arc<dyn Channel>,
    /// What it was given.
    pub context: Context,
    /// Where its messages land.
    pub inbox: Arc<RecordingInbox>,
    /// The conversations that they make, and the desk's side of them.
    pub threads: Arc<FakeThreads>,
    /// The time that it sees.
    pub clock: Arc<ManualClock>,
    /// Its HTTP paths, mounted under `/channels/{slug}` as the host does; empty when it has none.
    pub router: axum::Router,
}

/// What the other side learned about a payload that it delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Acknowledged: the source will not send it again.
    Accepted,
    /// Refused; the source is told that trying again helps.
    TryAgain,
    /// Refused for good.
    Refused,
}

/// How a payload reaches the channel, written once by each adapter's contract test.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Delivers one payload the way the outside world does and reports the answer. A connection that is cut
    /// without an answer counts as [`Answer::TryAgain`].
    async fn deliver(&self, harness: &Harness, payload: &[u8]) -> Answer;
}

impl Harness {
    /// Builds the channel from its settings and starts it. Settings that listen should name port 0.
    ///
    /// # Panics
    /// With every fault, when the settings are refused; with the error, when the channel does not start.
    pub async fn start(registration: &Registration, slug: &str, toml_text: &str) -> Self {
        let channel = (registration.build)(&settings(slug, toml_text)).unwrap_or_else(|faults| {
            let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("the settings were refused:\n{}", shown.join("\n"));
        });
        let (inbox, clock) = (RecordingInbox::new(), ManualClock::new());
        let threads = FakeThreads::over(inbox.clone(), clock.clone());
        let context = context_with(slug, inbox.clone(), threads.clone(), clock.clone());
        channel.start(&context).await.unwrap_or_else(|error| panic!("the channel did not start: {error}"));
        let router = match channel.routes(&context) {
            // As a service, so that the path with and without a trailing slash both are the channel's `/`.
            Some(routes) => axum::Router::new().nest_service(&format!("/channels/{slug}"), routes),
            None => axum::Router::new(),
        };
        Self { channel, context, inbox, threads, clock, router }
    }

    /// Runs the channel's receiving loop as a task of the context. [`Harness::stop`] ends it.
    pub fn run(&self) {
        let (channel, context) = (self.channel.clone(), self.context.clone());
        self.context.runtime.spawn(async move {
            // The error is the adapter's own; a contract check sees its effect as a missing answer.
            let _ = channel.run(context).await;
        });
    }

    /// Tells the channel to stop and waits for all its tasks.
    pub async fn stop(&self) {
        self.context.runtime.shutdown.cancel();
        self.context.runtime.tasks.close();
        self.context.runtime.tasks.wait().await;
    }
}
