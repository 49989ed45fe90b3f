//! Faults of a directory, all at once (ROUTING 3.9, 7.7).

use switchboard_model::{ChannelId, Directory, Fault};

/// Every fault of the directory: its structure, and every rule as on save. Keys speak in the terms of the
/// directory file.
#[must_use]
pub fn validate(_directory: &Directory) -> Vec<Fault> {
    todo!()
}

/// The faults that no directory version may have: names, references, hours, limits, shapes of rules. A user
/// who is named in a rule and lost the seat is none of them (ROUTING 3.9: stays, is marked, is skipped).
#[must_use]
pub fn validate_structure(_directory: &Directory) -> Vec<Fault> {
    todo!()
}

/// What refuses the rule of one channel on save (ROUTING 7.7); empty for an unknown channel or no rule.
#[must_use]
pub fn validate_rule(_directory: &Directory, _channel: ChannelId) -> Vec<Fault> {
    todo!()
}
