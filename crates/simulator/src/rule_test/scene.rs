//! The circumstances of a test case, and the decision under them.

use crate::draw::complete;
use crate::place::{group_of, item_kind, place_of};
use crate::rule_test::names::Names;
use crate::rule_test::{OpenWork, RuleTest};
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Arrival, ContactFacts, ContactId, Directory, Effect, Explanation, FactField, Facts, Input, ItemChange, ItemId, ItemState,
    ItemStatus, LoadGroup, ManualStatus, Owner, QueueFacts, RouteEvent, RouterState, StatusChange, StatusOrigin, StatusValue,
    Timestamp, UserId, WorkspaceId,
};

const ITEM: ItemId = ItemId(1);
const DAY_MS: i64 = 86_400_000;
/// The most open items that a test case gives a person.
const MAX_OPEN: u32 = 1_000;

/// A test case with its names looked up.
pub(crate) struct Scene {
    at: Timestamp,
    arrival: Arrival,
    statuses: Vec<(UserId, StatusValue)>,
    open: Vec<(UserId, WorkspaceId, LoadGroup, u32)>,
}

impl Scene {
    /// `None` where a name is not known, which `names` has noted.
    pub(crate) fn new(names: &mut Names<'_>, test: &RuleTest) -> Option<Self> {
        let contact = &test.contact;
        let (owner, last_owner) = (
            contact.owner.as_ref().and_then(|email| names.user("contact.owner", email)),
            contact.last_owner.as_ref().and_then(|email| names.user("contact.last_owner", email)),
        );
        let previous_owner = test.previous_owner.as_ref().and_then(|email| names.user("previous_owner", email));
        let excluded: Vec<UserId> = test.excluded.iter().filter_map(|email| names.user("excluded", email)).collect();
        let statuses = test.statuses.iter().filter_map(|(email, value)| Some((names.user("statuses", email)?, *value)));
        let statuses: Vec<_> = statuses.collect();
        test.facts.keys().for_each(|name| names.fact(name));
        let working = test.open.iter().filter_map(|(email, work)| Some((names.user("open", email)?, work)));
        let working: Vec<(UserId, &OpenWork)> = working.collect();
        let channel = names.channel(&test.channel)?;
        let at = names.moment(test.at.as_deref(), channel)?;
        let (workspace, group) = place_of(names.directory(), channel);
        let open = open_work(names, &working, (workspace, group));
        let mut facts: Facts = test.facts.iter().map(|(name, value)| (FactField(name.clone()), value.clone())).collect();
        facts.entry(FactField("contact.known".to_owned())).or_insert_with(|| contact.proven.to_string());
        complete(&mut facts, channel, owner.is_some());
        let arrival = Arrival {
            item: ITEM,
            version: 1,
            event: if previous_owner.is_some() { RouteEvent::Reopened } else { RouteEvent::Arrived },
            item_kind: item_kind(group),
            conversation: None,
            workspace,
            channel: channel.id,
            group,
            contact: ContactFacts {
                id: ContactId(1),
                owner,
                proven: contact.proven,
                cookie: contact.cookie,
                last_owner,
                last_owned_at: last_owner.map(|_| at.plus_ms(-i64::from(contact.last_owned_days) * DAY_MS)),
            },
            facts,
            previous_owner: previous_owner.map(|id| Owner::User { id }),
            owned_since: None,
            excluded,
            seed: 1,
            queue: QueueFacts { since: Some(at.plus_ms(-i64::from(test.waited_s) * 1_000)), ..QueueFacts::default() },
            created_at: Some(at),
            waiting_on_contact: false,
        };
        Some(Self { at, arrival, statuses, open })
    }

    /// What the router decides, and why.
    pub(crate) fn explain(&self, directory: &Directory, names: &mut Names<'_>) -> Option<Explanation> {
        let state = RouterState { now: self.at, directory_version: directory.version, ..RouterState::default() };
        let mut router = match Router::new(Arc::new(directory.clone()), state) {
            Ok(router) => router,
            Err(error) => {
                names.fault("channel", error.to_string());
                return None;
            }
        };
        for input in self.inputs(directory) {
            let no = router.no() + 1;
            for effect in router.step(no, self.at, &input) {
                if let Effect::Reject { reason } = effect {
                    names.fault("open", reason);
                }
            }
        }
        Some(router.explain(self.at, &self.arrival))
    }

    /// What the router is told before the item arrives.
    fn inputs(&self, directory: &Directory) -> Vec<Input> {
        let status = |(version, (user, value, origin)): (i64, (UserId, StatusValue, StatusOrigin))| {
            let status = ManualStatus { value, reason: None, set_at: self.at, origin };
            Input::Status(StatusChange { user, status, version })
        };
        let everybody = directory.users.iter().map(|user| (user.id, StatusValue::Available, StatusOrigin::Initial));
        let by_hand = self.statuses.iter().map(|(user, value)| (*user, *value, StatusOrigin::ByHand));
        let mut inputs: Vec<Input> = (1..).zip(everybody.chain(by_hand)).map(status).collect();
        let mut item = ITEM.0;
        for (user, workspace, group, count) in &self.open {
            for _ in 0..*count {
                item += 1;
                let state = ItemState {
                    item: ItemId(item),
                    item_kind: item_kind(*group),
                    conversation: None,
                    workspace: *workspace,
                    group: *group,
                    status: ItemStatus::Open,
                    owner: Some(Owner::User { id: *user }),
                    owned_since: Some(self.at),
                    created_at: Some(self.at),
                    waiting_on_contact: false,
                };
                inputs.push(Input::Changed(ItemChange { state, assigned: false }));
            }
        }
        inputs
    }
}

fn open_work(
    names: &mut Names<'_>,
    working: &[(UserId, &OpenWork)],
    (workspace, group): (WorkspaceId, LoadGroup),
) -> Vec<(UserId, WorkspaceId, LoadGroup, u32)> {
    let mut open = Vec::new();
    for (user, work) in working {
        let counts = match work {
            OpenWork::Alike(count) => vec![(group, *count)],
            OpenWork::ByType(counts) => {
                let of =
                    |(work, count): (&switchboard_model::WorkType, &u32)| (group_of(names.directory(), workspace, *work), *count);
                counts.iter().map(of).collect()
            }
        };
        for (group, count) in counts {
            if count > MAX_OPEN {
                names.fault("open", format!("{count} open items are too many; {MAX_OPEN} is the most"));
            }
            open.push((*user, workspace, group, count.min(MAX_OPEN)));
        }
    }
    open
}
