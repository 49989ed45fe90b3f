//! When people take work, by their hours, absences and statuses, whatever they have to do.

use crate::load::StatusEvent;
use crate::outcome::Span;
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_core::{CoreError, Router};
use switchboard_model::{
    Directory, Input, ManualStatus, RouterState, StatusChange, StatusOrigin, StatusValue, Timestamp, User, UserId,
};

/// The most changes of one person's availability that are looked at: hourly ones for more than ten years.
const MAX_CHANGES: usize = 100_000;

/// The spans between two instants in which each active person is available, beginning as a new user does.
///
/// # Errors
/// When no router can start from a person's entry.
pub(crate) fn available(
    directory: &Directory,
    statuses: &[StatusEvent],
    span: Span,
) -> Result<BTreeMap<UserId, Vec<Span>>, CoreError> {
    let active = directory.users.iter().filter(|user| user.is_active());
    active
        .map(|user| {
            let own = statuses.iter().filter(|status| status.user == user.id && status.at < span.to);
            Ok((user.id, of_one(directory, user, own, span)?))
        })
        .collect()
}

/// Availability depends on nobody else, so one person's is found in a directory of one.
fn of_one<'a>(
    directory: &Directory,
    user: &User,
    statuses: impl Iterator<Item = &'a StatusEvent>,
    span: Span,
) -> Result<Vec<Span>, CoreError> {
    let zone = directory.zones.get(&user.zone).map(|data| (user.zone.clone(), data.clone()));
    let alone = Directory {
        version: directory.version,
        users: vec![user.clone()],
        holidays: directory.holidays.clone(),
        zones: zone.into_iter().collect(),
        ..Directory::default()
    };
    let state = RouterState { now: span.from, directory_version: alone.version, ..RouterState::default() };
    let mut router = Router::new(Arc::new(alone), state)?;
    let mut found = Vec::new();
    let tell = |router: &mut Router, at: Timestamp, value: StatusValue, origin: StatusOrigin| {
        let status = ManualStatus { value, reason: None, set_at: at, origin };
        let no = router.no() + 1;
        router.step(no, at, &Input::Status(StatusChange { user: user.id, status, version: no.cast_signed() }));
    };
    tell(&mut router, span.from, StatusValue::Available, StatusOrigin::Initial);
    let mut from = span.from;
    for status in statuses {
        let at = status.at.max(from);
        walk(&router, user.id, Span { from, to: at }, &mut found);
        tell(&mut router, at, status.value, StatusOrigin::ByHand);
        from = at;
    }
    walk(&router, user.id, Span { from, to: span.to }, &mut found);
    Ok(found)
}

fn walk(router: &Router, user: UserId, span: Span, found: &mut Vec<Span>) {
    let mut from = span.from;
    for _ in 0..MAX_CHANGES {
        if from >= span.to {
            return;
        }
        let availability = router.availability(user, from);
        let until = availability.until.filter(|until| *until > from);
        let to = until.map_or(span.to, |until| until.min(span.to));
        if availability.available {
            match found.last_mut().filter(|last| last.to == from) {
                Some(last) => last.to = to,
                None => found.push(Span { from, to }),
            }
        }
        from = to;
    }
}
