//! A service centre under load: a router, who owns what, and inputs made from numbers that are the same in every run.

use crate::directory::{CAPACITY, FIRST_CHANNEL, FIRST_USER};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Arrival, ChannelId, ContactFacts, ContactId, Directory, Effect, FactField, Facts, Input, ItemChange, ItemId, ItemKind,
    ItemState, ItemStatus, LoadGroup, ManualStatus, Outcome, Owner, Priority, QueueFacts, RouteEvent, RouterState, StatusChange,
    StatusOrigin, StatusValue, Timestamp, UserId, WorkspaceId,
};

const FIRST_ITEM: i64 = 10_000_000;

/// A service centre under load.
pub(crate) struct Centre {
    /// The router that decides.
    pub router: Router,
    /// The time of the next input.
    pub now: Timestamp,
    next_item: i64,
    numbers: u64,
    owned: Vec<ItemState>,
}

impl Centre {
    /// Everybody, with the status given.
    pub(crate) fn new(directory: Directory, available: bool) -> Self {
        let people = directory.users.len();
        let router = Router::new(Arc::new(directory), RouterState::default()).expect("an empty state fits");
        let now = Timestamp(1_801_476_000_000);
        let mut centre = Self { router, now, next_item: FIRST_ITEM, numbers: 7, owned: Vec::new() };
        for index in 0..people {
            let value = if available { StatusValue::Available } else { StatusValue::Away };
            let input = centre.status(index, value);
            centre.step(&input);
        }
        centre
    }

    /// Gives everybody as much as they bear and has so many items wait besides; half as much where nothing is to wait.
    pub(crate) fn fill(&mut self, waiting: usize) {
        let bears = self.router.directory().users.len() * CAPACITY as usize;
        for _ in 0..if waiting == 0 { bears / 2 } else { bears + waiting } {
            let arrival = self.arrival();
            self.step(&Input::Arrived(arrival));
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.numbers = self.numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.numbers >> 33).expect("31 bits") % bound
    }

    /// Somebody sets a status.
    pub(crate) fn status(&mut self, index: usize, value: StatusValue) -> Input {
        let status = ManualStatus { value, reason: None, set_at: self.now, origin: StatusOrigin::ByHand };
        let version = self.router.no().cast_signed() + 1;
        Input::Status(StatusChange { user: UserId(FIRST_USER + as_i64(index)), status, version })
    }

    /// The next new item.
    pub(crate) fn arrival(&mut self) -> Arrival {
        self.next_item += 1;
        let channel = ChannelId(FIRST_CHANNEL + as_i64(self.below(50)));
        let chat = channel.0 % 2 == 0;
        let facts: Facts = match self.below(4) {
            0 => [(FactField("message.language".to_owned()), "nb".to_owned())].into(),
            _ => BTreeMap::new(),
        };
        Arrival {
            item: ItemId(self.next_item),
            version: 1,
            event: RouteEvent::Arrived,
            item_kind: ItemKind::Conversation,
            conversation: None,
            workspace: WorkspaceId(1),
            channel,
            group: if chat { LoadGroup::InboxChat } else { LoadGroup::InboxMail },
            contact: ContactFacts {
                id: ContactId(1),
                owner: None,
                proven: true,
                cookie: false,
                last_owner: None,
                last_owned_at: None,
            },
            facts,
            previous_owner: None,
            owned_since: None,
            excluded: Vec::new(),
            created_at: None,
            waiting_on_contact: false,
            seed: self.numbers,
            queue: QueueFacts {
                priority: Priority::ALL[self.below(4)],
                due_at: Some(self.now.plus_ms(as_i64(self.below(3_600_000)))),
                since: None,
            },
        }
    }

    /// Somebody closes one of the items that have an owner.
    pub(crate) fn closure(&mut self) -> Input {
        if self.owned.is_empty() {
            return Input::Tick;
        }
        let place = self.below(self.owned.len());
        let state = ItemState { status: ItemStatus::Closed, ..self.owned.swap_remove(place) };
        Input::Changed(ItemChange { state, assigned: false })
    }

    /// One input through the router; answers with the number of items that found an owner.
    pub(crate) fn step(&mut self, input: &Input) -> usize {
        let effects = self.router.step(self.router.no() + 1, self.now, input);
        self.take_in(effects)
    }

    /// Remembers who owns what; answers with the number of items that found an owner.
    pub(crate) fn take_in(&mut self, effects: Vec<Effect>) -> usize {
        let mut assigned = 0;
        for effect in effects {
            if let Effect::Decide(decision) = effect
                && let Outcome::Assigned { user, .. } = decision.outcome
            {
                assigned += 1;
                self.owned.push(ItemState {
                    item: decision.item,
                    item_kind: ItemKind::Conversation,
                    conversation: None,
                    workspace: WorkspaceId(1),
                    group: decision.group,
                    status: ItemStatus::Open,
                    owner: Some(Owner::User { id: user }),
                    owned_since: Some(self.now),
                    created_at: None,
                    waiting_on_contact: false,
                });
            }
        }
        assigned
    }
}

/// A number that is small.
pub(crate) fn as_i64(number: usize) -> i64 {
    i64::try_from(number).expect("a small number")
}
