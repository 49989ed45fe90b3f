//! What delivery reports say, and who writes them.

/// Mailboxes that no person writes from.
pub(super) const DAEMONS: [&str; 8] = [
    "mailer-daemon",
    "mailerdaemon",
    "mail-daemon",
    "maildaemon",
    "mdaemon",
    "mail.delivery.system",
    "mail-delivery-system",
    "mail-delivery-subsystem",
];
/// What a report says of a mail that did not fail; some mail systems have words of their own for failures.
pub(super) const NO_FAILURES: [&str; 4] = ["delayed", "delivered", "relayed", "expanded"];
/// What reports of failures say, in small letters.
pub(super) const FAILURES: [&str; 52] = [
    "undeliver",
    "undelivered",
    "delivery fail",
    "delivery has failed",
    "delivery problem",
    "delivery status notification (failure)",
    "delivery report (failure)",
    "failure notice",
    "failure delivery",
    "failed mail",
    "mail failed",
    "mail error",
    "mail system error",
    "returned mail",
    "returned to sender",
    "returning message",
    "message returned",
    "could not be delivered",
    "couldn't be delivered",
    "couldn't deliver",
    "can't be delivered",
    "cannot be delivered",
    "could not deliver",
    "cannot deliver",
    "not delivered",
    "non-delivery",
    "unable to deliver",
    "did not reach",
    "user unknown",
    "unknown user",
    "unknown recipient",
    "invalid recipient",
    "recipient not found",
    "no such user",
    "not a valid user",
    "mailbox unavailable",
    "mailbox not found",
    "mailbox is full",
    "over quota",
    "quota exceeded",
    "processing error",
    "automatically rejected",
    "permanent error",
    "permanent fatal error",
    "unzustellbar",
    "nicht zugestellt",
    "onbestelbaar",
    "niet worden bezorgd",
    "ikke leveres",
    "inte levereras",
    "pas pu être",
    "no se pudo entregar",
];
/// What reports of delays say, in small letters.
pub(super) const DELAYS: [&str; 8] = [
    "delayed",
    "(delay)",
    "delivery warning",
    "warning: message",
    "will be retried",
    "not yet been delivered",
    "do not need to resend",
    "no action is required",
];
/// What only reports of delays say, whatever their subject calls them; in small letters.
pub(super) const STILL_TRYING: [&str; 6] = [
    "still being retried",
    "will continue to be attempted",
    "will continue to try",
    "delivery attempts will continue",
    "warning message only",
    "wird weiterhin versucht",
];

/// Whether a text, in small letters, has any of some words in it.
pub(super) fn says(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| text.contains(word))
}
