//! Chatflows of a live chat: several rules in one channel, and the one rule that they come to (ROUTING 1, 7).

use crate::condition::Condition;
use crate::directory::ChannelEntry;
use crate::rule::{Case, Rule, Target};
use serde::{Deserialize, Serialize};

/// One chatflow of a chat channel: whose it is, and by which rule their chats go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Chatflow {
    /// Key within its channel, `[a-z0-9_]+`.
    pub slug: String,
    /// Name shown.
    pub name: String,
    /// Whose chats are its; `None` takes every chat that none before it has taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// Its rule; without one, or with one that is off, its chats stay unassigned (ROUTING 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// The chatflows of a channel, and the rule for whom none of them is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Chatflows {
    /// In order; the first whose condition holds is the visitor's.
    pub list: Vec<Chatflow>,
    /// The channel's own rule, where no chatflow's condition holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Rule>,
}

/// Where a case of a channel's rule was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CasePlace<'a> {
    /// The chatflow; `None` is the channel's own rule.
    pub chatflow: Option<&'a Chatflow>,
    /// The case within it, from 0; `None` stands for a chatflow that has no rule, or one that is off.
    pub case: Option<u32>,
}

impl Chatflows {
    /// The one rule that decides as the chatflows do: each chatflow's cases under its condition, then the channel's own.
    /// A chatflow without a rule in force ends with nobody under its condition, so that its chats fall into no other. It
    /// is on where any part is; `version` is that of the directory.
    #[must_use]
    pub fn routed(&self, version: i64) -> Rule {
        let cases = self.placed().into_iter().map(|(_, case)| case).collect();
        let parts = self.list.iter().map(|flow| flow.rule.as_ref()).chain([self.otherwise.as_ref()]);
        Rule { on: parts.flatten().any(|rule| rule.on), version, cases }
    }

    /// The cases of the rule that is routed by, each with where it was written.
    fn placed(&self) -> Vec<(CasePlace<'_>, Case)> {
        let mut placed = Vec::new();
        for flow in &self.list {
            let chatflow = Some(flow);
            match in_force(flow.rule.as_ref()) {
                Some(rule) => placed.extend((0..).zip(&rule.cases).map(|(index, case)| {
                    let when = both(flow.when.as_ref(), case.when.as_ref());
                    (CasePlace { chatflow, case: Some(index) }, Case { when, ..case.clone() })
                })),
                None => placed
                    .push((CasePlace { chatflow, case: None }, Case { when: flow.when.clone(), ..Case::new(Target::Nobody) })),
            }
            if flow.when.is_none() {
                return placed;
            }
        }
        let own = in_force(self.otherwise.as_ref()).into_iter().flat_map(|rule| (0..).zip(&rule.cases));
        placed.extend(own.map(|(index, case)| (CasePlace { chatflow: None, case: Some(index) }, case.clone())));
        placed
    }
}

impl ChannelEntry {
    /// The chatflows, in order; none where the channel has a single rule.
    #[must_use]
    pub fn chatflows(&self) -> &[Chatflow] {
        self.chatflows.as_ref().map_or(&[], |chatflows| &chatflows.list)
    }

    /// The chatflow of this slug.
    #[must_use]
    pub fn chatflow(&self, slug: &str) -> Option<&Chatflow> {
        self.chatflows().iter().find(|flow| flow.slug == slug)
    }

    /// The channel's own rule: the one for whom no chatflow is meant, or the only one.
    #[must_use]
    pub const fn own_rule(&self) -> Option<&Rule> {
        match &self.chatflows {
            Some(chatflows) => chatflows.otherwise.as_ref(),
            None => self.rule.as_ref(),
        }
    }

    /// The rules as they are written: those of the chatflows in order, then the channel's own.
    pub fn written_rules(&self) -> impl Iterator<Item = (Option<&Chatflow>, Option<&Rule>)> {
        let flows = self.chatflows().iter().map(|flow| (Some(flow), flow.rule.as_ref()));
        flows.chain([(None, self.own_rule())])
    }

    /// Gives the channel these chatflows and this rule of its own, and the rule that they come to; `version` is that of
    /// the directory, in which it changes.
    pub fn set_rules(&mut self, list: Vec<Chatflow>, own: Option<Rule>, version: i64) {
        if list.is_empty() {
            (self.chatflows, self.rule) = (None, own);
            return;
        }
        let chatflows = Chatflows { list, otherwise: own };
        self.rule = Some(chatflows.routed(version));
        self.chatflows = Some(chatflows);
    }

    /// Where the case of this number in [`ChannelEntry::rule`] was written; `None` where there is no such case.
    #[must_use]
    pub fn case_place(&self, case: u32) -> Option<CasePlace<'_>> {
        let index = usize::try_from(case).ok()?;
        match &self.chatflows {
            Some(chatflows) => chatflows.placed().get(index).map(|(place, _)| *place),
            None => self.rule.as_ref()?.cases.get(index).map(|_| CasePlace { chatflow: None, case: Some(case) }),
        }
    }
}

fn in_force(rule: Option<&Rule>) -> Option<&Rule> {
    rule.filter(|rule| rule.on)
}

fn both(one: Option<&Condition>, other: Option<&Condition>) -> Option<Condition> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Condition::All(vec![one.clone(), other.clone()])),
        (one, other) => one.or(other).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CasePlace, Chatflow, Chatflows};
    use crate::condition::{Condition, FactField, Facts};
    use crate::id::{TeamId, UserId};
    use crate::rule::{Case, Member, Rule, Target};

    const FIELDS: [&str; 3] = ["form.page", "form.topic", "message.language"];
    const VALUES: [&str; 3] = ["a", "b", "c"];

    /// Numbers that look drawn and are the same on every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        fn condition(&mut self) -> Condition {
            let field = FactField(FIELDS[self.below(3)].to_owned());
            let values = (0..=self.below(2)).map(|_| VALUES[self.below(3)].to_owned()).collect();
            match self.below(4) {
                0 => Condition::Not(Box::new(Condition::Is { field, values })),
                1 => Condition::Any(vec![self.condition(), Condition::Is { field, values }]),
                _ => Condition::Is { field, values },
            }
        }

        /// A rule with a target of its own in each case.
        fn rule(&mut self, number: &mut i64) -> Option<Rule> {
            let count = self.below(3);
            let mut cases: Vec<Case> = (0..=count)
                .map(|index| {
                    *number += 1;
                    let member = if *number % 2 == 0 { Member::User(UserId(*number)) } else { Member::Team(TeamId(*number)) };
                    let when = (index < count).then(|| self.condition());
                    Case { when, ..Case::new(Target::UsersAndTeams { members: vec![member] }) }
                })
                .collect();
            cases.truncate(count + 1);
            match self.below(6) {
                0 => None,
                1 => Some(Rule { on: false, version: 1, cases }),
                _ => Some(Rule { on: true, version: 1, cases }),
            }
        }

        fn facts(&mut self) -> Facts {
            let mut facts = Facts::new();
            for field in FIELDS {
                if self.below(4) > 0 {
                    facts.insert(FactField(field.to_owned()), VALUES[self.below(3)].to_owned());
                }
            }
            facts
        }
    }

    fn target<'a>(rule: Option<&'a Rule>, facts: &Facts) -> Option<&'a Target> {
        let rule = rule.filter(|rule| rule.on)?;
        rule.cases.iter().find(|case| case.when.as_ref().is_none_or(|when| when.holds(facts))).map(|case| &case.target)
    }

    #[test]
    fn r7_the_first_chatflow_that_holds_decides_exactly_as_its_rule_alone_would() {
        let mut dice = Dice(7);
        let (mut by_flow, mut by_channel, mut nobody) = (0, 0, 0);
        for _ in 0..4_000 {
            let mut number = 0;
            let list = (0..=dice.below(3))
                .map(|index| Chatflow {
                    slug: format!("flow{index}"),
                    name: String::new(),
                    when: (dice.below(5) > 0).then(|| dice.condition()),
                    rule: dice.rule(&mut number),
                })
                .collect();
            let chatflows = Chatflows { list, otherwise: dice.rule(&mut number) };
            let routed = chatflows.routed(1);
            let facts = dice.facts();
            let flow = chatflows.list.iter().find(|flow| flow.when.as_ref().is_none_or(|when| when.holds(&facts)));
            let alone = match flow {
                Some(flow) => target(flow.rule.as_ref(), &facts),
                None => target(chatflows.otherwise.as_ref(), &facts),
            };
            match (flow, alone) {
                (_, None) => nobody += 1,
                (Some(_), _) => by_flow += 1,
                (None, _) => by_channel += 1,
            }
            let found = target(Some(&routed), &facts).filter(|target| **target != Target::Nobody);
            assert_eq!(found, alone, "{chatflows:?} for {facts:?}");
        }
        assert!(by_flow > 500 && by_channel > 200 && nobody > 200, "{by_flow} {by_channel} {nobody}");
    }

    #[test]
    fn r7_every_case_says_where_it_was_written() {
        let mut dice = Dice(11);
        for _ in 0..500 {
            let mut number = 0;
            let list: Vec<Chatflow> = (0..=dice.below(3))
                .map(|index| Chatflow {
                    slug: format!("flow{index}"),
                    name: String::new(),
                    when: (dice.below(5) > 0).then(|| dice.condition()),
                    rule: dice.rule(&mut number),
                })
                .collect();
            let chatflows = Chatflows { list, otherwise: dice.rule(&mut number) };
            for (place, case) in chatflows.placed() {
                let CasePlace { chatflow, case: written } = place;
                let rule = chatflow.map_or(chatflows.otherwise.as_ref(), |flow| flow.rule.as_ref());
                match written {
                    Some(index) => assert_eq!(rule.unwrap().cases[usize::try_from(index).unwrap()].target, case.target),
                    None => {
                        assert!(rule.is_none_or(|rule| !rule.on));
                        assert_eq!(case.target, Target::Nobody);
                    }
                }
            }
        }
    }
}
