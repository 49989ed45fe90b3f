//! Writes out the iCal files that a directory file names, where these lie at hand.

use super::ical::read_ical;
use switchboard_model::{CivilDate, Fault, Timestamp};
use toml::{Table, Value};

/// A directory file in which no calendar lies elsewhere any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpandedFile {
    /// Its text; as it was when it names no iCal file.
    pub text: String,
    /// What the iCal files hold that could not be used, with file and line. The rest of them is imported.
    pub notes: Vec<Fault>,
    /// Files that cannot be read or hold no calendar. Their calendars are empty in the text.
    pub faults: Vec<Fault>,
}

/// Reads every `ical` of `[[holidays]]` and puts its days into `dates`, beside those that stand there. `read` gets the
/// path as it is written and answers with the file's text, or why it cannot be read. A text that is no TOML stays as it
/// is: whoever merges it names the fault.
pub fn expand_calendars(text: &str, today: CivilDate, mut read: impl FnMut(&str) -> Result<String, String>) -> ExpandedFile {
    let mut expanded = ExpandedFile { text: text.to_owned(), ..ExpandedFile::default() };
    let Ok(mut file) = text.parse::<Table>() else { return expanded };
    let Some(Value::Array(calendars)) = file.get_mut("holidays") else { return expanded };
    let mut any = false;
    for (index, calendar) in calendars.iter_mut().enumerate() {
        let Value::Table(calendar) = calendar else { continue };
        let Some(named) = calendar.remove("ical") else { continue };
        any = true;
        let dates = match days(&format!("holidays[{index}].ical"), &named, today, &mut read, &mut expanded.notes) {
            Ok(dates) => dates,
            Err(fault) => {
                expanded.faults.push(fault);
                Vec::new()
            }
        };
        // Something else than a list gets a fault when it is read.
        if let Value::Array(there) = calendar.entry("dates").or_insert_with(|| Value::Array(Vec::new())) {
            there.extend(dates);
        }
    }
    if any {
        expanded.text = toml::to_string(&file).expect("a table that was read can be written");
    }
    expanded
}

/// The date of an instant in UTC.
#[must_use]
pub fn utc_date(at: Timestamp) -> CivilDate {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    CivilDate { year: date.year(), month: date.month().unsigned_abs(), day: date.day().unsigned_abs() }
}

fn days(
    key: &str,
    named: &Value,
    today: CivilDate,
    read: &mut impl FnMut(&str) -> Result<String, String>,
    notes: &mut Vec<Fault>,
) -> Result<Vec<Value>, Fault> {
    let Value::String(path) = named else {
        return Err(Fault::new(key, format!("must be the path of an iCal file, not {}", named.type_str())));
    };
    if path.contains("://") {
        return Err(Fault::new(key, format!("`{path}` is an address; download the file and name its path")));
    }
    let text = read(path).map_err(|problem| Fault::new(key, format!("`{path}` {problem}")))?;
    let imported = read_ical(&text, today).map_err(|problem| Fault::new(key, format!("`{path}` {problem}")))?;
    let shown = |note: &super::ImportNote| Fault::new(format!("line {}", note.line), note.message.as_str()).in_file(path);
    notes.extend(imported.notes.iter().map(shown));
    Ok(imported.dates.iter().map(|date| Value::String(date.to_string())).collect())
}
