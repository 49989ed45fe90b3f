//! Timers: what is due at a time, as rows that survive a restart.

use crate::arrival::tell_change;
use crate::chat;
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::items::{Reroute, change_and_tell};
use crate::random;
use crate::router_task::pause;
use crate::sla::renew_due;
use crate::under_way::UnderWay;
use std::time::Duration;
use switchboard_channel::Retry;
use switchboard_model::{
    Actor, Address, Delivered, Identity, ItemId, ItemStatus, MessageKind, OutboundMessage, Owner, RouteEvent, Timestamp, User,
    UserId,
};
use switchboard_storage::{ItemUpdate, NewTimer, StoredTimer, Timers, Tx};
use tokio_util::sync::CancellationToken;

/// An item that was put aside until a time.
pub(crate) const SNOOZE: &str = "snooze";
/// A contact owner who is to be mailed a message that went elsewhere (ROUTING 7.3).
pub(crate) const MAIL_OWNER: &str = "mail_owner";

/// Timers whose work is a mail.
const MAILS: [&str; 3] = [MAIL_OWNER, chat::UNREAD, chat::TRANSCRIPT];

const BATCH: u32 = 100;
const MAILS_AT_ONCE: usize = 8;
/// Pause after a timer that failed.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A mail to an owner that failed is tried again after this long, and given up after a day.
pub(crate) const MAIL_RETRY_MS: i64 = 5 * 60_000;
pub(crate) const MAIL_ATTEMPTS: u64 = 288;
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
const DAY_MS: i64 = 24 * 3_600_000;
/// Live events are kept this long for desks that come back.
const EVENTS_KEPT_MS: i64 = DAY_MS;
const IDEMPOTENCY_KEPT_MS: i64 = DAY_MS;
/// Longer than anybody may be gone before being set away (ROUTING 4.4).
const PRESENCE_KEPT_MS: i64 = 3 * DAY_MS;
const PRUNE_EVERY_MS: i64 = 3_600_000;

/// What sending a mail came to.
pub(crate) enum Sending {
    Sent(Delivered),
    /// It may go another time.
    Failed,
    /// It never will.
    Refused,
}

impl Engine {
    /// Runs timers until the token is cancelled.
    pub async fn run_timers(self, shutdown: CancellationToken) {
        let mut pruned_at = Timestamp(0);
        let mut mailing = UnderWay::default();
        while !shutdown.is_cancelled() {
            let now = self.now();
            if now.ms_since(pruned_at) > PRUNE_EVERY_MS {
                pruned_at = now;
                self.prune(now).await;
            }
            let mut goes_on = false;
            match self.due(now, &mailing.ids()).await {
                Ok((mails, others)) => {
                    // A slow mail server must not hold up what else is due.
                    for timer in mails {
                        mailing.begin(timer.id, self.clone().mail_or_report(timer, shutdown.clone()));
                    }
                    goes_on = !others.is_empty();
                    for timer in others {
                        if !self.run_or_report(timer).await {
                            pause(&shutdown, FAILURE_PAUSE).await;
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "timers cannot be read; trying again"),
            }
            let wait = if goes_on { Duration::ZERO } else { self.until_next_timer(&mailing.ids()).await };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = mailing.one_done() => {}
                () = self.inner.timer_bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// What is due: mails, as many as there is room for beside those that are being sent, and the rest.
    async fn due(&self, now: Timestamp, under_way: &[i64]) -> Result<(Vec<StoredTimer>, Vec<StoredTimer>)> {
        let store = &self.inner.store;
        let others = store.due_timers(now, &Timers { without: &MAILS, ..Timers::default() }, BATCH).await?;
        let room = MAILS_AT_ONCE.saturating_sub(under_way.len());
        if room == 0 {
            return Ok((Vec::new(), others));
        }
        let mails = Timers { only: &MAILS, skipped: under_way, ..Timers::default() };
        Ok((store.due_timers(now, &mails, u32::try_from(room).unwrap_or(BATCH)).await?, others))
    }

    /// As [`Engine::run_or_report`]; one that failed keeps its room for a moment.
    async fn mail_or_report(self, timer: StoredTimer, shutdown: CancellationToken) {
        if !self.run_or_report(timer).await {
            pause(&shutdown, FAILURE_PAUSE).await;
        }
    }

    /// False when it failed; then it stays due.
    async fn run_or_report(&self, timer: StoredTimer) -> bool {
        let (id, kind) = (timer.id, timer.kind.clone());
        let outcome = self.run_timer(timer).await;
        if let Err(error) = &outcome {
            tracing::error!(timer = id, %kind, %error, "a timer failed; it is tried again");
        }
        outcome.is_ok()
    }

    /// Mails are not waited for while there is no room for another.
    async fn until_next_timer(&self, under_way: &[i64]) -> Duration {
        let without: &[&str] = if under_way.len() < MAILS_AT_ONCE { &[] } else { &MAILS };
        let which = Timers { without, skipped: under_way, ..Timers::default() };
        let next = self.inner.store.next_timer_at(&which).await.ok().flatten();
        let wait = next.map_or(i64::MAX, |at| at.ms_since(self.now()));
        LONGEST_WAIT.min(Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(Duration::from_millis(10)))
    }

    async fn run_timer(&self, timer: StoredTimer) -> Result<()> {
        match (timer.kind.as_str(), timer.item) {
            (SNOOZE, Some(item)) => self.wake_item(timer.id, item).await,
            (MAIL_OWNER, Some(item)) => self.mail_owner(timer, item).await,
            (chat::SILENCE, Some(item)) => self.close_silent(timer, item).await,
            (chat::UNREAD, Some(item)) => self.mail_unread(timer, item).await,
            (chat::TRANSCRIPT, Some(item)) => self.mail_transcript(timer, item).await,
            _ => {
                tracing::error!(timer = timer.id, kind = %timer.kind, "unknown timer; it is dropped");
                let id = timer.id;
                self.commit(move |tx| Box::pin(async move { Ok(tx.delete_timer(id).await.map(drop)?) })).await
            }
        }
    }

    /// A snooze is over: the item is open again with the owner it had, or asks the rule if it has none any more.
    async fn wake_item(&self, timer: i64, item: ItemId) -> Result<()> {
        let (now, directory, seed) = (self.now(), self.directory(), random::seed());
        let silence = self.inner.store.next_id().await?;
        self.commit(move |tx| {
            Box::pin(async move {
                if !tx.delete_timer(timer).await? {
                    return Ok(());
                }
                let Some(record) = tx.item_record(item, true).await?.filter(|record| record.status == ItemStatus::Snoozed) else {
                    return Ok(());
                };
                let open = |id| ItemUpdate { status: Some(ItemStatus::Open), ..ItemUpdate::new(id, Actor::System, now) };
                let linked = record.conversation.map(ItemId::from).filter(|conversation| *conversation != item);
                if let Some(linked) = linked {
                    change_and_tell(tx, &open(linked)).await?;
                }
                // Deactivating somebody hands on what is open; what was put aside comes up with nobody to take it.
                let gone = match record.owner {
                    Some(Owner::User { id }) if !directory.user(id).is_some_and(User::is_active) => Some(id),
                    _ => None,
                };
                let update = ItemUpdate { owner: gone.map(|_| None), ..open(item) };
                let Ok(changed) = tx.change_item(&update).await? else { return Ok(()) };
                tell_change(tx, &changed, now).await?;
                renew_due(tx, &directory, changed.after.clone(), now).await?;
                chat::watch_silence(tx, &directory, &changed.after, silence, now).await?;
                let has_channel = record.channel.is_some_and(|channel| directory.channel(channel).is_some());
                if changed.after.owner.is_none() && record.routed && record.contact.is_some() && has_channel {
                    let event = if gone.is_some() { RouteEvent::HandedBack } else { RouteEvent::Requested };
                    let reroute = Reroute { event, excluded: gone.into_iter().collect() };
                    reroute.tell(tx, &directory, &changed, now, seed).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Mails the last message of the item to the contact owner. The timer goes only after the mail has gone.
    async fn mail_owner(&self, timer: StoredTimer, item: ItemId) -> Result<()> {
        let attempts = timer.body.get("attempts").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let claim = NewTimer {
            id: timer.id,
            due_at: self.now().plus_ms(MAIL_RETRY_MS),
            kind: timer.kind.clone(),
            item: timer.item,
            body: serde_json::json!({ "user": timer.body.get("user"), "attempts": attempts + 1 }),
        };
        let claimed = self.commit(move |tx| Box::pin(async move { claim_timer(tx, &claim).await })).await?;
        if !claimed {
            return Ok(());
        }
        if let Some((slug, mail)) = self.owner_mail(&timer, item).await?
            && matches!(self.send_now(&slug, &mail).await, Sending::Failed)
            && attempts + 1 < MAIL_ATTEMPTS
        {
            return Ok(());
        }
        self.commit(move |tx| Box::pin(async move { Ok(tx.delete_timer(timer.id).await.map(drop)?) })).await
    }

    /// The mail and the channel to send it through; `None` when there is nobody, nothing or no way to send.
    async fn owner_mail(&self, timer: &StoredTimer, item: ItemId) -> Result<Option<(String, OutboundMessage)>> {
        let directory = self.directory();
        let user = timer.body.get("user").and_then(serde_json::Value::as_i64).and_then(|id| directory.user(UserId(id)));
        let (Some(user), Some(record)) = (user, self.inner.store.item_record(item).await?) else { return Ok(None) };
        let may_read =
            directory.workspace(record.workspace).is_some_and(|workspace| user.is_active() && workspace.may_open(user));
        if !may_read {
            return Ok(None);
        }
        let channel = record.channel.and_then(|id| directory.channel(id));
        let (Some(channel), Some(conversation)) = (channel, record.conversation) else { return Ok(None) };
        let page = self.inner.store.messages(conversation, None, 20).await?;
        let Some(message) =
            page.rows.into_iter().filter(|message| message.kind == MessageKind::Inbound).max_by_key(|message| message.id)
        else {
            return Ok(None);
        };
        let Some((slug, outlet)) = self.sending_outlet(&channel.slug).or_else(|| self.any_mail_outlet()) else { return Ok(None) };
        if outlet.kind != switchboard_model::ChannelKind::Email {
            return Ok(None);
        }
        let mail = OutboundMessage {
            key: format!("owner-{}-{}", message.id, user.id),
            channel: slug.to_owned(),
            conversation,
            message: message.id,
            author: message.author_name,
            to: vec![Address { name: Some(user.name.clone()), address: user.email.clone() }],
            cc: Vec::new(),
            bcc: Vec::new(),
            only: Vec::new(),
            identity: Identity::email(&user.email),
            subject: Some(format!("[#{item}] {}", record.subject.unwrap_or_default())),
            text: message.text,
            html: None,
            attachments: Vec::new(),
            references: Vec::new(),
            language: None,
            automatic: true,
            written_at: message.at,
        };
        Ok(Some((slug.to_owned(), mail)))
    }

    fn any_mail_outlet(&self) -> Option<(&str, &crate::engine::Outlet)> {
        let mut outlets = self.inner.outlets.iter();
        outlets
            .find(|(_, outlet)| outlet.kind == switchboard_model::ChannelKind::Email && outlet.channel.capabilities().reply)
            .map(|(slug, outlet)| (slug.as_str(), outlet))
    }

    /// Sends a mail beside the outbox.
    pub(crate) async fn send_now(&self, slug: &str, mail: &OutboundMessage) -> Sending {
        let Some(outlet) = self.inner.outlets.get(slug) else { return Sending::Failed };
        match tokio::time::timeout(SEND_TIMEOUT, outlet.channel.send(mail)).await {
            Ok(Ok(delivered)) => Sending::Sent(delivered),
            Ok(Err(error)) if error.retry == Retry::Never => {
                tracing::warn!(channel = slug, kind = %error.kind, "a mail was refused for good; it is given up");
                Sending::Refused
            }
            Ok(Err(error)) => {
                tracing::warn!(channel = slug, kind = %error.kind, "a mail could not be sent; trying again");
                Sending::Failed
            }
            Err(_) => {
                tracing::warn!(channel = slug, "a mail took too long to send; trying again");
                Sending::Failed
            }
        }
    }

    /// Drops what nobody asks for any more.
    async fn prune(&self, now: Timestamp) {
        let idle_before = now.plus_ms(-self.inner.session_idle_ms);
        let pruned = self.inner.store.write(move |tx| {
            Box::pin(async move {
                tx.prune_sessions(now, idle_before).await?;
                tx.prune_events(now.plus_ms(-EVENTS_KEPT_MS)).await?;
                tx.prune_idempotency(now.plus_ms(-IDEMPOTENCY_KEPT_MS)).await?;
                tx.prune_presence(now.plus_ms(-PRESENCE_KEPT_MS)).await?;
                Ok::<(), switchboard_storage::StoreError>(())
            })
        });
        if let Err(error) = pruned.await.map_err(EngineError::from) {
            tracing::warn!(%error, "old rows could not be dropped; trying again in an hour");
        }
    }
}

/// Puts a timer off; false when another host was first.
pub(crate) async fn claim_timer(tx: &Tx, later: &NewTimer) -> Result<bool> {
    if !tx.delete_timer(later.id).await? {
        return Ok(false);
    }
    tx.insert_timer(later).await?;
    Ok(true)
}
