//! Whom a report in prose names, and which of its lines is the reason.

use super::super::people;
use super::status_code;
use super::words::{FAILURES, says};

/// How many lines of a report are read.
const MAX_LINES: usize = 200;
/// What stands before an address in reports that list whom they did not reach, in small letters.
const LABELS: [&str; 6] =
    ["recipient:", "unknown user:", "user unknown:", "failed recipient:", "(expanded from:", "(generated from"];
/// Ways to write what kind of address follows, in small letters.
const KINDS: [&str; 4] = ["dda:smtp=", "smtp:", "rfc822:", "mailto:"];
/// What the head of the mail that failed looks like where a report quotes some of it, in small letters.
const QUOTED_HEADS: [&str; 4] = ["to:", "sender:", "reply-to:", "subject:"];
/// Where the copy of the mail that failed begins, in small letters; after a line of dashes.
const COPIES: [&str; 9] = [
    "original message",
    "copy of",
    "unsent message",
    "message header",
    "message body",
    "message text",
    "header of",
    "returned message",
    "below this line",
];
/// The same without a line before it.
const COPIES_AT_START: [&str; 7] = [
    "original message follows",
    "original message as received",
    "message headers follow",
    "a copy of the original message",
    "a copy of your message",
    "return-path:",
    "received: ",
];

/// Whom a report did not reach: the addresses that lines begin with, because reports list them so; else those in lines that
/// say what went wrong; else the first one. Those in `known`, in small letters, are its own sender and reader, and never meant.
pub(super) fn recipients(report: &str, known: &[String]) -> Vec<String> {
    let (mut listed, mut said, mut first) = (Vec::new(), Vec::new(), None);
    for line in report.lines().take(MAX_LINES).take_while(|line| !begins_copy(line)) {
        let words = line.split(|letter: char| letter.is_whitespace() || "<>()[]\"',;".contains(letter));
        let mut addresses = words.map(|word| bare_address(word.trim_matches([':', '.'])));
        let Some(address) = addresses.find(|word| people::is_address(word) && word.is_ascii()) else { continue };
        let lower = line.trim_start().to_lowercase();
        let before = lower.find(&address.to_lowercase()).map_or("", |at| &lower[..at]);
        let is_sender = before.trim_end_matches([' ', '<', '"', ':']).ends_with("from");
        let is_named = |labels: &[&str]| labels.iter().any(|label| lower.starts_with(label));
        if known.contains(&address.to_lowercase()) || (is_sender && !is_named(&LABELS)) || lower.starts_with("cc:") {
            continue;
        }
        let begins = lower.trim_start_matches(['<', '[', '"']).starts_with(&address.to_lowercase()) && !lower.ends_with("wrote:");
        if is_of_postmaster(address) || is_named(&QUOTED_HEADS) {
            first.get_or_insert(address);
        } else if begins || is_named(&LABELS) || lower.contains(KINDS[0]) {
            listed.push(address.to_owned());
        } else if is_reason(line) || says(&FAILURES, &lower) || lower.contains("message was addressed") {
            said.push(address.to_owned());
        } else {
            first.get_or_insert(address);
        }
    }
    if !listed.is_empty() {
        return listed;
    }
    if said.is_empty() { first.into_iter().map(str::to_owned).collect() } else { said }
}

/// An address without what some systems write before it, such as `SMTP:`.
pub(super) fn bare_address(written: &str) -> &str {
    let kind = KINDS.iter().find(|kind| written.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind)));
    kind.map_or(written, |kind| &written[kind.len()..])
}

/// What a report says before the copy of the mail that failed.
pub(super) fn own_words(report: &str) -> String {
    report.lines().take(MAX_LINES).take_while(|line| !begins_copy(line)).collect::<Vec<_>>().join("\n")
}

/// Whether a line is what a mail server answered: it has a code of a permanent failure, or says that nobody is there.
pub(super) fn is_reason(line: &str) -> bool {
    let line = line.trim();
    let code = |word: &str| {
        let digits = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()).as_bytes();
        digits.len() == 3 && digits[0] == b'5' && digits.iter().all(u8::is_ascii_digit)
    };
    let mut words = line.split(|letter: char| letter.is_whitespace() || letter == '-' || letter == ':');
    let lower = line.to_lowercase();
    line.contains(' ')
        && (words.any(|word| code(word) || status_code(word, &["5"]).is_some())
            || ["unknown", "no such", "doesn't have", "over quota", "mailbox full"].iter().any(|word| lower.contains(word)))
}

fn begins_copy(line: &str) -> bool {
    let lower = line.trim().trim_start_matches('>').to_lowercase();
    (lower.starts_with("--") && says(&COPIES, &lower)) || COPIES_AT_START.iter().any(|start| lower.starts_with(start))
}

/// Somebody to write to for help, whom reports name often.
fn is_of_postmaster(address: &str) -> bool {
    address.get(..11).is_some_and(|start| start.eq_ignore_ascii_case("postmaster@"))
}
