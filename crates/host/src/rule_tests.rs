//! The test cases that a directory file carries (ROUTING 13.3): who is to get an item under stated circumstances.
//!
//! They are run by `switchboard check` against the directory as the file would make it, and never stored.

use std::collections::BTreeMap;
use switchboard_engine::directory::Entry;
use switchboard_model::{Directory, Fault};
use switchboard_simulator::{Expect, OpenWork, RuleTest, TestContact, run_rule_tests};
use toml::{Table, Value};

/// The test cases of a file.
#[derive(Debug, Default)]
pub struct RuleTests {
    /// Those that could be read, with their place in the file.
    cases: Vec<(usize, RuleTest)>,
    /// What is wrong with the others.
    faults: Vec<Fault>,
}

impl RuleTests {
    /// Reads `[[tests]]` of a directory file. A text that is no TOML has none: whoever merges it names the fault.
    pub fn read(text: &str) -> Self {
        let mut tests = Self::default();
        let Ok(mut file) = text.parse::<Table>() else { return tests };
        let Some(value) = file.remove("tests") else { return tests };
        let mut root = Entry::new("", Table::from_iter([("tests".to_owned(), value)]));
        for (index, mut entry) in root.entries("tests").into_iter().enumerate() {
            let case = read_case(&mut entry);
            let faults = tests.faults.len();
            entry.finish(&mut tests.faults);
            if tests.faults.len() == faults {
                tests.cases.push((index, case));
            }
        }
        root.finish(&mut tests.faults);
        tests
    }

    /// What is wrong with the cases as they are written.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// How many cases can be run.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Runs the cases; answers with a fault for each that fails, or for each name in it that is not known.
    pub fn run(&self, directory: &Directory) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (index, case) in &self.cases {
            for failure in run_rule_tests(directory, std::slice::from_ref(case)) {
                let key = format!("tests[{index}]");
                if failure.faults.is_empty() {
                    faults.push(Fault::new(key.as_str(), failure.to_string()));
                }
                // Run on its own, the case counts as the first.
                let named = failure.faults.into_iter().map(|fault| {
                    let rest = fault.key.split_once('.').map_or("", |(_, rest)| rest);
                    Fault::new(format!("{key}.{rest}"), fault.message)
                });
                faults.extend(named);
            }
        }
        faults
    }
}

fn read_case(entry: &mut Entry) -> RuleTest {
    RuleTest {
        name: entry.required_text("name"),
        channel: entry.required_text("channel"),
        at: read_moment(entry),
        contact: entry.nested("contact", read_contact).unwrap_or_default(),
        facts: read_each(entry, "facts", "a text, true or false", |value| match value {
            Value::String(text) => Some(text),
            Value::Boolean(holds) => Some(holds.to_string()),
            _ => None,
        }),
        previous_owner: entry.optional("previous_owner"),
        excluded: entry.optional("excluded").unwrap_or_default(),
        waited_s: entry.optional("waited_s").unwrap_or_default(),
        statuses: entry.named("statuses"),
        open: read_each(entry, "open", "a number, or numbers such as `{ chat = 1, mail = 3 }`", |value| match value {
            Value::Integer(items) => u32::try_from(items).ok().map(OpenWork::Alike),
            Value::Table(_) => value.try_into().ok().map(OpenWork::ByType),
            _ => None,
        }),
        expect: read_expect(entry),
    }
}

/// A date and time of TOML, or a text.
fn read_moment(entry: &mut Entry) -> Option<String> {
    match entry.optional::<Value>("at")? {
        Value::String(text) => Some(text),
        Value::Datetime(moment) => Some(moment.to_string()),
        other => {
            entry.fault("at", format!("must be a moment like `2027-02-01 09:30`, not {}", other.type_str()));
            None
        }
    }
}

fn read_contact(entry: &mut Entry) -> TestContact {
    TestContact {
        owner: entry.optional("owner"),
        proven: entry.optional("proven").unwrap_or(true),
        cookie: entry.optional("cookie").unwrap_or(false),
        last_owner: entry.optional("last_owner"),
        last_owned_days: entry.optional("last_owned_days").unwrap_or_default(),
    }
}

fn read_expect(test: &mut Entry) -> Expect {
    if !test.has("expect") {
        test.fault("expect", "missing; such as `{ owner = \"pia@example.test\" }` or `{ waits = true }`");
    }
    let read = |entry: &mut Entry| Expect {
        owner: entry.optional("owner"),
        one_of: entry.optional("one_of").unwrap_or_default(),
        team: entry.optional("team"),
        unassigned: entry.optional("unassigned"),
        waits: entry.optional("waits").unwrap_or(false),
    };
    test.nested("expect", read).unwrap_or_default()
}

/// The values of a table by name; one that `read` does not understand is a fault that says what it must be.
fn read_each<T>(entry: &mut Entry, key: &'static str, allowed: &str, read: impl Fn(Value) -> Option<T>) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    for (name, value) in entry.named::<Value>(key) {
        match read(value) {
            Some(value) => drop(found.insert(name, value)),
            None => entry.fault(&format!("{key}.\"{name}\""), format!("must be {allowed}")),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::RuleTests;
    use std::collections::BTreeSet;
    use switchboard_engine::directory::{MergeOptions, merge_text};
    use switchboard_model::{Directory, Fault};

    const DIRECTORY: &str = r#"
[[teams]]
slug = "support"
[[users]]
email = "bo@desk.test"
seat = "service"
team = "support"
hours = ["mon-fri 08:00-16:00"]
[[users]]
email = "cy@desk.test"
seat = "service"
team = "support"
capacity = { total = 2 }
[[workspaces]]
slug = "mail"
kind = "inbox"
[[channels]]
slug = "support"
kind = "email"
workspace = "mail"
[[channels.rule.cases]]
when = { is = { field = "message.has_attachment", values = ["true"] } }
target = "nobody"
[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }
distribution = "load_balanced"
when_nobody = "wait"
"#;

    fn shown(faults: &[Fault]) -> Vec<String> {
        faults.iter().map(ToString::to_string).collect()
    }

    fn run(cases: &str) -> Vec<String> {
        let text = format!("{DIRECTORY}{cases}");
        let directory = merge_text(&Directory::default(), &text, MergeOptions::default()).expect("tests are no part of it");
        let tests = RuleTests::read(&text);
        [shown(tests.faults()), shown(&tests.run(&directory))].concat()
    }

    #[test]
    fn r13_3_cases_of_a_file_are_decided_by_the_router() {
        let cases = r#"
[[tests]]
name = "at night only Cy is there"
channel = "support"
at = 2027-02-01T23:30:00
expect = { owner = "cy@desk.test", team = "support" }
[[tests]]
name = "at night with Cy full it waits"
channel = "support"
at = "2027-02-01 23:30"
open = { "cy@desk.test" = 2 }
expect = { waits = true }
[[tests]]
name = "by day whoever has less to do"
channel = "support"
at = 2027-02-01T10:00:00Z
open = { "cy@desk.test" = { mail = 1 } }
expect = { owner = "bo@desk.test" }
[[tests]]
name = "files are for nobody"
channel = "support"
facts = { "message.has_attachment" = true }
expect = { unassigned = "nobody" }
[[tests]]
name = "with Bo away it is Cy's"
channel = "support"
statuses = { "bo@desk.test" = "away" }
excluded = []
expect = { one_of = ["cy@desk.test"] }
"#;
        assert_eq!(run(cases), [""; 0]);
        assert_eq!(RuleTests::read(&format!("{DIRECTORY}{cases}")).len(), 5);
    }

    #[test]
    fn r13_3_a_case_that_fails_says_what_was_expected_what_came_and_why() {
        let failed = run("[[tests]]\nname = \"one\"\nchannel = \"support\"\nexpect = { waits = true }\n\
            [[tests]]\nname = \"two\"\nchannel = \"support\"\nat = \"2027-02-01 23:30\"\nexpect = { owner = \"bo@desk.test\" }\n");
        assert_eq!(failed.len(), 2, "{failed:#?}");
        assert!(failed[0].starts_with("tests[0]: test \"one\" failed: expected the item to wait, but"), "{failed:#?}");
        assert!(failed[1].starts_with("tests[1]: ") && failed[1].contains("outside"), "{failed:#?}");
    }

    #[test]
    fn r13_3_every_fault_of_the_cases_is_named_at_once() {
        let found = run(r#"
[[tests]]
chanel = "support"
at = 5
contact = { owner = 3, knwon = true }
facts = { "message.subject" = 4 }
statuses = { "bo@desk.test" = "asleep" }
open = { "bo@desk.test" = -1, "cy@desk.test" = { post = 1 } }
[[tests]]
name = "names that lead nowhere"
channel = "suport"
contact = { owner = "be@desk.test" }
expect = { team = "suport" }
[[tests]]
name = "two at once"
channel = "support"
expect = { waits = true, unassigned = "any" }
"#);
        insta::assert_snapshot!(found.join("\n"), @r#"
        tests[0].name: missing
        tests[0].channel: missing
        tests[0].at: must be a moment like `2027-02-01 09:30`, not integer
        tests[0].contact.owner: invalid type: integer `3`, expected a string
        tests[0].contact.knwon: unknown key `knwon`; known are owner, proven, cookie, last_owner, last_owned_days
        tests[0].facts."message.subject": must be a text, true or false
        tests[0].statuses."bo@desk.test": unknown variant `asleep`, expected one of `available`, `away`, `finishing`
        tests[0].open."bo@desk.test": must be a number, or numbers such as `{ chat = 1, mail = 3 }`
        tests[0].open."cy@desk.test": must be a number, or numbers such as `{ chat = 1, mail = 3 }`
        tests[0].expect: missing; such as `{ owner = "pia@example.test" }` or `{ waits = true }`
        tests[0].chanel: unknown key `chanel`; did you mean `channel`?
        tests[1].expect.team: unknown team `suport`; did you mean `support`?
        tests[1].contact.owner: unknown user `be@desk.test`; did you mean `bo@desk.test`?
        tests[1].channel: unknown channel `suport`; did you mean `support`?
        tests[2].expect: says one of `owner`, `one_of`, `team`, `unassigned` and `waits`; a team may stand beside people
        "#);
    }

    #[test]
    fn the_reference_names_every_key_of_a_case_and_no_other() {
        let section = switchboard_engine::directory::REFERENCE.iter().find(|section| section.table == "[[tests]]").unwrap();
        let mut known = BTreeSet::new();
        for (prefix, inner) in [("", "ODD"), ("contact.", "contact = { ODD }"), ("expect.", "expect = { ODD }")] {
            let text = format!("[[tests]]\n{}\n", inner.replace("ODD", "zzzzzzzzzzzzzzzz = 1"));
            let faults = shown(RuleTests::read(&text).faults());
            let mut named = faults.iter().filter_map(|fault| fault.split_once("unknown key `zzzzzzzzzzzzzzzz`; known are "));
            let (_, keys) = named.next_back().unwrap();
            known.extend(keys.split(", ").map(|key| format!("{prefix}{key}")));
        }
        let named = section.keys.iter().map(|(key, ..)| (*key).to_owned());
        let tables = ["contact", "expect"].map(str::to_owned);
        assert_eq!(named.chain(tables).collect::<BTreeSet<_>>(), known);
    }

    #[test]
    fn a_file_without_cases_or_with_something_else_under_their_name_is_told_apart() {
        assert_eq!(RuleTests::read(DIRECTORY).len(), 0);
        assert_eq!(
            shown(RuleTests::read("tests = 5").faults()),
            ["tests: must be a list of tables, written as `[[…]]` or `[{ … }]`"]
        );
        assert!(RuleTests::read("[[tests").faults().is_empty(), "merging names it");
    }
}
