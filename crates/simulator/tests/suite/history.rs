//! Traffic from the log.

use crate::house::{ADA, BEN, CHAT, case, directory, house};
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Arrival, ContactFacts, ContactId, Effect, Facts, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup,
    ManualStatus, Owner, Priority, QueueFacts, RouteEvent, RouterState, StatusChange, StatusOrigin, StatusValue, Timestamp,
    UserId, WorkspaceId,
};
use switchboard_simulator::{Durations, History};

const MINUTE_MS: i64 = 60_000;
const START: Timestamp = Timestamp(1_801_440_000_000);

fn arrival(item: i64, event: RouteEvent) -> Arrival {
    Arrival {
        item: ItemId(item),
        version: 1,
        event,
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: WorkspaceId(1),
        channel: CHAT,
        group: LoadGroup::InboxChat,
        contact: ContactFacts {
            id: ContactId(item),
            owner: None,
            proven: true,
            cookie: false,
            last_owner: None,
            last_owned_at: None,
        },
        facts: Facts::new(),
        previous_owner: None,
        owned_since: None,
        excluded: Vec::new(),
        seed: 1,
        queue: QueueFacts { priority: Priority::High, due_at: Some(START.plus_ms(90 * MINUTE_MS)), since: None },
        created_at: None,
        waiting_on_contact: false,
    }
}

fn change(item: i64, status: ItemStatus, owner: Option<UserId>, owned_since: Option<Timestamp>) -> Input {
    let state = ItemState {
        item: ItemId(item),
        item_kind: ItemKind::Conversation,
        conversation: None,
        workspace: WorkspaceId(1),
        group: LoadGroup::InboxChat,
        status,
        owner: owner.map(|id| Owner::User { id }),
        owned_since,
        created_at: None,
        waiting_on_contact: false,
    };
    Input::Changed(ItemChange { state, assigned: owner.is_some() })
}

fn status(user: UserId, value: StatusValue, origin: StatusOrigin) -> Input {
    let status = ManualStatus { value, reason: None, set_at: START, origin };
    Input::Status(StatusChange { user, status, version: 1 })
}

/// A log with the decisions that a router made on it.
fn logged(inputs: &[(i64, Input)]) -> History {
    let mut value = house();
    case(&mut value, 0)["target"] = serde_json::json!({"kind": "users_and_teams", "members": [{"user": ADA}]});
    let mut router = Router::new(Arc::new(directory(value)), RouterState::default()).expect("an empty state fits");
    let mut history = History::default();
    for (minute, input) in inputs {
        let at = START.plus_ms(minute * MINUTE_MS);
        history.input(at, input);
        for effect in router.step(router.no() + 1, at, input) {
            match effect {
                Effect::Decide(decision) => history.decision(at, &decision),
                Effect::Reject { reason } => panic!("{reason}"),
                _ => {}
            }
        }
    }
    history
}

#[test]
fn services_run_from_the_first_assignment_to_the_close() {
    let recorded = logged(&[
        (0, status(ADA, StatusValue::Available, StatusOrigin::Initial)),
        (0, status(BEN, StatusValue::Away, StatusOrigin::ByHand)),
        (1, Input::Arrived(arrival(1, RouteEvent::Arrived))),
        (2, Input::Arrived(arrival(2, RouteEvent::Arrived))),
        // Ada takes two at a time, so this one waits until the first is closed.
        (3, Input::Arrived(arrival(3, RouteEvent::Arrived))),
        (11, change(1, ItemStatus::Closed, Some(ADA), None)),
        // Returned and taken over by hand: the service goes on.
        (15, Input::Arrived(arrival(2, RouteEvent::Returned))),
        (20, change(2, ItemStatus::Open, Some(BEN), Some(START.plus_ms(20 * MINUTE_MS)))),
        (32, change(2, ItemStatus::Closed, Some(BEN), None)),
        (41, change(3, ItemStatus::Closed, Some(ADA), None)),
        // The contact writes again: another arrival, not closed yet.
        (50, Input::Arrived(Arrival { previous_owner: Some(Owner::User { id: ADA }), ..arrival(1, RouteEvent::Reopened) })),
        (60, Input::Tick),
    ])
    .into_recorded();
    let seen: Vec<_> = recorded
        .arrivals
        .iter()
        .map(|arrival| (arrival.at.ms_since(START) / MINUTE_MS, arrival.event, arrival.service_ms.map(|ms| ms / MINUTE_MS)))
        .collect();
    assert_eq!(
        seen,
        [
            (1, RouteEvent::Arrived, Some(10)),
            (2, RouteEvent::Arrived, Some(30)),
            (3, RouteEvent::Arrived, Some(30)),
            (50, RouteEvent::Reopened, None)
        ]
    );
    assert_eq!(recorded.arrivals[3].previous_owner, Some(Owner::User { id: ADA }));
    assert_eq!((recorded.arrivals[0].priority, recorded.arrivals[0].due_in_ms), (Priority::High, Some(89 * MINUTE_MS)));
    assert_eq!(recorded.statuses.len(), 1, "an initial status is nobody's doing");
    assert!(recorded.patience.is_empty());
}

#[test]
fn patience_is_all_time_waited_over_the_number_who_left() {
    let mut inputs = vec![(0, status(ADA, StatusValue::Away, StatusOrigin::Initial))];
    for item in 1..=12 {
        inputs.push((item, Input::Arrived(arrival(item, RouteEvent::Arrived))));
    }
    // Ten leave after twenty minutes, two are served after thirty.
    for item in 1..=10 {
        inputs.push((item + 20, change(item, ItemStatus::Closed, None, None)));
    }
    for item in 11..=12 {
        let at = START.plus_ms((item + 30) * MINUTE_MS);
        inputs.push((item + 30, change(item, ItemStatus::Open, Some(BEN), Some(at))));
    }
    inputs.sort_by_key(|(minute, _)| *minute);
    let recorded = logged(&inputs).into_recorded();
    let expected_s = (10.0 * 20.0 + 2.0 * 30.0) * 60.0 / 10.0;
    assert_eq!(recorded.patience.get(&CHAT), Some(&Durations::Exponential { mean_s: expected_s }));
    assert!(recorded.arrivals.iter().all(|arrival| arrival.service_ms.is_none()));
}

#[test]
fn recorded_traffic_survives_a_file() {
    let recorded = logged(&[
        (0, status(BEN, StatusValue::Away, StatusOrigin::ByHand)),
        (1, Input::Arrived(arrival(1, RouteEvent::Arrived))),
        (2, change(1, ItemStatus::Closed, Some(ADA), Some(START.plus_ms(MINUTE_MS)))),
    ])
    .into_recorded();
    let text = serde_json::to_string(&recorded).unwrap();
    assert_eq!(serde_json::from_str::<switchboard_simulator::Recorded>(&text).unwrap(), recorded);
}
