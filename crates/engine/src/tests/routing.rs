//! The router's task: guards, refusals, restarts, explanations.

use super::{Desk, HOUR_MS};
use crate::{Caller, OwnerChange};
use switchboard_model::{Candidate, Outcome, RefusalReason, SkipReason, UnassignedReason, Verdict, View};

#[tokio::test]
async fn r6_1_work_goes_to_the_least_loaded_in_turn() {
    let desk = Desk::open().await;
    let mut owners = Vec::new();
    for _ in 0..4 {
        let item = desk.mail("support", "kim@customer.test").await;
        owners.push(desk.owner(item).await);
    }
    assert_eq!(owners, [desk.owned_by("bo"), desk.owned_by("cy"), desk.owned_by("bo"), desk.owned_by("cy")]);
}

#[tokio::test]
async fn r5_5_nobody_gets_more_than_the_limit_and_the_rest_stays_unassigned() {
    let desk = Desk::open().await;
    for _ in 0..6 {
        desk.push(desk.message("support", "kim@customer.test")).await;
    }
    desk.routed().await;
    for name in ["bo", "cy"] {
        assert_eq!(desk.list(name, View::Mine).await.len(), 2);
    }
    let left = desk.list("bo", View::Unassigned).await;
    assert_eq!(left.len(), 2);
    assert_eq!(desk.row(left[0]).await.unassigned_reason, Some(UnassignedReason::NobodyEligible));
}

#[tokio::test]
async fn r13_1_the_record_names_every_candidate_with_load_or_reason() {
    let desk = Desk::open().await;
    let first = desk.mail("support", "kim@customer.test").await;
    desk.mail("support", "kim@customer.test").await;
    desk.mail("support", "kim@customer.test").await;
    let version = desk.row(first).await.version;
    desk.engine.route(&desk.as_user("ann"), first, version).await.unwrap();
    desk.routed().await;
    let decisions = desk.engine.decisions(&Caller::system(), first).await.unwrap();
    assert_eq!(decisions.len(), 2, "both decisions are kept");
    let explained = desk.engine.explanation(&Caller::system(), decisions[1].id).await.unwrap();
    let explanation = explained.explanation.expect("the log reaches back");
    assert_eq!(explanation.decision, decisions[1].decision, "rebuilding decides the same, bit for bit");
    let people: Vec<&Candidate> = explanation.stages.iter().flat_map(|stage| &stage.candidates).collect();
    assert_eq!(people.iter().map(|person| person.user).collect::<Vec<_>>(), [desk.user("bo"), desk.user("cy"), desk.user("di")]);
    let verdicts: Vec<&Verdict> = people.iter().map(|person| &person.verdict).collect();
    assert_eq!(verdicts, [&Verdict::Chosen, &Verdict::Eligible, &Verdict::Skipped { reason: SkipReason::NotMainMember }]);
    assert_eq!((people[0].load, people[0].limit), (0, Some(2)));
    assert!(matches!(decisions[1].decision.outcome, Outcome::Assigned { .. }));
    assert_eq!(explained.names.users[&desk.user("bo")], "Bo");
}

#[tokio::test]
async fn r13_2_explanations_survive_a_restart_and_a_new_directory() {
    let desk = Desk::open().await;
    let item = desk.mail("support", "kim@customer.test").await;
    desk.engine.deactivate(&desk.as_user("ann"), desk.user("cy"), None, false).await.unwrap();
    desk.routed().await;
    let desk = desk.reopen().await;
    let later = desk.mail("support", "lu@customer.test").await;
    for item in [item, later] {
        let decision = desk.engine.decisions(&Caller::system(), item).await.unwrap().remove(0);
        let explanation = desk.engine.explanation(&Caller::system(), decision.id).await.unwrap().explanation.expect("rebuilt");
        assert_eq!(explanation.decision, decision.decision);
        assert_eq!(explanation.stages[0].candidates.len(), 3);
    }
    let decision = desk.engine.decisions(&Caller::system(), later).await.unwrap().remove(0);
    let explanation = desk.engine.explanation(&Caller::system(), decision.id).await.unwrap().explanation.unwrap();
    assert_eq!(explanation.stages[0].candidates[1].verdict, Verdict::Skipped { reason: SkipReason::Inactive });
}

#[tokio::test]
async fn the_database_refuses_what_memory_did_not_know_and_the_router_decides_again() {
    let desk = Desk::without_router().await;
    desk.push(desk.message("support", "kim@customer.test")).await;
    for _ in 0..2 {
        let receipt = desk.push(desk.message("triage", "lu@customer.test")).await;
        let change = OwnerChange { user: Some(desk.user("bo")), team: None };
        desk.engine.set_owner(&desk.as_user("bo"), receipt.conversation.into(), 1, change).await.unwrap();
    }
    desk.start_router();
    desk.routed().await;
    let item = *desk.list("cy", View::Mine).await.first().expect("the other one has it");
    let decisions = desk.engine.decisions(&Caller::system(), item).await.unwrap();
    // A rebuilt memory knows the counters already; only a memory that is behind them is refused.
    assert!(decisions.iter().all(|decision| decision.refused.is_none_or(|reason| reason == RefusalReason::AtCapacity)));
    assert_eq!(desk.list("bo", View::Mine).await.len(), 2, "never over the limit");
}

#[tokio::test]
async fn work_that_somebody_took_first_stays_with_them() {
    let desk = Desk::without_router().await;
    let receipt = desk.push(desk.message("support", "kim@customer.test")).await;
    let change = OwnerChange { user: Some(desk.user("di")), team: None };
    desk.engine.set_owner(&desk.as_user("di"), receipt.conversation.into(), 1, change).await.unwrap();
    desk.start_router();
    desk.routed().await;
    assert_eq!(desk.owner(receipt.conversation.into()).await, desk.owned_by("di"));
    let decisions = desk.engine.decisions(&Caller::system(), receipt.conversation.into()).await.unwrap();
    assert_eq!(decisions[0].refused, Some(RefusalReason::ItemChanged));
}

#[tokio::test]
async fn what_the_tables_hold_equals_the_log_stepped_through() {
    let desk = Desk::open().await;
    let mut items = Vec::new();
    for nth in 0..12 {
        desk.advance(HOUR_MS / 4);
        let channel = ["support", "form", "sales"][nth % 3];
        items.push(desk.mail(channel, &format!("kim{nth}@customer.test")).await);
    }
    for item in items.iter().step_by(3) {
        let version = desk.row(*item).await.version;
        desk.engine
            .set_item_status(&Caller::system(), *item, version, switchboard_model::ItemStatus::Closed, None)
            .await
            .unwrap();
    }
    desk.routed().await;
    let version = desk.row(items[1]).await.version;
    desk.advance(HOUR_MS);
    desk.engine.route(&Caller::system(), items[1], version).await.unwrap();
    desk.routed().await;
    let store = &desk.engine.inner.store;
    let tables = store.table_state().await.unwrap();
    let first = store.checkpoint_before(0).await.unwrap().expect("the router saved one when it started").state;
    let directory = store.directory(first.directory_version).await.unwrap();
    let mut router = switchboard_core::Router::new(directory, first.clone()).unwrap();
    for mut input in store.inputs_between(first.no, tables.cursor.no).await.unwrap() {
        if let switchboard_model::Input::Directory { version, directory } = &mut input.input {
            *directory = Some(store.directory(*version).await.unwrap());
        }
        let consumed = input.consumed.unwrap();
        router.step(consumed.no, consumed.at, &input.input);
    }
    let state = router.state();
    assert_eq!((state.no, state.now), (tables.cursor.no, tables.cursor.now));
    assert_eq!((&state.owned, &state.statuses), (&tables.owned, &tables.statuses));
    let remembered = crate::memory::remember(&desk.engine, false).await.unwrap();
    assert_eq!((remembered.router.state(), remembered.is_kept), (state.clone(), true));
    let healed = crate::memory::remember(&desk.engine, true).await.unwrap();
    assert_eq!((healed.router.state(), healed.is_kept), (state, false));
}

#[tokio::test]
async fn r13_2_replay_finds_no_difference_across_a_restart_a_rule_change_and_a_refusal() {
    let desk = Desk::without_router().await;
    let taken = desk.push(desk.message("support", "kim@customer.test")).await;
    let change = OwnerChange { user: Some(desk.user("di")), team: None };
    desk.engine.set_owner(&desk.as_user("di"), taken.conversation.into(), 1, change).await.unwrap();
    desk.start_router();
    for nth in 0..8 {
        desk.mail(["support", "form"][nth % 2], "kim@customer.test").await;
    }
    let rule = desk.engine.rule("support", None).unwrap();
    let off = rule.rule.map(|rule| switchboard_model::Rule { on: false, ..rule });
    desk.engine.put_rule(&desk.as_user("ann"), "support", None, rule.version, off).await.unwrap();
    desk.mail("support", "kim@customer.test").await;
    let desk = desk.reopen().await;
    desk.mail("form", "kim@customer.test").await;
    let report = desk.engine.replay(0).await.unwrap();
    assert_eq!((report.differences, report.other_behaviour, report.listed.len()), (0, 0, 0), "{report:#?}");
    assert_eq!(report.decisions, 11, "{report:#?}");
}
