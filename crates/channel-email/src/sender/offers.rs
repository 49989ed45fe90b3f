//! What a server offers in its greeting (RFC 5321 4.1.1.1), and what a mail needs of it.

use crate::encode::Encoded;
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

/// The extensions of a server that matter to a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// It knows sizes (RFC 1870).
    size: bool,
    /// The largest mail that it takes, in bytes, where it says so.
    max_bytes: Option<usize>,
    /// Addresses beyond ASCII (RFC 6531).
    utf8: bool,
    /// Bodies beyond ASCII (RFC 6152).
    eight_bit: bool,
}

impl Offers {
    /// From the lines of the greeting.
    pub(super) fn of<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let mut offers = Self::default();
        for line in lines {
            let mut words = line.split_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "SIZE" => {
                    offers.size = true;
                    // Zero says that there is no fixed limit.
                    offers.max_bytes = words.next().and_then(|bytes| bytes.parse().ok()).filter(|bytes| *bytes > 0);
                }
                "SMTPUTF8" => offers.utf8 = true,
                "8BITMIME" => offers.eight_bit = true,
                _ => {}
            }
        }
        offers
    }

    /// What MAIL says about the mail.
    ///
    /// # Errors
    /// Why this server can never take it, for a person.
    pub(super) fn options(&self, encoded: &Encoded) -> Result<Vec<MailParameter>, String> {
        let bytes = encoded.bytes.len();
        if let Some(most) = self.max_bytes.filter(|most| bytes > *most) {
            return Err(format!(
                "the mail has {}, and the server takes {} at most; send fewer or smaller files",
                mebibytes(bytes),
                mebibytes(most)
            ));
        }
        let mut options = Vec::new();
        if self.size {
            options.push(MailParameter::Size(bytes));
        }
        if encoded.needs_utf8 {
            if !self.utf8 {
                return Err(String::from(
                    "an address has letters beyond ASCII before its `@`, and the server cannot send to such addresses (no SMTPUTF8)",
                ));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if self.eight_bit && !encoded.bytes.is_ascii() {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(options)
    }
}

/// `25.0 MiB`, or bytes where there are few.
fn mebibytes(bytes: usize) -> String {
    const TENTH: usize = 1_048_576 / 10;
    if bytes < 10 * TENTH { format!("{bytes} bytes") } else { format!("{}.{} MiB", bytes / TENTH / 10, bytes / TENTH % 10) }
}

#[cfg(test)]
mod tests {
    use super::Offers;

    #[test]
    fn a_greeting_says_what_can_be_sent() {
        let offers = Offers::of(["mx.test hello", "size 1000", "SMTPUTF8", "8BITMIME"].into_iter());
        assert_eq!(offers, Offers { size: true, max_bytes: Some(1000), utf8: true, eight_bit: true });
        for unlimited in ["SIZE", "SIZE 0", "SIZE huge"] {
            assert_eq!(Offers::of([unlimited].into_iter()), Offers { size: true, ..Offers::default() }, "{unlimited}");
        }
    }
}
