//! Delivery reports: those that follow RFC 3464, and those of mail systems that write prose.
//!
//! Prose counts only from a machine: the null sender, an address such as `mailer-daemon`, or a header that only mail
//! systems write. A person who complains that a mail could not be delivered is a person.

use super::{Envelope, one_line, people, plain_values, texts};
use mail_parser::{HeaderName, Message, MessagePart, MimeHeaders, PartType};
use switchboard_model::DeliveryFailure;

/// What a report says.
pub(super) enum Report {
    /// A mail could not be delivered.
    Failed(DeliveryFailure),
    /// Delayed, delivered, read, or complained about.
    Other,
}

/// How much of a report's prose is read, in bytes.
const MAX_PROSE_BYTES: usize = 16_384;
/// How much of each machine-readable part is read, in bytes.
const MAX_STATUS_BYTES: usize = 65_536;
/// The most recipients of a report that are kept.
const MAX_RECIPIENTS: usize = 20;
/// The longest reason in characters.
const MAX_REASON_CHARS: usize = 300;

/// Mailboxes that no person writes from.
const DAEMONS: [&str; 8] = [
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
const NO_FAILURES: [&str; 4] = ["delayed", "delivered", "relayed", "expanded"];
/// What reports of failures say, in small letters.
const FAILURES: [&str; 45] = [
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
    "no such user",
    "mailbox unavailable",
    "mailbox is full",
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
const DELAYS: [&str; 14] = [
    "delayed",
    "(delay)",
    "delivery warning",
    "warning: message",
    "still being retried",
    "will be retried",
    "will continue to be attempted",
    "will continue to try",
    "delivery attempts will continue",
    "not yet been delivered",
    "do not need to resend",
    "warning message only",
    "no action is required",
    "wird weiterhin versucht",
];

/// Reads a report; `None` when the mail is none.
pub(super) fn report(message: &Message<'_>, envelope: Envelope<'_>) -> Option<Report> {
    let statuses: Vec<&MessagePart<'_>> =
        message.parts.iter().filter(|part| part.is_content_type("message", "delivery-status")).take(10).collect();
    if message.is_content_type("multipart", "report") {
        let kind = message.content_type().and_then(|kind| kind.attribute("report-type")).unwrap_or("delivery-status");
        if !kind.eq_ignore_ascii_case("delivery-status") {
            return Some(Report::Other);
        }
        return Some(by_status(&statuses).unwrap_or_else(|| by_prose(message)));
    }
    let daemon = is_daemon(message);
    if !(daemon || has_null_sender(message, envelope) || plain_values(message, "X-Failed-Recipients").next().is_some()) {
        return None;
    }
    if !statuses.is_empty() {
        return Some(by_status(&statuses).unwrap_or_else(|| by_prose(message)));
    }
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let prose = prose(message);
    let lower = prose.to_lowercase();
    let says = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    if says(&DELAYS, &subject) || (says(&DELAYS, &lower) && !says(&FAILURES, &subject)) {
        return daemon.then_some(Report::Other);
    }
    (daemon || says(&FAILURES, &subject) || says(&FAILURES, &lower)).then(|| by_prose(message))
}

/// Whether nobody wants an answer to this: `MAIL FROM:<>`, or what an earlier hop wrote of it.
pub(super) fn has_null_sender(message: &Message<'_>, envelope: Envelope<'_>) -> bool {
    let mut paths = message.header_values(HeaderName::ReturnPath).peekable();
    let written = paths.peek().is_some() && texts(paths).all(|path| path.trim().is_empty());
    envelope.sender.is_none() || written
}

fn is_daemon(message: &Message<'_>) -> bool {
    let from = message.from().and_then(|list| list.first()).and_then(|from| from.address()).unwrap_or_default();
    let local = from.split('@').next().unwrap_or_default().to_ascii_lowercase();
    DAEMONS.contains(&local.as_str())
}

/// What the machine-readable parts say; `None` when they say nothing.
fn by_status(parts: &[&MessagePart<'_>]) -> Option<Report> {
    let (mut found, mut failed, mut other) = (DeliveryFailure::default(), false, false);
    for part in parts {
        let contents = part.contents();
        let text = String::from_utf8_lossy(&contents[..contents.len().min(MAX_STATUS_BYTES)]).replace("\r\n", "\n");
        for group in text.split("\n\n") {
            let fields = status_fields(group);
            let of = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            let Some(action) = of("action") else { continue };
            let action = action.split([' ', '(', ';']).next().unwrap_or_default();
            if NO_FAILURES.iter().any(|known| action.eq_ignore_ascii_case(known)) {
                other = true;
                continue;
            }
            failed = true;
            let typed = |value: &str| one_line(value.split_once(';').map_or(value, |(_, said)| said), MAX_REASON_CHARS);
            let recipient = of("original-recipient").or(of("final-recipient")).map(typed);
            note_recipient(&mut found, recipient.as_deref().unwrap_or_default());
            found.status = found.status.or_else(|| of("status").and_then(status_code));
            found.reason = found.reason.or_else(|| of("diagnostic-code").map(typed).filter(|reason| !reason.is_empty()));
        }
    }
    match (failed, other) {
        (true, _) => Some(Report::Failed(found)),
        (false, true) => Some(Report::Other),
        (false, false) => None,
    }
}

/// The fields of a group, names in small letters, folded lines joined.
fn status_fields(group: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in group.lines().take(100) {
        match (line.starts_with([' ', '\t']), line.split_once(':'), fields.last_mut()) {
            (true, _, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, Some((name, value)), _) => fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned())),
            _ => {}
        }
    }
    fields
}

/// What a report in prose says.
fn by_prose(message: &Message<'_>) -> Report {
    let mut found = DeliveryFailure::default();
    for listed in plain_values(message, "X-Failed-Recipients").flat_map(|value| value.split(',')) {
        note_recipient(&mut found, listed);
    }
    let prose = prose(message);
    let own: Vec<String> = message.to().into_iter().flat_map(|list| list.iter()).filter_map(address_of).collect();
    let from = message.from().into_iter().flat_map(|list| list.iter()).filter_map(address_of);
    let known: Vec<String> = own.into_iter().chain(from).collect();
    for line in prose.lines().take(200) {
        let words = line.split(|letter: char| letter.is_whitespace() || "<>()[]\"',;".contains(letter));
        let named = words.map(|word| word.trim_matches([':', '.'])).find(|word| people::is_address(word) && word.is_ascii());
        if let Some(address) = named.filter(|address| found.recipients.is_empty() && !known.contains(&address.to_lowercase())) {
            note_recipient(&mut found, address);
        }
        if found.reason.is_none() && is_reason(line) {
            found.reason = Some(one_line(line.trim_matches(['>', ' ', '\t']), MAX_REASON_CHARS));
            found.status = found.status.or_else(|| line.split_whitespace().find_map(status_code));
        }
    }
    Report::Failed(found)
}

fn address_of(listed: &mail_parser::Addr<'_>) -> Option<String> {
    listed.address().map(str::to_lowercase)
}

fn note_recipient(found: &mut DeliveryFailure, written: &str) {
    let address = written.trim().trim_start_matches('<').trim_end_matches('>');
    if people::is_address(address) && found.recipients.len() < MAX_RECIPIENTS && !found.recipients.iter().any(|to| to == address)
    {
        found.recipients.push(address.to_owned());
    }
}

/// Whether a line is what a mail server answered: it has a code of a permanent failure, or says that nobody is there.
fn is_reason(line: &str) -> bool {
    let line = line.trim();
    let code = |word: &str| {
        let digits = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).as_bytes();
        digits.len() == 3 && digits[0] == b'5' && digits.iter().all(u8::is_ascii_digit)
    };
    let mut words = line.split(|letter: char| letter.is_whitespace() || letter == '-' || letter == ':');
    let lower = line.to_lowercase();
    line.contains(' ')
        && (words.any(|word| code(word) || status_code(word).is_some())
            || ["unknown", "no such", "doesn't have", "over quota", "mailbox full"].iter().any(|word| lower.contains(word)))
}

/// A status code of a permanent failure (RFC 3463), such as `5.1.1`.
fn status_code(word: &str) -> Option<String> {
    let word = word.split_whitespace().next()?.trim_matches(|letter: char| !letter.is_ascii_digit());
    let mut numbers = word.split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let short = |number: &str| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (class == "5" && short(subject) && short(detail) && numbers.next().is_none()).then(|| word.to_owned())
}

/// The beginning of what a report says in words.
fn prose(message: &Message<'_>) -> String {
    let texts = message.text_body.iter().filter_map(|id| message.part(*id));
    let part = texts.into_iter().find(|part| matches!(part.body, PartType::Text(_) | PartType::Html(_)));
    let contents = part.map(MessagePart::contents).unwrap_or_default();
    let said = String::from_utf8_lossy(&contents[..contents.len().min(MAX_PROSE_BYTES)]).replace("<br", "\n<br");
    if part.is_some_and(|part| matches!(part.body, PartType::Html(_))) {
        return crate::html::clean(&said).text;
    }
    said
}
