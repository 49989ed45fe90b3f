//! One event of an iCal file: the days on which it begins, and how long it lasts.

use super::{Block, ImportNote, Line, Window, note, plain};
use calcard::common::PartialDateTime;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarEntry, ICalendarFrequency, ICalendarProperty, ICalendarRecurrenceRule,
    ICalendarStatus, ICalendarValue,
};
use calcard::{Entry, Parser};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// The longest event that counts, in days.
const MAX_LENGTH_DAYS: i32 = 366;
/// The most repetitions of one event that are looked at.
const MAX_REPETITIONS: usize = 20_000;
/// The parts of a rule that are understood, with the greatest number that each may hold.
const RULE_PARTS: &[(&str, i64)] = &[
    ("FREQ", 0),
    ("UNTIL", 0),
    ("WKST", 0),
    ("BYDAY", 0),
    ("COUNT", 100_000),
    ("INTERVAL", 1_000),
    ("BYMONTH", 12),
    ("BYMONTHDAY", 31),
    ("BYYEARDAY", 366),
    ("BYWEEKNO", 53),
    ("BYSETPOS", 366),
];

/// An all-day event.
pub(super) struct Event {
    /// Its first line.
    pub line: usize,
    /// Its name, which those that replace a day of it bear too.
    pub uid: Option<String>,
    /// The day of another event that it stands for.
    pub replaces: Option<Date>,
    /// The days on which it begins.
    pub starts: BTreeSet<Date>,
    /// How many days it lasts, at least one.
    pub length_days: i32,
}

/// Reads an event; `None` when it is of no use, which is noted.
pub(super) fn read_event(block: &Block, window: &Window, notes: &mut Vec<ImportNote>) -> Option<Event> {
    let first_line = block.lines.first()?.number;
    let text = block.lines.iter().fold(String::new(), |text, line| text + &line.text + "\r\n");
    let Entry::ICalendar(parsed) = Parser::new(&text).entry() else {
        note(notes, first_line, "the event cannot be read and is left out".to_owned());
        return None;
    };
    let component = parsed.components.into_iter().next()?;
    let mut reading = Reading { block, component: &component, window, notes };
    reading.event(first_line)
}

struct Reading<'a> {
    block: &'a Block,
    component: &'a ICalendarComponent,
    window: &'a Window,
    notes: &'a mut Vec<ImportNote>,
}

impl Reading<'_> {
    fn event(&mut self, line: usize) -> Option<Event> {
        let uid = self.component.uid().map(str::to_owned);
        let replaces = self.dates("RECURRENCE-ID", &ICalendarProperty::RecurrenceId).into_iter().next();
        let Some(start) = self.start() else {
            self.note("DTSTART", line, format!("{} is no all-day event and is left out", self.title()));
            return None;
        };
        if self.component.status() == Some(&ICalendarStatus::Cancelled) {
            self.note("STATUS", line, format!("{} is cancelled and left out", self.title()));
            return Some(Event { line, uid, replaces, starts: BTreeSet::new(), length_days: 1 });
        }
        let length_days = match self.length(start) {
            Ok(days) => days,
            Err(problem) => {
                self.note("DTEND", line, format!("{} {problem} and is left out", self.title()));
                return None;
            }
        };
        let mut starts = BTreeSet::from([start]);
        starts.extend(self.repetitions(start));
        starts.extend(self.dates("RDATE", &ICalendarProperty::Rdate));
        for date in self.dates("EXDATE", &ICalendarProperty::Exdate) {
            starts.remove(&date);
        }
        if let Some(unknown) = self.lines("EXRULE").first() {
            note(self.notes, unknown.number, "`EXRULE` is not understood; no day is taken out by it".to_owned());
        }
        Some(Event { line, uid, replaces, starts, length_days })
    }

    /// The day on which an all-day event begins: a date, or midnight on the clock of wherever somebody is.
    fn start(&self) -> Option<Date> {
        self.first(&ICalendarProperty::Dtstart).filter(|at| is_whole_day(at)).and_then(date)
    }

    fn length(&self, start: Date) -> Result<i32, String> {
        let days = match (self.first(&ICalendarProperty::Dtend), self.component.property(&ICalendarProperty::Duration)) {
            (Some(end), _) => date(end).filter(|_| is_whole_day(end)).and_then(|end| Some(start.until(end).ok()?.get_days())),
            (None, Some(length)) => whole_days(length),
            (None, None) => Some(1),
        };
        match days {
            None => Err("does not last whole days".to_owned()),
            Some(days) if days > MAX_LENGTH_DAYS => Err(format!("lasts more than {MAX_LENGTH_DAYS} days")),
            // An end on the first day is a common slip for one day.
            Some(days) => Ok(days.max(1)),
        }
    }

    fn repetitions(&mut self, start: Date) -> Vec<Date> {
        let mut found = Vec::new();
        let rules: Vec<&ICalendarEntry> =
            self.component.entries.iter().filter(|entry| entry.name == ICalendarProperty::Rrule).collect();
        let lines: Vec<(usize, Option<String>)> =
            self.lines("RRULE").into_iter().map(|line| (line.number, unknown_part(line.value()))).collect();
        for (entry, (line, unknown)) in rules.into_iter().zip(lines) {
            let problem = match (entry.values.first(), unknown) {
                (_, Some(unknown)) => Some(format!("`{}` is not understood", plain(&unknown))),
                (Some(ICalendarValue::RecurrenceRule(rule)), None) => match self.expand(start, rule, line) {
                    Ok(dates) => {
                        found.extend(dates);
                        None
                    }
                    Err(problem) => Some(problem),
                },
                _ => Some("the rule cannot be read".to_owned()),
            };
            if let Some(problem) = problem {
                note(self.notes, line, format!("{problem}; of {} only the first day is taken", self.title()));
            }
        }
        found
    }

    fn expand(&mut self, start: Date, rule: &ICalendarRecurrenceRule, line: usize) -> Result<Vec<Date>, String> {
        let daily_or_longer =
            [ICalendarFrequency::Yearly, ICalendarFrequency::Monthly, ICalendarFrequency::Weekly, ICalendarFrequency::Daily];
        if !daily_or_longer.contains(&rule.freq) {
            return Err("a whole day does not repeat within a day".to_owned());
        }
        let endless = rule.count.is_none() && rule.until.is_none();
        let last = if endless { self.window.last } else { self.window.last_with_end };
        let until = rule.until.as_ref().and_then(date).map_or(last, |until| until.min(last));
        if until < start {
            return Err("the repetition ends before it begins".to_owned());
        }
        let rule = ICalendarRecurrenceRule { until: Some(midnight(until)), ..rule.clone() };
        let entry = |name, value| ICalendarEntry { name, params: Vec::new(), values: vec![value] };
        let event = ICalendarComponent {
            component_type: self.component.component_type.clone(),
            entries: vec![
                entry(ICalendarProperty::Dtstart, ICalendarValue::PartialDateTime(Box::new(midnight(start)))),
                entry(ICalendarProperty::Rrule, ICalendarValue::RecurrenceRule(Box::new(rule))),
            ],
            component_ids: Vec::new(),
        };
        let expanded =
            ICalendar { components: vec![event] }.expand_dates(calcard::common::timezone::Tz::Floating, MAX_REPETITIONS);
        if !expanded.errors.is_empty() {
            return Err("the repetition makes no sense".to_owned());
        }
        if expanded.events.len() >= MAX_REPETITIONS {
            note(self.notes, line, format!("repeats {MAX_REPETITIONS} times or more; what is beyond that is left out"));
        }
        let day = |at: String| at.get(..10).and_then(|day| day.parse::<Date>().ok());
        let days = expanded.events.iter().filter_map(|event| day(event.start.naive_local().to_string()));
        Ok(days.filter(|day| *day >= self.window.first).collect())
    }

    /// The dates of a property that lists some; what is none is noted.
    fn dates(&mut self, name: &str, property: &ICalendarProperty) -> Vec<Date> {
        let mut found = Vec::new();
        let lines: Vec<usize> = self.lines(name).iter().map(|line| line.number).collect();
        let entries = self.component.entries.iter().filter(|entry| entry.name == *property);
        for (entry, line) in entries.zip(lines) {
            for value in &entry.values {
                match value {
                    ICalendarValue::PartialDateTime(at) if is_whole_day(at) => found.extend(date(at)),
                    _ => note(self.notes, line, format!("a value of `{name}` is no date and is left out")),
                }
            }
        }
        found
    }

    fn first(&self, property: &ICalendarProperty) -> Option<&PartialDateTime> {
        match self.component.property(property)?.values.first()? {
            ICalendarValue::PartialDateTime(at) => Some(at),
            _ => None,
        }
    }

    fn title(&self) -> String {
        let summary = self.component.property(&ICalendarProperty::Summary).and_then(|entry| entry.values.first()?.as_text());
        summary.map_or_else(|| "the event".to_owned(), |summary| format!("`{}`", plain(summary)))
    }

    /// The lines of a property of the event itself, not of an alarm within it.
    fn lines(&self, name: &str) -> Vec<&Line> {
        let mut depth = 0_usize;
        let mut found = Vec::new();
        for line in &self.block.lines {
            match line.name().as_str() {
                "BEGIN" => depth += 1,
                "END" => depth = depth.saturating_sub(1),
                other if depth == 1 && other == name => found.push(line),
                _ => {}
            }
        }
        found
    }

    fn note(&mut self, name: &str, otherwise: usize, message: String) {
        let line = self.lines(name).first().map_or(otherwise, |line| line.number);
        note(self.notes, line, message);
    }
}

/// The first part of a rule that is not understood.
fn unknown_part(rule: &str) -> Option<String> {
    let understood = |part: &&str| {
        let Some((name, values)) = part.split_once('=') else { return false };
        let Some((_, most)) = RULE_PARTS.iter().find(|(known, _)| name.trim().eq_ignore_ascii_case(known)) else { return false };
        let number = |value: &str| value.trim().parse::<i64>().is_ok_and(|value| value != 0 && value.abs() <= *most);
        *most == 0 || values.split(',').all(number)
    };
    rule.split(';').filter(|part| !part.trim().is_empty()).find(|part| !understood(part)).map(str::to_owned)
}

/// Whole days of a duration, `None` for one that ends within a day.
fn whole_days(length: &ICalendarEntry) -> Option<i32> {
    let Some(ICalendarValue::Duration(length)) = length.values.first() else { return None };
    let seconds = length.as_seconds();
    (seconds % 86_400 == 0).then(|| i32::try_from(seconds / 86_400).unwrap_or(i32::MAX))
}

/// A date, or midnight without a zone of its own.
fn is_whole_day(at: &PartialDateTime) -> bool {
    let is_midnight = [at.hour, at.minute, at.second].iter().all(|part| part.unwrap_or(0) == 0);
    at.has_date() && (!at.has_time() || (is_midnight && !at.has_zone()))
}

fn date(at: &PartialDateTime) -> Option<Date> {
    let (year, month, day) = (at.year?, at.month?, at.day?);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(|date| date.year() > 0)
}

fn midnight(day: Date) -> PartialDateTime {
    PartialDateTime {
        year: Some(day.year().unsigned_abs()),
        month: Some(super::month(day)),
        day: Some(super::day_of_month(day)),
        ..PartialDateTime::default()
    }
}
