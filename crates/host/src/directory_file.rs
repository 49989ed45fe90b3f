//! Directory files as they lie on disk, with the iCal files that they name.

use crate::clock::SystemClock;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use switchboard_channel::Clock;
use switchboard_engine::directory::{ExpandedFile, expand_calendars, utc_date};
use switchboard_model::Fault;

/// The largest directory or iCal file.
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// Reads a directory file and writes out the calendars that it names, by paths from its own folder. What was left out of
/// them is noted on standard error.
///
/// # Errors
/// The file itself cannot be read. Faults of its calendars are in the answer, so that the rest can be checked too.
pub fn load(file: &Path) -> Result<ExpandedFile, Fault> {
    let text = read(file).map_err(|problem| Fault::new("file", problem))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let today = utc_date(SystemClock::new().now());
    let expanded = expand_calendars(&text, today, |path| read(&folder.join(path)));
    for note in &expanded.notes {
        eprintln!("note: {note}");
    }
    Ok(expanded)
}

/// A file's text. Bytes that are no UTF-8 become replacement characters, as old calendars are often in another charset.
fn read(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let mut bytes = Vec::new();
    File::open(file).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("is larger than {MAX_FILE_BYTES} bytes"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::load;

    #[test]
    fn r4_2_ical_files_lie_beside_the_directory_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("directory.toml");
        std::fs::create_dir(folder.path().join("days")).unwrap();
        let calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20270517\nSUMMARY:\u{e6}\nEND:VEVENT\nEND:VCALENDAR\n";
        std::fs::write(folder.path().join("days/norway.ics"), calendar).unwrap();
        std::fs::write(&file, "[[holidays]]\nslug = \"norway\"\nical = \"days/norway.ics\"\n").unwrap();
        let loaded = load(&file).unwrap();
        assert!(loaded.faults.is_empty() && loaded.text.contains("2027-05-17") && !loaded.text.contains("ical"), "{loaded:?}");
        std::fs::remove_file(folder.path().join("days/norway.ics")).unwrap();
        let fault = load(&file).unwrap().faults[0].to_string();
        assert!(fault.starts_with("holidays[0].ical: `days/norway.ics` cannot be read"), "{fault}");
        assert!(load(folder.path()).unwrap_err().to_string().starts_with("file: cannot be read"));
    }
}
