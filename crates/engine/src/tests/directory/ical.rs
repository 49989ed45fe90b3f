//! iCal files as calendars of holidays.

use crate::directory::{DirectoryFile, MergeOptions, expand_calendars, merge_text, read_ical, utc_date};
use switchboard_model::{CivilDate, Directory, Fault, Timestamp};

const TODAY: CivilDate = CivilDate { year: 2026, month: 11, day: 22 };

/// A calendar of these events, each without its first and last line. The first event begins on line 3.
fn calendar(events: &[&str]) -> String {
    let events: Vec<String> = events.iter().map(|event| format!("BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n")).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.concat())
}

/// The dates of a calendar of these events, then what was left out.
fn read(events: &[&str]) -> Vec<String> {
    let found = read_ical(&calendar(events), TODAY).unwrap();
    let notes = found.notes.iter().map(|note| format!("line {}: {}", note.line, note.message));
    found.dates.iter().map(ToString::to_string).chain(notes).collect()
}

fn years(dates: &[String]) -> (usize, &str, &str) {
    (dates.len(), dates.first().map_or("", String::as_str), dates.last().map_or("", String::as_str))
}

#[test]
fn r4_2_all_day_events_last_from_their_start_to_before_their_end() {
    assert_eq!(read(&["DTSTART;VALUE=DATE:20270517\r\nSUMMARY:Constitution Day"]), ["2027-05-17"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20271231\r\nDTEND;VALUE=DATE:20280103"]), ["2027-12-31", "2028-01-01", "2028-01-02"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20280228\r\nDURATION:P2D"]), ["2028-02-28", "2028-02-29"]);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20270503\r\nDURATION:P1W"]).len(), 7);
    assert_eq!(read(&["DTSTART;VALUE=DATE:20270517\r\nDTEND;VALUE=DATE:20270517"]), ["2027-05-17"], "a common slip");
    assert_eq!(read(&["DTSTART;VALUE=DATE:20270517\r\nTRANSP:TRANSPARENT"]), ["2027-05-17"], "as public calendars write it");
}

#[test]
fn r4_2_midnight_to_midnight_without_a_zone_of_its_own_is_a_whole_day() {
    assert_eq!(read(&["DTSTART;TZID=Europe/Oslo:20270517T000000\r\nDTEND;TZID=Europe/Oslo:20270518T000000"]), ["2027-05-17"]);
    assert_eq!(read(&["DTSTART:20270517T000000\r\nDURATION:P1D"]), ["2027-05-17"]);
    assert_eq!(
        read(&["DTSTART:20270517T000000Z\r\nDTEND:20270518T000000Z\r\nSUMMARY:Call"]),
        ["line 4: `Call` is no all-day event and is left out"]
    );
    assert_eq!(
        read(&["DTSTART:20270517T000000\r\nDTEND:20270517T120000\r\nSUMMARY:Morning"]),
        ["line 5: `Morning` does not last whole days and is left out"]
    );
}

#[test]
fn r4_2_a_day_of_every_year_is_written_out_from_three_years_back_to_ten_ahead() {
    let endless = read(&["DTSTART;VALUE=DATE:19700517\r\nRRULE:FREQ=YEARLY"]);
    assert_eq!(years(&endless), (14 + 1, "1970-05-17", "2036-05-17"), "the first day stands by itself");
    let leap = read(&["DTSTART;VALUE=DATE:20240229\r\nRRULE:FREQ=YEARLY"]);
    assert_eq!(leap, ["2024-02-29", "2028-02-29", "2032-02-29", "2036-02-29"]);
}

#[test]
fn r4_2_yearly_rules_count_end_and_choose_their_day() {
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;COUNT=3"]), ["2026-12-25", "2027-12-25", "2028-12-25"]);
    for until in ["20271225", "20271225T000000Z", "20271225T225959Z"] {
        let rule = format!("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;UNTIL={until}");
        assert_eq!(read(&[&rule]), ["2026-12-25", "2027-12-25"], "{until}");
    }
    // The last Monday of May, the first Thursday of June, the fourth Thursday of November.
    assert_eq!(
        read(&["DTSTART;VALUE=DATE:20260525\r\nRRULE:FREQ=YEARLY;COUNT=3;BYMONTH=5;BYDAY=-1MO"]),
        ["2026-05-25", "2027-05-31", "2028-05-29"]
    );
    assert_eq!(
        read(&["DTSTART;VALUE=DATE:20261126\r\nRRULE:FREQ=YEARLY;UNTIL=20281231;BYMONTH=11;BYDAY=4TH"]),
        ["2026-11-26", "2027-11-25", "2028-11-23"]
    );
    assert_eq!(
        read(&["DTSTART;VALUE=DATE:20261224\r\nRRULE:FREQ=YEARLY;COUNT=4;BYMONTH=12;BYMONTHDAY=24,-1"]),
        ["2026-12-24", "2026-12-31", "2027-12-24", "2027-12-31"]
    );
    assert_eq!(read(&["DTSTART;VALUE=DATE:20270101\r\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=2"]), ["2027-01-01", "2029-01-01"]);
}

#[test]
fn r4_2_exceptions_are_taken_out_and_further_dates_put_in() {
    let event = "DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n\
        EXDATE;VALUE=DATE:20271225\r\nRDATE;VALUE=DATE:20270501,20270601";
    assert_eq!(
        read(&[event]),
        ["2026-12-25", "2026-12-26", "2027-05-01", "2027-05-02", "2027-06-01", "2027-06-02", "2028-12-25", "2028-12-26"],
        "each as long as the event"
    );
    assert_eq!(read(&["DTSTART;VALUE=DATE:20261225\r\nEXDATE:20261225T000000"]), [""; 0]);
}

#[test]
fn r4_2_a_single_day_of_a_rule_can_be_moved_or_cancelled() {
    let master = "UID:a\r\nDTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;COUNT=4";
    let moved = "UID:a\r\nRECURRENCE-ID;VALUE=DATE:20271225\r\nDTSTART;VALUE=DATE:20271227";
    let cancelled =
        "UID:a\r\nRECURRENCE-ID;VALUE=DATE:20281225\r\nDTSTART;VALUE=DATE:20281225\r\nSTATUS:CANCELLED\r\nSUMMARY:Jul";
    let other = "UID:b\r\nRECURRENCE-ID;VALUE=DATE:20261225\r\nDTSTART;VALUE=DATE:20260101";
    assert_eq!(
        read(&[moved, master, cancelled, other]),
        [
            "2026-01-01",
            "2026-12-25",
            "2027-12-27",
            "2029-12-25",
            "line 17: `Jul` is cancelled and left out",
            "line 20: replaces a day of an event that is not in the file",
        ]
    );
}

#[test]
fn what_is_not_understood_is_named_with_its_line_and_the_rest_is_imported() {
    let text = "\u{feff}BEGIN:VCALENDAR\nX-WR-CALNAME:Days\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
        RRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VTODO\nDTSTART;VALUE=DATE:20270101\nEND:VTODO\nnonsense\n\
        BEGIN:VEVENT\nSUMMARY:Long\n  title\nDTSTART;VALUE=DATE:2027\n 0517\nBEGIN:VALARM\nTRIGGER:-PT10M\nRRULE:FREQ=DAILY\n\
        END:VALARM\nX-NEW;X=\"a:b\":1\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Easter\nDTSTART;VALUE=DATE:20270326\nRRULE:FREQ=YEARLY;BYEASTER=-2\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20271345\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Odd\\nname\u{1b}[31m\nDTSTART;VALUE=DATE:20270601\nRRULE:FREQ=HOURLY\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270602\nRRULE:FREQ=YEARLY;BYMONTHDAY=300\nRDATE;VALUE=PERIOD:20270101T000000Z/PT1H\n\
        EXRULE:FREQ=YEARLY\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270603\nRRULE:FREQ=YEARLY;UNTIL=20200101\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270701\nDTEND;VALUE=DATE:20300101\nEND:VEVENT\n\
        END:VJOURNAL\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270604\n";
    let found = read_ical(text, TODAY).unwrap();
    let dates: Vec<String> = found.dates.iter().map(ToString::to_string).collect();
    assert_eq!(dates, ["2027-03-26", "2027-05-17", "2027-06-01", "2027-06-02", "2027-06-03"]);
    let notes: Vec<String> = found.notes.iter().map(|note| format!("{}: {}", note.line, note.message)).collect();
    insta::assert_snapshot!(notes.join("\n"), @r"
    10: `VTODO` is left out; only events hold days off
    13: is no line of an iCal file
    28: `BYEASTER=-2` is not understood; of `Easter` only the first day is taken
    31: the event is no all-day event and is left out
    36: a whole day does not repeat within a day; of `Oddname[31m` only the first day is taken
    40: `BYMONTHDAY=300` is not understood; of the event only the first day is taken
    41: a value of `RDATE` is no date and is left out
    42: `EXRULE` is not understood; no day is taken out by it
    46: the repetition ends before it begins; of the event only the first day is taken
    50: the event lasts more than 366 days and is left out
    52: `END:VJOURNAL` ends nothing
    53: the event has no end and is left out
    ");
}

#[test]
fn a_file_that_is_no_calendar_is_refused_as_a_whole() {
    assert!(read_ical("<html>not found</html>", TODAY).unwrap_err().contains("BEGIN:VCALENDAR"));
    assert!(read_ical("", TODAY).is_err());
    let endless: Vec<String> =
        (0..10).map(|day| format!("DTSTART;VALUE=DATE:200001{:02}\r\nRRULE:FREQ=DAILY;COUNT=100000", day + 1)).collect();
    let found = read_ical(&calendar(&endless.iter().map(String::as_str).collect::<Vec<_>>()), TODAY).unwrap();
    assert!(found.dates.len() < 20_000 && found.notes.len() == 10, "repetitions are bounded, and that is said");
    let long = "DTSTART;VALUE=DATE:20000101\r\nDURATION:P365D\r\nRRULE:FREQ=YEARLY;INTERVAL=1;UNTIL=29990101";
    assert!(read_ical(&calendar(&[long]), TODAY).unwrap().dates.len() > 30_000);
}

#[test]
fn nothing_that_is_written_in_a_calendar_makes_reading_fail() {
    let pieces = [
        "BEGIN:VEVENT",
        "END:VEVENT",
        "DTSTART;VALUE=DATE:20270101",
        "DTSTART:99999999T999999",
        "RRULE:FREQ=YEARLY;COUNT=0",
        "RRULE:",
        "RRULE:FREQ=YEARLY;BYDAY=99XX",
        "EXDATE:",
        "DTEND;VALUE=DATE:00010101",
        "DURATION:-P9999999999W",
        "RECURRENCE-ID:x",
        ":",
        ";",
        "BEGIN:",
        "END:VCALENDAR",
        "BEGIN:VCALENDAR",
        " folded",
        "\"",
        "UID:é\u{0}",
    ];
    let mut seed = 7_u64;
    for _ in 0..2_000 {
        let mut text = String::from("BEGIN:VCALENDAR\nBEGIN:VEVENT\n");
        for _ in 0..12 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text += pieces[usize::try_from(seed >> 33).unwrap() % pieces.len()];
            text.push('\n');
        }
        let _ = read_ical(&text, TODAY);
    }
}

#[test]
fn r4_2_a_directory_file_names_ical_files_that_are_written_out_as_dates() {
    let file = "[[holidays]]\nslug = \"norway\"\nical = \"no.ics\"\ndates = [2027-12-31]\n[[holidays]]\nslug = \"plain\"\ndates = []\n\
        [[holidays]]\nslug = \"gone\"\nical = \"gone.ics\"\n[[holidays]]\nslug = \"far\"\nical = \"https://example.test/a.ics\"\n\
        [[holidays]]\nslug = \"odd\"\nical = 5\n[[holidays]]\nslug = \"page\"\nical = \"page.html\"\n";
    let expanded = expand_calendars(file, TODAY, |path| match path {
        "no.ics" => Ok(calendar(&["DTSTART;VALUE=DATE:20270517", "DTSTART:20270601T120000Z"])),
        "page.html" => Ok("<html>".to_owned()),
        _ => Err("cannot be read: no such file".to_owned()),
    });
    let shown = |faults: &[Fault]| faults.iter().map(Fault::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&expanded.notes), ["no.ics: line 7: the event is no all-day event and is left out"]);
    assert_eq!(
        shown(&expanded.faults),
        [
            "holidays[2].ical: `gone.ics` cannot be read: no such file",
            "holidays[3].ical: `https://example.test/a.ics` is an address; download the file and name its path",
            "holidays[4].ical: must be the path of an iCal file, not integer",
            "holidays[5].ical: `page.html` is no iCal file; it has no `BEGIN:VCALENDAR`",
        ]
    );
    let directory = merge_text(&Directory::default(), &expanded.text, MergeOptions::default()).unwrap();
    let dates: Vec<String> = directory.holidays["norway"].iter().map(ToString::to_string).collect();
    assert_eq!(dates, ["2027-05-17", "2027-12-31"]);
}

#[test]
fn the_date_of_an_instant_is_that_of_utc() {
    assert_eq!(utc_date(Timestamp(1_795_305_599_999)).to_string(), "2026-11-21");
    assert_eq!(utc_date(Timestamp(1_795_305_600_000)), TODAY);
}

#[test]
fn a_directory_file_without_ical_files_stays_as_it_is_written() {
    for text in ["# words\n[[holidays]]\nslug = \"a\"\ndates = [2027-01-01]\n", "[[holidays]]\nical", "holidays = 5\n"] {
        let expanded = expand_calendars(text, TODAY, |_| panic!("nothing is to be read"));
        assert_eq!(expanded.text, text);
    }
    let refused = DirectoryFile::read("[[holidays]]\nslug = \"a\"\nical = \"a.ics\"\n").unwrap_err();
    assert_eq!(refused.len(), 1, "sent to the host as it stands, it would be empty: {refused:?}");
}
