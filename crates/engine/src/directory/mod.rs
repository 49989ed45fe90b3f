//! The directory as a file: read, merged into what is in force, compared, and written out again.
//!
//! In files, people go by email address, everything else by slug; ids exist only inside. `apply` reads a file
//! ([`DirectoryFile`]), merges it into the directory in force ([`merge`]), validates, and shows the difference
//! ([`diff`]); `export` writes text that reads back to the same directory ([`export`]).

mod diff;
mod entry;
mod export;
mod file;
mod merge;
mod zones;

pub use diff::{ChangeAction, DirectoryChange, diff, loses_last_admin};
pub use entry::Entry;
pub use export::export;
pub use file::{
    AbsenceFile, AccessFile, CapacityFile, CaseFile, ChannelFile, DirectoryFile, FallbackFile, RuleFile, TargetFile, TeamFile,
    UserFile, WorkspaceFile, syntax_fault,
};
pub(crate) use merge::kept_rule_version;
pub use merge::{MergeOptions, merge, merge_text};
pub use zones::{attach_zones, zone_data};
