//! Delivery reports: those that follow RFC 3464, and those of mail systems that write prose.
//!
//! Prose counts only from a machine: the null sender, an address such as `mailer-daemon`, or a header that only mail
//! systems write. A person who complains that a mail could not be delivered is a person.

mod prose;
#[cfg(test)]
mod tests;
mod words;

use super::structure::{self, Structure};
use super::{Envelope, one_line, people, plain_values, texts};
use mail_parser::{HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use switchboard_model::DeliveryFailure;
use words::{DAEMONS, DELAYS, FAILURES, NO_FAILURES, STILL_TRYING, says};

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

/// Reads a report; `None` when the mail is none.
pub(super) fn report(message: &Message<'_>, envelope: Envelope<'_>) -> Option<Report> {
    let statuses = statuses(message);
    if message.is_content_type("multipart", "report") {
        let kind = message.content_type().and_then(|kind| kind.attribute("report-type")).unwrap_or("delivery-status");
        if !kind.eq_ignore_ascii_case("delivery-status") {
            return Some(if is_rejection(message) { by_prose(message) } else { Report::Other });
        }
        return Some(by_status(&statuses).unwrap_or_else(|| by_words(message, &statuses)));
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
    let delay = says(&STILL_TRYING, &prose::own_words(&lower));
    if delay || says(&DELAYS, &subject) || (says(&DELAYS, &lower) && !says(&FAILURES, &subject)) {
        return daemon.then_some(Report::Other);
    }
    (daemon || says(&FAILURES, &subject) || says(&FAILURES, &lower)).then(|| match by_prose(message) {
        Report::Failed(found) if found.recipients.is_empty() => carried_report(message).unwrap_or(Report::Failed(found)),
        report => report,
    })
}

/// Whether nobody wants an answer to this: `MAIL FROM:<>` or the address of a mail system, or what an earlier hop wrote of it.
pub(super) fn has_null_sender(message: &Message<'_>, envelope: Envelope<'_>) -> bool {
    let mut paths = message.header_values(HeaderName::ReturnPath).peekable();
    let written = paths.peek().is_some() && texts(paths).all(|path| path.trim().is_empty());
    envelope.sender.is_none_or(is_of_daemon) || written
}

fn is_daemon(message: &Message<'_>) -> bool {
    message.from().and_then(|list| list.first()).and_then(|from| from.address()).is_some_and(is_of_daemon)
}

fn is_of_daemon(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    DAEMONS.contains(&local.as_str())
}

/// The machine-readable parts.
fn statuses<'m>(message: &'m Message<'m>) -> Vec<&'m MessagePart<'m>> {
    message.parts.iter().filter(|part| part.is_content_type("message", "delivery-status")).take(10).collect()
}

/// A mail that was refused after it had been accepted, told as if it had been read (RFC 5429 2.1.2); those who delete a mail
/// unread send the same, in other words.
fn is_rejection(message: &Message<'_>) -> bool {
    let mut notices = message.parts.iter().filter(|part| part.is_content_type("message", "disposition-notification"));
    let is_deleted = |part: &MessagePart<'_>| {
        let fields = status_fields(&status_text(part));
        fields.iter().any(|(name, value)| name == "disposition" && value.to_ascii_lowercase().contains("deleted"))
    };
    notices.any(is_deleted)
        && says(&["automatically rejected", "was rejected", "has been rejected"], &prose(message).to_lowercase())
}

/// The report that a filter on the way has put into a mail of its own.
fn carried_report(message: &Message<'_>) -> Option<Report> {
    let carried = message.parts.iter().find(|part| part.is_content_type("message", "rfc82~"))?;
    // What was encoded has not been made safe for the parser yet.
    let Structure::Readable(prepared) = structure::prepare(carried.contents()) else { return None };
    let report = MessageParser::default().parse(prepared.as_ref())?;
    let is_report = report.is_content_type("multipart", "report");
    by_status(&statuses(&report)).filter(|_| is_report)
}

/// What a report says whose machine-readable parts say nothing of anybody: services that ask senders to confirm themselves
/// send such reports, in words of their own.
fn by_words(message: &Message<'_>, statuses: &[&MessagePart<'_>]) -> Report {
    let lower = prose(message).to_lowercase();
    let failed = says(&FAILURES, &lower) || says(&FAILURES, &message.subject().unwrap_or_default().to_lowercase());
    let fields = statuses.iter().flat_map(|part| status_fields(&status_text(part)));
    let (mut temporary, mut acts) = (false, false);
    for (name, value) in fields {
        temporary |= name == "status" && value.starts_with('4');
        acts |= name == "action";
    }
    if acts && temporary && !failed { Report::Other } else { by_prose(message) }
}

/// What the machine-readable parts say; `None` when they say nothing.
fn by_status(parts: &[&MessagePart<'_>]) -> Option<Report> {
    let (mut found, mut failed, mut other) = (DeliveryFailure::default(), false, false);
    for part in parts {
        for group in status_text(part).split("\n\n") {
            let fields = status_fields(group);
            let of = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            let recipient = of("original-recipient").or(of("final-recipient"));
            let (Some(action), Some(recipient)) = (of("action"), recipient) else { continue };
            let action = action.split([' ', '(', ';']).next().unwrap_or_default();
            if NO_FAILURES.iter().any(|known| action.eq_ignore_ascii_case(known)) {
                other = true;
                continue;
            }
            failed = true;
            let typed = |value: &str| one_line(value.split_once(';').map_or(value, |(_, said)| said), MAX_REASON_CHARS);
            note_recipient(&mut found, &typed(recipient));
            // What was tried for too long has failed under the code of what was wrong each time.
            found.status = found.status.or_else(|| of("status").and_then(|status| status_code(status, &["4", "5"])));
            let comment = of("status").and_then(|status| status.split_once('(')).map(|(_, said)| said.trim_end_matches(')'));
            let said = of("diagnostic-code").map(typed).or_else(|| comment.map(|said| one_line(said, MAX_REASON_CHARS)));
            found.reason = found.reason.or(said).filter(|reason| !reason.is_empty());
        }
    }
    match (failed, other) {
        (true, _) => Some(Report::Failed(found)),
        (false, true) => Some(Report::Other),
        (false, false) => None,
    }
}

/// The beginning of a machine-readable part, with line feeds alone.
fn status_text(part: &MessagePart<'_>) -> String {
    let contents = part.contents();
    String::from_utf8_lossy(&contents[..contents.len().min(MAX_STATUS_BYTES)]).replace("\r\n", "\n")
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
    if found.recipients.is_empty() {
        prose::recipients(&prose, &known).iter().for_each(|address| note_recipient(&mut found, address));
    }
    if let Some(line) = prose.lines().take(200).find(|line| prose::is_reason(line)) {
        found.reason = Some(one_line(line.trim_matches(['>', ' ', '\t']), MAX_REASON_CHARS));
        found.status = line.split_whitespace().find_map(|word| status_code(word, &["5"]));
    }
    Report::Failed(found)
}

fn address_of(listed: &mail_parser::Addr<'_>) -> Option<String> {
    listed.address().map(str::to_lowercase)
}

fn note_recipient(found: &mut DeliveryFailure, written: &str) {
    let address = prose::bare_address(written.trim().trim_start_matches('<').trim_end_matches('>'));
    let is_known = found.recipients.iter().any(|to| to.eq_ignore_ascii_case(address));
    if people::is_address(address) && found.recipients.len() < MAX_RECIPIENTS && !is_known {
        found.recipients.push(address.to_owned());
    }
}

/// A status code (RFC 3463) of one of some classes, such as `5.1.1`.
fn status_code(word: &str, classes: &[&str]) -> Option<String> {
    let word = word.split_whitespace().next()?.trim_matches(|letter: char| !letter.is_ascii_digit());
    let mut numbers = word.split('.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let short = |number: &str| (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (classes.contains(&class) && short(subject) && short(detail) && numbers.next().is_none()).then(|| word.to_owned())
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
