//! When somebody works: every shift of a stretch of time as a plain list of instants (ROUTING 4.1, 4.2).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp as Instant, ToSpan};
use switchboard_model::{CivilDate, HoursSpan, Timestamp, WeeklyHours, ZoneData};

/// The shifts of one person or channel.
#[derive(Clone, Debug)]
pub enum Calendar {
    /// No hours are set and no holiday is kept, which is always inside.
    Always,
    /// The zone cannot be read, which is never inside.
    Unreadable,
    /// Start included, end excluded; ascending, apart from each other.
    Shifts(Vec<(Timestamp, Timestamp)>),
}

impl Calendar {
    /// Lists every shift that begins between `from` and `to`, a day more or less, without the holidays.
    pub fn new(hours: &WeeklyHours, holidays: &[CivilDate], zone: Option<&ZoneData>, from: Timestamp, to: Timestamp) -> Self {
        if hours.0.is_empty() && holidays.is_empty() {
            return Self::Always;
        }
        let Some(zone) = zone.and_then(read_zone) else { return Self::Unreadable };
        let (Ok(first), Ok(last)) = (Instant::from_millisecond(from.0), Instant::from_millisecond(to.0)) else {
            return Self::Unreadable;
        };
        if hours.0.is_empty() {
            return Self::Shifts(without(vec![(Timestamp(i64::MIN), Timestamp(i64::MAX))], &zone, holidays));
        }
        let (first, last) = (Offset::UTC.to_datetime(first).date(), Offset::UTC.to_datetime(last).date());
        let mut spans = Vec::new();
        for date in first.series(1.day()).take_while(|date| *date <= last) {
            let weekday = date.weekday().to_monday_zero_offset();
            for span in hours.0.iter().filter(|span| span.days().any(|day| i16::from(day.monday_zero()) == i16::from(weekday))) {
                spans.extend(instants(&zone, date, *span));
            }
        }
        Self::Shifts(without(joined(spans), &zone, holidays))
    }

    /// Whether the moment lies in a shift.
    pub fn inside(&self, at: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::Unreadable => false,
            Self::Shifts(shifts) => shifts.iter().any(|(start, end)| *start <= at && at < *end),
        }
    }

    /// The starts of all shifts.
    pub fn starts(&self) -> Vec<Timestamp> {
        match self {
            Self::Always | Self::Unreadable => Vec::new(),
            Self::Shifts(shifts) => shifts.iter().map(|(start, _)| *start).collect(),
        }
    }

    /// The starts and ends of all shifts.
    pub fn edges(&self) -> Vec<Timestamp> {
        match self {
            Self::Always | Self::Unreadable => Vec::new(),
            Self::Shifts(shifts) => shifts.iter().flat_map(|(start, end)| [*start, *end]).collect(),
        }
    }
}

/// The first moment at which the wall clock of the zone has reached a time: the jump for a time that is
/// skipped, the first of both for one that is repeated.
pub fn reached(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let moment = match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall).ok()?,
        AmbiguousOffset::Gap { before, .. } => {
            let after_the_jump = before.to_timestamp(wall).ok()?.checked_add(1.second()).ok()?;
            zone.preceding(after_the_jump).next()?.timestamp()
        }
    };
    Some(Timestamp(moment.as_millisecond()))
}

/// A zone from the bytes that the directory carries.
pub fn read_zone(data: &ZoneData) -> Option<TimeZone> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(&data.0).ok()?;
    TimeZone::tzif("", &bytes).ok()
}

fn instants(zone: &TimeZone, date: Date, span: HoursSpan) -> Option<(Timestamp, Timestamp)> {
    let next_day = span.to_minute <= span.from_minute;
    let start = reached(zone, wall(date, span.from_minute)?)?;
    let end = reached(zone, wall(if next_day { date.tomorrow().ok()? } else { date }, span.to_minute)?)?;
    (start < end).then_some((start, end))
}

fn wall(date: Date, minute: u16) -> Option<DateTime> {
    let hour = i8::try_from(minute / 60).ok()?;
    if hour == 24 {
        return Some(date.tomorrow().ok()?.to_datetime(Time::midnight()));
    }
    Some(date.at(hour, i8::try_from(minute % 60).ok()?, 0, 0))
}

/// Shifts with whole civil days cut out of them (ROUTING 4.2).
fn without(mut shifts: Vec<(Timestamp, Timestamp)>, zone: &TimeZone, holidays: &[CivilDate]) -> Vec<(Timestamp, Timestamp)> {
    for holiday in holidays {
        let day = i8::try_from(holiday.month).ok().zip(i8::try_from(holiday.day).ok());
        let Some(date) = day.and_then(|(month, day)| Date::new(holiday.year, month, day).ok()) else { continue };
        let midnight = |date: Date| reached(zone, date.to_datetime(Time::midnight()));
        let Some((from, to)) = midnight(date).zip(date.tomorrow().ok().and_then(midnight)) else { continue };
        let cut = |(start, end): (Timestamp, Timestamp)| [(start, end.min(from)), (start.max(to), end)];
        shifts = shifts.into_iter().flat_map(cut).filter(|(start, end)| start < end).collect();
    }
    shifts
}

fn joined(mut spans: Vec<(Timestamp, Timestamp)>) -> Vec<(Timestamp, Timestamp)> {
    spans.sort();
    let mut runs: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (start, end) in spans {
        match runs.last_mut() {
            Some(run) if start <= run.1 => run.1 = run.1.max(end),
            _ => runs.push((start, end)),
        }
    }
    runs
}
