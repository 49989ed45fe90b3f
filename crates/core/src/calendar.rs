//! Weekly hours in a time zone, turned into instants: shifts, their edges, and what holds now (ROUTING 4.1, 4.2, 4.6).
//!
//! A shift is a maximal run of working time: spans that touch or overlap are one. Every boundary is taken once: a
//! boundary inside the hour that spring skips happens at the jump, one inside the hour that autumn repeats happens
//! the first time its wall-clock time comes. Spans that touch on paper therefore touch on those nights too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, ToSpan};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_model::{CivilDate, Directory, HoursSpan, Timestamp, WeeklyHours, ZoneData};

const DAY_MS: i64 = 86_400_000;
/// Days of shifts laid out before the asked day: a span reaches into the day after the one it starts on.
const DAYS_BEFORE: i64 = 3;
/// Days laid out after it. Hours repeat weekly, but a span may fall into a skipped hour or a skipped date.
const DAYS_AFTER: i64 = 17;
/// How long a kept schedule serves before it is laid out anew.
const KEPT_DAYS: i64 = 8;

/// What weekly hours say at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Working time.
    pub inside: bool,
    /// When that changes; `None` if not within the days laid out.
    pub next_edge: Option<Timestamp>,
    /// When the next shift starts, the current one not counted.
    pub next_start: Option<Timestamp>,
    /// When to ask again although no edge is known; `None` if the answer never changes.
    pub recheck: Option<Timestamp>,
}

/// Hours of one kind in one zone. People with the same hours and zone share one.
#[derive(Clone, Debug)]
pub(crate) enum Calendar {
    /// No hours set: always inside.
    Always,
    /// Hours in a zone that nobody knows: never inside.
    Unknown,
    /// Hours in a zone.
    Weekly(Box<Weekly>),
}

/// Weekly hours with a kept schedule around the present.
#[derive(Clone, Debug)]
pub(crate) struct Weekly {
    zone: TimeZone,
    /// Spans by the day they start on, Monday first: start and end in minutes.
    days: [Vec<(u16, u16)>; 7],
    /// Days without work.
    holidays: BTreeSet<Date>,
    kept: Schedule,
}

#[derive(Clone, Debug, Default)]
struct Schedule {
    /// Serves questions from here...
    from: i64,
    /// ...up to here.
    to: i64,
    /// Beyond this instant further spans may follow.
    horizon: i64,
    /// Shifts in order: first instant of work, first instant after it.
    shifts: Vec<(i64, i64)>,
}

impl Calendar {
    /// The calendar of hours in a zone, given the zones that are known, without these days. No hours are all hours.
    pub(crate) fn new(hours: &WeeklyHours, zone: Option<&TimeZone>, holidays: &BTreeSet<CivilDate>) -> Self {
        if hours.0.is_empty() && holidays.is_empty() {
            return Self::Always;
        }
        let Some(zone) = zone else { return Self::Unknown };
        let days = if hours.0.is_empty() { std::array::from_fn(|_| vec![(0, 1440)]) } else { by_day(&hours.0) };
        let date = |date: &CivilDate| Date::new(date.year, date.month.cast_signed(), date.day.cast_signed()).ok();
        let holidays = holidays.iter().filter_map(date).collect();
        Self::Weekly(Box::new(Weekly { zone: zone.clone(), days, holidays, kept: Schedule::default() }))
    }

    /// Whether the zone of the hours is missing, so that nothing can be said about them.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Keeps a schedule that serves questions around `now`, so that [`Calendar::look`] is a search.
    pub(crate) fn prepare(&mut self, now: Timestamp) {
        if let Self::Weekly(weekly) = self
            && !weekly.kept.serves(now)
        {
            weekly.kept = weekly.lay_out(now, KEPT_DAYS);
        }
    }

    /// When a shift next starts after an instant, or when to ask again where that is too far off to say.
    pub(crate) fn next_shift(&self, at: Timestamp) -> Option<Timestamp> {
        let look = self.look(at);
        look.next_start.or(look.recheck)
    }

    /// Whether a shift starts at the instant.
    pub(crate) fn starts_at(&self, at: Timestamp) -> bool {
        self.look(at.plus_ms(-1)).next_start == Some(at)
    }

    /// The same as [`Calendar::look`], but with edge and start however far they are, and so the same whenever it is asked:
    /// beyond the days laid out, only holidays bring about any.
    pub(crate) fn look_far(&self, at: Timestamp) -> Look {
        let near = self.look(at);
        match self {
            Self::Weekly(weekly) if near.next_start.is_none() || near.next_edge.is_none() => weekly.look_far(at, near),
            _ => near,
        }
    }

    /// What holds at an instant. Instants beyond the calendar's years are outside.
    pub(crate) fn look(&self, at: Timestamp) -> Look {
        match self {
            Self::Always => Look { inside: true, next_edge: None, next_start: None, recheck: None },
            Self::Unknown => Look { inside: false, next_edge: None, next_start: None, recheck: None },
            Self::Weekly(weekly) if weekly.kept.serves(at) => weekly.kept.look(at),
            Self::Weekly(weekly) => weekly.lay_out(at, 0).look(at),
        }
    }
}

/// Every zone of the directory whose data can be read.
pub(crate) fn zones(directory: &Directory) -> BTreeMap<&str, TimeZone> {
    directory.zones.iter().filter_map(|(name, data)| Some((name.as_str(), read_zone(name, data)?))).collect()
}

/// A zone from its stored data; `None` when that is no TZif.
pub(crate) fn read_zone(name: &str, data: &ZoneData) -> Option<TimeZone> {
    TimeZone::tzif(name, &STANDARD.decode(&data.0).ok()?).ok()
}

fn by_day(hours: &[HoursSpan]) -> [Vec<(u16, u16)>; 7] {
    let mut days: [Vec<(u16, u16)>; 7] = Default::default();
    for span in hours.iter().filter(|span| span.from_minute < 1440 && (1..=1440).contains(&span.to_minute)) {
        for day in span.days() {
            days[usize::from(day.monday_zero())].push((span.from_minute, span.to_minute));
        }
    }
    days
}

impl Weekly {
    fn lay_out(&self, around: Timestamp, kept_days: i64) -> Schedule {
        self.try_lay_out(around, kept_days).unwrap_or_default()
    }

    fn look_far(&self, at: Timestamp, near: Look) -> Look {
        let mut look = near;
        let Ok(instant_at) = jiff::Timestamp::from_millisecond(at.0) else { return near };
        let today = self.zone.to_datetime(instant_at).date();
        for holiday in self.holidays.range(today..) {
            let Some(begin) = instant(&self.zone, holiday.at(0, 0, 0, 0)) else { continue };
            let schedule = self.lay_out(Timestamp(begin), 0);
            let later = |edge: &i64| *edge > at.0 && *edge >= begin && *edge < schedule.horizon;
            let start = schedule.shifts.iter().map(|(from, _)| *from).find(|from| later(from) && *from > begin);
            let end = schedule.shifts.iter().map(|(_, to)| *to).find(later);
            look.next_start = look.next_start.or(start.map(Timestamp));
            look.next_edge = look.next_edge.or(if look.inside { end } else { start }.map(Timestamp));
            if look.next_start.is_some() && look.next_edge.is_some() {
                break;
            }
        }
        look
    }

    fn try_lay_out(&self, around: Timestamp, kept_days: i64) -> Option<Schedule> {
        let today = self.zone.to_datetime(jiff::Timestamp::from_millisecond(around.0).ok()?).date();
        let first = today.checked_sub(DAYS_BEFORE.days()).ok()?;
        let (mut shifts, mut free) = (Vec::new(), Vec::new());
        for offset in 0..=DAYS_BEFORE + DAYS_AFTER + kept_days {
            let date = first.checked_add(offset.days()).ok()?;
            self.add_day(date, &mut shifts)?;
            if self.holidays.contains(&date) {
                let next = date.checked_add(1.days()).ok()?;
                free.push((instant(&self.zone, date.at(0, 0, 0, 0))?, instant(&self.zone, next.at(0, 0, 0, 0))?));
            }
        }
        let end = today.checked_add((DAYS_AFTER + kept_days + 1).days()).ok()?;
        Some(Schedule {
            from: around.0.saturating_sub(DAY_MS),
            to: around.0.saturating_add(kept_days * DAY_MS + 1),
            horizon: instant(&self.zone, end.at(0, 0, 0, 0))?,
            shifts: without(merged(shifts), &merged(free)),
        })
    }

    fn add_day(&self, date: Date, shifts: &mut Vec<(i64, i64)>) -> Option<()> {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        for &(from, to) in &self.days[weekday] {
            let days = i64::from(to <= from || to == 1440);
            let start = instant(&self.zone, at_minute(date, from)?)?;
            let end = instant(&self.zone, at_minute(date.checked_add(days.days()).ok()?, to % 1440)?)?;
            if start < end {
                shifts.push((start, end));
            }
        }
        Some(())
    }
}

fn at_minute(date: Date, minute: u16) -> Option<DateTime> {
    let minutes: Span = Span::new().try_minutes(i64::from(minute)).ok()?;
    date.at(0, 0, 0, 0).checked_add(minutes).ok()
}

/// The instant of a wall-clock time in milliseconds: at the jump where it is skipped, its first coming where it
/// is repeated.
fn instant(zone: &TimeZone, wall: DateTime) -> Option<i64> {
    let instant = match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok()?,
        AmbiguousOffset::Gap { before, .. } => {
            let late = before.to_timestamp(wall).ok()?;
            let after = late.checked_add(1.second()).ok()?;
            zone.preceding(after).next().map_or(late, |jump| jump.timestamp())
        }
    };
    Some(instant.as_millisecond())
}

fn merged(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.sort_unstable();
    let mut shifts: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match shifts.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => shifts.push((from, to)),
        }
    }
    shifts
}

/// The spans without what lies in others; both in order and apart from each other.
fn without(spans: Vec<(i64, i64)>, others: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut left = Vec::with_capacity(spans.len());
    for (mut from, to) in spans {
        let first = others.partition_point(|(_, free_to)| *free_to <= from);
        for (free_from, free_to) in others[first..].iter().take_while(|(free_from, _)| *free_from < to) {
            if from < *free_from {
                left.push((from, *free_from));
            }
            from = *free_to;
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

impl Schedule {
    const fn serves(&self, at: Timestamp) -> bool {
        self.from <= at.0 && at.0 < self.to
    }

    fn look(&self, at: Timestamp) -> Look {
        let later = self.shifts.partition_point(|(from, _)| *from <= at.0);
        let next_start = self.shifts.get(later).map(|(from, _)| Timestamp(*from));
        let current = later.checked_sub(1).and_then(|index| self.shifts.get(index)).filter(|(_, to)| at.0 < *to);
        let next_edge = match current {
            Some((_, to)) => (*to < self.horizon).then_some(Timestamp(*to)),
            None => next_start,
        };
        let recheck = next_edge.or(Some(at.plus_ms(KEPT_DAYS * DAY_MS))).filter(|recheck| at < *recheck);
        Look { inside: current.is_some(), next_edge, next_start, recheck }
    }
}

/// Periods of absence, merged and in order (ROUTING 4.1).
#[derive(Clone, Debug, Default)]
pub(crate) struct Absences(Vec<(i64, i64)>);

impl Absences {
    /// The absences of a user; periods that end before they start count for nothing.
    pub(crate) fn new(periods: &[switchboard_model::OutOfOffice]) -> Self {
        Self(merged(periods.iter().map(|period| (period.from.0, period.to.0)).filter(|(from, to)| from < to).collect()))
    }

    /// Whether the instant lies in an absence, and when that changes.
    pub(crate) fn look(&self, at: Timestamp) -> (bool, Option<Timestamp>) {
        let later = self.0.partition_point(|(from, _)| *from <= at.0);
        match later.checked_sub(1).map(|index| self.0[index]).filter(|(_, to)| at.0 < *to) {
            Some((_, to)) => (true, Some(Timestamp(to))),
            None => (false, self.0.get(later).map(|(from, _)| Timestamp(*from))),
        }
    }
}
