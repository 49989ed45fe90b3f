//! What a calendar file asks for, in a line: the first event of it (RFC 5545, RFC 5546).

use super::one_line;
use switchboard_model::{Invitation, InvitationMethod};

/// How much of a file is read, in bytes.
const MAX_BYTES: usize = 262_144;
/// The most lines that are looked at.
const MAX_LINES: usize = 5_000;
/// The longest words that are kept, in characters.
const MAX_CHARS: usize = 300;

/// Reads a file; `None` when it is no calendar with an event in it.
pub(super) fn invitation(bytes: &[u8], declared: Option<&str>) -> Option<Invitation> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_BYTES)]);
    let mut method = declared.map(str::to_ascii_lowercase);
    let mut found: Option<Invitation> = None;
    let mut within: Vec<String> = Vec::new();
    for line in unfolded(&text) {
        let Some(Property { name, parameters, value }) = property(&line) else { continue };
        match (name.as_str(), within.last().map(String::as_str)) {
            ("BEGIN", _) => {
                within.push(value.trim().to_ascii_uppercase());
                if within.len() == 2 && within[1] == "VEVENT" {
                    found = Some(Invitation {
                        method: InvitationMethod::Publish,
                        summary: None,
                        location: None,
                        starts: None,
                        ends: None,
                        zone: None,
                    });
                }
            }
            ("END", Some("VEVENT")) if within.len() == 2 => break,
            ("END", _) => drop(within.pop()),
            ("METHOD", Some("VCALENDAR")) => method = Some(value.trim().to_ascii_lowercase()),
            (_, Some("VEVENT")) if within.len() == 2 => {
                if let Some(found) = &mut found {
                    note(found, &name, &parameters, value);
                }
            }
            _ => {}
        }
    }
    let mut found = found?;
    found.method = match method.as_deref() {
        Some("request") => InvitationMethod::Request,
        Some("reply" | "counter") => InvitationMethod::Reply,
        Some("cancel") => InvitationMethod::Cancel,
        _ => InvitationMethod::Publish,
    };
    Some(found)
}

fn note(found: &mut Invitation, name: &str, parameters: &[(String, String)], value: &str) {
    let words = || Some(one_line(&unescaped(value), MAX_CHARS)).filter(|words| !words.is_empty());
    match name {
        "SUMMARY" => found.summary = words(),
        "LOCATION" => found.location = words(),
        "DTSTART" => {
            found.starts = moment(value);
            let named = parameters.iter().find(|(name, _)| name == "TZID").map(|(_, zone)| one_line(zone, 100));
            found.zone = if value.trim_end().ends_with('Z') { Some(String::from("UTC")) } else { named };
        }
        "DTEND" => found.ends = moment(value),
        _ => {}
    }
}

/// `20261123` or `20261123T100000Z` as it is written elsewhere.
fn moment(value: &str) -> Option<String> {
    let value = value.trim().trim_end_matches('Z');
    let (date, time) = value.split_once('T').map_or((value, None), |(date, time)| (date, Some(time)));
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) {
        return None;
    }
    let date = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    match time {
        None => Some(date),
        Some(time) if digits(time, 6) || digits(time, 4) => Some(format!("{date}T{}:{}", &time[..2], &time[2..4])),
        Some(_) => None,
    }
}

/// Lines with their continuations.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().take(MAX_LINES) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// A line of a calendar file.
struct Property<'l> {
    /// In capital letters.
    name: String,
    /// Names in capital letters, and values.
    parameters: Vec<(String, String)>,
    value: &'l str,
}

fn property(line: &str) -> Option<Property<'_>> {
    let mut quoted = false;
    let colon = line.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == ':' && !quoted).then_some(at)
    })?;
    let mut head = line[..colon].split(';');
    let name = head.next()?.trim().to_ascii_uppercase();
    let parameters = head.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').to_owned()))
    });
    Some(Property { name, parameters: parameters.collect(), value: &line[colon + 1..] })
}

fn unescaped(value: &str) -> String {
    value.replace("\\n", " ").replace("\\N", " ").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::invitation;
    use switchboard_model::InvitationMethod;

    const FILE: &str = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Oslo\r\nDTSTART:19700101T000000\r\nEND:VTIMEZONE\r\n\
                        BEGIN:VEVENT\r\nDTSTART;TZID=\"Europe/Oslo\":20261123T100000\r\nDTEND:20261123T110000\r\nSUMMARY:Visit\\, second\r\n  part\r\n\
                        LOCATION:Room 1\r\nBEGIN:VALARM\r\nSUMMARY:alarm\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Other\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn the_first_event_is_read() {
        let found = invitation(FILE.as_bytes(), None).expect("an event");
        assert_eq!(found.method, InvitationMethod::Request);
        assert_eq!((found.summary.as_deref(), found.location.as_deref()), (Some("Visit, second part"), Some("Room 1")));
        assert_eq!((found.starts.as_deref(), found.ends.as_deref()), (Some("2026-11-23T10:00"), Some("2026-11-23T11:00")));
        assert_eq!(found.zone.as_deref(), Some("Europe/Oslo"));
    }

    #[test]
    fn days_and_utc_are_told_apart() {
        let with = |start: &str| {
            invitation(format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART{start}\nEND:VEVENT\n").as_bytes(), Some("CANCEL"))
                .expect("an event")
        };
        let (day, utc) = (with(";VALUE=DATE:20261224"), with(":20261224T170000Z"));
        assert_eq!((day.starts.as_deref(), day.zone), (Some("2026-12-24"), None));
        assert_eq!((utc.starts.as_deref(), utc.zone.as_deref()), (Some("2026-12-24T17:00"), Some("UTC")));
        assert_eq!(day.method, InvitationMethod::Cancel);
    }

    #[test]
    fn what_is_no_event_is_none() {
        for bytes in [&b""[..], b"BEGIN:VCALENDAR\nEND:VCALENDAR", b"\xff\xfe", b"BEGIN:VEVENT\nSUMMARY:x"] {
            assert!(invitation(bytes, None).is_none());
        }
    }
}
