//! What a client asks for.

use super::{End, Halt, Visit};
use crate::decode::{self, ClientFrame, Draft, Envelope, Refusal};
use crate::encode::{Code, ServerFrame, Work, files_allowed, written};
use crate::token::Owner;
use crate::work;
use std::sync::Arc;
use switchboard_channel::{InboxErrorKind, Signal, Thread};
use switchboard_model::{Attachment, ConversationId, Receipt};

/// How many conversations that were begun here are remembered until they are known.
const MOST_BEGUN: usize = 50;
/// What reading a conversation again costs, in frames.
const FRAMES_PER_REPLAY: usize = 8;

/// Where a draft goes.
struct Target {
    owner: Owner,
    conversation: Option<ConversationId>,
    key: Option<String>,
    begins: bool,
}

/// Where a message is, once it is stored.
struct Placed {
    receipt: Receipt,
    /// Whose conversation that is; `None` for one that the visitor may not see.
    owner: Option<Owner>,
    /// The connection did not know the conversation.
    is_new: bool,
}

impl Visit {
    /// Does what a frame asks for.
    pub(super) async fn act(&mut self, frame: ClientFrame) -> Result<(), Halt> {
        match frame {
            ClientFrame::Hello(_) => self.refuse_with(Code::HelloTwice).await,
            ClientFrame::Message(draft) => self.write(&draft).await,
            ClientFrame::Consent => {
                self.begin_session();
                self.send_session(true).await
            }
            ClientFrame::Open { conversation, after } => {
                if (1..FRAMES_PER_REPLAY).any(|_| !self.frames.take()) {
                    return Err(Halt::End(End::bye("flood", 1_008)));
                }
                if !self.owns(conversation).await? {
                    return self.refuse_with(Code::UnknownConversation).await;
                }
                self.show_unknown_thread(conversation).await?;
                self.replay(conversation, after.filter(|after| after.0 > 0)).await
            }
            ClientFrame::Typing { conversation, on } => {
                if self.known.contains_key(&conversation) {
                    self.signal(conversation, Signal::Writing(on)).await;
                }
                Ok(())
            }
            ClientFrame::Read { conversation, message } => {
                if let Some(newest) = self.known.get(&conversation).and_then(super::Known::newest) {
                    self.signal(conversation, Signal::Read(message.min(newest))).await;
                }
                Ok(())
            }
            ClientFrame::Page(page) => {
                self.visitor.told.page = decode::page(&page);
                self.signal_page().await;
                Ok(())
            }
            ClientFrame::Ping => self.send(written(&ServerFrame::Pong)).await,
        }
    }

    /// Takes a message in, or says why not.
    async fn write(&mut self, draft: &Draft) -> Result<(), Halt> {
        match self.stored(draft).await {
            Ok(Ok(placed)) => self.accept(draft, &placed).await,
            Ok(Err(refusal)) => {
                // Before the refusal, so that whoever reads it knows what to do.
                if refusal.code == Code::Work
                    && let Some(work) = self.challenge()
                {
                    self.send(written(&ServerFrame::Work(work))).await?;
                }
                let client_id = refusal.client_id.or_else(|| Some(draft.client_id.clone()));
                let client_id = client_id.filter(|id| decode::is_client_id(id));
                self.refuse(&Refusal { client_id, ..refusal }).await
            }
            // The client keeps the message and sends it again.
            Err(Halt::Unread(error)) => {
                tracing::warn!(channel = %self.door.config.slug, %error, "a message could not be placed");
                let client_id = Some(draft.client_id.clone()).filter(|id| decode::is_client_id(id));
                self.refuse(&Refusal { client_id, retry_after_s: Some(5), ..Refusal::of(Code::Unavailable) }).await
            }
            Err(end) => Err(end),
        }
    }

    async fn stored(&mut self, draft: &Draft) -> Result<Result<Placed, Refusal>, Halt> {
        if !decode::is_client_id(&draft.client_id) {
            return Ok(Err(Refusal::of(Code::BadClientId)));
        }
        if let Err(retry_after_s) = self.door.of_address.take(&self.address) {
            return Ok(Err(Refusal { retry_after_s: Some(retry_after_s), ..Refusal::of(Code::RateLimited) }));
        }
        // Checked before a session begins, so that a message that is none begins nothing.
        if let Err(refusal) = decode::words(&self.door.config, draft) {
            return Ok(Err(refusal));
        }
        if self.visitor.owner().is_none() && may_begin(draft) && self.lacks_work(draft) {
            return Ok(Err(Refusal { retry_after_s: Some(0), ..Refusal::of(Code::Work) }));
        }
        if self.begin_session() {
            self.load().await?;
        }
        let target = match self.target(draft).await? {
            Ok(target) => target,
            Err(code) => return Ok(Err(Refusal::of(code))),
        };
        if target.begins && self.lacks_work(draft) {
            return Ok(Err(Refusal { retry_after_s: Some(0), ..Refusal::of(Code::Work) }));
        }
        if let Err(retry_after_s) = self.door.of_visitor.take(&target.owner) {
            return Ok(Err(Refusal { retry_after_s: Some(retry_after_s), ..Refusal::of(Code::RateLimited) }));
        }
        let checked = match decode::checked(&self.door.config, draft, target.begins, &self.visitor.told) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(attachments) = self.files(draft) else { return Ok(Err(Refusal::of(Code::BadFile))) };
        self.send_session(false).await?;
        if target.begins {
            let first = draft.first.clone().unwrap_or_else(|| draft.client_id.clone());
            self.begun.push(first);
            if self.begun.len() > MOST_BEGUN {
                self.begun.remove(0);
            }
        }
        let owner = target.owner;
        match self.push(checked, target, attachments).await {
            Ok(receipt) => self.placed(draft, receipt, owner).await.map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whose the conversation is that a message landed in. One that was stored before may have been sent before the visitor
    /// signed in, or after, by the same page: it stays where it came first, which whoever only has the session may not see.
    async fn placed(&mut self, draft: &Draft, receipt: Receipt, owner: Owner) -> Result<Placed, Halt> {
        let is_new = !self.known.contains_key(&receipt.conversation);
        if !receipt.duplicate || !is_new {
            return Ok(Placed { receipt, owner: Some(owner), is_new });
        }
        let door = Arc::clone(&self.door);
        let thread = door.context.threads.thread(receipt.conversation).await.map_err(Halt::Unread)?;
        let found = thread.as_ref().and_then(|thread| thread.key.as_deref()).and_then(Owner::of_key);
        let resumes = found.is_some_and(|found| self.visitor.resume(found, &door.signer, door.context.runtime.clock.now()));
        let owner = found.filter(|found| self.visitor.owners().any(|own| own == *found));
        match (owner, thread) {
            (Some(owner), Some(thread)) => drop(self.learn(owner, thread, None)),
            _ => self.begun.retain(|begun| begun != draft.first.as_ref().unwrap_or(&draft.client_id)),
        }
        if resumes {
            self.join();
            self.load().await?;
            self.send_session(false).await?;
        }
        Ok(Placed { receipt, owner, is_new })
    }

    async fn push(&mut self, checked: decode::Checked, target: Target, attachments: Vec<Attachment>) -> Result<Receipt, Refusal> {
        let account = self.visitor.account.as_ref().filter(|(owner, _)| *owner == target.owner).map(|(_, account)| account);
        let proven_email = account.and_then(|account| account.email.as_ref()).filter(|(_, is_proven)| *is_proven);
        let former = self.visitor.former(&self.door.signer).filter(|_| account.is_some() && target.conversation.is_none());
        let envelope = Envelope {
            owner: target.owner,
            also: former,
            account: account.map(|account| &account.identity),
            proven_email: proven_email.map(|(email, _)| email.as_str()),
            conversation: target.conversation,
            key: target.key,
            locale: self.visitor.told.locale.clone(),
            attachments,
        };
        let message = decode::message(&self.door.config, checked, envelope);
        let pushed = self.door.context.inbox.push(message).await;
        pushed.map_err(|error| {
            tracing::warn!(channel = %self.door.config.slug, kind = ?error.kind, "a message was not stored");
            let (code, retry_after_s) = match error.kind {
                InboxErrorKind::Closed => (Code::Closed, None),
                InboxErrorKind::Invalid => (Code::Unstorable, None),
                InboxErrorKind::Unavailable => (Code::Unavailable, Some(10)),
                InboxErrorKind::Busy => (Code::Unavailable, Some(2)),
                InboxErrorKind::Unknown => (Code::Unavailable, Some(3)),
            };
            Refusal { retry_after_s, ..Refusal::of(code) }
        })
    }

    async fn accept(&mut self, draft: &Draft, placed: &Placed) -> Result<(), Halt> {
        let Receipt { conversation, message, .. } = placed.receipt;
        self.door.uploads.used(draft.files.as_deref().unwrap_or_default(), &draft.client_id);
        let at = self.door.context.runtime.clock.now();
        let shown = placed.owner.filter(|_| placed.is_new);
        if let Some(owner) = shown {
            let key = Some(format!("{}{}", owner.prefix(), draft.first.as_ref().unwrap_or(&draft.client_id)));
            let thread = Thread {
                conversation,
                key,
                open: true,
                owner: None,
                position: None,
                wait_minutes: None,
                seen: None,
                read: None,
                newest: Some(message),
            };
            self.learn(owner, thread, None);
        }
        if let Some(known) = self.known.get_mut(&conversation) {
            known.mark(message);
            known.thread.open = true;
        }
        let client_id = &draft.client_id;
        self.send(written(&ServerFrame::Accepted { client_id, conversation, message, at })).await?;
        if shown.is_some() {
            // How it stands, and whatever else is in it when this was a repetition.
            if let Some(mailbox) = self.stay.mailbox() {
                mailbox.note(|notes| {
                    notes.threads.insert(conversation);
                    notes.messages.insert(conversation);
                });
            }
            self.stay.attend(conversation).await;
            self.signal_page().await;
        }
        Ok(())
    }

    /// Where a draft goes, if it may.
    async fn target(&mut self, draft: &Draft) -> Result<Result<Target, Code>, Halt> {
        if let Some(conversation) = draft.conversation {
            if !self.owns(conversation).await? {
                return Ok(Err(Code::UnknownConversation));
            }
            let known = self.known.get(&conversation);
            let owner = known.and_then(|known| Owner::of_key(&known.prefix)).or(self.visitor.owner());
            let key = known.and_then(|known| known.key.clone());
            let target = owner.map(|owner| Target { owner, conversation: Some(conversation), key, begins: false });
            return Ok(target.ok_or(Code::UnknownConversation));
        }
        let Some(owner) = self.visitor.owner() else { return Ok(Err(Code::UnknownConversation)) };
        let first = draft.first.as_ref().unwrap_or(&draft.client_id);
        if !decode::is_client_id(first) {
            return Ok(Err(Code::BadClientId));
        }
        // What began before signing in goes on as what it was.
        let begun = self.visitor.owners().find_map(|owner| {
            let key = format!("{}{first}", owner.prefix());
            let known = self.known.values().find(|known| known.key.as_deref() == Some(&key))?;
            Some(Target { owner, conversation: Some(known.thread.conversation), key: Some(key), begins: false })
        });
        if let Some(target) = begun {
            return Ok(Ok(target));
        }
        let key = format!("{}{first}", owner.prefix());
        let begins = first == &draft.client_id;
        if !begins && !self.begun.contains(first) {
            return Ok(Err(Code::UnknownConversation));
        }
        let open = self.known.values().filter(|known| known.thread.open).count();
        if begins && open >= self.door.config.limits.conversations {
            return Ok(Err(Code::TooManyConversations));
        }
        Ok(Ok(Target { owner, conversation: None, key: Some(key), begins }))
    }

    /// What the first message of this visitor's next conversation costs, if it costs anything.
    pub(super) fn challenge(&mut self) -> Option<Work> {
        let bits = Some(self.door.config.limits.proof_of_work_bits).filter(|bits| *bits > 0)?;
        let stranger = self.visitor.stranger(&self.door.signer)?;
        let challenge = work::challenge(&self.door.signer, stranger, self.door.context.runtime.clock.now());
        Some(Work { challenge, bits })
    }

    /// Whether a message that begins a conversation comes without the work that it costs.
    fn lacks_work(&mut self, draft: &Draft) -> bool {
        let bits = self.door.config.limits.proof_of_work_bits;
        if bits == 0 {
            return false;
        }
        let Some(stranger) = self.visitor.stranger(&self.door.signer) else { return false };
        let now = self.door.context.runtime.clock.now();
        !work::is_done(&self.door.signer, stranger, &draft.client_id, draft.work.as_deref(), bits, now)
    }

    /// The files of a draft, if they are all there and the visitor may send any.
    fn files(&self, draft: &Draft) -> Option<Vec<Attachment>> {
        let ids = draft.files.as_deref().unwrap_or_default();
        if ids.is_empty() {
            return Some(Vec::new());
        }
        let is_allowed = files_allowed(&self.door.config, self.visitor.account.is_some());
        let now = self.door.context.runtime.clock.now();
        // One that was picked before signing in may go along after it.
        let owners: Vec<Owner> = self.visitor.owners().collect();
        is_allowed.then(|| self.door.uploads.find(ids, &owners, &draft.client_id, now)).flatten()
    }

    /// The visitor acts. Returns whether a session began.
    fn begin_session(&mut self) -> bool {
        let door = Arc::clone(&self.door);
        let begins = self.visitor.act(&door.signer, door.context.runtime.clock.now());
        if begins {
            self.join();
        }
        begins
    }

    /// Sends the session's token if the visitor does not have it, or all that there is when asked.
    async fn send_session(&mut self, is_asked: bool) -> Result<(), Halt> {
        let door = Arc::clone(&self.door);
        let now = door.context.runtime.clock.now();
        let session = self.visitor.unsent_session(&door.signer, now);
        if session.is_none() && !is_asked {
            return Ok(());
        }
        let pass = self.visitor.pass(&door.signer, now).unwrap_or_default();
        self.send(written(&ServerFrame::Session { session: session.as_deref(), pass: &pass })).await
    }
}

/// Whether a draft says that it begins a conversation, which a repetition does as well.
fn may_begin(draft: &Draft) -> bool {
    draft.conversation.is_none() && draft.first.as_ref().is_none_or(|first| *first == draft.client_id)
}
