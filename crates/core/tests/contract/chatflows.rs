//! ROUTING 1 and 7: several chatflows in one chat channel, each with a rule of its own.

use crate::support::{ADA, BEN, CHAT, CLEO, Edit, MAIL, World, directory, people, rule};
use switchboard_core::{never, validate, validate_people};
use switchboard_model::{
    Case, Chatflow, Condition, Directory, FactField, Outcome, Rule, RuleRef, Target, UnassignedReason, UserId,
};

fn field(name: &str) -> FactField {
    FactField(name.to_owned())
}

fn on_page(word: &str) -> Option<Condition> {
    Some(Condition::Contains { field: field("form.page"), values: vec![word.to_owned()] })
}

fn about(topic: &str) -> Option<Condition> {
    Some(Condition::Is { field: field("form.topic"), values: vec![topic.to_owned()] })
}

fn flow(slug: &str, when: Option<Condition>, rule: Option<Rule>) -> Chatflow {
    Chatflow { slug: slug.to_owned(), name: slug.to_owned(), when, rule }
}

fn to(user: UserId) -> Case {
    Case::new(people(&[user]))
}

fn with(list: Vec<Chatflow>, own: Option<Rule>) -> Directory {
    let mut directory = directory();
    directory.feed(CHAT).set_rules(list, own, 1);
    directory
}

/// Who gets a chat with these facts, and by which case of the rule that is routed by.
fn routed(world: &mut World, facts: &[(&str, &str)]) -> (Outcome, Option<RuleRef>) {
    let mut arrival = world.arrival(CHAT);
    arrival.facts = facts.iter().map(|(name, value)| (field(name), (*value).to_owned())).collect();
    let (decision, ..) = world.route(&arrival);
    (decision.outcome, decision.rule)
}

fn assigned(user: UserId) -> Outcome {
    Outcome::Assigned { user, team: None }
}

fn told(faults: &[switchboard_model::Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn r7_the_first_chatflow_that_holds_decides_and_the_channels_rule_takes_the_rest() {
    let sales = rule([Case { when: about("refund"), ..to(BEN) }, to(ADA)]);
    let directory =
        with(vec![flow("sales", on_page("/prices"), sales), flow("docs", on_page("/docs"), rule([to(CLEO)]))], rule([to(BEN)]));
    let entry = directory.channel(CHAT).expect("the chat").clone();
    let mut world = World::new(directory);
    for (facts, user, chatflow, case) in [
        (&[("form.page", "https://shop.test/Prices/2")][..], ADA, Some("sales"), 1),
        (&[("form.page", "https://shop.test/prices"), ("form.topic", "refund")], BEN, Some("sales"), 0),
        (&[("form.page", "https://shop.test/docs")], CLEO, Some("docs"), 0),
        (&[("form.page", "https://shop.test/")], BEN, None, 0),
        (&[], BEN, None, 0),
    ] {
        let (outcome, rule) = routed(&mut world, facts);
        assert_eq!(outcome, assigned(user), "{facts:?}");
        let place = entry.case_place(rule.expect("a case").case).expect("its place");
        assert_eq!((place.chatflow.map(|flow| flow.slug.as_str()), place.case), (chatflow, Some(case)), "{facts:?}");
    }
}

#[test]
fn r7_a_chatflow_without_a_rule_in_force_leaves_its_chats_to_no_other() {
    let off = rule([to(ADA)]).map(|rule| Rule { on: false, ..rule });
    let directory = with(vec![flow("off", on_page("/off"), off), flow("none", on_page("/none"), None)], rule([to(BEN)]));
    let mut world = World::new(directory);
    for page in ["/off", "/none"] {
        let (outcome, _) = routed(&mut world, &[("form.page", page)]);
        assert_eq!(outcome, Outcome::Unassigned { reason: UnassignedReason::Nobody }, "{page}");
    }
    assert_eq!(routed(&mut world, &[("form.page", "/")]).0, assigned(BEN));
}

#[test]
fn r7_where_no_chatflow_holds_and_the_channel_has_no_rule_work_stays_unassigned() {
    let mut world = World::new(with(vec![flow("sales", on_page("/prices"), rule([to(ADA)]))], None));
    assert_eq!(routed(&mut world, &[]), (Outcome::Unassigned { reason: UnassignedReason::NoRule }, None));
    assert_eq!(routed(&mut world, &[("form.page", "/prices")]).0, assigned(ADA));
}

#[test]
fn r7_7_faults_of_chatflows_are_named_with_the_chatflow_all_at_once() {
    let list = || {
        vec![
            flow(
                "sales",
                Some(Condition::Is { field: field("mesage.text"), values: vec!["x".to_owned()] }),
                rule([to(ADA), to(UserId(77))]),
            ),
            flow("all", None, rule([to(ADA)])),
            flow("late", on_page("/"), None),
            flow("sales", on_page("/x"), rule([])),
        ]
    };
    let mut directory = with(list(), rule([to(ADA)]));
    directory.feed(MAIL).set_rules(vec![flow("some", None, rule([to(ADA)]))], None, 1);
    assert_eq!(
        told(&validate(&directory)),
        [
            "channels.mail.chatflows: belong to channels of kind `chat`; this one is of kind `email`",
            "channels.chat.chatflows.sales.rule.cases[0].when: only the last case has no condition, the cases after this one would never apply",
            "channels.chat.chatflows.sales.rule.cases[1].target.members[0]: user 77 does not exist",
            "channels.chat.chatflows.sales.rule.cases: a rule has at least one case",
            "channels.chat.chatflows[3].slug: `sales` is named twice; give each chatflow a slug of its own",
            "channels.chat.chatflows.sales.when.is.field: unknown fact `mesage.text`; did you mean `message.text`?",
            "channels.chat.chatflows.late: `all` before it has no condition and takes every chat, so it can never be reached",
            "channels.chat.chatflows.sales: `all` before it has no condition and takes every chat, so it can never be reached",
        ]
    );
}

#[test]
fn r3_9_only_the_rules_that_are_asked_about_refuse_people() {
    let mut directory = with(vec![flow("sales", on_page("/prices"), rule([to(ADA)]))], rule([to(BEN)]));
    for user in [ADA, BEN] {
        directory.person(user).active = false;
    }
    let key = |asked: Option<&str>| {
        let faults = validate_people(&directory, CHAT, |flow| flow == asked);
        faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>()
    };
    assert_eq!(key(Some("sales")), ["channels.chat.chatflows.sales.rule.cases[0].target.members[0]"]);
    assert_eq!(key(None), ["channels.chat.rule.cases[0].target.members[0]"]);
}

#[test]
fn r7_7_what_can_never_assign_is_named_with_the_chatflow() {
    let nobody = Case::new(Target::UsersAndTeams { members: Vec::new() });
    let list = vec![
        flow(
            "sales",
            on_page("/prices"),
            rule([Case { when: about("x"), ..to(ADA) }, Case { when: about("X"), ..to(BEN) }, nobody]),
        ),
        flow("prices", on_page("/prices/list"), rule([to(ADA)])),
        flow("rest", None, rule([to(ADA)])),
    ];
    assert_eq!(
        told(&never(&with(list, rule([to(BEN)])))),
        [
            "channels.chat.chatflows.sales.rule.cases[1].when: whatever meets it has met the condition at \
             channels.chat.chatflows.sales.rule.cases[0] before, so the case never applies",
            "channels.chat.chatflows.sales.rule.cases[2].target: nobody whom it names can be given work, so it never assigns anything",
            "channels.chat.chatflows.prices.rule.cases[0].when: whatever meets it has met the condition at \
             channels.chat.chatflows.sales.rule.cases[2] before, so the case never applies",
            "channels.chat.rule: the chatflow `rest` has no condition and takes every chat, so the rule never applies",
        ]
    );
}
