//! Open work that goes back to routing by itself (ROUTING 4.5).

use super::{DIRECTORY, Desk, HOUR_MS, MINUTE_MS, new_message};
use crate::{ApplyOptions, Caller, NewMessage, NewStatus};
use switchboard_model::{ItemId, Outcome, RouteEvent, StatusValue, UnassignedReason};

/// The directory with support and queue channels that hand back as told.
fn with(setting: &str) -> String {
    DIRECTORY.replace("distribution = \"load_balanced\"", &format!("distribution = \"load_balanced\", hand_back = {setting}"))
}

/// A desk whose support and queue channels hand back as told.
async fn handing_back(setting: &str) -> Desk {
    let desk = Desk::open().await;
    desk.engine.apply(&Caller::system(), &with(setting), ApplyOptions::default()).await.unwrap();
    desk
}

async fn set(desk: &Desk, name: &str, value: StatusValue) {
    desk.engine.set_availability(&desk.as_user(name), desk.user(name), NewStatus { value, reason: None }).await.unwrap();
    desk.routed().await;
}

async fn round(desk: &Desk) -> u32 {
    let handed_back = desk.engine.hand_back_round().await.unwrap();
    desk.routed().await;
    handed_back
}

async fn answer_without_taking(desk: &Desk, item: ItemId) {
    let message = NewMessage { take: false, ..new_message("We are looking into it.", true) };
    desk.engine.post_message(&desk.as_user("ann"), item, message).await.unwrap();
    desk.routed().await;
}

async fn reason(desk: &Desk, item: ItemId) -> Option<UnassignedReason> {
    desk.row(item).await.unassigned_reason
}

#[tokio::test]
async fn r4_5_work_of_an_absent_owner_goes_back_and_the_owner_stays_out_until_somebody_has_replied() {
    let desk = handing_back("{ absent_min = 30 }").await;
    let item = desk.mail("support", "kim@customer.test").await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    set(&desk, "bo", StatusValue::Away).await;
    desk.advance(30 * MINUTE_MS - 1);
    assert_eq!(round(&desk).await, 0);
    desk.advance(1);
    assert_eq!(round(&desk).await, 1);
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
    let decisions = desk.engine.decisions(&Caller::system(), item).await.unwrap();
    assert_eq!(decisions[0].decision.event, RouteEvent::HandedBack);
    set(&desk, "bo", StatusValue::Available).await;
    set(&desk, "cy", StatusValue::Away).await;
    desk.advance(30 * MINUTE_MS);
    assert_eq!(round(&desk).await, 1);
    assert_eq!(desk.owner(item).await, None, "Bo is left out of this decision as well");
    assert_eq!(reason(&desk, item).await, Some(UnassignedReason::NobodyEligible));
    let again = async || {
        let version = desk.row(item).await.version;
        desk.engine.route(&Caller::system(), item, version).await.unwrap();
        desk.routed().await;
        desk.owner(item).await
    };
    assert_eq!(again().await, None);
    answer_without_taking(&desk, item).await;
    assert_eq!(again().await, desk.owned_by("bo"), "somebody has replied");
    assert_eq!(round(&desk).await, 0);
}

#[tokio::test]
async fn r4_5_work_whose_contact_has_waited_too_long_goes_back() {
    let desk = handing_back("{ unanswered_min = 60 }").await;
    let (waits, answered) = (desk.mail("support", "kim@customer.test").await, desk.mail("support", "lu@customer.test").await);
    assert_eq!((desk.owner(waits).await, desk.owner(answered).await), (desk.owned_by("bo"), desk.owned_by("cy")));
    desk.advance(50 * MINUTE_MS);
    desk.reply("cy", answered, "On its way.").await;
    set(&desk, "cy", StatusValue::Away).await;
    desk.advance(10 * MINUTE_MS);
    set(&desk, "cy", StatusValue::Available).await;
    assert_eq!(round(&desk).await, 1);
    assert_eq!((desk.owner(waits).await, desk.owner(answered).await), (desk.owned_by("cy"), desk.owned_by("cy")));
    desk.advance(59 * MINUTE_MS);
    assert_eq!(round(&desk).await, 0, "Cy has had it for less than an hour");
    desk.advance(MINUTE_MS);
    assert_eq!(round(&desk).await, 1);
    assert_eq!(desk.owner(waits).await, None, "both have had their chance");
}

#[tokio::test]
async fn r4_5_the_end_of_a_shift_is_absence_and_finishing_is_not() {
    let desk = handing_back("{ absent_min = 30 }").await;
    let item = desk.mail("support", "kim@customer.test").await;
    set(&desk, "bo", StatusValue::Finishing).await;
    desk.advance(HOUR_MS);
    assert_eq!(round(&desk).await, 0, "finishing keeps work");
    let shift = "email = \"bo@desk.test\"\nzone = \"Europe/Oslo\"\nhours = [\"mon 09:00-12:00\"]";
    let hours = with("{ absent_min = 30 }").replacen("email = \"bo@desk.test\"", shift, 1);
    desk.engine.apply(&Caller::system(), &hours, ApplyOptions::default()).await.unwrap();
    desk.routed().await;
    desk.advance(HOUR_MS + 29 * MINUTE_MS);
    assert_eq!(round(&desk).await, 0, "it is 12:29");
    desk.advance(MINUTE_MS);
    assert_eq!(round(&desk).await, 1);
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
}

#[tokio::test]
async fn r4_5_a_reply_lets_everybody_in_again_while_the_item_waits() {
    let desk = handing_back("{ absent_min = 30 }").await;
    let item = desk.mail("queue", "kim@customer.test").await;
    set(&desk, "bo", StatusValue::Away).await;
    set(&desk, "cy", StatusValue::Away).await;
    desk.advance(30 * MINUTE_MS);
    assert_eq!(round(&desk).await, 1);
    let queued_since = desk.row(item).await.queued_since;
    assert!(queued_since.is_some(), "Cy could have it later");
    set(&desk, "bo", StatusValue::Available).await;
    assert_eq!(desk.owner(item).await, None, "Bo is left out");
    desk.advance(MINUTE_MS);
    answer_without_taking(&desk, item).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    let decisions = desk.engine.decisions(&Caller::system(), item).await.unwrap();
    assert_eq!(decisions[0].decision.queued_since.or(queued_since), queued_since, "in the place that it had");
    assert!(decisions.iter().any(|decision| decision.decision.outcome == Outcome::Queued));
}

#[tokio::test]
async fn r4_5_the_case_that_decided_says_whether_and_a_rule_that_is_off_hands_nothing_back() {
    let desk = Desk::open().await;
    let cases = r#"cases = [
        { when = { contains = { field = "message.subject", values = ["parcel"] } }, target = { users_and_teams = ["team:support"] } },
        { target = { users_and_teams = ["team:support"] }, hand_back = { absent_min = 30 } }]"#;
    let one = "cases = [{ target = { users_and_teams = [\"team:support\"] }, distribution = \"load_balanced\" }]";
    let apply = async |text: String| {
        desk.engine.apply(&Caller::system(), &text, ApplyOptions::default()).await.unwrap();
        desk.routed().await;
    };
    apply(DIRECTORY.replace(one, cases)).await;
    let parcel = desk.mail("support", "kim@customer.test").await;
    let mut other = desk.message("support", "lu@customer.test");
    other.subject = Some("Invoice".to_owned());
    let other = desk.receive(other).await;
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    desk.advance(30 * MINUTE_MS);
    apply(DIRECTORY.replace(one, &format!("on = false\n{cases}"))).await;
    assert_eq!(round(&desk).await, 0, "the rule is off");
    apply(DIRECTORY.replace(one, cases)).await;
    assert_eq!(round(&desk).await, 2, "the rule has changed since, so the first setting holds for both");
    assert_eq!((desk.owner(parcel).await, desk.owner(other).await), (None, None));
}

#[tokio::test]
async fn r4_5_work_stays_where_it_is_while_the_case_that_decided_has_no_setting() {
    let desk = Desk::open().await;
    let cases = r#"cases = [
        { when = { contains = { field = "message.subject", values = ["parcel"] } }, target = { users_and_teams = ["team:support"] } },
        { target = { users_and_teams = ["team:support"] }, hand_back = { absent_min = 30 } }]"#;
    let one = "cases = [{ target = { users_and_teams = [\"team:support\"] }, distribution = \"load_balanced\" }]";
    desk.engine.apply(&Caller::system(), &DIRECTORY.replace(one, cases), ApplyOptions::default()).await.unwrap();
    let parcel = desk.mail("support", "kim@customer.test").await;
    let owner = desk.owner(parcel).await;
    assert!(owner.is_some());
    for name in ["bo", "cy"] {
        set(&desk, name, StatusValue::Away).await;
    }
    desk.advance(HOUR_MS);
    assert_eq!(round(&desk).await, 0);
    assert_eq!(desk.owner(parcel).await, owner);
}
