//! Which connections a change of a conversation concerns. One dispatcher per channel reads the changes and leaves a note in
//! the mailbox of each connection, which then reads for itself what is new: a note is small, says the same however often
//! it is left, and cannot overflow.

use crate::token::Owner;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_channel::{ChannelError, Context, ErrorKind, Retry, ThreadChange, Threads};
use switchboard_model::ConversationId;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

/// Of how many conversations it is remembered who began them.
const MOST_REMEMBERED: usize = 20_000;

/// The connections of one channel on this host whose visitors can have conversations.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    of_owner: HashMap<Owner, Vec<Arc<Mailbox>>>,
    of_conversation: HashMap<ConversationId, Vec<Arc<Mailbox>>>,
    /// Who began a conversation, as its key says; `None` for what no visitor began. Keys never change.
    begun_by: HashMap<ConversationId, Option<Owner>>,
}

/// What a connection has to read anew.
#[derive(Default)]
pub(crate) struct Mailbox {
    notes: Mutex<Notes>,
    bell: Notify,
}

/// What changed since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// There may be newer messages.
    pub(crate) messages: BTreeSet<ConversationId>,
    /// Status, owner, position or what was seen may have changed.
    pub(crate) threads: BTreeSet<ConversationId>,
    /// Who writes, the latest word of each conversation.
    pub(crate) writing: BTreeMap<ConversationId, (String, bool)>,
    /// Changes were missed: everything is to be read anew.
    pub(crate) everything: bool,
}

impl Mailbox {
    /// Waits for a note.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Takes the notes out.
    pub(crate) fn take(&self) -> Notes {
        mem::take(&mut *locked(&self.notes))
    }

    /// Puts back what could not be done, without ringing.
    pub(crate) fn put_back(&self, undone: Notes) {
        let mut notes = locked(&self.notes);
        notes.everything |= undone.everything;
        notes.messages.extend(undone.messages);
        notes.threads.extend(undone.threads);
        for (conversation, writing) in undone.writing {
            notes.writing.entry(conversation).or_insert(writing);
        }
    }

    /// Leaves a note.
    pub(crate) fn note(&self, write: impl FnOnce(&mut Notes)) {
        write(&mut locked(&self.notes));
        self.bell.notify_one();
    }
}

impl Notes {
    /// Adds the note that this change makes.
    fn add(&mut self, change: &ThreadChange) {
        match change {
            ThreadChange::Message(conversation) => drop(self.messages.insert(*conversation)),
            ThreadChange::Thread(conversation) => drop(self.threads.insert(*conversation)),
            ThreadChange::Writing(conversation, name, on) => {
                self.writing.insert(*conversation, (name.clone(), *on));
            }
        }
    }
}

impl Hub {
    /// From now on changes of conversations that the owner begins are noted in the mailbox. Only what is read after this
    /// is sure to miss nothing.
    pub(crate) fn join(&self, owner: Owner, mailbox: &Arc<Mailbox>) {
        push_once(locked(&self.0).of_owner.entry(owner).or_default(), mailbox);
    }

    /// From now on changes of the conversation are noted in the mailbox.
    pub(crate) fn watch(&self, conversation: ConversationId, mailbox: &Arc<Mailbox>) {
        push_once(locked(&self.0).of_conversation.entry(conversation).or_default(), mailbox);
    }

    /// Ends all of that for the mailbox.
    pub(crate) fn leave<'a>(
        &self,
        owners: impl Iterator<Item = Owner>,
        conversations: impl Iterator<Item = &'a ConversationId>,
        mailbox: &Arc<Mailbox>,
    ) {
        let mut inner = locked(&self.0);
        for conversation in conversations {
            remove(&mut inner.of_conversation, conversation, mailbox);
        }
        for owner in owners {
            remove(&mut inner.of_owner, &owner, mailbox);
        }
    }

    /// Whether a connection of the owner here is shown the conversation.
    pub(crate) fn shows(&self, owner: Owner, conversation: ConversationId) -> bool {
        let inner = locked(&self.0);
        let (Some(own), Some(watching)) = (inner.of_owner.get(&owner), inner.of_conversation.get(&conversation)) else {
            return false;
        };
        own.iter().any(|mailbox| watching.iter().any(|other| Arc::ptr_eq(other, mailbox)))
    }

    /// Tells every connection to read everything anew.
    fn everything(&self) {
        for mailbox in locked(&self.0).of_owner.values().flatten() {
            mailbox.note(|notes| notes.everything = true);
        }
    }

    /// Leaves notes of a change with all who watch the conversation or are the one who began it. Returns false when it is
    /// not known who that is, and somebody is here.
    fn note(&self, conversation: ConversationId, change: &ThreadChange) -> bool {
        let inner = locked(&self.0);
        let known = inner.begun_by.get(&conversation);
        let watchers = inner.of_conversation.get(&conversation);
        let begun_by = known.copied().flatten().and_then(|owner| inner.of_owner.get(&owner));
        for mailbox in watchers.into_iter().chain(begun_by).flatten() {
            mailbox.note(|notes| notes.add(change));
        }
        known.is_some() || inner.of_owner.is_empty()
    }

    /// Remembers who began a conversation.
    fn remember(&self, conversation: ConversationId, key: Option<&str>) {
        let mut inner = locked(&self.0);
        if inner.begun_by.len() >= MOST_REMEMBERED {
            inner.begun_by.clear();
        }
        inner.begun_by.insert(conversation, key.and_then(Owner::of_key));
    }

    /// Reads the channel's changes until shutdown, and leaves notes of them.
    pub(crate) async fn dispatch(&self, context: &Context) -> Result<(), ChannelError> {
        let mut changes = context.threads.changes();
        // Whatever happened before is in nobody's notes.
        self.everything();
        loop {
            let change = tokio::select! {
                () = context.runtime.shutdown.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            match change {
                Ok(change) => self.pass_on(&change, context.threads.as_ref()).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::debug!(channel = %context.slug, missed, "changes were missed; connections read anew");
                    self.everything();
                }
                Err(RecvError::Closed) => {
                    let attempt = "reading the changes of conversations";
                    return Err(ChannelError::new(ErrorKind::Unreachable, Retry::Later, attempt, "they have ended"));
                }
            }
        }
    }

    async fn pass_on(&self, change: &ThreadChange, threads: &dyn Threads) {
        let (ThreadChange::Message(conversation) | ThreadChange::Thread(conversation) | ThreadChange::Writing(conversation, ..)) =
            change;
        let conversation = *conversation;
        if self.note(conversation, change) {
            return;
        }
        match threads.thread(conversation).await {
            Ok(thread) => {
                self.remember(conversation, thread.and_then(|thread| thread.key).as_deref());
                self.note(conversation, change);
            }
            Err(error) => {
                tracing::warn!(%error, "a conversation could not be read; connections read anew");
                self.everything();
            }
        }
    }
}

fn push_once(mailboxes: &mut Vec<Arc<Mailbox>>, mailbox: &Arc<Mailbox>) {
    if !mailboxes.iter().any(|other| Arc::ptr_eq(other, mailbox)) {
        mailboxes.push(Arc::clone(mailbox));
    }
}

/// Takes the mailbox out.
fn remove<K: std::hash::Hash + Eq>(map: &mut HashMap<K, Vec<Arc<Mailbox>>>, key: &K, mailbox: &Arc<Mailbox>) {
    let Some(mailboxes) = map.get_mut(key) else { return };
    mailboxes.retain(|other| !Arc::ptr_eq(other, mailbox));
    if mailboxes.is_empty() {
        map.remove(key);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
