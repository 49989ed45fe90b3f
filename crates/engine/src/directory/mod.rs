//! The directory as a file: read, merged into what is in force, compared, and written out again.
//!
//! In files, people go by email address, everything else by slug; ids exist only inside. `apply` reads a file
//! ([`DirectoryFile`]), merges it into the directory in force ([`merge`]), validates, and shows the difference
//! ([`diff`]); `export` writes text that reads back to the same directory ([`export`]).

mod calendars;
mod diff;
mod entry;
mod export;
mod file;
mod ical;
mod merge;
mod read;
mod read_rule;
mod reference;
mod rule_file;
mod zones;

pub use calendars::{ExpandedFile, expand_calendars, utc_date};
pub use diff::{ChangeAction, DirectoryChange, diff, loses_last_admin};
pub use entry::Entry;
pub use export::export;
pub use file::{
    AbsenceFile, AccessFile, CapacityFile, ChannelFile, ChatFile, DirectoryFile, HolidaysFile, PerTypeFile, SkillFile,
    SpokenFile, TeamFile, UserFile, UserSkillFile, WeightsFile, WorkspaceFile,
};
pub use ical::{ImportNote, ImportedDays, read_ical};
pub(crate) use merge::set_rules;
pub use merge::{MergeOptions, merge, merge_text};
pub use read::syntax_fault;
pub use reference::{REFERENCE, ReferenceKey, ReferenceSection};
pub use rule_file::{CaseFile, ChatflowFile, DemandFile, FallbackFile, OverflowFile, RuleFile, SkillRuleFile, TargetFile};
pub use zones::{attach_zones, zone_data};
