//! Several chatflows in one chat channel: the file, editing, and whom their visitors reach (ROUTING 1, 7).

use super::threads::chat;
use super::{DIRECTORY, Desk};
use crate::{ApplyOptions, Caller, EngineErrorKind};
use switchboard_model::{InboundMessage, ItemId, Owner, Rule};

const CHATFLOWS: &str = r#"
[[channels]]
slug = "chat"
kind = "chat"
workspace = "mail"
reopen_owner = "route"
[channels.rule]
cases = [{ target = "nobody" }]
[[channels.chatflows]]
slug = "prices"
name = "Prices"
when = { contains = { field = "form.page", values = ["/prices"] } }
rule.cases = [
  { when = { is = { field = "message.language", values = ["nb"] } }, target = { users_and_teams = ["bo@desk.test"] } },
  { target = { users_and_teams = ["team:sales"] } },
]
[[channels.chatflows]]
slug = "help"
when = { is = { field = "form.topic", values = ["help"] } }
rule.cases = [{ target = { users_and_teams = ["team:support"] } }]
[[channels.chatflows]]
slug = "later"
when = { is = { field = "form.topic", values = ["later"] } }
"#;

async fn desk() -> Desk {
    let desk = Desk::open().await;
    desk.engine.apply(&Caller::system(), &format!("{DIRECTORY}{CHATFLOWS}"), ApplyOptions::default()).await.unwrap();
    desk
}

fn begins(desk: &Desk, visitor: &str, fields: &[(&str, &str)]) -> InboundMessage {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    InboundMessage { fields, ..chat(desk, "chat", visitor, "Hello") }
}

async fn team_of(desk: &Desk, item: ItemId) -> Option<String> {
    let Some(Owner::User { id }) = desk.owner(item).await else { return None };
    let directory = desk.engine.directory();
    let team = directory.user(id)?.team?;
    directory.team(team).map(|team| team.slug.clone())
}

#[tokio::test]
async fn r7_visitors_of_two_pages_reach_two_teams_and_reach_them_again_when_routed_again() {
    let desk = desk().await;
    let on_prices = desk.receive(begins(&desk, "kim", &[("page", "https://shop.test/prices/a")])).await;
    let with_topic = desk.receive(begins(&desk, "lea", &[("page", "https://shop.test/"), ("topic", "help")])).await;
    let without = desk.receive(begins(&desk, "mo", &[("page", "https://shop.test/")])).await;
    let off = desk.receive(begins(&desk, "ny", &[("topic", "later")])).await;
    assert_eq!(team_of(&desk, on_prices).await.as_deref(), Some("sales"));
    assert_eq!(team_of(&desk, with_topic).await.as_deref(), Some("support"));
    assert_eq!((desk.owner(without).await, desk.owner(off).await), (None, None));
    let caller = desk.as_user("ann");
    let shown = async |item: ItemId| {
        let decision = desk.engine.decisions(&caller, item).await.unwrap().remove(0);
        let names = desk.engine.explanation(&caller, decision.id).await.unwrap().names;
        (names.chatflow, names.case)
    };
    assert_eq!(shown(on_prices).await, (Some("Prices".to_owned()), Some(1)));
    assert_eq!(shown(with_topic).await, (Some("help".to_owned()), Some(0)));
    assert_eq!(shown(without).await, (None, Some(0)));
    assert_eq!(shown(off).await, (Some("later".to_owned()), None));
    // What a later message of the chat says besides its words stands beside what the chat began with.
    let version = desk.row(on_prices).await.version;
    desk.engine.set_item_status(&caller, on_prices, version, switchboard_model::ItemStatus::Closed, None).await.unwrap();
    desk.routed().await;
    let wish = [("email", "kim@customer.test"), ("answer_by", "mail")];
    assert_eq!(desk.receive(begins(&desk, "kim", &wish)).await, on_prices);
    assert_eq!(team_of(&desk, on_prices).await.as_deref(), Some("sales"));
    assert_eq!(shown(on_prices).await, (Some("Prices".to_owned()), Some(1)));
    for fields in [&[][..], &wish] {
        let version = desk.row(on_prices).await.version;
        desk.engine.set_item_status(&caller, on_prices, version, switchboard_model::ItemStatus::Closed, None).await.unwrap();
        desk.routed().await;
        assert_eq!(desk.receive(begins(&desk, "kim", fields)).await, on_prices);
        assert_eq!(shown(on_prices).await, (Some("Prices".to_owned()), Some(1)));
    }
    let said = desk.receive(InboundMessage { language: Some("nb".into()), ..begins(&desk, "pia", &[("page", "/prices")]) }).await;
    assert_eq!(shown(said).await, (Some("Prices".to_owned()), Some(0)));
}

#[tokio::test]
async fn the_file_comes_back_as_it_was_and_keeps_the_versions_of_rules() {
    let desk = desk().await;
    let before = desk.engine.directory();
    let (caller, exported) = (Caller::system(), desk.engine.export());
    let again = desk.engine.apply(&caller, &exported, ApplyOptions { prune: true, ..ApplyOptions::default() });
    let report = again.await.unwrap();
    assert_eq!((report.version, report.changes.len()), (before.version, 0), "{:?}", report.changes);
    let edited = CHATFLOWS.replace("name = \"Prices\"", "name = \"Price list\"");
    let report = desk.engine.apply(&Caller::system(), &edited, ApplyOptions::default()).await.unwrap();
    assert!(
        report.changes.iter().any(|change| change.key == "chat" && change.details[0].starts_with("chatflows: ")),
        "{report:?}"
    );
    let after = desk.engine.directory();
    let (old, new) = (before.channel_by_slug("chat").unwrap(), after.channel_by_slug("chat").unwrap());
    assert_eq!(new.rule.as_ref().unwrap().version, after.version);
    assert_eq!(new.chatflow("prices").unwrap().rule, old.chatflow("prices").unwrap().rule);
}

#[tokio::test]
async fn faults_of_chatflows_in_a_file_are_told_all_at_once() {
    let desk = Desk::open().await;
    let text = "[[channels]]\nslug = \"chat\"\nkind = \"chat\"\nworkspace = \"mail\"\n[[channels.chatflows]]\nslug = \"A b\"\n\
        when = { is = { field = \"form.page\" } }\n[[channels.chatflows]]\nslug = \"b\"\nwho = 1\n\
        rule.cases = [{ target = { users_and_teams = [\"team:salse\"] } }]\n";
    let refused = desk.engine.apply(&Caller::system(), text, ApplyOptions::default()).await.unwrap_err();
    let keys: Vec<&str> = refused.faults.iter().map(|fault| fault.key.as_str()).collect();
    for key in [
        "channels[0].chatflows[0].slug",
        "channels[0].chatflows[0].when.is.values",
        "channels[0].chatflows[1].who",
        "channels[0].chatflows[1].rule.cases[0].target[0]",
    ] {
        assert!(keys.contains(&key), "{key} in {keys:?}");
    }
}

#[tokio::test]
async fn r13_2_a_chatflows_rule_is_edited_on_its_version_and_history_replays() {
    let desk = desk().await;
    let lead = desk.as_user("ann");
    let kim = || begins(&desk, "kim", &[("page", "/prices")]);
    let first = desk.receive(kim()).await;
    assert_eq!(team_of(&desk, first).await.as_deref(), Some("sales"));
    let read = desk.engine.rule("chat", Some("prices")).unwrap();
    let off = read.rule.clone().map(|rule| Rule { on: false, ..rule });
    let put = desk.engine.put_rule(&lead, "chat", Some("prices"), read.version, off.clone()).await.unwrap();
    assert!(put.version > read.version && put.rule.is_some_and(|rule| !rule.on));
    let stale = desk.engine.put_rule(&lead, "chat", Some("prices"), read.version, off).await.unwrap_err();
    assert_eq!(stale.kind, EngineErrorKind::Conflict);
    let missing = desk.engine.put_rule(&lead, "chat", Some("nowhere"), put.version, None).await.unwrap_err();
    assert_eq!(missing.kind, EngineErrorKind::NotFound);
    let second = desk.receive(begins(&desk, "lea", &[("page", "/prices")])).await;
    assert_eq!(desk.owner(second).await, None);
    let own = desk.engine.rule("chat", None).unwrap();
    assert_eq!(own.rule.unwrap().cases.len(), 1, "the channel's own rule stays apart");
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!((report.differences, report.other_behaviour), (0, 0), "{report:#?}");
    assert!(report.decisions >= 2, "{report:#?}");
}
