//! Test cases of rules.

use crate::house::{ADA, SKILL, case, directory, house};
use serde::Deserialize;
use serde_json::{Value, json};
use switchboard_simulator::{RuleTest, run_rule_tests};

#[derive(Deserialize)]
struct File {
    test: Vec<RuleTest>,
}

/// The failures of the tests of a file, one after the other.
fn failures(value: Value, file: &str) -> String {
    let file: File = toml::from_str(file).unwrap_or_else(|error| panic!("{error}"));
    let failures = run_rule_tests(&directory(value), &file.test);
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Shifts, a skill, and a contact owner's channel.
fn rich() -> Value {
    let mut value = house();
    value["users"][0]["hours"] = json!(["mon-fri 08:00-16:00"]);
    value["users"][1]["skills"] = json!([{"skill": SKILL, "level": 4}]);
    value["users"][2]["out_of_office"] = json!([{"from": 0, "to": 1_900_000_000_000_i64}]);
    let invoice = json!({"contains": {"field": "message.subject", "values": ["invoice"]}});
    let wanted = json!({"kind": "skill", "skill": SKILL, "min_level": 3});
    value["workspaces"][0]["skill_rules"] =
        json!([{"when": invoice, "demands": [{"wanted": wanted, "required": true, "relax_after_s": 300}]}]);
    case(&mut value, 1)["target"] =
        json!({"kind": "contact_owner", "require_cookie": false, "fallback": {"kind": "user", "user": ADA}});
    value
}

#[test]
fn r13_3_rule_tests_that_hold_say_nothing() {
    let file = r#"
[[test]]
name = "Ada has least in her hours"
channel = "chat"
open = { "ben@example.org" = 1, "dag@example.org" = { chat = 1, mail = 7 } }
expect = { owner = "ada@example.org", team = "first_line" }

[[test]]
name = "outside her hours she does not"
channel = "chat"
at = "2027-02-01 07:59"
open = { "ben@example.org" = 1 }
expect = { owner = "dag@example.org" }

[[test]]
name = "the same instant in another zone, as a date of TOML"
channel = "chat"
at = 2027-02-01T06:59:00Z
open = { "ben@example.org" = 1 }
expect = { owner = "dag@example.org" }

[[test]]
name = "available by hand holds outside hours"
channel = "chat"
at = "2027-02-01 07:00"
open = { "ben@example.org" = 1, "dag@example.org" = 1 }
statuses = { "ada@example.org" = "available" }
expect = { owner = "ada@example.org" }

[[test]]
name = "invoices need billing"
channel = "chat"
facts = { "message.subject" = "Your invoice" }
expect = { one_of = ["ben@example.org"] }

[[test]]
name = "and wait when Ben is full"
channel = "chat"
facts = { "message.subject" = "Your invoice" }
open = { "ben@example.org" = 2 }
expect = { waits = true }

[[test]]
name = "until five minutes have passed"
channel = "chat"
facts = { "message.subject" = "Your invoice" }
open = { "ben@example.org" = 2 }
waited_s = 300
expect = { one_of = ["ada@example.org", "dag@example.org"] }

[[test]]
name = "mail goes to the contact owner"
channel = "mail"
contact = { owner = "dag@example.org" }
expect = { owner = "dag@example.org" }

[[test]]
name = "who may not be left to the fallback when the owner is left out and Ada is away"
channel = "mail"
contact = { owner = "dag@example.org" }
excluded = ["dag@example.org"]
statuses = { "ada@example.org" = "away" }
expect = { unassigned = "nobody_eligible" }

[[test]]
name = "a reopened ticket stays with its owner"
channel = "mail"
previous_owner = "ben@example.org"
expect = { owner = "ben@example.org" }
"#;
    assert_eq!(failures(rich(), file), "");
}

#[test]
fn r13_3_rule_tests_that_fail_say_what_came_and_why() {
    let file = r#"
[[test]]
name = "Ben gets invoices"
channel = "chat"
facts = { "message.subject" = "Your invoice" }
open = { "ben@example.org" = 2 }
expect = { owner = "ben@example.org" }

[[test]]
name = "mail waits"
channel = "mail"
statuses = { "ada@example.org" = "away" }
expect = { waits = true }

[[test]]
name = "chats of the evening are nobody's"
channel = "chat"
at = "2027-02-01 22:00"
expect = { unassigned = "any" }
"#;
    insta::assert_snapshot!(failures(rich(), file), @r#"
test "Ben gets invoices" failed: expected Ben Dahl <ben@example.org>, but it waits
  case 1 of the rule of `chat` applied
  users and teams: Ada Berg <ada@example.org> was skipped: lacks Billing (load 0, 0 open)
  users and teams: Ben Dahl <ben@example.org> was skipped: at capacity (load 2, 2 open)
  users and teams: Cleo Eide <cleo@example.org> was skipped: out of office (load 0, 0 open)
  users and teams: Dag Foss <dag@example.org> was skipped: lacks Billing (load 0, 0 open)
test "mail waits" failed: expected the item to wait, but nobody got it, because of `nobody_eligible` (nobody who was looked at could have it)
  case 1 of the rule of `mail` applied
  fallback: Ada Berg <ada@example.org> was skipped: away (load 0, 0 open)
test "chats of the evening are nobody's" failed: expected nobody, but Ben Dahl <ben@example.org> got it through team First line
  case 1 of the rule of `chat` applied, people chosen by `least_busy`
  users and teams: Ada Berg <ada@example.org> was skipped: outside working hours (load 0, 0 open)
  users and teams: Ben Dahl <ben@example.org> was chosen (load 0, 0 open, rank 1)
  users and teams: Cleo Eide <cleo@example.org> was skipped: out of office (load 0, 0 open)
  users and teams: Dag Foss <dag@example.org> was eligible (load 0, 0 open, rank 2)
"#);
}

#[test]
fn r6_3_a_random_choice_must_be_right_whatever_is_drawn() {
    let mut value = house();
    case(&mut value, 0)["distribution"] = json!("random");
    let all = r#"["ada@example.org", "ben@example.org", "cleo@example.org", "dag@example.org"]"#;
    let file = |expected: &str| format!("[[test]]\nname = \"chats\"\nchannel = \"chat\"\nexpect = {{ one_of = {expected} }}\n");
    assert_eq!(failures(value.clone(), &file(all)), "");
    let three = all.replace(", \"dag@example.org\"", "");
    let failure = failures(value, &file(&three));
    assert!(failure.contains("but Dag Foss <dag@example.org> got it through team First line in one of the draws"), "{failure}");
}

#[test]
fn r13_3_names_that_a_rule_test_invents_are_all_reported() {
    let file = r#"
[[test]]
name = "wrong names"
channel = "chat"
at = "yesterday"
contact = { owner = "adda@example.org" }
facts = { "message.subjekt" = "x" }
open = { "bern@example.org" = 1 }
expect = { owner = "clea@example.org", team = "second_line" }

[[test]]
name = "two wishes"
channel = "chta"
expect = { waits = true, unassigned = "because" }
"#;
    insta::assert_snapshot!(failures(house(), file), @r#"
test "wrong names" cannot be run
  test[0].expect.owner: unknown user `clea@example.org`; did you mean `cleo@example.org`?
  test[0].expect.team: unknown team `second_line`; known are first_line
  test[0].contact.owner: unknown user `adda@example.org`; did you mean `ada@example.org`?
  test[0].facts: unknown fact `message.subjekt`; did you mean `message.subject`?
  test[0].open: unknown user `bern@example.org`; did you mean `ben@example.org`?
  test[0].at: `yesterday` is no moment like `2027-02-01 09:30` or `2027-02-01T09:30:00+01:00`
test "two wishes" cannot be run
  test[1].expect: says one of `owner`, `one_of`, `team`, `unassigned` and `waits`; a team may stand beside people
  test[1].channel: unknown channel `chta`; did you mean `chat`?
"#);
}

#[test]
fn a_failure_is_a_fault_of_its_test() {
    let tests: File = toml::from_str("[[test]]\nname = \"x\"\nchannel = \"chat\"\nexpect = { waits = true }\n").unwrap();
    let failure = &run_rule_tests(&directory(house()), &tests.test)[0];
    assert_eq!(failure.fault().key, "test[0]");
    assert!(failure.fault().message.starts_with("test \"x\" failed: expected the item to wait, but Ada Berg"));
}
