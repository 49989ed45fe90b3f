//! People: statuses, owners of contacts, deactivation, sign-in (ROUTING 4, 7.3, 12.5).

use super::{Desk, HOUR_MS, PATIENCE};
use crate::{Caller, EngineErrorKind, NewStatus, Scope};
use secrecy::{ExposeSecret, SecretString};
use switchboard_model::{LiveEventKind, Owner, StatusValue, View};

fn away(reason: &str) -> NewStatus {
    NewStatus { value: StatusValue::Away, reason: Some(reason.to_owned()) }
}

#[tokio::test]
async fn r4_3_a_lead_changes_a_colleagues_status_who_is_told_and_can_revert() {
    let desk = Desk::open().await;
    let mut events = desk.follow().await;
    let person = desk.engine.set_availability(&desk.as_user("ann"), desk.user("bo"), away("sick")).await.unwrap();
    assert!(!person.available);
    let notice = async {
        loop {
            let event = events.recv().await.unwrap();
            if event.kind == LiveEventKind::Notice {
                break event.user;
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, notice).await.unwrap(), Some(desk.user("bo")));
    assert_eq!(person.changed_by, Some(desk.as_user("ann").actor));
    let refused = desk.engine.set_availability(&desk.as_user("cy"), desk.user("bo"), away("no")).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Forbidden);
    let back = NewStatus { value: StatusValue::Available, reason: None };
    assert!(desk.engine.set_availability(&desk.as_user("bo"), desk.user("bo"), back).await.unwrap().available);
}

#[tokio::test]
async fn r4_5_going_away_leaves_owned_work_where_it_is_and_gets_no_more() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.engine.set_availability(&desk.as_user("bo"), desk.user("bo"), away("lunch")).await.unwrap();
    desk.routed().await;
    assert_eq!(desk.owner(item).await, desk.owned_by("bo"));
    for _ in 0..2 {
        let item = desk.mail("support", "kim@customer.test").await;
        assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
    }
}

#[tokio::test]
async fn r7_3_the_contact_owner_gets_it_and_is_mailed_when_away() {
    let desk = Desk::open().await;
    let first = desk.mail("sales", "kim@customer.test").await;
    assert_eq!(desk.owner(first).await, desk.owned_by("di"), "without an owner the fallback takes it");
    let contact = desk.row(first).await.contact.unwrap().id;
    desk.engine.set_contact_owner(&Caller::system(), contact, Some(desk.user("di"))).await.unwrap();
    let second = desk.mail("sales", "kim@customer.test").await;
    assert_eq!(desk.owner(second).await, desk.owned_by("di"));
    desk.engine.set_availability(&desk.as_user("di"), desk.user("di"), away("sick")).await.unwrap();
    desk.routed().await;
    let third = desk.mail("sales", "kim@customer.test").await;
    assert_eq!(desk.owner(third).await, None);
    super::eventually("the owner is mailed", async || !desk.outside.sent.lock().unwrap().is_empty()).await;
    let mail = desk.outside.sent.lock().unwrap()[0].clone();
    assert_eq!(mail.to[0].address, "di@desk.test");
    assert!(mail.text.contains("It should have come on Monday."));
}

#[tokio::test]
async fn r12_5_deactivating_lists_the_work_and_hands_it_back_in_one_step() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    let bo = desk.user("bo");
    let listed = desk.engine.deactivate(&desk.as_user("ann"), bo, None, true).await.unwrap();
    assert_eq!(listed.open.iter().map(|row| row.id).collect::<Vec<_>>(), [item]);
    assert!(desk.engine.directory().user(bo).unwrap().active, "listing changes nothing");
    desk.engine.deactivate(&desk.as_user("ann"), bo, None, false).await.unwrap();
    desk.routed().await;
    assert_eq!(desk.owner(item).await, desk.owned_by("cy"));
    assert!(!desk.engine.directory().user(bo).unwrap().active);
}

#[tokio::test]
async fn r12_5_the_work_may_go_to_a_named_person() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.engine.deactivate(&desk.as_user("ann"), desk.user("bo"), Some(desk.user("di")), false).await.unwrap();
    desk.routed().await;
    assert_eq!(desk.owner(item).await, Some(Owner::User { id: desk.user("di") }));
    assert_eq!(desk.list("di", View::Mine).await, [item]);
    let refused = desk.engine.deactivate(&desk.as_user("ann"), desk.user("ann"), None, false).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Invalid);
}

#[tokio::test]
async fn sessions_need_the_password_and_end_by_themselves() {
    let desk = Desk::without_router().await;
    let password = || SecretString::from("correct horse battery");
    desk.engine.set_password(&Caller::system(), desk.user("bo"), password()).await.unwrap();
    let wrong = desk.engine.sign_in("bo@desk.test", "wrong horse battery".into(), "").await.err().unwrap();
    let unknown = desk.engine.sign_in("nobody@desk.test", password(), "").await.err().unwrap();
    assert_eq!((wrong.kind, &wrong.message), (unknown.kind, &unknown.message), "one answer for both faults");
    let session = desk.engine.sign_in("BO@desk.test", password(), "test").await.unwrap();
    let (caller, _) = desk.engine.session(session.secret.expose_secret()).await.unwrap().unwrap();
    assert_eq!(caller.user, Some(desk.user("bo")));
    desk.advance(HOUR_MS + 1);
    assert!(desk.engine.session(session.secret.expose_secret()).await.unwrap().is_none(), "idle for too long");
    let short = desk.engine.set_password(&Caller::system(), desk.user("bo"), "short".into()).await.unwrap_err();
    assert_eq!(short.kind, EngineErrorKind::Invalid);
}

#[tokio::test]
async fn tokens_work_until_revoked_and_show_their_secret_once() {
    let desk = Desk::without_router().await;
    let (secret, view) = desk.engine.create_token(&Caller::system(), "report", &[Scope::Read], None).await.unwrap();
    let (caller, scopes) = desk.engine.token_caller(secret.expose_secret()).await.unwrap().unwrap();
    assert_eq!((caller.user, scopes), (None, vec![Scope::Read]));
    assert!(secret.expose_secret().starts_with(&view.prefix) && view.prefix.len() < 12);
    desk.engine.revoke_token(&Caller::system(), view.id).await.unwrap();
    assert!(desk.engine.token_caller(secret.expose_secret()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer() {
    let desk = Desk::without_router().await;
    assert_eq!(desk.engine.idempotent_begin("me", "key", "print").await.unwrap(), None);
    assert_eq!(desk.engine.idempotent_begin("me", "key", "print").await.unwrap_err().kind, EngineErrorKind::Busy);
    desk.engine.idempotent_end("me", "key", "print", Some((201, "{\n}".to_owned()))).await.unwrap();
    assert_eq!(desk.engine.idempotent_begin("me", "key", "print").await.unwrap(), Some((201, "{\n}".to_owned())));
    assert_eq!(desk.engine.idempotent_begin("me", "key", "other").await.unwrap_err().kind, EngineErrorKind::Invalid);
}

#[tokio::test]
async fn a_desk_language_is_ones_own_and_no_directory_version() {
    let desk = Desk::without_router().await;
    let (bo, version) = (desk.user("bo"), desk.engine.directory().version);
    assert_eq!(desk.engine.language(bo).await.unwrap(), None);
    desk.engine.set_language(&desk.as_user("bo"), Some("da".to_owned())).await.unwrap();
    assert_eq!(desk.engine.language(bo).await.unwrap().as_deref(), Some("da"));
    assert_eq!(desk.engine.directory().version, version);
    assert!(desk.engine.set_language(&desk.as_user("bo"), Some("tlh".to_owned())).await.is_err());
}

#[tokio::test]
async fn a_key_whose_request_was_lost_with_its_host_can_be_used_again_for_the_same_request() {
    let desk = Desk::without_router().await;
    let begin = async |fingerprint: &str| desk.engine.idempotent_begin("me", "key", fingerprint).await;
    assert_eq!(begin("print").await.unwrap(), None);
    desk.advance(119_999);
    assert_eq!(begin("print").await.unwrap_err().kind, EngineErrorKind::Busy, "it may still run");
    desk.advance(1);
    assert_eq!(begin("other").await.unwrap_err().kind, EngineErrorKind::Invalid);
    assert_eq!(begin("print").await.unwrap(), None, "abandoned");
    assert_eq!(begin("print").await.unwrap_err().kind, EngineErrorKind::Busy, "one caller takes it over");
    desk.engine.idempotent_end("me", "key", "print", Some((201, "done".to_owned()))).await.unwrap();
    desk.advance(240_000);
    assert_eq!(begin("print").await.unwrap(), Some((201, "done".to_owned())), "an answer is kept");
}
