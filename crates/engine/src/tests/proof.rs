//! How far a contact is proven in decisions that are taken again, when no message is at hand (ROUTING 7.3).

use super::threads::chat;
use super::{DIRECTORY, Desk};
use crate::{ApplyOptions, Caller, OwnerChange};
use switchboard_model::{ItemId, ItemStatus, Owner, Proof};

const OF_SUPPORT: &str = r#"{ target = { users_and_teams = ["team:support"] }, distribution = "load_balanced" }"#;
/// Everybody's owner gets it; whoever is not known, or has none, goes to Bo.
const OF_THE_OWNER: &str = r#"{ target = { contact_owner = { fallback = { user = "bo@desk.test" } } } }"#;
const CHAT: &str = r#"
[[channels]]
slug = "chat"
kind = "chat"
workspace = "mail"
[channels.rule]
cases = [{ target = { contact_owner = { require_cookie = true, fallback = { user = "bo@desk.test" } } } }]
"#;

async fn desk() -> Desk {
    let desk = Desk::open().await;
    let directory = format!("{}{CHAT}", DIRECTORY.replace(OF_SUPPORT, OF_THE_OWNER)).replace("total = 2", "total = 20");
    desk.engine.apply(&Caller::system(), &directory, ApplyOptions::default()).await.unwrap();
    desk
}

/// Makes Cy the owner of whoever the item is from.
async fn make_cy_the_owner(desk: &Desk, item: ItemId) {
    let contact = desk.row(item).await.contact.unwrap().id;
    desk.engine.set_contact_owner(&Caller::system(), contact, Some(desk.user("cy"))).await.unwrap();
}

async fn routed_again(desk: &Desk, item: ItemId) -> Option<Owner> {
    let version = desk.row(item).await.version;
    desk.engine.route(&Caller::system(), item, version).await.unwrap();
    desk.routed().await;
    desk.owner(item).await
}

async fn close_without_owner(desk: &Desk, item: ItemId) {
    let version = desk.row(item).await.version;
    let nobody = OwnerChange { user: None, team: None };
    let row = desk.engine.set_owner(&Caller::system(), item, version, nobody).await.unwrap();
    desk.engine.set_item_status(&Caller::system(), item, row.version, ItemStatus::Closed, None).await.unwrap();
    desk.routed().await;
}

#[tokio::test]
async fn r7_3_an_address_that_was_only_typed_brings_nobodys_owner_in_later_decisions_either() {
    let desk = desk().await;
    let genuine = desk.mail("support", "kim@customer.test").await;
    make_cy_the_owner(&desk, genuine).await;
    assert_eq!(routed_again(&desk, genuine).await, desk.owned_by("cy"), "the address was proven when it came");
    let mut forged = desk.message("support", "kim@customer.test");
    forged.sender.proof = Proof::Typed;
    let forged = desk.receive(forged).await;
    assert_eq!(desk.row(forged).await.contact, desk.row(genuine).await.contact, "the address finds the contact");
    assert_eq!(desk.owner(forged).await, desk.owned_by("bo"));
    assert_eq!(routed_again(&desk, forged).await, desk.owned_by("bo"));
    let version = desk.row(forged).await.version;
    desk.engine.return_to_queue(&desk.as_user("bo"), forged, version, None).await.unwrap();
    desk.routed().await;
    assert_eq!(desk.owner(forged).await, None, "Bo has returned it, and Cy is not asked");
    assert_eq!(routed_again(&desk, forged).await, desk.owned_by("bo"));
    desk.engine.deactivate(&desk.as_user("ann"), desk.user("bo"), None, false).await.unwrap();
    desk.routed().await;
    assert_eq!((desk.owner(forged).await, desk.owner(genuine).await), (None, desk.owned_by("cy")), "handed back to nobody");
}

#[tokio::test]
async fn r7_3_somebody_else_who_takes_part_proves_nothing_of_the_contact() {
    let desk = desk().await;
    make_cy_the_owner(&desk, desk.mail("support", "kim@customer.test").await).await;
    let mut forged = desk.message("support", "kim@customer.test");
    forged.sender.proof = Proof::Typed;
    let reference = forged.thread.own_reference.clone().unwrap();
    let item = desk.receive(forged).await;
    let answer = async |from: &str| {
        close_without_owner(&desk, item).await;
        let mut answer = desk.message("support", from);
        answer.thread.references = vec![reference.clone()];
        assert_eq!(desk.receive(answer).await, item);
        desk.owner(item).await
    };
    assert_eq!(answer("colleague@customer.test").await, desk.owned_by("bo"), "a copy went there, and its address is proven");
    assert_eq!(answer("kim@customer.test").await, desk.owned_by("cy"));
    assert_eq!(answer("colleague@customer.test").await, desk.owned_by("cy"), "Kim is known since she has answered herself");
}

#[tokio::test]
async fn r7_3_the_cookie_of_a_chat_is_known_in_later_decisions() {
    let desk = desk().await;
    let item = desk.receive(chat(&desk, "chat", "kim", "Where is it?")).await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"), "nobody knew the browser");
    make_cy_the_owner(&desk, item).await;
    assert_eq!(routed_again(&desk, item).await, desk.owned_by("cy"), "the contact was made by this very cookie");
}
