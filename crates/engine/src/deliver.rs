//! Delivery: replies leave the outbox in the order of their conversation, each claimed by one host at a time.

use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::router_task::pause;
use crate::under_way::UnderWay;
use std::time::Duration;
use switchboard_channel::{ChannelError, ErrorKind, Retry};
use switchboard_model::{Delivered, RefusedRecipient, Timestamp};
use switchboard_storage::OutboxEntry;
use tokio_util::sync::CancellationToken;

/// How many messages this host sends at once.
const AT_ONCE: usize = 16;
/// A host that lives renews its claims; those of one that died, or lost the database, come up again after this long.
const LEASE_MS: i64 = 30_000;
const RENEW_EVERY_MS: i64 = 8_000;
/// A channel has its own time limits, of ten minutes at most; this one is for a channel that forgets them.
const SEND_TIMEOUT: Duration = Duration::from_secs(660);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Pauses between attempts in seconds; after the last one the message is given up.
const PAUSES_S: [i64; 12] = [10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 43_200];

impl Engine {
    /// Sends until the token is cancelled; what is under way then is finished first.
    pub async fn run_delivery(self, shutdown: CancellationToken) {
        self.release_claims(&shutdown).await;
        let (mut sending, mut renewed_at) = (UnderWay::default(), self.now());
        while !shutdown.is_cancelled() {
            self.renew(&sending, &mut renewed_at).await;
            let room = AT_ONCE.saturating_sub(sending.count());
            match self.claim(room).await {
                Ok(claimed) => {
                    for entry in claimed {
                        sending.begin(entry.id, self.clone().deliver(entry));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read; trying again");
                    pause(&shutdown, LONGEST_WAIT).await;
                }
            }
            // With everything busy there is no need to look before one is done.
            let wait = if room > 0 { self.until_next_entry().await } else { LONGEST_WAIT };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sending.one_done() => {}
                () = self.inner.outbox_bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        // The host ends within less time than a claim holds.
        sending.all_done().await;
    }

    /// A host that starts under the name of one that died takes over what that one was sending, at once.
    async fn release_claims(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let (holder, now) = (self.inner.holder.clone(), self.now());
            let released = self.inner.store.write(move |tx| Box::pin(async move { tx.release_claims(&holder, now).await }));
            match released.await {
                Ok(0) => return,
                Ok(claims) => return tracing::info!(claims, "messages that an earlier run was sending are sent again"),
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be written; trying again");
                    pause(shutdown, LONGEST_WAIT).await;
                }
            }
        }
    }

    async fn renew(&self, sending: &UnderWay, renewed_at: &mut Timestamp) {
        let now = self.now();
        if sending.count() == 0 || now.ms_since(*renewed_at) < RENEW_EVERY_MS {
            return;
        }
        let (holder, entries) = (self.inner.holder.clone(), sending.ids());
        let renewed =
            self.inner.store.write(move |tx| Box::pin(async move { tx.renew_claims(&holder, &entries, now, LEASE_MS).await }));
        match renewed.await {
            Ok(()) => *renewed_at = now,
            Err(error) => tracing::warn!(%error, "claims on messages could not be renewed; trying again"),
        }
    }

    async fn claim(&self, room: usize) -> Result<Vec<OutboxEntry>> {
        let (holder, now) = (self.inner.holder.clone(), self.now());
        let room = u32::try_from(room).unwrap_or(u32::MAX);
        if room == 0 || self.inner.store.next_outbox_at().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let claimed = self.inner.store.write(move |tx| Box::pin(async move { tx.claim_due(&holder, now, room, LEASE_MS).await }));
        claimed.await.map_err(EngineError::from)
    }

    async fn until_next_entry(&self) -> Duration {
        let next = self.inner.store.next_outbox_at().await.ok().flatten();
        let wait = next.map_or(i64::MAX, |at| at.ms_since(self.now()));
        LONGEST_WAIT.min(Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(Duration::from_millis(10)))
    }

    async fn deliver(self, entry: OutboxEntry) {
        let directory = self.directory();
        let slug = directory.channel(entry.channel).map(|channel| channel.slug.clone()).unwrap_or_default();
        let sent = self.attempt(&entry, &slug).await;
        let outcome = match &sent {
            Ok(_) => "sent",
            Err(error) if error.retry == Retry::Never => "failed",
            Err(_) => "retried",
        };
        metrics::counter!("switchboard_deliveries_total", "channel" => slug.clone(), "outcome" => outcome).increment(1);
        if let Err(error) = self.note_delivery(entry, &slug, sent).await {
            // The lease runs out and the message is sent again under its key.
            tracing::error!(channel = %slug, %error, "the outcome of a delivery could not be stored");
        }
    }

    async fn attempt(&self, entry: &OutboxEntry, slug: &str) -> Result<Delivered, ChannelError> {
        let attempt = || format!("sending message {} on channel `{slug}`", entry.message);
        let (via, outlet) = self.sending_outlet(slug).ok_or_else(|| {
            ChannelError::new(
                ErrorKind::Configuration,
                Retry::Later,
                attempt(),
                "the channel is not in this host's configuration",
            )
        })?;
        let message = self.inner.store.outbound_message(entry, via).await.map_err(|error| {
            let retry = if error.is_retryable() { Retry::Later } else { Retry::Never };
            ChannelError::new(ErrorKind::Unreachable, retry, attempt(), error.message)
        })?;
        match tokio::time::timeout(SEND_TIMEOUT, outlet.channel.send(&message)).await {
            Ok(answer) => answer,
            Err(_) => Err(ChannelError::new(ErrorKind::Timeout, Retry::Later, attempt(), "no answer within eleven minutes")),
        }
    }

    async fn note_delivery(&self, entry: OutboxEntry, slug: &str, sent: Result<Delivered, ChannelError>) -> Result<()> {
        let now = self.now();
        let outcome = match sent {
            Ok(delivered) => {
                self.note_channel(slug, |state| state.last_event_at = Some(now));
                self.note_sending(slug, None);
                let again = delivered.refused.iter().any(|one| one.again);
                let pause = again.then(|| usual_pause(entry.attempts)).flatten();
                Outcome::Sent { delivered, again_at: pause.map(|pause_ms| now.plus_ms(pause_ms)) }
            }
            Err(error) => {
                tracing::warn!(channel = slug, reply = %entry.message, kind = %error.kind, attempts = entry.attempts, "a message could not be sent");
                let shown = error.to_string();
                if concerns_channel(error.kind) {
                    self.note_sending(slug, Some(shown.clone()));
                }
                match next_attempt(&error, entry.attempts).map(|pause_ms| now.plus_ms(pause_ms)) {
                    Some(at) => Outcome::Again { shown, at },
                    None if entry.remaining.is_empty() => Outcome::GivenUp { shown },
                    // Others have it: what is given up are the last of its recipients.
                    None => Outcome::Sent { delivered: without(&entry, &shown), again_at: None },
                }
            }
        };
        self.commit(move |tx| {
            Box::pin(async move {
                match outcome {
                    Outcome::Sent { delivered: Delivered { reference, refused }, again_at } => {
                        tx.mark_sent_to_some(&entry, reference.as_deref(), &refused, again_at, now).await?
                    }
                    Outcome::Again { shown, at } => tx.mark_retry(&entry, at, &shown, now).await?,
                    Outcome::GivenUp { shown } => tx.mark_failed(&entry, &shown, now).await?,
                };
                Ok(())
            })
        })
        .await
    }
}

/// What an attempt came to.
enum Outcome {
    Sent { delivered: Delivered, again_at: Option<Timestamp> },
    Again { shown: String, at: Timestamp },
    GivenUp { shown: String },
}

/// Whether a failure keeps other messages of the channel from going out as well.
fn concerns_channel(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Authentication | ErrorKind::Configuration | ErrorKind::Unreachable | ErrorKind::Timeout)
}

/// The recipients whom nothing more is tried for.
fn without(entry: &OutboxEntry, reason: &str) -> Delivered {
    let refused = |address: &String| RefusedRecipient { address: address.clone(), reason: reason.to_owned(), again: false };
    Delivered { reference: None, refused: entry.remaining.iter().map(refused).collect() }
}

/// Milliseconds until the next attempt after this many; `None` gives up.
fn next_attempt(error: &ChannelError, attempts: u32) -> Option<i64> {
    let usual = usual_pause(attempts);
    match error.retry {
        Retry::Never => None,
        Retry::Later => usual,
        Retry::AfterMs(asked) => usual.map(|usual| usual.max(i64::try_from(asked).unwrap_or(usual))),
    }
}

fn usual_pause(attempts: u32) -> Option<i64> {
    PAUSES_S.get(usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX)).map(|seconds| seconds * 1_000)
}

#[cfg(test)]
mod tests {
    use super::next_attempt;
    use switchboard_channel::{ChannelError, ErrorKind, Retry};

    fn failed(retry: Retry) -> ChannelError {
        ChannelError::new(ErrorKind::Unreachable, retry, "sending", "no route")
    }

    #[test]
    fn attempts_are_spaced_wider_and_end() {
        assert_eq!(next_attempt(&failed(Retry::Later), 1), Some(10_000));
        assert_eq!(next_attempt(&failed(Retry::Later), 2), Some(30_000));
        assert_eq!(next_attempt(&failed(Retry::Later), 13), None);
        assert_eq!(next_attempt(&failed(Retry::AfterMs(60_000)), 1), Some(60_000));
        assert_eq!(next_attempt(&failed(Retry::Never), 1), None);
    }
}
