//! Directory files that route by skills, holidays, weights, waiting and overflow.

use super::faults;
use crate::directory::{DirectoryFile, MergeOptions, diff, export, merge, merge_text};
use switchboard_model::{
    CapacityWeights, Demand, Directory, Fault, HandBack, LeaveOut, Member, OverflowStep, Presence, QueueOrder, SkillId,
    SkillRule, Sla, Spoken, UserSkill, Wanted, WhenNobody, WorkType,
};

/// Everything that rules go by.
pub(super) const FULL: &str = r#"
queue_order = "gcmu"

[[skills]]
slug = "billing"
name = "Billing"
category = "Topics"
[[skills]]
slug = "returns"
category = "Topics"

[[holidays]]
slug = "norway"
dates = [2027-05-17, "2027-12-25"]
[[holidays]]
slug = "empty"
dates = []

[[teams]]
slug = "support"
presence = { away_after_min = 20 }

[[users]]
email = "bo@desk.test"
seat = "service"
team = "support"
zone = "Europe/Oslo"
holidays = ["norway"]
languages = ["nb", "en:secondary", "DA:main"]
skills = [{ skill = "billing", level = 3 }, { skill = "returns", level = 1 }]
capacity = { total = 9, chat = 4, leave_out = { older_than_days = 14, waiting_on_contact = true }, weights = { limit = 100, call = 100, chat = 25, mail = 10 } }
[[users]]
email = "cy@desk.test"
seat = "service"

[[workspaces]]
slug = "mail"
kind = "inbox"
[workspaces.sla]
first_reply_min = 60
close_min = 2880
zone = "Europe/Oslo"
hours = ["mon-fri 08:00-16:00"]
holidays = ["norway"]
[[workspaces.skill_rules]]
when = { contains = { field = "message.subject", values = ["invoice"] } }
[[workspaces.skill_rules.demands]]
skill = "billing"
min_level = 2
best_first = true
relax_after_s = 300
[[workspaces.skill_rules.demands]]
language = "nb"
required = false
[[workspaces.skill_rules]]
demands = [{ skill = "returns" }]

[[workspaces]]
slug = "sales"
kind = "inbox"
sla = { next_reply_min = 5 }

[[channels]]
slug = "support"
kind = "email"
workspace = "mail"
holidays = ["norway"]
[[channels.rule.cases]]
target = { users_and_teams = ["team:support"] }
distribution = "round_robin"
weights = { "team:support" = 3, "cy@desk.test" = 2 }
when_nobody = "wait"
affinity_days = 30
hand_back = { absent_min = 60 }
overflow = [{ after_s = 60, to = ["cy@desk.test"] }, { after_s = 90, workspaces = ["sales"] }]
"#;

fn read(text: &str) -> Directory {
    merge_text(&Directory::default(), text, MergeOptions::default()).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn prune(current: &Directory, text: &str) -> Result<Directory, Vec<String>> {
    merge_text(current, text, MergeOptions { prune: true })
        .map_err(|faults| faults.iter().map(Fault::to_string).collect::<Vec<_>>())
}

#[test]
fn r8_1_skills_levels_and_languages_come_from_the_file() {
    let directory = read(FULL);
    assert_eq!(switchboard_core::validate(&directory), []);
    let [billing, returns] = directory.skills.as_slice() else { panic!("two skills") };
    assert_eq!((billing.name.as_str(), billing.category.as_str(), returns.name.as_str()), ("Billing", "Topics", "returns"));
    let bo = directory.user_by_email("bo@desk.test").unwrap();
    assert_eq!(bo.skills, [UserSkill { skill: billing.id, level: 3 }, UserSkill { skill: returns.id, level: 1 }]);
    let spoken = |language: &str, main| Spoken { language: language.to_owned(), main };
    assert_eq!(bo.languages, [spoken("nb", true), spoken("en", false), spoken("da", true)]);
}

#[test]
fn r8_2_skill_rules_of_a_workspace_demand_skills_and_languages() {
    let directory = read(FULL);
    let id = |slug: &str| directory.skills.iter().find(|skill| skill.slug == slug).map(|skill| skill.id).unwrap();
    let [first, last] = directory.workspaces[0].skill_rules.as_slice() else { panic!("two rules") };
    assert!(first.when.is_some());
    assert_eq!(
        first.demands,
        [
            Demand {
                wanted: Wanted::Skill { skill: id("billing"), min_level: 2, best_first: true },
                required: true,
                relax_after_s: Some(300),
            },
            Demand { wanted: Wanted::Language { language: "nb".to_owned() }, required: false, relax_after_s: None },
        ]
    );
    let wanted = Wanted::Skill { skill: id("returns"), min_level: 1, best_first: false };
    assert_eq!(*last, SkillRule { when: None, demands: vec![Demand { wanted, required: true, relax_after_s: None }] });
}

#[test]
fn r4_2_holiday_calendars_are_named_by_people_and_channels() {
    let directory = read(FULL);
    let dates: Vec<String> = directory.holidays["norway"].iter().map(ToString::to_string).collect();
    assert_eq!(dates, ["2027-05-17", "2027-12-25"]);
    assert!(directory.holidays["empty"].is_empty());
    assert_eq!(directory.users[0].holidays, ["norway"]);
    assert_eq!(directory.channels[0].holidays, ["norway"]);
}

#[test]
fn r5_5_and_r7_5_weights_waiting_overflow_and_affinity_come_from_the_file() {
    let directory = read(FULL);
    let capacity = &directory.users[0].capacity;
    assert_eq!((capacity.total, capacity.per_type.get(&WorkType::Chat)), (Some(9), Some(&4)));
    let per_type = [(WorkType::Chat, 25), (WorkType::Mail, 10), (WorkType::Call, 100)].into();
    assert_eq!(capacity.leave_out, LeaveOut { older_than_days: Some(14), waiting_on_contact: true });
    assert_eq!(capacity.weights, Some(CapacityWeights { limit: 100, per_type }));
    let case = &directory.channels[0].rule.as_ref().unwrap().cases[0];
    assert_eq!(case.hand_back, Some(HandBack { absent_min: Some(60), unanswered_min: None }));
    assert_eq!(directory.teams[0].presence, Some(Presence { away_after_min: 20 }));
    assert_eq!((case.when_nobody, case.affinity_days), (WhenNobody::Wait, Some(30)));
    let cy = directory.user_by_email("cy@desk.test").unwrap().id;
    let sales = directory.workspaces[1].id;
    assert_eq!(
        case.overflow,
        [
            OverflowStep { after_s: 60, members: vec![Member::User(cy)], workspaces: Vec::new() },
            OverflowStep { after_s: 90, members: Vec::new(), workspaces: vec![sales] },
        ]
    );
}

#[test]
fn r6_2_and_r7_4_weights_of_names_and_the_order_of_the_queue_come_from_the_file() {
    let directory = read(FULL);
    assert_eq!(directory.queue_order, QueueOrder::Gcmu);
    let case = &directory.channels[0].rule.as_ref().unwrap().cases[0];
    let cy = directory.user_by_email("cy@desk.test").unwrap().id;
    assert_eq!(case.weights, [(Member::Team(directory.teams[0].id), 3), (Member::User(cy), 2)].into());
    let kept = merge_text(&directory, "", MergeOptions::default()).unwrap();
    assert_eq!(kept.queue_order, QueueOrder::Gcmu, "what a file does not name stays");
    let reset = merge_text(&directory, "queue_order = \"priority\"\n", MergeOptions::default()).unwrap();
    let changes: Vec<String> = diff(&directory, &reset).iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["~ setting queue_order\n    gcmu → priority"]);
}

#[test]
fn r14_3_service_targets_have_a_clock_of_their_own() {
    let directory = read(FULL);
    let [mail, sales] = directory.workspaces.as_slice() else { panic!("two workspaces") };
    let clock = mail.sla.as_ref().unwrap();
    assert_eq!((clock.first_reply_min, clock.next_reply_min, clock.close_min), (Some(60), None, Some(2880)));
    assert_eq!(
        (clock.zone.as_str(), clock.hours.0.len(), clock.holidays.as_slice()),
        ("Europe/Oslo", 1, &["norway".to_owned()][..])
    );
    assert_eq!(sales.sla, Some(Sla { next_reply_min: Some(5), ..Sla::default() }), "a clock that always runs needs no zone");
    let edit = |sla: &str| format!("[[workspaces]]\nslug = \"sales\"\nkind = \"inbox\"\nsla = {sla}\n");
    let hours = "hours = [\"mon-fri 08:00-16:00\"]";
    let default = merge_text(&directory, &edit(&format!("{{ {hours} }}")), MergeOptions::default()).unwrap();
    assert_eq!(default.workspaces[1].sla.as_ref().unwrap().zone, "UTC");
    let refused = merge_text(&directory, &edit(&format!("{{ zone = \"Europe/Olso\", {hours} }}")), MergeOptions::default());
    assert!(refused.unwrap_err()[0].to_string().starts_with("workspaces.sales.sla.zone: unknown time zone `Europe/Olso`"));
}

#[test]
fn everything_that_rules_go_by_is_exported_and_reads_back_to_itself() {
    let first = read(FULL);
    let text = export(&first);
    let again = merge(&first, &DirectoryFile::read(&text).unwrap(), MergeOptions { prune: true }).unwrap();
    assert_eq!(diff(&first, &again), []);
    assert_eq!(Directory { version: first.version, ..again }, first, "{text}");
    let elsewhere = read(&text);
    assert_eq!(export(&elsewhere), text, "also into an empty directory");
}

#[test]
fn every_fault_of_what_rules_go_by_is_named_at_once() {
    let text = r#"
queue_order = "fair"
[[skills]]
slug = "billing"
[[holidays]]
slug = "norway"
dates = ["2027-02-30", 2027-05-17, 12]
[[holidays]]
slug = "sweden"
[[holidays]]
slug = "norway"
ical = "no.ics"
[[users]]
email = "bo@desk.test"
holidays = ["norwy"]
languages = ["norwegian", "en:third", 5]
skills = [{ skill = "biling", level = 6 }, { skill = "billing" }, { level = "high", lvl = 1 }]
capacity = { totl = 3, weights = { chat = -1 }, leave_out = { older = 3 } }
[[workspaces]]
slug = "mail"
kind = "inbox"
sla = { first_reply = 5, close_min = "soon", holidays = ["norwy"] }
skill_rules = [{ demands = [{}, { skill = "billing", language = "nb" }, { language = "nb", min_level = 2 }] }, { when = 3 }, { when = { iz = {} }, demands = [] }, { when = { any = [{ is = { field = "contact.name", values = [] }, all = [] }, { not = { contains = { value = "x" } } }] }, demands = [] }]
[[channels]]
slug = "mail"
kind = "email"
workspace = "mail"
[[channels.rule.cases]]
target = "nobody"
affinity_days = "long"
overflow = [{ to = ["team:sales"] }, { after_s = 5, people = [] }, { after_s = 9, workspaces = ["post"] }]
weights = { "bo@desk.test" = "much", "team:sales" = 2 }
"#;
    insta::assert_snapshot!(faults(text).join("\n"), @r#"
    skills[0].category: missing
    holidays[0].dates[0]: `2027-02-30` is no date like `2027-05-17`
    holidays[0].dates[2]: `12` is no date like `2027-05-17`
    holidays[1].dates: missing; name `dates`, or with `ical` a file that holds them
    holidays[2].ical: an iCal file is read by `switchboard apply` and `check`, which have it at hand; write `dates` here
    users[0].languages[0]: `norwegian` is not like `nb` or `en:secondary`
    users[0].languages[1]: `en:third` is not like `nb` or `en:secondary`
    users[0].languages[2]: must be a text like `nb` or `en:secondary`, not integer
    users[0].capacity.leave_out.older: unknown key `older`; known are older_than_days, waiting_on_contact
    users[0].capacity.weights.limit: missing
    users[0].capacity.weights.chat: invalid value: integer `-1`, expected u32
    users[0].capacity.totl: unknown key `totl`; did you mean `total`?
    users[0].skills[0].level: 6 is no level; levels go from 1 to 5
    users[0].skills[1].level: missing; levels go from 1 to 5
    users[0].skills[2].skill: missing
    users[0].skills[2].level: invalid type: string "high", expected i64
    users[0].skills[2].lvl: unknown key `lvl`; did you mean `level`?
    workspaces[0].sla.close_min: invalid type: string "soon", expected u32
    workspaces[0].sla.first_reply: unknown key `first_reply`; did you mean `first_reply_min`?
    workspaces[0].skill_rules[0].demands[0].skill: missing; a demand names a `skill` or a `language`
    workspaces[0].skill_rules[0].demands[1].language: stands beside `skill`; a demand names one of the two
    workspaces[0].skill_rules[0].demands[2].min_level: only skills have levels
    workspaces[0].skill_rules[1].when: must be a table, not integer
    workspaces[0].skill_rules[1].demands: missing; a list such as `[{ skill = "billing" }]`, empty to demand nothing
    workspaces[0].skill_rules[2].when: is no condition; write `is`, `contains`, `all`, `any` or `not`
    workspaces[0].skill_rules[2].when.iz: unknown key `iz`; did you mean `is`?
    workspaces[0].skill_rules[3].when.any[0].is: stands beside another; a condition has one of `is`, `contains`, `all`, `any`, `not`
    workspaces[0].skill_rules[3].when.any[1].not.contains.field: missing
    workspaces[0].skill_rules[3].when.any[1].not.contains.values: missing
    workspaces[0].skill_rules[3].when.any[1].not.contains.value: unknown key `value`; did you mean `values`?
    channels[0].rule.cases[0].weights."bo@desk.test": invalid type: string "much", expected u32
    channels[0].rule.cases[0].affinity_days: invalid type: string "long", expected u32
    channels[0].rule.cases[0].overflow[0].after_s: missing
    channels[0].rule.cases[0].overflow[1].to: missing
    channels[0].rule.cases[0].overflow[1].people: unknown key `people`; known are after_s, to, workspaces
    queue_order: unknown variant `fair`, expected `priority` or `gcmu`
    holidays[2]: `norway` stands in holidays[0] already
    users[0].skills[0].skill: unknown skill `biling`; did you mean `billing`?
    users[0].holidays[0]: unknown holiday calendar `norwy`; did you mean `norway`?
    workspaces[0].sla.holidays[0]: unknown holiday calendar `norwy`; did you mean `norway`?
    channels[0].rule.cases[0].overflow[0].to[0]: unknown team `sales`; there is none yet
    channels[0].rule.cases[0].overflow[2].workspaces[0]: unknown workspace `post`; known are mail
    channels[0].rule.cases[0].weights."team:sales": unknown team `sales`; there is none yet
    "#);
}

#[test]
fn r8_4_a_skill_in_use_cannot_be_pruned_and_the_fault_names_where() {
    let current = read(FULL);
    let without = FULL.replace("[[skills]]\nslug = \"returns\"\ncategory = \"Topics\"\n", "");
    let refused = prune(&current, &without).unwrap_err();
    assert_eq!(
        refused,
        ["skills.\"returns\": is in use and cannot go; it is named in users.\"bo@desk.test\".skills[1], \
          workspaces.\"mail\".skill_rules[1].demands[0]"]
    );
    let unused = without
        .replace(", { skill = \"returns\", level = 1 }", "")
        .replace("[[workspaces.skill_rules]]\ndemands = [{ skill = \"returns\" }]\n", "");
    let pruned = prune(&current, &unused).unwrap();
    assert_eq!(pruned.skills.iter().map(|skill| skill.slug.as_str()).collect::<Vec<_>>(), ["billing"]);
    let kept = merge_text(&current, &unused, MergeOptions::default()).unwrap();
    assert_eq!(kept.skills.len(), 2, "without --prune it stays");
}

#[test]
fn a_pruned_calendar_goes_and_one_in_use_is_a_fault() {
    let current = read(FULL);
    let without = FULL.replace("[[holidays]]\nslug = \"empty\"\ndates = []\n", "");
    assert_eq!(prune(&current, &without).unwrap().holidays.keys().collect::<Vec<_>>(), ["norway"]);
    let without = FULL.replace("slug = \"norway\"", "slug = \"norge\"");
    let unknown = "unknown holiday calendar `norway`; did you mean `norge`?";
    assert_eq!(
        prune(&current, &without).unwrap_err(),
        ["users[0].holidays[0]", "workspaces[0].sla.holidays[0]", "channels[0].holidays[0]"]
            .map(|key| format!("{key}: {unknown}"))
    );
}

#[test]
fn the_difference_of_a_calendar_names_the_days_that_come_and_go() {
    let before = read(FULL);
    let after = merge_text(
        &before,
        "[[holidays]]\nslug = \"norway\"\ndates = [2027-05-17, 2027-12-26]\n[[skills]]\nslug = \"vip\"\ncategory = \"Other\"\n",
        MergeOptions::default(),
    )
    .unwrap();
    let changes: Vec<String> = diff(&before, &after).iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["+ skill vip", "~ holidays norway\n    dates: new 2027-12-26\n    dates: gone 2027-12-25"]);
    assert_eq!(after.skills[2].id, SkillId(after.last_id), "ids go on");
}
