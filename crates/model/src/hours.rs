//! Weekly working hours as people write them: `mon-fri 08:30-16:00`.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A day of the week, Monday first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weekday(u8);

impl Weekday {
    /// Names in week order, as written in files.
    pub const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The day `offset` days after Monday; `None` from 7 on.
    #[must_use]
    pub const fn from_monday_zero(offset: u8) -> Option<Self> {
        if offset < 7 { Some(Self(offset)) } else { None }
    }

    /// Days since Monday, 0 to 6.
    #[must_use]
    pub const fn monday_zero(self) -> u8 {
        self.0
    }
}

/// One span of working time, repeated on every day of `first..=last`.
///
/// A span whose end is not after its start runs across midnight into the next day;
/// `00:00-24:00` is a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoursSpan {
    /// First day of the run of days on which the span starts.
    pub first: Weekday,
    /// Last day of the run; may lie before `first`, so that `sat-mon` is Saturday, Sunday, Monday.
    pub last: Weekday,
    /// Start in minutes after local midnight, 0 to 1439.
    pub from_minute: u16,
    /// End in minutes after local midnight, 1 to 1440; at or before `from_minute` means on the next day.
    pub to_minute: u16,
}

impl HoursSpan {
    /// The days on which the span starts.
    pub fn days(self) -> impl Iterator<Item = Weekday> {
        let run = (self.last.0 + 7 - self.first.0) % 7;
        (0..=run).map(move |offset| Weekday((self.first.0 + offset) % 7))
    }
}

/// Weekly hours in the zone of whoever owns them. Empty means always inside (ROUTING 4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WeeklyHours(pub Vec<HoursSpan>);

/// Text that is no span of hours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not like `mon-fri 08:30-16:00` or `sat 22:00-02:00`")]
pub struct InvalidHours(String);

impl FromStr for HoursSpan {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_span(text).ok_or_else(|| InvalidHours(text.to_owned()))
    }
}

impl fmt::Display for HoursSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Weekday::NAMES[usize::from(self.first.0)])?;
        if self.last != self.first {
            write!(f, "-{}", Weekday::NAMES[usize::from(self.last.0)])?;
        }
        let (from, to) = (self.from_minute, self.to_minute);
        write!(f, " {:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Serialize for HoursSpan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HoursSpan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A date of the civil calendar, written as `2027-05-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    /// 1 to 9999.
    pub year: i16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to the length of the month.
    pub day: u8,
}

/// Text that is no date.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is no date like `2027-05-17`")]
pub struct InvalidDate(String);

impl FromStr for CivilDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_date(text).ok_or_else(|| InvalidDate(text.to_owned()))
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for CivilDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn parse_date(text: &str) -> Option<CivilDate> {
    let [year, month, day] = *text.trim().split('-').collect::<Vec<_>>() else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || !text.trim().bytes().all(|c| c == b'-' || c.is_ascii_digit()) {
        return None;
    }
    let (year, month, day): (i16, u8, u8) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    (year > 0 && (1..=length).contains(&day)).then_some(CivilDate { year, month, day })
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, schema::Type};

    impl utoipa::PartialSchema for super::WeeklyHours {
        fn schema() -> RefOr<Schema> {
            ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String)).into()
        }
    }
    impl utoipa::ToSchema for super::WeeklyHours {}
}

fn parse_span(text: &str) -> Option<HoursSpan> {
    let (days, times) = text.trim().split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (from, to) = times.trim().split_once('-')?;
    let (from_minute, to_minute) = (parse_minute(from)?, parse_minute(to)?);
    (from_minute < 1440 && to_minute > 0).then_some(HoursSpan {
        first: parse_day(first)?,
        last: parse_day(last)?,
        from_minute,
        to_minute,
    })
}

fn parse_day(name: &str) -> Option<Weekday> {
    let position = Weekday::NAMES.iter().position(|known| name.trim().eq_ignore_ascii_case(known))?;
    Weekday::from_monday_zero(u8::try_from(position).ok()?)
}

fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour <= 24 && minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::{HoursSpan, Weekday};

    #[test]
    fn spans_read_and_print_alike() {
        for text in ["mon-fri 08:30-16:00", "sat 22:00-02:00", "sat-mon 00:00-24:00"] {
            assert_eq!(text.parse::<HoursSpan>().expect("a valid span").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in
            ["", "mon", "mon 8-16", "mun 08:00-16:00", "mon 08:00-25:00", "mon 08:60-16:00", "mon 24:00-02:00", "mon 08:00-00:00"]
        {
            assert!(text.parse::<HoursSpan>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_run_of_days_may_cross_the_end_of_the_week() {
        let span: HoursSpan = "sat-mon 08:00-16:00".parse().expect("a valid span");
        assert_eq!(span.days().map(Weekday::monday_zero).collect::<Vec<_>>(), [5, 6, 0]);
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for text in ["2027-05-17", "2028-02-29", "2000-02-29", "0001-01-01"] {
            assert_eq!(text.parse::<super::CivilDate>().unwrap().to_string(), text);
        }
        for text in
            ["2027-02-29", "1900-02-29", "2027-13-01", "2027-04-31", "2027-4-1", "0000-01-01", "27-04-01", "+027-01-01", ""]
        {
            assert!(text.parse::<super::CivilDate>().is_err(), "{text}");
        }
    }
}
