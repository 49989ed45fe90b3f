//! What a connection leaves behind in the hub and at the desk, and its end: taken back when the connection is over, also
//! when its task panics or is aborted.

use crate::door::Door;
use crate::hub::Mailbox;
use crate::token::Owner;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use switchboard_channel::Signal;
use switchboard_model::ConversationId;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// How often the desk is told again who is connected. It forgets whom it has not heard of for two and a half minutes.
const RENEW_EVERY: Duration = Duration::from_secs(30);

/// How many connections of this host have told the desk that the visitor of a conversation is connected.
#[derive(Default)]
pub(crate) struct Presence(Mutex<HashMap<ConversationId, Told>>);

struct Told {
    connections: usize,
    at: Instant,
}

/// What one connection has told and joined.
pub(crate) struct Stay {
    door: Arc<Door>,
    mailbox: Option<Arc<Mailbox>>,
    owners: BTreeSet<Owner>,
    watched: BTreeSet<ConversationId>,
    told: BTreeSet<ConversationId>,
    renew_at: Instant,
}

impl Presence {
    fn state(&self) -> MutexGuard<'_, HashMap<ConversationId, Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, conversation: ConversationId, now: Instant) {
        let mut state = self.state();
        let told = state.entry(conversation).or_insert(Told { connections: 0, at: now });
        told.connections += 1;
        told.at = now;
    }

    /// Whether it is time to tell it again; whoever asks does.
    fn is_due(&self, conversation: ConversationId, now: Instant) -> bool {
        let mut state = self.state();
        let due = state.get_mut(&conversation).filter(|told| now.duration_since(told.at) >= RENEW_EVERY / 2);
        due.map(|told| told.at = now).is_some()
    }

    /// Returns whether this was the last one.
    fn leave(&self, conversation: ConversationId) -> bool {
        let mut state = self.state();
        let Some(told) = state.get_mut(&conversation) else { return false };
        told.connections -= 1;
        let is_last = told.connections == 0;
        if is_last {
            state.remove(&conversation);
        }
        is_last
    }

    fn is_here(&self, conversation: ConversationId) -> bool {
        self.state().contains_key(&conversation)
    }
}

impl Stay {
    /// Of a connection that has told and joined nothing yet.
    pub(crate) fn new(door: Arc<Door>) -> Self {
        let (owners, watched, told) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { door, mailbox: None, owners, watched, told, renew_at: Instant::now() }
    }

    /// Where changes are noted; there is one once the visitor can have conversations.
    pub(crate) const fn mailbox(&self) -> Option<&Arc<Mailbox>> {
        self.mailbox.as_ref()
    }

    /// From now on changes of what these owners begin are noted.
    pub(crate) fn join(&mut self, owners: impl Iterator<Item = Owner>) {
        let mailbox = self.mailbox.get_or_insert_default();
        for owner in owners {
            self.owners.insert(owner);
            self.door.hub.join(owner, mailbox);
        }
    }

    /// From now on changes of the conversation are noted.
    pub(crate) fn watch(&mut self, conversation: ConversationId) {
        if let Some(mailbox) = &self.mailbox {
            self.watched.insert(conversation);
            self.door.hub.watch(conversation, mailbox);
        }
    }

    /// Tells the desk that the visitor of the conversation is connected, once.
    pub(crate) async fn attend(&mut self, conversation: ConversationId) {
        if self.told.contains(&conversation) {
            return;
        }
        let now = Instant::now();
        if self.told.is_empty() {
            self.renew_at = now + RENEW_EVERY;
        }
        // Counted before it is told, so that whatever was told is taken back.
        self.told.insert(conversation);
        self.door.presence.enter(conversation, now);
        self.door.signal(conversation, Signal::Connected(true)).await;
    }

    /// When to tell it again.
    pub(crate) fn renew_at(&self) -> Option<Instant> {
        (!self.told.is_empty()).then_some(self.renew_at)
    }

    /// Tells it again, unless another connection just did.
    pub(crate) async fn renew(&mut self, now: Instant) {
        self.renew_at = now + RENEW_EVERY;
        for conversation in &self.told {
            if self.door.presence.is_due(*conversation, now) {
                self.door.signal(*conversation, Signal::Connected(true)).await;
            }
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some(mailbox) = &self.mailbox {
            self.door.hub.leave(self.owners.iter().copied(), self.watched.iter(), mailbox);
        }
        let told = std::mem::take(&mut self.told).into_iter();
        let gone: Vec<ConversationId> = told.filter(|conversation| self.door.presence.leave(*conversation)).collect();
        // Without a runtime there is nobody left to be told.
        if gone.is_empty() || Handle::try_current().is_err() {
            return;
        }
        let door = Arc::clone(&self.door);
        self.door.context.runtime.spawn(async move {
            for conversation in gone {
                door.signal(conversation, Signal::Connected(false)).await;
                // Somebody may have come back between the two.
                if door.presence.is_here(conversation) {
                    door.signal(conversation, Signal::Connected(true)).await;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Door, Stay};
    use crate::config::Config;
    use crate::files::Uploads;
    use std::sync::Arc;
    use std::time::Duration;
    use switchboard_channel::{Context, Signal};
    use switchboard_channel_testkit::{FakeThreads, ManualClock, RecordingInbox, context, settings};
    use switchboard_model::ConversationId;
    use tokio::time::Instant;

    const ONE: ConversationId = ConversationId(1);
    const TWO: ConversationId = ConversationId(2);

    fn door() -> (Arc<Door>, Arc<FakeThreads>) {
        let settings = settings("chat", "key = \"shop_7Hq2\"\norigins = [\"https://www.shop.test\"]");
        let config = Arc::new(Config::read(&settings).expect("the settings are good"));
        let inbox = RecordingInbox::new();
        let threads = FakeThreads::over(Arc::clone(&inbox), ManualClock::new());
        let context = Context { threads: threads.clone(), ..context("chat", inbox) };
        let uploads = Arc::new(Uploads::new(&config.files));
        (Arc::new(Door::new(&config, &context, &Arc::default(), &uploads)), threads)
    }

    async fn finish(door: &Door) {
        door.context.runtime.tasks.close();
        door.context.runtime.tasks.wait().await;
    }

    #[tokio::test]
    async fn exactly_what_nobody_else_holds_is_taken_back() {
        let (door, threads) = door();
        let (mut first, mut second) = (Stay::new(Arc::clone(&door)), Stay::new(Arc::clone(&door)));
        first.attend(ONE).await;
        first.attend(TWO).await;
        first.attend(TWO).await;
        second.attend(TWO).await;
        drop(first);
        let on = Signal::Connected(true);
        finish(&door).await;
        let told = threads.signals();
        assert!(told == [(ONE, on.clone()), (TWO, on.clone()), (TWO, on), (ONE, Signal::Connected(false))]);
        door.context.runtime.tasks.reopen();
        drop(second);
        finish(&door).await;
        assert!(threads.signals().last() == Some(&(TWO, Signal::Connected(false))));
    }

    #[tokio::test]
    async fn a_connection_that_is_aborted_or_panics_takes_back_what_it_told() {
        for panics in [false, true] {
            let (door, threads) = door();
            let mut stay = Stay::new(Arc::clone(&door));
            let task = door.context.runtime.tasks.spawn(async move {
                stay.attend(ONE).await;
                assert!(!panics, "the test asks for it");
                std::future::pending::<()>().await;
            });
            while threads.signals().is_empty() {
                tokio::task::yield_now().await;
            }
            task.abort();
            assert!(task.await.is_err());
            finish(&door).await;
            assert!(threads.signals().last() == Some(&(ONE, Signal::Connected(false))));
        }
    }

    #[tokio::test]
    async fn it_is_told_again_within_a_minute_and_by_one_connection_only() {
        let (door, threads) = door();
        let (mut first, mut second) = (Stay::new(Arc::clone(&door)), Stay::new(Arc::clone(&door)));
        assert!(first.renew_at().is_none());
        first.attend(ONE).await;
        second.attend(ONE).await;
        let at = first.renew_at().expect("something was told");
        assert!(at <= Instant::now() + Duration::from_secs(60));
        first.renew(at).await;
        second.renew(at).await;
        assert_eq!(threads.signals().len(), 3);
        assert!(threads.signals().iter().all(|told| *told == (ONE, Signal::Connected(true))));
        assert!(first.renew_at() > Some(at));
        drop((first, second));
        finish(&door).await;
    }
}
