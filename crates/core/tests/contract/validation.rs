//! ROUTING 7.7 and 3.9: what refuses a directory or a rule, all at once.

use crate::support::{
    ADA, BEN, BLUE, CHAT, CLEO, DESK, Edit, INBOX, MAIL, RED, TICKETS, absence, directory, hours, members, people, rule,
};
use switchboard_core::{skill_uses, validate, validate_rule, validate_structure};
use switchboard_model::{
    CapacityWeights, Case, Condition, Demand, Directory, Distribution, FactField, Fallback, HandBack, HoursSpan, Member,
    OutsideHours, OverflowStep, Presence, Seat, Skill, SkillId, SkillRule, Spoken, Target, TeamId, UserId, UserSkill, Wanted,
    Weekday, WeeklyHours, WhenNobody, WorkType, WorkspaceAccess, WorkspaceId, ZoneData,
};

/// Edits the default directory and compares every fault, one per line.
fn check(edit: impl FnOnce(&mut Directory), expected: &[&str]) {
    let mut directory = directory();
    edit(&mut directory);
    let found: Vec<String> = validate(&directory).iter().map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

fn contains(field: &str, values: &[&str]) -> Condition {
    Condition::Contains { field: FactField(field.to_owned()), values: values.iter().map(|value| (*value).to_owned()).collect() }
}

#[test]
fn r7_7_a_directory_in_order_has_no_faults() {
    check(
        |directory| {
            directory.person(ADA).team = Some(RED);
            directory.person(BEN).extra_teams = vec![RED, BLUE];
            directory.person(BEN).hours = hours(&["mon-fri 08:00-16:00", "sat 22:00-02:00"]);
            directory.teams[1].parent = Some(RED);
            directory.feed(TICKETS).rule = rule([
                Case { when: Some(contains("form.order", &["7"])), ..Case::new(Target::TeamOnly { team: BLUE }) },
                Case {
                    when: Some(Condition::Not(Box::new(contains("message.text", &["x"])))),
                    ..Case::new(members(&[Member::Team(RED), Member::User(CLEO)]))
                },
                Case::new(Target::ContactOwner { require_cookie: false, fallback: Fallback::User { user: ADA } }),
            ]);
        },
        &[],
    );
}

#[test]
fn r7_7_a_rule_names_only_who_is_there_with_seat_and_access() {
    check(
        |directory| {
            directory.person(ADA).seat = Seat::None;
            directory.person(BEN).active = false;
            directory.person(CLEO).ticket_access = false;
            let listed = [
                Member::User(ADA),
                Member::User(BEN),
                Member::User(CLEO),
                Member::User(UserId(77)),
                Member::Team(RED),
                Member::Team(TeamId(78)),
            ];
            directory.route(TICKETS, Case::new(members(&listed)));
        },
        &[
            "channels.tickets.rule.cases[0].target.members[3]: user 77 does not exist",
            "channels.tickets.rule.cases[0].target.members[5]: team 78 does not exist",
            "channels.tickets.rule.cases[0].target.members[0]: user101@example.org has no seat that the workspace accepts",
            "channels.tickets.rule.cases[0].target.members[1]: user102@example.org is deactivated or has not accepted the invitation",
            "channels.tickets.rule.cases[0].target.members[2]: user103@example.org may not open the workspace or its tickets",
            "channels.tickets.rule.cases[0].target.members[4]: red has no main member",
        ],
    );
}

#[test]
fn r7_7_a_team_needs_a_selectable_main_member_and_a_list_needs_somebody() {
    check(
        |directory| {
            directory.person(ADA).team = Some(RED);
            directory.person(ADA).seat = Seat::None;
            directory.route(MAIL, Case::new(members(&[Member::Team(RED)])));
            directory.route(CHAT, Case::new(members(&[])));
        },
        &[
            "channels.chat.rule.cases[0].target.members: names nobody; name users or teams, or use `nobody`",
            "channels.mail.rule.cases[0].target.members[0]: red has no main member who is active, with an accepted seat and with access",
        ],
    );
}

#[test]
fn r7_7_team_only_is_for_help_desks_and_needs_an_active_member_with_the_seat() {
    check(
        |directory| {
            directory.person(ADA).extra_teams = vec![RED];
            directory.route(MAIL, Case::new(Target::TeamOnly { team: RED }));
            directory.route(TICKETS, Case::new(Target::TeamOnly { team: BLUE }));
        },
        &[
            "channels.mail.rule.cases[0].target: `team_only` is for help desks; in an inbox name the team in `users_and_teams`",
            "channels.tickets.rule.cases[0].target.team: blue has no active member with an accepted seat",
        ],
    );
}

#[test]
fn r7_3_the_default_user_of_a_contact_owner_must_be_selectable() {
    check(
        |directory| {
            directory.person(ADA).accepted = false;
            let target = Target::ContactOwner { require_cookie: false, fallback: Fallback::User { user: ADA } };
            directory.route(MAIL, Case::new(target));
        },
        &[
            "channels.mail.rule.cases[0].target.fallback.user: user101@example.org is deactivated or has not accepted the invitation",
        ],
    );
}

#[test]
fn r7_0_only_the_last_case_has_no_condition() {
    check(
        |directory| {
            directory.feed(MAIL).rule =
                rule([Case::new(Target::Nobody), Case { when: Some(Condition::All(Vec::new())), ..Case::new(Target::Nobody) }]);
            directory.feed(CHAT).rule = rule([]);
        },
        &[
            "channels.mail.rule.cases[0].when: only the last case has no condition, the cases after this one would never apply",
            "channels.mail.rule.cases[1].when: the last case has no condition, so that it applies to the rest",
            "channels.chat.rule.cases: a rule has at least one case",
        ],
    );
}

#[test]
fn r7_7_conditions_ask_for_known_facts_within_limits() {
    let mut deep = contains("message.text", &["x"]);
    for _ in 0..Condition::MAX_DEPTH {
        deep = Condition::Not(Box::new(deep));
    }
    let many = Condition::Any(vec![contains("message.text", &["x"]); Condition::MAX_COMPARISONS]);
    let odd =
        Condition::Any(vec![contains("mesage.text", &["x"]), contains("message.text", &[" "]), contains("contact.name", &[])]);
    check(
        |directory| {
            directory.feed(MAIL).rule = rule([
                Case { when: Some(deep), ..Case::new(Target::Nobody) },
                Case { when: Some(many), ..Case::new(Target::Nobody) },
                Case { when: Some(odd), ..Case::new(Target::Nobody) },
                Case::new(Target::Nobody),
            ]);
        },
        &[
            "channels.mail.rule.cases: 204 comparisons in all, 200 at most",
            "channels.mail.rule.cases[0].when: nested 9 deep, 8 at most",
            "channels.mail.rule.cases[2].when.any[0].contains.field: unknown fact `mesage.text`; did you mean `message.text`?",
            "channels.mail.rule.cases[2].when.any[1].contains.values[0]: an empty value is contained in everything; name a text, or use `is` to find what is missing",
            "channels.mail.rule.cases[2].when.any[2].contains.values: has 0 values, 1 to 1000 are allowed",
        ],
    );
}

#[test]
fn r7_7_what_cannot_be_done_yet_is_refused_in_so_many_words() {
    check(
        |directory| {
            let mut case = Case::new(Target::Assistant { if_cannot_answer: Fallback::Nobody });
            case.distribution = Some(Distribution::LongestIdleTotal);
            case.outside_hours = OutsideHours::Assistant;
            directory.route(MAIL, case);
        },
        &[
            "channels.mail.rule.cases[0].outside_hours: there is no assistant yet; use `route` or `unassigned`",
            "channels.mail.rule.cases[0].target: there is no assistant yet; use `users_and_teams`, `team_only`, `contact_owner` or `nobody`",
        ],
    );
}

#[test]
fn r7_7_waiting_overflow_affinity_and_weights_are_allowed() {
    check(
        |directory| {
            directory.person(ADA).capacity.weights =
                Some(CapacityWeights { limit: 100, per_type: [(WorkType::Call, 100)].into() });
            let step = OverflowStep { after_s: 60, members: vec![Member::Team(RED)], workspaces: vec![DESK] };
            directory.person(BEN).team = Some(RED);
            let waits = Case { when_nobody: WhenNobody::Wait, affinity_days: Some(30), ..Case::new(people(&[ADA])) };
            directory.route(MAIL, Case { overflow: vec![step], ..waits });
        },
        &[],
    );
}

#[test]
fn r7_7_times_of_presence_and_of_handing_back_are_checked() {
    check(
        |directory| {
            directory.teams[0].presence = Some(Presence { away_after_min: 0 });
            let hand_back = Some(HandBack { absent_min: Some(60), unanswered_min: Some(50_000) });
            directory.route(MAIL, Case { hand_back, ..Case::new(people(&[ADA])) });
            let nothing = Some(HandBack::default());
            directory.route(TICKETS, Case { hand_back: nothing, ..Case::new(people(&[ADA])) });
        },
        &[
            "teams.\"red\".presence.away_after_min: 0 minutes; 1 to 1440 are allowed, leave it out to switch presence off",
            "channels.mail.rule.cases[0].hand_back.unanswered_min: 50000 minutes; 1 to 43200 are allowed",
            "channels.tickets.rule.cases[0].hand_back: names no time; set `absent_min` or `unanswered_min`, or leave it out",
        ],
    );
}

#[test]
fn r7_7_people_are_checked_entry_by_entry() {
    check(
        |directory| {
            let ada = directory.person(ADA);
            ada.email = "Ada@example.org".to_owned();
            ada.name = " ".to_owned();
            ada.zone = "Europe/Olso".to_owned();
            ada.team = Some(TeamId(77));
            ada.extra_teams = vec![RED, RED];
            ada.out_of_office = vec![absence("2027-02-02T00:00:00Z", "2027-02-01T00:00:00Z")];
            ada.capacity.total = Some(1_000_000);
            ada.capacity.per_type.insert(WorkType::Call, 100_001);
            ada.language = Some("nn".to_owned());
            let ben = directory.person(BEN);
            (ben.email, ben.team, ben.extra_teams) = ("ada@example.org".to_owned(), Some(BLUE), vec![BLUE]);
            directory.person(CLEO).email = "cleo".to_owned();
        },
        &[
            "users.\"ada@example.org\": the email `ada@example.org` is used twice, each must be unique",
            "users.\"Ada@example.org\": the email address `Ada@example.org` must be in lower case",
            "users.\"Ada@example.org\".name: must have 1 to 200 characters",
            "users.\"Ada@example.org\".team: unknown team with id 77; known are red, blue",
            "users.\"Ada@example.org\".extra_teams[1]: the team `red` is named twice",
            "users.\"Ada@example.org\".zone: unknown time zone `Europe/Olso`, write one such as `Europe/Oslo`",
            "users.\"Ada@example.org\".out_of_office[0]: the absence must end after it begins",
            "users.\"Ada@example.org\".capacity.total: 1000000 is above 100000; leave the limit out to set none",
            "users.\"Ada@example.org\".capacity.per_type.call: 100001 is above 100000; leave the limit out to set none",
            "users.\"Ada@example.org\".language: unknown language `nn`; did you mean `en`?",
            "users.\"ada@example.org\".extra_teams[0]: `blue` is the main team already",
            "users.\"cleo\": `cleo` is not an email address",
        ],
    );
}

#[test]
fn r7_7_teams_workspaces_and_channels_are_checked_entry_by_entry() {
    check(
        |directory| {
            directory.teams[0].parent = Some(BLUE);
            directory.teams[1].parent = Some(RED);
            directory.teams[1].slug = "Blue Team".to_owned();
            directory.place(INBOX).access = WorkspaceAccess::Restricted { users: Vec::new(), teams: Vec::new() };
            directory.workspaces[1].seats = vec![Seat::Service, Seat::Service, Seat::None];
            directory.workspaces[1].access = WorkspaceAccess::Restricted { users: vec![UserId(77)], teams: vec![RED, RED] };
            directory.feed(MAIL).workspace = WorkspaceId(77);
            directory.feed(CHAT).slug = "mail".to_owned();
            directory.zones.insert("Bad/Zone".to_owned(), ZoneData("!".to_owned()));
            let day = Weekday::from_monday_zero(0).unwrap();
            let span = HoursSpan { first: day, last: day, from_minute: 1500, to_minute: 10 };
            directory.feed(TICKETS).hours = WeeklyHours(vec![span]);
        },
        &[
            "channels.\"mail\": the slug `mail` is used twice, each must be unique",
            "zones.\"Bad/Zone\": the stored data of this time zone cannot be read",
            "teams.\"red\".parent: the team is its own parent, directly or through others",
            "teams.\"Blue Team\": `Blue Team` is no slug; use lower-case letters, digits and underscores",
            "teams.\"Blue Team\".parent: the team is its own parent, directly or through others",
            "workspaces.\"inbox\".access: restricted to nobody; name users or teams, or open it to everyone",
            "workspaces.\"desk\".seats: must name `sales`, `service` or both",
            "workspaces.\"desk\".seats[1]: the seat `service` is named twice",
            "workspaces.\"desk\".access.users[0]: unknown user with id 77; known are user101@example.org, user102@example.org, user103@example.org, user104@example.org",
            "workspaces.\"desk\".access.teams[1]: the team `red` is named twice",
            "channels.mail.workspace: unknown workspace `77`; known are inbox, desk",
            "channels.tickets.hours[0]: `mon 25:00-00:10` does not start between 00:00 and 23:59 and end between 00:01 and 24:00",
        ],
    );
}

#[test]
fn r7_7_ids_are_given_out_unique_and_in_order() {
    check(
        |directory| {
            directory.last_id = 103;
            directory.users.swap(0, 1);
        },
        &[
            "users.\"user101@example.org\".id: entries must stand in ascending order of unique ids",
            "users.\"user104@example.org\".id: the id 104 was never given out, ids go from 1 to 103",
        ],
    );
}

#[test]
fn r3_9_losing_the_seat_is_no_fault_of_the_directory_but_refuses_the_rule_on_save() {
    let mut directory = directory();
    directory.route(MAIL, Case::new(people(&[ADA])));
    directory.route(CHAT, Case::new(people(&[BEN])));
    directory.person(ADA).seat = Seat::None;
    assert_eq!(validate_structure(&directory), []);
    assert_eq!(validate_rule(&directory, MAIL).len(), 1);
    assert_eq!(validate_rule(&directory, CHAT), []);
    assert_eq!(validate(&directory).len(), 1);
    directory.feed(MAIL).rule.as_mut().unwrap().on = false;
    assert_eq!(validate(&directory), [], "a rule that is off may name whom it can no longer route to");
}

#[test]
fn r8_4_skills_and_their_rules_are_checked_and_a_skill_in_use_is_named_where() {
    let skill = |id: i64, slug: &str| Skill {
        id: SkillId(id),
        slug: slug.to_owned(),
        category: "trade".to_owned(),
        name: slug.to_owned(),
    };
    let demand = |wanted, required, relax_after_s| Demand { wanted, required, relax_after_s };
    let edit = |directory: &mut Directory| {
        directory.skills = vec![skill(51, "billing"), Skill { category: " ".to_owned(), ..skill(52, "Repair") }];
        directory.person(ADA).skills =
            vec![UserSkill { skill: SkillId(51), level: 6 }, UserSkill { skill: SkillId(53), level: 1 }];
        directory.person(ADA).languages = vec![Spoken { language: "NB".to_owned(), main: true }];
        let level = Wanted::Skill { skill: SkillId(51), min_level: 0, best_first: false };
        let language = Wanted::Language { language: "nb".to_owned() };
        directory.place(INBOX).skill_rules = vec![
            SkillRule { when: None, demands: vec![demand(level, false, Some(5))] },
            SkillRule { when: Some(contains("message.text", &[""])), demands: vec![demand(language, true, Some(u32::MAX))] },
        ];
    };
    check(
        edit,
        &[
            "skills.\"Repair\": `Repair` is no slug; use lower-case letters, digits and underscores",
            "skills.\"Repair\".category: a skill has a category",
            "users.\"user101@example.org\".skills[0].level: level 6; levels go from 1 to 5",
            "users.\"user101@example.org\".skills[1].skill: unknown skill `53`; known are billing, Repair",
            "users.\"user101@example.org\".languages[0].language: `NB` is no language code; write one such as `nb`",
            "workspaces.\"inbox\".skill_rules[0].when: only the last rule can do without a condition, the rules after this one would never apply",
            "workspaces.\"inbox\".skill_rules[1].when.contains.values[0]: an empty value is contained in everything; name a text, or use `is` to find what is missing",
            "workspaces.\"inbox\".skill_rules[0].demands[0].min_level: level 0; levels go from 1 to 5",
            "workspaces.\"inbox\".skill_rules[0].demands[0].relax_after_s: only a required skill relaxes, this one is preferred",
            "workspaces.\"inbox\".skill_rules[1].demands[0].relax_after_s: 4294967295 s, 2592000 at most",
        ],
    );
    let mut directory = directory();
    edit(&mut directory);
    assert_eq!(
        skill_uses(&directory, SkillId(51)),
        ["users.\"user101@example.org\".skills[0]", "workspaces.\"inbox\".skill_rules[0].demands[0]"]
    );
    assert!(skill_uses(&directory, SkillId(52)).is_empty());
}

#[test]
fn r7_7_overflow_affinity_and_weights_are_checked() {
    check(
        |directory| {
            directory.person(ADA).capacity.weights =
                Some(CapacityWeights { limit: 100, per_type: [(WorkType::Call, 200_000)].into() });
            directory.person(BEN).active = false;
            let step = |after_s, members: &[Member]| OverflowStep { after_s, members: members.to_vec(), workspaces: Vec::new() };
            let mut case = Case::new(people(&[ADA]));
            case.overflow = vec![step(60, &[Member::User(BEN)]), step(60, &[]), step(90, &[Member::Team(TeamId(77))])];
            case.affinity_days = Some(0);
            directory.route(MAIL, case);
        },
        &[
            "users.\"user101@example.org\".capacity.weights.per_type.call: 200000 is above 100000; leave the limit out to set none",
            "channels.mail.rule.cases[0].affinity_days: 0 days; 1 to 3650 are allowed",
            "channels.mail.rule.cases[0].overflow[1].after_s: 60 s; must come after the step before it and by 2592000 s",
            "channels.mail.rule.cases[0].overflow[1].members: names nobody; name users, teams or workspaces",
            "channels.mail.rule.cases[0].overflow[2].members[0]: team 77 does not exist",
            "channels.mail.rule.cases[0].overflow[0].members[0]: user102@example.org is deactivated or has not accepted the invitation",
        ],
    );
}

#[test]
fn r7_7_workspaces_of_overflow_steps_exist_and_somebody_there_may_have_the_work() {
    check(
        |directory| {
            directory.place(INBOX).access = WorkspaceAccess::Restricted { users: vec![ADA, BEN], teams: Vec::new() };
            directory.place(DESK).access = WorkspaceAccess::Restricted { users: vec![CLEO], teams: Vec::new() };
            let step = OverflowStep { after_s: 60, members: Vec::new(), workspaces: vec![WorkspaceId(77), DESK, DESK] };
            directory.route(MAIL, Case { overflow: vec![step], ..Case::new(people(&[ADA])) });
        },
        &[
            "channels.mail.rule.cases[0].overflow[0].workspaces[0]: unknown workspace `77`; known are inbox, desk",
            "channels.mail.rule.cases[0].overflow[0].workspaces[2]: the workspace is named twice",
            "channels.mail.rule.cases[0].overflow[0].workspaces[1]: nobody can be given work in both `desk` and `inbox`",
            "channels.mail.rule.cases[0].overflow[0].workspaces[2]: nobody can be given work in both `desk` and `inbox`",
        ],
    );
}

#[test]
fn r6_2_weights_go_from_1_to_20_for_names_of_the_case_under_round_robin() {
    check(
        |directory| {
            directory.person(BEN).team = Some(RED);
            let target = members(&[Member::User(ADA), Member::Team(RED)]);
            let listed = [(Member::User(ADA), 0), (Member::Team(RED), 21), (Member::User(CLEO), 20), (Member::User(BEN), 1)];
            directory.route(MAIL, Case { weights: listed.into(), ..Case::new(target.clone()) });
            let step = OverflowStep { after_s: 60, members: vec![Member::User(BEN)], workspaces: Vec::new() };
            let weights = [(Member::User(ADA), 1), (Member::Team(RED), 20), (Member::User(BEN), 3)].into();
            let distribution = Some(Distribution::RoundRobin);
            directory.route(CHAT, Case { weights, distribution, overflow: vec![step], ..Case::new(target) });
        },
        &[
            "channels.mail.rule.cases[0].weights: only `round_robin` goes by weights; choose it or leave them out",
            "channels.mail.rule.cases[0].weights.\"user101@example.org\": 0; weights go from 1 to 20",
            "channels.mail.rule.cases[0].weights.\"user102@example.org\": is not among the users and teams that the case lists",
            "channels.mail.rule.cases[0].weights.\"user103@example.org\": is not among the users and teams that the case lists",
            "channels.mail.rule.cases[0].weights.\"red\": 21; weights go from 1 to 20",
        ],
    );
}

#[test]
fn r7_7_holiday_calendars_are_named_by_keys_that_exist() {
    check(
        |directory| {
            directory.holidays.insert("Norway".to_owned(), ["2027-05-17".parse().expect("a date")].into());
            directory.person(ADA).holidays = vec!["Norway".to_owned(), "norwya".to_owned()];
            directory.feed(MAIL).holidays = vec!["denmark".to_owned()];
        },
        &[
            "holidays.\"Norway\": `Norway` is no slug; use lower-case letters, digits and underscores",
            "users.\"user101@example.org\".holidays[1]: unknown holiday calendar `norwya`; did you mean `Norway`?",
            "channels.mail.holidays[0]: unknown holiday calendar `denmark`; known are Norway",
        ],
    );
}
