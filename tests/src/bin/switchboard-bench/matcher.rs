//! The matcher alone, on one core: how many decisions it makes in a second, and how long each takes.

use crate::machine::percentile;
use crate::plan::Plan;
use crate::report::{Row, Target};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_core::Router;
use switchboard_engine::directory::zone_data;
use switchboard_model::{
    Arrival, Capacity, Case, ChannelEntry, ChannelId, ChannelKind, ContactFacts, ContactId, ConversationId, Directory,
    Distribution, Effect, Facts, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LeaveOut, LoadGroup, ManualStatus,
    Member, Outcome, Owner, QueueFacts, ReopenOwner, Role, RouteEvent, RouterState, Rule, Seat, StatusChange, StatusOrigin,
    StatusValue, Target as To, Team, TeamId, Timestamp, User, UserId, WeeklyHours, Workspace, WorkspaceAccess, WorkspaceId,
    WorkspaceKind,
};

const TEAM: TeamId = TeamId(1);
const PLACE: WorkspaceId = WorkspaceId(2);
const CHANNEL: ChannelId = ChannelId(3);
const FIRST_USER: i64 = 1_000;
/// Open items per agent once the router is filled, below a capacity of 8.
const OPEN_EACH: usize = 3;
const CAPACITY: u32 = 8;
/// Between inputs, as if the centre were busy.
const STEP_MS: i64 = 7;

/// The sizes of a centre that are measured.
const SMALL: usize = 1_000;
const LARGE: usize = 10_000;
const SMALL_PER_SECOND: f64 = 200_000.0;
const LARGE_PER_SECOND: f64 = 50_000.0;
const LARGE_P99_US: f64 = 100.0;
const GROWTH: f64 = 2.5;

/// Decisions per second at two sizes, and how the time of one grows.
///
/// # Errors
/// When the router decides anything but an assignment.
pub fn rows(plan: &Plan) -> Result<Vec<Row>> {
    let distributions = [Distribution::LoadBalanced, Distribution::RoundRobin, Distribution::LongestIdle];
    let mut rows = Vec::new();
    for distribution in distributions {
        rows.extend(of(plan, distribution)?);
    }
    Ok(rows)
}

fn of(plan: &Plan, distribution: Distribution) -> Result<Vec<Row>> {
    let (mut small, mut large) = (Measured::default(), Measured::default());
    for _ in 0..plan.repetitions {
        for (measured, agents) in [(&mut small, SMALL), (&mut large, LARGE)] {
            let mut centre = Centre::new(agents, distribution)?;
            centre.run(plan.warm_up / 4)?;
            measured.per_second.push(centre.run(plan.duration / 4)?);
            let mut times = centre.times_us(plan.duration / 4)?;
            measured.middle_us.push(percentile(&mut times, 0.5));
            measured.tail_us.push(percentile(&mut times, 0.99));
        }
    }
    let growth = small.middle_us.iter().zip(&large.middle_us).map(|(small, large)| large / small).collect();
    // The published targets are for the default distribution.
    let held = |target: Target| if distribution == Distribution::LoadBalanced { target } else { Target::None };
    let note = "one core, arrival and closure of an earlier item both consumed; 3 open items each, capacity 8";
    let name = |size: &str| format!("matcher, {distribution}, {size} agents");
    Ok(vec![
        Row::new(name("1,000"), "decisions/s", small.per_second, held(Target::AtLeast(SMALL_PER_SECOND))).noting(note),
        Row::new(format!("{}, one decision p50", name("1,000")), "µs", small.middle_us, Target::None),
        Row::new(format!("{}, one decision p99", name("1,000")), "µs", small.tail_us, Target::None),
        Row::new(name("10,000"), "decisions/s", large.per_second, held(Target::AtLeast(LARGE_PER_SECOND))),
        Row::new(format!("{}, one decision p50", name("10,000")), "µs", large.middle_us, Target::None),
        Row::new(format!("{}, one decision p99", name("10,000")), "µs", large.tail_us, held(Target::AtMost(LARGE_P99_US))),
        Row::new(format!("{}, growth of a decision ×10", name("1,000 →10,000")), "×", growth, held(Target::AtMost(GROWTH))),
    ])
}

#[derive(Default)]
struct Measured {
    per_second: Vec<f64>,
    middle_us: Vec<f64>,
    tail_us: Vec<f64>,
}

/// A router at work whose items are closed in the order in which they came.
struct Centre {
    router: Router,
    now: Timestamp,
    open: VecDeque<(ItemId, UserId, Timestamp)>,
    filled: usize,
    next_item: i64,
    seed: u64,
}

impl Centre {
    fn new(agents: usize, distribution: Distribution) -> Result<Self> {
        let directory = Arc::new(directory(agents, distribution));
        let users: Vec<UserId> = directory.users.iter().map(|user| user.id).collect();
        let router = Router::new(directory, RouterState::default())?;
        let now = Timestamp(1_795_424_400_000);
        let mut centre =
            Self { router, now, open: VecDeque::new(), filled: agents * OPEN_EACH, next_item: 1_000_000, seed: 0x5eed };
        for user in users {
            let status = ManualStatus { value: StatusValue::Available, reason: None, set_at: now, origin: StatusOrigin::Initial };
            centre.step(&Input::Status(StatusChange { user, status, version: 1 }));
        }
        while centre.open.len() < centre.filled {
            centre.arrive()?;
        }
        Ok(centre)
    }

    /// Decides for a while; answers with decisions per second of the core's time, closures in between included.
    fn run(&mut self, duration: Duration) -> Result<f64> {
        let (started, used, mut decided) = (Instant::now(), core_time()?, 0_u64);
        while started.elapsed() < duration {
            for _ in 0..256 {
                self.close_oldest();
                self.arrive()?;
            }
            decided += 256;
        }
        Ok(decided as f64 / (core_time()? - used).as_secs_f64())
    }

    /// Microseconds of single decisions.
    fn times_us(&mut self, duration: Duration) -> Result<Vec<f64>> {
        let (started, mut times) = (Instant::now(), Vec::new());
        while started.elapsed() < duration {
            self.close_oldest();
            times.push(self.arrive()?.as_secs_f64() * 1e6);
        }
        Ok(times)
    }

    /// Feeds one arrival and answers with the time that its step took.
    fn arrive(&mut self) -> Result<Duration> {
        let item = ItemId(self.next_item);
        self.next_item += 1;
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let input = Input::Arrived(arrival(item, self.seed));
        let started = Instant::now();
        let effects = self.step(&input);
        let taken = started.elapsed();
        let [Effect::Decide(decision)] = effects.as_slice() else { bail!("an arrival had the effects {effects:?}") };
        let Outcome::Assigned { user, .. } = decision.outcome else { bail!("an arrival came out as {:?}", decision.outcome) };
        self.open.push_back((item, user, self.now));
        Ok(taken)
    }

    fn close_oldest(&mut self) {
        let Some((item, user, since)) = self.open.pop_front() else { return };
        let state = ItemState {
            item,
            item_kind: ItemKind::Conversation,
            conversation: Some(ConversationId(item.0)),
            workspace: PLACE,
            group: LoadGroup::InboxMail,
            status: ItemStatus::Closed,
            owner: Some(Owner::User { id: user }),
            owned_since: Some(since),
            created_at: Some(since),
            waiting_on_contact: false,
        };
        self.step(&Input::Changed(ItemChange { state, assigned: false }));
    }

    fn step(&mut self, input: &Input) -> Vec<Effect> {
        self.now = self.now.plus_ms(STEP_MS);
        self.router.step(self.router.no() + 1, self.now, input)
    }
}

/// How long this thread has been on a core, which does not depend on who else wants one.
fn core_time() -> Result<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("the time on a core")?;
    let ns = text.split_whitespace().next().and_then(|ns| ns.parse().ok()).context("the time on a core")?;
    Ok(Duration::from_nanos(ns))
}

fn arrival(item: ItemId, seed: u64) -> Arrival {
    Arrival {
        item,
        version: 1,
        event: RouteEvent::Arrived,
        item_kind: ItemKind::Conversation,
        conversation: Some(ConversationId(item.0)),
        workspace: PLACE,
        channel: CHANNEL,
        group: LoadGroup::InboxMail,
        contact: ContactFacts {
            id: ContactId(item.0),
            owner: None,
            proven: true,
            cookie: false,
            last_owner: None,
            last_owned_at: None,
        },
        facts: Facts::default(),
        previous_owner: None,
        owned_since: None,
        excluded: Vec::new(),
        seed,
        queue: QueueFacts::default(),
        created_at: None,
        waiting_on_contact: false,
    }
}

fn directory(agents: usize, distribution: Distribution) -> Directory {
    let case = Case { distribution: Some(distribution), ..Case::new(To::UsersAndTeams { members: vec![Member::Team(TEAM)] }) };
    let last = FIRST_USER + i64::try_from(agents).unwrap_or(0);
    Directory {
        version: 1,
        last_id: last,
        queue_order: switchboard_model::QueueOrder::default(),
        users: (FIRST_USER..last).map(UserId).map(user).collect(),
        teams: vec![Team { id: TEAM, slug: "support".to_owned(), name: "Support".to_owned(), parent: None, presence: None }],
        workspaces: vec![Workspace {
            id: PLACE,
            slug: "mail".to_owned(),
            name: "Mail".to_owned(),
            kind: WorkspaceKind::Inbox,
            access: WorkspaceAccess::Everyone,
            seats: Workspace::default_seats(WorkspaceKind::Inbox),
            close_together: true,
            reassign_limited: false,
            skill_rules: Vec::new(),
            sla: None,
        }],
        channels: vec![ChannelEntry {
            id: CHANNEL,
            slug: "mail".to_owned(),
            name: "Mail".to_owned(),
            kind: ChannelKind::Email,
            workspace: PLACE,
            on: true,
            zone: "UTC".to_owned(),
            hours: WeeklyHours::default(),
            holidays: Vec::new(),
            reopen_owner: ReopenOwner::Keep,
            rule: Some(Rule { on: true, version: 1, cases: vec![case] }),
        }],
        skills: Vec::new(),
        holidays: BTreeMap::new(),
        zones: BTreeMap::from([("UTC".to_owned(), zone_data("UTC").expect("UTC is a zone"))]),
    }
}

fn user(id: UserId) -> User {
    User {
        id,
        email: format!("agent{id}@desk.test"),
        name: format!("Agent {id}"),
        role: Role::Agent,
        seat: Seat::Service,
        active: true,
        accepted: true,
        ticket_access: true,
        team: Some(TEAM),
        extra_teams: Vec::new(),
        zone: "UTC".to_owned(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        out_of_office: Vec::new(),
        capacity: Capacity { total: Some(CAPACITY), per_type: BTreeMap::new(), weights: None, leave_out: LeaveOut::default() },
        skills: Vec::new(),
        languages: Vec::new(),
        language: None,
    }
}
