//! Live events: read from the database in their order and handed to every open desk of this host.

use crate::engine::Engine;
use crate::error::Result;
use crate::router_task::pause;
use std::time::Duration;
use switchboard_model::{LiveEvent, LiveEventKind};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

const BATCH: u32 = 500;
const POLL_SHARED: Duration = Duration::from_millis(100);
const POLL_ALONE: Duration = Duration::from_secs(2);

impl Engine {
    /// Events after a position, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_after(&self, position: i64, limit: u32) -> Result<Vec<LiveEvent>> {
        Ok(self.inner.store.events_after(position, limit).await?)
    }

    /// The oldest position that can be replayed, and the newest; both 0 before the first event.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn event_range(&self) -> Result<(i64, i64)> {
        Ok((self.inner.store.first_event_id().await?, self.inner.store.last_event_id().await?))
    }

    /// Events from now on. A receiver that falls behind is told so and has to start anew.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<LiveEvent> {
        self.inner.live.subscribe()
    }

    /// Hands events on until the token is cancelled.
    pub async fn run_events(self, shutdown: CancellationToken) {
        let mut position = loop {
            match self.begin_events().await {
                Ok(position) => break position,
                Err(error) => tracing::error!(%error, "live events cannot be read; trying again"),
            }
            if shutdown.is_cancelled() {
                return;
            }
            pause(&shutdown, POLL_ALONE).await;
        };
        let poll = if self.inner.store.is_shared() { POLL_SHARED } else { POLL_ALONE };
        while !shutdown.is_cancelled() {
            match self.inner.store.events_after(position, BATCH).await {
                Ok(events) if events.is_empty() => {
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = self.inner.event_bell.notified() => {}
                        () = tokio::time::sleep(poll) => {}
                    }
                }
                Ok(events) => {
                    for event in events {
                        position = event.id;
                        self.hand_on(event).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "live events cannot be read; trying again");
                    pause(&shutdown, POLL_ALONE).await;
                }
            }
        }
    }

    /// Where events begin for this host. A directory version may have been stored since this host read the one in force
    /// and before this position, so it is read again once the position is known.
    async fn begin_events(&self) -> Result<i64> {
        let position = self.inner.store.last_event_id().await?;
        self.refresh_directory().await?;
        Ok(position)
    }

    async fn hand_on(&self, event: LiveEvent) {
        if event.kind == LiveEventKind::Directory
            && let Err(error) = self.refresh_directory().await
        {
            tracing::error!(%error, "the new directory version cannot be read");
        }
        // Nobody listening is no failure.
        let _ = self.inner.live.send(event);
    }
}
