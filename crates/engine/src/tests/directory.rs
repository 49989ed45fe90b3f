//! Directory files: read, merged, compared and written.

mod ical;
mod reference;
mod routing;

use super::{DIRECTORY, Desk};
use crate::directory::{DirectoryFile, MergeOptions, diff, expand_calendars, export, merge, merge_text};
use crate::{ApplyOptions, Caller, EngineErrorKind};
use switchboard_model::{CivilDate, Directory, Fault};

fn faults(text: &str) -> Vec<String> {
    let faults = merge_text(&Directory::default(), text, MergeOptions::default()).err().unwrap_or_default();
    faults.iter().map(Fault::to_string).collect()
}

#[test]
fn every_fault_of_a_file_is_named_at_once() {
    let text =
        "[[users]]\nemail = \"bo\"\nnmae = \"Bo\"\nhours = [\"mon 25:00-26:00\"]\n[[workspaces]]\nslug = \"Mail\"\n[[chanels]]\n";
    assert_eq!(
        faults(text),
        [
            "users[0].email: `bo` is no email address",
            "users[0].hours: `mon 25:00-26:00` is not like `mon-fri 08:30-16:00` or `sat 22:00-02:00`",
            "users[0].nmae: unknown key `nmae`; did you mean `name`?",
            "workspaces[0].slug: `Mail` may hold only a-z, 0-9 and _",
            "workspaces[0].kind: missing; it is `inbox` or `help_desk`",
            "chanels: unknown key `chanels`; did you mean `channels`?",
        ]
    );
}

#[test]
fn names_that_lead_nowhere_are_named_with_the_nearest() {
    let text = "[[teams]]\nslug = \"support\"\n[[users]]\nemail = \"bo@desk.test\"\nteam = \"suport\"\nzone = \"Europe/Olso\"\n";
    assert_eq!(
        faults(text),
        [
            "users[0].team: unknown team `suport`; did you mean `support`?",
            "users.bo@desk.test.zone: unknown time zone `Europe/Olso`; did you mean `Europe/Oslo`?"
        ]
    );
}

#[test]
fn a_fault_in_one_part_hides_none_in_another() {
    let text = "[[teams]]\n[[teams]]\nslug = \" \"\n[[users]]\nemail = \"bo@desk.test\"\nteam = \"sales\"\nrole = 5\n\
        [[users]]\nemail = \"bo@desk.test\"\nzone = \"Mars\"\n[[channels]]\nslug = \"mail\"\nkind = \"email\"\n";
    let found = faults(text);
    let keys: Vec<&str> = found.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "teams[0].slug",
            "teams[1].slug",
            "users[0].role",
            "channels[0].workspace",
            "users[1]",
            "users[0].team",
            "users.bo@desk.test.zone",
        ],
        "{found:#?}"
    );
}

#[test]
fn r7_7_every_fault_of_a_rule_is_named_with_its_case_and_key() {
    let text = "[[workspaces]]\nslug = \"mail\"\nkind = \"inbox\"\n[[channels]]\nslug = \"mail\"\nkind = \"email\"\nworkspace = \"mail\"\n\
        [channels.rule]\nonn = true\n[[channels.rule.cases]]\nwhen = { is = { field = \"message.subject\" } }\n\
        target = { team_only = \"sales\" }\nwhen_nobody = \"hide\"\n[[channels.rule.cases]]\ndistribution = \"fair\"\n\
        [[channels]]\nslug = \"other\"\nkind = \"email\"\nworkspace = \"mail\"\nrule = {}\n";
    let found = faults(text);
    let keys: Vec<&str> = found.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(
        keys,
        [
            "channels[0].rule.cases[0].when.is.values",
            "channels[0].rule.cases[0].when_nobody",
            "channels[0].rule.cases[1].target",
            "channels[0].rule.cases[1].distribution",
            "channels[0].rule.onn",
            "channels[1].rule.cases",
            "channels[0].rule.cases[0].target",
        ],
        "{found:#?}"
    );
}

#[test]
fn a_syntax_error_names_line_and_column() {
    assert!(faults("[[users]]\nemail = \"bo").first().unwrap().starts_with("line 2, column "));
}

#[test]
fn an_exported_directory_reads_back_to_itself() {
    let file = DirectoryFile::read(DIRECTORY).unwrap();
    let first = merge(&Directory::default(), &file, MergeOptions::default()).unwrap();
    let again = merge(&first, &DirectoryFile::read(&export(&first)).unwrap(), MergeOptions { prune: true }).unwrap();
    assert_eq!(diff(&first, &again), []);
    assert_eq!(Directory { version: first.version, ..again }, first);
}

#[test]
fn the_demo_directory_has_no_faults() {
    let demo = include_str!("../../../../config/directory.toml");
    let today = CivilDate { year: 2026, month: 11, day: 22 };
    let expanded = expand_calendars(demo, today, |path| match path {
        "norway.ics" => Ok(include_str!("../../../../config/norway.ics").to_owned()),
        _ => Err("is not in the folder".to_owned()),
    });
    assert_eq!((&expanded.notes, &expanded.faults), (&Vec::new(), &Vec::new()));
    let file = DirectoryFile::read(&expanded.text).unwrap();
    let directory = merge(&Directory::default(), &file, MergeOptions::default()).unwrap();
    assert_eq!(switchboard_core::validate(&directory), []);
    assert_eq!(switchboard_core::never(&directory), []);
    let norway: Vec<String> = directory.holidays["norway"].iter().map(ToString::to_string).collect();
    let of_2027 = norway.iter().filter(|date| date.starts_with("2027")).cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        of_2027,
        "2027-01-01 2027-03-25 2027-03-26 2027-03-27 2027-03-28 2027-03-29 2027-05-01 2027-05-06 2027-05-17 2027-12-25 2027-12-26"
    );
    assert_eq!((directory.users.len(), directory.teams.len(), directory.workspaces.len()), (8, 3, 3));
}

#[tokio::test]
async fn applying_shows_the_difference_and_applies_it_in_one_version() {
    let desk = Desk::without_router().await;
    let edit = "[[users]]\nemail = \"bo@desk.test\"\nname = \"Bo Berg\"\nseat = \"service\"\nteam = \"support\"\ncapacity = { total = 5 }\n";
    let dry = desk.engine.apply(&Caller::system(), edit, ApplyOptions { dry_run: true, prune: false }).await.unwrap();
    assert_eq!((dry.version, dry.changes.len()), (1, 1));
    assert_eq!(
        dry.changes[0].to_string(),
        "~ user bo@desk.test\n    capacity: {\"total\":2} → {\"total\":5}\n    name: \"Bo\" → \"Bo Berg\""
    );
    let done = desk.engine.apply(&Caller::system(), edit, ApplyOptions::default()).await.unwrap();
    assert_eq!((done.version, desk.engine.directory().user(desk.user("bo")).unwrap().name.as_str()), (2, "Bo Berg"));
    assert_eq!(desk.engine.apply(&Caller::system(), edit, ApplyOptions::default()).await.unwrap().changes, []);
    let audit = desk.engine.audit(None, 10).await.unwrap();
    assert_eq!(audit.rows[0].action, "directory.apply");
}

#[tokio::test]
async fn r7_7_a_rule_that_cannot_work_is_refused_with_every_fault() {
    let desk = Desk::without_router().await;
    let edit = "[[channels]]\nslug = \"support\"\nkind = \"email\"\nworkspace = \"mail\"\n[channels.rule]\n\
        cases = [{ when = { is = { field = \"message.subjekt\", values = [] } }, target = { users_and_teams = [\"ed@desk.test\"] } },\n\
        { target = { assistant = { if_cannot_answer = \"nobody\" } } }]\n";
    let refused = desk.engine.apply(&Caller::system(), edit, ApplyOptions::default()).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Invalid);
    assert!(refused.faults.len() >= 3, "{:?}", refused.faults);
    assert_eq!(desk.engine.directory().version, 1, "nothing changed");
}

#[tokio::test]
async fn the_last_administrator_cannot_be_taken_away() {
    let desk = Desk::without_router().await;
    let edit = "[[users]]\nemail = \"ann@desk.test\"\nname = \"Ann\"\nrole = \"agent\"\n";
    let refused = desk.engine.apply(&Caller::system(), edit, ApplyOptions::default()).await.unwrap_err();
    assert!(refused.message.contains("last active administrator"), "{refused}");
}
