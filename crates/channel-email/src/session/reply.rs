//! Answers of the server.

use std::fmt::Write;
use switchboard_channel::InboxErrorKind;

/// One answer, of one line or several; or the same answer several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The reply code (RFC 5321 4.2).
    pub(crate) code: u16,
    enhanced: Option<(u8, u8, u8)>,
    lines: Vec<String>,
    times: usize,
}

impl Reply {
    /// An answer of one line, with its enhanced status code (RFC 3463).
    pub(crate) fn new(code: u16, enhanced: Option<(u8, u8, u8)>, text: impl Into<String>) -> Self {
        Self { code, enhanced, lines: vec![text.into()], times: 1 }
    }

    /// An answer of several lines.
    pub(super) fn lines(code: u16, lines: Vec<String>) -> Self {
        Self { code, enhanced: None, lines, times: 1 }
    }

    /// The same answer for each of several recipients.
    pub(super) fn repeated(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The answer to a message that the inbox has stored.
    pub(crate) fn stored() -> Self {
        Self::new(250, Some((2, 0, 0)), "stored")
    }

    /// The answer to a message that the inbox did not take. A channel that is switched off is answered as
    /// temporary: it may be switched on again, and until then the mail server keeps the mail.
    pub(crate) fn refused(kind: InboxErrorKind) -> Self {
        match kind {
            InboxErrorKind::Unavailable => Self::new(452, Some((4, 3, 1)), "cannot store mail now, try again later"),
            InboxErrorKind::Busy => Self::new(451, Some((4, 3, 0)), "too busy, try again later"),
            InboxErrorKind::Unknown => Self::new(451, Some((4, 3, 0)), "try again, a repeat is recognised"),
            InboxErrorKind::Closed => Self::new(450, Some((4, 2, 1)), "mailbox is switched off, try again later"),
            InboxErrorKind::Invalid => Self::new(554, Some((5, 6, 0)), "message cannot be stored"),
        }
    }

    /// Its code, with the enhanced one where there is one, such as `552 5.3.4`.
    pub(crate) fn status(&self) -> String {
        match self.enhanced {
            Some((class, subject, detail)) => format!("{} {class}.{subject}.{detail}", self.code),
            None => self.code.to_string(),
        }
    }

    /// The answer on the wire.
    pub(crate) fn to_wire(&self) -> String {
        let mut once = String::new();
        for (nth, line) in self.lines.iter().enumerate() {
            let mark = if nth + 1 == self.lines.len() { ' ' } else { '-' };
            write!(once, "{}{mark}", self.code).expect("writing to a string cannot fail");
            if let Some((class, subject, detail)) = self.enhanced {
                write!(once, "{class}.{subject}.{detail} ").expect("writing to a string cannot fail");
            }
            once.push_str(line);
            once.push_str("\r\n");
        }
        once.repeat(self.times)
    }
}

/// The one answer for several recipients: any *try again* first, because a repeat is recognised by whoever has
/// stored it already; then any refusal, so that the sender learns of it; then *stored*.
pub(super) fn weightiest(replies: Vec<Reply>) -> Option<Reply> {
    let weight = |reply: &Reply| match reply.code {
        400..=499 => 2,
        500..=599 => 1,
        _ => 0,
    };
    replies.into_iter().rev().max_by_key(weight)
}

/// The message is larger than the limit.
pub(super) fn too_big() -> Reply {
    Reply::new(552, Some((5, 3, 4)), "message too big")
}

/// There is no memory for the message now.
pub(super) fn no_room() -> Reply {
    Reply::new(452, Some((4, 3, 1)), "too much mail at once, try again later")
}

/// The command does not belong here.
pub(super) fn out_of_order(hint: &str) -> Reply {
    Reply::new(503, Some((5, 5, 1)), hint)
}
