//! What other projects expect of the mails that they test with, read from their own tests.

use std::collections::BTreeMap;

/// What a test of another project states about a mail; what it is silent about is `None`.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Whether the mail is a report of a failure.
    pub bounce: Option<bool>,
    /// Whom the mail that failed did not reach, in small letters and sorted.
    pub recipients: Option<Vec<String>>,
    /// The status code (RFC 3463).
    pub status: Option<String>,
    /// What the other server answered (RFC 5321 4.2), as the three digits.
    pub reply: Option<String>,
    /// The id of the mail that failed.
    pub reference: Option<String>,
}

impl Expected {
    /// This, and where it is silent the other.
    pub fn or(self, other: &Self) -> Self {
        Self {
            bounce: self.bounce.or(other.bounce),
            recipients: self.recipients.or_else(|| other.recipients.clone()),
            status: self.status.or_else(|| other.status.clone()),
            reply: self.reply.or_else(|| other.reply.clone()),
            reference: self.reference.or_else(|| other.reference.clone()),
        }
    }
}

/// From the list in `flufl.bounce`: `('detector', 'file.txt', [b'address', …], is_temporary)`, by names without ending.
pub fn of_detectors(python: &str) -> BTreeMap<String, Expected> {
    let list = python.split_once("DATA = (").expect("the list of mails").1;
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    for entry in list.split(".txt'").collect::<Vec<_>>().windows(2) {
        let name = entry[0].rsplit('\'').next().expect("a name before its ending");
        let (_, rest) = entry[1].split_once('[').expect("a list of addresses");
        let (addresses, rest) = rest.split_once(']').expect("its end");
        let is_temporary = rest.trim_start().starts_with(", True");
        let known = expected.entry(name.to_owned()).or_default();
        let named = sorted(quoted(addresses));
        // One mail may be given to several detectors, of which those that it is not meant for find nothing.
        if !named.is_empty() {
            known.bounce = Some(!is_temporary);
            known.recipients = Some(named);
        }
    }
    expected
}

/// From the tests of `Mail::DeliveryStatus::BounceParser`: what `check_report` and its like say of a file, by names without
/// ending. `names` are those that there are, for the tests that take all files whose names begin alike.
pub fn of_reports(perl: &str, names: &[&str]) -> BTreeMap<String, Expected> {
    let mut expected: BTreeMap<String, Expected> = BTreeMap::new();
    let lines = perl.lines().filter(|line| !line.trim_start().starts_with('#'));
    let code = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    // A loop says for all files that the test names what it does not say of each.
    let common = code.split("check_report(").skip(1).map(|call| call.split_once(");").map_or(call, |(call, _)| call));
    let common = common.filter(|call| call.split(',').next().is_some_and(|first| first.contains('$')));
    let common = common.last().map(stated).unwrap_or_default();
    let mentions: Vec<&str> = code.split(".msg").collect();
    for mention in mentions.windows(2) {
        let begin = mention[0].rfind(|letter: char| letter.is_whitespace() || "'\"/".contains(letter)).map_or(0, |at| at + 1);
        let named = &mention[0][begin..];
        // What is said of a file ends where the next one is named, or the next statement about one begins.
        let said = ["readfile(", "check_one(", "check_report("].iter().filter_map(|next| mention[1].find(next)).min();
        let said = stated(&mention[1][..said.unwrap_or(mention[1].len())]).or(&common);
        let start = named.strip_suffix('*');
        for name in names.iter().filter(|name| start.map_or(**name == named, |start| name.starts_with(start))) {
            let known = expected.remove(*name).unwrap_or_default();
            expected.insert((*name).to_owned(), known.or(&said));
        }
    }
    expected
}

/// What a piece of a test states.
fn stated(code: &str) -> Expected {
    let bounce = match (after(code, "is_bounce => "), code.find("->is_bounce")) {
        // Their test states what it hopes for.
        _ if code.contains("todo_is_bounce") => None,
        (Some(value), _) => Some(value.starts_with('1')),
        (None, at) => at.map(|at| !code[..at].rsplit('(').next().unwrap_or_default().trim_start().starts_with('!')),
    };
    let digits = |value: &str| {
        let digits: String = value.trim_start_matches(['"', '\'']).chars().take_while(char::is_ascii_digit).collect();
        (digits.len() == 3).then_some(digits)
    };
    let listed = ["addresses => [", "->addresses ], ["].iter().find_map(|key| after(code, key));
    let listed = listed.and_then(|list| list.split_once(']')).map(|(list, _)| match list.trim().strip_prefix("qw(") {
        Some(words) => sorted(words.trim_end_matches(')').split_whitespace().map(str::to_owned).collect()),
        None => sorted(quoted(list)),
    });
    let single = after(code, "\"recipient\" => ").map(|value| sorted(quoted(value).into_iter().take(1).collect()));
    let reference = after(code, "orig_message_id,").or(after(code, "orig_message_id => "));
    Expected {
        bounce,
        recipients: single.or(listed).filter(|list| !list.is_empty()),
        status: after(code, " status => ").and_then(|value| quoted(value).into_iter().next()),
        reply: after(code, "smtp_code => ").or(after(code, "\"smtp_code\" => ")).and_then(digits),
        reference: reference.and_then(|value| quoted(value).into_iter().next()),
    }
}

fn after<'c>(code: &'c str, key: &str) -> Option<&'c str> {
    code.split_once(key).map(|(_, value)| value)
}

/// What stands in single or double quotes.
fn quoted(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['\'', '"']) {
        let quote = rest[at..].chars().next().expect("a quote was found");
        let Some(end) = rest[at + 1..].find(quote) else { break };
        found.push(rest[at + 1..at + 1 + end].to_owned());
        rest = &rest[at + end + 2..];
    }
    found
}

/// Addresses in small letters, each once, in an order that does not depend on who lists them.
pub fn sorted(mut addresses: Vec<String>) -> Vec<String> {
    addresses.iter_mut().for_each(|address| *address = address.to_lowercase());
    addresses.sort();
    addresses.dedup();
    addresses
}
