//! ROUTING 13.2 and the invariants, on long random histories. A failing case prints the seed that repeats it.

use crate::support::{
    ADA, BEN, BLUE, CALLS, CHAT, CHAT_TICKETS, CLEO, DAG, Edit, HOUR_MS, INBOX, MAIL, RED, TICKETS, World, assigned, directory,
    hours, members, people,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use switchboard_core::{Router, selectable};
use switchboard_model::{
    Arrival, Case, ChannelId, ConversationId, Decision, Directory, Distribution, Effect, Explanation, Fallback, Input,
    ItemChange, ItemId, ItemState, ItemStatus, LoadGroup, ManualStatus, Member, Outcome, OverflowStep, Owner, Priority,
    QueueOrder, Refusal, RefusalReason, RouteEvent, RouterState, StatusChange, StatusOrigin, StatusValue, Target, Timestamp,
    UserId, Verdict, WhenNobody,
};

const USERS: [UserId; 4] = [ADA, BEN, CLEO, DAG];
const CHANNELS: [ChannelId; 5] = [MAIL, CHAT, TICKETS, CHAT_TICKETS, CALLS];

/// One thing that happens, in small numbers that any history gives a meaning.
#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Arrive { channel: usize, event: usize, owner: Option<usize>, excluded: bool, shared: bool, seed: u64 },
    Reroute { back: usize, seed: u64 },
    Assign { back: usize, user: Option<usize>, status: usize },
    Status { user: usize, value: usize, by_hand: bool },
    Edit { user: usize, what: u8 },
    Refuse { back: usize, reason: usize, retry: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0_i64..40 * HOUR_MS).prop_map(Event::Pass),
        1 => Just(Event::Pass(24 * 15 * HOUR_MS)),
        6 => (0..5_usize, 0..5_usize, proptest::option::of(0..4_usize), any::<bool>(), any::<bool>(), any::<u64>())
            .prop_map(|(channel, event, owner, excluded, shared, seed)| Event::Arrive { channel, event, owner, excluded, shared, seed }),
        1 => (0..9_usize, any::<u64>()).prop_map(|(back, seed)| Event::Reroute { back, seed }),
        3 => (0..9_usize, proptest::option::of(0..4_usize), 0..4_usize)
            .prop_map(|(back, user, status)| Event::Assign { back, user, status }),
        2 => (0..4_usize, 0..3_usize, any::<bool>()).prop_map(|(user, value, by_hand)| Event::Status { user, value, by_hand }),
        1 => (0..4_usize, 0..9_u8).prop_map(|(user, what)| Event::Edit { user, what }),
        2 => (0..4_usize, 0..3_usize, any::<bool>()).prop_map(|(back, reason, retry)| Event::Refuse { back, reason, retry }),
    ]
}

/// Everybody and every target in use, with hours, teams and tight limits.
fn lively() -> Directory {
    let mut directory = directory();
    directory.person(ADA).team = Some(RED);
    directory.person(BEN).team = Some(RED);
    directory.person(CLEO).team = Some(BLUE);
    directory.person(CLEO).extra_teams = vec![RED];
    directory.person(BEN).hours = hours(&["mon-fri 07:00-15:00", "sat 22:00-03:00"]);
    directory.person(BEN).zone = "America/New_York".to_owned();
    directory.person(CLEO).hours = hours(&["mon-sun 00:00-12:00"]);
    for (user, limit) in [(ADA, 3), (BEN, 2), (CLEO, 4)] {
        directory.person(user).capacity.total = Some(limit);
    }
    directory.person(DAG).capacity.per_type =
        [(switchboard_model::WorkType::Chat, 1), (switchboard_model::WorkType::Mail, 2)].into();
    let all = members(&[Member::Team(RED), Member::User(DAG), Member::Team(BLUE), Member::User(ADA)]);
    let by = |distribution, target: &Target| Case { distribution: Some(distribution), ..Case::new(target.clone()) };
    let patient = |case: Case| Case { when_nobody: WhenNobody::Wait, ..case };
    directory.route(MAIL, patient(by(Distribution::RoundRobin, &all)));
    let owner = Fallback::UsersAndTeams { members: vec![Member::Team(RED), Member::User(CLEO)] };
    let target = Target::ContactOwner { require_cookie: false, fallback: owner };
    directory.route(CHAT, Case { affinity_days: Some(10), ..patient(by(Distribution::LeastBusy, &target)) });
    let weights = [(Member::Team(RED), 3), (Member::User(CLEO), 2)].into();
    let target = members(&[Member::Team(RED), Member::User(CLEO)]);
    let overflow = vec![OverflowStep { after_s: 900, members: vec![Member::User(CLEO)], workspaces: vec![INBOX] }];
    directory.route(TICKETS, Case { weights, overflow, ..by(Distribution::RoundRobin, &target) });
    directory.route(CALLS, patient(by(Distribution::LongestIdleTotal, &people(&USERS))));
    let fallback = Fallback::UsersAndTeams { members: vec![Member::Team(RED), Member::User(DAG)] };
    let mut case = by(Distribution::Random, &Target::ContactOwner { require_cookie: false, fallback });
    case.when_nobody = WhenNobody::Keep;
    directory.route(CHAT_TICKETS, case);
    directory
}

/// A router fed with events, beside a plain account of who owns what.
struct History {
    world: World,
    log: Vec<(u64, Timestamp, Input)>,
    effects: Vec<Vec<Effect>>,
    arrivals: Vec<Arrival>,
    decisions: Vec<(Decision, Arrival)>,
    owned: BTreeMap<ItemId, (UserId, i64, LoadGroup, Timestamp)>,
}

impl History {
    fn new() -> Self {
        let world = World::silent(lively());
        let (log, effects, arrivals, decisions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut history = Self { world, log, effects, arrivals, decisions, owned: BTreeMap::new() };
        for user in 0..USERS.len() {
            history.feed(&Event::Status { user, value: 0, by_hand: false });
        }
        history
    }

    fn feed(&mut self, event: &Event) {
        let Some(input) = self.input(event) else { return };
        if let Input::Changed(change) = &input {
            self.account(&change.state);
        }
        if let Input::Refused(refusal) = &input {
            self.account(&refusal.state);
        }
        let router = self.world.router.clone();
        let explained = router.explain_input(router.no() + 1, self.world.now, &input);
        let effects = self.world.step(&input);
        self.log.push((self.world.router.no(), self.world.now, input.clone()));
        let routed = match &input {
            Input::Arrived(arrival) => Some(arrival),
            Input::Refused(refusal) => refusal.retry.as_ref(),
            _ => None,
        };
        let mut no_of_effect = 0;
        while let Some(Effect::Decide(decision)) =
            effects[no_of_effect..].iter().find(|effect| matches!(effect, Effect::Decide(_)))
        {
            no_of_effect +=
                1 + effects[no_of_effect..].iter().position(|effect| matches!(effect, Effect::Decide(_))).unwrap_or(0);
            let (explained, arrival) = match effects.get(no_of_effect) {
                Some(Effect::LeftQueue { arrival }) => {
                    (router.explain_item(router.no() + 1, self.world.now, &input, decision.item), &**arrival)
                }
                _ => (explained.clone(), routed.expect("something arrived")),
            };
            assert_eq!(explained.as_ref().map(|explained| &explained.decision), Some(decision));
            agrees(&explained.expect("a decision is explained"));
            let open_before = USERS.map(|user| self.open(user));
            self.take_over(decision, arrival);
            self.judge(decision, arrival, open_before);
            self.decisions.push((decision.clone(), arrival.clone()));
        }
        self.effects.push(effects);
        self.compare();
        self.nobody_waits_in_vain();
    }

    /// Whatever waits is open, has no owner, and nobody could have it.
    fn nobody_waits_in_vain(&self) {
        assert_eq!(self.world.router.stranded().iter().filter(|(item, _)| !self.owned.contains_key(item)).count(), 0);
        for waiting in self.world.router.waiting().filter(|waiting| waiting.barred.is_none()) {
            assert!(!self.owned.contains_key(&waiting.arrival.item), "{waiting:?}");
            let arrival = Arrival { event: RouteEvent::Arrived, ..waiting.arrival.clone() };
            let found = self.world.router.explain(self.world.now, &arrival);
            assert_eq!(found.decision.outcome, Outcome::Queued, "{found:?}");
        }
    }

    fn input(&mut self, event: &Event) -> Option<Input> {
        Some(match event {
            Event::Pass(ms) => {
                self.world.now = self.world.now.plus_ms(*ms);
                Input::Tick
            }
            Event::Arrive { channel, event, owner, excluded, shared, seed } => {
                let mut arrival = self.world.arrival(CHANNELS[*channel]);
                arrival.event = RouteEvent::ALL[*event];
                arrival.contact.owner = owner.map(|owner| USERS[owner]);
                arrival.contact.last_owner = (seed % 4 == 0).then(|| USERS[(*channel + *event) % 4]);
                arrival.contact.last_owned_at = Some(self.world.now.plus_ms(-(seed % 15).cast_signed() * 24 * HOUR_MS));
                arrival.previous_owner = owner.map(|owner| Owner::User { id: USERS[(owner + 1) % 4] });
                arrival.excluded = if *excluded { vec![USERS[*event % 4]] } else { Vec::new() };
                arrival.conversation = shared.then(|| ConversationId(4_000 + seed.cast_signed().rem_euclid(5)));
                arrival.seed = *seed;
                arrival.queue.priority = Priority::ALL[channel % 4];
                arrival.queue.due_at = (seed % 3 == 0).then(|| Timestamp((seed % 7).cast_signed()));
                self.arrivals.push(arrival.clone());
                Input::Arrived(arrival)
            }
            Event::Reroute { back, seed } => {
                let mut arrival = self.arrivals.iter().rev().nth(*back)?.clone();
                (arrival.event, arrival.seed) = (RouteEvent::Requested, *seed);
                Input::Arrived(arrival)
            }
            Event::Assign { back, user, status } => {
                let arrival = self.arrivals.iter().rev().nth(*back)?.clone();
                let state = self.state_of(&arrival, user.map(|user| USERS[user]), ItemStatus::ALL[*status]);
                Input::Changed(ItemChange { state, assigned: user.is_some() && *status == 0 })
            }
            Event::Status { user, value, by_hand } => {
                let origin = if *by_hand { StatusOrigin::ByHand } else { StatusOrigin::Initial };
                let status = ManualStatus { value: StatusValue::ALL[*value], reason: None, set_at: self.world.now, origin };
                let version = self.world.router.no().cast_signed() + 1;
                Input::Status(StatusChange { user: USERS[*user], status, version })
            }
            Event::Edit { user, what } => {
                let mut directory = Directory::clone(self.world.router.directory());
                directory.version += 1;
                edit(&mut directory, USERS[*user], *what);
                Input::Directory { version: directory.version, directory: Some(Arc::new(directory)) }
            }
            Event::Refuse { back, reason, retry } => {
                let (decision, arrival) = self.decisions.iter().rev().nth(*back)?.clone();
                let state = self.state_of(&arrival, None, ItemStatus::Open);
                let retry = retry.then_some(arrival);
                Input::Refused(Refusal { decision: Box::new(decision), reason: RefusalReason::ALL[*reason], state, retry })
            }
        })
    }

    fn state_of(&self, arrival: &Arrival, owner: Option<UserId>, status: ItemStatus) -> ItemState {
        ItemState {
            item: arrival.item,
            item_kind: arrival.item_kind,
            conversation: arrival.conversation,
            workspace: arrival.workspace,
            group: arrival.group,
            status,
            owner: owner.map(|id| Owner::User { id }),
            owned_since: owner.map(|_| self.world.now),
            created_at: None,
            waiting_on_contact: false,
        }
    }

    fn account(&mut self, state: &ItemState) {
        self.owned.remove(&state.item);
        if let (Some(Owner::User { id }), ItemStatus::Open) = (state.owner, state.status) {
            let key = state.conversation.map_or(state.item.0, |conversation| conversation.0);
            self.owned.insert(state.item, (id, key, state.group, state.owned_since.unwrap_or(self.world.now)));
        }
    }

    fn take_over(&mut self, decision: &Decision, arrival: &Arrival) {
        let before = self.owned.remove(&arrival.item);
        let key = arrival.conversation.map_or(arrival.item.0, |conversation| conversation.0);
        match decision.outcome {
            Outcome::Assigned { user, .. } => {
                self.owned.insert(arrival.item, (user, key, arrival.group, self.world.now));
            }
            Outcome::Kept { user } => {
                let since = before.filter(|before| before.0 == user).map_or(self.world.now, |before| before.3);
                self.owned.insert(arrival.item, (user, key, arrival.group, since));
            }
            Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => {}
        }
    }

    fn open(&self, user: UserId) -> usize {
        self.owned.values().filter(|owned| owned.0 == user).map(|owned| owned.1).collect::<BTreeSet<_>>().len()
    }

    /// Nobody ineligible gets anything, and nobody is taken over a limit that was kept before.
    fn judge(&self, decision: &Decision, arrival: &Arrival, open_before: [usize; 4]) {
        let Outcome::Assigned { user, .. } = decision.outcome else { return };
        let directory = self.world.router.directory();
        assert_eq!(selectable(directory, arrival.workspace, user), Ok(()), "{decision:?}");
        assert!(!arrival.excluded.contains(&user), "{decision:?}");
        let rule = directory.channel(arrival.channel).and_then(|channel| channel.rule.as_ref());
        let case = rule.and_then(|rule| rule.cases.get(decision.rule?.case as usize)).expect("the case that applied");
        let available = self.world.router.availability(user, self.world.now).available;
        assert!(available || !case.only_available, "{decision:?}");
        let profile = directory.user(user).expect("a selectable user exists");
        let place = USERS.iter().position(|known| *known == user).expect("one of the four");
        let open = self.open(user);
        let limit = profile.capacity.total.map_or(usize::MAX, |limit| limit as usize);
        assert!(open <= limit.max(open_before[place]), "{open} of {limit}: {decision:?}");
        for (work, limit) in &profile.capacity.per_type {
            let others = self
                .owned
                .iter()
                .filter(|(item, owned)| **item != arrival.item && owned.0 == user && owned.2.work_type() == *work);
            let others: BTreeSet<i64> = others.map(|(_, owned)| owned.1).collect();
            let key = arrival.conversation.map_or(arrival.item.0, |conversation| conversation.0);
            let fits = others.len() < *limit as usize || others.contains(&key);
            assert!(arrival.group.work_type() != *work || fits, "{work}: {decision:?}");
        }
    }

    /// Counters equal what follows from the plain account.
    fn compare(&self) {
        let now = self.world.now;
        for user in USERS {
            assert_eq!(self.world.router.open(user) as usize, self.open(user), "open of {user}");
            for group in LoadGroup::ALL {
                let young = |since: Timestamp| !group.is_help_desk() || now.ms_since(since) <= 30 * 24 * HOUR_MS;
                let load = self.owned.values().filter(|owned| owned.0 == user && owned.2 == *group && young(owned.3)).count();
                assert_eq!(self.world.router.load(user, *group, now) as usize, load, "{group} of {user}");
            }
        }
    }
}

/// Exactly whoever gets an item is the chosen one, before everybody else who could have had it.
fn agrees(explained: &Explanation) {
    let stages = || explained.stages.iter().flat_map(|stage| &stage.candidates);
    let chosen: Vec<_> = stages().filter(|candidate| candidate.verdict == Verdict::Chosen).collect();
    let taker = match explained.decision.outcome {
        Outcome::Assigned { user, .. } | Outcome::Kept { user } => Some(user),
        Outcome::TeamSet { .. } | Outcome::Queued | Outcome::Unassigned { .. } => None,
    };
    assert_eq!(chosen.iter().map(|candidate| candidate.user).collect::<Vec<_>>(), Vec::from_iter(taker), "{explained:?}");
    for other in stages().filter(|candidate| candidate.verdict == Verdict::Eligible && taker.is_some()) {
        assert!(chosen[0].rank <= other.rank && other.rank.is_some(), "{explained:?}");
    }
    if let (Outcome::Assigned { team, .. }, Some(chosen)) = (explained.decision.outcome, chosen.first()) {
        assert_eq!(team, chosen.team, "{explained:?}");
    }
}

fn edit(directory: &mut Directory, user: UserId, what: u8) {
    match what {
        0 => directory.person(user).active ^= true,
        1 => directory.person(user).ticket_access ^= true,
        2 => directory.person(user).capacity.total = Some(1),
        3 => directory.person(user).hours = hours(&["mon-fri 09:00-17:00"]),
        4 => directory.person(user).team = Some(if directory.person(user).team == Some(RED) { BLUE } else { RED }),
        5 => directory.route(MAIL, Case { distribution: Some(Distribution::RoundRobin), ..Case::new(people(&[DAG, user, ADA])) }),
        6 => {
            let is_gcmu = directory.queue_order == QueueOrder::Gcmu;
            directory.queue_order = if is_gcmu { QueueOrder::Priority } else { QueueOrder::Gcmu };
        }
        7 => {
            for case in directory.feed(MAIL).rule.iter_mut().flat_map(|rule| &mut rule.cases) {
                case.weights = if case.weights.is_empty() { [(Member::User(DAG), 20)].into() } else { BTreeMap::new() };
            }
        }
        _ => {
            for case in directory.feed(CALLS).rule.iter_mut().flat_map(|rule| &mut rule.cases) {
                let by_total = case.distribution == Some(Distribution::LongestIdleTotal);
                case.distribution = Some(if by_total { Distribution::LongestIdle } else { Distribution::LongestIdleTotal });
                case.only_available = !by_total || user != ADA;
            }
        }
    }
}

fn replay(router: &mut Router, log: &[(u64, Timestamp, Input)]) -> Vec<Vec<Effect>> {
    log.iter().map(|(no, now, input)| router.step(*no, *now, input)).collect()
}

/// A run with a new seed, or with the one in the environment, which is printed with the command that repeats it.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().build_hasher().finish());
    }
    if let RngSeed::Fixed(seed) = config.rng_seed {
        println!("repeat with: PROPTEST_RNG_SEED={seed} cargo nextest run -p switchboard-core properties");
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn r13_2_invariants_hold_and_any_history_replays_alike(events in proptest::collection::vec(event(), 1..120), cut in 0..120_usize) {
        let mut history = History::new();
        for event in &events {
            history.feed(event);
        }
        let empty = || Router::new(Arc::new(lively()), RouterState::default()).expect("an empty state fits");
        let mut again = empty();
        prop_assert_eq!(&replay(&mut again, &history.log), &history.effects);
        prop_assert_eq!(again.state(), history.world.router.state());

        let cut = cut.min(history.log.len());
        let mut first = empty();
        replay(&mut first, &history.log[..cut]);
        let json = serde_json::to_string(&first.state()).expect("a state can be written");
        let state: RouterState = serde_json::from_str(&json).expect("a state can be read");
        let mut second = Router::new(Arc::clone(first.directory()), state).expect("a router's own state fits");
        prop_assert_eq!(second.state(), first.state());
        prop_assert_eq!(&replay(&mut second, &history.log[cut..]), &history.effects[cut..]);
        prop_assert_eq!(second.state(), history.world.router.state());
    }

    #[test]
    fn r6_2_who_stays_eligible_is_never_passed_over_twice_by_the_same_person(
        away in proptest::collection::vec(proptest::collection::btree_set(0..4_usize, 0..4), 1..80)
    ) {
        let case = Case { distribution: Some(Distribution::RoundRobin), ..Case::new(people(&[DAG, BEN, ADA, CLEO])) };
        let mut world = World::with_case(MAIL, case);
        // Per pair: how often the first was served since the second was, or was away.
        let mut ahead: BTreeMap<(UserId, UserId), u32> = BTreeMap::new();
        let mut last_cycle: BTreeMap<UserId, u64> = BTreeMap::new();
        for away in away {
            for (index, user) in USERS.into_iter().enumerate() {
                let value = if away.contains(&index) { StatusValue::Away } else { StatusValue::Available };
                world.by_hand(user, value);
                if away.contains(&index) {
                    ahead.retain(|(_, behind), _| *behind != user);
                }
            }
            let decision = world.arrive(MAIL);
            let Some(served) = assigned(&decision) else {
                prop_assert_eq!(away.len(), 4);
                continue;
            };
            let turn = decision.turn.expect("round robin takes turns");
            prop_assert!(last_cycle.insert(served, turn).is_none_or(|before| before < turn), "one turn in a cycle");
            ahead.retain(|(_, behind), _| *behind != served);
            for other in USERS.into_iter().filter(|user| *user != served) {
                let count = ahead.entry((served, other)).or_default();
                *count += 1;
                let eligible = USERS.iter().position(|user| *user == other).is_some_and(|index| !away.contains(&index));
                if eligible {
                    prop_assert!(*count <= 2, "{} served {} times while {} was waiting", served, count, other);
                } else {
                    ahead.remove(&(served, other));
                }
            }
        }
    }
}

#[test]
fn r13_2_a_fixed_history_of_a_thousand_arrivals_is_fair_and_repeats() {
    let run = || {
        let case = Case { distribution: Some(Distribution::RoundRobin), ..Case::new(people(&USERS)) };
        let mut world = World::with_case(MAIL, case);
        (0..1_000).map(|_| world.arrive(MAIL)).collect::<Vec<_>>()
    };
    let decisions = run();
    assert_eq!(decisions, run());
    for user in USERS {
        assert_eq!(decisions.iter().filter(|decision| assigned(decision) == Some(user)).count(), 250);
    }
}

#[test]
fn the_lively_directory_is_in_order() {
    assert_eq!(switchboard_core::validate(&lively()), []);
}
