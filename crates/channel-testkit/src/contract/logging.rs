//! The check of what is logged: neither secrets, nor what people wrote, nor who they are (DESIGN 3.11).

use super::intake::{damage, deliver};
use crate::context::settings;
use crate::harness::{Harness, Intake};
use crate::logs::{Listening, LogLine, listen};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_channel::{InboxErrorKind, Registration, ThreadChange};
use switchboard_model::{InboundMessage, OutboundMessage};

/// Shorter texts turn up by chance.
const SHORTEST_MARK: usize = 8;
/// So many lines are shown when a check fails.
const MOST_SHOWN: usize = 5;
/// By this target the check knows that it hears anything at all.
const PROBE: &str = "switchboard_channel_testkit::probe";

/// What the channel goes through while its log is read. Whatever is confidential in it is a mark: a text of eight letters or
/// more that stands nowhere else, least of all in another test.
pub struct Tour<'a> {
    /// The adapter.
    pub registration: &'a Registration,
    /// The channel's slug.
    pub slug: &'a str,
    /// Settings with which it works, in TOML.
    pub settings: &'a str,
    /// Settings that are refused.
    pub refused: &'a [&'a str],
    /// Settings with which nothing can be sent: a server that refuses, one that is not there.
    pub failing: &'a [String],
    /// What comes in.
    pub payloads: &'a [Vec<u8>],
    /// What comes in with a wrong signature, and how it is delivered; empty where the source signs nothing.
    pub forged: Vec<(&'a dyn Intake, Vec<u8>)>,
    /// What goes out.
    pub replies: &'a [OutboundMessage],
}

/// Reads all that is logged from its beginning on, of every level and by libraries as well, and knows the marks in it: as
/// they are, in any case of letters, and as base64, percent-encoded, in hexadecimal, or as a list of bytes.
///
/// Of libraries it reads what the host lets through, which is [`switchboard_channel::may_be_logged`]; of our own, everything.
pub struct LogWatch {
    marks: Vec<Mark>,
    found: Arc<Found>,
    _listening: Listening,
}

/// A text that must not be logged, and everything that it looks like.
struct Mark {
    name: String,
    plain: String,
    is_secret: bool,
    /// Spellings that are compared without regard to case, and those that are not.
    folded: Vec<String>,
    exact: Vec<String>,
}

#[derive(Default)]
struct Found {
    leaks: Mutex<Vec<String>>,
    said: Mutex<BTreeSet<String>>,
    heard: AtomicBool,
}

impl LogWatch {
    /// Begins to read. `secrets` are what settings hold, `texts` whatever people wrote or are called.
    ///
    /// # Panics
    /// When a mark is too short, or holds letters that a log spells otherwise: marks are made of the visible ASCII letters
    /// and blanks, without quotes and backslashes.
    #[must_use]
    pub fn start(secrets: &[&str], texts: &[&str]) -> Self {
        let numbered = |kind, marks: &[&str]| {
            let named = (1..).zip(marks).map(|(place, mark)| Mark::new(format!("{kind} {place}"), mark, kind == "secret"));
            named.collect::<Vec<_>>()
        };
        let marks: Vec<Mark> = numbered("secret", secrets).into_iter().chain(numbered("text", texts)).collect();
        assert!(!marks.is_empty(), "without a mark nothing is looked for");
        let found = Arc::new(Found::default());
        let probe = next_probe();
        let (known, heard) = (marks.iter().map(Mark::again).collect::<Vec<_>>(), Arc::clone(&found));
        let listening = listen(move |line| heard.hear(line, &known, probe));
        tracing::trace!(target: PROBE, probe);
        Self { marks, found, _listening: listening }
    }

    /// Looks through a text that is shown or logged elsewhere, such as an error that the engine logs.
    pub fn read(&self, what: &str, text: &str) {
        self.found.look(what, text, self.marks.iter());
    }

    /// Adapters have said each of these: the tour has come by where they are logged.
    ///
    /// # Panics
    /// When one was not said.
    pub fn assert_said(&self, messages: &[&str]) {
        let said = self.found.said.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<_> = messages.iter().filter(|message| !said.contains(**message)).collect();
        assert!(missing.is_empty(), "these lines were not logged: {missing:?}; these were: {said:?}");
    }

    /// Whether an adapter has said this.
    #[must_use]
    pub fn has_said(&self, message: &str) -> bool {
        self.found.said.lock().unwrap_or_else(PoisonError::into_inner).contains(message)
    }

    /// Nothing that was logged so far shows a mark.
    ///
    /// # Panics
    /// When a line does, and when nothing can be heard, because the test has a subscriber of its own.
    pub fn assert_hidden(&self) {
        assert!(self.found.heard.load(Ordering::SeqCst), "nothing is heard of what is logged here");
        let leaks = self.found.leaks();
        let shown = leaks.iter().take(MOST_SHOWN).cloned().collect::<Vec<_>>().join("\n");
        assert!(leaks.is_empty(), "{} times a mark was logged:\n{shown}", leaks.len());
    }
}

/// Takes the channel through all that can be logged about: settings that are refused, payloads, repeats of them, refusals of
/// the inbox, damaged and forged ones, answers in the conversations that they made, conversations that cannot be read,
/// replies, and replies that fail. None of the watch's marks is in a line of the log, nor in an error of `send`, and no
/// secret in a fault of the settings, all of which others log.
///
/// # Panics
/// When one is; when a mark is in nothing that the channel was given, which would prove nothing; when settings that should be
/// refused are not, or a payload is not recorded.
pub async fn logs_hide(watch: &LogWatch, intake: &dyn Intake, tour: &Tour<'_>) {
    for refused in tour.refused {
        let Err(faults) = (tour.registration.build)(&settings(tour.slug, refused)) else {
            panic!("settings of this check that must be refused were accepted");
        };
        let shown = faults.iter().map(|fault| format!("{fault} {fault:?}"));
        // What else was found is shown on purpose, to whoever wrote it there.
        let secrets: Vec<&Mark> = watch.marks.iter().filter(|mark| mark.is_secret).collect();
        shown.for_each(|shown| watch.found.look("a fault of the settings", &shown, secrets.iter().copied()));
    }
    let harness = Harness::start(tour.registration, tour.slug, tour.settings).await;
    harness.run();
    come_in(&harness, intake, tour).await;
    answer(&harness).await;
    go_out(watch, &harness, tour).await;
    harness.stop().await;
    for failing in tour.failing {
        let harness = Harness::start(tour.registration, tour.slug, failing).await;
        go_out(watch, &harness, tour).await;
        harness.stop().await;
    }
    let given = given(tour, &harness.inbox.messages());
    for mark in &watch.marks {
        assert!(mark.is_in(&given), "{} is in nothing that the channel was given", mark.name);
    }
    watch.assert_hidden();
}

async fn come_in(harness: &Harness, intake: &dyn Intake, tour: &Tour<'_>) {
    for payload in tour.payloads {
        for kind in [InboxErrorKind::Unavailable, InboxErrorKind::Busy, InboxErrorKind::Closed, InboxErrorKind::Invalid] {
            harness.inbox.fail_with(kind);
            deliver(harness, intake, payload).await;
        }
        harness.inbox.recover();
        harness.inbox.lose_next_answer();
        let before = harness.inbox.messages().len();
        for _ in 0..3 {
            deliver(harness, intake, payload).await;
        }
        assert!(harness.inbox.messages().len() > before, "a payload of this check was not recorded");
        for damaged in damage(payload) {
            deliver(harness, intake, &damaged).await;
        }
    }
    for (forger, payload) in &tour.forged {
        deliver(harness, *forger, payload).await;
    }
}

/// The desk takes part in the conversations, and then they cannot be read for a while.
async fn answer(harness: &Harness) {
    let messages = harness.inbox.messages();
    for (message, receipt) in messages.iter().zip(harness.inbox.receipts()) {
        harness.threads.writing(receipt.conversation, &message.text, true);
        harness.threads.reply(receipt.conversation, &message.text, &message.text);
        for failing in [true, false] {
            harness.threads.fail(failing);
            harness.threads.tell(ThreadChange::Message(receipt.conversation));
            tokio::task::yield_now().await;
        }
    }
}

async fn go_out(watch: &LogWatch, harness: &Harness, tour: &Tour<'_>) {
    for reply in tour.replies {
        // The same key once more, as the outbox does after a crash.
        for _ in 0..2 {
            if let Err(error) = harness.channel.send(reply).await {
                watch.read("an error of `send`", &format!("{error} {error:?}"));
            }
        }
    }
}

/// All that the channel was given, and what it made of it, as one text.
fn given(tour: &Tour<'_>, recorded: &[InboundMessage]) -> String {
    let mut given = [&[tour.settings], tour.refused].concat().join("\n");
    given.extend(tour.failing.iter().map(String::as_str));
    for payload in tour.payloads.iter().chain(tour.forged.iter().map(|(_, payload)| payload)) {
        given.push_str(&String::from_utf8_lossy(payload));
    }
    for message in recorded {
        let files = message.attachments.iter().map(|file| format!("{} {}", file.name, String::from_utf8_lossy(&file.bytes)));
        let (files, fields): (Vec<_>, Vec<_>) =
            (files.collect(), message.fields.iter().map(|(_, value)| value.as_str()).collect());
        let sender = &message.sender;
        let said = [message.subject.as_deref(), Some(&message.text), sender.name.as_deref(), Some(&sender.identity.value)];
        given.extend(said.into_iter().flatten());
        given.extend(files.iter().map(String::as_str).chain(fields));
    }
    for reply in tour.replies {
        let people = reply.to.iter().chain(&reply.cc).chain(&reply.bcc);
        let people = people.map(|person| format!("{} {}", person.name.as_deref().unwrap_or_default(), person.address));
        let files = reply.attachments.iter().map(|file| format!("{} {}", file.name, String::from_utf8_lossy(&file.bytes)));
        given.extend(people.chain(files));
        let said = [reply.author.as_deref(), reply.subject.as_deref(), Some(&reply.text), reply.html.as_deref()];
        given.extend(said.into_iter().flatten().chain([reply.identity.value.as_str()]));
    }
    given
}

fn next_probe() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

impl Found {
    fn leaks(&self) -> MutexGuard<'_, Vec<String>> {
        self.leaks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, line: &LogLine, marks: &[Mark], probe: u64) {
        if line.target == PROBE {
            if line.field("probe") == Some(probe.to_string().as_str()) {
                self.heard.store(true, Ordering::SeqCst);
            }
        } else if line.may_be_written() {
            if let Some(message) = line.field("message").filter(|_| line.target.starts_with("switchboard_channel_")) {
                self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(message.to_owned());
            }
            self.look("a line", &line.to_string(), marks.iter());
        }
    }

    fn look<'m>(&self, what: &str, text: &str, marks: impl Iterator<Item = &'m Mark>) {
        let leaked = marks.filter(|mark| mark.is_in(text)).map(|mark| format!("{what} shows {}: {text}", mark.name));
        self.leaks().extend(leaked);
    }
}

impl Mark {
    fn new(name: String, mark: &str, is_secret: bool) -> Self {
        assert!(mark.len() >= SHORTEST_MARK, "{name} is too short to be told from what turns up by chance");
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'\\');
        assert!(mark.bytes().all(is_plain), "{name} holds letters that are spelled otherwise in a log");
        let mut percent = String::new();
        for byte in mark.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                percent.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(percent, "%{byte:02X}");
            }
        }
        let bytes: Vec<String> = mark.bytes().map(|byte| byte.to_string()).collect();
        let hex: String = mark.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let folded = [mark.to_owned(), percent.replace("%20", "+"), percent, hex, bytes.join(", ")];
        let exact = (0..3).flat_map(|shift| [within(&STANDARD_NO_PAD, mark, shift), within(&URL_SAFE_NO_PAD, mark, shift)]);
        let folded = folded.map(|text| text.to_lowercase()).to_vec();
        Self { name, plain: mark.to_owned(), is_secret, folded, exact: exact.collect() }
    }

    fn again(&self) -> Self {
        Self::new(self.name.clone(), &self.plain, self.is_secret)
    }

    fn is_in(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        self.folded.iter().any(|spelling| lower.contains(spelling)) || self.exact.iter().any(|spelling| text.contains(spelling))
    }
}

/// What a text looks like within something longer in base64, `shift` bytes behind a multiple of three: the letters that it
/// alone decides.
fn within(alphabet: &impl Engine, mark: &str, shift: usize) -> String {
    let bytes = [vec![0; shift], mark.as_bytes().to_vec()].concat();
    let letters = alphabet.encode(&bytes);
    letters[(shift * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{LogWatch, Mark, within};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn a_mark_is_known_in_every_spelling() {
        let mark = Mark::new("secret 1".to_owned(), "Right & wrong+1", true);
        for before in ["", "a", "bc", "kari:", "user=kari\u{1}auth=Bearer "] {
            let encoded = STANDARD.encode(format!("{before}Right & wrong+1\u{1}\u{1}"));
            assert!(mark.is_in(&format!("AUTH {encoded}")), "behind `{before}`: {encoded}");
        }
        for text in [
            "the right & WRONG+1 of it",
            "q=Right%20%26%20wrong%2b1&",
            "q=Right+%26+wrong%2B1",
            "5269676874202620 77726f6e672b31".replace(' ', "").as_str(),
            &format!("{:?}", b"is Right & wrong+1"),
        ] {
            assert!(mark.is_in(text), "{text}");
        }
        for text in ["right and wrong", "Right & wrong", "UmlnaHQ", ""] {
            assert!(!mark.is_in(text), "{text}");
        }
        assert_eq!(within(&STANDARD, "abc", 0), "YWJj");
    }

    #[test]
    fn marks_that_prove_nothing_are_refused() {
        for marks in [&["short"][..], &["Ødegård lives here"], &["with \"quotes\" in it"], &[]] {
            assert!(std::panic::catch_unwind(|| LogWatch::start(marks, &[])).is_err(), "{marks:?}");
        }
    }
}
