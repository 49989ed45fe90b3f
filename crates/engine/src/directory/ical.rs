//! The days off in an iCal file (RFC 5545): all-day events, repeated ones written out.
//!
//! Whatever cannot be used is named with its line and costs nothing else of the file.

mod event;

use event::{Event, read_event};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;
use switchboard_model::CivilDate;

/// How far back repeated days are written out, in years.
const YEARS_BACK: i16 = 3;
/// How far ahead days that repeat for ever are written out, in years.
const YEARS_AHEAD: i16 = 10;
/// The same for days whose repetition ends.
const YEARS_AHEAD_WITH_END: i16 = 100;
/// The most days off of a file; more are no holidays.
const MAX_DAYS: usize = 50_000;

/// What an iCal file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedDays {
    /// The days off.
    pub dates: BTreeSet<CivilDate>,
    /// What was left out, by line.
    pub notes: Vec<ImportNote>,
}

/// Something in an iCal file that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportNote {
    /// The line on which it stands, from 1.
    pub line: usize,
    /// What it is and what was done, as a sentence without a full stop.
    pub message: String,
}

/// The days off in the text of an iCal file, as seen on a day: repetitions begin three years before it, and those
/// without an end stop ten years after it.
///
/// # Errors
/// Text that is no iCal file at all, or holds more days than any calendar of holidays.
pub fn read_ical(text: &str, today: CivilDate) -> Result<ImportedDays, String> {
    let mut found = ImportedDays::default();
    let blocks = blocks(text, &mut found.notes)?;
    let window = Window::around(today);
    let mut events: Vec<Event> = blocks.iter().filter_map(|block| read_event(block, &window, &mut found.notes)).collect();
    replace_single_days(&mut events, &mut found.notes);
    for event in &events {
        for start in &event.starts {
            let days = (0..event.length_days).filter_map(|day| start.checked_add(day.days()).ok());
            found.dates.extend(days.map(|day| CivilDate { year: day.year(), month: month(day), day: day_of_month(day) }));
            if found.dates.len() > MAX_DAYS {
                return Err(format!("holds more than {MAX_DAYS} days, which is no calendar of holidays"));
            }
        }
    }
    found.notes.sort_by_key(|note| note.line);
    Ok(found)
}

/// Between which days repetitions are written out.
struct Window {
    first: Date,
    last: Date,
    last_with_end: Date,
}

impl Window {
    fn around(today: CivilDate) -> Self {
        let year = |years: i16, month, day| {
            Date::new((today.year + years).clamp(1, 9999), month, day).expect("the first and last of a month are days")
        };
        Self {
            first: year(-YEARS_BACK, 1, 1),
            last: year(YEARS_AHEAD, 12, 31),
            last_with_end: year(YEARS_AHEAD_WITH_END, 12, 31),
        }
    }
}

/// One line of content, folded lines put together.
struct Line {
    /// Where it begins, from 1.
    number: usize,
    text: String,
}

impl Line {
    /// What stands before the value: the name in upper case.
    fn name(&self) -> String {
        self.text.split([':', ';']).next().unwrap_or_default().trim().to_ascii_uppercase()
    }

    /// What stands after the first colon outside quotes.
    fn value(&self) -> &str {
        let mut quoted = false;
        let colon = self.text.find(|letter| {
            quoted ^= letter == '"';
            letter == ':' && !quoted
        });
        colon.map_or("", |colon| self.text[colon + 1..].trim())
    }
}

/// The lines of one event, its first and last included.
struct Block {
    lines: Vec<Line>,
}

/// The events of a file. Other parts are named, except for zones and what is inside an event.
fn blocks(text: &str, notes: &mut Vec<ImportNote>) -> Result<Vec<Block>, String> {
    let lines = unfold(text);
    if !lines.iter().any(|line| line.name() == "BEGIN" && line.value().eq_ignore_ascii_case("VCALENDAR")) {
        return Err("is no iCal file; it has no `BEGIN:VCALENDAR`".to_owned());
    }
    let mut blocks = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut event: Vec<Line> = Vec::new();
    for line in lines {
        let (name, part) = (line.name(), line.value().to_ascii_uppercase());
        let is_event = open.iter().any(|part| part == "VEVENT");
        if name == "BEGIN" {
            let known = ["VCALENDAR", "VEVENT", "VTIMEZONE"].contains(&part.as_str());
            if !known && open.iter().all(|part| part == "VCALENDAR") {
                note(notes, line.number, format!("`{}` is left out; only events hold days off", plain(&part)));
            }
            open.push(part.clone());
        } else if name == "END" {
            match open.iter().rposition(|begun| *begun == part) {
                Some(position) => open.truncate(position),
                None => note(notes, line.number, format!("`END:{}` ends nothing", plain(&part))),
            }
        } else if !line.text.contains(':') {
            note(notes, line.number, "is no line of an iCal file".to_owned());
            continue;
        }
        if is_event || (name == "BEGIN" && part == "VEVENT") {
            event.push(line);
        }
        if is_event && !open.iter().any(|part| part == "VEVENT") {
            blocks.push(Block { lines: std::mem::take(&mut event) });
        }
    }
    if let Some(first) = event.first() {
        note(notes, first.number, "the event has no end and is left out".to_owned());
    }
    Ok(blocks)
}

/// A line that begins with white space goes on with the one before it.
fn unfold(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(before)) => before.text.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push(Line { number: index + 1, text: line.to_owned() }),
        }
    }
    lines
}

/// An event with a `RECURRENCE-ID` stands for one day of the event that has its name.
fn replace_single_days(events: &mut [Event], notes: &mut Vec<ImportNote>) {
    let replaced: Vec<(usize, String, Date)> =
        (events.iter()).filter_map(|event| Some((event.line, event.uid.clone()?, event.replaces?))).collect();
    for (line, uid, day) in replaced {
        let mut masters = events.iter_mut().filter(|event| event.replaces.is_none() && event.uid.as_ref() == Some(&uid));
        let known = masters.any(|event| {
            event.starts.remove(&day);
            true
        });
        if !known {
            note(notes, line, "replaces a day of an event that is not in the file".to_owned());
        }
    }
}

fn note(notes: &mut Vec<ImportNote>, line: usize, message: String) {
    notes.push(ImportNote { line, message });
}

/// Text of the file as it can be shown in a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(60).collect()
}

fn month(day: Date) -> u8 {
    day.month().unsigned_abs()
}

fn day_of_month(day: Date) -> u8 {
    day.day().unsigned_abs()
}
