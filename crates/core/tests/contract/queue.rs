//! ROUTING 7.4: what waits, in which order, and what ends the wait.

use crate::matcher::{Numbers, crowded};
use crate::support::{
    ADA, BEN, CHAT, CLEO, Edit, HOUR_MS, MAIL, MINUTE_MS, TICKETS, World, at, directory, hours, monday, outcome_text, people,
};
use std::sync::Arc;
use switchboard_core::{Router, Stranded};
use switchboard_model::{
    Arrival, Case, ChannelId, ConversationId, Directory, Distribution, Effect, Explanation, Fallback, Input, ItemChange, ItemId,
    ItemState, ItemStatus, ManualStatus, Outcome, OutsideHours, Owner, Priority, QueueOrder, Refusal, RefusalReason, Revision,
    RouteEvent, SkipReason, StatusChange, StatusOrigin, StatusValue, Target, Timestamp, UserId, Verdict, WaitingItem, WhenNobody,
};

/// A case that waits for these people.
pub fn patient(users: &[UserId]) -> Case {
    let distribution = Some(Distribution::LoadBalanced);
    Case { when_nobody: WhenNobody::Wait, distribution, ..Case::new(people(users)) }
}

/// A directory in which everybody takes one item at a time.
pub fn one_at_a_time() -> Directory {
    let mut directory = directory();
    for user in &mut directory.users {
        user.capacity.total = Some(1);
    }
    directory
}

/// What a step did, as in `5002 assigned 101, 5003 queued`.
pub fn feed(world: &mut World, input: &Input) -> String {
    let router = world.router.clone();
    let effects = world.step(input);
    let texts = effects.iter().filter_map(|effect| match effect {
        Effect::Decide(decision) => {
            let explained = router.explain_item(router.no() + 1, world.now, input, decision.item).expect("a decision");
            assert_eq!(&explained.decision, decision, "explanation and step decide alike");
            Some(format!("{} {}", decision.item, outcome_text(&decision.outcome)))
        }
        Effect::LeftQueue { .. } => None,
        Effect::NotifyOwner { user, .. } => Some(format!("told {user}")),
        Effect::Reject { reason } => Some(reason.clone()),
    });
    let text = texts.collect::<Vec<_>>().join(", ");
    let rebuilt = Router::new(Arc::clone(world.router.directory()), world.router.state()).expect("a router's own state fits");
    assert_eq!(rebuilt.state(), world.router.state());
    assert_eq!(rebuilt.next_wake(), world.router.next_wake(), "a rebuilt router wakes when the live one does");
    text
}

pub fn arrive(world: &mut World, channel: ChannelId) -> (ItemId, String) {
    let arrival = world.arrival(channel);
    (arrival.item, feed(world, &Input::Arrived(arrival)))
}

/// Queues an item and answers with it.
pub fn wait(world: &mut World, channel: ChannelId, edit: impl FnOnce(&mut Arrival)) -> ItemId {
    let mut arrival = world.arrival(channel);
    edit(&mut arrival);
    let item = arrival.item;
    assert_eq!(feed(world, &Input::Arrived(arrival)), format!("{item} queued"));
    item
}

pub fn status(world: &mut World, user: UserId, value: StatusValue) -> String {
    let status = ManualStatus { value, reason: None, set_at: world.now, origin: StatusOrigin::ByHand };
    let version = world.router.no().cast_signed() + 1;
    feed(world, &Input::Status(StatusChange { user, status, version }))
}

/// Tells of an item's state.
pub fn change(world: &mut World, item: ItemId, owner: Option<UserId>, status: ItemStatus) -> String {
    let arrival = world.arrival(MAIL);
    let state = ItemState {
        item,
        item_kind: arrival.item_kind,
        conversation: None,
        workspace: arrival.workspace,
        group: arrival.group,
        status,
        owner: owner.map(|id| Owner::User { id }),
        owned_since: owner.map(|_| world.now),
        created_at: None,
        waiting_on_contact: false,
    };
    feed(world, &Input::Changed(ItemChange { state, assigned: owner.is_some() }))
}

pub fn edit(world: &mut World, edit: impl FnOnce(&mut Directory)) -> String {
    let mut directory = Directory::clone(world.router.directory());
    directory.version += 1;
    edit(&mut directory);
    let version = directory.version;
    feed(world, &Input::Directory { version, directory: Some(Arc::new(directory)) })
}

/// Ada alone, busy with one item, and everything else waiting for her. Answers with the item she works on.
fn queue_for_ada() -> (World, ItemId) {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let (item, text) = arrive(&mut world, MAIL);
    assert_eq!(text, format!("{item} assigned 101"));
    (world, item)
}

#[test]
fn r7_4_a_freed_slot_goes_by_priority_then_slack_then_time_then_id() {
    let (mut world, busy) = queue_for_ada();
    let due = |minutes: i64| Some(monday().plus_ms(minutes * MINUTE_MS));
    let plain = wait(&mut world, MAIL, |_| {});
    let twin = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(MINUTE_MS);
    let later = wait(&mut world, MAIL, |_| {});
    let due_later = wait(&mut world, MAIL, |arrival| arrival.queue.due_at = due(90));
    let due_soon = wait(&mut world, MAIL, |arrival| arrival.queue.due_at = due(30));
    let low = wait(&mut world, MAIL, |arrival| {
        (arrival.queue.priority, arrival.queue.due_at) = (Priority::Low, due(1));
    });
    let urgent = wait(&mut world, MAIL, |arrival| arrival.queue.priority = Priority::Urgent);
    let returned = wait(&mut world, MAIL, |arrival| arrival.queue.since = Some(monday().plus_ms(-1)));
    assert_eq!(world.router.position(due_soon), Some(2));
    assert_eq!(world.router.position(low), Some(8));
    assert_eq!(world.router.position(busy), None);
    let mut held = busy;
    for next in [urgent, due_soon, due_later, returned, plain, twin, later, low] {
        assert_eq!(change(&mut world, held, Some(ADA), ItemStatus::Closed), format!("{next} assigned 101"));
        held = next;
    }
    assert_eq!(change(&mut world, held, Some(ADA), ItemStatus::Closed), "");
    assert!(world.router.state().waiting.is_empty());
}

#[test]
fn r7_4_whatever_makes_somebody_eligible_ends_the_wait() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA, BEN]));
    directory.person(BEN).hours = hours(&["mon-fri 12:00-16:00"]);
    let mut world = World::new(directory);
    let (first, _) = arrive(&mut world, MAIL);
    let [a, b, c, d, e] = [0; 5].map(|_| wait(&mut world, MAIL, |_| {}));
    assert_eq!(world.router.next_wake(), Some(at("2027-02-01T12:00:00Z")), "Ben's shift");
    world.now = at("2027-02-01T12:00:00Z");
    assert_eq!(feed(&mut world, &Input::Tick), format!("{a} assigned 102"), "a shift that starts");
    assert_eq!(change(&mut world, first, Some(ADA), ItemStatus::Closed), format!("{b} assigned 101"), "a closure");
    assert_eq!(edit(&mut world, |directory| directory.person(ADA).capacity.total = Some(2)), format!("{c} assigned 101"), "room");
    assert_eq!(
        edit(&mut world, |directory| directory.route(MAIL, patient(&[CLEO]))),
        format!("{d} assigned 103"),
        "an edited rule"
    );
    assert_eq!(status(&mut world, CLEO, StatusValue::Away), "");
    assert_eq!(change(&mut world, d, None, ItemStatus::Closed), "", "freed but away");
    assert_eq!(status(&mut world, CLEO, StatusValue::Available), format!("{e} assigned 103"), "a status");
    assert_eq!(world.router.next_wake(), None, "nothing waits");
}

#[test]
fn r7_4_a_new_arrival_does_not_overtake_what_waits_as_time_frees_somebody() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[BEN]));
    directory.person(BEN).hours = hours(&["mon-fri 12:00-16:00"]);
    let mut world = World::new(directory);
    let early = wait(&mut world, MAIL, |_| {});
    world.now = at("2027-02-01T12:30:00Z");
    let arrival = world.arrival(MAIL);
    let late = arrival.item;
    assert_eq!(world.router.explain(world.now, &arrival).decision.outcome, Outcome::Queued);
    assert_eq!(feed(&mut world, &Input::Arrived(arrival)), format!("{early} assigned 102, {late} queued"));
}

#[test]
fn r7_4_one_freed_person_takes_the_first_of_all_that_waits_in_any_channel() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA, BEN]));
    directory.route(CHAT, patient(&[CLEO, ADA]));
    let mut world = World::new(directory);
    let [ada, ben, cleo] = [MAIL, MAIL, CHAT].map(|channel| arrive(&mut world, channel).0);
    let mail = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(1);
    let chat = wait(&mut world, CHAT, |_| {});
    world.now = world.now.plus_ms(1);
    let chat_later = wait(&mut world, CHAT, |_| {});
    assert_eq!(change(&mut world, cleo, Some(CLEO), ItemStatus::Closed), format!("{chat} assigned 103"));
    assert_eq!(change(&mut world, ada, Some(ADA), ItemStatus::Closed), format!("{mail} assigned 101"));
    assert_eq!(change(&mut world, ben, Some(BEN), ItemStatus::Closed), "", "nothing waits for Ben");
    assert_eq!(change(&mut world, mail, Some(ADA), ItemStatus::Closed), format!("{chat_later} assigned 101"));
}

#[test]
fn r7_4_assigned_by_hand_closed_snoozed_or_merged_items_leave_the_queue() {
    for (owner, status) in
        [(Some(BEN), ItemStatus::Open), (None, ItemStatus::Closed), (None, ItemStatus::Snoozed), (None, ItemStatus::Spam)]
    {
        let (mut world, busy) = queue_for_ada();
        let item = wait(&mut world, MAIL, |_| {});
        assert_eq!(change(&mut world, item, owner, status), "");
        assert_eq!(world.router.waiting().count(), 0, "{status}");
        assert_eq!(change(&mut world, busy, Some(ADA), ItemStatus::Closed), "");
        let stays = wait_again(&mut world, item);
        assert_eq!(stays, format!("{item} assigned 101"), "it can be routed again");
    }
}

fn wait_again(world: &mut World, item: ItemId) -> String {
    let arrival = Arrival { item, event: RouteEvent::Requested, ..world.arrival(MAIL) };
    feed(world, &Input::Arrived(arrival))
}

#[test]
fn r7_4_news_of_a_waiting_item_moves_it_and_guards_its_assignment() {
    let (mut world, busy) = queue_for_ada();
    let one = wait(&mut world, MAIL, |_| {});
    let other = wait(&mut world, MAIL, |_| {});
    let revision = Revision { item: other, version: 7, priority: Priority::High, due_at: None };
    assert_eq!(feed(&mut world, &Input::Revised(revision)), "");
    assert_eq!((world.router.position(other), world.router.position(one)), (Some(1), Some(2)));
    let state = ItemState { owner: None, ..state_of(&world, busy) };
    let effects =
        world.step(&Input::Changed(ItemChange { state: ItemState { status: ItemStatus::Closed, ..state }, assigned: false }));
    let [Effect::Decide(decision), Effect::LeftQueue { arrival }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((decision.item, decision.item_version, decision.queued_since), (other, 7, Some(monday())));
    assert_eq!((arrival.item, arrival.queue.since), (other, Some(monday())));
    assert_eq!(feed(&mut world, &Input::Revised(Revision { item: busy, version: 9, priority: Priority::Low, due_at: None })), "");
}

fn state_of(world: &World, item: ItemId) -> ItemState {
    let owned = world.router.state().owned.into_iter().find(|owned| owned.item == item).expect("an owned item");
    ItemState {
        item,
        item_kind: switchboard_model::ItemKind::Conversation,
        conversation: None,
        workspace: crate::support::INBOX,
        group: owned.group,
        status: ItemStatus::Open,
        owner: Some(Owner::User { id: owned.user }),
        owned_since: Some(owned.owned_since),
        created_at: None,
        waiting_on_contact: false,
    }
}

#[test]
fn r7_4_a_refused_match_goes_back_to_its_place() {
    let (mut world, busy) = queue_for_ada();
    let first = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(5);
    let second = wait(&mut world, MAIL, |_| {});
    let state = state_of(&world, busy);
    let effects =
        world.step(&Input::Changed(ItemChange { state: ItemState { status: ItemStatus::Closed, ..state }, assigned: false }));
    let [Effect::Decide(decision), Effect::LeftQueue { arrival }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(decision.item, first);
    let unowned = ItemState { owner: None, owned_since: None, ..state_of(&world, first) };
    let retry = Arrival { version: 4, ..(**arrival).clone() };
    let refused = |reason| {
        Input::Refused(Refusal {
            decision: Box::new(decision.clone()),
            reason,
            state: unowned.clone(),
            retry: Some(retry.clone()),
        })
    };
    let mut other = World { router: world.router.clone(), ..world };
    assert_eq!(feed(&mut other, &refused(RefusalReason::ItemChanged)), format!("{first} assigned 101"), "the item changed");
    let text = feed(&mut other, &refused(RefusalReason::AtCapacity));
    assert_eq!(text, format!("{first} queued, {second} assigned 101"), "Ada has no room for the first, by the database");
    assert_eq!(change(&mut other, second, Some(ADA), ItemStatus::Closed), format!("{first} assigned 101"), "news of Ada");
}

#[test]
fn r2_7_who_returned_an_item_does_not_get_it_from_the_queue() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA, BEN]));
    let mut world = World::new(directory);
    let [a, b] = [MAIL, MAIL].map(|channel| arrive(&mut world, channel).0);
    let returned = wait(&mut world, MAIL, |arrival| arrival.excluded = vec![ADA]);
    assert_eq!(change(&mut world, a, Some(ADA), ItemStatus::Closed), "");
    assert_eq!(change(&mut world, b, Some(BEN), ItemStatus::Closed), format!("{returned} assigned 102"));
    let only = Arrival { excluded: vec![ADA, BEN], ..world.arrival(MAIL) };
    let text = feed(&mut world, &Input::Arrived(only.clone()));
    assert_eq!(text, format!("{} unassigned nobody_eligible", only.item), "nobody is left to wait for");
}

#[test]
fn r7_3_an_item_waits_for_the_contact_owner_and_for_the_fallback() {
    let mut directory = one_at_a_time();
    let fallback = Fallback::UsersAndTeams { members: vec![switchboard_model::Member::User(BEN)] };
    let target = Target::ContactOwner { require_cookie: false, fallback };
    directory.route(MAIL, Case { when_nobody: WhenNobody::Wait, ..Case::new(target) });
    let mut world = World::new(directory);
    let owned_by_ada = |world: &mut World| {
        let mut arrival = world.arrival(MAIL);
        arrival.contact.owner = Some(ADA);
        (arrival.item, feed(world, &Input::Arrived(arrival)))
    };
    let (a, text) = owned_by_ada(&mut world);
    assert_eq!(text, format!("{a} assigned 101"));
    let (b, text) = owned_by_ada(&mut world);
    assert_eq!(text, format!("{b} assigned 102, told 101"));
    let (c, text) = owned_by_ada(&mut world);
    assert_eq!(text, format!("{c} queued, told 101"));
    let (d, _) = owned_by_ada(&mut world);
    assert_eq!(change(&mut world, a, Some(ADA), ItemStatus::Closed), format!("{c} assigned 101"), "told once only");
    assert_eq!(change(&mut world, b, Some(BEN), ItemStatus::Closed), format!("{d} assigned 102"));
}

#[test]
fn r5_5_what_counts_once_with_an_owned_item_needs_no_room_and_waits_only_for_presence() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, patient(&[ADA]));
    let mut world = World::new(directory);
    let (conversation, _) = arrive(&mut world, MAIL);
    assert_eq!(status(&mut world, ADA, StatusValue::Away), "");
    let ticket = wait(&mut world, MAIL, |arrival| arrival.conversation = Some(ConversationId(conversation.0)));
    let other = wait(&mut world, MAIL, |_| {});
    assert_eq!(status(&mut world, ADA, StatusValue::Available), format!("{ticket} assigned 101"));
    assert_eq!(change(&mut world, conversation, Some(ADA), ItemStatus::Closed), "", "the ticket takes up the room");
    assert_eq!(world.router.position(other), Some(1));
}

#[test]
fn r4_6_what_waits_is_matched_after_closing_time_too() {
    let mut directory = one_at_a_time();
    directory.route(MAIL, Case { outside_hours: OutsideHours::Unassigned, ..patient(&[ADA]) });
    directory.feed(MAIL).hours = hours(&["mon-fri 08:00-10:00"]);
    let mut world = World::new(directory);
    let (busy, _) = arrive(&mut world, MAIL);
    let item = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(3 * HOUR_MS);
    assert_eq!(change(&mut world, busy, Some(ADA), ItemStatus::Closed), format!("{item} assigned 101"));
}

#[test]
fn r7_2_nothing_waits_where_nobody_could_ever_take_it() {
    let mut world = World::with_case(TICKETS, patient(&[ADA]));
    world.edit(|directory| directory.person(ADA).ticket_access = false);
    let (item, text) = arrive(&mut world, TICKETS);
    assert_eq!(text, format!("{item} unassigned nobody_eligible"));
    assert_eq!(edit(&mut world, |directory| directory.person(ADA).ticket_access = true), "");
    assert_eq!(status(&mut world, ADA, StatusValue::Away), "");
    let item = wait(&mut world, TICKETS, |_| {});
    let text = edit(&mut world, |directory| directory.person(ADA).ticket_access = false);
    assert_eq!(text, format!("{item} unassigned nobody_eligible"), "an edit that leaves nobody ends the wait visibly");
}

#[test]
fn r12_6_the_sweep_finds_work_whose_owner_is_gone() {
    let mut world = World::with_case(MAIL, patient(&[ADA]));
    let (item, _) = arrive(&mut world, MAIL);
    assert_eq!(world.router.stranded(), []);
    edit(&mut world, |directory| directory.person(ADA).active = false);
    assert_eq!(world.router.stranded(), [(item, Stranded::OwnerGone { user: ADA })]);
}

#[test]
fn r7_4_an_item_that_is_routed_again_while_it_waits_keeps_its_place() {
    let (mut world, busy) = queue_for_ada();
    let early = wait(&mut world, MAIL, |_| {});
    world.now = world.now.plus_ms(MINUTE_MS);
    let _late = wait(&mut world, MAIL, |_| {});
    assert_eq!(wait_again(&mut world, early), format!("{early} queued"));
    assert_eq!(world.router.position(early), Some(1));
    assert_eq!(change(&mut world, busy, Some(ADA), ItemStatus::Closed), format!("{early} assigned 101"));
}

/// A crowd with queues, skills that relax and rules that widen; every change beside a router that is stored and read
/// back again and again.
fn crowd(seed: u64, skills: bool, order: QueueOrder) {
    let mut numbers = Numbers(seed);
    let mut directory = crowded(Distribution::ALL[usize::try_from(seed).expect("a small seed") % 6], &mut numbers);
    directory.queue_order = order;
    if !skills {
        directory.workspaces.iter_mut().for_each(|workspace| workspace.skill_rules.clear());
    }
    for user in &mut directory.users {
        user.capacity.total = Some(1);
        user.capacity.per_type.clear();
    }
    for channel in &mut directory.channels {
        for case in channel.rule.iter_mut().flat_map(|rule| &mut rule.cases) {
            case.when_nobody = WhenNobody::Wait;
            let member = switchboard_model::Member::User(numbers.person());
            case.overflow =
                vec![switchboard_model::OverflowStep { after_s: 1_200, members: vec![member], workspaces: Vec::new() }];
        }
    }
    let mut world = World::new(directory);
    let mut longest = 0;
    for round in 0..180 {
        let input = happening(&mut world, &mut numbers);
        let twin = Router::new(Arc::clone(world.router.directory()), world.router.state()).expect("a router's own state fits");
        let effects = { twin }.step(world.router.no() + 1, world.now, &input);
        let before = world.router.clone();
        feed(&mut world, &input);
        assert_eq!(before.clone().step(before.no() + 1, world.now, &input), effects, "a rebuilt router does the same");
        longest = longest.max(world.router.waiting().count());
        for waiting in world.router.waiting().skip(round % 7).step_by(7) {
            let found = world.router.explain(world.now, &waiting.arrival);
            assert_eq!(found.decision.outcome, Outcome::Queued, "{found:?}");
            if !skills {
                in_order(&effects, waiting, &found, &world);
            }
        }
    }
    assert!(longest > 5, "seed {seed}: something waits");
}

/// Whoever left the queue did not go past this item, which could have gone to the same person but for the room.
fn in_order(effects: &[Effect], waiting: &WaitingItem, found: &Explanation, world: &World) {
    let is_new = |effect: &Effect| matches!(effect, Effect::Decide(decision) if decision.item == waiting.arrival.item);
    if effects.iter().any(is_new) {
        return;
    }
    for pair in effects.windows(2) {
        let [Effect::Decide(decision), Effect::LeftQueue { arrival }] = pair else { continue };
        let Outcome::Assigned { user, .. } = decision.outcome else { continue };
        let full = |candidate: &switchboard_model::Candidate| {
            candidate.user == user && candidate.verdict == (Verdict::Skipped { reason: SkipReason::AtCapacity })
        };
        let could = found.stages.iter().flat_map(|stage| &stage.candidates).any(full);
        let since = arrival.queue.since.expect("set for what left the queue");
        let overtaken = place(world, &waiting.arrival, waiting.since) < place(world, arrival, since);
        assert!(!(could && overtaken), "{decision:?} went past {waiting:?}");
    }
}

/// The place in the order, as the rule says it; by `gcmu` as a fraction of a common denominator.
fn place(world: &World, arrival: &Arrival, since: Timestamp) -> (i128, i128, Timestamp, ItemId) {
    if world.router.directory().queue_order == QueueOrder::Priority {
        let due = arrival.queue.due_at.map_or(i64::MAX, |due| due.0);
        return (-(arrival.queue.priority as i128), due.into(), since, arrival.item);
    }
    let waited = i128::from(world.now.ms_since(since));
    let target = arrival.queue.due_at.map_or(HOUR_MS, |due| due.ms_since(since)).max(1_000);
    let target = i128::from(target.cast_unsigned().next_power_of_two());
    if waited > 4 * target {
        return (-1, -(waited << 70) / target, since, arrival.item);
    }
    (0, -((waited << (70 + arrival.queue.priority as u32)) / (target * target)), since, arrival.item)
}

fn happening(world: &mut World, numbers: &mut Numbers) -> Input {
    let owned = world.router.state().owned;
    match numbers.below(10) {
        0 | 1 if !owned.is_empty() => {
            let item = owned[numbers.below(u32::try_from(owned.len()).expect("few items")) as usize].item;
            let state = ItemState { status: ItemStatus::Closed, ..state_of(world, item) };
            Input::Changed(ItemChange { state, assigned: false })
        }
        2 => {
            world.now = world.now.plus_ms(i64::from(numbers.below(15)) * MINUTE_MS);
            Input::Tick
        }
        3 => {
            let status = ManualStatus {
                value: StatusValue::ALL[numbers.below(2) as usize],
                reason: None,
                set_at: world.now,
                origin: StatusOrigin::ByHand,
            };
            Input::Status(StatusChange { user: numbers.person(), status, version: world.router.no().cast_signed() + 1 })
        }
        _ => {
            let mut arrival = world.arrival(crate::matcher::CHANNELS[numbers.below(5) as usize]);
            arrival.queue.priority = Priority::ALL[numbers.below(4) as usize];
            arrival.queue.due_at = (numbers.below(2) == 0).then(|| world.now.plus_ms(i64::from(numbers.below(9)) * MINUTE_MS));
            let field = switchboard_model::FactField("message.language".to_owned());
            arrival.facts.insert(field, ["nb", "da"][numbers.below(2) as usize].to_owned());
            Input::Arrived(arrival)
        }
    }
}

#[test]
fn r7_4_nobody_waits_in_vain_or_is_overtaken_and_a_rebuilt_router_goes_on_alike() {
    for seed in 0..3 {
        crowd(seed, false, QueueOrder::Priority);
        crowd(seed, true, QueueOrder::Priority);
    }
}

#[test]
fn r7_4_nobody_is_overtaken_by_somebody_whose_waiting_costs_less() {
    for seed in 3..6 {
        crowd(seed, false, QueueOrder::Gcmu);
    }
    crowd(6, true, QueueOrder::Gcmu);
}
