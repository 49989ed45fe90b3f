//! ROUTING 7.7: rules that can be saved and never assign anything.

use crate::queue::patient;
use crate::support::{ADA, BEN, CHAT, CLEO, Edit, INBOX, MAIL, RED, TICKETS, directory, hours, members, people, rule};
use switchboard_core::{never, validate};
use switchboard_model::{
    CapacityWeights, Case, Condition, Demand, Directory, FactField, Fallback, Member, OutsideHours, OverflowStep, Seat, Skill,
    SkillId, SkillRule, Spoken, Target, UserSkill, Wanted, WorkType,
};

/// Edits the default directory and compares what can never happen in it, one per line.
fn check(edit: impl FnOnce(&mut Directory), expected: &[&str]) {
    let mut directory = directory();
    edit(&mut directory);
    let found: Vec<String> = never(&directory).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

fn is(field: &str, values: &[&str]) -> Condition {
    Condition::Is { field: FactField(field.to_owned()), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn contains(field: &str, values: &[&str]) -> Condition {
    Condition::Contains { field: FactField(field.to_owned()), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn when(condition: Condition) -> Case {
    Case { when: Some(condition), ..Case::new(people(&[ADA])) }
}

/// Which of the cases with these conditions are never reached, as positions; the last case has none.
fn unreached(conditions: &[Condition]) -> Vec<usize> {
    let mut directory = directory();
    let cases = conditions.iter().cloned().map(when).chain([Case::new(people(&[ADA]))]);
    directory.feed(MAIL).rule = rule(cases.collect::<Vec<_>>());
    let found = never(&directory);
    assert!(found.iter().all(|fault| fault.message.ends_with("so the case never applies")), "{found:?}");
    let position = |key: &str| key.strip_prefix("channels.mail.rule.cases[")?.strip_suffix("].when")?.parse().ok();
    found.iter().map(|fault| position(&fault.key).expect("the key of a condition")).collect()
}

#[test]
fn r7_7_a_directory_in_order_does_something_everywhere() {
    check(
        |directory| {
            directory.person(ADA).team = Some(RED);
            directory.feed(MAIL).rule = rule([
                when(is("message.language", &["nb"])),
                Case { when: Some(contains("message.subject", &["x"])), ..Case::new(Target::Nobody) },
                patient(&[ADA, BEN]),
            ]);
            directory.route(TICKETS, Case::new(Target::TeamOnly { team: RED }));
            let target = Target::ContactOwner { require_cookie: false, fallback: Fallback::Nobody };
            directory.route(CHAT, Case::new(target));
        },
        &[],
    );
}

#[test]
fn r7_7_a_case_that_an_earlier_one_takes_everything_from_is_never_reached() {
    check(
        |directory| {
            directory.feed(MAIL).rule = rule([
                when(is("message.language", &["nb", "DA "])),
                when(is("message.language", &["da"])),
                when(Condition::All(Vec::new())),
                when(is("channel.kind", &["chat"])),
                Case::new(people(&[ADA])),
            ]);
        },
        &[
            "channels.mail.rule.cases[1].when: whatever meets it has met the condition at [0] before, so the case never applies",
            "channels.mail.rule.cases[3].when: never holds, so the case never applies",
            "channels.mail.rule.cases[4].when: whatever meets it has met the condition at [2] before, so the case never applies",
        ],
    );
}

#[test]
fn r7_7_conditions_are_compared_by_what_they_mean() {
    let (nb, da) = (|| is("message.language", &["nb"]), || is("message.language", &["da"]));
    let parcel = || contains("message.subject", &["parcel"]);
    let (all, any) = (Condition::All, Condition::Any);
    for (conditions, expected) in [
        (vec![nb(), nb()], vec![1]),
        (vec![nb(), da()], vec![]),
        (vec![nb(), da(), is("message.language", &["nb", "da"])], vec![2]),
        (vec![is("message.language", &["nb", "da"]), is("message.language", &["da", "sv"])], vec![]),
        (vec![nb(), all(vec![parcel(), nb()])], vec![1]),
        (vec![all(vec![parcel(), nb()]), nb()], vec![]),
        (vec![any(vec![nb(), parcel()]), parcel()], vec![1]),
        (vec![parcel(), any(vec![nb(), parcel()])], vec![]),
        (vec![any(vec![parcel(), nb()]), any(vec![nb(), parcel()])], vec![1]),
        (vec![parcel(), contains("message.subject", &["lost parcel", "PARCELS"])], vec![1]),
        (vec![contains("message.subject", &["parcels"]), parcel()], vec![]),
        (vec![parcel(), is("message.subject", &["my parcel"])], vec![1]),
        (vec![is("message.subject", &["parcel"]), parcel()], vec![]),
        (vec![parcel(), contains("message.text", &["parcel"])], vec![]),
        (vec![not(nb()), da()], vec![1]),
        (vec![not(nb()), not(not(da()))], vec![1]),
        (vec![not(is("message.language", &["nb", "da"])), not(nb())], vec![]),
        (vec![not(nb()), not(is("message.language", &["nb", "da"]))], vec![1]),
        (vec![not(parcel()), is("message.subject", &["invoice"])], vec![1]),
        (vec![not(parcel()), is("message.subject", &["my parcel"])], vec![]),
        (vec![not(all(vec![nb(), parcel()])), not(nb())], vec![1]),
        (vec![not(any(vec![nb(), parcel()])), not(nb())], vec![]),
        (vec![Condition::Any(Vec::new())], vec![0]),
        (vec![is("channel.slug", &["Mail"]), nb()], vec![1, 2]),
        (vec![not(is("channel.kind", &["email"]))], vec![0]),
    ] {
        assert_eq!(unreached(&conditions), expected, "{conditions:?}");
    }
}

#[test]
fn r7_7_long_conditions_are_given_up_rather_than_compared_for_ever() {
    let values: Vec<String> = (0..1_000).map(|number| format!("a{number}")).collect();
    let field = FactField("message.text".to_owned());
    let long = || Condition::Contains { field: field.clone(), values: values.clone() };
    let other = Condition::Contains { field: field.clone(), values: (0..1_000).map(|number| format!("b{number}")).collect() };
    assert_eq!(unreached(&[other, long()]), Vec::<usize>::new());
}

#[test]
fn r7_7_a_case_reaches_nobody_who_can_be_given_work() {
    check(
        |directory| {
            directory.person(ADA).seat = Seat::None;
            directory.person(BEN).active = false;
            directory.person(CLEO).extra_teams = vec![RED];
            directory.route(MAIL, Case::new(members(&[Member::User(ADA), Member::User(BEN), Member::Team(RED)])));
            let step = OverflowStep { after_s: 60, members: vec![Member::User(CLEO)], workspaces: Vec::new() };
            directory.route(CHAT, Case { overflow: vec![step], ..Case::new(people(&[ADA])) });
        },
        &["channels.mail.rule.cases[0].target: nobody whom it names can be given work, so it never assigns anything"],
    );
}

#[test]
fn r7_7_a_rule_that_is_off_is_left_alone() {
    check(
        |directory| {
            directory.person(ADA).seat = Seat::None;
            directory.route(MAIL, Case::new(people(&[ADA])));
            directory.feed(MAIL).rule.as_mut().expect("a rule").on = false;
        },
        &[],
    );
}

#[test]
fn r7_7_nobody_has_room_for_a_single_item() {
    check(
        |directory| {
            directory.person(ADA).capacity.total = Some(0);
            directory.person(BEN).capacity.per_type = [(WorkType::Mail, 0)].into();
            directory.person(CLEO).capacity.weights = Some(CapacityWeights { limit: 5, per_type: [(WorkType::Mail, 10)].into() });
            directory.route(MAIL, patient(&[ADA, BEN, CLEO]));
            directory.route(CHAT, Case::new(people(&[ADA, BEN])));
        },
        &[
            "channels.mail.rule.cases[0].target: the capacity of everybody whom it names leaves no room for a single mail, so it never \
             assigns anything",
        ],
    );
}

/// Demands Parcels at 3 and Norwegian of mails in some language.
fn skilled(directory: &mut Directory, relax_after_s: Option<u32>) {
    let parcels = SkillId(31);
    let skill = |slug: &str, name: &str| Skill {
        id: parcels,
        slug: slug.to_owned(),
        category: "products".to_owned(),
        name: name.to_owned(),
    };
    directory.skills = vec![skill("parcels", "Parcels")];
    let demand = |wanted, relax_after_s| Demand { wanted, required: true, relax_after_s };
    let demands = vec![
        demand(Wanted::Skill { skill: parcels, min_level: 3, best_first: false }, None),
        demand(Wanted::Language { language: "nb".to_owned() }, relax_after_s),
    ];
    directory.place(INBOX).skill_rules = vec![SkillRule { when: Some(is("channel.kind", &["email", "form"])), demands }];
    directory.person(ADA).skills = vec![UserSkill { skill: parcels, level: 3 }];
    directory.person(BEN).skills = vec![UserSkill { skill: parcels, level: 2 }];
    directory.person(BEN).languages = vec![Spoken { language: "nb".to_owned(), main: false }];
    for channel in [MAIL, CHAT] {
        directory.route(channel, Case::new(people(&[ADA, BEN])));
    }
}

#[test]
fn r7_7_nobody_has_the_skills_that_are_required_for_good() {
    let unskilled = "channels.mail.rule.cases[0].target: nobody whom it names and who has room has what \
                     workspaces.\"inbox\".skill_rules[0] requires (Parcels, nb), so it never assigns what that applies to";
    check(|directory| skilled(directory, None), &[unskilled]);
    check(|directory| skilled(directory, Some(60)), &[unskilled]);
    let waiting = |directory: &mut Directory| {
        skilled(directory, Some(60));
        directory.route(MAIL, patient(&[ADA, BEN]));
    };
    check(waiting, &[]);
    let nobody_with_room = |directory: &mut Directory| {
        waiting(directory);
        directory.person(ADA).capacity.total = Some(0);
    };
    let lacking = unskilled.replace("(Parcels, nb)", "(Parcels)");
    check(nobody_with_room, &[&lacking]);
}

#[test]
fn r7_7_nobody_works_while_the_channel_is_open() {
    let apart = "channels.mail.rule.cases[0].target: nobody whom it names works while the channel is open, and it does not wait, so \
                 it never assigns anything";
    let night = |outside_hours, people_hours: &'static str, zone: &'static str| {
        move |directory: &mut Directory| {
            directory.feed(MAIL).hours = hours(&["mon-fri 08:00-16:00"]);
            directory.person(ADA).hours = hours(&[people_hours]);
            directory.person(ADA).zone = zone.to_owned();
            directory.person(BEN).hours = hours(&["sat 08:00-16:00"]);
            directory.route(MAIL, Case { outside_hours, ..Case::new(people(&[ADA, BEN])) });
        }
    };
    let unassigned = OutsideHours::Unassigned;
    check(night(unassigned, "mon-fri 16:00-22:00", "UTC"), &[apart]);
    check(night(unassigned, "mon-fri 15:59-22:00", "UTC"), &[]);
    check(night(OutsideHours::Route, "mon-fri 16:00-22:00", "UTC"), &[]);
    // Ada's evening in Oslo reaches into the channel's day in summer only.
    check(night(unassigned, "mon-fri 17:30-22:00", "Europe/Oslo"), &[]);
    check(night(unassigned, "mon-fri 18:00-22:00", "Europe/Oslo"), &[apart]);
    let waits = |directory: &mut Directory| {
        night(unassigned, "mon-fri 16:00-22:00", "UTC")(directory);
        directory.route(MAIL, Case { outside_hours: unassigned, ..patient(&[ADA, BEN]) });
    };
    check(waits, &[]);
    let anybody = |directory: &mut Directory| {
        night(unassigned, "mon-fri 16:00-22:00", "UTC")(directory);
        directory.feed(MAIL).rule.as_mut().expect("a rule").cases[0].only_available = false;
    };
    check(anybody, &[]);
}

#[test]
fn r7_7_skill_rules_that_never_apply_are_found_too() {
    check(
        |directory| {
            skilled(directory, None);
            directory.person(ADA).languages = vec![Spoken { language: "nb".to_owned(), main: true }];
            let mut again = directory.place(INBOX).skill_rules[0].clone();
            again.when = Some(is("channel.kind", &["form"]));
            directory.place(INBOX).skill_rules.push(again);
        },
        &[
            "workspaces.\"inbox\".skill_rules[1].when: whatever meets it has met the condition at [0] before, so the rule never applies",
        ],
    );
}

#[test]
fn r7_7_what_is_never_reached_refuses_no_save() {
    let mut directory = directory();
    directory.person(ADA).capacity.total = Some(0);
    directory.route(MAIL, Case::new(people(&[ADA])));
    assert_eq!((validate(&directory).len(), never(&directory).len()), (0, 1));
}
