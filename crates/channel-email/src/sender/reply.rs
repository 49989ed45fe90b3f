//! What a server refused with: its code and enhanced code (RFC 3463), in our words.
//!
//! The words of the server may quote addresses and text, so they go no further than this.

use lettre::transport::smtp::Error;
use std::error::Error as _;
use std::fmt;

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    enhanced: Option<(u8, u16, u16)>,
}

impl Reply {
    /// The refusal behind an error, if the server answered at all.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let code = error.status().map(u16::from)?;
        let words = error.source().map(ToString::to_string).unwrap_or_default();
        Some(Self { code, enhanced: enhanced(&words).filter(|(class, _, _)| u16::from(*class) == code / 100) })
    }

    /// Trying again cannot help.
    pub(super) fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// It is about us and not about the mail.
    pub(super) fn asks_to_sign_in(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
    }

    /// The server closes the connection.
    pub(super) fn ends_conversation(&self) -> bool {
        self.code == 421
    }

    fn meaning(&self) -> Option<&'static str> {
        let by_enhanced = self.enhanced.and_then(|(class, subject, detail)| match (subject, detail) {
            (1, 1 | 0) => Some("there is no such mailbox"),
            (1, 2 | 10) | (4, 4) => Some("there is no mail server for this address"),
            (1, 3) => Some("the address is not written as the server wants it"),
            (1, 6) => Some("the mailbox has moved"),
            (1, 7 | 8) | (7, 27) => Some("the address of the sender is not accepted"),
            (2, 1) if class == 4 => Some("the mailbox takes nothing now"),
            (2, 1) => Some("the mailbox is switched off"),
            (2, 2) => Some("the mailbox is full"),
            (2, 3) | (3, 4) => Some("the mail is too large"),
            (3, 1) => Some("the server has no room"),
            (3, 2) => Some("the server takes nothing now"),
            (4, 1 | 2) => Some("the other mail server cannot be reached"),
            (4, 5) => Some("the server is too busy"),
            (4, 6) => Some("the mail goes in circles"),
            (4, 7) => Some("it could not be delivered in time"),
            (5, 3) => Some("there are too many recipients"),
            (6, 7) => Some("the server cannot have addresses beyond ASCII"),
            (6, _) => Some("the server cannot read the mail"),
            (7, 1) => Some("the server does not allow it"),
            (7, 8) => Some("the user or password is wrong"),
            (7, 20..=26) => Some("the server wants the mail to be proved (SPF, DKIM, DMARC)"),
            (7, 0..) => Some("the server's rules forbid it"),
            _ => None,
        });
        by_enhanced.or(match self.code {
            421 => Some("the server is closing"),
            450 | 451 => Some("not now"),
            452 => Some("the server has no room, or there are too many recipients"),
            550 => Some("the mailbox cannot be had"),
            551 => Some("the mailbox is somewhere else"),
            552 => Some("the mail is too large, or the mailbox is full"),
            553 => Some("the address is not allowed"),
            _ => None,
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some((class, subject, detail)) = self.enhanced {
            write!(f, " {class}.{subject}.{detail}")?;
        }
        self.meaning().map_or(Ok(()), |meaning| write!(f, ", {meaning}"))
    }
}

/// The code that the words begin with, such as `5.1.1`.
fn enhanced(words: &str) -> Option<(u8, u16, u16)> {
    let mut pieces = words.split_whitespace().next()?.split('.');
    let class = pieces.next()?.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
    let mut number = || pieces.next().filter(|piece| piece.len() <= 3)?.parse().ok();
    let (subject, detail) = (number()?, number()?);
    pieces.next().is_none().then_some((class, subject, detail))
}

#[cfg(test)]
mod tests {
    use super::{Reply, enhanced};

    #[test]
    fn codes_are_kept_and_words_are_ours() {
        for (code, words, shown) in [
            (550, "5.1.1 kari@eksempel.test unknown", "550 5.1.1, there is no such mailbox"),
            (552, "5.3.4 too big", "552 5.3.4, the mail is too large"),
            (452, "4.5.3 too many", "452 4.5.3, there are too many recipients"),
            (552, "no code", "552, the mail is too large, or the mailbox is full"),
            (554, "", "554"),
            (450, "4.7.1.2 what", "450, not now"),
            (451, "99999999.1.1", "451, not now"),
        ] {
            assert_eq!(Reply { code, enhanced: enhanced(words) }.to_string(), shown);
        }
    }
}
