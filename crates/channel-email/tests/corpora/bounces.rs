//! Delivery reports of many mail systems: each is taken in, and is read as the project says whose test it is from.

use super::expected::{self, Expected, sorted};
use super::{corpus, files, take_in};
use std::collections::BTreeMap;
use std::fs;
use switchboard_model::{InboundMessage, Nature};

/// How much of what is stated was compared.
#[derive(Default)]
struct Compared {
    bounces: usize,
    recipients: usize,
    statuses: usize,
    replies: usize,
    references: usize,
    /// Which mail, what of it, and how it differs.
    different: Vec<(String, &'static str, String)>,
}

impl Compared {
    fn compare(&mut self, name: &str, message: &InboundMessage, expected: &Expected) {
        let failure = message.details.failure.clone().unwrap_or_default();
        if let Some(bounce) = expected.bounce {
            self.bounces += 1;
            if bounce != (message.nature == Nature::Bounce) {
                self.differs(name, "bounce", format!("{bounce} is stated, the mail is {}", message.nature));
            }
        }
        if let Some(recipients) = &expected.recipients
            && expected.bounce != Some(false)
        {
            self.recipients += 1;
            let found = sorted(failure.recipients.clone());
            if found != *recipients {
                self.differs(name, "recipients", format!("{recipients:?} are stated, {found:?} are found"));
            }
        }
        if let Some(status) = &expected.status {
            self.statuses += 1;
            if failure.status.as_ref() != Some(status) {
                self.differs(name, "status", format!("{status} is stated, {:?} is found", failure.status));
            }
        }
        if let Some(reply) = &expected.reply {
            self.replies += 1;
            let reason = failure.reason.clone().unwrap_or_default();
            if !reason.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| word == reply) {
                self.differs(name, "reply", format!("{reply} is stated, {reason:?} is found"));
            }
        }
        if let Some(reference) = &expected.reference {
            self.references += 1;
            if failure.reference.as_deref() != Some(reference.trim_matches(['<', '>'])) {
                self.differs(name, "reference", format!("{reference} is stated, {:?} is found", failure.reference));
            }
        }
    }

    fn differs(&mut self, name: &str, what: &'static str, how: String) {
        self.different.push((name.to_owned(), what, how));
    }

    /// Says how much was compared, and fails unless exactly the known differences were found.
    fn conclude(self, corpus: &str, known: &[(&str, &str, &str)]) {
        println!(
            "{corpus}: stated and compared: bounce or none of {}, recipients of {}, status of {}, reply of {}, reference of {}; \
             {} differ",
            self.bounces,
            self.recipients,
            self.statuses,
            self.replies,
            self.references,
            self.different.len()
        );
        let is_known = |name: &str, what: &str| known.iter().any(|(known, of, _)| *known == name && *of == what);
        let unknown = self.different.iter().filter(|(name, what, _)| !is_known(name, what));
        let unknown: Vec<String> = unknown.map(|(name, what, how)| format!("{name}, {what}: {how}")).collect();
        assert!(unknown.is_empty(), "{}", unknown.join("\n"));
        for (name, what, why) in known {
            let is_found = self.different.iter().any(|(found, of, _)| found == name && of == what);
            assert!(is_found, "{name}, {what} differs no more ({why})");
        }
    }
}

/// The mails of a corpus by the names that its tests know them by.
fn by_name(taken: BTreeMap<String, InboundMessage>, place: &str) -> BTreeMap<String, InboundMessage> {
    taken.into_iter().map(|(name, message)| (name.trim_start_matches(place).to_owned(), message)).collect()
}

/// Where we differ from what `flufl.bounce` states, and why.
const OTHER_THAN_DETECTORS: &[(&str, &str, &str)] = &[
    ("aol_01", "recipients", "lists a name without its domain; we make none up"),
    ("yale_01", "recipients", "lists a name without its domain; what is found is an example from the explanation below it"),
];
/// Mails of which `flufl.bounce` states nothing, and that are no reports of failures.
const NO_FAILURES: [&str; 2] = ["groupwise_03", "qmail_08"];

#[tokio::test]
async fn delivery_reports_of_any_mail_system_are_bounces() {
    let Some(folder) = corpus("flufl-bounce") else { return };
    let mails = files(&folder, "txt");
    let taken = by_name(take_in("corpus_flufl", Some(""), &mails).await, "data-");
    let helpers = fs::read_to_string(folder.join("testing-helpers.py")).expect("the list of mails");
    let stated = expected::of_detectors(&helpers);
    let mut compared = Compared::default();
    for (name, message) in &taken {
        let nothing = Expected { bounce: Some(!NO_FAILURES.contains(&name.as_str())), ..Expected::default() };
        let expected = stated.get(name).filter(|stated| stated.bounce.is_some()).unwrap_or(&nothing);
        compared.compare(name, message, expected);
        assert!(!matches!(message.nature, Nature::Message), "{name} would be answered");
    }
    println!("flufl.bounce: {} mails, {} of them new", mails.len(), taken.len());
    assert!(taken.len() >= 110 && compared.bounces >= 110 && compared.recipients >= 95, "the corpus has shrunk");
    compared.conclude("flufl.bounce", OTHER_THAN_DETECTORS);
}

/// Where we differ from what `Mail::DeliveryStatus::BounceParser` states, and why.
const OTHER_THAN_BOUNCE_PARSER: &[(&str, &str, &str)] = &[
    ("aol-senderblock", "recipients", "lists a name without its domain; we make none up"),
    ("aol.attachment", "recipients", "lists a name without its domain; we make none up"),
    ("long-smtp", "reply", "the corpus reads the status code 4.4.7 as the reply 447, which the report does not hold"),
    ("postfix-host-unknown", "reply", "the corpus reads the status code 5.0.0 as the reply 500, which the report does not hold"),
    ("spam-bogus-email-in-report", "bounce", "spam from a person's address; the corpus says itself that it is no bounce"),
    ("spam-with-image", "bounce", "spam from a person's address, without a word of a delivery"),
    ("whitelist", "bounce", "a server asks for a confirmation, but refused the mail with 550: it was not delivered"),
];

#[tokio::test]
async fn reports_and_what_looks_like_them_are_told_apart() {
    let Some(folder) = corpus("bounceparser") else { return };
    let mails = files(&folder, "msg");
    let taken = by_name(take_in("corpus_bounceparser", None, &mails).await, "corpus-");
    let names: Vec<&str> = mails.iter().map(|(name, _)| name.trim_start_matches("corpus-")).collect();
    let mut stated: BTreeMap<String, Expected> = BTreeMap::new();
    for (_, test) in files(&folder, "t") {
        for (name, more) in expected::of_reports(&String::from_utf8_lossy(&test), &names) {
            let known = stated.remove(&name).unwrap_or_default();
            stated.insert(name, known.or(&more));
        }
    }
    let mut compared = Compared::default();
    for (name, message) in &taken {
        compared.compare(name, message, stated.get(name).unwrap_or(&Expected::default()));
    }
    println!("BounceParser: {} mails, {} of them new; its tests state something of {}", mails.len(), taken.len(), stated.len());
    assert!(taken.len() >= 120 && compared.bounces >= 115, "the corpus has shrunk, or its tests are written otherwise");
    let rest = [compared.recipients >= 35, compared.statuses >= 1, compared.replies >= 25, compared.references >= 4];
    assert!(rest.iter().all(|enough| *enough), "its tests are written otherwise");
    compared.conclude("BounceParser", OTHER_THAN_BOUNCE_PARSER);
}
