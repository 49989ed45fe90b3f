//! Local time, by the zone data that comes with a directory.

use base64::Engine;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use switchboard_model::{Directory, Timestamp};

/// One zone; UTC where its data is missing or unreadable.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    /// The zone of a name, from the first directory that has its data.
    pub(crate) fn of(directories: &[&Directory], name: &str) -> Self {
        let data = directories.iter().find_map(|directory| directory.zones.get(name));
        let bytes = data.and_then(|data| base64::engine::general_purpose::STANDARD.decode(&data.0).ok());
        Self(bytes.and_then(|bytes| TimeZone::tzif(name, &bytes).ok()).unwrap_or(TimeZone::UTC))
    }

    /// Whole hours since the local Monday began, 0 to 167.
    pub(crate) fn hour_of_week(&self, at: Timestamp) -> usize {
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.0) else { return 0 };
        let local = self.0.to_datetime(instant);
        let hours = i16::from(local.weekday().to_monday_zero_offset()) * 24 + i16::from(local.hour());
        usize::try_from(hours).unwrap_or_default()
    }

    /// The instant of a local date and time; of two, the first.
    pub(crate) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let zoned = self.0.to_ambiguous_zoned(local).compatible().ok()?;
        Some(Timestamp(zoned.timestamp().as_millisecond()))
    }
}
