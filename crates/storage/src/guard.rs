//! Every change of an item's owner, team, status or priority, under its guards (DESIGN 3.5, 3.6; ROUTING 2.6, 5.5).

use crate::error::{StoreError, StoreErrorKind};
use crate::events::NewEvent;
use crate::held::Table;
use crate::items::{ItemRecord, counted_together, owner_columns, priority_rank};
use crate::room;
use crate::row::{Bundle, Db, execute, json, row, rows, values};
use crate::store::Tx;
use std::collections::BTreeMap;
use switchboard_model::{
    Actor, DecisionId, HistoryChange, ItemId, ItemStatus, LiveEventKind, Owner, Priority, RefusalReason, TeamId, Timestamp,
    UnassignedReason, UserId, WorkType, WorkspaceId,
};

/// A change of an item. `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct ItemUpdate {
    /// The item.
    pub item: ItemId,
    /// Refuse when the item has another version.
    pub expected_version: Option<i64>,
    /// New owner.
    pub owner: Option<Option<Owner>>,
    /// With an owner: the ownership begins anew even if it is the owner it had, as after a decision (ROUTING 5.1).
    pub new_ownership: bool,
    /// New team.
    pub team: Option<Option<TeamId>>,
    /// New status. A status other than snoozed clears `snoozed_until`.
    pub status: Option<ItemStatus>,
    /// New priority.
    pub priority: Option<Priority>,
    /// New workspace.
    pub workspace: Option<WorkspaceId>,
    /// Until when it is put aside, with the status snoozed.
    pub snoozed_until: Option<Timestamp>,
    /// Why nobody owns it now; an owner clears it without being asked.
    pub unassigned_reason: Option<Option<UnassignedReason>>,
    /// Since when it waits for somebody to become eligible (ROUTING 7.4); an owner or another status than open ends it.
    pub queued_since: Option<Option<Timestamp>>,
    /// When its next target is breached (ROUTING 14.3).
    pub due_at: Option<Option<Timestamp>>,
    /// By whom.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The decision behind it; becomes the item's last decision.
    pub decision: Option<DecisionId>,
    /// The note of an owner who returns the item (ROUTING 2.7): kept as such in the history.
    pub returned: Option<Option<String>>,
    /// Refuse when the item would take the new owner over a limit (ROUTING 5.5).
    pub capacity_guard: bool,
    /// Refuse when the person's availability version is another.
    pub availability: Option<(UserId, i64)>,
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The item before.
    pub before: ItemRecord,
    /// The item after.
    pub after: ItemRecord,
}

/// Why a change was refused; nothing was written. Carries the item as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The item has another version.
    ItemChanged(Box<ItemRecord>),
    /// The person is full.
    AtCapacity(Box<ItemRecord>),
    /// The person's availability version is another.
    StatusChanged(Box<ItemRecord>),
}

impl Guard {
    /// The reason in the router's words.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        match self {
            Self::ItemChanged(_) => RefusalReason::ItemChanged,
            Self::AtCapacity(_) => RefusalReason::AtCapacity,
            Self::StatusChanged(_) => RefusalReason::StatusChanged,
        }
    }

    /// The item as it is.
    #[must_use]
    pub fn item(&self) -> &ItemRecord {
        match self {
            Self::ItemChanged(item) | Self::AtCapacity(item) | Self::StatusChanged(item) => item,
        }
    }
}

impl ItemUpdate {
    /// A change of nothing, to be filled in.
    #[must_use]
    pub const fn new(item: ItemId, actor: Actor, at: Timestamp) -> Self {
        Self {
            item,
            expected_version: None,
            owner: None,
            new_ownership: false,
            team: None,
            status: None,
            priority: None,
            workspace: None,
            snoozed_until: None,
            unassigned_reason: None,
            queued_since: None,
            due_at: None,
            actor,
            at,
            decision: None,
            returned: None,
            capacity_guard: false,
            availability: None,
        }
    }
}

impl Changed {
    /// A new ownership by a person began, which counts for ROUTING 5.4.
    #[must_use]
    pub fn assigned(&self) -> bool {
        let ownership = |item: &ItemRecord| (item.owner, item.owned_since);
        matches!(self.after.owner, Some(Owner::User { .. })) && ownership(&self.after) != ownership(&self.before)
    }
}

impl Tx {
    /// Changes an item under its guards, moves the counted work of the people concerned, and writes history and
    /// live events. The version rises if owner, team, status, priority or workspace came out different.
    ///
    /// # Errors
    /// `NotFound`. A refusal by a guard is no error: it is the inner result, and nothing was written.
    pub async fn change_item(&self, update: &ItemUpdate) -> Result<Result<Changed, Guard>, StoreError> {
        let together = counted_together(self, update.item).await?;
        let Some(before) = together.iter().find(|record| record.id == update.item).cloned() else {
            return Err(StoreError::new(StoreErrorKind::NotFound, format!("there is no item {}", update.item)));
        };
        if update.expected_version.is_some_and(|version| version != before.version || before.merged_into.is_some()) {
            return Ok(Err(Guard::ItemChanged(Box::new(before))));
        }
        if before.merged_into.is_some() {
            // What was merged stays as it is; whoever names no version only tidies up.
            return Ok(Ok(Changed { after: before.clone(), before }));
        }
        let (changed, moves) = counts_moved(update, &before, &together);
        if let Some(reason) = self.move_counts(update, &changed.after, &moves).await? {
            let item = Box::new(before);
            return Ok(Err(match reason {
                RefusalReason::AtCapacity => Guard::AtCapacity(item),
                RefusalReason::StatusChanged => Guard::StatusChanged(item),
                RefusalReason::ItemChanged => Guard::ItemChanged(item),
            }));
        }
        let mut bundle = Bundle::default();
        self.add_change(&mut bundle, update, &changed, &moves).await?;
        bundle.run(self).await?;
        Ok(Ok(changed))
    }

    /// What a change leaves besides the counts of people: nothing where it changes nothing.
    pub(crate) async fn add_change(
        &self,
        bundle: &mut Bundle,
        update: &ItemUpdate,
        Changed { before, after }: &Changed,
        moves: &Moves,
    ) -> Result<(), StoreError> {
        if after == before {
            return Ok(());
        }
        store_item(bundle, after);
        add_history(bundle, after.id, update.at, &update.actor, &update.history(before, after), update.decision)?;
        self.add_events(bundle, &told(update.at, before, after, moves.keys())).await
    }

    /// Moves counted work between people and checks the guards of the one who gets it. Every check comes before
    /// the first write that a refusal would have to take back.
    async fn move_counts(
        &self,
        update: &ItemUpdate,
        after: &ItemRecord,
        moves: &Moves,
    ) -> Result<Option<RefusalReason>, StoreError> {
        let taker = taker(after);
        self.lock_people(moves).await?;
        let mut expected = None;
        if let Some((user, version)) = update.availability {
            if Some(user) == taker {
                expected = Some(version);
            } else if self.count_guarded((user, Counts::default()), Some(version), None).await?.is_some() {
                return Ok(Some(RefusalReason::StatusChanged));
            }
        }
        let guarded = taker.filter(|_| expected.is_some() || update.capacity_guard);
        if let Some(user) = guarded {
            let delta = moves.get(&user).copied().unwrap_or_default();
            if let Some(reason) =
                self.count_guarded((user, delta), expected, update.capacity_guard.then_some((after, update.at))).await?
            {
                return Ok(Some(reason));
            }
        }
        for (user, delta) in moves.iter().filter(|(user, _)| Some(**user) != guarded) {
            self.count(*user, *delta).await?;
        }
        Ok(None)
    }

    /// Moves counted work between people whom no limit holds back.
    pub(crate) async fn shift_counts(&self, moves: &Moves) -> Result<(), StoreError> {
        self.lock_people(moves).await?;
        for (user, delta) in moves {
            self.count(*user, *delta).await?;
        }
        Ok(())
    }

    /// Everybody locks people in the order of their ids.
    async fn lock_people(&self, moves: &Moves) -> Result<(), StoreError> {
        if self.is_shared() && moves.len() > 1 {
            let ids: Vec<_> = moves.keys().map(|user| user.0.to_string()).collect();
            let sql = format!("SELECT user_id FROM person WHERE user_id IN ({}) ORDER BY user_id FOR UPDATE", ids.join(", "));
            rows(self, sql, values![]).await?;
        }
        Ok(())
    }

    async fn count_guarded(
        &self,
        (user, delta): (UserId, Counts),
        expected: Option<i64>,
        taken: Option<(&ItemRecord, Timestamp)>,
    ) -> Result<Option<RefusalReason>, StoreError> {
        let limits = match taken {
            Some(_) => room_within(["$2", "$3", "$4", "$5"]),
            None => String::new(),
        };
        let sql = format!(
            "UPDATE person SET open_total = open_total + $2, open_chat = open_chat + $3, open_mail = open_mail + $4, \
             open_call = open_call + $5 WHERE user_id = $1 AND ($6 IS NULL OR availability_version = $6) {limits} \
             RETURNING user_id"
        );
        let [total, chat, mail, call] = delta;
        if row(self, sql.clone(), values![user, total, chat, mail, call, expected]).await?.is_some() {
            return Ok(None);
        }
        // Whoever is refused stays locked: what makes room for them afterwards is told to the router after the refusal, so
        // that it is news. What made room in between counts now.
        let lock = if self.is_shared() { "FOR UPDATE" } else { "" };
        let found = format!("SELECT availability_version FROM person WHERE user_id = $1 {lock}");
        let found = row(self, found, values![user]).await?;
        if self.is_shared()
            && found.is_some()
            && row(self, sql, values![user, total, chat, mail, call, expected]).await?.is_some()
        {
            return Ok(None);
        }
        let version = found.map(|row| row.get::<i64>("availability_version")).transpose()?;
        match (version, expected) {
            // Nobody has heard of the person yet, so nothing limits them.
            (None, None) => self.count(user, delta).await.map(|()| None),
            (version, Some(_)) if version != expected => Ok(Some(RefusalReason::StatusChanged)),
            _ => match taken {
                Some((item, at)) if room::has_room(self, user, item, at).await? => self.count(user, delta).await.map(|()| None),
                _ => Ok(Some(RefusalReason::AtCapacity)),
            },
        }
    }

    pub(crate) async fn count(&self, user: UserId, [total, chat, mail, call]: Counts) -> Result<(), StoreError> {
        let sql = "INSERT INTO person (user_id, open_total, open_chat, open_mail, open_call) VALUES ($1, $2, $3, $4, $5) \
            ON CONFLICT (user_id) DO UPDATE SET open_total = person.open_total + excluded.open_total, \
            open_chat = person.open_chat + excluded.open_chat, open_mail = person.open_mail + excluded.open_mail, \
            open_call = person.open_call + excluded.open_call";
        execute(self, sql, values![user, total, chat, mail, call]).await.map(|_| ())
    }
}

pub(crate) fn store_item(bundle: &mut Bundle, item: &ItemRecord) {
    let (owner_kind, owner_id) = owner_columns(item.owner);
    let values = values![
        item.id,
        item.version,
        item.workspace,
        item.status,
        priority_rank(item.priority),
        owner_kind,
        owner_id,
        item.team,
        item.owned_since,
        item.unassigned_reason,
        item.waiting_since,
        item.snoozed_until,
        item.last_decision,
        item.queued_since,
        item.due_at,
    ];
    bundle.insert(Table::ItemChange, vec![values]);
}

/// Appends to an item's history.
pub(crate) fn add_history(
    bundle: &mut Bundle,
    item: ItemId,
    at: Timestamp,
    actor: &Actor,
    changes: &[HistoryChange],
    decision: Option<DecisionId>,
) -> Result<(), StoreError> {
    let actor = json(actor)?;
    let mut records = Vec::with_capacity(changes.len());
    for change in changes {
        records.push(values![item, at, actor.as_str(), json(change)?, decision]);
    }
    bundle.insert(Table::History, records);
    Ok(())
}

/// The live events of a change: the item, also for those who could see it where it was, and the people whose
/// counted work moved.
fn told<'a>(at: Timestamp, before: &ItemRecord, after: &ItemRecord, people: impl Iterator<Item = &'a UserId>) -> Vec<NewEvent> {
    let about = |workspace| NewEvent {
        workspace: Some(workspace),
        item: Some(after.id),
        conversation: after.conversation,
        version: Some(after.version),
        ..NewEvent::new(LiveEventKind::Item, at)
    };
    let mut events = vec![about(after.workspace)];
    if before.workspace != after.workspace {
        events.push(about(before.workspace));
    }
    events.extend(people.map(|user| NewEvent { user: Some(*user), ..NewEvent::new(LiveEventKind::Person, at) }));
    events
}

/// The live events of several changes at once.
pub(crate) fn told_of<'a>(at: Timestamp, changed: impl Iterator<Item = &'a Changed>, moves: &Moves) -> Vec<NewEvent> {
    let mut events: Vec<NewEvent> =
        changed.flat_map(|Changed { before, after }| told(at, before, after, std::iter::empty())).collect();
    events.extend(moves.keys().map(|user| NewEvent { user: Some(*user), ..NewEvent::new(LiveEventKind::Person, at) }));
    events
}

/// Open work in all, and of the types chat, mail and call.
pub(crate) type Counts = [i64; 4];
pub(crate) type Moves = BTreeMap<UserId, Counts>;

impl ItemUpdate {
    /// What the change leaves in the item's history.
    fn history(&self, before: &ItemRecord, after: &ItemRecord) -> Vec<HistoryChange> {
        let mut changes = Vec::new();
        if let Some(note) = &self.returned {
            changes.push(HistoryChange::Returned { note: note.clone() });
        } else if (before.owner, before.team) != (after.owner, after.team) {
            changes.push(HistoryChange::Owner { owner: after.owner, team: after.team });
        }
        if before.status != after.status {
            changes.push(HistoryChange::Status { status: after.status });
        }
        changes
    }

    fn applied_to(&self, before: &ItemRecord) -> ItemRecord {
        let mut after = before.clone();
        if let Some(owner) = self.owner
            && (owner != before.owner || self.new_ownership)
        {
            after.owner = owner;
            after.owned_since = owner.map(|_| self.at);
        }
        if let Some(reason) = self.unassigned_reason {
            after.unassigned_reason = reason;
        }
        if after.owner.is_some() {
            after.unassigned_reason = None;
        }
        after.team = self.team.unwrap_or(before.team);
        after.priority = self.priority.unwrap_or(before.priority);
        after.workspace = self.workspace.unwrap_or(before.workspace);
        after.status = self.status.unwrap_or(before.status);
        after.snoozed_until = match after.status {
            ItemStatus::Snoozed => self.snoozed_until.or(before.snoozed_until),
            _ => None,
        };
        if matches!(after.status, ItemStatus::Closed | ItemStatus::Spam) {
            after.waiting_since = None;
        }
        after.queued_since = self.queued_since.unwrap_or(before.queued_since);
        if after.owner.is_some() || after.status != ItemStatus::Open {
            after.queued_since = None;
        }
        after.due_at = self.due_at.unwrap_or(before.due_at);
        after.last_decision = self.decision.or(before.last_decision);
        after
    }
}

/// The condition that a person keeps within every limit with so much more open work: in all, and of each type.
pub(crate) fn room_within([total, chat, mail, call]: [&str; 4]) -> String {
    let room =
        |part: &str, more: &str| format!("AND ({more} <= 0 OR limit_{part} IS NULL OR open_{part} + {more} <= limit_{part})");
    let added = format!("{chat} * weight_chat + {mail} * weight_mail + {call} * weight_call");
    let weight = format!(
        "AND (limit_weight IS NULL OR {added} <= 0 OR open_chat * weight_chat + open_mail * weight_mail \
         + open_call * weight_call + {added} <= limit_weight)"
    );
    [room("total", total), room("chat", chat), room("mail", mail), room("call", call), weight].join(" ")
}

/// The person who owns an item.
pub(crate) const fn taker(item: &ItemRecord) -> Option<UserId> {
    match item.owner {
        Some(Owner::User { id }) => Some(id),
        _ => None,
    }
}

/// The item after a change, and whose counted work that moves; `together` are the items that count with it.
pub(crate) fn counts_moved(update: &ItemUpdate, before: &ItemRecord, together: &[ItemRecord]) -> (Changed, Moves) {
    let mut after = update.applied_to(before);
    if differs(before, &after) {
        after.version += 1;
    }
    let changed: Vec<ItemRecord> =
        together.iter().map(|record| if record.id == after.id { after.clone() } else { record.clone() }).collect();
    let moves = moves(&counts(together), &counts(&changed));
    (Changed { before: before.clone(), after }, moves)
}

/// Whether somebody who saw the item before would have to look again.
fn differs(before: &ItemRecord, after: &ItemRecord) -> bool {
    (before.owner, before.team, before.status, before.priority, before.workspace, before.snoozed_until)
        != (after.owner, after.team, after.status, after.priority, after.workspace, after.snoozed_until)
}

/// What items that count together add to the open work of each person: at most one in all and one of each type
/// (ROUTING 5.5).
pub(crate) fn counts(together: &[ItemRecord]) -> Moves {
    let mut counts = Moves::new();
    for item in together.iter().filter(|item| item.status == ItemStatus::Open) {
        if let Some(Owner::User { id }) = item.owner {
            let count = counts.entry(id).or_default();
            count[0] = 1;
            count[match item.group.work_type() {
                WorkType::Chat => 1,
                WorkType::Mail => 2,
                WorkType::Call => 3,
            }] = 1;
        }
    }
    counts
}

pub(crate) fn moves(before: &Moves, after: &Moves) -> Moves {
    let mut moves = after.clone();
    for (user, count) in before {
        let entry = moves.entry(*user).or_default();
        for (part, number) in entry.iter_mut().zip(count) {
            *part -= number;
        }
    }
    moves.retain(|_, count| *count != Counts::default());
    moves
}
