//! Taking a reply back in the first seconds after it was sent.

use crate::arrival::tell_turn;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind, Result};
use crate::request::Caller;
use crate::sla::renew_due;
use crate::thread::work_item;
use switchboard_model::{MessageId, MessageView};
use switchboard_storage::StoreErrorKind;

/// How long a reply may wait before it goes out, in seconds.
pub const UNDO_SECONDS: [u32; 4] = [0, 5, 10, 30];
/// For users who chose nothing.
pub(crate) const DEFAULT_UNDO_SECONDS: u32 = 10;

/// # Errors
/// `Invalid` for a time that is not offered.
pub(crate) fn check_undo_seconds(seconds: u32) -> Result<()> {
    if UNDO_SECONDS.contains(&seconds) {
        return Ok(());
    }
    Err(EngineError::invalid(format!("{seconds} is no time to wait before sending; it is 0, 5, 10 or 30 seconds")))
}

impl Engine {
    /// Takes back a reply of the caller's that waits to be sent, and answers with it as it was. The conversation is then
    /// as if it had not been written, but that its writer keeps what they took with it (ROUTING 2.3).
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for somebody else's; `Conflict` when it is on its way already.
    pub async fn recall_message(&self, caller: &Caller, message: MessageId) -> Result<MessageView> {
        let view = self.readable_message(caller, message).await?;
        if view.author != caller.actor {
            return Err(EngineError::forbidden("only whoever wrote a message can take it back"));
        }
        let (directory, at) = (self.directory(), self.now());
        let recalled = self.commit(move |tx| {
            Box::pin(async move {
                let conversation = match tx.recall_message(message, at).await {
                    Ok(conversation) => conversation,
                    Err(error) => return Ok(Err(error)),
                };
                if let Some(item) = work_item(tx, conversation).await? {
                    let item = renew_due(tx, &directory, item, at).await?;
                    tell_turn(tx, &directory, &item, at).await?;
                }
                Ok(Ok(()))
            })
        });
        match recalled.await? {
            Ok(()) => Ok(view),
            Err(error) if matches!(error.kind, StoreErrorKind::Conflict | StoreErrorKind::NotFound) => Err(EngineError::new(
                EngineErrorKind::Conflict,
                "this message cannot be taken back: it is on its way already, or was never held back",
            )),
            Err(error) => Err(error.into()),
        }
    }
}
