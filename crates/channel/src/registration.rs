//! How a kind of channel makes itself known to the host.

use crate::Channel;
use crate::settings::Settings;
use std::sync::Arc;
use switchboard_model::{ChannelKind, Fault};

/// One kind of channel. Each adapter crate exports exactly one.
#[derive(Clone, Copy)]
pub struct Registration {
    /// The kind, as `kind` in `[channels.SLUG]` names it.
    pub kind: ChannelKind,
    /// One sentence for the configuration reference.
    pub summary: &'static str,
    /// Every setting; the reference is generated from it and unknown keys are faults.
    pub settings: &'static [SettingDoc],
    /// Builds the channel, or says everything that is wrong with its settings. Reads no more than files that they name.
    pub build: Build,
}

/// Builds a channel from its settings.
pub type Build = fn(&Settings) -> Result<Arc<dyn Channel>, Vec<Fault>>;

/// One setting of a channel, for the configuration reference.
#[derive(Clone, Copy, Debug)]
pub struct SettingDoc {
    /// Key below `[channels.SLUG]`; dots reach into tables, `*` stands for a name of one's own.
    pub key: &'static str,
    /// Type, unit and range in words.
    pub values: &'static str,
    /// Default, as written in TOML; `None` when the setting is required, empty when absent means off.
    pub default: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
}
