//! Test cases that rule files carry (ROUTING 13.3): who gets an item under stated circumstances.
//!
//! [`RuleTest`] is read from a table such as
//!
//! ```toml
//! [[test]]
//! name = "a Norwegian chat at night waits"
//! channel = "chat"
//! at = "2027-02-01 23:30"
//! facts = { "message.language" = "nb" }
//! statuses = { "ada@example.org" = "away" }
//! open = { "ben@example.org" = 2, "cleo@example.org" = { chat = 1, mail = 3 } }
//! expect = { waits = true }
//! ```

mod explain;
mod names;
mod scene;

use crate::rule_test::explain::{outcome_text, reasons};
use crate::rule_test::names::{Expected, Names};
use crate::rule_test::scene::Scene;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use switchboard_model::{Directory, Explanation, Fault, Outcome, StatusValue, UserId, Verdict, WorkType};

/// One test case. People are named by email address, channels and teams by slug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTest {
    /// What it shows, in words.
    pub name: String,
    /// The channel on which the item arrives.
    pub channel: String,
    /// When: `2027-02-01 09:30` in the channel's zone, or with an offset as in `2027-02-01T09:30:00+01:00`. If left out,
    /// Monday, 1 February 2027 at 10:00 in the channel's zone.
    #[serde(default, deserialize_with = "names::moment", skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// From whom.
    #[serde(default)]
    pub contact: TestContact,
    /// Facts that conditions ask for. `channel.kind`, `channel.slug`, `contact.has_owner` and `contact.known` are filled in.
    #[serde(default)]
    pub facts: BTreeMap<String, String>,
    /// The owner it had; the item is one that the contact reopens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_owner: Option<String>,
    /// Who is left out of the decision (ROUTING 2.7).
    #[serde(default)]
    pub excluded: Vec<String>,
    /// For how many seconds it has waited already, for overflow and for demands that relax.
    #[serde(default)]
    pub waited_s: u32,
    /// Statuses set by hand at that moment; hours and absences decide about everybody else.
    #[serde(default)]
    pub statuses: BTreeMap<String, StatusValue>,
    /// Open work that people have; nobody else has any.
    #[serde(default)]
    pub open: BTreeMap<String, OpenWork>,
    /// What should come out.
    pub expect: Expect,
}

/// Who writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestContact {
    /// The contact owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Known by the channel's own proof of identity; the default.
    #[serde(default = "yes")]
    pub proven: bool,
    /// Known by the cookie.
    #[serde(default)]
    pub cookie: bool,
    /// Who owned the contact's last item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_owner: Option<String>,
    /// How many days ago.
    #[serde(default)]
    pub last_owned_days: u32,
}

/// Open items of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OpenWork {
    /// So many like the one that arrives.
    Alike(u32),
    /// By type.
    ByType(BTreeMap<WorkType, u32>),
}

/// What should come out: one of `owner`, `one_of`, `team`, `unassigned` and `waits`; `team` may stand beside `owner` or
/// `one_of`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// This person gets it, or keeps it, whatever is drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// One of these people does, whatever is drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<String>,
    /// The team that is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Nobody owns it, for this reason, or for `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unassigned: Option<String>,
    /// It waits.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

/// A test case that failed, or that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTestFailure {
    /// Its place among the tests, from 0.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// What is wrong with the test itself; if anything is, it was not run.
    pub faults: Vec<Fault>,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub found: String,
    /// Why: the case that applied, and everybody who was looked at.
    pub why: Vec<String>,
}

impl Default for TestContact {
    fn default() -> Self {
        Self { owner: None, proven: true, cookie: false, last_owner: None, last_owned_days: 0 }
    }
}

const fn yes() -> bool {
    true
}

/// Runs test cases through the router under a directory; answers with those that failed. A case is decided on its own,
/// with everybody's turns and assignments at the beginning.
#[must_use]
pub fn run_rule_tests(directory: &Directory, tests: &[RuleTest]) -> Vec<RuleTestFailure> {
    tests.iter().enumerate().filter_map(|(index, test)| run_one(directory, index, test)).collect()
}

fn run_one(directory: &Directory, index: usize, test: &RuleTest) -> Option<RuleTestFailure> {
    let mut names = Names::new(directory, index);
    let expected = names.expected(&test.expect);
    let explanation = Scene::new(&mut names, test).and_then(|scene| scene.explain(directory, &mut names));
    let failure = RuleTestFailure {
        index,
        name: test.name.clone(),
        faults: names.faults,
        expected: expected.as_ref().map(|expected| expected.text(directory)).unwrap_or_default(),
        found: String::new(),
        why: Vec::new(),
    };
    let (Some(expected), Some(explanation)) = (expected, explanation) else { return Some(failure) };
    if !failure.faults.is_empty() {
        return Some(failure);
    }
    let outcomes = possible(&explanation);
    let wrong = outcomes.iter().find(|outcome| !expected.holds(outcome))?;
    let mut found = outcome_text(directory, wrong);
    if outcomes.len() > 1 {
        found.push_str(" in one of the draws");
    }
    Some(RuleTestFailure { found, why: reasons(directory, &explanation), ..failure })
}

/// What could come out, whatever is drawn: with a random choice, everybody who shares the first rank.
fn possible(explanation: &Explanation) -> Vec<Outcome> {
    let decision = &explanation.decision;
    if let (Outcome::Assigned { .. }, Some(_)) = (decision.outcome, decision.draw) {
        let drawn = |stage: &&switchboard_model::Stage| stage.candidates.iter().any(|one| one.verdict == Verdict::Chosen);
        if let Some(stage) = explanation.stages.iter().find(drawn) {
            let first = stage.candidates.iter().filter(|candidate| candidate.rank == Some(1));
            return first.map(|candidate| Outcome::Assigned { user: candidate.user, team: candidate.team }).collect();
        }
    }
    vec![decision.outcome]
}

impl Expected {
    fn holds(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Owner { users, team }, Outcome::Assigned { user, team: through }) => {
                users.contains(user) && team.is_none_or(|team| *through == Some(team))
            }
            (Self::Owner { users, team: None }, Outcome::Kept { user }) => users.contains(user),
            (Self::Team(team), Outcome::TeamSet { team: set }) => team == set,
            (Self::Unassigned(reason), Outcome::Unassigned { reason: found }) => reason.is_none_or(|reason| reason == *found),
            (Self::Waits, Outcome::Queued) => true,
            _ => false,
        }
    }
}

impl RuleTestFailure {
    /// The failure as a fault of a file, under the key of its test.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::new(format!("test[{}]", self.index), self.to_string())
    }
}

impl fmt::Display for RuleTestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "test \"{}\"", self.name)?;
        if !self.faults.is_empty() {
            f.write_str(" cannot be run")?;
            return self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"));
        }
        write!(f, " failed: expected {}, but {}", self.expected, self.found)?;
        self.why.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// How a person is shown.
fn person(directory: &Directory, user: UserId) -> String {
    directory.user(user).map_or_else(|| format!("user {user}"), |user| format!("{} <{}>", user.name, user.email))
}
